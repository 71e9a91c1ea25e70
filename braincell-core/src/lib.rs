//! Protocol, solver registry, engine and time loop for integrating neuron models.
//!
//! A *model* is a set of kernels, a *stepper* is a short program recorded once and kept as data, and the
//! *engine* runs the program on the model. This crate knows no solver and no ion channel.

pub mod cable;
pub mod real;
pub mod simd;
