//! Runs that are killed at any moment.
#![cfg(unix)]

use crate::{Place, example};
use braincell::output::read_csv;
use ndarray::Array2;
use ndarray_npy::ReadNpyExt;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

/// Kills, over all formats.
const KILLS: u32 = 20;

/// A number in 0..1 that looks random.
fn random(seed: &mut u64) -> f64 {
    *seed = seed
        .wrapping_mul(6364136223846793005)
        .wrapping_add(1442695040888963407);
    (*seed >> 11) as f64 / (1u64 << 53) as f64
}

/// Looks whether what is there can be read; a run that was killed at once has left nothing.
fn readable(place: &Place, format: &str) -> usize {
    match format {
        "csv" if place.exists("t.csv") && fs::metadata(place.path("t.csv")).unwrap().len() > 0 => {
            let table = read_csv(place.path("t.csv")).unwrap();
            assert!(!table.metadata.complete || table.time.len() == 40001);
            table.time.len()
        }
        "npz" if place.exists("t.npz.rows.npy") => {
            let bytes = fs::read(place.path("t.npz.rows.npy")).unwrap();
            if bytes.is_empty() {
                return 0;
            }
            // As NumPy reads it: so many rows as the header tells, whatever follows.
            let header = std::str::from_utf8(&bytes[10..128]).unwrap();
            let shape = header.split_once("'shape': (").unwrap().1;
            let rows: usize = shape.split(',').next().unwrap().parse().unwrap();
            let known = bytes[..128 + 8 * 5 * rows].to_vec();
            Array2::<f64>::read_npy(&known[..]).unwrap().nrows()
        }
        _ => 0,
    }
}

#[test]
fn killed_runs_go_on_to_the_same_bytes() {
    let text = example("population.toml");
    let text = text.replace("cells = 100", "cells = 5");
    let text = text.replace("[0, 33, 66, 99]", "[0, 4]");
    let text = text.replace("every = \"0.1 ms\"", "every = \"0.5 ms\"");
    let text = text.replace("duration = \"200 ms\"", "duration = \"20 s\"");
    let mut seed = 7;
    let (mut kills, mut resumed) = (0, 0);
    for format in ["csv", "npz"] {
        let place = Place::new(&format!("killed_{format}"));
        place.write("e.toml", &text);
        let (whole, out) = (format!("whole.{format}"), format!("t.{format}"));
        let run = ["run", "e.toml", "--quiet", "--out"];
        place.braincell(&[&run[..], &[&whole]].concat()).success();
        let whole = fs::read(place.path(&whole)).unwrap();
        let run = [&run[..], &[&out, "--checkpoint", "c", "--every", "0.1 s"]].concat();
        let resume = ["resume", "c", "--quiet"];
        let enough = KILLS / 2 * if format == "csv" { 1 } else { 2 };
        let mut rows = 0;
        loop {
            let from_checkpoint = place.exists("c");
            let arguments = if from_checkpoint {
                &resume[..]
            } else {
                &run[..]
            };
            if kills >= enough {
                place.braincell(arguments).success();
            } else {
                let mut child = place
                    .command(arguments)
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap();
                std::thread::sleep(Duration::from_secs_f64(0.02 + 0.3 * random(&mut seed)));
                child.kill().unwrap();
                if !child.wait().unwrap().success() {
                    kills += 1;
                    resumed += u32::from(from_checkpoint);
                    let found = readable(&place, format);
                    // What a checkpoint holds is not lost.
                    rows = rows.max(found);
                    continue;
                }
            }
            assert!(
                fs::read(place.path(&out)).unwrap() == whole,
                "{out} differs"
            );
            if kills >= enough {
                break;
            }
            fs::remove_file(place.path("c")).unwrap();
        }
        assert!(rows > 0, "every run was killed before it wrote anything");
    }
    println!("{kills} kills, {resumed} of them of resumed runs");
    assert!(resumed > 0);
}
