//! What the next step need not compute again.
//!
//! Symmetric splittings relax the gates at the end of a step and again, over the same time and at the same potentials, at the
//! beginning of the next one. The rates, and their exponentials, are then those of the step before: it leaves the gates relaxed
//! once more behind, to the same bits. What depends on parameters alone is not computed again either.

use super::compile::Compiled;
use super::effects::{meet, overlap, range, reads, writes};
use super::in_place::{followed, within};
use super::instr::Instr;
use super::layout::Layout;
use crate::kernel::{Accumulate, Index, Operand, Output};
use crate::stepper::Coef;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Lets steps of a program leave results to the next, if that begins with the state just as the program left it. All lists but
/// the instructions one by one then leave them.
pub(super) fn carry(compiled: &mut Compiled, layout: &mut Layout) {
    let (list, coefficients) = (&mut compiled.settled, &compiled.coefficients);
    let pairs = (0..list.len())
        .filter_map(|first| Some((first, repeated(list, first, coefficients, layout)?)));
    let pairs: Vec<(usize, usize)> = pairs.collect();
    let (mut copies, mut left) = (Vec::new(), BTreeMap::new());
    for (first, last) in pairs {
        let Instr::Relax { call, .. } = &list[first] else {
            continue;
        };
        let (len, to) = (call.len, call.outputs.clone());
        let take = || -> Vec<usize> { to.iter().map(|_| layout.take(len)).collect() };
        let again = left.entry(last).or_insert_with(take);
        let wanted = again.iter().zip(&to);
        let wanted = wanted.filter_map(|(&from, to)| Some((from, to.as_ref()?.to.offset)));
        let copied = wanted.map(|(from, to)| Instr::Copy { from, to, len });
        copies.push((first, copied.collect::<Vec<_>>()));
    }
    let mut kept = compiled.kept.clone();
    for (last, again) in left {
        let Instr::Relax { call, .. } = &mut list[last] else {
            continue;
        };
        call.outputs.extend(again.iter().map(|&offset| {
            let index = Index::Each;
            let (to, how) = (Operand { offset, index }, Accumulate::Set);
            Some(Output { to, how })
        }));
        kept.extend(again.iter().map(|&at| at..at + call.len));
    }
    let mut continued = list.clone();
    let carries = !copies.is_empty();
    for (first, copied) in copies.into_iter().rev() {
        continued.splice(first..=first, copied);
    }
    let mut continued = followed(continued, coefficients, layout, &kept);
    take_constants(&mut continued, layout);
    compiled.continued = carries.then(|| continued.clone());
    compiled.runs = [list.clone(), continued];
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

/// The last relaxation of a step that is the one at `first` of the next step, which goes on with its results, with these and all
/// that the rates depend on untouched from one to the other.
fn repeated(list: &[Instr], first: usize, coefficients: &[Coef], layout: &Layout) -> Option<usize> {
    let Instr::Relax { kernel, call, time } = &list[first] else {
        return None;
    };
    let (arguments, states) = call.inputs.split_at(call.inputs.len() - call.outputs.len());
    let outputs = call.outputs.iter().flatten().map(|output| &output.to);
    let mut gates = states.iter().chain(outputs);
    if !gates.all(|x| x.index == Index::Each) {
        return None;
    }
    let is_last = |instr: &Instr| match instr {
        Instr::Relax {
            kernel: k,
            call: c,
            time: t,
        } => {
            let made = c.outputs.iter().zip(states);
            let mut made = made.map(|(output, x)| output.as_ref().is_some_and(|o| o.to == *x));
            Arc::ptr_eq(k, kernel)
                && coefficients[*t] == coefficients[*time]
                && c.len == call.len
                && c.inputs.starts_with(arguments)
                && made.all(|made| made)
        }
        _ => false,
    };
    let last = first + 1 + list[first + 1..].iter().rposition(is_last)?;
    let ranges =
        |of: &[Operand]| -> Vec<Range<usize>> { of.iter().map(|x| range(x, call.len)).collect() };
    let (arguments, states) = (ranges(arguments), ranges(states));
    let touches = |k: usize, what: &[Range<usize>]| meet(&writes(&list[k], layout), what);
    let mut between = (last + 1..list.len()).chain(0..first);
    let untouched = !between.any(|k| touches(k, &arguments) || touches(k, &states))
        && ![first, last].iter().any(|&k| touches(k, &arguments));
    untouched.then_some(last)
}
