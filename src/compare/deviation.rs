//! What is compared, and by how much two runs differ.

use super::CompareError;
use crate::experiment::Experiment;
use crate::simulation::{Column, Recording};
use crate::units::{Unit, parse_in};

/// What of a recording is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Numbers of the columns.
    columns: Vec<usize>,
    /// Names of their variables, each once.
    pub variables: Vec<String>,
    /// Their unit; empty if they have none or different ones.
    pub unit: String,
    /// Whether spike times are compared.
    pub spikes: bool,
}

impl Compared {
    /// The voltage traces of a recording; where there is none, all recorded variables except the inputs from outside.
    ///
    /// # Errors
    /// [`CompareError::NothingRecorded`].
    pub fn new(experiment: &Experiment, recording: &Recording) -> Result<Self, CompareError> {
        let inputs: Vec<&str> = experiment.model.inputs().map(|i| i.name).collect();
        let computed = |c: &Column| !inputs.contains(&c.variable.as_str());
        let voltage = |c: &Column| {
            let unit = Unit::parse(&c.unit);
            unit.is_ok_and(|unit| unit.dimension_name() == "a voltage")
        };
        let numbered = || recording.columns().iter().enumerate();
        let all = |wanted: &dyn Fn(&Column) -> bool| -> Vec<usize> {
            let chosen = numbered().filter(|(_, c)| computed(c) && wanted(c));
            chosen.map(|(k, _)| k).collect()
        };
        let voltages = all(&voltage);
        let columns = match voltages[..] {
            [] => all(&|_| true),
            _ => voltages,
        };
        let spikes = !recording.spikes().is_empty();
        if columns.is_empty() && !spikes {
            let path = experiment.path.display().to_string();
            return Err(CompareError::NothingRecorded(path));
        }
        let mut variables: Vec<String> = Vec::new();
        let mut units: Vec<&str> = Vec::new();
        for &k in &columns {
            let column = &recording.columns()[k];
            if !variables.contains(&column.variable) {
                variables.push(column.variable.clone());
            }
            if !units.contains(&column.unit.as_str()) {
                units.push(&column.unit);
            }
        }
        let unit = match units[..] {
            [unit] if unit != "1" => unit.to_string(),
            _ => String::new(),
        };
        Ok(Self {
            columns,
            variables,
            unit,
            spikes,
        })
    }

    /// Whether traces are compared.
    pub fn traces(&self) -> bool {
        !self.columns.is_empty()
    }

    /// The range of the compared values, from the smallest to the greatest; 0 without traces.
    pub(super) fn span(&self, recording: &Recording) -> f64 {
        let spans = self.columns.iter().map(|&k| {
            let values = recording.data().column(k);
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            greatest - least
        });
        spans.fold(0.0, f64::max)
    }

    /// By how much a run differs from another, at samples that both have: every `stride.0`-th of the run and every
    /// `stride.1`-th of the other.
    pub fn deviation(
        &self,
        run: &Recording,
        from: &Recording,
        stride: (usize, usize),
    ) -> Deviation {
        let (mut sum, mut max, mut count) = (0.0, 0.0f64, 0usize);
        for &k in &self.columns {
            let (a, b) = (run.data().column(k), from.data().column(k));
            let both = a.iter().step_by(stride.0).zip(b.iter().step_by(stride.1));
            for (x, y) in both {
                let off = (x - y).abs();
                sum += off;
                // NaN does not pass for small.
                max = if off.is_nan() {
                    f64::INFINITY
                } else {
                    max.max(off)
                };
                count += 1;
            }
        }
        let mut spikes = SpikeDeviation::default();
        for (run, from) in run.spikes().iter().zip(from.spikes()) {
            let (have, want) = (run.times.len(), from.times.len());
            spikes.missing += want.saturating_sub(have);
            spikes.extra += have.saturating_sub(want);
            let off = run.times.iter().zip(&from.times);
            spikes.time = off.map(|(a, b)| (a - b).abs()).fold(spikes.time, f64::max);
        }
        if spikes.missing + spikes.extra > 0 {
            spikes.time = f64::INFINITY;
        }
        Deviation {
            traces: (count > 0).then(|| Size {
                mean: sum / count as f64,
                max,
            }),
            spikes: self.spikes.then_some(spikes),
        }
    }
}

/// Sizes of differences of traces.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// Mean of the absolute values, over all samples and traces.
    pub mean: f64,
    /// The greatest absolute value.
    pub max: f64,
}

/// Differences of spikes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SpikeDeviation {
    /// The greatest difference of spike times, ms; infinite if a spike is missing or there is an extra one.
    pub time: f64,
    /// Spikes that are missing.
    pub missing: usize,
    /// Spikes that there should not be.
    pub extra: usize,
}

/// By how much two runs differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviation {
    /// Of the traces, in [`Compared::unit`]; nothing where none are compared.
    pub traces: Option<Size>,
    /// Of the spikes; nothing where none are detected.
    pub spikes: Option<SpikeDeviation>,
}

/// A number that tells how far a run is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The mean absolute error of the traces.
    Mean,
    /// The greatest absolute error of the traces.
    Max,
    /// The greatest error of a spike time.
    Spikes,
}

impl Measure {
    /// What it is, in words.
    pub fn words(self) -> &'static str {
        match self {
            Measure::Mean => "mean error",
            Measure::Max => "greatest error",
            Measure::Spikes => "greatest error of a spike time",
        }
    }
}

impl Deviation {
    /// One of the numbers; nothing where it was not measured.
    pub fn get(&self, measure: Measure) -> Option<f64> {
        match measure {
            Measure::Mean => self.traces.map(|size| size.mean),
            Measure::Max => self.traces.map(|size| size.max),
            Measure::Spikes => self.spikes.map(|spikes| spikes.time),
        }
    }
}

/// How exact a run shall be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// What is to be small.
    pub measure: Measure,
    /// The greatest value that will do, in [`Compared::unit`] or ms.
    pub value: f64,
}

impl Target {
    /// Reads a target: an error of the traces in their unit ("0.1 mV", a plain number where they have none), or of
    /// spike times ("0.05 ms"). `of_traces` says which error of the traces is meant.
    ///
    /// # Errors
    /// [`CompareError::Unit`], [`CompareError::Target`].
    pub fn parse(text: &str, of_traces: Measure, on: &Compared) -> Result<Self, CompareError> {
        let unit = match on.unit.as_str() {
            "" => "1",
            unit => unit,
        };
        let refuse = |reason: String| CompareError::Target {
            text: text.to_string(),
            reason,
        };
        let wrong = |error| CompareError::Unit {
            text: text.to_string(),
            error: Box::new(error),
        };
        let (measure, value) = match (parse_in(text, unit), parse_in(text, "ms")) {
            (Ok(value), _) if on.traces() => (of_traces, value),
            (_, Ok(value)) if on.spikes => (Measure::Spikes, value),
            (_, Ok(_)) => {
                return Err(refuse(
                    "no spikes are detected; write threshold = \"0 mV\" in [spikes]".to_string(),
                ));
            }
            (Err(error), _) => {
                return Err(match error {
                    // The number or the unit itself is wrong.
                    error if crate::units::Quantity::parse(text).is_err() => wrong(error),
                    _ if unit == "1" => refuse(format!(
                        "{} have no common unit; write a plain number, such as 0.01",
                        on.variables.join(", ")
                    )),
                    _ => refuse(format!(
                        "{} are compared, in {unit}; write for example \"0.1 {unit}\"",
                        on.variables.join(", ")
                    )),
                });
            }
            (Ok(_), _) => {
                return Err(refuse(
                    "only spike times are compared; write for example \"0.05 ms\"".to_string(),
                ));
            }
        };
        if !(value.is_finite() && value > 0.0) {
            return Err(refuse("it must be positive".to_string()));
        }
        Ok(Self { measure, value })
    }
}
