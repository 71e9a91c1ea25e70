//! A scalar that records which inputs a result depends on.

use crate::real::Real;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A set of up to 64 inputs, as a bit mask. Every operation joins the sets of its operands, both branches of a
/// selection included, so the result holds whatever the numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depends(
    /// The mask.
    pub u64,
);

impl Neg for Depends {
    type Output = Self;
    fn neg(self) -> Self {
        self
    }
}

macro_rules! join {
    ($($trait:ident $f:ident),*) => {$(
        impl $trait for Depends {
            type Output = Self;
            #[allow(clippy::suspicious_arithmetic_impl)]
            fn $f(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }
        impl $trait<f64> for Depends {
            type Output = Self;
            fn $f(self, _: f64) -> Self {
                self
            }
        }
    )*};
}
join!(Add add, Sub sub, Mul mul, Div div);

macro_rules! same {
    ($($f:ident),*) => {$(fn $f(self) -> Self { self })*};
}

impl Real for Depends {
    fn constant(_: f64) -> Self {
        Self(0)
    }
    fn value(self) -> f64 {
        f64::NAN
    }
    fn mul_add(self, a: Self, b: Self) -> Self {
        Self(self.0 | a.0 | b.0)
    }
    fn if_less(self, other: Self, then: Self, otherwise: Self) -> Self {
        Self(self.0 | other.0 | then.0 | otherwise.0)
    }
    fn phi(self, _: u32) -> Self {
        self
    }
    same!(exp, expm1, exprel, ln, tanh, logistic, sqrt, sin, cos);
}
