//! Instructions that do two things at once.

use super::effects::Item;
use super::instr::{Instr, Shift};
use super::layout::Layout;
use crate::kernel::Output;
use std::sync::Arc;

/// The same instructions with each kernel's values computed together with its partial derivatives, where both are wanted
/// at the same arguments. Dual numbers carry the values anyway, to the same bits.
pub(super) fn fused(list: &[Instr], layout: &Layout) -> Vec<Instr> {
    joined(list, layout, together)
}

/// The same instructions with factors made where they are first solved with: one sweep over the tree does for both, to the same
/// bits.
pub(super) fn solved_at_once(list: &[Instr], layout: &Layout) -> Vec<Instr> {
    joined(list, layout, solved)
}

/// The same instructions with factors made before they are solved with: adjoints follow the two one by one.
pub(super) fn solved_after(list: &[Instr]) -> Vec<Instr> {
    let apart = |instr: &Instr| match instr {
        Instr::FactorAndSolve {
            system,
            factors,
            a,
            b,
            x,
        } => {
            let (factors, a) = (*factors, *a);
            let [first, second] = [system.clone(), system.clone()];
            vec![
                Instr::Factor {
                    system: first,
                    factors,
                    a,
                },
                Instr::Solve {
                    system: second,
                    factors,
                    a,
                    b: vec![*b],
                    x: vec![*x],
                },
            ]
        }
        instr => vec![instr.clone()],
    };
    list.iter().flat_map(apart).collect()
}

/// Where an earlier instruction does what the last one is for, and the instruction that does both there.
type Join = fn(&[Item]) -> Option<(usize, Instr)>;

/// The instructions with all those joined that can be.
fn joined(list: &[Instr], layout: &Layout, join: Join) -> Vec<Instr> {
    let items = list.iter().map(|instr| Item::new(instr.clone(), layout));
    let mut items: Vec<Item> = items.collect();
    // Zeros would keep apart what belongs together.
    for k in 0..items.len() {
        if matches!(items[k].instr, Instr::Zero { .. }) {
            let before = (0..k).rev().find(|&m| items[m].conflicts(&items[k]));
            items[before.map_or(0, |m| m + 1)..=k].rotate_right(1);
        }
    }
    let mut k = 0;
    while k < items.len() {
        match join(&items[..=k]) {
            Some((m, instr)) => {
                items[m] = Item::new(instr, layout);
                items.remove(k);
            }
            None => k += 1,
        }
    }
    items.into_iter().map(|item| item.instr).collect()
}

/// Where the values that belong to the last instruction are computed, and the instruction that does both there.
fn together(items: &[Item]) -> Option<(usize, Instr)> {
    let (last, earlier) = items.split_last()?;
    let Instr::Partials {
        kernel,
        columns,
        masks,
        call,
        values,
    } = &last.instr
    else {
        return None;
    };
    for (m, item) in earlier.iter().enumerate().rev() {
        if item.conflicts(last) {
            return None;
        }
        if let Instr::Kernel {
            kernel: of,
            call: more,
        } = &item.instr
            && Arc::ptr_eq(of, kernel)
            && more.len == call.len
            && more.inputs == call.inputs
            && let Some(values) = both(values, &more.outputs)
        {
            let instr = Instr::Partials {
                kernel: kernel.clone(),
                columns: columns.clone(),
                masks: masks.clone(),
                call: call.clone(),
                values,
            };
            return Some((m, instr));
        }
    }
    None
}

/// The outputs of two lists for the same results, the first of which may be empty; nothing if both want the same result.
fn both(a: &[Option<Output>], b: &[Option<Output>]) -> Option<Vec<Option<Output>>> {
    let mut all = b.to_vec();
    for (to, a) in all.iter_mut().zip(a) {
        match (&to, a) {
            (Some(_), Some(_)) => return None,
            (None, Some(_)) => to.clone_from(a),
            _ => {}
        }
    }
    Some(all)
}

/// Where the factors are made that the last instruction is the first to solve with, and the instruction that does both there.
fn solved(items: &[Item]) -> Option<(usize, Instr)> {
    let (last, earlier) = items.split_last()?;
    let Instr::Solve { factors, .. } = &last.instr else {
        return None;
    };
    for (m, item) in earlier.iter().enumerate().rev() {
        if let Some(both) = factored_and_solved(&item.instr, &last.instr) {
            return Some((m, both));
        }
        match &item.instr {
            Instr::Solve { factors: used, .. } if used == factors => return None,
            _ if item.conflicts(last) => return None,
            _ => {}
        }
    }
    None
}

/// The instruction that does what two do, of which the first makes the factors that the second solves with.
pub(super) fn factored_and_solved(first: &Instr, second: &Instr) -> Option<Instr> {
    let (
        Instr::Factor { factors: made, .. },
        Instr::Solve {
            system,
            factors,
            a,
            b,
            x,
        },
    ) = (first, second)
    else {
        return None;
    };
    let (Shift::Real(_), &[b], &[x], true) = (a, &b[..], &x[..], made == factors) else {
        return None;
    };
    Some(Instr::FactorAndSolve {
        system: system.clone(),
        factors: *factors,
        a: *a,
        b,
        x,
    })
}
