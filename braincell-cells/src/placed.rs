//! Mechanisms with values for their parameters.

use crate::discretisation::DiscretisationError;
use crate::distribution::Distribution;
use crate::mechanism::{Kind, Mechanism, MechanismError};
use crate::morphology::RegionError;

/// Why a cell is malformed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CellError {
    /// The mechanism has no such parameter.
    #[error("mechanism \"{label}\" ({mechanism}) has no parameter \"{name}\"; it has {known}")]
    Parameter {
        /// Label in the cell.
        label: String,
        /// Name of the mechanism.
        mechanism: String,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A mechanism is malformed or unknown.
    #[error(transparent)]
    Mechanism(#[from] MechanismError),
    /// A region or location cannot be evaluated.
    #[error("\"{name}\": {error}")]
    Region {
        /// What is to be there.
        name: String,
        /// What is wrong.
        error: RegionError,
    },
    /// A resistivity is not usable.
    #[error(transparent)]
    Discretisation(#[from] DiscretisationError),
    /// A region without membrane.
    #[error("\"{name}\": the region is empty in this morphology; choose one that has membrane")]
    NothingCovered {
        /// What is to be there.
        name: String,
    },
    /// Mechanisms that differ have one label.
    #[error(
        "the label \"{label}\" stands for {first} and for {second}; give one of them another label"
    )]
    LabelTaken {
        /// The label.
        label: String,
        /// What is painted first, and how it is advanced.
        first: String,
        /// What is painted now, and how it is advanced.
        second: String,
    },
    /// A location without any place, or with several where one is needed.
    #[error("\"{name}\": the location has {found} places in this morphology; {wanted}")]
    Places {
        /// What is to be there.
        name: String,
        /// How many there are.
        found: usize,
        /// What there should be.
        wanted: &'static str,
    },
}

/// A mechanism in a cell, with a label and values for its parameters.
#[derive(Clone)]
pub struct Placed {
    pub(crate) label: String,
    pub(crate) mechanism: Mechanism,
    /// One per parameter, where one is given.
    pub(crate) values: Vec<Option<Distribution>>,
    /// The solver that advances its states, and its steps per half step of the cell.
    pub(crate) solver: Option<(String, usize)>,
}

impl Placed {
    /// A mechanism with its default parameters. The label is the first part of the names of its states and
    /// parameters: "na.m", "na.g_max".
    ///
    /// The states of a kinetic scheme are advanced implicitly, by backward Euler in one step per half step of the
    /// cell, see [`Placed::advanced_by`]; those of other mechanisms by the cell's solver.
    pub fn new(label: impl Into<String>, mechanism: Mechanism) -> Self {
        let is_scheme = matches!(mechanism.kind, Kind::Scheme { .. });
        Self {
            label: label.into(),
            values: vec![None; mechanism.info.parameters.len()],
            solver: is_scheme.then(|| ("backward_euler".to_string(), 1)),
            mechanism,
        }
    }

    /// With a value for a parameter, in the unit of its [`crate::ParameterSpec`].
    ///
    /// # Errors
    /// [`CellError::Parameter`].
    pub fn with(mut self, name: &str, value: impl Into<Distribution>) -> Result<Self, CellError> {
        let parameters = &self.mechanism.info.parameters;
        match parameters.iter().position(|p| p.name == name) {
            Some(place) => {
                self.values[place] = Some(value.into());
                Ok(self)
            }
            None => {
                let known: Vec<&str> = parameters.iter().map(|p| p.name).collect();
                Err(CellError::Parameter {
                    label: self.label,
                    mechanism: self.mechanism.info.name.to_string(),
                    name: name.to_string(),
                    known: known.join(", "),
                })
            }
        }
    }

    /// With a solver of its own, which advances the states in `substeps` steps in each half of the cell's step; see
    /// [`braincell_core::model::IndependentIntegration`].
    pub fn advanced_by(mut self, solver: impl Into<String>, substeps: usize) -> Self {
        self.solver = Some((solver.into(), substeps));
        self
    }

    /// With its states advanced by the cell's solver, together with the potential.
    ///
    /// For a kinetic scheme this avoids the error of splitting, which is of first order with backward Euler and of
    /// second with better solvers. Solvers that treat every state by itself, such as "ind_exp_euler", do not keep the
    /// sum of its states at 1: give the scheme a solver of its own with them.
    pub fn advanced_with_cell(mut self) -> Self {
        self.solver = None;
        self
    }

    /// The label.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The value of the parameter in that place, given or default.
    pub(crate) fn value(&self, place: usize) -> Distribution {
        let default = || self.mechanism.info.parameters[place].default.into();
        self.values[place].clone().unwrap_or_else(default)
    }
}
