//! Setting up a run.

use super::error::Setup as SetupError;
use super::plan::Plan;
use super::tile::Tile;
use super::tolerances::Tolerances;
use super::{Crew, ROUNDING, Simulation, crew};
use crate::engine::{Engine, EngineOptions, Keep, coupled_apart};
use crate::kernel::Storage;
use crate::model::Model;
use crate::registry::{Registry, Solver};
use crate::simd::Level;
use std::sync::Arc;

/// What to record of a variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Name of a state or signal.
    pub variable: String,
    /// Elements; all if none are named.
    pub elements: Vec<usize>,
    /// Cells; all if none are named.
    pub cells: Vec<usize>,
}

impl From<&str> for Record {
    fn from(variable: &str) -> Self {
        Self {
            variable: variable.to_string(),
            elements: Vec::new(),
            cells: Vec::new(),
        }
    }
}

/// How steps are chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum Stepping {
    /// All of this size, ms.
    Fixed(f64),
    /// By the error estimate.
    Adaptive(Tolerances),
}

/// What to run: solver, step size, and what to record.
///
/// ```
/// use braincell_core::model::{ode, systems::Decay, Model};
/// use braincell_core::registry::{Origin, Registry};
/// use braincell_core::simulation::Setup;
/// # use braincell_core::stepper::{h, num, SolverInfo, StepError, StepOps, Stepper};
/// # struct Euler;
/// # impl Stepper for Euler {
/// #     fn info(&self) -> SolverInfo { SolverInfo::new("euler", "rk", 1) }
/// #     fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
/// #         let (y, k) = (o.y(), o.rhs(0.0, o.y())?);
/// #         let next = o.combine(&[(num(1.0), y), (h(1.0), k)])?;
/// #         o.commit(next)
/// #     }
/// # }
/// # let mut registry = Registry::new();
/// # registry.register(std::sync::Arc::new(Euler), Origin { from: "here".into(), version: "1".into() })?;
///
/// let model = Model::new(&ode(Decay))?;
/// let mut run = Setup::new("euler", 0.01).record("x").start::<f64>(&registry, &model)?;
/// run.run(1.0)?;
/// let x = run.recording().trace("x")?.to_vec();
/// assert_eq!(x.len(), 101);
/// assert!((x[100] - (-1f64).exp()).abs() < 2e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    solver: String,
    stepping: Stepping,
    pub(super) records: Vec<Record>,
    every: Option<f64>,
    pub(super) spikes: Vec<(Record, f64)>,
    pub(super) statistics: Vec<Record>,
    lanes: Option<usize>,
    threads: Option<usize>,
    level: Option<Level>,
    seed: u64,
    without_noise: bool,
}

impl Setup {
    /// A run with a solver (`"rk4"`, `"rk2(alpha=0.5)"`) and a step size in ms.
    pub fn new(solver: impl Into<String>, step: f64) -> Self {
        Self::with_stepping(solver, Stepping::Fixed(step))
    }

    /// A run whose steps follow the error estimate of the solver. A recording interval must be given with
    /// [`Setup::every`] if anything is recorded.
    pub fn adaptive(solver: impl Into<String>, tolerances: Tolerances) -> Self {
        Self::with_stepping(solver, Stepping::Adaptive(tolerances))
    }

    /// A run with steps of either kind.
    pub fn with_stepping(solver: impl Into<String>, stepping: Stepping) -> Self {
        Self {
            solver: solver.into(),
            stepping,
            records: Vec::new(),
            every: None,
            spikes: Vec::new(),
            statistics: Vec::new(),
            lanes: None,
            threads: None,
            level: None,
            seed: 0,
            without_noise: false,
        }
    }

    /// How steps are chosen.
    pub fn stepping(&self) -> &Stepping {
        &self.stepping
    }

    /// Records a state or signal.
    pub fn record(mut self, what: impl Into<Record>) -> Self {
        self.records.push(what.into());
        self
    }

    /// Records at multiples of `interval`, ms, a multiple of the step size. The default is every step; where nothing is
    /// recorded, only the beginning is a sample.
    pub fn every(mut self, interval: f64) -> Self {
        self.every = Some(interval);
        self
    }

    /// Detects spikes: times at which a state crosses `threshold` upwards, found on the cubic through the values and
    /// derivatives at both ends of the step; in an adaptive run on the method's own solution inside the step, where it
    /// has one, of which eight parts are looked at.
    pub fn spikes(mut self, what: impl Into<Record>, threshold: f64) -> Self {
        self.spikes.push((what.into(), threshold));
        self
    }

    /// Keeps least and greatest value and mean of a state or signal over all steps, in little memory however long the
    /// run: see [`super::Statistic`].
    pub fn statistics(mut self, what: impl Into<Record>) -> Self {
        self.statistics.push(what.into());
        self
    }

    /// How many cells are advanced side by side. Results do not depend on it. By default the numbers of a tile fit into
    /// 256 KiB of cache, and there is a tile for each thread, of 16 elements or more. In an adaptive run every cell has its
    /// own steps, so that cells are advanced one by one whatever is asked for here.
    pub fn tile(mut self, cells: usize) -> Self {
        self.lanes = Some(cells);
        self
    }

    /// How many threads advance the tiles. Results do not depend on it. The default is one for each core, but there are
    /// never more than tiles; with 1 all is done in the thread that calls [`Simulation::run`].
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The SIMD level. The default is [`Level::detect`].
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// The seed of the noise of a stochastic model. The default is 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Lets a deterministic solver run a stochastic model, ignoring its noise.
    pub fn without_noise(mut self) -> Self {
        self.without_noise = true;
        self
    }

    /// Joins solver and model, and prepares the run.
    ///
    /// # Errors
    /// [`SetupError`]: the solver is unknown or does not fit the model, the step size, recording interval or number of
    /// threads makes no sense, or a variable to be recorded does not exist.
    pub fn start<F: Storage>(
        &self,
        registry: &Registry,
        model: &Model,
    ) -> Result<Simulation<F>, SetupError> {
        F::start(self, registry, model)
    }

    pub(super) fn start_here<F: Storage>(
        &self,
        registry: &Registry,
        model: &Model,
    ) -> Result<Simulation<F>, SetupError> {
        let mut model = model.clone();
        if let Stepping::Adaptive(_) = self.stepping {
            model.join_default_groups();
            if let Some(group) = model.groups.get(1) {
                return Err(SetupError::Independent(group.name.clone()));
            }
        }
        let model = &model;
        let offers = |group: usize| {
            let mut offers = model.group_capabilities(group);
            offers.noise &= !self.without_noise;
            offers
        };
        let solver = registry.join_offered(&self.solver, offers(0))?;
        let (step, every) = self.grid::<F>(registry, &solver, model)?;
        let mut solvers: Vec<(Solver, usize)> = vec![(solver.clone(), 1)];
        for (g, group) in model.groups.iter().enumerate().skip(1) {
            if let Some((name, substeps)) = &group.solver {
                let solver = registry.join_offered(name, offers(g))?;
                solvers.push((solver, *substeps));
            }
        }
        let model = Arc::new(model.clone());
        let plan = Plan::new(&model, self, step, every)?;
        let cells = model.cells;
        let threads = crew::threads(self.threads)?;
        let level = self.level.unwrap_or_else(Level::detect);
        let programs: Vec<_> = solvers.iter().map(|(s, n)| (&s.program, *n)).collect();
        let options = EngineOptions {
            level,
            seed: self.seed,
            keep: match self.stepping {
                Stepping::Fixed(_) => Keep::default(),
                Stepping::Adaptive(_) => Keep {
                    error: true,
                    dense: true,
                },
            },
            record_signals: plan.signals.clone(),
        };
        // Every cell has its own step sizes in an adaptive run.
        let lanes = match (&self.stepping, self.lanes) {
            (Stepping::Adaptive(_), _) => 1,
            _ if cells == 1 => 1,
            (_, Some(lanes)) => lanes.clamp(1, cells),
            (_, None) => {
                let lanes = cells.min(16);
                let tile = Engine::<F>::new(model.clone(), &programs, lanes, &options);
                let rows = model.states.iter().map(|s| model.domains[s.domain.0].rows);
                crew::width::<F>(
                    cells,
                    threads,
                    tile.bytes() / lanes,
                    rows.max().unwrap_or(1),
                )
            }
        };
        let widths = [lanes, cells % lanes];
        let widths = widths.iter().filter(|&&lanes| lanes > 0);
        let engines: Vec<Engine<F>> = widths
            .map(|&lanes| Engine::new(model.clone(), &programs, lanes, &options))
            .collect();
        for (group, (solver, _)) in solvers.iter().enumerate() {
            let apart = engines
                .first()
                .and_then(|e| coupled_apart(&e.layout, group));
            if let (true, Some((of, on))) = (solver.program.needs_jacobian(), apart) {
                let name = |s: usize| model.states[s].state.name.clone();
                return Err(SetupError::CoupledApart {
                    solver: solver.name.clone(),
                    of: name(of),
                    on: name(on),
                });
            }
        }
        let mut crew = Crew::new(threads, cells.div_ceil(lanes), &engines)?;
        let mut tiles = Vec::new();
        for first in (0..cells).step_by(lanes) {
            let engine = usize::from(cells - first < lanes);
            let w = &mut crew.own()[engine];
            tiles.push(Tile::new(first, engine, &engines[engine], &plan, w));
        }
        let stiff = registry.fitting_stiff(model.capabilities());
        let advice = match stiff[..] {
            _ if !solver.info.properties.explicit => "try a smaller step".to_string(),
            [] => "try a smaller step; an explicit solver is unstable when the step exceeds a few times the fastest time constant".to_string(),
            _ => format!(
                "try a smaller step, or a solver that suits stiff models: {}",
                stiff.join(", ")
            ),
        };
        Ok(Simulation {
            model,
            solver,
            plan,
            engines,
            tiles,
            crew,
            times: Vec::new(),
            drained: 0,
            origin: 0.0,
            steps_done: 0,
            steps_before: 0,
            tolerances: match &self.stepping {
                Stepping::Fixed(_) => None,
                Stepping::Adaptive(tolerances) => Some(tolerances.clone()),
            },
            advice,
            stiff,
        })
    }

    /// The interval of the time grid, and every how many of them a sample is taken.
    fn grid<F: Storage>(
        &self,
        registry: &Registry,
        solver: &Solver,
        model: &Model,
    ) -> Result<(f64, u64), SetupError> {
        let interval = self.every.unwrap_or(f64::NAN);
        match &self.stepping {
            Stepping::Adaptive(tolerances) => {
                if !solver.info.is_adaptive() {
                    let able =
                        |name: &String| registry.get(name).is_ok_and(|e| e.info.is_adaptive());
                    let mut adaptive = registry.fitting(model.capabilities());
                    adaptive.retain(able);
                    return Err(SetupError::NotAdaptive {
                        solver: solver.name.clone(),
                        adaptive,
                    });
                }
                if let Some(fault) = tolerances.fault() {
                    return Err(SetupError::Tolerances(fault));
                }
                tolerances.check_precision::<F>(&solver.info)?;
                match self.every {
                    None if self.records.is_empty() => Ok((f64::INFINITY, 1)),
                    None => Err(SetupError::NoInterval),
                    Some(interval) if interval.is_finite() && interval > 0.0 => Ok((interval, 1)),
                    Some(interval) => Err(SetupError::Interval(interval)),
                }
            }
            &Stepping::Fixed(step) => {
                if !(step.is_finite() && step > 0.0) {
                    return Err(SetupError::Step(step));
                }
                if self.every.is_none() {
                    return Ok((step, if self.records.is_empty() { NEVER } else { 1 }));
                }
                let every = (interval / step).round();
                let off = (interval - every * step).abs();
                // Also refuses NaN.
                if every >= 1.0 && off <= 1e3 * ROUNDING * interval {
                    Ok(match self.records[..] {
                        [] => (step, NEVER),
                        _ => (step, every as u64),
                    })
                } else {
                    Err(SetupError::Every { interval, step })
                }
            }
        }
    }
}

/// More steps than can be made.
const NEVER: u64 = u64::MAX;
