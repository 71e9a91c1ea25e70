//! What gradients cost: the time of a run, and of the gradient with respect to all parameters, backwards; and the memory.
//!
//!     cargo run --release --example gradient_cost [milliseconds of the point neuron]

use braincell::cells::discretisation::{Discretisation, Location, Policy};
use braincell::cells::morphology::{BranchSpec, BranchType, Frustum, Morphology, Region};
use braincell::cells::{MultiCompartment, Placed, SingleCompartment, mechanisms};
use braincell::gradient::{Gradient, MeanSquare};
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::{Record, Setup};
use std::error::Error;
use std::time::Instant;

/// A cable of Hodgkin-Huxley membrane.
fn cable(compartments: usize) -> Result<Model, Box<dyn Error>> {
    let frusta = vec![Frustum::new(10.0 * compartments as f64, 1.0, 1.0)];
    let morphology = Morphology::new(vec![BranchSpec::root(BranchType::Axon, frusta)])?;
    let cut = Discretisation::new(morphology, &Policy::Count(compartments).into(), 100.0)?;
    let mut cell = MultiCompartment::new(cut);
    for (label, name) in [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")] {
        cell = cell.paint(Region::all(), Placed::new(label, mechanisms::find(name)?))?;
    }
    let place = Location::At {
        branch: 0,
        x: 0.5 / compartments as f64,
    };
    Ok(Model::new(&cell.clamp(
        "stimulus",
        place,
        Input::constant(1.0),
    )?)?)
}

/// The most memory this process has used, MB, where the system tells.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<f64>()
        .ok()
        .map(|kb| kb / 1e3)
}

fn compare(
    name: &str,
    model: &Model,
    (solver, until): (&str, f64),
    trace: &str,
) -> Result<(), Box<dyn Error>> {
    let mut wrt = model.parameter_names();
    wrt.extend(["V", "stimulus"]);
    let record = Record {
        variable: "V".to_string(),
        elements: vec![0],
        cells: Vec::new(),
    };
    let setup = Setup::new(solver, 0.025).record(record);
    let loss = MeanSquare {
        trace: trace.to_string(),
        target: vec![-65.0],
    };
    let mut plain = f64::INFINITY;
    for _ in 0..3 {
        let begin = Instant::now();
        setup
            .start::<f64>(braincell::solvers(), model)?
            .run(until)?;
        plain = plain.min(begin.elapsed().as_secs_f64());
    }
    let gradient = Gradient::new(&setup, braincell::solvers(), model, until, &wrt)?;
    println!("{name}, {solver}: {}", gradient.plan()?);
    for which in ["first", "second"] {
        let begin = Instant::now();
        let found = gradient.reverse(&loss)?;
        let back = begin.elapsed().as_secs_f64();
        println!(
            "  run {plain:.3} s, {which} gradient by {} numbers {back:.3} s = {:.2} runs, loss {:.6}, peak {:.0} MB",
            gradient.components().len(),
            back / plain,
            found.loss,
            peak().unwrap_or(f64::NAN)
        );
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let until: f64 = std::env::args()
        .nth(1)
        .map_or(Ok(10_000.0), |x| x.parse())?;
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::constant(10.0));
    let point = Model::new(&cell)?;
    for solver in [
        "rk4",
        "exp_euler",
        "ind_exp_euler",
        "backward_euler",
        "tr_bdf2",
    ] {
        compare("point neuron", &point, (solver, until), "V")?;
    }
    let long = cable(1000)?;
    for solver in ["staggered", "cn_exp_euler", "backward_euler"] {
        compare(
            "cable of 1000",
            &long,
            (solver, (until / 50.0).min(200.0)),
            "V[0]",
        )?;
    }
    let model = cable(200)?;
    let setup = Setup::new("staggered", 0.025)
        .record("stimulus")
        .every(25.0);
    let million = Gradient::new(
        &setup,
        braincell::solvers(),
        &model,
        25_000.0,
        &["V", "na.g_max"],
    )?;
    println!("cable of 200, a million steps: {}", million.plan()?);
    Ok(())
}
