//! A Hodgkin-Huxley neuron, run and its spike times printed.

use braincell::{cells::SingleCompartment, input::Input, model::Model, simulation::Setup};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let stimulus = Input::step(10.0, 5.0, 45.0); // µA/cm², from 5 ms to 45 ms
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", stimulus);
    let model = Model::new(&cell)?;
    let setup = Setup::new("rk4", 0.025).record("V").spikes("V", 0.0);
    let mut run = setup.start::<f64>(braincell::solvers(), &model)?;
    run.run(50.0)?;
    println!("spikes at {:.3?} ms", run.recording().spikes()[0].times);
    Ok(())
}
