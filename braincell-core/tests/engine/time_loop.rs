//! Steps, samples and the ends of runs.

use crate::support::{bits, last, slope, solvers, start};
use braincell_core::input::Input;
use braincell_core::kernel::{Pointwise, pointwise};
use braincell_core::model::{
    DiffEqModule, DiffEqState, Domain, Launches, Model, ModelBuilder, ModelError, Ode, Parameter,
    SignalId, Source, StateId, Target, Values, ode,
    systems::{Decay, VanDerPol},
};
use braincell_core::real::Real;
use braincell_core::simulation::{Outcome, RunError, Setup, SetupError};
use proptest::prelude::*;
use std::ops::ControlFlow;

/// dx/dt = input - x
struct Driven(Input);

struct Follow;
impl Pointwise for Follow {
    type Inputs<T: Copy> = [T; 2];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [x, input]: [R; 2]) -> [R; 1] {
        [input - x]
    }
}

impl DiffEqModule for Driven {
    type Handles = (StateId, SignalId);
    fn declare(&self, m: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let x = m.state(Domain::CELL, DiffEqState::new("x", 0.0))?;
        Ok((x, m.input("input", "", vec![self.0.clone()])?))
    }
    fn compute_derivative(
        &self,
        &(x, input): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let inputs = [Source::State(x), Source::Signal(input)];
        k.launch(
            Domain::CELL,
            pointwise(Follow),
            &inputs,
            &[Target::Derivative(x)],
        )
    }
}

/// dx/dt = x², which blows up at t = 1 / x(0).
struct Blowup;
impl Ode<1, 0> for Blowup {
    fn states(&self) -> [DiffEqState; 1] {
        [DiffEqState::new("x", 1.0)]
    }
    fn parameters(&self) -> [Parameter; 0] {
        []
    }
    fn derivative<R: Real>(&self, _: R, [x]: [R; 1], _: [R; 0]) -> [R; 1] {
        [x * x]
    }
}

/// dx/dt = 1
struct Clock;
impl Ode<1, 0> for Clock {
    fn states(&self) -> [DiffEqState; 1] {
        [DiffEqState::new("x", 0.0)]
    }
    fn parameters(&self) -> [Parameter; 0] {
        []
    }
    fn derivative<R: Real>(&self, _: R, _: [R; 1], _: [R; 0]) -> [R; 1] {
        [R::one()]
    }
}

#[test]
fn a_duration_that_is_no_multiple_ends_with_a_short_step() {
    let model = Model::new(&ode(Decay)).unwrap();
    let mut run = start("euler", 0.3, &model);
    run.run(1.0).unwrap();
    assert_eq!(run.time(), 1.0);
    let recording = run.recording();
    let times = [0.0, 0.3, 0.6, 0.9, 1.0];
    for (t, wanted) in recording.times().iter().zip(times) {
        assert!((t - wanted).abs() < 1e-15);
    }
    assert_eq!(recording.times().len(), times.len());
    let x = last(&run, "x");
    assert!((x - 0.7f64.powi(3) * 0.9).abs() < 1e-15, "{x}");
    // Steps then count from there.
    run.run(1.6).unwrap();
    assert_eq!(run.recording().times().len(), 7);
    assert!((last(&run, "x") - 0.7f64.powi(5) * 0.9).abs() < 1e-15);
}

#[test]
fn sample_k_is_at_time_k() {
    let model = Model::new(&ode(Clock)).unwrap();
    let mut run = start("rk4", 0.01, &model);
    run.run(3.0).unwrap();
    let recording = run.recording();
    assert_eq!(recording.times().len(), 301);
    for (k, (t, x)) in recording
        .times()
        .iter()
        .zip(recording.trace("x").unwrap())
        .enumerate()
    {
        assert_eq!(*t, k as f64 * 0.01);
        assert!((t - x).abs() < 1e-13, "sample {k}");
    }
    let setup = Setup::new("rk4", 0.01).record("x").every(0.5);
    let mut run = setup.start::<f64>(&solvers(), &model).unwrap();
    run.run(3.2).unwrap();
    let recording = run.recording();
    assert_eq!(recording.times(), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
    let traced = recording.trace("x").unwrap();
    assert!(
        recording
            .times()
            .iter()
            .zip(traced)
            .all(|(t, x)| (t - x).abs() < 1e-13)
    );
    assert_eq!(recording.counters().steps, 320);
    assert_eq!(recording.counters().right_hand_sides, 1280);
}

#[test]
fn the_recording_interval_is_a_multiple_of_the_step() {
    let model = Model::new(&ode(Decay)).unwrap();
    for interval in [0.25, 0.05, 0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300] {
        let setup = Setup::new("rk4", 0.1).record("x").every(interval);
        let error = setup.start::<f64>(&solvers(), &model).err().unwrap();
        assert!(
            matches!(error, SetupError::Every { .. }),
            "{interval}: {error}"
        );
    }
    let error = Setup::new("rk4", 0.1)
        .every(0.25)
        .start::<f64>(&solvers(), &model);
    let text = error.err().unwrap().to_string();
    assert!(text.contains("choose 0.2 or 0.3"), "{text}");
    for dt in [0.1, 0.05, 0.025, 1.0 / 3.0] {
        let setup = Setup::new("rk4", dt).every(3.0 * dt);
        assert!(setup.start::<f64>(&solvers(), &model).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_run_in_parts_gives_the_same_bits(parts in prop::collection::vec(0u32..40, 1..6)) {
        let dt = 0.1;
        let module = Driven(Input::pulses(3.0, 0.17, 0.4, 1.1, 5));
        for model in [Model::new(&ode(VanDerPol)).unwrap(), Model::new(&module).unwrap()] {
            let (mut whole, mut in_parts) = (start("rk4", dt, &model), start("rk4", dt, &model));
            let mut steps = 0;
            for part in &parts {
                steps += part;
                in_parts.run(f64::from(steps) * dt).unwrap();
            }
            whole.run(f64::from(steps) * dt).unwrap();
            prop_assert_eq!(bits(&whole), bits(&in_parts));
            prop_assert_eq!(whole.recording().times().to_vec(), in_parts.recording().times().to_vec());
            prop_assert_eq!(whole.recording().times().len(), steps as usize + 1);
        }
    }
}

/// The solution of [`Driven`] by a current of 1 from `a` to `b`, at `t` > b.
fn driven(t: f64, a: f64, b: f64) -> f64 {
    (1.0 - (a - b).exp()) * (b - t).exp()
}

#[test]
fn a_jump_inside_a_step_cuts_it() {
    let (a, b) = (0.31234, 1.7123);
    let model = Model::new(&Driven(Input::step(1.0, a, b))).unwrap();
    let errors = [0.1, 0.05, 0.025].map(|dt| {
        let mut run = start("rk4", dt, &model);
        run.run(3.0).unwrap();
        assert_eq!(
            run.recording().counters().steps,
            (3.0 / dt).round() as u64 + 2
        );
        last(&run, "x") - driven(3.0, a, b)
    });
    for pair in errors.windows(2) {
        let order = slope(pair[0], pair[1]);
        assert!((order - 4.0).abs() < 0.2, "{order} {errors:?}");
    }
    // Both jumps in one step.
    let mut run = start(
        "rk4",
        0.1,
        &Model::new(&Driven(Input::step(1.0, 0.02, 0.07))).unwrap(),
    );
    run.run(0.2).unwrap();
    assert_eq!(run.recording().counters().steps, 4);
    assert!((last(&run, "x") - driven(0.2, 0.02, 0.07)).abs() < 1e-8);
}

#[test]
fn a_jump_on_the_grid_cuts_nothing() {
    let model = Model::new(&Driven(Input::step(1.0, 0.3, 1.7))).unwrap();
    let mut run = start("rk4", 0.1, &model);
    run.run(3.0).unwrap();
    assert_eq!(run.recording().counters().steps, 30);
    assert!((last(&run, "x") - driven(3.0, 0.3, 1.7)).abs() < 1e-6);
}

#[test]
fn no_duration_is_a_run_too() {
    let model = Model::new(&ode(Decay)).unwrap();
    let mut run = start("rk4", 0.1, &model);
    run.run(0.0).unwrap();
    run.run(0.0).unwrap();
    assert_eq!(run.recording().times(), [0.0]);
    assert_eq!(last(&run, "x"), 1.0);
    // 3 · 0.1 is more than 0.3.
    run.run(0.3).unwrap();
    run.run(0.3).unwrap();
    assert_eq!(run.recording().times().len(), 4);
}

#[test]
fn an_end_that_makes_no_sense_is_refused() {
    let model = Model::new(&ode(Decay)).unwrap();
    let mut run = start("rk4", 0.1, &model);
    run.run(1.0).unwrap();
    for until in [0.5, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = run.run(until).unwrap_err();
        assert!(
            matches!(error, RunError::Until { now, .. } if now == 1.0),
            "{error}"
        );
    }
    let error = run.run(1e300).unwrap_err();
    assert!(matches!(error, RunError::Steps { .. }), "{error}");
    let error = run.run(9e14).unwrap_err();
    assert!(
        matches!(error, RunError::Memory { columns: 1, .. }),
        "{error}"
    );
    assert_eq!(run.recording().times().len(), 11);
    run.run(1.1).unwrap();
}

#[test]
fn a_step_far_longer_than_the_run_is_shortened() {
    let model = Model::new(&ode(Decay)).unwrap();
    for dt in [10.0, 1e10, 1e300, f64::MAX] {
        let mut run = start("euler", dt, &model);
        run.run(0.5).unwrap();
        assert_eq!(run.time(), 0.5, "dt = {dt}");
        assert_eq!(last(&run, "x"), 0.5, "dt = {dt}");
    }
}

#[test]
fn a_failure_tells_what_happened_and_keeps_what_was_computed() {
    let mut model = Model::population(&ode(Blowup), 3).unwrap();
    model
        .set_initial("x", Values::PerCell(vec![0.01, 4.0, 0.5]))
        .unwrap();
    for tile in [1, 2, 3] {
        let setup = Setup::new("euler", 0.1).record("x").tile(tile);
        let mut run = setup.start::<f64>(&solvers(), &model).unwrap();
        let error = run.run(5.0).unwrap_err();
        let RunError::BadValue(bad) = &error else {
            panic!("{error}")
        };
        assert_eq!(
            (bad.cell, bad.name.as_str(), bad.value),
            (1, "x", f64::INFINITY)
        );
        assert!(
            (run.time() - bad.time).abs() < 1e-12,
            "{} {}",
            run.time(),
            bad.time
        );
        assert!(bad.last_good[0].value.is_finite());
        let before = run.recording();
        assert_eq!(before.times().len() as u64, bad.step + 1);
        assert!(before.data().iter().all(|x| x.is_finite()));
        // There is no way on.
        assert_eq!(run.run(9.0).unwrap_err(), error);
        assert_eq!(run.recording().data(), before.data());
        assert_eq!(
            run.state("x").unwrap().value.at(0, 1),
            bad.last_good[0].value
        );
    }
}

#[test]
fn a_failure_in_a_short_last_step_has_its_time() {
    let mut model = Model::new(&Driven(Input::constant(f64::MAX))).unwrap();
    model.set_initial("x", -f64::MAX).unwrap();
    let mut run = start("euler", 0.25, &model);
    let error = run.run(0.2).unwrap_err();
    assert!(matches!(error, RunError::BadValue(_)));
    assert_eq!(run.time(), 0.0);

    // The first step leads from 1e100 to 1e160; the square of that overflows.
    let mut model = Model::new(&ode(Blowup)).unwrap();
    model.set_initial("x", 1e100).unwrap();
    let mut run = start("euler", 1e-40, &model);
    let error = run.run(1.5e-40).unwrap_err();
    assert_eq!(run.time(), 1e-40, "{error}");
}

#[test]
fn an_observer_may_stop_a_run_that_then_goes_on() {
    let model = Model::new(&ode(VanDerPol)).unwrap();
    let setup = || Setup::new("euler", 1e-5).record("x").every(0.1);
    let mut whole = setup().start::<f64>(&solvers(), &model).unwrap();
    whole.run(10.0).unwrap();
    let mut run = setup().start::<f64>(&solvers(), &model).unwrap();
    let mut seen = Vec::new();
    let outcome = run.run_observed(10.0, &mut |progress| {
        seen.push(progress.time);
        assert_eq!(progress.until, 10.0);
        ControlFlow::Break(())
    });
    assert_eq!(outcome.unwrap(), Outcome::Stopped);
    assert_eq!(seen, [run.time()]);
    assert!(run.time() > 0.0 && run.time() < 10.0);
    let outcome = run.run_observed(10.0, &mut |_| ControlFlow::Continue(()));
    assert_eq!(outcome.unwrap(), Outcome::Finished);
    assert_eq!(bits(&run), bits(&whole));
}
