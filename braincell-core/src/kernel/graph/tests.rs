use super::super::call::{CHUNK, Index, Operand};
use super::super::function::{Function, ValueOf};
use super::super::{Kernel, Kinetics, Pointwise, Relaxation, Slots, kinetics, pointwise};
use super::routine::STRIP;
use super::{Elementary, Routine, Seed};
use crate::real::{Dual, Real};
use crate::simd::Level;
use std::sync::Arc;

const FUNCTIONS: [Elementary; 15] = [
    Elementary::Exp,
    Elementary::Expm1,
    Elementary::Exprel,
    Elementary::Bernoulli,
    Elementary::Ln,
    Elementary::Tanh,
    Elementary::Logistic,
    Elementary::Sqrt,
    Elementary::Sin,
    Elementary::Cos,
    Elementary::Phi(0),
    Elementary::Phi(1),
    Elementary::Phi(2),
    Elementary::Phi(3),
    Elementary::Phi(4),
];

/// Numbers in -1 … 1.
fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

type Second = Dual<Dual<f64, 1>, 1>;

/// The first derivatives in input i and the second ones in i and `mask`, of each result.
fn nested<K: Function>(function: &K, x: &[f64], i: usize, mask: u64) -> Vec<[f64; 2]> {
    let mut inputs = <K::Inputs<Second>>::filled(Second::zero());
    for (j, &x) in x.iter().enumerate() {
        let inner = Dual::new(x, [if i == j { 1.0 } else { 0.0 }]);
        let outer = Dual::lift(if mask >> j & 1 == 1 { 1.0 } else { 0.0 });
        *inputs.slot_mut(j) = Dual::new(inner, [outer]);
    }
    let y = function.at(inputs);
    (0..<K::Outputs<Second>>::LEN)
        .map(|o| [y.slot(o).value.tangent[0], y.slot(o).tangent[0].tangent[0]])
        .collect()
}

/// Compares the adjoints of all inputs, at as many elements, with those by nested dual numbers. Input i of element e is
/// `at(i, e)`; one input is the same at all elements, another is picked by a map.
fn compare<K: Function>(
    (kernel, function): (&dyn Kernel, &K),
    columns: &[u64],
    (level, len): (Level, usize),
    at: &dyn Fn(usize, usize) -> f64,
) {
    let (inputs, outputs) = (kernel.inputs(), kernel.outputs());
    let mut random = numbers(1);
    let mut arena = Vec::new();
    let mut operands = Vec::new();
    let mut values = Vec::new();
    for i in 0..inputs {
        let index = match i {
            2 => Index::Splat,
            1 => Index::Map((0..len as u32).rev().collect()),
            _ => Index::Each,
        };
        let operand = Operand {
            offset: arena.len(),
            index,
        };
        arena.extend((0..len).map(|e| at(i, e)));
        values.push(
            (0..len)
                .map(|e| arena[operand.place(e)])
                .collect::<Vec<f64>>(),
        );
        operands.push(operand);
    }
    let mut seeds = Vec::new();
    let mut given = Vec::new();
    for result in 0..outputs {
        for direction in columns.iter().map(|&mask| Some(mask)).chain([None]) {
            seeds.push(Seed { result, direction });
            let offset = arena.len();
            arena.extend((0..Routine::room(len)).map(|_| random()));
            given.push(arena[offset..].to_vec());
            let index = Index::Each;
            operands.push(Operand { offset, index });
        }
    }
    let mut graph = kernel.graph();
    let found = graph.adjoints(&seeds, u64::MAX);
    let mut results = Vec::new();
    for &(_, id) in &found {
        results.push((id, arena.len()));
        arena.resize(arena.len() + Routine::room(len), f64::NAN);
    }
    let routine = Routine::new(&graph, &results, &operands, len, arena.len());
    arena.resize(arena.len() + routine.size(), f64::NAN);
    routine.run(level, &mut arena);
    for i in 0..inputs {
        let plane = found.iter().position(|&(input, _)| input == i);
        for e in 0..len {
            let x: Vec<f64> = values.iter().map(|x| x[e]).collect();
            let (mut sum, mut size) = (0.0, 1e-290);
            for (seed, given) in seeds.iter().zip(&given) {
                let both = nested(function, &x, i, seed.direction.unwrap_or(0));
                let derivative = both[seed.result][usize::from(seed.direction.is_some())];
                sum += derivative * given[e];
                size += (derivative * given[e]).abs();
            }
            let adjoint = plane.map_or(0.0, |k| arena[results[k].1 + e]);
            assert!(
                (adjoint - sum).abs() <= 1e-13 * size,
                "input {i} of element {e} of {len}, {level}: {adjoint} and not {sum}, of {x:?}"
            );
        }
    }
}

fn compare_all<K: Function>(
    kernel: &dyn Kernel,
    function: &K,
    columns: &[u64],
    at: impl Fn(usize, usize) -> f64,
) {
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        for len in [1, 2, CHUNK, STRIP - 1, STRIP, 2 * STRIP + CHUNK + 3] {
            compare((kernel, function), columns, (level, len), &at);
        }
    }
}

fn compare_pointwise<K: Pointwise + Copy>(
    kernel: K,
    columns: &[u64],
    at: impl Fn(usize, usize) -> f64,
) {
    compare_all(&*pointwise(kernel), &ValueOf(&kernel), columns, at);
}

/// A function of a product, times a third number.
#[derive(Clone, Copy)]
struct Of(Elementary);

impl Pointwise for Of {
    type Inputs<T: Copy> = [T; 3];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [x, y, z]: [R; 3]) -> [R; 1] {
        [self.0.at(x * y) * z]
    }
}

#[test]
fn every_function_is_differentiated_twice() {
    for f in FUNCTIONS {
        let domain: &[f64] = match f {
            Elementary::Ln | Elementary::Sqrt => &[0.3, 1.0, 0.05, 70.0],
            _ => &[
                0.0, 1e-9, -1e-9, 0.3, -0.33, 1.0, -1.9999, 2.0001, -2.5, 4.1, -9.0, 20.0, -30.0,
            ],
        };
        compare_pointwise(Of(f), &[0b001, 0b110], |i, e| match i {
            0 => domain[e % domain.len()],
            1 => [1.0, 1.0, 0.5][e * 7 / domain.len() % 3],
            _ => 1.3,
        });
    }
}

/// All of arithmetic, in several results.
#[derive(Clone, Copy)]
struct Arithmetic;

impl Pointwise for Arithmetic {
    type Inputs<T: Copy> = ([T; 2], [T; 3]);
    type Outputs<T: Copy> = [T; 4];
    fn eval<R: Real>(&self, ([a, b], [c, d, e]): ([R; 2], [R; 3])) -> [R; 4] {
        let shared = (a * b).mul_add(c, -d);
        [
            shared / (e * e + 1.0) - (a - b) * (2.0 - 1.0),
            (shared * 3.0 - d / 7.0).exp() * a.powi(3),
            -(a - 2.0) * -b + e,
            a * b - c * d - (shared + shared),
        ]
    }
}

#[test]
fn sums_products_and_quotients() {
    let at = |i, e| {
        let mut random = numbers((7 * i + 100 * e) as u64);
        random();
        random()
    };
    compare_pointwise(Arithmetic, &[0b00001, 0b11010], at);
    compare_pointwise(Arithmetic, &[], at);
}

/// A selection, whose branches have no derivative where they are not taken.
#[derive(Clone, Copy)]
struct Cases;

impl Pointwise for Cases {
    type Inputs<T: Copy> = [T; 4];
    type Outputs<T: Copy> = [T; 3];
    fn eval<R: Real>(&self, [x, y, z, w]: [R; 4]) -> [R; 3] {
        let root = R::zero().if_less(x, x.sqrt() * y, y * y);
        let quotient = (x.abs()).if_less(R::constant(1e-6), w + x, w * y / x);
        let nested = x.max(y).min(z * w).abs();
        [root, quotient * nested, nested]
    }
}

#[test]
fn what_a_selection_drops_does_not_matter() {
    let xs = [0.0, 0.5, -0.5, 1.5, 0.0, -3.0];
    compare_pointwise(Cases, &[0b0001, 0b1110], |i, e| match i {
        0 => xs[e % 6],
        _ => (1.7 * i as f64 + 0.37 * e as f64).sin(),
    });
}

#[derive(Clone, Copy)]
struct Gates;

impl Kinetics<2> for Gates {
    type Inputs<T: Copy> = [T; 3];
    fn rates<R: Real>(&self, [v, p, t]: [R; 3]) -> [Relaxation<R>; 2] {
        let alpha = ((v + 40.0) / -10.0).bernoulli() * p;
        let tau = (v / 20.0).exp() + t;
        [
            Relaxation::rates(alpha, (v / -18.0).exp()),
            Relaxation::relaxing((v / 7.0).logistic(), tau),
        ]
    }
}

/// As kinetics are differentiated.
#[derive(Clone, Copy)]
struct Derivatives(Gates);

impl Pointwise for Derivatives {
    type Inputs<T: Copy> = [T; 5];
    type Outputs<T: Copy> = [T; 2];
    fn eval<R: Real>(&self, [v, p, t, m, h]: [R; 5]) -> [R; 2] {
        let [a, b] = self.0.rates([v, p, t]);
        [a.a - a.b * m, b.a - b.b * h]
    }
}

#[test]
fn states_of_kinetics_are_differentiated_together() {
    let at = |i: usize, e: usize| match i {
        0 => -40.0 + (e % 9) as f64 * 5.0,
        _ => 0.4 + 0.1 * (i + e % 3) as f64,
    };
    let kernel: Arc<dyn Kernel> = kinetics(Gates);
    let derivatives = Derivatives(Gates);
    compare_all(&*kernel, &ValueOf(&derivatives), &[0b11000], at);
    compare_all(&*kernel, &ValueOf(&derivatives), &[0b00001, 0b11000], at);
}

#[test]
fn inputs_that_do_not_matter_have_no_adjoint() {
    let mut graph = pointwise(Of(Elementary::Exp)).graph();
    let seed = Seed {
        result: 0,
        direction: Some(0b100),
    };
    let inputs = |found: Vec<(usize, u32)>| found.into_iter().map(|(i, _)| i).collect::<Vec<_>>();
    assert_eq!(inputs(graph.clone().adjoints(&[seed], 0b101)), [0]);
    assert_eq!(inputs(graph.adjoints(&[seed], 0b100)), [0; 0]);
}

/// Compares second derivatives with those by nested dual numbers. Input i of element e is `at(i, e)`.
fn compare_second<K: Pointwise + Copy>(
    kernel: K,
    (columns, by): (&[u64], &[u64]),
    at: impl Fn(usize, usize) -> f64,
) {
    let len = CHUNK + 1;
    let wrapped = pointwise(kernel);
    let mut arena = Vec::new();
    let inputs: Vec<Operand> = (0..wrapped.inputs())
        .map(|i| {
            let offset = arena.len();
            arena.extend((0..Routine::room(len)).map(|e| at(i, e)));
            let index = Index::Each;
            Operand { offset, index }
        })
        .collect();
    let mut graph = wrapped.graph();
    let second = graph.second_derivatives(columns, by);
    let mut results = Vec::new();
    for id in second.iter().copied().flatten() {
        results.push((id, arena.len()));
        arena.resize(arena.len() + Routine::room(len), f64::NAN);
    }
    let routine = Routine::new(&graph, &results, &inputs, len, arena.len());
    arena.resize(arena.len() + routine.size(), f64::NAN);
    routine.run(Level::detect(), &mut arena);
    let mut planes = results.iter().map(|&(_, plane)| plane);
    for (slot, id) in second.iter().enumerate() {
        let plane = id.and_then(|_| planes.next());
        let j = slot % by.len();
        let k = slot / by.len() % columns.len();
        let o = slot / by.len() / columns.len();
        for e in 0..len {
            let x: Vec<f64> = (0..inputs.len()).map(|i| at(i, e)).collect();
            let of = (0..inputs.len()).filter(|i| by[j] >> i & 1 == 1);
            let terms = of.map(|i| nested(&ValueOf(&kernel), &x, i, columns[k])[o][1]);
            let expected: f64 = terms.sum();
            let found = plane.map_or(0.0, |plane| arena[plane + e]);
            assert!(
                (found - expected).abs() <= 1e-12 * (1.0 + expected.abs()),
                "slot {slot} of element {e}: {found} and not {expected}, of {x:?}"
            );
        }
    }
}

#[test]
fn second_derivatives_are_those_of_nested_dual_numbers() {
    let at = |i, e| (1.7 * i as f64 + 0.37 * e as f64).sin();
    let by = [0b00010, 0b00100, 0b11001];
    compare_second(Arithmetic, (&[0b00001, 0b11010], &by), at);
    let xs = [0.0, 0.5, -0.5, 1.5, 0.0, -3.0];
    compare_second(Cases, (&[0b0001, 0b1110], &[0b0101, 0b0010]), |i, e| {
        if i == 0 { xs[e % 6] } else { at(i, e) }
    });
}
