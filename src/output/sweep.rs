//! What each cell of a sweep did, in numbers.

use super::{Column, OfTrain, Tally};
use crate::experiment::Sweep;
use crate::simulation::Recording;
use std::collections::BTreeMap;

/// The table of a sweep, with a row for each cell.
///
/// | column | contents |
/// |---|---|
/// | `cell` | its number |
/// | one for each swept quantity | its value, in the unit of the experiment |
/// | `spikes` | how many there were |
/// | `first_spike` | the time of the first, ms; NaN where there was none |
/// | `rate` | spikes divided by `time`, Hz |
/// | `interval` | the mean time from one spike to the next, ms; NaN where there were less than two |
/// | `min_V`, `max_V`, `mean_V` | of the samples of a recorded variable; NaN where it was not recorded |
///
/// Where spikes are detected in several compartments or variables, the names of those columns end in `_V[3]`. `time` is
/// the time that the run has reached, ms. The numbers are those of a `tally`: [`Tally::of`] a recording that has
/// everything, or one that was kept while samples were drained; `names` is a recording of the same run with or without
/// samples, of which only the names are looked at.
pub fn sweep_table(sweep: &Sweep, names: &Recording, tally: &Tally, time: f64) -> Vec<Column> {
    let cells = sweep.cells();
    let column = |name: String, unit: &str, values: Vec<f64>| Column {
        name,
        unit: unit.to_string(),
        values,
    };
    let mut table = vec![column(
        "cell".into(),
        "",
        (0..cells).map(|k| k as f64).collect(),
    )];
    for axis in &sweep.axes {
        let unit = if axis.unit == "1" { "" } else { &axis.unit };
        table.push(column(axis.name.clone(), unit, axis.values.clone()));
    }
    let trains = groups(names.spikes().iter().map(|t| (&t.name, t.cell)));
    for (group, places) in &trains {
        let of_cell = |f: &dyn Fn(&OfTrain) -> f64| {
            let mut values = vec![f64::NAN; cells];
            for &(cell, k) in places {
                values[cell] = tally.trains.get(k).map_or(f64::NAN, f);
            }
            values
        };
        let name = |what: &str| match trains.len() {
            1 => what.to_string(),
            _ => format!("{what}_{group}"),
        };
        let interval = |train: &OfTrain| match train.count {
            0 | 1 => f64::NAN,
            count => (train.last - train.first) / (count - 1) as f64,
        };
        let rate = |train: &OfTrain| 1e3 * train.count as f64 / time;
        table.extend([
            column(name("spikes"), "", of_cell(&|train| train.count as f64)),
            column(name("first_spike"), "ms", of_cell(&|train| train.first)),
            column(name("rate"), "Hz", of_cell(&rate)),
            column(name("interval"), "ms", of_cell(&interval)),
        ]);
    }
    let columns = groups(names.columns().iter().map(|c| (&c.name, c.cell)));
    for (name, places) in &columns {
        let mut found = [const { Vec::new() }; 3].map(|_: Vec<f64>| vec![f64::NAN; cells]);
        let mut unit = "";
        for &(cell, k) in places {
            unit = &names.columns()[k].unit;
            let range = tally
                .columns
                .get(k)
                .map_or([f64::NAN; 2], |c| [c.min, c.max]);
            [found[0][cell], found[1][cell]] = range;
            found[2][cell] = tally.mean(k);
        }
        for (what, values) in ["min", "max", "mean"].into_iter().zip(found) {
            table.push(column(format!("{what}_{name}"), unit, values));
        }
    }
    table
}

/// What is the same variable at the same element, in different cells: name without the cell, and cells with places.
fn groups<'a>(
    all: impl Iterator<Item = (&'a String, usize)>,
) -> Vec<(&'a str, Vec<(usize, usize)>)> {
    let mut found: Vec<(&str, Vec<(usize, usize)>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (k, (name, cell)) in all.enumerate() {
        let ending = format!("#{cell}");
        let name = name.strip_suffix(ending.as_str()).unwrap_or(name);
        let place = *places.entry(name).or_insert_with(|| {
            found.push((name, Vec::new()));
            found.len() - 1
        });
        found[place].1.push((cell, k));
    }
    found
}
