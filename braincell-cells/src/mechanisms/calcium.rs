//! Calcium: its currents and its concentration under the membrane.

use crate::mechanism::{
    Channel, ChannelInfo, FARADAY, Local, ParameterSpec, Pool, PoolInfo, nernst, parameter,
    required,
};
use crate::rates::{ghk, scaled, sigmoid};
use braincell_core::kernel::Relaxation;
use braincell_core::real::Real;

/// Parameters of both currents. Rates measured at 24 °C hold at 36 °C: Q10 to the power 1.2, with Q10 = 3.55 for the
/// activation and 3 for the inactivation.
fn parameters(g_max: f64, shift: f64) -> Vec<ParameterSpec> {
    vec![
        parameter("g_max", "mS/cm2", g_max, "maximal conductance"),
        required(
            "E",
            "mV",
            "reversal potential, where the cell has no pool of calcium",
        ),
        parameter(
            "V_sh",
            "mV",
            shift,
            "shift of all rates along the potential",
        ),
        parameter(
            "phi_p",
            "1",
            3.55f64.powf(1.2),
            "temperature factor of the activation",
        ),
        parameter(
            "phi_q",
            "1",
            3f64.powf(1.2),
            "temperature factor of the inactivation",
        ),
    ]
}

/// High-threshold (L-type) calcium: I = g p² q (E - V).
///
/// With x = V - V_sh: p∞ = 1 / (1 + e^(-(x + 10) / 4)), τ_p = 0.4 + 0.7 / (e^(-(x + 5) / 15) + e^((x + 5) / 15)),
/// q∞ = 1 / (1 + e^((x + 25) / 2)), τ_q = 300 + 100 / (e^((x + 40) / 9.5) + e^(-(x + 40) / 9.5)).
///
/// T. Inoue, B. W. Strowbridge, Transient activity induces a long-lasting increase in the excitability of olfactory
/// bulb interneurons, J. Neurophysiol. 99 (2008),
/// [doi:10.1152/jn.00526.2007](https://doi.org/10.1152/jn.00526.2007), as implementations attribute it.
pub struct LTypeIs2008;

impl Channel<2, 5> for LTypeIs2008 {
    fn info(&self) -> ChannelInfo {
        ChannelInfo {
            name: "cal_is2008",
            description: "High-threshold (L-type) calcium current, I = g_max p² q (E - V)",
            reference: "Inoue & Strowbridge 2008, doi:10.1152/jn.00526.2007",
            ion: Some("ca"),
            senses: None,
            gates: &["p", "q"],
            parameters: parameters(0.5, 0.0),
        }
    }
    #[inline(always)]
    fn rates<R: Real>(&self, at: Local<R>, p: [R; 5]) -> [Relaxation<R>; 2] {
        let [_, _, shift, phi_p, phi_q] = p;
        let x = at.v - shift;
        // Both exponentials of a time constant are e^y and e^-y.
        let bell = |y: R| R::one() / (y.exp() + (-y).exp());
        let tau_p = bell(scaled(x, -5.0, 15.0)) * 0.7 + 0.4;
        let tau_q = bell(scaled(x, -40.0, 9.5)) * 100.0 + 300.0;
        [
            Relaxation::relaxing(sigmoid(x, 1.0, -10.0, 4.0), tau_p).faster(phi_p),
            Relaxation::relaxing(sigmoid(x, 1.0, -25.0, -2.0), tau_q).faster(phi_q),
        ]
    }
    #[inline(always)]
    fn current<R: Real>(&self, at: Local<R>, [p, q]: [R; 2], [g, ..]: [R; 5]) -> R {
        g * (p * p * q) * (at.reversal - at.v)
    }
}

/// Low-threshold (T-type) calcium: I = g p² q (E - V).
///
/// With x = V - V_sh: p∞ = 1 / (1 + e^(-(x + 59) / 6.2)), τ_p = 0.612 + 1 / (e^(-(x + 132) / 16.7) +
/// e^((x + 16.8) / 18.2)), q∞ = 1 / (1 + e^((x + 83) / 4)), τ_q = 28 + e^(-(x + 22) / 10.5) for x ≥ -80, else
/// e^((x + 467) / 66.6).
///
/// The two pieces of τ_q do not meet: at x = -80 it jumps from 333.9 ms below to 278.6 ms above. A solver that steps
/// across the jump is of first order there, whatever its order elsewhere.
///
/// J. R. Huguenard, D. A. McCormick, Simulation of the currents involved in rhythmic oscillations in thalamic relay
/// neurons, J. Neurophysiol. 68 (1992),
/// [doi:10.1152/jn.1992.68.4.1373](https://doi.org/10.1152/jn.1992.68.4.1373).
pub struct TTypeHm1992;

impl Channel<2, 5> for TTypeHm1992 {
    fn info(&self) -> ChannelInfo {
        ChannelInfo {
            name: "cat_hm1992",
            description: "Low-threshold (T-type) calcium current of thalamic relay cells, I = g_max p² q (E - V)",
            reference: "Huguenard & McCormick 1992, doi:10.1152/jn.1992.68.4.1373",
            ion: Some("ca"),
            senses: None,
            gates: &["p", "q"],
            parameters: parameters(2.1, -3.0),
        }
    }
    #[inline(always)]
    fn rates<R: Real>(&self, at: Local<R>, p: [R; 5]) -> [Relaxation<R>; 2] {
        let [_, _, shift, phi_p, phi_q] = p;
        t_type_rates(at.v - shift, phi_p, phi_q)
    }
    #[inline(always)]
    fn current<R: Real>(&self, at: Local<R>, [p, q]: [R; 2], [g, ..]: [R; 5]) -> R {
        g * (p * p * q) * (at.reversal - at.v)
    }
}

/// The kinetics of [`TTypeHm1992`].
#[inline(always)]
fn t_type_rates<R: Real>(x: R, phi_p: R, phi_q: R) -> [Relaxation<R>; 2] {
    let bell = scaled(x, -132.0, -16.7).exp() + scaled(x, -16.8, 18.2).exp();
    let tau_p = R::one() / bell + 0.612;
    // A jump, as published: 333.9 ms below -80 mV, 278.6 ms above.
    let below = scaled(x, -467.0, 66.6).exp();
    let above = scaled(x, -22.0, -10.5).exp() + 28.0;
    let tau_q = x.if_less(R::constant(-80.0), below, above);
    [
        Relaxation::relaxing(sigmoid(x, 1.0, -59.0, 6.2), tau_p).faster(phi_p),
        Relaxation::relaxing(sigmoid(x, 1.0, -83.0, -4.0), tau_q).faster(phi_q),
    ]
}

/// [`TTypeHm1992`] with the current of Goldman, Hodgkin and Katz: I = P p² q · [`ghk`], for calcium whose concentration
/// inside the cell is that of a pool. It rectifies: far from equilibrium no reversal potential describes it.
///
/// A. Destexhe, M. Neubig, D. Ulrich, J. Huguenard, Dendritic low-threshold calcium currents in thalamic relay cells,
/// J. Neurosci. 18 (1998),
/// [doi:10.1523/JNEUROSCI.18-10-03574.1998](https://doi.org/10.1523/JNEUROSCI.18-10-03574.1998), for this form.
pub struct TTypeGhk;

impl Channel<2, 6> for TTypeGhk {
    fn info(&self) -> ChannelInfo {
        // Shift and temperature factors are those of the other currents.
        let shared = parameters(0.0, -3.0).split_off(2);
        ChannelInfo {
            name: "cat_ghk",
            description: "Low-threshold (T-type) calcium current of thalamic relay cells in the form of Goldman, Hodgkin and Katz",
            reference: "Huguenard & McCormick 1992, doi:10.1152/jn.1992.68.4.1373; Destexhe et al. 1998, doi:10.1523/JNEUROSCI.18-10-03574.1998",
            ion: Some("ca"),
            senses: Some("ca"),
            gates: &["p", "q"],
            parameters: [
                vec![
                    parameter("P_max", "cm/s", 2e-4, "maximal permeability"),
                    parameter("c_out", "mM", 2.0, "concentration outside the cell"),
                    parameter("T", "K", 309.15, "temperature"),
                ],
                shared,
            ]
            .concat(),
        }
    }
    #[inline(always)]
    fn rates<R: Real>(&self, at: Local<R>, p: [R; 6]) -> [Relaxation<R>; 2] {
        let [_, _, _, shift, phi_p, phi_q] = p;
        t_type_rates(at.v - shift, phi_p, phi_q)
    }
    #[inline(always)]
    fn current<R: Real>(&self, at: Local<R>, [p, q]: [R; 2], parameters: [R; 6]) -> R {
        let [permeability, outside, temperature, ..] = parameters;
        permeability * (p * p * q) * ghk(at.v, 2.0, temperature, outside, at.concentration)
    }
}

/// Calcium in a shell under the membrane: dc/dt = max(I / (2 F d), 0) + (c_rest - c) / τ.
///
/// I is the calcium current into the cell and d the depth of the shell; currents out of the cell do not empty it. The
/// reversal potential is the Nernst potential of the present concentration.
///
/// A. Destexhe, A. Babloyantz, T. J. Sejnowski, Ionic mechanisms for intrinsic slow oscillations in thalamic relay
/// neurons, Biophys. J. 65 (1993),
/// [doi:10.1016/S0006-3495(93)81190-1](https://doi.org/10.1016/S0006-3495(93)81190-1), with its pump replaced by
/// first-order removal.
pub struct CalciumDetailed;

impl Pool<5> for CalciumDetailed {
    fn info(&self) -> PoolInfo {
        PoolInfo {
            name: "calcium_detailed",
            description: "Calcium in a shell under the membrane, filled by inward current and removed at first order",
            reference: "Destexhe, Babloyantz & Sejnowski 1993, doi:10.1016/S0006-3495(93)81190-1",
            ion: "ca",
            initial: 2.4e-4,
            parameters: vec![
                parameter("d", "um", 0.5, "depth of the shell"),
                parameter("tau", "ms", 10.0, "time constant of the removal"),
                parameter(
                    "c_rest",
                    "mM",
                    5e-5,
                    "concentration that the removal tends to",
                ),
                parameter("c_out", "mM", 2.0, "concentration outside the cell"),
                parameter("T", "K", 309.15, "temperature"),
            ],
        }
    }
    #[inline(always)]
    fn rate<R: Real>(&self, c: R, current: R, [depth, tau, rest, ..]: [R; 5]) -> R {
        // 1 µA/cm² over 1 µm of depth is 10 A/l, and 1 mM/ms is 1 mol/(l s).
        let drive = current / depth * (10.0 / (2.0 * FARADAY));
        drive.max(R::zero()) + (rest - c) / tau
    }
    #[inline(always)]
    fn reversal<R: Real>(&self, c: R, [_, _, _, outside, temperature]: [R; 5]) -> R {
        nernst(2.0, temperature, outside, c)
    }
}
