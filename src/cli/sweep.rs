//! The table and the plot of a sweep.

use super::CliError;
use super::order::Order;
use braincell::experiment::Experiment;
use braincell::output::{self, Column, SweepPlot, Tally};
use braincell::simulation::Recording;
use std::path::{Path, PathBuf};

/// The file of the table, beside that of the traces: `traces.sweep.csv`.
fn beside(out: &Path) -> PathBuf {
    out.with_extension("sweep.csv")
}

/// Checks before the run that its results can be written.
pub fn check(order: &Order, experiment: &Experiment) -> Result<(), CliError> {
    let Some(sweep) = &experiment.sweep else {
        return match order.plot_sweep {
            None => Ok(()),
            Some(_) => Err(CliError::Option {
                option: "--plot-sweep",
                reason: "the experiment has no section [sweep], so that there is nothing to draw"
                    .to_string(),
            }),
        };
    };
    if let Some(out) = &order.out {
        output::check_write(beside(out))?;
    }
    if let Some(path) = &order.plot_sweep {
        output::check_sweep(sweep, path)?;
    }
    Ok(())
}

/// The table of a sweep at the end of a run that has reached `time`, ms; empty where there is no sweep.
pub fn table(experiment: &Experiment, names: &Recording, tally: &Tally, time: f64) -> Vec<Column> {
    let sweep = experiment.sweep.as_ref();
    sweep.map_or_else(Vec::new, |sweep| {
        output::sweep_table(sweep, names, tally, time)
    })
}

/// Writes what was asked for; returns the names of the files.
pub fn write(
    order: &Order,
    experiment: &Experiment,
    table: &[Column],
    message: Option<&str>,
) -> Result<Vec<String>, CliError> {
    let mut written = Vec::new();
    let Some(sweep) = &experiment.sweep else {
        return Ok(written);
    };
    if let Some(out) = &order.out {
        let path = beside(out);
        let mut comments = vec![format!("sweep: {}", experiment.title)];
        comments.extend(message.map(|message| format!("incomplete: {message}")));
        output::write_rows(table, &comments, &path)?;
        written.push(path.display().to_string());
    }
    if let (Some(path), Some(shown)) = (&order.plot_sweep, shown(table)) {
        let plot = SweepPlot {
            title: &experiment.title,
            sweep,
            label: match shown.name.as_str() {
                name if name.starts_with("rate") => "firing rate",
                name => name,
            },
            unit: &shown.unit,
            values: &shown.values,
        };
        output::plot_sweep(&plot, path)?;
        written.push(path.display().to_string());
    }
    Ok(written)
}

/// What is drawn: the firing rate where spikes are detected, else the greatest value of the first variable.
fn shown(table: &[Column]) -> Option<&Column> {
    let named = |start: &str| table.iter().find(|c| c.name.starts_with(start));
    named("rate").or_else(|| named("max_")).or(table.last())
}
