//! Lists of instructions with their rules: run, recorded, and taken backwards.

use super::super::exec::{self, Context, Instr, StepFailure, Workspace};
use super::super::layout::Layout;
use super::loops::copy;
use super::newton::NewtonRule;
use super::partials::PartialsRule;
use super::pointwise::Pointwise;
use super::reach::Marks;
use super::{Extras, Frame, Sweep, inputs, linear};
use crate::kernel::Operand;
use std::ops::Range;

/// An instruction with its rule.
pub(super) struct Taped {
    pub instr: Instr,
    pub rule: Rule,
    /// What is saved of the numbers that it overwrites.
    pub save: Vec<Range<usize>>,
    pub marks: Marks,
}

pub(super) enum Rule {
    Inputs,
    Pointwise(Pointwise),
    /// Its rule forwards, unless it computes values too, and its rule backwards.
    Partials(Option<Pointwise>, PartialsRule),
    Newton(NewtonRule),
    /// Linear algebra and the cable.
    Linear,
}

impl Taped {
    pub fn new(
        instr: &Instr,
        layout: &Layout,
        active: &dyn Fn(&Operand) -> bool,
        extras: &Extras,
    ) -> Self {
        let scratch = extras.scratch;
        let rule = match instr {
            Instr::Inputs { .. } => Rule::Inputs,
            Instr::Newton(newton) => Rule::Newton(NewtonRule::new(newton, layout, active, extras)),
            instr => {
                let pointwise = Pointwise::new(instr, layout, active, scratch);
                match (PartialsRule::new(instr, active, scratch), pointwise) {
                    (Some(rule), forwards) => Rule::Partials(forwards, rule),
                    (None, Some(rule)) => Rule::Pointwise(rule),
                    (None, None) => Rule::Linear,
                }
            }
        };
        Self {
            marks: Marks::new(instr, &rule, layout, extras),
            instr: instr.clone(),
            rule,
            save: Vec::new(),
        }
    }

    /// A rule whose weights are recorded, and their planes.
    fn recorded(&self, scratch: usize) -> Option<(&Pointwise, Range<usize>)> {
        match &self.rule {
            Rule::Pointwise(rule) => Some((rule, rule.recorded(scratch)?)),
            _ => None,
        }
    }

    /// How many numbers are recorded.
    pub fn saved(&self) -> usize {
        let weights = self.recorded(0).map_or(0, |(_, weights)| weights.len());
        weights + self.save.iter().map(Range::len).sum::<usize>()
    }

    pub fn scratch(&self) -> usize {
        match &self.rule {
            Rule::Pointwise(rule) => rule.scratch(),
            Rule::Partials(forwards, rule) => {
                let forwards = forwards.as_ref().map_or(0, Pointwise::scratch);
                forwards.max(rule.scratch())
            }
            Rule::Newton(rule) => rule.all().map(Taped::scratch).max().unwrap_or(0),
            _ => 0,
        }
    }

    pub fn aside(&self) -> usize {
        match &self.rule {
            Rule::Pointwise(rule) | Rule::Partials(Some(rule), _) => rule.aside(),
            Rule::Newton(rule) => rule.all().map(Taped::aside).max().unwrap_or(0),
            _ => 0,
        }
    }
}

pub(super) fn run(
    taped: &Taped,
    context: &Context<f64>,
    w: &mut Workspace<f64>,
) -> Result<(), Box<StepFailure>> {
    exec::execute(std::slice::from_ref(&taped.instr), context, w)
}

/// Appends numbers; a single one without a call.
#[inline(always)]
fn push(log: &mut Vec<f64>, numbers: &[f64]) {
    match numbers {
        [one] => log.push(*one),
        numbers => log.extend_from_slice(numbers),
    }
}

pub(super) fn record(
    list: &[Taped],
    context: &Context<f64>,
    scratch: usize,
    w: &mut Workspace<f64>,
    log: &mut Vec<f64>,
) -> Result<(), Box<StepFailure>> {
    for taped in list {
        for range in &taped.save {
            push(log, &w.arena[range.clone()]);
        }
        match taped.recorded(scratch) {
            Some((rule, weights)) => {
                rule.run(context, &mut w.arena);
                push(log, &w.arena[weights]);
            }
            None => run(taped, context, w)?,
        }
    }
    Ok(())
}

pub(super) fn reverse(
    list: &[Taped],
    frame: &Frame,
    w: &mut Workspace<f64>,
    bar: &mut [f64],
    sweep: &mut Sweep,
) -> Result<(), Box<StepFailure>> {
    for taped in list.iter().rev() {
        match &taped.rule {
            Rule::Pointwise(_) | Rule::Partials(..) => {}
            Rule::Inputs => inputs::adjoint(&taped.instr, frame, bar),
            Rule::Newton(rule) => rule.adjoint(&taped.instr, frame, w, bar, sweep)?,
            Rule::Linear => linear::adjoint(&taped.instr, frame, w, bar, sweep),
        }
        // What was pushed last is the weights; they are used where they lie.
        let scratch = frame.extras.scratch;
        let weights = taped.recorded(scratch).map_or(0, |(_, range)| range.len());
        let log = std::mem::take(&mut sweep.log);
        let (saved, weights) = log.split_at(log.len() - weights);
        let mut end = saved.len();
        for range in taped.save.iter().rev() {
            let from = end - range.len();
            copy(&mut w.arena[range.clone()], &saved[from..end]);
            end = from;
        }
        match &taped.rule {
            Rule::Pointwise(rule) => {
                rule.adjoint(frame.context, &mut w.arena, (scratch, weights), bar, sweep);
            }
            Rule::Partials(_, rule) => rule.adjoint(frame.context, &mut w.arena, bar),
            _ => {}
        }
        sweep.log = log;
        sweep.log.truncate(end);
    }
    Ok(())
}

pub(super) fn tangent(
    list: &[Taped],
    frame: &Frame,
    w: &mut Workspace<f64>,
    dots: &mut [Vec<f64>],
    sweep: &mut Sweep,
) -> Result<(), Box<StepFailure>> {
    for taped in list {
        if let Rule::Pointwise(rule) | Rule::Partials(Some(rule), _) = &taped.rule {
            rule.tangent(frame.context, &mut w.arena, dots, sweep);
        }
        run(taped, frame.context, w)?;
        match &taped.rule {
            Rule::Pointwise(_) | Rule::Partials(..) => {}
            Rule::Inputs => inputs::tangent(&taped.instr, frame, dots),
            Rule::Newton(rule) => rule.tangent(&taped.instr, frame, w, dots, sweep)?,
            Rule::Linear => linear::tangent(&taped.instr, frame, w, dots, sweep),
        }
    }
    Ok(())
}
