//! Tables on the terminal.

use comfy_table::{
    ColumnConstraint, ContentArrangement, Table, TableComponent, Width, presets::NOTHING,
};
use std::fmt::Display;

/// A table with a header, wrapped to the width of the terminal where there is one.
pub fn table<Row: IntoIterator<Item: Display>>(
    header: &[&str],
    rows: impl IntoIterator<Item = Row>,
) -> String {
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    let mut words = vec![0; header.len()];
    for row in rows {
        let row: Vec<String> = row.into_iter().map(|cell| cell.to_string()).collect();
        for (longest, cell) in words.iter_mut().zip(&row) {
            let lengths = cell.split_whitespace().map(|word| word.chars().count());
            *longest = lengths.max().unwrap_or(0).max(*longest);
        }
        table.add_row(row);
    }
    // No column is narrower than its longest word, so that words stay whole.
    for k in 0..header.len() {
        let words = words[k].max(header[k].chars().count());
        let width = u16::try_from(words + 2).unwrap_or(u16::MAX);
        if let Some(column) = table.column_mut(k) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
        }
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
