//! Reverse mode.

use super::checkpoint::{Action, CheckpointPlan, Schedule};
use super::inside::{Moment, leave};
use super::onset::{Effect, Onset};
use super::spike::Spike;
use super::steps::{Piece, Steps};
use super::{Cotangents, Derivative, Gradient, GradientError, Loss, Ready, spike};
use crate::engine::{Adjoint, Clock, Engine, Section, Sweep, Workspace, all_finite};
use crate::simulation::inside::Inside;
use crate::simulation::tile::{Checkpoint, Place, Tile, standing};
use crate::simulation::{Recording, SpikeTrain};
use std::sync::Arc;

/// Bytes that the record of a step takes besides the numbers saved.
pub(super) const PIECE_BYTES: usize = size_of::<Recorded>();

/// What [`Gradient::reverse`] gives.
#[derive(Clone, Debug)]
pub struct Reverse {
    /// The run itself.
    pub recording: Recording,
    /// How it was taken backwards; of an adaptive run the plan for the cell with the most steps.
    pub plan: CheckpointPlan,
    /// The loss.
    pub loss: f64,
    /// Its derivatives.
    pub gradient: Vec<Derivative>,
    /// Bytes that the states kept and the record of steps took at most, as [`super::CheckpointPlan::bytes`] has planned.
    pub held: usize,
}

/// A piece of a step that has been recorded.
struct Recorded {
    step: u64,
    piece: Piece,
    /// Whether spikes were looked for.
    slopes: bool,
    /// Spikes before this piece, in the list of the segment's spikes.
    spikes: usize,
    /// What onsets do to this piece.
    effects: Vec<Effect>,
}

/// A spike that has been recorded.
struct SpikeBar {
    train: usize,
    /// The derivative of the loss with respect to its time.
    cotangent: f64,
    links: Vec<(usize, f64)>,
}

/// What a tile's way back works on.
struct Way<'a> {
    tile: &'a Tile<f64>,
    engine: &'a Engine<f64>,
    adjoint: &'a Adjoint,
    steps: &'a Steps,
    trains: &'a [SpikeTrain],
    cotangents: &'a Cotangents,
    w: Workspace<f64>,
    sweep: Sweep,
    pieces: Vec<Piece>,
    sections: Vec<(Section, Clock)>,
    recorded: Vec<Recorded>,
    spikes: Vec<SpikeBar>,
    onsets: Vec<Onset>,
    step: f64,
    times: &'a [f64],
    /// The clock of the initial sample.
    initial: Clock,
    /// States that make room for one inside a step.
    aside: Vec<Vec<f64>>,
    /// Derivatives with respect to onsets.
    by_onset: Vec<(usize, f64)>,
}

const STANDING: Clock = Clock {
    t: 0.0,
    h: 0.0,
    within: 0.0,
    number: 0,
};

impl Gradient<'_> {
    /// Runs, computes the loss, and takes the run backwards: the derivatives of the loss with respect to all quantities.
    ///
    /// # Errors
    /// [`GradientError`]: the run fails, the loss cannot be computed, a derivative is not finite, the memory budget is too
    /// small.
    pub fn reverse(&self, loss: &(impl Loss + ?Sized)) -> Result<Reverse, GradientError> {
        let mut ready = self.ready()?;
        let fixed = self.tolerances().is_none();
        let mut known = None;
        if fixed {
            let plan = self.plan_for(&ready, 0)?;
            let segments = plan.steps.div_ceil(plan.segment);
            let kept = Schedule::new(segments, plan.checkpoints as u64);
            let kept: Arc<[u64]> = kept.kept().iter().map(|k| k * plan.segment).collect();
            for tile in &mut ready.simulation.tiles {
                tile.keep_at = kept.clone();
                tile.kept.reserve_exact(plan.checkpoints);
            }
            known = Some(plan);
        } else {
            for tile in &mut ready.simulation.tiles {
                let state = tile.state.clone();
                let place = Place::START;
                tile.kept = Vec::with_capacity(1);
                tile.kept.push(Checkpoint { place, state });
            }
        }
        self.run(&mut ready)?;
        let recording = ready.simulation.recording();
        let mut cotangents = Cotangents::new(&recording);
        let loss = loss.evaluate(&recording, &mut cotangents)?;
        check(&recording, &cotangents)?;
        let mut gradient = vec![0.0; self.component_count()];
        let mut held = 0;
        let mut longest: Option<CheckpointPlan> = None;
        for tile in 0..ready.simulation.tiles.len() {
            let plan = match &known {
                Some(plan) => plan.clone(),
                None => self.plan_for(&ready, tile)?,
            };
            let outcome = (&recording, &cotangents);
            let by_tile = self.tile_reverse(&mut ready, tile, &plan, outcome, &mut gradient)?;
            if longest
                .as_ref()
                .is_none_or(|longest| longest.steps < plan.steps)
            {
                longest = Some(plan);
            }
            held = held.max(by_tile);
        }
        let Some(plan) = longest else {
            return Err(GradientError::Loss("the run has no cells".to_string()));
        };
        Ok(Reverse {
            recording,
            plan,
            loss,
            gradient: self.derivatives(&gradient),
            held,
        })
    }

    fn tile_reverse(
        &self,
        ready: &mut Ready,
        tile: usize,
        plan: &CheckpointPlan,
        (recording, cotangents): (&Recording, &Cotangents),
        gradient: &mut [f64],
    ) -> Result<usize, GradientError> {
        let fixed = self.tolerances().is_none();
        let segment = plan.segment;
        let segments = plan.steps.div_ceil(segment);
        let schedule = match fixed {
            true => Schedule::new(segments, plan.checkpoints as u64),
            false => Schedule::from_start(segments, plan.checkpoints as u64),
        };
        let number = tile;
        let mut kept = std::mem::take(&mut ready.simulation.tiles[tile].kept);
        if !fixed {
            kept.reserve_exact(plan.checkpoints - kept.len());
        }
        let simulation = &ready.simulation;
        let others: usize = simulation.tiles.iter().map(|t| bytes(&t.kept)).sum();
        let others = others + ready.step_bytes();
        let step = simulation.plan.step;
        let tile = &simulation.tiles[tile];
        let engine = &simulation.engines[tile.engine];
        let adjoint = &ready.adjoints[tile.engine];
        let mut way = Way {
            w: adjoint.workspace(engine),
            sweep: adjoint.sweep(engine, 0),
            tile,
            engine,
            adjoint,
            steps: ready.steps(number),
            trains: recording.spikes(),
            cotangents,
            pieces: Vec::new(),
            sections: Vec::new(),
            recorded: Vec::new(),
            spikes: Vec::new(),
            onsets: self.onsets(),
            step,
            times: recording.times(),
            initial: standing(&self.model, 0.0),
            aside: Vec::new(),
            by_onset: Vec::new(),
        };
        way.engine
            .layout
            .fill_parameters(tile.first, &mut way.w.arena);
        let count = way.steps.count();
        // Grown step by step, the record would be too long by up to its own length.
        let pieces = way.steps.most_pieces(segment) as usize;
        let saved = adjoint.saved_per_step();
        let samples = match !fixed && tile.samples_signals {
            true => {
                let sample = adjoint.saved_per_sample() + tile.states();
                sample * way.steps.most_samples(segment) as usize
            }
            false => 0,
        };
        let numbers = adjoint.saved_once() + saved * pieces + samples;
        way.sweep.log.reserve_exact(numbers);
        way.recorded.reserve_exact(pieces);
        let mut held = 0;
        // They stay in their places; what is recorded of them serves at the end.
        way.run((Section::Constants, STANDING))?;
        for action in schedule {
            match action {
                Action::Keep(at) => {
                    if let Some(last) = kept.last() {
                        let place = way.go(last, at * segment)?;
                        let state = way.w.arena[engine.layout.all_current.range()].to_vec();
                        kept.push(Checkpoint { place, state });
                    }
                }
                Action::Reverse(at) => {
                    if let Some(last) = kept.last() {
                        let (begin, end) = (at * segment, ((at + 1) * segment).min(count));
                        let place = way.go(last, begin)?;
                        way.record(place, end)?;
                        held = held.max(bytes(&kept) + way.record_bytes());
                        way.back()?;
                    }
                }
                Action::Drop => {
                    kept.pop();
                }
            }
        }
        way.initial()?;
        for (component, x) in std::mem::take(&mut way.by_onset) {
            gradient[component] += x;
        }
        for quantity in &self.quantities {
            let layout = &way.engine.layout;
            quantity.places(layout, adjoint, tile.first, |k, at, factor| {
                gradient[k] += factor * way.sweep.bar[at];
            });
        }
        Ok(others + held)
    }
}

/// Bytes of states that are kept.
fn bytes(kept: &Vec<Checkpoint<f64>>) -> usize {
    let states = kept.iter().map(|c| c.state.capacity() * size_of::<f64>());
    states.sum::<usize>() + kept.capacity() * size_of::<Checkpoint<f64>>()
}

/// Checks what a loss has left.
fn check(recording: &Recording, cotangents: &Cotangents) -> Result<(), GradientError> {
    let spikes = recording.spikes().iter().map(|train| train.times.len());
    let fits = cotangents.traces.dim() == recording.data().dim()
        && spikes.eq(cotangents.spikes.iter().map(Vec::len));
    if !fits {
        return Err(GradientError::Loss(
            "its derivatives have another shape than the recording".to_string(),
        ));
    }
    let mut all = cotangents
        .traces
        .iter()
        .chain(cotangents.spikes.iter().flatten());
    match all.find(|x| !x.is_finite()) {
        Some(x) => Err(GradientError::Loss(format!(
            "one of its derivatives is {x}"
        ))),
        None => Ok(()),
    }
}

/// The place of the spike in a train that is nearest to a time: that of the run itself, but for rounding.
fn nearest(times: &[f64], time: f64) -> Option<usize> {
    let after = times.partition_point(|&t| t < time);
    let near = [after.saturating_sub(1), after].into_iter();
    let near = near.filter(|&k| k < times.len());
    near.min_by(|&a, &b| (times[a] - time).abs().total_cmp(&(times[b] - time).abs()))
}

/// The same steps have been made before, so they cannot fail.
fn repeated<T, E>(done: Result<T, E>) -> Result<T, GradientError> {
    done.map_err(|_| GradientError::Loss("a step differs from its repetition".to_string()))
}

impl Way<'_> {
    /// Bytes of the record of steps.
    fn record_bytes(&self) -> usize {
        self.sweep.log.capacity() * size_of::<f64>()
            + self.recorded.capacity() * size_of::<Recorded>()
    }

    /// Advances from a state that is kept to the beginning of step `to`.
    fn go(&mut self, from: &Checkpoint<f64>, to: u64) -> Result<Place, GradientError> {
        let current = self.engine.layout.all_current.range();
        self.w.arena[current].copy_from_slice(&from.state);
        let mut place = from.place;
        while place.step < to {
            self.steps.pieces(&mut place, &mut self.pieces);
            for piece in &self.pieces {
                let clock = piece.clock();
                repeated(self.engine.advance(self.tile.first, clock, &mut self.w))?;
                self.engine.finish(self.tile.first, clock, &mut self.w);
                self.w.continued = true;
            }
        }
        self.w.continued = false;
        Ok(place)
    }

    /// Records the steps from the present state on until step `end`.
    fn record(&mut self, from: Place, end: u64) -> Result<(), GradientError> {
        let mut place = from;
        let mut pieces = std::mem::take(&mut self.pieces);
        while place.step < end {
            let step = place.step;
            self.steps.pieces(&mut place, &mut pieces);
            for piece in pieces.drain(..) {
                self.record_piece(Recorded {
                    step,
                    piece,
                    slopes: false,
                    spikes: self.spikes.len(),
                    effects: Vec::new(),
                })?;
            }
        }
        self.pieces = pieces;
        Ok(())
    }

    fn run(&mut self, section: (Section, Clock)) -> Result<(), GradientError> {
        let (first, w, sweep) = (self.tile.first, &mut self.w, &mut self.sweep);
        repeated(self.adjoint.record(self.engine, first, section, w, sweep))
    }

    fn take_back(&mut self, section: (Section, Clock)) -> Result<(), GradientError> {
        let (first, w, sweep) = (self.tile.first, &mut self.w, &mut self.sweep);
        repeated(self.adjoint.reverse(self.engine, first, section, w, sweep))
    }

    fn record_piece(&mut self, mut recorded: Recorded) -> Result<(), GradientError> {
        let clock = recorded.piece.clock();
        for onset in &self.onsets {
            let (piece, engine) = (&recorded.piece, self.engine);
            let effect = onset.effect(piece, self.step, self.tile, engine, &mut self.w)?;
            recorded.effects.extend(effect);
        }
        self.adjoint.advance(self.engine, clock, &mut self.sections);
        for k in 0..self.sections.len() {
            self.run(self.sections[k])?;
        }
        let piece = &recorded.piece;
        let looks = spike::looks(self.tile, self.engine, piece, &self.w);
        recorded.slopes = looks && self.engine.dense().is_empty();
        if recorded.slopes {
            self.run((Section::Slope(0), clock))?;
            self.run((Section::Slope(1), clock))?;
        }
        if looks {
            let (trains, spikes, cotangents) = (self.trains, &mut self.spikes, self.cotangents);
            let each = |spike: Spike| {
                let times = &trains[spike.train].times;
                if let Some(place) = nearest(times, spike.time) {
                    spikes.push(SpikeBar {
                        train: spike.train,
                        cotangent: cotangents.spikes[spike.train][place],
                        links: spike.links,
                    });
                }
            };
            let step = (clock, recorded.piece.inside);
            spike::find(self.tile, self.engine, step, &self.w, each);
        }
        if recorded.piece.inside {
            let inside = Inside::made(self.engine, clock.h);
            self.record_samples(&recorded.piece, Some(inside))?;
            self.run((Section::Post, clock))?;
        } else {
            self.run((Section::Post, clock))?;
            self.record_samples(&recorded.piece, None)?;
        }
        self.recorded.push(recorded);
        Ok(())
    }

    /// Records how the signals of samples are computed, from the present state or one inside the step.
    fn record_samples(
        &mut self,
        piece: &Piece,
        inside: Option<Inside>,
    ) -> Result<(), GradientError> {
        if !self.tile.samples_signals {
            return Ok(());
        }
        for row in piece.rows.clone() {
            let time = self.times[row];
            let signals = (Section::Signals, piece.sampling(time));
            let moment = inside.and_then(|i| Moment::new(self.engine, i, piece.theta(time)));
            let Some(moment) = moment else {
                self.run(signals)?;
                continue;
            };
            let mut aside = std::mem::take(&mut self.aside);
            moment.enter(self.engine, &mut self.w, &mut self.sweep, &mut aside);
            self.run(signals)?;
            let current = self.engine.layout.all_current.range();
            self.sweep.log.extend_from_slice(&self.w.arena[current]);
            leave(self.engine, &mut self.w, &mut self.sweep, &aside);
            self.aside = aside;
        }
        Ok(())
    }

    /// Takes the samples of a piece backwards.
    fn take_samples_back(
        &mut self,
        piece: &Piece,
        inside: Option<Inside>,
    ) -> Result<(), GradientError> {
        let current = self.engine.layout.all_current.range();
        let signals = self.tile.samples_signals;
        for row in piece.rows.clone().rev() {
            let time = self.times[row];
            let section = (Section::Signals, piece.sampling(time));
            let moment = inside.and_then(|i| Moment::new(self.engine, i, piece.theta(time)));
            let Some(moment) = moment else {
                self.add_samples(row);
                if signals {
                    self.take_back(section)?;
                }
                continue;
            };
            self.aside.resize_with(2, Vec::new);
            let mut aside = std::mem::take(&mut self.aside);
            let [state, bar] = &mut aside[..] else {
                continue;
            };
            bar.clear();
            bar.resize(current.len(), 0.0);
            self.sweep.bar[current.clone()].swap_with_slice(bar);
            self.add_samples(row);
            if signals {
                let from = self.sweep.log.len() - current.len();
                state.clear();
                state.extend_from_slice(&self.sweep.log[from..]);
                self.sweep.log.truncate(from);
                self.w.arena[current.clone()].swap_with_slice(state);
                self.take_back(section)?;
                self.w.arena[current.clone()].copy_from_slice(state);
            }
            self.sweep.bar[current.clone()].swap_with_slice(bar);
            moment.spread(self.engine, bar, &mut self.sweep.bar);
            self.aside = aside;
        }
        Ok(())
    }

    /// Adds the derivatives of the loss with respect to a row of samples.
    fn add_samples(&mut self, row: usize) {
        for column in &self.tile.columns {
            self.sweep.bar[column.place] += self.cotangents.traces[[row, column.number]];
        }
    }

    /// Adds what the motion of a piece does to the state at its end and to the spikes in it.
    fn add_effects(&mut self, recorded: &Recorded) {
        let bar = &self.sweep.bar[self.engine.layout.all_current.range()];
        for effect in &recorded.effects {
            let state = effect.state.iter().zip(bar);
            let mut sum: f64 = state.map(|(x, bar)| x * bar).sum();
            for (train, change) in &effect.spikes {
                let spikes = self.spikes[recorded.spikes..].iter();
                let of_train = spikes.filter(|spike| spike.train == *train);
                sum += change * of_train.map(|spike| spike.cotangent).sum::<f64>();
            }
            self.by_onset.push((effect.component, sum));
        }
    }

    /// Takes all that is recorded backwards.
    fn back(&mut self) -> Result<(), GradientError> {
        while let Some(recorded) = self.recorded.pop() {
            let clock = recorded.piece.clock();
            if recorded.piece.inside {
                self.take_back((Section::Post, clock))?;
                let inside = Inside::made(self.engine, clock.h);
                self.take_samples_back(&recorded.piece, Some(inside))?;
            } else {
                self.take_samples_back(&recorded.piece, None)?;
                self.add_effects(&recorded);
                self.take_back((Section::Post, clock))?;
            }
            for spike in self.spikes.drain(recorded.spikes..) {
                for (place, x) in spike.links {
                    self.sweep.bar[place] += spike.cotangent * x;
                }
            }
            if recorded.slopes {
                self.take_back((Section::Slope(1), clock))?;
                self.take_back((Section::Slope(0), clock))?;
            }
            self.adjoint.advance(self.engine, clock, &mut self.sections);
            for k in (0..self.sections.len()).rev() {
                self.take_back(self.sections[k])?;
            }
            self.look(recorded.step, clock.t)?;
        }
        Ok(())
    }

    /// Refuses adjoints of the state that are not finite.
    fn look(&self, step: u64, time: f64) -> Result<(), GradientError> {
        let layout = &self.engine.layout;
        if all_finite(
            &self.sweep.bar[layout.all_current.range()],
            self.engine.level,
        ) {
            return Ok(());
        }
        let states = layout.model.states.iter().zip(&layout.states);
        for (info, plane) in states {
            for k in 0..plane.len {
                let value = self.sweep.bar[layout.current[info.group] + plane.offset + k];
                if !value.is_finite() {
                    return Err(GradientError::NotFinite {
                        name: info.state.name.clone(),
                        step,
                        time,
                        cell: self.tile.first + k % layout.lanes,
                        element: k / layout.lanes,
                        value,
                    });
                }
            }
        }
        Ok(())
    }

    /// Takes the initial sample, the steady states of the beginning and what depends on parameters alone backwards.
    fn initial(&mut self) -> Result<(), GradientError> {
        let first = self.tile.first;
        self.engine.layout.fill(first, &mut self.w.arena);
        let steady = (Section::Steady, STANDING);
        for _ in 0..2 {
            self.run(steady)?;
        }
        let signals = (Section::Signals, self.initial);
        let samples_signals = self.tile.samples_signals;
        if samples_signals {
            self.run(signals)?;
        }
        self.add_samples(0);
        if samples_signals {
            self.take_back(signals)?;
        }
        for _ in 0..2 {
            self.take_back(steady)?;
        }
        self.take_back((Section::Constants, STANDING))?;
        self.look(0, 0.0)
    }
}
