//! Results do not depend on the number of threads, to the bit.

use braincell::cells::SingleCompartment;
use braincell::input::Input;
use braincell::kernel::Storage;
use braincell::model::{Model, Values};
use braincell::simulation::{Outcome, Recording, RunError, Setup, SetupError, Tolerances};
use std::ops::ControlFlow;

const CELLS: usize = 70;

/// Cells that differ in their capacitance and their input.
fn population() -> Model {
    let of_cell = |f: fn(f64) -> f64| (0..CELLS).map(|k| f(k as f64)).collect::<Vec<f64>>();
    let currents = of_cell(|k| 0.3 * k).into_iter();
    let currents = currents.map(|current| Input::step(current, 1.0 + 0.013 * current, 30.0));
    let cell = SingleCompartment::hodgkin_huxley()
        .capacitance(Values::PerCell(of_cell(|k| 1.0 + 0.005 * k)))
        .inputs("stimulus", currents.collect());
    cell.population(CELLS).unwrap()
}

fn run<F: Storage>(setup: &Setup, model: &Model, until: f64) -> (Recording, Option<RunError>) {
    let mut run = setup.start::<F>(braincell::solvers(), model).unwrap();
    let error = run.run(until).err();
    (run.recording(), error)
}

/// Samples and spike times, as bits.
fn bits(recording: &Recording) -> Vec<u64> {
    let spikes = recording.spikes().iter().flat_map(|train| &train.times);
    let all = recording
        .times()
        .iter()
        .chain(recording.data())
        .chain(spikes);
    all.map(|x| x.to_bits()).collect()
}

fn agree<F: Storage>(setup: &Setup, model: &Model, until: f64) {
    let (one, error) = run::<F>(&setup.clone().threads(1), model, until);
    assert!(one.times().len() > 3);
    for threads in [2, 3, 16] {
        let (more, other) = run::<F>(&setup.clone().threads(threads), model, until);
        assert_eq!(error, other, "{threads} threads");
        assert!(bits(&one) == bits(&more), "{threads} threads");
    }
}

#[test]
fn fixed_steps_give_the_same_bits_on_any_number_of_threads() {
    let model = population();
    let setup = Setup::new("rk4", 0.02)
        .record("V")
        .record("na.h")
        .every(0.1);
    let setup = setup.spikes("V", 0.0);
    agree::<f64>(&setup, &model, 40.0);
    agree::<f64>(&setup.clone().tile(3), &model, 40.0);
    agree::<f32>(&setup.tile(16), &model, 40.0);
}

#[test]
fn adaptive_steps_give_the_same_bits_on_any_number_of_threads() {
    let setup = Setup::adaptive("dopri54", Tolerances::new(1e-5));
    let setup = setup.record("V").every(0.1).spikes("V", 0.0);
    agree::<f64>(&setup, &population(), 40.0);
}

#[test]
fn a_failure_is_the_same_on_any_number_of_threads() {
    let model = population();
    // Explicit, and unstable in some cells as soon as they spike.
    let setup = Setup::new("rk4", 0.2).record("V").tile(3);
    let (_, error) = run::<f64>(&setup.clone().threads(1), &model, 40.0);
    assert!(matches!(error, Some(RunError::BadValue(_))), "{error:?}");
    agree::<f64>(&setup, &model, 40.0);
    let mut tolerances = Tolerances::new(1e-6);
    tolerances.max_steps = 300;
    let setup = Setup::adaptive("dopri54", tolerances)
        .record("V")
        .every(0.1);
    let (_, error) = run::<f64>(&setup.clone().threads(1), &model, 40.0);
    assert!(
        matches!(error, Some(RunError::StepsExhausted(_))),
        "{error:?}"
    );
    agree::<f64>(&setup, &model, 40.0);
}

#[test]
fn a_stopped_run_goes_on_with_the_same_bits() {
    let model = population();
    let setup = Setup::new("rk4", 0.005).record("V").every(0.1).tile(4);
    let (whole, _) = run::<f64>(&setup.clone().threads(1), &model, 60.0);
    let mut run = setup
        .threads(3)
        .start::<f64>(braincell::solvers(), &model)
        .unwrap();
    let mut calls = 0;
    loop {
        let outcome = run.run_observed(60.0, &mut |_| {
            calls += 1;
            ControlFlow::Break(())
        });
        if outcome.unwrap() == Outcome::Finished {
            break;
        }
    }
    assert!(calls > 1);
    assert!(bits(&whole) == bits(&run.recording()));
}

#[test]
fn no_threads_are_an_error() {
    let start = Setup::new("rk4", 0.01)
        .threads(0)
        .start::<f64>(braincell::solvers(), &population());
    let error = start.err().unwrap();
    assert_eq!(error, SetupError::Threads);
    assert!(error.to_string().contains("at least 1"), "{error}");
}
