//! Channels that are often found together, computed in one loop.
//!
//! Each channel by itself is a loop over the compartments, which reads the potential and adds to the current. One loop over
//! several reads the potential once, keeps the current where it computes, and works on the rates of one channel while it waits
//! for a division of another.

use super::{Channel, Local};
use braincell_core::kernel::{
    Kernel, Kinetics, Pointwise, Relaxation, Slots, each, kinetics, pointwise,
};
use braincell_core::real::Real;
use std::any::TypeId;
use std::sync::Arc;

/// Channels that a membrane computes in one loop where it has all of them, whatever they are called there.
///
/// Only channels without data of their own, one of whose parameters is the reversal potential.
#[derive(Clone)]
pub struct ChannelSet {
    channels: Vec<TypeId>,
    gated: usize,
    rates: Arc<dyn Kernel>,
    equation: Arc<dyn Kernel>,
}

impl ChannelSet {
    /// The channels `all`, which begin with those that have gates, `gated`; N is the number of gates.
    pub(crate) fn new<G: Channels, A: Channels, const N: usize>(gated: G, all: A) -> Self {
        let (mut first, mut channels) = (Vec::new(), Vec::new());
        gated.list(&mut first);
        all.list(&mut channels);
        assert!(channels.starts_with(&first), "a list begins with the other");
        Self {
            gated: first.len(),
            channels,
            rates: kinetics(Rates::<G, N>(gated)),
            equation: pointwise(Equation(all)),
        }
    }

    /// The types of the channels.
    pub(crate) fn channels(&self) -> &[TypeId] {
        &self.channels
    }

    /// How many channels have gates: the first ones.
    pub(crate) fn gated(&self) -> usize {
        self.gated
    }

    /// The kernel of the gates' kinetics. Inputs: V, the parameters of each channel that has gates, the gates of all; outputs:
    /// their derivatives.
    pub fn kinetics(&self) -> &Arc<dyn Kernel> {
        &self.rates
    }

    /// The kernel of the membrane equation dV/dt = (Σ I + other currents) / C. Inputs: V, the other currents, 1 / C, the
    /// parameters of each channel, the gates of all; output: dV/dt.
    pub fn equation(&self) -> &Arc<dyn Kernel> {
        &self.equation
    }
}

/// One channel or several.
pub(crate) trait Channels: Send + Sync + 'static {
    /// The parameters of all.
    type Parameters<T: Copy>: Slots<T>;
    /// Something for each gate.
    type Gates<T: Copy>: Slots<T>;
    /// Appends the types of the channels.
    fn list(&self, to: &mut Vec<TypeId>);
    /// How the gates relax.
    fn rates<R: Real>(&self, v: R, p: Self::Parameters<R>) -> Self::Gates<Relaxation<R>>;
    /// The sum of the currents.
    fn current<R: Real>(&self, v: R, gates: Self::Gates<R>, p: Self::Parameters<R>) -> R;
}

/// A channel, parameter number `E` of which is its reversal potential.
pub(crate) struct One<C, const G: usize, const P: usize, const E: usize>(pub C);

impl<C, const G: usize, const P: usize, const E: usize> One<C, G, P, E> {
    #[inline(always)]
    fn local<R: Real>(v: R, parameters: &[R; P]) -> Local<R> {
        Local {
            v,
            reversal: parameters[E],
            concentration: R::zero(),
        }
    }
}

impl<C: Channel<G, P>, const G: usize, const P: usize, const E: usize> Channels
    for One<C, G, P, E>
{
    type Parameters<T: Copy> = [T; P];
    type Gates<T: Copy> = [T; G];
    fn list(&self, to: &mut Vec<TypeId>) {
        const { assert!(size_of::<C>() == 0, "the type has to say everything") };
        to.push(TypeId::of::<C>());
    }
    #[inline(always)]
    fn rates<R: Real>(&self, v: R, p: [R; P]) -> [Relaxation<R>; G] {
        self.0.rates(Self::local(v, &p), p)
    }
    #[inline(always)]
    fn current<R: Real>(&self, v: R, gates: [R; G], p: [R; P]) -> R {
        self.0.current(Self::local(v, &p), gates, p)
    }
}

impl<A: Channels, B: Channels> Channels for (A, B) {
    type Parameters<T: Copy> = (A::Parameters<T>, B::Parameters<T>);
    type Gates<T: Copy> = (A::Gates<T>, B::Gates<T>);
    fn list(&self, to: &mut Vec<TypeId>) {
        self.0.list(to);
        self.1.list(to);
    }
    #[inline(always)]
    fn rates<R: Real>(&self, v: R, p: Self::Parameters<R>) -> Self::Gates<Relaxation<R>> {
        (self.0.rates(v, p.0), self.1.rates(v, p.1))
    }
    #[inline(always)]
    fn current<R: Real>(&self, v: R, gates: Self::Gates<R>, p: Self::Parameters<R>) -> R {
        self.0.current(v, gates.0, p.0) + self.1.current(v, gates.1, p.1)
    }
}

struct Rates<C, const N: usize>(C);

impl<C: Channels, const N: usize> Kinetics<N> for Rates<C, N> {
    type Inputs<T: Copy> = ([T; 1], C::Parameters<T>);
    #[inline(always)]
    fn rates<R: Real>(&self, ([v], p): ([R; 1], C::Parameters<R>)) -> [Relaxation<R>; N] {
        const { assert!(<C::Gates<f64>>::LEN == N, "a rate for each gate") };
        let rates = self.0.rates(v, p);
        let (a, b) = (R::zero(), R::zero());
        let mut all = [Relaxation { a, b }; N];
        each(
            N,
            #[inline(always)]
            |g| all[g] = *rates.slot(g),
        );
        all
    }
}

struct Equation<C>(C);

impl<C: Channels> Pointwise for Equation<C> {
    type Inputs<T: Copy> = ([T; 3], C::Parameters<T>, C::Gates<T>);
    type Outputs<T: Copy> = [T; 1];
    const FIRST: bool = true;
    #[inline(always)]
    fn eval<R: Real>(
        &self,
        ([v, others, per_capacitance], p, gates): ([R; 3], C::Parameters<R>, C::Gates<R>),
    ) -> [R; 1] {
        [(self.0.current(v, gates, p) + others) * per_capacitance]
    }
}
