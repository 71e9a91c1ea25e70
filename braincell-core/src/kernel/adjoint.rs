//! Adjoints of a kernel's inputs from those of its values and its partial derivatives.
//!
//! With x̄ the adjoint of x, values f_o and partial derivatives ∂_k f_o give x̄_j += Σ f̄_o ∂_j f_o + Σ b_ok ∂_j ∂_k f_o. Of a
//! single result the second sum is the derivative of one directional derivative, that along Σ b_k of the inputs in column k, so
//! the second derivatives need not be known one by one.

use super::Slots;
use super::call::{Aside, Call, Loop, array, lane, load_single, over_all};
use super::derivatives::{Seeds, seeds, slopes_and_second};
use super::function::Function;
use super::slots::each;
use crate::real::{Lane, Real};
use crate::simd::{Body, Level, dispatch};

/// What [`super::Kernel::adjoint`] works on. Planes are places of arrays in the arena, of one number per element.
#[derive(Clone, Debug)]
pub struct AdjointCall {
    /// The inputs. Output slot `o · by + j` receives what result o contributes to the adjoint of the inputs in mask `by[j]`.
    pub call: Call,
    /// Masks of the inputs by which the partial derivatives are.
    pub columns: Vec<u64>,
    /// Masks of the inputs whose adjoints are wanted.
    pub by: Vec<u64>,
    /// Planes of the adjoints of the values, one per result.
    pub values: Vec<Option<usize>>,
    /// Planes of the adjoints of the partial derivatives: number `o · columns + k` is that of f_o in column k.
    pub partials: Vec<Option<usize>>,
}

pub(super) fn adjoint<K: Function>(
    level: Level,
    function: &K,
    call: &AdjointCall,
    arena: &mut [f64],
) {
    let count = call.by.len();
    let mut first = 0;
    while first < count {
        let pass = Pass {
            function,
            call,
            first,
            arena,
        };
        if count - first > 2 {
            dispatch(level, Directions::<K, 4>(pass));
            first += 4;
        } else {
            dispatch(level, Directions::<K, 2>(pass));
            first += 2;
        }
    }
}

struct Pass<'a, K> {
    function: &'a K,
    call: &'a AdjointCall,
    /// The first mask of this pass.
    first: usize,
    arena: &'a mut [f64],
}

/// A pass that carries C directions.
struct Directions<'a, K, const C: usize>(Pass<'a, K>);

/// The direction of an outer derivative for W elements, and what the values' and its own derivatives are multiplied by.
struct Round<X, Y> {
    outer: X,
    values: Y,
    factors: Y,
}

impl<K: Function> Pass<'_, K> {
    /// How many outer derivatives are taken.
    #[inline(always)]
    fn rounds(&self) -> usize {
        match <K::Outputs<f64>>::LEN {
            1 => 1,
            _ => self.call.columns.len().max(1),
        }
    }

    /// The outer derivative number `round` at elements `start .. start + count`.
    #[inline(always)]
    fn round<const W: usize>(
        &self,
        round: usize,
        start: usize,
        count: usize,
    ) -> Round<K::Inputs<[f64; W]>, K::Outputs<[f64; W]>> {
        let zero = [0.0; W];
        let mut outer = <K::Inputs<[f64; W]>>::filled(zero);
        let mut values = <K::Outputs<[f64; W]>>::filled(zero);
        let mut factors = <K::Outputs<[f64; W]>>::filled(zero);
        let plane = |at: usize| some::<W>(&self.arena[at + start..at + start + count]);
        let AdjointCall {
            columns,
            values: of_values,
            partials,
            ..
        } = self.call;
        if round == 0 {
            for (o, at) in of_values.iter().enumerate() {
                if let Some(at) = at {
                    *values.slot_mut(o) = plane(*at);
                }
            }
        }
        let mut add = |mask: u64, x: &[f64; W]| {
            for i in 0..<K::Inputs<f64>>::LEN {
                if mask >> i & 1 == 1 {
                    let to = outer.slot_mut(i);
                    for l in 0..W {
                        to[l] += x[l];
                    }
                }
            }
        };
        if <K::Outputs<f64>>::LEN == 1 {
            *factors.slot_mut(0) = [1.0; W];
            for (mask, at) in columns.iter().zip(partials) {
                if let Some(at) = at {
                    add(*mask, &plane(*at));
                }
            }
        } else if let Some(&mask) = columns.get(round) {
            add(mask, &[1.0; W]);
            let of_column = partials.iter().skip(round).step_by(columns.len());
            for (o, at) in of_column.enumerate() {
                if let Some(at) = at {
                    *factors.slot_mut(o) = plane(*at);
                }
            }
        }
        Round {
            outer,
            values,
            factors,
        }
    }
}

/// Up to W numbers; what is missing is 0.
#[inline(always)]
fn some<const W: usize>(from: &[f64]) -> [f64; W] {
    if from.len() == W {
        return array(from);
    }
    let mut x = [0.0; W];
    x[..from.len()].copy_from_slice(from);
    x
}

/// One lane of arrays.
#[inline(always)]
fn pick<R: Lane<f64>, S: Slots<[f64; W]>, X: Slots<R>, const W: usize>(from: &S, l: usize) -> X {
    let mut x = X::filled(R::zero());
    let mut i = 0;
    while i < S::LEN {
        *x.slot_mut(i) = R::load(from.slot(i)[l]);
        i += 1;
    }
    x
}

/// Adds what a round contributes in one lane.
#[inline(always)]
fn add_round<K: Function, R: Real, const C: usize>(
    function: &K,
    x: K::Inputs<R>,
    (inner, round): (&Seeds<K, R, C>, &Round<K::Inputs<R>, K::Outputs<R>>),
    sums: &mut K::Outputs<[R; C]>,
) {
    let (slopes, second) = slopes_and_second::<K, R, C>(function, x, inner, &round.outer);
    each(
        <K::Outputs<f64>>::LEN,
        #[inline(always)]
        |o| {
            let (value, factor) = (*round.values.slot(o), *round.factors.slot(o));
            let mut k = 0;
            while k < C {
                let sum = sums.slot(o)[k];
                let sum = value.mul_add(slopes.slot(o)[k], sum);
                sums.slot_mut(o)[k] = factor.mul_add(second.slot(o)[k], sum);
                k += 1;
            }
        },
    );
}

impl<K: Function, const C: usize> Body<f64> for Directions<'_, K, C> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(mut self) {
        over_all::<f64, R>(self.0.call.call.len, &mut self);
    }
}

impl<K: Function, const C: usize> Loop<f64> for Directions<'_, K, C> {
    #[inline(always)]
    fn single<R: Lane<f64>>(&mut self) {
        let pass = &mut self.0;
        let AdjointCall { call, by, .. } = pass.call;
        let inner = seeds(&by[pass.first..]);
        let x = load_single::<f64, R, K::Inputs<R>>(&call.inputs, pass.arena);
        let mut sums = <K::Outputs<[R; C]>>::filled([R::zero(); C]);
        for round in 0..pass.rounds() {
            let round = pass.round::<1>(round, 0, 1);
            let round = Round {
                outer: pick::<R, _, _, 1>(&round.outer, 0),
                values: pick::<R, _, _, 1>(&round.values, 0),
                factors: pick::<R, _, _, 1>(&round.factors, 0),
            };
            add_round::<K, R, C>(pass.function, x, (&inner, &round), &mut sums);
        }
        let wanted = (by.len() - pass.first).min(C);
        for o in 0..<K::Outputs<f64>>::LEN {
            let slots = &call.outputs[o * by.len() + pass.first..][..wanted];
            for (to, x) in slots.iter().zip(sums.slot(o)) {
                if let Some(to) = to {
                    to.store_single::<f64, R>(pass.arena, *x);
                }
            }
        }
    }

    #[inline(always)]
    fn chunks<R: Lane<f64>, const W: usize>(&mut self, from: usize, to: usize) {
        let pass = &mut self.0;
        let AdjointCall { call, by, .. } = pass.call;
        let inner = seeds(&by[pass.first..]);
        let wanted = (by.len() - pass.first).min(C);
        let mut aside = Aside::<_, K::Inputs<[f64; W]>, _>::new(&call.inputs, pass.arena);
        let mut start = from;
        while start < to {
            let count = (to - start).min(W);
            let mut sums = <K::Outputs<[[f64; W]; C]>>::filled([[0.0; W]; C]);
            for round in 0..pass.rounds() {
                let round = pass.round::<W>(round, start, count);
                let input: K::Inputs<&[f64; W]> =
                    aside.views(&call.inputs, pass.arena, start, count);
                for l in 0..W {
                    let x: K::Inputs<R> = lane::<f64, R, _, _, W>(&input, l, R::load);
                    let round = Round {
                        outer: pick::<R, _, _, W>(&round.outer, l),
                        values: pick::<R, _, _, W>(&round.values, l),
                        factors: pick::<R, _, _, W>(&round.factors, l),
                    };
                    let mut added = <K::Outputs<[R; C]>>::filled([R::zero(); C]);
                    add_round::<K, R, C>(pass.function, x, (&inner, &round), &mut added);
                    each(
                        <K::Outputs<f64>>::LEN,
                        #[inline(always)]
                        |o| {
                            let mut k = 0;
                            while k < C {
                                let sum = &mut sums.slot_mut(o)[k][l];
                                *sum = (R::load(*sum) + added.slot(o)[k]).store();
                                k += 1;
                            }
                        },
                    );
                }
            }
            for o in 0..<K::Outputs<f64>>::LEN {
                let slots = &call.outputs[o * by.len() + pass.first..][..wanted];
                for (to, x) in slots.iter().zip(sums.slot(o)) {
                    if let Some(to) = to {
                        to.store::<f64, R, W>(pass.arena, start, count, x);
                    }
                }
            }
            start += count;
        }
    }
}
