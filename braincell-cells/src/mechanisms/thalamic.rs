//! The currents of a thalamic relay neuron.

use crate::mechanism::{Channel, ChannelInfo, Local, parameter};
use crate::rates::{exponential, linoid, sigmoid};
use braincell_core::kernel::Relaxation;
use braincell_core::real::Real;

const BAZHENOV: &str =
    "Bazhenov, Timofeev, Steriade & Sejnowski 2002, doi:10.1523/JNEUROSCI.22-19-08691.2002";
const HUGUENARD: &str = "Huguenard & McCormick 1992, doi:10.1152/jn.1992.68.4.1373";

/// Fast sodium: I = g p³ q (E - V).
///
/// With x = V - V_sh: α_p = 0.32 (x - 13) / (1 - e^(-(x - 13) / 4)), β_p = 0.28 (x - 40) / (e^((x - 40) / 5) - 1),
/// α_q = 0.128 e^(-(x - 17) / 18), β_q = 4 / (1 + e^(-(x - 40) / 5)).
///
/// M. Bazhenov, I. Timofeev, M. Steriade, T. J. Sejnowski, Model of thalamocortical slow-wave sleep oscillations and
/// transitions to activated states, J. Neurosci. 22 (2002),
/// [doi:10.1523/JNEUROSCI.22-19-08691.2002](https://doi.org/10.1523/JNEUROSCI.22-19-08691.2002).
pub struct SodiumBa2002;

impl Channel<2, 4> for SodiumBa2002 {
    fn info(&self) -> ChannelInfo {
        ChannelInfo {
            name: "na_ba2002",
            description: "Fast sodium current of thalamocortical cells, I = g_max p³ q (E - V)",
            reference: BAZHENOV,
            ion: Some("na"),
            senses: None,
            gates: &["p", "q"],
            parameters: vec![
                parameter("g_max", "mS/cm2", 90.0, "maximal conductance"),
                parameter("E", "mV", 50.0, "reversal potential"),
                parameter(
                    "V_sh",
                    "mV",
                    -50.0,
                    "shift of all rates along the potential",
                ),
                parameter("phi", "1", 1.0, "temperature factor of the rates"),
            ],
        }
    }
    #[inline(always)]
    fn rates<R: Real>(&self, at: Local<R>, [_, _, shift, phi]: [R; 4]) -> [Relaxation<R>; 2] {
        let x = at.v - shift;
        [
            Relaxation::rates(linoid(x, 1.28, 13.0, 4.0), linoid(x, 1.4, 40.0, -5.0)).faster(phi),
            Relaxation::rates(
                exponential(x, 0.128, 17.0, -18.0),
                sigmoid(x, 4.0, 40.0, 5.0),
            )
            .faster(phi),
        ]
    }
    #[inline(always)]
    fn current<R: Real>(&self, at: Local<R>, [p, q]: [R; 2], [g, ..]: [R; 4]) -> R {
        g * (p * p * p * q) * (at.reversal - at.v)
    }
}

/// Delayed-rectifier potassium: I = g p⁴ (E - V).
///
/// With x = V - V_sh: α = 0.032 (x - 15) / (1 - e^(-(x - 15) / 5)), β = 0.5 e^(-(x - 10) / 40).
/// Literature as [`SodiumBa2002`].
pub struct DelayedRectifierBa2002;

impl Channel<1, 4> for DelayedRectifierBa2002 {
    fn info(&self) -> ChannelInfo {
        ChannelInfo {
            name: "kdr_ba2002",
            description: "Delayed-rectifier potassium current of thalamocortical cells, I = g_max p⁴ (E - V)",
            reference: BAZHENOV,
            ion: Some("k"),
            senses: None,
            gates: &["p"],
            parameters: vec![
                parameter("g_max", "mS/cm2", 10.0, "maximal conductance"),
                parameter("E", "mV", -90.0, "reversal potential"),
                parameter(
                    "V_sh",
                    "mV",
                    -50.0,
                    "shift of all rates along the potential",
                ),
                parameter("phi", "1", 1.0, "temperature factor of the rates"),
            ],
        }
    }
    #[inline(always)]
    fn rates<R: Real>(&self, at: Local<R>, [_, _, shift, phi]: [R; 4]) -> [Relaxation<R>; 1] {
        let x = at.v - shift;
        let (alpha, beta) = (linoid(x, 0.16, 15.0, 5.0), exponential(x, 0.5, 10.0, -40.0));
        [Relaxation::rates(alpha, beta).faster(phi)]
    }
    #[inline(always)]
    fn current<R: Real>(&self, at: Local<R>, [p]: [R; 1], [g, ..]: [R; 4]) -> R {
        let p2 = p * p;
        g * (p2 * p2) * (at.reversal - at.v)
    }
}

/// Potassium leak: I = g (E - V).
pub struct PotassiumLeak;

impl Channel<0, 2> for PotassiumLeak {
    fn info(&self) -> ChannelInfo {
        ChannelInfo {
            name: "k_leak",
            description: "Potassium leak, I = g_max (E - V)",
            reference: BAZHENOV,
            ion: Some("k"),
            senses: None,
            gates: &[],
            parameters: vec![
                parameter("g_max", "mS/cm2", 0.01, "conductance"),
                parameter("E", "mV", -90.0, "reversal potential"),
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

/// Hyperpolarisation-activated cation current: I = g p (E - V).
///
/// p∞ = 1 / (1 + e^((V + 75) / 5.5)), τ = 1 / (e^(-0.086 V - 14.59) + e^(0.0701 V - 1.87)).
///
/// J. R. Huguenard, D. A. McCormick, Simulation of the currents involved in rhythmic oscillations in thalamic relay
/// neurons, J. Neurophysiol. 68 (1992),
/// [doi:10.1152/jn.1992.68.4.1373](https://doi.org/10.1152/jn.1992.68.4.1373).
pub struct HyperpolarisationActivatedHm1992;

impl Channel<1, 3> for HyperpolarisationActivatedHm1992 {
    fn info(&self) -> ChannelInfo {
        ChannelInfo {
            name: "hcn_hm1992",
            description: "Hyperpolarisation-activated cation current of thalamic relay cells, I = g_max p (E - V)",
            reference: HUGUENARD,
            ion: None,
            senses: None,
            gates: &["p"],
            parameters: vec![
                parameter("g_max", "mS/cm2", 0.01, "maximal conductance"),
                parameter("E", "mV", -43.0, "reversal potential"),
                parameter("phi", "1", 1.0, "temperature factor of the rates"),
            ],
        }
    }
    #[inline(always)]
    fn rates<R: Real>(&self, at: Local<R>, [_, _, phi]: [R; 3]) -> [Relaxation<R>; 1] {
        let v = at.v;
        let b = phi * ((v * -0.086 - 14.59).exp() + (v * 0.0701 - 1.87).exp());
        let a = sigmoid(v, 1.0, -75.0, -5.5) * b;
        [Relaxation { a, b }]
    }
    #[inline(always)]
    fn current<R: Real>(&self, at: Local<R>, [p]: [R; 1], [g, ..]: [R; 3]) -> R {
        g * p * (at.reversal - at.v)
    }
}

/// Potassium current activated by calcium, independent of the potential: I = g p² (E - V).
///
/// dp/dt = φ (α c² (1 - p) - β p), with c the concentration of calcium inside the cell in mM. The default β is three
/// times the published 0.03 / ms.
///
/// A. Destexhe, D. Contreras, T. J. Sejnowski, M. Steriade, A model of spindle rhythmicity in the isolated thalamic
/// reticular nucleus, J. Neurophysiol. 72 (1994),
/// [doi:10.1152/jn.1994.72.2.803](https://doi.org/10.1152/jn.1994.72.2.803).
pub struct AfterHyperpolarisationDe1994;

impl Channel<1, 5> for AfterHyperpolarisationDe1994 {
    fn info(&self) -> ChannelInfo {
        ChannelInfo {
            name: "ahp_de1994",
            description: "Calcium-activated potassium current of slow afterhyperpolarisations, I = g_max p² (E - V)",
            reference: "Destexhe, Contreras, Sejnowski & Steriade 1994, doi:10.1152/jn.1994.72.2.803",
            ion: Some("k"),
            senses: Some("ca"),
            gates: &["p"],
            parameters: vec![
                parameter("g_max", "mS/cm2", 0.3, "maximal conductance"),
                parameter("E", "mV", -90.0, "reversal potential"),
                parameter(
                    "alpha",
                    "1/(ms mM2)",
                    48.0,
                    "opening rate per squared concentration",
                ),
                parameter("beta", "1/ms", 0.09, "closing rate"),
                parameter("phi", "1", 1.0, "temperature factor of the rates"),
            ],
        }
    }
    #[inline(always)]
    fn rates<R: Real>(&self, at: Local<R>, p: [R; 5]) -> [Relaxation<R>; 1] {
        let [_, _, alpha, beta, phi] = p;
        let c = at.concentration;
        [Relaxation::rates(alpha * (c * c), beta).faster(phi)]
    }
    #[inline(always)]
    fn current<R: Real>(&self, at: Local<R>, [p]: [R; 1], [g, ..]: [R; 5]) -> R {
        g * (p * p) * (at.reversal - at.v)
    }
}
