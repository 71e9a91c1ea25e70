//! A tile's way back: its steps are recorded segment by segment, the last first, and each is taken back.

use super::inside::{Moment, leave};
use super::onset::{Effect, Onset};
use super::spike::Spike;
use super::steps::{Piece, Steps};
use super::{Cotangents, GradientError, spike};
use crate::engine::{Adjoint, Clock, Engine, Section, Sweep, Workspace, all_finite};
use crate::simulation::SpikeTrain;
use crate::simulation::inside::Inside;
use crate::simulation::kept::{Place, Trail};
use crate::simulation::tile::Tile;

/// Bytes that the record of a step takes besides the numbers saved.
pub(super) const PIECE_BYTES: usize = size_of::<Recorded>();

/// A piece of a step that has been recorded.
pub(super) struct Recorded {
    step: u64,
    piece: Piece,
    /// Whether it went on from the piece recorded before it.
    continued: bool,
    /// Whether spikes were looked for.
    slopes: bool,
    /// Spikes before this piece, in the list of the segment's spikes.
    spikes: usize,
    /// What onsets do to this piece.
    effects: Vec<Effect>,
}

/// A spike that has been recorded.
pub(super) struct SpikeBar {
    train: usize,
    /// The derivative of the loss with respect to its time.
    cotangent: f64,
    links: Vec<(usize, f64)>,
}

/// What a tile's way back works on.
pub(super) struct Way<'a> {
    pub tile: &'a Tile<f64>,
    pub engine: &'a Engine<f64>,
    pub adjoint: &'a Adjoint,
    pub steps: &'a Steps,
    pub trains: &'a [SpikeTrain],
    pub cotangents: &'a Cotangents,
    pub w: Workspace<f64>,
    pub sweep: Sweep,
    pub pieces: Vec<Piece>,
    pub sections: Vec<(Section, Clock)>,
    pub recorded: Vec<Recorded>,
    pub spikes: Vec<SpikeBar>,
    pub onsets: Vec<Onset>,
    pub step: f64,
    pub times: &'a [f64],
    /// The clock of the initial sample.
    pub initial: Clock,
    /// States that make room for one inside a step.
    pub aside: Vec<Vec<f64>>,
    /// The states at the beginnings of the steps of a segment, where these are taken back along them.
    pub trail: Trail,
    /// Derivatives with respect to onsets.
    pub by_onset: Vec<(usize, f64)>,
}

pub(super) const STANDING: Clock = Clock {
    t: 0.0,
    h: 0.0,
    within: 0.0,
    number: 0,
};

/// The place of the spike in a train that is nearest to a time: that of the run itself, but for rounding.
fn nearest(times: &[f64], time: f64) -> Option<usize> {
    let after = times.partition_point(|&t| t < time);
    let near = [after.saturating_sub(1), after].into_iter();
    let near = near.filter(|&k| k < times.len());
    near.min_by(|&a, &b| (times[a] - time).abs().total_cmp(&(times[b] - time).abs()))
}

/// The same steps have been made before, so they cannot fail.
pub(super) fn repeated<T, E>(done: Result<T, E>) -> Result<T, GradientError> {
    done.map_err(|_| GradientError::Loss("a step differs from its repetition".to_string()))
}

impl Way<'_> {
    /// Bytes of the record of steps.
    pub fn record_bytes(&self) -> usize {
        self.sweep.log.capacity() * size_of::<f64>()
            + self.recorded.capacity() * size_of::<Recorded>()
            + self.trail.states.bytes()
    }

    /// Makes room for the record of so many steps: grown step by step, it would be too long by up to its own length.
    pub fn reserve(&mut self, steps: u64) {
        let (adjoint, tile) = (self.adjoint, self.tile);
        let pieces = self.steps.most_pieces(steps) as usize;
        let samples = match self.steps {
            Steps::Adaptive(_) if tile.samples_signals => {
                let sample = adjoint.saved_per_sample() + tile.states();
                sample * self.steps.most_samples(steps) as usize
            }
            _ => 0,
        };
        let numbers = adjoint.saved_once() + adjoint.saved_per_step() * pieces + samples;
        self.sweep.log.reserve_exact(numbers);
        self.recorded.reserve_exact(pieces);
    }

    /// Advances from a state that is kept to the beginning of step `to`.
    pub fn go(
        &mut self,
        (mut place, state): (Place, &[f64]),
        to: u64,
    ) -> Result<Place, GradientError> {
        let current = self.engine.layout.all_current.range();
        self.w.arena[current].copy_from_slice(state);
        self.go_on(&mut place, to, |_| {})?;
        Ok(place)
    }

    /// Advances from the present state on to the beginning of step `to`, with a look at the state after each step.
    pub fn go_on(
        &mut self,
        place: &mut Place,
        to: u64,
        mut look: impl FnMut(&[f64]),
    ) -> Result<(), GradientError> {
        let current = self.engine.layout.all_current.range();
        while place.step < to {
            self.steps.pieces(place, &mut self.pieces);
            for piece in &self.pieces {
                let clock = piece.clock();
                repeated(self.engine.advance(self.tile.first, &clock, &mut self.w))?;
                self.engine.finish(self.tile.first, &clock, &mut self.w);
                self.w.continued = true;
            }
            look(&self.w.arena[current.clone()]);
        }
        self.w.continued = false;
        Ok(())
    }

    /// Records the steps from the present state on until step `end`.
    pub fn record(&mut self, from: Place, end: u64) -> Result<(), GradientError> {
        let mut place = from;
        let mut pieces = std::mem::take(&mut self.pieces);
        while place.step < end {
            let step = place.step;
            self.steps.pieces(&mut place, &mut pieces);
            for piece in pieces.drain(..) {
                self.record_piece(Recorded {
                    step,
                    piece,
                    continued: false,
                    slopes: false,
                    spikes: self.spikes.len(),
                    effects: Vec::new(),
                })?;
            }
        }
        self.pieces = pieces;
        Ok(())
    }

    pub fn run(&mut self, section: (Section, Clock)) -> Result<(), GradientError> {
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
        // The state is as the piece before has left it, and what that has left beside it is there. What an onset does to a piece is
        // multiplied with the adjoints of the whole state, of which a step that goes on leaves a part beside it.
        let same = |last: &Recorded| {
            last.piece.h == clock.h && !last.piece.inside && last.effects.is_empty()
        };
        recorded.continued = self.recorded.last().is_some_and(same);
        let step = (clock, recorded.continued);
        self.adjoint.advance(self.engine, step, &mut self.sections);
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
    pub fn record_samples(
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
    pub fn take_samples_back(
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
    pub fn back(&mut self) -> Result<(), GradientError> {
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
            let step = (clock, recorded.continued);
            self.adjoint.advance(self.engine, step, &mut self.sections);
            for k in (0..self.sections.len()).rev() {
                self.take_back(self.sections[k])?;
            }
            self.look(recorded.step, clock.t)?;
        }
        Ok(())
    }

    /// Refuses adjoints of the state that are not finite. What a step has left to the next is looked at with the step before.
    pub fn look(&self, step: u64, time: f64) -> Result<(), GradientError> {
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
    pub fn initial(&mut self) -> Result<(), GradientError> {
        let first = self.tile.first;
        self.engine.layout.fill(first, &mut self.w);
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
