//! The result of a run.

use super::OutputError;

/// Traces over time, events, and where they came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Title of the run.
    pub title: String,
    /// Time of each sample, in ms.
    pub time: Vec<f64>,
    /// Traces, one value for each time.
    pub columns: Vec<Column>,
    /// Times of events, such as spikes.
    pub events: Vec<Events>,
    /// For a sweep, a row for each cell: see [`sweep_table`](super::sweep_table).
    pub sweep: Vec<Column>,
    /// Where the numbers came from.
    pub metadata: Metadata,
}

impl Table {
    /// Checks that every column has one value for each time.
    ///
    /// # Errors
    ///
    /// [`OutputError::Length`] names the first column that has not.
    pub fn check(&self) -> Result<(), OutputError> {
        let samples = self.time.len();
        match self.columns.iter().find(|c| c.values.len() != samples) {
            None => Ok(()),
            Some(column) => Err(OutputError::Length {
                column: column.name.clone(),
                values: column.values.len(),
                samples,
            }),
        }
    }
}

/// One trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// Name, such as `V`, `V[3]` or `na.m`.
    pub name: String,
    /// Unit of the values, such as `mV`; empty or `1` for a number without dimension.
    pub unit: String,
    /// Values at the times of the table.
    pub values: Vec<f64>,
}

/// Times of events of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    /// What the events are of; for spikes, the name of the column that they were found in.
    pub label: String,
    /// Times in ms.
    pub times: Vec<f64>,
}

/// Where the numbers of a table came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Version of the program, such as `0.1.0`.
    pub program_version: String,
    /// Full text of the experiment file.
    pub experiment: String,
    /// Name of the solver.
    pub solver: String,
    /// Time step in ms; nothing where the solver chose its steps.
    pub dt: Option<f64>,
    /// Whether the run reached its end.
    pub complete: bool,
    /// Why the run ended early.
    pub message: Option<String>,
}
