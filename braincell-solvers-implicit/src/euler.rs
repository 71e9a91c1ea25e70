//! Backward Euler methods.

use crate::{L_STABLE, info};
use braincell_core::stepper::{Jacobian, Parts, Stepper, h, num, stepper};
use std::sync::Arc;

const REFERENCE: &str = "E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd ed., Springer 1996, chapter IV, doi:10.1007/978-3-642-05221-7";

pub fn steppers() -> Vec<Arc<dyn Stepper>> {
    let linear = [
        "Linearly implicit Euler method: one Newton step",
        "(I - hJ) δ = h f(t + h, y), y(t + h) = y + δ",
        REFERENCE,
    ];
    let full = [
        "Implicit Euler method, by Newton's method",
        "y(t + h) = y + h f(t + h, y(t + h))",
        REFERENCE,
    ];
    vec![
        stepper(info("backward_euler", 1, L_STABLE, linear), |o| {
            let y = o.y();
            let f = o.rhs(1.0, y)?;
            let lin = o.linearize(Jacobian::Full, Parts::ALL, 1.0, y)?;
            let delta = o.solve(lin, h(1.0), f)?;
            let next = o.combine(&[(num(1.0), y), (h(1.0), delta)])?;
            o.commit(next)
        }),
        stepper(info("implicit_euler", 1, L_STABLE, full), |o| {
            let y = o.y();
            let next = o.implicit_stage(1.0, h(1.0), y, y)?;
            o.commit(next)
        }),
    ]
}
