//! The mechanisms of a patch of membrane, recorded into a model: states, parameters, ions and currents.

use crate::mechanism::{Kind, MechanismKind};
use crate::mechanisms;
use crate::placed::Placed;
use braincell_core::model::{
    DiffEqState, Domain, Launches, ModelBuilder, ModelError, Parameter, ParameterId, SignalId,
    Source, StateId, Target,
};
use std::collections::HashMap;

/// Handles of one mechanism.
pub(crate) struct MechanismHandles {
    states: Vec<StateId>,
    /// `None` where a pool or the initial state takes the parameter's place.
    parameters: Vec<Option<ParameterId>>,
    /// The current; of a pool the sum of the currents of its ion.
    current: SignalId,
    /// Of a pool, the reversal potential.
    reversal: Option<SignalId>,
}

/// Handles of all mechanisms of a patch of membrane.
pub(crate) struct MembraneHandles {
    mechanisms: Vec<MechanismHandles>,
    /// The pool of each ion, by number of the mechanism.
    pools: HashMap<&'static str, usize>,
}

impl MembraneHandles {
    /// The currents of the ions that have pools; they belong to the membrane current.
    pub fn ion_currents(&self) -> Vec<SignalId> {
        let mut pools: Vec<usize> = self.pools.values().copied().collect();
        pools.sort_unstable();
        let currents = pools.iter().map(|&p| self.mechanisms[p].current);
        currents.collect()
    }
}

/// "ICaL" (cal_is2008)
fn title(placed: &Placed) -> String {
    format!("\"{}\" ({})", placed.label, placed.mechanism.name())
}

/// How to add a pool of an ion.
fn add_pool(ion: &str) -> String {
    let all = mechanisms::all();
    let pools = all
        .iter()
        .filter(|m| m.kind() == MechanismKind::Pool && m.info.ion == Some(ion));
    let pools: Vec<&str> = pools.map(|m| m.name()).collect();
    match pools[..] {
        [] => format!("add a pool of {ion}"),
        _ => format!("add a pool of {ion}: {}", pools.join(" or ")),
    }
}

fn find_pools(placed: &[Placed]) -> Result<HashMap<&'static str, usize>, ModelError> {
    let mut pools: HashMap<&'static str, usize> = HashMap::new();
    for (place, pool) in placed.iter().enumerate() {
        let info = &pool.mechanism.info;
        let (Kind::Pool { .. }, Some(ion)) = (&pool.mechanism.kind, info.ion) else {
            continue;
        };
        if let Some(other) = pools.insert(ion, place) {
            return Err(ModelError::Invalid(format!(
                "the pools {} and {} are both of {ion}; a cell has one pool of an ion",
                title(&placed[other]),
                title(pool)
            )));
        }
    }
    Ok(pools)
}

/// Checks that a channel or scheme finds its ions.
fn check_ions(placed: &Placed, pools: &HashMap<&'static str, usize>) -> Result<(), ModelError> {
    let info = &placed.mechanism.info;
    let reversal = info.parameters.iter().position(|p| p.name == "E");
    if let Some(ion) = info.ion {
        let problem = match (pools.contains_key(ion), reversal) {
            (true, Some(e)) if placed.values[e].is_some() => Some(format!(
                "\"{}.E\" is given, but the cell has a pool of {ion}, which computes it; leave one of them out",
                placed.label
            )),
            (true, _) => None,
            (false, None) => Some(format!(
                "{} carries {ion} and has no parameter E, and the cell has no pool of {ion}; {}",
                title(placed),
                add_pool(ion)
            )),
            (false, Some(e)) if !placed.has_value(e) => Some(format!(
                "{} carries {ion}, but \"{}.E\" has no value and the cell has no pool of {ion}; {}, or give E in mV",
                title(placed),
                placed.label,
                add_pool(ion)
            )),
            (false, Some(_)) => None,
        };
        if let Some(problem) = problem {
            return Err(ModelError::Invalid(problem));
        }
    }
    match info.senses {
        Some(ion) if !pools.contains_key(ion) => Err(ModelError::Invalid(format!(
            "{} senses the concentration of {ion}, but the cell has no pool of {ion}; {}",
            title(placed),
            add_pool(ion)
        ))),
        _ => Ok(()),
    }
}

/// Declares the states, parameters and currents of mechanisms on a domain.
pub(crate) fn declare(
    m: &mut ModelBuilder,
    domain: Domain,
    placed: &[Placed],
) -> Result<MembraneHandles, ModelError> {
    let pools = find_pools(placed)?;
    let mut mechanisms = Vec::new();
    for placed in placed {
        if !matches!(placed.mechanism.kind, Kind::Pool { .. }) {
            check_ions(placed, &pools)?;
        }
        mechanisms.push(declare_one(m, domain, placed, &pools)?);
    }
    Ok(MembraneHandles { mechanisms, pools })
}

fn declare_one(
    m: &mut ModelBuilder,
    domain: Domain,
    placed: &Placed,
    pools: &HashMap<&'static str, usize>,
) -> Result<MechanismHandles, ModelError> {
    let info = &placed.mechanism.info;
    let label = &placed.label;
    let is_pool = matches!(placed.mechanism.kind, Kind::Pool { .. });
    let pooled = !is_pool && info.ion.is_some_and(|ion| pools.contains_key(ion));
    let mut initial = None;
    let mut parameters = Vec::new();
    for (place, p) in info.parameters.iter().enumerate() {
        let name = format!("{label}.{}", p.name);
        if is_pool && place + 1 == info.parameters.len() {
            initial = Some(placed.value(place));
            parameters.push(None);
        } else if pooled && p.name == "E" {
            parameters.push(None);
        } else if placed.has_value(place) {
            let parameter = Parameter::new(name, placed.value(place)).with_unit(p.unit);
            parameters.push(Some(m.parameter(domain, parameter)?));
        } else {
            return Err(ModelError::Invalid(format!(
                "\"{name}\", {}, has no value; give one in {}",
                p.description, p.unit
            )));
        }
    }
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
    let states = match &placed.solver {
        Some((solver, substeps)) => m.independent(label, solver, *substeps, states)?,
        None => states(m)?,
    };
    let current = m.signal(domain, &format!("{label}.I"), "uA/cm2")?;
    let reversal = match is_pool {
        true => Some(m.signal(domain, &format!("{label}.E"), "mV")?),
        false => None,
    };
    Ok(MechanismHandles {
        states,
        parameters,
        current,
        reversal,
    })
}

/// Launches the kernels of the mechanisms. Currents add to `total`, except those of ions that have a pool: these are
/// [`MembraneHandles::ion_currents`].
pub(crate) fn launch(
    k: &mut Launches,
    domain: Domain,
    v: StateId,
    total: SignalId,
    placed: &[Placed],
    handles: &MembraneHandles,
) -> Result<(), ModelError> {
    let pools = &handles.pools;
    let all = || placed.iter().zip(&handles.mechanisms);
    // Signals are computed before they are read: reversal potentials, then currents, then concentrations.
    for (placed, ids) in all() {
        if let (Kind::Pool { reversal, .. }, Some(e)) = (&placed.mechanism.kind, ids.reversal) {
            let inputs = [&[Source::State(ids.states[0])][..], &parameters(ids, None)].concat();
            k.launch(domain, reversal.clone(), &inputs, &[Target::Signal(e)])?;
        }
    }
    for (placed, ids) in all() {
        let info = &placed.mechanism.info;
        let pool = |ion: Option<&str>| Some(&handles.mechanisms[*pools.get(ion?)?]);
        let (rates, current) = match &placed.mechanism.kind {
            Kind::Channel { rates, current } => (rates.as_ref(), current),
            Kind::Scheme { rates, current } => (Some(rates), current),
            Kind::Pool { .. } => continue,
        };
        let own = info.parameters.iter().position(|p| p.name == "E");
        let own = own.and_then(|place| ids.parameters[place]);
        let pooled = pool(info.ion).and_then(|pool| pool.reversal);
        let reversal = match (pooled, own) {
            (Some(e), _) => Source::Signal(e),
            (None, Some(e)) => Source::Parameter(e),
            (None, None) => Source::Zero,
        };
        let concentration = pool(info.senses).map(|pool| Source::State(pool.states[0]));
        let concentration = concentration.unwrap_or(Source::Zero);
        let local = [Source::State(v), reversal, concentration];
        let states: Vec<Source> = ids.states.iter().map(|&s| Source::State(s)).collect();
        let parameters = parameters(ids, pooled);
        let inputs = [&local[..], &states, &parameters].concat();
        let sum = pool(info.ion).map_or(total, |pool| pool.current);
        // Launches whose result nobody needs cost nothing: the single current is for recording.
        for target in [sum, ids.current] {
            k.launch(domain, current.clone(), &inputs, &[Target::Signal(target)])?;
        }
        if let Some(rates) = rates {
            let inputs = [&local[..], &parameters, &states].concat();
            let outputs = ids.states.iter().map(|&s| Target::Derivative(s));
            let outputs: Vec<_> = outputs.collect();
            k.launch(domain, rates.clone(), &inputs, &outputs)?;
        }
    }
    for (placed, ids) in all() {
        if let Kind::Pool { rate, .. } = &placed.mechanism.kind {
            let state = [Source::State(ids.states[0]), Source::Signal(ids.current)];
            let inputs = [&state[..], &parameters(ids, None)].concat();
            let outputs = [Target::Derivative(ids.states[0])];
            k.launch(domain, rate.clone(), &inputs, &outputs)?;
        }
    }
    Ok(())
}

/// What a mechanism's kernels read as parameters. Without one of its own, "E" is the pool's reversal potential; the
/// initial concentration is left out.
fn parameters(ids: &MechanismHandles, reversal: Option<SignalId>) -> Vec<Source> {
    let sources = ids.parameters.iter().filter_map(|p| match (p, reversal) {
        (Some(p), _) => Some(Source::Parameter(*p)),
        (None, Some(e)) => Some(Source::Signal(e)),
        (None, None) => None,
    });
    sources.collect()
}
