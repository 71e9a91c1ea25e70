//! Instructions run strip by strip.
//!
//! What one instruction writes the next one reads. Over whole planes, that is from the second-level cache; over strips of them,
//! run one after the other by each of several instructions, from the first.

use super::effects::{Item, meet, overlap, range};
use super::instr::Instr;
use super::layout::Layout;
use crate::kernel::{Call, Index, Operand, Output};
use std::collections::BTreeSet;
use std::ops::Range;

/// Bytes of the strips of all planes that are used together: half of the first-level cache, or somewhat more.
pub(super) const CACHE: usize = 24 << 10;
/// Strips are multiples of so many numbers.
const GRAIN: usize = 64;

/// The same instructions, neighbours that work on the same elements strip by strip, to the same bits. `room` is for how many
/// numbers the cache has room.
pub(super) fn in_strips(list: &[Instr], layout: &Layout, room: usize) -> Vec<Instr> {
    let items = list.iter().map(|instr| Item::new(instr.clone(), layout));
    let items: Vec<Item> = items.collect();
    let mut all = Vec::new();
    let mut rest = &items[..];
    while let [first, others @ ..] = rest {
        let together = others.iter().enumerate();
        let mut together = together.map(|(k, item)| (k + 1, item));
        let end = together.find(|&(k, item)| !rest[..k].iter().all(|i| one_by_one(i, item)));
        let (group, after) = rest.split_at(end.map_or(rest.len(), |(k, _)| k));
        rest = after;
        let len = elements(&first.instr).unwrap_or(0);
        let ranges = group.iter().flat_map(|i| i.reads.iter().chain(&i.writes));
        let planes = ranges.filter(|range| range.len() == len);
        let planes: BTreeSet<usize> = planes.map(|range| range.start).collect();
        let strip = (room / planes.len().max(1) / GRAIN * GRAIN).max(GRAIN);
        let strip = if group.len() == 1 { len } else { strip };
        if len <= strip {
            all.extend(group.iter().map(|item| item.instr.clone()));
            continue;
        }
        for at in (0..len).step_by(strip) {
            let count = strip.min(len - at);
            let parts = group.iter().map(|i| part(i.instr.clone(), at, count));
            all.extend(parts);
        }
    }
    all
}

/// Whether two instructions work on the same elements, the second depending on nothing but what the first makes of the same
/// element, and the first on nothing that the second makes of another one.
fn one_by_one(first: &Item, second: &Item) -> bool {
    let aligned = |a: &[Range<usize>], b: &[Range<usize>]| {
        let mut pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
        pairs.all(|(a, b)| a == b || !overlap(a, b))
    };
    let len = elements(&first.instr);
    len.is_some()
        && len == elements(&second.instr)
        && aligned(&second.reads, &first.writes)
        && aligned(&second.writes, &first.writes)
        && aligned(&second.writes, &first.reads)
        // Elements in another order cover the same range.
        && !meet(&elsewhere(&second.instr), &first.writes)
        && !meet(&elsewhere(&first.instr), &second.writes)
        && !meet(&elsewhere(&first.instr), &second.reads)
        && !meet(&elsewhere(&second.instr), &first.reads)
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
    let (call, values): (&Call, &[Option<Output>]) = match instr {
        Instr::Kernel { call, .. } | Instr::Steady { call, .. } | Instr::Relax { call, .. } => {
            (call, &[])
        }
        Instr::Partials { call, values, .. } => (call, values),
        Instr::MultiplyAdd { to, b, len, .. } => return others([to, b], *len),
        _ => return Vec::new(),
    };
    let outputs = call.outputs.iter().chain(values).flatten().map(|o| &o.to);
    others(call.inputs.iter().chain(outputs), call.len)
}

/// The numbers addressed by operands that are not those of the element.
fn others<'a>(of: impl IntoIterator<Item = &'a Operand>, len: usize) -> Vec<Range<usize>> {
    let operands = of.into_iter().filter(|x| x.index != Index::Each);
    operands.map(|x| range(x, len)).collect()
}

/// An instruction on elements `at .. at + count` alone.
pub(super) fn part(mut instr: Instr, at: usize, count: usize) -> Instr {
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
