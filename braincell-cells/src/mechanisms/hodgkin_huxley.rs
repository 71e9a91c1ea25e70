//! The currents of the squid giant axon, in the convention of a resting potential of -65 mV.
//!
//! A. L. Hodgkin, A. F. Huxley, A quantitative description of membrane current and its application to conduction and
//! excitation in nerve, J. Physiol. 117 (1952), [doi:10.1113/jphysiol.1952.sp004764](https://doi.org/10.1113/jphysiol.1952.sp004764).

use crate::mechanism::{Channel, ChannelInfo, Local, parameter};
use crate::rates::{exponential, linoid, sigmoid};
use braincell_core::kernel::Relaxation;
use braincell_core::real::Real;

const REFERENCE: &str = "Hodgkin & Huxley 1952, doi:10.1113/jphysiol.1952.sp004764";

/// I = g (E - V).
pub struct Leak;

impl Channel<0, 2> for Leak {
    fn info(&self) -> ChannelInfo {
        ChannelInfo {
            name: "leak",
            description: "Ohmic leak, I = g_max (E - V)",
            reference: "",
            ion: None,
            senses: None,
            gates: &[],
            parameters: vec![
                parameter("g_max", "mS/cm2", 0.3, "conductance"),
                parameter("E", "mV", -54.387, "reversal potential"),
            ],
        }
    }
    #[inline(always)]
    fn rates<R: Real>(&self, _: Local<R>, _: [R; 2]) -> [Relaxation<R>; 0] {
        []
    }
    #[inline(always)]
    fn current<R: Real>(&self, at: Local<R>, _: [R; 0], [g, _]: [R; 2]) -> R {
        g * (at.reversal - at.v)
    }
}

/// Sodium: I = g m³ h (E - V).
pub struct SodiumHh1952;

impl Channel<2, 2> for SodiumHh1952 {
    fn info(&self) -> ChannelInfo {
        ChannelInfo {
            name: "na_hh1952",
            description: "Sodium current of the squid axon, I = g_max m³ h (E - V)",
            reference: REFERENCE,
            ion: Some("na"),
            senses: None,
            gates: &["m", "h"],
            parameters: vec![
                parameter("g_max", "mS/cm2", 120.0, "maximal conductance"),
                parameter("E", "mV", 50.0, "reversal potential"),
            ],
        }
    }
    #[inline(always)]
    fn rates<R: Real>(&self, at: Local<R>, _: [R; 2]) -> [Relaxation<R>; 2] {
        let v = at.v;
        [
            Relaxation::rates(
                linoid(v, 1.0, -40.0, 10.0),
                exponential(v, 4.0, -65.0, -18.0),
            ),
            Relaxation::rates(
                exponential(v, 0.07, -65.0, -20.0),
                sigmoid(v, 1.0, -35.0, 10.0),
            ),
        ]
    }
    #[inline(always)]
    fn current<R: Real>(&self, at: Local<R>, [m, h]: [R; 2], [g, _]: [R; 2]) -> R {
        g * (m * m * m * h) * (at.reversal - at.v)
    }
}

/// Potassium: I = g n⁴ (E - V).
pub struct PotassiumHh1952;

impl Channel<1, 2> for PotassiumHh1952 {
    fn info(&self) -> ChannelInfo {
        ChannelInfo {
            name: "k_hh1952",
            description: "Potassium current of the squid axon, I = g_max n⁴ (E - V)",
            reference: REFERENCE,
            ion: Some("k"),
            senses: None,
            gates: &["n"],
            parameters: vec![
                parameter("g_max", "mS/cm2", 36.0, "maximal conductance"),
                parameter("E", "mV", -77.0, "reversal potential"),
            ],
        }
    }
    #[inline(always)]
    fn rates<R: Real>(&self, at: Local<R>, _: [R; 2]) -> [Relaxation<R>; 1] {
        [Relaxation::rates(
            linoid(at.v, 0.1, -55.0, 10.0),
            exponential(at.v, 0.125, -65.0, -80.0),
        )]
    }
    #[inline(always)]
    fn current<R: Real>(&self, at: Local<R>, [n]: [R; 1], [g, _]: [R; 2]) -> R {
        let n2 = n * n;
        g * (n2 * n2) * (at.reversal - at.v)
    }
}
