//! What instructions write and what their rules read: so it is known what has to be saved.

use super::super::effects::{entries, nodes, range, unknowns, writes};
use super::super::instr::Instr;
use super::super::layout::Layout;
use super::tape::{Rule, Taped};
use super::{Extras, Wanted};
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
    pub fn new(instr: &Instr, rule: &Rule, layout: &Layout, extras: &Extras) -> Self {
        let writes = writes(instr, layout);
        let count = writes.iter().map(Range::len).sum();
        Self {
            writes,
            marked: vec![false; count],
            before: needs_before(rule),
            after: needs_after(instr, layout, extras),
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

/// What a rule reads as it is before the instruction.
fn needs_before(rule: &Rule) -> Vec<Range<usize>> {
    match rule {
        Rule::Pointwise(rule) => {
            let needs = rule.needs();
            needs.iter().map(|x| range(x, rule.len())).collect()
        }
        Rule::Kernel(_, rule) => {
            let (needs, len) = rule.needs();
            needs.iter().map(|x| range(x, len)).collect()
        }
        _ => Vec::new(),
    }
}

/// What a rule reads as the instruction leaves it.
fn needs_after(instr: &Instr, layout: &Layout, extras: &Extras) -> Vec<Range<usize>> {
    let cable = layout.model.cable.as_ref();
    let junctions = cable.map_or(0, |c| c.junctions) * layout.lanes;
    let voltage = cable.map_or(0, |c| layout.states[c.cable.voltage.0].len);
    match instr {
        Instr::Axial { v, current, .. } if extras.cable() => {
            let v = v.iter().map(|&at| at..at + voltage);
            v.chain(current.iter().map(|&at| at..at + junctions))
                .collect()
        }
        Instr::JunctionPotentials { v, current, .. } if extras.connections.is_some() => {
            let current = current.iter().map(|&at| at..at + junctions);
            std::iter::once(*v..*v + voltage).chain(current).collect()
        }
        Instr::Assemble { d, f, v, len, .. } => [d, f, v].map(|&at| at..at + len).to_vec(),
        Instr::Tree {
            diagonal, right, ..
        } => [diagonal, right].map(|&at| at..at + nodes(layout)).to_vec(),
        // Factors of one stage are recorded.
        Instr::Factor { factors, .. } if factors.stages == 1 => Vec::new(),
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

/// What never has a derivative.
pub(super) fn constants(layout: &Layout, wanted: &Wanted) -> Vec<bool> {
    let mut constant = vec![false; layout.size];
    constant[layout.time] = true;
    constant[layout.zero] = true;
    for (plane, wanted) in layout.parameters.iter().zip(&wanted.parameters) {
        constant[plane.range()].fill(!wanted);
    }
    for (s, info) in layout.model.signals.iter().enumerate() {
        if info.input.is_some() && !wanted.amplitudes[s] {
            constant[layout.signals[s].range()].fill(true);
            constant[layout.slopes[s].range()].fill(true);
        }
    }
    constant
}
