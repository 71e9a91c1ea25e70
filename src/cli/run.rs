//! `braincell run`.

use super::peaks::Peaks;
use super::progress::Watch;
use super::summary::{Summary, summary};
use super::{CliError, complain, plugins, print, sweep};
use braincell::experiment::{Experiment, Given, Precision};
use braincell::kernel::Storage;
use braincell::output::{self, Column, Events, Metadata, Table};
use braincell::registry::Registry;
use braincell::simulation::{Outcome, Recording, Simulation, Stepping, Tolerances};
use braincell::stepper::Parts;
use braincell::units::parse_in;
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
    every: Option<String>,
    /// File for the recorded traces: .csv or .npz. The table of a sweep goes beside it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// File for a plot of the recorded traces: .svg or .png.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// File for a plot of the firing rate, or of the greatest value, over what a sweep tries: .svg or .png.
    #[arg(long, value_name = "FILE")]
    pub plot_sweep: Option<PathBuf>,
    /// File for a picture of a branched cell, coloured by the peak of its potential: .svg or .png.
    #[arg(long, value_name = "FILE")]
    pub plot_shape: Option<PathBuf>,
    /// Print no summary and no progress.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    plugins: plugins::Options,
}

pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    let mut experiment = Experiment::read(&arguments.experiment)?;
    override_settings(&mut experiment, arguments)?;
    let peaks = Peaks::prepare(&mut experiment, arguments)?;
    let registry = arguments.plugins.registry(&experiment.run.plugins)?;
    match experiment.run.precision() {
        Precision::Double => {
            let simulation = experiment.start_in::<f64>(&registry)?;
            finish(arguments, &experiment, &registry, simulation, &peaks)
        }
        Precision::Single => {
            let simulation = experiment.start_in::<f32>(&registry)?;
            finish(arguments, &experiment, &registry, simulation, &peaks)
        }
    }
}

/// Runs what has been prepared, and writes and tells its results.
fn finish<F: Storage>(
    arguments: &Arguments,
    experiment: &Experiment,
    registry: &Registry,
    mut simulation: Simulation<F>,
    peaks: &Peaks,
) -> Result<(), CliError> {
    check_outputs(arguments, experiment, &simulation.recording(), peaks)?;
    if let Some(warning) = registry.deprecation(&simulation.solver().info.name) {
        complain("warning", &warning);
    }
    let solver = simulation.solver();
    if solver.info.advances != Parts::ALL {
        complain(
            "warning",
            &format!(
                "solver \"{}\" advances the {} alone; all other variables keep their initial values",
                solver.name, solver.info.advances
            ),
        );
    }
    let mut watch = Watch::new(arguments.quiet)?;
    let duration = experiment.run.duration.value;
    let result = simulation.run_observed(duration, &mut |progress| watch.observe(progress));
    let wall = watch.end();
    let reached = simulation.time();
    let message = match &result {
        Ok(Outcome::Finished) => None,
        Ok(Outcome::Stopped) => Some(format!(
            "stopped by Ctrl-C at t = {reached} ms of {duration} ms"
        )),
        Err(error) => Some(error.to_string()),
    };
    let recording = simulation.recording();
    let metadata = Metadata {
        program_version: env!("CARGO_PKG_VERSION").to_string(),
        experiment: annotated(&experiment.text, arguments),
        solver: simulation.solver().name.clone(),
        dt: match experiment.run.stepping.value {
            Stepping::Fixed(dt) => Some(dt),
            Stepping::Adaptive(_) => None,
        },
        complete: message.is_none(),
        message: message.clone(),
    };
    let sweep = sweep::table(experiment, &recording, reached);
    let written = write(arguments, &recording, (experiment, &sweep), peaks, metadata);
    if let (Err(_), Some(message)) = (&written, &message) {
        // Two errors: that of the run, and below that of its output.
        complain("error", message);
    }
    let written = written?;
    if !arguments.quiet {
        print(&summary(&Summary {
            experiment,
            solver: &simulation.solver().info,
            name: &simulation.solver().name,
            recording: &recording,
            reached,
            complete: message.is_none(),
            wall,
            written: &written,
        }))?;
    }
    let written = match written[..] {
        [] => String::new(),
        _ => format!(
            " What was computed until then is in {}.",
            written.join(" and ")
        ),
    };
    match result {
        Ok(Outcome::Finished) => Ok(()),
        Ok(Outcome::Stopped) => Err(CliError::Interrupted(format!(
            "{}.{written}",
            message.unwrap_or_default()
        ))),
        Err(error) => Err(CliError::Run { error, written }),
    }
}

/// Solver, step, duration and recording interval of the command line take the place of those of the file.
fn override_settings(experiment: &mut Experiment, arguments: &Arguments) -> Result<(), CliError> {
    let run = &mut experiment.run;
    if let Some(solver) = &arguments.solver {
        run.solver = Given {
            value: solver.clone(),
            place: "--solver".to_string(),
        };
    }
    if let Some(text) = &arguments.dt {
        let dt = time("--dt", text)?;
        run.stepping = Given {
            value: Stepping::Fixed(dt.value),
            place: dt.place,
        };
    }
    if let Some(text) = &arguments.tolerance {
        run.stepping = tolerance("--tolerance", text)?;
    }
    if let Some(name) = &arguments.precision {
        let option = "--precision";
        let value = Precision::named(name).ok_or_else(|| CliError::Option {
            option,
            reason: format!("{name:?} is no precision; write single or double"),
        })?;
        run.precision = Some(Given {
            value,
            place: option.to_string(),
        });
    }
    if let Some(text) = &arguments.threads {
        let option = "--threads";
        let value = text.trim().parse().ok().filter(|&n| n > 0);
        let value = value.ok_or_else(|| CliError::Option {
            option,
            reason: format!("{text:?} is no whole number above 0; write for example {option} 4"),
        })?;
        run.threads = Some(Given {
            value,
            place: option.to_string(),
        });
    }
    if let Some(text) = &arguments.tstop {
        run.duration = time("--tstop", text)?;
    }
    if let Some(text) = &arguments.every {
        run.every = Some(time("--every", text)?);
    }
    Ok(())
}

/// A positive time of the command line, in ms where it has no unit.
pub(super) fn time(option: &'static str, text: &str) -> Result<Given<f64>, CliError> {
    let refuse = |reason: String| CliError::Option { option, reason };
    let value = match text.trim().parse::<f64>() {
        Ok(value) => value,
        Err(_) => parse_in(text, "ms").map_err(|error| refuse(error.to_string()))?,
    };
    if !(value.is_finite() && value > 0.0) {
        return Err(refuse(format!(
            "{value} ms is no positive, finite time; write for example {option} 0.025 or {option} \"25 us\""
        )));
    }
    Ok(Given {
        value,
        place: option.to_string(),
    })
}

/// A relative tolerance of the command line.
pub(super) fn tolerance(option: &'static str, text: &str) -> Result<Given<Stepping>, CliError> {
    match text.trim().parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(Given {
            value: Stepping::Adaptive(Tolerances::new(value)),
            place: option.to_string(),
        }),
        _ => Err(CliError::Option {
            option,
            reason: format!("{text:?} is no positive number; write for example {option} 1e-6"),
        }),
    }
}

/// Checks before the run that its results can be written.
fn check_outputs(
    arguments: &Arguments,
    experiment: &Experiment,
    recording: &Recording,
    peaks: &Peaks,
) -> Result<(), CliError> {
    if let Some(path) = &arguments.plot_shape {
        output::check_shape(path)?;
    }
    if let Some(path) = &arguments.out {
        output::check_write(path)?;
    }
    sweep::check(arguments, experiment)?;
    if let Some(path) = &arguments.plot {
        let table = Table {
            columns: columns(recording, peaks),
            time: recording.times().to_vec(),
            ..Table::default()
        };
        output::check_plot(&table, path)?;
    }
    Ok(())
}

/// The text of the experiment, after a comment that tells what the command line changed.
fn annotated(text: &str, arguments: &Arguments) -> String {
    let options = [
        ("--solver", &arguments.solver),
        ("--dt", &arguments.dt),
        ("--tolerance", &arguments.tolerance),
        ("--precision", &arguments.precision),
        ("--tstop", &arguments.tstop),
        ("--every", &arguments.every),
    ];
    let given = options.iter().filter_map(|(name, value)| {
        let value = value.as_ref()?.replace(['\n', '\r'], " ");
        Some(format!(" {name} \"{value}\""))
    });
    let given: String = given.collect();
    match given.as_str() {
        "" => text.to_string(),
        _ => format!("# run with{given}\n{text}"),
    }
}

/// Writes what was asked for; returns the names of the files.
fn write(
    arguments: &Arguments,
    recording: &Recording,
    (experiment, sweep): (&Experiment, &[Column]),
    peaks: &Peaks,
    metadata: Metadata,
) -> Result<Vec<String>, CliError> {
    let mut written = Vec::new();
    if let (Some(path), Some(cell)) = (&arguments.plot_shape, &experiment.cell) {
        peaks.plot(cell, recording, &experiment.title, path)?;
        written.push(path.display().to_string());
    }
    let message = metadata.message.as_deref();
    written.extend(sweep::write(arguments, experiment, sweep, message)?);
    if arguments.out.is_none() && arguments.plot.is_none() {
        return Ok(written);
    }
    let events = recording.spikes().iter().map(|train| Events {
        label: train.name.clone(),
        times: train.times.clone(),
    });
    let table = Table {
        title: experiment.title.clone(),
        time: recording.times().to_vec(),
        columns: columns(recording, peaks),
        events: events.collect(),
        sweep: sweep.to_vec(),
        metadata,
    };
    if let Some(path) = &arguments.out {
        output::write(&table, path)?;
        written.push(path.display().to_string());
    }
    if let Some(path) = &arguments.plot {
        output::plot(&table, path)?;
        written.push(path.display().to_string());
    }
    Ok(written)
}

/// What the experiment asked to record.
fn columns(recording: &Recording, peaks: &Peaks) -> Vec<Column> {
    let columns = recording.traces().take(peaks.asked(recording));
    let columns = columns.map(|trace| Column {
        name: trace.column.name.clone(),
        unit: trace.column.unit.clone(),
        values: trace.values.to_vec(),
    });
    columns.collect()
}
