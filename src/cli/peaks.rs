//! The picture of a branched cell coloured by the peak of its potential.

use super::CliError;
use super::run::Arguments;
use braincell::cells::MultiCompartment;
use braincell::experiment::Experiment;
use braincell::output::{self, Shape, Shown};
use braincell::simulation::{Record, Recording};
use std::path::Path;

/// What is recorded for the picture, after what the experiment records.
pub struct Peaks {
    /// Columns that were added.
    added: usize,
}

impl Peaks {
    /// Records the potential of the first cell, where a picture is asked for.
    pub fn prepare(experiment: &mut Experiment, arguments: &Arguments) -> Result<Self, CliError> {
        if arguments.plot_shape.is_none() {
            return Ok(Self { added: 0 });
        }
        let Some(cell) = &experiment.cell else {
            return Err(CliError::Option {
                option: "--plot-shape",
                reason: "the model is no branched cell, so that it has no shape; use --plot"
                    .to_string(),
            });
        };
        experiment.run.records.push(Record {
            variable: "V".to_string(),
            elements: Vec::new(),
            cells: vec![0],
        });
        let added = cell.discretisation().cvs().len();
        Ok(Self { added })
    }

    /// The number of columns that the experiment asks for.
    pub fn asked(&self, recording: &Recording) -> usize {
        recording.columns().len() - self.added
    }

    /// Draws the picture.
    pub fn plot(
        &self,
        cell: &MultiCompartment,
        recording: &Recording,
        title: &str,
        path: &Path,
    ) -> Result<(), CliError> {
        let traces = recording.traces().skip(self.asked(recording));
        let peaks = traces.map(|trace| trace.values.iter().copied().fold(f64::MIN, f64::max));
        let peaks: Vec<f64> = peaks.collect();
        let of = cell.discretisation();
        let shape = Shape {
            title,
            morphology: of.morphology(),
            shown: Shown::Values {
                of,
                values: &peaks,
                label: "peak V [mV]",
            },
        };
        Ok(output::plot_shape(&shape, path)?)
    }
}
