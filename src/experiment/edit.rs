//! Changing the text of an experiment.

use super::Experiment;
use super::fit::painted;
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

impl Experiment {
    /// The text of the experiment with other values of parameters, comments and order kept. Parameters of mechanisms go to
    /// `[mechanisms]`, those of synapses to `[synapses]`, the capacitance, the resistivity and parameters of systems to
    /// `[model]`; of a
    /// branched cell, `"paint[2].g_max"` goes to the third `[[paint]]`, and `"na.g_max"` to all with the label "na".
    pub fn with_values(&self, values: &[(String, f64)]) -> String {
        // The text has been read before.
        let Ok(mut document) = self.text.parse::<DocumentMut>() else {
            return self.text.clone();
        };
        for (name, x) in values {
            let quantity = |parameter: &str| {
                let unit = self.model.parameter(parameter).map(|p| p.unit.clone());
                match unit.unwrap_or_default().as_str() {
                    "" => value(*x),
                    unit => value(format!("{x} {unit}")),
                }
            };
            let entries = match document.get("paint") {
                Some(paint) if self.cell.is_some() => labels(paint),
                _ => Vec::new(),
            };
            if let Some((number, key)) = painted(name) {
                let label = entries.get(number).cloned().flatten();
                let parameter = match (label, key) {
                    (Some(label), _) => format!("{label}.{key}"),
                    (None, "capacitance") => "C".to_string(),
                    (None, _) => key.to_string(),
                };
                put_painted(&mut document, number, key, quantity(&parameter));
                continue;
            }
            let quantity = quantity(name);
            let (label, key) = name.split_once('.').unwrap_or(("", name));
            let of_label = |own: &Option<String>| own.as_deref() == Some(label);
            if entries.iter().any(of_label) {
                for (number, _) in entries.iter().enumerate().filter(|(_, own)| of_label(own)) {
                    put_painted(&mut document, number, key, quantity.clone());
                }
                continue;
            }
            let passive = match name.as_str() {
                "C" => Some("capacitance"),
                "resistivity" if self.cell.is_some() => Some("resistivity"),
                _ => None,
            };
            if let Some(key) = passive {
                // Regions with a value of their own have the same one.
                for number in 0..entries.len() {
                    if gives(&document, number, key) {
                        put_painted(&mut document, number, key, quantity.clone());
                    }
                }
                put(document.as_table_mut(), &["model", key], quantity);
                continue;
            }
            let synapses = document.get("synapses").and_then(Item::as_table_like);
            let is_synapse = synapses.is_some_and(|synapses| synapses.contains_key(label));
            let path: Vec<&str> = match name.split_once('.') {
                Some((label, parameter)) if is_synapse => vec!["synapses", label, parameter],
                Some((label, parameter)) => vec!["mechanisms", label, parameter],
                None => vec!["model", "parameters", name],
            };
            put(document.as_table_mut(), &path, quantity);
        }
        document.to_string()
    }
}

/// The labels of the entries of `[[paint]]`.
fn labels(paint: &Item) -> Vec<Option<String>> {
    let label = |table: &dyn TableLike| {
        let label = table.get("label").and_then(Item::as_str);
        label.map(str::to_string)
    };
    match (paint.as_array_of_tables(), paint.as_array()) {
        (Some(tables), _) => tables.iter().map(|table| label(table)).collect(),
        (_, Some(array)) => (array.iter())
            .map(|entry| entry.as_inline_table().and_then(|table| label(table)))
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether an entry of `[[paint]]` gives a value.
fn gives(document: &DocumentMut, number: usize, key: &str) -> bool {
    let entry = document.get("paint").and_then(|paint| paint.get(number));
    entry.is_some_and(|entry| entry.get(key).is_some())
}

/// Sets a key of an entry of `[[paint]]`.
fn put_painted(document: &mut DocumentMut, number: usize, key: &str, new: Item) {
    match document.get_mut("paint") {
        Some(Item::ArrayOfTables(tables)) => {
            if let Some(table) = tables.get_mut(number) {
                put(table, &[key], new);
            }
        }
        Some(Item::Value(toml_edit::Value::Array(array))) => {
            let table = array.get_mut(number);
            let table = table.and_then(toml_edit::Value::as_inline_table_mut);
            if let (Some(table), Item::Value(new)) = (table, new) {
                table.insert(key, new);
            }
        }
        _ => {}
    }
}

/// Sets a key, keeping what surrounds its value.
fn put(table: &mut Table, path: &[&str], new: Item) {
    let [first, rest @ ..] = path else { return };
    if rest.is_empty() {
        match (table.get_mut(first), new) {
            (Some(Item::Value(old)), Item::Value(mut new)) => {
                *new.decor_mut() = old.decor().clone();
                *old = new;
            }
            (_, new) => {
                table.insert(first, new);
            }
        }
        return;
    }
    let inner = table.entry(first).or_insert(Item::Table(Table::new()));
    match inner {
        Item::Table(inner) => put(inner, rest, new),
        Item::Value(toml_edit::Value::InlineTable(inner)) => {
            if let ([key], Item::Value(new)) = (rest, new) {
                inner.insert(*key, new);
            }
        }
        _ => {}
    }
}
