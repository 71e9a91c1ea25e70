//! Experiments described in TOML files: a model, its inputs, a run and what to record.
//!
//! ```
//! use braincell::experiment::Experiment;
//!
//! let text = r#"
//!     [model]
//!     kind = "single_compartment"
//!     [mechanisms.na]
//!     type = "na_hh1952"
//!     g_max = "120 mS/cm2"
//!     [mechanisms.k]
//!     type = "k_hh1952"
//!     [mechanisms.leak]
//!     type = "leak"
//!     [inputs.stimulus]
//!     kind = "step"
//!     amplitude = "10 uA/cm2"
//!     start = "5 ms"
//!     [run]
//!     solver = "rk4"
//!     dt = "0.025 ms"
//!     duration = "20 ms"
//!     [spikes]
//!     threshold = "0 mV"
//! "#;
//! let experiment = Experiment::parse(text, "hh.toml")?;
//! let mut run = experiment.start(braincell::solvers())?;
//! run.run(experiment.run.duration.value)?;
//! assert_eq!(run.recording().spikes()[0].times.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Sections and keys
//!
//! Quantities are texts with a unit, checked by dimension; numbers without dimension stand without quotes. Where a
//! population has several cells, a quantity of a mechanism, an input or an initial value may be a list with one entry
//! for each cell, or `{ from = …, to = … }`, evenly spaced from the first cell to the last.
//!
//! | section | keys |
//! |---|---|
//! | | `title` |
//! | `[model]` | `kind`: `"single_compartment"`, `"multi_compartment"` or `"ode"`; `cells`, by default 1 |
//! | for a single compartment | `capacitance`, by default 1 µF/cm²; `initial_voltage`, by default -65 mV |
//! | for a branched cell | `morphology`, an SWC or ASC file relative to the experiment; `resistivity`, by default 100 Ω·cm; `capacitance` and `initial_voltage` as above; and the sections of [branched cells](#branched-cells) |
//! | for an ode | `system`: `"decay"`, `"harmonic_oscillator"`, `"van_der_pol"`, `"lorenz"`; a table `parameters` |
//! | `[mechanisms.NAME]` | `type`, and parameters of that mechanism; see [`crate::cells::mechanisms`] |
//! | `[inputs.NAME]` | `kind`, and what it takes: see below |
//! | `[initial]` | initial values of states by name, such as `"na.m" = 0.05`; gates start from their steady state where it is not given |
//! | `[run]` | `solver`, `duration`, and `dt` or, for solvers with an error estimate, `tolerance`, such as 1e-6; `max_steps` with a tolerance, after so many steps of a cell the run gives up, by default 1000000; `plugins`: files of solver plugins, relative to the experiment |
//! | `[record]` | `variables`: states and signals, by default the membrane potential, or all states where there is none; `every`, by default each step, and needed with a tolerance; `cells`, by default all; `statistics`: states and signals of which only least and greatest value and mean over all steps are kept, by default none. `variables = []` records no traces |
//! | `[fit]` | `target`, a CSV file relative to the experiment; `column` of it, recorded under the same name; `iterations`, by default 100; `[fit.parameters]`: names of parameters with bounds, `"na.g_max" = { from = "60 mS/cm2", to = "200 mS/cm2" }` |
//! | `[spikes]` | `variable`, by default `"V"`; `threshold`; `cells` and `compartments`, by default all |
//!
//! | kind of input | keys |
//! |---|---|
//! | `"constant"` | `amplitude` |
//! | `"step"` | `amplitude`, `start`, `stop` (by default never) |
//! | `"pulses"` | `amplitude`, `start`, `width`, `period`, `count` |
//! | `"sine"` | `amplitude`, `frequency`, `phase` in radians (by default 0) |
//! | `"ramp"` | `from`, `to`, `start`, `stop`; zero before, `to` after |
//! | `"samples"` | `values` and `interval`, with `unit` if the values are plain numbers; or `file`, a CSV file relative to the experiment, and `column`; `start`, `interpolation`: `"linear"` (default) or `"hold"` |
//!
//! # Branched cells
//!
//! | section | keys |
//! |---|---|
//! | `[discretisation]` | `policy`: `"d_lambda"` (the default) with `d` (0.1) and `frequency` (100 Hz), `"max_length"` with `length`, or `"count"` with `count`; a table `soma`, `axon`, `dendrite`, … with the same keys for the branches of that type |
//! | `[[paint]]` | `region`; and `label`, `type` and parameters of a mechanism, or `capacitance`, `resistivity`, `initial_voltage`. See [`crate::cells::MultiCompartment::paint`] for regions that overlap |
//! | `[clamps.NAME]` | `at`, a location; `kind` and what it takes, as an input, in nA |
//! | `[synapses.NAME]` | `at`; `kind`: `"exponential"` with `tau`, or `"biexponential"` with `rise` and `decay`; `E`; `weight`, a conductance; `events`: a list of times, or `{ start = …, interval = …, count = … }` |
//! | `[probes]` | `NAME = ` location: a variable of that name for `[record]`, the potential there |
//!
//! A region is `"all"`, `"soma"`, `"axon"`, `"dendrite"`, `"apical"`, `"custom_N"`, a table with one or more of `type`,
//! `branch`, `path_distance = ["0 um", "100 um"]` and `radius`, all of which must hold, or a list of regions, any of
//! which must. A location is `"soma(0.5)"` where there is one branch of that type, `{ branch = 3, x = 1.0 }`, `"root"`
//! or `"terminals"`. A parameter may follow the path distance: `{ at_root = …, slope = … }` per µm, or
//! `{ at_root = …, far = …, length = … }`, exponentially.

mod branched;
mod edit;
mod error;
mod fit;
mod inputs;
mod model;
mod places;
mod run;
mod section;

pub use error::ExperimentError;
pub use fit::FitSettings;
pub use run::{Given, RunSettings};

use crate::cells::MultiCompartment;
use crate::model::Model;
use crate::registry::Registry;
use crate::simulation::{Simulation, Stepping};
use section::{Section, Source};
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// The greatest number of recorded numbers: 1.6 GB.
const MOST_NUMBERS: f64 = 2e8;
/// The same where they go to a file: 80 GB as NPZ, and more as CSV.
const MOST_STREAMED: f64 = 1e10;
/// The greatest number of steps that can be counted without rounding.
const MOST_STEPS: f64 = 9e15;

/// An experiment that was read from a file and makes sense.
#[derive(Clone)]
pub struct Experiment {
    /// The title, or the name of the file.
    pub title: String,
    /// The file.
    pub path: PathBuf,
    /// The text of the file.
    pub text: String,
    /// The files that it names, such as morphologies and plugins.
    pub files: Vec<PathBuf>,
    /// The model.
    pub model: Model,
    /// The branched cell, of which the model has one or more.
    pub cell: Option<MultiCompartment>,
    /// How to run it and what to record.
    pub run: RunSettings,
    /// What to fit.
    pub fit: Option<FitSettings>,
}

impl Experiment {
    /// Reads an experiment file.
    ///
    /// # Errors
    /// [`ExperimentError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ExperimentError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|source| ExperimentError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Reads the text of an experiment file; `path` is for messages, and for files named relative to it.
    ///
    /// # Errors
    /// [`ExperimentError`].
    pub fn parse(text: &str, path: impl AsRef<Path>) -> Result<Self, ExperimentError> {
        let path = path.as_ref();
        let source = Source {
            path,
            text,
            files: RefCell::default(),
        };
        let table = DeTable::parse(text).map_err(|error| ExperimentError::Syntax {
            place: source.place(error.span().map_or(0, |span| span.start), ""),
            reason: error.message().to_string(),
        })?;
        let sections = [
            "title",
            "model",
            "mechanisms",
            "inputs",
            "discretisation",
            "paint",
            "clamps",
            "synapses",
            "probes",
            "initial",
            "run",
            "record",
            "spikes",
            "fit",
        ];
        let file = Section::file(&source, &table).only_of("section", &sections)?;
        let title = match file.get("title") {
            Some(item) => item.text()?.to_string(),
            None => path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
        };
        let directory = path.parent().unwrap_or(Path::new(""));
        let (model, cell) = model::build(&file, directory)?;
        let run = run::read(&file, &model, directory)?;
        let fit = file.section("fit")?;
        let fit = fit.map(|section| fit::read(section, &model, cell.is_some(), directory));
        let fit = fit.transpose()?;
        Ok(Self {
            title,
            path: path.to_owned(),
            text: text.to_string(),
            files: source.files.take(),
            model,
            cell,
            run,
            fit,
        })
    }

    /// Joins the model with its solver and prepares the run, up to [`RunSettings::duration`].
    ///
    /// # Errors
    /// [`ExperimentError::Setup`]: the solver is unknown or cannot step the model, or the recording interval is no
    /// multiple of the time step. [`ExperimentError::Value`]: there would be more steps or samples than can be held.
    pub fn start(&self, registry: &Registry) -> Result<Simulation, ExperimentError> {
        self.start_up_to(MOST_NUMBERS, registry)
    }

    /// As [`Experiment::start`] for a run with [`Simulation::run_streamed`], which may record more than memory holds.
    ///
    /// # Errors
    /// As [`Experiment::start`].
    pub fn start_streamed(&self, registry: &Registry) -> Result<Simulation, ExperimentError> {
        self.start_up_to(MOST_STREAMED, registry)
    }

    fn start_up_to(&self, most: f64, registry: &Registry) -> Result<Simulation, ExperimentError> {
        let run = &self.run;
        let refuse = |place: &String, reason: String| {
            let place = place.clone();
            ExperimentError::Value { place, reason }
        };
        let duration = run.duration.value;
        let shortest = match run.stepping.value {
            Stepping::Fixed(dt) => {
                let steps = duration / dt;
                if steps > MOST_STEPS {
                    return Err(refuse(
                        &run.duration.place,
                        format!(
                            "{duration:e} ms are {steps:.1e} steps of {dt:e} ms, more than can be counted; take a larger step or a shorter run"
                        ),
                    ));
                }
                dt
            }
            Stepping::Adaptive(_) if run.every.is_none() && !run.records.is_empty() => {
                return Err(refuse(
                    &run.stepping.place,
                    "with a tolerance the solver chooses its steps; say when to record: every = \"0.1 ms\" in [record]".to_string(),
                ));
            }
            Stepping::Adaptive(_) => 0.0,
        };
        let every = run
            .every
            .as_ref()
            .map_or(shortest, |every| every.value.max(shortest));
        let samples = duration / every;
        let numbers = samples * run.columns(&self.model) as f64;
        if numbers > most {
            return Err(refuse(
                &run.duration.place,
                format!(
                    "{numbers:.3e} numbers would be recorded, at most {most:e} can be; give record.every a longer interval, or record fewer cells"
                ),
            ));
        }
        run.setup()
            .start(registry, &self.model)
            .map_err(|error| run.explain(error))
    }
}
