//! Steps whose size follows the error estimate.

use super::error::{RunError, StepsExhausted};
use super::failure::Failure;
use super::inside::Inside;
use super::tile::Tile;
use super::tolerances::{Tolerances, keeps_the_worse};
use crate::engine::{Clock, Engine, Workspace};
use crate::kernel::Storage;
use crate::model::Model;
use crate::stepper::SolverInfo;
use std::sync::Arc;

/// The controller's memory.
#[derive(Clone, Debug)]
pub(crate) struct Controller {
    /// Time reached.
    pub t: f64,
    /// The step to try next; 0 before the first.
    pub(super) h: f64,
    /// The error of the last accepted step.
    pub(super) last_error: f64,
    pub(super) just_rejected: bool,
    /// Trial steps in succession that left the bounds.
    pub(super) unsound: u32,
    pub accepted: u64,
    pub rejected: u64,
    /// How often each state had the greatest error.
    pub(super) limiting: Vec<u64>,
    pub(super) smallest: f64,
}

impl Controller {
    pub fn new(states: usize) -> Self {
        Self {
            t: 0.0,
            h: 0.0,
            last_error: 1e-4,
            just_rejected: false,
            unsound: 0,
            accepted: 0,
            rejected: 0,
            limiting: vec![0; states],
            smallest: f64::INFINITY,
        }
    }
}

/// What an adaptive advance aims at.
#[derive(Clone, Copy)]
pub(crate) struct Goal<'a> {
    /// The advance ends when this time is reached or passed.
    pub target: f64,
    /// The run ends exactly here.
    pub until: f64,
    /// Jumps of the inputs, sorted, all of them before `until`.
    pub jumps: &'a [f64],
    /// Sample k is taken at origin + k · interval.
    pub origin: f64,
    pub interval: f64,
    pub tolerances: &'a Tolerances,
    pub info: &'a SolverInfo,
}

/// Where the step sizes of an adaptive run come from.
pub(crate) enum Sizes {
    /// They follow the error estimate.
    Chosen,
    /// They follow the error estimate and are written down.
    Recorded(Vec<f64>),
    /// They are those of an earlier run.
    Given(Arc<[f64]>),
}

/// The times that steps must not pass.
#[derive(Clone, Copy)]
pub(crate) struct Stops<'a> {
    pub until: f64,
    pub jumps: &'a [f64],
    /// Sample k is taken at origin + k · interval.
    pub origin: f64,
    pub interval: f64,
    /// Whether steps end at samples too.
    pub hit_samples: bool,
}

impl Stops<'_> {
    /// The first one after time `t`, when so many samples have been taken, and whether it is a jump.
    pub fn after(&self, t: f64, samples: usize) -> (f64, bool) {
        let rounding = 1e-12 * t.abs().max(self.until.abs());
        let next = self.jumps.partition_point(|&jump| jump <= t + rounding);
        let jump = self.jumps.get(next).copied();
        let mut stop = jump.unwrap_or(self.until).min(self.until);
        if self.hit_samples {
            let sample = self.origin + samples as f64 * self.interval;
            if sample > t + rounding {
                stop = stop.min(sample);
            }
        }
        (stop, jump == Some(stop))
    }

    /// The time of sample `k`, if it lies before the end of a step.
    pub fn sample(&self, k: usize, end: f64) -> Option<f64> {
        let time = self.origin + k as f64 * self.interval;
        let beyond = time > end + 1e-12 * end.abs() || time > self.until + 1e-9 * self.interval;
        (!beyond).then_some(time)
    }

    /// Where a step of size `h` from time `t` ends that does not pass `stop`: at that very number if it reaches it.
    pub fn end(t: f64, h: f64, stop: f64) -> f64 {
        if h == stop - t { stop } else { t + h }
    }

    /// A time inside the smooth piece of the inputs between `t` and the stop after it.
    pub fn within(t: f64, stop: f64) -> f64 {
        t + 1e-3 * (stop - t)
    }
}

impl Goal<'_> {
    fn stops(&self) -> Stops<'_> {
        Stops {
            until: self.until,
            jumps: self.jumps,
            origin: self.origin,
            interval: self.interval,
            hit_samples: self.tolerances.hit_samples,
        }
    }
}

/// Bounds for the change of the step size, and its safety factor.
const SHRINK: f64 = 0.2;
const GROW: f64 = 5.0;
const SAFETY: f64 = 0.9;
/// A step is made smaller so many times because a value leaves its bounds.
const MOST_UNSOUND: u32 = 20;
impl<F: Storage> Tile<F> {
    /// Advances until the target.
    pub fn advance(&mut self, engine: &Engine<F>, goal: Goal, w: &mut Workspace<F>) {
        if self.failure.is_some() {
            return;
        }
        self.load(engine, w);
        w.work = Default::default();
        // The error of one step is of this order in h.
        let embedded = goal.info.embedded_order.unwrap_or(goal.info.order);
        let exponent = 1.0 / f64::from(1 + embedded.min(goal.info.order));
        // The errors of all steps add up. A method that goes on with the better of its two solutions makes up for that;
        // one that goes on with the other, of order p, needs steps with errors of tolerance^(1 + 1/p) for an error in
        // proportion to the tolerance at the end.
        let strictness = if keeps_the_worse(goal.info) {
            goal.tolerances
                .relative
                .powf(-1.0 / f64::from(goal.info.order))
        } else {
            1.0
        };
        let budget = goal.tolerances.max_steps;
        let stops = goal.stops();
        while self.controller.t < goal.target {
            let t = self.controller.t;
            let (stop, jumps) = stops.after(t, self.samples);
            let within = Stops::within(t, stop);
            let given = match &self.sizes {
                Sizes::Given(sizes) => sizes.get(self.controller.accepted as usize).copied(),
                _ => None,
            };
            if let Some(h) = given {
                let clock = Clock {
                    t,
                    h,
                    within,
                    number: self.controller.accepted,
                };
                let end = Stops::end(t, h, stop);
                engine.keep_beginning(w);
                if engine.advance(self.first, &clock, w).is_err() {
                    self.fail(engine, clock, w);
                    break;
                }
                if !self.complete(engine, stops, clock, end, w) {
                    break;
                }
                self.controller.accepted += 1;
                self.controller.t = end;
                self.watch(engine, end, within, w);
                continue;
            }
            if self.controller.h == 0.0 {
                self.controller.h = self.first_step(engine, goal, t, within, w);
                self.controller.last_error = 1e-4;
            }
            let wanted = self.controller.h.min(goal.tolerances.max_step);
            // A step that would leave a tiny rest takes it along; two equal steps are better than a long and a short.
            let left = stop - t;
            let (h, hits) = if wanted >= left * (1.0 - 1e-9) {
                (left, true)
            } else if wanted > 0.5 * left {
                (0.5 * left, false)
            } else {
                (wanted, false)
            };
            let attempts = self.controller.accepted + self.controller.rejected;
            if attempts >= budget || (h < 8.0 * f64::EPSILON * t.abs().max(1e-300) && !hits) {
                self.failure = Some(Failure::exhausted(t, h, attempts));
                break;
            }
            let clock = Clock {
                t,
                h,
                within,
                number: attempts,
            };
            engine.keep_beginning(w);
            let advanced = engine.advance(self.first, &clock, w);
            // A trial step that leaves the bounds is tried again with a smaller step, as often as that may help.
            let sound = advanced.is_ok() && engine.is_sound(&w.arena);
            if advanced.is_ok() && !sound && self.controller.unsound >= MOST_UNSOUND {
                self.fail(engine, clock, w);
                break;
            }
            self.controller.unsound = match sound || advanced.is_err() {
                true => 0,
                false => self.controller.unsound + 1,
            };
            let error = match sound {
                true => strictness * self.error(engine, goal.tolerances, w),
                false => f64::INFINITY,
            };
            let c = &mut self.controller;
            // NaN counts as too large.
            if error.is_nan() || error > 1.0 {
                c.rejected += 1;
                let factor = if error.is_finite() {
                    (SAFETY * error.powf(-exponent)).max(SHRINK)
                } else {
                    0.25
                };
                c.h = h * factor.min(0.9);
                c.just_rejected = true;
                restore(engine, w);
                continue;
            }
            let end = if hits { stop } else { t + h };
            if !self.complete(engine, stops, clock, end, w) {
                break;
            }
            if let Sizes::Recorded(sizes) = &mut self.sizes {
                sizes.push(h);
            }
            let c = &mut self.controller;
            c.accepted += 1;
            c.smallest = c.smallest.min(h);
            let error = error.max(1e-10);
            let mut factor =
                SAFETY * error.powf(-0.7 * exponent) * c.last_error.powf(0.4 * exponent);
            factor = factor.clamp(SHRINK, if c.just_rejected { 1.0 } else { GROW });
            c.last_error = error.max(1e-4);
            c.just_rejected = false;
            // A step cut short by a stop says little about the size of the next.
            c.h = if hits {
                wanted.max(h * factor)
            } else {
                h * factor
            };
            c.t = end;
            if hits && jumps {
                c.h = 0.0;
            }
            self.watch(engine, end, clock.within, w);
        }
        self.keep(engine, w);
    }

    /// Takes samples and spikes of a step that counts, and lets modules end it. Samples and spikes lie on the solution before
    /// modules change it. Whether the state is sound then; if not, the run has failed.
    fn complete(
        &mut self,
        engine: &Engine<F>,
        stops: Stops,
        clock: Clock,
        end: f64,
        w: &mut Workspace<F>,
    ) -> bool {
        self.sample_inside(engine, stops, clock, end, w);
        engine.finish(self.first, &clock, w);
        let sound = engine.is_sound(&w.arena);
        if !sound {
            self.fail(engine, clock, w);
        }
        sound
    }

    /// Ends the run in front of a step, with a report on the state that it leads to.
    fn fail(&mut self, engine: &Engine<F>, clock: Clock, w: &mut Workspace<F>) {
        let reason = self.examine(engine, &w.arena);
        self.failure = Some(Failure::new(self.controller.accepted, clock, reason));
        restore(engine, w);
    }

    /// A step size for which an explicit Euler step changes the solution by a hundredth of its size.
    ///
    /// E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., Springer 1993, section
    /// II.4, doi:10.1007/978-3-540-78862-1.
    fn first_step(
        &mut self,
        engine: &Engine<F>,
        goal: Goal,
        t: f64,
        within: f64,
        w: &mut Workspace<F>,
    ) -> f64 {
        if let (Some(h), true) = (goal.tolerances.first_step, self.controller.accepted == 0) {
            return h;
        }
        let clock = Clock {
            t,
            h: 0.0,
            within,
            number: 0,
        };
        let slope = engine.slope(1, self.first, clock, w);
        let layout = &engine.layout;
        let (mut d0, mut d1, mut count) = (0.0, 0.0, 0usize);
        for (info, plane) in layout.model.states.iter().zip(&layout.states) {
            if info.group != 0 {
                continue;
            }
            let absolute = goal.tolerances.absolute(info.state.part);
            for k in plane.range() {
                let y = w.arena[layout.current[0] + k].to_f64();
                let scale = absolute + goal.tolerances.relative * y.abs();
                d0 += (y / scale).powi(2);
                d1 += (w.arena[slope + k].to_f64() / scale).powi(2);
                count += 1;
            }
        }
        let (d0, d1) = ((d0 / count as f64).sqrt(), (d1 / count as f64).sqrt());
        if d0 < 1e-5 || d1 < 1e-5 {
            1e-6
        } else {
            0.01 * d0 / d1
        }
    }

    /// The norm of the error estimate; 1 is the tolerance.
    fn error(&mut self, engine: &Engine<F>, tolerances: &Tolerances, w: &Workspace<F>) -> f64 {
        let layout = &engine.layout;
        let Some(estimate) = engine.error() else {
            return f64::INFINITY;
        };
        let (mut sum, mut count, mut worst) = (0.0, 0usize, (0.0, 0));
        for (s, (info, plane)) in layout.model.states.iter().zip(&layout.states).enumerate() {
            if info.group != 0 {
                continue;
            }
            let absolute = tolerances.absolute(info.state.part);
            for k in plane.range() {
                let before = w.arena[layout.previous[0] + k].to_f64().abs();
                let after = w.arena[layout.current[0] + k].to_f64().abs();
                let scale = absolute + tolerances.relative * before.max(after);
                let e = w.arena[estimate + k].to_f64().abs() / scale;
                sum += e * e;
                count += 1;
                if e > worst.0 {
                    worst = (e, s);
                }
            }
        }
        self.controller.limiting[worst.1] += 1;
        (sum / count as f64).sqrt()
    }

    /// Takes the samples and finds the spikes in a step just made.
    fn sample_inside(
        &mut self,
        engine: &Engine<F>,
        stops: Stops,
        clock: Clock,
        end: f64,
        w: &mut Workspace<F>,
    ) {
        let layout = &engine.layout;
        let samples = stops.sample(self.samples, end).is_some();
        if !samples && !self.may_cross(engine, w) {
            return;
        }
        let inside = Inside::new(engine, self.first, clock, w);
        for detector in &mut self.detectors {
            let (place, threshold) = (detector.place, detector.threshold);
            inside.crossings(engine, (place, threshold), w, |theta| {
                detector.times.push(clock.t + theta * clock.h);
            });
        }
        // The state at the end is put back after samples have been taken from inside.
        let mut moved = false;
        while let Some(time) = stops.sample(self.samples, end) {
            let theta = ((time - clock.t) / clock.h).clamp(0.0, 1.0);
            if theta < 1.0 || moved {
                if !moved {
                    w.saved
                        .copy_from_slice(&w.arena[layout.all_current.range()]);
                    moved = true;
                }
                for k in 0..layout.all_current.len {
                    let x = if theta == 1.0 {
                        w.saved[k].to_f64()
                    } else if k < layout.group_len[0] {
                        w.arena[layout.current[0] + k] = w.saved[k];
                        inside.value(engine, k, theta, w)
                    } else {
                        // Of states with a solver of their own only both ends are known.
                        let before = w.arena[layout.all_previous.offset + k].to_f64();
                        before + theta * (w.saved[k].to_f64() - before)
                    };
                    w.inside[k] = F::from_f64(x);
                }
                w.arena[layout.all_current.range()].copy_from_slice(&w.inside);
            }
            self.sample(engine, time, clock.within, w);
            if moved {
                w.arena[layout.all_current.range()].copy_from_slice(&w.saved);
            }
        }
    }

    /// Whether a threshold may have been crossed in the step just made.
    pub fn may_cross(&self, engine: &Engine<F>, w: &Workspace<F>) -> bool {
        let layout = &engine.layout;
        self.detectors.iter().any(|d| {
            let at = |base: usize| w.arena[base + d.place].to_f64();
            at(layout.previous[0]) < d.threshold || at(layout.current[0]) >= d.threshold
        })
    }

    /// The report on a run that needs too many steps.
    pub(super) fn exhausted(
        &self,
        model: &Model,
        engine: &Engine<F>,
        info: &SolverInfo,
        stiff: &[String],
        w: &mut Workspace<F>,
        (time, h, attempts): (f64, f64, u64),
    ) -> RunError {
        self.load(engine, w);
        let clock = Clock {
            t: time,
            h: 0.0,
            within: time,
            number: 0,
        };
        let rate = engine.fastest_rate(self.first, clock, w);
        let limiting = self.controller.limiting.iter().enumerate();
        let most = limiting.max_by_key(|(_, count)| **count);
        let (state, share) = most.map_or((0, 0.0), |(s, &count)| {
            let all: u64 = self.controller.limiting.iter().sum();
            (s, count as f64 / all.max(1) as f64)
        });
        RunError::StepsExhausted(Box::new(StepsExhausted {
            solver: info.name.clone(),
            time,
            h,
            smallest: self.controller.smallest,
            attempts,
            rejected: self.controller.rejected,
            limiting: model.states[state].state.name.clone(),
            share,
            fastest_rate: rate,
            stability_limit: info.properties.real_stability_limit,
            cell: self.first,
            stiff: stiff.to_vec(),
        }))
    }
}

/// Goes back to the state before the step.
fn restore<F: Storage>(engine: &Engine<F>, w: &mut Workspace<F>) {
    let layout = &engine.layout;
    w.arena
        .copy_within(layout.all_previous.range(), layout.all_current.offset);
}
