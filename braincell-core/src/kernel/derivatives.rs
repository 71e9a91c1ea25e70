//! First and second derivatives of the functions that instructions evaluate.

use super::call::{CHUNK, Call, Output, load_all};
use super::{Pointwise, Slots};
use crate::real::{Dual, Lane, Real};
use crate::simd::{Body, Level, dispatch};

/// A function of a few numbers.
pub(super) trait Function {
    /// Arguments.
    type Inputs<T: Copy>: Slots<T>;
    /// Results.
    type Outputs<T: Copy>: Slots<T>;
    /// The function. Must be `#[inline(always)]`.
    fn at<R: Real>(&self, x: Self::Inputs<R>) -> Self::Outputs<R>;
}

/// A pointwise kernel as a function.
pub(super) struct ValueOf<'a, K>(pub &'a K);

impl<K: Pointwise> Function for ValueOf<'_, K> {
    type Inputs<T: Copy> = K::Inputs<T>;
    type Outputs<T: Copy> = K::Outputs<T>;
    #[inline(always)]
    fn at<R: Real>(&self, x: Self::Inputs<R>) -> Self::Outputs<R> {
        self.0.eval(x)
    }
}

/// The steady state of a pointwise kernel as a function.
pub(super) struct SteadyOf<'a, K>(pub &'a K);

impl<K: Pointwise> Function for SteadyOf<'_, K> {
    type Inputs<T: Copy> = K::Inputs<T>;
    type Outputs<T: Copy> = K::Outputs<T>;
    #[inline(always)]
    fn at<R: Real>(&self, x: Self::Inputs<R>) -> Self::Outputs<R> {
        self.0.steady(x)
    }
}

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
pub(super) fn first<K: Function>(
    level: Level,
    function: &K,
    columns: &[u64],
    (call, values): (&Call, &[Option<Output>]),
    arena: &mut [f64],
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
            false => dispatch(level, First::<K, FEW>(pass)),
            true => dispatch(level, First::<K, MANY>(pass)),
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

struct Pass<'a, K> {
    function: &'a K,
    /// Masks of inputs, those of this pass first.
    directions: &'a [u64],
    /// Stride from output to output, and the first slot.
    slot: [usize; 2],
    call: &'a Call,
    /// Where values go, if anywhere.
    values: &'a [Option<Output>],
    arena: &'a mut [f64],
}

/// Values and derivatives of the results, for one lane.
type Results<K, const C: usize> = (
    <K as Function>::Outputs<f64>,
    <K as Function>::Outputs<[f64; C]>,
);

/// For each input whether it changes in each direction, as numbers 0 and 1.
fn seeds<S: Slots<[f64; C]>, const C: usize>(directions: &[u64]) -> S {
    let mut seeds = S::filled([0.0; C]);
    for (k, mask) in directions.iter().enumerate().take(C) {
        for i in 0..S::LEN {
            seeds.slot_mut(i)[k] = f64::from((mask >> i & 1) as u32);
        }
    }
    seeds
}

impl<K: Function> Pass<'_, K> {
    /// Runs over all elements. `eval` gives the results for one lane.
    #[inline(always)]
    fn run<R: Lane<f64>, const C: usize>(
        self,
        eval: impl Fn(&K, &K::Inputs<[f64; CHUNK]>, usize) -> Results<K, C>,
    ) {
        let (call, arena) = (self.call, self.arena);
        let count_columns = self.directions.len().min(C);
        let mut start = 0;
        while start < call.len {
            let count = (call.len - start).min(CHUNK);
            let input: K::Inputs<[f64; CHUNK]> = load_all(&call.inputs, arena, start, count);
            let zero = [[0.0; CHUNK]; C];
            let mut output = <K::Outputs<[[f64; CHUNK]; C]>>::filled(zero);
            let mut value = <K::Outputs<[f64; CHUNK]>>::filled([0.0; CHUNK]);
            for l in 0..CHUNK {
                let (x, y) = eval(self.function, &input, l);
                let mut o = 0;
                while o < <K::Outputs<f64>>::LEN {
                    value.slot_mut(o)[l] = *x.slot(o);
                    let mut k = 0;
                    while k < C {
                        output.slot_mut(o)[k][l] = y.slot(o)[k];
                        k += 1;
                    }
                    o += 1;
                }
            }
            for o in 0..<K::Outputs<f64>>::LEN {
                for k in 0..count_columns {
                    if let Some(to) = &call.outputs[o * self.slot[0] + self.slot[1] + k] {
                        to.store::<f64, R>(arena, start, count, &output.slot(o)[k]);
                    }
                }
            }
            for (o, to) in self.values.iter().enumerate() {
                if let Some(to) = to {
                    to.store::<f64, R>(arena, start, count, value.slot(o));
                }
            }
            start += count;
        }
    }
}

struct First<'a, K, const C: usize>(Pass<'a, K>);

impl<K: Function, const C: usize> Body<f64> for First<'_, K, C> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        let seeds: K::Inputs<[f64; C]> = seeds(self.0.directions);
        self.0.run::<R, C>(
            #[inline(always)]
            |function, input, l| {
                let mut x = <K::Inputs<Dual<R, C>>>::filled(Dual::lift(R::zero()));
                let mut i = 0;
                while i < <K::Inputs<f64>>::LEN {
                    let variable = x.slot_mut(i);
                    variable.value = R::load(input.slot(i)[l]);
                    let mut k = 0;
                    while k < C {
                        variable.tangent[k] = R::load(seeds.slot(i)[k]);
                        k += 1;
                    }
                    i += 1;
                }
                let y = function.at(x);
                let mut out = <K::Outputs<[f64; C]>>::filled([0.0; C]);
                let mut value = <K::Outputs<f64>>::filled(0.0);
                let mut o = 0;
                while o < <K::Outputs<f64>>::LEN {
                    *value.slot_mut(o) = y.slot(o).value.store();
                    let mut k = 0;
                    while k < C {
                        out.slot_mut(o)[k] = y.slot(o).tangent[k].store();
                        k += 1;
                    }
                    o += 1;
                }
                (value, out)
            },
        );
    }
}

/// With the mask of the inputs of the outer derivative.
struct Second<'a, K, const C: usize>(Pass<'a, K>, u64);

impl<K: Function, const C: usize> Body<f64> for Second<'_, K, C> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        let inner: K::Inputs<[f64; C]> = seeds(self.0.directions);
        let outer: K::Inputs<[f64; 1]> = seeds(&[self.1]);
        self.0.run::<R, C>(
            #[inline(always)]
            |function, input, l| {
                let zero = Dual::lift(Dual::lift(R::zero()));
                let mut x = <K::Inputs<Dual<Dual<R, C>, 1>>>::filled(zero);
                let mut i = 0;
                while i < <K::Inputs<f64>>::LEN {
                    let variable = x.slot_mut(i);
                    variable.value.value = R::load(input.slot(i)[l]);
                    variable.tangent[0].value = R::load(outer.slot(i)[0]);
                    let mut k = 0;
                    while k < C {
                        variable.value.tangent[k] = R::load(inner.slot(i)[k]);
                        k += 1;
                    }
                    i += 1;
                }
                let y = function.at(x);
                let mut out = <K::Outputs<[f64; C]>>::filled([0.0; C]);
                let mut value = <K::Outputs<f64>>::filled(0.0);
                let mut o = 0;
                while o < <K::Outputs<f64>>::LEN {
                    *value.slot_mut(o) = y.slot(o).value.value.store();
                    let mut k = 0;
                    while k < C {
                        out.slot_mut(o)[k] = y.slot(o).tangent[0].tangent[k].store();
                        k += 1;
                    }
                    o += 1;
                }
                (value, out)
            },
        );
    }
}
