//! `braincell bench`.

use super::table::table;
use super::{CliError, print};
use braincell::bench::{self, Case, Figure};
use braincell::simd::Level;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use std::time::Duration;

#[derive(Args)]
pub struct Arguments {
    /// Measure only what contains this in the name of its case, solver or precision
    #[arg(long, default_value = "")]
    filter: String,
    /// Time for each figure, in seconds
    #[arg(long, default_value_t = 0.1, value_parser = seconds)]
    seconds: f64,
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print a table in Markdown
    #[arg(long)]
    markdown: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x <= 60.0 => Ok(x),
        _ => Err("give a number of seconds, more than 0 and up to 60".into()),
    }
}

pub fn bench(arguments: &Arguments) -> Result<(), CliError> {
    let budget = Duration::from_secs_f64(arguments.seconds);
    let registry = braincell::solvers();
    let cases = bench::cases(registry).into_iter();
    let cases: Vec<Case> = cases
        .filter(|case| case.name().contains(&arguments.filter))
        .collect();
    if cases.is_empty() {
        return Err(CliError::Option {
            option: "--filter",
            reason: format!(
                "no case has {:?} in its name; without it everything is measured",
                arguments.filter
            ),
        });
    }
    let progress = match arguments.json || arguments.markdown {
        true => ProgressBar::hidden(),
        false => ProgressBar::new(cases.len() as u64),
    };
    let mut figures = Vec::new();
    for case in progress.wrap_iter(cases.iter()) {
        figures.extend(case.measure(registry, budget).map(|figure| (case, figure)));
    }
    let level = Level::detect();
    if arguments.json {
        let figures = figures.iter().map(|(case, figure)| {
            json!({
                "case": case.case, "what": case.what, "precision": case.precision, "elements": case.elements,
                "ns_per_element_step": figure.time, "reference_ns": figure.reference,
            })
        });
        let figures: Vec<_> = figures.collect();
        let all = json!({ "simd": level.to_string(), "figures": figures });
        return print(&format!("{all:#}\n"));
    }
    const HEADER: [&str; 6] = [
        "case",
        "what",
        "precision",
        "ns per element",
        "by hand",
        "ratio",
    ];
    let rows = figures.iter().map(row);
    if arguments.markdown {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = HEADER.map(|_| "---".to_string());
        let mut text = line(&HEADER.map(String::from)) + &line(&rule);
        rows.for_each(|row| text.push_str(&line(&row)));
        return print(&text);
    }
    print(&format!(
        "{}SIMD level {level}; one thread; the least time of many repetitions.\n",
        table(&HEADER, rows)
    ))
}

fn row((case, figure): &(&Case, Figure)) -> [String; 6] {
    let reference = figure.reference;
    [
        case.case.clone(),
        case.what.clone(),
        case.precision.to_string(),
        format!("{:.2}", figure.time),
        reference.map_or(String::new(), |r| format!("{r:.2}")),
        reference.map_or(String::new(), |r| format!("{:.2}", figure.time / r)),
    ]
}
