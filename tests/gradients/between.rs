//! Long runs of a small cell in which something happens at the end of a step: spikes are cut off, signals are computed.

use super::both_ways;
use braincell::gradient::Gradient;
use braincell::kernel::{Pointwise, pointwise};
use braincell::model::{
    DiffEqModule, DiffEqState, Domain, Launches, Model, ModelBuilder, ModelError, Parameter,
    ParameterId, SignalId, Source, StateId, Target,
};
use braincell::real::Real;
use braincell::simulation::Setup;

/// V' = (drive - V) / 10
struct Leak;

impl Pointwise for Leak {
    type Inputs<T: Copy> = [T; 2];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [v, drive]: [R; 2]) -> [R; 1] {
        [(drive - v) * 0.1]
    }
}

/// V - 1 from 1 on.
struct Reset;

impl Pointwise for Reset {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [v]: [R; 1]) -> [R; 1] {
        [v.if_less(R::one(), v, v - R::one())]
    }
}

struct Square;

impl Pointwise for Square {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [v]: [R; 1]) -> [R; 1] {
        [v * v]
    }
}

struct Integrator;

impl DiffEqModule for Integrator {
    type Handles = (StateId, ParameterId, SignalId);
    fn declare(&self, m: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let v = m.state(Domain::CELL, DiffEqState::voltage("V", 0.1))?;
        let drive = m.parameter(Domain::CELL, Parameter::new("drive", 1.5))?;
        let square = m.signal(Domain::CELL, "square", "1")?;
        Ok((v, drive, square))
    }
    fn compute_derivative(
        &self,
        &(v, drive, _): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let inputs = [Source::State(v), Source::Parameter(drive)];
        let to = [Target::Derivative(v)];
        k.launch(Domain::CELL, pointwise(Leak), &inputs, &to)
    }
    fn post_integral(
        &self,
        &(v, _, square): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let inputs = [Source::State(v)];
        k.launch(
            Domain::CELL,
            pointwise(Square),
            &inputs,
            &[Target::Signal(square)],
        )?;
        k.launch(Domain::CELL, pointwise(Reset), &inputs, &[Target::State(v)])
    }
}

#[test]
fn spikes_and_signals_at_the_ends_of_steps_have_gradients() {
    let model = Model::new(&Integrator).unwrap();
    for until in [45.0, 60.0] {
        let setup = Setup::new("rk4", 0.05)
            .every(1.0)
            .record("square")
            .record("V");
        for setup in [setup.clone(), setup.spikes("V", 1.0)] {
            let wrt = ["drive", "V"];
            let gradient = Gradient::new(&setup, braincell::solvers(), &model, until, &wrt);
            let gradient = gradient.unwrap();
            let recording = gradient.forward().unwrap().recording;
            let spikes = recording.spikes().iter().map(|train| train.times.len());
            assert!(spikes.min().is_none_or(|count| count > 1));
            assert!(both_ways("between steps", "rk4", &gradient));
        }
    }
}
