//! Plugins with mistakes in them, one in each example.

use braincell_plugin_api::{SolverInfo, StepError, StepOps, Stepper};

/// A stepper of a function.
pub struct Step(
    pub &'static str,
    pub fn(&mut StepOps) -> Result<(), StepError>,
);

impl Stepper for Step {
    fn info(&self) -> SolverInfo {
        SolverInfo::new(self.0, "broken", 1)
    }

    fn step(&self, ops: &mut StepOps) -> Result<(), StepError> {
        (self.1)(ops)
    }
}

/// What a stepper should do.
pub fn euler(o: &mut StepOps) -> Result<(), StepError> {
    use braincell_plugin_api::{h, num};
    let k = o.rhs(0.0, o.y())?;
    let next = o.combine(&[(num(1.0), o.y()), (h(1.0), k)])?;
    o.commit(next)
}
