//! The section `[fit]`.

use super::error::ExperimentError;
use super::inputs;
use super::section::Section;
use crate::fit::Bounded;
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

/// Reads what to fit.
pub(super) fn read(
    section: Section,
    model: &Model,
    branched: bool,
    directory: &Path,
) -> Result<FitSettings, ExperimentError> {
    if branched {
        return Err(ExperimentError::Value {
            place: section.place(),
            reason: "an experiment file can fit single compartments and systems; fit a branched cell from Rust, with braincell::fit".to_string(),
        });
    }
    let section = section.only(&["target", "column", "iterations", "parameters"])?;
    let file = section.need("target", "target = \"recorded.csv\"")?;
    let column = section.need("column", "column = \"V\"")?;
    let trace = column.text()?.to_string();
    let unit = match model.state(&trace) {
        Ok(state) => state.unit.clone(),
        Err(_) => return Err(column.unknown("state", &trace, &model.state_names())),
    };
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
        let known = model.parameter_names();
        let Ok(parameter) = model.parameter(name) else {
            return Err(item.unknown("parameter", name, &known));
        };
        let Values::Uniform(value) = parameter.value else {
            return Err(item.refuse("it differs from cell to cell; a fit needs one value for all"));
        };
        let range = item.section()?.only(&["from", "to"])?;
        let unit = &parameter.unit;
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
