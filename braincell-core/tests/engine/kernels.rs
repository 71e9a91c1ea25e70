//! Partial derivatives, dependencies and relaxation of kernels.

use braincell_core::kernel::{
    Accumulate, Call, DerivativeOf, Index, Kernel, KernelFor, Kinetics, Operand, Output, Pointwise,
    Relaxation, kinetics, pointwise,
};
use braincell_core::real::Real;
use braincell_core::simd::Level;
use proptest::prelude::*;
use std::sync::Arc;

/// Three outputs of four inputs in two groups.
struct Mixed;
impl Pointwise for Mixed {
    type Inputs<T: Copy> = ([T; 1], [T; 3]);
    type Outputs<T: Copy> = [T; 3];
    fn eval<R: Real>(&self, ([a], [b, c, d]): ([R; 1], [R; 3])) -> [R; 3] {
        let gate = (a * b).logistic() * c;
        [
            gate + a * a,
            (b - d).exprel() * b,
            a.if_less(c, b * 2.0, d * 3.0),
        ]
    }
}

/// Two states whose rates depend on two of three arguments each.
struct Gates;
impl Kinetics<2> for Gates {
    type Inputs<T: Copy> = ([T; 2], [T; 1]);
    fn rates<R: Real>(&self, ([v, c], [q]): ([R; 2], [R; 1])) -> [Relaxation<R>; 2] {
        [
            Relaxation::rates((v * 0.5).exp(), (-v).exp() * q),
            Relaxation::relaxing((v + c).logistic(), c * c + 0.5),
        ]
    }
}

const ELEMENTS: usize = 13;

/// A call with inputs at multiples of [`ELEMENTS`], and an arena that holds them.
fn call(inputs: &[Vec<f64>], outputs: usize) -> (Call, Vec<f64>) {
    let mut arena: Vec<f64> = inputs.concat();
    let inputs = (0..inputs.len()).map(|k| Operand {
        offset: k * ELEMENTS,
        index: Index::Each,
    });
    let begin = arena.len();
    let outputs = (0..outputs).map(|k| {
        let offset = begin + k * ELEMENTS;
        let to = Operand {
            offset,
            index: Index::Each,
        };
        let how = Accumulate::Set;
        Some(Output { to, how })
    });
    let call = Call {
        len: ELEMENTS,
        inputs: inputs.collect(),
        outputs: outputs.collect(),
    };
    arena.resize(begin + call.outputs.len() * ELEMENTS, 0.0);
    (call, arena)
}

fn values(kernel: &dyn Kernel, inputs: &[Vec<f64>], level: Level) -> Vec<Vec<f64>> {
    let (call, mut arena) = call(inputs, kernel.outputs());
    KernelFor::<f64>::values(kernel, level, &call, &mut arena);
    split(&arena, inputs.len())
}

fn split(arena: &[f64], inputs: usize) -> Vec<Vec<f64>> {
    arena[inputs * ELEMENTS..]
        .chunks(ELEMENTS)
        .map(<[f64]>::to_vec)
        .collect()
}

fn levels() -> Vec<Level> {
    Level::ALL
        .into_iter()
        .filter(|level| level.is_available())
        .collect()
}

fn kernels() -> [Arc<dyn Kernel>; 2] {
    [pointwise(Mixed), kinetics(Gates)]
}

/// Numbers for the inputs of a kernel, from a flat list.
fn planes(kernel: &dyn Kernel, numbers: &[f64]) -> Vec<Vec<f64>> {
    let planes = numbers.chunks(ELEMENTS).take(kernel.inputs());
    planes.map(<[f64]>::to_vec).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn partials_are_the_slopes_of_values(
        numbers in prop::collection::vec(-2.0..2.0f64, 5 * ELEMENTS),
        columns in prop::collection::vec(0usize..4, 1..6),
    ) {
        for kernel in kernels() {
            let inputs = planes(&*kernel, &numbers);
            let depends = kernel.dependencies();
            let dependent = |o: usize, i: usize| depends[o] >> i & 1 == 1;
            let wrt: Vec<usize> = if kernel.relaxing_states().is_some() {
                (0..kernel.inputs()).rev().collect()
            } else {
                columns.clone()
            };
            for level in levels() {
                let (call, mut arena) = call(&inputs, kernel.outputs() * wrt.len());
                let masks: Vec<u64> = wrt.iter().map(|&i| 1 << i).collect();
                KernelFor::<f64>::partials(&*kernel, level, &masks, &call, &[], &mut arena);
                let partials = split(&arena, inputs.len());
                for (column, &i) in wrt.iter().enumerate() {
                    let step = 1e-5;
                    let moved = |by: f64| {
                        let mut inputs = inputs.clone();
                        inputs[i].iter_mut().for_each(|x| *x += by);
                        values(&*kernel, &inputs, level)
                    };
                    let (up, down) = (moved(step), moved(-step));
                    for o in 0..kernel.outputs() {
                        for e in 0..ELEMENTS {
                            // Not across the branch of the third output.
                            if o == 2 && (inputs[0][e] - inputs[2][e]).abs() < 1e-4 {
                                continue;
                            }
                            let slope = (up[o][e] - down[o][e]) / (2.0 * step);
                            let partial = partials[o * wrt.len() + column][e];
                            let size = slope.abs().max(1.0);
                            prop_assert!(
                                (slope - partial).abs() < 1e-6 * size,
                                "output {} by input {}: {} {}", o, i, slope, partial
                            );
                            prop_assert!(dependent(o, i) || slope == 0.0, "output {} by input {}", o, i);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn dependencies_are_those_seen(numbers in prop::collection::vec(-2.0..2.0f64, 5 * ELEMENTS)) {
        for kernel in kernels() {
            let mut inputs = planes(&*kernel, &numbers);
            // Both branches of the third output are taken somewhere.
            inputs[0][..2].copy_from_slice(&[-3.0, 3.0]);
            let before = values(&*kernel, &inputs, Level::Portable);
            let depends = kernel.dependencies();
            prop_assert_eq!(depends.len(), kernel.outputs());
            for i in 0..kernel.inputs() {
                // Beyond all other inputs, on either side of them.
                let changed = [-10.0, 10.0].map(|x| {
                    let mut inputs = inputs.clone();
                    inputs[i].fill(x);
                    values(&*kernel, &inputs, Level::Portable)
                });
                for (o, before) in before.iter().enumerate() {
                    let seen = changed.iter().any(|after| after[o] != *before);
                    prop_assert_eq!(seen, depends[o] >> i & 1 == 1, "output {} and input {}", o, i);
                }
            }
        }
    }

    #[test]
    fn relaxing_is_exact(
        numbers in prop::collection::vec(-2.0..2.0f64, 5 * ELEMENTS),
        h in prop_oneof![Just(0.0), 1e-9..1e-3f64, 1e-3..50.0f64],
    ) {
        let kernel = kinetics(Gates);
        // A positive rate q.
        let mut inputs = planes(&*kernel, &numbers);
        inputs[2].iter_mut().for_each(|q| *q = q.abs() + 0.1);
        for level in levels() {
            let (call, arena) = call(&inputs, 2);
            let (mut relaxed, mut steady) = (arena.clone(), arena);
            kernel.relax(level, h, &call, &mut relaxed);
            KernelFor::<f64>::steady(&*kernel, level, &call, &mut steady);
            let (relaxed, steady) = (split(&relaxed, 5), split(&steady, 5));
            for e in 0..ELEMENTS {
                let (v, c, q) = (inputs[0][e], inputs[1][e], inputs[2][e]);
                let (alpha, beta, tau) = ((0.5 * v).exp(), (-v).exp() * q, c * c + 0.5);
                let limits = [alpha / (alpha + beta), 1.0 / (1.0 + (-v - c).exp())];
                let rates = [alpha + beta, 1.0 / tau];
                for g in 0..2 {
                    let x = inputs[3 + g][e];
                    let wanted = limits[g] + (x - limits[g]) * (-rates[g] * h).exp();
                    prop_assert!((relaxed[g][e] - wanted).abs() < 1e-13, "{} {}", relaxed[g][e], wanted);
                    prop_assert!((steady[g][e] - limits[g]).abs() < 1e-14);
                }
            }
        }
    }

    /// By the chain rule, of two relaxations one after the other.
    #[test]
    fn states_relaxed_once_more_have_derivatives(
        numbers in prop::collection::vec(-2.0..2.0f64, 5 * ELEMENTS),
        h in 1e-3..5.0f64,
    ) {
        let kernel = kinetics(Gates);
        let mut inputs = planes(&*kernel, &numbers);
        inputs[2].iter_mut().for_each(|q| *q = q.abs() + 0.1);
        // The arguments of the rates one by one, and both states.
        let columns = [1, 2, 4, 0b11000];
        for level in levels() {
            // The states relaxed as often as there are places for them, and their derivatives.
            let relaxed = |inputs: &[Vec<f64>], states: usize| {
                let (values, mut arena) = call(inputs, states);
                kernel.relax(level, h, &values, &mut arena);
                let (slopes, mut by) = call(inputs, states * columns.len());
                let of = DerivativeOf::Relaxed(h);
                kernel.first_derivatives(level, of, &columns, &slopes, &[], &mut by);
                (split(&arena, 5), split(&by, 5))
            };
            let (both, by_both) = relaxed(&inputs, 4);
            let (once, by_once) = relaxed(&inputs, 2);
            let more = [&inputs[..3], &once[..]].concat();
            let (twice, by_twice) = relaxed(&more, 2);
            prop_assert_eq!(&both[..2], &once[..]);
            prop_assert_eq!(&both[2..], &twice[..]);
            prop_assert_eq!(&by_both[..8], &by_once[..]);
            for (g, k, e) in (0..2).flat_map(|g| (0..4).flat_map(move |k| (0..ELEMENTS).map(move |e| (g, k, e)))) {
                let (first, second) = (by_once[4 * g + k][e], by_twice[4 * g + k][e]);
                let by_state = by_twice[4 * g + 3][e];
                let wanted = if k == 3 { by_state * first } else { by_state * first + second };
                let found = by_both[8 + 4 * g + k][e];
                let size = (by_state * first).abs() + second.abs() + 1e-3;
                prop_assert!((found - wanted).abs() <= 1e-13 * size, "{} {} {}: {} {}", g, k, e, found, wanted);
            }
        }
    }

    #[test]
    fn single_precision_is_close_and_fused_levels_agree(
        numbers in prop::collection::vec(-2.0..2.0f64, 5 * ELEMENTS),
    ) {
        for kernel in kernels() {
            let inputs = planes(&*kernel, &numbers);
            let double = values(&*kernel, &inputs, Level::Portable).concat();
            let mut fused: Option<Vec<f64>> = None;
            for level in levels() {
                let (call, arena) = call(&inputs, kernel.outputs());
                let mut single: Vec<f32> = arena.iter().map(|&x| x as f32).collect();
                KernelFor::<f32>::values(&*kernel, level, &call, &mut single);
                let single = &single[inputs.len() * ELEMENTS..];
                for (k, (&x, &y)) in double.iter().zip(single).enumerate() {
                    // The branch may be taken otherwise where its sides are all but equal.
                    let e = k % ELEMENTS;
                    if (inputs[0][e] - inputs[2][e]).abs() > 1e-6 {
                        prop_assert!((x - f64::from(y)).abs() < 1e-5 * x.abs().max(1.0), "{} {}", x, y);
                    }
                }
                if level.is_fused() {
                    let bits = values(&*kernel, &inputs, level).concat();
                    prop_assert_eq!(fused.get_or_insert_with(|| bits.clone()), &bits);
                }
            }
        }
    }
}

#[test]
fn outputs_that_nobody_wants_are_left_alone() {
    for kernel in kernels() {
        let inputs = planes(&*kernel, &[0.5; 5 * ELEMENTS]);
        let (mut wanted, mut arena) = call(&inputs, kernel.outputs());
        arena[inputs.len() * ELEMENTS..].fill(7.0);
        wanted.outputs[0] = None;
        if let Some(output) = &mut wanted.outputs[1] {
            output.how = Accumulate::Add;
        }
        let plain = values(&*kernel, &inputs, Level::detect());
        KernelFor::<f64>::values(&*kernel, Level::detect(), &wanted, &mut arena);
        let outputs = split(&arena, inputs.len());
        assert_eq!(outputs[0], [7.0; ELEMENTS]);
        assert!(
            outputs[1]
                .iter()
                .zip(&plain[1])
                .all(|(x, y)| (x - 7.0 - y).abs() < 1e-14)
        );
    }
}
