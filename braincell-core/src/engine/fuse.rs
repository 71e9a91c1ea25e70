//! Instructions that do two things at once.

use super::effects::{reads, writes};
use super::exec::Instr;
use super::layout::Layout;
use std::ops::Range;
use std::sync::Arc;

/// An instruction with what it reads and writes.
struct Item {
    instr: Instr,
    reads: Vec<Range<usize>>,
    writes: Vec<Range<usize>>,
}

fn meet(a: &[Range<usize>], b: &[Range<usize>]) -> bool {
    a.iter()
        .any(|a| b.iter().any(|b| a.start < b.end && b.start < a.end))
}

impl Item {
    fn new(instr: Instr, layout: &Layout) -> Self {
        let (reads, writes) = (reads(&instr, layout), writes(&instr, layout));
        Self {
            instr,
            reads,
            writes,
        }
    }

    /// Whether the order of two instructions matters.
    fn conflicts(&self, other: &Self) -> bool {
        meet(&self.writes, &other.writes)
            || meet(&self.writes, &other.reads)
            || meet(&self.reads, &other.writes)
    }
}

/// The same instructions with each kernel's values computed together with its partial derivatives, where both are wanted
/// at the same arguments. Dual numbers carry the values anyway, to the same bits.
pub(super) fn fused(list: &[Instr], layout: &Layout) -> Vec<Instr> {
    if !list.iter().any(|i| matches!(i, Instr::Partials { .. })) {
        return list.to_vec();
    }
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
        match together(&items[..=k]) {
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
        ..
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
            call: values,
        } = &item.instr
            && Arc::ptr_eq(of, kernel)
            && values.len == call.len
            && values.inputs == call.inputs
        {
            let instr = Instr::Partials {
                kernel: kernel.clone(),
                columns: columns.clone(),
                masks: masks.clone(),
                call: call.clone(),
                values: values.outputs.clone(),
            };
            return Some((m, instr));
        }
    }
    None
}
