//! Methods that treat the cable implicitly and the membrane in another way.

use crate::info;
use braincell_core::stepper::{
    Array, Jacobian, Parts, Properties, StepError, StepOps, Stepper, Terms, h, num, stepper,
};
use std::sync::Arc;

const STRANG: &str = "G. Strang, On the construction and comparison of difference schemes, SIAM J. Numer. Anal. 5 (1968), doi:10.1137/0705041";

pub fn steppers() -> Vec<Arc<dyn Stepper>> {
    let exponential = [
        "Exponential Euler method for the membrane, each state by itself; then implicit Euler for the cable",
        "y* = y + h φ₁(h diag J_local) f_local(t, y), y(t + h) = y* + h (I - h J_cable)⁻¹ f_cable(y*)",
        STRANG,
    ];
    let runge_kutta = [
        "L-stable implicit method of order 2 for the cable over half a step, the classic Runge–Kutta method for the membrane, then the first again",
        "Strang splitting of f = cable + local; the cable by the two-stage SDIRK method with γ = 1 - 1/√2",
        STRANG,
    ];
    let mut rk4 = info("implicit_rk4", 2, Properties::default(), runge_kutta);
    rk4.order_without_cable = Some(4);
    vec![
        // The membrane, each state by itself, is not A-stable: of a system it sees the diagonal only.
        stepper(
            info("implicit_exp_euler", 1, Properties::default(), exponential),
            |o| {
                let y = o.y();
                let y = o.relax(Parts::ALL, Terms::Local, 0.0, h(1.0), y)?;
                let f = o.rhs_of(Parts::ALL, Terms::Cable, 1.0, y)?;
                let lin = o.linearize(Jacobian::Cable, Parts::ALL, 1.0, y)?;
                let delta = o.solve(lin, h(1.0), f)?;
                let next = o.combine(&[(num(1.0), y), (h(1.0), delta)])?;
                o.commit(next)
            },
        ),
        stepper(rk4, |o| {
            let y = o.y();
            let y = cable_half(o, 0.25, y)?;
            let y = classic_rk4(o, y)?;
            let next = cable_half(o, 0.75, y)?;
            o.commit(next)
        }),
    ]
}

/// The cable alone over half a step, by the L-stable SDIRK method of order 2.
///
/// R. Alexander, Diagonally implicit Runge–Kutta methods for stiff O.D.E.'s, SIAM J. Numer. Anal. 14 (1977),
/// doi:10.1137/0714068.
fn cable_half(o: &mut StepOps, c: f64, y: Array) -> Result<Array, StepError> {
    let gamma = 1.0 - std::f64::consts::FRAC_1_SQRT_2;
    let step = h(0.5);
    let lin = o.linearize(Jacobian::Cable, Parts::ALL, c, y)?;
    let f = o.rhs_of(Parts::ALL, Terms::Cable, c, y)?;
    let k1 = o.solve(lin, step * gamma, f)?;
    let stage = o.combine(&[(num(1.0), y), (step * (1.0 - gamma), k1)])?;
    let f = o.rhs_of(Parts::ALL, Terms::Cable, c, stage)?;
    let k2 = o.solve(lin, step * gamma, f)?;
    o.combine(&[
        (num(1.0), y),
        (step * (1.0 - gamma), k1),
        (step * gamma, k2),
    ])
}

/// The membrane alone over a step, by the classic Runge–Kutta method.
fn classic_rk4(o: &mut StepOps, y: Array) -> Result<Array, StepError> {
    let mut slopes = Vec::new();
    for (c, a) in [(0.0, 0.0), (0.5, 0.5), (0.5, 0.5), (1.0, 1.0)] {
        let stage = match slopes.last() {
            None => y,
            Some(&k) => o.combine(&[(num(1.0), y), (h(a), k)])?,
        };
        slopes.push(o.rhs_of(Parts::ALL, Terms::Local, c, stage)?);
    }
    let weights = [1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0];
    let mut terms = vec![(num(1.0), y)];
    terms.extend(weights.into_iter().zip(slopes).map(|(w, k)| (h(w), k)));
    o.combine(&terms)
}
