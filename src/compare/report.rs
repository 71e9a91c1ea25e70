//! A comparison as a table, as JSON and as a diagram.

use super::{Comparison, Entry, Measure, Measured, Step, number, significant};
use crate::output::{Axis, Chart, Mark, Series};
use serde_json::{Value, json};

impl Comparison {
    /// The header of [`Comparison::row`].
    pub fn header(&self) -> Vec<String> {
        let of = |unit: &str| match unit {
            "" => String::new(),
            unit => format!(" [{unit}]"),
        };
        let mut header = vec!["solver".to_string(), "dt or tolerance".to_string()];
        if self.compared.traces() {
            let unit = of(&self.compared.unit);
            header.extend([format!("mean error{unit}"), format!("max error{unit}")]);
        }
        if self.compared.spikes {
            header.push("spikes [ms]".to_string());
        }
        header.extend(["order", "CPU [µs/ms]", "rhs/ms", "stable to [ms]"].map(String::from));
        header
    }

    /// A row of texts for each entry.
    pub fn row(&self, entry: &Entry) -> Vec<String> {
        let mut row = vec![entry.solver.clone(), super::ladder::label(entry.step)];
        let width = self.header().len();
        let stable = match (entry.step, self.stable_up_to(&entry.solver)) {
            (Step::Tolerance(_), _) => String::new(),
            (_, None) => "none tried".to_string(),
            (_, Some(dt)) => {
                let own = |e: &&Entry| e.solver == entry.solver && matches!(e.step, Step::Fixed(_));
                let fails = self.entries.iter().filter(own).any(|e| e.result.is_err());
                format!("{}{}", if fails { "" } else { "≥ " }, number(dt))
            }
        };
        match &entry.result {
            Err(_) => {
                row.push("fails".to_string());
                row.resize(width - 1, String::new());
            }
            Ok(measured) => {
                if self.compared.traces() {
                    row.extend([Measure::Mean, Measure::Max].map(|m| self.shown(measured, m)));
                }
                if self.compared.spikes {
                    row.push(self.shown(measured, Measure::Spikes));
                }
                row.push(measured.order.map_or(String::new(), |p| format!("{p:.2}")));
                row.push(significant(measured.cost.cpu));
                row.push(significant(measured.cost.right_hand_sides));
            }
        }
        row.push(stable);
        row
    }

    /// An error in a table: a bound where it cannot be told from that of the reference.
    fn shown(&self, measured: &Measured, measure: Measure) -> String {
        if let (Measure::Spikes, Some(spikes)) = (measure, measured.error.spikes) {
            match (spikes.missing, spikes.extra) {
                (0, 0) => {}
                (n, 0) => return format!("∞: {n} missing"),
                (0, n) => return format!("∞: {n} extra"),
                (m, n) => return format!("∞: {m} missing, {n} extra"),
            }
        }
        let (Some(error), Some(bound)) =
            (measured.error.get(measure), self.bound(measured, measure))
        else {
            return String::new();
        };
        match bound > error || error == 0.0 {
            true => format!("≤ {}", significant(bound)),
            false => significant(error),
        }
    }

    /// The entries that tell most, one for each solver with steps and one with tolerances: the coarsest that keeps the
    /// target, or the most exact.
    pub fn summary(&self) -> Vec<&Entry> {
        let mut shown: Vec<&Entry> = Vec::new();
        let mut k = 0;
        while k < self.entries.len() {
            let first = &self.entries[k];
            let own = |e: &&Entry| e.solver == first.solver && e.step.is_like(first.step);
            let group: Vec<&Entry> = self.entries[k..].iter().take_while(own).collect();
            k += group.len();
            let keeps = |e: &&&Entry| self.target.is_some_and(|target| self.meets(e, target));
            let error = |e: &Entry| {
                let measured = e.result.as_ref().ok();
                let error = measured.and_then(|m| self.bound(m, self.measure));
                error.unwrap_or(f64::INFINITY)
            };
            let exact = group.iter().min_by(|a, b| error(a).total_cmp(&error(b)));
            shown.extend(group.iter().find(keeps).or(exact));
        }
        shown
    }

    /// Lines that say which entries failed and why, those of one solver with one reason together.
    pub fn failures(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut k = 0;
        while k < self.entries.len() {
            let first = &self.entries[k];
            let own = |e: &&Entry| e.solver == first.solver && e.step.is_like(first.step);
            let group: Vec<&Entry> = self.entries[k..].iter().take_while(own).collect();
            k += group.len();
            let failed: Vec<(&Entry, &String)> = (group.iter())
                .filter_map(|e| Some((*e, e.result.as_ref().err()?)))
                .collect();
            let Some((last, reason)) = failed.last() else {
                continue;
            };
            let range = match failed.len() {
                1 => last.step.to_string(),
                _ => format!("{} and above", last.step),
            };
            lines.push(format!("{} with {range}: {reason}", first.solver));
        }
        lines
    }

    /// The table as CSV: a header, and a row for each entry. Errors are the measured numbers, `inf` for a missing or
    /// extra spike.
    pub fn csv(&self) -> String {
        let mut text = String::from(
            "solver,dt_ms,tolerance,mean_error,max_error,spike_error_ms,order,cpu_us_per_ms,rhs_per_ms,stable_to_ms,failure\n",
        );
        for entry in &self.entries {
            let shown = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
            let (dt, tolerance) = parts(entry.step);
            let measured = entry.result.as_ref().ok();
            let error = |measure| shown(measured.and_then(|m| m.error.get(measure)));
            let fields = [
                quoted(&entry.solver),
                shown(dt),
                shown(tolerance),
                error(Measure::Mean),
                error(Measure::Max),
                error(Measure::Spikes),
                shown(measured.and_then(|m| m.order)),
                shown(measured.map(|m| m.cost.cpu)),
                shown(measured.map(|m| m.cost.right_hand_sides)),
                shown(dt.and(self.stable_up_to(&entry.solver))),
                entry
                    .result
                    .as_ref()
                    .err()
                    .map_or(String::new(), |e| quoted(e)),
            ];
            text.push_str(&fields.join(","));
            text.push('\n');
        }
        text
    }

    /// The whole comparison as JSON. Infinite errors are the text "infinite".
    pub fn json(&self) -> Value {
        let entries = self.entries.iter().map(|entry| {
            let (dt, tolerance) = parts(entry.step);
            let mut value = json!({
                "solver": entry.solver,
                "dt_ms": dt,
                "tolerance": tolerance,
                "stable_to_ms": dt.and(self.stable_up_to(&entry.solver)),
            });
            match &entry.result {
                Err(reason) => value["failure"] = json!(reason),
                Ok(measured) => {
                    let error = |m| measured.error.get(m).map(finite);
                    value["mean_error"] = json!(error(Measure::Mean));
                    value["max_error"] = json!(error(Measure::Max));
                    value["spike_error_ms"] = json!(error(Measure::Spikes));
                    value["missing_spikes"] = json!(measured.error.spikes.map(|s| s.missing));
                    value["extra_spikes"] = json!(measured.error.spikes.map(|s| s.extra));
                    value["order"] = json!(measured.order);
                    value["cpu_us_per_ms"] = json!(measured.cost.cpu);
                    value["rhs_per_ms"] = json!(measured.cost.right_hand_sides);
                }
            }
            value
        });
        let left_out = self.left_out.iter();
        let left_out = left_out.map(|l| json!({"solver": l.solver, "reason": l.reason}));
        let (dt, tolerance) = parts(self.reference.step);
        let of_reference = |m| self.reference.accuracy.get(m).map(finite);
        json!({
            "title": self.title,
            "complete": self.complete,
            "skipped_runs": self.skipped,
            "compared": self.compared.variables,
            "unit": self.compared.unit,
            "interval_ms": self.ladder.interval,
            "reference": {
                "solver": self.reference.solver,
                "dt_ms": dt,
                "tolerance": tolerance,
                "mean_error": of_reference(Measure::Mean),
                "max_error": of_reference(Measure::Max),
                "spike_error_ms": of_reference(Measure::Spikes),
            },
            "entries": entries.collect::<Vec<_>>(),
            "left_out": left_out.collect::<Vec<_>>(),
            "target": self.target.map(|t| json!({"value": t.value, "of": t.measure.words()})),
            "choice": self.choice.as_ref().map(|c| json!({
                "solver": c.best.as_ref().map(|b| &b.0),
                "dt_ms": c.best.as_ref().and_then(|b| parts(b.1).0),
                "tolerance": c.best.as_ref().and_then(|b| parts(b.1).1),
                "reason": c.reason,
                "caution": c.caution,
            })),
        })
    }

    /// The work-precision diagram: error against CPU time, a line for each solver.
    pub fn chart(&self) -> Chart {
        let mut series: Vec<Series> = Vec::new();
        let mut last: Option<&Entry> = None;
        for entry in &self.entries {
            let new = last.is_none_or(|l| l.solver != entry.solver || !l.step.is_like(entry.step));
            last = Some(entry);
            if new {
                let (name, dashed) = match entry.step {
                    Step::Fixed(_) => (entry.solver.clone(), false),
                    Step::Tolerance(_) => (format!("{} (tol.)", entry.solver), true),
                };
                series.push(Series {
                    name,
                    points: Vec::new(),
                    dashed,
                    markers: true,
                });
            }
            if let (Some(series), Ok(measured)) = (series.last_mut(), &entry.result)
                && let Some(error) = self.bound(measured, self.measure)
                && error.is_finite()
            {
                series.points.push((measured.cost.cpu, error));
            }
        }
        series.retain(|s| !s.points.is_empty());
        let unit = match self.measure {
            Measure::Spikes => "ms",
            _ => &self.compared.unit,
        };
        let what = match self.measure {
            Measure::Spikes => self.measure.words().to_string(),
            _ => format!(
                "{} of {}",
                self.measure.words(),
                self.compared.variables.join(", ")
            ),
        };
        let best = self.choice.as_ref().and_then(|c| c.best.as_ref());
        let best = best.and_then(|(solver, step)| {
            let entry = (self.entries.iter()).find(|e| e.solver == *solver && e.step == *step)?;
            let measured = entry.result.as_ref().ok()?;
            Some((measured.cost.cpu, self.bound(measured, self.measure)?))
        });
        Chart {
            title: self.title.clone(),
            subtitle: format!(
                "error against cost; reference: {}, {}",
                self.reference.solver, self.reference.step
            ),
            x: Axis {
                label: "CPU time per simulated ms [µs]".to_string(),
                logarithmic: true,
            },
            y: Axis {
                label: match unit {
                    "" => what,
                    unit => format!("{what} [{unit}]"),
                },
                logarithmic: true,
            },
            series,
            marks: (self.target.iter())
                .map(|target| Mark {
                    name: "target".to_string(),
                    at: target.value,
                })
                .collect(),
            ring: best,
        }
    }
}

/// The step, or the tolerance.
fn parts(step: Step) -> (Option<f64>, Option<f64>) {
    match step {
        Step::Fixed(dt) => (Some(dt), None),
        Step::Tolerance(tolerance) => (None, Some(tolerance)),
    }
}

/// A number that JSON can hold.
fn finite(x: f64) -> Value {
    match x.is_finite() {
        true => json!(x),
        false => json!("infinite"),
    }
}

/// A field of a CSV file.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_string(),
    }
}
