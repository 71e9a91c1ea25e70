//! The time loop: a model, a solver and a step size, run and recorded.

pub(crate) mod adaptive;
mod checkpoint;
mod compiled;
mod crew;
mod error;
mod failure;
pub(crate) mod inside;
mod jacobian;
pub(crate) mod kept;
mod memory;
mod plan;
mod recording;
pub(crate) mod setup;
mod statistics;
mod streaming;
pub(crate) mod tile;
mod tolerances;

pub use checkpoint::CheckpointError;
pub use error::{BadValue, LastGood, NoConvergence, RunError, Setup as SetupError, StepsExhausted};
pub use jacobian::{Linearisation, StatePlace};
pub use memory::Memory;
pub use recording::{Column, Counters, Recording, SpikeTrain, Trace};
pub use setup::{Record, Setup, Stepping};
pub use statistics::Statistic;
pub use streaming::Pause;
pub use tolerances::Tolerances;

pub(crate) use compiled::Compiled;

use crate::engine::Engine;
use crate::kernel::Storage;
use crate::model::{DiffEqState, Model, ModelError, Values, unknown};
use crate::registry::Solver;
use adaptive::Goal;
use crew::{Crew, Pace};
use ndarray::Array2;
use plan::Plan;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;
use tile::{Block, Tile};

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Time reached, ms.
    pub time: f64,
    /// Time to reach, ms.
    pub until: f64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It reached its end.
    Finished,
    /// The observer stopped it. What was computed is there, and the run can go on.
    Stopped,
}

/// A model being integrated. Made by [`Setup::start`].
///
/// Everything lies in memory that is allocated at the start of each [`Simulation::run`]; a step allocates nothing.
pub struct Simulation<F: Storage = f64> {
    pub(crate) model: Arc<Model>,
    pub(crate) solver: Solver,
    pub(crate) plan: Plan,
    /// One per width of tile: all but the last tile are equally wide.
    pub(crate) engines: Vec<Engine<F>>,
    pub(crate) tiles: Vec<Tile<F>>,
    crew: Crew<F>,
    /// Times of the samples that were not handed out yet.
    times: Vec<f64>,
    /// Samples that were handed out and forgotten.
    drained: usize,
    /// Steps are counted from here: step k ends at origin + (k + 1) · step.
    origin: f64,
    steps_done: u64,
    /// Steps made before the origin.
    steps_before: u64,
    /// For an adaptive run.
    tolerances: Option<Tolerances>,
    /// What to try when a run fails.
    pub(crate) advice: String,
    /// Solvers for stiff models.
    stiff: Vec<String>,
}

/// A step of this many times the step size or less is a rounding error.
pub(crate) const ROUNDING: f64 = 1e-9;
/// Step numbers up to here are exact in double precision.
const MOST_STEPS: f64 = (1u64 << 53) as f64;
/// Between two looks of an observer no more than about this many numbers are recorded.
const PART: u64 = 1_000_000;

/// How many steps lead from `origin` to `until`, and what is left then: nothing if `until` is on the grid but for rounding.
pub(crate) fn grid(origin: f64, step: f64, until: f64) -> (f64, f64) {
    let steps = (until - origin) / step;
    let nearest = steps.round();
    // Far from the origin, times on the grid are a few rounding errors apart.
    let rounding =
        (ROUNDING * step.min((until - origin).abs())).max(4.0 * f64::EPSILON * until.abs());
    if (until - (origin + nearest * step)).abs() <= rounding {
        (nearest, 0.0)
    } else {
        let whole = steps.floor();
        (whole, until - (origin + whole * step))
    }
}

/// What is called between the parts of a run.
pub(crate) type Between<'a, F> = dyn FnMut(&mut Simulation<F>, Progress) -> ControlFlow<()> + 'a;

impl<F: Storage> Simulation<F> {
    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The solver.
    pub fn solver(&self) -> &Solver {
        &self.solver
    }

    /// The time reached, ms.
    pub fn time(&self) -> f64 {
        match self.tolerances {
            None => self.origin + self.steps_done as f64 * self.plan.step,
            Some(_) => {
                let reached = self.tiles.iter().map(|tile| tile.controller.t);
                reached.fold(f64::INFINITY, f64::min)
            }
        }
    }

    /// Runs until time `until`, ms.
    ///
    /// If the duration is not a multiple of the step size, the last step is shortened, so that the run ends exactly
    /// at `until`. A step that would straddle a jump of an input is cut in two there; with a fixed step, a jump of the
    /// input to any cell of a population cuts the step of all.
    ///
    /// A run may be made in parts. With a fixed step, where the first part ends on the grid, the parts give the bits of
    /// one run; where it does not, steps and samples are counted anew from its end. With adaptive steps the end of a part
    /// shortens steps, so that results differ within the tolerance.
    ///
    /// # Errors
    /// [`RunError`]. What was computed before is kept: see [`Simulation::recording`].
    pub fn run(&mut self, until: f64) -> Result<(), RunError> {
        self.run_observed(until, &mut |_| ControlFlow::Continue(()))?;
        Ok(())
    }

    /// Runs until time `until`, ms, and reports progress several times a second; the observer may stop the run.
    ///
    /// # Errors
    /// As [`Simulation::run`].
    pub fn run_observed(
        &mut self,
        until: f64,
        observer: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Outcome, RunError> {
        let mut observe = |_: &mut Simulation<F>, progress| observer(progress);
        F::go(self, until, f64::INFINITY, false, &mut observe)
    }

    /// Runs until time `until` and calls `between` after each part, of which one ends at each multiple of `pause`, ms;
    /// memory is reserved for all samples, or where they are `streamed` for those of a part.
    fn go_here(
        &mut self,
        until: f64,
        pause: f64,
        streamed: bool,
        between: &mut Between<F>,
    ) -> Result<Outcome, RunError> {
        let step = self.plan.step;
        let now = self.time();
        // Both may be the same time, reached by adding and by multiplying.
        let rounding = (ROUNDING * step.min(until.abs())).max(4.0 * f64::EPSILON * until.abs());
        if !until.is_finite() || until < now - rounding {
            return Err(RunError::Until { until, now });
        }
        if self.tolerances.is_some() {
            return self.run_adaptive(until, pause, streamed, between);
        }
        let (steps, rest) = grid(self.origin, step, until);
        if steps > MOST_STEPS {
            return Err(RunError::Steps { until, step, steps });
        }
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let short = rest > 0.0;
        let whole = (steps as u64).saturating_sub(self.steps_done);
        if !streamed {
            self.reserve(whole + u64::from(short))?;
        }
        self.begin();
        let states = self.tiles.iter().map(Tile::states).sum();
        let mut pace = Pace::of_steps(states, self.crew.threads());
        let most = self.most_samples().saturating_mul(self.plan.every);
        let mut left = whole;
        while left > 0 {
            let to_pause = (streaming::next_pause(self.time(), pause) - self.time()) / step;
            let to_pause = (to_pause - 1e-6).ceil().max(1.0) as u64;
            let steps = left.min(pace.amount).min(to_pause).min(most);
            if streamed {
                self.reserve(steps)?;
            }
            let begun = Instant::now();
            self.block(steps, step)?;
            pace.took(steps, begun.elapsed());
            left -= steps;
            let time = self.time();
            if between(self, Progress { time, until }).is_break() && (left > 0 || short) {
                return Ok(Outcome::Stopped);
            }
        }
        if short {
            if streamed {
                self.reserve(1)?;
            }
            self.set_origin(self.time());
            self.block(1, rest)?;
            self.set_origin(until);
            let _ = between(self, Progress { time: until, until });
        }
        Ok(Outcome::Finished)
    }

    fn reserve(&mut self, steps: u64) -> Result<(), RunError> {
        let samples = steps / self.plan.every + 2;
        let space = usize::try_from(samples).ok();
        let reserved = space.and_then(|space| {
            self.times.try_reserve(space).ok()?;
            let mut tiles = self.tiles.iter_mut();
            tiles.try_for_each(|tile| tile.reserve(space))
        });
        reserved.ok_or(RunError::Memory {
            samples,
            columns: self.plan.columns.len(),
        })
    }

    /// How many samples are taken between two looks of an observer, at most.
    fn most_samples(&self) -> u64 {
        1 + PART / (1 + self.plan.columns.len() as u64)
    }

    /// Why the run has stopped, if it has.
    fn failure(&self) -> Option<RunError> {
        let failed = self.tiles.iter().filter_map(|tile| tile.failure.as_ref());
        let first = failed.min_by_key(|failure| failure.step)?;
        Some(first.explain(&self.model, &self.solver.name, &self.advice))
    }

    fn run_adaptive(
        &mut self,
        until: f64,
        pause: f64,
        streamed: bool,
        between: &mut Between<F>,
    ) -> Result<Outcome, RunError> {
        let Some(tolerances) = self.tolerances.clone() else {
            return Ok(Outcome::Finished);
        };
        let now = self.time();
        let interval = self.plan.step;
        if !streamed {
            self.reserve(((until - now) / interval) as u64)?;
        }
        self.begin();
        let jumps: Option<Vec<Vec<f64>>> = (self.tiles.iter())
            .map(|tile| self.model.jumps(Some(tile.first), now, until))
            .collect();
        let jumps = jumps.ok_or(RunError::Jumps { until })?;
        // The observer is called after some parts of the run.
        const PARTS: u64 = 1 << 20;
        let mut pace = Pace {
            amount: PARTS / 256,
        };
        let part = (until - now) / PARTS as f64;
        let most = self.most_samples() as f64 * interval;
        let mut target = now;
        while target < until || target == now {
            let begin = target;
            let next = (begin + (pace.amount as f64 * part).min(most))
                .min(streaming::next_pause(begin, pause));
            // Also where a part is no longer than a rounding error.
            target = match next > begin && next < until {
                true => next,
                false => until,
            };
            let begun = Instant::now();
            let (engines, info) = (&self.engines, &self.solver.info);
            let origin = self.origin;
            self.crew.each(&mut self.tiles, |tile, w| {
                let goal = Goal {
                    target,
                    until,
                    // The tiles of an adaptive run are single cells.
                    jumps: &jumps[tile.first],
                    origin,
                    interval,
                    tolerances: &tolerances,
                    info,
                };
                tile.advance(&engines[tile.engine], goal, w);
            });
            let parts = ((target - begin) / part).round();
            pace.took(parts as u64, begun.elapsed());
            let samples = self.tiles.iter().map(|t| t.samples).min().unwrap_or(0);
            let missing = self.drained + self.times.len()..samples;
            self.times
                .extend(missing.map(|k| self.origin + k as f64 * interval));
            // Of several the earliest, which does not depend on the length of the parts.
            let failed = self.tiles.iter().filter(|tile| tile.failure.is_some());
            let first = failed.min_by(|a, b| a.controller.t.total_cmp(&b.controller.t));
            if let Some(tile) = first
                && let Some(failure) = &tile.failure
            {
                let (engine, w) = (
                    &self.engines[tile.engine],
                    &mut self.crew.own()[tile.engine],
                );
                return Err(match failure.is_exhausted() {
                    Some(stop) => {
                        let info = &self.solver.info;
                        tile.exhausted(&self.model, engine, info, &self.stiff, w, stop)
                    }
                    None => failure.explain(&self.model, &self.solver.name, &self.advice),
                });
            }
            let time = self.time();
            let progress = Progress { time, until };
            if between(self, progress).is_break() && target < until {
                return Ok(Outcome::Stopped);
            }
            if target == until {
                break;
            }
        }
        Ok(Outcome::Finished)
    }

    /// Records the state before the first step.
    fn begin(&mut self) {
        if self.drained + self.times.len() > 0 {
            return;
        }
        self.times.push(self.origin);
        let within = tile::standing(&self.model, self.origin).within;
        let (engines, origin) = (&self.engines, self.origin);
        self.crew.each(&mut self.tiles, |tile, w| {
            let engine = &engines[tile.engine];
            tile.load(engine, w);
            tile.sample(engine, origin, within, w);
            tile.watch(engine, origin, within, w);
        });
    }

    /// Advances all tiles by `steps` steps of size `h`.
    fn block(&mut self, steps: u64, h: f64) -> Result<(), RunError> {
        let end = self.origin + (self.steps_done + steps) as f64 * h;
        let jumps = self.model.jumps(None, self.time() - ROUNDING * h, end);
        let jumps = jumps.ok_or(RunError::Jumps { until: end })?;
        let block = Block {
            origin: self.origin,
            first_step: self.steps_done,
            steps,
            h,
            before: self.steps_before,
            jumps: &jumps,
        };
        let (engines, plan) = (&self.engines, &self.plan);
        self.crew.each(&mut self.tiles, |tile, w| {
            tile.run(plan, &engines[tile.engine], block, w);
        });
        // After a failure the record ends with the last sample that all cells have.
        let samples = self.tiles.iter().map(|t| t.samples).min().unwrap_or(0);
        for k in block.first_step..block.first_step + steps {
            let so_far = self.drained + self.times.len();
            if so_far < samples && (k + 1).is_multiple_of(self.plan.every) {
                self.times.push(block.begin(k + 1));
            }
        }
        if let Some(failure) = self.failure() {
            self.steps_done = self.tiles.iter().map(|t| t.done).min().unwrap_or(0);
            return Err(failure);
        }
        self.steps_done += steps;
        Ok(())
    }

    /// Counts steps from the present time on.
    fn set_origin(&mut self, origin: f64) {
        self.steps_before += self.steps_done;
        self.origin = origin;
        self.steps_done = 0;
        for tile in &mut self.tiles {
            tile.done = 0;
        }
    }

    /// What has been recorded and not been handed out by [`Simulation::drain`].
    pub fn recording(&self) -> Recording {
        F::recording(self)
    }

    fn recording_here(&self) -> Recording {
        let samples = self.times.len();
        let mut data = Array2::zeros((samples, self.plan.columns.len()));
        let mut spikes: Vec<SpikeTrain> = self.plan.spike_trains();
        let mut counters = Counters::default();
        for tile in &self.tiles {
            tile.collect(samples, &mut data, &mut spikes);
            let mut add = |to: fn(&mut Counters) -> &mut u64, count: u64| {
                let sum = to(&mut counters);
                *sum = sum.saturating_add(count);
            };
            add(|c| &mut c.steps, tile.steps);
            add(|c| &mut c.steps, tile.controller.accepted);
            add(|c| &mut c.rejected, tile.controller.rejected);
            add(|c| &mut c.newton_iterations, tile.work.newton_iterations);
            add(|c| &mut c.jacobians, tile.work.jacobians);
            add(|c| &mut c.factorisations, tile.work.factorisations);
        }
        let attempts = counters.steps.saturating_add(counters.rejected);
        counters.right_hand_sides = attempts.saturating_mul(self.engines[0].right_hand_sides());
        let last = self.times.last().copied().unwrap_or(self.origin);
        for train in &mut spikes {
            train.times.retain(|&t| t <= last.max(self.time()));
        }
        Recording::new(
            self.times.clone(),
            data,
            self.plan.columns.clone(),
            spikes,
            counters,
        )
    }

    /// A state variable now: value, derivative per ms, and diffusion coefficient if the model has one.
    ///
    /// # Errors
    /// [`ModelError::Unknown`].
    pub fn state(&mut self, name: &str) -> Result<DiffEqState, ModelError> {
        F::state(self, name)
    }

    fn state_here(&mut self, name: &str) -> Result<DiffEqState, ModelError> {
        let Some(place) = self.model.states.iter().position(|s| s.state.name == name) else {
            return Err(unknown("state", name, &self.model.state_names()));
        };
        let info = &self.model.states[place];
        let rows = self.model.domains[info.domain.0].rows;
        let mut value = Array2::zeros((rows, self.model.cells));
        let mut derivative = value.clone();
        let mut diffusion = value.clone();
        let mut noisy = false;
        let t = self.time();
        let standing = tile::standing(&self.model, t);
        for tile in &self.tiles {
            let (engine, w) = (
                &self.engines[tile.engine],
                &mut self.crew.own()[tile.engine],
            );
            tile.load(engine, w);
            let plane = engine.layout.states[place];
            let slope = engine.slope(1, tile.first, standing, w);
            let noise = engine.diffusion(tile.first, standing, w);
            noisy |= noise.is_some();
            for element in 0..rows {
                for lane in 0..engine.layout.lanes {
                    let at = plane.offset + element * engine.layout.lanes + lane;
                    let cell = [element, tile.first + lane];
                    value[cell] = w.arena[engine.layout.current[info.group] + at].to_f64();
                    if info.group == 0 {
                        derivative[cell] = w.arena[slope + at].to_f64();
                        diffusion[cell] = noise.map_or(0.0, |base| w.arena[base + at].to_f64());
                    }
                }
            }
        }
        let mut state = info.state.clone();
        state.value = Values::Each(value);
        state.steady = false;
        state.derivative = (info.group == 0).then_some(Values::Each(derivative));
        state.diffusion = (info.group == 0 && noisy).then_some(Values::Each(diffusion));
        Ok(state)
    }
}
