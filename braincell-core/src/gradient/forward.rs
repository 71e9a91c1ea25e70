//! Forward mode.

use super::inside::{Moment, leave};
use super::spike::Spike;
use super::{Gradient, GradientError, Ready, spike};
use crate::engine::{Clock, Section, Sweep};
use crate::simulation::Recording;
use crate::simulation::inside::Inside;
use crate::simulation::kept::Place;
use crate::simulation::tile::standing;
use ndarray::Array2;

/// How many tangents are carried along at once.
const AT_ONCE: usize = 8;

/// The derivatives of what is recorded with respect to one number.
#[derive(Clone, Debug, PartialEq)]
pub struct Tangent {
    /// The number: a quantity or a component of one, see [`Gradient::components`].
    pub name: String,
    /// The derivative of each sample, as [`Recording::data`].
    pub traces: Array2<f64>,
    /// The derivative of each spike time, as [`Recording::spikes`].
    pub spikes: Vec<Vec<f64>>,
}

/// What [`Gradient::forward`] gives.
#[derive(Clone, Debug)]
pub struct Forward {
    /// The run itself.
    pub recording: Recording,
    /// One for each component of the quantities.
    pub tangents: Vec<Tangent>,
}

impl Gradient<'_> {
    /// Runs with tangents: the derivatives of all recorded traces and spike times with respect to each component of the
    /// quantities.
    ///
    /// # Errors
    /// [`GradientError::Run`] if the run fails.
    pub fn forward(&self) -> Result<Forward, GradientError> {
        let mut ready = self.ready()?;
        self.run(&mut ready)?;
        let recording = ready.simulation.recording();
        let names = self.components();
        let tangent = |name: String| Tangent {
            name,
            traces: Array2::zeros(recording.data().raw_dim()),
            spikes: vec![Vec::new(); recording.spikes().len()],
        };
        let mut tangents: Vec<Tangent> = names.into_iter().map(tangent).collect();
        for tile in 0..ready.simulation.tiles.len() {
            for first in (0..tangents.len()).step_by(AT_ONCE) {
                let last = (first + AT_ONCE).min(tangents.len());
                let times = recording.times();
                self.tile_forward(&ready, (tile, times), first, &mut tangents[first..last])?;
            }
        }
        Ok(Forward {
            recording,
            tangents,
        })
    }

    /// Carries the tangents of the components from `first` on through a tile's run.
    fn tile_forward(
        &self,
        ready: &Ready,
        (tile, times): (usize, &[f64]),
        first: usize,
        tangents: &mut [Tangent],
    ) -> Result<(), GradientError> {
        let (simulation, steps) = (&ready.simulation, ready.steps(tile));
        let tile = &simulation.tiles[tile];
        let engine = &simulation.engines[tile.engine];
        let adjoint = &ready.adjoints[tile.engine];
        let mut w = adjoint.workspace(engine);
        let mut sweep = adjoint.sweep(engine, tangents.len());
        for quantity in &self.quantities {
            quantity.places(&engine.layout, adjoint, tile.first, |k, at, factor| {
                if (first..first + tangents.len()).contains(&k) {
                    sweep.dots[k - first][at] += factor;
                }
            });
        }
        let fails = |_| GradientError::Loss("a run differs from its repetition".to_string());
        engine.layout.fill(tile.first, &mut w);
        let begin = Clock {
            t: 0.0,
            h: 0.0,
            within: 0.0,
            number: 0,
        };
        for _ in 0..2 {
            let section = (Section::Steady, begin);
            adjoint
                .tangent(engine, tile.first, section, &mut w, &mut sweep)
                .map_err(fails)?;
        }
        let mut pieces = Vec::new();
        let mut sections = Vec::new();
        let mut kept = Vec::new();
        let mut place = Place::START;
        let onsets = self.onsets();
        let sample =
            |row: usize, clock: Clock, tangents: &mut [Tangent], w: &mut _, sweep: &mut _| {
                if tile.samples_signals {
                    let section = (Section::Signals, clock);
                    let done = adjoint.tangent(engine, tile.first, section, w, sweep);
                    done.map_err(fails)?;
                }
                let sweep: &Sweep = sweep;
                for (tangent, dot) in tangents.iter_mut().zip(&sweep.dots) {
                    for column in &tile.columns {
                        tangent.traces[[row, column.number]] = dot[column.place];
                    }
                }
                Ok::<(), GradientError>(())
            };
        let initial = standing(&self.model, 0.0);
        sample(0, initial, tangents, &mut w, &mut sweep)?;
        for _ in 0..steps.count() {
            steps.pieces(&mut place, &mut pieces);
            for piece in &pieces {
                let clock = piece.clock();
                let mut effects = Vec::new();
                for onset in &onsets {
                    let step = simulation.plan.step;
                    effects.extend(onset.effect(piece, step, tile, engine, &mut w)?);
                }
                effects.retain(|e| (first..first + tangents.len()).contains(&e.component));
                adjoint.advance(engine, (clock, false), &mut sections);
                let run = |section: Section, w: &mut _, sweep: &mut _| {
                    let section = (section, clock);
                    let done = adjoint.tangent(engine, tile.first, section, w, sweep);
                    done.map_err(fails)
                };
                for &(section, at) in &sections {
                    let done =
                        adjoint.tangent(engine, tile.first, (section, at), &mut w, &mut sweep);
                    done.map_err(fails)?;
                }
                let looks = spike::looks(tile, engine, piece, &w);
                if looks && engine.dense().is_empty() {
                    run(Section::Slope(0), &mut w, &mut sweep)?;
                    run(Section::Slope(1), &mut w, &mut sweep)?;
                }
                if looks {
                    let each = |spike: Spike| {
                        for (tangent, dot) in tangents.iter_mut().zip(&sweep.dots) {
                            let links = spike.links.iter();
                            let change: f64 = links.map(|&(at, x)| x * dot[at]).sum();
                            tangent.spikes[spike.train].push(change);
                        }
                    };
                    spike::find(tile, engine, (clock, piece.inside), &w, each);
                }
                if piece.inside {
                    let inside = Inside::made(engine, clock.h);
                    for row in piece.rows.clone() {
                        let clock = piece.sampling(times[row]);
                        let moment = Moment::new(engine, inside, piece.theta(times[row]));
                        if let Some(moment) = &moment {
                            moment.enter(engine, &mut w, &mut sweep, &mut kept);
                        }
                        sample(row, clock, tangents, &mut w, &mut sweep)?;
                        if moment.is_some() {
                            leave(engine, &mut w, &mut sweep, &kept);
                        }
                    }
                }
                run(Section::Post, &mut w, &mut sweep)?;
                for effect in effects {
                    let k = effect.component - first;
                    let dots = &mut sweep.dots[k][engine.layout.all_current.range()];
                    dots.iter_mut()
                        .zip(&effect.state)
                        .for_each(|(d, x)| *d += x);
                    for (train, change) in effect.spikes {
                        if let Some(last) = tangents[k].spikes[train].last_mut() {
                            *last += change;
                        }
                    }
                }
                if !piece.inside {
                    for row in piece.rows.clone() {
                        let clock = piece.sampling(times[row]);
                        sample(row, clock, tangents, &mut w, &mut sweep)?;
                    }
                }
            }
        }
        Ok(())
    }
}
