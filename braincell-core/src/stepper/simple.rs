//! Steppers from a function.

use super::{SolverInfo, StepError, StepOps, Stepper};
use std::sync::Arc;

/// The function that records a step.
pub type StepFn = fn(&mut StepOps) -> Result<(), StepError>;

struct FromFn {
    info: SolverInfo,
    step: StepFn,
}

impl Stepper for FromFn {
    fn info(&self) -> SolverInfo {
        self.info.clone()
    }
    fn step(&self, ops: &mut StepOps) -> Result<(), StepError> {
        (self.step)(ops)
    }
}

/// Makes a stepper of its description and the function that records a step.
pub fn stepper(info: SolverInfo, step: StepFn) -> Arc<dyn Stepper> {
    Arc::new(FromFn { info, step })
}
