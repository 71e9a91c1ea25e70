//! Tables on the terminal.

use comfy_table::{ContentArrangement, Table, presets::UTF8_HORIZONTAL_ONLY};
use std::fmt::Display;

/// A table with a header, wrapped to the width of the terminal where there is one.
pub fn table<Row: IntoIterator<Item: Display>>(
    header: &[&str],
    rows: impl IntoIterator<Item = Row>,
) -> String {
    let mut table = Table::new();
    table
        .load_preset(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    for row in rows {
        table.add_row(row.into_iter().map(|cell| cell.to_string()));
    }
    format!("{}\n", table.trim_fmt())
}

/// Lines of names and texts, the texts in a column. Texts of several lines are indented; empty ones are left out.
pub fn facts<S: AsRef<str>>(facts: &[(&str, S)]) -> String {
    let facts: Vec<_> = facts
        .iter()
        .filter(|(_, text)| !text.as_ref().is_empty())
        .collect();
    let width = facts.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or(0) + 2;
    let mut lines = String::new();
    for (name, text) in facts {
        for (k, line) in text.as_ref().lines().enumerate() {
            let name = if k == 0 { name } else { "" };
            lines.push_str(&format!("  {name:width$}{line}\n"));
        }
    }
    lines
}
