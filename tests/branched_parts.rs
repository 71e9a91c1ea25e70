//! Clamps, probes, synapses and partly covered regions of branched cells, against what they must give.

use braincell::cells::discretisation::{Discretisation, Location, Policy};
use braincell::cells::morphology::{BranchSpec, BranchType, Frustum, Morphology, Region};
use braincell::cells::multi::Synapse;
use braincell::cells::{MultiCompartment, Placed, Profile, mechanisms};
use braincell::input::Input;
use braincell::model::{Model, Values};
use braincell::simulation::{Recording, Setup};

fn placed(label: &str, name: &str) -> Placed {
    Placed::new(label, mechanisms::find(name).unwrap())
}

fn at(branch: usize, x: f64) -> Location {
    Location::At { branch, x }
}

fn simulate(model: &Model, solver: &str, dt: f64, until: f64, what: &[&str]) -> Recording {
    let setup = Setup::new(solver, dt).every(1.0);
    let setup = what.iter().fold(setup, |setup, &what| setup.record(what));
    let mut run = setup.start::<f64>(braincell::solvers(), model).unwrap();
    if let Err(error) = run.run(until) {
        panic!("{solver}: {error}");
    }
    run.recording().clone()
}

fn run(cell: &MultiCompartment, solver: &str, dt: f64, until: f64, what: &[&str]) -> Recording {
    simulate(&Model::new(cell).unwrap(), solver, dt, until, what)
}

fn column(recording: &Recording, name: &str) -> Vec<f64> {
    recording.trace(name).unwrap().to_vec()
}

fn last(recording: &Recording, name: &str) -> f64 {
    *column(recording, name).last().unwrap()
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Branches (parent, length, radius) of one type each: soma first.
fn cell_of(branches: &[(Option<usize>, f64, f64)], policy: Policy) -> Discretisation {
    let specs = branches.iter().map(|&(parent, length, radius)| {
        let frusta = vec![Frustum::new(length, radius, radius)];
        match parent {
            None => BranchSpec::root(BranchType::Soma, frusta),
            Some(parent) => BranchSpec::child(parent, 1.0, BranchType::BasalDendrite, frusta),
        }
    });
    let morphology = Morphology::new(specs.collect()).unwrap();
    Discretisation::new(morphology, &policy.into(), 100.0).unwrap()
}

const FORK: [(Option<usize>, f64, f64); 4] = [
    (None, 20.0, 10.0),
    (Some(0), 150.0, 1.25),
    (Some(1), 100.0, 0.75),
    (Some(1), 120.0, 0.7),
];

fn passive(d: Discretisation) -> MultiCompartment {
    MultiCompartment::new(d)
        .paint(Region::all(), placed("leak", "leak"))
        .unwrap()
}

/// Active soma and passive dendrites, with a weak current at an end and one at a branch point.
fn clamped() -> MultiCompartment {
    let soma = Region::of_type(BranchType::Soma);
    passive(cell_of(&FORK, Policy::Count(1)))
        .paint(soma.clone(), placed("na", "na_hh1952"))
        .unwrap()
        .paint(soma, placed("k", "k_hh1952"))
        .unwrap()
        .clamp("end", at(2, 1.0), Input::step(0.02, 2.0, 8.0))
        .unwrap()
        .clamp("fork", at(1, 1.0), Input::sine(0.01, 0.1, 0.3))
        .unwrap()
        .probe("tip", at(2, 1.0))
        .unwrap()
        .probe("branching", at(3, 0.0))
        .unwrap()
}

#[test]
fn every_solver_sees_a_current_at_an_end_and_at_a_branch_point() {
    let what = ["V", "tip", "branching"];
    let cell = clamped();
    let exact = run(&cell, "gauss4", 0.0025, 10.0, &what);
    let tip = column(&exact, "tip");
    let swing = tip.iter().fold(0.0f64, |m, v| m.max((v - tip[0]).abs()));
    assert!(swing > 2.0, "the clamp has an effect of {swing} mV");
    for entry in braincell::solvers().entries() {
        let info = &entry.info;
        if info.needs.noise || info.name == "dhs_voltage" {
            continue;
        }
        let error = |dt: f64| {
            let got = run(&cell, &info.name, dt, 10.0, &what);
            let pairs = got.traces().zip(exact.traces());
            pairs
                .map(|(a, b)| difference(&a.values.to_vec(), &b.values.to_vec()))
                .fold(0.0, f64::max)
        };
        let errors = [0.01, 0.005].map(error);
        println!(
            "{:16} order {} {:.1e} {:.1e} mV",
            info.name, info.order, errors[0], errors[1]
        );
        // ind_exp_euler has the greatest error: it holds the neighbours of a compartment fixed.
        let bound = if info.order > 1 { 0.01 } else { 0.5 };
        assert!(errors[0] < bound, "{}: {errors:?} mV", info.name);
        assert!(
            errors[1] < 0.6 * errors[0] || errors[1] < 1e-7,
            "{}: {errors:?} mV",
            info.name
        );
    }
}

#[test]
fn the_potential_of_an_end_is_that_of_its_centre_and_the_drop_between() {
    let cell = passive(cell_of(&FORK, Policy::Count(3)))
        .clamp("clamp", at(3, 1.0), Input::constant(0.03))
        .unwrap()
        .probe("end", at(3, 1.0))
        .unwrap()
        .probe("free", at(2, 1.0))
        .unwrap();
    let d = cell.discretisation();
    let half = d.edges().iter().find(|e| e.child == d.branch_ends()[3].1);
    let drop = 0.03 / half.unwrap().conductance;
    let (here, other) = (d.cvs().len() - 1, d.branch_cvs()[2].end - 1);
    let got = run(&cell, "backward_euler", 0.1, 20.0, &["V", "end", "free"]);
    let v = |cv| last(&got, &format!("V[{cv}]"));
    println!("drop {drop} mV, free end {}", last(&got, "free") - v(other));
    assert!((last(&got, "end") - v(here) - drop).abs() < 1e-10);
    assert!((last(&got, "free") - v(other)).abs() < 1e-10);
}

#[test]
fn the_order_of_branches_does_not_matter() {
    let order = [0, 1, 3, 2];
    let mut exchanged = order.map(|k| FORK[k]);
    exchanged[2].0 = Some(1);
    let cell = |branches: &[_]| {
        ["na_hh1952", "k_hh1952"].into_iter().fold(
            passive(cell_of(branches, Policy::Count(3))),
            |cell, name| cell.paint(Region::all(), placed(name, name)).unwrap(),
        )
    };
    let clamp = |cell: MultiCompartment| {
        cell.clamp("clamp", at(0, 0.5), Input::step(0.6, 1.0, 30.0))
            .unwrap()
    };
    let a = run(&clamp(cell(&FORK)), "staggered", 0.025, 30.0, &["V"]);
    let b = run(&clamp(cell(&exchanged)), "staggered", 0.025, 30.0, &["V"]);
    let mut largest = 0.0f64;
    for (branch, other) in order.iter().enumerate() {
        for k in 0..3 {
            let a = column(&a, &format!("V[{}]", 3 * branch + k));
            let b = column(&b, &format!("V[{}]", 3 * other + k));
            largest = largest.max(difference(&a, &b));
        }
    }
    println!("largest difference {largest:.2e} mV");
    assert!(largest < 1e-9, "{largest:e} mV");
}

#[test]
fn a_current_acts_on_the_covered_part() {
    // The dendrite begins 20 µm from the root; each of its control volumes is 50 µm long.
    let near = Region::path_distance(20.0, 82.5);
    let d = || cell_of(&FORK[..2], Policy::Count(3));
    let kick = |cell: MultiCompartment| {
        cell.clamp("clamp", at(0, 0.5), Input::constant(0.05))
            .unwrap()
    };
    let part = kick(passive(d()).paint(near, placed("h", "leak")).unwrap());
    let whole = Values::PerElement(vec![0.3, 0.25 * 0.3]);
    let whole = placed("h", "leak").with("g_max", whole).unwrap();
    let whole = kick(
        passive(d())
            .paint(Region::path_distance(20.0, 120.0), whole)
            .unwrap(),
    );
    let model = Model::new(&part).unwrap();
    assert_eq!(model.parameter("h.cover").unwrap().value.at(0, 0), 1.0);
    assert!((model.parameter("h.cover").unwrap().value.at(1, 0) - 0.25).abs() < 1e-12);
    // A mechanism that covers whole control volumes has no such parameter.
    assert!(Model::new(&whole).unwrap().parameter("h.cover").is_err());
    let [a, b] = [part, whole].map(|cell| run(&cell, "cn_exp_euler", 0.05, 20.0, &["V"]));
    for cv in 0..4 {
        let name = format!("V[{cv}]");
        assert!(difference(&column(&a, &name), &column(&b, &name)) < 1e-10);
    }
}

#[test]
fn a_pool_takes_the_current_of_the_part_that_it_covers() {
    let half = || Region::path_distance(0.0, 10.0);
    let cell = |region: fn() -> Region, channel: Region, factor: f64| {
        let ca = placed("cat", "cat_hm1992")
            .with("g_max", 2.0 * factor)
            .unwrap();
        let pool = placed("ca", "calcium_detailed").with("d", factor).unwrap();
        passive(cell_of(&FORK[..1], Policy::Count(1)))
            .paint(region(), pool)
            .unwrap()
            .paint(channel, ca)
            .unwrap()
            .clamp("clamp", at(0, 0.5), Input::step(-0.1, 0.0, 50.0))
            .unwrap()
    };
    let what = ["V", "ca.c_in"];
    let a = run(
        &cell(|| Region::path_distance(0.0, 10.0), half(), 1.0),
        "rk4",
        0.02,
        100.0,
        &what,
    );
    let b = run(
        &cell(Region::all, Region::all(), 0.5),
        "rk4",
        0.02,
        100.0,
        &what,
    );
    // The pool is everywhere and twice as shallow, the channel in half of it.
    let pool = placed("ca", "calcium_detailed").with("d", 0.5).unwrap();
    let c = passive(cell_of(&FORK[..1], Policy::Count(1)))
        .paint(Region::all(), pool)
        .unwrap()
        .paint(
            half(),
            placed("cat", "cat_hm1992").with("g_max", 2.0).unwrap(),
        )
        .unwrap()
        .clamp("clamp", at(0, 0.5), Input::step(-0.1, 0.0, 50.0))
        .unwrap();
    let c = run(&c, "rk4", 0.02, 100.0, &what);
    for name in what {
        let [a, b, c] = [&a, &b, &c].map(|r| column(r, name));
        let swing = a.iter().fold(0.0f64, |m, v| m.max((v - a[0]).abs()));
        println!(
            "{name} moves by {swing:.3e}: {:.1e} {:.1e}",
            difference(&a, &b),
            difference(&a, &c)
        );
        assert!(swing > 1e-4);
        assert!(difference(&a, &b) < 1e-8 * swing && difference(&a, &c) < 1e-8 * swing);
    }
}

/// µS of 1 mS/cm² on 1 µm².
const MICROSIEMENS: f64 = 1e-5;

#[test]
fn a_constant_conductance_pulls_to_its_reversal_potential() {
    let d = || cell_of(&FORK[..1], Policy::Count(1));
    let synapse = || Synapse::exponential(1e18, 20.0, 0.004).events([0.0]);
    let leak = 0.3 * MICROSIEMENS * d().cvs()[0].area;
    let axial = d().edges()[0].conductance;
    for (x, g) in [(0.5, 0.004), (1.0, 0.004 * axial / (0.004 + axial))] {
        let cell = passive(d()).synapse("syn", at(0, x), synapse()).unwrap();
        let got = run(&cell, "rk4", 0.01, 60.0, &["V", "syn.I"]);
        let v = (leak * -54.387 + g * 20.0) / (leak + g);
        println!("x = {x}: {} mV, expected {v}", last(&got, "V"));
        assert!((last(&got, "V") - v).abs() < 1e-9);
        assert!((last(&got, "syn.I") - g * (20.0 - v)).abs() < 1e-9);
    }
}

#[test]
fn a_synapse_at_a_branch_point_brings_its_whole_current() {
    let g = 0.002;
    let cell = passive(cell_of(&FORK, Policy::Count(3)))
        .synapse(
            "syn",
            at(1, 1.0),
            Synapse::exponential(1e18, 0.0, g).events([0.0]),
        )
        .unwrap()
        .probe("there", at(1, 1.0))
        .unwrap();
    let d = cell.discretisation();
    let point = d.branch_ends()[1].1;
    let around = d
        .edges()
        .iter()
        .filter(|e| e.parent == point || e.child == point);
    let axial: f64 = around.map(|e| e.conductance).sum();
    let got = run(
        &cell,
        "backward_euler",
        0.1,
        300.0,
        &["syn.I", "there", "V"],
    );
    let expected = g * axial / (g + axial) * (0.0 - last(&got, "there"));
    println!("{} nA of {expected} nA", last(&got, "syn.I"));
    assert!((last(&got, "syn.I") - expected).abs() < 1e-12);
    // In the steady state all of it leaves through the leak.
    let lost =
        d.cvs().iter().enumerate().map(|(k, cv)| {
            0.3 * MICROSIEMENS * cv.area * (last(&got, &format!("V[{k}]")) + 54.387)
        });
    assert!((lost.sum::<f64>() - expected).abs() < 1e-9);
}

#[test]
fn synaptic_events_keep_the_order_of_the_solver() {
    // Events fall between the steps.
    let cell = passive(cell_of(&FORK, Policy::Count(3)))
        .synapse(
            "a",
            at(2, 0.6),
            Synapse::exponential(2.0, 0.0, 1e-3).events([1.013, 3.307]),
        )
        .unwrap()
        .synapse(
            "b",
            at(3, 1.0),
            Synapse::biexponential(0.4, 3.0, -80.0, 2e-3).events([2.501]),
        )
        .unwrap();
    let exact = run(&cell, "gauss4", 0.0025, 8.0, &["V"]);
    for (solver, order) in [("cn_exp_euler", 2.0), ("staggered", 1.0), ("gauss4", 4.0)] {
        let error = |dt| {
            let got = run(&cell, solver, dt, 8.0, &["V"]);
            difference(&column(&got, "V[0]"), &column(&exact, "V[0]"))
        };
        let [coarse, fine] = [0.1, 0.05].map(error);
        let measured = (coarse / fine).log2();
        println!("{solver}: {coarse:.2e} {fine:.2e} mV, order {measured:.2}");
        assert!(measured > order - 0.3, "{solver}: {measured}");
    }
}

#[test]
fn cells_of_a_population_run_as_each_alone() {
    let amplitudes = [0.01, 0.03, -0.02];
    let conductance = Values::PerCell(vec![0.2, 0.3, 0.4]);
    let leak = placed("leak", "leak").with("g_max", conductance).unwrap();
    let base = MultiCompartment::new(cell_of(&FORK, Policy::Count(3)));
    let waves = amplitudes.map(|a| Input::step(a, 1.0, 5.0)).to_vec();
    let many = base
        .clone()
        .paint(Region::all(), leak)
        .unwrap()
        .clamps("clamp", at(2, 1.0), waves)
        .unwrap();
    let many = many.population(3).unwrap();
    let many = simulate(&many, "staggered", 0.05, 10.0, &["V"]);
    for (cell, g) in [0.2, 0.3, 0.4].into_iter().enumerate() {
        let leak = placed("leak", "leak").with("g_max", g).unwrap();
        let wave = Input::step(amplitudes[cell], 1.0, 5.0);
        let one = base
            .clone()
            .paint(Region::all(), leak)
            .unwrap()
            .clamp("clamp", at(2, 1.0), wave)
            .unwrap();
        let one = run(&one, "staggered", 0.05, 10.0, &["V"]);
        for name in ["V[0]", "V[7]"] {
            assert_eq!(column(&one, name), column(&many, &format!("{name}#{cell}")));
        }
    }
}

#[test]
fn a_parameter_may_follow_the_path_distance() {
    let profile = Profile::exponential(0.5, 0.1, 80.0);
    let leak = placed("leak", "leak")
        .with("g_max", profile.clone())
        .unwrap();
    let cell = MultiCompartment::new(cell_of(&FORK, Policy::Count(3)))
        .paint(Region::all(), leak)
        .unwrap();
    let model = Model::new(&cell).unwrap();
    let g = &model.parameter("leak.g_max").unwrap().value;
    for (k, cv) in cell.discretisation().cvs().iter().enumerate() {
        assert_eq!(g.at(k, 0), profile.at(cv.path_distance));
    }
    assert_eq!(g.at(1, 0), 0.1 + 0.4 * (-10.0f64 / 80.0).exp());
}
