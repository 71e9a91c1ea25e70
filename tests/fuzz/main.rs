//! Whatever is in a file, reading it ends, never panics, and gives a result that makes sense or an error that says something.
//!
//! Inputs are made from examples by changes of their structure, see [`garble`]; [`driver`] tells how to run for longer.

mod container;
mod driver;
mod experiments;
mod garble;
#[cfg(feature = "plugins")]
mod programs;
mod tables;

use braincell::cells::morphology::{BranchType, Morphology, asc, swc};
use braincell::units::{Quantity, Unit, parse_in};
use driver::fuzz;
use garble::Vocabulary;
use std::fmt::Display;
use std::path::{Path, PathBuf};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// An error is a sentence, of a length that can be read.
fn speaks(error: &dyn Display) {
    let text = error.to_string();
    assert!(text.trim().len() > 3, "an error says {text:?}");
    assert!(text.len() < 5000, "an error of {} bytes", text.len());
}

/// Runs a target on garbled texts.
fn fuzz_text(name: &str, cases: u32, seeds: Vec<String>, target: impl Fn(&str)) {
    let words = Vocabulary::new(seeds);
    let input = |value: &_| words.text(value).into_bytes();
    fuzz(name, cases, words.texts(), input, |bytes| {
        target(std::str::from_utf8(bytes).expect("changes keep a text a text"));
    });
}

#[test]
fn units() {
    let seeds = [
        "0.12 S/cm2",
        "120 mS/cm^2",
        "120 mS/cm²",
        "1 µF/cm2",
        "100 Ω·cm",
        "-65 mV",
        "\u{2212}65mV",
        "5e-5 mM",
        "36 °C",
        "309.15 K",
        "1.2 /ms",
        "50 %",
        "3 1/(ms mV)",
        "3 ms⁻¹ mV⁻¹",
        "3 (m/s)^2",
        "8.314 J/(mol K)",
        "-2.5e-3 kHz",
        "1 ml",
    ];
    let seeds: Vec<String> = seeds.map(str::to_string).into();
    fuzz_text("units", 4000, seeds, |text| {
        match Quantity::parse(text) {
            Ok(quantity) => {
                let again = Quantity::parse(&quantity.to_string());
                assert_eq!(
                    again.as_ref(),
                    Ok(&quantity),
                    "{text:?} reads and writes {quantity}"
                );
            }
            Err(error) => speaks(&error),
        }
        match Unit::parse(text) {
            Ok(unit) => assert!(
                Unit::parse(&unit.to_string()).is_ok(),
                "{text:?} is written {unit}"
            ),
            Err(error) => speaks(&error),
        }
        for unit in ["mV", "mS/cm2", "1", "degC", text] {
            match parse_in(text, unit) {
                Ok(value) => assert!(value.is_finite(), "{text:?} is {value} {unit}"),
                Err(error) => speaks(&error),
            }
        }
    });
}

/// What was read is whole, and survives being written and read.
fn sound(read: &Morphology) {
    assert!(!read.branches().is_empty());
    assert!(read.area().is_finite() && read.area() > 0.0);
    assert!(read.total_length().is_finite());
    match swc::write(read, "a comment") {
        Ok(text) => {
            let again = swc::read(&text, &swc::SwcOptions::default());
            let again = again
                .unwrap_or_else(|error| panic!("what was written is refused: {error}\n{text}"));
            // A soma of several points may happen to close, which in a file means the outline of a sphere.
            if read.branches().iter().any(|b| b.kind() == BranchType::Soma) {
                return;
            }
            let (a, b) = (read.total_length(), again.total_length());
            assert!(
                (a - b).abs() <= 1e-6 * a.max(1.0),
                "{a} µm were written, {b} read:\n{text}"
            );
        }
        Err(error) => speaks(&error),
    }
}

#[test]
fn swc_files() {
    let branched = std::fs::read_to_string(examples().join("morphology/branched.swc")).unwrap();
    let seeds = [
        "1 1 0 0 0 5 -1\n2 1 0 -5 0 5 1\n3 1 0 5 0 5 1\n4 3 5 0 0 1 1\n5 3 25 0 0 1 4\n6 3 45 9 0 0.5 5\n7 3 45 -9 0 0.5 5\n",
        "# a chain\n1 1 0 0 0 4 -1\n2 1 8 0 0 4 1\n3 2 9 0 0 1 2\n4 2 90 0 0 1 3 extra\n",
        "1 1 4 0 0 1 -1\n2 1 0 4 0 1 1\n3 1 -4 0 0 1 2\n4 1 0 -4 0 1 3\n5 1 4 0 0 1 4\n6 4 9 0 0 1 1\n7 4 90 0 0 1 6\n",
    ];
    let seeds = seeds.map(str::to_string).into_iter().chain([branched]);
    fuzz_text("swc", 1500, seeds.collect(), |text| {
        for root in [None, Some(1)] {
            match swc::read(text, &swc::SwcOptions { root }) {
                Ok(morphology) => sound(&morphology),
                Err(error) => speaks(&error),
            }
        }
    });
}

#[test]
fn asc_files() {
    let seeds = [
        "; a comment\n(\"Cell Body\" (Color Red) (CellBody)\n (5 0 0 0) (0 5 0 0) (-5 0 0 0) (0 -5 0 0)\n)\n( (Color Blue) (Dendrite)\n \
         (5 0 0 2) (25 0 0 2)\n (\n  (45 9 0 1) (65 9 0 1) Normal\n |\n  (45 -9 0 1)\n  (<(50 -9 0 0.5)>) Incomplete\n )\n)\n",
        "( (Axon) (0 0 0 1 S1) (0 9 0 1) ( (0 20 0 1) | (9 20 0 1) | (-9 20 0 1) ( (1 30 0 1) | (2 30 0 1) ) ) )",
        "(\"Soma\" (CellBody) (0 0 0 9))\n((Apical) (0 9 0 1.5) (0 99 0 1.5) (Dot (Name \"m\") (0 5 0 1)))\n((0 -9 0 1) (0 -50 0 1))\n(ImageCoords)\n",
    ];
    fuzz_text(
        "asc",
        2500,
        seeds.map(str::to_string).into(),
        |text| match asc::read(text) {
            Ok(morphology) => sound(&morphology),
            Err(error) => speaks(&error),
        },
    );
}
