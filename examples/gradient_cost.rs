//! What a gradient costs: time of a run, and of the gradient with respect to all parameters, forwards and backwards.

use braincell::cells::SingleCompartment;
use braincell::gradient::{Gradient, MeanSquare};
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::Setup;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::constant(10.0));
    let model = Model::new(&cell)?;
    let wrt = [
        "na.g_max",
        "na.E",
        "k.g_max",
        "k.E",
        "leak.g_max",
        "leak.E",
        "C",
        "V",
        "stimulus",
    ];
    let until: f64 = std::env::args()
        .nth(1)
        .map_or(Ok(10_000.0), |x| x.parse())?;
    let loss = MeanSquare {
        trace: "V".to_string(),
        target: vec![-65.0],
    };
    for solver in [
        "rk4",
        "exp_euler",
        "ind_exp_euler",
        "backward_euler",
        "tr_bdf2",
    ] {
        let setup = Setup::new(solver, 0.025).record("V");
        let mut plain = f64::INFINITY;
        for _ in 0..3 {
            let begin = Instant::now();
            setup
                .start::<f64>(braincell::solvers(), &model)?
                .run(until)?;
            plain = plain.min(begin.elapsed().as_secs_f64());
        }
        let gradient = Gradient::new(&setup, braincell::solvers(), &model, until, &wrt)?;
        println!("{solver}: {}", gradient.plan()?);
        for _ in 0..2 {
            let begin = Instant::now();
            let found = gradient.reverse(&loss)?;
            let back = begin.elapsed().as_secs_f64();
            println!(
                "{solver:15} run {plain:.3} s, backwards {back:.3} s = {:.2} runs, loss {:.6}",
                back / plain,
                found.loss
            );
        }
    }
    Ok(())
}
