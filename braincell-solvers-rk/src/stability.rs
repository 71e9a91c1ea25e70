//! Linear stability of explicit Runge–Kutta methods.

use crate::tableau::Tableau;

/// Step of the search for the first crossing of |R| = 1 along the negative real axis. An excursion above one that is
/// narrower than this is not seen; the methods of this crate have none.
const SEARCH_STEP: f64 = 1.0 / 256.0;

impl Tableau {
    /// Coefficients of the stability polynomial, from the constant term up:
    /// R(z) = 1 + Σ_{k=1}^{s} (bᵀ Aᵏ⁻¹ 1) zᵏ, by which a step of length h multiplies the solution of y′ = λy, z = λh.
    #[must_use]
    pub fn stability_polynomial(&self) -> Vec<f64> {
        let mut coefficients = vec![1.0];
        let mut stages = vec![1.0; self.stages()];
        for _ in 0..self.stages() {
            coefficients.push(dot(self.b, &stages));
            stages = self.a.iter().map(|row| dot(row, &stages)).collect();
        }
        coefficients
    }

    /// Largest x such that |R(z)| ≤ 1 for all z in [−x, 0]: on y′ = −λy steps up to x/λ do not grow.
    ///
    /// Found by searching outwards from zero and bisecting the first crossing, so it is accurate to the rounding of the
    /// stability polynomial. Infinite if the polynomial does not exceed one in the range where an explicit consistent
    /// method of s stages must, x ≤ 2s².
    #[must_use]
    pub fn negative_real_stability_limit(&self) -> f64 {
        let polynomial = self.stability_polynomial();
        let stable = |x: f64| {
            let growth = polynomial
                .iter()
                .rev()
                .fold(0.0, |sum, coefficient| coefficient - x * sum);
            f64::abs(growth) <= 1.0
        };
        let stages = self.stages() as f64;
        let mut inside = 0.0;
        let mut outside = SEARCH_STEP;
        while stable(outside) {
            if outside > 2.0 * stages * stages {
                return f64::INFINITY;
            }
            inside = outside;
            outside += SEARCH_STEP;
        }
        loop {
            let middle = 0.5 * (inside + outside);
            if middle <= inside || middle >= outside {
                return inside;
            }
            if stable(middle) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
    }
}

/// Σ_i x_i y_i over the shorter of the two.
fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}
