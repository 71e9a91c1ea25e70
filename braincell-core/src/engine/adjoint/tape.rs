//! Lists of instructions with their rules: run, recorded, and taken backwards.

use super::super::arena::Arena;
use super::super::exec::{self, Context, StepFailure, Workspace};
use super::super::fuse::factored_and_solved;
use super::super::instr::Instr;
use super::super::layout::Layout;
use super::kernel::KernelRule;
use super::loops::copy;
use super::newton::NewtonRule;
use super::one::One;
use super::pointwise::Pointwise;
use super::reach::Marks;
use super::{Extras, Frame, Sweep, inputs, linear};
use crate::kernel::Operand;
use std::ops::Range;

/// An instruction with its rule.
pub(super) struct Taped {
    pub instr: Instr,
    /// What runs in its place when it is recorded: nothing if the next instruction does it too.
    instead: Option<Option<Instr>>,
    pub rule: Rule,
    /// The same rule for one element, backwards.
    one: Option<One>,
    /// How many weights are recorded, because running the instruction computes them along with the results.
    weights: usize,
    /// What is saved of the numbers that it overwrites.
    pub save: Vec<Range<usize>>,
    pub marks: Marks,
}

pub(super) enum Rule {
    Inputs,
    Pointwise(Pointwise),
    /// Of a kernel: its rule forwards, unless it computes values and partial derivatives, and its rule backwards.
    Kernel(Option<Pointwise>, Box<KernelRule>),
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
                // A kernel's first two derivatives are cheap to compute along with the results, more are not.
                let cheap = matches!(instr, Instr::Kernel { .. })
                    && pointwise
                        .as_ref()
                        .is_some_and(|rule| rule.directions() <= 2);
                let kernel = (!cheap).then(|| KernelRule::new(instr, active, scratch));
                match (kernel.flatten(), pointwise) {
                    (Some(rule), forwards) => Rule::Kernel(forwards, Box::new(rule)),
                    (None, Some(rule)) => Rule::Pointwise(rule),
                    (None, None) => Rule::Linear,
                }
            }
        };
        let (one, weights) = match &rule {
            Rule::Pointwise(rule) => (One::new(rule, scratch), rule.recorded()),
            _ => (None, 0),
        };
        Self {
            one,
            weights,
            marks: Marks::new(instr, &rule, layout, extras),
            instr: instr.clone(),
            instead: None,
            rule,
            save: Vec::new(),
        }
    }

    /// The rules of instructions.
    pub fn list(
        list: &[Instr],
        layout: &Layout,
        active: &dyn Fn(&Operand) -> bool,
        extras: &Extras,
    ) -> Vec<Self> {
        let tape = |instr: &Instr| Self::new(instr, layout, active, extras);
        let mut all: Vec<Self> = list.iter().map(tape).collect();
        for k in 1..all.len() {
            if let Some(both) = factored_and_solved(&all[k - 1].instr, &all[k].instr) {
                all[k - 1].instead = Some(None);
                all[k].instead = Some(Some(both));
            }
        }
        all
    }

    /// How many numbers are recorded.
    pub fn saved(&self) -> usize {
        self.weights + self.save.iter().map(Range::len).sum::<usize>()
    }

    pub fn scratch(&self) -> usize {
        match &self.rule {
            Rule::Pointwise(rule) => rule.scratch(),
            Rule::Kernel(forwards, rule) => {
                let forwards = forwards.as_ref().map_or(0, Pointwise::scratch);
                forwards.max(rule.scratch())
            }
            Rule::Newton(rule) => rule.all().map(Taped::scratch).max().unwrap_or(0),
            _ => 0,
        }
    }

    pub fn aside(&self) -> usize {
        match &self.rule {
            Rule::Pointwise(rule) | Rule::Kernel(Some(rule), _) => rule.aside(),
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

/// Appends numbers; a few without a call.
#[inline(always)]
fn push(log: &mut Vec<f64>, numbers: &[f64]) {
    match numbers.len() {
        0..=6 => numbers.iter().for_each(|x| log.push(*x)),
        _ => log.extend_from_slice(numbers),
    }
}

pub(super) fn record(
    list: &[Taped],
    context: &Context<f64>,
    scratch: usize,
    w: &mut Workspace<f64>,
    sweep: &mut Sweep,
) -> Result<(), Box<StepFailure>> {
    for taped in list {
        for range in &taped.save {
            push(&mut sweep.log, &w.arena[range.clone()]);
        }
        if let Some(instead) = &taped.instead {
            exec::execute(instead.as_slice(), context, w)?;
            continue;
        }
        match &taped.rule {
            Rule::Pointwise(rule) if taped.weights > 0 => {
                rule.run(context, &mut w.arena);
                push(&mut sweep.log, &w.arena[scratch..scratch + taped.weights]);
            }
            Rule::Linear if linear::remembers(&taped.instr) => {
                linear::restore(&taped.instr, context, w, sweep);
            }
            _ => run(taped, context, w)?,
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
    let scratch = frame.extras.scratch;
    // Taken out, so that saved numbers are used where they lie.
    let mut log = std::mem::take(&mut sweep.log);
    let mut end = log.len();
    for taped in list.iter().rev() {
        match &taped.rule {
            Rule::Pointwise(_) | Rule::Kernel(..) => {}
            Rule::Inputs => inputs::adjoint(&taped.instr, frame, bar),
            Rule::Newton(rule) => {
                // It appends to the log what it records, and takes that off.
                log.truncate(end);
                sweep.log = log;
                let done = rule.adjoint(&taped.instr, frame, w, bar, sweep);
                log = std::mem::take(&mut sweep.log);
                done?;
            }
            Rule::Linear => linear::adjoint(&taped.instr, frame, w, bar, sweep),
        }
        // What was pushed last is the weights.
        let weights = end - taped.weights..end;
        end = weights.start;
        for range in taped.save.iter().rev() {
            let from = end - range.len();
            copy(&mut w.arena[range.clone()], &log[from..end]);
            end = from;
        }
        match &taped.rule {
            Rule::Pointwise(rule) => {
                let (context, arena, weights) = (frame.context, &mut w.arena, &log[weights]);
                let weights = (scratch, weights);
                match &taped.one {
                    Some(one) => rule.adjoint_of_one(one, context, arena, weights, bar, sweep),
                    None => rule.adjoint(context, arena, weights, bar, sweep),
                }
            }
            Rule::Kernel(_, rule) => rule.adjoint(frame.context, &mut w.arena, bar),
            _ => {}
        }
    }
    log.truncate(end);
    sweep.log = log;
    Ok(())
}

pub(super) fn tangent(
    list: &[Taped],
    frame: &Frame,
    w: &mut Workspace<f64>,
    dots: &mut [Arena<f64>],
    sweep: &mut Sweep,
) -> Result<(), Box<StepFailure>> {
    for taped in list {
        let has_run = match &taped.rule {
            Rule::Pointwise(rule) | Rule::Kernel(Some(rule), _) => {
                rule.tangent(frame.context, &mut w.arena, dots, sweep)
            }
            _ => linear::remembers(&taped.instr),
        };
        if !has_run {
            run(taped, frame.context, w)?;
        }
        match &taped.rule {
            Rule::Pointwise(_) | Rule::Kernel(..) => {}
            Rule::Inputs => inputs::tangent(&taped.instr, frame, dots),
            Rule::Newton(rule) => rule.tangent(&taped.instr, frame, w, dots, sweep)?,
            Rule::Linear => linear::tangent(&taped.instr, frame, w, dots, sweep),
        }
    }
    Ok(())
}
