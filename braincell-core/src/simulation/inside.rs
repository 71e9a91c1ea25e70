//! The solution inside an adaptive step.

use crate::engine::{Clock, Engine, Workspace};
use crate::kernel::Storage;

/// The solution inside a step: the method's own, or the cubic through values and derivatives at both ends.
#[derive(Clone, Copy)]
pub(crate) struct Inside {
    /// The derivatives at both ends, for the cubic.
    slopes: Option<[usize; 2]>,
    h: f64,
}

impl Inside {
    /// Places θ in a step at which the solution rises through a threshold, looking at eight parts of the step.
    pub fn crossings<F: Storage>(
        &self,
        engine: &Engine<F>,
        (place, threshold): (usize, f64),
        w: &Workspace<F>,
        mut each: impl FnMut(f64),
    ) {
        const PARTS: usize = 8;
        let value = |theta: f64| self.value(engine, place, theta, w);
        let mut before = value(0.0);
        for part in 1..=PARTS {
            let theta = part as f64 / PARTS as f64;
            let after = value(theta);
            if before < threshold && after >= threshold {
                let from = (part - 1) as f64 / PARTS as f64;
                each(bisect(from, theta, |theta| value(theta) >= threshold));
            }
            before = after;
        }
    }

    /// Of the step just made, whose slopes are computed if they are needed.
    pub fn new<F: Storage>(
        engine: &Engine<F>,
        first: usize,
        clock: Clock,
        w: &mut Workspace<F>,
    ) -> Self {
        if engine.dense().is_empty() {
            for end in [0, 1] {
                engine.slope(end, first, clock, w);
            }
        }
        Self::made(engine, clock.h)
    }

    /// Of the step just made, whose slopes have been computed.
    pub fn made<F: Storage>(engine: &Engine<F>, h: f64) -> Self {
        let cubic = engine.dense().is_empty();
        let slopes = cubic.then(|| [0, 1].map(|end| engine.slope_at(end)));
        Self { slopes, h }
    }

    /// The value at place k of an array of the parent's group.
    pub fn value<F: Storage>(
        &self,
        engine: &Engine<F>,
        k: usize,
        theta: f64,
        w: &Workspace<F>,
    ) -> f64 {
        let layout = &engine.layout;
        let y0 = w.arena[layout.previous[0] + k].to_f64();
        match self.slopes {
            None => {
                let powers = engine.dense().iter().rev();
                let sum = powers.fold(0.0, |sum, p| (sum + w.arena[p + k].to_f64()) * theta);
                y0 + sum
            }
            Some([d0, d1]) => {
                let y1 = w.arena[layout.current[0] + k].to_f64();
                let slope = |at: usize| w.arena[at + k].to_f64() * self.h;
                hermite(y0, y1, slope(d0), slope(d1), theta)
            }
        }
    }
}

/// A sum of numbers at one place of several arrays.
pub(crate) struct Sum {
    /// What the arrays before and after the step count.
    pub ends: [f64; 2],
    /// Other arrays, and what they count.
    pub others: Vec<(usize, f64)>,
}

impl Sum {
    /// The sum at place k of arrays of the parent's group.
    pub fn at(&self, engine: &Engine<f64>, k: usize, x: &[f64]) -> f64 {
        let layout = &engine.layout;
        let [before, after] = self.ends;
        let others = self
            .others
            .iter()
            .map(|&(base, weight)| weight * x[base + k]);
        before * x[layout.previous[0] + k] + after * x[layout.current[0] + k] + others.sum::<f64>()
    }

    /// The places of the numbers, with what they count.
    pub fn places(&self, engine: &Engine<f64>, k: usize) -> Vec<(usize, f64)> {
        let layout = &engine.layout;
        let ends = [layout.previous[0], layout.current[0]];
        let ends = ends.into_iter().zip(self.ends);
        let all = ends.chain(self.others.iter().copied());
        all.map(|(base, weight)| (base + k, weight)).collect()
    }
}

impl Inside {
    /// The solution at θ as a sum.
    pub fn sum(&self, engine: &Engine<f64>, theta: f64) -> Sum {
        let (x, b) = (theta, 1.0 - theta);
        match self.slopes {
            None => {
                let powers = engine.dense().iter().zip(1..);
                Sum {
                    ends: [1.0, 0.0],
                    others: powers.map(|(&at, p)| (at, x.powi(p))).collect(),
                }
            }
            Some([first, last]) => {
                let a = x + x * b * (x - b);
                Sum {
                    ends: [1.0 - a, a],
                    others: vec![(first, x * b * b * self.h), (last, -x * x * b * self.h)],
                }
            }
        }
    }

    /// Its derivative with respect to θ.
    pub fn slope(&self, engine: &Engine<f64>, theta: f64) -> Sum {
        let (x, b) = (theta, 1.0 - theta);
        match self.slopes {
            None => {
                let powers = engine.dense().iter().zip(1..);
                let slope = |(&at, p): (&usize, i32)| (at, f64::from(p) * x.powi(p - 1));
                Sum {
                    ends: [0.0, 0.0],
                    others: powers.map(slope).collect(),
                }
            }
            Some([first, last]) => {
                let a = 6.0 * x * b;
                Sum {
                    ends: [-a, a],
                    others: vec![
                        (first, b * (b - 2.0 * x) * self.h),
                        (last, x * (x - 2.0 * b) * self.h),
                    ],
                }
            }
        }
    }
}

/// The cubic with values y0, y1 and derivatives d0, d1 at 0 and 1.
pub(super) fn hermite(y0: f64, y1: f64, d0: f64, d1: f64, x: f64) -> f64 {
    let (a, b) = (y1 - y0, 1.0 - x);
    y0 + x * a + x * b * (b * (d0 - a) - x * (d1 - a))
}

/// The place between `low`, where the condition does not hold, and `high`, where it does, at which it begins to.
pub(super) fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    // 60 halvings reach the last bit.
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    0.5 * (low + high)
}
