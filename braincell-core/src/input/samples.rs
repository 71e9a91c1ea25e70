//! Played traces.

use super::InputError;
use super::error::{finite, positive};
use std::sync::Arc;

/// How a played trace continues between its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// Each sample holds until the next.
    Hold,
    /// Straight lines.
    Linear,
}

/// Values at `start`, `start + interval`, …; zero before, the last value after.
#[derive(Clone)]
pub(super) struct Samples {
    pub start: f64,
    pub interval: f64,
    pub values: Arc<[f64]>,
    pub how: Interpolation,
}

impl Samples {
    pub fn check(&self) -> Result<(), InputError> {
        finite("the start", self.start)?;
        finite("the interval", self.interval)?;
        positive("the interval", self.interval)?;
        let needed = match self.how {
            Interpolation::Hold => 1,
            Interpolation::Linear => 2,
        };
        let given = self.values.len();
        if given < needed {
            return Err(InputError::Samples { given, needed });
        }
        let mut values = self.values.iter();
        values.try_for_each(|&x| finite("a sample", x))
    }

    pub fn value_and_slope(&self, t: f64, within: f64) -> (f64, f64) {
        let (values, last) = (&self.values, self.values.len() - 1);
        let k = ((within - self.start) / self.interval).floor();
        if k < 0.0 {
            return (0.0, 0.0);
        }
        if k as usize >= last {
            return (values[last], 0.0);
        }
        let from = self.start + k * self.interval;
        let k = k as usize;
        match self.how {
            Interpolation::Hold => (values[k], 0.0),
            Interpolation::Linear => {
                let slope = (values[k + 1] - values[k]) / self.interval;
                (slope.mul_add(t - from, values[k]), slope)
            }
        }
    }

    pub fn next_jump(&self, t: f64) -> f64 {
        let k = ((t - self.start) / self.interval).floor().max(-1.0);
        let around = [k, k + 1.0, k + 2.0].into_iter();
        around
            .filter(|k| (0.0..self.values.len() as f64).contains(k))
            .map(|k| self.start + k * self.interval)
            .find(|&jump| jump > t)
            .unwrap_or(f64::INFINITY)
    }
}
