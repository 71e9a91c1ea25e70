//! `braincell bench`.

use super::table::table;
use super::{CliError, print};
use braincell::bench::{self, Figure, Options};
use braincell::simd::Level;
use clap::Args;
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
    let options = Options {
        filter: arguments.filter.clone(),
        time: Duration::from_secs_f64(arguments.seconds),
    };
    let mut figures = Vec::new();
    let quiet = arguments.json || arguments.markdown;
    bench::run(braincell::solvers(), &options, |figure| {
        if !quiet {
            eprintln!("{} · {}", figure.case, figure.what);
        }
        figures.push(figure);
    });
    let level = Level::detect();
    if arguments.json {
        let figures = figures.iter().map(|f| {
            json!({
                "case": f.case, "what": f.what, "precision": f.precision, "elements": f.elements,
                "ns_per_element_step": f.time, "reference_ns": f.reference,
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

fn row(figure: &Figure) -> [String; 6] {
    let reference = figure.reference;
    [
        figure.case.clone(),
        figure.what.clone(),
        figure.precision.to_string(),
        format!("{:.2}", figure.time),
        reference.map_or(String::new(), |r| format!("{r:.2}")),
        reference.map_or(String::new(), |r| format!("{:.2}", figure.time / r)),
    ]
}
