//! The time loop of one tile of cells.

use super::ROUNDING;
use super::adaptive::{Controller, Sizes};
use super::failure::{Failure, Reason};
use super::inside::{bisect, hermite};
use super::kept::{Kept, Place, Trail};
use super::plan::{Plan, Variable};
use super::recording::{SpikeTrain, place};
use super::statistics::Watched;
use crate::engine::{Clock, Engine, Work, Workspace};
use crate::kernel::Storage;
use crate::model::Model;
use ndarray::Array2;
use std::sync::Arc;

/// Steps that all tiles make: step k leads from origin + k h to origin + (k + 1) h.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub origin: f64,
    pub first_step: u64,
    pub steps: u64,
    pub h: f64,
    /// Steps made before the origin.
    pub before: u64,
    /// Jumps of inputs to all cells during the block, sorted.
    pub jumps: &'a [f64],
}

impl Block<'_> {
    /// The beginning of step k.
    pub fn begin(&self, k: u64) -> f64 {
        self.origin + k as f64 * self.h
    }
}

/// A recorded column of a tile.
pub(crate) struct Column {
    /// Number in the recording.
    pub number: usize,
    /// Where its value is.
    pub place: usize,
}

pub(crate) struct Detector {
    /// Number in the recording.
    pub number: usize,
    /// Where its value is in an array of the parent's group.
    pub place: usize,
    pub threshold: f64,
    pub times: Vec<f64>,
}

/// Cells advanced together, with what they record.
pub(crate) struct Tile<F> {
    pub first: usize,
    pub engine: usize,
    pub state: Vec<F>,
    pub columns: Vec<Column>,
    pub samples_signals: bool,
    pub detectors: Vec<Detector>,
    pub watched: Vec<Watched>,
    /// Samples that were not handed out yet, one row of columns after the other.
    pub(super) data: Vec<f64>,
    /// Samples taken since the beginning of the run.
    pub samples: usize,
    pub steps: u64,
    pub work: Work,
    /// Steps of the grid done since the origin.
    pub done: u64,
    pub failure: Option<Failure>,
    pub controller: Controller,
    /// The step sizes of an adaptive run.
    pub sizes: Sizes,
    /// Steps at whose beginning the state is to be kept, ascending.
    pub keep_at: Arc<[u64]>,
    pub kept: Kept,
    /// The states at the beginnings of steps, from one on.
    pub trail: Trail,
}

/// A clock for looking at the state at a time, from inside the smooth piece of the inputs that begins there.
pub(crate) fn standing(model: &Model, t: f64) -> Clock {
    let inputs = model.signals.iter().flat_map(|s| s.input.iter().flatten());
    let jump = inputs
        .map(|input| input.next_jump(t))
        .fold(f64::INFINITY, f64::min);
    let within = if jump.is_finite() {
        0.5 * (t + jump)
    } else {
        t + 1.0
    };
    Clock {
        t,
        h: 0.0,
        within,
        number: 0,
    }
}

impl<F: Storage> Tile<F> {
    pub fn new(
        first: usize,
        engine_number: usize,
        engine: &Engine<F>,
        plan: &Plan,
        w: &mut Workspace<F>,
    ) -> Self {
        let layout = &engine.layout;
        engine.initialise(first, 0.0, w);
        let within = |cell: usize| (first..first + layout.lanes).contains(&cell);
        let columns = plan.columns.iter().zip(&plan.variables).enumerate();
        let columns = columns.filter(|(_, (c, _))| within(c.cell));
        let columns = columns.map(|(number, (column, variable))| Column {
            number,
            place: place(layout, first, column, *variable),
        });
        let watched = plan.watched.iter().enumerate();
        let watched = watched.filter(|(_, (c, _))| within(c.cell));
        let watched = watched.map(|(number, (column, variable))| {
            let signal = matches!(variable, Variable::Signal(_));
            Watched::new(number, place(layout, first, column, *variable), signal)
        });
        let detectors = plan.detectors.iter().enumerate();
        let detectors = detectors.filter(|(_, d)| within(d.cell));
        let detectors = detectors.map(|(number, d)| Detector {
            number,
            place: layout.states[d.state].offset + d.element * layout.lanes + d.cell - first,
            threshold: d.threshold,
            times: Vec::new(),
        });
        let state = w.arena[layout.all_current.range()].to_vec();
        Self {
            first,
            engine: engine_number,
            columns: columns.collect(),
            samples_signals: (plan.variables.iter()).any(|v| matches!(v, Variable::Signal(_))),
            detectors: detectors.collect(),
            watched: watched.collect(),
            state,
            data: Vec::new(),
            samples: 0,
            steps: 0,
            work: Work::default(),
            done: 0,
            failure: None,
            controller: Controller::new(layout.model.states.len()),
            sizes: Sizes::Chosen,
            keep_at: Arc::new([]),
            kept: Kept::default(),
            trail: Trail::default(),
        }
    }

    /// Number of states in the tile.
    pub fn states(&self) -> usize {
        self.state.len()
    }

    /// Makes room for samples; nothing if memory does not hold them.
    pub fn reserve(&mut self, samples: usize) -> Option<()> {
        let numbers = samples.checked_mul(self.columns.len())?;
        self.data.try_reserve(numbers).ok()?;
        for detector in &mut self.detectors {
            // A cell that spikes at 1 kHz would need more; the vector then grows.
            detector.times.reserve(64);
        }
        Some(())
    }

    /// Puts parameters and state into the arena.
    pub fn load(&self, engine: &Engine<F>, w: &mut Workspace<F>) {
        engine.layout.fill_parameters(self.first, w);
        w.arena[engine.layout.all_current.range()].copy_from_slice(&self.state);
        w.continued = false;
    }

    /// Records a sample at time `t`, with inputs from inside the piece that holds `within`.
    pub fn sample(&mut self, engine: &Engine<F>, t: f64, within: f64, w: &mut Workspace<F>) {
        if self.samples_signals && !self.columns.is_empty() {
            let clock = Clock {
                t,
                h: 0.0,
                within,
                number: 0,
            };
            engine.signals(self.first, clock, w);
        }
        let values = self.columns.iter().map(|c| w.arena[c.place].to_f64());
        self.data.extend(values);
        self.samples += 1;
    }

    /// Makes the steps of a block, or fails in one of them.
    pub fn run(&mut self, plan: &Plan, engine: &Engine<F>, block: Block, w: &mut Workspace<F>) {
        if self.failure.is_some() {
            return;
        }
        self.load(engine, w);
        // Between two states spikes are looked for. Otherwise the state before a step is wanted if the step fails.
        let keep = !self.detectors.is_empty();
        let (mut jump, before) = (0, self.steps);
        w.work = Work::default();
        for k in block.first_step..block.first_step + block.steps {
            let step = block.before + k;
            if self.keep_at.get(self.kept.len()) == Some(&step) {
                let place = Place {
                    step,
                    time: block.begin(k),
                    pieces: self.steps,
                    samples: self.samples,
                };
                let state = &w.arena[engine.layout.all_current.range()];
                self.kept.push(place, state.iter().map(|x| x.to_f64()));
            }
            if step >= self.trail.from {
                let state = &w.arena[engine.layout.all_current.range()];
                self.trail.states.extend(state.iter().map(|x| x.to_f64()));
            }
            let Some(within) = self.step(engine, &block, (k, keep), &mut jump, w) else {
                if self.failure.is_none() {
                    self.steps = before;
                    w.work = Work::default();
                    self.again(engine, &block, k, w);
                }
                break;
            };
            self.done = k + 1;
            self.watch(engine, block.begin(k + 1), within, w);
            if (k + 1).is_multiple_of(plan.every) {
                self.sample(engine, block.begin(k + 1), within, w);
            }
        }
        self.keep(engine, w);
    }

    /// Makes the steps of a block again up to the one that fails, whose beginning is kept now. The others went well.
    fn again(&mut self, engine: &Engine<F>, block: &Block, failing: u64, w: &mut Workspace<F>) {
        self.load(engine, w);
        let mut jump = 0;
        for k in block.first_step..=failing {
            let within = self.step(engine, block, (k, k == failing), &mut jump, w);
            debug_assert_eq!(within.is_none(), k == failing);
        }
    }

    /// Takes the state out of the arena, and the work done since the tile was loaded.
    pub fn keep(&mut self, engine: &Engine<F>, w: &Workspace<F>) {
        self.state
            .copy_from_slice(&w.arena[engine.layout.all_current.range()]);
        self.work.add(w.work);
    }

    /// Step k of the grid, cut in pieces at jumps of the inputs. Returns a time inside the last piece, or nothing
    /// on failure, which is looked into if the beginning of pieces is kept.
    fn step(
        &mut self,
        engine: &Engine<F>,
        block: &Block,
        (k, keep): (u64, bool),
        jump: &mut usize,
        w: &mut Workspace<F>,
    ) -> Option<f64> {
        let (begin, end, h) = (block.begin(k), block.begin(k + 1), block.h);
        let rounding = ROUNDING * h;
        let mut t = begin;
        loop {
            let next = |jump: usize| block.jumps.get(jump).copied().unwrap_or(f64::INFINITY);
            while next(*jump) <= t + rounding {
                *jump += 1;
            }
            let stop = if next(*jump) < end - rounding {
                next(*jump)
            } else {
                end
            };
            let whole = t == begin && stop == end;
            let clock = Clock {
                t,
                h: if whole { h } else { stop - t },
                within: t + 0.5 * (stop - t),
                number: self.steps,
            };
            if !self.piece(engine, (block.before + k, keep), clock, w) {
                return None;
            }
            if stop == end {
                return Some(clock.within);
            }
            t = stop;
        }
    }

    /// A step inside one smooth piece. Returns whether it went well; if not, and its beginning is kept, the state is what it
    /// was before.
    fn piece(
        &mut self,
        engine: &Engine<F>,
        (number, keep): (u64, bool),
        clock: Clock,
        w: &mut Workspace<F>,
    ) -> bool {
        if keep {
            engine.keep_beginning(w);
        }
        let advanced = engine.advance(self.first, &clock, w);
        self.steps += 1;
        if advanced.is_ok() {
            self.detect(engine, clock, w);
            engine.finish(self.first, &clock, w);
            if engine.is_sound(&w.arena) {
                w.continued = true;
                return true;
            }
        }
        if !keep {
            return false;
        }
        let reason = match advanced {
            Ok(()) => self.examine(engine, &w.arena),
            Err(failure) => Reason::Newton(failure),
        };
        self.failure = Some(Failure::new(number, clock, reason));
        let layout = &engine.layout;
        w.arena
            .copy_within(layout.all_previous.range(), layout.all_current.offset);
        false
    }

    /// Finds threshold crossings in the step just made.
    fn detect(&mut self, engine: &Engine<F>, clock: Clock, w: &mut Workspace<F>) {
        let layout = &engine.layout;
        let (before, after) = (layout.previous[0], layout.current[0]);
        let mut slopes = None;
        for detector in &mut self.detectors {
            let place = detector.place;
            let (y0, y1) = (
                w.arena[before + place].to_f64(),
                w.arena[after + place].to_f64(),
            );
            if !(y0 < detector.threshold && y1 >= detector.threshold) {
                continue;
            }
            let at = *slopes
                .get_or_insert_with(|| [0, 1].map(|end| engine.slope(end, self.first, clock, w)));
            let [d0, d1] = at.map(|slope| w.arena[slope + place].to_f64() * clock.h);
            let fraction = crossing(y0, y1, d0, d1, detector.threshold);
            detector.times.push(clock.t + fraction * clock.h);
        }
    }

    /// What is wrong with the state.
    pub fn examine(&self, engine: &Engine<F>, arena: &[F]) -> Reason {
        let layout = &engine.layout;
        let model = &layout.model;
        let mut found = (0, 0, 0, f64::NAN);
        'search: for (s, info) in model.states.iter().enumerate() {
            let offset = layout.current[info.group] + layout.states[s].offset;
            for (k, value) in arena[offset..offset + layout.states[s].len]
                .iter()
                .enumerate()
            {
                let value = value.to_f64();
                let (least, greatest) = info.state.bounds;
                if !(value.is_finite() && (least..=greatest).contains(&value)) {
                    found = (s, k / layout.lanes, k % layout.lanes, value);
                    break 'search;
                }
            }
        }
        let (state, element, lane, value) = found;
        let domain = model.states[state].domain;
        let good = model.states.iter().enumerate().map(|(s, info)| {
            // The same place, for states on other domains where it can be told.
            let element = if info.domain == domain {
                element
            } else if model.domains[info.domain.0].rows == 1 {
                0
            } else {
                return f64::NAN;
            };
            let offset = layout.previous[info.group] + layout.states[s].offset;
            arena[offset + element * layout.lanes + lane].to_f64()
        });
        Reason::Value {
            cell: self.first + lane,
            element,
            state,
            value,
            last_good: good.collect(),
        }
    }

    /// Adds what was recorded to a recording with `samples` samples.
    pub fn collect(&self, samples: usize, data: &mut Array2<f64>, spikes: &mut [SpikeTrain]) {
        for (k, column) in self.columns.iter().enumerate() {
            let values = self.data.iter().skip(k).step_by(self.columns.len());
            let mut to = data.column_mut(column.number);
            for (to, x) in to.iter_mut().zip(values.take(samples)) {
                *to = *x;
            }
        }
        for detector in &self.detectors {
            spikes[detector.number].times.clone_from(&detector.times);
        }
    }
}

/// Where in 0..1 the cubic with values y0 < threshold ≤ y1 and derivatives d0, d1 at 0 and 1 crosses the threshold.
pub(crate) fn crossing(y0: f64, y1: f64, d0: f64, d1: f64, threshold: f64) -> f64 {
    bisect(0.0, 1.0, |x| hermite(y0, y1, d0, d1, x) >= threshold)
}
