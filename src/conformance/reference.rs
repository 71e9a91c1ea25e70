//! The solver that makes the reference solutions.

use crate::registry::{Origin, Registry};
use crate::stepper::{Array, Coef, Parts, SolverInfo, StepError, StepOps, Stepper, Terms, h, num};
use std::sync::Arc;

/// Numbers of midpoint steps whose results are extrapolated.
const SUBSTEPS: [u32; 5] = [2, 4, 6, 8, 10];

/// The name that [`registry`] knows the solver by.
pub(super) const NAME: &str = "extrapolated_midpoint";

/// The explicit midpoint rule, extrapolated to order ten: no coefficient is taken from a table, and nothing is shared
/// with the solvers under test.
///
/// The rule with an even number n of substeps, started by one Euler substep, has an error that is a power series in
/// (h/n)²; the weights Π_{i≠j} n_j² / (n_j² - n_i²) cancel its first terms.
///
/// W. B. Gragg, On extrapolation algorithms for ordinary initial value problems, SIAM J. Numer. Anal. 2 (1965),
/// [doi:10.1137/0702030](https://doi.org/10.1137/0702030).
struct ExtrapolatedMidpoint {
    /// The states that are advanced; the others keep their value.
    parts: Parts,
}

impl Stepper for ExtrapolatedMidpoint {
    fn info(&self) -> SolverInfo {
        let mut info = SolverInfo::new(NAME, "reference", 2 * SUBSTEPS.len() as u32);
        info.description = "The midpoint rule, extrapolated to order ten".to_string();
        info.formula = "y(t + h) = Σ_j w_j M_j, M_j = n_j midpoint steps of h / n_j, \
                        w_j = Π_{i≠j} n_j² / (n_j² - n_i²)"
            .to_string();
        info.reference = "Gragg 1965, doi:10.1137/0702030".to_string();
        info.properties.explicit = true;
        info
    }

    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let first = o.rhs_of(self.parts, Terms::All, 0.0, o.y())?;
        let mut terms: Vec<(Coef, Array)> = Vec::new();
        for n in SUBSTEPS {
            let square = |k: u32| f64::from(k * k);
            let others = SUBSTEPS.iter().filter(|&&k| k != n);
            let weight = others.map(|&k| square(n) / (square(n) - square(k)));
            terms.push((num(weight.product()), self.midpoint(o, first, n)?));
        }
        let next = o.combine(&terms)?;
        o.commit(next)
    }
}

impl ExtrapolatedMidpoint {
    /// `n` midpoint steps of h / n from the state at the beginning, where the slope is `first`.
    fn midpoint(&self, o: &mut StepOps, first: Array, n: u32) -> Result<Array, StepError> {
        let width = 1.0 / f64::from(n);
        let mut before = o.y();
        let mut now = o.combine(&[(num(1.0), before), (h(width), first)])?;
        for k in 1..n {
            let slope = o.rhs_of(self.parts, Terms::All, f64::from(k) * width, now)?;
            let next = o.combine(&[(num(1.0), before), (h(2.0 * width), slope)])?;
            (before, now) = (now, next);
        }
        Ok(now)
    }
}

/// A registry with the reference solver alone, which advances the states of `parts`.
pub(super) fn registry(parts: Parts) -> Registry {
    let mut registry = Registry::new();
    let origin = Origin {
        from: env!("CARGO_PKG_NAME").to_string(),
        version: env!("CARGO_PKG_VERSION").to_string(),
    };
    registry
        .register(Arc::new(ExtrapolatedMidpoint { parts }), origin)
        .expect("an empty registry takes a valid solver");
    registry
}
