//! Rosenbrock methods.

use crate::{L_STABLE, info};
use braincell_core::stepper::{
    Array, Coef, Jacobian, Parts, StepError, StepOps, Stepper, h, num, stepper,
};
use std::sync::Arc;

/// A Rosenbrock method in the form
/// (I - hγJ) u_i = γ (h f(t + α_i h, y + Σ_j a_ij u_j) + Σ_j c_ij u_j + h² γ_i ∂f/∂t), y(t + h) = y + Σ m_i u_i.
struct Rosenbrock {
    gamma: f64,
    a: &'static [&'static [f64]],
    c: &'static [&'static [f64]],
    /// Nodes α_i.
    nodes: &'static [f64],
    /// γ_i = Σ_j γ_ij.
    slopes: &'static [f64],
    m: &'static [f64],
    /// Weights of the error estimate.
    e: &'static [f64],
}

/// Stiffly accurate: the last stage is the solution.
const RODAS4: Rosenbrock = Rosenbrock {
    gamma: 0.25,
    a: &[
        &[],
        &[1.544],
        &[0.946_678_528_081_582_6, 0.255_701_169_898_328_4],
        &[
            3.314_825_187_068_521,
            2.896_124_015_972_201,
            0.998_641_913_997_781_7,
        ],
        &[
            1.221_224_509_226_641,
            6.019_134_481_288_629,
            12.537_083_329_320_87,
            -0.687_886_036_105_895,
        ],
        &[
            1.221_224_509_226_641,
            6.019_134_481_288_629,
            12.537_083_329_320_87,
            -0.687_886_036_105_895,
            1.0,
        ],
    ],
    c: &[
        &[],
        &[-5.6688],
        &[-2.430_093_356_833_875, -0.206_359_915_709_191_5],
        &[
            -0.107_352_905_815_137_5,
            -9.594_562_251_023_355,
            -20.470_286_148_096_16,
        ],
        &[
            7.496_443_313_967_647,
            -10.246_804_314_643_52,
            -33.999_903_528_199_05,
            11.708_908_932_061_6,
        ],
        &[
            8.083_246_795_921_522,
            -7.981_132_988_064_893,
            -31.521_594_328_743_71,
            16.319_305_431_231_36,
            -6.058_818_238_834_054,
        ],
    ],
    nodes: &[0.0, 0.386, 0.21, 0.63, 1.0, 1.0],
    slopes: &[0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0],
    m: &[
        1.221_224_509_226_641,
        6.019_134_481_288_629,
        12.537_083_329_320_87,
        -0.687_886_036_105_895,
        1.0,
        1.0,
    ],
    e: &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
};

pub fn steppers() -> Vec<Arc<dyn Stepper>> {
    let text = [
        "Stiffly accurate Rosenbrock method of six stages",
        "(I - hγJ) u_i = γ (h f(t + α_i h, y + Σ a_ij u_j) + Σ c_ij u_j + h² γ_i ∂f/∂t), y(t + h) = y + Σ m_i u_i",
        "E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd ed., Springer 1996, section IV.7 (RODAS), doi:10.1007/978-3-642-05221-7",
    ];
    let mut rodas4 = info("rodas4", 4, L_STABLE, text);
    rodas4.embedded_order = Some(3);
    vec![stepper(rodas4, |o| RODAS4.step(o))]
}

impl Rosenbrock {
    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let gamma = self.gamma;
        let y = o.y();
        let lin = o.linearize(Jacobian::Full, Parts::ALL, 0.0, y)?;
        let f_t = o.time_derivative(lin)?;
        let mut u: Vec<Array> = Vec::new();
        let sum = |weights: &[f64], scale: f64, u: &[Array]| {
            let terms = weights.iter().zip(u).filter(|(w, _)| **w != 0.0);
            terms.map(|(w, &u)| (num(w * scale), u)).collect::<Vec<_>>()
        };
        for i in 0..self.m.len() {
            let stage = if i == 0 {
                y
            } else {
                let mut terms = vec![(num(1.0), y)];
                terms.extend(sum(self.a[i], 1.0, &u));
                o.combine(&terms)?
            };
            let f = o.rhs(self.nodes[i], stage)?;
            let mut terms = vec![(h(gamma), f)];
            terms.extend(sum(self.c[i], gamma, &u));
            if self.slopes[i] != 0.0 {
                let c = gamma * self.slopes[i];
                terms.push((Coef { c, power: 2 }, f_t));
            }
            let right = o.combine(&terms)?;
            u.push(o.solve(lin, h(gamma), right)?);
        }
        let mut terms = vec![(num(1.0), y)];
        terms.extend(sum(self.m, 1.0, &u));
        let next = o.combine(&terms)?;
        let estimate = o.combine(&sum(self.e, 1.0, &u))?;
        o.error(estimate)?;
        o.commit(next)
    }
}
