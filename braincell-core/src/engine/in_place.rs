//! Instructions that change the state where it is, and only those planes of it that change.
//!
//! A step program works on whole arrays: a step of the potential makes a new array whose gates are copies. Here arrays are
//! taken apart into the planes of the states, copies and zeros are followed to those who read them, results are put where they
//! would be copied to, and what nobody reads is left out. The numbers stay the same.

use super::effects::{Item, covers, meet, overlap, range, reads, sources, writes};
use super::instr::Instr;
use super::layout::{Layout, Plane};
use super::strips::part;
use crate::stepper::{Coef, num};
use std::ops::Range;
use std::slice;

/// The instructions of a program that leave the same numbers in `kept`, in fewer and smaller steps.
pub(super) fn in_place(
    list: &[Instr],
    coefficients: &[Coef],
    layout: &Layout,
    group: usize,
    kept: &[Range<usize>],
) -> Vec<Instr> {
    let planes: Vec<Plane> = (layout.states.iter().zip(&layout.model.states))
        .filter(|(_, info)| info.group == group)
        .map(|(plane, _)| *plane)
        .collect();
    let list = list.iter().flat_map(|instr| by_plane(instr, &planes));
    let mut list = follow(list.collect(), coefficients, layout);
    settle(&mut list, layout, kept);
    let list = useful(list, layout, kept);
    merged(list, layout)
}

/// The instructions with copies followed to those who read them, and what is then read by nobody left out.
pub(super) fn followed(
    list: Vec<Instr>,
    coefficients: &[Coef],
    layout: &Layout,
    kept: &[Range<usize>],
) -> Vec<Instr> {
    useful(follow(list, coefficients, layout), layout, kept)
}

/// An instruction on a whole array as instructions on its planes.
fn by_plane(instr: &Instr, planes: &[Plane]) -> Vec<Instr> {
    let whole: usize = planes.iter().map(|p| p.len).sum();
    if length(&mut instr.clone()).is_none_or(|len| *len != whole) {
        return vec![instr.clone()];
    }
    let part = |plane: &Plane| part(instr.clone(), plane.offset, plane.len);
    planes.iter().map(part).collect()
}

/// Moves an instruction on arrays along.
fn shift(instr: &mut Instr, by: usize, layout: &Layout) {
    for (offset, _) in sources(instr, layout) {
        *offset += by;
    }
    if let Some(to) = target(instr) {
        *to += by;
    }
}

/// Where an instruction on arrays puts its result.
fn target(instr: &mut Instr) -> Option<&mut usize> {
    match instr {
        Instr::Zero { at, .. } => Some(at),
        Instr::Copy { to, .. }
        | Instr::Combine { to, .. }
        | Instr::Product { to, .. }
        | Instr::RelaxDiagonal { to, .. }
        | Instr::PhiDiagonal { to, .. }
        | Instr::SolveDiagonal { to, .. } => Some(to),
        _ => None,
    }
}

fn length(instr: &mut Instr) -> Option<&mut usize> {
    match instr {
        Instr::Zero { len, .. }
        | Instr::Copy { len, .. }
        | Instr::Combine { len, .. }
        | Instr::Product { len, .. }
        | Instr::PhiDiagonal { len, .. }
        | Instr::SolveDiagonal { len, .. } => Some(len),
        _ => None,
    }
}

/// Whether every number of one range is in the other.
pub(super) fn within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

fn meets(ranges: &[Range<usize>], range: &Range<usize>) -> bool {
    meet(ranges, slice::from_ref(range))
}

/// Reads at `to` what it read in `from`; whether the instruction then reads nothing there any more.
fn read_instead(instr: &mut Instr, from: &Range<usize>, to: usize, layout: &Layout) -> bool {
    for (offset, read) in sources(instr, layout) {
        if within(&read, from) {
            *offset = *offset - from.start + to;
        }
    }
    !meets(&reads(instr, layout), from)
}

/// Reads what was copied where it was copied from, and leaves out terms that are zero.
fn follow(list: Vec<Instr>, coefficients: &[Coef], layout: &Layout) -> Vec<Instr> {
    let mut zeros: Vec<Range<usize>> = Vec::new();
    let mut copies: Vec<(Range<usize>, usize)> = Vec::new();
    let mut all = Vec::new();
    for mut instr in list {
        let is_zero = |at: usize, len: usize| zeros.iter().any(|z| within(&(at..at + len), z));
        if let Instr::Combine { to, len, terms } = &mut instr {
            let (at, len) = (*to, *len);
            terms.retain(|&(_, from)| !is_zero(from, len));
            match terms[..] {
                [] => instr = Instr::Zero { at, len },
                [(c, from)] if coefficients[c] == num(1.0) => {
                    instr = Instr::Copy { from, to: at, len };
                }
                _ => {}
            }
        }
        if let Instr::Copy { from, to, len } = instr
            && is_zero(from, len)
        {
            instr = Instr::Zero { at: to, len };
        }
        for (copy, from) in &copies {
            if meets(&reads(&instr, layout), copy) {
                let mut other = instr.clone();
                if read_instead(&mut other, copy, *from, layout) {
                    instr = other;
                }
            }
        }
        if matches!(instr, Instr::Copy { from, to, .. } if from == to) {
            continue;
        }
        let written = writes(&instr, layout);
        zeros.retain(|z| !meets(&written, z));
        copies.retain(|(copy, from)| {
            !meets(&written, copy) && !meets(&written, &(*from..from + copy.len()))
        });
        match instr {
            Instr::Zero { at, len } => zeros.push(at..at + len),
            Instr::Copy { from, to, len } => copies.push((to..to + len, from)),
            _ => {}
        }
        all.push(instr);
    }
    all
}

/// Makes results where they are copied to.
fn settle(list: &mut Vec<Instr>, layout: &Layout, kept: &[Range<usize>]) {
    let mut k = 0;
    while k < list.len() {
        if let Instr::Copy { from, to, len } = list[k]
            && let Some(settled) = settled(list, k, (from..from + len, to), layout, kept)
        {
            *list = settled;
        } else {
            k += 1;
        }
    }
}

/// The instructions without the copy at `k`, with what is made in `plane` made at `to`; nothing if that is not the same.
fn settled(
    list: &[Instr],
    k: usize,
    (plane, to): (Range<usize>, usize),
    layout: &Layout,
    kept: &[Range<usize>],
) -> Option<Vec<Instr>> {
    let place = to..to + plane.len();
    if meets(kept, &plane) || overlap(&plane, &place) {
        return None;
    }
    let maker = list[..k]
        .iter()
        .rposition(|i| meets(&writes(i, layout), &plane))?;
    // Those who read the numbers at the place that they will take come first.
    let readers = |i: &Instr| meets(&reads(i, layout), &place);
    let last = list[..k].iter().rposition(readers).unwrap_or(0);
    let mut list = list.to_vec();
    if last > maker {
        let item = |instr: &Instr| Item::new(instr.clone(), layout);
        let (moved, passed) = (item(&list[maker]), &list[maker + 1..=last]);
        if passed.iter().any(|i| moved.conflicts(&item(i))) {
            return None;
        }
        list[maker..=last].rotate_left(1);
    }
    let maker = maker.max(last);
    let made = &mut list[maker];
    if !write_instead(made, &plane, to, layout) {
        return None;
    }
    let disturbed = |i: &Instr| meets(&writes(i, layout), &place);
    if list[maker + 1..k]
        .iter()
        .any(|i| disturbed(i) || readers(i))
    {
        return None;
    }
    // From there on it is read at its new place, until something else is made at the old one.
    let mut intact = true;
    list.remove(k);
    for instr in &mut list[maker + 1..] {
        if meets(&reads(instr, layout), &plane)
            && !(intact && read_instead(instr, &plane, to, layout))
        {
            return None;
        }
        if covers(instr, layout).contains(&plane) {
            break;
        }
        let written = writes(instr, layout);
        if meets(&written, &plane) {
            return None;
        }
        intact &= !meets(&written, &place);
    }
    Some(list)
}

/// Writes to `to` the result that fills `plane`. Whether there is such a result, and it may take the place of what the
/// instruction reads there.
fn write_instead(instr: &mut Instr, plane: &Range<usize>, to: usize, layout: &Layout) -> bool {
    if !covers(instr, layout).contains(plane) {
        return false;
    }
    let place = to..to + plane.len();
    match instr {
        Instr::Kernel { call, .. } | Instr::Relax { call, .. } => {
            let outputs = call.outputs.iter_mut().flatten();
            let mut made = outputs.filter(|o| overlap(&range(&o.to, call.len), plane));
            let (Some(output), None) = (made.next(), made.next()) else {
                return false;
            };
            output.to.offset = to;
            // Elements are read before they are written, if they are the same.
            let output = output.to.clone();
            let others = call.outputs.iter().flatten();
            let others = others
                .filter(|o| overlap(&range(&o.to, call.len), &place))
                .count();
            let there = |x: &&_| overlap(&range(x, call.len), &place);
            others == 1 && call.inputs.iter().filter(there).all(|x| *x == output)
        }
        _ => {
            let Some(target) = target(instr) else {
                return false;
            };
            *target = to;
            let reads = sources(instr, layout);
            reads
                .iter()
                .all(|(_, r)| *r == place || !overlap(r, &place))
        }
    }
}

/// The instructions whose results are read.
fn useful(list: Vec<Instr>, layout: &Layout, kept: &[Range<usize>]) -> Vec<Instr> {
    let mut live = kept.to_vec();
    let mut all = Vec::new();
    for mut instr in list.into_iter().rev() {
        let written = writes(&instr, layout);
        let wanted = written.iter().any(|w| meets(&live, w));
        let only_writes = !matches!(
            instr,
            Instr::Factor { .. }
                | Instr::FactorAndSolve { .. }
                | Instr::Phi { .. }
                | Instr::Newton(_)
        );
        if only_writes && !wanted {
            continue;
        }
        if let Instr::Kernel { call, .. } = &mut instr {
            for output in &mut call.outputs {
                if let Some(o) = output
                    && !meets(&live, &range(&o.to, call.len))
                {
                    *output = None;
                }
            }
        }
        for covered in covers(&instr, layout) {
            live = live
                .into_iter()
                .flat_map(|l| without(l, &covered))
                .collect();
        }
        live.extend(reads(&instr, layout));
        all.push(instr);
    }
    all.reverse();
    all
}

/// What is left of a range.
fn without(range: Range<usize>, taken: &Range<usize>) -> Vec<Range<usize>> {
    let before = range.start..range.end.min(taken.start);
    let after = range.start.max(taken.end)..range.end;
    [before, after]
        .into_iter()
        .filter(|r| !r.is_empty())
        .collect()
}

/// Neighbouring planes that are treated alike, in one instruction.
fn merged(list: Vec<Instr>, layout: &Layout) -> Vec<Instr> {
    let mut all: Vec<Instr> = Vec::new();
    for mut instr in list {
        if let Some(last) = all.last_mut()
            && let Some(len) = length(last).map(|len| *len)
            && let Some(more) = length(&mut instr).map(|len| *len)
        {
            let mut next = last.clone();
            shift(&mut next, len, layout);
            if same(&next, &instr) {
                if let Some(len) = length(last) {
                    *len += more;
                }
                continue;
            }
        }
        all.push(instr);
    }
    all
}

/// Whether two instructions on arrays do the same, their lengths aside.
fn same(a: &Instr, b: &Instr) -> bool {
    use Instr::{Combine, Copy, Product, Zero};
    match (a, b) {
        (Zero { at: a, .. }, Zero { at: b, .. }) => a == b,
        (Copy { from, to, .. }, Copy { from: f, to: t, .. }) => (from, to) == (f, t),
        (
            Combine { to, terms, .. },
            Combine {
                to: t, terms: more, ..
            },
        ) => (to, terms) == (t, more),
        (
            Product { to, a, b, .. },
            Product {
                to: t, a: c, b: d, ..
            },
        ) => (to, a, b) == (t, c, d),
        _ => false,
    }
}
