//! Nanoseconds per cell-step of populations of Hodgkin-Huxley point neurons.
use braincell::cells::SingleCompartment;
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::Setup;

fn main() {
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::constant(10.0));
    for cells in [1, 8, 64, 1024, 16384] {
        let model = Model::population(&cell, cells).unwrap();
        for solver in [
            "rk4",
            "ind_exp_euler",
            "staggered",
            "backward_euler",
            "exp_euler",
        ] {
            for tile in if cells > 1 {
                vec![64, 256, 1024]
            } else {
                vec![1]
            } {
                let mut run = Setup::new(solver, 0.025)
                    .tile(tile)
                    .start::<f64>(braincell::solvers(), &model)
                    .unwrap();
                let mut best = f64::INFINITY;
                let steps = (2_000_000 / cells.max(20)).max(20);
                let mut t = 0.0;
                for _ in 0..5 {
                    let clock = std::time::Instant::now();
                    t += steps as f64 * 0.025;
                    run.run(t).unwrap();
                    best = best.min(clock.elapsed().as_nanos() as f64 / (steps * cells) as f64);
                }
                println!("{solver:16} cells {cells:6} tile {tile:5}: {best:8.2} ns per cell-step");
            }
        }
    }
}
