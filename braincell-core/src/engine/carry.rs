//! What the next step need not compute again.
//!
//! Symmetric splittings relax the gates at the end of a step and again, over the same time and at the same potentials, at the
//! beginning of the next one. The rates, and their exponentials, are then those of the step before: it leaves p = s φ₁(-b s) a
//! and q = s φ₁(-b s) b of each gate behind, and the next step makes x + (p - q x), to the same bits. What depends on parameters
//! alone is not computed again either.

use super::compile::Compiled;
use super::effects::{meet, overlap, range, reads, writes};
use super::in_place::{merged, within};
use super::instr::Instr;
use super::layout::Layout;
use crate::kernel::{Accumulate, Index, Operand, Output};
use crate::stepper::Coef;
use std::ops::Range;
use std::sync::Arc;

/// Lets steps of a program leave results to the next. Steps that begin with the state just as the program left it may follow
/// `continued` instead.
pub(super) fn carry(compiled: &mut Compiled, layout: &mut Layout) {
    let list = &compiled.first;
    let pairs = (0..list.len()).filter_map(|first| {
        Some((
            first,
            repeated(list, first, &compiled.coefficients, layout)?,
        ))
    });
    let pairs: Vec<(usize, usize)> = pairs.collect();
    let mut again = Vec::new();
    // Where p and q of each last relaxation are.
    let mut left: Vec<(usize, [usize; 2])> = Vec::new();
    for (first, last) in pairs {
        let Instr::Relax { call, .. } = &compiled.first[first] else {
            continue;
        };
        let (len, gates) = (call.len, call.outputs.len());
        let known = left.iter().find(|(of, _)| *of == last).map(|&(_, at)| at);
        let [p, q] = known.unwrap_or_else(|| [(); 2].map(|()| layout.take(gates * len)));
        let (states, outputs) = (
            call.inputs[call.inputs.len() - gates..].iter(),
            &call.outputs,
        );
        let relaxed = states.zip(outputs).enumerate().filter_map(|(g, (x, to))| {
            to.as_ref().map(|output| Instr::RelaxAgain {
                to: output.to.offset,
                x: x.offset,
                p: p + g * len,
                q: q + g * len,
                len,
            })
        });
        again.push((first, merged(relaxed.collect(), layout)));
        if known.is_some() {
            continue;
        }
        left.push((last, [p, q]));
        if let Instr::Relax { call, .. } = &mut compiled.first[last] {
            let at = [p, q].into_iter();
            let at = at.flat_map(|at| (0..gates).map(move |g| at + g * len));
            call.outputs.extend(at.map(|offset| {
                Some(Output {
                    to: Operand {
                        offset,
                        index: Index::Each,
                    },
                    how: Accumulate::Set,
                })
            }));
        }
    }
    compiled.continued.clone_from(&compiled.first);
    for (first, relaxed) in again.into_iter().rev() {
        compiled.continued.splice(first..=first, relaxed);
    }
    take_constants(&mut compiled.continued, layout);
}

/// Takes kernels that make constant signals out, which are there from the first step on. Where several add up to one they stay, and
/// so does what reads their sum.
pub(super) fn take_constants(list: &mut Vec<Instr>, layout: &Layout) -> Vec<Instr> {
    let written: Vec<Range<usize>> = list.iter().flat_map(|i| writes(i, layout)).collect();
    let signals = layout.constant.keys().map(|s| layout.signals[s.0].range());
    let alone = |plane: &Range<usize>| written.iter().filter(|w| overlap(w, plane)).count() == 1;
    let constant: Vec<Range<usize>> = signals.filter(alone).collect();
    let made = |w: &Range<usize>| constant.iter().any(|plane| within(w, plane));
    let (mut makers, mut stay) = (Vec::new(), Vec::new());
    list.retain(|instr| {
        let written = writes(instr, layout);
        let makes = matches!(instr, Instr::Kernel { .. })
            && written.iter().all(made)
            && !meet(&reads(instr, layout), &stay);
        match makes {
            true => makers.push(instr.clone()),
            false => stay.extend(written),
        }
        !makes
    });
    makers
}

/// The last relaxation of a step that is the one at `first` of the next step, with all that the rates depend on untouched
/// from one to the other.
fn repeated(list: &[Instr], first: usize, coefficients: &[Coef], layout: &Layout) -> Option<usize> {
    let Instr::Relax { kernel, call, time } = &list[first] else {
        return None;
    };
    let whole = |x: &Operand| x.index == Index::Each;
    let (arguments, states) = call.inputs.split_at(call.inputs.len() - call.outputs.len());
    let outputs = call.outputs.iter().flatten();
    if !states.iter().chain(outputs.map(|o| &o.to)).all(whole) {
        return None;
    }
    let same = |instr: &Instr| match instr {
        Instr::Relax {
            kernel: k,
            call: c,
            time: t,
        } => {
            let alike = Arc::ptr_eq(k, kernel) && coefficients[*t] == coefficients[*time];
            alike && c.len == call.len && c.inputs.starts_with(arguments)
        }
        _ => false,
    };
    let last = first + 1 + list[first + 1..].iter().rposition(same)?;
    let read: Vec<Range<usize>> = arguments.iter().map(|x| range(x, call.len)).collect();
    let touched = |instr: &Instr| meet(&writes(instr, layout), &read);
    let between = list[last..].iter().chain(&list[..=first]);
    (!between.into_iter().any(touched)).then_some(last)
}
