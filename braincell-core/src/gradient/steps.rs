//! The steps of a run with a fixed step size, piece by piece, as the simulation makes them.

use crate::engine::Clock;
use crate::simulation::{ROUNDING, grid};

/// The time grid of a run.
pub(super) struct Steps {
    step: f64,
    whole: u64,
    rest: f64,
    /// Samples are taken every so many steps.
    every: u64,
    jumps: Vec<f64>,
}

/// A piece of a step, within which inputs are smooth.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub t: f64,
    pub h: f64,
    pub within: f64,
    /// Whether it is the first and the last of its step.
    pub first: bool,
    pub last: bool,
    /// The time of the sample that follows, if one does.
    pub sample: Option<f64>,
}

impl Piece {
    /// The clock, as piece number `number` of the run.
    pub fn clock(&self, number: u64) -> Clock {
        Clock {
            t: self.t,
            h: self.h,
            within: self.within,
            number,
        }
    }
}

impl Steps {
    /// Steps from time 0 until `until`.
    pub fn new(step: f64, every: u64, until: f64, jumps: Vec<f64>) -> Self {
        let (whole, rest) = grid(0.0, step, until);
        Self {
            step,
            whole: whole as u64,
            rest,
            every,
            jumps,
        }
    }

    /// Number of steps.
    pub fn count(&self) -> u64 {
        self.whole + u64::from(self.rest > 0.0)
    }

    /// The greatest number of pieces in a segment of so many steps: jumps cut some of them.
    pub fn most_pieces(&self, segment: u64) -> u64 {
        let length = segment as f64 * self.step;
        let mut most = 0;
        let mut here = (0.0, 0);
        for jump in &self.jumps {
            let number = (jump / length).floor();
            here = match here {
                (last, count) if last == number => (number, count + 1),
                _ => (number, 1),
            };
            most = most.max(here.1);
        }
        segment.saturating_add(most)
    }

    /// Number of samples taken in the steps before step k, the initial one included.
    pub fn samples_before(&self, k: u64) -> usize {
        let short = k > self.whole && self.every == 1;
        1 + (k.min(self.whole) / self.every) as usize + usize::from(short)
    }

    /// The pieces of step k, in order.
    pub fn pieces(&self, k: u64, to: &mut Vec<Piece>) {
        let origin = self.whole as f64 * self.step;
        let (begin, end, h, local) = if k < self.whole {
            let at = |k: u64| k as f64 * self.step;
            (at(k), at(k + 1), self.step, k)
        } else {
            (origin, origin + self.rest, self.rest, 0)
        };
        let rounding = ROUNDING * h;
        to.clear();
        let mut t = begin;
        loop {
            let next = self.jumps.partition_point(|&jump| jump <= t + rounding);
            let next = self.jumps.get(next).copied().unwrap_or(f64::INFINITY);
            let stop = if next < end - rounding { next } else { end };
            let whole = t == begin && stop == end;
            let samples = stop == end && (local + 1).is_multiple_of(self.every);
            to.push(Piece {
                t,
                h: if whole { h } else { stop - t },
                within: t + 0.5 * (stop - t),
                first: t == begin,
                last: stop == end,
                sample: samples.then_some(end),
            });
            if stop == end {
                return;
            }
            t = stop;
        }
    }
}
