//! Runs a pointwise function over arrays: the one loop every kernel goes through.

use super::call::{CHUNK, Call, Output, lane, load_all};
use super::derivatives::{self, SteadyOf, ValueOf};
use super::{Depends, DerivativeOf, Kernel, KernelFor, Pointwise, Slots};
use crate::real::{Dual, Element, Lane, Real};
use crate::simd::{Body, Level, dispatch};

/// How many derivative columns one pass carries.
pub(super) const COLUMNS: usize = 2;

pub(super) struct Driver<K>(pub K);

/// f(x) with what every loop over chunks needs.
pub(super) struct Run<'a, F, K: ?Sized> {
    pub kernel: &'a K,
    pub call: &'a Call,
    pub arena: &'a mut [F],
}

impl<F: Element, K: Pointwise> Body<F> for Run<'_, F, K> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        over_chunks::<F, R, K, Value>(self);
    }
}

/// The steady states instead of the values.
struct RunSteady<'a, F, K>(Run<'a, F, K>);

impl<F: Element, K: Pointwise> Body<F> for RunSteady<'_, F, K> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        over_chunks::<F, R, K, Steady>(self.0);
    }
}

/// Which function of a kernel to compute.
trait Which {
    fn of<K: Pointwise, R: Real>(kernel: &K, x: K::Inputs<R>) -> K::Outputs<R>;
}

struct Value;
impl Which for Value {
    #[inline(always)]
    fn of<K: Pointwise, R: Real>(kernel: &K, x: K::Inputs<R>) -> K::Outputs<R> {
        kernel.eval(x)
    }
}

struct Steady;
impl Which for Steady {
    #[inline(always)]
    fn of<K: Pointwise, R: Real>(kernel: &K, x: K::Inputs<R>) -> K::Outputs<R> {
        kernel.steady(x)
    }
}

#[inline(always)]
fn over_chunks<F: Element, R: Lane<F>, K: Pointwise, W: Which>(run: Run<'_, F, K>) {
    let Run {
        kernel,
        call,
        arena,
    } = run;
    assert_eq!(call.inputs.len(), <K::Inputs<F>>::LEN);
    assert_eq!(call.outputs.len(), <K::Outputs<F>>::LEN);
    let mut start = 0;
    while start < call.len {
        let count = (call.len - start).min(CHUNK);
        let input: K::Inputs<[F; CHUNK]> = load_all(&call.inputs, arena, start, count);
        let mut output = <K::Outputs<[F; CHUNK]>>::filled([F::default(); CHUNK]);
        for l in 0..CHUNK {
            let x: K::Inputs<R> = lane::<F, R, _, _>(&input, l, R::load);
            let y = W::of(kernel, x);
            let mut o = 0;
            while o < <K::Outputs<F>>::LEN {
                output.slot_mut(o)[l] = y.slot(o).store();
                o += 1;
            }
        }
        let mut o = 0;
        while o < <K::Outputs<F>>::LEN {
            if let Some(to) = &call.outputs[o] {
                to.store::<F, R>(arena, start, count, output.slot(o));
            }
            o += 1;
        }
        start += count;
    }
}

/// Derivatives with respect to the inputs `wrt`, at most [`COLUMNS`].
struct Partials<'a, F, K> {
    run: Run<'a, F, K>,
    wrt: [usize; COLUMNS],
    /// Output o, column k goes to slot `o · stride + first + k` of the call.
    stride: usize,
    first: usize,
}

impl<F: Element, K: Pointwise> Body<F> for Partials<'_, F, K> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        let Partials {
            run:
                Run {
                    kernel,
                    call,
                    arena,
                },
            wrt,
            stride,
            first,
        } = self;
        let columns = COLUMNS.min(stride - first);
        let mut start = 0;
        while start < call.len {
            let count = (call.len - start).min(CHUNK);
            let input: K::Inputs<[F; CHUNK]> = load_all(&call.inputs, arena, start, count);
            let zero = [[F::default(); CHUNK]; COLUMNS];
            let mut output = <K::Outputs<[[F; CHUNK]; COLUMNS]>>::filled(zero);
            for l in 0..CHUNK {
                let mut x: K::Inputs<Dual<R, COLUMNS>> =
                    lane::<F, Dual<R, COLUMNS>, _, _>(&input, l, |x| Dual::lift(R::load(x)));
                let mut k = 0;
                while k < COLUMNS {
                    x.slot_mut(wrt[k]).tangent[k] = R::one();
                    k += 1;
                }
                let y = kernel.eval(x);
                let mut o = 0;
                while o < <K::Outputs<F>>::LEN {
                    let mut k = 0;
                    while k < COLUMNS {
                        output.slot_mut(o)[k][l] = y.slot(o).tangent[k].store();
                        k += 1;
                    }
                    o += 1;
                }
            }
            for o in 0..<K::Outputs<F>>::LEN {
                for k in 0..columns {
                    if let Some(to) = &call.outputs[o * stride + first + k] {
                        to.store::<F, R>(arena, start, count, &output.slot(o)[k]);
                    }
                }
            }
            start += count;
        }
    }
}

/// Calls `f(wrt of this pass, first column)` for all columns, [`COLUMNS`] at a time; a short pass repeats its last.
pub(super) fn passes(wrt: &[usize], mut f: impl FnMut([usize; COLUMNS], usize)) {
    for first in (0..wrt.len()).step_by(COLUMNS) {
        f(
            std::array::from_fn(|k| wrt[(first + k).min(wrt.len() - 1)]),
            first,
        );
    }
}

impl<F: Element, K: Pointwise> KernelFor<F> for Driver<K> {
    fn values(&self, level: Level, call: &Call, arena: &mut [F]) {
        let kernel = &self.0;
        dispatch(
            level,
            Run {
                kernel,
                call,
                arena,
            },
        );
    }

    fn partials(&self, level: Level, wrt: &[usize], call: &Call, arena: &mut [F]) {
        passes(wrt, |pass, first| {
            let run = Run {
                kernel: &self.0,
                call,
                arena,
            };
            let (wrt, stride) = (pass, wrt.len());
            dispatch(
                level,
                Partials {
                    run,
                    wrt,
                    stride,
                    first,
                },
            );
        });
    }

    fn relax(&self, _: Level, _: F, _: &Call, _: &mut [F]) {}

    fn steady(&self, level: Level, call: &Call, arena: &mut [F]) {
        if K::STEADY {
            let kernel = &self.0;
            let run = Run {
                kernel,
                call,
                arena,
            };
            dispatch(level, RunSteady(run));
        }
    }
}

impl<K: Pointwise> Kernel for Driver<K> {
    fn inputs(&self) -> usize {
        <K::Inputs<f64>>::LEN
    }
    fn outputs(&self) -> usize {
        <K::Outputs<f64>>::LEN
    }
    fn dependencies(&self) -> Vec<u64> {
        let mut x = <K::Inputs<Depends>>::filled(Depends::constant(0.0));
        for i in 0..self.inputs() {
            *x.slot_mut(i) = Depends(1 << i);
        }
        let y = self.0.eval(x);
        (0..self.outputs()).map(|o| y.slot(o).0).collect()
    }
    fn relaxing_states(&self) -> Option<usize> {
        None
    }
    fn has_steady_state(&self) -> bool {
        K::STEADY
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
        match of {
            DerivativeOf::Values => {
                derivatives::first(level, &ValueOf(&self.0), columns, (call, values), arena);
            }
            DerivativeOf::Steady if K::STEADY => {
                derivatives::first(level, &SteadyOf(&self.0), columns, (call, values), arena);
            }
            DerivativeOf::Steady | DerivativeOf::Relaxed(_) => {}
        }
    }
    fn second_derivatives(
        &self,
        level: Level,
        columns: &[u64],
        by: &[u64],
        call: &Call,
        arena: &mut [f64],
    ) {
        derivatives::second(level, &ValueOf(&self.0), columns, by, call, arena);
    }
}
