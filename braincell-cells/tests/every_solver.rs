//! Pools and kinetic schemes under every solver of the built-in families.

use braincell_cells::{Placed, SingleCompartment, mechanisms};
use braincell_core::input::Input;
use braincell_core::model::Model;
use braincell_core::registry::Registry;
use braincell_core::simulation::{Recording, Setup};

fn registry() -> Registry {
    let mut registry = Registry::new();
    braincell_solvers_rk::register(&mut registry).unwrap();
    braincell_solvers_expeuler::register(&mut registry).unwrap();
    braincell_solvers_implicit::register(&mut registry).unwrap();
    registry
}

fn run(
    registry: &Registry,
    cell: &SingleCompartment,
    solver: &str,
    dt: f64,
    until: f64,
) -> Recording {
    let model = Model::new(cell).unwrap();
    let mut setup = Setup::new(solver, dt).every(0.5).spikes("V", 0.0);
    for name in model.state_names() {
        setup = setup.record(name);
    }
    let mut run = setup.start::<f64>(registry, &model).unwrap();
    if let Err(error) = run.run(until) {
        panic!("{solver}: {error}");
    }
    run.recording()
}

fn membrane(na: Placed) -> SingleCompartment {
    let placed = |label, name| Placed::new(label, mechanisms::find(name).unwrap());
    SingleCompartment::new()
        .mechanism(na)
        .mechanism(placed("k", "k_hh1952"))
        .mechanism(placed("leak", "leak"))
        .input("stimulus", Input::step(10.0, 1.0, 45.0))
}

/// The greatest difference between times of the same spikes, ms.
fn spike_shift(a: &Recording, b: &Recording) -> f64 {
    let (a, b) = (&a.spikes()[0].times, &b.spikes()[0].times);
    assert_eq!(a.len(), b.len(), "{a:?} {b:?}");
    let each = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    each.fold(0.0, f64::max)
}

/// Spikes of a solver of that order come at the right times within this, ms, at a step of 0.01 ms.
fn allowed(order: u32) -> f64 {
    match order {
        0 | 1 => 0.2,
        2 => 2e-3,
        3 => 1e-4,
        _ => 2e-6,
    }
}

/// Advanced by backward Euler inside a split step, which is of first order whatever the cell's solver, and together
/// with the cell. Only the exponential Euler methods that treat every state by itself lose probability when they
/// advance a scheme: in it no state stands alone.
#[test]
fn schemes_keep_probability() {
    let registry = registry();
    let gates = Placed::new("na", mechanisms::find("na_hh1952").unwrap());
    let scheme = Placed::new("na", mechanisms::find("na_hh1952_scheme").unwrap());
    let truth = run(&registry, &membrane(gates), "rk4", 0.0025, 20.0);
    let own = membrane(scheme.clone());
    let together = membrane(scheme.advanced_with_cell());
    let capabilities = Model::new(&own).unwrap().capabilities();
    let solvers = registry.fitting(capabilities);
    assert!(solvers.len() >= 25, "{solvers:?}");
    for solver in &solvers {
        for (how, cell) in [("own", &own), ("together", &together)] {
            let recording = run(&registry, cell, solver, 0.01, 20.0);
            let mut off = 0f64;
            let states = [
                "m0h0", "m1h0", "m2h0", "m3h0", "m0h1", "m1h1", "m2h1", "m3h1",
            ];
            for k in 0..recording.times().len() {
                let state = |state| recording.trace(&format!("na.{state}")).unwrap()[k];
                off = off.max((states.map(state).iter().sum::<f64>() - 1.0).abs());
            }
            let shift = spike_shift(&recording, &truth);
            println!("{solver} {how}: spikes {shift:.1e} ms, sum {off:.1e}");
            let alone = ["ind_exp_euler", "implicit_exp_euler"].contains(&solver.as_str());
            if how == "together" && alone {
                continue;
            }
            assert!(off < 1e-13, "{solver} {how} {off}");
            let order = registry.get(solver).unwrap().info.order;
            assert!(
                shift < allowed(if how == "own" { 1 } else { order }),
                "{solver} {how} {shift}"
            );
        }
    }
}

#[test]
fn the_relay_neuron() {
    let registry = registry();
    let cell = SingleCompartment::thalamic_relay().input("in", Input::step(3.0, 5.0, 200.0));
    let truth = run(&registry, &cell, "rk4", 0.0025, 60.0);
    for solver in registry.fitting(Model::new(&cell).unwrap().capabilities()) {
        let recording = run(&registry, &cell, &solver, 0.01, 60.0);
        assert_eq!(truth.spikes()[0].times.len(), 2);
        let shift = spike_shift(&recording, &truth);
        let order = registry.get(&solver).unwrap().info.order;
        assert!(shift < allowed(order), "{solver} {shift}");
    }
}
