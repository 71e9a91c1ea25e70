//! State variables and parameters.

use super::ModelError;
use ndarray::Array2;
use std::fmt;

/// What kind of quantity a state is. Steppers and tolerances treat the kinds differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Membrane potential.
    Voltage,
    /// Gating variable or channel state, between 0 and 1.
    Gate,
    /// Ion concentration.
    Concentration,
    /// Anything else.
    Other,
}

impl Part {
    /// All parts.
    pub const ALL: [Part; 4] = [Part::Voltage, Part::Gate, Part::Concentration, Part::Other];
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Voltage => "voltage",
            Part::Gate => "gate",
            Part::Concentration => "concentration",
            Part::Other => "other",
        })
    }
}

/// Numbers for the elements of a domain in each cell of a population.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// One number for all.
    Uniform(f64),
    /// One number per element, the same in every cell.
    PerElement(Vec<f64>),
    /// One number per cell, the same in all its elements.
    PerCell(Vec<f64>),
    /// A number for each: elements × cells.
    Each(Array2<f64>),
}

impl From<f64> for Values {
    fn from(x: f64) -> Self {
        Values::Uniform(x)
    }
}

impl Values {
    /// The value at an element of a cell.
    pub fn at(&self, element: usize, cell: usize) -> f64 {
        match self {
            Values::Uniform(x) => *x,
            Values::PerElement(x) => x[element],
            Values::PerCell(x) => x[cell],
            Values::Each(x) => x[[element, cell]],
        }
    }

    /// Checks the shape against `elements` × `cells`, and that all numbers are finite.
    pub(crate) fn check(
        &self,
        what: &'static str,
        name: &str,
        elements: usize,
        cells: usize,
    ) -> Result<(), ModelError> {
        let (given, wanted, right) = match self {
            Values::Uniform(_) => (1, String::new(), true),
            Values::PerElement(x) => (
                x.len(),
                format!("there are {elements} elements"),
                x.len() == elements,
            ),
            Values::PerCell(x) => (
                x.len(),
                format!("there are {cells} cells"),
                x.len() == cells,
            ),
            Values::Each(x) => (
                x.len(),
                format!("there are {elements} elements in each of {cells} cells"),
                x.dim() == (elements, cells),
            ),
        };
        let name = name.to_string();
        if !right {
            return Err(ModelError::Length {
                name,
                given,
                wanted,
            });
        }
        match self.find(|x| !x.is_finite()) {
            Some((element, value)) => Err(ModelError::NotFinite {
                what,
                name,
                element,
                value,
            }),
            None => Ok(()),
        }
    }

    /// The first number of that kind, and its place.
    pub(super) fn find(&self, wanted: impl Fn(f64) -> bool) -> Option<(usize, f64)> {
        let numbers: &mut dyn Iterator<Item = f64> = match self {
            Values::Uniform(x) => &mut std::iter::once(*x),
            Values::PerElement(x) | Values::PerCell(x) => &mut x.iter().copied(),
            Values::Each(x) => &mut x.iter().copied(),
        };
        numbers.enumerate().find(|(_, x)| wanted(*x))
    }
}

/// A state variable: in a declaration with its initial value, in a simulation with its current value, derivative
/// and diffusion coefficient.
#[derive(Clone, Debug, PartialEq)]
pub struct DiffEqState {
    /// Name, unique in the model, such as "V" or "na.m".
    pub name: String,
    /// Unit of the value, for labels; derivatives are per ms.
    pub unit: String,
    /// The kind of quantity.
    pub part: Part,
    /// The value.
    pub value: Values,
    /// Whether a run starts from the steady state of this variable's kinetics at the other variables' initial values,
    /// instead of from [`DiffEqState::value`]. Only for states whose kinetics are [`crate::kernel::Kinetics`], or a
    /// [`crate::kernel::Pointwise`] that knows its steady state.
    pub steady: bool,
    /// The derivative (drift) per ms, where it has been computed.
    pub derivative: Option<Values>,
    /// The diffusion coefficient, unit · ms^-½, of a stochastic differential equation, where it has been computed.
    pub diffusion: Option<Values>,
    /// The least and the greatest value that make sense. Leaving this range stops a run.
    pub bounds: (f64, f64),
}

impl DiffEqState {
    /// A dimensionless state of [`Part::Other`], unbounded.
    pub fn new(name: impl Into<String>, initial: impl Into<Values>) -> Self {
        Self {
            name: name.into(),
            unit: String::new(),
            part: Part::Other,
            value: initial.into(),
            steady: false,
            derivative: None,
            diffusion: None,
            bounds: (f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    /// A membrane potential in mV.
    pub fn voltage(name: impl Into<String>, initial: impl Into<Values>) -> Self {
        Self::new(name, initial)
            .with_unit("mV")
            .with_part(Part::Voltage)
    }

    /// A gating variable that starts from its steady state.
    pub fn gate(name: impl Into<String>) -> Self {
        let mut state = Self::new(name, 0.0).with_part(Part::Gate);
        state.steady = true;
        state
    }

    /// A concentration in mM, which must stay positive.
    pub fn concentration(name: impl Into<String>, initial: impl Into<Values>) -> Self {
        Self::new(name, initial)
            .with_unit("mM")
            .with_part(Part::Concentration)
            .with_bounds(f64::MIN_POSITIVE, f64::INFINITY)
    }

    /// Checks that the initial value keeps the bounds.
    pub(crate) fn check_bounds(&self) -> Result<(), ModelError> {
        let (least, greatest) = self.bounds;
        match self.value.find(|x| x < least || x > greatest) {
            Some((element, value)) if !self.steady => Err(ModelError::Bounds {
                name: self.name.clone(),
                element,
                value,
                bounds: self.bounds,
            }),
            _ => Ok(()),
        }
    }

    /// With a unit.
    pub fn with_unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    /// With a part.
    pub fn with_part(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    /// With bounds: leaving them stops a run with an error that names the state.
    pub fn with_bounds(mut self, least: f64, greatest: f64) -> Self {
        self.bounds = (least, greatest);
        self
    }
}

/// A named number that the equations depend on and that gradients can be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Name, unique in the model, such as "na.g_max".
    pub name: String,
    /// Unit, for labels.
    pub unit: String,
    /// The value.
    pub value: Values,
}

impl Parameter {
    /// A dimensionless parameter.
    pub fn new(name: impl Into<String>, value: impl Into<Values>) -> Self {
        Self {
            name: name.into(),
            unit: String::new(),
            value: value.into(),
        }
    }

    /// With a unit.
    pub fn with_unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }
}
