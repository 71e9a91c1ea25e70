//! sketch
use braincell::cells::SingleCompartment;
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::Setup;

#[test]
fn runs() {
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::step(10.0, 5.0, 45.0));
    let model = Model::new(&cell).unwrap();
    for e in braincell::solvers().entries() {
        if e.info.needs.noise {
            continue;
        }
        for dt in [0.05, 0.01] {
            let mut run = Setup::new(e.info.name.as_str(), dt)
                .record("V")
                .every(1.0)
                .spikes("V", 0.0)
                .start::<f64>(braincell::solvers(), &model)
                .unwrap();
            let t = std::time::Instant::now();
            if let Err(e) = run.run(50.0) {
                println!(
                    "{} {dt} {}",
                    run.solver().name,
                    e.to_string().chars().take(150).collect::<String>()
                );
                continue;
            }
            let r = run.recording();
            println!(
                "{:20} {dt} {:?} {:?} {:?}",
                e.info.name,
                r.trace("V")
                    .unwrap()
                    .to_vec()
                    .iter()
                    .skip(10)
                    .step_by(20)
                    .collect::<Vec<_>>(),
                r.spikes()[0].times,
                t.elapsed().as_nanos() as f64 / r.counters().steps as f64
            );
        }
    }
}
