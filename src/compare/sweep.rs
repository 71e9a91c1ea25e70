//! Runs of one solver with one step or tolerance, timed.

use crate::experiment::Experiment;
use crate::registry::Registry;
use crate::simulation::{Outcome, Recording, RunError, SetupError, Stepping};
use cpu_time::ThreadTime;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Short runs are repeated until they took so long together, but so often at most.
const LONG_ENOUGH: Duration = Duration::from_millis(40);
const REPEATS: usize = 4;

/// A finished run.
pub(super) struct Run {
    pub recording: Recording,
    /// The least CPU time of the repeats.
    pub cpu: Duration,
}

/// Why there is none.
pub(super) enum NoRun {
    /// It cannot start.
    Setup(SetupError),
    /// It came to an early end.
    Failed(RunError),
    /// Somebody stopped it.
    Stopped,
}

/// What is run.
#[derive(Clone, Copy)]
pub(super) struct Runner<'a> {
    pub experiment: &'a Experiment,
    pub registry: &'a Registry,
    pub stop: &'a AtomicBool,
}

impl Runner<'_> {
    /// Runs once, with samples at multiples of `every`, ms.
    pub fn once(&self, solver: &str, stepping: &Stepping, every: f64) -> Result<Run, NoRun> {
        let mut settings = self.experiment.run.clone();
        settings.solver.value = solver.to_string();
        settings.stepping.value = stepping.clone();
        // Runs are made side by side, and their time is that of this thread.
        let setup = settings.setup().every(every).threads(1);
        let mut simulation = setup
            .start::<f64>(self.registry, &self.experiment.model)
            .map_err(NoRun::Setup)?;
        if self.stop.load(Ordering::Relaxed) {
            return Err(NoRun::Stopped);
        }
        let mut observe = |_| match self.stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        // The clock of this thread, so that other threads and programs do not count.
        let begin = ThreadTime::now();
        let done = simulation.run_observed(settings.duration.value, &mut observe);
        let cpu = begin.elapsed();
        match done {
            Ok(Outcome::Finished) => Ok(Run {
                recording: simulation.recording(),
                cpu,
            }),
            Ok(Outcome::Stopped) => Err(NoRun::Stopped),
            Err(error) => Err(NoRun::Failed(error)),
        }
    }

    /// Runs as often as it takes to time it.
    pub fn timed(&self, solver: &str, stepping: &Stepping, every: f64) -> Result<Run, NoRun> {
        self.repeated(solver, stepping, every, (REPEATS, LONG_ENOUGH))
    }

    /// Runs up to `repeats` times, until the runs took `long_enough` together.
    pub fn repeated(
        &self,
        solver: &str,
        stepping: &Stepping,
        every: f64,
        (repeats, long_enough): (usize, Duration),
    ) -> Result<Run, NoRun> {
        let mut best = self.once(solver, stepping, every)?;
        let mut all = best.cpu;
        for _ in 1..repeats {
            if all >= long_enough {
                break;
            }
            match self.once(solver, stepping, every) {
                Ok(run) => {
                    all += run.cpu;
                    best.cpu = best.cpu.min(run.cpu);
                }
                // What the first run found is kept.
                Err(_) => break,
            }
        }
        Ok(best)
    }
}

/// Why a run came to an early end, on one line.
pub(super) fn in_short(error: &RunError) -> String {
    match error {
        RunError::BadValue(bad) => {
            let place = match bad.elements {
                1 => bad.name.clone(),
                _ => format!("{}[{}]", bad.name, bad.element),
            };
            let bounds = match bad.value.is_finite() {
                true => ", outside its bounds,",
                false => "",
            };
            format!(
                "{place} became {}{bounds} at t = {} ms",
                super::significant(bad.value),
                super::significant(bad.time)
            )
        }
        RunError::NoConvergence(failure) => format!(
            "Newton's method did not converge at t = {} ms",
            super::significant(failure.time)
        ),
        RunError::StepsExhausted(report) => format!(
            "{} steps led no further than t = {} ms",
            report.attempts,
            super::significant(report.time)
        ),
        other => {
            let text = other.to_string();
            text.split(';').next().unwrap_or_default().to_string()
        }
    }
}
