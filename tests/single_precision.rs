//! What single precision costs.

use braincell::cells::SingleCompartment;
use braincell::experiment::Experiment;
use braincell::kernel::Storage;
use braincell::model::Model;
use braincell::simulation::{Recording, Setup, SetupError, Tolerances};
use std::fs;
use std::path::Path;

fn hh() -> Experiment {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hh.toml");
    Experiment::read(path).unwrap()
}

fn run<F: Storage>(setup: &Setup, model: &Model, until: f64) -> Recording {
    let mut run = setup.start::<F>(braincell::solvers(), model).unwrap();
    run.run(until).unwrap();
    run.recording()
}

/// The greatest difference of the potential, and that of the spike times.
fn differences(single: &Recording, double: &Recording) -> (f64, f64) {
    let pairs = single.data().iter().zip(double.data());
    let potential = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let [a, b] = [single, double].map(|r| &r.spikes()[0].times);
    assert_eq!(a.len(), b.len());
    let times = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    (potential, times.fold(0.0, f64::max))
}

/// The table of docs/accuracy.md. It differs a little with the processor.
#[test]
fn solvers_agree_in_both_precisions() {
    let registry = braincell::solvers();
    let model = hh().model;
    println!("| solver | V, mV | spikes, µs |\n|---|---|---|");
    for entry in registry.entries() {
        let name = entry.info.name.as_str();
        // Splitting off part of the equations, or none of the voltage, makes no spikes.
        let setup = Setup::new(name, 0.025).record("V").spikes("V", 0.0);
        if setup.start::<f64>(registry, &model).is_err() {
            continue;
        }
        let (single, double) = (
            run::<f32>(&setup, &model, 50.0),
            run::<f64>(&setup, &model, 50.0),
        );
        assert_eq!(
            single.times(),
            double.times(),
            "time is counted in double precision"
        );
        let (potential, times) = differences(&single, &double);
        println!("| `{name}` | {potential:.1e} | {:.1e} |", 1e3 * times);
        assert!(potential < 0.05, "{name}: {potential} mV");
        assert!(times < 5e-4, "{name}: {times} ms");
        // Not the same numbers by accident.
        assert!(
            potential > 1e-7 || double.spikes()[0].times.is_empty(),
            "{name}: {potential} mV"
        );
    }
}

/// Over a second there are 40000 steps; time counted in single precision would be off by many of them.
#[test]
fn time_does_not_drift() {
    let model = hh().model;
    let setup = Setup::new("rk4", 0.025)
        .record("V")
        .every(1.0)
        .spikes("V", 0.0);
    let (single, double) = (
        run::<f32>(&setup, &model, 1000.0),
        run::<f64>(&setup, &model, 1000.0),
    );
    assert_eq!(single.times(), double.times());
    assert_eq!(single.times().last(), Some(&1000.0));
    let (_, times) = differences(&single, &double);
    assert!(times < 5e-4, "{times} ms");
}

#[test]
fn a_tolerance_below_the_precision_is_refused() {
    let model = Model::new(&SingleCompartment::hodgkin_huxley()).unwrap();
    let registry = braincell::solvers();
    let adaptive = registry
        .entries()
        .into_iter()
        .filter(|e| e.info.is_adaptive());
    for entry in adaptive {
        let name = entry.info.name.as_str();
        let setup = |tolerance: f64| {
            let setup = Setup::adaptive(name, Tolerances::new(tolerance));
            setup.record("V").every(0.1).spikes("V", 0.0)
        };
        let refused = setup(1e-8).start::<f32>(registry, &model).err().unwrap();
        let SetupError::Precision {
            least, precision, ..
        } = refused
        else {
            panic!("{name}: {refused}");
        };
        assert_eq!(precision, "single");
        assert!((1e-6..1e-3).contains(&least), "{name}: {least}");
        assert!(setup(1e-8).start::<f64>(registry, &model).is_ok());
        // The least tolerance can be kept, by about as many steps as in double precision.
        let (single, double) = (
            run::<f32>(&setup(least), &hh().model, 50.0),
            run::<f64>(&setup(least), &hh().model, 50.0),
        );
        let (few, many) = (double.counters().steps, single.counters().steps);
        let (potential, times) = differences(&single, &double);
        println!(
            "{name:<16} least {least:.1e}  steps {few} in double, {many} in single; V {potential:.1e} mV, spikes {:.1e} µs",
            1e3 * times
        );
        assert!(
            many < few + few / 4 + 20,
            "{name}: {few} steps in double, {many} in single precision"
        );
    }
}

#[test]
fn an_experiment_may_ask_for_single_precision() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hh.toml");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replacen("[run]", "[run]\nprecision = \"single\"", 1);
    let experiment = Experiment::parse(&text, &path).unwrap();
    let error = experiment
        .start(braincell::solvers())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("run.precision") && error.contains("double"),
        "{error}"
    );
    let mut run = experiment.start_in::<f32>(braincell::solvers()).unwrap();
    run.run(5.0).unwrap();
}
