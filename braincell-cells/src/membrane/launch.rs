//! Launches the kernels of a membrane.

use super::sets::Found;
use super::{MechanismHandles, Membrane, Painted};
use crate::mechanism::Kind;
use braincell_core::kernel::{Pointwise, pointwise};
use braincell_core::model::{Launches, ModelError, SignalId, Source, StateId, Target};
use braincell_core::real::Real;

/// dV/dt = (I + Σ other currents) / C, with 1 / C
struct MembraneEquation<const N: usize>;

impl<const N: usize> Pointwise for MembraneEquation<N> {
    type Inputs<T: Copy> = ([T; 2], [T; N]);
    type Outputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, ([current, per_capacitance], inputs): ([R; 2], [R; N])) -> [R; 1] {
        let mut sum = current;
        for input in inputs {
            sum = sum + input;
        }
        [sum * per_capacitance]
    }
}

/// 1 / x
struct Reciprocal;

impl Pointwise for Reciprocal {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        [R::one() / x]
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
        let per_capacitance = [Target::Signal(self.per_capacitance)];
        let capacitance = [Source::Parameter(self.capacitance)];
        k.launch(
            self.domain,
            pointwise(Reciprocal),
            &capacitance,
            &per_capacitance,
        )?;
        for found in &self.sets {
            self.kinetics(k, found)?;
        }
        for (place, (one, ids)) in all().enumerate() {
            self.channel(k, one, ids, place)?;
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

    /// The gates of a set.
    fn gates(&self, found: &Found) -> impl Iterator<Item = StateId> {
        let ids = found.members.iter().map(|&m| &self.mechanisms[m]);
        ids.flat_map(|ids| ids.states.iter().copied())
    }

    /// What a kernel of a set reads: `first`, the parameters of so many of its channels, and all gates.
    fn inputs(&self, found: &Found, first: &[Source], channels: usize) -> Vec<Source> {
        let members = found.members.iter().take(channels);
        let parameters = members.flat_map(|&m| parameters(&self.mechanisms[m], None));
        let inputs = first.iter().copied().chain(parameters);
        inputs.chain(self.gates(found).map(Source::State)).collect()
    }

    /// Launches the kinetics of channels that are computed in one loop.
    fn kinetics(&self, k: &mut Launches, found: &Found) -> Result<(), ModelError> {
        let Found { set, domain, .. } = found;
        let inputs = self.inputs(found, &[Source::State(self.v)], set.gated());
        let outputs: Vec<Target> = self.gates(found).map(Target::Derivative).collect();
        k.launch(*domain, set.kinetics().clone(), &inputs, &outputs)
    }

    /// Launches the kernels of the mechanism in that place, or those that its set does without.
    fn channel(
        &self,
        k: &mut Launches,
        one: &Painted,
        ids: &MechanismHandles,
        place: usize,
    ) -> Result<(), ModelError> {
        let set = self
            .sets
            .iter()
            .position(|set| set.members.contains(&place));
        let with_equation = self.with_equation.as_ref();
        let with_equation = with_equation.filter(|with| set == Some(with.set));
        let info = &one.mechanism.info;
        let (rates, current) = match &one.mechanism.kind {
            Kind::Channel { rates, current, .. } => (rates.as_ref(), current),
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
        let sum = match (carries, with_equation) {
            (Some(pool), _) => pool.current,
            (None, Some(with)) => with.sum,
            (None, None) => self.total,
        };
        // Launches whose result nobody needs cost nothing: the single current is for recording.
        let (own, sum_directly) = (Target::Signal(ids.current), ids.cover.is_none());
        if sum_directly {
            k.launch(ids.domain, current.clone(), &inputs, &[Target::Signal(sum)])?;
        }
        k.launch(ids.domain, current.clone(), &inputs, &[own])?;
        if !sum_directly {
            self.add_up(k, ids, sum)?;
        }
        if let Some(rates) = rates.filter(|_| set.is_none()) {
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

    /// Launches the membrane equation, with currents beside [`Membrane::total`].
    fn equation(&self, k: &mut Launches, currents: &[SignalId]) -> Result<(), ModelError> {
        let per_capacitance = Source::Signal(self.per_capacitance);
        let (kernel, inputs) = match &self.with_equation {
            Some(with) => {
                // For recording.
                self.add(k, &[self.total], with.sum)?;
                let found = &self.sets[with.set];
                let others = self.others(k, currents, with.others)?;
                let first = [Source::State(self.v), others, per_capacitance];
                let inputs = self.inputs(found, &first, found.members.len());
                (found.set.equation().clone(), inputs)
            }
            None => {
                // Up to four currents enter the equation directly, others are added up before.
                let (direct, added) = currents.split_at(currents.len().min(4));
                self.add(k, added, self.total)?;
                let kernel = match direct.len() {
                    0 => pointwise(MembraneEquation::<0>),
                    1 => pointwise(MembraneEquation::<1>),
                    2 => pointwise(MembraneEquation::<2>),
                    3 => pointwise(MembraneEquation::<3>),
                    _ => pointwise(MembraneEquation::<4>),
                };
                let mut inputs = vec![Source::Signal(self.total), per_capacitance];
                inputs.extend(direct.iter().map(|&s| Source::Signal(s)));
                (kernel, inputs)
            }
        };
        let outputs = [Target::Derivative(self.v)];
        k.launch(self.domain, kernel, &inputs, &outputs)
    }

    /// The sum of [`Membrane::total`] and the currents beside it, in `sum` if it has to be computed.
    fn others(
        &self,
        k: &mut Launches,
        currents: &[SignalId],
        sum: SignalId,
    ) -> Result<Source, ModelError> {
        let total = [self.total].into_iter().filter(|&s| k.is_written(s));
        let all: Vec<SignalId> = total.chain(currents.iter().copied()).collect();
        Ok(match all[..] {
            [] => Source::Zero,
            [one] => Source::Signal(one),
            _ => {
                self.add(k, &all, sum)?;
                Source::Signal(sum)
            }
        })
    }

    /// Adds currents to a sum.
    fn add(
        &self,
        k: &mut Launches,
        currents: &[SignalId],
        sum: SignalId,
    ) -> Result<(), ModelError> {
        let outputs = [Target::Signal(sum)];
        currents.iter().try_for_each(|&current| {
            let inputs = [Source::Signal(current)];
            k.launch(self.domain, pointwise(Identity), &inputs, &outputs)
        })
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
