//! The section `[sweep]`: values that are tried, one combination in each cell of a population.
//!
//! A sweep puts lists with one entry for each cell where the file has, or could have, one value. All that reads the file
//! afterwards sees a population.

use super::draws::Draws;
use super::error::ExperimentError;
use super::section::{Item, Section, Source};
use crate::units::Quantity;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The greatest number of combinations.
const MOST: usize = 1_000_000;
/// Keys that say how to sweep.
const HOW: [&str; 3] = ["mode", "count", "seed"];
/// Sections whose parts have names of the user.
const NAMED: [&str; 4] = ["mechanisms", "inputs", "clamps", "synapses"];

/// A quantity that is swept.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Its name, as the file has it.
    pub name: String,
    /// The unit of its values, as the file has it; `1` for a number without dimension.
    pub unit: String,
    /// Its value in each cell.
    pub values: Vec<f64>,
    /// Whether the values are spaced evenly on a logarithmic scale.
    pub logarithmic: bool,
}

/// How values are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combination {
    /// Each value of a quantity with each of the others; the last quantity of the file changes fastest.
    Product,
    /// First values together, second values together, and so on.
    Zip,
    /// Drawn for each cell.
    Random,
}

/// A sweep: each cell of the population has other values of some quantities.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// The quantities, in the order of the file.
    pub axes: Vec<Axis>,
    /// How their values are combined.
    pub combination: Combination,
    /// How many values each quantity has by itself.
    pub points: Vec<usize>,
}

impl Sweep {
    /// The number of cells.
    pub fn cells(&self) -> usize {
        self.axes.first().map_or(0, |axis| axis.values.len())
    }
}

/// A part of a place in a file.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Key(String),
    Entry(usize),
}

/// A swept quantity as it is read.
struct Swept {
    name: String,
    /// Where the sweep names it.
    span: Range<usize>,
    path: Vec<Part>,
    points: Vec<Quantity>,
    logarithmic: bool,
    drawn: bool,
}

/// What a key of a sweep holds.
enum Given {
    Points(Vec<Quantity>, bool),
    Draws(Draws, Quantity),
}

/// Reads the section, and puts the values of each cell where they belong.
pub(super) fn apply(
    source: &Source,
    table: &mut Spanned<DeTable>,
) -> Result<Option<Sweep>, ExperimentError> {
    let Some((sweep, swept)) = read(&Section::file(source, table))? else {
        return Ok(None);
    };
    for (k, quantity) in swept.iter().enumerate() {
        let stride: usize = match sweep.combination {
            Combination::Product => sweep.points[k + 1..].iter().product(),
            _ => 1,
        };
        let value = |cell: usize| {
            let text = quantity.points[cell / stride % quantity.points.len()].to_string();
            Spanned::new(quantity.span.clone(), DeValue::String(text.into()))
        };
        let values: Vec<_> = (0..sweep.cells()).map(value).collect();
        let list = DeValue::Array(values.into_iter().collect());
        put(table.get_mut(), &quantity.path, &quantity.span, list).map_err(|reason| {
            ExperimentError::Value {
                place: source.place(quantity.span.start, &format!("sweep.{}", quantity.name)),
                reason,
            }
        })?;
    }
    Ok(Some(sweep))
}

fn read(file: &Section) -> Result<Option<(Sweep, Vec<Swept>)>, ExperimentError> {
    let Some(section) = file.section("sweep")? else {
        return Ok(None);
    };
    if let Some(item) = file.section("model")?.and_then(|model| model.get("cells")) {
        return Err(item.refuse(
            "a sweep makes a cell of each combination of its values; remove this key, or the section [sweep]",
        ));
    }
    let count = section.get("count");
    let number = count.as_ref().map(Item::count).transpose()?;
    let mode = section.get("mode");
    let zip = match &mode {
        None => false,
        Some(item) => match item.text()? {
            "product" => false,
            "zip" => true,
            other => return Err(item.unknown("mode", other, &["product", "zip"])),
        },
    };
    let seed = match section.get("seed") {
        Some(item) => item.count()? as u64,
        None => section.source().seed,
    };
    let mut all = Vec::new();
    for (name, item) in quantities(&section) {
        all.push((given(&item, seed)?, name, item));
    }
    if all.is_empty() {
        return Err(ExperimentError::Missing {
            place: section.place(),
            key: "a quantity to sweep".to_string(),
            example: "\"na.g_max\" = [\"80 mS/cm2\", \"120 mS/cm2\"]".to_string(),
        });
    }
    let random = all.iter().any(|(g, ..)| matches!(g, Given::Draws(..)));
    if random && mode.is_some() && !zip {
        return Err(section.refuse(
            "numbers that are drawn have no product; write mode = \"zip\", or remove the key \"mode\"",
        ));
    }
    let combination = match (random, zip || count.is_some()) {
        (true, _) => Combination::Random,
        (false, true) => Combination::Zip,
        (false, false) => Combination::Product,
    };
    if let (Combination::Zip, Some(item), false) = (combination, &count, zip) {
        return Err(item.refuse(
            "a count is for numbers that are drawn, or for mode = \"zip\"; remove the key",
        ));
    }
    let lists = all.iter().filter_map(|(g, ..)| match g {
        Given::Points(points, _) => Some(points.len()),
        Given::Draws(..) => None,
    });
    let lists: Vec<usize> = lists.collect();
    let cells = match combination {
        Combination::Product => lists.iter().try_fold(1usize, |n, &m| n.checked_mul(m)),
        _ => number.or(lists.first().copied()),
    };
    let Some(cells) = cells.filter(|cells| (1..=MOST).contains(cells)) else {
        return Err(match (combination, &count) {
            (Combination::Random, None) => ExperimentError::Missing {
                place: section.place(),
                key: "the number of draws".to_string(),
                example: "count = 100".to_string(),
            },
            (_, Some(item)) => item.refuse(format!("give a number between 1 and {MOST}")),
            _ => section.refuse(format!(
                "there would be more than {MOST} combinations; sweep fewer values"
            )),
        });
    };
    let mut swept: Vec<Swept> = Vec::new();
    for (given, name, item) in all {
        let path = resolve(file, &name, &item)?;
        if let Some(other) = swept.iter().find(|other| other.path == path) {
            return Err(item.refuse(format!("\"{}\" is the same quantity", other.name)));
        }
        let drawn = matches!(given, Given::Draws(..));
        let (points, logarithmic) = match given {
            Given::Points(points, logarithmic) => (points, logarithmic),
            Given::Draws(draws, unit) => {
                let values = draws.draw(&item.section()?, cells)?.into_iter();
                let unit = |value| Quantity {
                    value,
                    unit: unit.unit.clone(),
                };
                (values.map(unit).collect(), false)
            }
        };
        if combination != Combination::Product && points.len() != cells {
            let given = points.len();
            return Err(item.refuse(format!(
                "{given} values go together with {cells} of the others; give equally many"
            )));
        }
        let at = item.at();
        swept.push(Swept {
            span: at..at + 1,
            name,
            path,
            points,
            logarithmic,
            drawn,
        });
    }
    let points: Vec<usize> = swept.iter().map(|s| s.points.len()).collect();
    let axes = swept.iter().enumerate().map(|(k, quantity)| {
        let first = &quantity.points[0].unit;
        let stride: usize = match combination {
            Combination::Product => points[k + 1..].iter().product(),
            _ => 1,
        };
        let in_first = quantity.points.iter().map(|q| q.to(first));
        let own: Vec<f64> = in_first.collect::<Result<_, _>>().map_err(|error| {
            let place = section
                .source()
                .place(quantity.span.start, &format!("sweep.{}", quantity.name));
            ExperimentError::Quantity { place, error }
        })?;
        Ok(Axis {
            name: quantity.name.clone(),
            unit: first.to_string(),
            values: (0..cells).map(|c| own[c / stride % own.len()]).collect(),
            logarithmic: quantity.logarithmic && !quantity.drawn,
        })
    });
    let axes = axes.collect::<Result<_, ExperimentError>>()?;
    let sweep = Sweep {
        axes,
        combination,
        points,
    };
    Ok(Some((sweep, swept)))
}

/// Names and values; in TOML, na.g_max without quotes is the key g_max of a table na.
fn quantities<'a>(section: &Section<'a>) -> Vec<(String, Item<'a>)> {
    let mut found = Vec::new();
    for (name, item) in section.entries() {
        if HOW.contains(&name) {
            continue;
        }
        inner(name.to_string(), item, &mut found);
    }
    found
}

fn inner<'a>(name: String, item: Item<'a>, found: &mut Vec<(String, Item<'a>)>) {
    let values = ["from", "to", "distribution"];
    match item.section() {
        Ok(section) if !values.iter().any(|key| section.get(key).is_some()) => {
            for (key, item) in section.entries() {
                inner(format!("{name}.{key}"), item, found);
            }
        }
        _ => found.push((name, item)),
    }
}

/// A list, a range, or a distribution.
fn given(item: &Item, seed: u64) -> Result<Given, ExperimentError> {
    let Ok(section) = item.section() else {
        let list = item.list(
            "a list such as [\"80 mS/cm2\", \"120 mS/cm2\"], { from = …, to = …, count = … } or { distribution = … }",
        )?;
        if list.is_empty() {
            return Err(item.refuse("no value is given; give at least one"));
        }
        let points = list.iter().map(Item::measured).collect::<Result<_, _>>()?;
        return Ok(Given::Points(points, false));
    };
    if section.get("distribution").is_some() {
        let with_unit = ["mean", "median", "low", "high"];
        let first = with_unit.iter().find_map(|key| section.get(key));
        let unit = match first {
            Some(item) => item.measured()?,
            None => Quantity::parse("1").map_err(|error| ExperimentError::Quantity {
                place: item.place(),
                error,
            })?,
        };
        let draws = Draws::read(&section, &unit.unit.to_string(), seed)?;
        return Ok(Given::Draws(draws, unit));
    }
    let section = section.only(&["from", "to", "count", "scale"])?;
    let from = section.need("from", "from = \"0 uA/cm2\"")?.measured()?;
    let end = section.need("to", "to = \"20 uA/cm2\"")?;
    let to = end
        .measured()?
        .to(&from.unit)
        .map_err(|error| ExperimentError::Quantity {
            place: end.place(),
            error,
        })?;
    let count = section.need("count", "count = 21")?;
    let number = match count.count()? {
        n if (2..=MOST).contains(&n) => n,
        _ => return Err(count.refuse(format!("give a number between 2 and {MOST}"))),
    };
    let logarithmic = match section.get("scale") {
        None => false,
        Some(item) => match item.text()? {
            "linear" => false,
            "log" => true,
            other => return Err(item.unknown("scale", other, &["linear", "log"])),
        },
    };
    let start = from.value;
    if logarithmic && (start * to <= 0.0 || !(to / start).is_normal()) {
        return Err(end.refuse(
            "a logarithmic scale has no zero; let both ends be positive, or both negative",
        ));
    }
    let points = (0..number).map(|k| {
        let fraction = k as f64 / (number - 1) as f64;
        let value = match (k, logarithmic) {
            (0, _) => start,
            (k, _) if k == number - 1 => to,
            (_, true) => start * (fraction * (to / start).ln()).exp(),
            (_, false) => start * (1.0 - fraction) + to * fraction,
        };
        Quantity {
            value,
            unit: from.unit.clone(),
        }
    });
    Ok(Given::Points(points.collect(), logarithmic))
}

/// Where in the file a quantity is, or would be.
fn resolve(file: &Section, name: &str, item: &Item) -> Result<Vec<Part>, ExperimentError> {
    let key = |text: &str| Part::Key(text.to_string());
    let path = |parts: &[&str]| parts.iter().map(|part| key(part)).collect::<Vec<_>>();
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["C" | "capacitance"] => return Ok(path(&["model", "capacitance"])),
        ["initial_voltage"] => return Ok(path(&["model", "initial_voltage"])),
        ["model", ..] => return Ok(path(&parts)),
        ["initial", first, second] => {
            let nested = file.section("initial")?.and_then(|s| s.get(first));
            return Ok(match nested.is_some_and(|item| item.section().is_ok()) {
                true => path(&parts),
                false => path(&["initial", &format!("{first}.{second}")]),
            });
        }
        ["initial", state] => return Ok(path(&["initial", state])),
        [one] => {
            let model = file.section("model")?;
            let kind = model.as_ref().and_then(|model| model.get("kind"));
            if kind.is_some_and(|kind| kind.text().is_ok_and(|kind| kind == "ode")) {
                return Ok(path(&["model", "parameters", one]));
            }
        }
        _ => {}
    }
    let painted = paints(file)?;
    let mut found: Vec<Vec<Part>> = Vec::new();
    let mut known: Vec<String> = ["C", "initial_voltage", "initial.STATE"]
        .map(str::to_string)
        .to_vec();
    for section in NAMED {
        let Some(inside) = file.section(section)? else {
            continue;
        };
        for (label, _) in inside.entries() {
            known.push(format!("{label}.PARAMETER"));
            match parts[..] {
                [first, parameter] if first == label => {
                    found.push(path(&[section, label, parameter]));
                }
                [first, second, parameter] if first == section && second == label => {
                    found.push(path(&[section, label, parameter]));
                }
                _ => {}
            }
        }
    }
    for (k, label) in painted.iter().enumerate() {
        let numbered = format!("paint[{k}]");
        known.push(match label {
            Some(label) => format!("{label}.PARAMETER"),
            None => format!("{numbered}.KEY"),
        });
        if let [first, parameter] = parts[..]
            && (label.as_deref() == Some(first) || first == numbered)
        {
            found.push(vec![key("paint"), Part::Entry(k), key(parameter)]);
        }
    }
    known.dedup();
    match &found[..] {
        [one] => Ok(one.clone()),
        [] => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            Err(item.unknown("quantity to sweep", name, &known))
        }
        several => {
            let all: Vec<String> = several.iter().map(|path| printed(path)).collect();
            Err(item.refuse(format!(
                "\"{name}\" may be any of {}; write the one that is meant",
                all.join(", ")
            )))
        }
    }
}

/// The labels of the entries of `[[paint]]`.
fn paints(file: &Section) -> Result<Vec<Option<String>>, ExperimentError> {
    let Some(item) = file.get("paint") else {
        return Ok(Vec::new());
    };
    let entries = item.list("sections [[paint]]")?;
    let labels = entries.iter().map(|entry| {
        let label = entry.section()?.get("label");
        let label = label.as_ref().map(Item::text).transpose()?;
        Ok(label.map(str::to_string))
    });
    labels.collect()
}

fn printed(path: &[Part]) -> String {
    let mut text = String::new();
    for part in path {
        match part {
            Part::Key(key) if text.is_empty() => text.push_str(key),
            Part::Key(key) => text.push_str(&format!(".{key}")),
            Part::Entry(k) => text.push_str(&format!("[{k}]")),
        }
    }
    text
}

/// Puts a value at a place, in tables that are made where they are missing.
fn put<'a>(
    table: &mut DeTable<'a>,
    path: &[Part],
    span: &Range<usize>,
    value: DeValue<'a>,
) -> Result<(), String> {
    let [Part::Key(key), rest @ ..] = path else {
        return Ok(());
    };
    if rest.is_empty() {
        // Removed first, so that messages name the place of the sweep.
        table.remove(key.as_str());
        let key = Spanned::new(span.clone(), key.clone().into());
        table.insert(key, Spanned::new(span.clone(), value));
        return Ok(());
    }
    if table.get(key.as_str()).is_none() {
        let new = Spanned::new(span.clone(), DeValue::Table(DeTable::new()));
        table.insert(Spanned::new(span.clone(), key.clone().into()), new);
    }
    let inner = table.get_mut(key.as_str()).map(Spanned::get_mut);
    match (inner, rest) {
        (Some(DeValue::Table(inner)), _) => put(inner, rest, span, value),
        (Some(DeValue::Array(list)), [Part::Entry(k), rest @ ..]) => {
            match list.get_mut(*k).map(Spanned::get_mut) {
                Some(DeValue::Table(inner)) => put(inner, rest, span, value),
                _ => Err(format!("{key}[{k}] is no section")),
            }
        }
        _ => Err(format!("{key} is no section")),
    }
}
