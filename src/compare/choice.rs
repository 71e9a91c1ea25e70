//! Which solver and step to take for a target.

use super::climb::cost;
use super::sweep::{NoRun, Runner, in_short};
use super::{Comparison, Entry, Measure, Measured, Step, Target, number, significant};
use crate::experiment::Experiment;
use std::time::Duration;

/// Costs that differ by less than this factor count as equal; the number of right-hand sides decides then.
const EQUAL: f64 = 1.15;
/// So much more a run may cost whose next larger step does not fail.
const FOR_SAFETY: f64 = 1.5;
/// So many of the cheapest are timed again, so often, one after the other; and for so long each.
const FINALISTS: usize = 5;
const TIMINGS: usize = 5;
const TIMED_FOR: Duration = Duration::from_millis(500);

/// What to take for a target, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The solver with its step or tolerance; nothing where none is exact enough.
    pub best: Option<(String, Step)>,
    /// The reason, in a sentence or two.
    pub reason: String,
    /// What to be careful about; empty if nothing.
    pub caution: String,
}

impl Comparison {
    /// The measured entries of a solver, steps or tolerances like `step`, the coarsest first.
    fn siblings(&self, solver: &str, step: Step) -> impl Iterator<Item = &Entry> {
        let own = move |e: &&Entry| e.solver == solver && e.step.is_like(step);
        self.entries.iter().filter(own)
    }

    /// The recording interval, ms, with which a step has to be run where the experiment's own does not suit it.
    pub fn every(&self, experiment: &Experiment, step: Step) -> Option<f64> {
        let own = experiment.run.every.as_ref().map(|every| every.value);
        let every = self.ladder.interval_of(step);
        match (step, own) {
            (Step::Fixed(_), None) => None,
            (_, Some(own)) if every == own => None,
            _ => Some(every),
        }
    }

    /// What is known to bound an error: itself and, where it cannot be told from the reference, that of the reference.
    pub fn bound(&self, measured: &Measured, measure: Measure) -> Option<f64> {
        let error = measured.error.get(measure)?;
        let reference = self.reference.error(measure);
        match error <= super::RESOLUTION * reference {
            true => Some(error + reference),
            false => Some(error),
        }
    }

    /// The same at all samples that the run has, where it is worse.
    pub(super) fn bound_everywhere(&self, measured: &Measured, measure: Measure) -> Option<f64> {
        let everywhere = Measured {
            error: measured.error_everywhere,
            ..measured.clone()
        };
        let bound = self.bound(&everywhere, measure)?;
        Some(self.bound(measured, measure)?.max(bound))
    }

    /// Whether an entry is exact enough, and all of the same solver with smaller steps are too: else it was luck.
    pub fn meets(&self, entry: &Entry, target: Target) -> bool {
        let finer = self.siblings(&entry.solver, entry.step);
        let mut finer = finer.filter(|e| e.step.value() <= entry.step.value());
        finer.all(|e| {
            let measured = e.result.as_ref().ok();
            let bound = measured.and_then(|m| self.bound_everywhere(m, target.measure));
            bound.is_some_and(|bound| bound <= target.value)
        })
    }

    /// The next coarser entry of the same solver, if it was tried.
    fn coarser(&self, entry: &Entry) -> Option<&Entry> {
        let all = self.siblings(&entry.solver, entry.step);
        let coarser = all.filter(|e| e.step.value() > entry.step.value());
        coarser.min_by(|a, b| a.step.value().total_cmp(&b.step.value()))
    }

    /// The greatest step of a solver up to which all steps tried give a solution; nothing if none does, or if only
    /// tolerances were tried.
    pub fn stable_up_to(&self, solver: &str) -> Option<f64> {
        let all: Vec<&Entry> = self.siblings(solver, Step::Fixed(0.0)).collect();
        let stable = all.iter().rev().take_while(|e| e.result.is_ok());
        stable.last().map(|e| e.step.value())
    }

    /// Puts in the orders between steps that follow each other.
    pub(super) fn find_orders(&mut self) {
        let measure = match self.compared.traces() {
            true => Measure::Mean,
            false => Measure::Spikes,
        };
        let floor = super::RESOLUTION * self.reference.error(measure);
        for k in 1..self.entries.len() {
            let (Step::Fixed(coarse), Step::Fixed(fine)) =
                (self.entries[k - 1].step, self.entries[k].step)
            else {
                continue;
            };
            if self.entries[k - 1].solver != self.entries[k].solver {
                continue;
            }
            let error = |k: usize| {
                let measured = self.entries[k].result.as_ref().ok()?;
                let error = measured.error.get(measure)?;
                (error.is_finite() && error > floor).then_some(error)
            };
            if let (Some(a), Some(b)) = (error(k - 1), error(k))
                && let Ok(measured) = &mut self.entries[k].result
            {
                measured.order = Some((a / b).ln() / (coarse / fine).ln());
            }
        }
    }
}

/// The cheapest for a target.
pub(super) fn choose(comparison: &mut Comparison, runner: &Runner, target: Target) -> Choice {
    let unit = unit(comparison, target.measure);
    let asked = format!("{} {unit}", number(target.value))
        .trim_end()
        .to_string();
    let of_reference = comparison.reference.error(target.measure);
    if of_reference > target.value / super::RESOLUTION {
        return Choice {
            best: None,
            reason: format!(
                "the reference itself is uncertain by {} {unit}, too much to tell which solver keeps {asked}",
                significant(of_reference)
            ),
            caution: String::new(),
        };
    }
    let cost_of = |c: &Comparison, k: usize| {
        let result = &c.entries[k].result;
        result.as_ref().map_or(f64::INFINITY, |m| m.cost.cpu)
    };
    let meets = |k: &usize| comparison.meets(&comparison.entries[*k], target);
    let mut good: Vec<usize> = (0..comparison.entries.len()).filter(meets).collect();
    good.sort_by(|&a, &b| cost_of(comparison, a).total_cmp(&cost_of(comparison, b)));
    if good.is_empty() {
        return Choice {
            best: None,
            reason: nothing(comparison, target, &asked),
            caution: String::new(),
        };
    }
    for &k in good.iter().take(FINALISTS) {
        let Entry { solver, step, .. } = comparison.entries[k].clone();
        let run = runner.repeated(
            &solver,
            &step.stepping(),
            comparison.ladder.interval_of(step),
            (TIMINGS, TIMED_FOR),
        );
        if let (Ok(run), Ok(measured)) = (run, &mut comparison.entries[k].result) {
            measured.cost.cpu = measured.cost.cpu.min(cost(runner, &run).cpu);
        }
    }
    good.sort_by(|&a, &b| cost_of(comparison, a).total_cmp(&cost_of(comparison, b)));
    let safe = |k: &usize| fails_beside(comparison, &comparison.entries[*k], runner).is_none();
    let first = cheapest(comparison, &good);
    let best = match safe(&first) {
        true => first,
        false => {
            let limit = FOR_SAFETY * cost_of(comparison, first);
            let near = good
                .iter()
                .copied()
                .filter(|&k| cost_of(comparison, k) <= limit);
            let near: Vec<usize> = near.filter(safe).collect();
            match near[..] {
                [] => first,
                _ => cheapest(comparison, &near),
            }
        }
    };
    let entry = &comparison.entries[best];
    let caution = match fails_beside(comparison, entry, runner) {
        Some(trouble) => format!(
            "there is no margin: {} already fails with {} ({}); take half the step where the input may be stronger",
            entry.solver, trouble.0, trouble.1
        ),
        None => String::new(),
    };
    Choice {
        best: Some((entry.solver.clone(), entry.step)),
        reason: reason(comparison, (runner.experiment, target), &good, best),
        caution,
    }
}

/// The cheapest of some; of those that cost about the same, the one with the fewest right-hand sides.
fn cheapest(comparison: &Comparison, of: &[usize]) -> usize {
    let cost = |k: usize| match &comparison.entries[k].result {
        // Solvers that only use parts of the right-hand side count none.
        Ok(measured) if measured.cost.right_hand_sides == 0.0 => (measured.cost.cpu, f64::INFINITY),
        Ok(measured) => (measured.cost.cpu, measured.cost.right_hand_sides),
        Err(_) => (f64::INFINITY, f64::INFINITY),
    };
    let least = of.iter().map(|&k| cost(k).0).fold(f64::INFINITY, f64::min);
    let near = of.iter().copied().filter(|&k| cost(k).0 <= EQUAL * least);
    let fewest = near.min_by(|&a, &b| {
        let ((a, m), (b, n)) = (cost(a), cost(b));
        m.total_cmp(&n).then(a.total_cmp(&b))
    });
    fewest.unwrap_or(of[0])
}

/// The next larger step and why it fails, if it does. Beyond the ladder, twice the step is tried.
fn fails_beside(comparison: &Comparison, entry: &Entry, runner: &Runner) -> Option<(Step, String)> {
    if let Some(coarser) = comparison.coarser(entry) {
        let reason = coarser.result.as_ref().err()?;
        return Some((coarser.step, reason.clone()));
    }
    let Step::Fixed(dt) = entry.step else {
        return None;
    };
    let step = Step::Fixed(2.0 * dt);
    let mut twice = runner.experiment.clone();
    twice.run.records.clear();
    twice.run.spikes.clear();
    let runner = Runner {
        experiment: &twice,
        ..*runner
    };
    match runner.once(&entry.solver, &step.stepping(), 2.0 * dt) {
        Err(NoRun::Failed(error)) => Some((step, in_short(&error))),
        _ => None,
    }
}

fn unit(comparison: &Comparison, measure: Measure) -> &str {
    match measure {
        Measure::Spikes => "ms",
        _ => &comparison.compared.unit,
    }
}

/// "error 0.08 mV at 12 µs and 80 right-hand sides per ms".
fn figures(comparison: &Comparison, measured: &Measured, measure: Measure) -> String {
    let bound = comparison.bound_everywhere(measured, measure);
    let bound = bound.unwrap_or(f64::NAN);
    let words = format!(
        "{} {} {}",
        measure.words(),
        significant(bound),
        unit(comparison, measure)
    );
    format!(
        "{} at {} µs and {} right-hand sides per ms",
        words.trim_end(),
        significant(measured.cost.cpu),
        significant(measured.cost.right_hand_sides)
    )
}

fn reason(
    comparison: &Comparison,
    (experiment, target): (&Experiment, Target),
    good: &[usize],
    best: usize,
) -> String {
    let entry = &comparison.entries[best];
    let mut text = format!("{}, {}", entry.solver, entry.step);
    if let Ok(measured) = &entry.result {
        text.push_str(&format!(
            ": {}",
            figures(comparison, measured, target.measure)
        ));
    }
    // The next best of another solver, and what keeps it from a larger step.
    let others = good.iter().map(|&k| &comparison.entries[k]);
    if let Some(other) = others.into_iter().find(|e| e.solver != entry.solver)
        && let Ok(measured) = &other.result
    {
        let limit = match comparison.coarser(other) {
            Some(Entry { result: Err(_), .. }) => "for stability",
            Some(_) => "for accuracy",
            None => "at most",
        };
        text.push_str(&format!(
            "; {} needs {} {limit}, at {} µs per ms",
            other.solver,
            other.step,
            significant(measured.cost.cpu)
        ));
    }
    // What the file says now.
    let settings = &experiment.run;
    let now = Step::of(&settings.stepping.value);
    let own = |e: &&Entry| e.solver == settings.solver.value && e.step == now;
    if let Some(Entry {
        result: Ok(measured),
        ..
    }) = comparison.entries.iter().find(own)
        && (&settings.solver.value, now) != (&entry.solver, entry.step)
    {
        let figures = figures(comparison, measured, target.measure);
        text.push_str(&format!(
            "; the file has {}, {now}: {figures}",
            settings.solver.value
        ));
    }
    text
}

/// What is said when no entry is exact enough.
fn nothing(comparison: &Comparison, target: Target, asked: &str) -> String {
    let errors = comparison.entries.iter().filter_map(|e| {
        let measured = e.result.as_ref().ok()?;
        Some((e, comparison.bound_everywhere(measured, target.measure)?))
    });
    let least = errors.min_by(|a, b| a.1.total_cmp(&b.1));
    let Some((entry, error)) = least else {
        return format!("no run reached its end, so none keeps {asked}");
    };
    format!(
        "none of the runs keeps {asked} with all smaller steps too; the most exact, {} with {}, is off by {} {}. Give --dt or --tolerance smaller values",
        entry.solver,
        entry.step,
        significant(error),
        unit(comparison, target.measure)
    )
}
