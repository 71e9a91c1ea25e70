//! Scalars that model kernels are generic over.
//!
//! | scalar | what it is |
//! |---|---|
//! | `f64` | plain double precision, `a * b + c` in two roundings |
//! | [`Plain<f64>`], [`Plain<f32>`] | the same behind a wrapper, for code generic in the precision |
//! | [`Fused<f64>`], [`Fused<f32>`] | fused multiply-add; only fast where the processor has it, see [`crate::simd`] |
//! | [`Dual<R, K>`] | a value with K directional derivatives over any of these, itself included |
//!
//! The elementary functions are the project's own, without branches, so that the compiler vectorises a loop
//! over lanes that calls them. They are accurate to 2.5 units in the last place, overflow to infinity and
//! underflow to zero exactly where they should, and pass NaN through. The sign of a zero is not kept.
//! `Plain` and `Fused` share their source; their results differ in the last places, while the results of
//! `Fused` are the same bits at every vector width.

mod along;
mod dual;
mod elementary;
mod format;
mod scalar;

pub(crate) use along::Along;
pub use dual::Dual;
pub use scalar::{Element, Fused, Lane, Plain};

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A real number that a kernel computes with: a floating-point scalar, or a dual number carrying derivatives.
///
/// Write a kernel once against this trait; the engine instantiates it for values, Jacobians and second
/// derivatives. Kernels must be branch-free in the numbers: use [`Real::if_less`] where a formula has cases.
pub trait Real:
    Copy
    + Debug
    + Send
    + Sync
    + 'static
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// The constant `x` (zero derivative).
    fn constant(x: f64) -> Self;
    /// The value, without derivatives.
    fn value(self) -> f64;
    /// `self * a + b`, fused where the processor has the instruction.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// `if self < other { then } else { otherwise }`, without a branch.
    fn if_less(self, other: Self, then: Self, otherwise: Self) -> Self;
    /// Exponential function.
    fn exp(self) -> Self;
    /// `e^x - 1`, accurate near 0.
    fn expm1(self) -> Self;
    /// `(e^x - 1) / x`, 1 at 0, with the right derivatives there.
    fn exprel(self) -> Self;
    /// The Bernoulli function `x / (e^x - 1)`, 1 at 0: the reciprocal of [`Real::exprel`] by a single division, with the right
    /// derivatives at 0 and no overflow on the way.
    #[inline(always)]
    fn bernoulli(self) -> Self {
        Self::one() / self.exprel()
    }
    /// [`Real::bernoulli`] and its derivative.
    #[inline(always)]
    fn bernoulli_and_slope(self) -> [Self; 2] {
        let value = self.bernoulli();
        let near = value * (self.phi2() * value - 1.0);
        let far = value * (Self::one() - value - self) / self;
        let slope = self.abs().if_less(Self::constant(2.0), near, far);
        [value, slope]
    }
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// `1 / (1 + e^-x)`.
    fn logistic(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Sine, for |x| ≤ 10⁸; beyond that NaN.
    fn sin(self) -> Self;
    /// Cosine, for |x| ≤ 10⁸; beyond that NaN.
    fn cos(self) -> Self;
    /// The function `φ_k(z) = Σ_n z^n / (n + k)!` of exponential integrators, for k ≤ 32 (NaN beyond).
    ///
    /// `φ_0 = e^z`, `φ_1 =` [`Real::exprel`], `φ_{k+1}(z) = (φ_k(z) - 1/k!) / z`. Give `k` as a literal: the
    /// choice is then made at compile time. Accurate to a few units in the last place for k ≤ 6; larger k,
    /// which only derivatives of high order need, lose about a digit.
    ///
    /// M. Hochbruck, A. Ostermann, Exponential integrators, Acta Numerica 19 (2010),
    /// [doi:10.1017/S0962492910000048](https://doi.org/10.1017/S0962492910000048).
    fn phi(self, k: u32) -> Self;
    /// [`Real::exprel`] and its derivative.
    #[inline(always)]
    fn exprel_and_slope(self) -> [Self; 2] {
        let value = self.exprel();
        [value, dual::phi_slope(self, 1, value)]
    }
    /// `φ_2(z) = (e^z - 1 - z) / z²`, 1/2 at 0.
    #[inline(always)]
    fn phi2(self) -> Self {
        self.phi(2)
    }
    /// `φ_3(z) = (e^z - 1 - z - z²/2) / z³`, 1/6 at 0.
    #[inline(always)]
    fn phi3(self) -> Self {
        self.phi(3)
    }

    /// Zero.
    #[inline(always)]
    fn zero() -> Self {
        Self::constant(0.0)
    }
    /// One.
    #[inline(always)]
    fn one() -> Self {
        Self::constant(1.0)
    }
    /// Integer power by repeated multiplication.
    #[inline(always)]
    fn powi(self, n: u32) -> Self {
        let mut out = Self::one();
        let mut k = 0;
        while k < n {
            out = out * self;
            k += 1;
        }
        out
    }
    /// The larger of two numbers.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.if_less(other, other, self)
    }
    /// The smaller of two numbers.
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.if_less(other, self, other)
    }
    /// Absolute value.
    #[inline(always)]
    fn abs(self) -> Self {
        self.if_less(Self::zero(), -self, self)
    }
}
