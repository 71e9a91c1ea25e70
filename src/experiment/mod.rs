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
//! population has several cells, a quantity of a mechanism, an input or an initial value may [differ from cell to
//! cell](#populations).
//!
//! | section | keys |
//! |---|---|
//! | | `title` |
//! | `[model]` | `kind`: `"single_compartment"`, `"multi_compartment"` or `"ode"`; `cells`, by default 1; `seed` of what is drawn, by default 0 |
//! | for a single compartment | `capacitance`, by default 1 µF/cm²; `initial_voltage`, by default -65 mV |
//! | for a branched cell | `morphology`, an SWC or ASC file relative to the experiment; `resistivity`, by default 100 Ω·cm; `capacitance` and `initial_voltage` as above; and the sections of [branched cells](#branched-cells) |
//! | for an ode | `system`: `"decay"`, `"harmonic_oscillator"`, `"van_der_pol"`, `"lorenz"`; a table `parameters` |
//! | `[mechanisms.NAME]` | `type`, and parameters of that mechanism; see [`crate::cells::mechanisms`] |
//! | `[inputs.NAME]` | `kind`, and what it takes: see below |
//! | `[initial]` | initial values of states by name, such as `"na.m" = 0.05`; gates start from their steady state where it is not given |
//! | `[run]` | `solver`, `duration`, and `dt` or, for solvers with an error estimate, `tolerance`, such as 1e-6; `max_steps` with a tolerance, after so many steps of a cell the run gives up, by default 1000000; `precision`: `"double"` (the default) or `"single"`; `threads`, by default one for each core; `tile`, how many cells are advanced side by side, by default what suits the caches; `plugins`: files of solver plugins, relative to the experiment |
//! | `[record]` | `variables`: states and signals, by default the membrane potential, or all states where there is none; `every`, by default each step, and needed with a tolerance; `cells`, by default all; `statistics`: states and signals of which only least and greatest value and mean over all steps are kept, by default none. `variables = []` records no traces |
//! | `[fit]` | `target`, a CSV file relative to the experiment; `column` of it, recorded under the same name; `iterations`, by default 100; `[fit.parameters]`: names of parameters with bounds, `"na.g_max" = { from = "60 mS/cm2", to = "200 mS/cm2" }`; of a branched cell `"paint[2].g_max"` is what the third `[[paint]]` gives its region, and `column` may be a probe |
//! | `[sweep]` | quantities with the values to try, see [sweeps](#sweeps); `mode`: `"product"` (the default) or `"zip"`; `count` and `seed` of what is drawn |
//! | `[spikes]` | `variable`, by default `"V"`; `threshold`; `cells` and `compartments`, by default all |
//!
//! | kind of input | keys |
//! |---|---|
//! | `"constant"` | `amplitude` |
//! | `"step"` | `amplitude`, `start`, `stop` (by default never) |
//! | `"pulses"` | `amplitude`, `start`, `width`, `period`, `count` |
//! | `"sine"` | `amplitude`, `frequency`, `phase` in radians (by default 0) |
//! | `"ramp"` | `from`, `to`, `start`, `stop`; zero before, `to` after |
//! | `"samples"` | `values` and `interval`, with `unit` if the values are plain numbers; or `file`, a CSV file relative to the experiment, and `column`, or a list of columns with one for each cell; `start`, `interpolation`: `"linear"` (default) or `"hold"` |
//!
//! # Populations
//!
//! A quantity that may differ from cell to cell is one value for all, or one of
//!
//! | value | what the cells get |
//! |---|---|
//! | `["1 mV", "2 mV"]` | one entry for each cell |
//! | `{ from = "0 mV", to = "9 mV" }` | evenly spaced from the first cell to the last |
//! | `{ distribution = "uniform", low = …, high = … }` | drawn between the bounds |
//! | `{ distribution = "normal", mean = …, sd = … }` | drawn; within `low` and `high` where they are given |
//! | `{ distribution = "lognormal", median = …, sigma = 0.2 }` | e^(sigma · normal) times the median; within `low` and `high` where they are given |
//! | `{ file = "cells.csv", column = "g_max" }` | rows of a CSV file, relative to the experiment, whose headings have units: `g_max [mS/cm2]` |
//!
//! What is drawn for a cell depends on the seed (`model.seed`, or `seed` beside the distribution), the key and the number
//! of the cell, and is the same on every machine.
//!
//! # Sweeps
//!
//! `[sweep]` makes a population in which each cell has one combination of values:
//!
//! ```toml
//! [sweep]
//! "na.g_max" = ["80 mS/cm2", "120 mS/cm2"]
//! "stimulus.amplitude" = { from = "1 uA/cm2", to = "100 uA/cm2", count = 21, scale = "log" }
//! ```
//!
//! are 42 cells, the last quantity changing fastest; with `mode = "zip"` the first values go together, the second, and so
//! on. With `count = 100` values may be drawn: `"na.g_max" = { distribution = "normal", … }` as above. Names are
//! `LABEL.KEY` of a mechanism, a paint, an input, a clamp or a synapse, `"C"`, `"initial_voltage"`, `"initial.STATE"`, or
//! that of a parameter of a system. `paint[1].KEY` is the second entry of `[[paint]]`, where several have one label. All
//! cells of a sweep have one shape and one time grid: control volumes by `d_lambda` follow from the capacitance of the
//! first cell, and a jump of the input to one cell cuts the step of all, so that only sweeps of other things give the bits
//! of separate runs. The names of recorded columns end in the number of the cell: `V#7`.
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
mod draws;
mod edit;
mod error;
mod fit;
mod inputs;
mod model;
mod places;
mod run;
mod section;
mod sweep;

pub use error::ExperimentError;
pub use fit::FitSettings;
pub use run::{Given, Precision, RunSettings};
pub use sweep::{Axis, Combination, Sweep};

use crate::cells::MultiCompartment;
use crate::fit::Part;
use crate::kernel::Storage;
use crate::model::{Model, Values};
use crate::registry::Registry;
use crate::simulation::{Simulation, Stepping};
use section::{Section, Source};
use std::fs;
use std::path::{Path, PathBuf};

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
    /// What differs from cell to cell, if the population is a sweep.
    pub sweep: Option<Sweep>,
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
        let mut source = Source::new(path, text);
        let mut table = source.table()?;
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
            "sweep",
        ];
        let whole = Section::file(&source, &table).only_of("section", &sections)?;
        let model = whole.section("model")?;
        if let Some(item) = model.and_then(|model| model.get("seed")) {
            source.seed = item.count()? as u64;
        }
        let sweep = sweep::apply(&source, &mut table)?;
        source.cells = sweep.as_ref().map(Sweep::cells);
        let file = Section::file(&source, &table);
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
        let fitted = fit::Fitted {
            file: &file,
            model: &model,
            cell: cell.as_ref(),
            run: &run,
        };
        let fit = fit.map(|section| fit::read(section, &fitted, directory));
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
            sweep,
        })
    }

    /// The part of a parameter that a name such as `"paint[2].g_max"` means: the value that the third `[[paint]]` gives it.
    /// Nothing for names of another form. Errors are told as at `place`.
    ///
    /// # Errors
    /// [`ExperimentError`]: there is no such entry, or it gives no value.
    pub fn part(&self, name: &str, place: &str) -> Result<Option<Part>, ExperimentError> {
        let (Some(cell), Some(painted)) = (&self.cell, fit::painted(name)) else {
            return Ok(None);
        };
        let source = Source::new(&self.path, &self.text);
        let table = source.table()?;
        let file = Section::file(&source, &table);
        fit::part(&file, &self.model, cell, place, painted).map(Some)
    }

    /// Joins the model with its solver and prepares the run, up to [`RunSettings::duration`], in double precision.
    ///
    /// # Errors
    /// [`ExperimentError::Setup`]: the solver is unknown or cannot step the model, or the recording interval is no
    /// multiple of the time step. [`ExperimentError::Value`]: there would be more steps or samples than can be held, or
    /// the experiment asks for single precision, see [`Experiment::start_in`].
    pub fn start(&self, registry: &Registry) -> Result<Simulation, ExperimentError> {
        if let (Precision::Single, Some(given)) = (self.run.precision(), &self.run.precision) {
            return Err(ExperimentError::Value {
                place: given.place.clone(),
                reason: "this can only be done in double precision; remove the key, or set it to \"double\"".to_string(),
            });
        }
        self.start_in::<f64>(registry)
    }

    /// As [`Experiment::start`], in the precision of `F`: `f64` or `f32`, whatever the experiment says.
    ///
    /// # Errors
    /// [`ExperimentError`].
    pub fn start_in<F: Storage>(
        &self,
        registry: &Registry,
    ) -> Result<Simulation<F>, ExperimentError> {
        self.start_up_to(MOST_NUMBERS, registry)
    }

    /// As [`Experiment::start_in`] for a run with [`Simulation::run_streamed`], which may record more than memory holds.
    ///
    /// # Errors
    /// [`ExperimentError`].
    pub fn start_streamed<F: Storage>(
        &self,
        registry: &Registry,
    ) -> Result<Simulation<F>, ExperimentError> {
        self.start_up_to(MOST_STREAMED, registry)
    }

    fn start_up_to<F: Storage>(
        &self,
        most: f64,
        registry: &Registry,
    ) -> Result<Simulation<F>, ExperimentError> {
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
        let mut simulation = run
            .setup()
            .start(registry, &self.model)
            .map_err(|error| run.explain(error))?;
        // Steady states follow from the initial potential, and not every number has one.
        for name in self.model.state_names() {
            let state = simulation.state(name).ok();
            let bad = state.and_then(|state| match state.value {
                Values::Each(values) => values.iter().copied().find(|x| !x.is_finite()),
                _ => None,
            });
            if let Some(bad) = bad {
                let place = self.path.display().to_string();
                return Err(refuse(
                    &place,
                    format!(
                        "{name} is {bad} at the beginning; give an initial voltage, or a value in [initial], that lies nearer to 0"
                    ),
                ));
            }
        }
        Ok(simulation)
    }
}
