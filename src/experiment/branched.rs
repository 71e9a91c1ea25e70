//! Models of kind `"multi_compartment"`.

use super::error::ExperimentError;
use super::inputs;
use super::model::{Parameters, mechanism};
use super::places::{location, region};
use super::section::{Item, Section};
use crate::cells::discretisation::{Discretisation, Policy, Rules};
use crate::cells::morphology::{BranchType, Morphology, Region};
use crate::cells::multi::Synapse;
use crate::cells::{CellError, MultiCompartment};
use std::path::Path;

/// Keys of `[[paint]]` that are no mechanism.
const PASSIVE: [&str; 3] = ["capacitance", "resistivity", "initial_voltage"];
/// Units of [`PASSIVE`].
const UNITS: [&str; 3] = ["uF/cm2", "ohm cm", "mV"];
/// Policies.
const POLICIES: [&str; 3] = ["d_lambda", "max_length", "count"];
/// Kinds of synapses.
const SYNAPSES: [&str; 2] = ["exponential", "biexponential"];

/// An error of a cell at an entry of the file.
fn at<'a>(item: &'a Item) -> impl Fn(CellError) -> ExperimentError + 'a {
    |error| item.refuse(error.to_string())
}

/// Builds the cell that the file describes.
pub(super) fn cell(
    file: &Section,
    model: &Section,
    cells: usize,
    directory: &Path,
) -> Result<MultiCompartment, ExperimentError> {
    let item = model.need("morphology", "morphology = \"neuron.swc\"")?;
    let morphology = Morphology::load(item.file(directory)?);
    let morphology = morphology.map_err(|error| item.refuse(error.to_string()))?;
    let positive = |key: &str, unit: &str, default: f64| match model.get(key) {
        Some(item) => item.positive(unit),
        None => Ok(default),
    };
    let resistivity = positive("resistivity", "ohm cm", 100.0)?;
    // Differs from cell to cell below; the number of control volumes follows from the first cell.
    let capacitance = match model.get("capacitance") {
        Some(item) => item.per_cell("uF/cm2", cells)?.at(0, 0),
        None => 1.0,
    };
    let discretisation = file.section("discretisation")?;
    let rules = match &discretisation {
        Some(section) => rules(section, resistivity, capacitance)?,
        None => Policy::d_lambda(resistivity, capacitance).into(),
    };
    let place = discretisation
        .as_ref()
        .map_or(model.place(), Section::place);
    let cut = Discretisation::new(morphology, &rules, resistivity);
    let cut = cut.map_err(|error| ExperimentError::Value {
        place,
        reason: error.to_string(),
    })?;
    let mut cell = MultiCompartment::new(cut);
    if let Some(item) = model.get("capacitance") {
        let values = item.per_cell("uF/cm2", cells)?;
        if (0..cells).any(|k| values.at(0, k) <= 0.0) {
            return Err(item.refuse("the capacitance must be positive, such as \"1 uF/cm2\""));
        }
        cell = cell.capacitance(Region::all(), values).map_err(at(&item))?;
    }
    if let Some(item) = model.get("initial_voltage") {
        let values = item.per_cell("mV", cells)?;
        cell = cell
            .initial_voltage(Region::all(), values)
            .map_err(at(&item))?;
    }
    if let Some(item) = file.get("paint") {
        for item in item.list("sections [[paint]]")? {
            cell = paint(cell, &item, cells)?;
        }
    }
    if let Some(section) = file.section("clamps")? {
        for (name, item) in section.entries() {
            let at_key = item.section()?.need("at", "at = \"soma(0.5)\"")?;
            let location = location(&at_key, &cell)?;
            let waves = inputs::read(&item, "nA", cells, directory, &["at"])?;
            cell = cell.clamps(name, location, waves).map_err(at(&at_key))?;
        }
    }
    if let Some(section) = file.section("synapses")? {
        for (name, item) in section.entries() {
            cell = synapse(cell, name, &item, cells)?;
        }
    }
    if let Some(section) = file.section("probes")? {
        for (name, item) in section.entries() {
            let location = location(&item, &cell)?;
            cell = cell.probe(name, location).map_err(at(&item))?;
        }
    }
    Ok(cell)
}

/// The rules of `[discretisation]`, with a table for each type of branch that has its own.
fn rules(section: &Section, resistivity: f64, capacitance: f64) -> Result<Rules, ExperimentError> {
    let own = ["policy", "d", "frequency", "length", "count"];
    let mut types = Vec::new();
    for (name, item) in section.entries() {
        if own.contains(&name) {
            continue;
        }
        let kind: Result<BranchType, _> = name.parse();
        let known = [
            &own[..],
            &["soma", "axon", "dendrite", "apical", "custom_5"],
        ]
        .concat();
        let kind = kind.map_err(|_| item.unknown("key", name, &known))?;
        types.push((
            kind,
            policy(&item.section()?.only(&own)?, resistivity, capacitance)?,
        ));
    }
    let mut rules: Rules = policy(section, resistivity, capacitance)?.into();
    rules.by_type = types;
    Ok(rules)
}

fn policy(
    section: &Section,
    resistivity: f64,
    capacitance: f64,
) -> Result<Policy, ExperimentError> {
    let item = section.need("policy", "policy = \"d_lambda\"")?;
    let name = item.text()?;
    let (keys, policy): (&[&str], Policy) = match name {
        "d_lambda" => {
            let optional = |key: &str, unit: &str, default: f64| match section.get(key) {
                Some(item) => item.positive(unit),
                None => Ok(default),
            };
            let policy = Policy::DLambda {
                d: optional("d", "", 0.1)?,
                frequency: 1e3 * optional("frequency", "1/ms", 0.1)?,
                resistivity,
                capacitance,
            };
            (&["d", "frequency"], policy)
        }
        "max_length" => {
            let length = section.need("length", "length = \"20 um\"")?;
            (&["length"], Policy::MaxLength(length.positive("um")?))
        }
        "count" => {
            let count = section.need("count", "count = 3")?;
            (&["count"], Policy::Count(count.count()?))
        }
        _ => return Err(item.unknown("policy", name, &POLICIES)),
    };
    for key in ["d", "frequency", "length", "count"] {
        if let Some(item) = section.get(key).filter(|_| !keys.contains(&key)) {
            return Err(item.refuse(format!(
                "the policy \"{name}\" does not use it; remove the key"
            )));
        }
    }
    Ok(policy)
}

/// One entry of `[[paint]]`: a mechanism, or passive properties.
fn paint(
    cell: MultiCompartment,
    item: &Item,
    cells: usize,
) -> Result<MultiCompartment, ExperimentError> {
    let section = item.section()?;
    let place = section.need("region", "region = \"soma\"")?;
    let region = region(&place)?;
    if section.get("type").is_some() {
        let label = section.need("label", "label = \"na\"")?;
        let keys = ["region", "label"];
        let placed = mechanism(label.text()?, item, cells, &keys, Parameters::Distributed)?;
        return cell.paint(region, placed).map_err(at(item));
    }
    let example = "type = \"leak\", a mechanism, or capacitance, resistivity, initial_voltage";
    if !PASSIVE.iter().any(|key| section.get(key).is_some()) {
        section.need("type", example)?;
    }
    let section = section.only(&[&["region"][..], &PASSIVE].concat())?;
    let mut cell = cell;
    for (key, unit) in PASSIVE.into_iter().zip(UNITS) {
        let Some(item) = section.get(key) else {
            continue;
        };
        let region = region.clone();
        let painted = match key {
            "capacitance" => cell.capacitance(region, item.distribution(unit, cells)?),
            "resistivity" => cell.resistivity(region, item.positive(unit)?),
            _ => cell.initial_voltage(region, item.distribution(unit, cells)?),
        };
        cell = painted.map_err(at(&item))?;
    }
    Ok(cell)
}

fn synapse(
    cell: MultiCompartment,
    name: &str,
    item: &Item,
    cells: usize,
) -> Result<MultiCompartment, ExperimentError> {
    let section = item.section()?;
    let place = section.need("at", "at = { branch = 3, x = 0.5 }")?;
    let location = location(&place, &cell)?;
    let kind = section.need("kind", "kind = \"exponential\"")?;
    let reversal = section.need("E", "E = \"0 mV\"")?.per_cell("mV", cells)?;
    let weight = section
        .need("weight", "weight = \"1 nS\"")?
        .per_cell("uS", cells)?;
    let time = |key: &str, example: &str| {
        let item = section.need(key, &format!("{key} = \"{example}\""))?;
        item.positive("ms")
    };
    let common = ["at", "kind", "E", "weight", "events"];
    let (synapse, keys): (Synapse, &[&str]) = match kind.text()? {
        "exponential" => (
            Synapse::exponential(time("tau", "2 ms")?, reversal, weight),
            &["tau"],
        ),
        "biexponential" => (
            Synapse::biexponential(
                time("rise", "0.2 ms")?,
                time("decay", "2 ms")?,
                reversal,
                weight,
            ),
            &["rise", "decay"],
        ),
        other => return Err(kind.unknown("kind of synapse", other, &SYNAPSES)),
    };
    let section = section.only(&[&common[..], keys].concat())?;
    let events = section.need("events", "events = [\"10 ms\", \"12 ms\"]")?;
    let synapse = synapse.events(times(&events)?);
    cell.synapse(name, location, synapse).map_err(at(&place))
}

/// Times of events: a list, or `{ start = …, interval = …, count = … }`.
fn times(item: &Item) -> Result<Vec<f64>, ExperimentError> {
    const MOST: usize = 10_000_000;
    if let Ok(section) = item.section() {
        let section = section.only(&["start", "interval", "count"])?;
        let start = section.need("start", "start = \"10 ms\"")?.quantity("ms")?;
        let interval = section
            .need("interval", "interval = \"5 ms\"")?
            .positive("ms")?;
        let count = section.need("count", "count = 10")?;
        return match count.count()? {
            n if n > MOST => Err(count.refuse(format!("at most {MOST} events"))),
            n => Ok((0..n).map(|k| start + k as f64 * interval).collect()),
        };
    }
    let list = item.list("a list of times such as [\"10 ms\", \"12 ms\"]")?;
    list.iter().map(|item| item.quantity("ms")).collect()
}
