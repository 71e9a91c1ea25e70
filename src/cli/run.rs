//! `braincell run`.

use super::job::{Job, prepare};
use super::order::Order;
use super::{CliError, plugins};
use braincell::experiment::{Experiment, Precision};
use braincell::kernel::Storage;
use braincell::output;
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// The experiment file (TOML).
    experiment: PathBuf,
    /// Solver, instead of that of the file: "rk4", "rk2(alpha=0.5)".
    #[arg(long, value_name = "NAME")]
    solver: Option<String>,
    /// Time step, instead of that of the file: in ms, or with a unit.
    #[arg(long, value_name = "MS", allow_hyphen_values = true)]
    dt: Option<String>,
    /// Relative tolerance by which the solver chooses its steps, instead of a fixed time step.
    #[arg(
        long,
        value_name = "X",
        conflicts_with = "dt",
        allow_hyphen_values = true
    )]
    tolerance: Option<String>,
    /// Duration, instead of that of the file: in ms, or with a unit.
    #[arg(long, value_name = "MS", allow_hyphen_values = true)]
    tstop: Option<String>,
    /// Precision, instead of that of the file: single or double.
    #[arg(long, value_name = "NAME")]
    precision: Option<String>,
    /// Number of threads, instead of that of the file or one for each core; the results do not depend on it.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    threads: Option<String>,
    /// Recording interval, instead of that of the file: in ms, or with a unit.
    #[arg(long, value_name = "MS", allow_hyphen_values = true)]
    interval: Option<String>,
    /// File for the recorded traces: .csv or .npz. The table of a sweep goes beside it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// File for a plot of the recorded traces: .svg or .png.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// File for a plot of the firing rate, or of the greatest value, over what a sweep tries: .svg or .png.
    #[arg(long, value_name = "FILE")]
    plot_sweep: Option<PathBuf>,
    /// File for a picture of a branched cell, coloured by the peak of its potential: .svg or .png.
    #[arg(long, value_name = "FILE")]
    plot_shape: Option<PathBuf>,
    /// File for checkpoints, from which `braincell resume` goes on if the run is killed.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Time of the model between two checkpoints: in ms, or with a unit; by default a hundredth of the run.
    #[arg(
        long,
        value_name = "MS",
        requires = "checkpoint",
        allow_hyphen_values = true
    )]
    every: Option<String>,
    /// Print no summary and no progress.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    plugins: plugins::Options,
}

impl Arguments {
    fn order(&self) -> Order {
        Order {
            experiment: self.experiment.clone(),
            solver: self.solver.clone(),
            dt: self.dt.clone(),
            tolerance: self.tolerance.clone(),
            tstop: self.tstop.clone(),
            precision: self.precision.clone(),
            threads: self.threads.clone(),
            interval: self.interval.clone(),
            out: self.out.clone(),
            plot: self.plot.clone(),
            plot_sweep: self.plot_sweep.clone(),
            plot_shape: self.plot_shape.clone(),
            every: self.every.clone(),
            ..Order::default()
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    let order = arguments.order();
    let mut experiment = Experiment::read(&order.experiment)?;
    order.override_settings(&mut experiment)?;
    match experiment.run.precision() {
        Precision::Double => begin::<f64>(arguments, order, experiment),
        Precision::Single => begin::<f32>(arguments, order, experiment),
    }
}

/// Runs the experiment in the precision of `F`.
fn begin<F: Storage>(
    arguments: &Arguments,
    order: Order,
    experiment: Experiment,
) -> Result<(), CliError> {
    let interval = order.checkpoint_interval(experiment.run.duration.value)?;
    let prepared = prepare::<F>(&order, experiment, &arguments.plugins)?;
    if let Some(path) = &arguments.checkpoint {
        output::check_bytes(path)?;
    }
    let checkpoint = arguments.checkpoint.clone().map(|path| (path, interval));
    Job::begin(order, prepared, checkpoint, arguments.quiet)?.carry_out()
}
