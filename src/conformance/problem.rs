//! The problems on which solvers are measured, and how they are run.
//!
//! A long run adds up rounding, and an unstable stretch magnifies it, until nothing is left of the error of a solver of
//! high order at steps small enough to measure its order. So a long solution is cut into short stretches, which run side
//! by side: each cell of a population starts at another time of the solution.

use super::reference;
use crate::cells::discretisation::{Discretisation, Location, Policy};
use crate::cells::morphology::{Region, builders};
use crate::cells::{MultiCompartment, Placed, SingleCompartment, mechanisms};
use crate::input::Input;
use crate::model::{Model, Values, ode, systems::VanDerPol};
use crate::registry::Registry;
use crate::simulation::Setup;
use crate::stepper::Parts;
use ndarray::{Array2, s};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Time between samples, ms. Step sizes are this divided by powers of two.
pub(super) const INTERVAL: f64 = 0.25;
/// Duration of a stretch, ms.
const STRETCH: f64 = 0.5;
/// Number of stretches.
const STRETCHES: usize = 16;
/// Steps per [`INTERVAL`] of the reference solution.
const REFERENCE_STEPS: f64 = 32.0;

/// Equations on which the order of convergence is measured.
pub(super) struct Problem {
    pub model: Model,
    /// The solution at multiples of [`INTERVAL`]: samples × states of all cells.
    solution: Array2<f64>,
    /// The greatest size of each column.
    scale: Vec<f64>,
    /// The size of an error that comes from rounding alone, per step of an interval.
    floor: f64,
}

/// The van der Pol oscillator: nonlinear, autonomous, no membrane.
pub(super) fn oscillator(parts: Parts) -> Result<Problem, String> {
    let module = ode(VanDerPol);
    let one = Model::new(&module).map_err(|error| error.to_string())?;
    let all = Model::population(&module, STRETCHES).map_err(|error| error.to_string())?;
    Problem::along(parts, &one, all, 2.0 * INTERVAL)
}

/// The Hodgkin-Huxley membrane, on stretches along a spike, under currents into it.
pub(super) fn membrane(parts: Parts, currents: &[Input]) -> Result<Problem, String> {
    along_a_spike(parts, SingleCompartment::hodgkin_huxley(), currents)
}

/// The thalamic relay neuron, with a calcium pool that potential and gates depend on, likewise.
pub(super) fn thalamic(parts: Parts, currents: &[Input]) -> Result<Problem, String> {
    let cell = SingleCompartment::thalamic_relay().initial_voltage(-45.0);
    along_a_spike(parts, cell, currents)
}

/// A branched cell of seven compartments with Hodgkin-Huxley membrane, on stretches along a spike, driven by a constant
/// current into the root and by a sine into a branch end.
pub(super) fn tree(parts: Parts) -> Result<Problem, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let shape = builders::binary_tree(3, 120.0, 6.0, 0.8, 0.63).map_err(|e| text(&e))?;
    let cut = Discretisation::new(shape, &Policy::Count(1).into(), 100.0).map_err(|e| text(&e))?;
    let mut cell = MultiCompartment::new(cut);
    for (label, name) in [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")] {
        let mechanism = mechanisms::find(name).map_err(|e| text(&e))?;
        let placed = Placed::new(label, mechanism);
        cell = cell.paint(Region::all(), placed).map_err(|e| text(&e))?;
    }
    let root = Location::At { branch: 0, x: 0.5 };
    let end = Location::At { branch: 6, x: 1.0 };
    let cell = cell
        .clamp("constant", root, Input::constant(1.0))
        .and_then(|cell| cell.clamp("sine", end, Input::sine(0.1, 0.3, 0.5)))
        .map_err(|e| text(&e))?;
    let one = Model::new(&cell).map_err(|e| text(&e))?;
    let all = cell.population(STRETCHES).map_err(|e| text(&e))?;
    Problem::along(parts, &one, all, INTERVAL)
}

/// A cell on stretches along the spike that 10 µA/cm² give, under currents into it.
fn along_a_spike(
    parts: Parts,
    cell: SingleCompartment,
    currents: &[Input],
) -> Result<Problem, String> {
    let spiking = cell.clone().input("current", Input::constant(10.0));
    let one = Model::new(&spiking).map_err(|error| error.to_string())?;
    let currents = currents.iter().enumerate();
    let cell = currents.fold(cell, |cell, (k, current)| {
        cell.input(format!("current {k}"), current.clone())
    });
    let all = cell
        .population(STRETCHES)
        .map_err(|error| error.to_string())?;
    Problem::along(parts, &one, all, INTERVAL)
}

impl Problem {
    /// The equations of `all` for the states of `parts`, the others held. The cells start from states of `one` that lie
    /// `apart` ms apart.
    ///
    /// The solution is found twice with different step sizes; the difference is the rounding floor.
    fn along(parts: Parts, one: &Model, mut all: Model, apart: f64) -> Result<Self, String> {
        let registry = reference::registry(Parts::ALL);
        let end = apart * STRETCHES as f64;
        let path = samples(
            &registry,
            reference::NAME,
            one,
            apart / REFERENCE_STEPS,
            apart,
            end,
        )?;
        let mut columns = 0..0;
        for name in one.state_names() {
            let elements = one.elements(name).map_err(|error| error.to_string())?;
            columns = columns.end..columns.end + elements;
            let starts = path.slice(s![..STRETCHES, columns.clone()]);
            all.set_initial(name, Values::Each(starts.t().to_owned()))
                .map_err(|error| error.to_string())?;
        }
        let registry = reference::registry(parts);
        let solve = |steps: f64| stretches(&registry, reference::NAME, &all, INTERVAL / steps);
        let solution = solve(REFERENCE_STEPS)?;
        let other = solve(0.75 * REFERENCE_STEPS)?;
        let columns = solution.columns().into_iter();
        let scale = columns.map(|column| column.iter().fold(0.0, |most: f64, x| most.max(x.abs())));
        let mut problem = Self {
            scale: scale.collect(),
            model: all,
            solution,
            floor: 0.0,
        };
        let difference = problem.size(&problem.error(&other));
        problem.floor = difference.max(f64::EPSILON) / REFERENCE_STEPS;
        Ok(problem)
    }

    /// The error of a numerical solution, column by column relative to its greatest size.
    pub fn error(&self, solution: &Array2<f64>) -> Array2<f64> {
        let mut error = solution - &self.solution;
        for (mut column, scale) in error.columns_mut().into_iter().zip(&self.scale) {
            column /= *scale;
        }
        error
    }

    /// The root mean square of an error.
    pub fn size(&self, error: &Array2<f64>) -> f64 {
        (error.iter().map(|x| x * x).sum::<f64>() / error.len() as f64).sqrt()
    }

    /// What rounding contributes to the size of an error with steps of `dt`, ms.
    pub fn rounding(&self, dt: f64) -> f64 {
        self.floor * (INTERVAL / dt).max(REFERENCE_STEPS)
    }

    /// The error of a solver with steps of `dt`, ms.
    pub fn run(&self, registry: &Registry, solver: &str, dt: f64) -> Result<Array2<f64>, String> {
        stretches(registry, solver, &self.model, dt).map(|solution| self.error(&solution))
    }
}

fn stretches(
    registry: &Registry,
    solver: &str,
    model: &Model,
    dt: f64,
) -> Result<Array2<f64>, String> {
    samples(registry, solver, model, dt, INTERVAL, STRETCH)
}

/// All states every `every` ms until `until`: samples × states of all cells.
fn samples(
    registry: &Registry,
    solver: &str,
    model: &Model,
    dt: f64,
    every: f64,
    until: f64,
) -> Result<Array2<f64>, String> {
    guarded(|| {
        let states = model.state_names().into_iter();
        let setup = states.fold(Setup::new(solver, dt), |setup, name| setup.record(name));
        let run = setup.every(every).start::<f64>(registry, model);
        let mut run = run.map_err(|error| error.to_string())?;
        run.run(until).map_err(|error| error.to_string())?;
        Ok(run.recording().data().clone())
    })
}

/// The result of `f`; a panic becomes an error.
pub(super) fn guarded<T>(f: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("it panics: {}", text.unwrap_or("no message")))
    })
}
