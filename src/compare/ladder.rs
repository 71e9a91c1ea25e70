//! Which steps and tolerances are tried, and the sample times that they have in common.

use super::{CompareError, Step};
use crate::experiment::Experiment;
use crate::simulation::Stepping;

/// The default ladder has so many halvings below the experiment's own step, and doublings above it.
const HALVINGS: i32 = 3;
/// By default steps are so small that there are at least so many common sample times.
const LEAST_SAMPLES: f64 = 20.0;
/// The default tolerances, by powers of ten.
const TOLERANCES: std::ops::RangeInclusive<i32> = -8..=-3;
/// Two times are the same if they differ by this factor of their size.
const SAME: f64 = 1e-9;

/// Steps and tolerances from the coarsest to the finest, and the grid on which results are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    /// Time steps, ms, descending.
    pub steps: Vec<f64>,
    /// Relative tolerances, descending.
    pub tolerances: Vec<f64>,
    /// The experiment's own recording interval, ms: its step where it has none.
    pub own: f64,
    /// The interval of the sample times that all steps have in common, ms: a multiple of every step and of the experiment's
    /// own recording interval.
    pub interval: f64,
}

impl Ladder {
    /// The ladder for an experiment: the steps and tolerances given, or where neither is given, steps around that of
    /// the experiment and tolerances from 1e-3 to 1e-8.
    ///
    /// # Errors
    /// [`CompareError::NotPositive`], [`CompareError::EmptyLadder`], [`CompareError::NoCommonGrid`].
    pub fn new(
        experiment: &Experiment,
        steps: Option<&[f64]>,
        tolerances: Option<&[f64]>,
    ) -> Result<Self, CompareError> {
        let duration = experiment.run.duration.value;
        let every = experiment.run.every.as_ref().map(|every| every.value);
        let step = match experiment.run.stepping.value {
            Stepping::Fixed(dt) => dt,
            Stepping::Adaptive(_) => 0.5 * every.unwrap_or(0.01 * duration),
        };
        let own = every.unwrap_or(step);
        let steps_given = descending("a time step", steps.unwrap_or(&[]))?;
        let tolerances_given = descending("a tolerance", tolerances.unwrap_or(&[]))?;
        if steps.is_some_and(|s| s.is_empty()) && tolerances.is_none_or(|t| t.is_empty()) {
            return Err(CompareError::EmptyLadder(
                "the list of time steps is empty; give some, such as 0.1,0.05,0.025, or leave it out".to_string(),
            ));
        }
        if tolerances.is_some_and(|t| t.is_empty()) && steps_given.is_empty() {
            return Err(CompareError::EmptyLadder(
                "the list of tolerances is empty; give some, such as 1e-4,1e-6, or leave it out"
                    .to_string(),
            ));
        }
        if steps.is_none() && tolerances.is_none() {
            let mut coarsest = HALVINGS;
            loop {
                let powers = (-HALVINGS..=coarsest).rev();
                let steps: Vec<f64> = powers.map(|k| step * f64::from(k).exp2()).collect();
                let interval = common(&steps, own);
                let roomy = interval.filter(|i| i * LEAST_SAMPLES <= duration * (1.0 + SAME));
                let last = (coarsest == -HALVINGS).then_some(interval).flatten();
                if let Some(interval) = roomy.or(last) {
                    return Ok(Self {
                        steps,
                        tolerances: TOLERANCES.rev().map(|p| 10f64.powi(p)).collect(),
                        own,
                        interval,
                    });
                }
                if coarsest == -HALVINGS {
                    return Err(no_grid(&steps, own, duration));
                }
                coarsest -= 1;
            }
        }
        let interval = common(&steps_given, own);
        let interval = interval.filter(|interval| *interval <= duration * (1.0 + SAME));
        match interval {
            None => Err(no_grid(&steps_given, own, duration)),
            Some(interval) => Ok(Self {
                steps: steps_given,
                tolerances: tolerances_given,
                own,
                interval,
            }),
        }
    }

    /// A step that divides the experiment's own recording interval and is no larger than the finest step.
    pub(super) fn finest(&self) -> f64 {
        let finest = self.steps.last().copied().unwrap_or(0.5 * self.own);
        self.own / (self.own / finest - SAME).ceil().max(1.0)
    }

    /// The interval of the samples of a run, ms: the experiment's own, or the smallest multiple of it that the step hits.
    pub(super) fn interval_of(&self, step: Step) -> f64 {
        match step {
            Step::Tolerance(_) => self.own,
            Step::Fixed(dt) => common(&[dt], self.own).unwrap_or(self.interval),
        }
    }
}

fn no_grid(steps: &[f64], interval: f64, duration: f64) -> CompareError {
    let steps: Vec<String> = steps.iter().map(f64::to_string).collect();
    CompareError::NoCommonGrid {
        steps: steps.join(", "),
        interval,
        duration,
    }
}

/// Positive numbers in descending order, each once.
fn descending(what: &'static str, values: &[f64]) -> Result<Vec<f64>, CompareError> {
    if let Some(&value) = values.iter().find(|x| !(x.is_finite() && **x > 0.0)) {
        return Err(CompareError::NotPositive { what, value });
    }
    let mut values = values.to_vec();
    values.sort_by(|a, b| b.total_cmp(a));
    values.dedup();
    Ok(values)
}

/// The smallest common multiple of an interval and all steps.
fn common(steps: &[f64], interval: f64) -> Option<f64> {
    steps.iter().try_fold(interval, |interval, &step| {
        let mut multiples = (1..=10_000u32).map(|k| f64::from(k) * interval);
        multiples.find(|multiple| {
            let ratio = multiple / step;
            ratio > 0.5 && (ratio - ratio.round()).abs() <= SAME * ratio
        })
    })
}

/// How a step or tolerance is written.
pub(super) fn label(step: Step) -> String {
    match step {
        Step::Fixed(dt) => format!("{} ms", super::number(dt)),
        Step::Tolerance(tolerance) => format!("tol {tolerance:e}"),
    }
}
