//! Typed reading of TOML tables, with errors that name file, line and key.

use super::draws::Draws;
use super::error::{ExperimentError, shortened};
use super::inputs::from_rows;
use crate::cells::{Distribution, Profile};
use crate::model::Values;
use crate::units::{Quantity, UnitError, parse_in};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The text that is read, and where it comes from.
pub(super) struct Source<'a> {
    pub path: &'a Path,
    pub text: &'a str,
    /// Files that it names, as far as they were asked for.
    pub files: RefCell<Vec<PathBuf>>,
    /// Seed of what is drawn.
    pub seed: u64,
    /// Cells of the population, where a sweep makes them.
    pub cells: Option<usize>,
}

impl<'a> Source<'a> {
    pub fn new(path: &'a Path, text: &'a str) -> Self {
        Self {
            path,
            text,
            files: RefCell::default(),
            seed: 0,
            cells: None,
        }
    }

    /// The text as a table.
    pub fn table(&self) -> Result<Spanned<DeTable<'a>>, ExperimentError> {
        DeTable::parse(self.text).map_err(|error| ExperimentError::Syntax {
            place: self.place(error.span().map_or(0, |span| span.start), ""),
            reason: error.message().to_string(),
        })
    }

    /// File, line and key, for errors.
    pub fn place(&self, at: usize, key: &str) -> String {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        let comma = if key.is_empty() { "" } else { ", " };
        format!("{}, line {line}{comma}{key}", self.path.display())
    }
}

/// A value and its key.
#[derive(Clone)]
pub(super) struct Item<'a> {
    source: &'a Source<'a>,
    /// The whole key, such as `mechanisms.na.g_max`.
    key: String,
    at: usize,
    value: &'a DeValue<'a>,
}

/// A table whose keys are known.
pub(super) struct Section<'a> {
    source: &'a Source<'a>,
    key: String,
    at: usize,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// The file as a whole.
    pub fn file(source: &'a Source<'a>, table: &'a Spanned<DeTable<'a>>) -> Self {
        Self {
            source,
            key: String::new(),
            at: table.span().start,
            table: table.get_ref(),
        }
    }

    /// File, line and key, for errors.
    pub fn place(&self) -> String {
        match self.key.as_str() {
            "" => self.source.path.display().to_string(),
            key => self.source.place(self.at, key),
        }
    }

    /// The whole key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where the text comes from.
    pub fn source(&self) -> &'a Source<'a> {
        self.source
    }

    /// An error about the section.
    pub fn refuse(&self, reason: impl Into<String>) -> ExperimentError {
        ExperimentError::Value {
            place: self.place(),
            reason: reason.into(),
        }
    }

    /// Checks that all keys are among `known`.
    pub fn only(self, known: &[&str]) -> Result<Self, ExperimentError> {
        self.only_of("key", known)
    }

    /// As [`Section::only`], where keys are names of something else.
    pub fn only_of(self, what: &'static str, known: &[&str]) -> Result<Self, ExperimentError> {
        self.check_of(what, known)?;
        Ok(self)
    }

    /// As [`Section::only`], without taking the section.
    pub fn check(&self, known: &[&str]) -> Result<(), ExperimentError> {
        self.check_of("key", known)
    }

    fn check_of(&self, what: &'static str, known: &[&str]) -> Result<(), ExperimentError> {
        for (name, item) in self.entries() {
            if !known.contains(&name) {
                let place = self.source.place(item.at, &self.key);
                return Err(ExperimentError::unknown(place, what, name, known));
            }
        }
        Ok(())
    }

    fn item(
        &self,
        key: &'a Spanned<std::borrow::Cow<'a, str>>,
        value: &'a DeValue<'a>,
    ) -> Item<'a> {
        let name = key.get_ref();
        let dot = if self.key.is_empty() { "" } else { "." };
        Item {
            source: self.source,
            key: format!("{}{dot}{name}", self.key),
            at: key.span().start,
            value,
        }
    }

    /// Keys and values, in the order of the file.
    pub fn entries(&self) -> Vec<(&'a str, Item<'a>)> {
        let all = self.table.iter();
        let all = all.map(|(key, value)| (key.get_ref().as_ref(), self.item(key, value.get_ref())));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(_, item)| item.at);
        all
    }

    /// The value of a key, if it is there.
    pub fn get(&self, name: &str) -> Option<Item<'a>> {
        let (key, value) = self.table.get_key_value(name)?;
        Some(self.item(key, value.get_ref()))
    }

    /// The value of a key that must be there.
    pub fn need(&self, name: &str, example: &str) -> Result<Item<'a>, ExperimentError> {
        self.get(name).ok_or_else(|| ExperimentError::Missing {
            place: self.place(),
            key: format!("the key \"{name}\""),
            example: example.to_string(),
        })
    }

    /// A section inside, if it is there.
    pub fn section(&self, name: &str) -> Result<Option<Section<'a>>, ExperimentError> {
        self.get(name).map(|item| item.section()).transpose()
    }

    /// A section inside that must be there.
    pub fn need_section(&self, name: &str, example: &str) -> Result<Section<'a>, ExperimentError> {
        let missing = || ExperimentError::Missing {
            place: self.place(),
            key: format!("the section [{name}]"),
            example: example.to_string(),
        };
        self.section(name)?.ok_or_else(missing)
    }
}

/// Bytes of the longest name or text that is read: errors quote them.
const LONGEST: usize = 1000;

impl<'a> Item<'a> {
    /// File, line and key, for errors.
    pub fn place(&self) -> String {
        self.source.place(self.at, &self.key)
    }

    /// Where the key is in the text.
    pub fn at(&self) -> usize {
        self.at
    }

    /// An error about the value.
    pub fn refuse(&self, reason: impl Into<String>) -> ExperimentError {
        ExperimentError::Value {
            place: self.place(),
            reason: reason.into(),
        }
    }

    /// The error for a name that is none of `known`.
    pub fn unknown(&self, what: &'static str, name: &str, known: &[&str]) -> ExperimentError {
        ExperimentError::unknown(self.place(), what, name, known)
    }

    fn wrong_type(&self, wanted: impl Into<String>) -> ExperimentError {
        let found = match self.value {
            DeValue::String(text) => format!("the text {:?}", shortened(text)),
            DeValue::Integer(number) => format!("the number {}", shortened(&number.to_string())),
            DeValue::Float(number) => format!("the number {}", shortened(&number.to_string())),
            DeValue::Boolean(value) => format!("{value}"),
            DeValue::Datetime(_) => "a date or time".to_string(),
            DeValue::Array(_) => "a list".to_string(),
            DeValue::Table(_) => "a table".to_string(),
        };
        ExperimentError::Type {
            place: self.place(),
            wanted: wanted.into(),
            found,
        }
    }

    /// A table.
    pub fn section(&self) -> Result<Section<'a>, ExperimentError> {
        match self.value {
            DeValue::Table(table) => {
                if let Some(name) = table.keys().find(|name| name.get_ref().len() > LONGEST) {
                    let name = name.get_ref();
                    return Err(self.too_long(name));
                }
                Ok(Section {
                    source: self.source,
                    key: self.key.clone(),
                    at: self.at,
                    table,
                })
            }
            _ => Err(self.wrong_type(format!("a section [{}]", self.key))),
        }
    }

    /// A text of a length that errors can quote.
    pub fn text(&self) -> Result<&'a str, ExperimentError> {
        match self.value {
            DeValue::String(text) if text.len() > LONGEST => Err(self.too_long(text)),
            DeValue::String(text) => Ok(text),
            _ => Err(self.wrong_type("a text in quotes")),
        }
    }

    fn too_long(&self, text: &str) -> ExperimentError {
        self.refuse(format!(
            "{:?} goes on for {} bytes; at most {LONGEST} are read",
            shortened(text),
            text.len()
        ))
    }

    /// The name of a file, relative to `directory`.
    pub fn file(&self, directory: &Path) -> Result<PathBuf, ExperimentError> {
        let path = directory.join(self.text()?);
        let mut files = self.source.files.borrow_mut();
        // Many cells may take their numbers from one file.
        if !files.contains(&path) {
            files.push(path.clone());
        }
        Ok(path)
    }

    /// The elements of a list; their keys are that of the list with a number.
    pub fn list(&self, wanted: &str) -> Result<Vec<Item<'a>>, ExperimentError> {
        let DeValue::Array(array) = self.value else {
            return Err(self.wrong_type(wanted));
        };
        let items = array.iter().enumerate().map(|(k, value)| Item {
            source: self.source,
            key: format!("{}[{k}]", self.key),
            at: value.span().start,
            value: value.get_ref(),
        });
        Ok(items.collect())
    }

    /// A whole number that is not negative.
    pub fn count(&self) -> Result<usize, ExperimentError> {
        let number = match self.value {
            DeValue::Integer(number) => usize::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        number.ok_or_else(|| self.wrong_type("a whole number that is not negative"))
    }

    /// A finite number in `unit`; a plain number where `unit` is empty.
    pub fn quantity(&self, unit: &str) -> Result<f64, ExperimentError> {
        let plain = unit.is_empty() || unit == "1";
        let bad = |error: UnitError| ExperimentError::Quantity {
            place: self.place(),
            error,
        };
        match self.value {
            DeValue::String(text) => parse_in(text, if plain { "1" } else { unit }).map_err(bad),
            DeValue::Integer(_) | DeValue::Float(_) => {
                let number = self.number().unwrap_or(f64::NAN);
                if !number.is_finite() {
                    return Err(self.wrong_type("a finite number"));
                }
                // The error for a number without unit says what to write.
                if plain {
                    Ok(number)
                } else {
                    parse_in(&number.to_string(), unit).map_err(bad)
                }
            }
            _ if plain => Err(self.wrong_type("a number")),
            _ => Err(self.wrong_type(format!("a number with a unit such as \"1 {unit}\""))),
        }
    }

    /// A finite number with its unit, whatever it is.
    pub fn measured(&self) -> Result<Quantity, ExperimentError> {
        let read = match self.value {
            DeValue::String(text) => Quantity::parse(text),
            DeValue::Integer(_) | DeValue::Float(_) => {
                Quantity::parse(&self.number().unwrap_or(f64::NAN).to_string())
            }
            _ => return Err(self.wrong_type("a number with a unit such as \"1 mV\"")),
        };
        read.map_err(|error| ExperimentError::Quantity {
            place: self.place(),
            error,
        })
    }

    fn number(&self) -> Option<f64> {
        match self.value {
            DeValue::Integer(number) => {
                let number = i64::from_str_radix(number.as_str(), number.radix());
                number.ok().map(|number| number as f64)
            }
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        }
    }

    /// A positive number in `unit`.
    pub fn positive(&self, unit: &str) -> Result<f64, ExperimentError> {
        let value = self.quantity(unit)?;
        if value > 0.0 {
            return Ok(value);
        }
        let unit = if unit.is_empty() {
            String::new()
        } else {
            format!(" {unit}")
        };
        Err(self.refuse(format!(
            "{value}{unit} is not positive; give a value above 0"
        )))
    }

    /// One value for all cells, a list with one for each, `{ from = …, to = … }`, evenly spaced over the cells,
    /// `{ distribution = …, … }`, drawn for each cell, or `{ file = …, column = … }`, a row for each cell.
    pub fn per_cell(&self, unit: &str, cells: usize) -> Result<Values, ExperimentError> {
        match self.value {
            DeValue::Array(_) => {
                let items = self.list("")?;
                if items.len() != cells {
                    let given = items.len();
                    return Err(self.refuse(format!(
                        "{given} values are given for {cells} cells; give one value for all, or one for each cell"
                    )));
                }
                let values = items.iter().map(|item| item.quantity(unit));
                values.collect::<Result<_, _>>().map(Values::PerCell)
            }
            DeValue::Table(_) => {
                let table = self.section()?;
                if table.get("distribution").is_some() {
                    let draws = Draws::read(&table, unit, self.source.seed)?;
                    return draws.draw(&table, cells).map(Values::PerCell);
                }
                if table.get("file").is_some() {
                    return from_rows(&table, unit, cells).map(Values::PerCell);
                }
                let range = table.only(&["from", "to"])?;
                let example = format!("{{ from = \"0 {unit}\", to = \"1 {unit}\" }}");
                let from = range.need("from", &example)?.quantity(unit)?;
                let to = range.need("to", &example)?.quantity(unit)?;
                let last = (cells - 1).max(1) as f64;
                let fraction = |cell: usize| cell as f64 / last;
                let value = |cell: usize| from * (1.0 - fraction(cell)) + to * fraction(cell);
                Ok(Values::PerCell((0..cells).map(value).collect()))
            }
            _ => self.quantity(unit).map(Values::Uniform),
        }
    }

    /// As [`Item::per_cell`], or a function of the path distance: `{ at_root = …, slope = … }` or
    /// `{ at_root = …, far = …, length = … }`.
    pub fn distribution(&self, unit: &str, cells: usize) -> Result<Distribution, ExperimentError> {
        let Some(section) = self.section().ok().filter(|s| s.get("at_root").is_some()) else {
            return Ok(self.per_cell(unit, cells)?.into());
        };
        let need = |key: &str, unit: &str| {
            let example = format!("{key} = \"1 {unit}\"");
            section.need(key, &example)
        };
        let at_root = need("at_root", unit)?.quantity(unit)?;
        let profile = match section.get("slope") {
            Some(item) => {
                section.only(&["at_root", "slope"])?;
                let per_length = match unit {
                    "" | "1" => "1/um".to_string(),
                    unit => format!("{unit}/um"),
                };
                Profile::linear(at_root, item.quantity(&per_length)?)
            }
            None => {
                let far = need("far", unit)?.quantity(unit)?;
                let length = need("length", "um")?.positive("um")?;
                section.only(&["at_root", "far", "length"])?;
                Profile::exponential(at_root, far, length)
            }
        };
        Ok(profile.into())
    }
}
