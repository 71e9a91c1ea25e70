//! The membrane of a cell, recorded into a model: potential, mechanisms on their compartments, ions and currents.

mod ions;
mod launch;
mod patches;
mod sets;

use crate::mechanism::{Kind, Mechanism};
use crate::placed::Placed;
use braincell_core::model::{
    DiffEqState, Domain, ModelBuilder, ModelError, Parameter, ParameterId, SignalId, StateId,
    Values,
};
pub(crate) use launch::Identity;
use patches::Patches;
use sets::Found;
use std::collections::HashMap;

/// A mechanism with the compartments that have it.
pub(crate) struct Painted {
    pub label: String,
    pub mechanism: Mechanism,
    /// The compartments, ascending.
    pub elements: Vec<u32>,
    /// The fraction of the area of each that is covered, if not all are covered wholly.
    pub cover: Option<Vec<f64>>,
    /// One per parameter: numbers for the compartments, where they are given.
    pub given: Vec<Option<Values>>,
    /// The solver that advances its states, and its steps per half step of the cell.
    pub solver: Option<(String, usize)>,
    /// Whether that is so only because nobody said otherwise.
    pub by_default: bool,
}

impl Painted {
    /// A mechanism in the only compartment of a cell.
    pub fn single(placed: &Placed) -> Self {
        let given = placed.values.iter();
        let given = given.map(|v| v.as_ref().map(|v| v.values(&[0.0])));
        Self {
            label: placed.label.clone(),
            mechanism: placed.mechanism.clone(),
            elements: vec![0],
            cover: None,
            given: given.collect(),
            solver: placed.solver.clone(),
            by_default: placed.by_default,
        }
    }

    fn is_pool(&self) -> bool {
        matches!(self.mechanism.kind, Kind::Pool { .. })
    }

    /// "ICaL" (cal_is2008)
    fn title(&self) -> String {
        format!("\"{}\" ({})", self.label, self.mechanism.name())
    }

    /// Whether the parameter in that place has a value.
    fn has_value(&self, place: usize) -> bool {
        self.given[place].is_some() || !self.mechanism.info.parameters[place].default.is_nan()
    }

    /// The values of the parameter in that place, given or default.
    fn value(&self, place: usize) -> Values {
        let default = || Values::Uniform(self.mechanism.info.parameters[place].default);
        self.given[place].clone().unwrap_or_else(default)
    }

    fn cover(&self, place: usize) -> f64 {
        self.cover.as_ref().map_or(1.0, |cover| cover[place])
    }
}

/// The capacitance, initial potential and mechanisms of a membrane.
pub(crate) struct Description {
    /// mV.
    pub initial: Values,
    /// µF/cm².
    pub capacitance: Values,
    pub mechanisms: Vec<Painted>,
}

/// Handles of one mechanism.
struct MechanismHandles {
    domain: Domain,
    states: Vec<StateId>,
    /// `None` where a pool or the initial state takes the parameter's place.
    parameters: Vec<Option<ParameterId>>,
    /// The current; of a pool the sum of the currents of its ion.
    current: SignalId,
    /// Of a pool, the reversal potential.
    reversal: Option<SignalId>,
    /// What the current is multiplied by where it is added up, if that is not 1 everywhere.
    cover: Option<ParameterId>,
    /// The pools of the ions that are carried and sensed, by number of the mechanism.
    carries: Option<usize>,
    senses: Option<usize>,
}

/// Handles of a membrane.
pub(crate) struct Membrane {
    /// All compartments.
    pub domain: Domain,
    /// Membrane potential, mV.
    pub v: StateId,
    /// Capacitance, µF/cm².
    pub capacitance: ParameterId,
    /// Current into the cell, µA/cm²: kernels may add to it.
    pub total: SignalId,
    /// 1 / C.
    per_capacitance: SignalId,
    mechanisms: Vec<MechanismHandles>,
    /// Channels that are computed in one loop.
    sets: Vec<Found>,
    /// The set whose currents are computed with the membrane equation: `total` is that of all other mechanisms then.
    with_equation: Option<WithEquation>,
}

struct WithEquation {
    /// Its number.
    set: usize,
    /// The currents of all mechanisms, for recording.
    sum: SignalId,
    /// What enters the equation besides the currents of the set, where that is more than one current.
    others: SignalId,
}

/// Declares a membrane on a domain of so many compartments.
pub(crate) fn declare(
    m: &mut ModelBuilder,
    domain: Domain,
    compartments: usize,
    description: &Description,
) -> Result<Membrane, ModelError> {
    let v = m.state(
        domain,
        DiffEqState::voltage("V", description.initial.clone()),
    )?;
    let capacitance = Parameter::new("C", description.capacitance.clone()).with_unit("uF/cm2");
    let capacitance = m.parameter(domain, capacitance)?;
    let sum = m.signal(domain, "I", "uA/cm2")?;
    let per_capacitance = m.signal(domain, "1/C", "cm2/uF")?;
    let painted = &description.mechanisms;
    let pools = ions::find_pools(painted)?;
    let mut patches = Patches::new(domain, compartments);
    patches.add_pools(m, painted, &pools)?;
    let mut mechanisms = Vec::new();
    for one in painted {
        mechanisms.push(declare_one(m, &mut patches, one, painted, &pools)?);
    }
    let sets = sets::find(painted, &mechanisms);
    let everywhere = |found: &Found| found.domain == domain;
    let mut total = sum;
    let with_equation = |set| {
        total = m.signal(domain, "I.others", "uA/cm2")?;
        let others = m.signal(domain, "I.into_equation", "uA/cm2")?;
        Ok(WithEquation { set, sum, others })
    };
    let with_equation = sets
        .iter()
        .position(everywhere)
        .map(with_equation)
        .transpose()?;
    Ok(Membrane {
        domain,
        v,
        capacitance,
        total,
        per_capacitance,
        mechanisms,
        sets,
        with_equation,
    })
}

fn declare_one(
    m: &mut ModelBuilder,
    patches: &mut Patches,
    one: &Painted,
    painted: &[Painted],
    pools: &HashMap<&'static str, usize>,
) -> Result<MechanismHandles, ModelError> {
    let info = &one.mechanism.info;
    let label = &one.label;
    let is_pool = one.is_pool();
    let [carries, senses] = match is_pool {
        true => [None, None],
        false => ions::check(one, painted, pools)?,
    };
    let domain = patches.domain(
        m,
        one,
        [carries, senses].into_iter().flatten().map(|p| &painted[p]),
    )?;
    let mut initial = None;
    let mut parameters = Vec::new();
    for (place, p) in info.parameters.iter().enumerate() {
        let name = format!("{label}.{}", p.name);
        if is_pool && place + 1 == info.parameters.len() {
            initial = Some(one.value(place));
            parameters.push(None);
        } else if carries.is_some() && p.name == "E" {
            parameters.push(None);
        } else if one.has_value(place) {
            let parameter = Parameter::new(name, one.value(place)).with_unit(p.unit);
            parameters.push(Some(m.parameter(domain, parameter)?));
        } else {
            return Err(ModelError::Invalid(format!(
                "\"{name}\", {}, has no value; give one in {}",
                p.description, p.unit
            )));
        }
    }
    let cover = ions::weights(one, carries.map(|p| &painted[p]));
    let cover = cover.map(|weights| {
        let name = format!("{label}.cover");
        m.parameter(domain, Parameter::new(name, Values::PerElement(weights)))
    });
    let cover = cover.transpose()?;
    let states = |m: &mut ModelBuilder| {
        let states = info.states.iter().map(|state| {
            let name = format!("{label}.{state}");
            let state = match &initial {
                Some(initial) => DiffEqState::concentration(name, initial.clone()),
                None => DiffEqState::gate(name),
            };
            m.state(domain, state)
        });
        states.collect::<Result<Vec<_>, _>>()
    };
    let states = match &one.solver {
        Some((solver, substeps)) if one.by_default => {
            m.independent_by_default(label, solver, *substeps, states)?
        }
        Some((solver, substeps)) => m.independent(label, solver, *substeps, states)?,
        None => states(m)?,
    };
    let current = m.signal(domain, &format!("{label}.I"), "uA/cm2")?;
    let reversal = match is_pool {
        true => Some(m.signal(domain, &format!("{label}.E"), "mV")?),
        false => None,
    };
    Ok(MechanismHandles {
        domain,
        states,
        parameters,
        current,
        reversal,
        cover,
        carries,
        senses,
    })
}
