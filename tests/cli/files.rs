//! Files that cannot be read or written: refused before the run.

use crate::errors::refused;
use crate::{Place, assert_has, hh};

#[test]
fn files_that_cannot_be_read() {
    let place = Place::new("unreadable");
    let message = place.braincell(&["run", "nothing.toml"]).failure();
    assert_has(&message, &["cannot read nothing.toml", "check the name"]);
    place.braincell(&["run", "."]).failure();
    std::fs::write(place.path("binary.toml"), [0xff, 0xfe, 0]).unwrap();
    assert_has(
        &place.braincell(&["run", "binary.toml"]).failure(),
        &["binary.toml"],
    );
    let input = "[inputs.i]\nkind = \"samples\"\nfile = \"in.csv\"\ncolumn = \"a\"\n[run]";
    refused(
        "trace",
        &[("[run]", input)],
        &[],
        &["inputs.i.file", "cannot read in.csv"],
    );
}

#[test]
fn played_files_that_make_no_sense() {
    let input = "[inputs.i]\nkind = \"samples\"\nfile = \"in.csv\"\ncolumn = \"a\"\n[run]";
    let files = [
        ("t [ms],b [uA/cm2]\n0,1\n1,2\n", "unknown column \"a\""),
        ("t [ms],a\n0,1\n1,2\n", "has no unit"),
        ("t [ms],a [mV]\n0,1\n1,2\n", "a voltage"),
        ("t [ms],a [uA/cm2]\n0,1\n1,2\n3,4\n", "not evenly spaced"),
        ("t [ms],a [uA/cm2]\n0,1\n1,nan\n", "finite"),
        ("t [ms],a [uA/cm2]\n", "no rows"),
        ("t [ms],a [uA/cm2]\n0,1\n", "not evenly spaced"),
    ];
    for (csv, part) in files {
        let place = Place::new("played");
        place.write("in.csv", csv);
        place.write("e.toml", &hh(&[("[run]", input)]));
        assert_has(
            &place.braincell(&["run", "e.toml"]).failure(),
            &["e.toml, line ", "inputs.i", part],
        );
    }
}

#[test]
fn outputs_that_cannot_be_written() {
    let no = "old.csv/below.csv";
    refused(
        "out_extension",
        &[],
        &["--out", "traces.xls"],
        &["traces.xls", ".csv or .npz"],
    );
    refused(
        "plot_extension",
        &[],
        &["--plot", "plot.pdf"],
        &["plot.pdf", ".svg or .png"],
    );
    refused("no_extension", &[], &["--out", "traces"], &[".csv or .npz"]);
    refused(
        "no_directory",
        &[],
        &["--out", "nowhere/t.csv"],
        &["there is no directory nowhere", "create it"],
    );
    refused("no_such", &[], &["--out", no], &["cannot write", no]);
    let place = Place::new("is_directory");
    place.write("e.toml", &hh(&[]));
    std::fs::create_dir(place.path("t.csv")).unwrap();
    assert_has(
        &place
            .braincell(&["run", "e.toml", "--out", "t.csv"])
            .failure(),
        &["cannot write t.csv"],
    );
}

/// Outputs are checked before the run: this one would end with an error of its own.
#[test]
fn outputs_are_checked_first() {
    refused(
        "first_out",
        &[],
        &["--out", "nowhere/t.csv", "--dt", "1"],
        &["nowhere"],
    );
    refused(
        "first_plot",
        &[],
        &["--plot", "nowhere/t.svg", "--dt", "1"],
        &["nowhere"],
    );
}
