//! `braincell gradient`.

use super::table::table;
use super::{CliError, complain, plugins, print};
use braincell::experiment::Experiment;
use braincell::gradient::{Gradient, Loss, Mean, MeanSquare, Peak, SpikeTime};
use braincell::model::Values;
use clap::Args;
use std::path::PathBuf;
use std::time::Instant;

/// Step of the differences, relative to the size of what is changed.
const STEP: f64 = 1e-4;

#[derive(Args)]
pub struct Arguments {
    /// The experiment file (TOML).
    experiment: PathBuf,
    /// The number to differentiate: "mean(V)", "peak(V)", "mean_square(V, -65)", the mean of (V + 65)², or
    /// "spike_time(V, 0)", the time of the first spike.
    #[arg(long, value_name = "LOSS")]
    of: String,
    /// What to differentiate by, separated by commas: parameters ("na.g_max", "resistivity"), states for their initial
    /// values ("V"), inputs for their amplitudes ("stimulus"); by region, values that an entry of [[paint]] gives
    /// ("paint[2].g_max", "paint[0].resistivity").
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
    wrt: Vec<String>,
    /// Compare with differences of the same run.
    #[arg(long)]
    check: bool,
    /// Memory for going backwards, MB.
    #[arg(
        long,
        value_name = "MB",
        default_value_t = 64.0,
        allow_hyphen_values = true
    )]
    memory: f64,
    /// Do not print how the run is taken backwards.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    plugins: plugins::Options,
}

pub fn gradient(arguments: &Arguments) -> Result<(), CliError> {
    let experiment = Experiment::read(&arguments.experiment)?;
    let registry = &arguments.plugins.registry(&experiment.run.plugins)?;
    // Checks the length of the run and explains what is wrong with it.
    experiment.start(registry)?;
    let loss = loss(&arguments.of)?;
    if !(arguments.memory.is_finite() && arguments.memory > 0.0) {
        return Err(CliError::Option {
            option: "--memory",
            reason: format!("{} MB is no amount of memory", arguments.memory),
        });
    }
    let (mut names, mut parts) = (Vec::new(), Vec::new());
    for name in arguments.wrt.iter().map(|name| name.trim()) {
        match experiment.part(name, "--wrt")? {
            Some(part) => parts.push((name, part)),
            None => names.push(name),
        }
    }
    let duration = experiment.run.duration.value;
    let setup = experiment.run.setup();
    let mut gradient = Gradient::new(&setup, registry, &experiment.model, duration, &names)?
        .memory((arguments.memory * 1e6) as usize);
    for (name, part) in &parts {
        gradient = gradient.part(name, &part.parameter, &part.shares)?;
    }
    let begin = Instant::now();
    let found = gradient.reverse(&*loss)?;
    let wall = begin.elapsed();
    if !arguments.quiet {
        complain("plan", &found.plan.to_string());
    }
    let numbers = found.gradient.iter().flat_map(|d| match &d.values {
        Values::Uniform(x) => vec![*x],
        Values::PerElement(x) | Values::PerCell(x) => x.clone(),
        Values::Each(x) => x.iter().copied().collect(),
    });
    let labelled = gradient.components().into_iter().zip(numbers);
    let text = match arguments.check {
        false => {
            let rows = labelled.map(|(name, x)| [name, x.to_string()]);
            table(&["with respect to", "derivative"], rows)
        }
        true => {
            let differences = gradient.differences(&*loss, STEP)?;
            let rows = labelled.zip(differences).map(|((name, x), difference)| {
                let off = (x - difference.value).abs() / x.abs().max(f64::MIN_POSITIVE);
                [
                    name,
                    x.to_string(),
                    difference.value.to_string(),
                    format!("{off:.1e}"),
                ]
            });
            let header = [
                "with respect to",
                "derivative",
                "by differences",
                "relative deviation",
            ];
            table(&header, rows)
        }
    };
    print(&format!(
        "{} = {} in {:.3} s\n{text}",
        arguments.of,
        found.loss,
        wall.as_secs_f64()
    ))
}

/// The loss that a text such as "mean(V)" names.
fn loss(text: &str) -> Result<Box<dyn Loss>, CliError> {
    let refuse = || CliError::Option {
        option: "--of",
        reason: format!(
            "{text:?} is no loss; write \"mean(V)\", \"peak(V)\", \"mean_square(V, -65)\" or \"spike_time(V, 0)\""
        ),
    };
    let inner = text
        .trim()
        .strip_suffix(')')
        .and_then(|t| t.split_once('('));
    let (name, inner) = inner.ok_or_else(refuse)?;
    let mut parts = inner.split(',').map(str::trim);
    let trace = parts.next().filter(|t| !t.is_empty()).ok_or_else(refuse)?;
    let trace = trace.to_string();
    let second = parts.next();
    if parts.next().is_some() {
        return Err(refuse());
    }
    Ok(match (name.trim(), second) {
        ("mean", None) => Box::new(Mean { trace }),
        ("peak", None) => Box::new(Peak { trace }),
        ("mean_square", target) => {
            let target = target.unwrap_or("0").parse().map_err(|_| refuse())?;
            let target = vec![target];
            Box::new(MeanSquare { trace, target })
        }
        ("spike_time", spike) => Box::new(SpikeTime {
            train: trace,
            spike: spike.unwrap_or("0").parse().map_err(|_| refuse())?,
            target: 0.0,
            squared: false,
        }),
        _ => return Err(refuse()),
    })
}
