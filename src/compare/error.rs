//! Why solvers cannot be compared.

use super::LeftOut;
use crate::experiment::ExperimentError;
use crate::registry::RegistryError;
use crate::units::UnitError;

/// Why solvers cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The experiment itself cannot run.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// A solver is unknown, or its parameters make no sense.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The model is stochastic.
    #[error(
        "{0} is a stochastic model: two runs with different steps see different noise, so that there is no error to measure; compare the solvers on the model without its noise"
    )]
    Stochastic(String),
    /// Nothing is recorded that depends on the solver.
    #[error(
        "{0} records nothing to compare: neither a variable that is computed nor spikes; write for example variables = [\"V\"] in [record], or threshold = \"0 mV\" in [spikes]"
    )]
    NothingRecorded(String),
    /// No solver is left.
    #[error("no solver is left to compare; {}", reasons(.0))]
    NoSolver(Vec<LeftOut>),
    /// There are neither steps nor tolerances to try.
    #[error("there is nothing to try: {0}")]
    EmptyLadder(String),
    /// A step or a tolerance is no positive number.
    #[error("{what} is {value}; it must be positive and finite")]
    NotPositive {
        /// "a time step", "a tolerance".
        what: &'static str,
        /// The value.
        value: f64,
    },
    /// Time steps have no common sample times.
    #[error(
        "the time steps {steps} ms and the recording interval of {interval} ms have no common sample times within the {duration} ms of the run; choose steps of which one is a multiple of the other, such as {interval} ms divided by 1, 2, 4"
    )]
    NoCommonGrid {
        /// The steps.
        steps: String,
        /// The recording interval, ms.
        interval: f64,
        /// The duration, ms.
        duration: f64,
    },
    /// The target cannot be read.
    #[error(
        "the target {text:?} cannot be read: {error}; write for example \"0.1 mV\" or \"0.05 ms\""
    )]
    Unit {
        /// What was given.
        text: String,
        /// Why.
        error: Box<UnitError>,
    },
    /// The target makes no sense for this experiment.
    #[error("the target {text:?} makes no sense here: {reason}")]
    Target {
        /// What was given.
        text: String,
        /// Why.
        reason: String,
    },
    /// No solver gave a reference solution.
    #[error(
        "no reference solution could be found: {0}; give the experiment a solver and a step with which it runs, and look at the message of that run"
    )]
    NoReference(String),
    /// It was stopped before there was anything to show.
    #[error("stopped before there was a reference solution")]
    Stopped,
    /// The operating system gives no threads.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// How many.
        threads: usize,
        /// Why.
        reason: String,
    },
}

fn reasons(left_out: &[LeftOut]) -> String {
    let each = left_out
        .iter()
        .map(|l| format!("{} {}", l.solver, l.reason));
    let each: Vec<String> = each.collect();
    match each[..] {
        [] => "this build has none".to_string(),
        _ => each.join("; "),
    }
}
