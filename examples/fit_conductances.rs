//! Three conductances of a neuron recovered from its membrane potential.

use braincell::cells::SingleCompartment;
use braincell::fit::{Bounded, Fit};
use braincell::gradient::MeanSquare;
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::Setup;
use std::ops::ControlFlow;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::constant(10.0));
    let mut model = Model::new(&cell)?;
    let setup = Setup::new("rk4", 0.025).record("V");
    let mut truth = setup.start::<f64>(braincell::solvers(), &model)?;
    truth.run(12.0)?;
    let target = truth.recording().trace("V")?.to_vec();
    let mut parameters = Vec::new();
    for (name, start, lower, upper) in [
        ("na.g_max", 100.0, 60.0, 200.0),
        ("k.g_max", 30.0, 15.0, 70.0),
        ("leak.g_max", 0.4, 0.1, 1.0),
    ] {
        model.set_parameter(name, start)?;
        parameters.push(Bounded::new(name, lower, upper));
    }
    let (trace, until, iterations) = ("V".to_string(), 12.0, 200);
    let fit = Fit {
        setup,
        until,
        parameters,
        iterations,
    };
    let loss = MeanSquare { trace, target };
    let found = fit.run(braincell::solvers(), &model, &loss, &mut |progress| {
        println!("{progress}");
        ControlFlow::Continue(())
    })?;
    println!("{found}");
    Ok(())
}
