//! Writes results: tables as CSV or NPZ, plots as SVG or PNG.
//!
//! The extension of the path chooses the format. Every file is written beside its target under a temporary
//! name and then renamed, so that a failure leaves an existing file as it was; but a [`Stream`] grows in place while a run
//! goes on.

mod csv;
mod file;
mod growing;
mod npz;
mod plot;
mod reduced;
mod rows;
mod stream;
mod sweep;
mod table;
mod tally;

pub use csv::read_csv;
pub use growing::Extent;
pub use npz::array_names;
pub use plot::SweepPlot;
pub use plot::{Axis, Chart, Mark, Series, Shape, Shown};
pub use reduced::Reduced;
pub use rows::{read_rows, write_rows};
pub use stream::{Ending, Stream};
pub use sweep::sweep_table;
pub use table::{Column, Events, Metadata, Table};
pub use tally::{OfColumn, OfTrain, Tally};

use crate::experiment::Sweep;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a result could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The extension of the path is none of the known ones.
    #[error("cannot tell the format of {}: its name must end in {known}", path.display())]
    Extension {
        /// The path.
        path: PathBuf,
        /// The known extensions.
        known: &'static str,
    },
    /// The directory of the path does not exist.
    #[error("cannot write {}: there is no directory {}; create it first", path.display(), directory.display())]
    Directory {
        /// The path.
        path: PathBuf,
        /// The directory.
        directory: PathBuf,
    },
    /// The operating system refused to write.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The operating system refused to read, or the text is not UTF-8.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file that was to grow is not what it was at the time of a checkpoint.
    #[error(
        "cannot go on with {}: {reason}; put the file back as it was, give another one for what is to come, or run the experiment again", path.display()
    )]
    Changed {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A line of a CSV file cannot be understood.
    #[error("{}, line {line}: {reason}", path.display())]
    Csv {
        /// The path.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A column has not one value for each time.
    #[error("column {column:?} has {values} values for {samples} times")]
    Length {
        /// Name of the column.
        column: String,
        /// Number of its values.
        values: usize,
        /// Number of times.
        samples: usize,
    },
    /// A sweep of more quantities than a plot has directions.
    #[error(
        "a sweep of {quantities} quantities cannot be drawn, only one of 1 or 2; sweep fewer, or draw the table of the sweep yourself"
    )]
    Sweep {
        /// Number of quantities.
        quantities: usize,
    },
    /// The columns have more different units than a plot has panels.
    #[error(
        "a plot has at most {limit} panels, but the columns have {units} different units; plot fewer columns"
    )]
    Panels {
        /// Number of units.
        units: usize,
        /// Largest number of panels.
        limit: usize,
    },
}

/// Writes a table; `.csv` and `.npz` are the known extensions.
///
/// # CSV
///
/// Comment lines beginning with `#` hold the version of the program, title, solver, time step, completeness,
/// the events (`# spikes V: 6.8, 21.4`, in ms) and last the experiment, each of its lines after `# `. A header
/// row `t [ms],V [mV],…` and one row for each sample follow. Numbers have the fewest digits that read back
/// to the same double. [`read_csv`] reads all of it back.
///
/// # NPZ
///
/// An uncompressed archive of NumPy arrays, opened by `numpy.load`:
///
/// | name | contents |
/// |---|---|
/// | `t` | times in ms |
/// | `data` | all columns, samples × columns |
/// | one for each column | its values, under the name that [`array_names`] gives |
/// | `spikes_…` | times of events in ms, one array for each label |
/// | `arrays`, `names`, `units` | array names, names and units of the columns, one a line |
/// | `spike_arrays`, `spike_labels` | array names and labels of the events, one a line |
/// | `title`, `experiment`, `version`, `solver`, `message` | texts |
/// | `statistics`, `statistics_names` | least value, greatest value, its time in ms and mean of each variable of which statistics were kept; their names, one a line |
/// | `dt` | time step in ms, NaN where the solver chose its steps |
/// | `sweep_…` | one array for each column of the table of a sweep, see [`sweep_table`] |
/// | `sweep_arrays`, `sweep_names`, `sweep_units` | their array names, names and units, one a line |
/// | `complete` | 1 where the run reached its end, else 0 |
///
/// Texts are stored as UTF-8 bytes in arrays of `uint8`: `bytes(f["experiment"]).decode()` gives the text.
///
/// # Errors
///
/// [`OutputError::Extension`], [`OutputError::Length`], [`OutputError::Directory`], [`OutputError::Write`].
pub fn write(table: &Table, path: impl AsRef<Path>) -> Result<(), OutputError> {
    let path = path.as_ref();
    let csv = is_csv(path)?;
    table.check()?;
    file::replace(path, |out| match csv {
        true => csv::write(table, out),
        false => npz::write(table, out),
    })
}

/// Writes a file as a whole: a failure leaves an existing file as it was.
///
/// # Errors
///
/// [`OutputError::Directory`], [`OutputError::Write`].
pub fn write_bytes(bytes: &[u8], path: impl AsRef<Path>) -> Result<(), OutputError> {
    file::replace(path.as_ref(), |out| out.write_all(bytes))
}

/// Checks that [`write_bytes`] can write to `path`. Leaves nothing behind and existing files as they are.
///
/// # Errors
///
/// As [`write_bytes`].
pub fn check_bytes(path: impl AsRef<Path>) -> Result<(), OutputError> {
    file::check(path.as_ref())
}

/// Checks, before a run, that [`write()`] can write to `path`. Leaves nothing behind and existing files as they are.
///
/// # Errors
///
/// As [`write()`].
pub fn check_write(path: impl AsRef<Path>) -> Result<(), OutputError> {
    is_csv(path.as_ref())?;
    file::check(path.as_ref())
}

/// Draws a table; `.svg` and `.png` are the known extensions.
///
/// The plot has a panel for each unit, in the order of the columns, above a common time axis. It is 1200 units
/// wide and 350 high for each panel, at least 500. Traces with more samples than about four for each pixel
/// column are drawn by their extremes in it, so that no peak is lost. Values that are not finite break the
/// line. Events are ticks at the top of the panel of voltages.
///
/// # Errors
///
/// [`OutputError::Extension`], [`OutputError::Length`], [`OutputError::Panels`], [`OutputError::Directory`],
/// [`OutputError::Write`].
pub fn plot(table: &Table, path: impl AsRef<Path>) -> Result<(), OutputError> {
    let path = path.as_ref();
    let svg = is_svg(path)?;
    table.check()?;
    let panels = plot::panels(table)?;
    file::replace(path, |out| match svg {
        true => plot::svg(table, &panels, out),
        false => plot::png(table, &panels, out),
    })
}

/// Checks, before a run, that [`plot`] can draw the columns of `table` to `path`. Leaves nothing behind and existing
/// files as they are.
///
/// # Errors
///
/// As [`plot`].
pub fn check_plot(table: &Table, path: impl AsRef<Path>) -> Result<(), OutputError> {
    is_svg(path.as_ref())?;
    plot::panels(table)?;
    file::check(path.as_ref())
}

/// Draws the shape of a cell; `.svg` and `.png` are the known extensions.
///
/// The shape is projected along the axis in which it extends least, with line widths by diameter and a scale bar.
///
/// # Errors
///
/// [`OutputError::Extension`], [`OutputError::Directory`], [`OutputError::Write`].
pub fn plot_shape(shape: &Shape, path: impl AsRef<Path>) -> Result<(), OutputError> {
    let path = path.as_ref();
    let svg = is_svg(path)?;
    file::replace(path, |out| match svg {
        true => plot::shape_svg(shape, out),
        false => plot::shape_png(shape, out),
    })
}

/// Checks, before a run, that [`plot_shape`] can write to `path`. Leaves nothing behind and existing files as they
/// are.
///
/// # Errors
///
/// As [`plot_shape`].
pub fn check_shape(path: impl AsRef<Path>) -> Result<(), OutputError> {
    is_svg(path.as_ref())?;
    file::check(path.as_ref())
}

/// Draws what came out of a sweep; `.svg` and `.png` are the known extensions.
///
/// Over one quantity it is a line with a dot for each value, over two a map of colours, on a logarithmic scale where the
/// values are spaced so. Values that were drawn are dots.
///
/// # Errors
///
/// [`OutputError::Sweep`], [`OutputError::Extension`], [`OutputError::Directory`], [`OutputError::Write`].
pub fn plot_sweep(shown: &SweepPlot, path: impl AsRef<Path>) -> Result<(), OutputError> {
    let path = path.as_ref();
    let svg = sweep_format(shown.sweep, path)?;
    file::replace(path, |out| match svg {
        true => plot::sweep_svg(shown, out),
        false => plot::sweep_png(shown, out),
    })
}

/// Checks, before a run, that [`plot_sweep`] can draw a sweep to `path`. Leaves nothing behind and existing files as they
/// are.
///
/// # Errors
///
/// As [`plot_sweep`].
pub fn check_sweep(sweep: &Sweep, path: impl AsRef<Path>) -> Result<(), OutputError> {
    sweep_format(sweep, path.as_ref())?;
    file::check(path.as_ref())
}

fn sweep_format(sweep: &Sweep, path: &Path) -> Result<bool, OutputError> {
    match sweep.axes.len() {
        1 | 2 => is_svg(path),
        quantities => Err(OutputError::Sweep { quantities }),
    }
}

/// Draws a chart; `.svg` and `.png` are the known extensions.
///
/// # Errors
///
/// [`OutputError::Extension`], [`OutputError::Directory`], [`OutputError::Write`].
pub fn plot_chart(chart: &Chart, path: impl AsRef<Path>) -> Result<(), OutputError> {
    let path = path.as_ref();
    let svg = is_svg(path)?;
    file::replace(path, |out| match svg {
        true => plot::chart_svg(chart, out),
        false => plot::chart_png(chart, out),
    })
}

/// Checks, before a run, that [`plot_chart`] can write to `path`. Leaves nothing behind and existing files as they are.
///
/// # Errors
///
/// As [`plot_chart`].
pub fn check_chart(path: impl AsRef<Path>) -> Result<(), OutputError> {
    check_shape(path)
}

/// Writes a text that is made for the extension of the path, `.csv` or `.json`; `text` is told whether it is the former.
///
/// # Errors
///
/// [`OutputError::Extension`], [`OutputError::Directory`], [`OutputError::Write`].
pub fn write_text(
    path: impl AsRef<Path>,
    text: impl FnOnce(bool) -> String,
) -> Result<(), OutputError> {
    let path = path.as_ref();
    let csv = is_csv_or_json(path)?;
    file::replace(path, |out| io::Write::write_all(out, text(csv).as_bytes()))
}

/// Checks that [`write_text`] can write to `path`. Leaves nothing behind and existing files as they are.
///
/// # Errors
///
/// As [`write_text`].
pub fn check_text(path: impl AsRef<Path>) -> Result<(), OutputError> {
    is_csv_or_json(path.as_ref())?;
    file::check(path.as_ref())
}

/// Whether a text goes to a CSV file; else it goes to a JSON file.
fn is_csv_or_json(path: &Path) -> Result<bool, OutputError> {
    one_of(path, ["csv", "json"], ".csv or .json")
}

/// Whether a table goes to a CSV file; else it goes to an NPZ file.
fn is_csv(path: &Path) -> Result<bool, OutputError> {
    one_of(path, ["csv", "npz"], ".csv or .npz")
}

/// Whether a plot is a vector graphic; else it is a bitmap.
fn is_svg(path: &Path) -> Result<bool, OutputError> {
    one_of(path, ["svg", "png"], ".svg or .png")
}

/// Whether the extension is the first of two.
fn one_of(path: &Path, both: [&str; 2], known: &'static str) -> Result<bool, OutputError> {
    let extension = extension(path);
    match both.iter().position(|e| *e == extension) {
        Some(place) => Ok(place == 0),
        None => Err(OutputError::Extension {
            path: path.to_owned(),
            known,
        }),
    }
}

/// The extension of a path in lower case; empty where it has none.
fn extension(path: &Path) -> String {
    path.extension()
        .map_or_else(String::new, |e| e.to_string_lossy().to_ascii_lowercase())
}
