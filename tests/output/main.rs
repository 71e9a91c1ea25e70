//! Writing and reading of results.

mod growing;
mod plots;

use braincell::output::{
    Column, Events, Metadata, OutputError, Table, array_names, plot, read_csv, write,
};
use ndarray::{Array0, Array1, Array2};
use ndarray_npy::NpzReader;
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;

/// A directory of its own for a test.
fn directory(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn column(name: &str, unit: &str, values: Vec<f64>) -> Column {
    Column {
        name: name.into(),
        unit: unit.into(),
        values,
    }
}

/// Spikes and gates with the look of a Hodgkin-Huxley model, every `dt` ms for `end` > 6.8 ms.
fn spiking(dt: f64, end: f64) -> Table {
    let time: Vec<f64> = (0..=(end / dt) as usize).map(|i| i as f64 * dt).collect();
    let spikes: Vec<f64> = (0..)
        .map(|i| 6.8 + 14.6 * f64::from(i))
        .take_while(|&t| t < end)
        .collect();
    let nearest = |t: f64| {
        spikes
            .iter()
            .map(|s| t - s)
            .min_by(|a, b| a.abs().total_cmp(&b.abs()))
            .unwrap()
    };
    let since = |t: f64| {
        spikes
            .iter()
            .map(|s| t - s)
            .rfind(|&d| d > 0.0)
            .unwrap_or(15.0)
    };
    let pulse = |d: f64| (-(d / if d < 0.0 { 0.35 } else { 0.6 }).powi(2)).exp();
    let v = |t: f64| {
        -65.0 + 105.0 * pulse(nearest(t))
            - 11.0 * (1.0 - pulse(nearest(t))) * (-since(t) / 4.0).exp()
            + 0.5 * (since(t) - 5.0).clamp(0.0, 8.0)
    };
    let n = |t: f64| 0.32 + 0.43 * (-since(t) / 4.5).exp() * (1.0 - (-since(t) / 0.4).exp());
    let h = |t: f64| 0.58 - 0.5 * (-since(t) / 6.0).exp() * (1.0 - (-since(t) / 0.4).exp());
    let map = |f: &dyn Fn(f64) -> f64| time.iter().map(|&t| f(t)).collect::<Vec<_>>();
    let columns = vec![
        column("V", "mV", map(&v)),
        column("na.m", "1", map(&|t| 0.05 + 0.93 * pulse(nearest(t) / 1.4))),
        column("na.h", "1", map(&h)),
        column("k.n", "1", map(&n)),
        column(
            "na.i",
            "uA/cm2",
            map(&|t| -800.0 * pulse((nearest(t) - 0.3) / 0.8)),
        ),
        column(
            "k.i",
            "uA/cm2",
            map(&|t| 780.0 * pulse((nearest(t) - 0.6) / 1.1)),
        ),
    ];
    Table {
        title: "Hodgkin-Huxley squid axon, 10 µA/cm² from 5 ms".into(),
        time,
        columns,
        events: vec![Events {
            label: "V".into(),
            times: spikes,
        }],
        sweep: Vec::new(),
        metadata: Metadata {
            program_version: "0.1.0".into(),
            experiment: "[cell]\nname = \"hh\"\n\n# a comment\n".into(),
            solver: "exp_euler".into(),
            dt: Some(0.025),
            complete: true,
            message: None,
        },
    }
}

/// Numbers that are hard to write.
fn awkward() -> Vec<f64> {
    let tiny = f64::from_bits(1);
    vec![
        0.1 + 0.2,
        -0.0,
        1e-300,
        1e300,
        tiny,
        f64::MAX,
        1.0 / 3.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -65.0,
    ]
}

fn awkward_table() -> Table {
    let values = awkward();
    let mut table = spiking(0.025, 10.0);
    table.time = (0..values.len()).map(|i| 0.1 * i as f64).collect();
    table.columns = vec![
        column("V[3]", "mV", values.clone()),
        column("V.3", "mV", vec![1.0; values.len()]),
        column("a, \"b\" [c]", "", values.iter().rev().copied().collect()),
        column("data", "S/cm2", vec![1e-5; values.len()]),
    ];
    table.events.push(Events {
        label: "V[3]: up".into(),
        times: vec![],
    });
    table.metadata.complete = false;
    table.metadata.message = Some("no convergence".into());
    table.metadata.experiment = "a = 1\n# spikes x: 2\n\n  µ, °\r\nlast".into();
    table
}

fn assert_same_bits(a: &[f64], b: &[f64]) {
    let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(a), bits(b));
}

#[test]
fn csv_reads_back() {
    let path = directory("csv").join("run.CSV");
    for table in [awkward_table(), spiking(0.025, 30.0), Table::default()] {
        write(&table, &path).unwrap();
        let again = read_csv(&path).unwrap();
        assert_same_bits(&again.time, &table.time);
        assert_eq!(again.columns.len(), table.columns.len());
        for (a, b) in again.columns.iter().zip(&table.columns) {
            assert_eq!((&a.name, &a.unit), (&b.name, &b.unit));
            assert_same_bits(&a.values, &b.values);
        }
        assert_eq!(again.events, table.events);
        assert_eq!(again.metadata, table.metadata);
        assert_eq!(again.title, table.title);
    }
}

#[test]
fn csv_has_comments_header_and_rows() {
    let path = directory("csv_text").join("run.csv");
    let mut table = spiking(0.025, 10.0);
    table.time = vec![0.0, 0.025];
    table.columns = vec![
        column("V", "mV", vec![-65.0, -64.9]),
        column("na.m", "1", vec![0.05, 1e-7]),
    ];
    table.events[0].times = vec![6.8, 21.4];
    write(&table, &path).unwrap();
    let expected = "# braincell 0.1.0\n# title: Hodgkin-Huxley squid axon, 10 µA/cm² from 5 ms\n# solver: exp_euler\n\
        # dt: 0.025 ms\n# complete: yes\n# spikes V: 6.8, 21.4\n# experiment:\n# [cell]\n# name = \"hh\"\n# \n\
        # # a comment\n# \nt [ms],V [mV],na.m [1]\n0,-65,0.05\n0.025,-64.9,1e-7\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn csv_of_others_is_read() {
    let path = directory("csv_foreign").join("target.csv");
    fs::write(&path, "\u{feff}time [s], \"V, soma [mV]\" ,x\r\n# spikes or not: nothing\r\n\r\n0, -65, 1\r\n0.001, 20.5, NaN\r\n").unwrap();
    let table = read_csv(&path).unwrap();
    assert_eq!(table.time, [0.0, 1.0]);
    assert_eq!(
        (
            table.columns[0].name.as_str(),
            table.columns[0].unit.as_str()
        ),
        ("V, soma", "mV")
    );
    assert_eq!(table.columns[0].values, [-65.0, 20.5]);
    assert!(table.columns[1].values[1].is_nan());
    assert!(table.metadata.complete && table.events.is_empty());
}

#[test]
fn malformed_csv_names_the_line() {
    let path = directory("csv_malformed").join("bad.csv");
    for (text, line, part) in [
        ("", 1, "header"),
        ("# only a comment\n", 1, "header"),
        ("0,1\n1,2\n", 1, "header"),
        ("t,V\n0,1\n1,x\n", 3, "\"x\" is not a number"),
        ("t,V\n0,1\n\n1\n", 4, "1 numbers under a header of 2"),
        ("t,V\n0,1,2\n", 2, "3 numbers"),
        ("t,V\n0,\n", 2, "not a number"),
        ("t,V\nnan,1\n", 2, "time"),
        ("t [mV],V\n0,1\n", 1, "voltage"),
        ("t,\"V\n0,1\n", 1, "quote"),
        ("t,\"V\"x\n0,1\n", 1, "comma"),
        ("# braincell 1\n# spikes V: 1, b\nt,V\n", 2, "\"b\""),
        ("# braincell 1\n# dt: b ms\nt,V\n", 2, "\"b\""),
    ] {
        fs::write(&path, text).unwrap();
        let Err(OutputError::Csv {
            line: found,
            reason,
            ..
        }) = read_csv(&path)
        else {
            panic!("{text:?} was read");
        };
        assert_eq!(found, line, "{text:?}: {reason}");
        assert!(reason.contains(part), "{text:?}: {reason}");
    }
    fs::write(&path, [0x74, 0xff, 0x0a]).unwrap();
    assert!(matches!(read_csv(&path), Err(OutputError::Read { .. })));
    assert!(matches!(
        read_csv(path.with_file_name("absent.csv")),
        Err(OutputError::Read { .. })
    ));
}

#[test]
fn npz_reads_back() {
    let path = directory("npz").join("run.npz");
    let table = awkward_table();
    write(&table, &path).unwrap();
    let (arrays, spikes) = array_names(&table);
    assert_eq!(arrays, ["V_3", "V_3_2", "a_b_c", "data_2"]);
    assert_eq!(spikes, ["spikes_V", "spikes_V_3_up"]);
    let mut npz = NpzReader::new(fs::File::open(&path).unwrap()).unwrap();
    let t: Array1<f64> = npz.by_name("t").unwrap();
    assert_same_bits(t.as_slice().unwrap(), &table.time);
    let data: Array2<f64> = npz.by_name("data").unwrap();
    assert_eq!(data.dim(), (table.time.len(), 4));
    for (j, column) in table.columns.iter().enumerate() {
        let values: Array1<f64> = npz.by_name(&arrays[j]).unwrap();
        assert_same_bits(values.as_slice().unwrap(), &column.values);
        assert_same_bits(&data.column(j).to_vec(), &column.values);
    }
    for (name, events) in spikes.iter().zip(&table.events) {
        let times: Array1<f64> = npz.by_name(name).unwrap();
        assert_same_bits(&times.to_vec(), &events.times);
    }
    let mut text = |name: &str| {
        let bytes: Array1<u8> = npz.by_name(name).unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    assert_eq!(text("experiment"), table.metadata.experiment);
    assert_eq!(text("version"), "0.1.0");
    assert_eq!(text("solver"), "exp_euler");
    assert_eq!(text("message"), "no convergence");
    assert_eq!(text("names"), "V[3]\nV.3\na, \"b\" [c]\ndata");
    assert_eq!(text("units"), "mV\nmV\n\nS/cm2");
    assert_eq!(text("arrays"), arrays.join("\n"));
    assert_eq!(text("spike_labels"), "V\nV[3]: up");
    assert_eq!(text("title"), table.title);
    let dt: Array0<f64> = npz.by_name("dt").unwrap();
    assert_eq!(dt.into_scalar(), 0.025);
    let complete: Array0<u8> = npz.by_name("complete").unwrap();
    assert_eq!(complete.into_scalar(), 0);
}

#[test]
fn refusals_name_the_path_and_leave_files_as_they_were() {
    let directory = directory("refusals");
    let table = spiking(0.1, 10.0);
    for (path, known) in [
        ("run.mat", ".csv or .npz"),
        ("run", ".csv or .npz"),
        ("run.svg", ".csv or .npz"),
    ] {
        let message = write(&table, directory.join(path)).unwrap_err().to_string();
        assert!(
            message.contains(path) && message.contains(known),
            "{message}"
        );
    }
    let message = plot(&table, directory.join("a.pdf"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("a.pdf") && message.contains(".svg or .png"),
        "{message}"
    );

    let absent = directory.join("absent");
    let error = write(&table, absent.join("run.csv")).unwrap_err();
    assert!(
        matches!(&error, OutputError::Directory { directory, .. } if *directory == absent),
        "{error}"
    );

    let kept = directory.join("kept.csv");
    fs::write(&kept, "before").unwrap();
    let mut ragged = table.clone();
    ragged.columns[1].values.pop();
    for (result, name) in [
        (write(&ragged, &kept), "na.m"),
        (plot(&ragged, directory.join("a.svg")), "na.m"),
    ] {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(name), "{message}");
    }
    assert_eq!(fs::read_to_string(&kept).unwrap(), "before");

    // The rename onto a directory fails after everything was written.
    let taken = directory.join("taken.npz");
    fs::create_dir(&taken).unwrap();
    let error = write(&table, &taken).unwrap_err();
    assert!(matches!(error, OutputError::Write { .. }), "{error}");
    assert!(error.to_string().contains("taken.npz"));

    let mut left: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["kept.csv", "taken.npz"]);
    write(&table, &kept).unwrap();
    assert_eq!(read_csv(&kept).unwrap(), table);
}

proptest! {
    #[test]
    fn arbitrary_csv_never_panics(text in "(# ?(braincell 1|spikes V: |dt: |experiment:)?)?[\\PC\r\n]{0,20}(t|x \\[ms\\]|\")?[-0-9.eE,\"\\[\\]# \r\n]{0,60}") {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("arbitrary.csv");
        fs::write(&path, text).unwrap();
        if let Ok(table) = read_csv(&path) {
            table.check().unwrap();
        }
    }
}
