//! What each cell of a sweep or a population gets, and does.

use crate::{directory, hh, of_cells, parse, refused_at};
use braincell::experiment::{Combination, Experiment};
use braincell::model::Values;
use braincell::output::{Tally, read_rows, sweep_table, write_rows};
use std::fs;
use std::path::Path;

/// All samples of a cell, and its spike times, as bits.
fn bits(experiment: &Experiment, cell: usize) -> Vec<u64> {
    bits_until(experiment, cell, experiment.run.duration.value)
}

fn bits_until(experiment: &Experiment, cell: usize, until: f64) -> Vec<u64> {
    let mut run = experiment.start(braincell::solvers()).unwrap();
    run.run(until).unwrap();
    let recording = run.recording();
    let traces = recording.traces().filter(|t| t.column.cell == cell);
    let samples: Vec<f64> = traces.flat_map(|t| t.values.to_vec()).collect();
    let spikes = recording.spikes().iter().filter(|t| t.cell == cell);
    let spikes = spikes.flat_map(|t| t.times.clone());
    samples
        .into_iter()
        .chain(spikes)
        .map(f64::to_bits)
        .collect()
}

#[test]
fn a_sweep_is_its_separate_runs_to_the_bit() {
    let sweep = parse(&hh(
        &[],
        r#"
[sweep]
"na.g_max" = ["80 mS/cm2", "0.12 S/cm2"]
C = ["0.9 uF/cm2", "1 uF/cm2"]
stimulus.amplitude = { from = "4 uA/cm2", to = "20 uA/cm2", count = 3 }
"initial.na.m" = [0.05, 0.1]
"#,
    ));
    let all = sweep.sweep.as_ref().unwrap();
    assert_eq!((all.cells(), &all.points[..]), (24, &[2, 2, 3, 2][..]));
    assert_eq!(all.combination, Combination::Product);
    let names: Vec<&str> = all.axes.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(
        names,
        ["na.g_max", "C", "stimulus.amplitude", "initial.na.m"]
    );
    assert_eq!(all.axes[0].values[23], 120.0, "in the unit of the first");
    for cell in [0, 9, 23] {
        let value = |k: usize| all.axes[k].values[cell];
        let (g, c, i, m) = (value(0), value(1), value(2), value(3));
        let one = parse(&hh(
            &[
                ("\"120 mS/cm2\"", &format!("\"{g} mS/cm2\"")),
                ("\"1 uF/cm2\"", &format!("\"{c} uF/cm2\"")),
                ("\"10 uA/cm2\"", &format!("\"{i} uA/cm2\"")),
            ],
            &format!("[initial]\n\"na.m\" = {m}\n"),
        ));
        assert_eq!(bits(&sweep, cell), bits(&one, 0), "cell {cell}");
    }
    // And cells differ.
    assert_ne!(bits(&sweep, 0), bits(&sweep, 1));
}

#[test]
fn values_of_a_zip_go_together() {
    let sweep = parse(&hh(
        &[],
        r#"
[sweep]
mode = "zip"
"na.g_max" = ["80 mS/cm2", "100 mS/cm2", "120 mS/cm2"]
"mechanisms.leak.g_max" = { from = "0.1 mS/cm2", to = "10 mS/cm2", count = 3, scale = "log" }
"#,
    ));
    assert_eq!(of_cells(&sweep.model, "na.g_max"), [80.0, 100.0, 120.0]);
    let leak = of_cells(&sweep.model, "leak.g_max");
    assert_eq!((leak[0], leak[2]), (0.1, 10.0));
    assert!((leak[1] - 1.0).abs() < 1e-15, "{leak:?}");
    assert!(sweep.sweep.unwrap().axes[1].logarithmic);
}

#[test]
fn draws_depend_on_seed_key_and_cell_alone() {
    let drawn = |cells: usize, seed: &str, low: &str| {
        let g = format!(
            "{{ distribution = \"normal\", mean = \"120 mS/cm2\", sd = \"10 mS/cm2\"{low} }}"
        );
        let cells = format!("kind = \"single_compartment\"\ncells = {cells}\n{seed}");
        let text = hh(
            &[
                ("\"120 mS/cm2\"", &g),
                ("kind = \"single_compartment\"", &cells),
            ],
            "",
        );
        of_cells(&parse(&text).model, "na.g_max")
    };
    let all = drawn(1000, "", "");
    // On every machine and with every version: these numbers are part of what the file means.
    let first: Vec<String> = all[..3].iter().map(f64::to_string).collect();
    assert_eq!(first, FIRST_DRAWS);
    assert_eq!(drawn(10, "", ""), all[..10]);
    assert_ne!(drawn(10, "seed = 1", ""), all[..10]);
    assert_eq!(drawn(10, "seed = 1", ", seed = 0"), all[..10]);
    // Cells that are inside of bounds anyway keep what they have.
    let bounded = drawn(1000, "", ", low = \"110 mS/cm2\"");
    assert!(bounded.iter().all(|&g| g >= 110.0));
    for (a, b) in all.iter().zip(&bounded) {
        assert!(*a < 110.0 || a == b);
    }
    let mean = all.iter().sum::<f64>() / 1000.0;
    let variance = all.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / 1000.0;
    assert!((mean - 120.0).abs() < 1.5, "mean {mean}");
    assert!((variance.sqrt() - 10.0).abs() < 1.0, "variance {variance}");
}

/// From an implementation of ChaCha8 and the transform of Box and Muller in Python.
const FIRST_DRAWS: [&str; 3] = [
    "124.50366027675868",
    "113.88842208044204",
    "140.90147098773937",
];

#[test]
fn distributions_have_their_shapes() {
    let drawn = |distribution: &str| {
        let text = hh(
            &[
                ("\"1 uF/cm2\"", distribution),
                (
                    "kind = \"single_compartment\"",
                    "kind = \"single_compartment\"\ncells = 4000",
                ),
            ],
            "",
        );
        let mut values = of_cells(&parse(&text).model, "C");
        values.sort_by(f64::total_cmp);
        values
    };
    let at = |values: &[f64], fraction: f64| values[(fraction * 4000.0) as usize];
    let uniform = drawn("{ distribution = \"uniform\", low = \"1 uF/cm2\", high = \"2 uF/cm2\" }");
    for fraction in [0.1, 0.5, 0.9] {
        assert!((at(&uniform, fraction) - 1.0 - fraction).abs() < 0.03);
    }
    let log = drawn("{ distribution = \"lognormal\", median = \"1 uF/cm2\", sigma = 0.5 }");
    // One standard deviation to both sides.
    for (fraction, expected) in [
        (0.1587, (-0.5f64).exp()),
        (0.5, 1.0),
        (0.8413, 0.5f64.exp()),
    ] {
        assert!((at(&log, fraction) / expected - 1.0).abs() < 0.05);
    }
}

#[test]
fn branched_cells_may_differ_too() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/branched.toml");
    let text = fs::read_to_string(&path).unwrap();
    let normal = "{ distribution = \"normal\", mean = \"36 mS/cm2\", sd = \"1 mS/cm2\" }";
    let text = text.replacen("\"36 mS/cm2\"", normal, 1);
    let text = text.replacen("kind = \"multi", "cells = 3\nkind = \"multi", 1);
    let drawn = Experiment::parse(&text, &path).unwrap();
    assert_eq!(drawn.model.cells(), 3);
    let g = &drawn.model.parameter("k.g_max").unwrap().value;
    assert!(g.at(0, 0) != g.at(0, 1) && (g.at(0, 0) - 36.0).abs() < 5.0);

    let text = fs::read_to_string(&path).unwrap();
    let more = "\n[sweep]\n\"paint[1].g_max\" = [\"100 mS/cm2\", \"120 mS/cm2\"]\nstimulus.amplitude = [\"0.3 nA\", \"0.4 nA\"]\n";
    let sweep = Experiment::parse(&(text.clone() + more), &path).unwrap();
    assert_eq!(
        bits_until(&sweep, 3, 5.0),
        bits_until(&Experiment::parse(&text, &path).unwrap(), 0, 5.0)
    );
    assert_ne!(bits_until(&sweep, 0, 5.5), bits_until(&sweep, 3, 5.5));
    refused_at(
        &(text + "\n[sweep]\n\"na.g_max\" = [\"1 mS/cm2\"]\n"),
        &path,
        &["sweep.na.g_max", "paint[1].g_max, paint[2].g_max"],
    );
}

#[test]
fn a_table_of_the_sweep_tells_what_each_cell_did() {
    let sweep = parse(&hh(
        &[],
        "[sweep]\nstimulus.amplitude = [\"0 uA/cm2\", \"10 uA/cm2\"]\n",
    ));
    let mut run = sweep.start(braincell::solvers()).unwrap();
    run.run(20.0).unwrap();
    let table = {
        let recording = run.recording();
        let tally = Tally::of(&recording);
        sweep_table(sweep.sweep.as_ref().unwrap(), &recording, &tally, 20.0)
    };
    let of = |name: &str| &table.iter().find(|c| c.name == name).unwrap().values;
    assert_eq!(of("cell")[..], [0.0, 1.0]);
    assert_eq!(of("stimulus.amplitude")[..], [0.0, 10.0]);
    let trains = run.recording().spikes().to_vec();
    assert_eq!(of("spikes")[..], [0.0, trains[1].times.len() as f64]);
    assert!(of("first_spike")[0].is_nan());
    assert_eq!(of("first_spike")[1], trains[1].times[0]);
    assert_eq!(of("rate")[1], 50.0 * trains[1].times.len() as f64);
    assert!(of("max_V")[1] > 20.0 && of("max_V")[0] < -60.0);
    assert!(of("min_na.m")[0] > 0.0 && of("mean_V")[0] < -60.0);
    let path = directory("summary").join("s.csv");
    write_rows(&table[..3], &["sweep".into()], &path).unwrap();
    assert_eq!(read_rows(&path).unwrap(), table[..3]);
}

#[test]
fn draws_of_a_sweep_are_one_for_each_cell() {
    let text = hh(
        &[],
        r#"
[sweep]
count = 50
seed = 3
"na.g_max" = { distribution = "uniform", low = "100 mS/cm2", high = "140 mS/cm2" }
C = { distribution = "lognormal", median = "1 uF/cm2", sigma = 0.1 }
"#,
    );
    let sweep = parse(&text);
    let axes = &sweep.sweep.as_ref().unwrap().axes;
    assert_eq!(
        sweep.sweep.as_ref().unwrap().combination,
        Combination::Random
    );
    assert_eq!(axes[0].values, of_cells(&sweep.model, "na.g_max"));
    assert_eq!(axes[1].values, of_cells(&sweep.model, "C"));
    assert_eq!(axes[0].values.len(), 50);
    assert_eq!(parse(&text).sweep, sweep.sweep);
    assert_ne!(
        parse(&text.replace("seed = 3", "seed = 4")).sweep,
        sweep.sweep
    );
}

#[test]
fn systems_can_be_swept() {
    let text = r#"
[model]
kind = "ode"
system = "van_der_pol"
[run]
solver = "rk4"
dt = "0.01 ms"
duration = "1 ms"
[sweep]
mu = [0.5, 1.0, 2.0]
"#;
    let sweep = parse(text);
    assert_eq!(sweep.model.cells(), 3);
    let values = &sweep.model.parameter("mu").unwrap().value;
    assert_eq!(*values, Values::PerCell(vec![0.5, 1.0, 2.0]));
}
