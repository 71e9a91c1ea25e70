//! Equations of one's own: the FitzHugh-Nagumo neuron.
//!
//! R. FitzHugh, Impulses and physiological states in theoretical models of nerve membrane, Biophys. J. 1 (1961),
//! doi:10.1016/S0006-3495(61)86902-6.

use braincell::model::{DiffEqState, Model, Ode, Parameter, ode};
use braincell::real::Real;
use braincell::simulation::Setup;

struct FitzHughNagumo;

impl Ode<2, 1> for FitzHughNagumo {
    fn states(&self) -> [DiffEqState; 2] {
        [DiffEqState::new("v", -1.0), DiffEqState::new("w", 0.0)]
    }
    fn parameters(&self) -> [Parameter; 1] {
        [Parameter::new("input", 0.5)]
    }
    // Written once over the scalar: braincell takes derivatives of it too.
    fn derivative<R: Real>(&self, _t: R, [v, w]: [R; 2], [input]: [R; 1]) -> [R; 2] {
        let c = R::constant;
        [
            v - v * v * v / c(3.0) - w + input,
            c(0.08) * (v + c(0.7) - c(0.8) * w),
        ]
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = Model::new(&ode(FitzHughNagumo))?;
    let setup = Setup::new("rk4", 0.1).record("v").spikes("v", 0.0);
    let mut run = setup.start::<f64>(braincell::solvers(), &model)?;
    run.run(200.0)?;
    println!("v crosses 0 at {:.2?}", run.recording().spikes()[0].times);
    Ok(())
}
