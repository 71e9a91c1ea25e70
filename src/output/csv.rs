//! Tables as comma-separated values.

use super::{Column, Events, OutputError, Table};
use braincell_core::units::parse_in;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Starts the first comment line of a file of this program.
const PROGRAM: &str = "braincell ";
/// The comment line before the experiment.
const EXPERIMENT: &str = "experiment:";

/// Says that a run has not come to its end, in as many bytes as `yes`, which takes its place in the end.
pub(super) const NOT_YET: &str = "no ";
pub(super) const AT_THE_END: &str = "yes";

/// Writes the comments, the header and the rows.
pub(super) fn write(table: &Table, out: &mut impl Write) -> io::Result<()> {
    let complete = match table.metadata.complete {
        true => AT_THE_END,
        false => "no",
    };
    head(table, complete, out)?;
    for (i, &time) in table.time.iter().enumerate() {
        let values = table.columns.iter().map(|column| column.values[i]);
        row_to(time, values, out)?;
    }
    Ok(())
}

/// Writes a row.
pub(super) fn row_to(
    time: f64,
    values: impl Iterator<Item = f64>,
    out: &mut impl Write,
) -> io::Result<()> {
    write!(out, "{}", number(time))?;
    for value in values {
        write!(out, ",{}", number(value))?;
    }
    writeln!(out)
}

/// Writes the time of an event in its place between the rows.
pub(super) fn event_to(label: &str, time: f64, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "# spikes {}: {}", one_line(label), number(time))
}

/// Writes a comment with a key.
pub(super) fn note_to(key: &str, text: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "# {}: {}", one_line(key), one_line(text))
}

/// Writes the comments and the header.
pub(super) fn head(table: &Table, complete: &str, out: &mut impl Write) -> io::Result<()> {
    let metadata = &table.metadata;
    writeln!(out, "# {PROGRAM}{}", one_line(&metadata.program_version))?;
    writeln!(out, "# title: {}", one_line(&table.title))?;
    writeln!(out, "# solver: {}", one_line(&metadata.solver))?;
    match metadata.dt {
        Some(dt) => writeln!(out, "# dt: {} ms", number(dt))?,
        None => writeln!(out, "# dt: chosen by the solver")?,
    }
    writeln!(out, "# complete: {complete}")?;
    if let Some(message) = &metadata.message {
        writeln!(out, "# message: {}", one_line(message))?;
    }
    for events in &table.events {
        let times: Vec<String> = events.times.iter().map(|&t| number(t)).collect();
        let label = one_line(&events.label);
        writeln!(out, "# spikes {label}: {}", times.join(", "))?;
    }
    writeln!(out, "# {EXPERIMENT}")?;
    for line in metadata.experiment.split('\n') {
        writeln!(out, "# {line}")?;
    }
    let mut header = vec!["t [ms]".to_owned()];
    header.extend(table.columns.iter().map(heading));
    writeln!(out, "{}", header.join(","))
}

/// The shortest decimal form that reads back to the same double, with an exponent where it saves many zeros.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || !size.is_finite() || (1e-5..1e16).contains(&size) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// A text without line breaks.
pub(super) fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// `name [unit]`, quoted where it holds a comma or a quote, or a line of it alone would be no header: it is empty or begins with `#`.
pub(super) fn heading(column: &Column) -> String {
    let (name, unit) = (one_line(&column.name), one_line(&column.unit));
    // An empty pair of brackets keeps a name that ends in brackets apart from its unit, and a number from a value.
    let ambiguous = name.ends_with(']') && name.contains(" [") || name.parse::<f64>().is_ok();
    let text = if unit.is_empty() && !ambiguous {
        name
    } else {
        format!("{name} [{unit}]")
    };
    let comment_or_nothing = text.is_empty() || text.starts_with(['#', '\u{feff}']);
    if comment_or_nothing || text.contains(['"', ',']) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// Reads a table as [`write`](super::write) writes it, or any CSV file with a header row and numbers.
///
/// Lines beginning with `#` and empty lines may be missing or stand anywhere. The first column is time, in the
/// unit of its heading, or in ms where it has none. Without a comment that says otherwise a table is complete. Of a run
/// that was killed while it wrote, a last line without end is left out.
///
/// # Errors
///
/// [`OutputError::Read`]; [`OutputError::Csv`] with the line that cannot be understood.
pub fn read_csv(path: impl AsRef<Path>) -> Result<Table, OutputError> {
    let path = path.as_ref();
    let text = fs::read_to_string(path).map_err(|source| OutputError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&text).map_err(|(line, reason)| OutputError::Csv {
        path: path.to_owned(),
        line,
        reason,
    })
}

/// A line and what is wrong with it.
type LineError = (usize, String);

fn parse(text: &str) -> Result<Table, LineError> {
    let mut table = Table::default();
    table.metadata.complete = true;
    let mut comments = Comments::default();
    let mut time_unit = None;
    let mut last = 0;
    let cut = text.len() - text.rsplit('\n').next().map_or(0, str::len);
    let killed = text.starts_with("# braincell ") && text[..cut].contains("\n# complete: no");
    let text = if killed { &text[..cut] } else { text };
    for (i, line) in text.trim_start_matches('\u{feff}').split('\n').enumerate() {
        let number = i + 1;
        if let Some(comment) = line.strip_prefix('#') {
            let comment = comment.strip_prefix(' ').unwrap_or(comment);
            comments
                .read(comment, &mut table)
                .map_err(|reason| (number, reason))?;
            continue;
        }
        comments.in_experiment = false;
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        last = number;
        match &time_unit {
            None => {
                let unit = header(line, &mut table).map_err(|reason| (number, reason))?;
                time_unit = Some(unit);
            }
            Some(unit) => row(line, unit, &mut table).map_err(|reason| (number, reason))?,
        }
    }
    if time_unit.is_none() {
        let reason = "a header row such as \"t [ms],V [mV]\" is missing".to_owned();
        return Err((last + 1, reason));
    }
    if let Some(lines) = comments.experiment {
        table.metadata.experiment = lines.join("\n");
    }
    Ok(table)
}

/// What was seen in comments.
#[derive(Default)]
struct Comments {
    /// Whether the file is one of this program.
    ours: bool,
    in_experiment: bool,
    experiment: Option<Vec<String>>,
}

impl Comments {
    fn read(&mut self, comment: &str, table: &mut Table) -> Result<(), String> {
        if self.in_experiment {
            self.experiment
                .get_or_insert_default()
                .push(comment.to_owned());
            return Ok(());
        }
        let comment = comment.trim_end_matches('\r');
        let metadata = &mut table.metadata;
        if let Some(version) = comment.strip_prefix(PROGRAM)
            && !self.ours
        {
            self.ours = true;
            metadata.program_version = version.to_owned();
            return Ok(());
        }
        if !self.ours {
            return Ok(());
        }
        if let Some(spikes) = comment.strip_prefix("spikes ")
            && let Some((label, times)) = spikes.rsplit_once(':')
        {
            let label = label.to_owned();
            let times = times.split(',').map(str::trim).filter(|t| !t.is_empty());
            let times = times.map(float).collect::<Result<Vec<_>, _>>()?;
            match table.events.iter_mut().find(|e| e.label == label) {
                Some(events) => events.times.extend(times),
                None => table.events.push(Events { label, times }),
            }
            return Ok(());
        }
        if comment == EXPERIMENT {
            self.in_experiment = true;
            return Ok(());
        }
        let Some((key, value)) = comment.split_once(": ") else {
            return Ok(());
        };
        match key {
            "title" => table.title = value.to_owned(),
            "solver" => metadata.solver = value.to_owned(),
            "dt" => metadata.dt = value.strip_suffix(" ms").map(float).transpose()?,
            "complete" => metadata.complete = value == "yes",
            "message" => metadata.message = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }
}

/// Reads the header row into empty columns; returns the unit of time.
fn header(line: &str, table: &mut Table) -> Result<String, String> {
    let fields = fields(line)?;
    if fields.iter().all(|field| field.parse::<f64>().is_ok()) {
        return Err(
            "a header row such as \"t [ms],V [mV]\" is wanted before the numbers".to_owned(),
        );
    }
    let mut columns = columns_of(&fields);
    let unit = match columns.remove(0).unit {
        unit if unit.is_empty() => "ms".to_owned(),
        unit => unit,
    };
    parse_in(&format!("1 {unit}"), "ms").map_err(|e| format!("the unit of time: {e}"))?;
    table.columns = columns;
    Ok(unit)
}

/// Empty columns of headings such as `V [mV]`.
pub(super) fn columns_of(headings: &[String]) -> Vec<Column> {
    let split = |field: &String| {
        let split = field.strip_suffix(']').and_then(|f| f.rsplit_once(" ["));
        let (name, unit) = split.unwrap_or((field, ""));
        Column {
            name: name.to_owned(),
            unit: unit.to_owned(),
            values: Vec::new(),
        }
    };
    headings.iter().map(split).collect()
}

/// Reads a row of numbers.
fn row(line: &str, time_unit: &str, table: &mut Table) -> Result<(), String> {
    let count = line.split(',').count();
    if count != table.columns.len() + 1 {
        let columns = table.columns.len() + 1;
        return Err(format!("{count} numbers under a header of {columns}"));
    }
    let mut numbers = line.split(',').map(float);
    let time = numbers.next().transpose()?.unwrap_or(f64::NAN);
    let time = match time_unit {
        _ if !time.is_finite() => return Err(format!("the time {time} is not finite")),
        "ms" => time,
        unit => parse_in(&format!("{time:e} {unit}"), "ms").map_err(|e| e.to_string())?,
    };
    for (column, number) in table.columns.iter_mut().zip(numbers) {
        column.values.push(number?);
    }
    table.time.push(time);
    Ok(())
}

fn float(text: &str) -> Result<f64, String> {
    let text = text.trim();
    text.parse().map_err(|_| {
        let start: String = text.chars().take(40).collect();
        format!("{start:?} is not a number")
    })
}

/// Fields of a row, some of them quoted.
pub(super) fn fields(line: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let Some(quoted) = rest.trim_start().strip_prefix('"') else {
            let (field, tail) = rest.split_once(',').unzip();
            fields.push(field.unwrap_or(rest).trim().to_owned());
            match tail {
                Some(tail) => rest = tail,
                None => return Ok(fields),
            }
            continue;
        };
        let mut field = String::new();
        let mut chars = quoted.chars();
        loop {
            match chars.next() {
                None => return Err("a quote is not closed".to_owned()),
                Some('"') if chars.as_str().starts_with('"') => {
                    chars.next();
                    field.push('"');
                }
                Some('"') => break,
                Some(c) => field.push(c),
            }
        }
        fields.push(field);
        let tail = chars.as_str().trim_start();
        match tail.strip_prefix(',') {
            Some(next) => rest = next,
            None if tail.is_empty() => return Ok(fields),
            None => {
                let start: String = tail.chars().take(40).collect();
                return Err(format!("a comma is missing before {start:?}"));
            }
        }
    }
}
