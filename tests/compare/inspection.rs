//! Spectra, limits of stability and sizes.

use crate::{assert_has, example, hh};
use braincell::experiment::Experiment;
use braincell::inspect::{Inspection, Settings, inspect};
use braincell::simulation::Setup;
use braincell::solvers;

fn ode(system: &str, parameters: &str) -> Experiment {
    let text = format!(
        "[model]\nkind = \"ode\"\nsystem = \"{system}\"\n[model.parameters]\n{parameters}\n\
         [run]\nsolver = \"rk4\"\ndt = \"0.01 ms\"\nduration = \"1 ms\"\n"
    );
    Experiment::parse(&text, "ode.toml").unwrap()
}

fn look(experiment: &Experiment) -> Inspection {
    inspect(experiment, solvers(), &Settings::default()).unwrap()
}

fn limit(found: &Inspection, solver: &str) -> f64 {
    let limit = found.limits.iter().find(|l| l.solver == solver);
    limit.unwrap().step
}

#[test]
fn a_linear_equation_has_one_rate_and_known_limits() {
    let found = look(&ode("decay", "k = 50.0"));
    for sample in &found.samples {
        assert!((sample.fastest - 50.0).abs() < 1e-12);
    }
    for (solver, reach) in [
        ("euler", 2.0),
        ("rk2", 2.0),
        ("rk3", 2.512_745_33),
        ("rk4", 2.785_293_56),
        ("dopri54", 3.306_568),
    ] {
        let got = limit(&found, solver) * 50.0;
        assert!((got - reach).abs() < 1e-5, "{solver}: {got}");
    }
}

#[test]
fn the_limits_are_where_solvers_fail() {
    let experiment = ode("decay", "k = 50.0");
    let found = look(&experiment);
    for limit in &found.limits {
        let grows = |factor: f64| {
            let setup = Setup::new(&limit.solver, factor * limit.step);
            let mut run = setup.start::<f64>(solvers(), &experiment.model).unwrap();
            run.run(200.0 * factor * limit.step).unwrap();
            run.state("x").unwrap().value.at(0, 0).abs() > 1.0
        };
        assert!(!grows(0.98), "{}", limit.solver);
        assert!(grows(1.02), "{}", limit.solver);
    }
}

#[test]
fn undamped_oscillations_limit_nobody_and_have_no_time_constant() {
    let found = look(&ode("harmonic_oscillator", "omega = 3.0"));
    assert!(found.samples.iter().all(|s| s.fastest.abs() < 1e-12));
    assert!(found.limits.iter().all(|l| l.step == f64::INFINITY));
}

#[test]
fn the_membrane_is_fastest_in_the_spike() {
    let found = look(&hh(&[]));
    let stiffest = found.stiffest.clone().unwrap();
    assert_eq!(stiffest.place.to_string(), "V");
    assert!((7.0..9.0).contains(&stiffest.time), "{stiffest:?}");
    // The sodium conductance of a spike, some 30 mS/cm2, over 1 uF/cm2.
    assert!((25.0..45.0).contains(&stiffest.rate), "{stiffest:?}");
    // rk4 is stable with 0.05 ms and not with 0.1 ms, as runs show.
    assert!((0.05..0.1).contains(&limit(&found, "rk4")));
    assert!(found.stiffness_ratio().unwrap() > 30.0);
    assert!(found.samples.iter().any(|s| s.growth.is_some()));
    assert_eq!(found.states, [1, 3, 0, 0]);
    assert_eq!(found.inputs[0].jumps, [5.0]);
    // 601 samples of the time and five columns.
    assert_eq!(found.memory.samples, 601 * 6 * 8);
    assert_eq!(found.memory.states, 4 * 8);
}

#[test]
fn power_iteration_finds_the_fastest_mode() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/branched.toml");
    let text = example("branched.toml");
    let text = text.replace("policy = \"d_lambda\"", "policy = \"count\"\ncount = 2");
    let experiment = Experiment::parse(&text, path).unwrap();
    let settings = |most_states| Settings {
        every: Some(15.0),
        most_states,
    };
    let whole = inspect(&experiment, solvers(), &settings(600)).unwrap();
    let power = inspect(&experiment, solvers(), &settings(0)).unwrap();
    assert!(whole.whole_spectrum && !power.whole_spectrum);
    for (a, b) in whole.samples.iter().zip(&power.samples) {
        let off = (a.fastest - b.fastest).abs() / a.fastest;
        assert!(off < 1e-3, "{} {}", a.fastest, b.fastest);
        assert_eq!(b.slowest, None);
    }
    assert_has(&power.stiffest.unwrap().place.to_string(), &["V["]);
    assert!(whole.control_volumes.is_some_and(|n| n > 10));
}

#[test]
fn a_population_is_looked_at_in_some_cells() {
    let text = example("population.toml").replace("200 ms", "15 ms");
    let found = look(&Experiment::parse(&text, "population.toml").unwrap());
    assert_eq!(found.cells, 100);
    assert_eq!(found.looked_at, [0, 33, 66, 99]);
    // The strongest current makes the last cell fire, and the first none.
    let fastest = |cell: usize| {
        let own = found.samples.iter().filter(|s| s.cell == cell);
        own.map(|s| s.fastest).fold(0.0, f64::max)
    };
    assert!(fastest(99) > 2.0 * fastest(0));
}
