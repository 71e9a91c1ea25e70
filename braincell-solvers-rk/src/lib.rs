//! Explicit Runge-Kutta steppers.

pub mod exact;
mod stability;
pub mod tableau;
pub mod tableaux;
