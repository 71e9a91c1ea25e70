//! Floating-point scalars: plain and fused arithmetic, and the storage types they load from.

use super::format::{Arith, Format};
use super::{Real, elementary};
use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A scalar with `a * b + c` in two roundings; runs fast on every processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Plain<T>(
    /// The number.
    pub T,
);

/// A scalar with fused multiply-add, one rounding.
///
/// Use it inside code that runs under [`crate::simd::dispatch`], or on aarch64: without the fma target feature
/// each multiply-add is a slow (still correct) library call.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Fused<T>(
    /// The number.
    pub T,
);

/// A scalar that stores as an element of type `F`.
pub trait Lane<F>: Real {
    /// From storage.
    fn load(x: F) -> Self;
    /// To storage; of a dual number its value.
    fn store(self) -> F;
}

/// A storage type of numbers, `f64` or `f32`, with the scalars that compute on it.
pub trait Element: Copy + Debug + Default + PartialEq + PartialOrd + Send + Sync + 'static {
    /// Scalar for processors without fused multiply-add.
    type Plain: Lane<Self>;
    /// Scalar for processors with fused multiply-add.
    type Fused: Lane<Self>;
    /// Rounds to this type.
    fn from_f64(x: f64) -> Self;
    /// Widens, exact.
    fn to_f64(self) -> f64;
}

macro_rules! element {
    ($t:ty) => {
        impl Element for $t {
            type Plain = Plain<$t>;
            type Fused = Fused<$t>;
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
        }
    };
}
element!(f64);
element!(f32);

macro_rules! operator {
    ($wrapper:ident, $t:ty, $op:ident, $f:ident, $sign:tt) => {
        impl $op for $wrapper<$t> {
            type Output = Self;
            #[inline(always)]
            fn $f(self, other: Self) -> Self {
                $wrapper(self.0 $sign other.0)
            }
        }
        impl $op<f64> for $wrapper<$t> {
            type Output = Self;
            #[inline(always)]
            fn $f(self, other: f64) -> Self {
                $wrapper(self.0 $sign other as $t)
            }
        }
    };
}

macro_rules! wrapper {
    ($wrapper:ident, $t:ty, |$a:ident, $b:ident, $c:ident| $fma:expr) => {
        operator!($wrapper, $t, Add, add, +);
        operator!($wrapper, $t, Sub, sub, -);
        operator!($wrapper, $t, Mul, mul, *);
        operator!($wrapper, $t, Div, div, /);
        impl Neg for $wrapper<$t> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                $wrapper(-self.0)
            }
        }
        impl Arith for $wrapper<$t> {
            type Format = $t;
            type Wide = $wrapper<f64>;
            #[inline(always)]
            fn new(x: $t) -> Self {
                $wrapper(x)
            }
            #[inline(always)]
            fn get(self) -> $t {
                self.0
            }
            #[inline(always)]
            fn fma(self, a: Self, b: Self) -> Self {
                let ($a, $b, $c) = (self.0, a.0, b.0);
                $wrapper($fma)
            }
        }
        real!($wrapper<$t>, $t);
    };
}

macro_rules! real {
    ($r:ty, $t:ty) => {
        impl Lane<$t> for $r {
            #[inline(always)]
            fn load(x: $t) -> Self {
                Arith::new(x)
            }
            #[inline(always)]
            fn store(self) -> $t {
                self.get()
            }
        }
        impl Real for $r {
            #[inline(always)]
            fn constant(x: f64) -> Self {
                Arith::c(x)
            }
            #[inline(always)]
            fn value(self) -> f64 {
                Format::to_f64(self.get())
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                self.fma(a, b)
            }
            #[inline(always)]
            fn if_less(self, other: Self, then: Self, otherwise: Self) -> Self {
                self.select_less(other, then, otherwise)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                elementary::exp(self)
            }
            #[inline(always)]
            fn expm1(self) -> Self {
                elementary::expm1(self)
            }
            #[inline(always)]
            fn exprel(self) -> Self {
                elementary::phi(self, 1)
            }
            #[inline(always)]
            fn bernoulli(self) -> Self {
                elementary::bernoulli(self)
            }
            #[inline(always)]
            fn bernoulli_and_slope(self) -> [Self; 2] {
                elementary::bernoulli_and_slope(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                elementary::ln(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                elementary::tanh(self)
            }
            #[inline(always)]
            fn logistic(self) -> Self {
                elementary::logistic(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                elementary::sqrt(self)
            }
            #[inline(always)]
            fn sin(self) -> Self {
                elementary::sin(self)
            }
            #[inline(always)]
            fn cos(self) -> Self {
                elementary::cos(self)
            }
            #[inline(always)]
            fn phi(self, k: u32) -> Self {
                elementary::phi(self, k)
            }
            #[inline(always)]
            fn exprel_and_slope(self) -> [Self; 2] {
                elementary::exprel_and_slope(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Arith::magnitude(self)
            }
        }
    };
}

impl Arith for f64 {
    type Format = f64;
    type Wide = f64;
    #[inline(always)]
    fn new(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn get(self) -> f64 {
        self
    }
    #[inline(always)]
    fn fma(self, a: Self, b: Self) -> Self {
        self * a + b
    }
}
real!(f64, f64);
wrapper!(Plain, f64, |a, b, c| a * b + c);
wrapper!(Plain, f32, |a, b, c| a * b + c);
wrapper!(Fused, f64, |a, b, c| a.mul_add(b, c));
wrapper!(Fused, f32, |a, b, c| a.mul_add(b, c));
