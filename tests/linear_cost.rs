//! A fully implicit step of a branched cell costs in proportion to its compartments.

use braincell::cells::discretisation::{Discretisation, Location, Policy};
use braincell::cells::morphology::{Morphology, Region, builders};
use braincell::cells::{MultiCompartment, Placed, mechanisms};
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::Setup;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Instant;

/// Counts the bytes that are in use on a thread, and their maximum.
struct Counting;

thread_local! {
    static BYTES: Cell<i64> = const { Cell::new(0) };
    static MOST: Cell<i64> = const { Cell::new(0) };
}

fn count(more: i64) {
    // Not while a thread ends.
    let _ = BYTES.try_with(|bytes| {
        bytes.set(bytes.get() + more);
        MOST.try_with(|most| most.set(most.get().max(bytes.get())))
    });
}

// SAFETY: everything is done by the allocator of the system; counting allocates nothing.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Hodgkin-Huxley membrane everywhere, and a current into the first compartment.
fn model(shape: Morphology, count: usize) -> Model {
    let cut = Discretisation::new(shape, &Policy::Count(count).into(), 100.0).unwrap();
    let first = Location::At {
        branch: 0,
        x: 0.5 / count as f64,
    };
    let cell = [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")]
        .into_iter()
        .fold(MultiCompartment::new(cut), |cell, (label, name)| {
            let placed = Placed::new(label, mechanisms::find(name).unwrap());
            cell.paint(Region::all(), placed).unwrap()
        });
    let cell = cell.clamp("stimulus", first, Input::constant(1.0)).unwrap();
    Model::new(&cell).unwrap()
}

/// What a run takes.
struct Cost {
    compartments: usize,
    /// The most bytes that preparing and running it needs.
    bytes: i64,
    /// Least time of a step, ns.
    step: f64,
    /// Newton iterations of all steps.
    iterations: u64,
}

const ROUNDS: usize = 5;
const STEPS: usize = 4;
const DT: f64 = 0.025;

fn cost(model: &Model, solver: &str) -> Cost {
    let compartments = model.elements("V").unwrap();
    let before = BYTES.get();
    MOST.set(before);
    let setup = Setup::new(solver, DT);
    let mut run = setup.start::<f64>(braincell::solvers(), model).unwrap();
    let mut step = f64::INFINITY;
    for round in 1..=ROUNDS {
        let start = Instant::now();
        run.run(DT * (round * STEPS) as f64).unwrap();
        step = step.min(start.elapsed().as_nanos() as f64 / STEPS as f64);
    }
    Cost {
        compartments,
        bytes: MOST.get() - before,
        step,
        iterations: run.recording().counters().newton_iterations,
    }
}

/// Memory grows in proportion to the compartments, so that no matrix of a cell is filled in, and Newton's method takes as
/// many iterations for all sizes. Times are printed; the test fails only if sixteen times as many compartments make each of
/// them five times as slow.
fn is_linear(shape: &str, models: &[Model; 4]) {
    for solver in ["backward_euler", "implicit_euler", "gauss4"] {
        let costs = models.each_ref().map(|model| cost(model, solver));
        println!("{shape}, {solver}");
        for c in &costs {
            let n = c.compartments as f64;
            println!(
                "  {n:>6} compartments: {:>7.0} bytes and {:>5.0} ns a step for each; {} iterations",
                c.bytes as f64 / n,
                c.step / n,
                c.iterations
            );
        }
        let per_compartment = |a: &Cost, b: &Cost| {
            (b.bytes - a.bytes) as f64 / (b.compartments - a.compartments) as f64
        };
        let [few, some, more, many] = &costs;
        let growth = [(few, some), (some, more), (more, many)].map(|(a, b)| per_compartment(a, b));
        let ratio = growth[2] / growth[1];
        assert!((ratio - 1.0).abs() < 0.2, "{shape}, {solver}: {growth:?}");
        let iterations = costs.each_ref().map(|c| c.iterations);
        let most = iterations.iter().max().unwrap();
        assert!(
            *most <= iterations[0] * 5 / 4,
            "{shape}, {solver}: {iterations:?}"
        );
        let [fast, slow] = [some, many].map(|c| c.step / c.compartments as f64);
        assert!(slow < 5.0 * fast, "{shape}, {solver}: {fast} and {slow} ns");
    }
}

#[test]
fn unbranched() {
    let cable = |n: usize| model(builders::cylinder(5.0 * n as f64, 0.5).unwrap(), n);
    is_linear("unbranched", &[200, 1000, 4000, 16000].map(cable));
}

#[test]
fn branched() {
    let tree = |levels| {
        model(
            builders::binary_tree(levels, 32.0, 2.0, 1.0, 0.9).unwrap(),
            1,
        )
    };
    is_linear("binary tree", &[8, 10, 12, 14].map(tree));
}
