//! How stiff a model is along its trajectory, and how large a run of it.
//!
//! The Jacobian ∂f/∂y of the model, exact to rounding, is taken at times along the solution. Its eigenvalues λ are the rates of the
//! modes that the state consists of nearby: -1 / Re λ is a time constant where Re λ < 0. The ratio of the slowest to the
//! fastest is the stiffness ratio. An explicit solver is stable while h λ lies in its region of stability |R(z)| ≤ 1; R is found by
//! letting the solver make one step of y' = λ y, so that it is known for solvers from plugins too.
//!
//! ```
//! use braincell::experiment::Experiment;
//! use braincell::inspect::{Settings, inspect};
//!
//! let experiment = Experiment::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/van_der_pol.toml"))?;
//! let found = inspect(&experiment, braincell::solvers(), &Settings::default())?;
//! assert!(found.stiffness_ratio().is_some_and(|ratio| ratio > 10.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod report;
mod spectrum;
mod stability;

pub use spectrum::MOST_STATES;

use crate::experiment::{Experiment, ExperimentError};
use crate::model::{ModelError, Part};
use crate::registry::{Registry, RegistryError};
use crate::simulation::{
    Memory, RunError, Setup, SetupError, Simulation, StatePlace, Stepping, Tolerances,
};
use crate::stepper::Parts;
use stability::Region;
use std::sync::atomic::{AtomicBool, Ordering};

/// Cells of a population that are looked at.
const CELLS: usize = 4;
/// Times at which is looked by default: for models with few states, and with many.
const TIMES: [usize; 2] = [200, 40];
const MANY_STATES: usize = 60;
/// The greatest number of times at which is looked.
const MOST_TIMES: f64 = 1e6;
/// Relative tolerance of the trajectory.
const TOLERANCE: f64 = 1e-6;
/// A rate below this part of the fastest is that of a state that does not change by itself.
const STANDING: f64 = 1e-12;
/// Modes limit an explicit solver if |Im λ| ≤ this times |Re λ|.
const DAMPED: f64 = 2.0;
/// Jumps that are listed of an input.
const JUMPS: usize = 1000;

/// Why a model cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The experiment cannot run.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// A solver is unknown.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The model refuses.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// No trajectory can be computed.
    #[error("the solution cannot be followed: {0}")]
    Setup(#[from] SetupError),
    /// It fails before there is anything to tell.
    #[error("the solution cannot be followed: {0}")]
    Run(#[from] RunError),
    /// The interval makes no sense.
    #[error("the interval between two looks is {0} ms; it must be positive and finite")]
    Interval(f64),
    /// There would be too many looks.
    #[error(
        "{duration} ms at intervals of {interval} ms are more than a million looks; choose a longer interval"
    )]
    TooMany {
        /// The interval, ms.
        interval: f64,
        /// The duration, ms.
        duration: f64,
    },
}

/// How to look.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The interval between two looks, ms; by default a 200th of the duration, for models with many states a 40th.
    pub every: Option<f64>,
    /// Of cells with more states than this only the fastest mode is found: [`MOST_STATES`].
    pub most_states: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            every: None,
            most_states: MOST_STATES,
        }
    }
}

/// The spectrum of a cell at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The time, ms.
    pub time: f64,
    /// The cell.
    pub cell: usize,
    /// The fastest decay, as a rate per ms: the greatest -Re λ. In models of many states the greatest |λ|.
    pub fastest: f64,
    /// The slowest decay: the least -Re λ that is positive. Nothing in models of many states.
    pub slowest: Option<f64>,
    /// The fastest growth, max Re λ, where it is positive.
    pub growth: Option<f64>,
}

/// A solver's limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The explicit solver.
    pub solver: String,
    /// Its order.
    pub order: u32,
    /// How far its region of stability reaches along the negative real axis.
    pub real_axis: f64,
    /// The greatest step, ms, with |R(h λ)| ≤ 1 for all modes met that decay at least half as fast as they turn,
    /// |Im λ| ≤ 2 |Re λ|; infinite where there is none. Others that hardly decay limit the accuracy, not the stability.
    pub step: f64,
    /// The time at which it is so small, ms.
    pub time: f64,
}

/// What makes a model stiff.
#[derive(Clone, Debug, PartialEq)]
pub struct Stiffest {
    /// The state and its element.
    pub place: StatePlace,
    /// The cell.
    pub cell: usize,
    /// The time, ms.
    pub time: f64,
    /// |∂f_i/∂y_i| there, per ms; in models of many states the greatest |λ|, and the place is that of the greatest component of
    /// its eigenvector.
    pub rate: f64,
}

/// An input and its jumps.
#[derive(Clone, Debug, PartialEq)]
pub struct InputReport {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Times in the run at which it or a derivative jumps, ms: the first thousand.
    pub jumps: Vec<f64>,
}

/// What there is to tell about a model.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Title of the experiment.
    pub title: String,
    /// Number of cells.
    pub cells: usize,
    /// Control volumes of a branched cell.
    pub control_volumes: Option<usize>,
    /// Numbers of states of a cell: potentials, gates, concentrations, others.
    pub states: [usize; 4],
    /// Number of parameters, those that differ from place to place counted once.
    pub parameters: usize,
    /// Bytes of the run that the experiment describes.
    pub memory: Memory,
    /// The inputs.
    pub inputs: Vec<InputReport>,
    /// The solver that the solution was followed with.
    pub followed_with: String,
    /// The interval between two looks, ms.
    pub every: f64,
    /// The cells that were looked at.
    pub looked_at: Vec<usize>,
    /// Whether all eigenvalues were computed; else the fastest alone, by power iteration.
    pub whole_spectrum: bool,
    /// States that modules integrate by solvers of their own, and that are not in the Jacobian.
    pub independent: usize,
    /// Looks, by time.
    pub samples: Vec<Sample>,
    /// What makes it stiff.
    pub stiffest: Option<Stiffest>,
    /// Where explicit solvers are stable, those with the largest steps first.
    pub limits: Vec<Limit>,
    /// Why the solution ends early, if it does.
    pub ended: Option<String>,
}

impl Inspection {
    /// The fastest and the slowest rate of decay met, per ms.
    pub fn rates(&self) -> Option<(f64, Option<f64>)> {
        let fastest = self.samples.iter().map(|s| s.fastest).reduce(f64::max)?;
        let slowest = self.samples.iter().filter_map(|s| s.slowest);
        Some((fastest, slowest.reduce(f64::min)))
    }

    /// The greatest ratio of the fastest to the slowest rate of decay at one time.
    pub fn stiffness_ratio(&self) -> Option<f64> {
        let ratios = self
            .samples
            .iter()
            .filter_map(|s| Some(s.fastest / s.slowest?));
        ratios.reduce(f64::max)
    }
}

/// Inspects a model along its solution.
///
/// # Errors
/// [`InspectError`].
pub fn inspect(
    experiment: &Experiment,
    registry: &Registry,
    settings: &Settings,
) -> Result<Inspection, InspectError> {
    inspect_observed(
        experiment,
        registry,
        settings,
        &AtomicBool::new(false),
        &|_, _| {},
    )
}

/// Inspects a model; `observe` is told at how many times of how many it has looked, and setting `stop` ends it with what has
/// been seen.
///
/// # Errors
/// [`InspectError`].
pub fn inspect_observed(
    experiment: &Experiment,
    registry: &Registry,
    settings: &Settings,
    stop: &AtomicBool,
    observe: &dyn Fn(usize, usize),
) -> Result<Inspection, InspectError> {
    let duration = experiment.run.duration.value;
    let memory = experiment.start(registry)?.memory(duration);
    let (mut simulation, followed_with) = follow(experiment, registry)?;
    let model = &experiment.model;
    let mut states = [0; 4];
    for name in model.state_names() {
        let kind = match model.state(name)?.part {
            Part::Voltage => 0,
            Part::Gate => 1,
            Part::Concentration => 2,
            Part::Other => 3,
        };
        states[kind] += model.elements(name)?;
    }
    let n = simulation.linearise(0)?.places().len();
    let whole_spectrum = n <= settings.most_states;
    let times = TIMES[usize::from(n > MANY_STATES)];
    let every = settings.every.unwrap_or(duration / times as f64);
    if !(every.is_finite() && every > 0.0) {
        return Err(InspectError::Interval(every));
    }
    if duration / every > MOST_TIMES {
        let interval = every;
        return Err(InspectError::TooMany { interval, duration });
    }
    let cells = model.cells();
    let count = cells.min(CELLS);
    let looked_at: Vec<usize> = (0..count)
        .map(|k| k * (cells - 1) / (count - 1).max(1))
        .collect();
    let mut look = Look {
        regions: regions(experiment, registry),
        samples: Vec::new(),
        stiffest: None,
    };
    let steps = (duration / every + 1e-9).floor() as usize;
    let mut ended = None;
    for k in 0..=steps {
        if k > 0
            && let Err(error) = simulation.run((k as f64 * every).min(duration))
        {
            ended = Some(error.to_string());
            break;
        }
        for &cell in &looked_at {
            look.at(&simulation, cell, whole_spectrum)?;
        }
        observe(k + 1, steps + 1);
        if stop.load(Ordering::Relaxed) && k < steps {
            ended = Some(format!("stopped by Ctrl-C at t = {} ms", simulation.time()));
            break;
        }
    }
    let mut limits: Vec<Limit> = look.regions.into_iter().map(|(limit, _)| limit).collect();
    limits.sort_by(|a, b| b.step.total_cmp(&a.step).then(a.solver.cmp(&b.solver)));
    Ok(Inspection {
        title: experiment.title.clone(),
        cells,
        control_volumes: experiment
            .cell
            .as_ref()
            .map(|c| c.discretisation().cvs().len()),
        independent: states.iter().sum::<usize>() - n,
        states,
        parameters: model.parameter_names().len(),
        memory,
        inputs: (model.inputs())
            .map(|input| InputReport {
                name: input.name.to_string(),
                unit: input.unit.to_string(),
                jumps: input.jumps(-every, duration, JUMPS),
            })
            .collect(),
        followed_with,
        every,
        looked_at,
        whole_spectrum,
        samples: look.samples,
        stiffest: look.stiffest,
        limits,
        ended,
    })
}

/// A simulation that follows the solution whether it is stiff or not, and what it does so with: an adaptive solver for stiff
/// models, any adaptive one, or else what the experiment says.
fn follow(
    experiment: &Experiment,
    registry: &Registry,
) -> Result<(Simulation, String), InspectError> {
    let mut offers = experiment.model.capabilities();
    offers.noise = false;
    let mut names = registry.fitting_stiff(offers);
    names.extend(registry.fitting(offers));
    for name in names {
        let info = &registry.get(&name)?.info;
        if !info.is_adaptive() || info.advances != Parts::ALL || info.deprecated.is_some() {
            continue;
        }
        let setup = Setup::adaptive(&name, Tolerances::new(TOLERANCE)).without_noise();
        // What does not fit for a reason that only shows here is passed over.
        if let Ok(simulation) = setup.start(registry, &experiment.model) {
            return Ok((simulation, format!("{name}, tolerance {TOLERANCE:e}")));
        }
    }
    let run = &experiment.run;
    let stepping = run.stepping.value.clone();
    let how = match &stepping {
        Stepping::Fixed(dt) => format!("{}, dt = {dt} ms", run.solver.value),
        Stepping::Adaptive(t) => format!("{}, tolerance {:e}", run.solver.value, t.relative),
    };
    let setup = Setup::with_stepping(&run.solver.value, stepping).without_noise();
    Ok((setup.start(registry, &experiment.model)?, how))
}

/// The explicit solvers that fit, with their regions of stability and no limit yet.
fn regions(experiment: &Experiment, registry: &Registry) -> Vec<(Limit, Region)> {
    let mut offers = experiment.model.capabilities();
    offers.noise = false;
    let entries = registry.entries().into_iter().filter(|e| {
        let info = &e.info;
        info.properties.explicit
            && info.advances == Parts::ALL
            && info.deprecated.is_none()
            && info.needs.missing(offers).is_none()
    });
    let regions = entries.filter_map(|e| {
        let region = Region::of(&e.info.name, registry)?;
        let limit = Limit {
            solver: e.info.name.clone(),
            order: e.info.order,
            real_axis: region.along_the_real_axis(),
            step: f64::INFINITY,
            time: 0.0,
        };
        Some((limit, region))
    });
    regions.collect()
}

/// What has been seen so far.
struct Look {
    regions: Vec<(Limit, Region)>,
    samples: Vec<Sample>,
    stiffest: Option<Stiffest>,
}

impl Look {
    /// Looks at a cell now.
    fn at(
        &mut self,
        simulation: &Simulation,
        cell: usize,
        whole: bool,
    ) -> Result<(), InspectError> {
        let time = simulation.time();
        let mut linearised = simulation.linearise(cell)?;
        let matrix = whole.then(|| linearised.matrix());
        let values = matrix.as_ref().and_then(spectrum::eigenvalues);
        let (rate, place) = match &matrix {
            Some(matrix) => {
                let diagonal = matrix.diag().into_iter().map(|x| x.abs()).enumerate();
                let greatest = diagonal.max_by(|a, b| a.1.total_cmp(&b.1));
                greatest.map_or((0.0, 0), |(k, rate)| (rate, k))
            }
            None => spectrum::fastest(&mut linearised),
        };
        let values = match values {
            Some(values) => values,
            // Eigenvalues that do not converge, or that are too many.
            None if whole => {
                let (rate, _) = spectrum::fastest(&mut linearised);
                vec![(-rate, 0.0)]
            }
            None => vec![(-rate, 0.0)],
        };
        let size = values.iter().map(|z| z.0.hypot(z.1)).fold(0.0, f64::max);
        let decays = || values.iter().map(|z| -z.0).filter(|r| *r > STANDING * size);
        let growth = values.iter().map(|z| z.0).fold(0.0, f64::max);
        self.samples.push(Sample {
            time,
            cell,
            fastest: decays().fold(0.0, f64::max),
            slowest: (whole && values.len() > 1)
                .then(|| decays().reduce(f64::min))
                .flatten(),
            growth: (growth > STANDING * size).then_some(growth),
        });
        if self.stiffest.as_ref().is_none_or(|s| s.rate < rate) {
            self.stiffest = linearised.places().get(place).map(|place| Stiffest {
                place: place.clone(),
                cell,
                time,
                rate,
            });
        }
        for (limit, region) in &mut self.regions {
            for &(re, im) in &values {
                if re < -STANDING * size && im.abs() <= DAMPED * re.abs() {
                    let step = region.step(re, im);
                    if step < limit.step {
                        (limit.step, limit.time) = (step, time);
                    }
                }
            }
        }
        Ok(())
    }
}
