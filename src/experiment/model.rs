//! The sections `[model]`, `[mechanisms]`, `[inputs]` and `[initial]`.

use super::branched;
use super::error::ExperimentError;
use super::inputs;
use super::section::{Item, Section};
use crate::cells::mechanism::MechanismKind;
use crate::cells::{MultiCompartment, Placed, SingleCompartment, mechanisms};
use crate::model::systems::{Decay, HarmonicOscillator, Lorenz, VanDerPol};
use crate::model::{Model, ModelError, Part, ode};
use std::path::Path;

/// Kinds of models.
const KINDS: [&str; 3] = ["single_compartment", "multi_compartment", "ode"];

/// The greatest population.
const MOST_CELLS: usize = 10_000_000;

/// Makes the equations of a system for so many cells.
type MakeSystem = fn(usize) -> Result<Model, ModelError>;

/// Systems of equations by name.
const SYSTEMS: [(&str, MakeSystem); 4] = [
    ("decay", |cells| Model::population(&ode(Decay), cells)),
    ("harmonic_oscillator", |cells| {
        Model::population(&ode(HarmonicOscillator), cells)
    }),
    ("van_der_pol", |cells| {
        Model::population(&ode(VanDerPol), cells)
    }),
    ("lorenz", |cells| Model::population(&ode(Lorenz), cells)),
];

/// Builds the model that the file describes; files that it names are relative to `directory`.
pub(super) fn build(
    file: &Section,
    directory: &Path,
) -> Result<(Model, Option<MultiCompartment>), ExperimentError> {
    let model = file.need_section("model", "[model] with kind = \"single_compartment\"")?;
    let kind = model.need("kind", "kind = \"single_compartment\"")?;
    let (mut built, cell) = match kind.text()? {
        "single_compartment" => (single_compartment(file, model, directory)?, None),
        "multi_compartment" => multi_compartment(file, model, directory)?,
        "ode" => (system(file, model)?, None),
        other => return Err(kind.unknown("kind of model", other, &KINDS)),
    };
    if let Some(initial) = file.section("initial")? {
        set_initial(&mut built, initial)?;
    }
    Ok((built, cell))
}

/// Sections that only some kinds of models have.
fn no_sections(file: &Section, kind: &str, names: &[&str]) -> Result<(), ExperimentError> {
    for section in names {
        if let Some(item) = file.get(section) {
            return Err(item.refuse(format!(
                "a model of kind \"{kind}\" has no {section}; remove the section"
            )));
        }
    }
    Ok(())
}

/// Sections of branched cells.
const BRANCHED: [&str; 5] = ["discretisation", "paint", "clamps", "synapses", "probes"];

fn multi_compartment(
    file: &Section,
    model: Section,
    directory: &Path,
) -> Result<(Model, Option<MultiCompartment>), ExperimentError> {
    let passive = ["capacitance", "resistivity", "initial_voltage"];
    let model = model.only(&[&["kind", "cells", "seed", "morphology"][..], &passive].concat())?;
    let cells = cells(&model)?;
    no_sections(file, "multi_compartment", &["mechanisms", "inputs"])?;
    let cell = branched::cell(file, &model, cells, directory)?;
    let built = cell.population(cells);
    let built = built.map_err(|error| ExperimentError::Model {
        place: model.place(),
        error,
    })?;
    Ok((built, Some(cell)))
}

/// The size of the population.
fn cells(model: &Section) -> Result<usize, ExperimentError> {
    let Some(item) = model.get("cells") else {
        return Ok(model.source().cells.unwrap_or(1));
    };
    match item.count()? {
        0 => Err(item.refuse("a population of 0 cells; give at least 1")),
        n if n > MOST_CELLS => {
            Err(item.refuse(format!("a population has at most {MOST_CELLS} cells")))
        }
        n => Ok(n),
    }
}

fn single_compartment(
    file: &Section,
    model: Section,
    directory: &Path,
) -> Result<Model, ExperimentError> {
    let model = model.only(&["kind", "cells", "seed", "capacitance", "initial_voltage"])?;
    let cells = cells(&model)?;
    no_sections(file, "single_compartment", &BRANCHED)?;
    let mut cell = SingleCompartment::new();
    if let Some(item) = model.get("capacitance") {
        let values = item.per_cell("uF/cm2", cells)?;
        if (0..cells).any(|k| values.at(0, k) <= 0.0) {
            return Err(item.refuse("the capacitance must be positive, such as \"1 uF/cm2\""));
        }
        cell = cell.capacitance(values);
    }
    if let Some(item) = model.get("initial_voltage") {
        if let Some(second) = file.section("initial")?.and_then(|s| s.get("V")) {
            return Err(second.refuse("model.initial_voltage says it already; remove one of them"));
        }
        cell = cell.initial_voltage(item.per_cell("mV", cells)?);
    }
    if let Some(section) = file.section("mechanisms")? {
        for (label, item) in section.entries() {
            cell = cell.mechanism(mechanism(label, &item, cells, &[], Parameters::Uniform)?);
        }
    }
    if let Some(section) = file.section("inputs")? {
        for (name, item) in section.entries() {
            cell = cell.inputs(name, inputs::read(&item, "uA/cm2", cells, directory, &[])?);
        }
    }
    cell.population(cells)
        .map_err(|error| ExperimentError::Model {
            place: model.place(),
            error,
        })
}

/// Whether parameters may differ between the compartments of a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameters {
    Uniform,
    Distributed,
}

/// A mechanism with the parameters that its section gives. The section has the keys `others` too.
pub(super) fn mechanism(
    label: &str,
    item: &Item,
    cells: usize,
    others: &[&str],
    how: Parameters,
) -> Result<Placed, ExperimentError> {
    let section = item.section()?;
    let name = section.need(
        "type",
        "type = \"leak\"; braincell mechanisms lists the types",
    )?;
    let found = mechanisms::find(name.text()?);
    let mechanism = found.map_err(|error| ExperimentError::Mechanism {
        place: name.place(),
        error,
    })?;
    let parameters: Vec<_> = mechanism.info().parameters.clone();
    let mut known = [&["type"], others].concat();
    let is_scheme = mechanism.kind() == MechanismKind::Scheme;
    if is_scheme {
        known.extend(["solver", "substeps"]);
    }
    known.extend(parameters.iter().map(|p| p.name));
    let section = section.only_of("parameter", &known)?;
    let mut placed = Placed::new(label, mechanism);
    if is_scheme {
        placed = advanced(placed, &section)?;
    }
    for parameter in &parameters {
        if let Some(item) = section.get(parameter.name) {
            let values = match how {
                Parameters::Uniform => item.per_cell(parameter.unit, cells)?.into(),
                Parameters::Distributed => item.distribution(parameter.unit, cells)?,
            };
            let with = placed.with(parameter.name, values);
            placed = with.map_err(|error| item.refuse(error.to_string()))?;
        }
    }
    Ok(placed)
}

/// How the states of a kinetic scheme are advanced: `solver = "backward_euler"` with `substeps = 1`, or
/// `solver = "cell"` to leave them to the solver of the run.
fn advanced(placed: Placed, section: &Section) -> Result<Placed, ExperimentError> {
    let substeps = match section.get("substeps") {
        None => 1,
        Some(item) => match item.count()? {
            0 => return Err(item.refuse("0 substeps; give at least 1")),
            n => n,
        },
    };
    Ok(match section.get("solver") {
        None if substeps == 1 => placed,
        None => placed.advanced_by("backward_euler", substeps),
        Some(item) => match item.text()? {
            "cell" => placed.advanced_with_cell(),
            solver => placed.advanced_by(solver, substeps),
        },
    })
}

fn system(file: &Section, model: Section) -> Result<Model, ExperimentError> {
    let model = model.only(&["kind", "cells", "seed", "system", "parameters"])?;
    no_sections(
        file,
        "ode",
        &[&["mechanisms", "inputs"][..], &BRANCHED].concat(),
    )?;
    let names = SYSTEMS.map(|(name, _)| name);
    let item = model.need("system", "system = \"van_der_pol\"")?;
    let name = item.text()?;
    let Some((_, make)) = SYSTEMS.iter().find(|(known, _)| *known == name) else {
        return Err(item.unknown("system", name, &names));
    };
    let cells = cells(&model)?;
    let failed = |place: String| move |error| ExperimentError::Model { place, error };
    let mut built = make(cells).map_err(failed(model.place()))?;
    if let Some(parameters) = model.section("parameters")? {
        let parameters = parameters.only_of("parameter", &built.parameter_names())?;
        for (name, item) in parameters.entries() {
            let unit = built
                .parameter(name)
                .map_err(failed(item.place()))?
                .unit
                .clone();
            let values = item.per_cell(&unit, cells)?;
            built
                .set_parameter(name, values)
                .map_err(failed(item.place()))?;
        }
    }
    Ok(built)
}

/// Initial values of states.
fn set_initial(model: &mut Model, initial: Section) -> Result<(), ExperimentError> {
    let mut values: Vec<(String, Item)> = Vec::new();
    for (name, item) in initial.entries() {
        // In TOML, na.m without quotes is the key m of a table na.
        match item.section() {
            Ok(section) if model.state(name).is_err() => {
                let inner = section.entries().into_iter();
                values.extend(inner.map(|(gate, item)| (format!("{name}.{gate}"), item)));
            }
            _ => values.push((name.to_string(), item)),
        }
    }
    let cells = model.cells();
    for (name, item) in values {
        if model.state(&name).is_err() {
            return Err(item.unknown("state", &name, &model.state_names()));
        }
        let failed = |error| ExperimentError::Model {
            place: item.place(),
            error,
        };
        let state = model.state(&name).map_err(failed)?;
        let (least, greatest) = match state.part {
            Part::Gate => (0.0, 1.0),
            _ => state.bounds,
        };
        let values = item.per_cell(&state.unit, cells)?;
        let outside = |value: &f64| !(least..=greatest).contains(value);
        if let Some(value) = (0..cells).map(|k| values.at(0, k)).find(outside) {
            return Err(item.refuse(format!(
                "{value} is no value for a {}, which lies between {least} and {greatest}",
                state.part
            )));
        }
        model.set_initial(&name, values).map_err(failed)?;
    }
    Ok(())
}
