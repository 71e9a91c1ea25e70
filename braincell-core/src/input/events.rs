//! Sums of exponentials that start at events.

use super::InputError;
use std::sync::Arc;

/// The least distance of the two time constants of a double exponential, relative to the slower one. Closer ones
/// lose digits in the difference.
const LEAST_DISTANCE: f64 = 1e-4;

/// One exponential per event: Σ weight · exp(-(t - time) / tau) over the events until t.
#[derive(Clone)]
struct Decay {
    tau: f64,
    /// The sum right after each event.
    sums: Arc<[f64]>,
}

/// A train of events, each followed by an exponential, or by the difference of two.
#[derive(Clone)]
pub(super) struct Events {
    /// Times of the events, increasing.
    times: Arc<[f64]>,
    decay: Decay,
    /// What the value rises with.
    rise: Option<Decay>,
    scale: f64,
    problem: Option<InputError>,
}

impl Events {
    pub fn new(rise: Option<f64>, tau: f64, mut events: Vec<(f64, f64)>) -> Self {
        let problem = problem(rise, tau, &events);
        events.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut times: Vec<f64> = Vec::with_capacity(events.len());
        let mut weights: Vec<f64> = Vec::with_capacity(events.len());
        for (time, weight) in events {
            match (times.last(), weights.last_mut()) {
                (Some(&last), Some(sum)) if last == time => *sum += weight,
                _ => {
                    times.push(time);
                    weights.push(weight);
                }
            }
        }
        let decay = |tau: f64| {
            let (mut last, mut sum) = (f64::NAN, 0.0);
            let sums = times.iter().zip(&weights).map(|(&time, weight)| {
                if sum != 0.0 {
                    sum *= (-(time - last) / tau).exp();
                }
                sum += weight;
                last = time;
                sum
            });
            let sums = sums.collect();
            Decay { tau, sums }
        };
        let scale = rise.map_or(1.0, |rise| {
            let peak = rise * tau / (tau - rise) * (tau / rise).ln();
            1.0 / ((-peak / tau).exp() - (-peak / rise).exp())
        });
        Self {
            decay: decay(tau),
            rise: rise.map(decay),
            times: times.into(),
            scale,
            problem,
        }
    }

    pub fn check(&self) -> Result<(), InputError> {
        self.problem.clone().map_or(Ok(()), Err)
    }

    pub fn value_and_slope(&self, t: f64, within: f64) -> (f64, f64) {
        let past = self.times.partition_point(|&time| time <= within);
        let Some(last) = past.checked_sub(1) else {
            return (0.0, 0.0);
        };
        let at = |decay: &Decay| {
            let y = decay.sums[last] * (-(t - self.times[last]) / decay.tau).exp();
            (y, -y / decay.tau)
        };
        let (y, slope) = at(&self.decay);
        let (less, less_slope) = self.rise.as_ref().map_or((0.0, 0.0), at);
        (self.scale * (y - less), self.scale * (slope - less_slope))
    }

    pub fn next_jump(&self, t: f64) -> f64 {
        let next = self.times.partition_point(|&time| time <= t);
        self.times.get(next).copied().unwrap_or(f64::INFINITY)
    }
}

fn problem(rise: Option<f64>, tau: f64, events: &[(f64, f64)]) -> Option<InputError> {
    for (what, value) in [("the time constant", Some(tau)), ("the rise time", rise)] {
        let Some(value) = value else { continue };
        if !value.is_finite() {
            return Some(InputError::NotFinite { what, value });
        }
        if value <= 0.0 {
            return Some(InputError::NotPositive { what, value });
        }
    }
    if let Some(rise) = rise.filter(|rise| *rise > tau * (1.0 - LEAST_DISTANCE)) {
        return Some(InputError::Rise { rise, decay: tau });
    }
    let numbers = events
        .iter()
        .flat_map(|&(time, weight)| [("an event time", time), ("an event weight", weight)]);
    let mut bad = numbers.filter(|(_, value)| !value.is_finite());
    bad.next()
        .map(|(what, value)| InputError::NotFinite { what, value })
}
