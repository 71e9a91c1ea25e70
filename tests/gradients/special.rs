//! What ordinary models lack: noise, modules with solvers of their own, kernels before and after a step; and errors.

use crate::{both_ways, by_tangents, checked, close, everything, reverse};
use braincell::cells::SingleCompartment;
use braincell::gradient::{Cotangents, Gradient, GradientError, Mean, SpikeTime};
use braincell::input::Input;
use braincell::kernel::{Pointwise, pointwise};
use braincell::model::{
    DiffEqModule, DiffEqState, Domain, IndependentIntegration, Launches, Model, ModelBuilder,
    ModelError, Ode, Parameter, ParameterId, Source, StateId, Target, ode,
};
use braincell::real::Real;
use braincell::simulation::{Recording, Setup};

/// A noisy nonlinear oscillator, the noise in proportion to the state.
struct Noisy;

impl Ode<2, 2> for Noisy {
    const STOCHASTIC: bool = true;
    fn states(&self) -> [DiffEqState; 2] {
        [DiffEqState::new("x", 1.5), DiffEqState::new("v", 0.1)]
    }
    fn parameters(&self) -> [Parameter; 2] {
        [Parameter::new("mu", 0.7), Parameter::new("sigma", 0.2)]
    }
    fn derivative<R: Real>(&self, _: R, [x, v]: [R; 2], [mu, _]: [R; 2]) -> [R; 2] {
        [v, mu * (R::one() - x * x) * v - x]
    }
    fn diffusion<R: Real>(&self, _: R, [x, v]: [R; 2], [_, sigma]: [R; 2]) -> [R; 2] {
        [R::zero(), sigma * (v + x * x)]
    }
}

#[test]
fn paths_of_stochastic_models_have_gradients() {
    let model = Model::new(&ode(Noisy)).unwrap();
    for entry in braincell::solvers()
        .entries()
        .iter()
        .filter(|e| e.info.needs.noise)
    {
        let name = &entry.info.name;
        let setup = Setup::new(name.as_str(), 0.01)
            .record("x")
            .record("v")
            .seed(7);
        let wrt = ["mu", "sigma", "x", "v"];
        let gradient = Gradient::new(&setup, braincell::solvers(), &model, 2.0, &wrt).unwrap();
        assert!(both_ways("noisy", name, &gradient));
        assert!(checked("noisy", name, &gradient, &everything));
    }
}

/// A membrane whose recovery variable has a solver of its own; before each step a trace decays, after it the membrane is
/// pulled towards rest.
struct Composite;

struct Fast;
impl Pointwise for Fast {
    type Inputs<T: Copy> = [T; 4];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [v, w, drive, trace]: [R; 4]) -> [R; 1] {
        [v - v * v * v / 3.0 - w + drive + trace * 0.1]
    }
}

struct Recovery;
impl Pointwise for Recovery {
    type Inputs<T: Copy> = [T; 4];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [w, v, epsilon, b]: [R; 4]) -> [R; 1] {
        [epsilon * (v + 0.7 - b * w)]
    }
}

struct Decay;
impl Pointwise for Decay {
    type Inputs<T: Copy> = [T; 2];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [trace, v]: [R; 2]) -> [R; 1] {
        [trace * 0.9 + v * v * 0.01]
    }
}

struct Pull;
impl Pointwise for Pull {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [v]: [R; 1]) -> [R; 1] {
        [v - (v * 2.0).tanh() * 1e-3]
    }
}

struct Still;
impl Pointwise for Still {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, _: [R; 1]) -> [R; 1] {
        [R::zero()]
    }
}

struct RecoveryModule;
impl DiffEqModule for RecoveryModule {
    type Handles = (StateId, [ParameterId; 2]);
    fn declare(&self, m: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let w = m.state(Domain::CELL, DiffEqState::new("w", -0.3))?;
        let epsilon = m.parameter(Domain::CELL, Parameter::new("epsilon", 0.3))?;
        let b = m.parameter(Domain::CELL, Parameter::new("b", 0.8))?;
        Ok((w, [epsilon, b]))
    }
    fn compute_derivative(
        &self,
        (w, [epsilon, b]): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let v = Source::State(StateId::clone(&VOLTAGE.with(|v| v.get().unwrap())));
        let inputs = [
            Source::State(*w),
            v,
            Source::Parameter(*epsilon),
            Source::Parameter(*b),
        ];
        k.launch(
            Domain::CELL,
            pointwise(Recovery),
            &inputs,
            &[Target::Derivative(*w)],
        )
    }
}

thread_local! {
    /// The potential, which the independent module reads.
    static VOLTAGE: std::cell::Cell<Option<StateId>> = const { std::cell::Cell::new(None) };
}

type CompositeHandles = (StateId, StateId, ParameterId, (StateId, [ParameterId; 2]));

impl Composite {
    fn recovery(solver: &str) -> IndependentIntegration<RecoveryModule> {
        IndependentIntegration::new("recovery", RecoveryModule, solver, 3)
    }
}

/// The composite with the solver of its independent module, and whether anything happens between steps.
struct With(&'static str, bool);

impl DiffEqModule for With {
    type Handles = CompositeHandles;
    fn declare(&self, m: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let v = m.state(Domain::CELL, DiffEqState::voltage("V", 0.5))?;
        VOLTAGE.with(|place| place.set(Some(v)));
        let trace = m.state(Domain::CELL, DiffEqState::new("trace", 0.2))?;
        let drive = m.parameter(Domain::CELL, Parameter::new("drive", 0.6))?;
        let recovery = Composite::recovery(self.0).declare(m)?;
        Ok((v, trace, drive, recovery))
    }
    fn pre_integral(
        &self,
        &(v, trace, ..): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        if !self.1 {
            return Ok(());
        }
        let inputs = [Source::State(trace), Source::State(v)];
        k.launch(
            Domain::CELL,
            pointwise(Decay),
            &inputs,
            &[Target::State(trace)],
        )
    }
    fn compute_derivative(
        &self,
        (v, trace, drive, recovery): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let inputs = [
            Source::State(*v),
            Source::State(recovery.0),
            Source::Parameter(*drive),
            Source::State(*trace),
        ];
        k.launch(
            Domain::CELL,
            pointwise(Fast),
            &inputs,
            &[Target::Derivative(*v)],
        )?;
        let inputs = [Source::State(*trace)];
        k.launch(
            Domain::CELL,
            pointwise(Still),
            &inputs,
            &[Target::Derivative(*trace)],
        )?;
        Composite::recovery(self.0).compute_derivative(recovery, k)
    }
    fn post_integral(&self, &(v, ..): &Self::Handles, k: &mut Launches) -> Result<(), ModelError> {
        if !self.1 {
            return Ok(());
        }
        let inputs = [Source::State(v)];
        k.launch(Domain::CELL, pointwise(Pull), &inputs, &[Target::State(v)])
    }
}

#[test]
fn modules_with_solvers_of_their_own_have_gradients() {
    for own in ["rk4", "backward_euler", "exp_euler", "implicit_euler"] {
        let models = [true, false].map(|between| Model::new(&With(own, between)).unwrap());
        for solver in ["rk4", "exp_euler", "tr_bdf2", "ind_exp_euler"] {
            let setup = Setup::new(solver, 0.05)
                .record("V")
                .record("w")
                .record("trace")
                .spikes("V", 1.0);
            let wrt = ["drive", "epsilon", "b", "V", "w", "trace"];
            let registry = braincell::solvers();
            let run = |until, model| Gradient::new(&setup, registry, model, until, &wrt).unwrap();
            let gradient = run(6.0, &models[0]);
            assert!(both_ways(own, solver, &gradient));
            assert!(checked(own, solver, &gradient, &everything));
            // Of such a run many steps can be taken back together, if nothing happens between them.
            for model in &models {
                assert!(both_ways(own, solver, &run(60.0, model)));
            }
        }
    }
}

fn hodgkin_huxley() -> Model {
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::constant(10.0));
    Model::new(&cell).unwrap()
}

fn gradient<'a>(setup: &Setup, wrt: &[&str]) -> Result<Gradient<'a>, GradientError> {
    Gradient::new(setup, braincell::solvers(), &hodgkin_huxley(), 5.0, wrt)
}

#[test]
fn errors_say_what_is_wrong() {
    let fixed = Setup::new("rk4", 0.025).record("V").spikes("V", 0.0);
    let known = [
        (gradient(&fixed, &["na.gmax"]).err(), "\"na.gmax\""),
        (gradient(&fixed, &["na.m"]).err(), "steady state"),
        (gradient(&fixed, &["axial_conductance"]).err(), "no cable"),
        (gradient(&fixed, &["C", "C"]).err(), "twice"),
        (
            gradient(&fixed, &["C"]).unwrap().memory(100).plan().err(),
            "memory budget of 100 bytes",
        ),
    ];
    for (error, part) in known {
        let text = error.map(|e| e.to_string()).unwrap_or_default();
        assert!(text.contains(part), "{text:?} does not say {part:?}");
    }
    let losses = gradient(&fixed, &["C"]).unwrap();
    let trace = "I".to_string();
    let error = losses.reverse(&Mean { trace }).unwrap_err().to_string();
    assert!(error.contains("\"I\" is not recorded"), "{error}");
    let late = SpikeTime {
        train: "V".to_string(),
        spike: 5,
        target: 0.0,
        squared: false,
    };
    let error = losses.reverse(&late).unwrap_err().to_string();
    assert!(error.contains("no spike 5"), "{error}");
    let bad = |_: &Recording, cotangents: &mut Cotangents| -> Result<f64, GradientError> {
        cotangents.traces[[3, 0]] = f64::NAN;
        Ok(0.0)
    };
    let error = losses.reverse(&bad).unwrap_err().to_string();
    assert!(error.contains("NaN"), "{error}");
}

/// x' = -√x reaches 0, where the root has no derivative.
struct Draining;

impl Ode<1, 1> for Draining {
    fn states(&self) -> [DiffEqState; 1] {
        [DiffEqState::new("x", 0.0)]
    }
    fn parameters(&self) -> [Parameter; 1] {
        [Parameter::new("k", 1.0)]
    }
    fn derivative<R: Real>(&self, t: R, [x]: [R; 1], [k]: [R; 1]) -> [R; 1] {
        [k * t - x.sqrt()]
    }
}

#[test]
fn derivatives_that_are_not_finite_are_found() {
    let model = Model::new(&ode(Draining)).unwrap();
    let setup = Setup::new("euler", 0.1).record("x");
    let gradient = Gradient::new(&setup, braincell::solvers(), &model, 1.0, &["k", "x"]).unwrap();
    let trace = "x".to_string();
    match gradient.reverse(&Mean { trace }) {
        Err(GradientError::NotFinite {
            name,
            step,
            element,
            ..
        }) => {
            assert_eq!((name.as_str(), element), ("x", 0));
            assert!(step <= 1, "{step}");
        }
        other => panic!("{other:?}"),
    }
}

/// The derivative for a later onset, also of a jump on the time grid, against differences to that side.
#[test]
fn onsets_on_the_grid_move_to_the_right() {
    let at = |onset: f64| {
        let cell = SingleCompartment::hodgkin_huxley()
            .input("stimulus", Input::pulses(12.0, onset, 2.0, 4.0, 2))
            .input("sine", Input::sine(1.0, 0.1, 0.3));
        Model::new(&cell).unwrap()
    };
    // On the grid, and in the middle between two steps.
    let solvers = [
        "rk4",
        "exp_euler",
        "tr_bdf2",
        "ind_exp_euler",
        "radau5",
        "staggered",
        "cn_exp_euler",
        "staggered2",
    ];
    for (solver, onset) in solvers.into_iter().flat_map(|s| [(s, 0.5), (s, 0.5125)]) {
        let setup = Setup::new(solver, 0.025).record("V").spikes("V", -20.0);
        let (registry, model) = (braincell::solvers(), at(onset));
        let by = ["stimulus.onset"];
        let gradient = Gradient::new(&setup, registry, &model, 6.0, &by).unwrap();
        let tangents = by_tangents(&gradient.forward().unwrap(), &everything);
        let (_, adjoints) = reverse(&gradient, &everything);
        assert!(close("onset", solver, &tangents, &adjoints, 1e-10));
        let loss = |k: f64| {
            let model = at(onset + k * 1e-3);
            let gradient = Gradient::new(&setup, registry, &model, 6.0, &["C"]).unwrap();
            reverse(&gradient, &everything).0
        };
        let f: Vec<f64> = (0..5).map(|k| loss(f64::from(k))).collect();
        let weights = [-25.0, 48.0, -36.0, 16.0, -3.0].iter().zip(&f);
        let difference = weights.map(|(w, f)| w * f).sum::<f64>() / (12.0 * 1e-3);
        assert!(close("onset", solver, &adjoints, &[difference], 1e-5));
    }
}
