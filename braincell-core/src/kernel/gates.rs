//! Runs the kinetics of relaxing states over arrays.

use super::call::{CHUNK, Call, Output, lane, load_all};
use super::derivatives::{self, Function};
use super::drive::{COLUMNS, Run, passes};
use super::{Depends, DerivativeOf, Kernel, KernelFor, Kinetics, Slots};
use crate::real::{Dual, Element, Lane, Real};
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

struct Gates<'a, F, K, G, const N: usize> {
    run: Run<'a, F, K>,
    goal: G,
}

impl<F: Element, K: Kinetics<N>, G: Goal, const N: usize> Body<F> for Gates<'_, F, K, G, N> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        let Run {
            kernel,
            call,
            arena,
        } = self.run;
        let (arguments, states) = call.inputs.split_at(<K::Inputs<F>>::LEN);
        assert!(states.len() == N && call.outputs.len() == N);
        let mut start = 0;
        while start < call.len {
            let count = (call.len - start).min(CHUNK);
            let input: K::Inputs<[F; CHUNK]> = load_all(arguments, arena, start, count);
            let state: [[F; CHUNK]; N] = load_all(states, arena, start, count);
            let mut output = [[F::default(); CHUNK]; N];
            for l in 0..CHUNK {
                let rates = kernel.rates(lane::<F, R, _, _>(&input, l, R::load));
                let mut g = 0;
                while g < N {
                    let x = R::load(state[g][l]);
                    output[g][l] = self.goal.result(rates[g].a, rates[g].b, x).store();
                    g += 1;
                }
            }
            let mut g = 0;
            while g < N {
                if let Some(to) = &call.outputs[g] {
                    to.store::<F, R>(arena, start, count, &output[g]);
                }
                g += 1;
            }
            start += count;
        }
    }
}

/// Derivatives of a - b x with respect to the rates' inputs `wrt`.
struct RatePartials<'a, F, K, const N: usize> {
    run: Run<'a, F, K>,
    wrt: [usize; COLUMNS],
    /// The columns of the call that `wrt` fills; `None` for a repeated one.
    column: [Option<usize>; COLUMNS],
    stride: usize,
}

impl<F: Element, K: Kinetics<N>, const N: usize> Body<F> for RatePartials<'_, F, K, N> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        let Run {
            kernel,
            call,
            arena,
        } = self.run;
        let (arguments, states) = call.inputs.split_at(<K::Inputs<F>>::LEN);
        let mut start = 0;
        while start < call.len {
            let count = (call.len - start).min(CHUNK);
            let input: K::Inputs<[F; CHUNK]> = load_all(arguments, arena, start, count);
            let state: [[F; CHUNK]; N] = load_all(states, arena, start, count);
            let mut output = [[[F::default(); CHUNK]; COLUMNS]; N];
            for l in 0..CHUNK {
                let mut x: K::Inputs<Dual<R, COLUMNS>> =
                    lane::<F, Dual<R, COLUMNS>, _, _>(&input, l, |x| Dual::lift(R::load(x)));
                let mut k = 0;
                while k < COLUMNS {
                    x.slot_mut(self.wrt[k]).tangent[k] = R::one();
                    k += 1;
                }
                let rates = kernel.rates(x);
                let mut g = 0;
                while g < N {
                    let x = R::load(state[g][l]);
                    let mut k = 0;
                    while k < COLUMNS {
                        let (a, b) = (rates[g].a.tangent[k], rates[g].b.tangent[k]);
                        output[g][k][l] = (-b).mul_add(x, a).store();
                        k += 1;
                    }
                    g += 1;
                }
            }
            for (g, planes) in output.iter().enumerate() {
                for (plane, column) in planes.iter().zip(self.column) {
                    let Some(column) = column else { continue };
                    if let Some(to) = &call.outputs[g * self.stride + column] {
                        to.store::<F, R>(arena, start, count, plane);
                    }
                }
            }
            start += count;
        }
    }
}

/// Derivatives of a - b x with respect to x: -b.
struct StatePartials<'a, F, K, const N: usize> {
    run: Run<'a, F, K>,
    /// For each state the slot of the call that its own derivative fills.
    slot: [Option<usize>; N],
}

impl<F: Element, K: Kinetics<N>, const N: usize> Body<F> for StatePartials<'_, F, K, N> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        let Run {
            kernel,
            call,
            arena,
        } = self.run;
        let (arguments, _) = call.inputs.split_at(<K::Inputs<F>>::LEN);
        let mut start = 0;
        while start < call.len {
            let count = (call.len - start).min(CHUNK);
            let input: K::Inputs<[F; CHUNK]> = load_all(arguments, arena, start, count);
            let mut output = [[F::default(); CHUNK]; N];
            #[allow(clippy::needless_range_loop)]
            for l in 0..CHUNK {
                let rates = kernel.rates(lane::<F, R, _, _>(&input, l, R::load));
                let mut g = 0;
                while g < N {
                    output[g][l] = (-rates[g].b).store();
                    g += 1;
                }
            }
            for (plane, slot) in output.iter().zip(self.slot) {
                if let Some(to) = slot.and_then(|slot| call.outputs[slot].as_ref()) {
                    to.store::<F, R>(arena, start, count, plane);
                }
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

    /// The planes of ∂ẋ_g/∂x_j with g ≠ j are zero and not written; [`Kernel::dependencies`] says so.
    fn partials(&self, level: Level, wrt: &[usize], call: &Call, arena: &mut [F]) {
        let arguments = <K::Inputs<F>>::LEN;
        let stride = wrt.len();
        let mut rate_inputs = [0; 64];
        let mut columns = [0; 64];
        let mut count = 0;
        let mut slot = [None; N];
        for (column, &input) in wrt.iter().enumerate() {
            if input < arguments {
                rate_inputs[count] = input;
                columns[count] = column;
                count += 1;
            } else {
                let g = input - arguments;
                slot[g] = Some(g * stride + column);
            }
        }
        passes(&rate_inputs[..count], |pass, first| {
            let column = std::array::from_fn(|k| (first + k < count).then(|| columns[first + k]));
            let run = Run {
                kernel: &self.0,
                call,
                arena,
            };
            let wrt = pass;
            dispatch(
                level,
                RatePartials::<F, K, N> {
                    run,
                    wrt,
                    column,
                    stride,
                },
            );
        });
        if slot.iter().any(Option::is_some) {
            let run = Run {
                kernel: &self.0,
                call,
                arena,
            };
            dispatch(level, StatePartials::<F, K, N> { run, slot });
        }
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
