//! Solvers compared by measurement: error against cost, on an experiment of one's own.
//!
//! Every solver that fits the model runs over a ladder of time steps, and those that can, over a ladder of tolerances. Errors are
//! measured against a *reference*: the solution of a solver of high order with ever smaller steps, until two successive
//! ones agree; by how much they still differ is its own error, below which no error can be told from zero. Samples are
//! compared at times common to all steps, multiples of each of them and of the experiment's own recording interval, so
//! that nothing is interpolated; solvers that choose their steps give samples from their own solution inside a step, as they
//! do in any run. What is recommended for a target has to keep it at *all* samples that the experiment has and the step hits.
//!
//! The cost is the CPU time of the run alone, on one thread, the least of a few repeats, and the number of right-hand
//! sides.
//!
//! ```no_run
//! use braincell::compare::{Settings, compare};
//! use braincell::experiment::Experiment;
//!
//! let experiment = Experiment::read("examples/hh.toml")?;
//! let settings = Settings { target: Some("0.1 mV".into()), ..Settings::default() };
//! let found = compare(&experiment, braincell::solvers(), &settings)?;
//! if let Some(choice) = &found.choice {
//!     println!("{}", choice.reason);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod candidates;
mod choice;
mod climb;
mod deviation;
mod error;
mod ladder;
mod reference;
mod report;
mod sweep;

pub use candidates::LeftOut;
pub use choice::Choice;
pub use deviation::{Compared, Deviation, Measure, Size, SpikeDeviation, Target};
pub use error::CompareError;
pub use ladder::Ladder;
pub use reference::Reference;

use crate::experiment::Experiment;
use crate::registry::Registry;
use crate::simulation::{Stepping, Tolerances};
use climb::Climb;
use std::fmt;
use std::sync::atomic::AtomicBool;
use sweep::Runner;

/// An error below so many times that of the reference cannot be told from it.
const RESOLUTION: f64 = 3.0;

/// What to compare.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Names of solvers, perhaps with parameters; where none is named, all that are deterministic and not deprecated.
    pub solvers: Vec<String>,
    /// Time steps, ms.
    pub steps: Option<Vec<f64>>,
    /// Relative tolerances, for solvers with an error estimate. Where neither these nor steps are given, both are chosen;
    /// where one of them is, the other is not tried.
    pub tolerances: Option<Vec<f64>>,
    /// How exact a run shall be: "0.1 mV", "0.05 ms", or a plain number where the traces have no unit.
    pub target: Option<String>,
    /// Which error of the traces a target and a diagram are about.
    pub measure: Measure,
    /// How many runs are made at once; 0 for as many as the machine has processors.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            solvers: Vec::new(),
            steps: None,
            tolerances: None,
            target: None,
            measure: Measure::Max,
            threads: 0,
        }
    }
}

/// A step or a tolerance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// A time step, ms.
    Fixed(f64),
    /// A relative tolerance.
    Tolerance(f64),
}

impl Step {
    fn of(stepping: &Stepping) -> Self {
        match stepping {
            Stepping::Fixed(dt) => Step::Fixed(*dt),
            Stepping::Adaptive(tolerances) => Step::Tolerance(tolerances.relative),
        }
    }

    /// As a run takes it.
    pub fn stepping(self) -> Stepping {
        match self {
            Step::Fixed(dt) => Stepping::Fixed(dt),
            Step::Tolerance(tolerance) => Stepping::Adaptive(Tolerances::new(tolerance)),
        }
    }

    /// The number.
    pub fn value(self) -> f64 {
        match self {
            Step::Fixed(x) | Step::Tolerance(x) => x,
        }
    }

    /// Whether both are steps, or both tolerances.
    fn is_like(self, other: Step) -> bool {
        matches!(self, Step::Fixed(_)) == matches!(other, Step::Fixed(_))
    }
}

impl fmt::Display for Step {
    /// "dt = 0.05 ms", "tolerance = 1e-6".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Fixed(dt) => write!(f, "dt = {} ms", number(*dt)),
            Step::Tolerance(tolerance) => write!(f, "tolerance = {tolerance:e}"),
        }
    }
}

/// What a run cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// CPU time of one thread per simulated ms, µs.
    pub cpu: f64,
    /// Evaluations of the right-hand side per simulated ms, with one for each iteration of Newton's method; those of a group
    /// of cells that are advanced together count once.
    pub right_hand_sides: f64,
}

/// A run that reached its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Its error at the sample times that all runs have in common.
    pub error: Deviation,
    /// Its error at all sample times of the experiment that it has.
    pub error_everywhere: Deviation,
    /// What it cost.
    pub cost: Cost,
    /// p in error ∝ dtᵖ between the next larger step and this one: of the mean error of the traces, or of the spike times
    /// where there are none. Nothing for tolerances, and where one of the errors cannot be told from that of the reference.
    pub order: Option<f64>,
}

/// One solver with one step or tolerance.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The solver, with its parameters.
    pub solver: String,
    /// The step or tolerance.
    pub step: Step,
    /// What was measured, or why the run failed, on one line.
    pub result: Result<Measured, String>,
}

/// A comparison of solvers.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Title of the experiment.
    pub title: String,
    /// What is compared.
    pub compared: Compared,
    /// Steps, tolerances, and the sample times that all runs have in common.
    pub ladder: Ladder,
    /// What errors are measured by.
    pub reference: Reference,
    /// By solver, steps before tolerances, the coarsest first.
    pub entries: Vec<Entry>,
    /// Solvers that were not tried, and why.
    pub left_out: Vec<LeftOut>,
    /// Which error a diagram shows: that of the target.
    pub measure: Measure,
    /// How exact a run shall be.
    pub target: Option<Target>,
    /// What to take for the target; nothing without a target.
    pub choice: Option<Choice>,
    /// Long runs that were not made, because they could not change the choice.
    pub skipped: usize,
    /// Whether all other runs were made; else it was stopped.
    pub complete: bool,
}

/// How far a comparison has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// What it does, in words.
    Phase(String),
    /// Runs made, and all of them.
    Runs(usize, usize),
}

/// Compares solvers on an experiment.
///
/// # Errors
/// [`CompareError`]. A solver that fails is no error: its entries say why.
pub fn compare(
    experiment: &Experiment,
    registry: &Registry,
    settings: &Settings,
) -> Result<Comparison, CompareError> {
    compare_observed(
        experiment,
        registry,
        settings,
        &AtomicBool::new(false),
        &|_| {},
    )
}

/// Compares solvers on an experiment; `observe` is told how far it has come, from several threads, and setting `stop` ends it
/// with what has been measured.
///
/// # Errors
/// [`CompareError`]; [`CompareError::Stopped`] where there is not even a reference yet.
pub fn compare_observed(
    experiment: &Experiment,
    registry: &Registry,
    settings: &Settings,
    stop: &AtomicBool,
    observe: &(dyn Fn(Progress) + Sync),
) -> Result<Comparison, CompareError> {
    if experiment.model.capabilities().noise {
        let path = experiment.path.display().to_string();
        return Err(CompareError::Stochastic(path));
    }
    let steps = settings.steps.as_deref();
    let tolerances = settings.tolerances.as_deref();
    let ladder = Ladder::new(experiment, steps, tolerances)?;
    let (chosen, left_out) = candidates::choose(experiment, registry, settings, &ladder)?;
    // A target that cannot be read shows before anything long begins.
    let runner = Runner {
        experiment,
        registry,
        stop,
    };
    let compared = candidates::compared(&runner, &chosen, &ladder)?;
    let target = (settings.target.as_ref())
        .map(|text| Target::parse(text, settings.measure, &compared))
        .transpose()?;
    let fitting = candidates::fitting(experiment, registry);
    let tell = |phase: String| observe(Progress::Phase(phase));
    let (compared, reference) = reference::find(&runner, &fitting, (&ladder, target), &tell)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(settings.threads);
    let pool = pool.build().map_err(|error| CompareError::Threads {
        threads: settings.threads,
        reason: error.to_string(),
    })?;
    let climb = Climb {
        runner,
        ladder: &ladder,
        compared: &compared,
        reference: &reference,
        target,
        observe,
    };
    let (entries, skipped, complete) = pool.install(|| climb.all(&chosen));
    let measure = match target {
        Some(target) => target.measure,
        None if compared.traces() => settings.measure,
        None => Measure::Spikes,
    };
    let mut comparison = Comparison {
        title: experiment.title.clone(),
        compared,
        ladder,
        reference,
        entries,
        left_out,
        measure,
        target,
        choice: None,
        skipped,
        complete,
    };
    comparison.find_orders();
    if let Some(target) = target {
        tell("the cheapest once more, one after the other".to_string());
        let choice = choice::choose(&mut comparison, &runner, target);
        comparison.choice = Some(choice);
    }
    Ok(comparison)
}

/// All digits, with an exponent where it saves many zeros.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_string(),
        size if (1e-4..1e16).contains(&size) => value.to_string(),
        _ => format!("{value:e}"),
    }
}

/// A number with three significant digits, with an exponent where it saves many zeros.
pub fn significant(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    if !(1e-3..1e6).contains(&size) {
        return format!("{value:.1e}");
    }
    let decimals = (2 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}
