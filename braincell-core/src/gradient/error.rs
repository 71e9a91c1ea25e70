//! What can go wrong.

use crate::model::ModelError;
use crate::simulation::{RunError, SetupError};

/// Why there is no gradient.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GradientError {
    /// The run cannot start.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The model has no such name.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The run itself failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A name that is nothing one can differentiate by.
    #[error(
        "there is no derivative with respect to \"{name}\": name a parameter ({parameters}), a state for its initial value ({states}), an input for its amplitude ({inputs}), or {AXIAL}",
        AXIAL = super::AXIAL_CONDUCTANCE
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// Parameters of the model.
        parameters: String,
        /// States of the model.
        states: String,
        /// Inputs of the model.
        inputs: String,
    },
    /// The state starts from its steady state, so it has no initial value.
    #[error(
        "the initial value of \"{0}\" is the steady state of its kinetics, so nothing depends on it; set an initial value to differentiate by it"
    )]
    Steady(String),
    /// The onset of such an input cannot be moved.
    #[error(
        "\"{0}\" cannot be differentiated by: only inputs made of steps or pulses, one for all cells, have an onset"
    )]
    Onset(String),
    /// The model has no cable.
    #[error("the model has no cable, so there is no axial conductance to differentiate by")]
    NoCable,
    /// A name is given twice.
    #[error("\"{0}\" is asked for twice")]
    Twice(String),
    /// A part of a parameter does not fit it.
    #[error("the part \"{name}\" of a parameter: {reason}")]
    Part {
        /// The part.
        name: String,
        /// Why.
        reason: String,
    },
    /// The duration is not a positive number.
    #[error("the run lasts until {0} ms; it must be positive and finite")]
    Until(f64),
    /// The onset of an input in a run whose steps follow an error estimate.
    #[error(
        "there is no derivative with respect to \"{0}\" where steps follow an error estimate: steps end at the jumps of inputs, and samples inside them would move too; fix the step size"
    )]
    AdaptiveOnset(String),
    /// The budget of memory is too small.
    #[error(
        "the memory budget of {budget} bytes is too small: one step and one checkpoint of this model take {needed} bytes"
    )]
    Budget {
        /// The budget.
        budget: usize,
        /// The least that works.
        needed: usize,
    },
    /// The system has less memory than the budget allows.
    #[error(
        "memory does not hold the {0} bytes that are planned for the way back; give a smaller budget"
    )]
    Memory(usize),
    /// The loss is malformed.
    #[error("the loss is malformed: {0}")]
    Loss(String),
    /// An adjoint became infinite or NaN.
    #[error(
        "on the way back the derivative with respect to {name} became {value}, at the beginning of step {step}, t = {time} ms, in cell {cell}, element {element}; the run is unstable or a kernel has no derivative there"
    )]
    NotFinite {
        /// The state.
        name: String,
        /// Number of the step, from 0.
        step: u64,
        /// Time, ms.
        time: f64,
        /// Cell of the population, from 0.
        cell: usize,
        /// Element of the cell, from 0.
        element: usize,
        /// The derivative.
        value: f64,
    },
}
