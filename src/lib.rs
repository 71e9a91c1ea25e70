//! Neuron models integrated by solvers selected by name.

pub mod bench;
pub mod compare;
pub mod conformance;
pub mod experiment;
pub mod fit;
pub mod inspect;
pub mod output;

pub use braincell_cells as cells;
pub use braincell_core::{
    container, gradient, input, kernel, model, noise, real, registry, simd, simulation, stepper,
    units,
};
#[cfg(feature = "plugins")]
pub use braincell_plugin_api::loader as plugins;

use once_cell::sync::Lazy;
use registry::{Registry, RegistryError};

/// Registers the solver families that this build has.
///
/// # Errors
/// If a name is taken.
pub fn register_families(_registry: &mut Registry) -> Result<(), RegistryError> {
    #[cfg(feature = "rk")]
    braincell_solvers_rk::register(_registry)?;
    #[cfg(feature = "expeuler")]
    braincell_solvers_expeuler::register(_registry)?;
    #[cfg(feature = "implicit")]
    braincell_solvers_implicit::register(_registry)?;
    #[cfg(feature = "cable")]
    braincell_solvers_cable::register(_registry)?;
    Ok(())
}

/// The solvers of this build, by name. Made on first use.
pub fn solvers() -> &'static Registry {
    static SOLVERS: Lazy<Registry> = Lazy::new(|| {
        let mut registry = Registry::new();
        register_families(&mut registry).expect("the built-in families have different names");
        registry
    });
    &SOLVERS
}

/// Tests the code of the README.
#[cfg(all(doctest, feature = "rk"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// Tests the code of the book.
#[cfg(all(doctest, feature = "rk", feature = "expeuler"))]
mod book {
    #[doc = include_str!("../docs/integration.md")]
    struct Integration;
    #[doc = include_str!("../docs/choosing.md")]
    struct Choosing;
    #[doc = include_str!("../docs/branched.md")]
    struct Branched;
    #[doc = include_str!("../docs/populations.md")]
    struct Populations;
    #[doc = include_str!("../docs/recording.md")]
    struct Recording;
    #[doc = include_str!("../docs/gradients.md")]
    struct Gradients;
    #[doc = include_str!("../docs/accuracy.md")]
    struct Accuracy;
    #[doc = include_str!("../docs/write-a-solver.md")]
    struct WriteASolver;
    #[doc = include_str!("../docs/performance.md")]
    struct Performance;
    #[doc = include_str!("../docs/design.md")]
    struct Design;
}
