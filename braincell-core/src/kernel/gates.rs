//! Runs the kinetics of relaxing states over arrays.

use super::call::{Aside, Call, Loop, Output, lane, load_single, over_all};
use super::derivatives::{self, Function};
use super::drive::Run;
use super::{Depends, DerivativeOf, Kernel, KernelFor, Kinetics, Relaxation, Slots};
use crate::real::{Element, Lane, Real};
use crate::simd::{Body, Level, dispatch};

pub(super) struct GateDriver<K, const G: usize>(pub K);

/// What to make of the rates a, b and the state x.
trait Goal: Copy {
    fn result<R: Real>(self, a: R, b: R, x: R) -> R;
}

/// a - b x
#[derive(Clone, Copy)]
struct Derivative;
impl Goal for Derivative {
    #[inline(always)]
    fn result<R: Real>(self, a: R, b: R, x: R) -> R {
        (-b).mul_add(x, a)
    }
}

/// x + h φ₁(-b h) (a - b x)
#[derive(Clone, Copy)]
struct Relax(f64);
impl Goal for Relax {
    #[inline(always)]
    fn result<R: Real>(self, a: R, b: R, x: R) -> R {
        let h = R::constant(self.0);
        let slope = (-b).mul_add(x, a);
        (h * (-(b * h)).exprel()).mul_add(slope, x)
    }
}

/// a / b
#[derive(Clone, Copy)]
struct Steady;
impl Goal for Steady {
    #[inline(always)]
    fn result<R: Real>(self, a: R, b: R, _: R) -> R {
        a / b
    }
}

/// A goal as a function of the rates' inputs and the states.
struct Aim<'a, K, G, const N: usize>(&'a K, G);

impl<K: Kinetics<N>, G: Goal, const N: usize> Function for Aim<'_, K, G, N> {
    type Inputs<T: Copy> = (K::Inputs<T>, [T; N]);
    type Outputs<T: Copy> = [T; N];
    #[inline(always)]
    fn at<R: Real>(&self, (inputs, states): (K::Inputs<R>, [R; N])) -> [R; N] {
        let rates = self.0.rates(inputs);
        let mut out = states;
        let mut g = 0;
        while g < N {
            out[g] = self.1.result(rates[g].a, rates[g].b, states[g]);
            g += 1;
        }
        out
    }
}

/// The inputs of the rates, and the states.
type Inputs<K, T, const N: usize> = (<K as Kinetics<N>>::Inputs<T>, [T; N]);

struct Gates<'a, F, K, G, const N: usize> {
    run: Run<'a, F, K>,
    goal: G,
}

impl<F: Element, K: Kinetics<N>, G: Goal, const N: usize> Body<F> for Gates<'_, F, K, G, N> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(mut self) {
        let call = self.run.call;
        assert_eq!(call.inputs.len(), <K::Inputs<F>>::LEN + N);
        assert_eq!(call.outputs.len(), N);
        over_all::<F, R>(call.len, &mut self);
    }
}

impl<F: Element, K: Kinetics<N>, G: Goal, const N: usize> Loop<F> for Gates<'_, F, K, G, N> {
    #[inline(always)]
    fn single<R: Lane<F>>(&mut self) {
        let Run {
            kernel,
            call,
            arena,
        } = &mut self.run;
        let (input, state): Inputs<K, R, N> = load_single(&call.inputs, arena);
        let rates = kernel.rates(input);
        let mut g = 0;
        while g < N {
            if let Some(to) = &call.outputs[g] {
                let Relaxation { a, b } = rates[g];
                to.store_single::<F, R>(arena, self.goal.result(a, b, state[g]));
            }
            g += 1;
        }
    }

    #[inline(always)]
    fn chunks<R: Lane<F>, const W: usize>(&mut self, from: usize, to: usize) {
        let Run {
            kernel,
            call,
            arena,
        } = &mut self.run;
        let mut aside = Aside::<_, Inputs<K, [F; W], N>, _>::new(&call.inputs, arena);
        let mut output = [[F::default(); W]; N];
        let mut start = from;
        while start < to {
            let count = (to - start).min(W);
            let input: Inputs<K, &[F; W], N> = aside.views(&call.inputs, arena, start, count);
            // Indices to the width known beforehand, so that lanes become vector registers.
            #[allow(clippy::needless_range_loop)]
            for l in 0..W {
                let (input, state): Inputs<K, R, N> = lane::<F, R, _, _, W>(&input, l, R::load);
                let rates = kernel.rates(input);
                let mut g = 0;
                while g < N {
                    let Relaxation { a, b } = rates[g];
                    output[g][l] = self.goal.result(a, b, state[g]).store();
                    g += 1;
                }
            }
            let mut g = 0;
            while g < N {
                if let Some(to) = &call.outputs[g] {
                    to.store::<F, R, W>(arena, start, count, &output[g]);
                }
                g += 1;
            }
            start += count;
        }
    }
}

impl<K: Kinetics<N>, const N: usize> GateDriver<K, N> {
    fn run<F: Element, G: Goal>(&self, level: Level, goal: G, call: &Call, arena: &mut [F]) {
        let run = Run {
            kernel: &self.0,
            call,
            arena,
        };
        dispatch(level, Gates::<F, K, G, N> { run, goal });
    }
}

impl<F: Element, K: Kinetics<N>, const N: usize> KernelFor<F> for GateDriver<K, N> {
    fn values(&self, level: Level, call: &Call, arena: &mut [F]) {
        self.run(level, Derivative, call, arena);
    }

    fn partials(&self, level: Level, columns: &[u64], call: &Call, arena: &mut [F]) {
        let function = Aim::<K, _, N>(&self.0, Derivative);
        derivatives::first(level, &function, columns, (call, &[]), arena);
    }

    fn relax(&self, level: Level, h: F, call: &Call, arena: &mut [F]) {
        self.run(level, Relax(h.to_f64()), call, arena);
    }

    fn steady(&self, level: Level, call: &Call, arena: &mut [F]) {
        self.run(level, Steady, call, arena);
    }
}

impl<K: Kinetics<N>, const N: usize> Kernel for GateDriver<K, N> {
    fn inputs(&self) -> usize {
        <K::Inputs<f64>>::LEN + N
    }
    fn outputs(&self) -> usize {
        N
    }
    fn dependencies(&self) -> Vec<u64> {
        let arguments = <K::Inputs<f64>>::LEN;
        let mut x = <K::Inputs<Depends>>::filled(Depends::constant(0.0));
        for i in 0..arguments {
            *x.slot_mut(i) = Depends(1 << i);
        }
        let rates = self.0.rates(x);
        (0..N)
            .map(|g| rates[g].a.0 | rates[g].b.0 | 1 << (arguments + g))
            .collect()
    }
    fn relaxing_states(&self) -> Option<usize> {
        Some(N)
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
        let kernel = &self.0;
        match of {
            DerivativeOf::Values => {
                let function = Aim::<K, _, N>(kernel, Derivative);
                derivatives::first(level, &function, columns, (call, values), arena);
            }
            DerivativeOf::Relaxed(h) => {
                let function = Aim::<K, _, N>(kernel, Relax(h));
                derivatives::first(level, &function, columns, (call, values), arena);
            }
            DerivativeOf::Steady => {
                let function = Aim::<K, _, N>(kernel, Steady);
                derivatives::first(level, &function, columns, (call, values), arena);
            }
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
        let function = Aim::<K, _, N>(&self.0, Derivative);
        derivatives::second(level, &function, columns, by, call, arena);
    }
}
