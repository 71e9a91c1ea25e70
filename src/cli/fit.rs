//! `braincell fit`.

use super::table::table;
use super::{CliError, complain, plugins, print};
use braincell::experiment::Experiment;
use braincell::fit::{Fit, TraceDifference};
use braincell::model::Model;
use braincell::output::{self, Column, Table};
use braincell::simulation::Recording;
use clap::Args;
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// The experiment file (TOML), with a section [fit].
    experiment: PathBuf,
    /// File for the experiment with the fitted values: .toml.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// File for a plot of target, start and fit: .svg or .png.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Print no progress.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    plugins: plugins::Options,
}

pub fn fit(arguments: &Arguments) -> Result<(), CliError> {
    let experiment = Experiment::read(&arguments.experiment)?;
    let registry = &arguments.plugins.registry(&experiment.run.plugins)?;
    experiment.start(registry)?;
    let Some(settings) = &experiment.fit else {
        return Err(CliError::Option {
            option: "fit",
            reason: format!(
                "{} has no section [fit]; it says what to fit: target = \"recorded.csv\", column = \"V\", and [fit.parameters]",
                experiment.path.display()
            ),
        });
    };
    for path in arguments.out.iter().chain(&arguments.plot) {
        if path.is_dir() {
            return Err(CliError::File {
                path: path.clone(),
                error: std::io::Error::from(std::io::ErrorKind::IsADirectory),
            });
        }
    }
    let loss = TraceDifference {
        trace: settings.trace.clone(),
        target: settings.target.clone(),
    };
    let fit = Fit {
        setup: experiment.run.setup(),
        until: experiment.run.duration.value,
        parameters: settings.parameters.clone(),
        iterations: settings.iterations,
    };
    let names: Vec<&str> = fit.parameters.iter().map(|p| p.name.as_str()).collect();
    let mut observe = |progress: &braincell::fit::FitProgress| {
        if !arguments.quiet {
            let values = names.iter().zip(&progress.values);
            let values: Vec<String> = values.map(|(n, x)| format!("{n} = {x:.6}")).collect();
            let text = format!(
                "evaluation {}: loss {:.6e}, {}",
                progress.evaluations,
                progress.loss,
                values.join(", ")
            );
            complain("fit", &text);
        }
        ControlFlow::Continue(())
    };
    let found = fit.run(registry, &experiment.model, &loss, &mut observe)?;
    let mut written = Vec::new();
    if let Some(path) = &arguments.out {
        let fitted: Vec<(String, f64)> = (fit.parameters.iter().zip(&found.values))
            .map(|(p, x)| (p.name.clone(), *x))
            .collect();
        fs::write(path, experiment.with_values(&fitted)).map_err(|error| CliError::File {
            path: path.clone(),
            error,
        })?;
        written.push(path.display().to_string());
    }
    if let Some(path) = &arguments.plot {
        let run = |model: &Model| -> Result<Recording, CliError> {
            let mut simulation = Experiment {
                model: model.clone(),
                ..experiment.clone()
            }
            .start(registry)?;
            simulation.run(fit.until).map_err(|error| CliError::Run {
                error,
                written: String::new(),
            })?;
            Ok(simulation.recording())
        };
        let start = run(&experiment.model)?;
        let mut model = experiment.model.clone();
        fit.apply(&mut model, &found.values)?;
        let end = run(&model)?;
        let unit = experiment.model.unit(&settings.trace);
        let unit = unit.unwrap_or_default().to_string();
        let target = start.times().iter();
        let target = target.map(|&t| settings.target.value_and_slope(t, t).0);
        let column = |name: &str, values: Vec<f64>| Column {
            name: name.to_string(),
            unit: unit.clone(),
            values,
        };
        let trace = |recording: &Recording| {
            let values = recording.trace(&settings.trace);
            values.map(|v| v.to_vec()).unwrap_or_default()
        };
        let table = Table {
            title: experiment.title.clone(),
            time: start.times().to_vec(),
            columns: vec![
                column("target", target.collect()),
                column("start", trace(&start)),
                column("fit", trace(&end)),
            ],
            ..Table::default()
        };
        output::plot(&table, path)?;
        written.push(path.display().to_string());
    }
    let rows = fit.parameters.iter().zip(&found.values).map(|(p, x)| {
        let unit = experiment.model.parameter(p.parameter());
        let unit = unit.map_or(String::new(), |p| p.unit.clone());
        let start = p.start(&experiment.model).unwrap_or(f64::NAN);
        [p.name.clone(), start.to_string(), x.to_string(), unit]
    });
    let text = table(&["parameter", "start", "fit", "unit"], rows);
    let written = match written[..] {
        [] => String::new(),
        _ => format!("written: {}\n", written.join(", ")),
    };
    print(&format!(
        "loss {:.6e}, at the start {:.6e}; {} evaluations; {}\n{text}{written}",
        found.loss, found.start, found.evaluations, found.reason
    ))
}
