//! Checks that every registered solver has to pass, whoever wrote it.
//!
//! [`check`] looks up a solver and returns a [`Report`]: its program is valid, its order of convergence is the declared
//! one (on equations of its own kind, driven and not), its results are the same bits whenever, wherever and however
//! wide it runs, and senseless step sizes give errors that say so.

mod behaviour;
mod gradient;
mod measured;
mod order;
mod problem;
mod reference;

pub use measured::{Cost, Measured, Order, Reach, doi};
pub use order::ORDER_TOLERANCE;

use crate::input::Input;
use crate::registry::{Entry, Registry, RegistryError};
use crate::stepper::{Parts, SolverInfo};
use once_cell::sync::Lazy;
use problem::Problem;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// The recorded step and what is declared about it.
    Program,
    /// Order on the van der Pol oscillator.
    OrderOscillator,
    /// Order on the Hodgkin-Huxley membrane with a spike.
    OrderMembrane,
    /// Order on the membrane driven by a sine.
    OrderSine,
    /// Order on the thalamic relay neuron with a spike.
    OrderThalamic,
    /// Order on the thalamic relay neuron driven by a sine.
    OrderThalamicSine,
    /// Order on the membrane driven by a current that jumps between steps.
    OrderJumpsOnGrid,
    /// Order on the membrane driven by a current that jumps inside steps.
    OrderJumpsOffGrid,
    /// Order on a branched Hodgkin-Huxley cell with a spike, driven by a sine at a branch end.
    OrderTree,
    /// Gradients of a run, against differences of the same run.
    Gradient,
    /// The same bits from the same run, for any width of tile and any SIMD level with fused multiply-add.
    Determinism,
    /// Step sizes that make no sense.
    BadInput,
}

impl Check {
    /// All checks, in order.
    pub const ALL: [Check; 12] = [
        Check::Program,
        Check::OrderOscillator,
        Check::OrderMembrane,
        Check::OrderSine,
        Check::OrderThalamic,
        Check::OrderThalamicSine,
        Check::OrderJumpsOnGrid,
        Check::OrderJumpsOffGrid,
        Check::OrderTree,
        Check::Gradient,
        Check::Determinism,
        Check::BadInput,
    ];

    /// The equations of a check of order.
    pub fn problem(self) -> Option<&'static str> {
        Some(match self {
            Check::OrderOscillator => "oscillator",
            Check::OrderMembrane => "membrane",
            Check::OrderSine => "sine",
            Check::OrderThalamic => "thalamic",
            Check::OrderThalamicSine => "thalamic, sine",
            Check::OrderJumpsOnGrid => "jumps on grid",
            Check::OrderJumpsOffGrid => "jumps off grid",
            Check::OrderTree => "branched cell",
            Check::Program | Check::Gradient | Check::Determinism | Check::BadInput => return None,
        })
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(problem) = self.problem() {
            return f.pad(&format!("order: {problem}"));
        }
        f.pad(match self {
            Check::Program => "program",
            Check::Gradient => "gradient",
            Check::Determinism => "determinism",
            _ => "bad input",
        })
    }
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Well.
    Passed,
    /// With a number: well if it is the declared order within [`ORDER_TOLERANCE`].
    Measured {
        /// The slope of the error against the step size, in logarithms.
        order: f64,
        /// The order that the solver declares.
        declared: u32,
        /// The finer of the two step sizes, ms.
        dt: f64,
        /// The root mean square error there, relative to the greatest size of each state.
        error: f64,
    },
    /// The errors reach rounding before the order shows; their slope, no less than declared, is a lower bound.
    AtLeast {
        /// The slope of the error against the step size, in logarithms.
        order: f64,
        /// The order that the solver declares.
        declared: u32,
        /// The finer of the two step sizes, ms.
        dt: f64,
        /// The root mean square error there, relative to the greatest size of each state.
        error: f64,
    },
    /// Badly.
    Failed(String),
    /// The check does not apply.
    Skipped(String),
}

impl Outcome {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        match self {
            Outcome::Passed | Outcome::Skipped(_) | Outcome::AtLeast { .. } => true,
            Outcome::Failed(_) => false,
            Outcome::Measured {
                order, declared, ..
            } => (order - f64::from(*declared)).abs() <= ORDER_TOLERANCE,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Passed => f.write_str("passed"),
            Outcome::Failed(reason) => write!(f, "failed: {reason}"),
            Outcome::Skipped(reason) => write!(f, "skipped: {reason}"),
            Outcome::AtLeast {
                order,
                declared,
                dt,
                error,
            } => write!(
                f,
                "passed: order at least {order:.3}, {declared} declared; at dt = {dt:.2e} ms the error of {error:.1e} nears rounding before the order shows"
            ),
            Outcome::Measured {
                order,
                declared,
                dt,
                error,
            } => {
                let verdict = if self.is_good() { "passed" } else { "failed" };
                write!(
                    f,
                    "{verdict}: order {order:.3} measured, {declared} declared (error {error:.1e} at dt = {dt:.2e} ms)"
                )
            }
        }
    }
}

/// What was found about a solver.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Its name.
    pub solver: String,
    /// The order it declares for models without a cable.
    pub declared_order: u32,
    /// All checks, in the order of [`Check::ALL`].
    pub findings: Vec<(Check, Outcome)>,
}

impl Report {
    /// Whether no check failed.
    pub fn is_good(&self) -> bool {
        self.findings.iter().all(|(_, outcome)| outcome.is_good())
    }

    /// How a check ended.
    pub fn outcome(&self, check: Check) -> Option<&Outcome> {
        let found = self.findings.iter().find(|(known, _)| *known == check);
        found.map(|(_, outcome)| outcome)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} (order {})", self.solver, self.declared_order)?;
        for (check, outcome) in &self.findings {
            writeln!(f, "  {check:<22} {outcome}")?;
        }
        Ok(())
    }
}

/// Checks the solver of that name or alias with its default parameters.
///
/// Solvers that need diffusion terms are skipped wherever a right-hand side is run: no problem here has such terms.
///
/// # Errors
/// [`RegistryError::Unknown`]. What is wrong with the solver itself is in the report.
pub fn check(registry: &Registry, name: &str) -> Result<Report, RegistryError> {
    let entry = registry.get(name)?;
    let findings = Check::ALL.map(|check| (check, outcome(registry, entry, check)));
    Ok(Report {
        solver: entry.info.name.clone(),
        declared_order: declared(&entry.info),
        findings: findings.into(),
    })
}

/// The order declared for models without a cable.
fn declared(info: &SolverInfo) -> u32 {
    info.order_without_cable.unwrap_or(info.order)
}

fn outcome(registry: &Registry, entry: &Entry, check: Check) -> Outcome {
    let declared = match check {
        Check::OrderTree => entry.info.order,
        _ => declared(&entry.info),
    };
    let problem = match check {
        Check::Program => return behaviour::program(entry),
        Check::Gradient => return gradient::check(registry, entry),
        Check::Determinism => return behaviour::determinism(registry, entry),
        Check::BadInput => return behaviour::bad_input(registry, entry),
        _ => problem(check, entry.info.advances),
    };
    match &*problem {
        Err(reason) => Outcome::Failed(format!("no reference solution: {reason}")),
        Ok(problem) => match entry.info.needs.missing(problem.model.capabilities()) {
            Some(missing) => Outcome::Skipped(format!("it needs {missing}")),
            None => order::measure(registry, &entry.info.name, declared, problem),
        },
    }
}

/// The problem of a check, for the states that a solver advances. Each is made once.
fn problem(check: Check, parts: Parts) -> Arc<Result<Problem, String>> {
    type Made = HashMap<(Check, Parts), Arc<Result<Problem, String>>>;
    static MADE: Lazy<Mutex<Made>> = Lazy::new(Mutex::default);
    let mut made = MADE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let make = || {
        Arc::new(match check {
            Check::OrderMembrane => problem::membrane(parts, &[Input::constant(10.0)]),
            Check::OrderSine => {
                let sine = Input::sine(8.0, 0.3, 0.5);
                problem::membrane(parts, &[Input::constant(10.0), sine])
            }
            Check::OrderThalamic => problem::thalamic(parts, &[Input::constant(10.0)]),
            Check::OrderThalamicSine => {
                let sine = Input::sine(8.0, 0.3, 0.5);
                problem::thalamic(parts, &[Input::constant(10.0), sine])
            }
            // Steps of half an interval or less end at eighths of 1 ms; thirds lie inside steps of every size.
            Check::OrderJumpsOnGrid => problem::membrane(parts, &[Input::step(20.0, 0.125, 0.375)]),
            Check::OrderJumpsOffGrid => {
                let (start, stop) = (0.25 / 3.0, 0.25 + 0.25 / 3.0);
                problem::membrane(parts, &[Input::step(20.0, start, stop)])
            }
            Check::OrderTree => problem::tree(parts),
            _ => problem::oscillator(parts),
        })
    };
    made.entry((check, parts)).or_insert_with(make).clone()
}
