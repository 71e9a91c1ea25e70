//! States that start from the steady state of their kinetics.

use braincell_core::kernel::{Kinetics, Pointwise, Relaxation, kinetics, pointwise};
use braincell_core::model::{
    DiffEqModule, DiffEqState, Domain, Launches, Model, ModelBuilder, ModelError, Parameter,
    ParameterId, SignalId, Source, StateId, Target,
};
use braincell_core::real::Real;
use braincell_core::registry::{Origin, Registry};
use braincell_core::simulation::Setup;
use braincell_core::stepper::{SolverInfo, StepError, StepOps, Stepper, h, num};
use std::sync::Arc;

struct Euler;

impl Stepper for Euler {
    fn info(&self) -> SolverInfo {
        SolverInfo::new("euler", "rk", 1)
    }
    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let (y, k) = (o.y(), o.rhs(0.0, o.y())?);
        let next = o.combine(&[(num(1.0), y), (h(1.0), k)])?;
        o.commit(next)
    }
}

/// x² + 1
struct Square;
impl Pointwise for Square {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        [x * x + 1.0]
    }
}

/// The exchange of two states that sum to 1: a → b at the rate `s`, b → a at rate 1.
struct Exchange;
impl Pointwise for Exchange {
    type Inputs<T: Copy> = [T; 3];
    type Outputs<T: Copy> = [T; 2];
    fn eval<R: Real>(&self, [s, a, b]: [R; 3]) -> [R; 2] {
        let flow = s * a - b;
        [-flow, flow]
    }
    const STEADY: bool = true;
    fn steady<R: Real>(&self, [s, _, _]: [R; 3]) -> [R; 2] {
        let b = s / (s + 1.0);
        [-b + 1.0, b]
    }
}

/// dx/dt = s - x
struct Follow;
impl Kinetics<1> for Follow {
    type Inputs<T: Copy> = [T; 1];
    fn rates<R: Real>(&self, [s]: [R; 1]) -> [Relaxation<R>; 1] {
        [Relaxation::relaxing(s, R::one())]
    }
}

/// Both, driven by the signal p² + 1.
struct Driven;
impl DiffEqModule for Driven {
    type Handles = (ParameterId, SignalId, [StateId; 3]);
    fn declare(&self, m: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let p = m.parameter(Domain::CELL, Parameter::new("p", 2.0))?;
        let s = m.signal(Domain::CELL, "s", "")?;
        let mut state = |name| m.state(Domain::CELL, DiffEqState::gate(name));
        Ok((p, s, [state("a")?, state("b")?, state("x")?]))
    }
    fn compute_derivative(
        &self,
        &(p, s, [a, b, x]): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let cell = Domain::CELL;
        let from = [Source::Parameter(p)];
        k.launch(cell, pointwise(Square), &from, &[Target::Signal(s)])?;
        let s = Source::Signal(s);
        let inputs = [s, Source::State(a), Source::State(b)];
        let outputs = [Target::Derivative(a), Target::Derivative(b)];
        k.launch(cell, pointwise(Exchange), &inputs, &outputs)?;
        let inputs = [s, Source::State(x)];
        k.launch(cell, kinetics(Follow), &inputs, &[Target::Derivative(x)])
    }
}

#[test]
fn steady_states_see_the_signals_and_stay() {
    let mut registry = Registry::new();
    let origin = Origin {
        from: "test".into(),
        version: "1".into(),
    };
    registry.register(Arc::new(Euler), origin).unwrap();
    let model = Model::new(&Driven).unwrap();
    let setup = Setup::new("euler", 0.1).record("a").record("b").record("x");
    let mut run = setup.start::<f64>(&registry, &model).unwrap();
    run.run(1.0).unwrap();
    let recording = run.recording();
    for (name, steady) in [("a", 1.0 / 6.0), ("b", 5.0 / 6.0), ("x", 5.0)] {
        for &value in recording.trace(name).unwrap() {
            assert!((value - steady).abs() < 1e-14, "{name} {value}");
        }
    }
}
