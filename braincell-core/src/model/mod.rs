//! Models: states, parameters and the kernels that compute their derivatives, recorded once.
//!
//! A [`DiffEqModule`] declares its states and launches kernels on them through a [`ModelBuilder`]; the finished
//! [`Model`] is data, which the engine runs forwards, differentiates and cuts into tiles.
//! [`Ode`] is the short way for a plain system of equations.

mod builder;
mod cable;
mod independent;
mod inputs;
mod launches;
mod module;
mod ode;
mod state;
pub mod systems;

pub use builder::ModelBuilder;
pub use cable::{Cable, CableNode, Resistivity};
pub use independent::IndependentIntegration;
pub use inputs::ModelInput;
pub use launches::{Launches, Phase, Source, Target};
pub use module::DiffEqModule;
pub use ode::{Ode, OdeModule, ode};
pub use state::{DiffEqState, Parameter, Part, Values};

pub(crate) use cable::CableInfo;

use crate::input::Input;
use crate::kernel::Kernel;
use std::fmt;
use std::sync::Arc;

/// A set of elements on which states, parameters and signals live: the compartments of a cell, or some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(pub(crate) usize);

impl Domain {
    /// The domain of one element, the cell as a whole. It exists in every model; what lives on it is seen by all
    /// elements of any other domain.
    pub const CELL: Domain = Domain(0);
}

/// A state variable of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateId(pub(crate) usize);

/// A parameter of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParameterId(pub(crate) usize);

/// A quantity computed from states and parameters on the way to the derivatives, such as an ionic current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SignalId(pub(crate) usize);

/// Why a model cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// Two states, parameters or signals have one name.
    #[error(
        "the name \"{0}\" is used twice in this model; names of states, parameters and signals must differ"
    )]
    NameTaken(String),
    /// A name is not in the model.
    #[error("this model has no {kind} \"{name}\"; it has {known}")]
    Unknown {
        /// "state", "parameter", "variable".
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A value is NaN or infinite.
    #[error("{what} \"{name}\" has the value {value} at element {element}; give a finite number")]
    NotFinite {
        /// "initial value of state" or "parameter".
        what: &'static str,
        /// Its name.
        name: String,
        /// Where.
        element: usize,
        /// The value.
        value: f64,
    },
    /// An initial value is outside the bounds of its state.
    #[error("initial value of state \"{name}\" is {value} at element {element}; it must lie between {} and {}", .bounds.0, .bounds.1)]
    Bounds {
        /// The state.
        name: String,
        /// Where.
        element: usize,
        /// The value.
        value: f64,
        /// The bounds.
        bounds: (f64, f64),
    },
    /// A list of values has the wrong length.
    #[error("\"{name}\" has {given} values, but {wanted}")]
    Length {
        /// What the values are for.
        name: String,
        /// How many there are.
        given: usize,
        /// How many there should be, in words.
        wanted: String,
    },
    /// A kernel was launched with the wrong number of inputs or outputs, or across domains that do not fit.
    #[error("a kernel launch does not fit: {0}")]
    Launch(String),
    /// The model has no state, no cells or no elements.
    #[error("{0}")]
    Empty(String),
    /// Anything a module refuses.
    #[error("{0}")]
    Invalid(String),
    /// An input is malformed.
    #[error("input \"{name}\": {error}")]
    Input {
        /// The input's name.
        name: String,
        /// What is wrong.
        error: crate::input::InputError,
    },
}

/// What a model offers to steppers beyond its right-hand side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// There is a membrane potential: a state of [`Part::Voltage`].
    pub membrane: bool,
    /// There are diffusion terms: the model is a stochastic differential equation.
    pub noise: bool,
    /// Compartments are coupled along a tree of cables.
    pub cable: bool,
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = vec!["right-hand side"];
        let flags = [
            (self.membrane, "membrane potential"),
            (self.noise, "diffusion"),
            (self.cable, "cable"),
        ];
        list.extend(flags.iter().filter(|(has, _)| *has).map(|(_, name)| *name));
        f.write_str(&list.join(", "))
    }
}

/// Elements of a domain and where they sit in others.
#[derive(Clone, Debug)]
pub(crate) struct DomainInfo {
    pub name: String,
    pub rows: usize,
    /// For a subset: the domain it is part of, and the row there of each of its rows.
    pub within: Option<(Domain, Arc<[u32]>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct StateInfo {
    pub state: DiffEqState,
    pub domain: Domain,
    pub group: usize,
    /// Whether some kernel writes its derivative.
    pub derivative: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct ParameterInfo {
    pub parameter: Parameter,
    pub domain: Domain,
}

#[derive(Clone, Debug)]
pub(crate) struct SignalInfo {
    pub name: String,
    pub unit: String,
    pub domain: Domain,
    /// The waveforms, one for all cells or one per cell, if the signal is an input from outside.
    pub input: Option<Vec<Input>>,
}

/// One run of a kernel over a domain.
#[derive(Clone)]
pub(crate) struct Launch {
    pub phase: Phase,
    pub domain: Domain,
    pub kernel: Arc<dyn Kernel>,
    pub inputs: Vec<Source>,
    pub outputs: Vec<Target>,
}

/// States that one solver advances together: the parent's, or those of an [`IndependentIntegration`].
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub name: String,
    /// Solver and substeps per step; the parent's group has none of its own.
    pub solver: Option<(String, usize)>,
    /// Whether nobody asked for it: see [`ModelBuilder::independent_by_default`].
    pub by_default: bool,
}

/// A finished model: the states, parameters, inputs and kernels of a population of equal cells.
#[derive(Clone)]
pub struct Model {
    pub(crate) cells: usize,
    pub(crate) domains: Vec<DomainInfo>,
    pub(crate) states: Vec<StateInfo>,
    pub(crate) parameters: Vec<ParameterInfo>,
    pub(crate) signals: Vec<SignalInfo>,
    pub(crate) launches: Vec<Launch>,
    pub(crate) groups: Vec<Group>,
    pub(crate) cable: Option<CableInfo>,
}

impl Model {
    /// Records a module's equations for one cell.
    ///
    /// # Errors
    /// What the module refuses, and what does not fit: names used twice, values that are not finite, kernels whose
    /// arguments do not match.
    pub fn new<M: DiffEqModule + ?Sized>(module: &M) -> Result<Self, ModelError> {
        Self::population(module, 1)
    }

    /// Records a module's equations for a population of `cells` equal cells. Initial values, parameters and inputs
    /// may differ from cell to cell, see [`Values`].
    ///
    /// # Errors
    /// As [`Model::new`].
    pub fn population<M: DiffEqModule + ?Sized>(
        module: &M,
        cells: usize,
    ) -> Result<Self, ModelError> {
        let mut builder = ModelBuilder::new(cells)?;
        module.record(&mut builder)?;
        builder.finish()
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// What the model offers to steppers.
    pub fn capabilities(&self) -> Capabilities {
        self.group_capabilities(0)
    }

    /// What the states of one group offer.
    pub(crate) fn group_capabilities(&self, group: usize) -> Capabilities {
        let mut states = self.states.iter().filter(|s| s.group == group);
        let targets = self.launches.iter().flat_map(|l| &l.outputs);
        Capabilities {
            membrane: states.any(|s| s.state.part == Part::Voltage),
            noise: targets
                .into_iter()
                .any(|t| matches!(t, Target::Diffusion(s) if self.states[s.0].group == group)),
            cable: (self.cable.as_ref())
                .is_some_and(|c| self.states[c.cable.voltage.0].group == group),
        }
    }

    /// Names of the states, in order.
    pub fn state_names(&self) -> Vec<&str> {
        self.states.iter().map(|s| s.state.name.as_str()).collect()
    }

    /// Names of the parameters, in order.
    pub fn parameter_names(&self) -> Vec<&str> {
        self.parameters
            .iter()
            .map(|p| p.parameter.name.as_str())
            .collect()
    }

    /// Names of the signals, inputs from outside included, in order.
    pub fn signal_names(&self) -> Vec<&str> {
        self.signals.iter().map(|s| s.name.as_str()).collect()
    }

    /// The declaration of a state: its initial value, unit and part.
    ///
    /// # Errors
    /// [`ModelError::Unknown`].
    pub fn state(&self, name: &str) -> Result<&DiffEqState, ModelError> {
        let found = self.states.iter().find(|s| s.state.name == name);
        found
            .map(|s| &s.state)
            .ok_or_else(|| unknown("state", name, &self.state_names()))
    }

    /// The declaration of a parameter: its values and unit.
    ///
    /// # Errors
    /// [`ModelError::Unknown`].
    pub fn parameter(&self, name: &str) -> Result<&Parameter, ModelError> {
        let found = self.parameters.iter().find(|p| p.parameter.name == name);
        found
            .map(|p| &p.parameter)
            .ok_or_else(|| unknown("parameter", name, &self.parameter_names()))
    }

    /// Changes the values of a parameter.
    ///
    /// # Errors
    /// [`ModelError::Unknown`], [`ModelError::NotFinite`], [`ModelError::Length`].
    pub fn set_parameter(
        &mut self,
        name: &str,
        values: impl Into<Values>,
    ) -> Result<(), ModelError> {
        let Some(place) = self
            .parameters
            .iter()
            .position(|p| p.parameter.name == name)
        else {
            return Err(unknown("parameter", name, &self.parameter_names()));
        };
        let values = values.into();
        let rows = self.domains[self.parameters[place].domain.0].rows;
        values.check("parameter", name, rows, self.cells)?;
        let cable = self.cable.as_ref();
        if cable.is_some_and(|info| info.cable.capacitance.0 == place) {
            cable::check_capacitance(name, &values)?;
        }
        if let Some(info) = cable
            && let Some(resistivity) = &info.resistivity
            && resistivity.parameter.0 == place
        {
            self.cable = Some(info.with_resistivity(resistivity.clone(), (name, &values))?);
        }
        self.parameters[place].parameter.value = values;
        Ok(())
    }

    /// Changes the initial value of a state.
    ///
    /// # Errors
    /// [`ModelError::Unknown`], [`ModelError::NotFinite`], [`ModelError::Length`], [`ModelError::Bounds`].
    pub fn set_initial(&mut self, name: &str, values: impl Into<Values>) -> Result<(), ModelError> {
        let Some(place) = self.states.iter().position(|s| s.state.name == name) else {
            return Err(unknown("state", name, &self.state_names()));
        };
        let values = values.into();
        let rows = self.domains[self.states[place].domain.0].rows;
        values.check("initial value of state", name, rows, self.cells)?;
        let mut state = self.states[place].state.clone();
        state.value = values;
        state.steady = false;
        state.check_bounds()?;
        self.states[place].state = state;
        Ok(())
    }

    /// Number of elements per cell of the state or signal `name`.
    ///
    /// # Errors
    /// [`ModelError::Unknown`].
    pub fn elements(&self, name: &str) -> Result<usize, ModelError> {
        let states = self.states.iter().map(|s| (&s.state.name, s.domain));
        let signals = self.signals.iter().map(|s| (&s.name, s.domain));
        let mut all = states.chain(signals);
        match all.find(|(known, _)| *known == name) {
            Some((_, domain)) => Ok(self.domains[domain.0].rows),
            None => {
                let known = [self.state_names(), self.signal_names()].concat();
                Err(unknown("variable", name, &known))
            }
        }
    }

    /// The unit of the state or signal `name`.
    ///
    /// # Errors
    /// [`ModelError::Unknown`].
    pub fn unit(&self, name: &str) -> Result<&str, ModelError> {
        let states = self.states.iter().map(|s| (&s.state.name, &s.state.unit));
        let signals = self.signals.iter().map(|s| (&s.name, &s.unit));
        match states.chain(signals).find(|(known, _)| *known == name) {
            Some((_, unit)) => Ok(unit),
            None => {
                let known = [self.state_names(), self.signal_names()].concat();
                Err(unknown("variable", name, &known))
            }
        }
    }

    /// The row in `to` of each row of `from`; `None` if they are the same rows.
    ///
    /// `to` is `from` itself, a domain that `from` is part of, or [`Domain::CELL`].
    pub(crate) fn rows(&self, from: Domain, to: Domain) -> Option<Option<Arc<[u32]>>> {
        if from == to {
            return Some(None);
        }
        if to == Domain::CELL {
            return Some(if self.domains[from.0].rows == 1 {
                None
            } else {
                Some(vec![0; self.domains[from.0].rows].into())
            });
        }
        let (next, map) = self.domains[from.0].within.as_ref()?;
        match self.rows(*next, to)? {
            None => Some(Some(map.clone())),
            Some(outer) => Some(Some(map.iter().map(|&row| outer[row as usize]).collect())),
        }
    }

    /// Jump times after `from` and before `until`, sorted, of the inputs to one cell or to all; nothing if there are more
    /// than can be listed.
    pub(crate) fn jumps(&self, cell: Option<usize>, from: f64, until: f64) -> Option<Vec<f64>> {
        const MOST: usize = 20_000_000;
        let mut jumps = Vec::new();
        for waveforms in self.signals.iter().filter_map(|s| s.input.as_deref()) {
            let waveforms = match cell {
                Some(cell) if waveforms.len() > 1 => &waveforms[cell..=cell],
                _ => waveforms,
            };
            for input in waveforms {
                let mut jump = input.next_jump(from);
                while jump < until {
                    jumps.push(jump);
                    if jumps.len() > MOST {
                        return None;
                    }
                    jump = input.next_jump(jump);
                }
            }
        }
        jumps.sort_by(f64::total_cmp);
        jumps.dedup();
        Some(jumps)
    }

    /// Gives the states of groups that nobody asked for to the parent.
    pub(crate) fn join_default_groups(&mut self) {
        let keep = |g: usize| g == 0 || !self.groups[g].by_default;
        let mut number = 0;
        let renamed: Vec<usize> = (0..self.groups.len())
            .map(|g| {
                number += usize::from(g > 0 && keep(g));
                if keep(g) { number } else { 0 }
            })
            .collect();
        for state in &mut self.states {
            state.group = renamed[state.group];
        }
        self.groups.retain(|group| !group.by_default);
    }
}

/// The error for a name that is not there.
pub(crate) fn unknown(kind: &'static str, name: &str, known: &[&str]) -> ModelError {
    let name = name.to_string();
    let known = known.join(", ");
    ModelError::Unknown { kind, name, known }
}
