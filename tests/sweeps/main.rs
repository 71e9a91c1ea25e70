//! Populations and sweeps of experiment files: what each cell gets, and what is refused.

mod files;
mod refused;
mod runs;

use braincell::experiment::Experiment;
use braincell::model::Model;
use std::fs;
use std::path::{Path, PathBuf};

fn directory(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("sweeps")
        .join(name);
    fs::create_dir_all(&path).unwrap();
    path
}

/// A Hodgkin-Huxley neuron with replacements of pieces of its text.
fn hh(replacements: &[(&str, &str)], more: &str) -> String {
    let mut text = r#"
[model]
kind = "single_compartment"
capacitance = "1 uF/cm2"
[mechanisms.na]
type = "na_hh1952"
g_max = "120 mS/cm2"
[mechanisms.k]
type = "k_hh1952"
[mechanisms.leak]
type = "leak"
[inputs.stimulus]
kind = "step"
amplitude = "10 uA/cm2"
start = "2 ms"
[run]
solver = "rk4"
dt = "0.02 ms"
duration = "20 ms"
[record]
variables = ["V", "na.m"]
[spikes]
threshold = "0 mV"
"#
    .to_string();
    for (old, new) in replacements {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    text + more
}

fn parse(text: &str) -> Experiment {
    Experiment::parse(text, "e.toml").unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str, parts: &[&str]) {
    refused_at(text, Path::new("e.toml"), parts);
}

fn refused_at(text: &str, path: &Path, parts: &[&str]) {
    let error = Experiment::parse(text, path)
        .err()
        .expect("an error")
        .to_string();
    for part in parts {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

fn of_cells(model: &Model, name: &str) -> Vec<f64> {
    let values = &model.parameter(name).unwrap().value;
    (0..model.cells()).map(|cell| values.at(0, cell)).collect()
}
