//! Runs whose samples are handed out while they go on.

use super::tile::Tile;
use super::{
    CheckpointError, Outcome, Progress, ROUNDING, Recording, RunError, Simulation, Statistic,
};
use crate::kernel::Storage;
use std::ops::ControlFlow;

/// A run between two of its parts.
pub struct Pause<'a, F: Storage = f64> {
    simulation: &'a mut Simulation<F>,
    progress: Progress,
}

impl<F: Storage> Pause<'_, F> {
    /// How far the run has come.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// See [`Simulation::drain`].
    pub fn drain(&mut self) -> Recording {
        self.simulation.drain()
    }

    /// See [`Simulation::statistics`].
    pub fn statistics(&self) -> Vec<Statistic> {
        self.simulation.statistics()
    }

    /// See [`Simulation::checkpoint`].
    ///
    /// # Errors
    /// As there.
    pub fn checkpoint(&self) -> Result<Vec<u8>, CheckpointError> {
        self.simulation.checkpoint()
    }
}

impl<F: Storage> Simulation<F> {
    /// Runs until time `until`, ms, in parts, and calls `sink` after each: several times a second, at least once in a
    /// million recorded numbers or so, and at the first step that reaches a multiple of `pause`, ms
    /// ([`f64::INFINITY`] for none). The sink takes what was recorded with [`Pause::drain`], so that memory stays bounded
    /// however long the run; it may take a checkpoint, and it may stop the run. Results do not depend on the parts.
    ///
    /// # Errors
    /// As [`Simulation::run`]. What was recorded since the last call of the sink can still be drained.
    pub fn run_streamed(
        &mut self,
        until: f64,
        pause: f64,
        sink: &mut dyn FnMut(Pause<F>) -> ControlFlow<()>,
    ) -> Result<Outcome, RunError> {
        let mut hand_out = |simulation: &mut Simulation<F>, progress| {
            sink(Pause {
                simulation,
                progress,
            })
        };
        F::go(self, until, pause, true, &mut hand_out)
    }

    /// Hands out what was recorded since the last call and forgets it: all samples, and the spikes before the last of
    /// them, or where nothing but spikes is recorded, before the time reached. So whatever is handed out is earlier than
    /// all that follows. What remains after the end of a run is in [`Simulation::recording`]. The counters count from the
    /// beginning of the run.
    pub fn drain(&mut self) -> Recording {
        let mut recording = self.recording();
        let until = match self.plan.columns.is_empty() {
            true => self.time(),
            false => self.times.last().copied().unwrap_or(f64::NEG_INFINITY),
        };
        for train in &mut recording.spikes {
            train.times.retain(|&t| t < until);
        }
        for tile in &mut self.tiles {
            tile.forget(self.times.len(), until);
        }
        self.drained += self.times.len();
        self.times.clear();
        recording
    }
}

impl<F: Storage> Tile<F> {
    /// Forgets the first `samples` samples, and spikes before `time`.
    pub fn forget(&mut self, samples: usize, time: f64) {
        self.data.drain(..samples * self.columns.len());
        for detector in &mut self.detectors {
            let count = detector.times.partition_point(|&t| t < time);
            detector.times.drain(..count);
        }
    }
}

/// The first multiple of `pause` after `time`.
pub(super) fn next_pause(time: f64, pause: f64) -> f64 {
    // Negative and NaN as well.
    if !(pause.is_finite() && pause > 0.0) {
        return f64::INFINITY;
    }
    ((time / pause + ROUNDING).floor() + 1.0) * pause
}

#[cfg(test)]
mod tests {
    use super::super::grid;

    #[test]
    fn ends_on_the_grid_are_recognised_however_far() {
        for step in [0.025, 0.1, 0.3, 1.0 / 3.0f64] {
            for steps in [1.0, 3.0, 1e5, 123_456_789.0, 7e12f64] {
                let until = steps * step;
                for until in [until, until.next_up(), until.next_down()] {
                    assert_eq!(grid(0.0, step, until), (steps, 0.0), "{step} {steps}");
                }
            }
        }
        assert_eq!(grid(0.0, 0.25, 1.1).0, 4.0);
        assert!((grid(0.0, 0.25, 1.1).1 - 0.1).abs() < 1e-15);
        assert_eq!(grid(2.0, 0.25, 2.0), (0.0, 0.0));
    }
}
