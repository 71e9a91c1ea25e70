//! Exponential integrators.
