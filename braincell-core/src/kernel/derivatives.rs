//! First and second derivatives of the functions that instructions evaluate.

use super::Slots;
use super::call::{Aside, CHUNK, Call, Output, lane, load_single};
use super::function::Function;
use crate::real::{Dual, Element, Lane, Real};
use crate::simd::{Body, Level, dispatch};

/// Numbers of directions that one pass carries: most kernels need two, and what needs more is cheap.
const FEW: usize = 2;
const MANY: usize = 4;

/// Calls `f(first direction of a pass, whether it carries many)`.
fn passes(count: usize, mut f: impl FnMut(usize, bool)) {
    let mut first = 0;
    while first < count {
        let many = count - first > FEW;
        f(first, many);
        first += if many { MANY } else { FEW };
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
    passes(columns.len(), |first, many| {
        // Values may replace inputs, so they are stored last.
        let last = columns.len() - first <= if many { MANY } else { FEW };
        let pass = Pass {
            function,
            directions: &columns[first..],
            slot: [columns.len(), first],
            call,
            values: if last { values } else { &[] },
            arena,
        };
        match many {
            false => dispatch(level, First::<F, K, FEW>(pass)),
            true => dispatch(level, First::<F, K, MANY>(pass)),
        }
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
        passes(by.len(), |first, many| {
            let pass = Pass {
                function,
                directions: &by[first..],
                slot: [columns.len() * by.len(), k * by.len() + first],
                call,
                values: &[],
                arena,
            };
            match many {
                false => dispatch(level, Second::<K, FEW>(pass, outer)),
                true => dispatch(level, Second::<K, MANY>(pass, outer)),
            }
        });
    }
}

struct Pass<'a, F, K> {
    function: &'a K,
    /// Masks of inputs, those of this pass first.
    directions: &'a [u64],
    /// Stride from output to output, and the first slot.
    slot: [usize; 2],
    call: &'a Call,
    /// Where values go, if anywhere.
    values: &'a [Option<Output>],
    arena: &'a mut [F],
}

/// Values and derivatives of the results, for one lane.
type Results<K, R, const C: usize> = (
    <K as Function>::Outputs<R>,
    <K as Function>::Outputs<[R; C]>,
);

/// For each input whether it changes in each direction, as numbers 0 and 1.
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

impl<F: Element, K: Function> Pass<'_, F, K> {
    /// Runs over all elements. `eval` gives the results for one lane.
    #[inline(always)]
    fn run<R: Lane<F>, const C: usize>(self, eval: impl Fn(&K, K::Inputs<R>) -> Results<K, R, C>) {
        let (call, arena) = (self.call, self.arena);
        let count_columns = self.directions.len().min(C);
        if call.len == 1 {
            let (x, y) = eval(self.function, load_single(&call.inputs, arena));
            for o in 0..<K::Outputs<F>>::LEN {
                for k in 0..count_columns {
                    if let Some(to) = &call.outputs[o * self.slot[0] + self.slot[1] + k] {
                        to.store_single::<F, R>(arena, y.slot(o)[k]);
                    }
                }
            }
            for (o, to) in self.values.iter().enumerate() {
                if let Some(to) = to {
                    to.store_single::<F, R>(arena, *x.slot(o));
                }
            }
            return;
        }
        let mut aside = Aside::<_, K::Inputs<[F; CHUNK]>, _>::new(&call.inputs, arena);
        let zero = [F::default(); CHUNK];
        let mut output = <K::Outputs<[[F; CHUNK]; C]>>::filled([zero; C]);
        let mut value = <K::Outputs<[F; CHUNK]>>::filled(zero);
        let mut start = 0;
        while start < call.len {
            let count = (call.len - start).min(CHUNK);
            let input: K::Inputs<&[F; CHUNK]> = aside.views(&call.inputs, arena, start, count);
            for l in 0..CHUNK {
                let input: K::Inputs<R> = lane::<F, R, _, _, CHUNK>(&input, l, R::load);
                let (x, y) = eval(self.function, input);
                let mut o = 0;
                while o < <K::Outputs<F>>::LEN {
                    value.slot_mut(o)[l] = x.slot(o).store();
                    let mut k = 0;
                    while k < C {
                        output.slot_mut(o)[k][l] = y.slot(o)[k].store();
                        k += 1;
                    }
                    o += 1;
                }
            }
            for o in 0..<K::Outputs<F>>::LEN {
                for k in 0..count_columns {
                    if let Some(to) = &call.outputs[o * self.slot[0] + self.slot[1] + k] {
                        to.store::<F, R, CHUNK>(arena, start, count, &output.slot(o)[k]);
                    }
                }
            }
            for (o, to) in self.values.iter().enumerate() {
                if let Some(to) = to {
                    to.store::<F, R, CHUNK>(arena, start, count, value.slot(o));
                }
            }
            start += count;
        }
    }
}

struct First<'a, F, K, const C: usize>(Pass<'a, F, K>);

impl<F: Element, K: Function, const C: usize> Body<F> for First<'_, F, K, C> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        let seeds: K::Inputs<[R; C]> = seeds(self.0.directions);
        self.0.run::<R, C>(
            #[inline(always)]
            |function, input| {
                let mut x = <K::Inputs<Dual<R, C>>>::filled(Dual::lift(R::zero()));
                let mut i = 0;
                while i < <K::Inputs<F>>::LEN {
                    let variable = x.slot_mut(i);
                    variable.value = *input.slot(i);
                    copy(seeds.slot(i), &mut variable.tangent);
                    i += 1;
                }
                let y = function.at(x);
                let mut out = <K::Outputs<[R; C]>>::filled([R::zero(); C]);
                let mut value = <K::Outputs<R>>::filled(R::zero());
                let mut o = 0;
                while o < <K::Outputs<F>>::LEN {
                    *value.slot_mut(o) = y.slot(o).value;
                    *out.slot_mut(o) = y.slot(o).tangent;
                    o += 1;
                }
                (value, out)
            },
        );
    }
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

/// With the mask of the inputs of the outer derivative.
struct Second<'a, K, const C: usize>(Pass<'a, f64, K>, u64);

impl<K: Function, const C: usize> Body<f64> for Second<'_, K, C> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        let inner: K::Inputs<[R; C]> = seeds(self.0.directions);
        let outer: K::Inputs<[R; 1]> = seeds(&[self.1]);
        self.0.run::<R, C>(
            #[inline(always)]
            |function, input| {
                let zero = Dual::lift(Dual::lift(R::zero()));
                let mut x = <K::Inputs<Dual<Dual<R, C>, 1>>>::filled(zero);
                let mut i = 0;
                while i < <K::Inputs<f64>>::LEN {
                    let variable = x.slot_mut(i);
                    variable.value.value = *input.slot(i);
                    variable.tangent[0].value = outer.slot(i)[0];
                    copy(inner.slot(i), &mut variable.value.tangent);
                    i += 1;
                }
                let y = function.at(x);
                let mut out = <K::Outputs<[R; C]>>::filled([R::zero(); C]);
                let mut value = <K::Outputs<R>>::filled(R::zero());
                let mut o = 0;
                while o < <K::Outputs<f64>>::LEN {
                    *value.slot_mut(o) = y.slot(o).value.value;
                    *out.slot_mut(o) = y.slot(o).tangent[0].tangent;
                    o += 1;
                }
                (value, out)
            },
        );
    }
}
