//! The conductances of a branched neuron recovered from the membrane potential at its soma.

use braincell::cells::discretisation::{Discretisation, Location, Policy};
use braincell::cells::morphology::{BranchSpec, BranchType, Frustum, Morphology, Region};
use braincell::cells::{MultiCompartment, Placed, mechanisms};
use braincell::fit::{Bounded, Fit};
use braincell::gradient::MeanSquare;
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::Setup;
use std::ops::ControlFlow;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dendrite = |parent, length, radius| {
        let frusta = vec![Frustum::new(length, radius, radius)];
        BranchSpec::child(parent, 1.0, BranchType::BasalDendrite, frusta)
    };
    let soma = BranchSpec::root(BranchType::Soma, vec![Frustum::new(20.0, 10.0, 10.0)]);
    let branches = vec![
        soma,
        dendrite(0, 150.0, 1.2),
        dendrite(1, 100.0, 0.8),
        dendrite(1, 120.0, 0.7),
    ];
    let policy = Policy::MaxLength(25.0);
    let cut = Discretisation::new(Morphology::new(branches)?, &policy.into(), 100.0)?;
    let mut cell = MultiCompartment::new(cut);
    for (label, name) in [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")] {
        cell = cell.paint(Region::all(), Placed::new(label, mechanisms::find(name)?))?;
    }
    let tip = Location::At { branch: 2, x: 1.0 };
    let middle = Location::At { branch: 0, x: 0.5 };
    let cell = cell
        .clamp("stimulus", tip, Input::step(0.6, 0.5, 8.0))?
        .probe("V_soma", middle)?;
    let mut model = Model::new(&cell)?;
    let (setup, until) = (Setup::new("staggered", 0.025).record("V_soma"), 10.0);
    let mut truth = setup.start::<f64>(braincell::solvers(), &model)?;
    truth.run(until)?;
    let target = truth.recording().trace("V_soma")?.to_vec();
    let mut parameters = Vec::new();
    for (name, start, lower, upper) in [
        ("na.g_max", 105.0, 60.0, 200.0),
        ("k.g_max", 31.0, 15.0, 70.0),
        ("leak.g_max", 0.38, 0.1, 1.0),
    ] {
        model.set_parameter(name, start)?;
        parameters.push(Bounded::new(name, lower, upper));
    }
    let fit = Fit {
        setup,
        until,
        parameters,
        iterations: 200,
    };
    let trace = "V_soma".to_string();
    let loss = MeanSquare { trace, target };
    let found = fit.run(braincell::solvers(), &model, &loss, &mut |progress| {
        println!("{progress}");
        ControlFlow::Continue(())
    })?;
    println!("{found}");
    Ok(())
}
