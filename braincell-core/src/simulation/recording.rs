//! What a run leaves behind.

use super::plan::Variable;
use crate::engine::Layout;
use crate::model::{ModelError, unknown};
use ndarray::{Array2, ArrayView1};

/// A recorded column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name: "V", "V\[3\]" at element 3, "V#7" in cell 7 of a population, "V\[3\]#7".
    pub name: String,
    /// Unit.
    pub unit: String,
    /// The state or signal.
    pub variable: String,
    /// The element.
    pub element: usize,
    /// The cell.
    pub cell: usize,
}

/// A recorded column with its samples.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    /// What it is.
    pub column: &'a Column,
    /// The samples, at [`Recording::times`].
    pub values: ArrayView1<'a, f64>,
}

/// Times at which a variable crossed its threshold upwards.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikeTrain {
    /// Name, as that of a column.
    pub name: String,
    /// The element.
    pub element: usize,
    /// The cell.
    pub cell: usize,
    /// Times, ms.
    pub times: Vec<f64>,
}

/// The work done, summed over all tiles of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Steps, rejected ones not counted.
    pub steps: u64,
    /// Steps that an adaptive run rejected.
    pub rejected: u64,
    /// Evaluations of the right-hand side by the step program.
    pub right_hand_sides: u64,
    /// Newton iterations.
    pub newton_iterations: u64,
    /// Jacobians computed in Newton iterations.
    pub jacobians: u64,
    /// Factorisations of the linear systems of a tile.
    pub factorisations: u64,
}

/// Samples, spikes and counters of a run.
#[derive(Clone, Debug)]
pub struct Recording {
    times: Vec<f64>,
    data: Array2<f64>,
    columns: Vec<Column>,
    pub(super) spikes: Vec<SpikeTrain>,
    counters: Counters,
}

impl Recording {
    pub(super) fn new(
        times: Vec<f64>,
        data: Array2<f64>,
        columns: Vec<Column>,
        spikes: Vec<SpikeTrain>,
        counters: Counters,
    ) -> Self {
        Self {
            times,
            data,
            columns,
            spikes,
            counters,
        }
    }

    /// Times of the samples, ms. The first is the beginning of the run.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// All samples: times × columns.
    pub fn data(&self) -> &Array2<f64> {
        &self.data
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// All traces, in the order of recording.
    pub fn traces(&self) -> impl Iterator<Item = Trace<'_>> {
        let columns = self.columns.iter().zip(self.data.columns());
        columns.map(|(column, values)| Trace { column, values })
    }

    /// The samples of the column of that name.
    ///
    /// # Errors
    /// [`ModelError::Unknown`].
    pub fn trace(&self, name: &str) -> Result<ArrayView1<'_, f64>, ModelError> {
        match self.columns.iter().position(|c| c.name == name) {
            Some(column) => Ok(self.data.column(column)),
            None => {
                let known: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
                Err(unknown("variable", name, &known))
            }
        }
    }

    /// Spike trains, in the order of detection.
    pub fn spikes(&self) -> &[SpikeTrain] {
        &self.spikes
    }

    /// The work done.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}

/// Where in the arena of the tile that begins with cell `first` a recorded number is.
pub(super) fn place(layout: &Layout, first: usize, column: &Column, variable: Variable) -> usize {
    let (offset, uniform) = match variable {
        Variable::State(s) => {
            let group = layout.model.states[s].group;
            (layout.current[group] + layout.states[s].offset, false)
        }
        Variable::Signal(s) => (layout.signals[s].offset, layout.signals[s].len == 1),
    };
    let inside = column.element * layout.lanes + column.cell - first;
    offset + if uniform { 0 } else { inside }
}
