//! All runs of a comparison, in parallel.

use super::candidates::Chosen;
use super::sweep::{NoRun, Run, Runner, in_short};
use super::{
    Compared, Cost, Deviation, Entry, Ladder, Measure, Measured, Progress, RESOLUTION, Reference,
    Step, Target, significant,
};
use rayon::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A run that takes no longer than this, in seconds, is made in any case.
const SHORT: f64 = 0.5;
/// A longer one is not made if it may be expected to cost so many times as much as the cheapest that keeps the target.
const HOPELESS: f64 = 10.0;
/// A run whose traces are off by so many times their range is no solution.
const NONSENSE: f64 = 2.0;

/// All runs of a comparison.
pub(super) struct Climb<'a> {
    pub runner: Runner<'a>,
    pub ladder: &'a Ladder,
    pub compared: &'a Compared,
    pub reference: &'a Reference,
    pub target: Option<Target>,
    pub observe: &'a (dyn Fn(Progress) + Sync),
}

/// What is known of a solver's ladder while it is climbed.
#[derive(Clone, Copy, Default)]
struct Known {
    /// Time of its last run, s.
    seconds: f64,
    /// Successive runs up to the last that keep the target.
    kept: usize,
    /// The last run is as exact as the reference: smaller steps show nothing more.
    exact: bool,
}

/// What all threads know.
struct Shared {
    known: Vec<Known>,
    results: Vec<Option<Entry>>,
    /// The time of the cheapest run that keeps the target, s.
    cheapest: f64,
    skipped: usize,
    done: usize,
}

impl Shared {
    /// Whether the next run of a solver tells nothing more.
    fn is_needless(&self, solver: usize) -> bool {
        let known = self.known[solver];
        let expected = 2.0 * known.seconds;
        let settled = known.kept >= 2 || expected > HOPELESS * self.cheapest;
        known.exact || (expected > SHORT && settled)
    }
}

impl Climb<'_> {
    /// Makes all runs, the coarsest first; returns the entries, how many long runs were not made because they could not change
    /// the choice, and whether it came to its end.
    pub fn all(&self, chosen: &[Chosen]) -> (Vec<Entry>, usize, bool) {
        let longest = chosen.iter().map(|(_, steps)| steps.len()).max();
        let jobs: Vec<(usize, usize)> = (0..longest.unwrap_or(0))
            .flat_map(|rung| (0..chosen.len()).map(move |solver| (solver, rung)))
            .filter(|&(solver, rung)| rung < chosen[solver].1.len())
            .collect();
        let shared = Mutex::new(Shared {
            known: vec![Known::default(); chosen.len()],
            results: vec![None; jobs.len()],
            cheapest: f64::INFINITY,
            skipped: 0,
            done: 0,
        });
        let lock = || shared.lock().unwrap_or_else(|p| p.into_inner());
        let next = AtomicUsize::new(0);
        // Jobs are taken in order, so that what is there after an interruption covers all solvers.
        let work = |_| {
            loop {
                let job = next.fetch_add(1, Ordering::Relaxed);
                let Some(&(solver, rung)) = jobs.get(job) else {
                    return;
                };
                let (name, steps) = &chosen[solver];
                let needless = lock().is_needless(solver);
                let result = match needless {
                    true => None,
                    false => match self.one(name, steps[rung]) {
                        Some(result) => Some(result),
                        // Stopped.
                        None => return,
                    },
                };
                let mut shared = lock();
                match result {
                    None => shared.skipped += usize::from(!shared.known[solver].exact),
                    Some(result) => {
                        self.learn(&mut shared, solver, &result);
                        shared.results[job] = Some(Entry {
                            solver: name.clone(),
                            step: steps[rung],
                            result,
                        });
                    }
                }
                shared.done += 1;
                (self.observe)(Progress::Runs(shared.done, jobs.len()));
            }
        };
        (0..rayon::current_num_threads())
            .into_par_iter()
            .for_each(work);
        let shared = shared.into_inner().unwrap_or_else(|p| p.into_inner());
        let complete = shared.done == jobs.len();
        let mut entries: Vec<((usize, usize), Entry)> = (jobs.into_iter().zip(shared.results))
            .filter_map(|(job, entry)| Some((job, entry?)))
            .collect();
        entries.sort_by_key(|entry| entry.0);
        let entries = entries.into_iter().map(|(_, entry)| entry).collect();
        (entries, shared.skipped, complete)
    }

    /// Notes what a run has shown.
    fn learn(&self, shared: &mut Shared, solver: usize, result: &Result<Measured, String>) {
        let Ok(measured) = result else {
            return;
        };
        let seconds = measured.cost.cpu * 1e-6 * self.runner.experiment.run.duration.value;
        let keeps = self.target.is_some_and(|target| {
            let error = measured.error_everywhere.get(target.measure);
            error.is_some_and(|error| error <= target.value)
        });
        let known = &mut shared.known[solver];
        known.seconds = known.seconds.max(seconds);
        known.kept = if keeps { known.kept + 1 } else { 0 };
        known.exact |= !self.resolved(&measured.error);
        if keeps {
            shared.cheapest = shared.cheapest.min(seconds);
        }
    }

    /// One run, measured; nothing if it was stopped.
    fn one(&self, solver: &str, step: Step) -> Option<Result<Measured, String>> {
        let every = self.ladder.interval_of(step);
        match self.runner.timed(solver, &step.stepping(), every) {
            Ok(run) => Some(self.measure(&run, every)),
            Err(NoRun::Stopped) => None,
            Err(NoRun::Failed(error)) => Some(Err(in_short(&error))),
            Err(NoRun::Setup(error)) => Some(Err(error.to_string())),
        }
    }

    /// Measures a run that was recorded at multiples of `every`.
    fn measure(&self, run: &Run, every: f64) -> Result<Measured, String> {
        let ratio = |a: f64, b: f64| (a / b).round().max(1.0) as usize;
        let (own, interval) = (self.ladder.own, self.ladder.interval);
        let off = |stride| {
            let from = &self.reference.recording;
            self.compared.deviation(&run.recording, from, stride)
        };
        let error = off((ratio(interval, every), ratio(interval, own)));
        let error_everywhere = off((1, ratio(every, own)));
        let span = self.compared.span(&self.reference.recording);
        let max = error_everywhere.traces.map_or(0.0, |size| size.max);
        if max > NONSENSE * span && span > 0.0 {
            let off = format!(
                "nonsense: off by {} {}",
                significant(max),
                self.compared.unit
            );
            return Err(off.trim_end().to_string());
        }
        Ok(Measured {
            error,
            error_everywhere,
            cost: cost(&self.runner, run),
            order: None,
        })
    }

    /// Whether an error can be told from that of the reference.
    fn resolved(&self, error: &Deviation) -> bool {
        let by = |measure| {
            let limit = RESOLUTION * self.reference.error(measure);
            error.get(measure).is_some_and(|error| error > limit)
        };
        by(Measure::Mean) || by(Measure::Max) || by(Measure::Spikes)
    }
}

/// What a run cost.
pub(super) fn cost(runner: &Runner, run: &Run) -> Cost {
    let duration = runner.experiment.run.duration.value;
    let counters = run.recording.counters();
    let evaluations = counters.right_hand_sides + counters.newton_iterations;
    Cost {
        cpu: run.cpu.as_secs_f64() * 1e6 / duration,
        right_hand_sides: evaluations as f64 / duration,
    }
}
