//! Pointwise functions as kernels.

use super::call::{Call, Output};
use super::derivatives;
use super::function::{SteadyOf, ValueOf, evaluate};
use super::graph::{Graph, record};
use super::{Depends, DerivativeOf, Kernel, KernelFor, Pointwise, Slots};
use crate::real::{Element, Real};
use crate::simd::Level;

pub(super) struct Driver<K>(pub K);

impl<F: Element, K: Pointwise> KernelFor<F> for Driver<K> {
    fn values(&self, level: Level, call: &Call, arena: &mut [F]) {
        evaluate(level, &ValueOf(&self.0), call, arena);
    }

    fn partials(
        &self,
        level: Level,
        columns: &[u64],
        call: &Call,
        values: &[Option<Output>],
        arena: &mut [F],
    ) {
        derivatives::first(level, &ValueOf(&self.0), columns, (call, values), arena);
    }

    fn relax(&self, _: Level, _: F, _: &Call, _: &mut [F]) {}

    fn steady(&self, level: Level, call: &Call, arena: &mut [F]) {
        if K::STEADY {
            evaluate(level, &SteadyOf(&self.0), call, arena);
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
                self.partials(level, columns, call, values, arena);
            }
            DerivativeOf::Steady if K::STEADY => {
                derivatives::first(level, &SteadyOf(&self.0), columns, (call, values), arena);
            }
            DerivativeOf::Steady | DerivativeOf::Relaxed(_) => {}
        }
    }
    fn graph(&self) -> Graph {
        record(&ValueOf(&self.0))
    }
}
