//! `braincell compare`.

use super::order::{time, tolerance};
use super::progress::{Runs, catch_interrupt};
use super::table::{facts, table};
use super::{CliError, plugins, print};
use braincell::compare::{
    CompareError, Comparison, Deviation, Measure, Progress, Settings, Step, compare_observed,
};
use braincell::experiment::Experiment;
use braincell::output;
use braincell::simulation::Stepping;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// So many rows are shown at most without --all.
const ROWS: usize = 40;

/// Which error of the traces.
#[derive(Clone, Copy, ValueEnum)]
enum Which {
    /// The greatest, over all samples and traces.
    Max,
    /// The mean.
    Mean,
}

#[derive(Args)]
pub struct Arguments {
    /// The experiment file (TOML).
    experiment: PathBuf,
    /// Solvers to compare, separated by commas; by default all that fit the model and are neither stochastic nor deprecated.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    solvers: Vec<String>,
    /// Time steps, separated by commas: in ms, or with a unit. By default around that of the experiment.
    #[arg(
        long,
        value_name = "MS",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    dt: Option<Vec<String>>,
    /// Relative tolerances, separated by commas, for solvers with an error estimate. With --dt alone none are tried.
    #[arg(
        long,
        value_name = "X",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    tolerance: Option<Vec<String>>,
    /// The accuracy wanted: an error of the traces ("0.1 mV") or of spike times ("0.05 ms"). The cheapest solver that
    /// keeps it is recommended.
    #[arg(long, value_name = "ERROR", allow_hyphen_values = true)]
    target: Option<String>,
    /// Which error of the traces is meant by --target, and drawn.
    #[arg(long, value_name = "WHICH", value_enum, default_value = "max")]
    measure: Which,
    /// File for the work-precision diagram: .svg or .png.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// File for the table: .csv or .json.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Runs made at the same time; by default as many as there are processors.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Print a row for each step, where by default there is one for each solver if they are many.
    #[arg(long)]
    all: bool,
    /// Print no progress.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    plugins: plugins::Options,
}

pub fn compare(arguments: &Arguments) -> Result<(), CliError> {
    let experiment = Experiment::read(&arguments.experiment)?;
    let settings = settings(arguments)?;
    let registry = arguments.plugins.registry(&experiment.run.plugins)?;
    if let Some(path) = &arguments.out {
        output::check_text(path)?;
    }
    if let Some(path) = &arguments.plot {
        output::check_chart(path)?;
    }
    let stop = catch_interrupt()?;
    let bar = Runs::new(arguments.quiet);
    let observe = |progress: Progress| match progress {
        Progress::Phase(phase) => bar.phase(&phase),
        Progress::Runs(done, all) => bar.done(done, all),
    };
    let found = compare_observed(&experiment, &registry, &settings, &stop, &observe);
    bar.end();
    let found = found.map_err(|error| match error {
        CompareError::Stopped => CliError::Interrupted(error.to_string()),
        error => CliError::Compare(error),
    })?;
    let mut written = Vec::new();
    if let Some(path) = &arguments.out {
        output::write_text(path, |csv| match csv {
            true => found.csv(),
            false => format!("{:#}\n", found.json()),
        })?;
        written.push(path.display().to_string());
    }
    if let Some(path) = &arguments.plot {
        output::plot_chart(&found.chart(), path)?;
        written.push(path.display().to_string());
    }
    print(&text(&found, &experiment, arguments, &written))?;
    match found.complete && !stop.load(Ordering::Relaxed) {
        true => Ok(()),
        false => Err(CliError::Interrupted(
            "stopped by Ctrl-C; the table has the runs made until then".to_string(),
        )),
    }
}

fn settings(arguments: &Arguments) -> Result<Settings, CliError> {
    let given = |list: &Option<Vec<String>>| -> Option<Vec<String>> {
        let list = list.as_ref()?.iter().map(|text| text.trim().to_string());
        Some(list.filter(|text| !text.is_empty()).collect())
    };
    let steps = given(&arguments.dt).map(|list| {
        let steps = list.iter().map(|text| Ok(time("--dt", text)?.value));
        steps.collect::<Result<Vec<f64>, CliError>>()
    });
    let tolerances = given(&arguments.tolerance).map(|list| {
        let each = list
            .iter()
            .map(|text| match tolerance("--tolerance", text)?.value {
                Stepping::Adaptive(tolerances) => Ok(tolerances.relative),
                Stepping::Fixed(step) => Ok(step),
            });
        each.collect::<Result<Vec<f64>, CliError>>()
    });
    let solvers = arguments.solvers.iter().map(|name| name.trim().to_string());
    Ok(Settings {
        solvers: solvers.filter(|name| !name.is_empty()).collect(),
        steps: steps.transpose()?,
        tolerances: tolerances.transpose()?,
        target: arguments.target.clone(),
        measure: match arguments.measure {
            Which::Max => Measure::Max,
            Which::Mean => Measure::Mean,
        },
        threads: arguments.threads,
    })
}

fn text(
    found: &Comparison,
    experiment: &Experiment,
    arguments: &Arguments,
    written: &[String],
) -> String {
    let compared = match (found.compared.traces(), found.compared.spikes) {
        (true, true) => format!("{} and spike times", found.compared.variables.join(", ")),
        (true, false) => found.compared.variables.join(", "),
        (false, _) => "spike times".to_string(),
    };
    let mut list = vec![
        (
            "compared",
            format!("{compared}, at multiples of {} ms", found.ladder.interval),
        ),
        ("reference", reference(found)),
    ];
    let names = found
        .left_out
        .iter()
        .map(|l| format!("{} {}", l.solver, l.reason));
    list.push(("left out", names.collect::<Vec<_>>().join("\n")));
    let all = arguments.all || found.entries.len() <= ROWS;
    let shown = match all {
        true => found.entries.iter().collect(),
        false => found.summary(),
    };
    let header = found.header();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = table(&header, shown.iter().map(|entry| found.row(entry)));
    let mut end = Vec::new();
    if !all {
        let which = match found.target {
            Some(_) => "the largest step that keeps the target, or the most exact",
            None => "the most exact step",
        };
        let count = found.entries.len();
        end.push(("shown", format!("{which}; --all shows all {count} runs")));
    }
    if found.skipped > 0 {
        let note = format!(
            "{} long runs that could not change the recommendation; without --target all are made",
            found.skipped
        );
        end.push(("not made", note));
    }
    end.push(("failures", found.failures().join("\n")));
    if let Some(choice) = &found.choice {
        end.push(("recommended", choice.reason.clone()));
        end.push(("caution", choice.caution.clone()));
        if let Some((solver, step)) = &choice.best {
            end.push((
                "run it",
                command(found, experiment, arguments, solver, *step),
            ));
        }
    }
    end.push(("written", written.join(", ")));
    format!("{}\n{}{rows}{}", found.title, facts(&list), facts(&end))
}

/// The reference and its own error.
fn reference(found: &Comparison) -> String {
    let reference = &found.reference;
    let Deviation { traces, spikes } = reference.accuracy;
    let mut uncertain = Vec::new();
    if let Some(size) = traces {
        let (mean, max) = (size.mean, size.max);
        let unit = &found.compared.unit;
        let words = format!("{mean:.1e} {unit} in the mean, {max:.1e} {unit} at most");
        uncertain.push(words.replace("  ", " ").replace(" ,", ","));
    }
    if let Some(spikes) = spikes {
        uncertain.push(format!("{:.1e} ms in spike times", spikes.time));
    }
    format!(
        "{}, {}; the solution before it in the refinement differs by {}",
        reference.solver,
        reference.step,
        uncertain.join(" and ")
    )
}

/// The command that runs the experiment with a solver and a step.
fn command(
    found: &Comparison,
    experiment: &Experiment,
    arguments: &Arguments,
    solver: &str,
    step: Step,
) -> String {
    let mut words = vec!["braincell".to_string(), "run".to_string()];
    words.push(arguments.experiment.display().to_string());
    words.extend(["--solver".to_string(), solver.to_string()]);
    match step {
        Step::Fixed(dt) => words.extend(["--dt".to_string(), dt.to_string()]),
        Step::Tolerance(x) => words.extend(["--tolerance".to_string(), format!("{x:e}")]),
    }
    if let Some(every) = found.every(experiment, step) {
        words.extend(["--interval".to_string(), every.to_string()]);
    }
    words.extend(arguments.plugins.words());
    let words = words.iter().map(|word| quoted(word));
    words.collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-/+=:,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
