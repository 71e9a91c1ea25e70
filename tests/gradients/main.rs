//! Gradients of whole runs: forward against reverse mode, and both against differences of the same run.

mod adaptive;
mod between;
mod models;
mod resistivity;
mod special;
mod terms;

use braincell::cells::SingleCompartment;
use braincell::cells::discretisation::Location;
use braincell::gradient::{
    Cotangents, Forward, Gradient, GradientError, Loss, MeanSquare, SpikeTime,
};
use braincell::input::Input;
use braincell::model::{Model, Values};
use braincell::simulation::{Recording, Setup};

/// Weights that make every sample count differently.
fn weight(row: usize, column: usize) -> f64 {
    (0.3 * row as f64 + 1.7 * column as f64).sin() / (1.0 + 0.01 * row as f64)
}

/// Σ weight · sample + Σ weight · spike time
fn everything(recording: &Recording, cotangents: &mut Cotangents) -> Result<f64, GradientError> {
    let mut sum = 0.0;
    for ((row, column), x) in recording.data().indexed_iter() {
        sum += weight(row, column) * x;
        cotangents.traces[[row, column]] = weight(row, column);
    }
    for (train, list) in recording.spikes().iter().enumerate() {
        for (k, t) in list.times.iter().enumerate() {
            sum += 3.0 * weight(k, train) * t;
            cotangents.spikes[train][k] = 3.0 * weight(k, train);
        }
    }
    Ok(sum)
}

/// All numbers of the values of derivatives.
fn numbers(values: &Values) -> Vec<f64> {
    match values {
        Values::Uniform(x) => vec![*x],
        Values::PerElement(x) | Values::PerCell(x) => x.clone(),
        Values::Each(x) => x.iter().copied().collect(),
    }
}

fn reverse(gradient: &Gradient, loss: &impl Loss) -> (f64, Vec<f64>) {
    let result = gradient.reverse(loss).unwrap();
    let all = result.gradient.iter().flat_map(|d| numbers(&d.values));
    (result.loss, all.collect())
}

/// The loss's derivatives from tangents.
fn by_tangents(forward: &Forward, loss: &impl Loss) -> Vec<f64> {
    let recording = &forward.recording;
    let mut cotangents = Cotangents {
        traces: recording.data() * 0.0,
        spikes: recording
            .spikes()
            .iter()
            .map(|t| vec![0.0; t.times.len()])
            .collect(),
    };
    loss.evaluate(recording, &mut cotangents).unwrap();
    let tangents = forward.tangents.iter();
    tangents
        .map(|t| {
            let spikes = t
                .spikes
                .iter()
                .flatten()
                .zip(cotangents.spikes.iter().flatten());
            (&t.traces * &cotangents.traces).sum() + spikes.map(|(a, b)| a * b).sum::<f64>()
        })
        .collect()
}

/// Whether the gradient of everything is the same forwards and backwards.
fn both_ways(label: &str, solver: &str, gradient: &Gradient) -> bool {
    let tangents = by_tangents(&gradient.forward().unwrap(), &everything);
    let (_, adjoints) = reverse(gradient, &everything);
    close(label, solver, &tangents, &adjoints, 1e-10)
}

/// Whether a gradient is that of differences, but for their rounding.
fn checked(label: &str, solver: &str, gradient: &Gradient, loss: &impl Loss) -> bool {
    let (_, adjoints) = reverse(gradient, loss);
    let differences = gradient.differences(loss, 4e-4).unwrap();
    let pairs = differences.iter().zip(&adjoints);
    let values = pairs.map(|(d, a)| d.value + (a - d.value).clamp(-d.rounding, d.rounding));
    close(label, solver, &adjoints, &values.collect::<Vec<_>>(), 1e-6)
}

fn relative(a: f64, b: f64, scale: f64) -> f64 {
    (a - b).abs() / scale.max(a.abs()).max(b.abs())
}

fn close(name: &str, what: &str, a: &[f64], b: &[f64], tolerance: f64) -> bool {
    let largest = a.iter().chain(b).fold(0.0f64, |m, x| m.max(x.abs()));
    let worst = a
        .iter()
        .zip(b)
        .map(|(a, b)| relative(*a, *b, 1e-6 * largest));
    let worst = worst.fold(0.0, |m: f64, x| if x <= m { m } else { x });
    let good = worst <= tolerance;
    println!(
        "{name:20} {what:22} {worst:.1e} {}",
        if good { "" } else { "BAD" }
    );
    if !good {
        println!("  {a:?}\n  {b:?}");
    }
    good
}

fn hodgkin_huxley() -> (Model, Vec<&'static str>) {
    let cell = SingleCompartment::hodgkin_huxley()
        .initial_voltage(-62.0)
        .input("stimulus", Input::step(12.0, 0.5113, 40.0))
        .input("ramp", Input::ramp(-1.0, 2.0, 1.0, 9.0));
    let wrt = vec![
        "na.g_max",
        "k.g_max",
        "leak.g_max",
        "na.E",
        "k.E",
        "leak.E",
        "C",
        "V",
        "stimulus",
        "ramp",
        "stimulus.onset",
    ];
    (Model::new(&cell).unwrap(), wrt)
}

fn branched() -> (Model, Vec<&'static str>) {
    let wrt = vec![
        "C",
        "g_leak",
        "g_k",
        "g_na",
        "g_ca",
        "V",
        "ca",
        "stimulus",
        "axial_conductance",
    ];
    let cell = models::Branched {
        axial: 1.0,
        stimulus: 0.4,
    };
    (Model::new(&cell).unwrap(), wrt)
}

/// Solvers of the registry that suit models without noise.
fn deterministic() -> Vec<String> {
    let entries = braincell::solvers().entries();
    let all = entries.iter().filter(|e| !e.info.needs.noise);
    all.map(|e| e.info.name.clone()).collect()
}

/// A model, what to differentiate it by, a step size and a duration.
type Case = (&'static str, Model, Vec<&'static str>, f64, f64);

fn models() -> Vec<Case> {
    let (hh, of_hh) = hodgkin_huxley();
    let (branched, of_branched) = branched();
    let neuron = neuron();
    let thalamic =
        SingleCompartment::thalamic_relay().input("stimulus", Input::step(3.0, 1.013, 40.0));
    let thalamic = Model::new(&thalamic).unwrap();
    let of_thalamic = vec![
        "INa.g_max",
        "IDR.g_max",
        "ICaL.g_max",
        "ICaT.g_max",
        "IAHP.g_max",
        "Ih.g_max",
        "IL.E",
        "C",
        "V",
        "stimulus",
    ];
    vec![
        ("hh", hh, of_hh, 0.025, 6.01),
        ("thalamic", thalamic, of_thalamic, 0.01, 3.0),
        ("branched", branched, of_branched, 0.025, 3.0),
        (
            "neuron",
            neuron,
            vec!["na.g_max", "k.E", "V", "stimulus", "axial_conductance"],
            0.01,
            1.5,
        ),
    ]
}

/// A current into the soma of the forked cell.
fn neuron() -> Model {
    let root = Location::At { branch: 0, x: 0.5 };
    let cell = models::forked(100.0)
        .clamp("stimulus", root, Input::step(0.8, 0.2, 2.0))
        .unwrap();
    Model::new(&cell).unwrap()
}

fn setup(label: &str, solver: &str, dt: f64) -> Setup {
    let setup = Setup::new(solver, dt).record("V");
    match label {
        "hh" => setup.record("I").spikes("V", -20.0),
        "branched" => setup.record("V_junctions").record("ca").spikes("V", -20.0),
        "thalamic" => setup.spikes("V", -20.0),
        // Spike times have kinks where they pass from one step to the next, and many compartments many of them:
        // differences across one mean nothing.
        _ => setup,
    }
}

#[test]
fn forward_and_reverse_agree_for_every_solver() {
    let mut good = true;
    for (label, model, wrt, dt, until) in models() {
        for solver in deterministic() {
            let setup = setup(label, &solver, dt);
            let gradient = Gradient::new(&setup, braincell::solvers(), &model, until, &wrt);
            good &= both_ways(label, &solver, &gradient.unwrap());
        }
    }
    assert!(good);
}

/// Runs of more than a thousand steps, which a small cell takes back many at a time: with jumps on the grid and off it, spikes,
/// samples of signals, and a last step cut short.
#[test]
fn long_runs_of_small_cells_have_the_same_gradients() {
    let cell = SingleCompartment::hodgkin_huxley()
        .initial_voltage(-62.0)
        .input("pulses", Input::pulses(9.0, 0.5, 6.0113, 9.0, 3))
        .input("ramp", Input::ramp(-1.0, 2.0, 1.0, 20.0))
        .input("sine", Input::sine(3.0, 0.1, 0.3));
    let model = Model::new(&cell).unwrap();
    let wrt = ["na.g_max", "C", "V", "ramp", "sine", "pulses.onset"];
    let mut good = true;
    for solver in deterministic() {
        let setup = Setup::new(solver.as_str(), 0.025).record("V").record("I");
        let setup = setup.every(0.1).spikes("V", -20.0);
        let gradient = Gradient::new(&setup, braincell::solvers(), &model, 30.013, &wrt);
        good &= both_ways("long", &solver, &gradient.unwrap());
    }
    assert!(good);
}

#[test]
fn gradients_are_those_of_the_discrete_run() {
    let mut good = true;
    for (label, model, wrt, dt, until) in models() {
        for solver in deterministic() {
            let setup = setup(label, &solver, dt);
            let gradient = Gradient::new(&setup, braincell::solvers(), &model, until, &wrt);
            good &= checked(label, &solver, &gradient.unwrap(), &everything);
        }
    }
    assert!(good);
}

/// The membrane of the published numbers: -65 mV, gates at rest, 10 µA/cm².
fn published() -> Model {
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::constant(10.0));
    Model::new(&cell).unwrap()
}

#[test]
fn losses_and_gradients_are_the_known_ones() {
    let known = [
        ("rk4", 1086.664299418964, 6.205434912196134),
        ("exp_euler", 1087.1337867086388, 6.209418102291602),
        ("ind_exp_euler", 1089.8879072802733, 6.2932788655995),
    ];
    for (solver, loss, slope) in known {
        let setup = Setup::new(solver, 0.025).record("V");
        let model = published();
        let gradient =
            Gradient::new(&setup, braincell::solvers(), &model, 20.0, &["na.g_max"]).unwrap();
        let square = MeanSquare {
            trace: "V".to_string(),
            target: vec![-65.0],
        };
        let (found, by_g_na) = reverse(&gradient, &square);
        println!(
            "{solver:15} {found:.13} {loss:.13} {:.15} {slope:.15}",
            by_g_na[0]
        );
        assert!(
            (found / loss - 1.0).abs() < 1e-9,
            "{solver}: {found}, not {loss}"
        );
        assert!(
            (by_g_na[0] / slope - 1.0).abs() < 1e-8,
            "{solver}: {by_g_na:?}, not {slope}"
        );
    }
}

/// The equations depend on the ratios of conductances, current and capacitance alone; so do spike times, at any step.
#[test]
fn spike_times_depend_on_ratios() {
    for solver in deterministic() {
        for dt in [0.01, 0.025, 0.05] {
            let cell = SingleCompartment::hodgkin_huxley()
                .initial_voltage(-61.3)
                .input("stimulus", Input::constant(10.0));
            let model = Model::new(&cell).unwrap();
            let wrt = ["na.g_max", "k.g_max", "leak.g_max", "stimulus", "C"];
            let setup = Setup::new(solver.as_str(), dt).spikes("V", 0.0);
            let gradient = Gradient::new(&setup, braincell::solvers(), &model, 18.0, &wrt).unwrap();
            let Ok(forward) = gradient.forward() else {
                continue;
            };
            let count = forward.recording.spikes()[0].times.len();
            for spike in 0..count {
                let time = SpikeTime {
                    train: "V".to_string(),
                    spike,
                    target: 0.0,
                    squared: false,
                };
                let (_, slopes) = reverse(&gradient, &time);
                let values = [120.0, 36.0, 0.3, 10.0, 1.0];
                let sum: f64 = slopes.iter().zip(values).map(|(s, p)| s * p).sum();
                let size: f64 = slopes.iter().zip(values).map(|(s, p)| (s * p).abs()).sum();
                println!("{solver} {dt} spike {spike}: {sum:.1e} of {size:.1e}");
                assert!(sum.abs() < 1e-9, "{solver} {dt}: {slopes:?}");
            }
            assert!(count > 0 || solver == "dhs_voltage", "{solver} {dt}");
        }
    }
}

#[test]
fn gradients_do_not_depend_on_the_memory() {
    for ((model, wrt), until) in [(hodgkin_huxley(), 30.01), (branched(), 6.01)] {
        for solver in ["rk4", "exp_euler", "tr_bdf2", "staggered", "cn_exp_euler"] {
            let setup = Setup::new(solver, 0.025).record("V").spikes("V", -20.0);
            let gradient = || {
                let gradient =
                    Gradient::new(&setup, braincell::solvers(), &model, until, &wrt).unwrap();
                gradient.memory(1 << 30)
            };
            let (_, whole) = reverse(&gradient(), &everything);
            let least = match gradient().memory(1).plan() {
                Err(GradientError::Budget { needed, .. }) => needed,
                other => panic!("{other:?}"),
            };
            // One step after the other needs little; many at once are for where there is room.
            assert!(least < 20_000, "{solver}: {least}");
            for memory in [least, 2 * least, 10 * least] {
                let gradient = gradient().memory(memory);
                let plan = gradient.plan().unwrap();
                println!("{solver}: {plan}");
                assert!(plan.bytes <= memory);
                let held = gradient.reverse(&everything).unwrap().held;
                assert!(
                    0 < held && held <= plan.bytes,
                    "{held} bytes, planned: {plan}"
                );
                let (_, part) = reverse(&gradient, &everything);
                assert!(close("memory", solver, &whole, &part, 1e-12));
            }
        }
    }
}

/// Cells of a population have gradients of their own, however they are put into tiles.
#[test]
fn populations_have_gradients_for_each_cell() {
    let cell = |c: usize| 8.0 + c as f64;
    let hh = SingleCompartment::hodgkin_huxley()
        .initial_voltage(Values::PerCell((0..5).map(|c| -65.0 + c as f64).collect()))
        .inputs(
            "stimulus",
            (0..5).map(|c| Input::constant(cell(c))).collect(),
        );
    let mut model = hh.population(5).unwrap();
    model
        .set_parameter(
            "k.g_max",
            Values::PerCell((0..5).map(|c| 36.0 - c as f64).collect()),
        )
        .unwrap();
    let wrt = ["na.g_max", "k.g_max", "V", "stimulus"];
    for solver in ["rk4", "exp_euler", "radau5", "ind_exp_euler"] {
        let all = |tile: usize| {
            let setup = Setup::new(solver, 0.025)
                .record("V")
                .spikes("V", 0.0)
                .tile(tile);
            let gradient = Gradient::new(&setup, braincell::solvers(), &model, 8.0, &wrt).unwrap();
            let forward = by_tangents(&gradient.forward().unwrap(), &everything);
            let (_, adjoints) = reverse(&gradient, &everything);
            let held = gradient.reverse(&everything).unwrap().held;
            assert!(held <= gradient.plan().unwrap().bytes);
            assert!(close("population", solver, &forward, &adjoints, 1e-10));
            adjoints
        };
        let whole = all(5);
        assert_eq!(whole.len(), 16);
        assert!(close("tiles of 2", solver, &whole, &all(2), 1e-11));
    }
}
