//! Rate functions of ion channels, without singularities and with the right derivatives everywhere.
//!
//! The rates take the membrane potential `v`, a maximal or scale `rate` (1/ms), a `centre` (mV) and a `width` (mV), and are
//! functions of x = (v - centre) / width.

use crate::mechanism::{FARADAY, GAS};
use braincell_core::real::Real;

/// (v - centre) / width, as a product with the reciprocal: the divider is what rates wait for.
#[inline(always)]
pub fn scaled<R: Real>(v: R, centre: f64, width: f64) -> R {
    (v - centre) * (1.0 / width)
}

/// rate · e^x.
#[inline(always)]
pub fn exponential<R: Real>(v: R, rate: f64, centre: f64, width: f64) -> R {
    scaled(v, centre, width).exp() * rate
}

/// rate / (1 + e^-x).
#[inline(always)]
pub fn sigmoid<R: Real>(v: R, rate: f64, centre: f64, width: f64) -> R {
    scaled(v, centre, width).logistic() * rate
}

/// rate · x / (1 - e^-x), which is `rate` at x = 0.
///
/// In the form α = A (v - centre) / (1 - e^(-(v - centre) / width)) found in papers, `rate` is A · width.
#[inline(always)]
pub fn linoid<R: Real>(v: R, rate: f64, centre: f64, width: f64) -> R {
    scaled(v, centre, -width).bernoulli() * rate
}

/// The current into the cell of Goldman, Hodgkin and Katz, in µA/cm² for a permeability of 1 cm/s:
/// z F (outside · u / (e^u - 1) - inside · u / (1 - e^-u)) with u = z F v / (R T).
///
/// `z` is the charge number, `temperature` in K, the concentrations in mM and `v` in mV. At v = 0 it is
/// z F (outside - inside), and it vanishes at the Nernst potential ([`crate::mechanism::nernst`]).
///
/// A. L. Hodgkin, B. Katz, The effect of sodium ions on the electrical activity of the giant axon of the squid,
/// J. Physiol. 108 (1949), [doi:10.1113/jphysiol.1949.sp004310](https://doi.org/10.1113/jphysiol.1949.sp004310).
#[inline(always)]
pub fn ghk<R: Real>(v: R, z: f64, temperature: R, outside: R, inside: R) -> R {
    let u = v * (1e-3 * z * FARADAY / GAS) / temperature;
    (outside * u.bernoulli() - inside * (-u).bernoulli()) * (z * FARADAY)
}
