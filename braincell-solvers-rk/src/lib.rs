//! Explicit Runge–Kutta steppers: tableaux as data, and the one engine that runs them.

pub mod exact;
mod stability;
mod stepper;
mod stochastic;
pub mod tableau;
pub mod tableaux;

pub use stepper::{ExplicitRungeKutta, register, steppers};
