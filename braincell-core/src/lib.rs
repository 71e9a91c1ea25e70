//! Protocol, solver registry, engine and time loop for integrating neuron models.
//!
//! A *model* is a set of kernels, a *stepper* is a short program recorded once and kept as data, and the
//! *engine* runs the program on the model. This crate knows no solver and no ion channel.

#[cfg(feature = "abi")]
pub mod abi;
pub mod cable;
pub mod container;
mod engine;
pub mod gradient;
pub mod input;
pub mod kernel;
pub mod model;
pub mod noise;
pub mod real;
pub mod registry;
pub mod simd;
pub mod simulation;
pub mod stepper;
pub mod units;
