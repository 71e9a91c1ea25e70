//! What instructions read and write in the arena.

use super::instr::Instr;
use super::layout::Layout;
use super::local::LocalJacobian;
use crate::kernel::{Accumulate, Call, Index, Operand, Output};
use std::ops::Range;

fn one(range: Range<usize>) -> Vec<Range<usize>> {
    std::iter::once(range).collect()
}

/// The numbers an operand of `len` elements addresses.
pub(super) fn range(operand: &Operand, len: usize) -> Range<usize> {
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
pub(super) fn unknowns(
    system: &LocalJacobian,
    arrays: &[usize],
    layout: &Layout,
) -> Vec<Range<usize>> {
    let unknowns = || system.site.unknowns.iter();
    let range = |base: usize| {
        unknowns().map(move |u| {
            let first = base + u.offset;
            first..first + layout.states[u.state].len
        })
    };
    arrays.iter().flat_map(|&base| range(base)).collect()
}

pub(super) fn entries(system: &LocalJacobian) -> Vec<Range<usize>> {
    let planes = system.entries.iter();
    planes
        .map(|&(_, _, at)| at..at + system.site.elements)
        .collect()
}

/// How many potentials the cable couples.
fn voltage(layout: &Layout) -> usize {
    let cable = layout.model.cable.as_ref();
    cable.map_or(0, |c| layout.states[c.cable.voltage.0].len)
}

/// How many numbers there are for the junctions of the cable.
fn junctions(layout: &Layout) -> usize {
    let cable = layout.model.cable.as_ref();
    cable.map_or(0, |c| c.junctions) * layout.lanes
}

/// How many numbers there are for all nodes of the cable.
pub(super) fn nodes(layout: &Layout) -> usize {
    voltage(layout) + junctions(layout)
}

/// What an instruction writes.
pub(super) fn writes(instr: &Instr, layout: &Layout) -> Vec<Range<usize>> {
    let of_voltage = |to: usize| one(to..to + voltage(layout));
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
        Instr::Kernel { call, .. } | Instr::Steady { call, .. } | Instr::Relax { call, .. } => {
            let outputs = call.outputs.iter().flatten();
            outputs.map(|o| range(&o.to, call.len)).collect()
        }
        Instr::Partials { call, values, .. } => {
            let outputs = call.outputs.iter().chain(values).flatten();
            outputs.map(|o| range(&o.to, call.len)).collect()
        }
        Instr::Axial { to, .. } | Instr::AxialDiagonal { to } => of_voltage(*to),
        Instr::Assemble {
            diagonal,
            right,
            len,
            ..
        } => [*diagonal, *right].map(|at| at..at + len).to_vec(),
        Instr::Tree {
            diagonal, right, ..
        } => [*diagonal, *right]
            .map(|at| at..at + nodes(layout))
            .to_vec(),
        Instr::JunctionPotentials { to, .. } => one(*to..to + junctions(layout)),
        Instr::Factor { .. } | Instr::Phi { .. } => Vec::new(),
        Instr::Solve { system, x, .. } => unknowns(system, x, layout),
        Instr::FactorAndSolve { system, x, .. } | Instr::ApplyPhi { system, x, .. } => {
            unknowns(system, &[*x], layout)
        }
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

/// What an instruction reads of what instructions write. Iterations may read all.
pub(super) fn reads(instr: &Instr, layout: &Layout) -> Vec<Range<usize>> {
    let voltage = voltage(layout);
    let junctions = junctions(layout);
    let arrays = |of: &[usize], len: usize| of.iter().map(|&at| at..at + len).collect();
    match instr {
        Instr::Inputs { .. } | Instr::Zero { .. } => Vec::new(),
        Instr::Copy { from, len, .. } => arrays(&[*from], *len),
        Instr::Combine { terms, len, .. } => {
            let from: Vec<usize> = terms.iter().map(|(_, from)| *from).collect();
            arrays(&from, *len)
        }
        Instr::Product { a, b, len, .. } => arrays(&[*a, *b], *len),
        Instr::RelaxDiagonal { y, f, d, len, .. } => arrays(&[*y, *f, *d], *len),
        Instr::PhiDiagonal { d, b, len, .. } | Instr::SolveDiagonal { d, b, len, .. } => {
            arrays(&[*d, *b], *len)
        }
        Instr::TimesWiener { x, group, .. } => arrays(&[*x], layout.group_len[*group]),
        Instr::MultiplyAdd { to, a, b, len } => {
            vec![range(to, *len), *a..a + len, range(b, *len)]
        }
        Instr::Kernel { call, .. } | Instr::Steady { call, .. } | Instr::Relax { call, .. } => {
            operands(call, &[])
        }
        Instr::Partials { call, values, .. } => operands(call, values),
        Instr::Axial { v, current, to } => {
            let mut all = one(*to..to + voltage);
            all.extend(v.map(|at| at..at + voltage));
            all.extend(current.map(|at| at..at + junctions));
            all
        }
        Instr::AxialDiagonal { to } => one(*to..to + voltage),
        Instr::JunctionPotentials { v, current, .. } => {
            let mut all = one(*v..v + voltage);
            all.extend(current.map(|at| at..at + junctions));
            all
        }
        Instr::Factor { system, .. } | Instr::Phi { system, .. } => entries(system),
        Instr::Solve { system, b, .. } => unknowns(system, b, layout),
        Instr::FactorAndSolve { system, b, .. } => {
            let mut all = entries(system);
            all.extend(unknowns(system, &[*b], layout));
            all
        }
        Instr::Assemble { d, f, v, len, .. } => arrays(&[*d, *f, *v], *len),
        Instr::Tree {
            diagonal,
            right,
            current,
        } => {
            let mut all: Vec<_> = arrays(&[*diagonal, *right], nodes(layout));
            all.extend(current.map(|at| at..at + junctions));
            all
        }
        Instr::ApplyPhi { system, b, .. } => unknowns(system, &[*b], layout),
        Instr::Newton(_) => one(0..layout.size),
    }
}

/// An instruction with what it reads and writes.
pub(super) struct Item {
    pub instr: Instr,
    pub reads: Vec<Range<usize>>,
    pub writes: Vec<Range<usize>>,
}

/// Whether some number is in ranges of both.
pub(super) fn meet(a: &[Range<usize>], b: &[Range<usize>]) -> bool {
    a.iter().any(|a| b.iter().any(|b| overlap(a, b)))
}

impl Item {
    pub fn new(instr: Instr, layout: &Layout) -> Self {
        let (reads, writes) = (reads(&instr, layout), writes(&instr, layout));
        Self {
            instr,
            reads,
            writes,
        }
    }

    /// Whether the order of two instructions matters.
    pub fn conflicts(&self, other: &Self) -> bool {
        meet(&self.writes, &other.writes)
            || meet(&self.writes, &other.reads)
            || meet(&self.reads, &other.writes)
    }
}

pub(super) fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// Where an instruction's operands are, to change, and the numbers they address. Systems and iterations have none that could
/// be elsewhere.
pub(super) fn sources<'a>(
    instr: &'a mut Instr,
    layout: &Layout,
) -> Vec<(&'a mut usize, Range<usize>)> {
    fn plane(offset: &mut usize, len: usize) -> (&mut usize, Range<usize>) {
        let read = *offset..*offset + len;
        (offset, read)
    }
    fn element(operand: &mut Operand, len: usize) -> (&mut usize, Range<usize>) {
        let read = range(operand, len);
        (&mut operand.offset, read)
    }
    match instr {
        Instr::Copy { from, len, .. } => vec![plane(from, *len)],
        Instr::Combine { terms, len, .. } => {
            let terms = terms.iter_mut();
            terms.map(|(_, from)| plane(from, *len)).collect()
        }
        Instr::Product { a, b, len, .. } => vec![plane(a, *len), plane(b, *len)],
        Instr::RelaxDiagonal { y, f, d, len, .. } => {
            vec![plane(y, *len), plane(f, *len), plane(d, *len)]
        }
        Instr::PhiDiagonal { d, b, len, .. } | Instr::SolveDiagonal { d, b, len, .. } => {
            vec![plane(d, *len), plane(b, *len)]
        }
        Instr::MultiplyAdd { a, b, len, .. } => vec![plane(a, *len), element(b, *len)],
        Instr::Kernel { call, .. }
        | Instr::Steady { call, .. }
        | Instr::Relax { call, .. }
        | Instr::Partials { call, .. } => {
            let inputs = call.inputs.iter_mut();
            inputs.map(|x| element(x, call.len)).collect()
        }
        Instr::Axial { v: Some(v), .. } | Instr::JunctionPotentials { v, .. } => {
            vec![plane(v, voltage(layout))]
        }
        _ => Vec::new(),
    }
}

/// The numbers that an instruction makes new, whatever was there.
pub(super) fn covers(instr: &Instr, layout: &Layout) -> Vec<Range<usize>> {
    let made = |outputs: &mut dyn Iterator<Item = &Output>, len: usize| {
        outputs
            .filter(|o| o.how == Accumulate::Set && o.to.index == Index::Each)
            .map(|o| range(&o.to, len))
            .collect()
    };
    match instr {
        Instr::Zero { .. }
        | Instr::Copy { .. }
        | Instr::Combine { .. }
        | Instr::Product { .. }
        | Instr::RelaxDiagonal { .. }
        | Instr::PhiDiagonal { .. }
        | Instr::SolveDiagonal { .. } => writes(instr, layout),
        Instr::Kernel { call, .. } | Instr::Steady { call, .. } | Instr::Relax { call, .. } => {
            made(&mut call.outputs.iter().flatten(), call.len)
        }
        Instr::Partials { call, values, .. } => {
            made(&mut call.outputs.iter().chain(values).flatten(), call.len)
        }
        Instr::Solve { system, .. } | Instr::FactorAndSolve { system, .. } => {
            let solved = writes(instr, layout).into_iter();
            solved.filter(|u| u.len() == system.site.elements).collect()
        }
        _ => Vec::new(),
    }
}

/// Inputs, and what is added to.
fn operands(call: &Call, values: &[Option<Output>]) -> Vec<Range<usize>> {
    let inputs = call.inputs.iter().map(|x| range(x, call.len));
    let outputs = call.outputs.iter().chain(values).flatten();
    let sums = outputs.filter(|o| o.how == Accumulate::Add);
    inputs.chain(sums.map(|o| range(&o.to, call.len))).collect()
}
