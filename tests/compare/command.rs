//! The two commands as their user sees them.

use crate::{assert_has, example};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A directory with an experiment of 15 ms.
fn place(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("compare")
        .join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    let text = example("hh.toml").replacen("duration = \"50 ms\"", "duration = \"15 ms\"", 1);
    fs::write(path.join("hh.toml"), text).unwrap();
    path
}

fn braincell(place: &PathBuf, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_braincell"));
    command.current_dir(place).args(arguments).output().unwrap()
}

fn success(output: Output) -> String {
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.as_str()), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

/// The one paragraph of a failure.
fn failure(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(text.starts_with("error: "), "{text}");
    text
}

#[test]
fn the_printed_command_runs_and_keeps_the_target() {
    let place = place("printed");
    let arguments = [
        "compare",
        "hh.toml",
        "--solvers",
        "rk4,staggered2,tsit54",
        "--target",
        "0.1mV",
        "--plot",
        "wp.svg",
        "--out",
        "table.csv",
        "--threads",
        "2",
    ];
    let text = success(braincell(&place, &arguments));
    assert_has(
        &text,
        &[
            "reference",
            "recommended",
            "max error [mV]",
            "wp.svg",
            "table.csv",
        ],
    );
    let line = text.lines().find_map(|l| l.trim().strip_prefix("run it"));
    let words: Vec<&str> = line.unwrap().split_whitespace().collect();
    assert_eq!(words[..3], ["braincell", "run", "hh.toml"]);
    let run = success(braincell(
        &place,
        &[&words[1..], &["--out", "t.csv"]].concat(),
    ));
    assert_has(&run, &["spikes"]);
    assert!(place.join("t.csv").exists());
    let svg = fs::read_to_string(place.join("wp.svg")).unwrap();
    assert_has(
        &svg,
        &["<svg", "staggered2", "target", "CPU time per simulated ms"],
    );
    let table = fs::read_to_string(place.join("table.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_has(lines[0], &["solver,dt_ms,tolerance,mean_error,max_error"]);
    let fields = lines.iter().map(|l| l.split(',').count());
    assert!(fields.clone().all(|n| n == 11), "{table}");
    assert_has(&table, &["rk4,0.025,", "tsit54,,0.0001,"]);
}

#[test]
fn json_holds_all_runs() {
    let place = place("json");
    let arguments = [
        "compare",
        "hh.toml",
        "--solvers",
        "rk4,euler",
        "--dt",
        "0.1,50 us,0.025",
        "--out",
        "c.json",
        "--measure",
        "mean",
        "--target",
        "0.1 mV",
    ];
    success(braincell(&place, &arguments));
    let text = fs::read_to_string(place.join("c.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["entries"].as_array().unwrap().len(), 6);
    assert_eq!(json["complete"], true);
    assert_eq!(json["choice"]["solver"], "rk4");
    assert!(json["entries"][0]["failure"].is_string());
    assert_eq!(json["target"]["of"], "mean error");
}

#[test]
fn an_inspection_is_printed_drawn_and_given_as_json() {
    let place = place("inspect");
    let text = success(braincell(
        &place,
        &["inspect", "hh.toml", "--plot", "tau.png"],
    ));
    assert_has(
        &text,
        &[
            "stiffness ratio",
            "stiffest",
            "rk4",
            "stimulus [uA/cm2]: jumps at 5 ms",
            "memory of a run",
        ],
    );
    assert!(fs::metadata(place.join("tau.png")).unwrap().len() > 1000);
    let text = success(braincell(
        &place,
        &["inspect", "hh.toml", "--every", "1 ms", "--json"],
    ));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["samples"].as_array().unwrap().len(), 16);
    assert_eq!(json["states_per_cell"]["gates"], 3);
}

#[test]
fn wrong_options_are_one_paragraph() {
    let place = place("wrong");
    for (arguments, parts) in [
        (
            &["compare", "hh.toml", "--solvers", "rk5"] as &[&str],
            &["rk5", "rk4"] as &[&str],
        ),
        (
            &["compare", "hh.toml", "--dt", "0.1,-0.05"],
            &["--dt", "-0.05 ms"],
        ),
        (&["compare", "hh.toml", "--dt", "0"], &["--dt", "positive"]),
        (&["compare", "hh.toml", "--dt", "fast"], &["--dt", "fast"]),
        (
            &["compare", "hh.toml", "--dt", ""],
            &["list of time steps is empty"],
        ),
        (
            &["compare", "hh.toml", "--tolerance", "-1"],
            &["--tolerance", "1e-6"],
        ),
        (
            &["compare", "hh.toml", "--target", "much"],
            &["much", "0.1 mV"],
        ),
        (
            &["compare", "hh.toml", "--plot", "wp.pdf"],
            &["wp.pdf", ".svg or .png"],
        ),
        (
            &["compare", "hh.toml", "--out", "table.npz"],
            &["table.npz", ".csv or .json"],
        ),
        (
            &["compare", "hh.toml", "--out", "no/table.csv"],
            &["no directory no"],
        ),
        (&["compare", "none.toml"], &["none.toml"]),
        (
            &["inspect", "hh.toml", "--every", "0"],
            &["--every", "positive"],
        ),
        (
            &["inspect", "hh.toml", "--every", "1 mV"],
            &["--every", "voltage"],
        ),
        (&["inspect", "hh.toml", "--plot", "tau.pdf"], &["tau.pdf"]),
        (
            &["run", "hh.toml", "--interval", "-1"],
            &["--interval", "positive"],
        ),
    ] {
        assert_has(&failure(braincell(&place, arguments)), parts);
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_table_so_far() {
    let place = place("interrupt");
    // Minutes of work.
    let text = example("hh.toml").replacen("duration = \"50 ms\"", "duration = \"5 s\"", 1);
    fs::write(place.join("hh.toml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_braincell"));
    let child = command
        .current_dir(&place)
        .args([
            "compare",
            "hh.toml",
            "--solvers",
            "euler,heun2,rk4,radau5",
            "--tolerance",
            "1e-3,1e-12",
        ])
        .args(["--dt", "0.05,0.0001", "--target", "1 mV", "--out", "t.csv"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let error = String::from_utf8(output.stderr).unwrap();
    // Either there is a table, or it says that there was no reference yet.
    let table = place.join("t.csv").exists();
    assert!(
        error.contains(if table {
            "the table has the runs"
        } else {
            "reference"
        }),
        "{error}"
    );
}
