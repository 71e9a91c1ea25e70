//! The steps of a run, piece by piece, as the simulation makes them.

use crate::engine::Clock;
use crate::simulation::adaptive::Stops;
use crate::simulation::kept::Place;
use crate::simulation::{ROUNDING, grid};
use std::ops::Range;

/// The steps of a tile.
pub(super) enum Steps {
    Fixed(Fixed),
    Adaptive(Adaptive),
}

/// Steps of one size.
pub(super) struct Fixed {
    step: f64,
    whole: u64,
    rest: f64,
    /// Samples are taken every so many steps.
    every: u64,
    jumps: Vec<f64>,
}

/// Steps of the sizes that an adaptive run has chosen.
pub(super) struct Adaptive {
    pub sizes: Vec<f64>,
    pub jumps: Vec<f64>,
    pub until: f64,
    /// Between samples.
    pub interval: f64,
    pub hit_samples: bool,
}

/// A step, before it is cut at jumps.
struct Uncut {
    begin: f64,
    end: f64,
    h: f64,
    /// Whether a sample is taken at its end.
    sampled: bool,
}

impl Uncut {
    /// From one time to another in it; the step begins at a place.
    fn piece(&self, place: &Place, number: u64, [t, stop]: [f64; 2]) -> Piece {
        let (first, last) = (t == self.begin, stop == self.end);
        Piece {
            t,
            h: if first && last { self.h } else { stop - t },
            within: t + 0.5 * (stop - t),
            number,
            first,
            last,
            rows: place.samples..place.samples + usize::from(last && self.sampled),
            inside: false,
        }
    }
}

/// A piece of a step, within which inputs are smooth.
#[derive(Clone)]
pub(super) struct Piece {
    pub t: f64,
    pub h: f64,
    pub within: f64,
    /// Number among all pieces of the run.
    pub number: u64,
    /// Whether it is the first and the last of its step.
    pub first: bool,
    pub last: bool,
    /// The samples that are taken from it.
    pub rows: Range<usize>,
    /// Whether samples and spikes are taken from the solution inside the step, before modules change it at the end.
    pub inside: bool,
}

impl Piece {
    /// The clock.
    pub fn clock(&self) -> Clock {
        Clock {
            t: self.t,
            h: self.h,
            within: self.within,
            number: self.number,
        }
    }

    /// The clock of a sample taken from it at time `t`.
    pub fn sampling(&self, t: f64) -> Clock {
        Clock {
            t,
            h: 0.0,
            within: self.within,
            number: 0,
        }
    }

    /// Where in the piece a time lies, from 0 to 1.
    pub fn theta(&self, time: f64) -> f64 {
        ((time - self.t) / self.h).clamp(0.0, 1.0)
    }
}

impl Steps {
    /// Number of steps.
    pub fn count(&self) -> u64 {
        match self {
            Steps::Fixed(fixed) => fixed.whole + u64::from(fixed.rest > 0.0),
            Steps::Adaptive(adaptive) => adaptive.sizes.len() as u64,
        }
    }

    /// The greatest number of pieces in a segment of so many steps: jumps cut some steps of fixed size.
    pub fn most_pieces(&self, segment: u64) -> u64 {
        match self {
            Steps::Fixed(fixed) => fixed.most_pieces(segment),
            Steps::Adaptive(_) => segment,
        }
    }

    /// The greatest number of samples in a segment of so many steps.
    pub fn most_samples(&self, segment: u64) -> u64 {
        match self {
            Steps::Fixed(fixed) => segment / fixed.every + 2,
            Steps::Adaptive(adaptive) => {
                let lengths = adaptive.sizes.chunks(segment.max(1) as usize);
                let longest = lengths.map(|sizes| sizes.iter().sum::<f64>());
                (longest.fold(0.0, f64::max) / adaptive.interval) as u64 + 2
            }
        }
    }

    /// Bytes of what is remembered of the steps.
    pub fn bytes(&self) -> usize {
        match self {
            Steps::Fixed(_) => 0,
            Steps::Adaptive(adaptive) => adaptive.sizes.capacity() * size_of::<f64>(),
        }
    }

    /// The pieces of the step that begins at a place, in order; the place moves to its end.
    pub fn pieces(&self, place: &mut Place, to: &mut Vec<Piece>) {
        to.clear();
        match self {
            Steps::Fixed(fixed) => fixed.pieces(place, to),
            Steps::Adaptive(adaptive) => to.push(adaptive.piece(place)),
        }
        place.step += 1;
        place.pieces += to.len() as u64;
        place.samples += to.iter().map(|piece| piece.rows.len()).sum::<usize>();
    }
}

impl Fixed {
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

    fn most_pieces(&self, segment: u64) -> u64 {
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

    /// How many steps before the beginning of step `step` are whole and have no jump in them or at their beginning.
    pub fn smooth_before(&self, step: u64) -> u64 {
        if step > self.whole {
            return 0;
        }
        let rounding = ROUNDING * self.step;
        let begin = |k: u64| k as f64 * self.step;
        let passed = self
            .jumps
            .partition_point(|&jump| jump <= begin(step) + rounding);
        passed.checked_sub(1).map_or(step, |last| {
            let jump = self.jumps[last];
            let mut first = (jump / self.step).max(0.0) as u64;
            while begin(first) <= jump + rounding {
                first += 1;
            }
            step.saturating_sub(first)
        })
    }

    /// The beginning of a step, but for the number of pieces before it.
    pub fn place(&self, step: u64) -> Place {
        Place {
            step,
            time: step as f64 * self.step,
            pieces: step,
            samples: 1 + (step / self.every) as usize,
        }
    }

    /// Whether a sample is taken at the end of a whole step.
    pub fn sampled(&self, step: u64) -> bool {
        (step + 1).is_multiple_of(self.every)
    }

    /// A whole step without a jump.
    pub fn piece(&self, step: u64) -> Piece {
        let (place, uncut) = (self.place(step), self.uncut(step));
        uncut.piece(&place, place.pieces, [uncut.begin, uncut.end])
    }

    /// A step; the one after the last whole one is shorter.
    fn uncut(&self, step: u64) -> Uncut {
        let begin = step.min(self.whole) as f64 * self.step;
        match step < self.whole {
            true => Uncut {
                begin,
                end: (step + 1) as f64 * self.step,
                h: self.step,
                sampled: self.sampled(step),
            },
            false => Uncut {
                begin,
                end: begin + self.rest,
                h: self.rest,
                sampled: self.every == 1,
            },
        }
    }

    fn pieces(&self, place: &Place, to: &mut Vec<Piece>) {
        let uncut = self.uncut(place.step);
        let rounding = ROUNDING * uncut.h;
        let mut t = uncut.begin;
        while t != uncut.end {
            let next = self.jumps.partition_point(|&jump| jump <= t + rounding);
            let next = self.jumps.get(next).copied().unwrap_or(f64::INFINITY);
            let stop = if next < uncut.end - rounding {
                next
            } else {
                uncut.end
            };
            to.push(uncut.piece(place, place.pieces + to.len() as u64, [t, stop]));
            t = stop;
        }
    }
}

impl Adaptive {
    fn piece(&self, place: &mut Place) -> Piece {
        let stops = Stops {
            until: self.until,
            jumps: &self.jumps,
            origin: 0.0,
            interval: self.interval,
            hit_samples: self.hit_samples,
        };
        let (t, first) = (place.time, place.samples);
        let (stop, _) = stops.after(t, first);
        let h = self.sizes[place.step as usize];
        let end = Stops::end(t, h, stop);
        let mut last = first;
        while stops.sample(last, end).is_some() {
            last += 1;
        }
        place.time = end;
        Piece {
            t,
            h,
            within: Stops::within(t, stop),
            number: place.pieces,
            first: true,
            last: true,
            rows: first..last,
            inside: true,
        }
    }
}
