//! Tables that are written while a run goes on.

use super::growing::{Extent, Growing};
use super::npz::{self, Rows};
use super::table::{Column, Table};
use super::{OutputError, csv, file, is_csv};
use crate::simulation::{Recording, Statistic};
use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Bytes that are written at once.
const CHUNK: usize = 1 << 20;

/// How a run ended, and what is known only then.
#[derive(Clone, Debug, Default)]
pub struct Ending<'a> {
    /// Whether the run reached its end.
    pub complete: bool,
    /// Why the run ended early.
    pub message: Option<&'a str>,
    /// Statistics over the whole run.
    pub statistics: &'a [Statistic],
    /// The table of a sweep, which goes into an NPZ file: see [`super::sweep_table`].
    pub sweep: &'a [Column],
    /// Spikes behind the last sample: times in ms for each kind of events.
    pub events: Vec<Vec<f64>>,
    /// More to tell, such as what a restart changed.
    pub notes: Vec<(String, String)>,
    /// Whether the files from which an NPZ file is put together stay, so that the run can go on.
    pub keep_parts: bool,
}

/// A table that grows on the disk while a run goes on, in bounded memory.
///
/// A CSV file is that of [`super::write()`], but spikes have lines of their own between the rows, each before the first row
/// of a later time, and statistics and the reason of an early end come last. It can be read at every moment; only the
/// last line of a run that was killed may be cut.
///
/// An NPZ file is put together in the end. Until then the rows are in `NAME.npz.rows.npy`, an array of samples × (time and
/// columns), and the spikes in `NAME.npz.spikes.npy`, an array of spikes × (number of the label, time), both of which
/// `numpy.load` opens at every moment.
pub struct Stream {
    /// Everything but samples and events.
    table: Table,
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Csv {
        file: Growing,
        /// Where in the head it says whether the run is complete.
        complete: u64,
    },
    Npz {
        rows: NpyFile,
        spikes: NpyFile,
    },
}

impl Stream {
    /// Begins the file of a table without samples and events, in place of a file that is there.
    ///
    /// # Errors
    /// As [`super::write()`].
    pub fn create(table: Table, path: impl AsRef<Path>) -> Result<Self, OutputError> {
        let path = path.as_ref();
        let kind = match is_csv(path)? {
            true => {
                let (head, complete) = csv_head(&table);
                let file = Growing::create(path, &head)?;
                Kind::Csv { file, complete }
            }
            false => {
                file::check(path)?;
                Kind::Npz {
                    rows: NpyFile::create(&beside(path, "rows"), 1 + table.columns.len())?,
                    spikes: NpyFile::create(&beside(path, "spikes"), 2)?,
                }
            }
        };
        Ok(Self {
            table,
            path: path.to_owned(),
            kind,
        })
    }

    /// Goes on with the file of a table after marks. What was written behind them is lost.
    ///
    /// # Errors
    /// [`OutputError::Changed`] if the file is not what it was then; and as [`Stream::create`].
    pub fn resume(
        table: Table,
        path: impl AsRef<Path>,
        marks: &[Extent],
    ) -> Result<Self, OutputError> {
        let path = path.as_ref();
        let kind = match (is_csv(path)?, marks) {
            (true, [mark]) => {
                let (head, complete) = csv_head(&table);
                let at = complete as usize;
                let ends = at + csv::NOT_YET.len();
                let fits =
                    |found: &[u8]| found[..at] == head[..at] && found[ends..] == head[ends..];
                let mut file = Growing::reopen(path, head.len() as u64, *mark, fits)?;
                file.patch(complete, csv::NOT_YET.as_bytes())?;
                Kind::Csv { file, complete }
            }
            (false, &[rows, spikes]) => Kind::Npz {
                rows: NpyFile::reopen(&beside(path, "rows"), 1 + table.columns.len(), rows)?,
                spikes: NpyFile::reopen(&beside(path, "spikes"), 2, spikes)?,
            },
            _ => {
                return Err(OutputError::Changed {
                    path: path.to_owned(),
                    reason: "it is a file of another format than then",
                });
            }
        };
        Ok(Self {
            table,
            path: path.to_owned(),
            kind,
        })
    }

    /// Adds samples and events that were drained from a simulation.
    ///
    /// # Errors
    /// [`OutputError::Write`]; the file then holds what was added before, but for some of the last rows perhaps.
    pub fn append(&mut self, part: &Recording) -> Result<(), OutputError> {
        let times = part.times();
        let trains = part.spikes().iter().map(|train| &train.times[..]);
        let events = sorted(trains);
        let columns = self.table.columns.len();
        match &mut self.kind {
            Kind::Csv { file, .. } => {
                let mut out = Lines::new(file);
                let mut events = events.into_iter().peekable();
                for (&time, row) in times.iter().zip(part.data().rows()) {
                    while let Some((at, k)) = events.next_if(|&(at, _)| at < time) {
                        out.line(|out| csv::event_to(&self.table.events[k].label, at, out))?;
                    }
                    let row = row.into_iter().copied().take(columns);
                    out.line(|out| csv::row_to(time, row, out))?;
                }
                for (at, k) in events {
                    out.line(|out| csv::event_to(&self.table.events[k].label, at, out))?;
                }
                out.end()
            }
            Kind::Npz { rows, spikes } => {
                let numbers = times.iter().zip(part.data().rows());
                rows.append(numbers.flat_map(|(&time, row)| {
                    let row = row.into_iter().copied().take(columns);
                    std::iter::once(time).chain(row.collect::<Vec<_>>())
                }))?;
                spikes.append(events.into_iter().flat_map(|(at, k)| [k as f64, at]))
            }
        }
    }

    /// Makes sure that all is on the disk, and tells how far the files have grown.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn mark(&mut self) -> Result<Vec<Extent>, OutputError> {
        match &mut self.kind {
            Kind::Csv { file, .. } => Ok(vec![file.mark()?]),
            Kind::Npz { rows, spikes } => Ok(vec![rows.file.mark()?, spikes.file.mark()?]),
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn finish(self, ending: &Ending) -> Result<(), OutputError> {
        match self.kind {
            Kind::Csv { mut file, complete } => {
                let mut out = Lines::new(&mut file);
                let events = ending.events.iter().map(|times| &times[..]);
                for (at, k) in sorted(events) {
                    out.line(|out| csv::event_to(&self.table.events[k].label, at, out))?;
                }
                for s in ending.statistics {
                    let [min, max, at, mean] =
                        [s.min, s.max, s.time_of_max, s.mean].map(csv::number);
                    let text = format!(
                        "min {min}, max {max} at {at} ms, mean {mean} {}",
                        s.column.unit
                    );
                    let key = format!("statistics {}", s.column.name);
                    out.line(|out| csv::note_to(&key, text.trim_end(), out))?;
                }
                let message = ending.message.map(|m| ("message".into(), m.to_string()));
                for (key, text) in ending.notes.iter().cloned().chain(message) {
                    out.line(|out| csv::note_to(&key, &text, out))?;
                }
                out.end()?;
                if ending.complete {
                    file.patch(complete, csv::AT_THE_END.as_bytes())?;
                }
                file.mark().map(|_| ())
            }
            Kind::Npz {
                mut rows,
                mut spikes,
            } => {
                let mut table = self.table;
                let behind = sorted(ending.events.iter().map(|times| &times[..]));
                spikes.append(behind.into_iter().flat_map(|(at, k)| [k as f64, at]))?;
                spikes.sort_into(&mut table)?;
                table.sweep = ending.sweep.to_vec();
                table.metadata.complete = ending.complete;
                table.metadata.message = ending.message.map(str::to_string);
                for (key, text) in &ending.notes {
                    let experiment = &mut table.metadata.experiment;
                    *experiment = format!("# {key}: {text}\n{experiment}");
                }
                file::replace(&self.path, |out| {
                    npz::archive(&table, &mut rows, ending.statistics, out)
                })?;
                if !ending.keep_parts {
                    for part in [rows, spikes] {
                        let path = part.file.path().to_owned();
                        fs::remove_file(&path).map_err(|source| file::failed(&path, source))?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Where what was written can be found while the run goes on, or after it could not be brought to its end.
    pub fn while_running(&self) -> &Path {
        match &self.kind {
            Kind::Csv { .. } => &self.path,
            Kind::Npz { rows, .. } => rows.file.path(),
        }
    }
}

/// The head of a CSV file, and where it says whether the run is complete.
fn csv_head(table: &Table) -> (Vec<u8>, u64) {
    let mut head = Vec::new();
    // Nothing keeps a vector from growing.
    let _ = csv::head(table, csv::NOT_YET, &mut head);
    let key = b"\n# complete: ";
    let at = head.windows(key.len()).position(|window| window == key);
    let at = at.map_or(0, |at| at + key.len());
    (head, at as u64)
}

/// Events of all kinds in order of time, with the number of their kind.
fn sorted<'a>(events: impl Iterator<Item = &'a [f64]>) -> Vec<(f64, usize)> {
    let events = events.enumerate();
    let mut all: Vec<(f64, usize)> = events
        .flat_map(|(k, times)| times.iter().map(move |&at| (at, k)))
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all
}

/// `t.npz.rows.npy` beside `t.npz`.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{what}.npy"));
    name.into()
}

/// Whole lines, put together before they are written.
struct Lines<'a> {
    file: &'a mut Growing,
    text: Vec<u8>,
}

impl<'a> Lines<'a> {
    fn new(file: &'a mut Growing) -> Self {
        let text = Vec::new();
        Self { file, text }
    }

    fn line(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> Result<(), OutputError> {
        // Nothing keeps a vector from growing.
        let _ = write(&mut self.text);
        if self.text.len() < CHUNK {
            return Ok(());
        }
        self.file.append(&self.text)?;
        self.text.clear();
        Ok(())
    }

    fn end(self) -> Result<(), OutputError> {
        self.file.append(&self.text)
    }
}

/// A NumPy array that grows by rows.
struct NpyFile {
    file: Growing,
    width: usize,
}

impl NpyFile {
    fn create(path: &Path, width: usize) -> Result<Self, OutputError> {
        let file = Growing::create(path, &npz::header(&[0, width as u64], "<f8"))?;
        Ok(Self { file, width })
    }

    fn reopen(path: &Path, width: usize, mark: Extent) -> Result<Self, OutputError> {
        let head = npz::header(&[0, width as u64], "<f8").len() as u64;
        // Shorter or longer numbers of rows are followed by more or fewer spaces.
        let fits = |found: &[u8]| {
            let text = String::from_utf8_lossy(found);
            text.contains(&format!(", {width}), }}"))
        };
        let mut array = Self {
            file: Growing::reopen(path, head, mark, fits)?,
            width,
        };
        array.show_rows()?;
        Ok(array)
    }

    /// Adds rows. Where they cannot all be written, the header tells of those that could.
    fn append(&mut self, numbers: impl Iterator<Item = f64>) -> Result<(), OutputError> {
        let added = self.add(numbers);
        let shown = self.show_rows();
        added.and(shown)
    }

    fn add(&mut self, numbers: impl Iterator<Item = f64>) -> Result<(), OutputError> {
        let mut bytes = Vec::new();
        let row = 8 * self.width;
        for number in numbers {
            bytes.extend_from_slice(&number.to_le_bytes());
            if bytes.len() >= CHUNK && bytes.len() % row == 0 {
                self.file.append(&bytes)?;
                bytes.clear();
            }
        }
        self.file.append(&bytes)
    }

    /// Writes into the header how many rows there are.
    fn show_rows(&mut self) -> Result<(), OutputError> {
        let header = npz::header(&[self.rows(), self.width as u64], "<f8");
        self.file.patch(0, &header)
    }

    fn rows(&self) -> u64 {
        self.file.body() / (8 * self.width as u64)
    }

    /// Gives all events to those of their kind.
    fn sort_into(&mut self, table: &mut Table) -> Result<(), OutputError> {
        let count = self.rows();
        let path = self.file.path().to_owned();
        let mut reader = self.file.read()?;
        let mut number = || {
            let mut bytes = [0; 8];
            let read = reader.read_exact(&mut bytes);
            read.map_err(|source| file::failed(&path, source))?;
            Ok(f64::from_le_bytes(bytes))
        };
        for _ in 0..count {
            let (kind, time) = (number()?, number()?);
            if let Some(events) = table.events.get_mut(kind as usize) {
                events.times.push(time);
            }
        }
        Ok(())
    }
}

impl Rows for NpyFile {
    fn samples(&self) -> u64 {
        self.rows()
    }

    fn copy(&mut self, columns: Range<usize>, out: &mut dyn Write) -> io::Result<()> {
        let (row, count) = (8 * self.width, self.rows());
        let mut reader = self.file.read().map_err(io::Error::other)?;
        let mut bytes = vec![0; row];
        for _ in 0..count {
            let wanted = 8 * columns.start..8 * columns.end;
            if reader.buffer().len() >= row {
                out.write_all(&reader.buffer()[wanted])?;
                reader.consume(row);
            } else {
                reader.read_exact(&mut bytes)?;
                out.write_all(&bytes[wanted])?;
            }
        }
        Ok(())
    }
}
