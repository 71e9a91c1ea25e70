//! The command line.

mod bench;
mod compare;
mod digest;
mod fit;
mod gradient;
mod inspect;
mod job;
mod mechanisms;
mod morphology;
mod order;
mod peaks;
#[cfg(feature = "plugins")]
mod plugins;
#[cfg(not(feature = "plugins"))]
mod without_plugins;
#[cfg(not(feature = "plugins"))]
use without_plugins as plugins;
mod progress;
mod resume;
mod run;
mod saved;
mod solvers;
mod summary;
mod sweep;
mod table;

use braincell::cells::MechanismError;
use braincell::cells::morphology::ReadError;
use braincell::compare::CompareError;
use braincell::experiment::ExperimentError;
use braincell::fit::FitError;
use braincell::gradient::GradientError;
use braincell::inspect::InspectError;
use braincell::output::OutputError;
use braincell::registry::RegistryError;
use braincell::simulation::{CheckpointError, RunError};
use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit status after Ctrl-C: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

/// Integrates neuron models with solvers selected by name.
#[derive(Parser)]
#[command(version, about, max_term_width = 100, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an experiment file.
    Run(run::Arguments),
    /// Go on with a run that was killed or has ended, from a checkpoint. Plugins that were named on its command line have
    /// to be named again.
    Resume(resume::Arguments),
    /// Compare solvers on an experiment: error against cost, and which to take.
    Compare(compare::Arguments),
    /// Tell how stiff an experiment is, and how large it is.
    Inspect(inspect::Arguments),
    /// Differentiate a number computed from a run.
    Gradient(gradient::Arguments),
    /// Fit parameters of an experiment to a recorded trace.
    Fit(fit::Arguments),
    /// List the solvers, or show one.
    Solvers(solvers::Arguments),
    /// List the membrane mechanisms, or show one.
    Mechanisms(mechanisms::Arguments),
    /// Measure the speed of the solvers on this machine.
    Bench(bench::Arguments),
    /// Describe the morphology of a neuron, and draw it.
    Morphology(morphology::Arguments),
    /// Examine a solver plugin.
    #[cfg(feature = "plugins")]
    Plugin(plugins::Arguments),
}

/// Why a command failed. Each displays as a paragraph: what, where, what to do.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    #[error(transparent)]
    Compare(#[from] CompareError),
    #[error(transparent)]
    Inspect(#[from] InspectError),
    #[error(transparent)]
    Gradient(#[from] GradientError),
    #[error(transparent)]
    Fit(#[from] FitError),
    #[error("cannot write {}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Mechanism(#[from] MechanismError),
    #[error(transparent)]
    Morphology(#[from] ReadError),
    #[cfg(feature = "plugins")]
    #[error(transparent)]
    Load(#[from] braincell::plugins::PluginError),
    #[cfg(feature = "plugins")]
    #[error(
        "{file} did not pass: {solvers} failed a check; the lines marked \"failed\" above say which, and what was expected"
    )]
    Plugin { file: String, solvers: String },
    /// The run ended early, after its results were written.
    #[error("{error}{written}")]
    Run { error: RunError, written: String },
    /// The run was broken off because something could not be written.
    #[error("{error}.{written}")]
    Broken {
        error: Box<CliError>,
        written: String,
    },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Saved(#[from] saved::SavedError),
    #[error("{0}")]
    Interrupted(String),
    #[error("{option}: {reason}")]
    Option {
        option: &'static str,
        reason: String,
    },
    #[error("cannot catch Ctrl-C: {0}")]
    Signal(#[from] ctrlc::Error),
    #[error("cannot write to standard output: {0}")]
    Print(io::Error),
}

/// Reads the arguments, does what they say, and reports errors.
pub fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Resume(arguments) => resume::resume(&arguments),
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Inspect(arguments) => inspect::inspect(&arguments),
        Command::Gradient(arguments) => gradient::gradient(&arguments),
        Command::Fit(arguments) => fit::fit(&arguments),
        Command::Solvers(arguments) => solvers::list(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
        Command::Mechanisms(arguments) => mechanisms::list(&arguments),
        Command::Morphology(arguments) => morphology::show(&arguments),
        #[cfg(feature = "plugins")]
        Command::Plugin(arguments) => plugins::plugin(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain("error", &error.to_string());
            match error {
                CliError::Interrupted(_) => ExitCode::from(INTERRUPTED),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// Prints a paragraph on standard error. If that is closed there is nobody to tell.
fn complain(kind: &str, text: &str) {
    let _ = writeln!(io::stderr(), "{kind}: {text}");
}

/// Prints on standard output. A reader that has seen enough and closes it, such as `head`, is no error.
fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Print(error)),
        _ => Ok(()),
    }
}
