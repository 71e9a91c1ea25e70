//! Sweeps, threads and precision.

use crate::{Place, assert_has, example, hh};
use braincell::output::read_rows;

/// The example, shorter.
fn sweep(replacements: &[(&str, &str)]) -> String {
    let mut text = example("sweep.toml");
    let shorter = [("\"1 s\"", "\"40 ms\""), ("count = 64", "count = 5")];
    for (old, new) in shorter.iter().chain(replacements) {
        assert!(text.contains(old), "{old:?} is not in the example");
        text = text.replacen(old, new, 1);
    }
    text
}

#[test]
fn a_sweep_leaves_a_table_and_a_plot() {
    let place = Place::new("sweep");
    place.write("sweep.toml", &sweep(&[]));
    let arguments = [
        "run",
        "sweep.toml",
        "--out",
        "fi.csv",
        "--plot-sweep",
        "fi.svg",
    ];
    let summary = place.braincell(&arguments).success();
    assert_has(
        &summary,
        &["cells     5", "fi.csv", "fi.sweep.csv", "fi.svg"],
    );
    let table = read_rows_of(&place, "fi.sweep.csv");
    let names: Vec<&str> = table.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names[..4],
        ["cell", "stimulus.amplitude", "spikes", "first_spike"]
    );
    assert_eq!(table[1].1, [0.0, 15.75, 31.5, 47.25, 63.0]);
    assert!(table[2].1[0] == 0.0 && table[2].1[2] > 2.0);
    let plot = place.text("fi.svg");
    assert_has(&plot, &["stimulus.amplitude [µA/cm²]", "firing rate [Hz]"]);
    assert_has(&place.text("fi.csv"), &["V#4 [mV]", "# spikes V#4: "]);

    // The same from more threads, and as arrays.
    let arguments = ["run", "sweep.toml", "--out", "two.csv", "--threads", "2"];
    place.braincell(&arguments).success();
    assert_eq!(place.text("two.csv"), place.text("fi.csv"));
    let arguments = [
        "run",
        "sweep.toml",
        "--out",
        "fi.npz",
        "--threads",
        "1",
        "-q",
    ];
    place.braincell(&arguments).success();
    let archive = std::fs::File::open(place.path("fi.npz")).unwrap();
    let mut archive = ndarray_npy::NpzReader::new(archive).unwrap();
    for (name, column) in [("sweep_stimulus_amplitude", 1), ("sweep_spikes", 2)] {
        let values: ndarray::Array1<f64> = archive.by_name(name).unwrap();
        assert_eq!(values.to_vec(), table[column].1);
    }
    let text: ndarray::Array1<u8> = archive.by_name("sweep_names").unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>(), names);
}

/// Columns of a table with NaN where a cell did not spike.
fn read_rows_of(place: &Place, name: &str) -> Vec<(String, Vec<f64>)> {
    place.write("numbers.csv", &place.text(name).replace("NaN", "-1"));
    let columns = read_rows(place.path("numbers.csv")).unwrap();
    columns.into_iter().map(|c| (c.name, c.values)).collect()
}

#[test]
fn a_sweep_that_fails_leaves_what_was_computed() {
    let place = Place::new("sweep_failed");
    // All cells but the first are driven out of all bounds.
    let longer = ("to = \"63 uA/cm2\"", "to = \"1e9 uA/cm2\"");
    place.write("sweep.toml", &sweep(&[longer]));
    let arguments = [
        "run",
        "sweep.toml",
        "--out",
        "fi.csv",
        "--plot-sweep",
        "fi.svg",
        "--threads",
        "2",
    ];
    let message = place.braincell(&arguments).failure();
    assert_has(
        &message,
        &["until then is in", "fi.sweep.csv", "fi.svg", "fi.csv"],
    );
    let text = place.text("fi.sweep.csv");
    assert_has(&text, &["# incomplete: "]);
    assert_eq!(read_rows_of(&place, "fi.sweep.csv")[0].1.len(), 5);
    assert_has(&place.text("fi.csv"), &["# complete: no", "# message: "]);
}

#[cfg(target_os = "linux")]
#[test]
fn traces_that_fill_the_disk_do_not_keep_the_table_from_it() {
    let place = Place::new("sweep_unwritten");
    let text = sweep(&[("\"40 ms\"", "\"400 ms\"")]);
    place.write("sweep.toml", &text);
    let program = env!("CARGO_BIN_EXE_braincell");
    let options = "--out fi.csv --interval 0.05 --plot-sweep fi.svg";
    // Files are limited to some hundred kilobytes; a signal that is ignored becomes an error.
    let script = format!("trap '' XFSZ; ulimit -f 500; exec {program} run sweep.toml {options}");
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(place.path(""))
        .output();
    let message = crate::Run::of(output.unwrap()).failure();
    assert_has(
        &message,
        &["cannot write fi.csv", "is in fi.csv and fi.sweep.csv"],
    );
    assert_has(&place.text("fi.sweep.csv"), &["# incomplete: cannot write"]);
    assert!(place.exists("fi.svg"));
}

#[test]
fn a_sweep_of_two_quantities_is_a_map() {
    let place = Place::new("sweep_map");
    let g = "[sweep]\n\"na.g_max\" = { from = \"30 mS/cm2\", to = \"300 mS/cm2\", count = 4, scale = \"log\" }\n";
    let stable = ("\"rk4\"", "\"exp_euler\"");
    place.write("sweep.toml", &sweep(&[("[sweep]\n", g), stable]));
    for file in ["map.svg", "map.png"] {
        let arguments = ["run", "sweep.toml", "--plot-sweep", file];
        assert_has(
            &place.braincell(&arguments).success(),
            &["cells     20", file],
        );
    }
    let plot = place.text("map.svg");
    assert_has(
        &plot,
        &[
            "na.g_max [mS/cm²]",
            "stimulus.amplitude [µA/cm²]",
            "firing rate [Hz]",
            "\n100\n",
        ],
    );
    // Drawn values, three quantities, and no spikes detected.
    let random = "[sweep]\ncount = 6\nC = { distribution = \"normal\", mean = \"1 uF/cm2\", sd = \"0.1 uF/cm2\" }\n";
    let text = sweep(&[("[sweep]\n", random), ("count = 5", "count = 6")]);
    place.write("random.toml", &text[..text.find("[spikes]").unwrap()]);
    let arguments = ["run", "random.toml", "--plot-sweep", "random.svg"];
    place.braincell(&arguments).success();
    assert_has(&place.text("random.svg"), &["max_V [mV]"]);
    let third = format!("{g}C = [\"1 uF/cm2\"]\n");
    place.write("three.toml", &sweep(&[("[sweep]\n", &third)]));
    let arguments = ["run", "three.toml", "--plot-sweep", "three.svg"];
    assert_has(
        &place.braincell(&arguments).failure(),
        &["3 quantities", "1 or 2"],
    );
    assert!(!place.exists("three.svg"));
}

#[test]
fn what_cannot_be_is_refused_before_the_run() {
    let place = Place::new("sweep_refused");
    place.write(
        "hh.toml",
        &hh(&[("[record]", "[record]\nevery = \"0.1 ms\"")]),
    );
    place.write("sweep.toml", &sweep(&[]));
    for (arguments, parts) in [
        (
            &["hh.toml", "--plot-sweep", "a.svg"][..],
            &["--plot-sweep", "no section [sweep]"][..],
        ),
        (
            &["sweep.toml", "--plot-sweep", "a.pdf"],
            &["a.pdf", ".svg or .png"],
        ),
        (
            &["sweep.toml", "--plot-sweep", "no/a.svg"],
            &["no directory no"],
        ),
        (&["hh.toml", "--threads", "0"], &["--threads", "above 0"]),
        (&["hh.toml", "--threads", "-3"], &["--threads", "above 0"]),
        (&["hh.toml", "--threads", "many"], &["--threads", "above 0"]),
        (
            &["hh.toml", "--precision", "half"],
            &["--precision", "single or double"],
        ),
        (
            &[
                "hh.toml",
                "--precision",
                "single",
                "--solver",
                "dopri54",
                "--tolerance",
                "1e-9",
            ],
            &["--tolerance", "single precision", "ask for that or more"],
        ),
    ] {
        let message = place.braincell(&[&["run"], arguments].concat()).failure();
        assert_has(&message, parts);
    }
    assert_eq!(place.files(), ["hh.toml", "sweep.toml"]);
    // Gradients and fits are computed in double precision.
    let single = hh(&[("[run]", "[run]\nprecision = \"single\"")]);
    place.write("single.toml", &single);
    let arguments = [
        "gradient",
        "single.toml",
        "--of",
        "spike_time(V, 0)",
        "--wrt",
        "C",
    ];
    assert_has(
        &place.braincell(&arguments).failure(),
        &["run.precision", "double precision"],
    );
}

#[test]
fn single_precision_gives_nearly_the_same() {
    let place = Place::new("single");
    place.write("hh.toml", &hh(&[]));
    let spikes = |arguments: &[&str]| -> Vec<f64> {
        let arguments = [&["run", "hh.toml", "--out", "out.csv"], arguments].concat();
        place.braincell(&arguments).success();
        let table = braincell::output::read_csv(place.path("out.csv")).unwrap();
        table.events[0].times.clone()
    };
    let (single, double) = (spikes(&["--precision", "single"]), spikes(&[]));
    assert!(place.text("out.csv").contains("# title"));
    assert_eq!(single.len(), double.len());
    assert_ne!(single, double);
    for (a, b) in single.iter().zip(&double) {
        assert!((a - b).abs() < 1e-3, "{a} {b}");
    }
}
