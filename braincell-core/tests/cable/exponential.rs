//! The exponential against a dense one that keeps its relative accuracy however stiff.

use crate::support::*;
use braincell_core::cable::{CableError, Exponential, Laplacian, Tree};
use braincell_core::real::Element;
use braincell_core::simd::Level;
use proptest::prelude::*;

/// A tree, capacitances (0 on algebraic rows), and its map.
struct Case<F> {
    tree: Tree,
    capacitance: Vec<f64>,
    map: Exponential<F>,
}

fn case<F: Element>(parents: &Parents, algebraic: usize, seed: u64) -> Case<F> {
    let tree = parents.tree();
    let mut random = Random(seed);
    let mut capacitance = random.numbers(tree.len(), 0.2, 5.0);
    let some = random.below(tree.len());
    for (row, c) in capacitance.iter_mut().enumerate() {
        if row != some && random.below(100) < algebraic {
            *c = 0.0;
        }
    }
    let membrane: Vec<bool> = capacitance.iter().map(|&c| c > 0.0).collect();
    let scale: Vec<f64> = capacitance
        .iter()
        .map(|&c| if c > 0.0 { 1.0 / c } else { 2.0 })
        .collect();
    let map = Exponential::new(Laplacian::<F>::scaled(&tree, &scale).unwrap(), &membrane).unwrap();
    Case {
        tree,
        capacitance,
        map,
    }
}

/// Dense e^(−hM) and h φ₁(−hM) on all rows, by sums and products of non-negative numbers only.
#[allow(clippy::needless_range_loop)] // formulas over pairs of rows
fn reference(case: &Case<impl Element>, h: f64) -> [Dense; 2] {
    let (n, c) = (case.tree.len(), &case.capacitance);
    // Conductances between all pairs; algebraic rows replaced by their meshes, remembering V_a = Σ share·V.
    let mut g = vec![vec![0.0; n]; n];
    for row in 1..n {
        let p = case.tree.parents()[row] as usize;
        g[row][p] = case.tree.conductance(row);
        g[p][row] = g[row][p];
    }
    let mut gone = Vec::new();
    for a in (0..n).filter(|&a| c[a] == 0.0) {
        let total: f64 = g[a].iter().sum();
        let share: Vec<f64> = g[a].iter().map(|x| x / total).collect();
        for i in (0..n).filter(|&i| i != a) {
            for j in (0..n).filter(|&j| j != a && j != i) {
                g[i][j] += g[i][a] * share[j];
            }
        }
        for row in &mut g {
            row[a] = 0.0;
        }
        g[a].fill(0.0);
        gone.push((a, share));
    }
    let rate = |i: usize, j: usize| if c[i] > 0.0 { g[i][j] / c[i] } else { 0.0 };
    let exit = |i: usize| (0..n).map(|j| rate(i, j)).sum::<f64>();
    let fastest = (0..n).map(exit).fold(0.0, f64::max);
    let halvings = (h * fastest).max(1.0).log2().ceil() as i32 + 3;
    let t = h * 0.5_f64.powi(halvings);
    // Uniformisation at the smallest step: e^(−tM) = Σ_k Poisson_k(q) S^k with S stochastic.
    let q = (t * fastest).max(f64::MIN_POSITIVE);
    let mut stochastic = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in (0..n).filter(|&j| j != i) {
            stochastic[i][j] = t * rate(i, j) / q;
        }
        stochastic[i][i] = (fastest - exit(i)).max(0.0) * t / q;
    }
    stochastic.iter_mut().for_each(|row| normalise(row));
    let identity: Dense = (0..n)
        .map(|i| (0..n).map(|j| f64::from(i == j)).collect())
        .collect();
    let [mut exp, mut phi] = [vec![vec![0.0; n]; n], vec![vec![0.0; n]; n]];
    let (mut power, mut weight) = (identity, (-q).exp());
    for k in 0..40 {
        // ∫₀ᵗ Poisson_k = t/q · P(more than k events); the tail as a sum of positive terms
        let (mut term, mut tail) = (weight, 0.0);
        for m in k + 1..k + 40 {
            term *= q / f64::from(m);
            tail += term;
        }
        add(&mut exp, &power, weight);
        add(&mut phi, &power, tail * t / q);
        power = product(&power, &stochastic);
        weight *= q / f64::from(k + 1);
    }
    exp.iter_mut().for_each(|row| normalise(row));
    for _ in 0..halvings {
        // h φ₁ doubles: Φ(2t) = Φ(t) + e^(−tM) Φ(t)
        let moved = product(&exp, &phi);
        add(&mut phi, &moved, 1.0);
        exp = product(&exp, &exp);
        exp.iter_mut().for_each(|row| normalise(row));
    }
    for m in [&mut exp, &mut phi] {
        for a in (0..n).filter(|&a| c[a] == 0.0) {
            m[a].fill(0.0);
        }
        for (a, share) in gone.iter().rev() {
            m[*a] = (0..n)
                .map(|j| (0..n).map(|i| share[i] * m[i][j]).sum())
                .collect();
        }
    }
    [exp, phi]
}

fn normalise(row: &mut [f64]) {
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|x| *x /= sum);
}

fn add(to: &mut Dense, m: &Dense, factor: f64) {
    for (to, m) in to.iter_mut().flatten().zip(m.iter().flatten()) {
        *to += factor * m;
    }
}

fn product(a: &Dense, b: &Dense) -> Dense {
    let mut out = vec![vec![0.0; b.len()]; a.len()];
    for (out, a) in out.iter_mut().zip(a) {
        for (&a, b) in a.iter().zip(b).filter(|(a, _)| **a != 0.0) {
            out.iter_mut().zip(b).for_each(|(out, b)| *out += a * b);
        }
    }
    out
}

const STEPS: [f64; 9] = [1e-6, 1e-4, 1e-2, 0.1, 1.0, 10.0, 1e2, 1e4, 1e6];

/// Largest errors of exp and φ₁ over shapes, steps and widths, relative to the largest number that went in.
fn against_dense<F: Element>(nodes: usize, algebraic: usize) -> [f64; 2] {
    let mut worst = [0.0_f64; 2];
    for parents in Parents::all(nodes, 31) {
        let mut case = case::<F>(&parents, algebraic, 5);
        let n = case.tree.len();
        let mut scratch = vec![F::default(); case.map.scratch_len()];
        for h in STEPS {
            let [exp, phi] = reference(&case, h);
            for (width, transposed) in [(1, false), (3, true), (8, false), (8, true)] {
                let x: Vec<F> = Random(h.to_bits())
                    .numbers(n * width, -1.0, 1.0)
                    .into_iter()
                    .map(F::from_f64)
                    .collect();
                for level in levels() {
                    case.map.set_step(level, h).unwrap();
                    let [mut y, mut z] = [x.clone(), x.clone()];
                    case.map
                        .exp(level, &mut y, transposed, &mut scratch)
                        .unwrap();
                    case.map
                        .phi1(level, &mut z, transposed, &mut scratch)
                        .unwrap();
                    for k in 0..width {
                        let [x, y, z] = [&x, &y, &z].map(|a| lane(a, width, k));
                        let [x, y, z] =
                            [x, y, z].map(|a| a.into_iter().map(F::to_f64).collect::<Vec<_>>());
                        for (i, (m, y, unit)) in
                            [(&exp, y, 1.0), (&phi, z, h)].into_iter().enumerate()
                        {
                            let m = if transposed { transpose(m) } else { m.clone() };
                            let wanted = multiply(&m, &x);
                            let size = largest(&wanted).max(unit * largest(&x));
                            worst[i] = worst[i].max(difference(&y, &wanted) / size);
                        }
                    }
                }
            }
        }
    }
    println!(
        "{nodes} nodes, {algebraic}% algebraic, {}: {:.1e} {:.1e}",
        std::any::type_name::<F>(),
        worst[0],
        worst[1]
    );
    worst
}

#[test]
fn agrees_with_the_dense_exponential() {
    for (nodes, algebraic) in [(1, 0), (2, 0), (12, 0), (30, 30), (30, 80)] {
        assert!(
            against_dense::<f64>(nodes, algebraic)
                .into_iter()
                .all(|e| e < 1e-13)
        );
        assert!(
            against_dense::<f32>(nodes, algebraic)
                .into_iter()
                .all(|e| e < 4e-6)
        );
    }
}

#[test]
fn two_points_have_the_textbook_solution() {
    let tree = Tree::new(&[None, Some(0)], &[0.0, 0.5]).unwrap();
    let operator = Laplacian::<f64>::scaled(&tree, &[2.0, 4.0]).unwrap(); // decay rate 0.5 (2 + 4) = 3
    let mut map = Exponential::new(operator, &[true, true]).unwrap();
    let mut scratch = vec![0.0; map.scratch_len()];
    for h in STEPS {
        map.set_step(Level::detect(), h).unwrap();
        let (mut x, mut b) = ([-70.0, -40.0], [-70.0, -40.0]);
        map.exp(Level::detect(), &mut x, false, &mut scratch)
            .unwrap();
        map.phi1(Level::detect(), &mut b, false, &mut scratch)
            .unwrap();
        // capacitances 1/2 and 1/4: the mean is −60
        for (decay, mean, got) in [
            ((-3.0 * h).exp(), -60.0, x),
            (-(-3.0 * h).exp_m1() / 3.0, -60.0 * h, b),
        ] {
            let wanted = [mean - 10.0 * decay, mean + 20.0 * decay];
            assert!(
                difference(&got, &wanted) < 60.0 * 1e-14 * h.max(1.0),
                "h {h}: {got:?} {wanted:?}"
            );
        }
    }
}

#[test]
fn step_zero_is_the_identity() {
    let mut case = case::<f64>(&Parents::random(40, 1), 30, 2);
    let x = Random(8).numbers(40 * 3, -1.0, 1.0);
    let mut scratch = vec![0.0; case.map.scratch_len()];
    for touched in [false, true] {
        if touched {
            case.map.set_step(Level::detect(), 1.0).unwrap();
            case.map.set_step(Level::detect(), 0.0).unwrap();
        }
        assert_eq!(case.map.step(), 0.0);
        for transposed in [false, true] {
            let (mut y, mut z, mut both) = (x.clone(), x.clone(), x.clone());
            case.map
                .exp(Level::detect(), &mut y, transposed, &mut scratch)
                .unwrap();
            case.map
                .phi1(Level::detect(), &mut z, transposed, &mut scratch)
                .unwrap();
            case.map
                .exp_phi1(Level::detect(), &mut both, &x, transposed, &mut scratch)
                .unwrap();
            assert_eq!((&y, &both), (&x, &x));
            assert!(z.iter().all(|&z| z == 0.0));
        }
    }
}

#[test]
fn bad_calls_are_refused() {
    let tree = Tree::new(&[None, Some(0)], &[0.0, 1e18]).unwrap();
    let operator = || Laplacian::<f32>::new(&tree).unwrap();
    assert_eq!(
        Exponential::new(operator(), &[false; 2]).unwrap_err(),
        CableError::NoMembrane
    );
    assert!(matches!(
        Exponential::new(operator(), &[true]),
        Err(CableError::Shape {
            found: 1,
            rows: 2,
            ..
        })
    ));
    let mut map = Exponential::new(operator(), &[true; 2]).unwrap();
    let level = Level::detect();
    map.set_step(level, 0.5).unwrap();
    for h in [-1.0, f64::NAN, f64::INFINITY, 1e30, 1e3] {
        assert!(
            matches!(map.set_step(level, h), Err(CableError::Factor { .. })),
            "{h}"
        );
        assert_eq!(map.step(), 0.5);
    }
    let mut scratch = vec![0.0; map.scratch_len()];
    let short = scratch.len() - 1;
    let error = map
        .exp(level, &mut [0.0; 2], false, &mut scratch[..short])
        .unwrap_err();
    assert_eq!(
        error,
        CableError::Scratch {
            found: short,
            needed: short + 1
        }
    );
    for (x, b) in [(0, 0), (3, 3), (2, 4)] {
        let error = map.exp_phi1(level, &mut vec![0.0; x], &vec![0.0; b], false, &mut scratch);
        assert!(
            matches!(error, Err(CableError::Shape { rows: 2, .. })),
            "{x} {b}"
        );
    }
    // a bad number stays in its lane
    let mut x = [f32::NAN, 1.0, 2.0, 3.0];
    map.exp(level, &mut x, false, &mut scratch).unwrap();
    assert!(
        x[0].is_nan() && x[2].is_nan() && x[1] == 2.0 && x[3] == 2.0,
        "{x:?}"
    );
}

#[test]
fn steps_compose_on_a_large_tree() {
    for parents in Parents::all(20_000, 3) {
        let mut case = case::<f64>(&parents, 30, 4);
        let n = case.tree.len();
        let x = Random(6).numbers(n * 2, -1.0, 1.0);
        let mut scratch = vec![0.0; case.map.scratch_len()];
        let mut run = |steps: &[f64]| {
            let mut y = x.clone();
            for &h in steps {
                case.map.set_step(Level::detect(), h).unwrap();
                case.map
                    .exp(Level::detect(), &mut y, false, &mut scratch)
                    .unwrap();
            }
            y
        };
        for h in [1e-3, 1.0, 1e3] {
            let error = difference(&run(&[h, 2.0 * h]), &run(&[3.0 * h]));
            assert!(error < 2e-13, "h {h}: {error:e}");
        }
    }
}

#[test]
fn a_million_steps_keep_the_charge() {
    let mut case = case::<f64>(&Parents::comb(6, 3), 30, 4);
    let mut scratch = vec![0.0; case.map.scratch_len()];
    let mut x = Random(6).numbers(6, -80.0, -60.0);
    let charge = |x: &[f64]| {
        x.iter()
            .zip(&case.capacitance)
            .map(|(x, c)| x * c)
            .sum::<f64>()
    };
    let before = charge(&x);
    case.map.set_step(Level::detect(), 0.1).unwrap();
    for _ in 0..1_000_000 {
        case.map
            .exp(Level::detect(), &mut x, false, &mut scratch)
            .unwrap();
    }
    let drift = (charge(&x) / before - 1.0).abs();
    assert!(drift < 1e-9, "{drift:e}");
}

proptest! {
    #[test]
    fn transposed_maps_are_adjoint(
        parents in any_tree(80, 4.0), width in 1..10_usize, seed: u64, log_h in -6.0..6.0, algebraic in 0..60_usize,
    ) {
        let mut case = case::<f64>(&parents, algebraic, seed);
        let h = 10.0_f64.powf(log_h);
        case.map.set_step(Level::detect(), h).unwrap();
        let n = case.tree.len() * width;
        let (x, u) = (Random(seed ^ 1).numbers(n, -1.0, 1.0), Random(seed ^ 2).numbers(n, -1.0, 1.0));
        let mut scratch = vec![0.0; case.map.scratch_len()];
        let mut both = x.clone();
        case.map.exp_phi1(Level::detect(), &mut both, &u, false, &mut scratch).unwrap();
        let mut sum = vec![0.0; n];
        for exp in [true, false] {
            let mut apply = |x: &[f64], transposed| {
                let mut x = x.to_vec();
                let run = if exp { Exponential::exp } else { Exponential::phi1 };
                run(&case.map, Level::detect(), &mut x, transposed, &mut scratch).unwrap();
                x
            };
            let (direct, adjoint) = (apply(&x, false), apply(&u, true));
            for k in 0..width {
                let [x, u, direct, adjoint] = [&x, &u, &direct, &adjoint].map(|a| lane(a, width, k));
                let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                let unit = if exp { 1.0 } else { h };
                let size = unit * x.len() as f64;
                prop_assert!((dot(&u, &direct) - dot(&x, &adjoint)).abs() <= 1e-13 * size);
            }
            let part = if exp { direct } else { apply(&u, false) };
            sum.iter_mut().zip(&part).for_each(|(sum, part)| *sum += part);
        }
        prop_assert!(difference(&both, &sum) <= 1e-13 * h.max(1.0));
    }

    #[test]
    fn fused_levels_give_the_same_bits(parents in any_tree(40, 3.0), seed: u64) {
        let mut case = case::<f64>(&parents, 30, seed);
        let x = Random(seed).numbers(case.tree.len() * 3, -1.0, 1.0);
        let mut seen = None;
        for level in levels().into_iter().filter(|level| level.is_fused()) {
            let mut y = x.clone();
            let mut scratch = vec![0.0; case.map.scratch_len()];
            case.map.set_step(level, 0.3).unwrap();
            case.map.exp_phi1(level, &mut y, &x, seed % 2 == 0, &mut scratch).unwrap();
            prop_assert_eq!(seen.get_or_insert_with(|| y.clone()), &y);
        }
    }
}
