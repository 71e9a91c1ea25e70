//! Morphology, discretisation, mechanisms, single- and multi-compartment cells.
