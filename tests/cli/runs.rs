//! Runs that succeed.

use crate::{Place, assert_has, example, hh};
use braincell::output::{Table, read_csv};
use std::process::Stdio;

fn column<'a>(table: &'a Table, name: &str) -> &'a [f64] {
    let found = table.columns.iter().find(|c| c.name == name);
    &found.unwrap_or_else(|| panic!("no column {name}")).values
}

/// Runs an experiment and reads its CSV file.
fn table(name: &str, text: &str, arguments: &[&str]) -> Table {
    let place = Place::new(name);
    place.write("e.toml", text);
    let arguments = [&["run", "e.toml", "--out", "out.csv"], arguments].concat();
    place.braincell(&arguments).success();
    read_csv(place.path("out.csv")).unwrap()
}

#[test]
fn examples_run() {
    for name in [
        "hh.toml",
        "population.toml",
        "van_der_pol.toml",
        "sine_input.toml",
    ] {
        let place = Place::new(&format!("example_{name}"));
        place.write(name, &example(name));
        let summary = place
            .braincell(&["run", name, "--plot", "plot.png"])
            .success();
        assert_has(
            &summary,
            &["solver", "steps", "right-hand sides", "spikes", "plot.png"],
        );
        assert!(place.exists("plot.png"));
    }
}

#[test]
fn hh_spikes_and_files() {
    let place = Place::new("hh");
    let text = hh(&[]);
    place.write("hh.toml", &text);
    let arguments = ["run", "hh.toml", "--out", "t.csv", "--plot", "t.svg"];
    let summary = place.braincell(&arguments).success();
    assert_has(
        &summary,
        &[
            "Classic Hodgkin-Huxley neuron",
            "rk4, order 4",
            "50 ms in 2000 steps of 0.025 ms\n",
            "8000 right-hand sides",
            "V: 3, at 6.901, 21.822, 36.471 ms",
            "2001 samples",
            "t.csv, t.svg",
        ],
    );
    let table = read_csv(place.path("t.csv")).unwrap();
    assert!(table.metadata.complete);
    assert_eq!(table.metadata.experiment, text);
    assert_eq!(
        (table.metadata.solver.as_str(), table.metadata.dt),
        ("rk4", Some(0.025))
    );
    assert_eq!(table.time.len(), 2001);
    assert_eq!(table.time[2000], 50.0);
    assert_eq!(table.events[0].times.len(), 3);
    let stimulus = column(&table, "stimulus");
    assert_eq!(
        (stimulus[100], stimulus[1000], stimulus[1990]),
        (0.0, 10.0, 0.0)
    );
    assert!(place.text("t.svg").starts_with("<svg"));
}

#[test]
fn npz_is_written_and_quiet_is_quiet() {
    let place = Place::new("npz");
    place.write("hh.toml", &hh(&[]));
    let output = place
        .braincell(&["run", "hh.toml", "--out", "t.npz", "--quiet"])
        .success();
    assert_eq!(output, "");
    assert!(
        std::fs::read(place.path("t.npz"))
            .unwrap()
            .starts_with(b"PK")
    );
}

#[test]
fn options_take_the_place_of_the_file() {
    let options = [
        "--solver",
        "rk2(alpha=0.5)",
        "--dt",
        "20 us",
        "--tstop",
        "10",
    ];
    let table = table("options", &hh(&[]), &options);
    assert_eq!(table.metadata.solver, "rk2(alpha=0.5)");
    assert_eq!(table.metadata.dt, Some(0.02));
    assert_eq!(table.time.last(), Some(&10.0));
    let experiment = &table.metadata.experiment;
    assert_has(
        experiment,
        &["# run with --solver \"rk2(alpha=0.5)\" --dt \"20 us\" --tstop \"10\"\n"],
    );
}

#[test]
fn steps_follow_a_tolerance() {
    let text = hh(&[
        ("solver = \"rk4\"", "solver = \"dopri54\""),
        ("dt = \"0.025 ms\"", "tolerance = 1e-8"),
        ("[record]", "[record]\nevery = \"0.1 ms\""),
    ]);
    let fine = table("tolerance", &text, &[]);
    assert_eq!((fine.metadata.dt, fine.time.len()), (None, 501));
    // The limit of small fixed steps.
    let expected = [6.900790, 21.822257, 36.471496];
    for (spike, expected) in fine.events[0].times.iter().zip(expected) {
        assert!((spike - expected).abs() < 1e-5, "{spike} {expected}");
    }
    let place = Place::new("tolerance_option");
    place.write("e.toml", &text);
    let summary = place
        .braincell(&["run", "e.toml", "--tolerance", "1e-3"])
        .success();
    assert_has(
        &summary,
        &[
            "steps that the solver chose",
            "at a relative tolerance of 0.001",
        ],
    );
    let summary = place
        .braincell(&["run", "e.toml", "--dt", "0.02"])
        .success();
    assert_has(&summary, &["2500 steps of 0.02 ms"]);
}

#[test]
fn last_step_is_shortened_and_said_so() {
    let place = Place::new("shortened");
    place.write("hh.toml", &hh(&[]));
    let summary = place
        .braincell(&["run", "hh.toml", "--tstop", "1.01"])
        .success();
    assert_has(
        &summary,
        &["41 steps", "the last step is shortened to 0.01 ms"],
    );
}

#[test]
fn existing_results_are_replaced() {
    let place = Place::new("replaced");
    place.write("hh.toml", &hh(&[]));
    place.write("t.csv", "old");
    place
        .braincell(&["run", "hh.toml", "--out", "t.csv"])
        .success();
    assert!(place.text("t.csv").starts_with("# braincell"));
    assert_eq!(place.files(), ["hh.toml", "t.csv"]);
}

#[test]
fn values_differ_from_cell_to_cell() {
    let text = hh(&[
        (
            "kind = \"single_compartment\"",
            "kind = \"single_compartment\"\ncells = 3",
        ),
        (
            "\"120 mS/cm2\"",
            "[\"0.12 S/cm2\", \"0 mS/cm2\", \"120 mS/cm2\"]",
        ),
        (
            "\"10 uA/cm2\"",
            "{ from = \"0 uA/cm2\", to = \"20 uA/cm2\" }",
        ),
        ("\"-65 mV\"", "[\"-65 mV\", \"-70 mV\", \"-0.075 V\"]"),
    ]);
    let table = table("per_cell", &text, &[]);
    assert_eq!(
        [0, 1, 2].map(|k| column(&table, &format!("V#{k}"))[0]),
        [-65.0, -70.0, -75.0]
    );
    let stimulus = [0, 1, 2].map(|k| column(&table, &format!("stimulus#{k}"))[1000]);
    assert_eq!(stimulus, [0.0, 10.0, 20.0]);
    let spikes: Vec<usize> = table.events.iter().map(|e| e.times.len()).collect();
    assert_eq!(spikes[..2], [0, 0], "no current, no sodium channels");
    assert!(spikes[2] > 2);
}

#[test]
fn chosen_cells_are_recorded() {
    let text = hh(&[
        (
            "kind = \"single_compartment\"",
            "kind = \"single_compartment\"\ncells = 5",
        ),
        ("[spikes]", "cells = [4, 1]\n[spikes]"),
        (
            "[\"V\", \"na.m\", \"na.h\", \"k.n\", \"stimulus\"]",
            "[\"V\", \"na.I\"]\nevery = \"1 ms\"",
        ),
    ]);
    let table = table("cells", &text, &[]);
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["V#4", "V#1", "na.I#4", "na.I#1"]);
    assert_eq!(table.time.len(), 51);
    assert_eq!(table.events.len(), 5);
}

#[test]
fn initial_values_are_set_with_and_without_quotes() {
    for (k, line) in ["\"na.m\" = 0.25", "na.m = 0.25"].iter().enumerate() {
        let initial = format!("[initial]\n{line}");
        let text = hh(&[("# [initial]\n# \"na.m\" = 0.05", &initial)]);
        let table = table(&format!("initial_{k}"), &text, &["--tstop", "1"]);
        assert_eq!(column(&table, "na.m")[0], 0.25);
        let steady = column(&table, "na.h")[0];
        assert!(
            (steady - 0.5961).abs() < 1e-4,
            "the others begin at their steady state: {steady}"
        );
    }
}

/// The value of an input at 1, 2, … 5 ms.
fn played(name: &str, input: &str, files: &[(&str, &str)]) -> Vec<f64> {
    let place = Place::new(name);
    for (file, text) in files {
        place.write(file, text);
    }
    let text = format!(
        "[model]\nkind = \"single_compartment\"\n[mechanisms.leak]\ntype = \"leak\"\n[inputs.i]\n{input}\n\
         [run]\nsolver = \"euler\"\ndt = \"0.5 ms\"\nduration = \"5 ms\"\n[record]\nvariables = [\"i\"]\nevery = \"1 ms\""
    );
    place.write("e.toml", &text);
    place
        .braincell(&["run", "e.toml", "--out", "o.csv"])
        .success();
    column(&read_csv(place.path("o.csv")).unwrap(), "i")[1..].to_vec()
}

#[test]
fn inputs_of_all_kinds() {
    // At a jump, a sample has the value of the piece that the step before lies in.
    let constant = played(
        "constant",
        "kind = \"constant\"\namplitude = \"3 uA/cm2\"",
        &[],
    );
    assert_eq!(constant, [3.0; 5]);
    let step = "kind = \"step\"\namplitude = \"3 nA/cm2\"\nstart = \"1.5 ms\"";
    assert_eq!(played("step", step, &[]), [0.0, 3e-3, 3e-3, 3e-3, 3e-3]);
    let pulses = "kind = \"pulses\"\namplitude = \"3 uA/cm2\"\nstart = \"0.5 ms\"\nwidth = \"1 ms\"\nperiod = \"2 ms\"\ncount = 2";
    assert_eq!(played("pulses", pulses, &[]), [3.0, 0.0, 3.0, 0.0, 0.0]);
    let sine = "kind = \"sine\"\namplitude = \"2 uA/cm2\"\nfrequency = \"250 Hz\"";
    for (value, expected) in played("sine", sine, &[])
        .iter()
        .zip([2.0, 0.0, -2.0, 0.0, 2.0])
    {
        assert!((value - expected).abs() < 1e-12, "{value}");
    }
    let ramp = "kind = \"ramp\"\nfrom = \"0 uA/cm2\"\nto = \"8 uA/cm2\"\nstart = \"1 ms\"\nstop = \"3 ms\"";
    assert_eq!(played("ramp", ramp, &[]), [0.0, 4.0, 8.0, 8.0, 8.0]);
    let list = "kind = \"samples\"\nvalues = [0, 2, 6]\nunit = \"nA/mm2\"\ninterval = \"2 ms\"";
    // 1 nA/mm² = 0.1 µA/cm²
    assert_eq!(played("samples", list, &[]), [0.1, 0.2, 0.4, 0.6, 0.6]);
    let hold = "kind = \"samples\"\nvalues = [\"1 uA/cm2\", \"2 uA/cm2\"]\ninterval = \"1.5 ms\"\nstart = \"1.5 ms\"\ninterpolation = \"hold\"";
    assert_eq!(played("hold", hold, &[]), [0.0, 1.0, 1.0, 2.0, 2.0]);
    let file = "kind = \"samples\"\nfile = \"in.csv\"\ncolumn = \"b\"";
    let csv = "t [s],a,b [nA/cm2]\n0,7,0\n0.002,7,2000\n0.004,7,6000\n";
    assert_eq!(
        played("file", file, &[("in.csv", csv)]),
        [1.0, 2.0, 4.0, 6.0, 6.0]
    );
}

#[test]
fn files_are_relative_to_the_experiment() {
    let place = Place::new("relative");
    std::fs::create_dir(place.path("sub")).unwrap();
    place.write("sub/in.csv", "t [ms],b [uA/cm2]\n0,1\n1,1\n");
    let input =
        "[inputs.stimulus]\nkind = \"samples\"\nfile = \"in.csv\"\ncolumn = \"b\"\n[inputs.other]";
    place.write("sub/e.toml", &hh(&[("[inputs.stimulus]", input)]));
    place.braincell(&["run", "sub/e.toml"]).success();
}

#[test]
fn every_system_of_equations_runs() {
    for (system, states) in [
        ("decay", 1),
        ("harmonic_oscillator", 2),
        ("van_der_pol", 2),
        ("lorenz", 3),
    ] {
        let text = format!(
            "[model]\nkind = \"ode\"\nsystem = \"{system}\"\n\
             [run]\nsolver = \"rk4\"\ndt = \"0.01 ms\"\nduration = \"1 ms\""
        );
        let table = table(&format!("ode_{system}"), &text, &[]);
        assert_eq!(table.columns.len(), states);
        if system == "decay" {
            let x = table.columns[0].values[100];
            assert!((x - (-1f64).exp()).abs() < 1e-9, "{x}");
        }
    }
    let text = "[model]\nkind = \"ode\"\nsystem = \"decay\"\nparameters.k = 2.0\n[initial]\nx = 3.0\n\
                [run]\nsolver = \"rk4\"\ndt = \"0.01 ms\"\nduration = \"1 ms\"";
    let x = table("ode_parameters", text, &[]).columns[0].values[100];
    assert!((x - 3.0 * (-2f64).exp()).abs() < 1e-8, "{x}");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::new("pipe");
    for arguments in [
        &["solvers"][..],
        &["solvers", "--json"],
        &["mechanisms"],
        &["--help"],
    ] {
        let mut child = place
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        crate::Run::of(child.wait_with_output().unwrap()).success();
    }
}

/// The README shows the quickstart as it is.
#[test]
fn quickstart_is_in_the_readme() {
    let quickstart = example("quickstart.rs");
    let code = quickstart.split_once("use braincell").unwrap().1;
    assert_has(&example("../README.md"), &[code]);
}
