//! Runs in parts, streamed runs and restarts give the bits of one run; damaged checkpoints are refused.

#![cfg(all(
    feature = "rk",
    feature = "implicit",
    feature = "expeuler",
    feature = "cable"
))]

mod damage;
mod parts;

use braincell::experiment::Experiment;
use braincell::kernel::Storage;
use braincell::model::{DiffEqState, Model, Ode, Parameter, ode};
use braincell::real::Real;
use braincell::simulation::{Recording, Setup, Simulation, Tolerances};
use std::fs;
use std::path::Path;

/// Geometric Brownian motion.
struct Noisy;

impl Ode<1, 2> for Noisy {
    fn states(&self) -> [DiffEqState; 1] {
        [DiffEqState::new("x", 1.0)]
    }
    fn parameters(&self) -> [Parameter; 2] {
        [Parameter::new("mu", 0.5), Parameter::new("sigma", 0.7)]
    }
    fn derivative<R: Real>(&self, _t: R, [x]: [R; 1], [mu, _]: [R; 2]) -> [R; 1] {
        [mu * x]
    }
    const STOCHASTIC: bool = true;
    fn diffusion<R: Real>(&self, _t: R, [x]: [R; 1], [_, sigma]: [R; 2]) -> [R; 1] {
        [sigma * x]
    }
}

/// An experiment of the examples, with its text changed.
fn experiment(name: &str, replacements: &[(&str, &str)]) -> Experiment {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name);
    let mut text = fs::read_to_string(&path).unwrap();
    for (old, new) in replacements {
        assert!(text.contains(old), "{old:?} is not in {name}");
        text = text.replacen(old, new, 1);
    }
    Experiment::parse(&text, &path).unwrap_or_else(|error| panic!("{error}"))
}

/// A run to be made in several ways.
struct Case {
    name: &'static str,
    model: Model,
    setup: Setup,
    until: f64,
}

impl Case {
    fn new(name: &'static str, model: &Model, setup: Setup, until: f64) -> Self {
        let model = model.clone();
        Self {
            name,
            model,
            setup,
            until,
        }
    }

    fn start<F: Storage>(&self) -> Simulation<F> {
        let run = self.setup.start(braincell::solvers(), &self.model);
        run.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// Every kind of run: fixed and adaptive steps, noise, populations in several tiles, branched cells, states with solvers
/// of their own.
fn cases() -> Vec<Case> {
    let hh = experiment("hh.toml", &[]).model;
    let fewer = [
        ("cells = 100", "cells = 21"),
        ("[0, 33, 66, 99]", "[0, 20]"),
    ];
    let crowd = experiment("population.toml", &fewer).model;
    let branched = experiment("branched.toml", &[]).model;
    let noisy = Model::population(&ode(Noisy), 5).unwrap();
    let scheme = experiment(
        "hh.toml",
        &[
            ("type = \"na_hh1952\"", "type = \"na_hh1952_scheme\""),
            ("\"na.m\", \"na.h\", ", ""),
        ],
    );
    let all = |setup: Setup| setup.record("V").record("stimulus").spikes("V", 0.0);
    let watched = |setup: Setup| setup.statistics("V").statistics("stimulus");
    let adaptive = |setup: Setup| watched(all(setup)).every(0.1);
    let tolerances = Tolerances::new(1e-5);
    let hits = Tolerances {
        hit_samples: true,
        ..tolerances.clone()
    };
    vec![
        Case::new("fixed", &hh, watched(all(Setup::new("rk4", 0.025))), 40.0),
        Case::new(
            "seldom",
            &hh,
            all(Setup::new("exp_euler", 0.03)).every(0.21),
            39.9,
        ),
        Case::new("off the grid", &hh, all(Setup::new("rk4", 0.03)), 40.0),
        Case::new("implicit", &hh, all(Setup::new("radau5", 0.1)), 30.0),
        Case::new(
            "spikes alone",
            &hh,
            Setup::new("rk4", 0.025).spikes("V", 0.0),
            40.0,
        ),
        Case::new(
            "adaptive",
            &hh,
            adaptive(Setup::adaptive("dopri54", tolerances.clone())),
            40.0,
        ),
        Case::new(
            "samples hit",
            &hh,
            adaptive(Setup::adaptive("dopri54", hits)),
            40.0,
        ),
        Case::new(
            "adaptive implicit",
            &crowd,
            adaptive(Setup::adaptive("radau5", tolerances)),
            30.0,
        ),
        Case::new(
            "population",
            &crowd,
            watched(all(Setup::new("rk4", 0.025))).every(0.1).tile(4),
            30.0,
        ),
        Case::new(
            "noise",
            &noisy,
            Setup::new("milstein", 0.001).record("x").seed(3).tile(2),
            1.0,
        ),
        Case::new(
            "branched",
            &branched,
            Setup::new("staggered", 0.025).record("V").spikes("V", 0.0),
            10.0,
        ),
        Case::new(
            "branched implicit",
            &branched,
            Setup::new("backward_euler", 0.025)
                .record("V")
                .spikes("V", 0.0),
            10.0,
        ),
        Case::new(
            "solver of its own",
            &scheme.model,
            all(Setup::new("rk4", 0.02)),
            20.0,
        ),
    ]
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// All that a run has recorded, to the bit.
#[derive(Debug, Default, PartialEq)]
struct Bits {
    times: Vec<u64>,
    data: Vec<u64>,
    spikes: Vec<Vec<u64>>,
}

impl Bits {
    /// Adds what was handed out.
    fn add(&mut self, recording: &Recording) {
        self.times.extend(bits(recording.times()));
        self.data
            .extend(recording.data().iter().map(|x| x.to_bits()));
        self.spikes.resize(recording.spikes().len(), Vec::new());
        for (all, train) in self.spikes.iter_mut().zip(recording.spikes()) {
            all.extend(bits(&train.times));
        }
    }

    fn of(recording: &Recording) -> Self {
        let mut all = Self::default();
        all.add(recording);
        all
    }
}

/// All states to the bit.
fn states<F: Storage>(run: &mut Simulation<F>) -> Vec<u64> {
    let names: Vec<String> = (run.model().state_names().iter())
        .map(|name| name.to_string())
        .collect();
    let cells = run.model().cells();
    let mut all = Vec::new();
    for name in names {
        let rows = run.model().elements(&name).unwrap();
        let state = run.state(&name).unwrap();
        for cell in 0..cells {
            all.extend((0..rows).map(|row| state.value.at(row, cell).to_bits()));
        }
    }
    all
}
