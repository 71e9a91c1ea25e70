//! Comparison of solvers and inspection of models: `braincell compare`, `braincell inspect` and what is behind them.

mod command;
mod inspection;
mod jacobian;
mod measured;
mod refused;

use braincell::experiment::Experiment;
use std::path::Path;

/// The text of an example.
fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    std::fs::read_to_string(path.join(name)).unwrap()
}

/// The Hodgkin-Huxley example over 15 ms, in which there is one spike, with pieces of its text replaced.
fn hh(replacements: &[(&str, &str)]) -> Experiment {
    let mut text = example("hh.toml").replacen("duration = \"50 ms\"", "duration = \"15 ms\"", 1);
    for (old, new) in replacements {
        assert!(text.contains(old), "{old:?} is not in the example");
        text = text.replacen(old, new, 1);
    }
    Experiment::parse(&text, "hh.toml").unwrap()
}

/// Whether `text` has all of `parts`.
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}
