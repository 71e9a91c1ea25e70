//! The engine that makes a stepper of a tableau.

use crate::stochastic;
use crate::tableau::Tableau;
use crate::tableaux::{RK2, Rk2Coefficients, TABLEAUX};
use braincell_core::registry::{Registry, RegistryError};
use braincell_core::stepper::{
    Array, Coef, Properties, SolverInfo, SolverParameter, StepError, StepOps, Stepper, h, num,
};
use std::sync::Arc;

/// An explicit Runge–Kutta method as a stepper.
pub struct ExplicitRungeKutta(pub &'static Tableau);

/// y + h Σ w_i k_i, without the terms that are zero.
fn step_along(y: Array, weights: &[f64], slopes: &[Array]) -> Vec<(Coef, Array)> {
    let terms = weights.iter().zip(slopes).filter(|(w, _)| **w != 0.0);
    let first = std::iter::once((num(1.0), y));
    first.chain(terms.map(|(&w, &k)| (h(w), k))).collect()
}

impl Stepper for ExplicitRungeKutta {
    fn info(&self) -> SolverInfo {
        let Tableau {
            name,
            aliases,
            order,
            embedded_order,
            description,
            reference,
            ..
        } = *self.0;
        let mut info = SolverInfo::new(name, "rk", u32::from(order));
        info.aliases = aliases.iter().map(|alias| alias.to_string()).collect();
        info.embedded_order = embedded_order.map(u32::from);
        info.description = description.to_string();
        info.formula =
            "k_i = f(t + c_i h, y + h Σ_{j<i} a_ij k_j), y(t + h) = y + h Σ_i b_i k_i".to_string();
        info.reference = reference.to_string();
        info.properties = Properties {
            explicit: true,
            real_stability_limit: Some(self.0.negative_real_stability_limit()),
            ..Properties::default()
        };
        if name == RK2.name {
            info.parameters = vec![SolverParameter {
                name: "alpha".to_string(),
                default: Rk2Coefficients::DEFAULT_ALPHA,
                description:
                    "the node c₂, not 0: 1/2 is the midpoint rule, 2/3 Ralston's, 1 Heun's"
                        .to_string(),
            }];
        }
        info
    }

    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let tableau = self.0;
        if tableau.name == RK2.name {
            let rk2 = Rk2Coefficients::new(o.parameter("alpha")?);
            let rk2 = rk2.map_err(|error| StepError::Refused(error.to_string()))?;
            return explicit(o, &[&[], &[rk2.alpha]], &rk2.b, &[0.0, rk2.alpha]).map(|_| ());
        }
        let slopes = explicit(o, tableau.a, tableau.b, tableau.c)?;
        if let Some(b_hat) = tableau.b_hat {
            let differences: Vec<(Coef, Array)> = (tableau.b.iter().zip(b_hat).zip(&slopes))
                .filter(|((b, b_hat), _)| b != b_hat)
                .map(|((b, b_hat), &k)| (h(b - b_hat), k))
                .collect();
            let estimate = o.combine(&differences)?;
            o.error(estimate)?;
        }
        if let Some(weights) = tableau.dense {
            let degree = weights.iter().map(|row| row.len()).max().unwrap_or(0);
            let mut powers = Vec::new();
            for power in 0..degree {
                let coefficient = |row: &&[f64]| row.get(power).copied().unwrap_or(0.0);
                let terms: Vec<(Coef, Array)> = (weights.iter().zip(&slopes))
                    .map(|(row, &k)| (h(coefficient(row)), k))
                    .filter(|(coefficient, _)| coefficient.c != 0.0)
                    .collect();
                powers.push(o.combine(&terms)?);
            }
            o.dense(&powers)?;
        }
        Ok(())
    }
}

/// The stages and the new state. Returns the slopes.
fn explicit(o: &mut StepOps, a: &[&[f64]], b: &[f64], c: &[f64]) -> Result<Vec<Array>, StepError> {
    let y = o.y();
    let mut slopes = Vec::new();
    for (row, &c) in a.iter().zip(c) {
        let stage = match slopes.is_empty() {
            true => y,
            false => o.combine(&step_along(y, row, &slopes))?,
        };
        slopes.push(o.rhs(c, stage)?);
    }
    let next = o.combine(&step_along(y, b, &slopes))?;
    o.commit(next)?;
    Ok(slopes)
}

/// Registers all methods of this crate.
///
/// # Errors
/// If a name is taken.
pub fn register(registry: &mut Registry) -> Result<(), RegistryError> {
    registry.register_all(steppers(), &braincell_core::this_crate!())
}

/// All methods of this crate.
pub fn steppers() -> Vec<Arc<dyn Stepper>> {
    let stepper = |tableau: &&'static Tableau| Arc::new(ExplicitRungeKutta(tableau)) as _;
    let deterministic = TABLEAUX.iter().map(stepper);
    deterministic.chain(stochastic::steppers()).collect()
}
