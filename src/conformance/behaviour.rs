//! Checks other than the order of convergence.

use super::Outcome;
use super::problem::guarded;
use crate::cells::SingleCompartment;
use crate::input::Input;
use crate::model::{Model, Values};
use crate::registry::{Entry, Registry};
use crate::simd::Level;
use crate::simulation::{Setup, SetupError};
use ndarray::Array2;

fn verdict(result: Result<(), String>) -> Outcome {
    match result {
        Ok(()) => Outcome::Passed,
        Err(reason) => Outcome::Failed(reason),
    }
}

/// The step can be recorded, twice the same, and what is declared makes sense.
pub(super) fn program(entry: &Entry) -> Outcome {
    let info = &entry.info;
    verdict(guarded(|| {
        let program = entry.program().map_err(|error| error.to_string())?;
        let again = entry.program().map_err(|error| error.to_string())?;
        if program != again {
            return Err("two recordings of its step differ".to_string());
        }
        if info.order == 0 {
            return Err("it declares order 0; no convergent method has it".to_string());
        }
        let texts = [
            ("family", &info.family),
            ("description", &info.description),
            ("formula", &info.formula),
        ];
        for (what, text) in texts {
            if text.trim().is_empty() {
                return Err(format!("its {what} is empty"));
            }
        }
        if let Some(bad) = info.parameters.iter().find(|p| !p.default.is_finite()) {
            let (name, value) = (&bad.name, bad.default);
            return Err(format!("its parameter \"{name}\" has the default {value}"));
        }
        Ok(())
    }))
}

/// Cells that differ in everything that may differ from cell to cell.
fn population() -> Result<Model, String> {
    const CELLS: usize = 11;
    let of_cell = |f: fn(f64) -> f64| (0..CELLS).map(|k| f(k as f64)).collect::<Vec<f64>>();
    let currents = of_cell(|k| 6.0 + k).into_iter();
    let currents = currents.map(|current| Input::step(current, 0.1 + 0.01 * current, 3.0));
    let cell = SingleCompartment::hodgkin_huxley()
        .capacitance(Values::PerCell(of_cell(|k| 1.0 + 0.02 * k)))
        .initial_voltage(Values::PerCell(of_cell(|k| -70.0 + k)))
        .inputs("stimulus", currents.collect());
    cell.population(CELLS).map_err(|error| error.to_string())
}

/// The same bits from the same run, for any width of tile and number of threads, and for all SIMD levels with fused multiply-add.
pub(super) fn determinism(registry: &Registry, entry: &Entry) -> Outcome {
    let model = match population() {
        Ok(model) => model,
        Err(reason) => return Outcome::Failed(reason),
    };
    if let Some(missing) = entry.info.needs.missing(model.capabilities()) {
        return Outcome::Skipped(format!("it needs {missing}"));
    }
    let run = |level: Level, (tile, threads): (usize, usize)| -> Result<Array2<f64>, String> {
        let states = model.state_names().into_iter();
        let setup = Setup::new(entry.info.name.as_str(), 0.01);
        let setup = states.fold(setup, |setup, name| setup.record(name));
        let setup = setup.level(level).tile(tile).threads(threads);
        let run = setup.start::<f64>(registry, &model);
        let mut run = run.map_err(|error| error.to_string())?;
        run.run(4.0).map_err(|error| error.to_string())?;
        Ok(run.recording().data().clone())
    };
    verdict(guarded(|| {
        let levels: Vec<Level> = Level::ALL
            .into_iter()
            .filter(|l| l.is_available())
            .collect();
        for fused in [true, false] {
            let mut first: Option<(Level, (usize, usize), Array2<f64>)> = None;
            for &level in levels.iter().filter(|level| level.is_fused() == fused) {
                // 11 cells: full vectors, remainders, and the first width twice.
                for how in [(11, 1), (11, 1), (1, 3), (3, 2), (8, 2)] {
                    let samples = run(level, how)?;
                    let (level0, how0, samples0) =
                        first.get_or_insert_with(|| (level, how, samples.clone()));
                    let bits = |x: &Array2<f64>| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                    if bits(samples0) != bits(&samples) {
                        return Err(format!(
                            "tiles of {} cells on {} threads at level {level} and tiles of {} on {} at level {level0} give different bits",
                            how.0, how.1, how0.0, how0.1
                        ));
                    }
                }
            }
        }
        Ok(())
    }))
}

/// Step sizes that make no sense are refused; steps that are far too large or small give a finite result or an error,
/// never a panic.
pub(super) fn bad_input(registry: &Registry, entry: &Entry) -> Outcome {
    let cell = SingleCompartment::hodgkin_huxley();
    let cell = cell.input("stimulus", Input::step(10.0, 1.0, 3.0));
    let model = match Model::new(&cell) {
        Ok(model) => model,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    if let Some(missing) = entry.info.needs.missing(model.capabilities()) {
        return Outcome::Skipped(format!("it needs {missing}"));
    }
    let setup = |dt: f64| Setup::new(entry.info.name.as_str(), dt).record("V");
    verdict(guarded(|| {
        for dt in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, -0.1] {
            match setup(dt).start::<f64>(registry, &model) {
                Err(SetupError::Step(_)) => {}
                Err(other) => {
                    return Err(format!(
                        "dt = {dt} ms is refused for a wrong reason: {other}"
                    ));
                }
                Ok(_) => return Err(format!("dt = {dt} ms is accepted")),
            }
        }
        for (dt, until) in [
            (1.0, 50.0),
            (30.0, 1e3),
            (1e6, 1e8),
            (1e300, 1e302),
            (1e300, 1.0),
            (f64::MAX, f64::MAX),
            (f64::MIN_POSITIVE, 1.0),
            (1e-300, 1e300),
        ] {
            let run = setup(dt).start::<f64>(registry, &model);
            let mut run = run.map_err(|error| format!("dt = {dt} ms is refused: {error}"))?;
            let outcome = run.run(until);
            let state = run.state("V").map_err(|error| error.to_string())?;
            let v = state.value.at(0, 0);
            if !v.is_finite() {
                return Err(format!("with dt = {dt} ms V is {v} after {outcome:?}"));
            }
            let samples = run.recording();
            if let Some(x) = samples.data().iter().find(|x| !x.is_finite()) {
                return Err(format!("with dt = {dt} ms {x} is recorded as V"));
            }
        }
        Ok(())
    }))
}
