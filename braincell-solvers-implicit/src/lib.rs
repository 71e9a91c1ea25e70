//! Implicit and linearly implicit methods.

mod collocation;
mod diagonally;
mod euler;
mod rosenbrock;
mod split;

use braincell_core::registry::{Registry, RegistryError};
use braincell_core::stepper::{Properties, SolverInfo, Stepper};
use std::sync::Arc;

/// Registers all methods of this crate.
///
/// # Errors
/// If a name is taken.
pub fn register(registry: &mut Registry) -> Result<(), RegistryError> {
    registry.register_all(steppers(), &braincell_core::this_crate!())
}

/// All methods of this crate.
pub fn steppers() -> Vec<Arc<dyn Stepper>> {
    let families = [
        euler::steppers(),
        split::steppers(),
        diagonally::steppers(),
        rosenbrock::steppers(),
        collocation::steppers(),
    ];
    families.concat()
}

const L_STABLE: Properties = Properties {
    explicit: false,
    a_stable: true,
    l_stable: true,
    real_stability_limit: None,
};

const A_STABLE: Properties = Properties {
    l_stable: false,
    ..L_STABLE
};

fn info(
    name: &str,
    order: u32,
    properties: Properties,
    [description, formula, reference]: [&str; 3],
) -> SolverInfo {
    let mut info = SolverInfo::new(name, "implicit", order);
    info.properties = properties;
    info.description = description.to_string();
    info.formula = formula.to_string();
    info.reference = reference.to_string();
    info
}
