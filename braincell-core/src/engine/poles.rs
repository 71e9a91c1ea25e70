//! Functions φ of a Jacobian with a tree, by a rational approximation.

use super::compile::Compiler;
use super::implicit::{Linearized, factored};
use super::instr::{Instr, Shift};
use crate::stepper::{Coef, num};

/// φ_k(s J) b with a tree, by φ_k(z) ≈ Re Σ_j w_j / (θ_j - z): each pole takes one complex solution.
///
/// The approximation is uniform on the negative real axis, where the eigenvalues of stiff cables lie, and holds for the few
/// others of a neuron, which are small. L. N. Trefethen, J. A. C. Weideman, T. Schmelzer, BIT 46 (2006),
/// doi:10.1007/s10543-006-0077-9.
pub(super) fn phi_by_poles(
    c: &mut Compiler,
    lin: &mut Linearized,
    to: usize,
    k: u32,
    scale: Coef,
    from: usize,
) {
    let number = c.coefficient(scale);
    let len = c.len;
    let parts = [(); 5].map(|()| c.permanent());
    let [b_re, b_im, x_re, x_im, sum] = parts;
    for (pole, (theta, weight)) in poles(k).into_iter().enumerate() {
        let square = theta[0] * theta[0] + theta[1] * theta[1];
        for (part, inverse) in [(b_re, theta[0] / square), (b_im, -theta[1] / square)] {
            let terms = vec![(c.coefficient(num(inverse)), from)];
            c.all.push(Instr::Combine {
                to: part,
                len,
                terms,
            });
        }
        let a = Shift::Complex(number, theta);
        let made = factored(c, lin, (scale, theta), a);
        for (system, &factors) in lin.systems().iter().zip(&lin.factors[made].1) {
            c.all.push(Instr::Solve {
                system: system.clone(),
                factors,
                a,
                b: vec![b_re, b_im],
                x: vec![x_re, x_im],
            });
        }
        let mut terms = vec![
            (c.coefficient(num(weight[0])), x_re),
            (c.coefficient(num(-weight[1])), x_im),
        ];
        if pole > 0 {
            terms.push((c.coefficient(num(1.0)), sum));
        }
        c.all.push(Instr::Combine {
            to: sum,
            len,
            terms,
        });
    }
    let states: Vec<usize> = lin
        .systems()
        .iter()
        .flat_map(|s| &s.site.unknowns)
        .map(|u| u.state)
        .collect();
    for state in states {
        let plane = c.layout.states[state];
        c.all.push(Instr::Copy {
            from: sum + plane.offset,
            to: to + plane.offset,
            len: plane.len,
        });
    }
}

/// Poles θ and weights w of φ_k, real and imaginary parts: those of φ_{k+1} = (φ_k - 1/k!) / z are w / θ.
fn poles(k: u32) -> Vec<([f64; 2], [f64; 2])> {
    let table = &crate::cable::DOUBLE;
    let weights = if k == 0 { &table.exp } else { &table.phi1 };
    (0..table.poles[0].len())
        .map(|j| {
            let theta = [table.poles[0][j], table.poles[1][j]];
            let mut w = [weights[0][j], weights[1][j]];
            let square = theta[0] * theta[0] + theta[1] * theta[1];
            for _ in 1..k {
                w = [
                    (w[0] * theta[0] + w[1] * theta[1]) / square,
                    (w[1] * theta[0] - w[0] * theta[1]) / square,
                ];
            }
            (theta, w)
        })
        .collect()
}
