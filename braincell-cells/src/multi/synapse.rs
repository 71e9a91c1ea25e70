//! Synapses driven by given event times.

use super::PER_AREA;
use braincell_core::input::Input;
use braincell_core::kernel::Pointwise;
use braincell_core::model::Values;
use braincell_core::real::Real;

/// A synaptic conductance that follows events: I = weight · s(t) · (E - V), where every event adds a function of the
/// time since then to s, with peak 1.
///
/// At a free end of a branch the conductance acts through the axial conductance G_a of the half control volume to the
/// centre: G G_a / (G_a + G) between E and the centre, which is exact. At a point where branches meet, the same
/// current as at that point, G G_a / (G_a + G) (E - V_a) with V_a the potential without the synapse and G_a the sum
/// of the axial conductances, flows into the centres around it in proportion to their axial conductances; the
/// exact distribution among them would differ by axial currents times G / (G_a + G), a small number. Probes of that
/// very point do not see the drop across G_a.
///
/// ```
/// use braincell_cells::multi::Synapse;
/// // AMPA-like, 0.5 nS, at 0 mV
/// let synapse = Synapse::biexponential(0.2, 2.0, 0.0, 5e-4).events([10.0, 12.5, 30.0]);
/// ```
#[derive(Clone, Debug)]
pub struct Synapse {
    rise: Option<f64>,
    decay: f64,
    pub(super) reversal: Values,
    pub(super) weight: Values,
    /// Time, relative weight; one list for all cells or one for each.
    events: Vec<Vec<(f64, f64)>>,
}

impl Synapse {
    /// s(t) = Σ e^(-(t - event) / decay); times in ms, reversal potential in mV, weight in µS.
    pub fn exponential(decay: f64, reversal: impl Into<Values>, weight: impl Into<Values>) -> Self {
        Self {
            rise: None,
            decay,
            reversal: reversal.into(),
            weight: weight.into(),
            events: vec![Vec::new()],
        }
    }

    /// s(t) = Σ (e^(-(t - event) / decay) - e^(-(t - event) / rise)) / peak; times in ms, reversal potential in mV,
    /// weight in µS.
    pub fn biexponential(
        rise: f64,
        decay: f64,
        reversal: impl Into<Values>,
        weight: impl Into<Values>,
    ) -> Self {
        Self {
            rise: Some(rise),
            ..Self::exponential(decay, reversal, weight)
        }
    }

    /// With events at these times, ms, in all cells.
    pub fn events(self, times: impl IntoIterator<Item = f64>) -> Self {
        self.weighted_events(times.into_iter().map(|time| (time, 1.0)))
    }

    /// With events at these times, ms, in all cells, each as many times as strong as the second number says.
    pub fn weighted_events(mut self, events: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.events = vec![events.into_iter().collect()];
        self
    }

    /// With events (time in ms, relative weight) for each cell of a population.
    pub fn events_per_cell(mut self, events: Vec<Vec<(f64, f64)>>) -> Self {
        self.events = events;
        self
    }

    /// s(t), for all cells or for each.
    pub(super) fn waveforms(&self) -> Vec<Input> {
        let wave = |events: &Vec<(f64, f64)>| match self.rise {
            None => Input::exponential_events(self.decay, events.iter().copied()),
            Some(rise) => Input::biexponential_events(rise, self.decay, events.iter().copied()),
        };
        self.events.iter().map(wave).collect()
    }
}

/// A part of a synaptic current into a compartment: in µA/cm², and in nA.
pub(super) struct SynapticCurrent {
    /// Part of the whole current.
    pub share: f64,
    /// Area of the compartment, µm².
    pub area: f64,
    /// Axial resistance between the synapse and the centres around it, MΩ.
    pub resistance: f64,
}

impl Pointwise for SynapticCurrent {
    /// V, s, weight, E
    type Inputs<T: Copy> = [T; 4];
    type Outputs<T: Copy> = [T; 2];
    #[inline(always)]
    fn eval<R: Real>(&self, [v, s, weight, reversal]: [R; 4]) -> [R; 2] {
        let g = weight * s;
        let g = g / (g * self.resistance + 1.0);
        let current = g * (reversal - v) * self.share;
        [current * (PER_AREA / self.area), current]
    }
}
