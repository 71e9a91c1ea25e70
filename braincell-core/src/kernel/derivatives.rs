//! First and second derivatives of the functions that instructions evaluate.

use super::Slots;
use super::call::{Aside, Call, Loop, Output, lane, load_single, over_all, over_narrow};
use super::function::Function;
use super::slots::each;
use crate::real::{Dual, Element, Lane, Real};
use crate::simd::{Body, Level, dispatch};

/// Calls `f(first direction of a pass, whether it carries two)`: most kernels need one direction or two, and those that need
/// more are cheap.
fn passes(count: usize, mut f: impl FnMut(usize, bool)) {
    for first in (0..count).step_by(2) {
        f(first, first + 1 < count);
    }
}

/// Output slot `o · columns + k` of the call receives the derivative of f_o in the inputs of mask `columns[k]`; the values
/// go to `values`, if these are not empty.
pub(super) fn first<F: Element, K: Function>(
    level: Level,
    function: &K,
    columns: &[u64],
    (call, values): (&Call, &[Option<Output>]),
    arena: &mut [F],
) {
    passes(columns.len(), |first, two| {
        // Values may replace inputs, so they are stored last.
        let last = columns.len() - first <= 2;
        let pass = Pass {
            function,
            order: First,
            directions: &columns[first..],
            slot: [columns.len(), first],
            call,
            values: if last { values } else { &[] },
            arena,
        };
        run(level, two, pass);
    });
}

/// Output slot `(o · columns + k) · by + j` of the call receives the second derivative of f_o in the inputs of masks
/// `columns[k]` and `by[j]`.
pub(super) fn second<K: Function>(
    level: Level,
    function: &K,
    columns: &[u64],
    by: &[u64],
    call: &Call,
    arena: &mut [f64],
) {
    for (k, &outer) in columns.iter().enumerate() {
        passes(by.len(), |first, two| {
            let pass = Pass {
                function,
                order: Second(outer),
                directions: &by[first..],
                slot: [columns.len() * by.len(), k * by.len() + first],
                call,
                values: &[],
                arena,
            };
            run(level, two, pass);
        });
    }
}

fn run<F: Element, K: Function, O: Order>(level: Level, two: bool, pass: Pass<F, K, O>) {
    match two {
        false => dispatch(level, Directions::<F, K, O, 1>(pass)),
        true => dispatch(level, Directions::<F, K, O, 2>(pass)),
    }
}

struct Pass<'a, F, K, O> {
    function: &'a K,
    order: O,
    /// Masks of inputs, those of this pass first.
    directions: &'a [u64],
    /// Stride from output to output, and the first slot.
    slot: [usize; 2],
    call: &'a Call,
    /// Where values go, if anywhere.
    values: &'a [Option<Output>],
    arena: &'a mut [F],
}

/// A pass that carries C directions.
struct Directions<'a, F, K, O, const C: usize>(Pass<'a, F, K, O>);

/// For each input whether it changes in each direction, as numbers 0 and 1.
pub(super) type Seeds<K, R, const C: usize> = <K as Function>::Inputs<[R; C]>;

/// Values and derivatives of the results, for one lane.
type Results<K, R, const C: usize> = (
    <K as Function>::Outputs<R>,
    <K as Function>::Outputs<[R; C]>,
);

#[inline(always)]
pub(super) fn seeds<R: Real, S: Slots<[R; C]>, const C: usize>(directions: &[u64]) -> S {
    let mut seeds = S::filled([R::zero(); C]);
    for (k, mask) in directions.iter().enumerate().take(C) {
        for i in 0..S::LEN {
            if mask >> i & 1 == 1 {
                seeds.slot_mut(i)[k] = R::one();
            }
        }
    }
    seeds
}

/// First or second derivatives.
trait Order: Copy {
    /// Carries a value with its derivatives in C directions.
    type Number<R: Real, const C: usize>: Real;
    /// Whether it is compiled for wide chunks too.
    const WIDE: bool;
    /// The inputs of the outer derivative, if there is one.
    fn outer(self) -> u64;
    /// An argument, and whether it changes in each direction and in the outer one. Must be `#[inline(always)]`.
    fn argument<R: Real, const C: usize>(x: R, seeds: &[R; C], outer: R) -> Self::Number<R, C>;
    /// The value of a result, and the derivatives wanted. Must be `#[inline(always)]`.
    fn result<R: Real, const C: usize>(y: &Self::Number<R, C>) -> (R, &[R; C]);
}

#[derive(Clone, Copy)]
struct First;

impl Order for First {
    type Number<R: Real, const C: usize> = Dual<R, C>;
    const WIDE: bool = true;

    #[inline(always)]
    fn outer(self) -> u64 {
        0
    }

    #[inline(always)]
    fn argument<R: Real, const C: usize>(x: R, seeds: &[R; C], _: R) -> Dual<R, C> {
        let mut variable = Dual::lift(x);
        copy(seeds, &mut variable.tangent);
        variable
    }

    #[inline(always)]
    fn result<R: Real, const C: usize>(y: &Dual<R, C>) -> (R, &[R; C]) {
        (y.value, &y.tangent)
    }
}

/// With the mask of the inputs of the outer derivative.
#[derive(Clone, Copy)]
struct Second(u64);

impl Order for Second {
    type Number<R: Real, const C: usize> = Dual<Dual<R, C>, 1>;
    const WIDE: bool = false;

    #[inline(always)]
    fn outer(self) -> u64 {
        self.0
    }

    #[inline(always)]
    fn argument<R: Real, const C: usize>(x: R, seeds: &[R; C], outer: R) -> Dual<Dual<R, C>, 1> {
        let inner = First::argument(x, seeds, outer);
        Dual::new(inner, [Dual::lift(outer)])
    }

    #[inline(always)]
    fn result<R: Real, const C: usize>(y: &Dual<Dual<R, C>, 1>) -> (R, &[R; C]) {
        (y.value.value, &y.tangent[0].tangent)
    }
}

/// The function at arguments with seeds for the directions of a pass, and for the outer one.
#[inline(always)]
fn evaluate<K: Function, O: Order, R: Real, const C: usize>(
    function: &K,
    x: K::Inputs<R>,
    (seeds, outer): (&Seeds<K, R, C>, &Seeds<K, R, 1>),
) -> Results<K, R, C> {
    let zero = O::Number::<R, C>::zero();
    let mut input = <K::Inputs<O::Number<R, C>>>::filled(zero);
    each(
        <K::Inputs<R>>::LEN,
        #[inline(always)]
        |i| *input.slot_mut(i) = O::argument(*x.slot(i), seeds.slot(i), outer.slot(i)[0]),
    );
    let y = function.at(input);
    let mut value = <K::Outputs<R>>::filled(R::zero());
    let mut out = <K::Outputs<[R; C]>>::filled([R::zero(); C]);
    each(
        <K::Outputs<R>>::LEN,
        #[inline(always)]
        |o| {
            let (x, derivatives) = O::result(y.slot(o));
            *value.slot_mut(o) = x;
            copy(derivatives, out.slot_mut(o));
        },
    );
    (value, out)
}

/// What [`slopes_and_second`] gives.
pub(super) type SlopesAndSecond<K, R, const C: usize, const P: usize> = (
    <K as Function>::Outputs<[R; C]>,
    <K as Function>::Outputs<[[R; C]; P]>,
);

/// Derivatives of the results in the directions of `inner`, and those derivatives' own in the directions of `outer`.
#[inline(always)]
pub(super) fn slopes_and_second<K: Function, R: Real, const C: usize, const P: usize>(
    function: &K,
    x: K::Inputs<R>,
    inner: &Seeds<K, R, C>,
    outer: &Seeds<K, R, P>,
) -> SlopesAndSecond<K, R, C, P> {
    let zero = [R::zero(); C];
    let mut input = <K::Inputs<Dual<Dual<R, C>, P>>>::filled(Real::zero());
    each(
        <K::Inputs<R>>::LEN,
        #[inline(always)]
        |i| {
            let mut tangent = [Dual::lift(R::zero()); P];
            let mut p = 0;
            while p < P {
                tangent[p] = Dual::lift(outer.slot(i)[p]);
                p += 1;
            }
            *input.slot_mut(i) = Dual::new(
                First::argument(*x.slot(i), inner.slot(i), R::zero()),
                tangent,
            );
        },
    );
    let y = function.at(input);
    let mut slopes = <K::Outputs<[R; C]>>::filled(zero);
    let mut second = <K::Outputs<[[R; C]; P]>>::filled([zero; P]);
    each(
        <K::Outputs<R>>::LEN,
        #[inline(always)]
        |o| {
            copy(&y.slot(o).value.tangent, slopes.slot_mut(o));
            let mut p = 0;
            while p < P {
                copy(&y.slot(o).tangent[p].tangent, &mut second.slot_mut(o)[p]);
                p += 1;
            }
        },
    );
    (slopes, second)
}

/// Number by number: a copy of the whole array would be a call in the loop over lanes, which then has no vectors.
#[inline(always)]
fn copy<R: Copy, const C: usize>(from: &[R; C], to: &mut [R; C]) {
    let mut k = 0;
    while k < C {
        to[k] = from[k];
        k += 1;
    }
}

impl<F: Element, K: Function, O: Order, const C: usize> Body<F> for Directions<'_, F, K, O, C> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(mut self) {
        if const { O::WIDE } {
            over_all::<F, R>(self.0.call.len, &mut self);
        } else {
            over_narrow::<F, R>(self.0.call.len, &mut self);
        }
    }
}

impl<F: Element, K: Function, O: Order, const C: usize> Loop<F> for Directions<'_, F, K, O, C> {
    #[inline(always)]
    fn single<R: Lane<F>>(&mut self) {
        let pass = &mut self.0;
        let (inner, outer) = (seeds(pass.directions), seeds(&[pass.order.outer()]));
        let x = load_single::<F, R, _>(&pass.call.inputs, pass.arena);
        let (x, y) = evaluate::<K, O, R, C>(pass.function, x, (&inner, &outer));
        let mut o = 0;
        while o < <K::Outputs<F>>::LEN {
            let mut k = 0;
            while k < C {
                if let Some(to) = &pass.call.outputs[o * pass.slot[0] + pass.slot[1] + k] {
                    to.store_single::<F, R>(pass.arena, y.slot(o)[k]);
                }
                k += 1;
            }
            o += 1;
        }
        for (o, to) in pass.values.iter().enumerate() {
            if let Some(to) = to {
                to.store_single::<F, R>(pass.arena, *x.slot(o));
            }
        }
    }

    #[inline(always)]
    fn chunks<R: Lane<F>, const W: usize>(&mut self, from: usize, to: usize) {
        let Pass {
            function,
            order,
            directions,
            slot,
            call,
            values,
            arena,
        } = &mut self.0;
        let (inner, outer) = (seeds(directions), seeds(&[order.outer()]));
        let mut aside = Aside::<_, K::Inputs<[F; W]>, _>::new(&call.inputs, arena);
        let zero = [F::default(); W];
        let mut output = <K::Outputs<[[F; W]; C]>>::filled([zero; C]);
        let mut value = <K::Outputs<[F; W]>>::filled(zero);
        let mut start = from;
        while start < to {
            let count = (to - start).min(W);
            let input: K::Inputs<&[F; W]> = aside.views(&call.inputs, arena, start, count);
            for l in 0..W {
                let input: K::Inputs<R> = lane::<F, R, _, _, W>(&input, l, R::load);
                let (x, y) = evaluate::<K, O, R, C>(function, input, (&inner, &outer));
                each(
                    <K::Outputs<F>>::LEN,
                    #[inline(always)]
                    |o| {
                        value.slot_mut(o)[l] = x.slot(o).store();
                        let mut k = 0;
                        while k < C {
                            output.slot_mut(o)[k][l] = y.slot(o)[k].store();
                            k += 1;
                        }
                    },
                );
            }
            for o in 0..<K::Outputs<F>>::LEN {
                for k in 0..C {
                    if let Some(to) = &call.outputs[o * slot[0] + slot[1] + k] {
                        to.store::<F, R, W>(arena, start, count, &output.slot(o)[k]);
                    }
                }
            }
            for (o, to) in values.iter().enumerate() {
                if let Some(to) = to {
                    to.store::<F, R, W>(arena, start, count, value.slot(o));
                }
            }
            start += count;
        }
    }
}
