//! Rallpacks 1, 2 and 3: a passive cable, a passive tree and a Hodgkin-Huxley axon against analytic and converged solutions.
//!
//! U. S. Bhalla, D. H. Bilitch, J. M. Bower, Rallpacks: a set of benchmarks for neuronal simulators, Trends Neurosci. 15
//! (1992), [doi:10.1016/0166-2236(92)90009-W](https://doi.org/10.1016/0166-2236(92)90009-W).

use braincell::cells::discretisation::{Discretisation, Location, Policy};
use braincell::cells::morphology::{Morphology, Region, builders};
use braincell::cells::{MultiCompartment, Placed, mechanisms};
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::{Record, Setup};

/// The numbers of a row of the table.
fn row(name: &str) -> Vec<f64> {
    let lines = include_str!("data/rallpacks.txt").lines();
    let mut rows = lines.filter_map(|line| line.split_once(' '));
    let (_, numbers) = rows.find(|(found, _)| *found == name).unwrap();
    numbers.split(' ').map(|x| x.parse().unwrap()).collect()
}

fn placed(label: &str, name: &str, g_max: f64) -> Placed {
    let placed = Placed::new(label, mechanisms::find(name).unwrap());
    placed.with("g_max", g_max).unwrap()
}

/// 100 Ω·cm, 40 kΩ·cm², 1 µF/cm², -65 mV, and 0.1 nA into the centre of the first compartment.
fn passive(shape: Morphology, count: usize, first: f64) -> MultiCompartment {
    let cut = Discretisation::new(shape, &Policy::Count(count).into(), 100.0).unwrap();
    let leak = placed("leak", "leak", 0.025).with("E", -65.0).unwrap();
    let first = Location::At {
        branch: 0,
        x: first,
    };
    MultiCompartment::new(cut)
        .paint(Region::all(), leak)
        .unwrap()
        .clamp("stimulus", first, Input::constant(0.1))
        .unwrap()
}

/// 1 mm long, 1 µm thick, 1000 compartments.
fn cable() -> MultiCompartment {
    passive(builders::cylinder(1000.0, 0.5).unwrap(), 1000, 0.0005)
}

fn tree() -> MultiCompartment {
    let ratio = |power: f64| 2f64.powf(-power / 3.0);
    let shape = builders::binary_tree(10, 32.0, 16.0, ratio(1.0), ratio(2.0)).unwrap();
    passive(shape, 1, 0.5)
}

fn root_mean_square(x: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = x.len() as f64;
    (x.map(|x| x * x).sum::<f64>() / count).sqrt()
}

/// Root mean square of the difference, in percent of that of the depolarisation from -65 mV.
fn percent(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let difference = ours.iter().zip(theirs).map(|(a, b)| a - b);
    100.0 * root_mean_square(difference) / root_mean_square(theirs.iter().map(|v| v + 65.0))
}

fn potential(elements: &[usize]) -> Record {
    Record {
        elements: elements.to_vec(),
        ..Record::from("V")
    }
}

/// Errors at the near and the far end, in percent.
struct Errors {
    dt: f64,
    analytic: [f64; 2],
    discrete: [f64; 2],
}

fn errors(pack: u32, model: &Model, solver: &str, dt: f64) -> Errors {
    let last = model.elements("V").unwrap() - 1;
    let far = format!("V[{last}]");
    let ends = potential(&[0, last]);
    let setup = Setup::new(solver, dt).every(5.0).record(ends);
    let mut run = setup.start::<f64>(braincell::solvers(), model).unwrap();
    run.run(250.0).unwrap();
    let recording = run.recording();
    let against = |what: &str| {
        [("V[0]", "0"), (&far, "x")].map(|(column, end)| {
            let trace = recording.trace(column).unwrap().to_vec();
            percent(&trace, &row(&format!("{pack}_{what}_{end}")))
        })
    };
    Errors {
        dt,
        analytic: against("analytic"),
        discrete: against("discrete"),
    }
}

fn order(coarse: f64, fine: f64, dt_ratio: f64) -> f64 {
    (coarse / fine).ln() / dt_ratio.ln()
}

/// Runs and prints; returns the errors and, between successive steps, the orders at both ends.
fn measure(pack: u32, model: &Model, solver: &str, steps: &[f64]) -> (Vec<Errors>, Vec<[f64; 2]>) {
    let runs = steps.iter().map(|&dt| errors(pack, model, solver, dt));
    let all: Vec<Errors> = runs.collect();
    println!(
        "Rallpack {pack}, {solver}: root mean square error, % (near end, far end, their mean)"
    );
    for e in &all {
        let ([near, far], [near_time, far_time]) = (e.analytic, e.discrete);
        println!(
            "  {:>4} µs: analytic {near:.5} {far:.5} {:.5}, discrete {near_time:.7} {far_time:.7}",
            e.dt * 1000.0,
            0.5 * (near + far),
        );
    }
    let pairs = all.windows(2).map(|pair| {
        let ratio = pair[1].dt / pair[0].dt;
        [0, 1].map(|end| order(pair[1].discrete[end], pair[0].discrete[end], ratio))
    });
    let orders: Vec<[f64; 2]> = pairs.collect();
    println!("  orders {orders:.3?}");
    (all, orders)
}

/// ms
const STEPS: [f64; 5] = [0.01, 0.05, 0.1, 0.5, 1.0];

/// What cutting the cable into compartments does to the solution, exact in time, at the far end, in percent.
fn spatial(pack: u32) -> f64 {
    let [discrete, analytic] =
        ["discrete", "analytic"].map(|what| row(&format!("{pack}_{what}_x")));
    percent(&discrete, &analytic)
}

/// First order of `staggered`, second of `cn_exp_euler` and `tr_bdf2` in the solution of the compartments; with short
/// steps the error against the cable equation is that of cutting the cable.
///
/// The current jumps at the beginning. Crank-Nicolson does not damp the stiffest modes that it excites, but turns their
/// sign in every step: with h λ = 4 h (length constant / compartment)² / (time constant) the rest after n steps is
/// about exp(-4 n / h λ). It is seen where the current flows in, not far away. L-stable `tr_bdf2` has no such rest.
///
/// `clean` are the pairs of steps that show the order of Crank-Nicolson at the far end.
fn passive_pack(pack: u32, cell: &MultiCompartment, clean: std::ops::Range<usize>) {
    let model = Model::new(cell).unwrap();
    let (_, orders) = measure(pack, &model, "staggered", &STEPS);
    for found in orders.as_flattened() {
        assert!((found - 1.0).abs() < 0.05, "staggered: {orders:?}");
    }
    let (errors, orders) = measure(pack, &model, "cn_exp_euler", &STEPS);
    for [_, far] in &orders[clean] {
        assert!((far - 2.0).abs() < 0.05, "cn_exp_euler: {orders:?}");
    }
    let ([_, far], spatial) = (errors[0].analytic, spatial(pack));
    println!("  compartments instead of a cable: {spatial:.5} at the far end");
    assert!((far / spatial - 1.0).abs() < 0.1, "{far} {spatial}");
    let (_, orders) = measure(pack, &model, "tr_bdf2", &STEPS[2..]);
    for found in orders.as_flattened() {
        assert!((found - 2.0).abs() < 0.1, "tr_bdf2: {orders:?}");
    }
}

#[test]
fn passive_cable() {
    println!("Rallpack 1, NEURON in 1992: 0.02 0.03 0.05 0.16 0.30 % at 10 50 100 500 1000 µs");
    passive_pack(1, &cable(), 0..3);
}

#[test]
fn passive_tree() {
    passive_pack(2, &tree(), 0..2);
}

fn axon() -> MultiCompartment {
    [("na", "na_hh1952", 120.0), ("k", "k_hh1952", 36.0)]
        .into_iter()
        .fold(cable(), |cell, (label, name, g)| {
            cell.paint(Region::all(), placed(label, name, g)).unwrap()
        })
}

/// What each spike is late by at the near and the far end, ms.
fn late(model: &Model, solver: &str, dt: f64) -> [Vec<f64>; 2] {
    let setup = Setup::new(solver, dt).spikes(potential(&[0, 999]), 0.0);
    let mut run = setup.start::<f64>(braincell::solvers(), model).unwrap();
    run.run(50.0).unwrap();
    let recording = run.recording();
    let late = [(0, "0"), (1, "x")].map(|(train, end)| {
        let (ours, theirs) = (
            &recording.spikes()[train].times,
            row(&format!("3_spikes_{end}")),
        );
        assert_eq!(ours.len(), theirs.iter().filter(|&&t| t < 50.0).count());
        ours.iter().zip(&theirs).map(|(a, b)| a - b).collect()
    });
    println!("Rallpack 3, {solver}, dt = {dt} ms: spikes late by {late:.5?} ms");
    late
}

/// The current that jumps at the beginning excites modes that Crank-Nicolson damps slowly: they move the spikes at the near
/// end until they have died away, which takes about 16 ms with steps of 0.025 ms, and 4 ms with half of that.
#[test]
fn axon_spikes() {
    let model = Model::new(&axon()).unwrap();
    let steps = [0.05, 0.025, 0.0125, 0.00625];
    let orders = |late: &[[Vec<f64>; 2]], end: usize, spike: usize| -> Vec<f64> {
        let pairs = late.windows(2);
        let orders = pairs.map(|pair| order(pair[0][end][spike], pair[1][end][spike], 2.0));
        orders.collect()
    };
    let staggered = steps[..3].iter().map(|&dt| late(&model, "staggered", dt));
    let staggered: Vec<_> = staggered.collect();
    for end in [0, 1] {
        let found = orders(&staggered, end, 3);
        println!("  orders of the fourth spike: {found:.3?}");
        assert!(found.iter().all(|x| (x - 1.0).abs() < 0.1), "{found:?}");
    }
    let second = steps.map(|dt| late(&model, "cn_exp_euler", dt));
    for spike in 0..4 {
        let found = orders(&second, 1, spike);
        println!("  orders of spike {spike} at the far end: {found:.3?}");
        assert!(found.iter().all(|x| (x - 2.0).abs() < 0.1), "{found:?}");
    }
    let found = orders(&second, 0, 3);
    println!("  orders of the fourth spike at the near end: {found:.3?}");
    assert!((found[2] - 2.0).abs() < 0.1, "{found:?}");
}
