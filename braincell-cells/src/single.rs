//! Cells of one compartment.

use crate::mechanism::{Mechanism, MechanismError};
use crate::mechanisms;
use braincell_core::input::Input;
use braincell_core::kernel::{Pointwise, pointwise};
use braincell_core::model::{
    DiffEqModule, DiffEqState, Domain, Launches, Model, ModelBuilder, ModelError, Parameter,
    ParameterId, SignalId, Source, StateId, Target, Values,
};
use braincell_core::real::Real;

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
}

/// A mechanism in a cell, with a label and values for its parameters.
#[derive(Clone)]
pub struct Placed {
    label: String,
    mechanism: Mechanism,
    values: Vec<Values>,
}

impl Placed {
    /// A mechanism with its default parameters. The label is the first part of the names of its states and
    /// parameters: "na.m", "na.g_max".
    pub fn new(label: impl Into<String>, mechanism: Mechanism) -> Self {
        let defaults = mechanism.info.parameters.iter();
        Self {
            label: label.into(),
            values: defaults.map(|p| Values::Uniform(p.default)).collect(),
            mechanism,
        }
    }

    /// With a value for a parameter, in the unit of its [`crate::ParameterSpec`].
    ///
    /// # Errors
    /// [`CellError::Parameter`].
    pub fn with(mut self, name: &str, value: impl Into<Values>) -> Result<Self, CellError> {
        let parameters = &self.mechanism.info.parameters;
        match parameters.iter().position(|p| p.name == name) {
            Some(place) => {
                self.values[place] = value.into();
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
}

/// A cell of one compartment: C dV/dt = Σ I + input, currents positive into the cell.
///
/// ```
/// use braincell_cells::SingleCompartment;
/// use braincell_core::input::Input;
/// use braincell_core::model::Model;
///
/// let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::step(10.0, 5.0, 45.0));
/// let model = Model::new(&cell)?;
/// assert_eq!(model.state_names(), ["V", "na.m", "na.h", "k.n"]);
/// # Ok::<(), braincell_core::model::ModelError>(())
/// ```
#[derive(Clone)]
pub struct SingleCompartment {
    capacitance: Values,
    initial: Values,
    mechanisms: Vec<Placed>,
    inputs: Vec<(String, Vec<Input>)>,
}

impl Default for SingleCompartment {
    fn default() -> Self {
        Self::new()
    }
}

impl SingleCompartment {
    /// A bare membrane of 1 µF/cm² at -65 mV.
    pub fn new() -> Self {
        Self {
            capacitance: Values::Uniform(1.0),
            initial: Values::Uniform(-65.0),
            mechanisms: Vec::new(),
            inputs: Vec::new(),
        }
    }

    /// The classic membrane of Hodgkin and Huxley: mechanisms "na", "k" and "leak" with their published parameters.
    pub fn hodgkin_huxley() -> Self {
        let built_in = [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")];
        built_in
            .into_iter()
            .fold(Self::new(), |cell, (label, name)| {
                let mechanism = mechanisms::find(name).expect("a built-in mechanism");
                cell.mechanism(Placed::new(label, mechanism))
            })
    }

    /// With a membrane capacitance, µF/cm².
    pub fn capacitance(mut self, capacitance: impl Into<Values>) -> Self {
        self.capacitance = capacitance.into();
        self
    }

    /// With an initial membrane potential, mV.
    pub fn initial_voltage(mut self, voltage: impl Into<Values>) -> Self {
        self.initial = voltage.into();
        self
    }

    /// With a mechanism.
    pub fn mechanism(mut self, mechanism: Placed) -> Self {
        self.mechanisms.push(mechanism);
        self
    }

    /// With a current into the cell, µA/cm², the same in every cell of a population.
    pub fn input(self, name: impl Into<String>, current: Input) -> Self {
        self.inputs(name, vec![current])
    }

    /// With currents into the cells of a population, µA/cm², one for each.
    pub fn inputs(mut self, name: impl Into<String>, currents: Vec<Input>) -> Self {
        self.inputs.push((name.into(), currents));
        self
    }

    /// The model of a population of `cells` such cells.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn population(&self, cells: usize) -> Result<Model, ModelError> {
        Model::population(self, cells)
    }
}

/// Handles of a mechanism.
struct PlacedHandles {
    gates: Vec<StateId>,
    parameters: Vec<ParameterId>,
    current: SignalId,
}

/// Handles of a [`SingleCompartment`].
pub struct CellHandles {
    v: StateId,
    capacitance: ParameterId,
    total: SignalId,
    mechanisms: Vec<PlacedHandles>,
    inputs: Vec<SignalId>,
}

/// dV/dt = (I + Σ inputs) / C
struct Membrane<const N: usize>;

impl<const N: usize> Pointwise for Membrane<N> {
    type Inputs<T: Copy> = ([T; 2], [T; N]);
    type Outputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, ([current, capacitance], inputs): ([R; 2], [R; N])) -> [R; 1] {
        let mut sum = current;
        for input in inputs {
            sum = sum + input;
        }
        [sum / capacitance]
    }
}

/// The argument itself.
struct Identity;

impl Pointwise for Identity {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, x: [R; 1]) -> [R; 1] {
        x
    }
}

impl DiffEqModule for SingleCompartment {
    type Handles = CellHandles;

    fn declare(&self, m: &mut ModelBuilder) -> Result<CellHandles, ModelError> {
        let cell = Domain::CELL;
        let v = m.state(cell, DiffEqState::voltage("V", self.initial.clone()))?;
        let capacitance = Parameter::new("C", self.capacitance.clone()).with_unit("uF/cm2");
        let capacitance = m.parameter(cell, capacitance)?;
        let total = m.signal(cell, "I", "uA/cm2")?;
        let mut mechanisms = Vec::new();
        for placed in &self.mechanisms {
            let info = &placed.mechanism.info;
            let label = &placed.label;
            let gates = info.gates.iter().map(|gate| {
                let gate = DiffEqState::gate(format!("{label}.{gate}"));
                m.state(cell, gate)
            });
            let gates = gates.collect::<Result<_, _>>()?;
            let parameters = info
                .parameters
                .iter()
                .zip(&placed.values)
                .map(|(p, value)| {
                    let name = format!("{label}.{}", p.name);
                    m.parameter(cell, Parameter::new(name, value.clone()).with_unit(p.unit))
                });
            let parameters = parameters.collect::<Result<_, _>>()?;
            let current = m.signal(cell, &format!("{label}.I"), "uA/cm2")?;
            mechanisms.push(PlacedHandles {
                gates,
                parameters,
                current,
            });
        }
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|(name, waves)| m.input(name, "uA/cm2", waves.clone()));
        let inputs = inputs.collect::<Result<_, _>>()?;
        Ok(CellHandles {
            v,
            capacitance,
            total,
            mechanisms,
            inputs,
        })
    }

    fn compute_derivative(
        &self,
        handles: &CellHandles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let cell = Domain::CELL;
        for (placed, ids) in self.mechanisms.iter().zip(&handles.mechanisms) {
            let mechanism = &placed.mechanism;
            let info = &mechanism.info;
            let reversal = info.parameters.iter().position(|p| p.name == "E");
            let reversal = reversal.map_or(Source::Zero, |e| Source::Parameter(ids.parameters[e]));
            let local = [Source::State(handles.v), reversal, Source::Zero];
            let gates: Vec<Source> = ids.gates.iter().map(|&g| Source::State(g)).collect();
            let parameters = ids.parameters.iter().map(|&p| Source::Parameter(p));
            let parameters: Vec<Source> = parameters.collect();
            let inputs = [&local[..], &gates, &parameters].concat();
            // Launches whose result nobody needs cost nothing: the single current is for recording.
            for target in [handles.total, ids.current] {
                let target = [Target::Signal(target)];
                k.launch(cell, mechanism.current.clone(), &inputs, &target)?;
            }
            if let Some(rates) = &mechanism.rates {
                let inputs = [&local[..], &parameters, &gates].concat();
                let outputs: Vec<_> = ids.gates.iter().map(|&g| Target::Derivative(g)).collect();
                k.launch(cell, rates.clone(), &inputs, &outputs)?;
            }
        }
        // Up to four inputs enter the membrane equation directly.
        let (direct, added) = handles.inputs.split_at(handles.inputs.len().min(4));
        for &input in added {
            let inputs = [Source::Signal(input)];
            let outputs = [Target::Signal(handles.total)];
            k.launch(cell, pointwise(Identity), &inputs, &outputs)?;
        }
        let membrane = match direct.len() {
            0 => pointwise(Membrane::<0>),
            1 => pointwise(Membrane::<1>),
            2 => pointwise(Membrane::<2>),
            3 => pointwise(Membrane::<3>),
            _ => pointwise(Membrane::<4>),
        };
        let mut inputs = vec![
            Source::Signal(handles.total),
            Source::Parameter(handles.capacitance),
        ];
        inputs.extend(direct.iter().map(|&s| Source::Signal(s)));
        k.launch(cell, membrane, &inputs, &[Target::Derivative(handles.v)])
    }
}
