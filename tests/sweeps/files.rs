//! Cells that differ by the columns and rows of tables.

use crate::{directory, hh, of_cells, refused_at};
use braincell::experiment::Experiment;
use std::fs;

#[test]
fn a_table_has_a_row_for_each_cell() {
    let place = directory("table");
    let path = place.join("e.toml");
    let g = "{ file = \"cells.csv\", column = \"g\" }";
    let text = hh(
        &[
            ("\"120 mS/cm2\"", g),
            (
                "kind = \"single_compartment\"",
                "kind = \"single_compartment\"\ncells = 2",
            ),
        ],
        "",
    );
    let write = |table: &str| fs::write(place.join("cells.csv"), table).unwrap();
    write("# made by hand\nname,g [S/cm2]\n1,0.08\n2,0.1\n");
    let read = Experiment::parse(&text, &path).unwrap();
    assert_eq!(of_cells(&read.model, "na.g_max"), [80.0, 100.0]);
    for (table, parts) in [
        (
            "id,g [S/cm2]\n1,0.08\n2,oops\n",
            &["cells.csv, line 3", "column \"g\"", "oops"][..],
        ),
        (
            "id,g [S/cm2]\n1,NaN\n2,1\n",
            &["cells.csv, line 2", "column \"g\"", "NaN"],
        ),
        (
            "id,g [S/cm2]\n1,0.08\n2\n",
            &["cells.csv, line 3", "1 fields under a header of 2"],
        ),
        (
            "id,g [S/cm2]\n1,0.08\n",
            &["line 8, mechanisms.na.g_max.file", "1 rows for 2 cells"],
        ),
        (
            "id,h [S/cm2]\n1,0.08\n",
            &["line 8, mechanisms.na.g_max.column", "unknown column \"g\""],
        ),
        ("id,g\n1,0.08\n2,0.1\n", &["has no unit", "g [mS/cm2]"]),
        (
            "id,g [mV]\n1,0.08\n2,0.1\n",
            &["line 8, mechanisms.na.g_max.column", "voltage"],
        ),
        ("1,2\n3,4\n", &["cells.csv, line 1", "header"]),
        ("g [mV],g [mV]\n", &["cells.csv, line 1", "two columns"]),
        ("", &["cells.csv, line 1", "header"]),
    ] {
        write(table);
        refused_at(&text, &path, parts);
    }
    fs::remove_file(place.join("cells.csv")).unwrap();
    refused_at(&text, &path, &["cannot read", "cells.csv"]);
}

#[test]
fn each_cell_may_play_its_own_column() {
    let place = directory("played");
    let path = place.join("e.toml");
    fs::write(
        place.join("i.csv"),
        "t [ms],a [nA/cm2],b [uA/cm2]\n0,0,1\n1,1000,2\n2,0,3\n",
    )
    .unwrap();
    let played = |columns: &str| {
        hh(
            &[
                ("kind = \"step\"", "kind = \"samples\"\nfile = \"i.csv\""),
                (
                    "amplitude = \"10 uA/cm2\"\n",
                    &format!("column = {columns}\n"),
                ),
                ("start = \"2 ms\"\n", ""),
                (
                    "kind = \"single_compartment\"",
                    "kind = \"single_compartment\"\ncells = 2",
                ),
                ("\"na.m\"", "\"stimulus\""),
            ],
            "",
        )
    };
    let experiment = Experiment::parse(&played("[\"b\", \"a\"]"), &path).unwrap();
    let mut run = experiment.start(braincell::solvers()).unwrap();
    run.run(1.0).unwrap();
    let recording = run.recording();
    let last = |name: &str| *recording.trace(name).unwrap().last().unwrap();
    assert!((last("stimulus#0") - 2.0).abs() < 1e-9);
    assert!((last("stimulus#1") - 1.0).abs() < 1e-9);
    refused_at(
        &played("[\"a\", \"b\", \"a\"]"),
        &path,
        &["3 columns are given for 2 cells"],
    );
    refused_at(
        &played("[\"a\", \"c\"]"),
        &path,
        &["column[1]", "unknown column \"c\""],
    );
}
