//! What the author of a solver plugin depends on, and the loader for hosts.
//!
//! A plugin is a crate of type `cdylib` that implements [`Stepper`] and exports its steppers with [`export_plugin!`]:
//!
//! ```
//! use braincell_plugin_api::{SolverInfo, StepError, StepOps, Stepper, export_plugin, h, num};
//!
//! struct Midpoint;
//! impl Stepper for Midpoint {
//!     fn info(&self) -> SolverInfo {
//!         SolverInfo::new("my_midpoint", "my_family", 2)
//!     }
//!     fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
//!         let y = o.y();
//!         let k = o.rhs(0.0, y)?;
//!         let middle = o.combine(&[(num(1.0), y), (h(0.5), k)])?;
//!         let k = o.rhs(0.5, middle)?;
//!         let next = o.combine(&[(num(1.0), y), (h(1.0), k)])?;
//!         o.commit(next)
//!     }
//! }
//! export_plugin!(Midpoint);
//! ```
//!
//! Authors switch the default feature `host` off, hosts leave it on: it brings the `loader`.

mod border;
pub mod export;
#[cfg(feature = "host")]
pub mod loader;

pub use braincell_core::stepper::{
    Array, Coef, Jacobian, Linearization, MAX_OPS, Needs, Parts, Program, ProgramError, Properties,
    SolverInfo, SolverParameter, StepError, StepOps, Stepper, Terms, h, num,
};

/// Version of braincell, as plugins built against it say in their handshake.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
