//! Instructions run strip by strip.
//!
//! What one instruction writes the next one reads. Over whole planes, that is from the second-level cache; over strips of them,
//! run one after the other by each of several instructions, from the first.

use super::effects::{meet, overlap, range, reads, writes};
use super::instr::Instr;
use super::layout::Layout;
use crate::kernel::{Call, Index, Operand, Output};
use std::collections::BTreeSet;
use std::ops::Range;

/// Bytes of the strips of all planes that are used together: well within the first-level cache.
pub(super) const CACHE: usize = 32 << 10;
/// Strips are multiples of so many numbers.
const GRAIN: usize = 64;

/// The same instructions, neighbours that work on the same elements strip by strip, to the same bits. `room` is for how many
/// numbers the cache has room.
pub(super) fn in_strips(list: &[Instr], layout: &Layout, room: usize) -> Vec<Instr> {
    let mut all = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        let together = (1..rest.len())
            .find(|&k| !belongs(&rest[k], &rest[..k], layout))
            .unwrap_or(rest.len());
        let (group, after) = rest.split_at(together);
        rest = after;
        let len = elements(&group[0]).unwrap_or(0);
        let planes: BTreeSet<usize> = group
            .iter()
            .flat_map(|instr| {
                let both = [reads(instr, layout), writes(instr, layout)].concat();
                let planes = both.into_iter().filter(|range| range.len() == len);
                planes.map(|range| range.start)
            })
            .collect();
        let strip = (room / planes.len().max(1) / GRAIN * GRAIN).max(GRAIN);
        if group.len() == 1 || len <= strip {
            all.extend_from_slice(group);
            continue;
        }
        for at in (0..len).step_by(strip) {
            let count = strip.min(len - at);
            all.extend(group.iter().map(|instr| part(instr.clone(), at, count)));
        }
    }
    all
}

/// Whether an instruction works on the same elements as those before it, each depending on nothing but what these make of the
/// same element.
fn belongs(instr: &Instr, before: &[Instr], layout: &Layout) -> bool {
    let len = elements(instr);
    len.is_some()
        && before.iter().all(|earlier| {
            let (read, written) = (reads(instr, layout), writes(instr, layout));
            let (was_read, was_written) = (reads(earlier, layout), writes(earlier, layout));
            let aligned = |a: &[Range<usize>], b: &[Range<usize>]| {
                let mut pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
                pairs.all(|(a, b)| a == b || !overlap(a, b))
            };
            elements(earlier) == len
                && aligned(&read, &was_written)
                && aligned(&written, &was_written)
                && aligned(&written, &was_read)
                && !meet(&elsewhere(instr), &was_written)
                && !meet(&elsewhere(earlier), &written)
        })
}

/// How many elements an instruction works on one by one; nothing if it does not.
fn elements(instr: &Instr) -> Option<usize> {
    match instr {
        Instr::Zero { len, .. }
        | Instr::Copy { len, .. }
        | Instr::Combine { len, .. }
        | Instr::Product { len, .. }
        | Instr::MultiplyAdd { len, .. }
        | Instr::RelaxDiagonal { len, .. }
        | Instr::PhiDiagonal { len, .. }
        | Instr::SolveDiagonal { len, .. }
        | Instr::Assemble { len, .. } => Some(*len),
        Instr::Kernel { call, .. }
        | Instr::Steady { call, .. }
        | Instr::Relax { call, .. }
        | Instr::Partials { call, .. } => Some(call.len),
        _ => None,
    }
}

/// What an instruction reads or writes in another place than that of the element.
fn elsewhere(instr: &Instr) -> Vec<Range<usize>> {
    let (operands, len): (Vec<&Operand>, usize) = match instr {
        Instr::MultiplyAdd { to, b, len, .. } => (vec![to, b], *len),
        Instr::Kernel { call, .. } | Instr::Steady { call, .. } | Instr::Relax { call, .. } => {
            let outputs = call.outputs.iter().flatten().map(|o| &o.to);
            (call.inputs.iter().chain(outputs).collect(), call.len)
        }
        Instr::Partials { call, values, .. } => {
            let outputs = call.outputs.iter().chain(values).flatten().map(|o| &o.to);
            (call.inputs.iter().chain(outputs).collect(), call.len)
        }
        _ => return Vec::new(),
    };
    let operands = operands.into_iter().filter(|x| x.index != Index::Each);
    operands.map(|x| range(x, len)).collect()
}

/// An instruction on elements `at .. at + count` alone.
fn part(mut instr: Instr, at: usize, count: usize) -> Instr {
    let of_operand = |x: &mut Operand| match &mut x.index {
        Index::Splat => {}
        Index::Each => x.offset += at,
        Index::Map(map) => *map = map[at..at + count].into(),
    };
    let of_call = |call: &mut Call, values: &mut [Option<Output>]| {
        call.len = count;
        call.inputs.iter_mut().for_each(of_operand);
        let outputs = call.outputs.iter_mut().chain(values).flatten();
        outputs.for_each(|output| of_operand(&mut output.to));
    };
    let (planes, len): (Vec<&mut usize>, &mut usize) = match &mut instr {
        Instr::Kernel { call, .. } | Instr::Steady { call, .. } | Instr::Relax { call, .. } => {
            of_call(call, &mut []);
            return instr;
        }
        Instr::Partials { call, values, .. } => {
            of_call(call, values);
            return instr;
        }
        Instr::MultiplyAdd { to, a, b, len } => {
            of_operand(to);
            of_operand(b);
            (vec![a], len)
        }
        Instr::Zero { at, len } => (vec![at], len),
        Instr::Copy { from, to, len } => (vec![from, to], len),
        Instr::Combine { to, len, terms } => {
            let from = terms.iter_mut().map(|(_, from)| from);
            (from.chain([to]).collect(), len)
        }
        Instr::Product { to, a, b, len } => (vec![to, a, b], len),
        Instr::RelaxDiagonal {
            to, y, f, d, len, ..
        } => (vec![to, y, f, d], len),
        Instr::PhiDiagonal { to, d, b, len, .. } | Instr::SolveDiagonal { to, d, b, len, .. } => {
            (vec![to, d, b], len)
        }
        Instr::Assemble {
            d,
            f,
            v,
            diagonal,
            right,
            capacity,
            len,
            ..
        } => (vec![d, f, v, diagonal, right, capacity], len),
        _ => return instr,
    };
    planes.into_iter().for_each(|plane| *plane += at);
    *len = count;
    instr
}
