//! A value with its derivative in one direction, in which most arguments do not change.

// A closure would not be compiled for the vector instructions.
#![allow(clippy::manual_map)]

use super::{Dual, Real};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A value and its derivative in one direction, if it has one there.
///
/// As a [`Dual`] with one tangent, except that arguments which stay as they are take part in no derivative at all. Where the
/// compiler sees which arguments these are, nothing of their derivatives is left to compute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Along<R> {
    pub value: R,
    /// Nothing means 0.
    pub slope: Option<R>,
}

impl<R: Real> Along<R> {
    /// A number that does not change.
    #[inline(always)]
    pub fn fixed(value: R) -> Self {
        Self { value, slope: None }
    }

    /// The number that changes.
    #[inline(always)]
    pub fn variable(value: R) -> Self {
        let slope = Some(R::one());
        Self { value, slope }
    }
}

/// Functions of one number by the rules of [`Dual`].
macro_rules! through {
    ($($name:ident)*) => { $(
        #[inline(always)]
        fn $name(self) -> Self {
            through!(self, $name())
        }
    )* };
    ($x:expr, $name:ident($($k:expr)?)) => { match $x.slope {
        None => Self::fixed($x.value.$name($($k)?)),
        Some(slope) => {
            let Dual { value, tangent: [slope] } = Dual::new($x.value, [slope]).$name($($k)?);
            Self { value, slope: Some(slope) }
        }
    } };
}

/// a + b, where either may be missing.
#[inline(always)]
fn sum<R: Real>(a: Option<R>, b: Option<R>) -> Option<R> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (Some(a), None) => Some(a),
        (None, b) => b,
    }
}

/// a · b + c, where a and c may be missing.
#[inline(always)]
fn multiplied<R: Real>(a: Option<R>, b: R, c: Option<R>) -> Option<R> {
    match (a, c) {
        (Some(a), Some(c)) => Some(a.mul_add(b, c)),
        (Some(a), None) => Some(a * b),
        (None, c) => c,
    }
}

impl<R: Real> Neg for Along<R> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        let slope = match self.slope {
            Some(slope) => Some(-slope),
            None => None,
        };
        Self {
            value: -self.value,
            slope,
        }
    }
}

impl<R: Real> Add for Along<R> {
    type Output = Self;
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self {
            value: self.value + b.value,
            slope: sum(self.slope, b.slope),
        }
    }
}

impl<R: Real> Sub for Along<R> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        self + (-b)
    }
}

impl<R: Real> Mul for Along<R> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        let second = multiplied(b.slope, self.value, None);
        Self {
            value: self.value * b.value,
            slope: multiplied(self.slope, b.value, second),
        }
    }
}

impl<R: Real> Div for Along<R> {
    type Output = Self;
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        let value = self.value / b.value;
        let numerator = multiplied(b.slope, -value, self.slope);
        let slope = multiplied(numerator, R::one() / b.value, None);
        Self { value, slope }
    }
}

impl<R: Real> Add<f64> for Along<R> {
    type Output = Self;
    #[inline(always)]
    fn add(self, b: f64) -> Self {
        self + Self::constant(b)
    }
}

impl<R: Real> Sub<f64> for Along<R> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, b: f64) -> Self {
        self - Self::constant(b)
    }
}

impl<R: Real> Mul<f64> for Along<R> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, b: f64) -> Self {
        self * Self::constant(b)
    }
}

impl<R: Real> Div<f64> for Along<R> {
    type Output = Self;
    #[inline(always)]
    fn div(self, b: f64) -> Self {
        let slope = match self.slope {
            Some(slope) => Some(slope / b),
            None => None,
        };
        Self {
            value: self.value / b,
            slope,
        }
    }
}

impl<R: Real> Real for Along<R> {
    #[inline(always)]
    fn constant(x: f64) -> Self {
        Self::fixed(R::constant(x))
    }
    #[inline(always)]
    fn value(self) -> f64 {
        self.value.value()
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        let second = multiplied(a.slope, self.value, b.slope);
        Self {
            value: self.value.mul_add(a.value, b.value),
            slope: multiplied(self.slope, a.value, second),
        }
    }
    #[inline(always)]
    fn if_less(self, other: Self, then: Self, otherwise: Self) -> Self {
        let (a, b) = (self.value, other.value);
        let zero = R::zero();
        let slope = match (then.slope, otherwise.slope) {
            (None, None) => None,
            (c, d) => Some(a.if_less(b, c.unwrap_or(zero), d.unwrap_or(zero))),
        };
        Self {
            value: a.if_less(b, then.value, otherwise.value),
            slope,
        }
    }
    through!(exp expm1 exprel bernoulli ln tanh logistic sqrt sin cos);
    #[inline(always)]
    fn phi(self, k: u32) -> Self {
        through!(self, phi(k))
    }
}

#[cfg(test)]
mod tests {
    use super::{Along, Dual, Real};
    use crate::real::Plain;

    /// Uses every operation on numbers that change and on such that do not.
    fn all<R: Real>(x: R, c: R) -> R {
        let sums = (x + c) - (c - x) + (x - 1.0) * 2.0 + (c + 1.0) / 3.0 + (-x) / 5.0;
        let products = (x * c + c * c) / (x + c) + c / (c + 1.0) + x / c + x.mul_add(c, c);
        let products = products + c.mul_add(x, x) + c.mul_add(c, c) + x.mul_add(x, x);
        let chosen = x.if_less(c, x, c) + c.if_less(x, x, c) + x.max(c * 2.0) + c.abs();
        let functions = x.exp() + x.expm1() + x.exprel() + x.bernoulli() + x.ln() + x.tanh();
        let functions = functions + x.logistic() + x.sqrt() + x.sin() + x.cos() + x.phi(2);
        let fixed = c.exp() + c.bernoulli() + c.phi(3);
        sums + products * functions + chosen * x.powi(3) + fixed
    }

    #[test]
    fn agrees_with_dual_numbers() {
        for (x, c) in [(0.3, 1.7), (2.5, 0.4), (1.0, 1.0)] {
            let (x, c) = (Plain(x), Plain(c));
            let dual = all(Dual::new(x, [Plain(1.0)]), Dual::lift(c));
            let along = all(Along::variable(x), Along::fixed(c));
            assert_eq!(along.value, dual.value);
            let [right] = dual.tangent;
            let slope = along.slope.expect("x takes part");
            assert!(
                (slope.0 - right.0).abs() <= 1e-13 * right.0.abs(),
                "{slope:?} {right:?}"
            );
            assert!(all(Along::fixed(x), Along::fixed(c)).slope.is_none());
        }
    }
}
