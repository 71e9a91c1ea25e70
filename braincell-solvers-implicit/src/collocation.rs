//! Collocation methods: fully implicit Runge–Kutta methods of high order.

use crate::{A_STABLE, L_STABLE, info};
use braincell_core::stepper::{Jacobian, Parts, StepError, StepOps, Stepper, h, num, stepper};
use std::sync::Arc;

const HAIRER: &str = "E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd ed., Springer 1996, section IV.8, doi:10.1007/978-3-642-05221-7";

pub fn steppers() -> Vec<Arc<dyn Stepper>> {
    let gauss = [
        "Gauss–Legendre method of two stages",
        "z_i = y + h Σ_j a_ij f(t + c_j h, z_j), y(t + h) = y + √3 (z_2 - z_1)",
        "J. C. Butcher, Implicit Runge–Kutta processes, Math. Comp. 18 (1964), doi:10.1090/S0025-5718-1964-0159424-9",
    ];
    let radau = [
        "Radau IIA method of three stages",
        "z_i = y + h Σ_j a_ij f(t + c_j h, z_j), y(t + h) = z_3",
        HAIRER,
    ];
    let mut radau5 = info("radau5", 5, L_STABLE, radau);
    radau5.embedded_order = Some(3);
    vec![
        stepper(info("gauss4", 4, A_STABLE, gauss), gauss4),
        stepper(radau5, radau5_step),
    ]
}

fn gauss4(o: &mut StepOps) -> Result<(), StepError> {
    let root = 3f64.sqrt();
    let a = [[0.25, 0.25 - root / 6.0], [0.25 + root / 6.0, 0.25]];
    let c = [0.5 - root / 6.0, 0.5 + root / 6.0];
    let y = o.y();
    let z = o.implicit_stages(&[&a[0], &a[1]], &c, y)?;
    // b A⁻¹ = (-√3, √3): the slopes themselves, which magnify errors of stiff components, are not needed.
    let next = o.combine(&[(num(1.0), y), (num(root), z[1]), (num(-root), z[0])])?;
    o.commit(next)
}

fn radau5_step(o: &mut StepOps) -> Result<(), StepError> {
    let s6 = 6f64.sqrt();
    let a = [
        [
            (88.0 - 7.0 * s6) / 360.0,
            (296.0 - 169.0 * s6) / 1800.0,
            (-2.0 + 3.0 * s6) / 225.0,
        ],
        [
            (296.0 + 169.0 * s6) / 1800.0,
            (88.0 + 7.0 * s6) / 360.0,
            (-2.0 - 3.0 * s6) / 225.0,
        ],
        [(16.0 - s6) / 36.0, (16.0 + s6) / 36.0, 1.0 / 9.0],
    ];
    let c = [(4.0 - s6) / 10.0, (4.0 + s6) / 10.0, 1.0];
    let y = o.y();
    let z = o.implicit_stages(&[&a[0], &a[1], &a[2]], &c, y)?;
    // The real eigenvalue of A, and the embedded formula of order 3 built on it.
    let gamma = (6.0 + 81f64.cbrt() - 9f64.cbrt()) / 30.0;
    let e = [-13.0 - 7.0 * s6, -13.0 + 7.0 * s6, -1.0].map(|e| gamma / 3.0 * e);
    let f = o.rhs(0.0, y)?;
    let raw = o.combine(&[
        (h(gamma), f),
        (num(e[0]), z[0]),
        (num(e[1]), z[1]),
        (num(e[2]), z[2]),
        (num(-e[0] - e[1] - e[2]), y),
    ])?;
    let lin = o.linearize(Jacobian::Full, Parts::ALL, 0.0, y)?;
    let estimate = o.solve(lin, h(gamma), raw)?;
    o.error(estimate)?;
    // The collocation polynomial passes through y at 0 and the stages at the nodes.
    let nodes = [0.0, c[0], c[1], c[2]];
    let values = [y, z[0], z[1], z[2]];
    let basis = nodes.map(|node| lagrange(nodes, node));
    let mut powers = Vec::new();
    for power in 1..4 {
        let terms: Vec<_> = (basis.iter().zip(values))
            .map(|(polynomial, value)| (num(polynomial[power]), value))
            .collect();
        powers.push(o.combine(&terms)?);
    }
    o.dense(&powers)?;
    o.commit(z[2])
}

/// Coefficients, by power, of the cubic that is 1 at `node` and 0 at the other nodes.
fn lagrange(nodes: [f64; 4], node: f64) -> [f64; 4] {
    let mut p = [1.0, 0.0, 0.0, 0.0];
    for other in nodes.into_iter().filter(|&x| x != node) {
        let scale = 1.0 / (node - other);
        for k in (0..4).rev() {
            let shifted = if k > 0 { p[k - 1] } else { 0.0 };
            p[k] = scale * (shifted - other * p[k]);
        }
    }
    p
}
