//! Changing the text of an experiment.

use super::Experiment;
use toml_edit::{DocumentMut, Item, Table, value};

impl Experiment {
    /// The text of the experiment with other values of parameters, comments and order kept. Parameters of mechanisms go to
    /// `[mechanisms]`, the capacitance of a single compartment and parameters of systems to `[model]`.
    pub fn with_values(&self, values: &[(String, f64)]) -> String {
        // The text has been read before.
        let Ok(mut document) = self.text.parse::<DocumentMut>() else {
            return self.text.clone();
        };
        for (name, x) in values {
            let unit = self.model.parameter(name).map(|p| p.unit.clone());
            let quantity = match unit.unwrap_or_default().as_str() {
                "" => value(*x),
                unit => value(format!("{x} {unit}")),
            };
            let path: Vec<&str> = match name.split_once('.') {
                Some((label, parameter)) => vec!["mechanisms", label, parameter],
                None if name == "C" => vec!["model", "capacitance"],
                None => vec!["model", "parameters", name],
            };
            put(document.as_table_mut(), &path, quantity);
        }
        document.to_string()
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
