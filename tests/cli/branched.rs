//! Branched cells: experiments and morphologies.

use crate::{Place, assert_has, example};
use braincell::output::read_csv;
use std::fs;

/// The example with pieces of its text replaced, beside its morphology.
fn place(name: &str, replacements: &[(&str, &str)]) -> Place {
    let place = Place::new(&format!("branched_{name}"));
    fs::create_dir(place.path("morphology")).unwrap();
    place.write(
        "morphology/branched.swc",
        &example("morphology/branched.swc"),
    );
    let mut text = example("branched.toml");
    for (old, new) in replacements {
        assert!(text.contains(old), "{old:?} is not in the example");
        text = text.replacen(old, new, 1);
    }
    place.write("e.toml", &text);
    place
}

#[test]
fn the_example_runs_and_draws() {
    let place = place("example", &[]);
    let outputs = ["--out", "t.csv", "--plot", "t.svg", "--plot-shape", "s.svg"];
    let summary = place
        .braincell(&[&["run", "e.toml"][..], &outputs].concat())
        .success();
    assert_has(
        &summary,
        &["cn_exp_euler", "V[0]: 1, at 7.2", "t.csv", "s.svg"],
    );
    let table = read_csv(place.path("t.csv")).unwrap();
    // The potentials recorded for the picture are not among the traces.
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["V_soma", "V_dendrite", "ampa.I"]);
    let peak = |k: usize| {
        table.columns[k]
            .values
            .iter()
            .copied()
            .fold(f64::MIN, f64::max)
    };
    assert!(peak(0) > 10.0 && peak(1) > 0.0 && peak(2) > 0.05);
    assert_has(&place.text("s.svg"), &["peak V [mV]", "plane", "<polygon"]);
}

#[test]
fn another_solver_agrees() {
    let place = place("solvers", &[]);
    let run = |solver: &str, dt: &str| {
        let arguments = [
            "run", "e.toml", "--solver", solver, "--dt", dt, "--out", "t.csv",
        ];
        place.braincell(&arguments).success();
        read_csv(place.path("t.csv")).unwrap()
    };
    let (a, b) = (run("cn_exp_euler", "0.0125"), run("gauss4", "0.025"));
    for (a, b) in a.columns.iter().zip(&b.columns).take(2) {
        let fine = a.values.iter().step_by(2);
        let difference = fine.zip(&b.values).map(|(a, b)| (a - b).abs());
        let difference = difference.fold(0.0, f64::max);
        println!("{}: {difference} mV", a.name);
        assert!(difference < 0.5, "{}: {difference} mV", a.name);
    }
}

#[test]
fn morphology_describes_and_draws() {
    let place = place("morphology", &[]);
    let file = "morphology/branched.swc";
    let arguments = [
        "morphology",
        file,
        "--policy",
        "max_length=20",
        "--plot",
        "m.png",
    ];
    let text = place.braincell(&arguments).success();
    assert_has(
        &text,
        &[
            "37 branches",
            "21 free ends",
            "axon",
            "6 of order 1",
            "control volumes of",
            "the soma is one point",
            "m.png",
        ],
    );
    assert!(place.exists("m.png"));
    let refused = |arguments: &[&str], parts: &[&str]| {
        let all = [&["morphology"], arguments].concat();
        assert_has(&place.braincell(&all).failure(), parts);
    };
    refused(
        &[file, "--policy", "fine"],
        &["--policy", "\"fine\"", "max_length=20"],
    );
    refused(&[file, "--policy", "max_length=0"], &["length = 0"]);
    refused(&[file, "--plot", "m.gif"], &["m.gif", ".svg or .png"]);
    refused(&["none.swc"], &["none.swc"]);
    place.write("bad.swc", "1 1 0 0 0 1 -1\n2 3 x 0 0 1 1\n");
    refused(&["bad.swc"], &["bad.swc", "line 2"]);
}

#[test]
fn wrong_parts_of_a_branched_cell_are_refused() {
    let cases: &[(&str, &str, &str, &[&str])] = &[
        (
            "file",
            "branched.swc\"",
            "other.swc\"",
            &["line 11, model.morphology", "other.swc"],
        ),
        (
            "region",
            "region = \"all\"",
            "region = \"dendrites\"",
            &["paint[0].region", "did you mean \"dendrite\"?"],
        ),
        (
            "empty",
            "region = \"all\"",
            "region = \"apical\"",
            &["paint[0]", "the region is empty"],
        ),
        (
            "type",
            "type = \"leak\"",
            "type = \"leek\"",
            &["paint[0].type", "leek"],
        ),
        (
            "parameter",
            "g_max = \"120 mS/cm2\"",
            "gmax = 1",
            &["paint[1]", "did you mean \"g_max\"?"],
        ),
        (
            "label",
            "label = \"k\"",
            "label = \"na\"",
            &["paint[3]", "\"na\" stands for na_hh1952 and for k_hh1952"],
        ),
        (
            "branch",
            "branch = 9, x = 0.7",
            "branch = 90, x = 0.7",
            &["synapses.ampa.at", "no branch 90"],
        ),
        ("x", "x = 0.7", "x = 7", &["synapses.ampa.at", "x = 7"]),
        (
            "place",
            "\"soma(0.5)\"",
            "\"soma\"",
            &["clamps.stimulus.at", "\"soma(0.5)\""],
        ),
        (
            "many",
            "\"soma(0.5)\"",
            "\"dendrite(0.5)\"",
            &["35 branches", "{ branch = "],
        ),
        (
            "unit",
            "0.4 nA",
            "0.4 nA/cm2",
            &["clamps.stimulus.amplitude", "nA"],
        ),
        (
            "policy",
            "\"d_lambda\"",
            "\"lambda\"",
            &["discretisation.policy", "did you mean \"d_lambda\"?"],
        ),
        (
            "key",
            "count = 1",
            "count = 1\nd = 0.1",
            &["discretisation.soma.d", "does not use it"],
        ),
        (
            "rise",
            "rise = \"0.2 ms\"",
            "rise = \"3 ms\"",
            &["the rise time 3 ms"],
        ),
        (
            "spikes",
            "compartments = [0]",
            "compartments = [1000]",
            &["there is no compartment 1000"],
        ),
        ("section", "[probes]", "[inputs]", &["has no inputs"]),
    ];
    for (name, old, new, parts) in cases {
        let place = place(name, &[(old, new)]);
        let message = place.braincell(&["run", "e.toml"]).failure();
        assert_has(&message, &[&["e.toml"], *parts].concat());
    }
    let place = Place::new("branched_shape_of_a_point");
    place.write("e.toml", &example("hh.toml"));
    let message = place
        .braincell(&["run", "e.toml", "--plot-shape", "s.svg"])
        .failure();
    assert_has(&message, &["--plot-shape", "no branched cell"]);
}
