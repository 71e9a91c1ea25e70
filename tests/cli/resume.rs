//! Output that grows, checkpoints, and `braincell resume`.

use crate::{Place, assert_has, example, hh};
use braincell::output::{array_names, read_csv};
use ndarray::{Array1, Array2};
use ndarray_npy::NpzReader;
use std::fs;

/// The population example with five cells, and checkpoints that leave much to do.
fn crowd() -> String {
    let text = example("population.toml");
    let text = text.replace("cells = 100", "cells = 5");
    text.replace("[0, 33, 66, 99]", "[0, 4]")
}

#[test]
fn a_run_goes_on_from_its_checkpoint() {
    for (name, text) in [("hh", hh(&[])), ("population", crowd())] {
        for format in ["csv", "npz"] {
            let place = Place::new(&format!("resume_{name}_{format}"));
            place.write("e.toml", &text);
            let (whole, out) = (format!("whole.{format}"), format!("t.{format}"));
            let run = ["run", "e.toml", "--tstop", "45", "--out"];
            let of_whole = place
                .braincell(&[&run[..], &[&whole, "--plot", "w.svg"]].concat())
                .success();
            let checkpoints = ["--checkpoint", "c", "--every", "7 ms", "--plot", "t.svg"];
            let arguments = [&run[..], &[&out], &checkpoints].concat();
            place.braincell(&arguments).success();
            assert_eq!(
                fs::read(place.path(&out)).unwrap(),
                fs::read(place.path(&whole)).unwrap()
            );
            // A checkpoint at the end: nothing is left to do, and everything is done again.
            let again = place.braincell(&["resume", "c"]).success();
            let lines = |text: &str| {
                let kept = text
                    .lines()
                    .filter(|l| !l.starts_with("  work ") && !l.starts_with("  written "));
                kept.map(str::to_string).collect::<Vec<_>>()
            };
            assert_eq!(lines(&again), lines(&of_whole));
            assert_eq!(
                fs::read(place.path(&out)).unwrap(),
                fs::read(place.path(&whole)).unwrap()
            );
            assert_eq!(place.text("t.svg"), place.text("w.svg"));
        }
    }
}

#[test]
fn a_finished_run_can_be_made_longer() {
    for format in ["csv", "npz"] {
        let place = Place::new(&format!("longer_{format}"));
        place.write("e.toml", &hh(&[]));
        let (whole, out) = (format!("whole.{format}"), format!("t.{format}"));
        place
            .braincell(&["run", "e.toml", "--out", &whole])
            .success();
        let run = [
            "run",
            "e.toml",
            "--tstop",
            "20",
            "--out",
            &out,
            "--checkpoint",
            "c",
        ];
        place.braincell(&run).success();
        place
            .braincell(&["resume", "c", "--tstop", "50 ms"])
            .success();
        if format == "csv" {
            let (a, b) = (place.text(&whole), place.text(&out));
            let rows = |text: &str| {
                text.lines()
                    .filter(|l| !l.starts_with('#'))
                    .map(str::to_string)
                    .collect::<Vec<_>>()
            };
            assert_eq!(rows(&a), rows(&b));
            assert_has(
                &b,
                &["# resumed with: --tstop \"50 ms\"", "# complete: yes"],
            );
            let (a, b) = (read_csv(place.path(&whole)), read_csv(place.path(&out)));
            assert_eq!(a.unwrap().events, b.unwrap().events);
        } else {
            let read = |name: &str| {
                let mut npz = NpzReader::new(fs::File::open(place.path(name)).unwrap()).unwrap();
                let data: Array2<f64> = npz.by_name("data").unwrap();
                let spikes: Array1<f64> = npz.by_name("spikes_V").unwrap();
                (data, spikes)
            };
            assert_eq!(read(&whole), read(&out));
        }
    }
}

/// The rows of a CSV file.
fn rows(text: &str) -> Vec<&str> {
    text.lines().filter(|l| !l.starts_with('#')).collect()
}

#[test]
fn a_sweep_goes_on_in_its_precision_with_other_threads() {
    let text = example("sweep.toml");
    let text = text.replace("\"1 s\"", "\"60 ms\"");
    let text = text.replace("count = 64", "count = 5");
    let text = text.replace("[run]", "[run]\ntile = 2");
    for precision in ["single", "double"] {
        let place = Place::new(&format!("resume_sweep_{precision}"));
        place.write("e.toml", &text);
        let run = |more: &[&str]| {
            let run = [
                "run",
                "e.toml",
                "--precision",
                precision,
                "--interval",
                "0.5",
            ];
            place.braincell(&[&run[..], more].concat()).success()
        };
        run(&[
            "--threads",
            "1",
            "--out",
            "whole.csv",
            "--plot-sweep",
            "w.svg",
        ]);
        let begin = ["--threads", "3", "--out", "t.csv", "--plot-sweep", "t.svg"];
        let short = ["--tstop", "30", "--checkpoint", "c"];
        run(&[&begin[..], &short].concat());
        let half = place.text("t.sweep.csv");
        let resume = ["resume", "c", "--tstop", "60", "--threads", "2"];
        let summary = place.braincell(&resume).success();
        assert_has(&summary, &["121 samples", "t.sweep.csv", "t.svg"]);
        assert_eq!(rows(&place.text("t.csv")), rows(&place.text("whole.csv")));
        assert_has(
            &place.text("t.csv"),
            &[
                &format!("--precision \"{precision}\""),
                "--interval \"0.5\"",
            ],
        );
        // Spikes and samples of the first half count, too.
        assert_ne!(place.text("t.sweep.csv"), half);
        assert_eq!(place.text("t.sweep.csv"), place.text("whole.sweep.csv"));
        assert_eq!(place.text("t.svg"), place.text("w.svg"));
        let bad = place.braincell(&["resume", "c", "--threads", "0"]);
        assert_has(&bad.failure(), &["--threads", "above 0"]);
    }
}

#[test]
fn what_comes_can_go_to_another_file() {
    let place = Place::new("resume_elsewhere");
    place.write("e.toml", &hh(&[]));
    let run = [
        "run",
        "e.toml",
        "--tstop",
        "20",
        "--out",
        "t.csv",
        "--checkpoint",
        "c",
    ];
    place.braincell(&run).success();
    let first = place.text("t.csv");
    place
        .braincell(&["resume", "c", "--tstop", "50", "--out", "more.csv"])
        .success();
    assert_eq!(place.text("t.csv"), first);
    let more = read_csv(place.path("more.csv")).unwrap();
    assert_eq!((more.time[0], more.time.len()), (801.0 * 0.025, 1200));
    assert_has(
        &place.text("more.csv"),
        &["# resumed at: 20 ms; what came before is in ", "/t.csv\n"],
    );
    // The earlier file is not needed for that.
    fs::remove_file(place.path("t.csv")).unwrap();
    let summary = place
        .braincell(&["resume", "c", "--out", "more.csv"])
        .success();
    assert_has(&summary, &["2001 samples"]);
}

#[test]
fn mistakes_are_explained() {
    let place = Place::new("resume_mistakes");
    place.write("e.toml", &hh(&[]));
    let run = |more: &[&str]| {
        let run = ["run", "e.toml", "--out", "t.csv"];
        place.braincell(&[&run[..], more].concat()).failure()
    };
    assert_has(
        &run(&["--checkpoint", "no/c"]),
        &["no/c: there is no directory no"],
    );
    for every in ["0", "-1", "inf", "nan", "3 mV"] {
        let message = run(&["--checkpoint", "c", "--every", every]);
        assert_has(&message, &["--every: "]);
    }
    assert!(!place.exists("t.csv"), "the output was begun");
    let lone = place.braincell(&["run", "e.toml", "--every", "1"]);
    assert_eq!(lone.status, Some(2));
    let resume = |more: &[&str]| place.braincell(&[&["resume"], more].concat()).failure();
    assert_has(
        &resume(&["c"]),
        &["cannot read the checkpoint c", "check the name"],
    );
    assert_has(
        &resume(&["e.toml"]),
        &["e.toml is no checkpoint", "another file"],
    );

    let begin = ["run", "e.toml", "--out", "t.csv", "--checkpoint", "c"];
    place.braincell(&begin).success();
    assert_has(
        &resume(&["c", "--tstop", "10"]),
        &["--tstop: ", "taken at 50 ms"],
    );
    let whole = fs::read(place.path("c")).unwrap();
    fs::write(place.path("c"), &whole[..whole.len() / 2]).unwrap();
    assert_has(&resume(&["c"]), &["c is no checkpoint", "cut off"]);
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 4;
    fs::write(place.path("c"), damaged).unwrap();
    assert_has(&resume(&["c"]), &["c is no checkpoint", "checksum"]);
    fs::write(place.path("c"), &whole).unwrap();

    let text = place.text("t.csv");
    place.write("t.csv", &text.replacen("\n0.025,", "\n0.026,", 1));
    assert_has(
        &resume(&["c"]),
        &["cannot go on with", "t.csv: its contents are not"],
    );
    place.write("t.csv", &text[..text.len() / 2]);
    assert_has(&resume(&["c"]), &["t.csv: it is shorter"]);
    place.write("t.csv", &text.replacen("Hodgkin", "Huxley-", 1));
    assert_has(
        &resume(&["c"]),
        &["t.csv: it begins as a file of another run"],
    );
    fs::remove_file(place.path("t.csv")).unwrap();
    assert_has(
        &resume(&["c"]),
        &["t.csv: it is not there any more", "give another one"],
    );
    place.write("t.csv", &text);
    place.braincell(&["resume", "c"]).success();
    assert_eq!(place.text("t.csv"), text);
}

#[test]
fn a_morphology_that_changed_is_refused() {
    let place = Place::new("resume_morphology");
    let swc = "1 1 0 0 0 10 -1\n2 3 20 0 0 1 1\n3 3 200 0 0 1 2\n";
    place.write("cell.swc", swc);
    place.write(
        "e.toml",
        "[model]\nkind = \"multi_compartment\"\nmorphology = \"cell.swc\"\n\
         [[paint]]\nregion = \"all\"\nlabel = \"leak\"\ntype = \"leak\"\n\
         [run]\nsolver = \"staggered\"\ndt = \"0.025 ms\"\nduration = \"5 ms\"\n",
    );
    let run = [
        "run",
        "e.toml",
        "--out",
        "t.csv",
        "--checkpoint",
        "c",
        "--plot-shape",
        "s.svg",
    ];
    place.braincell(&run).success();
    place.braincell(&["resume", "c"]).success();
    place.write("cell.swc", &swc.replace("200", "201"));
    let message = place.braincell(&["resume", "c"]).failure();
    assert_has(&message, &["cell.swc has changed since the checkpoint"]);
    fs::remove_file(place.path("cell.swc")).unwrap();
    assert_has(
        &place.braincell(&["resume", "c"]).failure(),
        &["cell.swc has changed"],
    );
}

#[test]
fn spikes_and_statistics_need_no_traces() {
    let text = hh(&[(
        "variables = [\"V\", \"na.m\", \"na.h\", \"k.n\", \"stimulus\"]",
        "variables = []\nstatistics = [\"V\", \"stimulus\"]",
    )]);
    let place = Place::new("spikes_alone");
    place.write("e.toml", &text);
    let summary = place
        .braincell(&["run", "e.toml", "--out", "t.csv", "--plot", "t.svg"])
        .success();
    assert_has(
        &summary,
        &["V: 3, at 6.901", "no traces", "V  -", "stimulus  0 to 10"],
    );
    let table = read_csv(place.path("t.csv")).unwrap();
    assert_eq!((table.columns.len(), table.time.len()), (0, 1));
    assert_eq!(table.events[0].times.len(), 3);
    assert_has(
        &place.text("t.csv"),
        &[
            "# statistics V: min -",
            "# statistics stimulus: min 0, max 10 at ",
        ],
    );
    place
        .braincell(&["run", "e.toml", "--out", "t.npz"])
        .success();
    let mut npz = NpzReader::new(fs::File::open(place.path("t.npz")).unwrap()).unwrap();
    let statistics: Array2<f64> = npz.by_name("statistics").unwrap();
    assert_eq!(statistics.dim(), (2, 4));
    assert_eq!((statistics[[1, 0]], statistics[[1, 1]]), (0.0, 10.0));
    let place = Place::new("spikes_alone_adaptive");
    let text = text.replace("dt = \"0.025 ms\"", "tolerance = 1e-6");
    let text = text.replace("\"rk4\"", "\"dopri54\"");
    place.write("e.toml", &text);
    assert_has(
        &place.braincell(&["run", "e.toml"]).success(),
        &["V: 3, at 6.901", "no traces"],
    );
}

/// All data in an NPZ file is that of the CSV file.
#[test]
fn both_formats_hold_the_same() {
    let place = Place::new("formats");
    place.write("e.toml", &crowd());
    place
        .braincell(&["run", "e.toml", "--out", "t.csv"])
        .success();
    place
        .braincell(&["run", "e.toml", "--out", "t.npz"])
        .success();
    let table = read_csv(place.path("t.csv")).unwrap();
    let (columns, events) = array_names(&table);
    let mut npz = NpzReader::new(fs::File::open(place.path("t.npz")).unwrap()).unwrap();
    let data: Array2<f64> = npz.by_name("data").unwrap();
    for (k, (name, column)) in columns.iter().zip(&table.columns).enumerate() {
        let values: Array1<f64> = npz.by_name(name).unwrap();
        assert_eq!(values.to_vec(), column.values);
        assert_eq!(data.column(k).to_vec(), column.values);
    }
    assert_eq!(events.len(), 5);
    for (name, events) in events.iter().zip(&table.events) {
        let times: Array1<f64> = npz.by_name(name).unwrap();
        assert_eq!(times.to_vec(), events.times);
    }
    assert_eq!(place.files(), ["e.toml", "t.csv", "t.npz"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let place = Place::new("full_disk");
    place.write("e.toml", &hh(&[]));
    for name in ["t.csv", "t.npz.rows.npy"] {
        std::os::unix::fs::symlink("/dev/full", place.path(name)).unwrap();
    }
    for name in ["t.csv", "t.npz"] {
        let message = place.braincell(&["run", "e.toml", "--out", name]).failure();
        assert_has(&message, &["cannot write ", name, "No space left"]);
    }
}

/// A file that cannot grow beyond a size, as on a disk that gets full.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_gets_full_leaves_what_was_written() {
    let place = Place::new("disk_gets_full");
    let long = hh(&[("duration = \"50 ms\"", "duration = \"100 s\"")]);
    place.write(
        "e.toml",
        &long.replace("[record]", "[record]\nevery = \"0.1 ms\""),
    );
    let program = env!("CARGO_BIN_EXE_braincell");
    let limited = |out: &str| {
        // In blocks of 512 bytes or a kilobyte; a signal that is ignored becomes an error.
        let script = format!("trap '' XFSZ; ulimit -f 3000; exec {program} run e.toml --out {out}");
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .current_dir(place.path(""))
            .output();
        crate::Run::of(output.unwrap()).failure()
    };
    let message = limited("t.csv");
    assert_has(
        &message,
        &[
            "cannot write t.csv",
            "What was computed until then is in t.csv.",
        ],
    );
    let table = read_csv(place.path("t.csv")).unwrap();
    assert!(!table.metadata.complete && table.time.len() > 1000);
    assert!(place.text("t.csv").ends_with('\n'));
    let message = limited("t.npz");
    assert_has(
        &message,
        &["cannot write t.npz.rows.npy", "is in t.npz.rows.npy."],
    );
    let rows: Array2<f64> = ndarray_npy::read_npy(place.path("t.npz.rows.npy")).unwrap();
    assert!(rows.nrows() > 1000);
    assert_eq!(rows[[1000, 0]], table.time[1000]);
}
