//! Which pools a mechanism uses.

use super::Painted;
use super::patches::{contains, disjoint};
use crate::mechanism::MechanismKind;
use crate::mechanisms;
use braincell_core::model::ModelError;
use std::collections::HashMap;

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

/// The pool of each ion, by number of the mechanism.
pub(super) fn find_pools(painted: &[Painted]) -> Result<HashMap<&'static str, usize>, ModelError> {
    let mut pools: HashMap<&'static str, usize> = HashMap::new();
    for (place, pool) in painted.iter().enumerate() {
        let Some(ion) = pool.mechanism.info.ion.filter(|_| pool.is_pool()) else {
            continue;
        };
        if let Some(other) = pools.insert(ion, place) {
            return Err(ModelError::Invalid(format!(
                "the pools {} and {} are both of {ion}; a cell has one pool of an ion",
                painted[other].title(),
                pool.title()
            )));
        }
    }
    Ok(pools)
}

/// The pool of an ion in the compartments of a mechanism: in all of them or in none.
fn pool_at(
    one: &Painted,
    ion: Option<&'static str>,
    painted: &[Painted],
    pools: &HashMap<&'static str, usize>,
) -> Result<Option<usize>, ModelError> {
    let Some((ion, &pool)) = ion.and_then(|ion| pools.get_key_value(ion)) else {
        return Ok(None);
    };
    let outer = &painted[pool].elements;
    if contains(outer, &one.elements) {
        Ok(Some(pool))
    } else if disjoint(outer, &one.elements) {
        Ok(None)
    } else {
        Err(ModelError::Invalid(format!(
            "{} needs {ion}, but the pool {} is in some of its compartments only; paint the pool in all of them, or give the channels with and without pool different labels",
            one.title(),
            painted[pool].title()
        )))
    }
}

/// Checks that a channel or scheme finds its ions: the pools of the one that it carries and the one that it senses.
pub(super) fn check(
    one: &Painted,
    painted: &[Painted],
    pools: &HashMap<&'static str, usize>,
) -> Result<[Option<usize>; 2], ModelError> {
    let info = &one.mechanism.info;
    let carries = pool_at(one, info.ion, painted, pools)?;
    let senses = pool_at(one, info.senses, painted, pools)?;
    let reversal = info.parameters.iter().position(|p| p.name == "E");
    let none = |ion: &str| match pools.contains_key(ion) {
        true => format!("its compartments have no pool of {ion}"),
        false => format!("the cell has no pool of {ion}"),
    };
    if let Some(ion) = info.ion {
        let problem = match (carries, reversal) {
            (Some(_), Some(e)) if one.given[e].is_some() => Some(format!(
                "\"{}.E\" is given, but the cell has a pool of {ion}, which computes it; leave one of them out",
                one.label
            )),
            (Some(_), _) => None,
            (None, None) => Some(format!(
                "{} carries {ion} and has no parameter E, and {}; {}",
                one.title(),
                none(ion),
                add_pool(ion)
            )),
            (None, Some(e)) if !one.has_value(e) => Some(format!(
                "{} carries {ion}, but \"{}.E\" has no value and {}; {}, or give E in mV",
                one.title(),
                one.label,
                none(ion),
                add_pool(ion)
            )),
            (None, Some(_)) => None,
        };
        if let Some(problem) = problem {
            return Err(ModelError::Invalid(problem));
        }
    }
    match info.senses {
        Some(ion) if senses.is_none() => Err(ModelError::Invalid(format!(
            "{} senses the concentration of {ion}, but {}; {}",
            one.title(),
            none(ion),
            add_pool(ion)
        ))),
        _ => Ok([carries, senses]),
    }
}

/// What a current is multiplied by where it is added up; `None` if by 1 everywhere.
///
/// Currents and concentrations of a mechanism hold where it covers the membrane. The current of an ion is gathered
/// for the part that its pool covers, all others and the sum over the pool for the whole compartment.
pub(super) fn weights(one: &Painted, pool: Option<&Painted>) -> Option<Vec<f64>> {
    let weight = |(place, element): (usize, &u32)| {
        let pool = pool.map_or(1.0, |pool| {
            let place = pool.elements.partition_point(|e| e < element);
            pool.cover(place)
        });
        one.cover(place) / pool
    };
    let weights: Vec<f64> = one.elements.iter().enumerate().map(weight).collect();
    weights.iter().any(|&w| w != 1.0).then_some(weights)
}
