//! The time loop of one tile of cells.

use super::ROUNDING;
use super::error::{BadValue, LastGood, RunError};
use super::recording::SpikeTrain;
use super::setup::{Plan, Variable};
use crate::engine::{Clock, Engine};
use crate::kernel::Storage;
use crate::model::Model;
use ndarray::Array2;

/// Steps that all tiles make: step k leads from origin + k h to origin + (k + 1) h.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub origin: f64,
    pub first_step: u64,
    pub steps: u64,
    pub h: f64,
    /// Steps made before the origin.
    pub before: u64,
}

impl Block {
    /// The beginning of step k.
    pub fn begin(&self, k: u64) -> f64 {
        self.origin + k as f64 * self.h
    }
}

/// Why a tile stopped.
pub(super) struct Failure {
    pub step: u64,
    clock: Clock,
    cell: usize,
    element: usize,
    state: usize,
    value: f64,
    /// Values of all states at that element before the step.
    last_good: Vec<f64>,
}

impl Failure {
    pub fn explain(&self, model: &Model, solver: &str, advice: &str) -> RunError {
        let bad = &model.states[self.state];
        let values = model.states.iter().zip(&self.last_good);
        RunError::BadValue(Box::new(BadValue {
            solver: solver.to_string(),
            step: self.step,
            time: self.clock.t,
            h: self.clock.h,
            cell: self.cell,
            element: self.element,
            elements: model.domains[bad.domain.0].rows,
            name: bad.state.name.clone(),
            value: self.value,
            bounds: bad.state.bounds,
            last_good: values
                .filter(|(_, value)| !value.is_nan())
                .map(|(info, &value)| LastGood {
                    name: info.state.name.clone(),
                    value,
                    unit: info.state.unit.clone(),
                })
                .collect(),
            advice: advice.to_string(),
        }))
    }
}

/// A recorded column of a tile.
struct Column {
    /// Number in the recording.
    number: usize,
    /// Where its value is.
    place: usize,
}

struct Detector {
    /// Number in the recording.
    number: usize,
    /// Where its value is in an array of the parent's group.
    place: usize,
    threshold: f64,
    times: Vec<f64>,
}

/// Cells advanced together, with what they record.
pub(super) struct Tile<F> {
    pub first: usize,
    pub engine: usize,
    state: Vec<F>,
    columns: Vec<Column>,
    samples_signals: bool,
    detectors: Vec<Detector>,
    /// Samples, one row of columns after the other.
    data: Vec<f64>,
    pub samples: usize,
    /// The next jump of an input of these cells.
    next_jump: f64,
    pub steps: u64,
    /// Steps of the grid done since the origin.
    pub done: u64,
    pub failure: Option<Failure>,
}

/// A clock for looking at the present state.
pub(super) fn standing(t: f64, step: f64) -> Clock {
    Clock {
        t,
        h: 0.0,
        within: t + 0.5 * step,
    }
}

impl<F: Storage> Tile<F> {
    pub fn new(
        first: usize,
        engine_number: usize,
        engine: &Engine<F>,
        plan: &Plan,
        arena: &mut [F],
    ) -> Self {
        let layout = &engine.layout;
        engine.initialise(first, 0.0, arena);
        let within = |cell: usize| (first..first + layout.lanes).contains(&cell);
        let columns = plan.columns.iter().zip(&plan.variables).enumerate();
        let columns = columns.filter(|(_, (c, _))| within(c.cell));
        let columns = columns.map(|(number, (column, variable))| {
            let offset = match *variable {
                Variable::State(s) => {
                    layout.current[layout.model.states[s].group] + layout.states[s].offset
                }
                Variable::Signal(s) => layout.signals[s].offset,
            };
            let uniform = match *variable {
                Variable::Signal(s) => layout.signals[s].len == 1,
                Variable::State(_) => false,
            };
            let inside = column.element * layout.lanes + column.cell - first;
            let place = offset + if uniform { 0 } else { inside };
            Column { number, place }
        });
        let detectors = plan.detectors.iter().enumerate();
        let detectors = detectors.filter(|(_, d)| within(d.cell));
        let detectors = detectors.map(|(number, d)| Detector {
            number,
            place: layout.states[d.state].offset + d.element * layout.lanes + d.cell - first,
            threshold: d.threshold,
            times: Vec::new(),
        });
        let state = arena[layout.all_current.range()].to_vec();
        Self {
            first,
            engine: engine_number,
            columns: columns.collect(),
            samples_signals: !plan.signals.is_empty(),
            detectors: detectors.collect(),
            state,
            data: Vec::new(),
            samples: 0,
            next_jump: f64::NEG_INFINITY,
            steps: 0,
            done: 0,
            failure: None,
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
    pub fn load(&self, engine: &Engine<F>, arena: &mut [F]) {
        engine.layout.fill_parameters(self.first, arena);
        arena[engine.layout.all_current.range()].copy_from_slice(&self.state);
    }

    /// Records a sample at time `t`, with inputs from inside the piece that holds `within`.
    pub fn sample(&mut self, engine: &Engine<F>, t: f64, within: f64, arena: &mut [F]) {
        if self.samples_signals && !self.columns.is_empty() {
            let clock = Clock { t, h: 0.0, within };
            engine.signals(self.first, clock, arena);
        }
        let values = self.columns.iter().map(|c| arena[c.place].to_f64());
        self.data.extend(values);
        self.samples += 1;
    }

    /// Makes the steps of a block, or fails in one of them.
    pub fn run(&mut self, plan: &Plan, engine: &mut Engine<F>, block: Block, arena: &mut [F]) {
        if self.failure.is_some() {
            return;
        }
        self.load(engine, arena);
        for k in block.first_step..block.first_step + block.steps {
            let (begin, end) = (block.begin(k), block.begin(k + 1));
            let number = block.before + k;
            let Some(within) = self.step(engine, number, begin, end, block.h, arena) else {
                break;
            };
            self.done = k + 1;
            if (k + 1).is_multiple_of(plan.every) {
                self.sample(engine, end, within, arena);
            }
        }
        self.state
            .copy_from_slice(&arena[engine.layout.all_current.range()]);
    }

    /// One step of the grid, cut in pieces at jumps of the inputs. Returns a time inside the last piece, or nothing
    /// on failure.
    fn step(
        &mut self,
        engine: &mut Engine<F>,
        number: u64,
        begin: f64,
        end: f64,
        h: f64,
        arena: &mut [F],
    ) -> Option<f64> {
        let rounding = ROUNDING * h;
        if self.next_jump <= begin + rounding {
            self.next_jump = next_jump(engine, self.first, begin + rounding);
        }
        if self.next_jump >= end - rounding {
            let within = begin + 0.5 * h;
            let clock = Clock {
                t: begin,
                h,
                within,
            };
            return self.piece(engine, number, clock, arena).then_some(within);
        }
        let mut t = begin;
        let mut within = begin;
        while t < end {
            let stop = if self.next_jump < end - rounding {
                self.next_jump
            } else {
                end
            };
            within = 0.5 * (t + stop);
            let clock = Clock {
                t,
                h: stop - t,
                within,
            };
            engine.prepare(clock.h);
            if !self.piece(engine, number, clock, arena) {
                engine.prepare(h);
                return None;
            }
            t = stop;
            if self.next_jump <= t + rounding {
                self.next_jump = next_jump(engine, self.first, t + rounding);
            }
        }
        engine.prepare(h);
        Some(within)
    }

    /// A step inside one smooth piece. Returns whether it went well; if not, the state is what it was before.
    fn piece(&mut self, engine: &Engine<F>, number: u64, clock: Clock, arena: &mut [F]) -> bool {
        engine.advance(self.first, clock, arena);
        self.detect(engine, clock, arena);
        engine.finish(self.first, clock, arena);
        self.steps += 1;
        if engine.is_sound(arena) {
            return true;
        }
        self.failure = Some(self.examine(engine, number, clock, arena));
        let layout = &engine.layout;
        arena.copy_within(layout.all_previous.range(), layout.all_current.offset);
        false
    }

    /// Finds threshold crossings in the step just made.
    fn detect(&mut self, engine: &Engine<F>, clock: Clock, arena: &mut [F]) {
        let layout = &engine.layout;
        let (before, after) = (layout.previous[0], layout.current[0]);
        let mut slopes = None;
        for detector in &mut self.detectors {
            let place = detector.place;
            let (y0, y1) = (
                arena[before + place].to_f64(),
                arena[after + place].to_f64(),
            );
            if !(y0 < detector.threshold && y1 >= detector.threshold) {
                continue;
            }
            let at = *slopes.get_or_insert_with(|| {
                [0, 1].map(|end| engine.slope(end, self.first, clock, arena))
            });
            let [d0, d1] = at.map(|slope| arena[slope + place].to_f64() * clock.h);
            let fraction = crossing(y0, y1, d0, d1, detector.threshold);
            detector.times.push(clock.t + fraction * clock.h);
        }
    }

    /// What is wrong with the state.
    fn examine(&self, engine: &Engine<F>, step: u64, clock: Clock, arena: &[F]) -> Failure {
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
        Failure {
            step,
            clock,
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

/// The first jump after `t` of an input of the tile that begins with cell `first`.
fn next_jump<F>(engine: &Engine<F>, first: usize, t: f64) -> f64 {
    let layout = &engine.layout;
    let signals = layout
        .model
        .signals
        .iter()
        .filter_map(|s| s.input.as_deref());
    let inputs = signals.flat_map(|inputs| match inputs {
        [_] => inputs,
        _ => &inputs[first..first + layout.lanes],
    });
    inputs
        .map(|input| input.next_jump(t))
        .fold(f64::INFINITY, f64::min)
}

/// Where in 0..1 the cubic with values y0 < threshold ≤ y1 and derivatives d0, d1 at 0 and 1 crosses the threshold.
pub(super) fn crossing(y0: f64, y1: f64, d0: f64, d1: f64, threshold: f64) -> f64 {
    let value = |x: f64| {
        let (a, b) = (y1 - y0, 1.0 - x);
        // y0 + x a + x (1 - x) ((1 - x) (d0 - a) - x (d1 - a))
        y0 + x * a + x * b * (b * (d0 - a) - x * (d1 - a))
    };
    let (mut low, mut high) = (0.0, 1.0);
    // Bisection: sure, and 60 halvings reach the last bit.
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if value(middle) < threshold {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}
