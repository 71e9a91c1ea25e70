//! Dual numbers: a value with directional derivatives.

use super::{Lane, Real};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A value and its derivatives in `K` directions: forward-mode differentiation of whatever computes with it.
///
/// The value takes exactly the operations a plain `R` takes, so it has the same bits. Nested duals give second
/// and higher derivatives; the rules stay accurate at removable singularities at every depth.
///
/// Storage: an array of duals does not vectorise. Keep values and tangents in separate planes and build the
/// dual per lane with [`Dual::new`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual<R, const K: usize> {
    /// The value.
    pub value: R,
    /// The derivatives.
    pub tangent: [R; K],
}

impl<R: Real, const K: usize> Dual<R, K> {
    /// A value with given derivatives.
    #[inline(always)]
    pub fn new(value: R, tangent: [R; K]) -> Self {
        Self { value, tangent }
    }

    /// An independent variable: derivative one in `direction`, zero in the others (in all, if there is no such
    /// direction).
    #[inline(always)]
    pub fn variable(value: R, direction: usize) -> Self {
        let mut tangent = [R::zero(); K];
        let mut k = 0;
        while k < K {
            if k == direction {
                tangent[k] = R::one();
            }
            k += 1;
        }
        Self { value, tangent }
    }

    /// A constant of the inner type.
    #[inline(always)]
    pub fn lift(value: R) -> Self {
        Self {
            value,
            tangent: [R::zero(); K],
        }
    }

    /// The function value `value` with derivative `slope` with respect to `self`.
    #[inline(always)]
    pub fn chain(self, value: R, slope: R) -> Self {
        Self {
            value,
            tangent: each(|k| slope * self.tangent[k]),
        }
    }
}

/// An array by index, without a call that might stay out of line.
#[inline(always)]
fn each<R: Real, const K: usize>(f: impl Fn(usize) -> R) -> [R; K] {
    let mut out = [R::zero(); K];
    let mut k = 0;
    while k < K {
        out[k] = f(k);
        k += 1;
    }
    out
}

impl<R: Real, const K: usize> Neg for Dual<R, K> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self {
            value: -self.value,
            tangent: each(|k| -self.tangent[k]),
        }
    }
}

impl<R: Real, const K: usize> Add for Dual<R, K> {
    type Output = Self;
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self {
            value: self.value + b.value,
            tangent: each(|k| self.tangent[k] + b.tangent[k]),
        }
    }
}

impl<R: Real, const K: usize> Sub for Dual<R, K> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self {
            value: self.value - b.value,
            tangent: each(|k| self.tangent[k] - b.tangent[k]),
        }
    }
}

impl<R: Real, const K: usize> Mul for Dual<R, K> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Self {
            value: self.value * b.value,
            tangent: each(|k| self.tangent[k].mul_add(b.value, self.value * b.tangent[k])),
        }
    }
}

impl<R: Real, const K: usize> Div for Dual<R, K> {
    type Output = Self;
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        let q = self.value / b.value;
        let inverse = R::one() / b.value;
        Self {
            value: q,
            tangent: each(|k| (-q).mul_add(b.tangent[k], self.tangent[k]) * inverse),
        }
    }
}

impl<R: Real, const K: usize> Add<f64> for Dual<R, K> {
    type Output = Self;
    #[inline(always)]
    fn add(self, b: f64) -> Self {
        Self {
            value: self.value + b,
            tangent: self.tangent,
        }
    }
}

impl<R: Real, const K: usize> Sub<f64> for Dual<R, K> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, b: f64) -> Self {
        Self {
            value: self.value - b,
            tangent: self.tangent,
        }
    }
}

impl<R: Real, const K: usize> Mul<f64> for Dual<R, K> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, b: f64) -> Self {
        Self {
            value: self.value * b,
            tangent: each(|k| self.tangent[k] * b),
        }
    }
}

impl<R: Real, const K: usize> Div<f64> for Dual<R, K> {
    type Output = Self;
    #[inline(always)]
    fn div(self, b: f64) -> Self {
        Self {
            value: self.value / b,
            tangent: each(|k| self.tangent[k] / b),
        }
    }
}

/// φ_k'(v): φ_k - k φ_{k+1}, and where that cancels (v far below 0) the equal (φ_{k-1} - k φ_k) / v.
#[inline(always)]
pub(super) fn phi_slope<R: Real>(v: R, k: u32, value: R) -> R {
    if k == 0 {
        return value;
    }
    let order = f64::from(k);
    let near = value - v.phi(k + 1) * order;
    let far = (v.phi(k - 1) - value * order) / v;
    v.if_less(R::constant(-2.0), far, near)
}

impl<R: Real, const K: usize> Real for Dual<R, K> {
    #[inline(always)]
    fn constant(x: f64) -> Self {
        Self::lift(R::constant(x))
    }
    #[inline(always)]
    fn value(self) -> f64 {
        self.value.value()
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Self {
            value: self.value.mul_add(a.value, b.value),
            tangent: each(|k| {
                self.tangent[k].mul_add(a.value, self.value.mul_add(a.tangent[k], b.tangent[k]))
            }),
        }
    }
    #[inline(always)]
    fn if_less(self, other: Self, then: Self, otherwise: Self) -> Self {
        let (a, b) = (self.value, other.value);
        Self {
            value: a.if_less(b, then.value, otherwise.value),
            tangent: each(|k| a.if_less(b, then.tangent[k], otherwise.tangent[k])),
        }
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let e = self.value.exp();
        self.chain(e, e)
    }
    #[inline(always)]
    fn expm1(self) -> Self {
        self.chain(self.value.expm1(), self.value.exp())
    }
    #[inline(always)]
    fn exprel(self) -> Self {
        let [value, slope] = self.value.exprel_and_slope();
        self.chain(value, slope)
    }
    #[inline(always)]
    fn bernoulli(self) -> Self {
        let [value, slope] = self.value.bernoulli_and_slope();
        self.chain(value, slope)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.chain(self.value.ln(), R::one() / self.value)
    }
    /// tanh' = 4 σ(2x) σ(-2x), accurate in the tails.
    #[inline(always)]
    fn tanh(self) -> Self {
        let y = self.value + self.value;
        self.chain(self.value.tanh(), y.logistic() * (-y).logistic() * 4.0)
    }
    /// σ' = σ(x) σ(-x), accurate in the tails.
    #[inline(always)]
    fn logistic(self) -> Self {
        let s = self.value.logistic();
        self.chain(s, s * (-self.value).logistic())
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.chain(root, R::constant(0.5) / root)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        self.chain(self.value.sin(), self.value.cos())
    }
    #[inline(always)]
    fn cos(self) -> Self {
        self.chain(self.value.cos(), -self.value.sin())
    }
    #[inline(always)]
    fn phi(self, k: u32) -> Self {
        let value = self.value.phi(k);
        self.chain(value, phi_slope(self.value, k, value))
    }
}

impl<F, R: Lane<F>, const K: usize> Lane<F> for Dual<R, K> {
    #[inline(always)]
    fn load(x: F) -> Self {
        Self::lift(R::load(x))
    }
    #[inline(always)]
    fn store(self) -> F {
        self.value.store()
    }
}
