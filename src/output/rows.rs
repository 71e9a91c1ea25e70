//! Tables with a row for each of many things, instead of times.

use super::csv::{columns_of, fields, heading, number, one_line};
use super::{Column, OutputError, file};
use std::fs;
use std::io::Write;
use std::path::Path;

/// Reads a CSV file with a header row and a number in every field: one column for each heading, such as
/// `g_max [mS/cm2]`. Empty lines and lines beginning with `#` are left out.
///
/// # Errors
///
/// [`OutputError::Read`]; [`OutputError::Csv`] with the line, and the column, that cannot be understood.
pub fn read_rows(path: impl AsRef<Path>) -> Result<Vec<Column>, OutputError> {
    let path = path.as_ref();
    let text = fs::read_to_string(path).map_err(|source| OutputError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut columns: Option<Vec<Column>> = None;
    for (k, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let read = match &mut columns {
            None => header(line).map(|new| columns = Some(new)),
            Some(columns) => row(line, columns),
        };
        read.map_err(|reason| OutputError::Csv {
            path: path.to_owned(),
            line: k + 1,
            reason,
        })?;
    }
    columns.ok_or_else(|| OutputError::Csv {
        path: path.to_owned(),
        line: 1,
        reason: "a header row such as \"g_max [mS/cm2],E [mV]\" is missing".to_owned(),
    })
}

fn header(line: &str) -> Result<Vec<Column>, String> {
    let fields = fields(line)?;
    if fields.iter().all(|field| field.parse::<f64>().is_ok()) {
        return Err("a header row with names is wanted before the numbers".to_owned());
    }
    let columns = columns_of(&fields);
    for (k, column) in columns.iter().enumerate() {
        if columns[..k].iter().any(|c| c.name == column.name) {
            return Err(format!("two columns have the name {:?}", column.name));
        }
    }
    Ok(columns)
}

fn row(line: &str, columns: &mut [Column]) -> Result<(), String> {
    let fields = fields(line)?;
    if fields.len() != columns.len() {
        let (given, wanted) = (fields.len(), columns.len());
        return Err(format!("{given} fields under a header of {wanted}"));
    }
    for (field, column) in fields.iter().zip(columns) {
        match field.parse::<f64>() {
            Ok(x) if x.is_finite() => column.values.push(x),
            _ => {
                let start: String = field.chars().take(40).collect();
                let name = &column.name;
                return Err(format!("column {name:?}: {start:?} is no finite number"));
            }
        }
    }
    Ok(())
}

/// Writes columns as a CSV file that [`read_rows`] reads, where all numbers are finite, with comment lines before it.
///
/// # Errors
///
/// [`OutputError::Directory`], [`OutputError::Write`].
pub fn write_rows(
    columns: &[Column],
    comments: &[String],
    path: impl AsRef<Path>,
) -> Result<(), OutputError> {
    file::replace(path.as_ref(), |out| {
        for comment in comments {
            writeln!(out, "# {}", one_line(comment))?;
        }
        let headings: Vec<String> = columns.iter().map(heading).collect();
        writeln!(out, "{}", headings.join(","))?;
        let rows = columns.iter().map(|c| c.values.len()).min().unwrap_or(0);
        for k in 0..rows {
            let row: Vec<String> = columns.iter().map(|c| number(c.values[k])).collect();
            writeln!(out, "{}", row.join(","))?;
        }
        Ok(())
    })
}
