//! Kinetics of relaxing states as kernels.

use super::call::{Call, Output};
use super::derivatives;
use super::function::{Function, evaluate};
use super::graph::{Graph, record};
use super::slots::each;
use super::{Depends, DerivativeOf, Kernel, KernelFor, Kinetics, Slots};
use crate::real::{Element, Real};
use crate::simd::Level;

pub(super) struct GateDriver<K, const G: usize>(pub K);

/// What to make of the rates a, b and the state x, and its derivative with respect to x.
trait Goal: Copy {
    /// As [`Function::SELDOM`].
    const SELDOM: bool = false;
    fn at<R: Real>(self, a: R, b: R, x: R) -> [R; 2];
}

/// a - b x
#[derive(Clone, Copy)]
struct Derivative;
impl Goal for Derivative {
    #[inline(always)]
    fn at<R: Real>(self, a: R, b: R, x: R) -> [R; 2] {
        [(-b).mul_add(x, a), -b]
    }
}

/// x + (p - q x), with p = h φ₁(-b h) a and q = h φ₁(-b h) b
#[derive(Clone, Copy)]
struct Relax(f64);
impl Relax {
    /// p and q.
    #[inline(always)]
    fn weights<R: Real>(self, a: R, b: R) -> [R; 2] {
        let h = R::constant(self.0);
        let time = h * (-(b * h)).exprel();
        [time * a, time * b]
    }
}
impl Goal for Relax {
    #[inline(always)]
    fn at<R: Real>(self, a: R, b: R, x: R) -> [R; 2] {
        let [p, q] = self.weights(a, b);
        [relaxed(x, [p, q]), R::one() - q]
    }
}

/// x + (p - q x), wherever p and q come from.
#[inline(always)]
fn relaxed<R: Real>(x: R, [p, q]: [R; 2]) -> R {
    (-q).mul_add(x, p) + x
}

/// a / b
#[derive(Clone, Copy)]
struct Steady;
impl Goal for Steady {
    const SELDOM: bool = true;
    #[inline(always)]
    fn at<R: Real>(self, a: R, b: R, _: R) -> [R; 2] {
        [a / b, R::zero()]
    }
}

/// A goal as a function of the rates' inputs and the states.
struct Aim<'a, K, G, const N: usize>(&'a K, G);

impl<K: Kinetics<N>, G: Goal, const N: usize> Function for Aim<'_, K, G, N> {
    type Inputs<T: Copy> = (K::Inputs<T>, [T; N]);
    type Outputs<T: Copy> = [T; N];
    const SELDOM: bool = G::SELDOM;
    #[inline(always)]
    fn at<R: Real>(&self, (inputs, states): (K::Inputs<R>, [R; N])) -> [R; N] {
        let rates = self.0.rates(inputs);
        let mut out = states;
        each(
            N,
            #[inline(always)]
            |g| [out[g], _] = self.1.at(rates[g].a, rates[g].b, states[g]),
        );
        out
    }
}

/// A goal for each state, and its derivative with respect to the state, which needs no direction of its own.
struct Sloped<'a, K, G, const N: usize>(&'a K, G);

impl<K: Kinetics<N>, G: Goal, const N: usize> Function for Sloped<'_, K, G, N> {
    type Inputs<T: Copy> = (K::Inputs<T>, [T; N]);
    type Outputs<T: Copy> = ([T; N], [T; N]);
    const SLOPES: bool = true;
    const SELDOM: bool = G::SELDOM;
    #[inline(always)]
    fn at<R: Real>(&self, (inputs, states): (K::Inputs<R>, [R; N])) -> ([R; N], [R; N]) {
        let rates = self.0.rates(inputs);
        let (mut out, mut slopes) = (states, states);
        each(
            N,
            #[inline(always)]
            |g| [out[g], slopes[g]] = self.1.at(rates[g].a, rates[g].b, states[g]),
        );
        (out, slopes)
    }
}

impl<K: Kinetics<N>, const N: usize> GateDriver<K, N> {
    /// First derivatives of a function whose results are followed by their derivatives with respect to the states.
    fn first<F: Element, S: Function>(
        &self,
        level: Level,
        function: &S,
        columns: &[u64],
        to: (&Call, &[Option<Output>]),
        arena: &mut [F],
    ) {
        let arguments = <K::Inputs<f64>>::LEN;
        let states = columns.last().is_some_and(|last| last >> arguments != 0);
        let carried = columns.len() - usize::from(states);
        derivatives::carrying(level, function, (columns, carried), to, arena);
    }
}

/// The states relaxed over a time, and once more over the same time at the same rates.
struct Twice<'a, K, const N: usize>(&'a K, Relax);

impl<K: Kinetics<N>, const N: usize> Function for Twice<'_, K, N> {
    type Inputs<T: Copy> = (K::Inputs<T>, [T; N]);
    type Outputs<T: Copy> = ([T; N], [T; N]);
    #[inline(always)]
    fn at<R: Real>(&self, (inputs, states): (K::Inputs<R>, [R; N])) -> ([R; N], [R; N]) {
        let rates = self.0.rates(inputs);
        let (mut once, mut twice) = (states, states);
        each(
            N,
            #[inline(always)]
            |g| {
                let weights = self.1.weights(rates[g].a, rates[g].b);
                once[g] = relaxed(states[g], weights);
                twice[g] = relaxed(once[g], weights);
            },
        );
        (once, twice)
    }
}

/// The same, and the derivatives with respect to the states.
struct TwiceSloped<'a, K, const N: usize>(&'a K, Relax);

impl<K: Kinetics<N>, const N: usize> Function for TwiceSloped<'_, K, N> {
    type Inputs<T: Copy> = (K::Inputs<T>, [T; N]);
    type Outputs<T: Copy> = (([T; N], [T; N]), ([T; N], [T; N]));
    const SLOPES: bool = true;
    #[inline(always)]
    fn at<R: Real>(&self, (inputs, states): (K::Inputs<R>, [R; N])) -> Self::Outputs<R> {
        let rates = self.0.rates(inputs);
        let (mut once, mut twice) = (states, states);
        let (mut slope, mut square) = (states, states);
        each(
            N,
            #[inline(always)]
            |g| {
                let weights = self.1.weights(rates[g].a, rates[g].b);
                once[g] = relaxed(states[g], weights);
                twice[g] = relaxed(once[g], weights);
                slope[g] = R::one() - weights[1];
                square[g] = slope[g] * slope[g];
            },
        );
        ((once, twice), (slope, square))
    }
}

impl<F: Element, K: Kinetics<N>, const N: usize> KernelFor<F> for GateDriver<K, N> {
    fn values(&self, level: Level, call: &Call, arena: &mut [F]) {
        evaluate(level, &Aim::<K, _, N>(&self.0, Derivative), call, arena);
    }

    fn partials(
        &self,
        level: Level,
        columns: &[u64],
        call: &Call,
        values: &[Option<Output>],
        arena: &mut [F],
    ) {
        let function = Sloped::<K, _, N>(&self.0, Derivative);
        self.first(level, &function, columns, (call, values), arena);
    }

    fn relax(&self, level: Level, h: F, call: &Call, arena: &mut [F]) {
        let (kernel, goal) = (&self.0, Relax(h.to_f64()));
        if call.outputs.len() == N {
            evaluate(level, &Aim::<K, _, N>(kernel, goal), call, arena);
        } else {
            evaluate(level, &Twice(kernel, goal), call, arena);
        }
    }

    fn steady(&self, level: Level, call: &Call, arena: &mut [F]) {
        evaluate(level, &Aim::<K, _, N>(&self.0, Steady), call, arena);
    }
}

impl<K: Kinetics<N>, const N: usize> Kernel for GateDriver<K, N> {
    fn inputs(&self) -> usize {
        <K::Inputs<f64>>::LEN + N
    }
    fn outputs(&self) -> usize {
        N
    }
    fn dependencies(&self) -> Vec<u64> {
        let arguments = <K::Inputs<f64>>::LEN;
        let mut x = <K::Inputs<Depends>>::filled(Depends::constant(0.0));
        for i in 0..arguments {
            *x.slot_mut(i) = Depends(1 << i);
        }
        let rates = self.0.rates(x);
        (0..N)
            .map(|g| rates[g].a.0 | rates[g].b.0 | 1 << (arguments + g))
            .collect()
    }
    fn relaxing_states(&self) -> Option<usize> {
        Some(N)
    }
    fn first_derivatives(
        &self,
        level: Level,
        of: DerivativeOf,
        columns: &[u64],
        call: &Call,
        values: &[Option<Output>],
        arena: &mut [f64],
    ) {
        let (kernel, to) = (&self.0, (call, values));
        match of {
            DerivativeOf::Values => {
                let function = Sloped::<K, _, N>(kernel, Derivative);
                self.first(level, &function, columns, to, arena);
            }
            DerivativeOf::Relaxed(h) if call.outputs.len() == 2 * N * columns.len() => {
                let function = TwiceSloped::<K, N>(kernel, Relax(h));
                self.first(level, &function, columns, to, arena);
            }
            DerivativeOf::Relaxed(h) => {
                let function = Sloped::<K, _, N>(kernel, Relax(h));
                self.first(level, &function, columns, to, arena);
            }
            DerivativeOf::Steady => {
                let function = Sloped::<K, _, N>(kernel, Steady);
                self.first(level, &function, columns, to, arena);
            }
        }
    }
    fn graph(&self) -> Graph {
        record(&Aim::<K, _, N>(&self.0, Derivative))
    }
}
