//! `braincell inspect`.

use super::order::time;
use super::progress::{Runs, catch_interrupt};
use super::table::{facts, table};
use super::{CliError, complain, plugins, print};
use braincell::compare::significant as short;
use braincell::experiment::Experiment;
use braincell::inspect::{Inspection, MOST_STATES, Settings, inspect_observed};
use braincell::output;
use clap::Args;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// Jump times of an input that are listed.
const JUMPS: usize = 6;
/// Looks that are listed.
const ROWS: usize = 12;

#[derive(Args)]
pub struct Arguments {
    /// The experiment file (TOML).
    experiment: PathBuf,
    /// The interval between two looks at the Jacobian: in ms, or with a unit.
    #[arg(long, value_name = "MS", allow_hyphen_values = true)]
    every: Option<String>,
    /// File for a plot of the time constants: .svg or .png.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Print no progress.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    plugins: plugins::Options,
}

pub fn inspect(arguments: &Arguments) -> Result<(), CliError> {
    let experiment = Experiment::read(&arguments.experiment)?;
    let every = arguments.every.as_ref();
    let every = every.map(|text| time("--every", text)).transpose()?;
    let settings = Settings {
        every: every.map(|every| every.value),
        ..Settings::default()
    };
    let registry = arguments.plugins.registry(&experiment.run.plugins)?;
    if let Some(path) = &arguments.plot {
        output::check_chart(path)?;
    }
    let stop = catch_interrupt()?;
    let bar = Runs::new(arguments.quiet);
    let observe = |done, all| bar.done(done, all);
    let found = inspect_observed(&experiment, &registry, &settings, &stop, &observe);
    bar.end();
    let found = found?;
    if let Some(path) = &arguments.plot {
        output::plot_chart(&found.chart(), path)?;
    }
    match arguments.json {
        true => print(&format!("{:#}\n", found.json()))?,
        false => print(&text(&found, arguments))?,
    }
    match &found.ended {
        Some(reason) if stop.load(Ordering::Relaxed) => Err(CliError::Interrupted(reason.clone())),
        Some(reason) => {
            complain("warning", &format!("the report ends early: {reason}"));
            Ok(())
        }
        None => Ok(()),
    }
}

fn text(found: &Inspection, arguments: &Arguments) -> String {
    let kinds = ["potentials", "gates", "concentrations", "others"];
    let states = found.states.iter().zip(kinds).filter(|(n, _)| **n > 0);
    let kinds: Vec<String> = states.map(|(n, kind)| format!("{n} {kind}")).collect();
    let all: usize = found.states.iter().sum();
    let mut list = Vec::new();
    if let Some(volumes) = found.control_volumes {
        list.push(("control volumes", volumes.to_string()));
    }
    let cells = match found.cells {
        1 => format!("{all}: {}", kinds.join(", ")),
        n => format!("{all} in each of {n} cells: {}", kinds.join(", ")),
    };
    list.push(("states", cells));
    list.push(("parameters", found.parameters.to_string()));
    list.push((
        "memory of a run",
        format!(
            "{}: {} of states, {} of workspaces, {} of samples, which braincell run writes as it goes on",
            bytes(found.memory.total()),
            bytes(found.memory.states),
            bytes(found.memory.workspaces),
            bytes(found.memory.samples)
        ),
    ));
    let inputs: Vec<String> = found.inputs.iter().map(input).collect();
    list.push(("inputs", inputs.join("\n")));
    let every = short(found.every);
    list.push((
        "followed with",
        format!("{}, looking every {every} ms", found.followed_with),
    ));
    if found.cells > found.looked_at.len() {
        let cells = found.looked_at.iter().map(usize::to_string);
        list.push(("cells looked at", cells.collect::<Vec<_>>().join(", ")));
    }
    if found.independent > 0 {
        let note = format!(
            "{} states that modules integrate by solvers of their own are not in the Jacobian",
            found.independent
        );
        list.push(("left out", note));
    }
    list.push(("time constants", constants(found)));
    if let Some(stiffest) = &found.stiffest {
        let how = match found.whole_spectrum {
            true => "the greatest |∂f/∂y| of a state itself",
            false => "the greatest component of the fastest eigenvector",
        };
        let cell = match found.cells {
            1 => String::new(),
            _ => format!(", cell {}", stiffest.cell),
        };
        list.push((
            "stiffest",
            format!(
                "{}{cell} at t = {} ms: {} per ms ({how})",
                stiffest.place,
                short(stiffest.time),
                short(stiffest.rate)
            ),
        ));
    }
    let samples = samples(found);
    let mut end = Vec::new();
    if !found.limits.is_empty() {
        let note = "|R(h λ)| ≤ 1 for all modes met with |Im λ| ≤ 2 |Re λ|, R by a step of y' = λ y";
        end.push(("stable", note.to_string()));
    }
    if let Some(path) = &arguments.plot {
        end.push(("written", path.display().to_string()));
    }
    format!(
        "{}\n{}{samples}{}{}",
        found.title,
        facts(&list),
        limits(found),
        facts(&end)
    )
}

fn input(input: &braincell::inspect::InputReport) -> String {
    let listed = input.jumps.iter().take(JUMPS).map(|t| short(*t));
    let listed = listed.collect::<Vec<_>>().join(", ");
    let jumps = match input.jumps.len() {
        0 => "no jumps".to_string(),
        1 => format!("jumps at {listed} ms"),
        n if n > JUMPS => format!("{n} jumps or more, at {listed}, … ms"),
        n => format!("{n} jumps, at {listed} ms"),
    };
    let unit = match input.unit.as_str() {
        "" => String::new(),
        unit => format!(" [{unit}]"),
    };
    format!("{}{unit}: {jumps}", input.name)
}

fn constants(found: &Inspection) -> String {
    let Some((fastest, slowest)) = found.rates() else {
        return String::new();
    };
    if !found.whole_spectrum {
        return format!(
            "the fastest {} ms, by power iteration: with more than {MOST_STATES} states the other eigenvalues are not computed",
            short(1.0 / fastest)
        );
    }
    let mut text = match (fastest > 0.0, slowest) {
        (false, _) => "no mode decays".to_string(),
        (true, None) => format!("{} ms", short(1.0 / fastest)),
        (true, Some(slowest)) => format!(
            "{} to {} ms over the run",
            short(1.0 / fastest),
            short(1.0 / slowest)
        ),
    };
    if let Some(ratio) = found.stiffness_ratio() {
        text.push_str(&format!(
            "; stiffness ratio at one time up to {}",
            short(ratio)
        ));
    }
    text
}

/// Some of the looks, evenly spaced, and the one with the fastest mode.
fn samples(found: &Inspection) -> String {
    let first = found.looked_at.first().copied().unwrap_or(0);
    let own: Vec<_> = found.samples.iter().filter(|s| s.cell == first).collect();
    let pitch = own.len().div_ceil(ROWS).max(1);
    let fastest = (0..own.len()).max_by(|&a, &b| own[a].fastest.total_cmp(&own[b].fastest));
    let rows = own.iter().enumerate();
    let rows = rows.filter(|(k, _)| k.is_multiple_of(pitch) || Some(*k) == fastest);
    let rows = rows.map(|(k, s)| {
        let tau = |rate: Option<f64>| {
            let rate = rate.filter(|rate| *rate > 0.0);
            rate.map_or(String::new(), |rate| short(1.0 / rate))
        };
        [
            short(s.time),
            tau(Some(s.fastest)),
            tau(s.slowest),
            tau(s.growth),
            s.slowest
                .map_or(String::new(), |slowest| short(s.fastest / slowest)),
            if Some(k) == fastest { "fastest" } else { "" }.to_string(),
        ]
    });
    let header = [
        "t [ms]",
        "fastest τ [ms]",
        "slowest τ [ms]",
        "growth τ [ms]",
        "ratio",
        "",
    ];
    match own.is_empty() {
        true => String::new(),
        false => table(&header, rows),
    }
}

/// Where explicit solvers are stable; those with the same limit on one line.
fn limits(found: &Inspection) -> String {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for limit in &found.limits {
        let step = match limit.step.is_finite() {
            true => short(limit.step),
            false => "no limit".to_string(),
        };
        let reach = short(limit.real_axis);
        match rows.last_mut() {
            Some(last) if last[1] == step && last[2] == reach => {
                last[0].push_str(&format!(", {}", limit.solver));
            }
            _ => rows.push([limit.solver.clone(), step, reach, short(limit.time)]),
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let header = [
        "explicit solver",
        "stable to dt [ms]",
        "|h λ| on the real axis",
        "at t [ms]",
    ];
    format!("\n{}", table(&header, rows))
}

fn bytes(n: usize) -> String {
    match n as f64 {
        n if n < 1e3 => format!("{n} B"),
        n if n < 1e6 => format!("{:.1} kB", n / 1e3),
        n if n < 1e9 => format!("{:.1} MB", n / 1e6),
        n => format!("{:.1} GB", n / 1e9),
    }
}
