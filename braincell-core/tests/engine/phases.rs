//! Kernels before and after a step, steady initial states, and looking at a state.

use crate::support::{last, solvers, start};
use braincell_core::kernel::{Kinetics, Pointwise, Relaxation, kinetics, pointwise};
use braincell_core::model::{
    DiffEqModule, DiffEqState, Domain, Launches, Model, ModelBuilder, ModelError, Parameter,
    ParameterId, SignalId, Source, StateId, Target, Values, ode, systems::VanDerPol,
};
use braincell_core::real::Real;
use braincell_core::simulation::Setup;

const CELL: Domain = Domain::CELL;

/// dv/dt = 1, and v goes back to 0 when it has reached 1; n counts steps.
struct Reset;

struct Slopes;
impl Pointwise for Slopes {
    type Inputs<T: Copy> = [T; 0];
    type Outputs<T: Copy> = [T; 2];
    fn eval<R: Real>(&self, _: [R; 0]) -> [R; 2] {
        [R::one(), R::zero()]
    }
}

struct Count;
impl Pointwise for Count {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [n]: [R; 1]) -> [R; 1] {
        [n + 1.0]
    }
}

struct Back;
impl Pointwise for Back {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [v]: [R; 1]) -> [R; 1] {
        [v.if_less(R::one(), v, R::zero())]
    }
}

impl DiffEqModule for Reset {
    type Handles = (StateId, StateId);
    fn declare(&self, m: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let v = m.state(CELL, DiffEqState::voltage("v", 0.0))?;
        Ok((v, m.state(CELL, DiffEqState::new("n", 0.0))?))
    }
    fn pre_integral(&self, &(_, n): &Self::Handles, k: &mut Launches) -> Result<(), ModelError> {
        k.launch(
            CELL,
            pointwise(Count),
            &[Source::State(n)],
            &[Target::State(n)],
        )
    }
    fn compute_derivative(
        &self,
        &(v, n): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let outputs = [Target::Derivative(v), Target::Derivative(n)];
        k.launch(CELL, pointwise(Slopes), &[], &outputs)
    }
    fn post_integral(&self, &(v, _): &Self::Handles, k: &mut Launches) -> Result<(), ModelError> {
        k.launch(
            CELL,
            pointwise(Back),
            &[Source::State(v)],
            &[Target::State(v)],
        )
    }
}

#[test]
fn states_change_before_and_after_a_step() {
    let model = Model::new(&Reset).unwrap();
    let setup = Setup::new("euler", 0.25)
        .record("v")
        .record("n")
        .spikes("v", 0.9);
    let mut run = setup.start::<f64>(&solvers(), &model).unwrap();
    run.run(3.0).unwrap();
    let recording = run.recording();
    let wanted: Vec<f64> = (0..=12).map(|k| f64::from(k % 4) * 0.25).collect();
    assert_eq!(recording.trace("v").unwrap().to_vec(), wanted);
    assert_eq!(last(&run, "n"), 12.0);
    // Crossings are seen before the reset.
    let times = &recording.spikes()[0].times;
    assert_eq!(times.len(), 3);
    for (k, t) in times.iter().enumerate() {
        assert!((t - (k as f64 + 0.9)).abs() < 1e-12, "{times:?}");
    }
}

/// x relaxes to 2 s, with the signal s = y + 1; y is constant.
struct Follower;

struct Shift;
impl Pointwise for Shift {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [y]: [R; 1]) -> [R; 1] {
        [y + 1.0]
    }
}

struct Toward;
impl Kinetics<1> for Toward {
    type Inputs<T: Copy> = [T; 1];
    fn rates<R: Real>(&self, [s]: [R; 1]) -> [Relaxation<R>; 1] {
        [Relaxation::relaxing(s * 2.0, R::constant(3.0))]
    }
}

struct Nothing;
impl Pointwise for Nothing {
    type Inputs<T: Copy> = [T; 0];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, _: [R; 0]) -> [R; 1] {
        [R::zero()]
    }
}

impl DiffEqModule for Follower {
    type Handles = (StateId, StateId, SignalId);
    fn declare(&self, m: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let x = m.state(CELL, DiffEqState::gate("x"))?;
        let y = m.state(CELL, DiffEqState::new("y", 4.0))?;
        Ok((x, y, m.signal(CELL, "s", "")?))
    }
    fn compute_derivative(
        &self,
        &(x, y, s): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        k.launch(
            CELL,
            pointwise(Shift),
            &[Source::State(y)],
            &[Target::Signal(s)],
        )?;
        let inputs = [Source::Signal(s), Source::State(x)];
        k.launch(CELL, kinetics(Toward), &inputs, &[Target::Derivative(x)])?;
        k.launch(CELL, pointwise(Nothing), &[], &[Target::Derivative(y)])
    }
}

#[test]
fn a_steady_state_follows_signals() {
    let mut model = Model::new(&Follower).unwrap();
    let mut run = start("rk4", 0.1, &model);
    assert_eq!(run.state("x").unwrap().value.at(0, 0), 10.0);
    run.run(1.0).unwrap();
    assert!((last(&run, "x") - 10.0).abs() < 1e-13);
    // An initial value that is given stays.
    model.set_initial("x", 0.5).unwrap();
    let mut run = start("rk4", 0.1, &model);
    assert_eq!(run.state("x").unwrap().value.at(0, 0), 0.5);
}

#[test]
fn signals_are_recorded_at_the_time_of_the_sample() {
    let model = Model::new(&Follower).unwrap();
    let setup = Setup::new("rk4", 0.1).record("s").record("y");
    let mut run = setup.start::<f64>(&solvers(), &model).unwrap();
    run.run(0.5).unwrap();
    let recording = run.recording();
    assert!(recording.trace("s").unwrap().iter().all(|&s| s == 5.0));
    assert_eq!(recording.trace("s").unwrap().len(), 6);
}

#[test]
fn a_state_shows_its_value_and_derivative() {
    let mut model = Model::population(&ode(VanDerPol), 3).unwrap();
    model
        .set_initial("x", Values::PerCell(vec![2.0, 1.0, 0.5]))
        .unwrap();
    model
        .set_parameter("mu", Values::PerCell(vec![1.0, 2.0, 3.0]))
        .unwrap();
    let setup = Setup::new("rk4", 0.01).record("x").record("v").tile(2);
    let mut run = setup.start::<f64>(&solvers(), &model).unwrap();
    for until in [0.0, 1.0] {
        run.run(until).unwrap();
        let (x, v) = (run.state("x").unwrap(), run.state("v").unwrap());
        assert_eq!(v.diffusion, None);
        let slopes = [&x, &v].map(|state| state.derivative.clone().unwrap());
        for cell in 0..3 {
            let (x, v) = (x.value.at(0, cell), v.value.at(0, cell));
            let mu = 1.0 + cell as f64;
            assert_eq!(x, last(&run, &format!("x#{cell}")));
            assert!((slopes[0].at(0, cell) - v).abs() < 1e-14);
            assert!((slopes[1].at(0, cell) - (mu * (1.0 - x * x) * v - x)).abs() < 1e-13);
        }
    }
    let error = run.state("z").unwrap_err();
    assert_eq!(
        error.to_string(),
        "this model has no state \"z\"; it has x, v"
    );
}

/// In two compartments, s = p by the derivative's kernels, and s = v after a step, which sets w = s.
struct SetTwice;

struct Same;
impl Pointwise for Same {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, x: [R; 1]) -> [R; 1] {
        x
    }
}

impl DiffEqModule for SetTwice {
    type Handles = (Domain, [StateId; 2], SignalId, ParameterId);
    fn declare(&self, m: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let two = m.domain("two", 2)?;
        let v = DiffEqState::voltage("v", Values::PerElement(vec![1.0, 2.0]));
        let states = [m.state(two, v)?, m.state(two, DiffEqState::new("w", 0.0))?];
        let p = m.parameter(two, Parameter::new("p", 5.0))?;
        Ok((two, states, m.signal(two, "s", "")?, p))
    }
    fn compute_derivative(
        &self,
        &(two, [v, w], s, p): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let same = || pointwise(Same);
        k.launch(two, same(), &[Source::Parameter(p)], &[Target::Signal(s)])?;
        k.launch(two, same(), &[Source::Signal(s)], &[Target::Derivative(v)])?;
        k.launch(two, same(), &[Source::Zero], &[Target::Derivative(w)])
    }
    fn post_integral(
        &self,
        &(two, [v, w], s, _): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let same = || pointwise(Same);
        k.launch(two, same(), &[Source::State(v)], &[Target::Signal(s)])?;
        k.launch(two, same(), &[Source::Signal(s)], &[Target::State(w)])
    }
}

#[test]
fn a_signal_set_after_a_step_is_not_that_of_its_parameters() {
    let model = Model::new(&SetTwice).unwrap();
    let setup = Setup::new("euler", 0.25).record("v").record("w");
    let mut run = setup.start::<f64>(&solvers(), &model).unwrap();
    run.run(0.5).unwrap();
    let recording = run.recording();
    let last = recording.data().row(2).to_vec();
    assert_eq!(last[..2], last[2..]);
    assert_eq!(last[..2], [3.5, 4.5]);
}
