//! Diagonally implicit Runge–Kutta methods.

use crate::{L_STABLE, info};
use braincell_core::stepper::{Coef, Jacobian, Parts, Stepper, h, num, stepper};
use std::f64::consts::SQRT_2;
use std::sync::Arc;

pub fn steppers() -> Vec<Arc<dyn Stepper>> {
    let text = [
        "Trapezoidal rule over γ h, then the second-order backward differentiation formula, γ = 2 - √2",
        "z = y + (γh/2) (f(t, y) + f(t + γh, z)), y(t + h) = y + h (√2/4 (f(t, y) + f(t + γh, z)) + (γ/2) f(t + h, y(t + h)))",
        "M. E. Hosea, L. F. Shampine, Analysis and implementation of TR-BDF2, Appl. Numer. Math. 20 (1996), doi:10.1016/0168-9274(95)00115-8",
    ];
    let mut tr_bdf2 = info("tr_bdf2", 2, L_STABLE, text);
    tr_bdf2.embedded_order = Some(3);
    vec![stepper(tr_bdf2, |o| {
        let gamma = 2.0 - SQRT_2;
        let d = 0.5 * gamma;
        let w = 0.25 * SQRT_2;
        let y = o.y();
        let k1 = o.rhs(0.0, y)?;
        // The slopes of the stages follow from the stages, which is stable for stiff components.
        let slope = Coef {
            c: 1.0 / d,
            power: -1,
        };
        let base = o.combine(&[(num(1.0), y), (h(d), k1)])?;
        let guess = o.combine(&[(num(1.0), y), (h(gamma), k1)])?;
        let z = o.implicit_stage(gamma, h(d), base, guess)?;
        let k2 = o.combine(&[(slope, z), (-slope, base)])?;
        let base = o.combine(&[(num(1.0), y), (h(w), k1), (h(w), k2)])?;
        let next = o.implicit_stage(1.0, h(d), base, z)?;
        let k3 = o.combine(&[(slope, next), (-slope, base)])?;
        // Against the embedded formula of order 3, filtered to keep it bounded for stiff components.
        let third = [(1.0 - w) / 3.0, (3.0 * w + 1.0) / 3.0, d / 3.0];
        let raw = o.combine(&[
            (h(w - third[0]), k1),
            (h(w - third[1]), k2),
            (h(d - third[2]), k3),
        ])?;
        let lin = o.linearize(Jacobian::Full, Parts::ALL, 0.0, y)?;
        let estimate = o.solve(lin, h(d), raw)?;
        o.error(estimate)?;
        o.commit(next)
    })]
}
