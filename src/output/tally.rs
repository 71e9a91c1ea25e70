//! Counts, ranges and sums of all that a run records, in little memory however long the run.

use crate::container::{ContainerError, Reader, Writer};
use crate::simulation::{Recording, SpikeTrain};

/// What is left of samples and spikes that were drained and forgotten.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// How many samples there were.
    pub samples: u64,
    /// Of each recorded column.
    pub columns: Vec<OfColumn>,
    /// Of each spike train.
    pub trains: Vec<OfTrain>,
}

/// The samples of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfColumn {
    /// The least, NaN if there was none.
    pub min: f64,
    /// The greatest, NaN if there was none.
    pub max: f64,
    sum: f64,
    /// What rounding has taken from the sum.
    lost: f64,
}

/// The spikes of a train.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfTrain {
    /// How many there were.
    pub count: u64,
    /// The time of the first, ms; NaN if there was none.
    pub first: f64,
    /// The time of the last, ms; NaN if there was none.
    pub last: f64,
}

impl Tally {
    /// Of nothing yet, for so many columns and spike trains.
    pub fn new(columns: usize, trains: usize) -> Self {
        let column = OfColumn {
            min: f64::NAN,
            max: f64::NAN,
            sum: 0.0,
            lost: 0.0,
        };
        let train = OfTrain {
            count: 0,
            first: f64::NAN,
            last: f64::NAN,
        };
        Self {
            samples: 0,
            columns: vec![column; columns],
            trains: vec![train; trains],
        }
    }

    /// Of a recording that has everything.
    pub fn of(recording: &Recording) -> Self {
        let mut tally = Self::new(recording.columns().len(), recording.spikes().len());
        tally.add(recording);
        tally
    }

    /// Adds the next part of a recording. The result does not depend on the parts.
    pub fn add(&mut self, part: &Recording) {
        self.samples += part.times().len() as u64;
        for (column, trace) in self.columns.iter_mut().zip(part.traces()) {
            for &x in trace.values {
                column.add(x);
            }
        }
        self.add_spikes(part.spikes());
    }

    /// Adds spikes alone.
    pub fn add_spikes(&mut self, trains: &[SpikeTrain]) {
        for (train, part) in self.trains.iter_mut().zip(trains) {
            let (Some(&first), Some(&last)) = (part.times.first(), part.times.last()) else {
                continue;
            };
            if train.count == 0 {
                train.first = first;
            }
            train.last = last;
            train.count += part.times.len() as u64;
        }
    }

    /// The mean of the samples of a column; NaN if there is none.
    pub fn mean(&self, column: usize) -> f64 {
        let sum = self.columns.get(column).map_or(f64::NAN, |c| c.sum);
        sum / self.samples as f64
    }

    /// Writes all of it into a container.
    pub fn save(&self, w: &mut Writer) {
        w.u64(self.samples);
        w.u64(self.columns.len() as u64);
        for c in &self.columns {
            for x in [c.min, c.max, c.sum, c.lost] {
                w.f64(x);
            }
        }
        w.u64(self.trains.len() as u64);
        for train in &self.trains {
            w.u64(train.count);
            w.f64(train.first);
            w.f64(train.last);
        }
    }

    /// Reads what [`Tally::save`] wrote.
    ///
    /// # Errors
    /// [`ContainerError::Damaged`].
    pub fn load(r: &mut Reader) -> Result<Self, ContainerError> {
        Ok(Self {
            samples: r.u64()?,
            columns: r.list(|r| {
                Ok(OfColumn {
                    min: r.f64()?,
                    max: r.f64()?,
                    sum: r.f64()?,
                    lost: r.f64()?,
                })
            })?,
            trains: r.list(|r| {
                Ok(OfTrain {
                    count: r.u64()?,
                    first: r.f64()?,
                    last: r.f64()?,
                })
            })?,
        })
    }
}

impl OfColumn {
    fn add(&mut self, x: f64) {
        self.min = self.min.min(x);
        self.max = self.max.max(x);
        // Kahan's compensated sum.
        let term = x - self.lost;
        let sum = self.sum + term;
        self.lost = (sum - self.sum) - term;
        self.sum = sum;
    }
}
