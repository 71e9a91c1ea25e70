//! How much memory a run takes.

use super::{ROUNDING, Simulation};
use crate::kernel::Storage;

/// Bytes that a run takes, besides the model itself and the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The states of all cells.
    pub states: usize,
    /// What tiles of cells are computed in, one after the other on each thread: parameters, states, the arrays of the
    /// solver, matrices.
    pub workspaces: usize,
    /// The samples of the whole run. [`Simulation::run_streamed`] keeps those of a part, if each part is drained.
    pub samples: usize,
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> usize {
        self.states
            .saturating_add(self.workspaces)
            .saturating_add(self.samples)
    }
}

impl<F: Storage> Simulation<F> {
    /// The memory that a run until `until`, ms, takes, in bytes. Spikes are not counted.
    pub fn memory(&self, until: f64) -> Memory {
        let number = size_of::<F>();
        let interval = self.plan.step * self.plan.every as f64;
        let samples = match self.plan.columns.len() {
            0 => 0.0,
            columns => {
                let rows = (until / interval + ROUNDING).floor() + 1.0;
                rows * (columns + 1) as f64 * size_of::<f64>() as f64
            }
        };
        Memory {
            states: self.tiles.iter().map(|t| t.states() * number).sum(),
            workspaces: self.crew.bytes(),
            // A number too large for the type saturates.
            samples: samples as usize,
        }
    }
}
