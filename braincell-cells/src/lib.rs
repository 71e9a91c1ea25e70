//! Morphology, discretisation, mechanisms, single- and multi-compartment cells.

pub mod discretisation;
pub mod morphology;
