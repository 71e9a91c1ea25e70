//! What cannot be compared or inspected is refused with a message that says what to do.

use crate::{assert_has, example, hh};
use braincell::compare::{CompareError, Settings, compare};
use braincell::experiment::Experiment;
use braincell::inspect::{self, InspectError, inspect};
use braincell::model::{DiffEqState, Model, Ode, Parameter, ode};
use braincell::real::Real;
use braincell::solvers;

fn refused(experiment: &Experiment, settings: &Settings) -> String {
    let error = compare(experiment, solvers(), settings).unwrap_err();
    let text = error.to_string();
    assert!(!text.contains('\n') && text.len() > 20, "{text}");
    text
}

fn target(text: &str) -> Settings {
    Settings {
        target: Some(text.to_string()),
        ..Settings::default()
    }
}

#[test]
fn an_unknown_solver() {
    let settings = Settings {
        solvers: vec!["rk5".to_string()],
        ..Settings::default()
    };
    assert_has(&refused(&hh(&[]), &settings), &["rk5", "rk4"]);
}

#[test]
fn steps_and_tolerances_that_are_not_positive() {
    for bad in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        let steps = Settings {
            steps: Some(vec![0.1, bad]),
            ..Settings::default()
        };
        assert_has(&refused(&hh(&[]), &steps), &["time step", "positive"]);
        let tolerances = Settings {
            tolerances: Some(vec![bad]),
            ..Settings::default()
        };
        assert_has(&refused(&hh(&[]), &tolerances), &["tolerance", "positive"]);
    }
}

#[test]
fn empty_ladders() {
    let steps = Settings {
        steps: Some(Vec::new()),
        ..Settings::default()
    };
    assert_has(&refused(&hh(&[]), &steps), &["list of time steps is empty"]);
    let tolerances = Settings {
        tolerances: Some(Vec::new()),
        ..Settings::default()
    };
    assert_has(
        &refused(&hh(&[]), &tolerances),
        &["list of tolerances is empty"],
    );
}

#[test]
fn solvers_that_take_no_tolerance_when_only_tolerances_are_given() {
    let settings = Settings {
        solvers: vec!["rk4".to_string()],
        tolerances: Some(vec![1e-6]),
        ..Settings::default()
    };
    assert_has(
        &refused(&hh(&[]), &settings),
        &["no solver is left", "rk4", "no error estimate"],
    );
}

#[test]
fn targets_that_cannot_be_read_or_make_no_sense() {
    let hh = hh(&[]);
    for (text, parts) in [
        ("much", &["much", "0.1 mV"] as &[&str]),
        ("", &["target"]),
        ("0.1 mA", &["V are compared", "mV"]),
        ("0.1", &["mV"]),
        ("0 mV", &["positive"]),
        ("-1 mV", &["positive"]),
        ("nan mV", &["target"]),
        ("0.1 mVV", &["mVV"]),
    ] {
        assert_has(&refused(&hh, &target(text)), parts);
    }
    let text = example("van_der_pol.toml");
    let vdp = Experiment::parse(&text, "vdp.toml").unwrap();
    assert_has(&refused(&vdp, &target("0.1 mV")), &["plain number"]);
    let text = text.replace("[spikes]\nvariable = \"x\"\nthreshold = 0.0", "");
    let silent = Experiment::parse(&text, "vdp.toml").unwrap();
    assert_has(
        &refused(&silent, &target("0.1 ms")),
        &["no spikes are detected", "threshold"],
    );
}

#[test]
fn experiments_that_record_nothing_that_depends_on_the_solver() {
    for variables in ["[]", "[\"stimulus\"]"] {
        let all = "[\"V\", \"na.m\", \"na.h\", \"k.n\", \"stimulus\"]";
        let text = example("hh.toml").replace(all, variables);
        let text = text.replace("[spikes]\nvariable = \"V\"\nthreshold = \"0 mV\"", "");
        let nothing = Experiment::parse(&text, "hh.toml").unwrap();
        let message = refused(&nothing, &Settings::default());
        assert_has(&message, &["nothing to compare", "[record]", "[spikes]"]);
    }
}

#[test]
fn steps_without_common_sample_times() {
    let settings = Settings {
        steps: Some(vec![0.1, 0.0314159]),
        ..Settings::default()
    };
    assert_has(
        &refused(&hh(&[]), &settings),
        &["no common sample times", "0.0314159"],
    );
}

/// Noise in the potential.
struct Noisy;

impl Ode<1, 1> for Noisy {
    fn states(&self) -> [DiffEqState; 1] {
        [DiffEqState::voltage("V", -65.0)]
    }
    fn parameters(&self) -> [Parameter; 1] {
        [Parameter::new("tau", 10.0)]
    }
    fn derivative<R: Real>(&self, _t: R, [v]: [R; 1], [tau]: [R; 1]) -> [R; 1] {
        [-(v + 65.0) / tau]
    }
    const STOCHASTIC: bool = true;
    fn diffusion<R: Real>(&self, _t: R, _y: [R; 1], _p: [R; 1]) -> [R; 1] {
        [R::one()]
    }
}

#[test]
fn stochastic_models() {
    let mut experiment = hh(&[(
        "[\"V\", \"na.m\", \"na.h\", \"k.n\", \"stimulus\"]",
        "[\"V\"]",
    )]);
    experiment.model = Model::new(&ode(Noisy)).unwrap();
    let error = compare(&experiment, solvers(), &Settings::default()).unwrap_err();
    assert!(matches!(error, CompareError::Stochastic(_)), "{error}");
    assert_has(&error.to_string(), &["hh.toml", "noise"]);
    // Its drift can be inspected all the same.
    experiment.run.solver.value = "euler_maruyama".to_string();
    let found = inspect(&experiment, solvers(), &inspect::Settings::default()).unwrap();
    assert!((found.rates().unwrap().0 - 0.1).abs() < 1e-12);
}

#[test]
fn senseless_intervals_between_looks() {
    for every in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-9] {
        let settings = inspect::Settings {
            every: Some(every),
            ..inspect::Settings::default()
        };
        let error = inspect(&hh(&[]), solvers(), &settings).unwrap_err();
        let fits = matches!(
            error,
            InspectError::Interval(_) | InspectError::TooMany { .. }
        );
        assert!(fits, "{every}: {error}");
    }
}
