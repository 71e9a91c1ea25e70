//! A solution exact enough to measure the errors of others by.

use super::deviation::{Compared, Deviation, Measure, Target};
use super::ladder::Ladder;
use super::sweep::{NoRun, Runner, in_short};
use super::{CompareError, Step};
use crate::registry::Entry;
use crate::simulation::{Recording, Setup, Stepping, Tolerances};
use std::time::Duration;

/// Refinement ends when two successive solutions differ by this part of the range of the traces.
const GOAL: f64 = 1e-9;
/// The same for spike times, ms.
const SPIKE_GOAL: f64 = 1e-8;
/// The greatest number of refinements.
const REFINEMENTS: i32 = 12;
/// No run that may be expected to take longer than this is made, unless nothing is known yet.
const PATIENCE: Duration = Duration::from_secs(4);
/// An error of this part of a target is small enough to stop before a run that takes longer than this.
const ENOUGH_FOR_TARGET: f64 = 1e-4;
const LONG: Duration = Duration::from_millis(500);
/// A refinement that makes the difference no smaller than this part of the last one shows that rounding is reached.
const PROGRESS: f64 = 0.7;
/// Solvers of lower order are no good as reference where there is one of this order.
const ENOUGH: u32 = 4;

/// The reference solution.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The solver.
    pub solver: String,
    /// Its step or tolerance.
    pub step: Step,
    /// The spikes, and samples at multiples of the experiment's own recording interval.
    pub recording: Recording,
    /// By how much it differs from the solution before it in the refinement, which is less exact: more than its own error.
    pub accuracy: Deviation,
}

impl Reference {
    /// Its error by one measure; infinite where it is not known.
    pub fn error(&self, measure: Measure) -> f64 {
        self.accuracy.get(measure).unwrap_or(f64::INFINITY)
    }
}

/// The order of a solver on the model at hand.
fn order(entry: &Entry, cable: bool) -> u32 {
    match entry.info.order_without_cable {
        Some(order) if !cable => order,
        _ => entry.info.order,
    }
}

/// The steps or tolerances of successive refinements.
type Steps<'a> = &'a dyn Fn(i32) -> Stepping;

/// Whether some states are advanced by a solver of their own where the step is fixed.
fn has_independent_states(runner: &Runner, by: Option<&(&Entry, Steps)>, every: f64) -> bool {
    let model = &runner.experiment.model;
    let Some((entry, stepping)) = by else {
        return false;
    };
    let setup = Setup::with_stepping(&entry.info.name, stepping(0)).every(every);
    let Ok(simulation) = setup.start::<f64>(runner.registry, model) else {
        return false;
    };
    let all = model
        .state_names()
        .into_iter()
        .map(|name| model.elements(name).unwrap_or(0));
    simulation
        .linearise(0)
        .is_ok_and(|l| l.places().len() < all.sum())
}

/// Refines solutions of one solver after the other until one is exact to rounding, or returns the best.
pub(super) fn find(
    runner: &Runner,
    entries: &[&Entry],
    (ladder, target): (&Ladder, Option<Target>),
    tell: &(dyn Fn(String) + Sync),
) -> Result<(Compared, Reference), CompareError> {
    let capabilities = runner.experiment.model.capabilities();
    let mut list: Vec<&&Entry> = entries.iter().collect();
    let most = list.iter().map(|e| order(e, capabilities.cable)).max();
    let enough = most.unwrap_or(0).min(ENOUGH);
    list.retain(|e| order(e, capabilities.cable) >= enough);
    // The highest order first; of equal ones, the explicit, which is cheaper.
    list.sort_by_key(|e| {
        let order = order(e, capabilities.cable);
        (std::cmp::Reverse(order), !e.info.properties.explicit)
    });
    let (explicit, implicit): (Vec<&Entry>, Vec<&Entry>) =
        (list.into_iter().copied()).partition(|e| e.info.properties.explicit);
    let finest = ladder.finest();
    let fixed = |k: i32| Stepping::Fixed(finest * f64::from(-k).exp2());
    let adaptive = |k: i32| {
        let mut tolerances = Tolerances::new(10f64.powi(-7 - k));
        tolerances.hit_samples = true;
        Stepping::Adaptive(tolerances)
    };
    let explicit = || explicit.iter().take(2).copied();
    let implicit = || implicit.iter().take(2).copied();
    let mut attempts: Vec<(&Entry, Steps)> = Vec::new();
    attempts.extend(explicit().map(|e| (e, &fixed as Steps)));
    attempts.extend(implicit().map(|e| (e, &fixed as Steps)));
    let able = implicit()
        .chain(explicit())
        .filter(|e| e.info.is_adaptive());
    let adapted: Vec<(&Entry, Steps)> = able.map(|e| (e, &adaptive as Steps)).collect();
    // Modules with a solver of their own, which may be of low order, are joined to the cell in an adaptive run.
    let place = match has_independent_states(runner, attempts.first(), ladder.own) {
        true => 0,
        false => attempts.len(),
    };
    attempts.splice(place..place, adapted);
    let mut best: Option<(f64, Compared, Reference)> = None;
    let mut trouble = "no solver fits the model".to_string();
    for (entry, stepping) in attempts {
        tell(format!("reference solution with {}", entry.info.name));
        match refine(runner, &entry.info.name, stepping, (ladder.own, target)) {
            Ok((compared, reference)) => {
                let off = distance(&compared, &reference);
                let error = target.map_or(f64::INFINITY, |target| reference.error(target.measure));
                if best.as_ref().is_none_or(|(least, ..)| off < *least) {
                    best = Some((off, compared, reference));
                }
                let enough = target.is_some_and(|t| error <= ENOUGH_FOR_TARGET * t.value);
                if off <= 1.0 || enough {
                    break;
                }
            }
            Err(Trouble::Run(reason)) => trouble = format!("{}: {reason}", entry.info.name),
            Err(Trouble::Error(error)) => match (*error, &best) {
                (CompareError::Stopped, Some(_)) => break,
                (error, _) => return Err(error),
            },
        }
    }
    match best {
        Some((_, compared, reference)) => Ok((compared, reference)),
        None => Err(CompareError::NoReference(trouble)),
    }
}

enum Trouble {
    Run(String),
    Error(Box<CompareError>),
}

/// The accuracy of a reference, as a multiple of the goal.
fn distance(compared: &Compared, reference: &Reference) -> f64 {
    let size = compared.span(&reference.recording).max(f64::MIN_POSITIVE);
    let traces = reference.accuracy.traces;
    let traces = traces.map_or(0.0, |traces| traces.max / (GOAL * size));
    let spikes = reference.accuracy.spikes;
    traces.max(spikes.map_or(0.0, |spikes| spikes.time / SPIKE_GOAL))
}

/// Solutions of one solver with ever finer steps, until two agree or a finer one is no better.
fn refine(
    runner: &Runner,
    solver: &str,
    stepping: Steps,
    (every, target): (f64, Option<Target>),
) -> Result<(Compared, Reference), Trouble> {
    let mut last: Option<Recording> = None;
    let mut found: Option<(f64, Compared, Reference)> = None;
    let mut expected = Duration::ZERO;
    let mut idle = 0;
    for k in 1..=REFINEMENTS {
        if found.is_some() && expected > PATIENCE {
            break;
        }
        let run = match runner.once(solver, &stepping(k), every) {
            Ok(run) => run,
            Err(NoRun::Stopped) => return Err(Trouble::Error(Box::new(CompareError::Stopped))),
            Err(NoRun::Setup(error)) => return Err(Trouble::Run(error.to_string())),
            // Too large a step; but a stiff model would need too many refinements.
            Err(NoRun::Failed(error)) => match found {
                None if k < 3 => continue,
                None => return Err(Trouble::Run(in_short(&error))),
                Some(_) => break,
            },
        };
        expected = 2 * run.cpu;
        if let Some(last) = &last {
            let compared = Compared::new(runner.experiment, &run.recording)
                .map_err(|error| Trouble::Error(Box::new(error)))?;
            let reference = Reference {
                solver: solver.to_string(),
                step: Step::of(&stepping(k)),
                accuracy: compared.deviation(&run.recording, last, (1, 1)),
                recording: run.recording.clone(),
            };
            let off = distance(&compared, &reference);
            let before = found.as_ref().map_or(f64::INFINITY, |(off, ..)| *off);
            idle = match off <= PROGRESS * before {
                true => 0,
                false => idle + 1,
            };
            if off < before || found.is_none() {
                found = Some((off, compared, reference));
            }
            let enough = target.is_some_and(|target| {
                let found = found
                    .as_ref()
                    .map(|(.., reference)| reference.error(target.measure));
                found.is_some_and(|error| error <= ENOUGH_FOR_TARGET * target.value)
            });
            if off <= 1.0 || idle == 2 || (enough && expected > LONG) {
                break;
            }
        }
        last = Some(run.recording);
    }
    match found {
        Some((_, compared, reference)) => Ok((compared, reference)),
        None => Err(Trouble::Run("no two steps gave a solution".to_string())),
    }
}
