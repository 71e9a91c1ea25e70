//! What the terminal shows after a run.

use super::digest::{Digest, LISTED};
use super::table::facts;
use braincell::experiment::Experiment;
use braincell::simulation::{Counters, Recording, Statistic, Stepping};
use braincell::stepper::SolverInfo;
use std::time::Duration;

/// A run that ended.
pub struct Summary<'a> {
    pub experiment: &'a Experiment,
    pub solver: &'a SolverInfo,
    /// Name of the solver with its parameters.
    pub name: &'a str,
    /// Names and counters.
    pub recording: &'a Recording,
    /// What was recorded.
    pub digest: &'a Digest,
    pub statistics: &'a [Statistic],
    /// Time and work at the beginning, which is not 0 for a run that was resumed.
    pub begin: (f64, Counters),
    /// Time reached, ms.
    pub reached: f64,
    pub complete: bool,
    pub wall: Duration,
    /// Names of the files written.
    pub written: &'a [String],
}

/// Title, solver, work, spikes and ranges of the recorded variables.
pub fn summary(run: &Summary) -> String {
    let settings = &run.experiment.run;
    let counters = run.recording.counters();
    let solver = match run.solver.reference.as_str() {
        "" => format!("{}, order {}", run.name, run.solver.order),
        reference => format!("{}, order {} ({reference})", run.name, run.solver.order),
    };
    let until = match run.complete {
        true => format!("{} ms", number(settings.duration.value)),
        false => format!(
            "{} ms of {} ms, INCOMPLETE,",
            significant(run.reached),
            number(settings.duration.value)
        ),
    };
    let (steps, how) = match &settings.stepping.value {
        Stepping::Fixed(dt) => grid(run, *dt),
        Stepping::Adaptive(tolerances) => (
            counters.steps as f64,
            format!(
                "{} steps that the solver chose, {} more rejected, at a relative tolerance of {}",
                counters.steps,
                counters.rejected,
                number(tolerances.relative)
            ),
        ),
    };
    let time = format!("{until} in {how}");
    let (begin, before) = &run.begin;
    // An adaptive run counts the steps of groups of cells.
    let cells = run.experiment.model.cells();
    let fixed = matches!(settings.stepping.value, Stepping::Fixed(_));
    let steps = match fixed {
        true => steps * (1.0 - begin / run.reached.max(f64::MIN_POSITIVE)),
        false => steps - before.steps as f64,
    };
    let (steps, per) = match fixed && cells > 1 {
        true => (steps * cells as f64, "cell steps"),
        false => (steps, "steps"),
    };
    let seconds = run.wall.as_secs_f64();
    let rate = steps / seconds.max(1e-9);
    // Those inside Newton iterations are not counted.
    let resumed = match begin {
        0.0 => String::new(),
        begin => format!(" since {} ms", significant(*begin)),
    };
    let done = match counters.right_hand_sides - before.right_hand_sides {
        0 => String::new(),
        n => format!("{n} right-hand sides{resumed} in "),
    };
    let rate = significant(rate.round());
    let work = match steps {
        0.0 => "no step was left to make".to_string(),
        _ => format!("{done}{}, {rate} {per}/s", elapsed(seconds)),
    };
    let mut list = vec![("solver", solver), ("time", time), ("work", work)];
    if cells > 1 {
        list.push(("cells", cells.to_string()));
    }
    if !run.recording.spikes().is_empty() {
        list.push(("spikes", spikes(run.recording, run.digest)));
    }
    list.push(("recorded", ranges(run.recording, run.digest)));
    if !run.statistics.is_empty() {
        list.push(("statistics", statistics(run.statistics)));
    }
    list.push(("written", run.written.join(", ")));
    format!("{}\n{}", run.experiment.title, facts(&list))
}

/// The number of steps of a fixed size, and in words.
fn grid(run: &Summary, dt: f64) -> (f64, String) {
    let whole = (run.reached / dt + 1e-9).floor();
    let rest = run.reached - whole * dt;
    let short = rest > 1e-9 * dt;
    let steps = whole + f64::from(u8::from(short));
    let mut words = format!("{steps} steps of {} ms", number(dt));
    if short {
        words.push_str(&format!(
            "; the last step is shortened to {} ms, because {} ms is not a multiple of {} ms",
            significant(rest),
            number(run.reached),
            number(dt)
        ));
    }
    (steps, words)
}

/// Spike counts and times.
fn spikes(recording: &Recording, digest: &Digest) -> String {
    let trains = || recording.spikes().iter().zip(&digest.spikes);
    let counts = || digest.tally.trains.iter().map(|train| train.count);
    if let ([train], [seen]) = (recording.spikes(), &digest.spikes[..]) {
        let times = seen.first.iter().map(|t| format!("{t:.3}"));
        let times = times.collect::<Vec<_>>().join(", ");
        return match counts().sum::<u64>() {
            0 => format!("{}: none", train.name),
            n if n > LISTED as u64 => format!("{}: {n}, at {times}, … ms", train.name),
            n => format!("{}: {n}, at {times} ms", train.name),
        };
    }
    let first = trains().filter_map(|(train, seen)| Some((*seen.first.first()?, &train.name)));
    let first = first.min_by(|a, b| a.0.total_cmp(&b.0));
    let first = first.map_or(String::new(), |(time, name)| {
        format!("; the first at {time:.3} ms in {name}")
    });
    format!(
        "{} in {} cells, {} to {} in each{first}",
        counts().sum::<u64>(),
        recording.spikes().len(),
        counts().min().unwrap_or(0),
        counts().max().unwrap_or(0)
    )
}

/// The range of each recorded variable, over all cells and elements.
fn ranges(recording: &Recording, digest: &Digest) -> String {
    if recording.columns().is_empty() {
        return "no traces".to_string();
    }
    let mut ranges: Vec<(&str, &str, f64, f64)> = Vec::new();
    for (column, seen) in recording.columns().iter().zip(&digest.tally.columns) {
        let (least, greatest) = (seen.min, seen.max);
        match ranges.iter_mut().find(|range| range.0 == column.variable) {
            Some(range) => {
                range.2 = range.2.min(least);
                range.3 = range.3.max(greatest);
            }
            None => ranges.push((&column.variable, &column.unit, least, greatest)),
        }
    }
    let width = ranges
        .iter()
        .map(|range| range.0.chars().count())
        .max()
        .unwrap_or(0);
    let lines = ranges.iter().map(|(name, unit, least, greatest)| {
        let (least, greatest) = (significant(*least), significant(*greatest));
        format!("{name:width$}  {least} to {greatest} {unit}")
            .trim_end()
            .to_string()
    });
    let samples = format!("{} samples", digest.tally.samples);
    [samples]
        .into_iter()
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Least and greatest values and means.
fn statistics(statistics: &[Statistic]) -> String {
    const SHOWN: usize = 12;
    let mut lines: Vec<String> = (statistics.iter().take(SHOWN))
        .map(|s| {
            let [min, max, mean] = [s.min, s.max, s.mean].map(significant);
            let at = significant(s.time_of_max);
            let (name, unit) = (&s.column.name, &s.column.unit);
            let line = format!("{name}  {min} to {max}, most at {at} ms, mean {mean} {unit}");
            line.trim_end().to_string()
        })
        .collect();
    if statistics.len() > SHOWN {
        lines.push(format!("… and {} more", statistics.len() - SHOWN));
    }
    lines.join("\n")
}

/// All digits, with an exponent where it saves many zeros.
fn number(value: f64) -> String {
    match value.abs() {
        size if (1e-5..1e16).contains(&size) => value.to_string(),
        _ => format!("{value:e}"),
    }
}

/// Five significant digits.
fn significant(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    if !(1e-4..1e7).contains(&size) {
        return format!("{value:.3e}");
    }
    let decimals = (4 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

/// A time span with a fitting unit.
fn elapsed(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}
