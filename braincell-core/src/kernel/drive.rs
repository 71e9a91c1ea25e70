//! Runs a pointwise function over arrays: the one loop every kernel goes through.

use super::call::{Aside, Call, Loop, Output, lane, load_single, over_all};
use super::derivatives::{self, SteadyOf, ValueOf};
use super::{Depends, DerivativeOf, Kernel, KernelFor, Pointwise, Slots};
use crate::real::{Element, Lane, Real};
use crate::simd::{Body, Level, dispatch};
use std::marker::PhantomData;

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
    assert_eq!(run.call.inputs.len(), <K::Inputs<F>>::LEN);
    assert_eq!(run.call.outputs.len(), <K::Outputs<F>>::LEN);
    over_all::<F, R>(run.call.len, &mut Values(run, PhantomData::<W>));
}

struct Values<'a, F, K, W>(Run<'a, F, K>, PhantomData<W>);

impl<F: Element, K: Pointwise, W: Which> Loop<F> for Values<'_, F, K, W> {
    #[inline(always)]
    fn single<R: Lane<F>>(&mut self) {
        let Run {
            kernel,
            call,
            arena,
        } = &mut self.0;
        let x: K::Inputs<R> = load_single(&call.inputs, arena);
        let y = W::of(*kernel, x);
        let mut o = 0;
        while o < <K::Outputs<F>>::LEN {
            if let Some(to) = &call.outputs[o] {
                to.store_single::<F, R>(arena, *y.slot(o));
            }
            o += 1;
        }
    }

    #[inline(always)]
    fn chunks<R: Lane<F>, const N: usize>(&mut self, from: usize, to: usize) {
        let Run {
            kernel,
            call,
            arena,
        } = &mut self.0;
        let mut aside = Aside::<_, K::Inputs<[F; N]>, _>::new(&call.inputs, arena);
        let mut output = <K::Outputs<[F; N]>>::filled([F::default(); N]);
        let mut start = from;
        while start < to {
            let count = (to - start).min(N);
            let input: K::Inputs<&[F; N]> = aside.views(&call.inputs, arena, start, count);
            for l in 0..N {
                let x: K::Inputs<R> = lane::<F, R, _, _, N>(&input, l, R::load);
                let y = W::of(*kernel, x);
                let mut o = 0;
                while o < <K::Outputs<F>>::LEN {
                    output.slot_mut(o)[l] = y.slot(o).store();
                    o += 1;
                }
            }
            let mut o = 0;
            while o < <K::Outputs<F>>::LEN {
                if let Some(to) = &call.outputs[o] {
                    to.store::<F, R, N>(arena, start, count, output.slot(o));
                }
                o += 1;
            }
            start += count;
        }
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

    fn partials(&self, level: Level, columns: &[u64], call: &Call, arena: &mut [F]) {
        derivatives::first(level, &ValueOf(&self.0), columns, (call, &[]), arena);
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
