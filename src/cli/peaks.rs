//! The picture of a branched cell coloured by the peak of its potential.

use super::CliError;
use braincell::cells::MultiCompartment;
use braincell::experiment::Experiment;
use braincell::output::{self, Shape, Shown};
use braincell::simulation::{Record, Statistic};
use std::path::Path;

/// The statistics that are kept for the picture, after those that the experiment asks for.
pub struct Peaks {
    /// How many were added.
    added: usize,
}

impl Peaks {
    /// Keeps statistics of the potential of the first cell, where a picture is asked for.
    pub fn prepare(experiment: &mut Experiment, asked: bool) -> Result<Self, CliError> {
        if !asked {
            return Ok(Self { added: 0 });
        }
        let Some(cell) = &experiment.cell else {
            return Err(CliError::Option {
                option: "--plot-shape",
                reason: "the model is no branched cell, so that it has no shape; use --plot"
                    .to_string(),
            });
        };
        experiment.run.statistics.push(Record {
            variable: "V".to_string(),
            elements: Vec::new(),
            cells: vec![0],
        });
        let added = cell.discretisation().cvs().len();
        Ok(Self { added })
    }

    /// How many of `all` statistics the experiment asks for.
    pub fn asked(&self, all: usize) -> usize {
        all.saturating_sub(self.added)
    }

    /// Draws the picture.
    pub fn plot(
        &self,
        cell: &MultiCompartment,
        statistics: &[Statistic],
        title: &str,
        path: &Path,
    ) -> Result<(), CliError> {
        let peaks: Vec<f64> = statistics.iter().map(|s| s.max).collect();
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
