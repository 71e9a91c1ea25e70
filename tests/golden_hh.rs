//! The classic Hodgkin-Huxley point neuron against published traces: `data/hh_single.csv`.

use braincell::cells::SingleCompartment;
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::{Setup, Simulation};

/// Numbers of the steps, from 0, in which the published traces cross 0 mV upwards.
const SPIKE_STEPS: [(&str, [u32; 3]); 10] = [
    ("rk4@0.05", [138, 436, 729]),
    ("rk4@0.01", [690, 2182, 3647]),
    ("heun2@0.05", [138, 436, 729]),
    ("heun2@0.01", [690, 2182, 3647]),
    ("exp_euler@0.05", [138, 436, 729]),
    ("exp_euler@0.01", [690, 2182, 3647]),
    ("ind_exp_euler@0.05", [141, 447, 747]),
    ("ind_exp_euler@0.01", [693, 2193, 3665]),
    ("backward_euler@0.05", [136, 435, 728]),
    ("backward_euler@0.01", [688, 2180, 3646]),
];

/// How far from the published trace is still the same scheme, mV. The neuron amplifies rounding, and an implicit
/// scheme also what is left of its equations.
fn tolerance(solver: &str) -> f64 {
    match solver {
        "rk4" | "heun2" => 1e-9,
        _ => 1e-8,
    }
}

/// The columns of the table, by name.
fn table() -> Vec<(String, Vec<f64>)> {
    let text = include_str!("data/hh_single.csv");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let names = lines.next().unwrap().split(',');
    let mut columns: Vec<(String, Vec<f64>)> =
        names.map(|name| (name.to_string(), Vec::new())).collect();
    for line in lines {
        for (column, number) in columns.iter_mut().zip(line.split(',')) {
            column.1.push(number.parse().unwrap());
        }
    }
    assert!(columns.iter().all(|(_, column)| column.len() == 51));
    columns
}

fn run(solver: &str, dt: f64) -> Simulation {
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::step(10.0, 5.0, 45.0));
    let model = Model::new(&cell).unwrap();
    let setup = Setup::new(solver, dt)
        .record("V")
        .every(1.0)
        .spikes("V", 0.0);
    let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
    run.run(50.0).unwrap();
    run
}

/// The greatest distance of the recorded potential from a column.
fn distance(run: &Simulation, column: &[f64]) -> f64 {
    let recording = run.recording();
    let trace = recording.trace("V").unwrap();
    assert_eq!(trace.len(), column.len());
    let differences = trace.iter().zip(column).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f64::max)
}

#[test]
fn the_same_scheme_gives_the_same_trace() {
    let mut bad = Vec::new();
    for (name, column) in &table()[2..] {
        let (solver, dt) = name.split_once('@').unwrap();
        if braincell::solvers().get(solver).is_err() {
            println!("{name} skipped: this build has no solver \"{solver}\"");
            continue;
        }
        let dt: f64 = dt.parse().unwrap();
        let run = run(solver, dt);
        let distance = distance(&run, column);
        println!("{name:<20} {distance:.1e} mV");
        if distance > tolerance(solver) {
            bad.push(format!("{name}: {distance:.1e} mV"));
        }
        let recording = run.recording();
        let times = &recording.spikes()[0].times;
        let (_, steps) = SPIKE_STEPS.iter().find(|(known, _)| known == name).unwrap();
        assert_eq!(times.len(), steps.len(), "{name}: {times:?}");
        for (&time, &step) in times.iter().zip(steps) {
            let begin = f64::from(step) * dt;
            assert!(time > begin && time <= begin + dt, "{name}: {time} {begin}");
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn small_steps_come_to_the_converged_trace() {
    let table = table();
    let reference = &table[1];
    assert_eq!(reference.0, "reference");
    for (solver, dt, tolerance) in [("rk4", 0.005, 1e-5), ("dopri54", 0.005, 1e-8)] {
        if braincell::solvers().get(solver).is_err() {
            println!("skipped: this build has no solver \"{solver}\"");
            continue;
        }
        let distance = distance(&run(solver, dt), &reference.1);
        assert!(distance < tolerance, "{solver}: {distance:e} mV");
    }
}
