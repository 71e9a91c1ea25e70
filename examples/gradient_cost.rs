//! What gradients cost: the CPU time of a run, and of the gradient with respect to all parameters, backwards; the memory.
//!
//!     cargo run --release --example gradient_cost [fraction of the durations] [part of the name of the cases to run]
//!
//! Held is what the states that are kept and the record of steps take at most, as counted; the peak is that of the whole
//! process since the case began, where the system tells it, with model, recording and code.

use braincell::cells::discretisation::{Discretisation, Location, Policy};
use braincell::cells::morphology::{BranchSpec, BranchType, Frustum, Morphology, Region};
use braincell::cells::{MultiCompartment, Placed, SingleCompartment, mechanisms};
use braincell::gradient::{Gradient, MeanSquare};
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::{Record, Setup};
use cpu_time::ProcessTime;
use std::error::Error;

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

/// Forgets the most memory that this process has used, where the system lets it.
fn forget_peak() {
    // Without it peaks are those since the process began.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that this process has used, MB, where the system tells.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.map_or(f64::NAN, |kilobytes| kilobytes / 1e3)
}

fn cpu_seconds(work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let begin = ProcessTime::now();
    work()?;
    Ok(begin.elapsed().as_secs_f64())
}

/// Prints the cost of a case. All gradients of one case are of the same process, so the first is the first of its kind.
fn compare(
    name: &str,
    model: &Model,
    (solver, until, every): (&str, f64, f64),
    trace: &str,
) -> Result<(), Box<dyn Error>> {
    let wanted = std::env::args().nth(2).unwrap_or_default();
    if !format!("{name}, {solver}").contains(&wanted) {
        return Ok(());
    }
    let mut wrt = model.parameter_names();
    wrt.extend(["V", "stimulus"]);
    let record = Record {
        variable: "V".to_string(),
        elements: vec![0],
        cells: Vec::new(),
    };
    let setup = Setup::new(solver, 0.025).record(record).every(every);
    let setup = setup.threads(1);
    let loss = MeanSquare {
        trace: trace.to_string(),
        target: vec![-65.0],
    };
    let gradient = Gradient::new(&setup, braincell::solvers(), model, until, &wrt)?;
    println!("{name}, {solver}: {}", gradient.plan()?);
    let mut plain = f64::INFINITY;
    for _ in 0..3 {
        plain = plain.min(cpu_seconds(|| {
            let mut run = setup.start::<f64>(braincell::solvers(), model)?;
            Ok(run.run(until)?)
        })?);
    }
    println!("  run {plain:.3} s");
    for which in ["first", "second", "third"] {
        forget_peak();
        let mut found = None;
        let back = cpu_seconds(|| {
            found = Some(gradient.reverse(&loss)?);
            Ok(())
        })?;
        let Some(found) = found else { continue };
        println!(
            "  {which} gradient by {} numbers {back:.3} s = {:.2} runs, loss {:.6}; {:.2} MB held, peak {:.0} MB",
            gradient.components().len(),
            back / plain,
            found.loss,
            found.held as f64 / 1e6,
            peak(),
        );
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let part: f64 = std::env::args().nth(1).map_or(Ok(1.0), |x| x.parse())?;
    let until = |milliseconds: f64| (milliseconds * part / 25.0).ceil() * 25.0;
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::constant(10.0));
    let point = Model::new(&cell)?;
    for solver in ["ind_exp_euler", "rk4", "exp_euler", "backward_euler"] {
        let run = (solver, until(10_000.0), 0.025);
        compare("point neuron", &point, run, "V")?;
    }
    let long = cable(1000)?;
    for solver in ["staggered", "cn_exp_euler", "backward_euler"] {
        let run = (solver, until(200.0), 0.025);
        compare("cable of 1000", &long, run, "V[0]")?;
    }
    // A million steps under the default budget of 64 MB.
    let run = ("staggered", until(25_000.0), 25.0);
    compare("cable of 200", &cable(200)?, run, "V[0]")
}
