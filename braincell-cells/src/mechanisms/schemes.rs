//! Channels as kinetic schemes.

use crate::mechanism::{Local, Scheme, SchemeInfo, parameter};
use crate::rates::{exponential, linoid, sigmoid};
use braincell_core::real::Real;

/// The sodium channel of [`super::SodiumHh1952`] as a scheme of eight states: three gates m and one gate h that open
/// and close independently. State "m2h1" has two gates m and the gate h open; "m3h1" conducts.
///
/// A. L. Hodgkin, A. F. Huxley, J. Physiol. 117 (1952),
/// [doi:10.1113/jphysiol.1952.sp004764](https://doi.org/10.1113/jphysiol.1952.sp004764).
pub struct SodiumHh1952Scheme;

impl Scheme<8, 10, 2> for SodiumHh1952Scheme {
    const STATES: [&'static str; 8] = [
        "m0h0", "m1h0", "m2h0", "m3h0", "m0h1", "m1h1", "m2h1", "m3h1",
    ];
    const TRANSITIONS: [(usize, usize); 10] = [
        (0, 1),
        (1, 2),
        (2, 3),
        (4, 5),
        (5, 6),
        (6, 7),
        (0, 4),
        (1, 5),
        (2, 6),
        (3, 7),
    ];
    const CONDUCTING: &'static [usize] = &[7];

    fn info(&self) -> SchemeInfo {
        SchemeInfo {
            name: "na_hh1952_scheme",
            description: "Sodium current of the squid axon as a kinetic scheme of 8 states, I = g_max [m3h1] (E - V)",
            reference: "Hodgkin & Huxley 1952, doi:10.1113/jphysiol.1952.sp004764",
            ion: Some("na"),
            senses: None,
            parameters: vec![
                parameter("g_max", "mS/cm2", 120.0, "maximal conductance"),
                parameter("E", "mV", 50.0, "reversal potential"),
            ],
        }
    }
    #[inline(always)]
    fn rates<R: Real>(&self, at: Local<R>, _: [R; 2]) -> [[R; 2]; 10] {
        let v = at.v;
        let (alpha, beta) = (
            linoid(v, 1.0, -40.0, 10.0),
            exponential(v, 4.0, -65.0, -18.0),
        );
        let m = [
            [alpha * 3.0, beta],
            [alpha * 2.0, beta * 2.0],
            [alpha, beta * 3.0],
        ];
        let h = [
            exponential(v, 0.07, -65.0, -20.0),
            sigmoid(v, 1.0, -35.0, 10.0),
        ];
        [m[0], m[1], m[2], m[0], m[1], m[2], h, h, h, h]
    }
    #[inline(always)]
    fn current<R: Real>(&self, at: Local<R>, open: R, [g, _]: [R; 2]) -> R {
        g * open * (at.reversal - at.v)
    }
}
