//! Kinetic schemes.

use braincell_cells::mechanism::parameter;
use braincell_cells::{
    Local, Mechanism, MechanismError, Placed, Scheme, SchemeInfo, SingleCompartment, mechanisms,
    rates,
};
use braincell_core::input::Input;
use braincell_core::model::{Model, ModelError};
use braincell_core::real::Real;
use braincell_core::registry::Registry;
use braincell_core::simulation::{Recording, Setup, SetupError};

fn registry() -> Registry {
    let mut registry = Registry::new();
    braincell_solvers_rk::register(&mut registry).unwrap();
    registry
}

fn placed(label: &str, name: &str) -> Placed {
    Placed::new(label, mechanisms::find(name).unwrap())
}

/// The classic membrane with that sodium channel.
fn membrane(na: Placed) -> SingleCompartment {
    SingleCompartment::new()
        .mechanism(na)
        .mechanism(placed("k", "k_hh1952"))
        .mechanism(placed("leak", "leak"))
        .input("stimulus", Input::step(10.0, 5.0, 45.0))
}

fn run(na: Placed, solver: &str, dt: f64) -> Recording {
    let model = Model::new(&membrane(na)).unwrap();
    let mut setup = Setup::new(solver, dt).every(0.5).spikes("V", 0.0);
    for name in model.state_names() {
        setup = setup.record(name);
    }
    let mut run = setup.start::<f64>(&registry(), &model).unwrap();
    run.run(50.0).unwrap();
    run.recording()
}

fn greatest_difference(a: &Recording, b: &Recording) -> f64 {
    let (a, b) = (a.trace("V").unwrap(), b.trace("V").unwrap());
    let each = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    each.fold(0.0, f64::max)
}

const STATES: [&str; 8] = [
    "m0h0", "m1h0", "m2h0", "m3h0", "m0h1", "m1h1", "m2h1", "m3h1",
];

fn scheme() -> Placed {
    placed("na", "na_hh1952_scheme")
}

/// Three independent gates m and one h: probabilities are products of the gates' own.
#[test]
fn starts_from_the_products_of_the_gates() {
    let recording = run(scheme().advanced_with_cell(), "rk4", 0.05);
    let gates = run(placed("na", "na_hh1952"), "rk4", 0.05);
    let gate = |name| gates.trace(name).unwrap()[0];
    let (m, h): (f64, f64) = (gate("na.m"), gate("na.h"));
    for (k, state) in STATES.iter().enumerate() {
        let open = (k % 4) as i32;
        let ways = [1.0, 3.0, 3.0, 1.0][k % 4];
        let of_m = ways * m.powi(open) * (1.0 - m).powi(3 - open);
        let wanted = of_m * if k < 4 { 1.0 - h } else { h };
        let x = recording.trace(&format!("na.{state}")).unwrap()[0];
        assert!((x - wanted).abs() <= 1e-14 * wanted, "{state} {x} {wanted}");
    }
}

/// Both descriptions are the same system, so their traces differ by the errors of the integration alone, and these
/// fall with the fourth power of the step.
#[test]
fn reproduces_the_gates_when_advanced_with_the_cell() {
    let truth = run(placed("na", "na_hh1952"), "rk4", 0.00125);
    let errors = [0.02, 0.01, 0.005]
        .map(|dt| greatest_difference(&run(scheme().advanced_with_cell(), "rk4", dt), &truth));
    assert!(errors[2] < 1e-5, "{errors:?}");
    for (coarse, fine) in errors.iter().zip(&errors[1..]) {
        let ratio = coarse / fine;
        assert!((15.0..18.0).contains(&ratio), "{errors:?}");
    }
}

#[test]
fn probabilities_sum_to_one() {
    for na in [
        scheme().advanced_with_cell(),
        scheme().advanced_by("rk4", 2),
    ] {
        let recording = run(na, "rk4", 0.01);
        for k in 0..recording.times().len() {
            let state = |state| recording.trace(&format!("na.{state}")).unwrap()[k];
            let sum: f64 = STATES.iter().map(state).sum();
            assert!((sum - 1.0).abs() < 1e-13, "{sum} in sample {k}");
        }
    }
}

/// A solver of its own inside a split step: of second order. The splitting holds the potential while the channels move, so
/// the upstroke of the spike comes early or late: 0.12 mV at a step of 5 µs, where the whole of rk4 errs by 7e-6 mV.
#[test]
fn a_scheme_with_a_solver_of_its_own_converges_at_second_order() {
    let truth = run(placed("na", "na_hh1952"), "rk4", 0.00125);
    let errors = [0.02, 0.01, 0.005]
        .map(|dt| greatest_difference(&run(scheme().advanced_by("rk4", 1), "rk4", dt), &truth));
    assert!(errors[2] < 0.12, "{errors:?}");
    for (coarse, fine) in errors.iter().zip(&errors[1..]) {
        let ratio = coarse / fine;
        assert!((3.9..4.1).contains(&ratio), "{errors:?}");
    }
}

#[test]
fn a_scheme_is_advanced_by_backward_euler_unless_told_otherwise() {
    let model = Model::new(&membrane(scheme())).unwrap();
    match Setup::new("rk4", 0.01).start::<f64>(&registry(), &model) {
        Err(SetupError::Registry(error)) => {
            assert!(error.to_string().contains("\"backward_euler\""), "{error}");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("this registry has only explicit solvers"),
    }
}

/// Names of the states, transitions, conducting states: what an author can get wrong.
struct Two<const FROM: usize, const TO: usize, const OPEN: usize>;

impl<const FROM: usize, const TO: usize, const OPEN: usize> Scheme<3, 2, 2>
    for Two<FROM, TO, OPEN>
{
    const STATES: [&'static str; 3] = ["c", "o", "i"];
    const TRANSITIONS: [(usize, usize); 2] = [(0, 1), (FROM, TO)];
    const CONDUCTING: &'static [usize] = &[OPEN];
    fn info(&self) -> SchemeInfo {
        SchemeInfo {
            name: "two",
            description: "",
            reference: "",
            ion: None,
            senses: None,
            parameters: vec![
                parameter("g_max", "mS/cm2", 1.0, "maximal conductance"),
                parameter("E", "mV", 0.0, "reversal potential"),
            ],
        }
    }
    fn rates<R: Real>(&self, at: Local<R>, _: [R; 2]) -> [[R; 2]; 2] {
        let up = rates::exponential(at.v, 1.0, -65.0, 10.0);
        [
            [up, R::constant(2.0)],
            [R::constant(0.5), R::constant(0.25)],
        ]
    }
    fn current<R: Real>(&self, at: Local<R>, open: R, [g, _]: [R; 2]) -> R {
        g * open * (at.reversal - at.v)
    }
}

#[test]
fn schemes_that_make_no_sense_are_refused() {
    assert!(Mechanism::scheme(Two::<1, 2, 1>).is_ok());
    let problem = |result: Result<Mechanism, MechanismError>| match result {
        Err(MechanismError::Malformed { name, problem }) => {
            assert_eq!(name, "two");
            problem
        }
        _ => panic!("accepted"),
    };
    assert_eq!(
        problem(Mechanism::scheme(Two::<1, 3, 1>)),
        "a transition leads from state 1 to state 3; both must be different numbers below 3"
    );
    assert_eq!(
        problem(Mechanism::scheme(Two::<2, 2, 1>)),
        "a transition leads from state 2 to state 2; both must be different numbers below 3"
    );
    assert_eq!(
        problem(Mechanism::scheme(Two::<1, 2, 3>)),
        "state 3 is to conduct, but the states are numbered below 3"
    );
    assert_eq!(
        problem(Mechanism::scheme(Two::<1, 0, 1>)),
        "no transitions connect state 2 with state 0; add one"
    );
}

/// closed ⇄ open ⇄ inactivated at -65 mV: c = 2 o, i = 2 o.
#[test]
fn the_steady_state_follows_the_initial_potential() {
    let two = Placed::new("two", Mechanism::scheme(Two::<1, 2, 1>).unwrap()).advanced_with_cell();
    let mut model = Model::new(&SingleCompartment::new().mechanism(two)).unwrap();
    for (v, open) in [(-65.0, 0.2), (-65.0 + 10.0 * 2f64.ln(), 0.25)] {
        model.set_initial("V", v).unwrap();
        let mut run = Setup::new("rk4", 0.01)
            .start::<f64>(&registry(), &model)
            .unwrap();
        let o = run.state("two.o").unwrap();
        assert!((o.value.at(0, 0) - open).abs() < 1e-15);
        assert!(o.derivative.unwrap().at(0, 0).abs() < 1e-15);
    }
}

#[test]
fn a_scheme_needs_substeps() {
    let sodium = Placed::new("na", mechanisms::find("na_hh1952_scheme").unwrap());
    let error = Model::new(&SingleCompartment::new().mechanism(sodium.advanced_by("rk4", 0)));
    match error {
        Err(ModelError::Invalid(message)) => assert!(message.contains("substeps"), "{message}"),
        _ => panic!("no substeps are accepted"),
    }
}

/// A calcium channel that calcium closes.
struct Inactivated;

impl Scheme<2, 1, 1> for Inactivated {
    const STATES: [&'static str; 2] = ["open", "shut"];
    const TRANSITIONS: [(usize, usize); 1] = [(0, 1)];
    const CONDUCTING: &'static [usize] = &[0];
    fn info(&self) -> SchemeInfo {
        SchemeInfo {
            name: "inactivated",
            description: "",
            reference: "",
            ion: Some("ca"),
            senses: Some("ca"),
            parameters: vec![parameter("g_max", "mS/cm2", 0.1, "maximal conductance")],
        }
    }
    fn rates<R: Real>(&self, at: Local<R>, _: [R; 1]) -> [[R; 2]; 1] {
        [[at.concentration * 1e3, R::constant(0.1)]]
    }
    fn current<R: Real>(&self, at: Local<R>, open: R, [g]: [R; 1]) -> R {
        g * open * (at.reversal - at.v)
    }
}

#[test]
fn a_scheme_finds_its_ion_in_a_pool() {
    let scheme = Placed::new("i", Mechanism::scheme(Inactivated).unwrap()).advanced_with_cell();
    let alone = Model::new(&SingleCompartment::new().mechanism(scheme.clone()));
    let message = alone.err().unwrap().to_string();
    assert!(message.contains("has no parameter E"), "{message}");
    let cell = SingleCompartment::new()
        .mechanism(scheme)
        .mechanism(placed("Ca", "calcium_detailed"));
    let model = Model::new(&cell).unwrap();
    let mut run = Setup::new("rk4", 0.01)
        .record("Ca.I")
        .start::<f64>(&registry(), &model)
        .unwrap();
    run.run(0.0).unwrap();
    let open = run.state("i.open").unwrap().value.at(0, 0);
    assert!((open - 0.1 / 0.34).abs() < 1e-15, "{open}");
    let e = 1e3 * 8.31446261815324 * 309.15 / (2.0 * 96485.33212331) * (2.0 / 2.4e-4f64).ln();
    let current = run.recording().trace("Ca.I").unwrap()[0];
    assert!(
        (current - 0.1 * open * (e + 65.0)).abs() < 1e-12,
        "{current}"
    );
}

/// Three states in a ring that turns: no detailed balance.
struct Ring;

impl Scheme<3, 3, 2> for Ring {
    const STATES: [&'static str; 3] = ["a", "b", "c"];
    const TRANSITIONS: [(usize, usize); 3] = [(0, 1), (1, 2), (2, 0)];
    const CONDUCTING: &'static [usize] = &[2];
    fn info(&self) -> SchemeInfo {
        let mut info = Two::<1, 2, 1>.info();
        info.name = "ring";
        info
    }
    fn rates<R: Real>(&self, _: Local<R>, _: [R; 2]) -> [[R; 2]; 3] {
        [[5.0, 0.5], [3.0, 0.25], [2.0, 1.0]].map(|pair| pair.map(R::constant))
    }
    fn current<R: Real>(&self, at: Local<R>, open: R, [g, _]: [R; 2]) -> R {
        g * open * (at.reversal - at.v)
    }
}

/// The weight of a state is the sum over the trees that lead to it of the products of their rates (Kirchhoff).
#[test]
fn a_ring_starts_from_its_stationary_flow() {
    let (ab, ba, bc, cb, ca, ac) = (5.0, 0.5, 3.0, 0.25, 2.0, 1.0);
    let weights = [
        ba * ca + bc * ca + cb * ba,
        ab * cb + ab * ca + ac * cb,
        ac * ba + ac * bc + ab * bc,
    ];
    let sum: f64 = weights.iter().sum();
    let ring = Placed::new("r", Mechanism::scheme(Ring).unwrap()).advanced_with_cell();
    let model = Model::new(&SingleCompartment::new().mechanism(ring)).unwrap();
    let mut run = Setup::new("rk4", 0.01)
        .start::<f64>(&registry(), &model)
        .unwrap();
    for (name, weight) in ["r.a", "r.b", "r.c"].iter().zip(weights) {
        let state = run.state(name).unwrap();
        assert!(
            (state.value.at(0, 0) - weight / sum).abs() < 1e-15,
            "{name}"
        );
        assert!(state.derivative.unwrap().at(0, 0).abs() < 1e-15, "{name}");
    }
}
