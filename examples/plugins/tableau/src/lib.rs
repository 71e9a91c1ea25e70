//! Explicit Runge–Kutta methods given as tableaux.

use braincell_plugin_api::{
    Array, Coef, Properties, SolverInfo, StepError, StepOps, Stepper, export_plugin, h, num,
};

/// k_i = f(t + c_i h, y + h Σ_{j<i} a_ij k_j), y(t + h) = y + h Σ_i b_i k_i.
struct Tableau {
    name: &'static str,
    order: u32,
    description: &'static str,
    reference: &'static str,
    stability_limit: f64,
    a: &'static [&'static [f64]],
    b: &'static [f64],
    c: &'static [f64],
}

const SSPRK3: Tableau = Tableau {
    name: "plugin_ssprk3",
    order: 3,
    description: "Strong-stability-preserving method of Shu and Osher.",
    reference: "C.-W. Shu, S. Osher, J. Comput. Phys. 77, 439-471, 1988, doi:10.1016/0021-9991(88)90177-5",
    stability_limit: 2.5127453266183286,
    a: &[&[], &[1.0], &[1.0 / 4.0, 1.0 / 4.0]],
    b: &[1.0 / 6.0, 1.0 / 6.0, 2.0 / 3.0],
    c: &[0.0, 1.0, 1.0 / 2.0],
};

const THREE_EIGHTHS: Tableau = Tableau {
    name: "three_eighths",
    order: 4,
    description: "Kutta's 3/8 rule of order four.",
    reference: "W. Kutta, Z. Math. Phys. 46, 435-453, 1901",
    stability_limit: 2.785293563405282,
    a: &[&[], &[1.0 / 3.0], &[-1.0 / 3.0, 1.0], &[1.0, -1.0, 1.0]],
    b: &[1.0 / 8.0, 3.0 / 8.0, 3.0 / 8.0, 1.0 / 8.0],
    c: &[0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0],
};

/// y + h Σ w_i k_i.
fn along(y: Array, weights: &[f64], slopes: &[Array]) -> Vec<(Coef, Array)> {
    let terms = weights.iter().zip(slopes).map(|(&w, &k)| (h(w), k));
    std::iter::once((num(1.0), y)).chain(terms).collect()
}

impl Stepper for Tableau {
    fn info(&self) -> SolverInfo {
        SolverInfo {
            description: self.description.to_string(),
            formula: "k_i = f(t + c_i h, y + h Σ_{j<i} a_ij k_j), y + h Σ_i b_i k_i".to_string(),
            reference: self.reference.to_string(),
            properties: Properties {
                explicit: true,
                real_stability_limit: Some(self.stability_limit),
                ..Properties::default()
            },
            ..SolverInfo::new(self.name, "rk", self.order)
        }
    }

    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let y = o.y();
        let mut slopes = Vec::new();
        for (row, &c) in self.a.iter().zip(self.c) {
            let stage = match slopes.is_empty() {
                true => y,
                false => o.combine(&along(y, row, &slopes))?,
            };
            slopes.push(o.rhs(c, stage)?);
        }
        let next = o.combine(&along(y, self.b, &slopes))?;
        o.commit(next)
    }
}

export_plugin!(SSPRK3, THREE_EIGHTHS);
