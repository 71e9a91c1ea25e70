//! Tables as archives of NumPy arrays.

use super::Table;
use ndarray::{Array0, Array2, ArrayView1, Ix1};
use ndarray_npy::{NpzWriter, WriteNpzError};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter};

/// Names of arrays that are no columns.
const RESERVED: [&str; 17] = [
    "t",
    "data",
    "arrays",
    "names",
    "units",
    "spike_arrays",
    "spike_labels",
    "sweep_arrays",
    "sweep_names",
    "sweep_units",
    "title",
    "experiment",
    "version",
    "solver",
    "message",
    "dt",
    "complete",
];

/// Names of the arrays of an NPZ file for columns and for events.
///
/// Every run of characters other than ASCII letters, digits and `_` becomes one `_`, without one at the end:
/// `V[3]` becomes `V_3`, `na.m` becomes `na_m`. Events get the prefix `spikes_`. A name that is taken gets
/// `_2`, `_3` and so on.
pub fn array_names(table: &Table) -> (Vec<String>, Vec<String>) {
    let [columns, events, _] = all_names(table);
    (columns, events)
}

/// Names of the arrays for columns, events and the table of a sweep.
fn all_names(table: &Table) -> [Vec<String>; 3] {
    let mut taken: HashSet<String> = RESERVED.iter().map(|&name| name.to_owned()).collect();
    let mut unique = |name: String| {
        let mut candidate = name.clone();
        let mut count = 1;
        while !taken.insert(candidate.clone()) {
            count += 1;
            candidate = format!("{name}_{count}");
        }
        candidate
    };
    let columns = table.columns.iter().map(|c| unique(safe(&c.name)));
    let columns = columns.collect();
    let events = table.events.iter();
    let events = events.map(|e| unique(format!("spikes_{}", safe(&e.label))));
    let events = events.collect();
    let sweep = table.sweep.iter();
    let sweep = sweep.map(|c| unique(format!("sweep_{}", safe(&c.name))));
    [columns, events, sweep.collect()]
}

/// A name of ASCII letters, digits and `_`.
fn safe(name: &str) -> String {
    const LENGTH: usize = 100;
    let mut result = String::new();
    for c in name.chars().take(LENGTH) {
        if c.is_ascii_alphanumeric() || c == '_' {
            result.push(c);
        } else if !result.ends_with('_') {
            result.push('_');
        }
    }
    let trimmed = result.trim_end_matches('_');
    if trimmed.is_empty() {
        "column".to_owned()
    } else {
        trimmed.to_owned()
    }
}

/// Writes the archive.
pub(super) fn write(table: &Table, out: &mut BufWriter<File>) -> io::Result<()> {
    write_arrays(table, out).map_err(io::Error::other)
}

fn write_arrays(table: &Table, out: &mut BufWriter<File>) -> Result<(), WriteNpzError> {
    let [columns, events, sweep] = all_names(table);
    let metadata = &table.metadata;
    let mut npz = NpzWriter::new(out);
    let shape = (table.time.len(), table.columns.len());
    let data = Array2::from_shape_fn(shape, |(i, j)| table.columns[j].values[i]);
    npz.add_array("t", &ArrayView1::from(&table.time))?;
    npz.add_array("data", &data)?;
    for (name, column) in columns.iter().zip(&table.columns) {
        npz.add_array(name.as_str(), &ArrayView1::from(&column.values))?;
    }
    for (name, events) in events.iter().zip(&table.events) {
        npz.add_array(name.as_str(), &ArrayView1::from(&events.times))?;
    }
    for (name, column) in sweep.iter().zip(&table.sweep) {
        npz.add_array(name.as_str(), &ArrayView1::from(&column.values))?;
    }
    let sweep_names = lines(table.sweep.iter().map(|c| c.name.as_str()));
    let sweep_units = lines(table.sweep.iter().map(|c| c.unit.as_str()));
    let names = lines(table.columns.iter().map(|c| c.name.as_str()));
    let units = lines(table.columns.iter().map(|c| c.unit.as_str()));
    let labels = lines(table.events.iter().map(|e| e.label.as_str()));
    for (name, text) in [
        ("arrays", columns.join("\n").as_str()),
        ("names", &names),
        ("units", &units),
        ("spike_arrays", &events.join("\n")),
        ("spike_labels", &labels),
        ("title", &table.title),
        ("experiment", &metadata.experiment),
        ("version", &metadata.program_version),
        ("solver", &metadata.solver),
        ("message", metadata.message.as_deref().unwrap_or("")),
    ] {
        npz.add_array::<_, ndarray::ArrayRef<u8, Ix1>>(name, &ArrayView1::from(text.as_bytes()))?;
    }
    if !sweep.is_empty() {
        for (name, text) in [
            ("sweep_arrays", sweep.join("\n")),
            ("sweep_names", sweep_names),
            ("sweep_units", sweep_units),
        ] {
            let text = ArrayView1::from(text.as_bytes());
            npz.add_array::<_, ndarray::ArrayRef<u8, Ix1>>(name, &text)?;
        }
    }
    npz.add_array(
        "dt",
        &Array0::from_elem((), metadata.dt.unwrap_or(f64::NAN)),
    )?;
    npz.add_array(
        "complete",
        &Array0::from_elem((), u8::from(metadata.complete)),
    )?;
    npz.finish()?;
    Ok(())
}

/// Texts one a line; line breaks inside of them become spaces.
fn lines<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.map(|t| t.replace(['\n', '\r'], " ")).collect();
    texts.join("\n")
}
