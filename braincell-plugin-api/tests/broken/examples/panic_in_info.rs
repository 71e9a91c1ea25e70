//! Panics when it describes its stepper.

use braincell_plugin_api::{SolverInfo, StepError, StepOps, Stepper, export_plugin};

struct Shy;

impl Stepper for Shy {
    fn info(&self) -> SolverInfo {
        panic!("no description")
    }

    fn step(&self, _: &mut StepOps) -> Result<(), StepError> {
        Ok(())
    }
}

export_plugin!(Shy);
