//! The section `[inputs]`.

use super::error::ExperimentError;
use super::section::{Item, Section};
use crate::input::{Input, Interpolation};
use crate::model::Values;
use crate::output::{read_csv, read_rows};
use crate::units::parse_in;
use std::path::Path;

/// Kinds of waveforms and the keys that each has besides `kind`.
const KINDS: [(&str, &[&str]); 6] = [
    ("constant", &["amplitude"]),
    ("step", &["amplitude", "start", "stop"]),
    (
        "pulses",
        &["amplitude", "start", "width", "period", "count"],
    ),
    ("sine", &["amplitude", "frequency", "phase"]),
    ("ramp", &["from", "to", "start", "stop"]),
    (
        "samples",
        &[
            "values",
            "unit",
            "file",
            "column",
            "start",
            "interval",
            "interpolation",
        ],
    ),
];

/// Reads one input, in `unit`: a waveform for all cells, or one for each. The section has the keys `others` too.
pub(super) fn read(
    item: &Item,
    unit: &str,
    cells: usize,
    directory: &Path,
    others: &[&str],
) -> Result<Vec<Input>, ExperimentError> {
    let section = item.section()?;
    let kind = section.need("kind", "kind = \"step\"")?;
    let name = kind.text()?;
    let Some((name, keys)) = KINDS.iter().find(|(known, _)| *known == name) else {
        let known = KINDS.map(|(name, _)| name);
        return Err(kind.unknown("kind of input", name, &known));
    };
    let section = section.only(&[&["kind"], *keys, others].concat())?;
    let waveforms = match *name {
        "samples" => samples(&section, unit, cells, directory)?,
        name => formula(name, &section, unit, cells)?,
    };
    for waveform in &waveforms {
        waveform.check().map_err(|error| ExperimentError::Value {
            place: section.place(),
            reason: match section.get("stop") {
                Some(_) => format!("{error}; \"stop\" must come after \"start\""),
                None => error.to_string(),
            },
        })?;
    }
    Ok(waveforms)
}

/// Makes a waveform of its numbers.
type Make = fn(&[f64]) -> Input;

/// A waveform given by numbers, each of which may differ from cell to cell.
fn formula(
    kind: &str,
    section: &Section,
    unit: &str,
    cells: usize,
) -> Result<Vec<Input>, ExperimentError> {
    let need = |key: &str, unit: &str, example: &str| {
        let example = format!("{key} = \"{example}\"");
        section.need(key, &example)?.per_cell(unit, cells)
    };
    let optional = |key: &str, unit: &str, default: f64| match section.get(key) {
        Some(item) => item.per_cell(unit, cells),
        None => Ok(Values::Uniform(default)),
    };
    let amplitude = |key: &str| need(key, unit, &format!("10 {unit}"));
    let (values, make): (Vec<Values>, Make) = match kind {
        "constant" => (vec![amplitude("amplitude")?], |x| Input::constant(x[0])),
        "step" => (
            vec![
                amplitude("amplitude")?,
                need("start", "ms", "5 ms")?,
                optional("stop", "ms", f64::INFINITY)?,
            ],
            |x| Input::step(x[0], x[1], x[2]),
        ),
        "pulses" => {
            let item = section.need("count", "count = 10")?;
            let count = u32::try_from(item.count()?);
            let count = count.map_err(|_| item.refuse("so many pulses cannot be counted"))?;
            let values = vec![
                amplitude("amplitude")?,
                need("start", "ms", "5 ms")?,
                need("width", "ms", "1 ms")?,
                need("period", "ms", "20 ms")?,
                Values::Uniform(f64::from(count)),
            ];
            (values, |x| {
                Input::pulses(x[0], x[1], x[2], x[3], x[4] as u32)
            })
        }
        "sine" => (
            vec![
                amplitude("amplitude")?,
                need("frequency", "1/ms", "50 Hz")?,
                optional("phase", "", 0.0)?,
            ],
            |x| Input::sine(x[0], x[1], x[2]),
        ),
        _ => (
            vec![
                amplitude("from")?,
                amplitude("to")?,
                need("start", "ms", "5 ms")?,
                need("stop", "ms", "45 ms")?,
            ],
            |x| Input::ramp(x[0], x[1], x[2], x[3]),
        ),
    };
    let uniform = values.iter().all(|v| matches!(v, Values::Uniform(_)));
    let cells = if uniform { 1 } else { cells };
    let of_cell = |cell: usize| values.iter().map(|v| v.at(0, cell)).collect::<Vec<_>>();
    Ok((0..cells).map(|cell| make(&of_cell(cell))).collect())
}

/// A played trace, from a list or a CSV file; one for each cell where a column is named for each.
fn samples(
    section: &Section,
    unit: &str,
    cells: usize,
    directory: &Path,
) -> Result<Vec<Input>, ExperimentError> {
    let how = match section.get("interpolation") {
        None => Interpolation::Linear,
        Some(item) => match item.text()? {
            "linear" => Interpolation::Linear,
            "hold" => Interpolation::Hold,
            other => return Err(item.unknown("interpolation", other, &["linear", "hold"])),
        },
    };
    let (values, start, interval) = match section.get("file") {
        Some(file) => {
            for key in ["values", "unit", "interval"] {
                if let Some(item) = section.get(key) {
                    return Err(item.refuse("the file has it; remove this key, or \"file\""));
                }
            }
            let column = section.need("column", "column = \"stimulus\"")?;
            let columns = match column.text() {
                Ok(_) => vec![column],
                Err(_) => column.list("the name of a column, or a list with one for each cell")?,
            };
            if columns.len() != 1 && columns.len() != cells {
                let given = columns.len();
                let column = section.need("column", "column = \"stimulus\"")?;
                return Err(column.refuse(format!(
                    "{given} columns are given for {cells} cells; give one for all, or one for each cell"
                )));
            }
            from_file(&columns, &file, unit, directory)?
        }
        None => {
            if let Some(item) = section.get("column") {
                return Err(item.refuse("a column is of a file; add file = \"traces.csv\""));
            }
            let example = format!("values = [0, 5, 10] with unit = \"{unit}\"");
            let values = section.need("values", &example)?;
            let factor = match section.get("unit") {
                None => None,
                Some(item) => Some((item.text()?, item)),
            };
            let values = values.list("a list of numbers")?;
            let values = values.iter().map(|item| match &factor {
                None => item.quantity(unit),
                Some((given, at)) => in_unit(item.quantity("")?, given, unit, &at.place()),
            });
            let interval = section.need("interval", "interval = \"0.1 ms\"")?;
            (
                vec![values.collect::<Result<_, _>>()?],
                0.0,
                interval.positive("ms")?,
            )
        }
    };
    let start = match section.get("start") {
        Some(item) => item.quantity("ms")?,
        None => start,
    };
    let all = values.into_iter();
    Ok(all
        .map(|values| Input::samples(values, start, interval, how))
        .collect())
}

/// A number of one unit in another.
fn in_unit(value: f64, given: &str, wanted: &str, place: &str) -> Result<f64, ExperimentError> {
    parse_in(&format!("{value:e} {given}"), wanted).map_err(|error| ExperimentError::Quantity {
        place: place.to_string(),
        error,
    })
}

/// A number for each cell from a column of a CSV file, `{ file = …, column = … }`.
pub(super) fn from_rows(
    section: &Section,
    unit: &str,
    cells: usize,
) -> Result<Vec<f64>, ExperimentError> {
    section.check(&["file", "column"])?;
    let file = section.need("file", "file = \"cells.csv\"")?;
    let directory = section.source().path.parent().unwrap_or(Path::new(""));
    let path = file.file(directory)?;
    let columns = read_rows(&path).map_err(|error| ExperimentError::File {
        place: file.place(),
        error,
    })?;
    let column = section.need("column", "column = \"g_max\"")?;
    let name = column.text()?;
    let Some(found) = columns.iter().find(|c| c.name == name) else {
        let known: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        return Err(column.unknown("column", name, &known));
    };
    let rows = found.values.len();
    if rows != cells {
        return Err(file.refuse(format!(
            "{} has {rows} rows for {cells} cells; give it one for each cell, or set model.cells",
            path.display()
        )));
    }
    let plain = unit.is_empty() || unit == "1";
    if found.unit.is_empty() && !plain {
        return Err(column.refuse(format!(
            "the heading of the column has no unit; write it as \"{name} [{unit}]\" in {}",
            path.display()
        )));
    }
    let given = if found.unit.is_empty() {
        "1"
    } else {
        &found.unit
    };
    let wanted = if plain { "1" } else { unit };
    let values = found.values.iter();
    let values = values.map(|&value| in_unit(value, given, wanted, &column.place()));
    values.collect()
}

/// Values of each column, first time and interval of columns of a CSV file.
pub(super) fn from_file(
    columns: &[Item],
    file: &Item,
    unit: &str,
    directory: &Path,
) -> Result<(Vec<Vec<f64>>, f64, f64), ExperimentError> {
    let path = file.file(directory)?;
    let table = read_csv(&path).map_err(|error| ExperimentError::File {
        place: file.place(),
        error,
    })?;
    let values = columns.iter().map(|column| {
        let name = column.text()?;
        let known: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        let Some(found) = table.columns.iter().find(|c| c.name == name) else {
            return Err(column.unknown("column", name, &known));
        };
        if found.unit.is_empty() {
            return Err(column.refuse(format!(
                "the heading of the column has no unit; write it as \"{name} [{unit}]\" in {}",
                path.display()
            )));
        }
        let values = found.values.iter();
        let values = values.map(|&value| in_unit(value, &found.unit, unit, &column.place()));
        values.collect::<Result<Vec<f64>, _>>()
    });
    let values = values.collect::<Result<Vec<_>, _>>()?;
    let time = &table.time;
    let (Some(first), Some(last)) = (time.first(), time.last()) else {
        return Err(file.refuse("the file has no rows"));
    };
    let interval = (last - first) / (time.len() - 1).max(1) as f64;
    let even = |(k, t): (usize, &f64)| (t - first - k as f64 * interval).abs() <= 1e-6 * interval;
    if interval <= 0.0 || !time.iter().enumerate().all(even) {
        return Err(file.refuse(
            "the times of the file are not evenly spaced and increasing; resample it, then play it",
        ));
    }
    Ok((values, *first, interval))
}
