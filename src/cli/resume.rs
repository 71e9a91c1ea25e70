//! `braincell resume`.

use super::job::{Job, prepare};
use super::order::Order;
use super::saved::Saved;
use super::{CliError, plugins};
use braincell::experiment::{Experiment, Precision};
use braincell::kernel::Storage;
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// The checkpoint file that `braincell run --checkpoint` wrote. It is kept up to date.
    checkpoint: PathBuf,
    /// Duration of the run as a whole, instead of the earlier one: in ms, or with a unit.
    #[arg(long, value_name = "MS", allow_hyphen_values = true)]
    tstop: Option<String>,
    /// Another file for the traces from the checkpoint on, .csv or .npz; the earlier file stays as it is. Without this
    /// option the earlier file goes on from where it was at the checkpoint.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Number of threads, instead of the earlier one; the results do not depend on it.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    threads: Option<String>,
    /// Print no summary and no progress.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    plugins: plugins::Options,
}

pub fn resume(arguments: &Arguments) -> Result<(), CliError> {
    let saved = Saved::read(&arguments.checkpoint)?;
    for file in &saved.files {
        file.check()?;
    }
    let mut order = saved.order.clone();
    if arguments.tstop.is_some() {
        order.resumed_tstop.clone_from(&arguments.tstop);
    }
    if arguments.threads.is_some() {
        order.threads.clone_from(&arguments.threads);
    }
    let mut experiment = Experiment::parse(&saved.text, &order.experiment)?;
    order.override_settings(&mut experiment)?;
    match experiment.run.precision() {
        Precision::Double => go_on::<f64>(arguments, saved, order, experiment),
        Precision::Single => go_on::<f32>(arguments, saved, order, experiment),
    }
}

/// Goes on in the precision of `F`.
fn go_on<F: Storage>(
    arguments: &Arguments,
    saved: Saved,
    mut order: Order,
    experiment: Experiment,
) -> Result<(), CliError> {
    let earlier = order.out.clone();
    let mut notes = Vec::new();
    let duration = experiment.run.duration.value;
    let interval = order.checkpoint_interval(duration)?;
    if let Some(tstop) = &order.resumed_tstop {
        notes.push(("resumed with".to_string(), format!("--tstop \"{tstop}\"")));
    }
    let mut marks = Some(&saved.marks[..]);
    if let Some(out) = &arguments.out {
        // The same file by its name goes on.
        if std::path::absolute(out).ok() != earlier {
            marks = None;
        }
        order.out = Some(out.clone());
    }
    let mut prepared = prepare::<F>(&order, experiment, &arguments.plugins)?;
    prepared.simulation.restore(&saved.state)?;
    let reached = prepared.simulation.time();
    if duration < reached * (1.0 - 1e-9) {
        return Err(CliError::Option {
            option: "--tstop",
            reason: format!("the checkpoint was taken at {reached} ms; give a later time"),
        });
    }
    if marks.is_none() {
        let before = earlier.map_or(String::new(), |path| {
            format!("; what came before is in {}", path.display())
        });
        notes.push(("resumed at".to_string(), format!("{reached} ms{before}")));
    }
    let checkpoint = (arguments.checkpoint.clone(), interval);
    let kept = (saved.digest, marks);
    Job::go_on(order, prepared, checkpoint, kept, notes, arguments.quiet)?.carry_out()
}
