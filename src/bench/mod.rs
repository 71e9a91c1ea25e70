//! The speed of the engine on this machine, each figure beside a loop written by hand for the same arithmetic.

pub mod reference;

use crate::cells::discretisation::{Discretisation, Node, Policy};
use crate::cells::morphology::{Region, builders};
use crate::cells::{MultiCompartment, Placed, SingleCompartment, mechanisms};
use crate::input::Input;
use crate::kernel::Storage;
use crate::model::Model;
use crate::registry::Registry;
use crate::simd::Level;
use crate::simulation::{Record, Setup};
use braincell_core::cable::Tree;
use reference::{CURRENT, Cable, Gates, PointStep, Points, SingleCable, WIDTH};
use std::time::{Duration, Instant};

/// The step, ms.
const DT: f64 = 0.025;

/// A figure of the benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What was run: "point population", "branched cell", …
    pub case: String,
    /// The solver or kernel.
    pub what: String,
    /// "double" or "single".
    pub precision: &'static str,
    /// Numbers of elements that a step advances: cells or compartments.
    pub elements: usize,
    /// Time of a step per element, ns.
    pub time: f64,
    /// That of the loop written by hand, if there is one, ns.
    pub reference: Option<f64>,
}

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only figures whose case or solver contains this.
    pub filter: String,
    /// Time to spend on each figure.
    pub time: Duration,
}

/// Measures everything that the filter lets pass, and hands over each figure as soon as it is there.
///
/// Loops are repeated, and the fastest repetition counts: what slows a repetition down is another program.
pub fn run(registry: &Registry, options: &Options, mut each: impl FnMut(Figure)) {
    gates::<f64>(options, &mut each);
    gates::<f32>(options, &mut each);
    tree(options, &mut each);
    let all = registry.entries().into_iter();
    let all = all.filter(|e| !e.info.needs.noise && e.info.deprecated.is_none());
    let solvers: Vec<&str> = all.map(|e| e.info.name.as_str()).collect();
    for cells in [1, 4096] {
        for solver in &solvers {
            points::<f64>(registry, options, solver, cells, &mut each);
        }
    }
    for solver in ["rk4", "ind_exp_euler"] {
        points::<f32>(registry, options, solver, 4096, &mut each);
    }
    for compartments in [200, 1000, 4000] {
        for solver in &solvers {
            branched::<f64>(registry, options, solver, (compartments, 1), &mut each);
        }
    }
    for (compartments, cells) in [(200, 256), (1000, 64)] {
        for solver in ["staggered", "cn_exp_euler", "backward_euler"] {
            branched::<f64>(registry, options, solver, (compartments, cells), &mut each);
        }
        let size = (compartments, cells);
        branched::<f32>(registry, options, "staggered", size, &mut each);
    }
}

fn precision<F>() -> &'static str {
    match size_of::<F>() {
        4 => "single",
        _ => "double",
    }
}

/// The time of a repetition, the least of many, ns.
fn time(budget: Duration, mut f: impl FnMut()) -> f64 {
    let start = Instant::now();
    f();
    let once = start.elapsed().as_nanos().max(1);
    // A batch takes about a millisecond: long against the clock, short against other programs' turns.
    let batch = (1_000_000 / once).clamp(1, 1_000_000) as u32;
    let mut least = f64::INFINITY;
    while start.elapsed() < budget || least == f64::INFINITY {
        let begin = Instant::now();
        for _ in 0..batch {
            f();
        }
        least = least.min(begin.elapsed().as_nanos() as f64 / f64::from(batch));
    }
    least
}

impl Options {
    fn wants(&self, case: &str, what: &str, precision: &str) -> bool {
        format!("{case} {what} {precision}").contains(&self.filter)
    }
}

/// The gates of a Hodgkin-Huxley membrane with the potentials held, as `dhs_voltage` leaves them to a kernel.
fn gates<F: Storage>(options: &Options, each: &mut impl FnMut(Figure)) {
    let (case, what) = ("gates", "m, h, n exponentially");
    if !options.wants(case, what, precision::<F>()) {
        return;
    }
    let len = 1024;
    let level = Level::detect();
    let mut engine = kernels::<F>(len, level);
    let mut hand = Gates::<F>::new(len);
    each(Figure {
        case: case.into(),
        what: what.into(),
        precision: precision::<F>(),
        elements: len,
        time: time(options.time, &mut engine) / len as f64,
        reference: Some(time(options.time, || hand.step(level, DT)) / len as f64),
    });
}

/// The kernels of the sodium and the potassium channel on planes of `len` numbers.
fn kernels<F: Storage>(len: usize, level: Level) -> impl FnMut() {
    use crate::kernel::{Accumulate, Call, Index, Operand, Output};
    let kernel = |name: &str| {
        let mechanism = mechanisms::find(name).expect("a built-in mechanism");
        mechanism.kinetics().expect("a channel with gates").clone()
    };
    // V, m, h, n, then the parameters, which the rates do not depend on.
    let mut arena = vec![F::default(); 4 * len + 1];
    for (plane, x) in [-65.0, 0.0529, 0.5961, 0.3177].into_iter().enumerate() {
        arena[plane * len..][..len].fill(F::from_f64(x));
    }
    let plane = |number: usize| Operand {
        offset: number * len,
        index: Index::Each,
    };
    let parameter = || Operand {
        offset: 4 * len,
        index: Index::Splat,
    };
    let call = |gates: &[usize]| {
        let fixed = [plane(0), parameter(), parameter(), parameter(), parameter()];
        let states = gates.iter().map(|&g| plane(g));
        Call {
            len,
            inputs: fixed.into_iter().chain(states).collect(),
            outputs: (gates.iter())
                .map(|&g| {
                    Some(Output {
                        to: plane(g),
                        how: Accumulate::Set,
                    })
                })
                .collect(),
        }
    };
    let calls = [
        (kernel("na_hh1952"), call(&[1, 2])),
        (kernel("k_hh1952"), call(&[3])),
    ];
    let h = F::from_f64(DT);
    move || {
        for (kernel, call) in &calls {
            F::of(&**kernel).relax(level, h, call, &mut arena);
        }
    }
}

/// Factorisation and solution of a tree for eight cells side by side.
fn tree(options: &Options, each: &mut impl FnMut(Figure)) {
    use braincell_core::cable::{Laplacian, elimination};
    let (case, what) = ("tree, 8 cells", "factorise and solve");
    if !options.wants(case, what, "double") {
        return;
    }
    const LANES: usize = 8;
    let shape = Shape::new(1000);
    let rows = shape.parents.len();
    let operator = Laplacian::<f64>::new(&shape.tree).expect("a sound tree");
    let level = Level::detect();
    let mut hand = Cable::<f64, LANES>::new(&shape.parents, &shape.conductance, &shape.area, DT);
    let fresh: Vec<f64> = (shape.area.iter())
        .flat_map(|a| [1e-5 * a / DT + 1e-6; LANES])
        .collect();
    let (mut pivots, mut x) = (fresh.clone(), vec![-65.0; rows * LANES]);
    let engine = time(options.time, || {
        pivots.copy_from_slice(&fresh);
        for (x, d) in x.iter_mut().zip(&fresh) {
            *x *= d;
        }
        elimination::factor_and_solve(level, &operator, 1.0, &mut pivots, &mut x)
            .expect("positive pivots");
    });
    let elements = rows * LANES;
    each(Figure {
        case: case.into(),
        what: what.into(),
        precision: "double",
        elements,
        time: engine / elements as f64,
        reference: Some(time(options.time, || hand.solve(level)) / elements as f64),
    });
}

fn points<F: Storage>(
    registry: &Registry,
    options: &Options,
    solver: &str,
    cells: usize,
    each: &mut impl FnMut(Figure),
) {
    let case = match cells {
        1 => "one point neuron".to_string(),
        n => format!("{n} point neurons"),
    };
    if !options.wants(&case, solver, precision::<F>()) {
        return;
    }
    let cell = SingleCompartment::hodgkin_huxley().input("current", Input::constant(CURRENT));
    let Ok(model) = Model::population(&cell, cells) else {
        return;
    };
    let Some(step) = steps::<F>(registry, options, solver, &model, Vec::new()) else {
        return;
    };
    let level = Level::detect();
    let which = match solver {
        "rk4" => Some(PointStep::Rk4),
        "ind_exp_euler" => Some(PointStep::Exponential),
        _ => None,
    };
    let reference = which.map(|which| match cells {
        1 => {
            let mut hand = Points::<F, 1>::new(1);
            time(options.time, || hand.step(level, DT, which))
        }
        _ => {
            let mut hand = Points::<F, WIDTH>::new(cells);
            time(options.time, || hand.step(level, DT, which)) / cells as f64
        }
    });
    each(Figure {
        case,
        what: solver.into(),
        precision: precision::<F>(),
        elements: cells,
        time: step / cells as f64,
        reference,
    });
}

fn branched<F: Storage>(
    registry: &Registry,
    options: &Options,
    solver: &str,
    (compartments, cells): (usize, usize),
    each: &mut impl FnMut(Figure),
) {
    let case = match cells {
        1 => format!("a cell of {compartments} compartments"),
        n => format!("{n} cells of {compartments} compartments"),
    };
    if !options.wants(&case, solver, precision::<F>()) {
        return;
    }
    let shape = Shape::new(compartments);
    let Some(model) = shape.model(cells) else {
        return;
    };
    // Ten sites of each cell, every fourth step.
    let sites = (0..10).map(|k| k * compartments / 10);
    let records = (0..cells).flat_map(|cell| {
        sites.clone().map(move |site| Record {
            elements: vec![site],
            cells: vec![cell],
            ..Record::from("V")
        })
    });
    let Some(step) = steps::<F>(registry, options, solver, &model, records.collect()) else {
        return;
    };
    let elements = compartments * cells;
    let level = Level::detect();
    let Shape {
        parents,
        conductance,
        area,
        ..
    } = &shape;
    let reference = (solver == "staggered").then(|| match cells {
        1 => {
            let mut hand = SingleCable::<F>::new(parents, conductance, area, DT);
            time(options.time, || hand.step(level, DT)) / elements as f64
        }
        _ => {
            const LANES: usize = 8;
            let cable = || Cable::<F, LANES>::new(parents, conductance, area, DT);
            let mut hand: Vec<_> = (0..cells.div_ceil(LANES)).map(|_| cable()).collect();
            // Each group of cells makes several steps in turn, so that it stays in the cache.
            const STEPS: usize = 16;
            let all = time(options.time, || {
                for cable in &mut hand {
                    for _ in 0..STEPS {
                        cable.step(level, DT);
                    }
                }
            });
            all / (STEPS * elements) as f64
        }
    });
    each(Figure {
        case,
        what: solver.into(),
        precision: precision::<F>(),
        elements,
        time: step / elements as f64,
        reference,
    });
}

/// The time of a step of the whole model, ns; nothing if the solver does not fit or the run fails.
fn steps<F: Storage>(
    registry: &Registry,
    options: &Options,
    solver: &str,
    model: &Model,
    records: Vec<Record>,
) -> Option<f64> {
    let setup = records
        .into_iter()
        .fold(Setup::new(solver, DT), Setup::record);
    let mut run = setup.every(4.0 * DT).start::<F>(registry, model).ok()?;
    // Steps made by one call: as many as a run makes between two reports of its progress, within reason.
    let numbers = model.cells() * model.elements("V").ok()?;
    let steps = (20_000 / numbers).clamp(16, 4096);
    let (mut done, mut sound) = (0, true);
    let time = time(options.time, || {
        done += steps;
        sound &= run.run(done as f64 * DT).is_ok();
    });
    sound.then_some(time / steps as f64)
}

/// A branched cell of so many compartments, and its tree in level order.
struct Shape {
    cut: Discretisation,
    tree: Tree,
    parents: Vec<u32>,
    conductance: Vec<f64>,
    area: Vec<f64>,
}

impl Shape {
    /// A binary tree of cylinders cut into about `compartments` pieces.
    fn new(compartments: usize) -> Self {
        let levels = 4;
        let branches = (1 << levels) - 1;
        let shape = builders::binary_tree(levels, 200.0, 4.0, 0.8, 0.63).expect("a sound shape");
        let rest = compartments / branches;
        let cut = Discretisation::new(shape, &Policy::Count(rest).into(), 100.0);
        let cut = cut.expect("a sound discretisation");
        let nodes = cut.nodes().len();
        let (mut parent, mut conductance) = (vec![None; nodes], vec![0.0; nodes]);
        for edge in cut.edges() {
            parent[edge.child] = Some(edge.parent);
            conductance[edge.child] = edge.conductance;
        }
        let tree = Tree::new(&parent, &conductance).expect("a sound tree");
        let area = tree
            .permutation()
            .iter()
            .map(|&node| match cut.nodes()[node as usize] {
                Node::Centre(volume) => cut.cvs()[volume].area,
                Node::Boundary => 0.0,
            });
        Self {
            area: area.collect(),
            parents: tree.parents().to_vec(),
            conductance: (0..tree.len()).map(|row| tree.conductance(row)).collect(),
            tree,
            cut,
        }
    }

    /// Hodgkin-Huxley cells of this shape.
    fn model(&self, cells: usize) -> Option<Model> {
        let all = [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")];
        let mut cell = MultiCompartment::new(self.cut.clone());
        for (label, name) in all {
            let placed = Placed::new(label, mechanisms::find(name).ok()?);
            cell = cell.paint(Region::all(), placed).ok()?;
        }
        Model::population(&cell, cells).ok()
    }
}
