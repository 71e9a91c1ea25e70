//! Steps and trains of pulses.

use super::InputError;
use super::error::{finite, positive};

/// `count` pulses, the first at `start`, one every `period`. A step is a single one; it may last for ever.
#[derive(Clone)]
pub(super) struct Pulses {
    pub start: f64,
    pub width: f64,
    pub period: f64,
    pub count: f64,
}

impl Pulses {
    pub fn check(&self) -> Result<(), InputError> {
        finite("the start", self.start)?;
        positive("the duration", self.width)?;
        if self.count > 1.0 {
            finite("the duration", self.width)?;
            finite("the period", self.period)?;
            if self.period < self.width {
                return Err(InputError::Overlap {
                    width: self.width,
                    period: self.period,
                });
            }
        }
        Ok(())
    }

    /// Number of the last pulse that has begun `since` after the first.
    fn pulse(&self, since: f64) -> f64 {
        // A single pulse that never ends has an infinite period.
        match self.count > 1.0 {
            true => (since / self.period).floor(),
            false => 0.0,
        }
    }

    fn begin(&self, pulse: f64) -> f64 {
        match pulse > 0.0 {
            true => self.start + pulse * self.period,
            false => self.start,
        }
    }

    /// 1 inside a pulse, 0 outside.
    pub fn value(&self, within: f64) -> f64 {
        let since = within - self.start;
        let begin = self.begin(self.pulse(since).min(self.count - 1.0));
        let on = self.count > 0.0 && since >= 0.0 && within >= begin && within < begin + self.width;
        f64::from(u8::from(on))
    }

    pub fn next_jump(&self, t: f64) -> f64 {
        if t < self.start {
            return self.start;
        }
        let k = self.pulse(t - self.start);
        // Rounding may put t on the wrong side of a boundary, so look at the neighbours too.
        let around = [k - 1.0, k, k + 1.0].into_iter();
        around
            .filter(|k| (0.0..self.count).contains(k))
            .flat_map(|k| [self.begin(k), self.begin(k) + self.width])
            .filter(|&jump| jump > t)
            .fold(f64::INFINITY, f64::min)
    }
}
