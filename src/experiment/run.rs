//! The sections `[run]`, `[record]` and `[spikes]`.

use super::error::ExperimentError;
use super::section::{Item, Section};
use crate::model::{Model, Part};
use crate::simulation::{Record, Setup, SetupError, Stepping, Tolerances};
use std::path::{Path, PathBuf};

/// A value and where it was given, for messages: file, line and key, or an option.
#[derive(Clone, Debug, PartialEq)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// Where it was given.
    pub place: String,
}

/// With how many digits a run computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 16 digits: `f64`.
    #[default]
    Double,
    /// 7 digits: `f32`. Time is counted in double precision all the same.
    Single,
}

impl Precision {
    /// The precision of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "double" => Some(Self::Double),
            "single" => Some(Self::Single),
            _ => None,
        }
    }
}

/// How to run an experiment and what to record.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSettings {
    /// The solver, with values for its parameters: `rk4`, `rk2(alpha=0.5)`.
    pub solver: Given<String>,
    /// The time step, or the tolerances by which the solver chooses its steps.
    pub stepping: Given<Stepping>,
    /// The duration, ms.
    pub duration: Given<f64>,
    /// The precision; double where there is none.
    pub precision: Option<Given<Precision>>,
    /// The number of threads; one for each core where there is none.
    pub threads: Option<Given<usize>>,
    /// How many cells are advanced side by side, where the default is not wanted.
    pub tile: Option<usize>,
    /// What to record.
    pub records: Vec<Record>,
    /// What to keep statistics of.
    pub statistics: Vec<Record>,
    /// The recording interval, ms; every step where there is none.
    pub every: Option<Given<f64>>,
    /// The states to detect spikes of, with thresholds in their units.
    pub spikes: Vec<(Record, f64)>,
    /// Solver plugins that the file names, to be loaded into the registry before the start.
    pub plugins: Vec<PathBuf>,
}

impl RunSettings {
    /// The setup of the simulation.
    pub fn setup(&self) -> Setup {
        let mut setup = Setup::with_stepping(&self.solver.value, self.stepping.value.clone());
        for record in &self.records {
            setup = setup.record(record.clone());
        }
        for record in &self.statistics {
            setup = setup.statistics(record.clone());
        }
        for (record, threshold) in &self.spikes {
            setup = setup.spikes(record.clone(), *threshold);
        }
        if let Some(threads) = &self.threads {
            setup = setup.threads(threads.value);
        }
        if let Some(tile) = self.tile {
            setup = setup.tile(tile);
        }
        match &self.every {
            Some(every) => setup.every(every.value),
            None => setup,
        }
    }

    /// The precision of the run.
    pub fn precision(&self) -> Precision {
        self.precision
            .as_ref()
            .map_or(Precision::Double, |given| given.value)
    }

    /// How many numbers a sample has.
    pub(super) fn columns(&self, model: &Model) -> usize {
        let columns = self.records.iter().map(|record| {
            let cells = match record.cells.len() {
                0 => model.cells(),
                n => n,
            };
            cells * model.elements(&record.variable).unwrap_or(1)
        });
        columns.sum()
    }

    /// The error of a setup with the place of the value that it is about.
    pub(super) fn explain(&self, error: SetupError) -> ExperimentError {
        let place = match (&error, &self.every, &self.threads) {
            (
                SetupError::Step(_) | SetupError::Tolerances(_) | SetupError::Precision { .. },
                ..,
            ) => &self.stepping.place,
            (SetupError::Every { .. }, Some(every), _) => &every.place,
            (SetupError::Threads | SetupError::Pool { .. }, _, Some(threads)) => &threads.place,
            _ => &self.solver.place,
        };
        ExperimentError::Setup {
            place: place.clone(),
            error,
        }
    }
}

/// A positive time.
fn time(item: &Item) -> Result<Given<f64>, ExperimentError> {
    Ok(Given {
        value: item.positive("ms")?,
        place: item.place(),
    })
}

fn precision(item: &Item) -> Result<Given<Precision>, ExperimentError> {
    let name = item.text()?;
    match Precision::named(name) {
        Some(value) => Ok(Given {
            value,
            place: item.place(),
        }),
        None => Err(item.unknown("precision", name, &["single", "double"])),
    }
}

/// A whole number above 0.
fn positive(item: &Item) -> Result<Given<usize>, ExperimentError> {
    match item.count()? {
        0 => Err(item.refuse("0 is not enough; give at least 1, or remove the key")),
        value => Ok(Given {
            value,
            place: item.place(),
        }),
    }
}

/// A fixed step, or a tolerance.
fn stepping(run: &Section) -> Result<Given<Stepping>, ExperimentError> {
    let most = run.get("max_steps");
    let Some(item) = run.get("tolerance") else {
        if let Some(most) = most {
            return Err(most.refuse("it limits the steps of a run with a tolerance; remove it"));
        }
        let dt = time(&run.need("dt", "dt = \"0.025 ms\"")?)?;
        return Ok(Given {
            value: Stepping::Fixed(dt.value),
            place: dt.place,
        });
    };
    if let Some(dt) = run.get("dt") {
        return Err(dt.refuse("a run has a fixed step, dt, or a tolerance; remove one of them"));
    }
    let mut tolerances = Tolerances::new(item.positive("")?);
    if let Some(most) = most {
        tolerances.max_steps = match most.count()? {
            0 => return Err(most.refuse("a run takes at least one step")),
            most => most as u64,
        };
    }
    Ok(Given {
        value: Stepping::Adaptive(tolerances),
        place: item.place(),
    })
}

/// Reads how to run and what to record.
pub(super) fn read(
    file: &Section,
    model: &Model,
    directory: &Path,
) -> Result<RunSettings, ExperimentError> {
    let run = file.need_section(
        "run",
        "[run] with solver = \"rk4\", dt = \"0.025 ms\", duration = \"50 ms\"",
    )?;
    let run = run.only(&[
        "solver",
        "dt",
        "tolerance",
        "max_steps",
        "duration",
        "precision",
        "threads",
        "tile",
        "plugins",
    ])?;
    let solver = run.need(
        "solver",
        "solver = \"rk4\"; braincell solvers lists the solvers",
    )?;
    let record = file.section("record")?;
    let record = record
        .map(|s| s.only(&["variables", "every", "cells", "statistics"]))
        .transpose()?;
    let of_record = |key: &str| record.as_ref().and_then(|section| section.get(key));
    let spikes = match file.section("spikes")? {
        Some(section) => vec![spikes(section, model)?],
        None => Vec::new(),
    };
    Ok(RunSettings {
        solver: Given {
            value: solver.text()?.to_string(),
            place: solver.place(),
        },
        stepping: stepping(&run)?,
        duration: time(&run.need("duration", "duration = \"50 ms\"")?)?,
        precision: run.get("precision").as_ref().map(precision).transpose()?,
        threads: run.get("threads").as_ref().map(positive).transpose()?,
        tile: match run.get("tile") {
            Some(item) => Some(positive(&item)?.value),
            None => None,
        },
        records: records(of_record("variables"), of_record("cells"), model)?,
        statistics: match of_record("statistics") {
            None => Vec::new(),
            variables => records(variables, of_record("cells"), model)?,
        },
        every: of_record("every").as_ref().map(time).transpose()?,
        spikes,
        plugins: match run.get("plugins") {
            None => Vec::new(),
            Some(item) => {
                let files = item.list("plugins = [\"libmy_solvers.so\"]")?;
                let files = files.iter().map(|file| file.file(directory));
                files.collect::<Result<_, _>>()?
            }
        },
    })
}

/// The variables to record.
fn records(
    variables: Option<Item>,
    cells: Option<Item>,
    model: &Model,
) -> Result<Vec<Record>, ExperimentError> {
    let cells = cells
        .as_ref()
        .map_or(Ok(Vec::new()), |item| chosen(item, "cell", model.cells()))?;
    let names: Vec<String> = match variables {
        Some(item) => {
            let known = [model.state_names(), model.signal_names()].concat();
            let names = item.list("a list of names such as [\"V\"]")?;
            let names = names.iter().map(|item| match item.text()? {
                name if known.contains(&name) => Ok(name.to_string()),
                name => Err(item.unknown("variable", name, &known)),
            });
            names.collect::<Result<_, _>>()?
        }
        None => {
            let all = model.state_names();
            let voltage = |name: &&str| model.state(name).is_ok_and(|s| s.part == Part::Voltage);
            let voltages: Vec<&str> = all.iter().copied().filter(|name| voltage(name)).collect();
            let chosen = if voltages.is_empty() { all } else { voltages };
            chosen.into_iter().map(str::to_string).collect()
        }
    };
    let records = names.into_iter().map(|variable| Record {
        variable,
        elements: Vec::new(),
        cells: cells.clone(),
    });
    Ok(records.collect())
}

/// Numbers of cells or compartments.
fn chosen(item: &Item, what: &str, all: usize) -> Result<Vec<usize>, ExperimentError> {
    let items = item.list(&format!("a list of numbers of {what}s such as [0, 5]"))?;
    if items.is_empty() {
        return Err(item.refuse(format!(
            "no {what} is named; remove the key to choose all {what}s"
        )));
    }
    let chosen = items.iter().map(|item| match item.count()? {
        number if number < all => Ok(number),
        number => Err(item.refuse(match all {
            1 => format!("there is no {what} {number}: there is only {what} 0"),
            all => format!(
                "there is no {what} {number}: {what}s are counted from 0 to {}",
                all - 1
            ),
        })),
    });
    chosen.collect()
}

/// The state to detect spikes of, and the threshold.
fn spikes(section: Section, model: &Model) -> Result<(Record, f64), ExperimentError> {
    let section = section.only(&["variable", "threshold", "cells", "compartments"])?;
    let known = model.state_names();
    let name = match section.get("variable") {
        Some(item) => match item.text()? {
            name if known.contains(&name) => name,
            name => return Err(item.unknown("state", name, &known)),
        },
        None if known.contains(&"V") => "V",
        None => section.need("variable", "variable = \"x\"")?.text()?,
    };
    let unit = model
        .state(name)
        .map(|state| state.unit.clone())
        .unwrap_or_default();
    let example = format!("threshold = \"0 {unit}\"");
    let threshold = section
        .need("threshold", example.trim_end())?
        .quantity(&unit)?;
    let cells = section.get("cells");
    let record = Record {
        variable: name.to_string(),
        elements: match section.get("compartments") {
            Some(item) => chosen(&item, "compartment", model.elements(name).unwrap_or(1))?,
            None => Vec::new(),
        },
        cells: cells
            .as_ref()
            .map_or(Ok(Vec::new()), |item| chosen(item, "cell", model.cells()))?,
    };
    Ok((record, threshold))
}
