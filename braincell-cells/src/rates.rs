//! Rate functions of ion channels, without singularities and with the right derivatives everywhere.
//!
//! All take the membrane potential `v`, a maximal or scale `rate` (1/ms), a `centre` (mV) and a `width` (mV), and are
//! functions of x = (v - centre) / width.

use braincell_core::real::Real;

/// rate · e^x.
#[inline(always)]
pub fn exponential<R: Real>(v: R, rate: f64, centre: f64, width: f64) -> R {
    ((v - centre) / width).exp() * rate
}

/// rate / (1 + e^-x).
#[inline(always)]
pub fn sigmoid<R: Real>(v: R, rate: f64, centre: f64, width: f64) -> R {
    ((v - centre) / width).logistic() * rate
}

/// rate · x / (1 - e^-x), which is `rate` at x = 0.
///
/// In the form α = A (v - centre) / (1 - e^(-(v - centre) / width)) found in papers, `rate` is A · width.
#[inline(always)]
pub fn linoid<R: Real>(v: R, rate: f64, centre: f64, width: f64) -> R {
    R::constant(rate) / ((v - centre) / -width).exprel()
}
