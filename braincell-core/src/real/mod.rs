//! Scalars that model kernels are generic over.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A real number that a kernel computes with: `f64`, `f32`, or a dual number carrying derivatives.
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
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// `1 / (1 + e^-x)`.
    fn logistic(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Sine.
    fn sin(self) -> Self;
    /// Cosine.
    fn cos(self) -> Self;

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
