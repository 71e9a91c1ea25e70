//! First and second derivatives of the functions that instructions evaluate.

use super::call::{CHUNK, Call, lane, load_all};
use super::drive::{COLUMNS, passes};
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
pub(super) struct Value<'a, K>(pub &'a K);

impl<K: Pointwise> Function for Value<'_, K> {
    type Inputs<T: Copy> = K::Inputs<T>;
    type Outputs<T: Copy> = K::Outputs<T>;
    #[inline(always)]
    fn at<R: Real>(&self, x: Self::Inputs<R>) -> Self::Outputs<R> {
        self.0.eval(x)
    }
}

/// Output slot `o · columns + k` of the call receives ∂f_o / ∂x_{wrt[k]}.
pub(super) fn first<K: Function>(
    level: Level,
    function: &K,
    wrt: &[usize],
    call: &Call,
    arena: &mut [f64],
) {
    passes(wrt, |pass, first| {
        let body = First {
            function,
            wrt: pass,
            columns: COLUMNS.min(wrt.len() - first),
            slot: [wrt.len(), first],
            call,
            arena,
        };
        dispatch(level, body);
    });
}

/// Output slot `(o · wrt + k) · by + j` of the call receives ∂²f_o / ∂x_{wrt[k]} ∂x_{by[j]}.
pub(super) fn second<K: Function>(
    level: Level,
    function: &K,
    wrt: &[usize],
    by: &[usize],
    call: &Call,
    arena: &mut [f64],
) {
    for (k, &outer) in wrt.iter().enumerate() {
        passes(by, |pass, first| {
            let body = Second {
                function,
                outer,
                by: pass,
                columns: COLUMNS.min(by.len() - first),
                slot: [wrt.len() * by.len(), k * by.len() + first],
                call,
                arena,
            };
            dispatch(level, body);
        });
    }
}

struct First<'a, K> {
    function: &'a K,
    wrt: [usize; COLUMNS],
    columns: usize,
    /// Stride from output to output, and the first slot.
    slot: [usize; 2],
    call: &'a Call,
    arena: &'a mut [f64],
}

impl<K: Function> Body<f64> for First<'_, K> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        let First {
            function,
            wrt,
            call,
            arena,
            ..
        } = self;
        let mut start = 0;
        while start < call.len {
            let count = (call.len - start).min(CHUNK);
            let input: K::Inputs<[f64; CHUNK]> = load_all(&call.inputs, arena, start, count);
            let zero = [[0.0; CHUNK]; COLUMNS];
            let mut output = <K::Outputs<[[f64; CHUNK]; COLUMNS]>>::filled(zero);
            for l in 0..CHUNK {
                let mut x: K::Inputs<Dual<R, COLUMNS>> =
                    lane::<f64, Dual<R, COLUMNS>, _, _>(&input, l, |x| Dual::lift(R::load(x)));
                let mut k = 0;
                while k < COLUMNS {
                    x.slot_mut(wrt[k]).tangent[k] = R::one();
                    k += 1;
                }
                let y = function.at(x);
                let mut o = 0;
                while o < <K::Outputs<f64>>::LEN {
                    let mut k = 0;
                    while k < COLUMNS {
                        output.slot_mut(o)[k][l] = y.slot(o).tangent[k].store();
                        k += 1;
                    }
                    o += 1;
                }
            }
            for o in 0..<K::Outputs<f64>>::LEN {
                for k in 0..self.columns {
                    if let Some(to) = &call.outputs[o * self.slot[0] + self.slot[1] + k] {
                        to.store::<f64, R>(arena, start, count, &output.slot(o)[k]);
                    }
                }
            }
            start += count;
        }
    }
}

struct Second<'a, K> {
    function: &'a K,
    outer: usize,
    by: [usize; COLUMNS],
    columns: usize,
    /// Stride from output to output, and the first slot.
    slot: [usize; 2],
    call: &'a Call,
    arena: &'a mut [f64],
}

impl<K: Function> Body<f64> for Second<'_, K> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        let Second {
            function,
            outer,
            by,
            call,
            arena,
            ..
        } = self;
        let mut start = 0;
        while start < call.len {
            let count = (call.len - start).min(CHUNK);
            let input: K::Inputs<[f64; CHUNK]> = load_all(&call.inputs, arena, start, count);
            let zero = [[0.0; CHUNK]; COLUMNS];
            let mut output = <K::Outputs<[[f64; CHUNK]; COLUMNS]>>::filled(zero);
            for l in 0..CHUNK {
                type Nested<R> = Dual<Dual<R, COLUMNS>, 1>;
                let mut x: K::Inputs<Nested<R>> =
                    lane::<f64, Nested<R>, _, _>(&input, l, |x| {
                        Dual::lift(Dual::lift(R::load(x)))
                    });
                let mut k = 0;
                while k < COLUMNS {
                    x.slot_mut(by[k]).value.tangent[k] = R::one();
                    k += 1;
                }
                x.slot_mut(outer).tangent[0] = Dual::lift(R::one());
                let y = function.at(x);
                let mut o = 0;
                while o < <K::Outputs<f64>>::LEN {
                    let mut k = 0;
                    while k < COLUMNS {
                        output.slot_mut(o)[k][l] = y.slot(o).tangent[0].tangent[k].store();
                        k += 1;
                    }
                    o += 1;
                }
            }
            for o in 0..<K::Outputs<f64>>::LEN {
                for k in 0..self.columns {
                    if let Some(to) = &call.outputs[o * self.slot[0] + self.slot[1] + k] {
                        to.store::<f64, R>(arena, start, count, &output.slot(o)[k]);
                    }
                }
            }
            start += count;
        }
    }
}
