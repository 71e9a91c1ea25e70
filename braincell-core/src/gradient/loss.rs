//! Losses: numbers computed from what a run leaves behind, with their derivatives.

use super::GradientError;
use crate::simulation::Recording;
use ndarray::Array2;

/// The derivatives of a loss with respect to what was recorded. They are zero to begin with.
#[derive(Clone, Debug, PartialEq)]
pub struct Cotangents {
    /// For each sample and column, as [`Recording::data`].
    pub traces: Array2<f64>,
    /// For each spike, as [`Recording::spikes`].
    pub spikes: Vec<Vec<f64>>,
}

impl Cotangents {
    pub(super) fn new(recording: &Recording) -> Self {
        let spikes = recording.spikes().iter();
        Self {
            traces: Array2::zeros(recording.data().raw_dim()),
            spikes: spikes.map(|train| vec![0.0; train.times.len()]).collect(),
        }
    }
}

/// A loss. Closures are losses:
///
/// ```
/// use braincell_core::gradient::{Cotangents, GradientError, Loss};
/// use braincell_core::simulation::Recording;
///
/// /// The last sample of the first column.
/// let last = |recording: &Recording, cotangents: &mut Cotangents| -> Result<f64, GradientError> {
///     let row = recording.times().len() - 1;
///     cotangents.traces[[row, 0]] = 1.0;
///     Ok(recording.data()[[row, 0]])
/// };
/// fn takes(_: &impl Loss) {}
/// takes(&last);
/// ```
pub trait Loss {
    /// The value; its derivatives go to `cotangents`.
    ///
    /// # Errors
    /// [`GradientError::Loss`] if it cannot be computed from this recording.
    fn evaluate(
        &self,
        recording: &Recording,
        cotangents: &mut Cotangents,
    ) -> Result<f64, GradientError>;
}

impl<F> Loss for F
where
    F: Fn(&Recording, &mut Cotangents) -> Result<f64, GradientError>,
{
    fn evaluate(
        &self,
        recording: &Recording,
        cotangents: &mut Cotangents,
    ) -> Result<f64, GradientError> {
        self(recording, cotangents)
    }
}

/// The number of a column of a recording.
fn column(recording: &Recording, name: &str) -> Result<usize, GradientError> {
    let found = recording.columns().iter().position(|c| c.name == name);
    found.ok_or_else(|| {
        let known: Vec<&str> = recording
            .columns()
            .iter()
            .map(|c| c.name.as_str())
            .collect();
        GradientError::Loss(format!(
            "\"{name}\" is not recorded; recorded are {}",
            known.join(", ")
        ))
    })
}

/// The mean of (x - target)² over the samples of a trace, the initial one left out.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanSquare {
    /// Name of the recorded column, such as "V".
    pub trace: String,
    /// One number for all samples, or one for each sample, the initial one included.
    pub target: Vec<f64>,
}

impl Loss for MeanSquare {
    fn evaluate(
        &self,
        recording: &Recording,
        cotangents: &mut Cotangents,
    ) -> Result<f64, GradientError> {
        let column = column(recording, &self.trace)?;
        let count = recording.times().len();
        if self.target.len() != 1 && self.target.len() != count {
            return Err(GradientError::Loss(format!(
                "the target of \"{}\" has {} samples, the run records {count}",
                self.trace,
                self.target.len()
            )));
        }
        let mut sum = 0.0;
        let n = count.saturating_sub(1).max(1) as f64;
        for k in 1..count {
            let target = self.target[if self.target.len() == 1 { 0 } else { k }];
            let difference = recording.data()[[k, column]] - target;
            sum += difference * difference;
            cotangents.traces[[k, column]] += 2.0 * difference / n;
        }
        Ok(sum / n)
    }
}

/// The mean of a trace over its samples, the initial one left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Mean {
    /// Name of the recorded column.
    pub trace: String,
}

impl Loss for Mean {
    fn evaluate(
        &self,
        recording: &Recording,
        cotangents: &mut Cotangents,
    ) -> Result<f64, GradientError> {
        let column = column(recording, &self.trace)?;
        let count = recording.times().len();
        let n = count.saturating_sub(1).max(1) as f64;
        let mut sum = 0.0;
        for k in 1..count {
            sum += recording.data()[[k, column]];
            cotangents.traces[[k, column]] += 1.0 / n;
        }
        Ok(sum / n)
    }
}

/// The greatest sample of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Peak {
    /// Name of the recorded column.
    pub trace: String,
}

impl Loss for Peak {
    fn evaluate(
        &self,
        recording: &Recording,
        cotangents: &mut Cotangents,
    ) -> Result<f64, GradientError> {
        let column = column(recording, &self.trace)?;
        let samples = recording.data().column(column);
        let peak = samples.iter().enumerate();
        let Some((k, x)) = peak.max_by(|a, b| a.1.total_cmp(b.1)) else {
            return Err(GradientError::Loss("nothing is recorded".to_string()));
        };
        cotangents.traces[[k, column]] += 1.0;
        Ok(*x)
    }
}

/// The time of a spike, ms, less a target; squared if asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikeTime {
    /// Name of the spike train, such as "V".
    pub train: String,
    /// Which spike, from 0.
    pub spike: usize,
    /// What is subtracted, ms.
    pub target: f64,
    /// Whether the loss is the square of the difference.
    pub squared: bool,
}

impl Loss for SpikeTime {
    fn evaluate(
        &self,
        recording: &Recording,
        cotangents: &mut Cotangents,
    ) -> Result<f64, GradientError> {
        let trains = recording.spikes();
        let Some(train) = trains.iter().position(|t| t.name == self.train) else {
            let known: Vec<&str> = trains.iter().map(|t| t.name.as_str()).collect();
            return Err(GradientError::Loss(format!(
                "spikes of \"{}\" are not detected; detected are those of {}",
                self.train,
                known.join(", ")
            )));
        };
        let Some(time) = trains[train].times.get(self.spike) else {
            return Err(GradientError::Loss(format!(
                "there is no spike {} of \"{}\", counted from 0: the run has {}",
                self.spike,
                self.train,
                trains[train].times.len()
            )));
        };
        let difference = time - self.target;
        let (value, slope) = match self.squared {
            true => (difference * difference, 2.0 * difference),
            false => (difference, 1.0),
        };
        cotangents.spikes[train][self.spike] += slope;
        Ok(value)
    }
}
