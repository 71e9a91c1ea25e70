//! What derivatives are taken with respect to.

use super::{AXIAL_CONDUCTANCE, GradientError};
use crate::engine::{Adjoint, Layout, Wanted};
use crate::input::Input;
use crate::model::{CableInfo, Model, ModelError, Values};
use ndarray::Array2;
use std::sync::Arc;

/// A quantity to differentiate by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Parameter(usize),
    Initial(usize),
    Amplitude(usize),
    Onset(usize),
    Axial,
}

/// A quantity to differentiate by, with its components.
#[derive(Clone, Debug)]
pub(super) struct Quantity {
    pub name: String,
    kind: Kind,
    shape: Shape,
    /// Of a part of a parameter: how much it counts at each element.
    shares: Option<Arc<[f64]>>,
    /// Number of its first component among those of all quantities.
    pub first: usize,
}

/// How the components of a quantity belong to elements and cells.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Uniform,
    PerElement(usize),
    PerCell(usize),
    Each(usize, usize),
}

impl Shape {
    fn of(values: &Values) -> Self {
        match values {
            Values::Uniform(_) => Shape::Uniform,
            Values::PerElement(x) => Shape::PerElement(x.len()),
            Values::PerCell(x) => Shape::PerCell(x.len()),
            Values::Each(x) => Shape::Each(x.nrows(), x.ncols()),
        }
    }

    fn len(self) -> usize {
        match self {
            Shape::Uniform => 1,
            Shape::PerElement(n) | Shape::PerCell(n) => n,
            Shape::Each(rows, columns) => rows * columns,
        }
    }

    fn component(self, element: usize, cell: usize) -> usize {
        match self {
            Shape::Uniform => 0,
            Shape::PerElement(_) => element,
            Shape::PerCell(_) => cell,
            Shape::Each(_, columns) => element * columns + cell,
        }
    }

    fn values(self, x: &[f64]) -> Values {
        match self {
            Shape::Uniform => Values::Uniform(x[0]),
            Shape::PerElement(_) => Values::PerElement(x.to_vec()),
            Shape::PerCell(_) => Values::PerCell(x.to_vec()),
            Shape::Each(rows, columns) => {
                Values::Each(Array2::from_shape_fn((rows, columns), |(e, cell)| {
                    x[e * columns + cell]
                }))
            }
        }
    }
}

/// Finds the quantities of these names.
pub(super) fn find(model: &Model, names: &[&str]) -> Result<Vec<Quantity>, GradientError> {
    let mut first = 0;
    let mut all: Vec<Quantity> = Vec::new();
    for &name in names {
        let parameter = model.parameter_names().iter().position(|n| *n == name);
        let state = model.state_names().iter().position(|n| *n == name);
        let input = (model.signals.iter()).position(|s| s.name == name && s.input.is_some());
        let (kind, shape) = match (parameter, state, input) {
            (Some(p), ..) => (
                Kind::Parameter(p),
                Shape::of(&model.parameters[p].parameter.value),
            ),
            (_, Some(s), _) => {
                let state = &model.states[s].state;
                if state.steady {
                    return Err(GradientError::Steady(name.to_string()));
                }
                (Kind::Initial(s), Shape::of(&state.value))
            }
            (.., Some(s)) => {
                let count = model.signals[s].input.as_ref().map_or(1, Vec::len);
                let shape = match count {
                    1 => Shape::Uniform,
                    n => Shape::PerCell(n),
                };
                (Kind::Amplitude(s), shape)
            }
            _ if onset(model, name).is_some() => {
                let signal = onset(model, name).unwrap_or(0);
                let movable = matches!(
                    model.signals[signal].input.as_deref(), Some([one]) if one.is_pulses()
                );
                if !movable {
                    return Err(GradientError::Onset(name.to_string()));
                }
                (Kind::Onset(signal), Shape::Uniform)
            }
            _ if name == AXIAL_CONDUCTANCE => {
                if model.cable.is_none() {
                    return Err(GradientError::NoCable);
                }
                (Kind::Axial, Shape::Uniform)
            }
            _ => {
                let inputs = model.signals.iter().filter(|s| s.input.is_some());
                let inputs: Vec<&str> = inputs.map(|s| s.name.as_str()).collect();
                return Err(GradientError::Unknown {
                    name: name.to_string(),
                    parameters: model.parameter_names().join(", "),
                    states: model.state_names().join(", "),
                    inputs: inputs.join(", "),
                });
            }
        };
        if all.iter().any(|q| q.name == name) {
            return Err(GradientError::Twice(name.to_string()));
        }
        all.push(Quantity {
            name: name.to_string(),
            kind,
            shape,
            shares: None,
            first,
        });
        first += shape.len();
    }
    Ok(all)
}

/// A part of a parameter of elements, which changes by share · dx at each of them.
pub(super) fn part(
    model: &mut Model,
    name: &str,
    (parameter, shares): (&str, &[f64]),
    all: &mut Vec<Quantity>,
) -> Result<(), GradientError> {
    if all.iter().any(|q| q.name == name) {
        return Err(GradientError::Twice(name.to_string()));
    }
    let values = match &model.parameter(parameter)?.value {
        Values::Uniform(x) => vec![*x; shares.len()],
        Values::PerElement(x) => x.clone(),
        Values::PerCell(_) | Values::Each(_) => {
            return Err(GradientError::Part {
                name: name.to_string(),
                reason: format!("\"{parameter}\" differs from cell to cell"),
            });
        }
    };
    if values.len() != shares.len() || shares.iter().any(|x| !x.is_finite()) {
        return Err(GradientError::Part {
            name: name.to_string(),
            reason: format!(
                "\"{parameter}\" has {} elements; give a finite share for each, not {shares:?}",
                values.len()
            ),
        });
    }
    // One value for all elements would have one derivative.
    model.set_parameter(parameter, Values::PerElement(values))?;
    let number = (model.parameter_names().iter()).position(|known| *known == parameter);
    all.push(Quantity {
        name: name.to_string(),
        kind: Kind::Parameter(number.unwrap_or(0)),
        shape: Shape::Uniform,
        shares: Some(shares.into()),
        first: all.iter().map(Quantity::len).sum(),
    });
    Ok(())
}

/// The input of a name such as "stimulus.onset".
fn onset(model: &Model, name: &str) -> Option<usize> {
    let input = name.strip_suffix(".onset")?;
    let is = |s: &crate::model::SignalInfo| s.name == input && s.input.is_some();
    model.signals.iter().position(is)
}

/// The parameter that the conductances of the cable follow from.
fn resistivity(model: &Model) -> Option<usize> {
    Some(model.cable.as_ref()?.resistivity.as_ref()?.parameter.0)
}

/// What the engine has to follow for these quantities.
pub(super) fn wanted(model: &Model, quantities: &[Quantity]) -> Wanted {
    let has = |kind: Kind| quantities.iter().any(|q| q.kind == kind);
    Wanted {
        parameters: (0..model.parameters.len())
            .map(|p| has(Kind::Parameter(p)))
            .collect(),
        amplitudes: (0..model.signals.len())
            .map(|s| has(Kind::Amplitude(s)))
            .collect(),
        connections: has(Kind::Axial)
            || resistivity(model).is_some_and(|p| has(Kind::Parameter(p))),
    }
}

impl Quantity {
    /// Number of components.
    pub fn len(&self) -> usize {
        self.shape.len()
    }

    /// Its part of numbers for all components.
    pub fn values(&self, all: &[f64]) -> Values {
        self.shape.values(&all[self.first..self.first + self.len()])
    }

    /// The input whose onset it is.
    pub fn onset_of<'m>(&self, model: &'m Model) -> Option<&'m Input> {
        match self.kind {
            Kind::Onset(s) => model.signals[s].input.as_ref()?.first(),
            _ => None,
        }
    }

    /// A label for a component.
    pub fn label(&self, component: usize) -> String {
        match self.shape {
            Shape::Uniform => self.name.clone(),
            Shape::PerElement(_) => format!("{}[{component}]", self.name),
            Shape::PerCell(_) => format!("{}#{component}", self.name),
            Shape::Each(_, columns) => format!(
                "{}[{}]#{}",
                self.name,
                component / columns,
                component % columns
            ),
        }
    }

    /// Calls `f(component, place, factor)`: the number at `place` of a tile changes by `factor` times the change of the
    /// component of the quantity.
    pub fn places(
        &self,
        layout: &Layout,
        adjoint: &Adjoint,
        first_cell: usize,
        mut f: impl FnMut(usize, usize, f64),
    ) {
        let lanes = layout.lanes;
        // The component that an element of a cell belongs to, and how much it counts there.
        let component = |element: usize, cell: usize| match &self.shares {
            Some(shares) => (self.first, shares[element]),
            None => (self.first + self.shape.component(element, cell), 1.0),
        };
        let mut plane = |offset: usize, len: usize, uniform: bool| {
            for k in 0..len {
                let (element, cell) = match uniform {
                    true => (0, first_cell),
                    false => (k / lanes, first_cell + k % lanes),
                };
                let (component, share) = component(element, cell);
                f(component, offset + k, share);
            }
        };
        match self.kind {
            Kind::Parameter(p) => {
                let place = layout.parameters[p];
                let uniform = matches!(
                    layout.model.parameters[p].parameter.value,
                    Values::Uniform(_)
                );
                plane(place.offset, place.len, uniform);
                layout.capacity_changes(p, |element, lane, at, factor| {
                    let (component, share) = component(element, first_cell + lane);
                    f(component, at, factor * share);
                });
                if resistivity(&layout.model) == Some(p) {
                    connections(layout, adjoint, |connection, lane, at| {
                        for &(k, r) in connection.parts {
                            let (component, share) = component(k as usize, first_cell + lane);
                            let g = connection.conductance;
                            f(component, at, -g * g * r * share);
                        }
                    });
                }
            }
            Kind::Initial(s) => {
                let group = layout.model.states[s].group;
                let at = layout.current[group] + layout.states[s].offset;
                plane(at, layout.states[s].len, false);
            }
            Kind::Amplitude(s) => {
                if let Some(at) = adjoint.extras.amplitude(s) {
                    let waveforms = layout.model.signals[s].input.as_ref();
                    match waveforms.map_or(1, Vec::len) {
                        1 => plane(at, 1, true),
                        _ => plane(at, lanes, false),
                    }
                }
            }
            Kind::Onset(_) => {}
            Kind::Axial => connections(layout, adjoint, |connection, _, at| {
                f(self.first, at, connection.conductance);
            }),
        }
    }
}

/// A connection of the cable to its parent.
struct Connection<'a> {
    /// µS.
    conductance: f64,
    /// What it leads through, see [`crate::model::Resistivity`].
    parts: &'a [(u32, f64)],
}

/// Calls `f(connection, lane, place)` for the conductances of all connections.
fn connections(layout: &Layout, adjoint: &Adjoint, mut f: impl FnMut(Connection, usize, usize)) {
    let (Some(at), Some(info)) = (adjoint.extras.connections(), &layout.model.cable) else {
        return;
    };
    for (row, &node) in info.tree.permutation().iter().enumerate().skip(1) {
        let parts = info.resistivity.as_ref();
        let parts = parts.map_or(&[][..], |r| &r.parts[node as usize]);
        for lane in 0..layout.lanes {
            let conductance = info.tree.conductance(row);
            f(
                Connection { conductance, parts },
                lane,
                at + row * layout.lanes + lane,
            );
        }
    }
}

/// The i-th number of values changed by `x`; the number as it was.
fn nudge(values: &mut Values, component: usize, x: f64) -> f64 {
    let number = match values {
        Values::Uniform(y) => y,
        Values::PerElement(y) | Values::PerCell(y) => &mut y[component],
        Values::Each(y) => {
            let columns = y.ncols();
            &mut y[[component / columns, component % columns]]
        }
    };
    let before = *number;
    *number += x;
    before
}

impl Quantity {
    /// Changes a component of the quantity in a model by `x`. Returns what it was.
    pub fn change(&self, model: &mut Model, component: usize, x: f64) -> Result<f64, ModelError> {
        Ok(match self.kind {
            Kind::Parameter(p) => {
                let parameter = &model.parameters[p].parameter;
                let (name, mut values) = (parameter.name.clone(), parameter.value.clone());
                let before = match (&self.shares, &mut values) {
                    (Some(shares), Values::PerElement(values)) => {
                        // The size of the part is that where it counts most.
                        let most = shares.iter().zip(&*values);
                        let most = most.max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()));
                        let before = most.map_or(0.0, |(_, x)| *x);
                        let pairs = values.iter_mut().zip(&**shares);
                        pairs.for_each(|(y, share)| *y += share * x);
                        before
                    }
                    (_, values) => nudge(values, component, x),
                };
                model.set_parameter(&name, values)?;
                before
            }
            Kind::Initial(s) => nudge(&mut model.states[s].state.value, component, x),
            Kind::Amplitude(s) => match &mut model.signals[s].input {
                Some(inputs) => inputs[component].add_to_amplitude(x),
                None => 0.0,
            },
            Kind::Onset(s) => match &mut model.signals[s].input {
                Some(inputs) => inputs[component].shift(x),
                None => 0.0,
            },
            Kind::Axial => {
                if let Some(info) = &model.cable {
                    let compartments = info.cable.area.len();
                    let mut cable = info.cable.clone();
                    cable.conductances.iter_mut().for_each(|g| *g *= 1.0 + x);
                    model.cable = Some(CableInfo::new(cable, compartments)?);
                }
                1.0
            }
        })
    }
}
