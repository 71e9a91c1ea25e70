//! The section `[fit]`.

use super::error::ExperimentError;
use super::inputs;
use super::run::RunSettings;
use super::section::{Item, Section};
use crate::cells::MultiCompartment;
use crate::fit::{Bounded, Part};
use crate::input::{Input, Interpolation};
use crate::model::{Model, Values};
use std::path::Path;

/// Iterations where none are given.
const ITERATIONS: u64 = 100;

/// Which parameters to fit to which trace.
#[derive(Clone, Debug)]
pub struct FitSettings {
    /// Name of the recorded column.
    pub trace: String,
    /// What it shall be, as a function of time.
    pub target: Input,
    /// The parameters and their bounds.
    pub parameters: Vec<Bounded>,
    /// The greatest number of iterations.
    pub iterations: u64,
}

/// The model that is fitted, and what the file says of it.
pub(super) struct Fitted<'a> {
    pub file: &'a Section<'a>,
    pub model: &'a Model,
    pub cell: Option<&'a MultiCompartment>,
    pub run: &'a RunSettings,
}

/// Reads what to fit.
pub(super) fn read(
    section: Section,
    fitted: &Fitted,
    directory: &Path,
) -> Result<FitSettings, ExperimentError> {
    let model = fitted.model;
    let section = section.only(&["target", "column", "iterations", "parameters"])?;
    let file = section.need("target", "target = \"recorded.csv\"")?;
    let column = section.need("column", "column = \"V\"")?;
    let trace = column.text()?.to_string();
    let recorded: Vec<&str> = (fitted.run.records.iter())
        .map(|record| record.variable.as_str())
        .collect();
    let unit = match model.unit(&trace) {
        Ok(unit) if recorded.contains(&trace.as_str()) => unit.to_string(),
        _ => return Err(column.unknown("recorded variable", &trace, &recorded)),
    };
    if let Ok(elements @ 2..) = model.elements(&trace) {
        return Err(column.refuse(format!(
            "\"{trace}\" has values in {elements} compartments; give the place that was recorded a name in [probes], and record that"
        )));
    }
    let (values, start, interval) = inputs::from_file(&[column], &file, &unit, directory)?;
    let iterations = match section.get("iterations") {
        Some(item) => item.count()? as u64,
        None => ITERATIONS,
    };
    let example =
        "[fit.parameters] with \"na.g_max\" = { from = \"60 mS/cm2\", to = \"200 mS/cm2\" }";
    let listed = section.need_section("parameters", example)?;
    let mut parameters = Vec::new();
    for (name, item) in listed.entries() {
        let (part, unit, value) = fitted.parameter(name, &item)?;
        let range = item.section()?.only(&["from", "to"])?;
        let unit = &unit;
        let bound = |key: &str| {
            range
                .need(key, &format!("{key} = \"1 {unit}\""))?
                .quantity(unit)
        };
        let (lower, upper) = (bound("from")?, bound("to")?);
        if !(lower < value && value < upper) {
            return Err(item.refuse(format!(
                "the bounds {lower} and {upper} {unit} do not enclose {value} {unit}, where the fit starts"
            )));
        }
        parameters.push(Bounded {
            name: name.to_string(),
            lower,
            upper,
            part,
        });
    }
    if parameters.is_empty() {
        return Err(ExperimentError::Missing {
            place: listed.place(),
            key: "a parameter to fit".to_string(),
            example: example.to_string(),
        });
    }
    Ok(FitSettings {
        trace,
        target: Input::samples(values.concat(), start, interval, Interpolation::Linear),
        parameters,
        iterations,
    })
}

/// Number of an entry and key of a name such as "paint[2].g_max".
pub(super) fn painted(name: &str) -> Option<(usize, &str)> {
    let (number, key) = name.strip_prefix("paint[")?.split_once("].")?;
    Some((number.parse().ok()?, key))
}

impl Fitted<'_> {
    /// The part of a parameter that a name means, if it does not mean all of it; its unit, and where the fit starts.
    fn parameter(
        &self,
        name: &str,
        item: &Item,
    ) -> Result<(Option<Part>, String, f64), ExperimentError> {
        if let (Some(cell), Some((number, key))) = (self.cell, painted(name)) {
            return self.part(cell, item, number, key);
        }
        let mut known: Vec<String> = (self.model.parameter_names().iter())
            .map(|name| name.to_string())
            .collect();
        let Ok(parameter) = self.model.parameter(name) else {
            if self.cell.is_some() {
                known.push("paint[N].KEY".to_string());
            }
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(item.unknown("parameter", name, &known));
        };
        match (&parameter.value, self.cell) {
            (Values::Uniform(x), _) => Ok((None, parameter.unit.clone(), *x)),
            (Values::PerElement(_), Some(cell)) => {
                let passive = match name {
                    "C" => "capacitance",
                    name => name,
                };
                let (label, key) = name.split_once('.').unwrap_or(("", passive));
                let mut numbers = Vec::new();
                for (number, entry) in self.entries()?.iter().enumerate() {
                    let entry = entry.section()?;
                    let is = match entry.get("label") {
                        Some(own) => own.text()? == label,
                        None => label.is_empty() && entry.get(key).is_some(),
                    };
                    numbers.extend(is.then_some(number));
                }
                match numbers[..] {
                    [number] if !label.is_empty() => self.part(cell, item, number, key),
                    _ => {
                        let all = numbers.iter().map(|k| format!("paint[{k}].{key}"));
                        Err(item.refuse(format!(
                            "it differs between regions; write which is meant: {}",
                            all.collect::<Vec<_>>().join(", ")
                        )))
                    }
                }
            }
            _ => Err(item.refuse("it differs from cell to cell; a fit needs one value for all")),
        }
    }

    /// The entries of `[[paint]]`.
    fn entries(&self) -> Result<Vec<Item<'_>>, ExperimentError> {
        entries(self.file)
    }

    /// The value that an entry of `[[paint]]` gives a parameter, its unit, and where the fit starts.
    fn part(
        &self,
        cell: &MultiCompartment,
        item: &Item,
        number: usize,
        key: &str,
    ) -> Result<(Option<Part>, String, f64), ExperimentError> {
        let part = part(self.file, self.model, cell, &item.place(), (number, key))?;
        let unit = self.model.parameter(&part.parameter);
        let unit = unit.map_or(String::new(), |p| p.unit.clone());
        let start = part.start;
        Ok((Some(part), unit, start))
    }
}

/// The entries of `[[paint]]`.
fn entries<'a>(file: &Section<'a>) -> Result<Vec<Item<'a>>, ExperimentError> {
    match file.get("paint") {
        Some(item) => item.list("sections [[paint]]"),
        None => Ok(Vec::new()),
    }
}

/// The value that entry `number` of `[[paint]]` gives a parameter. Errors are told as at `place`.
pub(super) fn part(
    file: &Section,
    model: &Model,
    cell: &MultiCompartment,
    place: &str,
    (number, key): (usize, &str),
) -> Result<Part, ExperimentError> {
    let refuse = |reason: String| ExperimentError::Value {
        place: place.to_string(),
        reason,
    };
    let entries = entries(file)?;
    let Some(entry) = entries.get(number) else {
        return Err(refuse(format!(
            "there are {} sections [[paint]], counted from 0",
            entries.len()
        )));
    };
    let entry = entry.section()?;
    let before = |key: &str| {
        let mut count = 0;
        for entry in &entries[..number] {
            count += usize::from(entry.section()?.get(key).is_some());
        }
        Ok::<usize, ExperimentError>(count)
    };
    let (name, share) = match (entry.get("label"), key) {
        (Some(label), _) => (
            format!("{}.{key}", label.text()?),
            cell.painted_share(before("type")?),
        ),
        (None, "capacitance") => {
            let section = file.section("model")?;
            let of_all = section.is_some_and(|section| section.get(key).is_some());
            let place = before(key)? + usize::from(of_all);
            ("C".to_string(), cell.capacitance_share(place))
        }
        (None, "resistivity") => {
            let share = cell.resistivity_share(before(key)?);
            ("resistivity".to_string(), Ok(share))
        }
        _ => {
            return Err(refuse(
                "only parameters of mechanisms, the capacitance and the resistivity have derivatives by region"
                    .to_string(),
            ));
        }
    };
    let Ok(parameter) = model.parameter(&name) else {
        let known = model.parameter_names();
        return Err(ExperimentError::unknown(
            place.to_string(),
            "parameter",
            &name,
            &known,
        ));
    };
    let share = share.map_err(|error| refuse(error.to_string()))?;
    let (Some(given), Some(shares)) = (entry.get(key), share) else {
        return Err(refuse(format!(
            "paint[{number}] does not give {key}; write there the value from which to start"
        )));
    };
    if given.section().is_ok() {
        return Err(refuse(format!(
            "paint[{number}].{key} differs within the region; it needs one value there, such as {key} = \"1 {}\"",
            parameter.unit
        )));
    }
    if shares.iter().all(|share| *share == 0.0) {
        return Err(refuse(format!(
            "later sections [[paint]] lie over all of paint[{number}], so {key} has no effect"
        )));
    }
    let start = given.quantity(&parameter.unit)?;
    Ok(Part {
        parameter: name,
        start,
        shares,
    })
}
