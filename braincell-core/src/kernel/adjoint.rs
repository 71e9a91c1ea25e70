//! Adjoints of a kernel's inputs from those of its values and its partial derivatives.
//!
//! With x̄ the adjoint of x, values f_o and partial derivatives ∂_k f_o give x̄_j += Σ f̄_o ∂_j f_o + Σ b_ok ∂_j ∂_k f_o. Of a
//! single result the second sum is the derivative of one directional derivative, that along Σ b_k of the inputs in column k, so
//! the second derivatives need not be known one by one.

use super::Slots;
use super::call::{Aside, Call, Loop, array, lane, load_single, over_narrow};
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
    for first in (0..count).step_by(2) {
        let pass = Pass {
            function,
            call,
            first,
            arena,
        };
        // Of several results each has its own weights, so the second derivatives are taken by column, two at a time. The
        // compiler makes but the one kind that a function needs.
        if const { <K::Outputs<f64>>::LEN == 1 } {
            dispatch(level, Directions::<K, 2, 1>(pass));
        } else {
            dispatch(level, Directions::<K, 2, 2>(pass));
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

/// A pass that carries C directions and P outer ones.
struct Directions<'a, K, const C: usize, const P: usize>(Pass<'a, K>);

/// P outer directions, and what the derivatives of the values and those along the outer directions are multiplied by.
struct Round<X, Y, Z> {
    outer: X,
    values: Y,
    factors: Z,
}

/// A round for W elements.
type Wide<K, const W: usize, const P: usize> = Round<
    <K as Function>::Inputs<[[f64; W]; P]>,
    <K as Function>::Outputs<[f64; W]>,
    <K as Function>::Outputs<[[f64; W]; P]>,
>;

/// A round for one element.
type Narrow<K, R, const P: usize> = Round<
    <K as Function>::Inputs<[R; P]>,
    <K as Function>::Outputs<R>,
    <K as Function>::Outputs<[R; P]>,
>;

impl<K: Function> Pass<'_, K> {
    /// How many rounds there are.
    #[inline(always)]
    fn rounds<const P: usize>(&self) -> usize {
        match P {
            1 => 1,
            _ => self.call.columns.len().div_ceil(P).max(1),
        }
    }

    /// A round for elements `start .. start + count`.
    #[inline(always)]
    fn round<const W: usize, const P: usize>(
        &self,
        round: usize,
        start: usize,
        count: usize,
    ) -> Wide<K, W, P> {
        let zero = [0.0; W];
        let mut outer = <K::Inputs<[[f64; W]; P]>>::filled([zero; P]);
        let mut values = <K::Outputs<[f64; W]>>::filled(zero);
        let mut factors = <K::Outputs<[[f64; W]; P]>>::filled([zero; P]);
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
        let mut add = |p: usize, mask: u64, x: &[f64; W]| {
            let mut rest = mask;
            while rest != 0 {
                let to = &mut outer.slot_mut(rest.trailing_zeros() as usize)[p];
                for l in 0..W {
                    to[l] += x[l];
                }
                rest &= rest - 1;
            }
        };
        if P == 1 {
            factors.slot_mut(0)[0] = [1.0; W];
            for (mask, at) in columns.iter().zip(partials) {
                if let Some(at) = at {
                    add(0, *mask, &plane(*at));
                }
            }
        } else {
            for (p, &mask) in columns.iter().skip(round * P).take(P).enumerate() {
                add(p, mask, &[1.0; W]);
                let of_column = partials.iter().skip(round * P + p).step_by(columns.len());
                for (o, at) in of_column.enumerate() {
                    if let Some(at) = at {
                        factors.slot_mut(o)[p] = plane(*at);
                    }
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

/// One lane of a round.
#[inline(always)]
fn pick<K: Function, R: Lane<f64>, const W: usize, const P: usize>(
    from: &Wide<K, W, P>,
    l: usize,
) -> Narrow<K, R, P> {
    let mut outer = <K::Inputs<[R; P]>>::filled([R::zero(); P]);
    let mut i = 0;
    while i < <K::Inputs<f64>>::LEN {
        let mut p = 0;
        while p < P {
            outer.slot_mut(i)[p] = R::load(from.outer.slot(i)[p][l]);
            p += 1;
        }
        i += 1;
    }
    let mut values = <K::Outputs<R>>::filled(R::zero());
    let mut factors = <K::Outputs<[R; P]>>::filled([R::zero(); P]);
    let mut o = 0;
    while o < <K::Outputs<f64>>::LEN {
        *values.slot_mut(o) = R::load(from.values.slot(o)[l]);
        let mut p = 0;
        while p < P {
            factors.slot_mut(o)[p] = R::load(from.factors.slot(o)[p][l]);
            p += 1;
        }
        o += 1;
    }
    Round {
        outer,
        values,
        factors,
    }
}

/// Adds what a round contributes in one lane.
#[inline(always)]
fn add_round<K: Function, R: Real, const C: usize, const P: usize>(
    function: &K,
    x: K::Inputs<R>,
    (inner, round): (&Seeds<K, R, C>, &Narrow<K, R, P>),
    sums: &mut K::Outputs<[R; C]>,
) {
    let (slopes, second) = slopes_and_second::<K, R, C, P>(function, x, inner, &round.outer);
    each(
        <K::Outputs<f64>>::LEN,
        #[inline(always)]
        |o| {
            let value = *round.values.slot(o);
            let mut k = 0;
            while k < C {
                let mut sum = value.mul_add(slopes.slot(o)[k], sums.slot(o)[k]);
                let mut p = 0;
                while p < P {
                    sum = round.factors.slot(o)[p].mul_add(second.slot(o)[p][k], sum);
                    p += 1;
                }
                sums.slot_mut(o)[k] = sum;
                k += 1;
            }
        },
    );
}

impl<K: Function, const C: usize, const P: usize> Body<f64> for Directions<'_, K, C, P> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(mut self) {
        over_narrow::<f64, R>(self.0.call.call.len, &mut self);
    }
}

impl<K: Function, const C: usize, const P: usize> Loop<f64> for Directions<'_, K, C, P> {
    #[inline(always)]
    fn single<R: Lane<f64>>(&mut self) {
        let pass = &mut self.0;
        let AdjointCall { call, by, .. } = pass.call;
        let inner = seeds(&by[pass.first..]);
        let x = load_single::<f64, R, K::Inputs<R>>(&call.inputs, pass.arena);
        let mut sums = <K::Outputs<[R; C]>>::filled([R::zero(); C]);
        for round in 0..pass.rounds::<P>() {
            let round = pick::<K, R, 1, P>(&pass.round::<1, P>(round, 0, 1), 0);
            add_round::<K, R, C, P>(pass.function, x, (&inner, &round), &mut sums);
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
            for round in 0..pass.rounds::<P>() {
                let round = pass.round::<W, P>(round, start, count);
                let input: K::Inputs<&[f64; W]> =
                    aside.views(&call.inputs, pass.arena, start, count);
                for l in 0..W {
                    let x: K::Inputs<R> = lane::<f64, R, _, _, W>(&input, l, R::load);
                    let round = pick::<K, R, W, P>(&round, l);
                    let mut added = <K::Outputs<[R; C]>>::filled([R::zero(); C]);
                    add_round::<K, R, C, P>(pass.function, x, (&inner, &round), &mut added);
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
