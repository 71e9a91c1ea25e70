//! Wrong input: one readable paragraph, exit status 1, and nothing written over.

use crate::{Place, assert_has, hh};
use braincell::output::read_csv;

/// Runs the changed Hodgkin-Huxley example, which must fail with all of `parts` in its message, and must leave the
/// files of earlier results as they are.
pub fn refused(name: &str, replacements: &[(&str, &str)], arguments: &[&str], parts: &[&str]) {
    refused_text(name, &hh(replacements), arguments, parts);
}

fn refused_text(name: &str, text: &str, arguments: &[&str], parts: &[&str]) {
    let place = Place::new(&format!("error_{name}"));
    place.write("e.toml", text);
    place.write("old.csv", "earlier result");
    place.write("old.svg", "earlier plot");
    let output = ["run", "e.toml", "--out", "old.csv", "--plot", "old.svg"];
    // A later option of the same name is an error of clap's, so leave out what the test gives.
    let output: Vec<&str> = match arguments {
        [option @ ("--out" | "--plot"), ..] => {
            let k = output.iter().position(|o| o == option).unwrap();
            [&output[..k], &output[k + 2..]].concat()
        }
        _ => output.to_vec(),
    };
    let message = place.braincell(&[&output, arguments].concat()).failure();
    assert_has(&message, parts);
    assert_eq!(place.text("old.csv"), "earlier result");
    assert_eq!(place.text("old.svg"), "earlier plot");
    assert_eq!(place.files(), ["e.toml", "old.csv", "old.svg"]);
}

#[test]
fn unknown_solver() {
    refused(
        "solver",
        &[("\"rk4\"", "\"rk5\"")],
        &[],
        &[
            "e.toml, line 44, run.solver",
            "unknown solver \"rk5\"",
            "did you mean",
            "rk4",
        ],
    );
    refused(
        "solver_option",
        &[],
        &["--solver", "dopri45"],
        &["--solver: ", "did you mean dopri54?"],
    );
    refused(
        "solver_parameter",
        &[],
        &["--solver", "rk2(alpha=0)"],
        &["--solver: ", "alpha"],
    );
}

#[test]
fn unknown_keys_and_names() {
    let duration = [("duration", "duraton")];
    refused(
        "key",
        &duration,
        &[],
        &[
            "e.toml, line 46, run: ",
            "\"duraton\"",
            "did you mean \"duration\"?",
        ],
    );
    refused(
        "section",
        &[("[record]", "[recrod]")],
        &[],
        &["line 48", "did you mean \"record\"?"],
    );
    refused(
        "parameter",
        &[("g_max", "gmax")],
        &[],
        &["line 20, mechanisms.na", "did you mean \"g_max\"?"],
    );
    refused(
        "mechanism",
        &[("na_hh1952", "na_hh1953")],
        &[],
        &["line 19, mechanisms.na.type", "did you mean na_hh1952?"],
    );
    refused(
        "variable",
        &[("\"na.h\"", "\"na.hh\"")],
        &[],
        &["line 49, record.variables[2]", "did you mean \"na.h\"?"],
    );
    refused(
        "kind",
        &[("single_compartment", "multi")],
        &[],
        &[
            "model.kind",
            "known here: single_compartment, multi_compartment, ode",
        ],
    );
    refused(
        "input",
        &[("\"step\"", "\"stepp\"")],
        &[],
        &["inputs.stimulus.kind", "did you mean \"step\"?"],
    );
    refused(
        "input_key",
        &[("start = \"5", "begin = \"5")],
        &[],
        &["line 40, inputs.stimulus", "amplitude, start, stop"],
    );
    let initial = (
        "# [initial]\n# \"na.m\" = 0.05",
        "[initial]\n\"na.x\" = 0.05",
    );
    refused("state", &[initial], &[], &["initial.na.x", "unknown state"]);
    refused(
        "spikes",
        &[("variable = \"V\"", "variable = \"na.I\"")],
        &[],
        &["spikes.variable"],
    );
}

#[test]
fn wrong_dimensions_and_types() {
    let g = "\"120 mS/cm2\"";
    let place = "e.toml, line 20, mechanisms.na.g_max: ";
    refused(
        "dimension",
        &[(g, "\"120 mV\"")],
        &[],
        &[place, "is a voltage", "a conductance per area is wanted"],
    );
    refused(
        "no_unit",
        &[(g, "120")],
        &[],
        &[place, "no unit", "\"120 mS/cm2\""],
    );
    refused("unit", &[(g, "\"120 mS/cm4\"")], &[], &[place]);
    refused(
        "number",
        &[(g, "\"many mS/cm2\"")],
        &[],
        &[place, "does not begin with a number"],
    );
    refused(
        "nan",
        &[(g, "\"nan mS/cm2\"")],
        &[],
        &[place, "not a finite number"],
    );
    refused("infinite", &[(g, "inf")], &[], &[place, "finite"]);
    refused("bool", &[(g, "true")], &[], &[place, "not true"]);
    refused(
        "absolute",
        &[("\"10 uA/cm2\"", "\"10 nA\"")],
        &[],
        &["inputs.stimulus.amplitude", "a current per area"],
    );
    refused(
        "list",
        &[(g, "[\"1 mS/cm2\", \"2 mS/cm2\"]")],
        &[],
        &[place, "2 values are given for 1 cells"],
    );
    refused(
        "variables",
        &[(
            "[\"V\", \"na.m\", \"na.h\", \"k.n\", \"stimulus\"]",
            "\"V\"",
        )],
        &[],
        &["record.variables", "a list"],
    );
    refused(
        "no_section",
        &[("[model]", "model = 3\n[other]")],
        &[],
        &["unknown section \"other\""],
    );
}

#[test]
fn missing_sections_and_keys() {
    refused_text(
        "empty",
        "",
        &[],
        &["e.toml: the section [model] is missing"],
    );
    refused_text(
        "no_run",
        "[model]\nkind = \"single_compartment\"",
        &[],
        &["the section [run] is missing"],
    );
    refused(
        "no_dt",
        &[("dt = \"0.025 ms\"", "")],
        &[],
        &[
            "line 43, run: the key \"dt\" is missing",
            "dt = \"0.025 ms\"",
        ],
    );
    refused(
        "no_threshold",
        &[("threshold = \"0 mV\"", "")],
        &[],
        &["spikes: the key \"threshold\""],
    );
    refused(
        "no_type",
        &[("type = \"na_hh1952\"", "")],
        &[],
        &["mechanisms.na: the key \"type\""],
    );
    refused_text(
        "syntax",
        "[model\n",
        &[],
        &["e.toml, line 1: the file is not valid TOML"],
    );
}

#[test]
fn time_steps_and_durations_that_make_no_sense() {
    for (k, dt) in ["0 ms", "-0.1 ms", "nan ms", "inf ms", "1 mV", "soon"]
        .iter()
        .enumerate()
    {
        let dt = format!("\"{dt}\"");
        refused(
            &format!("dt_{k}"),
            &[("\"0.025 ms\"", &dt)],
            &[],
            &["e.toml, line 45, run.dt: "],
        );
    }
    for (k, dt) in ["0", "-0.1", "nan", "inf", "1 mV", "1e400"]
        .iter()
        .enumerate()
    {
        refused(&format!("dt_option_{k}"), &[], &["--dt", dt], &["--dt: "]);
        refused(
            &format!("tstop_option_{k}"),
            &[],
            &["--tstop", dt],
            &["--tstop: "],
        );
    }
    let every = [("[record]", "[record]\nevery = \"0.1 ms\"")];
    refused(
        "every",
        &every,
        &["--dt", "0.03"],
        &["e.toml, line 49, record.every", "0.09 or 0.12 ms"],
    );
    refused(
        "steps",
        &[],
        &["--tstop", "1e300"],
        &["--tstop: ", "more than can be counted"],
    );
    refused(
        "samples",
        &[],
        &["--tstop", "1e9"],
        &["--tstop: ", "record.every"],
    );
}

#[test]
fn tolerances_that_make_no_sense() {
    for (k, value) in ["0", "-1", "nan", "\"1 ms\"", "\"small\""]
        .iter()
        .enumerate()
    {
        let tolerance = format!("tolerance = {value}");
        let change = [("dt = \"0.025 ms\"", tolerance.as_str())];
        refused(
            &format!("tolerance_{k}"),
            &change,
            &[],
            &["line 45, run.tolerance: "],
        );
    }
    let few = [("dt = \"0.025 ms\"", "tolerance = 1e-6\nmax_steps = 5")];
    let few = [&few[..], &[("[record]", "[record]\nevery = \"1 ms\"")]].concat();
    let place = Place::new("max_steps");
    place.write("e.toml", &hh(&few));
    let message = place
        .braincell(&["run", "e.toml", "--quiet", "--solver", "dopri54"])
        .failure();
    assert_has(&message, &["after 5 steps"]);
    let none = [("dt = \"0.025 ms\"", "tolerance = 1e-6\nmax_steps = 0")];
    refused(
        "max_steps_0",
        &none,
        &[],
        &["run.max_steps: ", "at least one"],
    );
    let fixed = [("dt = \"0.025 ms\"", "dt = \"0.025 ms\"\nmax_steps = 5")];
    refused(
        "max_steps_fixed",
        &fixed,
        &[],
        &["run.max_steps: ", "tolerance"],
    );
    refused(
        "tolerance_option",
        &[],
        &["--tolerance", "inf"],
        &["--tolerance: "],
    );
    let both = [("dt = \"0.025 ms\"", "dt = \"0.025 ms\"\ntolerance = 1e-6")];
    refused(
        "tolerance_and_dt",
        &both,
        &[],
        &["run.dt: ", "remove one of them"],
    );
    refused(
        "no_every",
        &[],
        &["--tolerance", "1e-6", "--solver", "dopri54"],
        &["--tolerance: ", "every = "],
    );
    let every = [("[record]", "[record]\nevery = \"0.1 ms\"")];
    refused(
        "no_estimate",
        &every,
        &["--tolerance", "1e-6"],
        &["run.solver: ", "no error estimate", "dopri54"],
    );
}

#[test]
fn values_that_make_no_sense() {
    let initial = |line: &str| format!("[initial]\n{line}");
    let old = "# [initial]\n# \"na.m\" = 0.05";
    refused(
        "initial_nan",
        &[(old, &initial("\"na.m\" = nan"))],
        &[],
        &["initial.na.m", "finite"],
    );
    refused(
        "initial_gate",
        &[(old, &initial("\"na.m\" = 1.5"))],
        &[],
        &["initial.na.m", "between 0 and 1"],
    );
    refused(
        "initial_twice",
        &[(old, &initial("V = \"-70 mV\""))],
        &[],
        &["initial.V", "remove one of them"],
    );
    refused(
        "capacitance",
        &[("\"1 uF/cm2\"", "\"0 uF/cm2\"")],
        &[],
        &["model.capacitance", "positive"],
    );
    refused(
        "stop",
        &[("stop = \"45 ms\"", "stop = \"4 ms\"")],
        &[],
        &["inputs.stimulus", "\"stop\" must come after \"start\""],
    );
    for (k, cells) in ["0", "-1", "2.5", "100000000000"].iter().enumerate() {
        let cells = format!("[model]\ncells = {cells}");
        refused(
            &format!("cells_{k}"),
            &[("[model]", &cells)],
            &[],
            &["model.cells: "],
        );
    }
    refused(
        "cell",
        &[("[spikes]", "cells = [1]\n[spikes]")],
        &[],
        &["record.cells[0]", "only cell 0"],
    );
    refused(
        "name",
        &[("[inputs.stimulus]", "[inputs.V]"), (", \"stimulus\"", "")],
        &[],
        &["\"V\" is used twice"],
    );
}

/// An explicit solver far beyond its stability: what was computed until then is written and marked.
#[test]
fn bad_values_end_the_run() {
    let place = Place::new("bad_value");
    place.write("e.toml", &hh(&[]));
    let arguments = [
        "run", "e.toml", "--dt", "1", "--out", "t.csv", "--plot", "t.svg",
    ];
    let run = place.braincell(&arguments);
    assert_has(&run.stdout, &["INCOMPLETE", "t.csv, t.svg"]);
    let message = run.failure();
    assert_has(
        &message,
        &[
            "became",
            "in step",
            "rk4",
            "dt = 1 ms",
            "What to do",
            "is in t.csv and t.svg",
        ],
    );
    let table = read_csv(place.path("t.csv")).unwrap();
    assert!(!table.metadata.complete);
    assert_has(&message, &[&table.metadata.message.unwrap()]);
    assert!(table.time.len() > 1 && table.time.len() < 50);
    let finite = |c: &braincell::output::Column| c.values.iter().all(|x| x.is_finite());
    assert!(table.columns.iter().all(finite));
    assert_has(&place.text("t.svg"), &["ended early"]);
}

/// Solvers that need a membrane potential refuse equations without one, and name others.
#[test]
fn solvers_that_do_not_fit() {
    let ode = "[model]\nkind = \"ode\"\nsystem = \"decay\"\n\
               [run]\nsolver = \"rk4\"\ndt = \"0.1 ms\"\nduration = \"1 ms\"";
    let mut entries = braincell::solvers().entries();
    entries.retain(|e| e.info.needs.membrane);
    if entries.is_empty() {
        println!("skipped: no solver of this build needs a membrane potential");
    }
    for entry in entries {
        let name = &entry.info.name;
        let text = ode.replace("rk4", name);
        let parts = ["run.solver", name, "a membrane potential", "these fit"];
        refused_text(&format!("fit_{name}"), &text, &[], &parts);
    }
}

/// Text that is deep or long is refused, not followed.
#[test]
fn hostile_text() {
    for (k, text) in [
        "[".repeat(100_000),
        "a.".repeat(100_000),
        "{a=".repeat(100_000),
    ]
    .iter()
    .enumerate()
    {
        refused_text(&format!("deep_{k}"), &format!("a={text}"), &[], &["e.toml"]);
        refused_text(&format!("deep_key_{k}"), text, &[], &["e.toml"]);
    }
    let long = format!("{} = 1", "a".repeat(1_000_000));
    refused_text("long", &long, &[], &["unknown section", "…"]);
}
