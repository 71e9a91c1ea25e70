//! What is measured, and what is recommended for it.

use crate::{example, hh};
use braincell::compare::{
    Comparison, Entry, Measure, Progress, Settings, Step, compare, compare_observed,
};
use braincell::experiment::Experiment;
use braincell::simulation::Recording;
use braincell::solvers;
use std::sync::atomic::{AtomicBool, Ordering};

/// Settings for some solvers and steps.
fn settings(solvers: &[&str], steps: &[f64]) -> Settings {
    Settings {
        solvers: solvers.iter().map(|name| name.to_string()).collect(),
        steps: Some(steps.to_vec()),
        threads: 2,
        ..Settings::default()
    }
}

fn with_target(settings: Settings, target: &str) -> Settings {
    Settings {
        target: Some(target.to_string()),
        ..settings
    }
}

fn entry<'a>(found: &'a Comparison, solver: &str, step: Step) -> &'a Entry {
    let wanted = |e: &&Entry| e.solver == solver && e.step == step;
    found.entries.iter().find(wanted).unwrap()
}

/// A run of an experiment with a solver and a step, recorded at multiples of `every`.
fn run(experiment: &Experiment, solver: &str, step: Step, every: f64) -> Recording {
    let mut settings = experiment.run.clone();
    settings.solver.value = solver.to_string();
    settings.stepping.value = step.stepping();
    let setup = settings.setup().every(every);
    let mut simulation = setup.start::<f64>(solvers(), &experiment.model).unwrap();
    simulation.run(settings.duration.value).unwrap();
    simulation.recording()
}

/// The greatest difference of V at the times that both have.
fn difference(a: &Recording, b: &Recording) -> f64 {
    let stride = |r: &Recording, interval: f64| (interval / r.times()[1]).round() as usize;
    let interval = a.times()[1].max(b.times()[1]);
    let (va, vb) = (a.trace("V").unwrap(), b.trace("V").unwrap());
    let both = va.iter().step_by(stride(a, interval));
    let both = both.zip(vb.iter().step_by(stride(b, interval)));
    both.map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

#[test]
fn measured_orders_are_the_declared_ones() {
    let steps = [0.02, 0.01, 0.005, 0.0025, 0.00125];
    let found = compare(
        &hh(&[]),
        solvers(),
        &settings(&["euler", "rk2", "rk4"], &steps),
    );
    let found = found.unwrap();
    assert!(found.complete);
    for (solver, order) in [("euler", 1.0), ("rk2", 2.0), ("rk4", 4.0)] {
        let own = found.entries.iter().filter(|e| e.solver == solver);
        let orders = own.filter_map(|e| e.result.as_ref().unwrap().order);
        let orders: Vec<f64> = orders.collect();
        assert!(orders.len() >= 3, "{solver}: {orders:?}");
        let last = orders[orders.len() - 1];
        assert!((last - order).abs() < 0.1, "{solver}: {orders:?}");
    }
    // Errors fall with the step, and costs rise.
    for pair in found
        .entries
        .windows(2)
        .filter(|p| p[0].solver == p[1].solver)
    {
        let [a, b] = [&pair[0], &pair[1]].map(|e| e.result.as_ref().unwrap());
        assert!(a.error.get(Measure::Max) > b.error.get(Measure::Max));
        assert!(a.cost.right_hand_sides < b.cost.right_hand_sides);
    }
    // Two evaluations in each step of 0.02 ms.
    let rk2 = entry(&found, "rk2", Step::Fixed(0.02));
    assert_eq!(rk2.result.as_ref().unwrap().cost.right_hand_sides, 100.0);
}

#[test]
fn the_reference_is_what_another_solver_converges_to() {
    let experiment = hh(&[]);
    let found = compare(&experiment, solvers(), &settings(&["rk4"], &[0.05])).unwrap();
    let reference = &found.reference;
    assert_ne!(reference.solver, "gauss4");
    let other = run(&experiment, "gauss4", Step::Fixed(0.0025 / 4.0), 0.025);
    let off = difference(&other, &reference.recording);
    assert!(off < 1e-6, "{off}");
    let spikes = |r: &Recording| r.spikes()[0].times.clone();
    assert_eq!(spikes(&other).len(), 1);
    for (a, b) in spikes(&other).iter().zip(spikes(&reference.recording)) {
        assert!((a - b).abs() < 1e-7, "{a} {b}");
    }
    // Its own error is known, and is not made smaller than it is.
    assert!(reference.error(Measure::Max) < 1e-6);
    assert!(reference.error(Measure::Max) > 0.0);
}

#[test]
fn what_is_recommended_keeps_the_target() {
    let experiment = hh(&[]);
    let exact = run(&experiment, "radau5", Step::Fixed(0.0025 / 2.0), 0.025);
    let names = ["euler", "heun2", "rk4", "exp_euler", "staggered2", "tsit54"];
    for (target, most) in [("0.1mV", 0.1), ("2 mV", 2.0), ("50 uV", 0.05)] {
        let mut given = with_target(settings(&names, &[]), target);
        given.steps = None;
        let found = compare(&experiment, solvers(), &given).unwrap();
        let choice = found.choice.clone().unwrap();
        let (solver, step) = choice.best.unwrap();
        let every = found
            .every(&experiment, step)
            .unwrap_or(step.value().max(0.025));
        let off = difference(&run(&experiment, &solver, step, every), &exact);
        assert!(off <= most, "{target}: {solver}, {step}: {off}");
        assert!(choice.reason.starts_with(&format!("{solver}, {step}: ")));
        // None that keeps the target is much cheaper.
        let cost = |e: &Entry| e.result.as_ref().unwrap().cost.cpu;
        let chosen = cost(entry(&found, &solver, step));
        let target = found.target.unwrap();
        for other in found.entries.iter().filter(|e| found.meets(e, target)) {
            assert!(chosen <= 1.5 * cost(other), "{solver} {step}, {other:?}");
        }
    }
}

#[test]
fn a_target_for_spike_times_is_kept_too() {
    let experiment = hh(&[]);
    let exact = run(&experiment, "radau5", Step::Fixed(0.0025 / 2.0), 0.025);
    let given = with_target(
        settings(&["rk4", "cn_exp_euler"], &[0.05, 0.025, 0.0125]),
        "5 us",
    );
    let found = compare(&experiment, solvers(), &given).unwrap();
    let (solver, step) = found.choice.clone().unwrap().best.unwrap();
    let own = run(&experiment, &solver, step, 0.05);
    for (a, b) in own.spikes()[0].times.iter().zip(&exact.spikes()[0].times) {
        assert!((a - b).abs() <= 0.005, "{solver} {step}: {a} {b}");
    }
    assert_eq!(found.measure, Measure::Spikes);
}

#[test]
fn unstable_steps_fail_with_a_reason_and_are_not_recommended_unsaid() {
    let given = with_target(settings(&["rk4", "backward_euler"], &[0.1, 0.05]), "20 mV");
    let found = compare(&hh(&[]), solvers(), &given).unwrap();
    let failed = entry(&found, "rk4", Step::Fixed(0.1));
    let reason = failed.result.as_ref().unwrap_err();
    assert!(
        reason.contains(" became ") && !reason.contains('\n'),
        "{reason}"
    );
    assert_eq!(found.stable_up_to("rk4"), Some(0.05));
    assert_eq!(found.stable_up_to("backward_euler"), Some(0.1));
    let choice = found.choice.as_ref().unwrap();
    assert_eq!(choice.best, Some(("rk4".to_string(), Step::Fixed(0.05))));
    assert!(choice.caution.contains("dt = 0.1 ms"), "{}", choice.caution);
    let lines = found.failures();
    assert!(lines[0].starts_with("rk4 with dt = 0.1 ms: "), "{lines:?}");
}

#[test]
fn beyond_the_ladder_twice_the_step_is_tried() {
    // The ladder ends right below the limit of stability.
    let given = with_target(settings(&["rk4"], &[0.05, 0.025]), "20 mV");
    let found = compare(&hh(&[]), solvers(), &given).unwrap();
    let caution = found.choice.unwrap().caution;
    assert!(
        caution.contains("already fails with dt = 0.1 ms"),
        "{caution}"
    );
}

#[test]
fn a_target_that_nobody_keeps_is_said_to_be_so() {
    let given = with_target(settings(&["euler"], &[0.05, 0.025]), "1 uV");
    let found = compare(&hh(&[]), solvers(), &given).unwrap();
    let choice = found.choice.unwrap();
    assert_eq!(choice.best, None);
    assert!(
        choice.reason.contains("euler with dt = 0.025 ms"),
        "{}",
        choice.reason
    );
}

#[test]
fn missing_and_extra_spikes_are_infinite_errors() {
    // The weak current gives no spike.
    let weak = hh(&[("\"10 uA/cm2\"", "\"1 uA/cm2\"")]);
    let strong = hh(&[("\"10 uA/cm2\"", "\"10 uA/cm2\"")]);
    let found = compare(&weak, solvers(), &settings(&["rk4"], &[0.05])).unwrap();
    let runs = [&weak, &strong].map(|e| run(e, "rk4", Step::Fixed(0.025), 0.025));
    let counts = runs.each_ref().map(|r| r.spikes()[0].times.len());
    assert!(counts[0] < counts[1], "{counts:?}");
    let off = found
        .compared
        .deviation(&runs[0], &runs[1], (1, 1))
        .spikes
        .unwrap();
    assert_eq!((off.missing, off.extra), (counts[1] - counts[0], 0));
    assert_eq!(off.time, f64::INFINITY);
    let off = found
        .compared
        .deviation(&runs[1], &runs[0], (1, 1))
        .spikes
        .unwrap();
    assert_eq!((off.missing, off.extra), (0, counts[1] - counts[0]));
    // The table says so: with steps of 1 ms one of three spikes is lost.
    let long = hh(&[("duration = \"15 ms\"", "duration = \"50 ms\"")]);
    let blind = compare(&long, solvers(), &settings(&["staggered"], &[1.0])).unwrap();
    let row = blind.row(&blind.entries[0]).join(" ");
    assert!(row.contains('∞') && row.contains("missing"), "{row}");
}

#[test]
fn steps_that_share_no_samples_with_the_file_are_compared_where_they_do() {
    // Every 0.05 ms in the file; steps of 0.04 and 0.03 ms meet it every 0.6 ms.
    let experiment = hh(&[("[record]", "[record]\nevery = \"0.05 ms\"")]);
    let found = compare(&experiment, solvers(), &settings(&["rk4"], &[0.04, 0.03])).unwrap();
    assert!(
        (found.ladder.interval - 0.6).abs() < 1e-12,
        "{:?}",
        found.ladder
    );
    for entry in &found.entries {
        assert!(
            entry
                .result
                .as_ref()
                .unwrap()
                .error
                .get(Measure::Max)
                .unwrap()
                < 0.1
        );
    }
    assert_eq!(found.every(&experiment, Step::Fixed(0.04)), Some(0.2));
    assert_eq!(found.every(&experiment, Step::Fixed(0.025)), None);
}

#[test]
fn models_without_a_potential_are_compared_by_all_that_is_recorded() {
    let text = example("van_der_pol.toml").replace("50 ms", "20 ms");
    let experiment = Experiment::parse(&text, "vdp.toml").unwrap();
    let mut given = with_target(Settings::default(), "0.01");
    given.threads = 2;
    given.solvers = ["rk4", "dopri54", "radau5"].map(String::from).to_vec();
    let found = compare(&experiment, solvers(), &given).unwrap();
    assert_eq!(found.compared.variables, ["x", "v"]);
    assert_eq!(found.compared.unit, "");
    assert!(found.choice.as_ref().unwrap().best.is_some());
    // Steps for all of them, tolerances for those with an error estimate.
    let count = |solver: &str, like: fn(&Step) -> bool| {
        let own = found.entries.iter().filter(|e| e.solver == solver);
        own.filter(|e| like(&e.step)).count()
    };
    assert!(count("rk4", |s| matches!(s, Step::Fixed(_))) > 3);
    assert_eq!(count("rk4", |s| matches!(s, Step::Tolerance(_))), 0);
    assert!(count("dopri54", |s| matches!(s, Step::Tolerance(_))) > 3);
}

#[test]
fn solvers_that_do_not_fit_are_left_out_with_a_reason() {
    let text = example("van_der_pol.toml").replace("50 ms", "5 ms");
    let experiment = Experiment::parse(&text, "vdp.toml").unwrap();
    let names = ["rk4", "staggered", "milstein", "dhs_voltage"];
    let found = compare(&experiment, solvers(), &settings(&names, &[0.05])).unwrap();
    let reason = |name: &str| {
        let left = found.left_out.iter().find(|l| l.solver == name);
        left.unwrap().reason.clone()
    };
    assert!(reason("staggered").contains("membrane potential"));
    assert!(reason("milstein").contains("stochastic"));
    assert_eq!(found.entries.len(), 1);
    let hh = compare(
        &hh(&[]),
        solvers(),
        &settings(&["rk4", "dhs_voltage"], &[0.05]),
    );
    assert!(hh.unwrap().left_out[0].reason.contains("alone"));
}

#[test]
fn what_is_as_exact_as_the_reference_is_a_bound() {
    let found = compare(
        &hh(&[]),
        solvers(),
        &settings(&["tsit54"], &[0.00078125 / 4.0]),
    );
    let found = found.unwrap();
    let row = found.row(&found.entries[0]).join(" ");
    assert!(row.contains('≤'), "{row}");
    let measured = found.entries[0].result.as_ref().unwrap();
    let bound = found.bound(measured, Measure::Max).unwrap();
    assert!(bound >= found.reference.error(Measure::Max), "{bound}");
}

#[test]
fn stopping_keeps_what_was_measured() {
    let (stop, experiment) = (AtomicBool::new(false), hh(&[]));
    let observe = |progress: Progress| {
        if matches!(progress, Progress::Runs(4.., _)) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let given = with_target(Settings::default(), "0.1 mV");
    let found = compare_observed(&experiment, solvers(), &given, &stop, &observe).unwrap();
    assert!(!found.complete);
    assert!(
        (4..30).contains(&found.entries.len()),
        "{}",
        found.entries.len()
    );
    stop.store(true, Ordering::Relaxed);
    let none = compare_observed(&experiment, solvers(), &given, &stop, &|_| {});
    assert!(none.unwrap_err().to_string().contains("stopped before"));
}
