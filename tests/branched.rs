//! Branched cells with every part in place, against traces of other programs and against themselves.

use braincell::cells::discretisation::{Discretisation, Location, Policy};
use braincell::cells::morphology::{BranchSpec, BranchType, Frustum, Morphology, Region};
use braincell::cells::{MultiCompartment, Placed, mechanisms};
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::{Recording, Setup};
use std::path::Path;

fn placed(label: &str, name: &str) -> Placed {
    Placed::new(label, mechanisms::find(name).unwrap())
}

/// Hodgkin-Huxley membrane everywhere.
fn hodgkin_huxley(d: Discretisation) -> MultiCompartment {
    [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")]
        .into_iter()
        .fold(MultiCompartment::new(d), |cell, (label, name)| {
            cell.paint(Region::all(), placed(label, name)).unwrap()
        })
}

fn at(branch: usize, x: f64) -> Location {
    Location::At { branch, x }
}

fn run(cell: &MultiCompartment, solver: &str, dt: f64, until: f64, what: &[&str]) -> Recording {
    let model = Model::new(cell).unwrap();
    let setup = Setup::new(solver, dt).every(1.0);
    let setup = what.iter().fold(setup, |setup, &what| setup.record(what));
    let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
    if let Err(error) = run.run(until) {
        panic!("{solver}: {error}");
    }
    run.recording().clone()
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

fn column(recording: &Recording, name: &str) -> Vec<f64> {
    recording.trace(name).unwrap().to_vec()
}

fn spec(kind: BranchType, parent: Option<usize>, length: f64, r0: f64, r1: f64) -> BranchSpec {
    let frusta = vec![Frustum::new(length, r0, r1)];
    match parent {
        None => BranchSpec::root(kind, frusta),
        Some(parent) => BranchSpec::child(parent, 1.0, kind, frusta),
    }
}

/// A soma with a dendrite that forks.
fn fork() -> Vec<BranchSpec> {
    use BranchType::{BasalDendrite, Soma};
    vec![
        spec(Soma, None, 20.0, 10.0, 10.0),
        spec(BasalDendrite, Some(0), 150.0, 1.5, 1.0),
        spec(BasalDendrite, Some(1), 100.0, 1.0, 0.5),
        spec(BasalDendrite, Some(1), 120.0, 0.8, 0.6),
    ]
}

fn cut(branches: Vec<BranchSpec>, policy: Policy) -> Discretisation {
    let morphology = Morphology::new(branches).unwrap();
    Discretisation::new(morphology, &policy.into(), 100.0).unwrap()
}

struct Row {
    name: String,
    dt: f64,
    cv: usize,
    values: Vec<f64>,
}

fn rows() -> Vec<Row> {
    let lines = include_str!("data/hh_tree.txt").lines();
    let rows = lines.filter(|line| !line.starts_with('#')).map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        Row {
            name: words[0].to_string(),
            dt: words[1].parse().unwrap(),
            cv: words[2].parse().unwrap(),
            values: words[3..].iter().map(|x| x.parse().unwrap()).collect(),
        }
    });
    rows.collect()
}

fn clamped_fork() -> MultiCompartment {
    hodgkin_huxley(cut(fork(), Policy::Count(1)))
        .clamp("clamp", at(0, 0.5), Input::step(0.5, 5.0, 45.0))
        .unwrap()
}

#[test]
fn staggered_gives_the_traces_of_the_reference() {
    let cell = clamped_fork();
    for dt in [0.05, 0.025, 0.01] {
        let recording = run(&cell, "staggered", dt, 50.0, &["V"]);
        let rows = rows().into_iter();
        let rows = rows.filter(|row| row.name == "staggered" && row.dt == dt);
        let largest =
            rows.map(|row| difference(&column(&recording, &format!("V[{}]", row.cv)), &row.values));
        let largest = largest.fold(0.0, f64::max);
        println!("staggered, dt = {dt} ms: {largest:.2e} mV");
        assert!(largest < 1e-8, "dt = {dt}: {largest:e} mV");
    }
}

#[test]
fn second_order_schemes_are_as_near_the_solution_as_neurons() {
    let rows = rows();
    let error_of = |trace: &dyn Fn(usize) -> Vec<f64>| {
        let rows = rows.iter().filter(|row| row.name == "reference");
        rows.map(|row| difference(&trace(row.cv), &row.values))
            .fold(0.0, f64::max)
    };
    let neuron = |cv: usize| {
        let row = rows.iter().find(|r| r.name == "neuron2" && r.cv == cv);
        row.unwrap().values.clone()
    };
    let neuron = error_of(&neuron);
    let cell = clamped_fork();
    println!("NEURON, secondorder = 2, dt = 0.025 ms: {neuron:.4} mV");
    for solver in ["cn_exp_euler", "staggered2", "exp_euler", "rk4", "gauss4"] {
        let error = |dt: f64| {
            let recording = run(&cell, solver, dt, 50.0, &["V"]);
            error_of(&|cv| column(&recording, &format!("V[{cv}]")))
        };
        let errors = [0.025, 0.0125, 0.00625].map(error);
        println!("{solver}: {errors:?} mV at dt = 0.025, 0.0125, 0.00625 ms");
        if solver != "exp_euler" {
            assert!(errors[0] <= neuron * 1.001, "{solver}: {errors:?}");
        }
    }
}

#[test]
fn a_reconstructed_neuron_gives_the_traces_of_the_reference() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let (swc, json) = (
        shared.join("morphology/io.swc"),
        shared.join("reference/io_swc_hh.json"),
    );
    if !swc.exists() || !json.exists() {
        println!("SKIPPED: {} is absent", shared.display());
        return;
    }
    let json = std::fs::read_to_string(json).unwrap();
    let morphology = Morphology::load(swc).unwrap();
    let d = Discretisation::new(morphology, &Policy::MaxLength(60.0).into(), 100.0).unwrap();
    let cell = hodgkin_huxley(d)
        .clamp("clamp", at(0, 0.5), Input::step(2.0, 5.0, 45.0))
        .unwrap();
    for dt in [0.05, 0.025] {
        let recording = run(&cell, "staggered", dt, 50.0, &["V"]);
        let start = json.find(&format!("\"dt_ms\":{dt},")).unwrap();
        let traces = &json[start + json[start..].find("\"V_mV\"").unwrap()..];
        let mut largest = 0.0f64;
        for cv in [0, 8, 17, 35, 53, 70] {
            let key = format!("\"{cv}\":[");
            let from = traces.find(&key).unwrap() + key.len();
            let to = from + traces[from..].find(']').unwrap();
            let theirs: Vec<f64> = traces[from..to]
                .split(',')
                .map(|x| x.trim().parse().unwrap())
                .collect();
            let ours = column(&recording, &format!("V[{cv}]"));
            largest = largest.max(difference(&ours, &theirs));
        }
        println!("staggered, dt = {dt} ms: {largest:.2e} mV");
        assert!(largest < 1e-8, "dt = {dt}: {largest:e} mV");
    }
}
