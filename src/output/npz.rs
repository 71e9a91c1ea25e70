//! Tables as archives of NumPy arrays.

use super::Table;
use crate::simulation::Statistic;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::ops::Range;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Names of arrays that are no columns.
const RESERVED: [&str; 19] = [
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
    "statistics",
    "statistics_names",
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

/// Memory for columns that are put together from rows, in bytes.
const MEMORY: u64 = 64 << 20;

/// Samples, of which each is a row: time, then the columns.
pub(super) trait Rows {
    /// Number of rows.
    fn samples(&self) -> u64;
    /// Writes these numbers of each row, 0 being time, in little-endian.
    fn copy(&mut self, columns: Range<usize>, out: &mut dyn Write) -> io::Result<()>;
}

impl Rows for &Table {
    fn samples(&self) -> u64 {
        self.time.len() as u64
    }

    fn copy(&mut self, columns: Range<usize>, out: &mut dyn Write) -> io::Result<()> {
        for i in 0..self.time.len() {
            for k in columns.clone() {
                let number = match k {
                    0 => self.time[i],
                    k => self.columns[k - 1].values[i],
                };
                out.write_all(&number.to_le_bytes())?;
            }
        }
        Ok(())
    }
}

/// Writes the archive of a table.
pub(super) fn write(table: &Table, out: &mut BufWriter<File>) -> io::Result<()> {
    archive(table, &mut &*table, &[], out)
}

/// Writes the archive: everything but the samples from `table`.
pub(super) fn archive(
    table: &Table,
    rows: &mut dyn Rows,
    statistics: &[Statistic],
    out: &mut BufWriter<File>,
) -> io::Result<()> {
    let [columns, events, sweep] = all_names(table);
    let metadata = &table.metadata;
    let mut npz = Archive(ZipWriter::new(out));
    let samples = rows.samples();
    let width = columns.len();
    npz.array("t", &[samples], "<f8", |out| rows.copy(0..1, out))?;
    npz.array("data", &[samples, width as u64], "<f8", |out| {
        rows.copy(1..1 + width, out)
    })?;
    // Several columns at once, so that long files are not read so often.
    let together = (MEMORY / (8 * samples.max(1))).clamp(1, 1 << 16) as usize;
    for (group, names) in columns.chunks(together).enumerate() {
        let first = 1 + group * together;
        if let [name] = names {
            npz.array(name, &[samples], "<f8", |out| {
                rows.copy(first..first + 1, out)
            })?;
            continue;
        }
        let mut numbers = Vec::with_capacity(8 * samples as usize * names.len());
        rows.copy(first..first + names.len(), &mut numbers)?;
        for (k, name) in names.iter().enumerate() {
            let column = numbers.chunks_exact(8).skip(k).step_by(names.len());
            npz.array(name, &[samples], "<f8", |out| {
                column.into_iter().try_for_each(|x| out.write_all(x))
            })?;
        }
    }
    for (name, events) in events.iter().zip(&table.events) {
        npz.numbers(name, &[events.times.len() as u64], &events.times)?;
    }
    for (name, column) in sweep.iter().zip(&table.sweep) {
        npz.numbers(name, &[column.values.len() as u64], &column.values)?;
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
        npz.text(name, text)?;
    }
    if !sweep.is_empty() {
        npz.text("sweep_arrays", &sweep.join("\n"))?;
        npz.text("sweep_names", &sweep_names)?;
        npz.text("sweep_units", &sweep_units)?;
    }
    if !statistics.is_empty() {
        let numbers = statistics.iter();
        let numbers = numbers.flat_map(|s| [s.min, s.max, s.time_of_max, s.mean]);
        let shape = [statistics.len() as u64, 4];
        npz.numbers("statistics", &shape, &numbers.collect::<Vec<_>>())?;
        let names = lines(statistics.iter().map(|s| s.column.name.as_str()));
        npz.text("statistics_names", &names)?;
    }
    npz.numbers("dt", &[], &[metadata.dt.unwrap_or(f64::NAN)])?;
    npz.array("complete", &[], "|u1", |out| {
        out.write_all(&[u8::from(metadata.complete)])
    })?;
    npz.0.finish().map_err(io::Error::other)?;
    Ok(())
}

/// The header of an array in the format NPY 1.0, of a length that does not depend on the number of rows.
pub(super) fn header(shape: &[u64], kind: &str) -> Vec<u8> {
    let shape = match shape {
        [one] => format!("({one},)"),
        shape => {
            let all: Vec<String> = shape.iter().map(u64::to_string).collect();
            format!("({})", all.join(", "))
        }
    };
    let dict = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    // 128 bytes in all hold two numbers of 20 digits.
    let dict = format!("{dict:117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(dict.len() as u16).to_le_bytes());
    bytes.extend_from_slice(dict.as_bytes());
    bytes
}

/// An archive of arrays.
struct Archive<W: Write + Seek>(ZipWriter<W>);

impl<W: Write + Seek> Archive<W> {
    fn array(
        &mut self,
        name: &str,
        shape: &[u64],
        kind: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let bytes = shape.iter().fold(8, |all: u64, &n| all.saturating_mul(n));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(bytes >= u64::from(u32::MAX) - 128);
        let started = self.0.start_file(format!("{name}.npy"), options);
        started.map_err(io::Error::other)?;
        self.0.write_all(&header(shape, kind))?;
        let mut out = BufWriter::new(&mut self.0);
        write(&mut out)?;
        out.flush()
    }

    fn numbers(&mut self, name: &str, shape: &[u64], numbers: &[f64]) -> io::Result<()> {
        self.array(name, shape, "<f8", |out| {
            (numbers.iter()).try_for_each(|x| out.write_all(&x.to_le_bytes()))
        })
    }

    fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.array(name, &[text.len() as u64], "|u1", |out| {
            out.write_all(text.as_bytes())
        })
    }
}

/// Texts one a line; line breaks inside of them become spaces.
fn lines<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.map(|t| t.replace(['\n', '\r'], " ")).collect();
    texts.join("\n")
}
