//! Channels, pools and their ions in one cell.

use braincell_cells::mechanism::nernst;
use braincell_cells::{MechanismKind, Placed, SingleCompartment, mechanisms};
use braincell_core::input::Input;
use braincell_core::model::{Model, ModelError};
use braincell_core::registry::Registry;
use braincell_core::simulation::{RunError, Setup};

fn placed(label: &str, name: &str) -> Placed {
    Placed::new(label, mechanisms::find(name).unwrap())
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    braincell_solvers_rk::register(&mut registry).unwrap();
    registry
}

fn refusal(cell: &SingleCompartment) -> String {
    match Model::new(cell) {
        Err(ModelError::Invalid(message)) => message,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the cell is accepted"),
    }
}

#[test]
fn a_channel_needs_a_reversal_potential() {
    let cell = SingleCompartment::new().mechanism(placed("T", "cat_hm1992"));
    assert_eq!(
        refusal(&cell),
        "\"T\" (cat_hm1992) carries ca, but \"T.E\" has no value and the cell has no pool of ca; add a pool of ca: calcium_detailed, or give E in mV"
    );
    let t = placed("T", "cat_hm1992").with("E", 120.0).unwrap();
    let model = Model::new(&SingleCompartment::new().mechanism(t.clone())).unwrap();
    assert_eq!(model.parameter("T.E").unwrap().value.at(0, 0), 120.0);
    let both = SingleCompartment::new()
        .mechanism(t)
        .mechanism(placed("Ca", "calcium_detailed"));
    assert_eq!(
        refusal(&both),
        "\"T.E\" is given, but the cell has a pool of ca, which computes it; leave one of them out"
    );
}

#[test]
fn a_channel_needs_the_ion_that_it_senses() {
    let cell = SingleCompartment::new().mechanism(placed("ahp", "ahp_de1994"));
    assert_eq!(
        refusal(&cell),
        "\"ahp\" (ahp_de1994) senses the concentration of ca, but the cell has no pool of ca; add a pool of ca: calcium_detailed"
    );
}

#[test]
fn a_cell_has_one_pool_of_an_ion() {
    let cell = SingleCompartment::new()
        .mechanism(placed("A", "calcium_detailed"))
        .mechanism(placed("B", "calcium_detailed"));
    let message = refusal(&cell);
    assert!(
        message.contains("\"A\"") && message.contains("\"B\""),
        "{message}"
    );
}

#[test]
fn the_initial_concentration_is_a_parameter() {
    let pool = placed("Ca", "calcium_detailed");
    assert_eq!(pool.label(), "Ca");
    let pool = pool.with("c_in0", 1e-3).unwrap();
    let model = Model::new(&SingleCompartment::new().mechanism(pool.clone())).unwrap();
    assert_eq!(model.state("Ca.c_in").unwrap().value.at(0, 0), 1e-3);
    assert_eq!(
        model.parameter_names(),
        ["C", "Ca.d", "Ca.tau", "Ca.c_rest", "Ca.c_out", "Ca.T"]
    );
    let negative = pool.with("c_in0", -1e-3).unwrap();
    let error = Model::new(&SingleCompartment::new().mechanism(negative))
        .err()
        .unwrap();
    assert!(error.to_string().contains("\"Ca.c_in\""), "{error}");
}

/// The order of the mechanisms does not matter, nor whether calcium currents are counted in their own signals too.
#[test]
fn the_membrane_current_is_the_sum_of_all() {
    let channels = ["cal_is2008", "cat_hm1992", "ahp_de1994", "k_leak"];
    let build = |names: &[&str]| {
        let cell = SingleCompartment::new().initial_voltage(-40.0);
        let cell = names
            .iter()
            .fold(cell, |cell, name| cell.mechanism(placed(name, name)));
        Model::new(&cell.input("in", Input::constant(0.7))).unwrap()
    };
    let forward = [&channels[..], &["calcium_detailed"]].concat();
    let backward: Vec<&str> = forward.iter().rev().copied().collect();
    let mut slopes = Vec::new();
    for names in [forward, backward] {
        let model = build(&names);
        let mut setup = Setup::new("rk4", 0.01);
        for name in channels {
            setup = setup.record(format!("{name}.I").as_str());
        }
        let mut run = setup.start::<f64>(&registry(), &model).unwrap();
        run.run(0.0).unwrap();
        let recording = run.recording();
        let current = |name: &str| recording.trace(&format!("{name}.I")).unwrap()[0];
        let sum: f64 = channels.iter().map(|name| current(name)).sum();
        assert!(current("cat_hm1992").abs() > 1e-3);
        let slope = run.state("V").unwrap().derivative.unwrap().at(0, 0);
        assert!((slope - (sum + 0.7)).abs() < 1e-14, "{slope} {sum}");
        slopes.push(slope);
    }
    assert!((slopes[0] - slopes[1]).abs() < 1e-14);
}

/// The pool decays to the concentration that it tends to, and the removal overshoots at a step of three time constants.
#[test]
fn a_negative_concentration_stops_the_run() {
    let pool = placed("Ca", "calcium_detailed").with("tau", 0.1).unwrap();
    let cell = SingleCompartment::new()
        .mechanism(pool)
        .mechanism(placed("leak", "leak"));
    let model = Model::new(&cell).unwrap();
    let mut run = Setup::new("euler", 0.3)
        .start::<f64>(&registry(), &model)
        .unwrap();
    match run.run(10.0) {
        Err(RunError::BadValue(bad)) => {
            assert_eq!(bad.name, "Ca.c_in");
            assert!(bad.value < 0.0);
            let message = RunError::BadValue(bad).to_string();
            assert!(message.starts_with("Ca.c_in became -"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nernst_potentials() {
    // Textbook: 61.5 mV per decade of a monovalent ion at 37 °C.
    let decade = nernst(1.0, 310.15, 10.0, 1.0);
    assert!((decade - 61.54).abs() < 0.005, "{decade}");
    assert_eq!(nernst(-2.0, 310.15, 10.0, 1.0), -0.5 * decade);
}

#[test]
fn every_mechanism_can_be_found_and_describes_itself() {
    let all = mechanisms::all();
    assert_eq!(all.len(), 13);
    for mechanism in &all {
        let found = mechanisms::find(mechanism.name()).unwrap();
        assert_eq!(found.info().description, mechanism.info().description);
        assert!(!mechanism.info().description.is_empty());
        for p in &mechanism.info().parameters {
            braincell_core::units::Unit::parse(p.unit).unwrap();
            assert!(!p.description.is_empty());
            assert!(mechanism.parameter(p.name).is_some());
        }
    }
    let pools = all.iter().filter(|m| m.kind() == MechanismKind::Pool);
    assert_eq!(pools.count(), 1);
}
