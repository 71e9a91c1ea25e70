//! What a run records, and where.

use super::error::Setup as SetupError;
use super::recording::{Column, SpikeTrain};
use super::setup::{Record, Setup};
use crate::model::{Model, SignalId, unknown};

/// Where a recorded number comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Variable {
    State(usize),
    Signal(usize),
}

/// A detector of threshold crossings.
#[derive(Clone, Debug)]
pub(crate) struct Detector {
    pub state: usize,
    pub element: usize,
    pub cell: usize,
    pub threshold: f64,
    pub name: String,
}

/// What a run does besides stepping.
pub(crate) struct Plan {
    pub step: f64,
    /// Samples are taken every so many steps.
    pub every: u64,
    pub columns: Vec<Column>,
    pub variables: Vec<Variable>,
    pub detectors: Vec<Detector>,
    /// What statistics are kept of.
    pub watched: Vec<(Column, Variable)>,
    /// The signals among the variables.
    pub signals: Vec<SignalId>,
}

impl Plan {
    pub fn new(model: &Model, setup: &Setup, step: f64, every: u64) -> Result<Self, SetupError> {
        let mut plan = Plan {
            step,
            every,
            columns: Vec::new(),
            variables: Vec::new(),
            detectors: Vec::new(),
            watched: Vec::new(),
            signals: Vec::new(),
        };
        for record in &setup.records {
            for (column, variable) in plan.columns_of(model, record)? {
                plan.columns.push(column);
                plan.variables.push(variable);
            }
        }
        for record in &setup.statistics {
            let watched = plan.columns_of(model, record)?;
            plan.watched.extend(watched);
        }
        for (record, threshold) in &setup.spikes {
            let name = &record.variable;
            let threshold = *threshold;
            let state = model.states.iter().position(|s| s.state.name == *name);
            let Some(state) = state.filter(|&s| model.states[s].group == 0) else {
                let of_parent = model.states.iter().filter(|s| s.group == 0);
                let known: Vec<&str> = of_parent.map(|s| s.state.name.as_str()).collect();
                return Err(unknown("state to detect spikes of, named", name, &known).into());
            };
            if !threshold.is_finite() {
                return Err(SetupError::Threshold(threshold));
            }
            for (element, cell) in places(model, record)? {
                plan.detectors.push(Detector {
                    state,
                    element,
                    cell,
                    threshold,
                    name: label(model, name, element, cell),
                });
            }
        }
        Ok(plan)
    }

    /// What a record records.
    fn columns_of(
        &mut self,
        model: &Model,
        record: &Record,
    ) -> Result<Vec<(Column, Variable)>, SetupError> {
        let name = &record.variable;
        let state = model.states.iter().position(|s| s.state.name == *name);
        let signal = model.signals.iter().position(|s| s.name == *name);
        let (variable, unit) = match (state, signal) {
            (Some(s), _) => (Variable::State(s), &model.states[s].state.unit),
            (None, Some(s)) => {
                self.signals.push(SignalId(s));
                (Variable::Signal(s), &model.signals[s].unit)
            }
            (None, None) => {
                let known = [model.state_names(), model.signal_names()].concat();
                return Err(unknown("variable", name, &known).into());
            }
        };
        let column = |(element, cell)| {
            let column = Column {
                name: label(model, name, element, cell),
                unit: unit.clone(),
                variable: name.clone(),
                element,
                cell,
            };
            (column, variable)
        };
        Ok(places(model, record)?.into_iter().map(column).collect())
    }

    pub fn spike_trains(&self) -> Vec<SpikeTrain> {
        let train = |d: &Detector| SpikeTrain {
            name: d.name.clone(),
            element: d.element,
            cell: d.cell,
            times: Vec::new(),
        };
        self.detectors.iter().map(train).collect()
    }
}

/// All (element, cell) of a record.
fn places(model: &Model, record: &Record) -> Result<Vec<(usize, usize)>, SetupError> {
    let name = &record.variable;
    let rows = model.elements(name)?;
    let choose = |what, chosen: &[usize], all: usize| {
        if let Some(&index) = chosen.iter().find(|&&k| k >= all) {
            let name = name.clone();
            return Err(SetupError::Place {
                name,
                what,
                index,
                all,
            });
        }
        Ok(match chosen {
            [] => (0..all).collect::<Vec<_>>(),
            _ => chosen.to_vec(),
        })
    };
    let elements = choose("element", &record.elements, rows)?;
    let cells = choose("cell", &record.cells, model.cells)?;
    let pairs = cells
        .iter()
        .flat_map(|&cell| elements.iter().map(move |&e| (e, cell)));
    Ok(pairs.collect())
}

/// "V", "V[3]" at element 3, "V#7" in cell 7 of a population, "V[3]#7".
fn label(model: &Model, name: &str, element: usize, cell: usize) -> String {
    let mut label = name.to_string();
    if model.elements(name).is_ok_and(|rows| rows > 1) {
        label.push_str(&format!("[{element}]"));
    }
    if model.cells > 1 {
        label.push_str(&format!("#{cell}"));
    }
    label
}
