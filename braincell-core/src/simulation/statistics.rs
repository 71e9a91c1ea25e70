//! Numbers that sum up a variable over a whole run.

use super::Simulation;
use super::recording::Column;
use super::tile::Tile;
use crate::engine::{Clock, Engine, Workspace};
use crate::kernel::Storage;

/// What is left of a variable where no trace of it is kept, over the beginning of the run and the ends of all steps.
///
/// Asked for with [`super::Setup::statistics`]; independent of the recording interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistic {
    /// The variable.
    pub column: Column,
    /// The least value, in the unit of the column.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
    /// When it was reached first, ms.
    pub time_of_max: f64,
    /// The mean over time, by the trapezoidal rule.
    pub mean: f64,
}

/// A variable of a tile of which statistics are kept.
pub(crate) struct Watched {
    /// Number among the statistics.
    pub number: usize,
    /// Where its value is.
    pub place: usize,
    pub is_signal: bool,
    pub seen: Option<Seen>,
}

/// What was seen of a variable.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    pub begin: f64,
    pub time: f64,
    pub value: f64,
    pub min: f64,
    pub max: f64,
    pub time_of_max: f64,
    pub integral: f64,
    /// What rounding has taken from the integral: long runs add up a billion steps.
    pub lost: f64,
}

impl Watched {
    pub fn new(number: usize, place: usize, is_signal: bool) -> Self {
        Self {
            number,
            place,
            is_signal,
            seen: None,
        }
    }

    /// Takes notice of the value at a time.
    pub fn see(&mut self, time: f64, value: f64) {
        let Some(seen) = &mut self.seen else {
            self.seen = Some(Seen {
                begin: time,
                time,
                value,
                min: value,
                max: value,
                time_of_max: time,
                integral: 0.0,
                lost: 0.0,
            });
            return;
        };
        seen.min = seen.min.min(value);
        if value > seen.max {
            (seen.max, seen.time_of_max) = (value, time);
        }
        // Kahan's compensated sum.
        let term = 0.5 * (time - seen.time) * (value + seen.value) - seen.lost;
        let sum = seen.integral + term;
        seen.lost = (sum - seen.integral) - term;
        seen.integral = sum;
        (seen.time, seen.value) = (time, value);
    }
}

impl<F: Storage> Simulation<F> {
    /// The statistics so far, in the order in which they were asked for; none before the run has begun.
    pub fn statistics(&self) -> Vec<Statistic> {
        let watched = self.tiles.iter().flat_map(|tile| &tile.watched);
        let mut all: Vec<(usize, Statistic)> = watched
            .filter_map(|watched| {
                let seen = watched.seen?;
                let duration = seen.time - seen.begin;
                let statistic = Statistic {
                    column: self.plan.watched[watched.number].0.clone(),
                    min: seen.min,
                    max: seen.max,
                    time_of_max: seen.time_of_max,
                    mean: match duration > 0.0 {
                        true => seen.integral / duration,
                        false => seen.value,
                    },
                };
                Some((watched.number, statistic))
            })
            .collect();
        all.sort_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, statistic)| statistic).collect()
    }
}

impl<F: Storage> Tile<F> {
    /// Takes notice of the watched variables at time `t`, with inputs from inside the piece that holds `within`.
    pub fn watch(&mut self, engine: &Engine<F>, t: f64, within: f64, w: &mut Workspace<F>) {
        if self.watched.iter().any(|watched| watched.is_signal) {
            let clock = Clock {
                t,
                h: 0.0,
                within,
                number: 0,
            };
            engine.signals(self.first, clock, w);
        }
        for watched in &mut self.watched {
            watched.see(t, w.arena[watched.place].to_f64());
        }
    }
}
