//! First derivatives of the functions that instructions evaluate.

use super::Slots;
use super::call::{Aside, CHUNK, Call, Loop, Output, lane, load_single, over_all};
use super::function::Function;
use super::slots::each;
use crate::real::{Along, Dual, Element, Lane, Real};
use crate::simd::{Body, Level, dispatch, run_plain};

/// Output slot `o · columns + k` of the call receives the derivative of f_o in the inputs of mask `columns[k]`; the values
/// go to `values`, if these are not empty.
pub(super) fn first<F: Element, K: Function>(
    level: Level,
    function: &K,
    columns: &[u64],
    to: (&Call, &[Option<Output>]),
    arena: &mut [F],
) {
    carrying(level, function, (columns, columns.len()), to, arena);
}

/// As [`first`], with as many columns carried as directions, the first ones; the derivatives of another are among the
/// function's results.
///
/// Most kernels need one direction or two, and those that need more are cheap: two are carried at a time, if [`pairs`] says so.
pub(super) fn carrying<F: Element, K: Function>(
    level: Level,
    function: &K,
    (columns, carried): (&[u64], usize),
    (call, values): (&Call, &[Option<Output>]),
    arena: &mut [F],
) {
    if columns.is_empty() {
        return;
    }
    let mut first = 0;
    loop {
        // Values may replace inputs, so they are stored last.
        let left = carried - first;
        let at_once = if const { pairs::<F, K>() } { 2 } else { 1 };
        let last = left <= at_once;
        let pass = Pass {
            function,
            directions: &columns[first..carried],
            slot: [columns.len(), first],
            sloped: last && carried < columns.len(),
            call,
            values: if last { values } else { &[] },
            arena,
        };
        if K::SELDOM {
            run_plain(&mut Some(Directions::<F, K, 1, false>(pass)));
        } else if K::FIRST && columns == [1] {
            dispatch(level, Directions::<F, K, 1, true>(pass));
        } else if const { !pairs::<F, K>() } {
            dispatch(level, Directions::<F, K, 1, false>(pass));
        } else {
            match left {
                1 => dispatch(level, Directions::<F, K, 1, false>(pass)),
                _ => dispatch(level, Directions::<F, K, 2, false>(pass)),
            }
        }
        if last {
            return;
        }
        first += at_once;
    }
}

/// Whether two directions are carried at a time: not where derivatives are among the results, and not where it hardly pays for what
/// it takes to compile, in single precision and where nothing waits for the result.
const fn pairs<F: Element, K: Function>() -> bool {
    !K::SLOPES && !K::SELDOM && size_of::<F>() == size_of::<f64>()
}

/// How many of the values of a function are results.
const fn results<F: Element, K: Function>() -> usize {
    match K::SLOPES {
        true => <K::Outputs<F>>::LEN / 2,
        false => <K::Outputs<F>>::LEN,
    }
}

struct Pass<'a, F, K> {
    function: &'a K,
    /// Masks of inputs, those of this pass first; there may be none.
    directions: &'a [u64],
    /// Stride from output to output, and the first slot.
    slot: [usize; 2],
    /// Whether the last column's derivatives are among the function's results, and wanted.
    sloped: bool,
    call: &'a Call,
    /// Where values go, if anywhere.
    values: &'a [Option<Output>],
    arena: &'a mut [F],
}

/// A pass that carries C directions; if FIRST, one in which the first input changes and no other.
struct Directions<'a, F, K, const C: usize, const FIRST: bool>(Pass<'a, F, K>);

/// For each input whether it changes in each direction, as numbers 0 and 1.
type Seeds<K, R, const C: usize> = <K as Function>::Inputs<[R; C]>;

/// Values and derivatives of the results, for one lane.
type Results<K, R, const C: usize> = (
    <K as Function>::Outputs<R>,
    <K as Function>::Outputs<[R; C]>,
);

#[inline(always)]
fn seeds<R: Real, S: Slots<[R; C]>, const C: usize>(directions: &[u64]) -> S {
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

/// The function at arguments with seeds for the directions of a pass.
#[inline(always)]
fn evaluate<K: Function, R: Real, const C: usize>(
    function: &K,
    x: K::Inputs<R>,
    seeds: &Seeds<K, R, C>,
) -> Results<K, R, C> {
    let mut input = <K::Inputs<Dual<R, C>>>::filled(Dual::zero());
    each(
        <K::Inputs<R>>::LEN,
        #[inline(always)]
        |i| {
            let mut variable = Dual::lift(*x.slot(i));
            copy(seeds.slot(i), &mut variable.tangent);
            *input.slot_mut(i) = variable;
        },
    );
    let y = function.at(input);
    let mut value = <K::Outputs<R>>::filled(R::zero());
    let mut out = <K::Outputs<[R; C]>>::filled([R::zero(); C]);
    each(
        <K::Outputs<R>>::LEN,
        #[inline(always)]
        |o| {
            *value.slot_mut(o) = y.slot(o).value;
            copy(&y.slot(o).tangent, out.slot_mut(o));
        },
    );
    (value, out)
}

/// As [`evaluate`] where the first argument changes and no other.
#[inline(always)]
fn evaluate_first<K: Function, R: Real, const C: usize>(
    function: &K,
    x: K::Inputs<R>,
) -> Results<K, R, C> {
    let mut input = <K::Inputs<Along<R>>>::filled(Along::zero());
    each(
        <K::Inputs<R>>::LEN,
        #[inline(always)]
        |i| {
            *input.slot_mut(i) = match i {
                0 => Along::variable(*x.slot(i)),
                _ => Along::fixed(*x.slot(i)),
            };
        },
    );
    let y = function.at(input);
    let mut value = <K::Outputs<R>>::filled(R::zero());
    let mut out = <K::Outputs<[R; C]>>::filled([R::zero(); C]);
    each(
        <K::Outputs<R>>::LEN,
        #[inline(always)]
        |o| {
            *value.slot_mut(o) = y.slot(o).value;
            out.slot_mut(o)[0] = y.slot(o).slope.unwrap_or(R::zero());
        },
    );
    (value, out)
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

impl<F: Element, K: Function, const C: usize, const FIRST: bool> Body<F>
    for Directions<'_, F, K, C, FIRST>
{
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(mut self) {
        let len = self.0.call.len;
        match K::SELDOM {
            true => self.chunks::<R, CHUNK>(0, len),
            false => over_all::<F, R>(len, &mut self),
        }
    }
}

impl<F: Element, K: Function, const C: usize, const FIRST: bool> Loop<F>
    for Directions<'_, F, K, C, FIRST>
{
    #[inline(always)]
    fn single<R: Lane<F>>(&mut self) {
        let pass = &mut self.0;
        let seeds = seeds(pass.directions);
        let x = load_single::<F, R, _>(&pass.call.inputs, pass.arena);
        let (x, y) = match FIRST {
            true => evaluate_first::<K, R, C>(pass.function, x),
            false => evaluate::<K, R, C>(pass.function, x, &seeds),
        };
        let mut o = 0;
        while o < results::<F, K>() {
            let slots = &pass.call.outputs[o * pass.slot[0]..][..pass.slot[0]];
            let mut k = 0;
            while k < C.min(pass.directions.len()) {
                if let Some(to) = &slots[pass.slot[1] + k] {
                    to.store_single::<F, R>(pass.arena, y.slot(o)[k]);
                }
                k += 1;
            }
            if let (true, Some(Some(to))) = (pass.sloped, slots.last()) {
                to.store_single::<F, R>(pass.arena, *x.slot(results::<F, K>() + o));
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
            directions,
            slot,
            sloped,
            call,
            values,
            arena,
        } = &mut self.0;
        let seeds = seeds(directions);
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
                let (x, y) = match FIRST {
                    true => evaluate_first::<K, R, C>(function, input),
                    false => evaluate::<K, R, C>(function, input, &seeds),
                };
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
            for o in 0..results::<F, K>() {
                let slots = &call.outputs[o * slot[0]..][..slot[0]];
                for k in 0..C.min(directions.len()) {
                    if let Some(to) = &slots[slot[1] + k] {
                        to.store::<F, R, W>(arena, start, count, &output.slot(o)[k]);
                    }
                }
                if let (true, Some(Some(to))) = (*sloped, slots.last()) {
                    to.store::<F, R, W>(arena, start, count, value.slot(results::<F, K>() + o));
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
