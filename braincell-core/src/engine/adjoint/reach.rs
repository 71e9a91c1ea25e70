//! What instructions write and what their rules read: so it is known what has to be saved.

use super::super::exec::Instr;
use super::super::layout::Layout;
use super::super::local::LocalJacobian;
use super::tape::{Rule, Taped};
use crate::kernel::{Index, Operand};
use std::collections::HashSet;
use std::ops::Range;

/// Which of the numbers that an instruction writes are to be saved before.
pub(super) struct Marks {
    writes: Vec<Range<usize>>,
    marked: Vec<bool>,
    /// What the rule reads, as it is before the instruction and after it.
    before: Vec<Range<usize>>,
    after: Vec<Range<usize>>,
}

impl Marks {
    pub fn new(instr: &Instr, rule: &Rule, layout: &Layout) -> Self {
        let writes = writes(instr, layout);
        let count = writes.iter().map(Range::len).sum();
        Self {
            writes,
            marked: vec![false; count],
            before: needs_before(rule),
            after: needs_after(instr, layout),
        }
    }

    /// What is marked, as few ranges.
    pub fn ranges(&self) -> Vec<Range<usize>> {
        let places = self.writes.iter().cloned().flatten();
        let mut marked: Vec<usize> = places
            .zip(&self.marked)
            .filter_map(|(place, marked)| marked.then_some(place))
            .collect();
        marked.sort_unstable();
        marked.dedup();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for place in marked {
            match ranges.last_mut() {
                Some(last) if last.end == place => last.end += 1,
                _ => ranges.push(place..place + 1),
            }
        }
        ranges
    }
}

/// Goes through instructions once. `needed` says which numbers an earlier rule reads.
pub(super) fn pass(list: &mut [Taped], needed: &mut [bool]) {
    for taped in list {
        let marks = &mut taped.marks;
        for range in &marks.before {
            needed[range.clone()].fill(true);
        }
        let places = marks.writes.iter().cloned().flatten();
        for (place, mark) in places.zip(&mut marks.marked) {
            *mark |= needed[place];
        }
        for range in &marks.writes {
            needed[range.clone()].fill(false);
        }
        for range in &marks.after {
            needed[range.clone()].fill(true);
        }
    }
}

/// The same for instructions that may or may not run.
pub(super) fn maybe(list: &mut [Taped], needed: &mut [bool]) {
    let before = needed.to_vec();
    pass(list, needed);
    needed.iter_mut().zip(before).for_each(|(x, y)| *x |= y);
}

fn one(range: Range<usize>) -> Vec<Range<usize>> {
    std::iter::once(range).collect()
}

/// The numbers an operand of `len` elements addresses.
fn range(operand: &Operand, len: usize) -> Range<usize> {
    let first = operand.offset;
    match &operand.index {
        Index::Splat => first..first + 1,
        Index::Each => first..first + len,
        Index::Map(map) => {
            let low = map.iter().min().map_or(0, |&k| k as usize);
            let high = map.iter().max().map_or(0, |&k| k as usize + 1);
            first + low..first + high
        }
    }
}

/// The unknowns of a system in arrays of the group.
fn unknowns(system: &LocalJacobian, arrays: &[usize], layout: &Layout) -> Vec<Range<usize>> {
    let unknowns = || system.site.unknowns.iter();
    let range = |base: usize| {
        unknowns().map(move |u| {
            let first = base + u.offset;
            first..first + layout.states[u.state].len
        })
    };
    arrays.iter().flat_map(|&base| range(base)).collect()
}

fn entries(system: &LocalJacobian) -> Vec<Range<usize>> {
    let planes = system.entries.iter();
    planes
        .map(|&(_, _, at)| at..at + system.site.elements)
        .collect()
}

/// What an instruction writes.
fn writes(instr: &Instr, layout: &Layout) -> Vec<Range<usize>> {
    let of_voltage = |to: usize| {
        let cable = layout.model.cable.as_ref();
        let len = cable.map_or(0, |c| layout.states[c.cable.voltage.0].len);
        one(to..to + len)
    };
    match instr {
        Instr::Inputs { .. } => {
            let signals = layout.model.signals.iter().enumerate();
            let inputs = signals.filter(|(_, info)| info.input.is_some());
            let planes = inputs.flat_map(|(s, _)| [layout.signals[s], layout.slopes[s]]);
            let time = std::iter::once(layout.time..layout.time + 1);
            time.chain(planes.map(|p| p.range())).collect()
        }
        Instr::Zero { at, len } => one(*at..at + len),
        Instr::Copy { to, len, .. }
        | Instr::Combine { to, len, .. }
        | Instr::Product { to, len, .. }
        | Instr::RelaxDiagonal { to, len, .. }
        | Instr::PhiDiagonal { to, len, .. }
        | Instr::SolveDiagonal { to, len, .. } => one(*to..to + len),
        Instr::TimesWiener { to, group, .. } => one(*to..to + layout.group_len[*group]),
        Instr::MultiplyAdd { to, len, .. } => one(range(to, *len)),
        Instr::Kernel { call, .. }
        | Instr::Steady { call, .. }
        | Instr::Partials { call, .. }
        | Instr::Relax { call, .. } => {
            let outputs = call.outputs.iter().flatten();
            outputs.map(|o| range(&o.to, call.len)).collect()
        }
        Instr::Axial { to, .. } | Instr::AxialDiagonal { to } => of_voltage(*to),
        Instr::JunctionPotentials { to, .. } => {
            let junctions = layout.model.cable.as_ref().map_or(0, |c| c.junctions);
            one(*to..to + junctions * layout.lanes)
        }
        Instr::Factor { .. } | Instr::Phi { .. } => Vec::new(),
        Instr::Solve { system, x, .. } => unknowns(system, x, layout),
        Instr::ApplyPhi { system, x, .. } => unknowns(system, &[*x], layout),
        Instr::Newton(newton) => {
            let arrays = [
                &newton.z,
                &newton.f,
                &newton.residual,
                &newton.correction,
                &newton.applied,
            ];
            let arrays = arrays.into_iter().flatten();
            let mut all: Vec<Range<usize>> = arrays.map(|&at| at..at + newton.len).collect();
            let status = &newton.status;
            let planes = [status.active, status.refresh, status.norm, status.damping];
            all.extend(planes.map(|at| at..at + newton.lanes));
            let inner = newton.rhs.iter().chain(&newton.jacobian).flatten();
            all.extend(inner.flat_map(|instr| writes(instr, layout)));
            all
        }
    }
}

/// What a rule reads as it is before the instruction.
fn needs_before(rule: &Rule) -> Vec<Range<usize>> {
    match rule {
        Rule::Pointwise(rule) => {
            let needs = rule.needs();
            needs.iter().map(|x| range(x, rule.len())).collect()
        }
        _ => Vec::new(),
    }
}

/// What a rule reads as the instruction leaves it.
fn needs_after(instr: &Instr, layout: &Layout) -> Vec<Range<usize>> {
    let cable = layout.model.cable.as_ref();
    let junctions = cable.map_or(0, |c| c.junctions) * layout.lanes;
    let voltage = cable.map_or(0, |c| layout.states[c.cable.voltage.0].len);
    match instr {
        Instr::Axial { v, current, .. } => {
            let v = v.iter().map(|&at| at..at + voltage);
            v.chain(current.iter().map(|&at| at..at + junctions))
                .collect()
        }
        Instr::JunctionPotentials { current, .. } => {
            current.iter().map(|&at| at..at + junctions).collect()
        }
        Instr::Factor { system, .. } | Instr::Phi { system, .. } => entries(system),
        Instr::Solve { system, x, .. } => unknowns(system, x, layout),
        Instr::ApplyPhi { system, b, .. } => unknowns(system, &[*b], layout),
        Instr::Newton(newton) => {
            // The rule evaluates f and its Jacobian at the solution; what they read is the solution, and states that
            // other solvers advance.
            let written: HashSet<usize> = writes(instr, layout).into_iter().flatten().collect();
            let inner = newton.rhs.iter().chain(&newton.jacobian).flatten();
            let reads = inner.flat_map(|instr| match instr {
                Instr::Kernel { call, .. } | Instr::Partials { call, .. } => {
                    let inputs = call.inputs.iter();
                    inputs.map(|x| range(x, call.len)).collect()
                }
                _ => Vec::new(),
            });
            let outside = reads.flatten().filter(|place| !written.contains(place));
            let z = newton.z.iter().map(|&at| at..at + newton.len);
            z.chain(outside.map(|k| k..k + 1)).collect()
        }
        _ => Vec::new(),
    }
}
