//! What of a step program has to be done for a model.

use super::graph::states_in;
use super::layout::Layout;
use crate::stepper::{Array, Op, Program, Terms};
use std::collections::{HashMap, HashSet};

/// What must be there at the end of a step besides the new state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keep {
    pub error: bool,
    pub dense: bool,
}

/// Which operations matter for what is kept.
fn live(program: &Program, keep: Keep) -> Vec<bool> {
    let ops = program.ops();
    let mut live = vec![false; ops.len()];
    let mut arrays = HashSet::new();
    let mut linearizations = HashSet::new();
    for (k, op) in ops.iter().enumerate().rev() {
        live[k] = match op {
            Op::Commit { .. } => true,
            Op::Error { .. } => keep.error,
            Op::Dense { .. } => keep.dense,
            Op::Linearize { out, .. } => linearizations.contains(out),
            _ => op.makes().iter().any(|a| arrays.contains(a)),
        };
        if live[k] {
            arrays.extend(op.reads());
            linearizations.extend(op.reads_linearization());
        }
    }
    live
}

/// The operations that matter for what is kept, without those that change nothing in this model, such as relaxing
/// concentrations where there are none.
pub(super) fn simplified(program: &Program, layout: &Layout, group: usize, keep: Keep) -> Vec<Op> {
    let live = live(program, keep);
    let ops = program.ops().iter().zip(&live).filter(|(_, live)| **live);
    let states = states_in(layout, group, crate::stepper::Parts::ALL).len();
    let mut same: HashMap<Array, Array> = HashMap::new();
    let mut all = Vec::new();
    for (op, _) in ops {
        let mut op = op.clone();
        op.read_instead(|array| same.get(&array).copied().unwrap_or(array));
        let equals = match &op {
            Op::Relax {
                out,
                parts,
                terms,
                y,
                ..
            } => {
                let nothing = states_in(layout, group, *parts).is_empty();
                (nothing || *terms == Terms::Cable).then_some((*out, *y))
            }
            Op::Select { out, parts, a, b } => match states_in(layout, group, *parts).len() {
                0 => Some((*out, *b)),
                n if n == states => Some((*out, *a)),
                _ if a == b => Some((*out, *a)),
                _ => None,
            },
            _ => None,
        };
        match equals {
            Some((out, array)) => {
                same.insert(out, array);
            }
            None => all.push(op),
        }
    }
    all
}
