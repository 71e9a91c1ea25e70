//! Why a tile stopped.

use super::error::{BadValue, LastGood, NoConvergence, RunError};
use crate::engine::{Clock, StepFailure};
use crate::model::Model;

/// Why a tile stopped.
pub(crate) struct Failure {
    pub step: u64,
    clock: Clock,
    reason: Reason,
}

pub(crate) enum Reason {
    Value {
        cell: usize,
        element: usize,
        state: usize,
        value: f64,
        /// Values of all states at that element before the step.
        last_good: Vec<f64>,
    },
    Newton(Box<StepFailure>),
    /// The steps tried.
    Exhausted(u64),
}

impl Failure {
    pub fn new(step: u64, clock: Clock, reason: Reason) -> Self {
        Self {
            step,
            clock,
            reason,
        }
    }

    /// Too many or too small steps, at time `t` with step `h` after so many attempts.
    pub fn exhausted(t: f64, h: f64, attempts: u64) -> Self {
        let clock = Clock {
            t,
            h,
            within: t,
            number: 0,
        };
        Self::new(attempts, clock, Reason::Exhausted(attempts))
    }

    /// Time, step and attempts, if the tile needed too many steps.
    pub fn is_exhausted(&self) -> Option<(f64, f64, u64)> {
        match self.reason {
            Reason::Exhausted(attempts) => Some((self.clock.t, self.clock.h, attempts)),
            _ => None,
        }
    }

    pub fn explain(&self, model: &Model, solver: &str, advice: &str) -> RunError {
        let (step, solver, advice) = (self.step, solver.to_string(), advice.to_string());
        match &self.reason {
            // Explained by the tile itself, which can look at the model.
            Reason::Exhausted(_) => RunError::Until {
                until: f64::INFINITY,
                now: self.clock.t,
            },
            Reason::Newton(failure) => RunError::NoConvergence(Box::new(NoConvergence {
                solver,
                step,
                time: failure.clock.t,
                h: failure.clock.h,
                cell: failure.cell,
                history: failure
                    .history
                    .iter()
                    .copied()
                    .take_while(|x| !x.is_nan())
                    .collect(),
                advice,
            })),
            Reason::Value {
                cell,
                element,
                state,
                value,
                last_good,
            } => {
                let bad = &model.states[*state];
                let values = model.states.iter().zip(last_good);
                RunError::BadValue(Box::new(BadValue {
                    solver,
                    step,
                    time: self.clock.t,
                    h: self.clock.h,
                    cell: *cell,
                    element: *element,
                    elements: model.domains[bad.domain.0].rows,
                    name: bad.state.name.clone(),
                    value: *value,
                    bounds: bad.state.bounds,
                    last_good: values
                        .filter(|(_, value)| !value.is_nan())
                        .map(|(info, &value)| LastGood {
                            name: info.state.name.clone(),
                            value,
                            unit: info.state.unit.clone(),
                        })
                        .collect(),
                    advice,
                }))
            }
        }
    }
}
