//! Explicit methods for stochastic differential equations dy = f dt + g dW with diagonal noise, in the sense of Itô.

use braincell_core::stepper::{
    Coef, Needs, Properties, SolverInfo, StepError, StepOps, Stepper, h, num, stepper,
};
use std::sync::Arc;

fn info(name: &str, strong_order: f64) -> SolverInfo {
    let mut info = SolverInfo::new(name, "sde", 1);
    info.strong_order = Some(strong_order);
    info.needs = Needs {
        membrane: false,
        noise: true,
    };
    info.properties = Properties {
        explicit: true,
        ..Properties::default()
    };
    info
}

/// The stochastic methods of this crate.
pub fn steppers() -> Vec<Arc<dyn Stepper>> {
    let mut euler = info("euler_maruyama", 0.5);
    euler.description = "Euler–Maruyama method".to_string();
    euler.formula = "y(t + h) = y + h f(t, y) + g(t, y) ΔW".to_string();
    euler.reference = "G. Maruyama, Continuous Markov processes and stochastic equations, Rend. Circ. Mat. Palermo 4 (1955), doi:10.1007/BF02846028".to_string();
    let mut milstein = info("milstein", 1.0);
    milstein.description =
        "Milstein method of Runge–Kutta type, with g ∂g/∂y as a difference".to_string();
    milstein.formula =
        "y(t + h) = y + h f + g ΔW + (g(y + h g) - g(y)) (ΔW² - h) / (2h), all at t".to_string();
    milstein.reference = "P. E. Kloeden, E. Platen, Numerical Solution of Stochastic Differential Equations, Springer 1992, section 11.1, doi:10.1007/978-3-662-12616-5".to_string();
    vec![
        stepper(euler, euler_maruyama),
        stepper(milstein, milstein_step),
    ]
}

fn euler_maruyama(o: &mut StepOps) -> Result<(), StepError> {
    let y = o.y();
    let f = o.rhs(0.0, y)?;
    let g = o.diffusion(0.0, y)?;
    let noise = o.times_wiener(1, g)?;
    let next = o.combine(&[(num(1.0), y), (h(1.0), f), (num(1.0), noise)])?;
    o.commit(next)
}

fn milstein_step(o: &mut StepOps) -> Result<(), StepError> {
    let y = o.y();
    let f = o.rhs(0.0, y)?;
    let g = o.diffusion(0.0, y)?;
    let aside = o.combine(&[(num(1.0), y), (h(1.0), g)])?;
    let g_aside = o.diffusion(0.0, aside)?;
    // g ∂g/∂y, to first order in h.
    let per_h = |c: f64| Coef { c, power: -1 };
    let slope = o.combine(&[(per_h(1.0), g_aside), (per_h(-1.0), g)])?;
    let noise = o.times_wiener(1, g)?;
    let squared = o.times_wiener(2, slope)?;
    let next = o.combine(&[
        (num(1.0), y),
        (h(1.0), f),
        (num(1.0), noise),
        (num(0.5), squared),
        (h(-0.5), slope),
    ])?;
    o.commit(next)
}
