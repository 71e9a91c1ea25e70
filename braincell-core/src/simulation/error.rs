//! What can go wrong.

use crate::model::ModelError;
use crate::registry::RegistryError;
use std::fmt;

/// Why a run cannot start.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Setup {
    /// The solver is unknown or does not fit.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The model refuses.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The step size is not a positive number.
    #[error("the step size is {0} ms; it must be positive and finite")]
    Step(f64),
    /// The recording interval is not a multiple of the step size.
    #[error("the recording interval of {interval} ms is not a multiple of the step of {step} ms; choose {}", multiples(*.interval, *.step))]
    Every {
        /// The interval, ms.
        interval: f64,
        /// The step, ms.
        step: f64,
    },
    /// The solver cannot estimate its error.
    #[error("solver \"{solver}\" has no error estimate, so its steps cannot be adapted; {}", these_can(.adaptive))]
    NotAdaptive {
        /// The solver.
        solver: String,
        /// Solvers that would do.
        adaptive: Vec<String>,
    },
    /// The solver needs Jacobians that this model's structure does not give.
    #[error(
        "solver \"{solver}\" needs the Jacobian, but the derivative of \"{of}\" depends on \"{on}\", which lives on another domain; take an explicit solver, or put the two states on one domain"
    )]
    CoupledApart {
        /// The solver.
        solver: String,
        /// The state whose derivative it is.
        of: String,
        /// The state that it depends on.
        on: String,
    },
    /// A module integrates itself in an adaptive run.
    #[error(
        "\"{0}\" is integrated by a solver of its own, whose error an adaptive run does not see; let the solver of the run advance it (in an experiment file: solver = \"cell\"), or take a fixed step"
    )]
    Independent(String),
    /// The tolerances make no sense.
    #[error("the tolerances of the adaptive run make no sense: {0}")]
    Tolerances(String),
    /// An adaptive run that records has no recording interval.
    #[error("an adaptive run needs a recording interval, for example 0.1 ms")]
    NoInterval,
    /// The recording interval is not a positive number.
    #[error("the recording interval is {0} ms; it must be positive and finite")]
    Interval(f64),
    /// The threshold is not a number.
    #[error("the spike threshold is {0}; it must be finite")]
    Threshold(f64),
    /// No threads.
    #[error("0 threads cannot run anything; give at least 1, or say nothing for one on each core")]
    Threads,
    /// The operating system refuses so many threads.
    #[error("{threads} threads cannot be started: {reason}; ask for fewer")]
    Pool {
        /// How many.
        threads: usize,
        /// What it says.
        reason: String,
    },
    /// A tolerance below what the precision can give.
    #[error(
        "a relative tolerance of {tolerance:e} is below what {precision} precision can give with solver \"{solver}\": {least:.1e}; ask for that or more, or take {instead}"
    )]
    Precision {
        /// The tolerance asked for.
        tolerance: f64,
        /// "single" or "double".
        precision: &'static str,
        /// The solver.
        solver: String,
        /// The least relative tolerance.
        least: f64,
        /// What else to do.
        instead: &'static str,
    },
    /// An element or cell does not exist.
    #[error("\"{name}\" cannot be recorded at {what} {index}: there are {all}, counted from 0")]
    Place {
        /// The variable.
        name: String,
        /// "element" or "cell".
        what: &'static str,
        /// Which was asked for.
        index: usize,
        /// How many there are.
        all: usize,
    },
}

fn these_can(names: &[String]) -> String {
    match names {
        [] => "no registered solver that fits this model can".to_string(),
        names => format!("these can: {}", names.join(", ")),
    }
}

fn multiples(interval: f64, step: f64) -> String {
    let below = (interval / step).floor();
    if !(interval.is_finite() && interval > 0.0) {
        return format!("a positive multiple such as {} ms", 4.0 * step);
    }
    match below {
        0.0 => format!("{step} ms or more"),
        k => format!("{} or {} ms", k * step, (k + 1.0) * step),
    }
}

/// The last good value of a variable where a run failed.
#[derive(Clone, Debug, PartialEq)]
pub struct LastGood {
    /// The state.
    pub name: String,
    /// Its value at the beginning of the step that failed.
    pub value: f64,
    /// Its unit.
    pub unit: String,
}

/// Why a run stopped early.
#[derive(Clone, Debug, PartialEq)]
pub enum RunError {
    /// The end of the run is not a time after the present one.
    Until {
        /// The end asked for, ms.
        until: f64,
        /// The time reached, ms.
        now: f64,
    },
    /// More steps than can be counted.
    Steps {
        /// The end asked for, ms.
        until: f64,
        /// The step size, ms.
        step: f64,
        /// The number of steps it takes.
        steps: f64,
    },
    /// More samples than memory holds.
    Memory {
        /// The number of samples.
        samples: u64,
        /// Columns of a sample.
        columns: usize,
    },
    /// A state became infinite, NaN, or left its bounds.
    BadValue(Box<BadValue>),
    /// The inputs jump too often.
    Jumps {
        /// The end of the part of the run that was to be made, ms.
        until: f64,
    },
    /// Newton's method did not converge.
    NoConvergence(Box<NoConvergence>),
    /// An adaptive run needed too many steps, or too small ones.
    StepsExhausted(Box<StepsExhausted>),
}

/// Why an adaptive run came to an end before its time.
#[derive(Clone, Debug, PartialEq)]
pub struct StepsExhausted {
    /// The solver.
    pub solver: String,
    /// Time reached, ms.
    pub time: f64,
    /// The step tried last, ms.
    pub h: f64,
    /// The smallest step accepted, ms.
    pub smallest: f64,
    /// Steps tried.
    pub attempts: u64,
    /// Of these, rejected.
    pub rejected: u64,
    /// The state whose error was most often the greatest.
    pub limiting: String,
    /// In which share of the steps.
    pub share: f64,
    /// The greatest |∂f_i/∂y_i| at the end, per ms.
    pub fastest_rate: f64,
    /// Where the solver's stability region ends on the negative real axis.
    pub stability_limit: Option<f64>,
    /// Cell of the population, from 0.
    pub cell: usize,
    /// Solvers for stiff models.
    pub stiff: Vec<String>,
}

impl fmt::Display for StepsExhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rates = self.h * self.fastest_rate;
        write!(
            f,
            "{} stood at t = {} ms after {} steps, {} of them rejected, in cell {}; the last step tried was {:.3e} ms, \
             the smallest accepted {:.3e} ms. {} had the greatest error in {:.0} % of the steps. ",
            self.solver,
            self.time,
            self.attempts,
            self.rejected,
            self.cell,
            self.h,
            self.smallest,
            self.limiting,
            100.0 * self.share
        )?;
        match self.stability_limit {
            Some(limit) if rates > 0.3 * limit => {
                write!(
                    f,
                    "The fastest rate is {:.3e} per ms, so that step × rate = {rates:.2} is near the stability limit \
                     {limit:.2} of this solver: the model is stiff. What to do: use a solver that suits stiff models",
                    self.fastest_rate
                )?;
                if !self.stiff.is_empty() {
                    write!(f, ": {}", self.stiff.join(", "))?;
                }
                f.write_str(".")
            }
            _ => write!(
                f,
                "The fastest rate is {:.3e} per ms. What to do: allow more steps, loosen the tolerances, or look at the \
                 equations of {}: a discontinuity or a singularity there would explain it.",
                self.fastest_rate, self.limiting
            ),
        }
    }
}

/// A step whose equations Newton's method did not solve.
#[derive(Clone, Debug, PartialEq)]
pub struct NoConvergence {
    /// The solver.
    pub solver: String,
    /// Number of the step, from 0.
    pub step: u64,
    /// Time at the beginning of the step, ms.
    pub time: f64,
    /// Step size, ms.
    pub h: f64,
    /// Cell of the population, from 0.
    pub cell: usize,
    /// Norms of the corrections, one per iteration; 1 is the tolerance.
    pub history: Vec<f64>,
    /// What to try.
    pub advice: String,
}

impl fmt::Display for NoConvergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Newton's method did not converge in step {} of {}, from t = {} ms with dt = {} ms, in cell {}. \
             The corrections, in units of the tolerance, were",
            self.step, self.solver, self.time, self.h, self.cell
        )?;
        for (k, norm) in self.history.iter().enumerate() {
            let comma = if k > 0 { "," } else { "" };
            write!(f, "{comma} {norm:.1e}")?;
        }
        write!(f, ". What to do: {}.", self.advice)
    }
}

/// The first bad value of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct BadValue {
    /// The solver.
    pub solver: String,
    /// Number of the step, from 0.
    pub step: u64,
    /// Time at the beginning of the step, ms.
    pub time: f64,
    /// Step size, ms.
    pub h: f64,
    /// Cell of the population, from 0.
    pub cell: usize,
    /// Element of the cell, from 0.
    pub element: usize,
    /// How many elements the variable has.
    pub elements: usize,
    /// The state.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// The bounds it has to keep.
    pub bounds: (f64, f64),
    /// The values of the states there at the beginning of the step.
    pub last_good: Vec<LastGood>,
    /// What to try.
    pub advice: String,
}

impl std::error::Error for RunError {}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Until { until, now } => write!(
                f,
                "the run cannot end at {until} ms: it stands at {now} ms; give a finite, later time"
            ),
            RunError::Steps { until, step, steps } => write!(
                f,
                "the run to {until} ms takes {steps:e} steps of {step} ms, more than can be counted; choose a larger step or an earlier end"
            ),
            RunError::Memory { samples, columns } => write!(
                f,
                "memory does not hold the {samples} samples of {columns} columns that the run records; record less often, or run in parts"
            ),
            RunError::Jumps { until } => write!(
                f,
                "the inputs jump millions of times until {until} ms, and every step would be cut at each jump; give pulses or samples longer intervals, or play them as a smooth function"
            ),
            RunError::BadValue(bad) => bad.fmt(f),
            RunError::NoConvergence(failure) => failure.fmt(f),
            RunError::StepsExhausted(report) => report.fmt(f),
        }
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} became {}", self.name, self.value)?;
        if self.value.is_finite() {
            let (least, greatest) = self.bounds;
            match (least.is_finite(), greatest.is_finite()) {
                (true, true) => write!(f, ", outside {least} to {greatest},")?,
                (true, false) => write!(f, ", below its least value {least},")?,
                _ => write!(f, ", above its greatest value {greatest},")?,
            }
        }
        write!(
            f,
            " in step {} of {}, from t = {} ms with dt = {} ms, in cell {}",
            self.step, self.solver, self.time, self.h, self.cell
        )?;
        if self.elements > 1 {
            write!(f, ", element {}", self.element)?;
        }
        write!(f, ". Last good values there:")?;
        for (k, good) in self.last_good.iter().enumerate() {
            let comma = if k > 0 { "," } else { "" };
            write!(f, "{comma} {} = {}", good.name, good.value)?;
            if !good.unit.is_empty() {
                write!(f, " {}", good.unit)?;
            }
        }
        write!(f, ". What to do: {}.", self.advice)
    }
}
