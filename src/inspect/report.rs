//! An inspection as JSON and as a diagram.

use super::Inspection;
use crate::output::{Axis, Chart, Series};
use serde_json::{Value, json};

/// Time constants longer than this part of the greatest one drawn are cut.
const LONGEST: f64 = 1e6;

impl Inspection {
    /// All of it as JSON. A step that nothing limits is `null`.
    pub fn json(&self) -> Value {
        let [potentials, gates, concentrations, others] = self.states;
        let samples = self.samples.iter().map(|s| {
            json!({
                "t_ms": s.time,
                "cell": s.cell,
                "fastest_rate_per_ms": s.fastest,
                "slowest_rate_per_ms": s.slowest,
                "growth_per_ms": s.growth,
            })
        });
        let limits = self.limits.iter().map(|l| {
            json!({
                "solver": l.solver,
                "order": l.order,
                "real_axis": finite(l.real_axis),
                "dt_ms": finite(l.step),
                "at_ms": l.time,
            })
        });
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|i| json!({"name": i.name, "unit": i.unit, "jumps_ms": i.jumps}));
        json!({
            "title": self.title,
            "cells": self.cells,
            "control_volumes": self.control_volumes,
            "states_per_cell": {
                "potentials": potentials,
                "gates": gates,
                "concentrations": concentrations,
                "others": others,
            },
            "parameters": self.parameters,
            "memory_bytes": {
                "states": self.memory.states,
                "workspaces": self.memory.workspaces,
                "samples": self.memory.samples,
            },
            "inputs": inputs.collect::<Vec<_>>(),
            "followed_with": self.followed_with,
            "every_ms": self.every,
            "cells_looked_at": self.looked_at,
            "whole_spectrum": self.whole_spectrum,
            "independent_states": self.independent,
            "stiffness_ratio": self.stiffness_ratio(),
            "stiffest": self.stiffest.as_ref().map(|s| json!({
                "state": s.place.to_string(),
                "cell": s.cell,
                "t_ms": s.time,
                "rate_per_ms": s.rate,
            })),
            "explicit_limits": limits.collect::<Vec<_>>(),
            "samples": samples.collect::<Vec<_>>(),
            "ended_early": self.ended,
        })
    }

    /// The fastest and the slowest time constant against time, for the first cell that was looked at and, in a population, the
    /// last.
    pub fn chart(&self) -> Chart {
        let mut cells = self.looked_at.clone();
        cells.dedup();
        let cells = match cells[..] {
            [first, .., last] => vec![first, last],
            _ => cells,
        };
        let mut series = Vec::new();
        for cell in &cells {
            let own = || self.samples.iter().filter(|s| s.cell == *cell);
            let of = match self.cells {
                1 => String::new(),
                _ => format!(" (cell {cell})"),
            };
            let longest = LONGEST / self.rates().map_or(1.0, |(fastest, _)| fastest);
            let line = |name: &str, rates: Vec<(f64, f64)>| Series {
                name: format!("{name}{of}"),
                points: (rates.into_iter())
                    .map(|(t, rate)| {
                        (
                            t,
                            if rate > 0.0 {
                                (1.0 / rate).min(longest)
                            } else {
                                f64::NAN
                            },
                        )
                    })
                    .collect(),
                dashed: false,
                markers: false,
            };
            series.push(line(
                "fastest",
                own().map(|s| (s.time, s.fastest)).collect(),
            ));
            let slowest = own().map(|s| (s.time, s.slowest.unwrap_or(0.0)));
            series.push(line("slowest", slowest.collect()));
            let growth = own().map(|s| (s.time, s.growth.unwrap_or(0.0)));
            series.push(Series {
                dashed: true,
                ..line("growth", growth.collect())
            });
        }
        series.retain(|s| s.points.iter().any(|p| p.1.is_finite()));
        Chart {
            title: self.title.clone(),
            subtitle: "time constants of the Jacobian along the solution".to_string(),
            x: Axis {
                label: "time t [ms]".to_string(),
                logarithmic: false,
            },
            y: Axis {
                label: "time constant [ms]".to_string(),
                logarithmic: true,
            },
            series,
            marks: Vec::new(),
            ring: None,
        }
    }
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}
