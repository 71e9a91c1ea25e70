//! Models whose kernels give several results to one target, and signals made of others.

use crate::{both_ways, checked, everything};
use braincell::gradient::Gradient;
use braincell::kernel::{Pointwise, pointwise};
use braincell::model::{
    DiffEqModule, DiffEqState, Domain, Launches, Model, ModelBuilder, ModelError, Parameter,
    ParameterId, SignalId, Source, StateId, Target,
};
use braincell::real::Real;
use braincell::simulation::Setup;

/// Two terms of one derivative, and another, from one kernel, which reads a state twice; after each step two results set
/// one state. Or the terms come as their sum.
struct Terms {
    apart: bool,
}

struct Split;
impl Pointwise for Split {
    type Inputs<T: Copy> = [T; 4];
    type Outputs<T: Copy> = [T; 3];
    fn eval<R: Real>(&self, [x, y, a, again]: [R; 4]) -> [R; 3] {
        let grown = a * again * (R::one() - again);
        [grown, R::zero() - x * y, x * x * a - y]
    }
}

/// The two terms in one.
struct Sum;
impl Pointwise for Sum {
    type Inputs<T: Copy> = [T; 3];
    type Outputs<T: Copy> = [T; 2];
    fn eval<R: Real>(&self, [x, y, a]: [R; 3]) -> [R; 2] {
        let [grown, met, other] = Split.eval([x, y, a, x]);
        [grown + met, other]
    }
}

struct Round;
impl Pointwise for Round {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 2];
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 2] {
        [x * x, x - x * x * 1e-3]
    }
}

impl DiffEqModule for Terms {
    type Handles = ([StateId; 2], ParameterId);
    fn declare(&self, m: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let x = m.state(Domain::CELL, DiffEqState::new("x", 0.3))?;
        let y = m.state(Domain::CELL, DiffEqState::new("y", 0.2))?;
        let a = m.parameter(Domain::CELL, Parameter::new("a", 1.7))?;
        Ok(([x, y], a))
    }
    fn compute_derivative(
        &self,
        &([x, y], a): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let state = Source::State;
        if !self.apart {
            let to = [x, y].map(Target::Derivative);
            let inputs = [state(x), state(y), Source::Parameter(a)];
            return k.launch(Domain::CELL, pointwise(Sum), &inputs, &to);
        }
        let to = [x, x, y].map(Target::Derivative);
        let inputs = [state(x), state(y), Source::Parameter(a), state(x)];
        k.launch(Domain::CELL, pointwise(Split), &inputs, &to)
    }
    fn post_integral(
        &self,
        &([x, _], _): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let to = [Target::State(x); 2];
        k.launch(Domain::CELL, pointwise(Round), &[Source::State(x)], &to)
    }
}

/// A signal of parameters alone, the sum of two, and another made of it.
struct Summed;

struct Same;
impl Pointwise for Same {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        [x]
    }
}

struct Square;
impl Pointwise for Square {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        [x * x]
    }
}

struct Towards;
impl Pointwise for Towards {
    type Inputs<T: Copy> = [T; 2];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [x, rate]: [R; 2]) -> [R; 1] {
        [rate * (R::one() - x * x)]
    }
}

impl DiffEqModule for Summed {
    type Handles = (StateId, [ParameterId; 2], [SignalId; 2]);
    fn declare(&self, m: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let x = m.state(Domain::CELL, DiffEqState::new("x", 0.3))?;
        let a = m.parameter(Domain::CELL, Parameter::new("a", 0.5))?;
        let b = m.parameter(Domain::CELL, Parameter::new("b", 0.4))?;
        let sum = m.signal(Domain::CELL, "sum", "1")?;
        let rate = m.signal(Domain::CELL, "rate", "1/ms")?;
        Ok((x, [a, b], [sum, rate]))
    }
    fn compute_derivative(
        &self,
        &(x, parameters, [sum, rate]): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        for parameter in parameters {
            let (inputs, to) = ([Source::Parameter(parameter)], [Target::Signal(sum)]);
            k.launch(Domain::CELL, pointwise(Same), &inputs, &to)?;
        }
        let (inputs, to) = ([Source::Signal(sum)], [Target::Signal(rate)]);
        k.launch(Domain::CELL, pointwise(Square), &inputs, &to)?;
        let (inputs, to) = (
            [Source::State(x), Source::Signal(rate)],
            [Target::Derivative(x)],
        );
        k.launch(Domain::CELL, pointwise(Towards), &inputs, &to)
    }
}

#[test]
fn signals_of_signals_of_parameters_have_gradients() {
    for cells in [1, 11] {
        let model = Model::population(&Summed, cells).unwrap();
        for solver in ["rk4", "ind_exp_euler", "backward_euler"] {
            let setup = Setup::new(solver, 0.05).record("x");
            let wrt = ["a", "b", "x"];
            let gradient = Gradient::new(&setup, braincell::solvers(), &model, 2.0, &wrt).unwrap();
            assert!(both_ways("summed", solver, &gradient));
            assert!(checked("summed", solver, &gradient, &everything));
        }
    }
}

/// Of results for one target, each takes the whole adjoint of what is added, the last one of what is set.
#[test]
fn results_for_one_target_have_gradients() {
    for cells in [1, 11] {
        let model = Model::population(&Terms { apart: true }, cells).unwrap();
        for solver in ["rk4", "ind_exp_euler", "exp_euler", "backward_euler"] {
            let setup = Setup::new(solver, 0.05).record("x").record("y");
            for wrt in [&["x", "y", "a"][..], &["x"]] {
                let gradient =
                    Gradient::new(&setup, braincell::solvers(), &model, 2.0, wrt).unwrap();
                assert!(both_ways("terms", solver, &gradient));
                assert!(checked("terms", solver, &gradient, &everything));
            }
        }
    }
}

/// The Jacobian has all of what a kernel adds to one derivative, whichever of its inputs and results it comes through.
#[test]
fn terms_of_a_derivative_make_the_jacobian_of_their_sum() {
    for solver in ["exp_euler", "implicit_exp_euler", "rodas4"] {
        let [apart, summed] = [true, false].map(|apart| {
            let model = Model::population(&Terms { apart }, 11).unwrap();
            let setup = Setup::new(solver, 0.05).record("x").record("y");
            let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
            run.run(2.0).unwrap();
            run.recording().data().to_owned()
        });
        let largest = (apart - summed)
            .iter()
            .fold(0.0, |m: f64, x| m.max(x.abs()));
        assert!(
            largest < 1e-12,
            "{solver}: the traces differ by {largest:e}"
        );
    }
}
