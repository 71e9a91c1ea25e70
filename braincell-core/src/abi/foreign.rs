//! The host's side: the solvers of a plugin as steppers.

use super::{InfoError, from_failure, from_fields, replay};
use crate::stepper::{SolverInfo, StepError, StepOps, Stepper};
use braincell_abi::PluginModule_Ref;
use braincell_abi::abi_stable::std_types::{RResult, RSlice};

/// A solver of a plugin.
pub struct ForeignStepper {
    module: PluginModule_Ref,
    place: u32,
    info: SolverInfo,
}

/// Why the solvers of a plugin cannot be listed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModuleError {
    /// The plugin could not list them.
    #[error("listing its solvers failed: {0}")]
    Failed(StepError),
    /// Metadata makes no sense.
    #[error("solver {place} of the plugin (\"{name}\"): {error}")]
    Info {
        /// Place in the plugin's list, from 0.
        place: usize,
        /// Its name, as far as it has one.
        name: String,
        /// What is wrong.
        error: InfoError,
    },
}

/// The solvers of a plugin.
///
/// # Errors
/// [`ModuleError`].
pub fn steppers_of(module: PluginModule_Ref) -> Result<Vec<ForeignStepper>, ModuleError> {
    let all = match module.solvers()() {
        RResult::ROk(all) => all,
        RResult::RErr(failure) => return Err(ModuleError::Failed(from_failure(failure))),
    };
    let mut steppers = Vec::new();
    for (place, fields) in all.iter().enumerate() {
        let info = from_fields(fields).map_err(|error| {
            let name = fields
                .iter()
                .find(|f| f.key == braincell_abi::field::NAME)
                .map_or("", |f| f.text.as_str());
            ModuleError::Info {
                place,
                name: name.to_string(),
                error,
            }
        })?;
        steppers.push(ForeignStepper {
            module,
            place: place as u32,
            info,
        });
    }
    Ok(steppers)
}

impl Stepper for ForeignStepper {
    fn info(&self) -> SolverInfo {
        self.info.clone()
    }

    fn step(&self, ops: &mut StepOps) -> Result<(), StepError> {
        let parameters = &self.info.parameters;
        let values: Result<Vec<f64>, StepError> =
            parameters.iter().map(|p| ops.parameter(&p.name)).collect();
        match self.module.record()(self.place, RSlice::from_slice(&values?)) {
            RResult::ROk(sent) => replay(&sent, ops),
            RResult::RErr(failure) => Err(from_failure(failure)),
        }
    }
}
