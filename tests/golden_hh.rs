//! The classic Hodgkin-Huxley point neuron against published traces.
use braincell::cells::SingleCompartment;
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::Setup;

#[test]
fn runs() {
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::step(10.0, 5.0, 45.0));
    let model = Model::new(&cell).unwrap();
    for (solver, dt) in [("rk4", 0.05), ("rk4", 0.01), ("heun2", 0.05), ("heun2", 0.01)] {
        let mut run = Setup::new(solver, dt).record("V").record("na.m").every(1.0).spikes("V", 0.0)
            .start::<f64>(braincell::solvers(), &model).unwrap();
        let t = std::time::Instant::now();
        run.run(50.0).unwrap();
        let r = run.recording();
        println!("{solver} {dt} {:?} {:?} {:?}", r.trace("V").unwrap().to_vec().iter().step_by(10).collect::<Vec<_>>(), r.spikes()[0].times, t.elapsed().as_nanos() as f64 / r.counters().steps as f64);
    }
}
