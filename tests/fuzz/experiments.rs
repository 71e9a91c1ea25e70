//! Experiment files.

use super::{examples, fuzz_text, speaks};
use braincell::experiment::Experiment;
use braincell::simulation::Stepping;

/// Populations as the examples do not have them, and all places where a file can say something.
const MORE: &str = r#"
[model]
kind = "single_compartment"
cells = 3
seed = 7
capacitance = { distribution = "normal", mean = "1 uF/cm2", sd = "0.1 uF/cm2", low = "0.5 uF/cm2" }

[mechanisms.leak]
type = "leak"
g_max = ["0.1 mS/cm2", "0.2 mS/cm2", "0.3 mS/cm2"]
E = { distribution = "uniform", low = "-70 mV", high = "-60 mV", seed = 3 }

[inputs.a]
kind = "pulses"
amplitude = "1 uA/cm2"
start = "1 ms"
width = "1 ms"
period = "5 ms"
count = 3

[inputs.b]
kind = "ramp"
from = "0 uA/cm2"
to = "5 uA/cm2"
start = "1 ms"
stop = "2 ms"

[inputs.c]
kind = "samples"
values = [0, 5, 10]
unit = "nA/cm2"
start = "1 ms"
interval = "1 ms"
interpolation = "hold"

[run]
solver = "cn_exp_euler"
dt = "0.025 ms"
duration = "10 ms"
precision = "single"
threads = 1

[record]
variables = ["V"]
every = "1 ms"
cells = [0, 2]

[spikes]
threshold = "0 mV"
"#;

/// Sweeps of two kinds.
const SWEEP: &str = r#"
[model]
kind = "single_compartment"
initial_voltage = "-65 mV"

[mechanisms.leak]
type = "leak"

[inputs.a]
kind = "sine"
amplitude = "1 uA/cm2"
frequency = "100 Hz"

[sweep]
"a.amplitude" = { from = "1 uA/cm2", to = "10 uA/cm2", count = 3, scale = "log" }
"leak.g_max" = ["0.1 mS/cm2", "0.2 mS/cm2"]
mode = "product"

[run]
solver = "tr_bdf2"
dt = "0.1 ms"
duration = "10 ms"
"#;

#[test]
fn experiments() {
    let files = std::fs::read_dir(examples())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    let seeds = files
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap());
    let seeds: Vec<String> = seeds.chain([MORE, SWEEP].map(str::to_string)).collect();
    assert!(seeds.len() >= 8);
    let path = examples().join("garbled.toml");
    for seed in &seeds {
        Experiment::parse(seed, &path).unwrap_or_else(|error| panic!("a seed is refused: {error}"));
    }
    fuzz_text("experiments", 2000, seeds, |text| {
        match Experiment::parse(text, &path) {
            Ok(experiment) => run(&experiment),
            Err(error) => speaks(&error),
        }
    });
}

/// Makes a few steps.
fn run(experiment: &Experiment) {
    if experiment.model.cells() > 300 {
        return;
    }
    let mut simulation = match experiment.start_in::<f64>(braincell::solvers()) {
        Ok(simulation) => simulation,
        Err(error) => return speaks(&error),
    };
    let duration = experiment.run.duration.value;
    let until = match experiment.run.stepping.value {
        Stepping::Fixed(dt) => duration.min(3.0 * dt),
        Stepping::Adaptive(_) => return,
    };
    if let Err(error) = simulation.run(until) {
        // The first sample of a current may be too great for a number, which the first step then tells.
        return speaks(&error);
    }
    let recorded = simulation.recording();
    assert!(recorded.data().iter().all(|x| x.is_finite()));
}
