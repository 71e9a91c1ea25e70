//! What the model builder refuses.

use braincell_core::input::Input;
use braincell_core::kernel::{Pointwise, pointwise};
use braincell_core::model::{
    DiffEqModule, DiffEqState, Domain, Launches, Model, ModelBuilder, ModelError, Parameter, Phase,
    Source, StateId, Target, Values, ode, systems::Decay,
};
use braincell_core::real::Real;
use ndarray::Array2;

/// Two numbers in, one out.
struct Sum;
impl Pointwise for Sum {
    type Inputs<T: Copy> = [T; 2];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [a, b]: [R; 2]) -> [R; 1] {
        [a + b]
    }
}

/// What a module declares.
type Declare = fn(&mut ModelBuilder) -> Result<(), ModelError>;

/// A module that consists of a function.
struct Made<F>(F);

impl<F: Fn(&mut ModelBuilder) -> Result<(), ModelError>> DiffEqModule for Made<F> {
    type Handles = ();
    fn declare(&self, m: &mut ModelBuilder) -> Result<(), ModelError> {
        (self.0)(m)
    }
    fn compute_derivative(&self, _: &(), _: &mut Launches) -> Result<(), ModelError> {
        Ok(())
    }
}

fn refusal(
    cells: usize,
    declare: impl Fn(&mut ModelBuilder) -> Result<(), ModelError>,
) -> ModelError {
    Model::population(&Made(declare), cells)
        .err()
        .expect("a refusal")
}

const CELL: Domain = Domain::CELL;

fn state(name: &str, value: impl Into<Values>) -> DiffEqState {
    DiffEqState::new(name, value)
}

fn derivative(m: &mut ModelBuilder, of: StateId) -> Result<(), ModelError> {
    let inputs = [Source::State(of), Source::Zero];
    let mut launches = m.launches(Phase::Derivative);
    launches.launch(CELL, pointwise(Sum), &inputs, &[Target::Derivative(of)])
}

#[test]
fn names_differ() {
    let taken = ModelError::NameTaken("x".to_string());
    let first = |m: &mut ModelBuilder| m.state(CELL, state("x", 0.0)).map(|_| ());
    let again: [Declare; 4] = [
        |m| m.state(CELL, state("x", 0.0)).map(|_| ()),
        |m| m.parameter(CELL, Parameter::new("x", 0.0)).map(|_| ()),
        |m| m.signal(CELL, "x", "").map(|_| ()),
        |m| m.input("x", "", vec![Input::constant(0.0)]).map(|_| ()),
    ];
    for second in again {
        assert_eq!(refusal(1, |m| first(m).and_then(|()| second(m))), taken);
    }
}

#[test]
fn values_are_finite_and_as_many_as_their_places() {
    let nan = f64::NAN;
    let finite = [
        Values::Uniform(nan),
        Values::PerElement(vec![0.0, f64::INFINITY, 0.0]),
        Values::PerCell(vec![0.0, nan]),
        Values::Each(Array2::from_elem((3, 2), nan)),
    ];
    let lengths = [
        Values::PerElement(vec![0.0; 2]),
        Values::PerCell(vec![0.0; 3]),
        Values::PerCell(vec![]),
        Values::Each(Array2::zeros((2, 3))),
    ];
    for values in finite.into_iter().chain(lengths) {
        let not_finite = match &values {
            Values::Uniform(x) => !x.is_finite(),
            Values::PerElement(x) | Values::PerCell(x) => x.iter().any(|x| !x.is_finite()),
            Values::Each(x) => x.iter().any(|x| !x.is_finite()),
        };
        let of_state = refusal(2, |m| {
            let domain = m.domain("node", 3)?;
            m.state(domain, state("x", values.clone())).map(|_| ())
        });
        let of_parameter = refusal(2, |m| {
            let domain = m.domain("node", 3)?;
            m.parameter(domain, Parameter::new("x", values.clone()))
                .map(|_| ())
        });
        for error in [of_state, of_parameter] {
            assert!(error.to_string().contains("\"x\""), "{error}");
            match error {
                ModelError::NotFinite { value, .. } => assert!(not_finite && !value.is_finite()),
                ModelError::Length { .. } => assert!(!not_finite),
                other => panic!("{other}"),
            }
        }
    }
    let input = |n: usize| vec![Input::constant(1.0); n];
    let error = refusal(3, |m| m.input("i", "", input(2)).map(|_| ()));
    assert!(
        matches!(error, ModelError::Length { given: 2, .. }),
        "{error}"
    );
    let error = refusal(3, |m| {
        m.input("i", "", vec![Input::constant(nan)]).map(|_| ())
    });
    assert!(matches!(error, ModelError::Input { .. }), "{error}");
}

#[test]
fn something_has_to_be_there() {
    assert!(matches!(
        Model::population(&ode(Decay), 0),
        Err(ModelError::Empty(_))
    ));
    assert!(matches!(refusal(1, |_| Ok(())), ModelError::Empty(_)));
    assert!(matches!(
        refusal(1, |m| m.domain("node", 0).map(|_| ())),
        ModelError::Empty(_)
    ));
    let huge = u32::MAX as usize + 1;
    assert!(matches!(
        refusal(1, |m| m.domain("node", huge).map(|_| ())),
        ModelError::Empty(_)
    ));
    for elements in [&[0, 3][..], &[1, 1]] {
        let error = refusal(1, |m| {
            let node = m.domain("node", 3)?;
            m.subset("part", node, elements).map(|_| ())
        });
        assert!(error.to_string().contains("\"part\""), "{error}");
    }
    let error = refusal(1, |m| m.state(CELL, state("x", 0.0)).map(|_| ()));
    assert_eq!(
        error.to_string(),
        "no kernel computes the derivative of state \"x\"; launch one"
    );
}

#[test]
fn independent_modules_have_states_and_substeps_and_do_not_nest() {
    let none = refusal(1, |m| m.independent("sub", "rk4", 0, |_| Ok(())));
    assert!(none.to_string().contains("0 substeps"), "{none}");
    let empty = refusal(1, |m| {
        let x = m.state(CELL, state("x", 0.0))?;
        derivative(m, x)?;
        m.independent("sub", "rk4", 1, |_| Ok(()))
    });
    assert!(
        empty.to_string().contains("\"sub\" has no state"),
        "{empty}"
    );
    let nested = refusal(1, |m| {
        m.independent("outer", "rk4", 1, |m| {
            m.independent("inner", "rk4", 1, |_| Ok(()))
        })
    });
    assert!(
        nested.to_string().contains("\"inner\" lies inside"),
        "{nested}"
    );
    let parentless = refusal(1, |m| {
        m.independent("sub", "rk4", 1, |m| {
            let x = m.state(CELL, state("x", 0.0))?;
            derivative(m, x)
        })
    });
    assert!(matches!(parentless, ModelError::Empty(_)), "{parentless}");
}

#[test]
fn launches_fit() {
    let launch = |phase: Phase, over: usize, inputs: usize, target: usize| {
        refusal(1, move |m| {
            let node = m.domain("node", 3)?;
            let other = m.domain("other", 3)?;
            let x = m.state(node, state("x", 0.0))?;
            let y = m.state(other, state("y", 0.0))?;
            let wave = m.input("wave", "", vec![Input::constant(0.0)])?;
            let domain = [node, other, CELL][over];
            let inputs = [Source::State(x), Source::Time, Source::Time]
                .split_at(inputs)
                .0
                .to_vec();
            let targets = [
                vec![Target::Derivative(x)],
                vec![Target::State(x)],
                vec![Target::Signal(wave)],
                vec![Target::Derivative(y)],
                vec![Target::Nothing, Target::Nothing],
                vec![Target::Diffusion(x)],
            ];
            m.launches(phase)
                .launch(domain, pointwise(Sum), &inputs, &targets[target])
        })
    };
    for (error, word) in [
        (
            launch(Phase::Derivative, 0, 1, 0),
            "has 2 inputs, 1 are given",
        ),
        (
            launch(Phase::Derivative, 0, 3, 0),
            "has 2 inputs, 3 are given",
        ),
        (
            launch(Phase::Derivative, 0, 2, 4),
            "has 1 outputs, 2 are given",
        ),
        (
            launch(Phase::Derivative, 1, 2, 3),
            "\"x\" lives on \"node\"",
        ),
        (
            launch(Phase::Derivative, 2, 2, 0),
            "\"x\" lives on \"node\"",
        ),
        (
            launch(Phase::Derivative, 0, 2, 3),
            "\"y\" lives on \"other\"",
        ),
        (launch(Phase::Derivative, 0, 2, 1), "cannot be written"),
        (launch(Phase::Derivative, 0, 2, 2), "cannot be written"),
        (launch(Phase::Pre, 0, 2, 0), "cannot be written"),
        (launch(Phase::Post, 0, 2, 5), "cannot be written"),
    ] {
        assert!(matches!(error, ModelError::Launch(_)), "{error}");
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
}

#[test]
fn changes_to_a_model_are_checked() {
    let mut model = Model::population(&ode(Decay), 2).unwrap();
    let error = model.set_parameter("kk", 1.0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this model has no parameter \"kk\"; it has k"
    );
    assert!(model.set_parameter("k", f64::NAN).is_err());
    assert!(
        model
            .set_parameter("k", Values::PerCell(vec![1.0]))
            .is_err()
    );
    assert!(model.set_initial("y", 1.0).is_err());
    assert!(model.set_initial("x", f64::INFINITY).is_err());
    assert_eq!(model.parameter("k").unwrap().value, Values::Uniform(1.0));
    model
        .set_parameter("k", Values::PerCell(vec![1.0, 2.0]))
        .unwrap();
    assert_eq!(model.parameter("k").unwrap().value.at(0, 1), 2.0);
}

#[test]
fn handles_of_another_model_are_refused() {
    use std::cell::Cell;
    let kept = Cell::new(None);
    let larger = Made(|m: &mut ModelBuilder| {
        let domain = m.domain("points", 2)?;
        for name in ["a", "b"] {
            let x = m.state(domain, state(name, 0.0))?;
            let p = m.parameter(domain, Parameter::new(format!("p{name}"), 1.0))?;
            let s = m.signal(domain, &format!("s{name}"), "")?;
            kept.set(Some((domain, x, p, s)));
        }
        Ok(())
    });
    // The states have no derivative; only the handles matter.
    let _ = Model::population(&larger, 1);
    let (domain, x, p, s) = kept.get().expect("handles");
    type Use = Box<dyn Fn(&mut ModelBuilder) -> Result<(), ModelError>>;
    let launch = |inputs: [Source; 2], output: Target| -> Use {
        Box::new(move |m| {
            let mut launches = m.launches(Phase::Derivative);
            launches.launch(CELL, pointwise(Sum), &inputs, &[output])
        })
    };
    let uses: Vec<(&str, Use)> = vec![
        (
            "domain",
            Box::new(move |m| m.state(domain, state("x", 0.0)).map(|_| ())),
        ),
        (
            "domain",
            Box::new(move |m| m.signal(domain, "x", "").map(|_| ())),
        ),
        (
            "domain",
            Box::new(move |m| m.subset("x", domain, &[0]).map(|_| ())),
        ),
        (
            "state",
            launch([Source::State(x), Source::Zero], Target::Nothing),
        ),
        (
            "parameter",
            launch([Source::Zero, Source::Parameter(p)], Target::Nothing),
        ),
        (
            "signal",
            launch([Source::Signal(s), Source::Zero], Target::Nothing),
        ),
        ("state", launch([Source::Zero; 2], Target::Derivative(x))),
        ("signal", launch([Source::Zero; 2], Target::Signal(s))),
    ];
    for (what, wrong) in uses {
        let error = refusal(1, wrong).to_string();
        assert!(
            error.contains(&format!("a {what} of another model")),
            "{error}"
        );
    }
}
