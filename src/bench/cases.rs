//! What is measured.

use super::reference::{CURRENT, Cable, Gates, PointStep, Points, SingleCable, WIDTH};
use super::shape::Shape;
use super::{Case, Loop, Loops};
use crate::cells::{SingleCompartment, mechanisms};
use crate::input::Input;
use crate::kernel::{Accumulate, Call, Index, Operand, Output, Storage};
use crate::model::Model;
use crate::registry::Registry;
use crate::simd::Level;
use crate::simulation::{Record, Setup};
use braincell_core::cable::{Laplacian, elimination};

/// The step, ms.
const DT: f64 = 0.025;
/// Cells side by side in the loops by hand.
const LANES: usize = 8;

/// Everything there is to measure: kernels, the tree, and a step of every solver of the registry on models of all sizes.
pub fn cases(registry: &Registry) -> Vec<Case> {
    let all = registry.entries().into_iter();
    let all = all.filter(|e| !e.info.needs.noise && e.info.deprecated.is_none());
    let solvers: Vec<&str> = all.map(|e| e.info.name.as_str()).collect();
    let mut cases = vec![gates::<f64>(), gates::<f32>(), tree()];
    for cells in [1, 4096] {
        cases.extend(solvers.iter().map(|solver| points::<f64>(solver, cells)));
    }
    let common = ["ind_exp_euler", "rk4"];
    cases.extend(common.map(|solver| points::<f32>(solver, 4096)));
    for compartments in [200, 1000, 4000] {
        let size = (compartments, 1);
        cases.extend(solvers.iter().map(|solver| branched::<f64>(solver, size)));
    }
    for size in [(200, 256), (1000, 64)] {
        let solvers = ["staggered", "cn_exp_euler", "backward_euler"];
        cases.extend(solvers.map(|solver| branched::<f64>(solver, size)));
        cases.push(branched::<f32>("staggered", size));
    }
    cases.extend(common.map(threads));
    cases
}

fn precision<F>() -> &'static str {
    match size_of::<F>() {
        4 => "single",
        _ => "double",
    }
}

/// The gates of a Hodgkin-Huxley membrane over a step with the potentials held.
fn gates<F: Storage>() -> Case {
    const LEN: usize = 1024;
    Case {
        case: "gates".into(),
        what: "m, h, n exponentially".into(),
        precision: precision::<F>(),
        elements: LEN,
        by_hand: true,
        build: Box::new(|_| {
            let level = Level::detect();
            let mut hand = Gates::<F>::new(LEN);
            Some(Loops {
                engine: Loop::new(1, kernels::<F>(LEN, level)?),
                reference: Some(Loop::new(1, move || {
                    hand.step(level, DT);
                    true
                })),
            })
        }),
    }
}

/// The kinetics of sodium and potassium channels in one loop on planes of `len` numbers.
fn kernels<F: Storage>(len: usize, level: Level) -> Option<impl FnMut() -> bool> {
    let mut kinetics = mechanisms::sets().iter().map(|set| set.kinetics());
    let kernel = kinetics
        .find(|kernel| kernel.relaxing_states() == Some(3))?
        .clone();
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
    let parameters = (4..kernel.inputs()).map(|_| parameter());
    let inputs = [plane(0)].into_iter().chain(parameters);
    let output = |gate| Output {
        to: plane(gate),
        how: Accumulate::Set,
    };
    let call = Call {
        len,
        inputs: inputs.chain((1..4).map(plane)).collect(),
        outputs: (1..4).map(|gate| Some(output(gate))).collect(),
    };
    let h = F::from_f64(DT);
    Some(move || {
        F::of(&*kernel).relax(level, h, &call, &mut arena);
        true
    })
}

/// Factorisation and solution of a tree for cells side by side.
fn tree() -> Case {
    let shape = Shape::new(1000);
    let rows = shape.parents.len();
    Case {
        case: format!("tree, {LANES} cells side by side"),
        what: "factorise and solve".into(),
        precision: "double",
        elements: rows * LANES,
        by_hand: true,
        build: Box::new(move |_| {
            let operator = Laplacian::<f64>::new(&shape.tree).ok()?;
            let level = Level::detect();
            let Shape {
                parents,
                conductance,
                area,
                ..
            } = &shape;
            let mut hand = Cable::<f64, LANES>::new(parents, conductance, area, DT);
            let fresh: Vec<f64> = (area.iter())
                .flat_map(|a| [1e-5 * a / DT + 1e-6; LANES])
                .collect();
            let (mut pivots, mut x) = (fresh.clone(), vec![-65.0; rows * LANES]);
            let engine = move || {
                pivots.copy_from_slice(&fresh);
                for (x, d) in x.iter_mut().zip(&fresh) {
                    *x *= d;
                }
                elimination::factor_and_solve(level, &operator, 1.0, &mut pivots, &mut x).is_ok()
            };
            Some(Loops {
                engine: Loop::new(1, engine),
                reference: Some(Loop::new(1, move || {
                    hand.solve(level);
                    true
                })),
            })
        }),
    }
}

/// Point neurons with a constant current.
fn point_model(cells: usize) -> Option<Model> {
    let cell = SingleCompartment::hodgkin_huxley().input("current", Input::constant(CURRENT));
    Model::population(&cell, cells).ok()
}

fn points<F: Storage>(solver: &str, cells: usize) -> Case {
    let name = solver.to_string();
    let which = match solver {
        "rk4" => Some(PointStep::Rk4),
        "ind_exp_euler" => Some(PointStep::Exponential),
        _ => None,
    };
    Case {
        case: match cells {
            1 => "one point neuron".into(),
            n => format!("{n} point neurons"),
        },
        what: name.clone(),
        precision: precision::<F>(),
        elements: cells,
        by_hand: which.is_some(),
        build: Box::new(move |registry| {
            let level = Level::detect();
            let reference = which.map(|which| match cells {
                1 => {
                    let mut hand = Points::<F, 1>::new(1);
                    Loop::new(1, move || {
                        hand.step(level, DT, which);
                        true
                    })
                }
                _ => {
                    let mut hand = Points::<F, WIDTH>::new(cells);
                    Loop::new(1, move || {
                        hand.step(level, DT, which);
                        true
                    })
                }
            });
            Some(Loops {
                engine: steps::<F>(registry, &name, 1, &point_model(cells)?, Vec::new())?,
                reference,
            })
        }),
    }
}

/// Two threads, with one thread in the place of the loop by hand.
fn threads(solver: &str) -> Case {
    const CELLS: usize = 4096;
    let name = solver.to_string();
    Case {
        case: format!("{CELLS} point neurons, two threads beside one"),
        what: name.clone(),
        precision: "double",
        elements: CELLS,
        by_hand: true,
        build: Box::new(move |registry| {
            let model = point_model(CELLS)?;
            let run = |threads| steps::<f64>(registry, &name, threads, &model, Vec::new());
            Some(Loops {
                engine: run(2)?,
                reference: run(1),
            })
        }),
    }
}

fn branched<F: Storage>(solver: &str, (compartments, cells): (usize, usize)) -> Case {
    let name = solver.to_string();
    let shape = Shape::new(compartments);
    Case {
        case: match cells {
            1 => format!("a cell of {compartments} compartments"),
            n => format!("{n} cells of {compartments} compartments"),
        },
        what: name.clone(),
        precision: precision::<F>(),
        elements: shape.compartments() * cells,
        by_hand: solver == "staggered",
        build: Box::new(move |registry| {
            let model = shape.model(cells)?;
            // Ten sites of each cell.
            let sites = (0..10).map(|k| k * shape.compartments() / 10);
            let records = (0..cells).flat_map(|cell| {
                sites.clone().map(move |site| Record {
                    elements: vec![site],
                    cells: vec![cell],
                    ..Record::from("V")
                })
            });
            Some(Loops {
                engine: steps::<F>(registry, &name, 1, &model, records.collect())?,
                reference: (name == "staggered").then(|| cable_by_hand::<F>(&shape, cells)),
            })
        }),
    }
}

/// Steps that a group of cells makes in turn, so that it stays in the cache; runs make more than that.
const BLOCK: usize = 32;

fn cable_by_hand<F: Storage>(shape: &Shape, cells: usize) -> Loop {
    let level = Level::detect();
    let Shape {
        parents,
        conductance,
        area,
        ..
    } = shape;
    if cells == 1 {
        let mut hand = SingleCable::<F>::new(parents, conductance, area, DT);
        return Loop::new(1, move || {
            hand.step(level, DT);
            true
        });
    }
    let cable = || Cable::<F, LANES>::new(parents, conductance, area, DT);
    let mut hand: Vec<_> = (0..cells.div_ceil(LANES)).map(|_| cable()).collect();
    Loop::new(BLOCK, move || {
        for cable in &mut hand {
            for _ in 0..BLOCK {
                cable.step(level, DT);
            }
        }
        true
    })
}

/// Steps of the whole model, every fourth recorded; nothing if the solver does not fit.
fn steps<F: Storage>(
    registry: &Registry,
    solver: &str,
    threads: usize,
    model: &Model,
    records: Vec<Record>,
) -> Option<Loop> {
    let setup = records
        .into_iter()
        .fold(Setup::new(solver, DT), Setup::record);
    let setup = setup.every(4.0 * DT).threads(threads);
    let mut run = setup.start::<F>(registry, model).ok()?;
    // About a millisecond, but enough that each group of cells stays in the cache for several steps.
    let numbers = model.cells() * model.elements("V").ok()?;
    let steps = (100_000 * threads / numbers).clamp(BLOCK, 4096);
    let mut done = 0;
    Some(Loop::new(steps, move || {
        done += steps;
        run.run(done as f64 * DT).is_ok()
    }))
}
