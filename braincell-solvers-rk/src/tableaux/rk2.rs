//! The one-parameter family of two-stage methods of order two.

use thiserror::Error;

/// The two-stage method of order two with its second stage at c₂ = α:
/// a₂₁ = c₂ = α, b = [1 − 1/(2α), 1/(2α)].
///
/// α = 1/2 is the midpoint method, 2/3 Ralston's, 1 Heun's.
///
/// ```
/// use braincell_solvers_rk::tableaux::{HEUN2, Rk2Coefficients};
/// assert_eq!(Rk2Coefficients::new(1.0)?.b, HEUN2.b);
/// # Ok::<(), braincell_solvers_rk::tableaux::Rk2Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rk2Coefficients {
    /// Node of the second stage, which is also its only stage coefficient a₂₁.
    pub alpha: f64,
    /// Weights of the two stages.
    pub b: [f64; 2],
}

/// A parameter α that gives no two-stage method.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error(
    "rk2: alpha = {alpha} gives no two-stage method of order two: choose a finite alpha for which 1/(2 alpha) is finite \
     and not zero, such as 2/3"
)]
pub struct Rk2Error {
    /// The parameter.
    pub alpha: f64,
}

impl Rk2Coefficients {
    /// The α used where none is given: 2/3, which has the least error bound (Ralston 1962).
    pub const DEFAULT_ALPHA: f64 = 2.0 / 3.0;

    /// The coefficients for `alpha`. b₂ is the double nearest to 1/(2α), and b₁ the one nearest to 1 − b₂.
    ///
    /// # Errors
    /// [`Rk2Error`] if `alpha` is zero or not finite, or so small or so large that 1/(2α) is not a normal double.
    pub fn new(alpha: f64) -> Result<Self, Rk2Error> {
        let second = 1.0 / (2.0 * alpha);
        if second.is_normal() {
            Ok(Self {
                alpha,
                b: [1.0 - second, second],
            })
        } else {
            Err(Rk2Error { alpha })
        }
    }
}
