//! Neuron models integrated by solvers selected by name.

pub mod output;
