//! Launches the kernels of a membrane.

use super::{MechanismHandles, Membrane, Painted};
use crate::mechanism::Kind;
use braincell_core::kernel::{Pointwise, pointwise};
use braincell_core::model::{Launches, ModelError, SignalId, Source, Target};
use braincell_core::real::Real;

/// dV/dt = (I + Σ other currents) / C
struct MembraneEquation<const N: usize>;

impl<const N: usize> Pointwise for MembraneEquation<N> {
    type Inputs<T: Copy> = ([T; 2], [T; N]);
    type Outputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, ([current, capacitance], inputs): ([R; 2], [R; N])) -> [R; 1] {
        let mut sum = current;
        for input in inputs {
            sum = sum + input;
        }
        [sum / capacitance]
    }
}

/// The argument itself.
pub(crate) struct Identity;

impl Pointwise for Identity {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, x: [R; 1]) -> [R; 1] {
        x
    }
}

/// A current times the covered fraction.
struct Covered;

impl Pointwise for Covered {
    type Inputs<T: Copy> = [T; 2];
    type Outputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, [current, cover]: [R; 2]) -> [R; 1] {
        [current * cover]
    }
}

impl Membrane {
    /// Launches the kernels of the mechanisms, which add up the current, and then the membrane equation. The signals
    /// `inputs` are currents for all compartments, µA/cm².
    pub fn launch(
        &self,
        k: &mut Launches,
        painted: &[Painted],
        inputs: &[SignalId],
    ) -> Result<(), ModelError> {
        let all = || painted.iter().zip(&self.mechanisms);
        // Signals are computed before they are read: reversal potentials, then currents, then concentrations.
        for (one, ids) in all() {
            if let (Kind::Pool { reversal, .. }, Some(e)) = (&one.mechanism.kind, ids.reversal) {
                let inputs = [&[Source::State(ids.states[0])][..], &parameters(ids, None)].concat();
                k.launch(ids.domain, reversal.clone(), &inputs, &[Target::Signal(e)])?;
            }
        }
        for (one, ids) in all() {
            self.channel(k, one, ids)?;
        }
        // The currents of ions that have a pool in every compartment enter the membrane equation directly.
        let mut direct = Vec::new();
        for (one, ids) in all() {
            if let Kind::Pool { rate, .. } = &one.mechanism.kind {
                let state = [Source::State(ids.states[0]), Source::Signal(ids.current)];
                let inputs = [&state[..], &parameters(ids, None)].concat();
                let outputs = [Target::Derivative(ids.states[0])];
                k.launch(ids.domain, rate.clone(), &inputs, &outputs)?;
                if ids.cover.is_none() && ids.domain == self.domain {
                    direct.push(ids.current);
                } else {
                    self.add_up(k, ids, self.total)?;
                }
            }
        }
        direct.extend(inputs);
        self.equation(k, &direct)
    }

    fn channel(
        &self,
        k: &mut Launches,
        one: &Painted,
        ids: &MechanismHandles,
    ) -> Result<(), ModelError> {
        let info = &one.mechanism.info;
        let (rates, current) = match &one.mechanism.kind {
            Kind::Channel { rates, current } => (rates.as_ref(), current),
            Kind::Scheme { rates, current } => (Some(rates), current),
            Kind::Pool { .. } => return Ok(()),
        };
        let own = info.parameters.iter().position(|p| p.name == "E");
        let own = own.and_then(|place| ids.parameters[place]);
        let carries = ids.carries.map(|pool| &self.mechanisms[pool]);
        let pooled = carries.and_then(|pool| pool.reversal);
        let reversal = match (pooled, own) {
            (Some(e), _) => Source::Signal(e),
            (None, Some(e)) => Source::Parameter(e),
            (None, None) => Source::Zero,
        };
        let sensed = ids.senses.map(|pool| self.mechanisms[pool].states[0]);
        let concentration = sensed.map_or(Source::Zero, Source::State);
        let local = [Source::State(self.v), reversal, concentration];
        let states: Vec<Source> = ids.states.iter().map(|&s| Source::State(s)).collect();
        let parameters = parameters(ids, pooled);
        let inputs = [&local[..], &states, &parameters].concat();
        let sum = carries.map_or(self.total, |pool| pool.current);
        // Launches whose result nobody needs cost nothing: the single current is for recording.
        let (own, sum_directly) = (Target::Signal(ids.current), ids.cover.is_none());
        if sum_directly {
            k.launch(ids.domain, current.clone(), &inputs, &[Target::Signal(sum)])?;
        }
        k.launch(ids.domain, current.clone(), &inputs, &[own])?;
        if !sum_directly {
            self.add_up(k, ids, sum)?;
        }
        if let Some(rates) = rates {
            let inputs = [&local[..], &parameters, &states].concat();
            let outputs = ids.states.iter().map(|&s| Target::Derivative(s));
            let outputs: Vec<_> = outputs.collect();
            k.launch(ids.domain, rates.clone(), &inputs, &outputs)?;
        }
        Ok(())
    }

    /// Adds the current of a mechanism to a sum, where it covers the membrane.
    fn add_up(
        &self,
        k: &mut Launches,
        ids: &MechanismHandles,
        sum: SignalId,
    ) -> Result<(), ModelError> {
        let current = Source::Signal(ids.current);
        let outputs = [Target::Signal(sum)];
        match ids.cover {
            Some(cover) => {
                let inputs = [current, Source::Parameter(cover)];
                k.launch(ids.domain, pointwise(Covered), &inputs, &outputs)
            }
            None => k.launch(ids.domain, pointwise(Identity), &[current], &outputs),
        }
    }

    /// Up to four currents enter the membrane equation directly, others are added up before.
    fn equation(&self, k: &mut Launches, currents: &[SignalId]) -> Result<(), ModelError> {
        let (direct, added) = currents.split_at(currents.len().min(4));
        for &input in added {
            let inputs = [Source::Signal(input)];
            let outputs = [Target::Signal(self.total)];
            k.launch(self.domain, pointwise(Identity), &inputs, &outputs)?;
        }
        let equation = match direct.len() {
            0 => pointwise(MembraneEquation::<0>),
            1 => pointwise(MembraneEquation::<1>),
            2 => pointwise(MembraneEquation::<2>),
            3 => pointwise(MembraneEquation::<3>),
            _ => pointwise(MembraneEquation::<4>),
        };
        let mut inputs = vec![
            Source::Signal(self.total),
            Source::Parameter(self.capacitance),
        ];
        inputs.extend(direct.iter().map(|&s| Source::Signal(s)));
        k.launch(
            self.domain,
            equation,
            &inputs,
            &[Target::Derivative(self.v)],
        )
    }
}

/// What a mechanism's kernels read as parameters. Without one of its own, "E" is the pool's reversal potential; the
/// initial concentration is left out.
fn parameters(ids: &MechanismHandles, reversal: Option<SignalId>) -> Vec<Source> {
    let sources = ids.parameters.iter().filter_map(|p| match (p, reversal) {
        (Some(p), _) => Some(Source::Parameter(*p)),
        (None, Some(e)) => Some(Source::Signal(e)),
        (None, None) => None,
    });
    sources.collect()
}
