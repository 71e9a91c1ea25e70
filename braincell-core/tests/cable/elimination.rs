//! Solves against dense elimination and by their residuals.

use crate::support::*;
use braincell_core::cable::elimination::{factor, factor_and_solve, solve};
use braincell_core::cable::{CableError, Laplacian, Tree};
use braincell_core::real::Element;
use braincell_core::simd::Level;

const WIDTHS: [usize; 6] = [1, 3, 4, 8, 16, 29];

struct System<F> {
    operator: Laplacian<F>,
    dense: Dense,
    diagonal: Vec<F>,
    b: Vec<F>,
}

/// Positive diagonal with about a third of the rows algebraic, the root not.
fn diagonal(rows: usize, width: usize, random: &mut Random) -> Vec<f64> {
    let mut out = random.numbers(rows * width, 0.5, 2.0);
    for row in 1..rows {
        if random.below(3) == 0 {
            out[row * width..(row + 1) * width].fill(0.0);
        }
    }
    out
}

fn system<F: Element>(parents: &Parents, width: usize, seed: u64) -> System<F> {
    let tree = parents.tree();
    let mut random = Random(seed);
    let convert = |x: Vec<f64>| x.into_iter().map(F::from_f64).collect::<Vec<F>>();
    System {
        operator: Laplacian::new(&tree).unwrap(),
        dense: dense(&tree),
        diagonal: convert(diagonal(tree.len(), width, &mut random)),
        b: convert(random.numbers(tree.len() * width, -1.0, 1.0)),
    }
}

fn wide<F: Element>(x: &[F]) -> Vec<f64> {
    x.iter().map(|x| x.to_f64()).collect()
}

/// Largest error of one lane relative to its largest component.
fn error<F: Element>(system: &System<F>, s: f64, width: usize, k: usize, x: &[F]) -> f64 {
    let mut m = system.dense.clone();
    let diagonal = lane(&wide(&system.diagonal), width, k);
    for (row, d) in diagonal.into_iter().enumerate() {
        m[row].iter_mut().for_each(|x| *x *= s);
        m[row][row] += d;
    }
    let wanted = dense_solve(m, lane(&wide(&system.b), width, k));
    difference(&lane(&wide(x), width, k), &wanted) / largest(&wanted)
}

fn against_dense<F: Element>(nodes: usize, tolerance: f64) {
    let mut worst = 0.0_f64;
    for (shape, parents) in Parents::all(nodes, 7).iter().enumerate() {
        for width in WIDTHS {
            let system = system::<F>(parents, width, 11 + width as u64);
            for level in levels() {
                let (mut pivots, mut x) = (system.diagonal.clone(), system.b.clone());
                let factors = factor(level, &system.operator, 0.3, &mut pivots).unwrap();
                solve(level, &system.operator, &factors, &mut x).unwrap();
                let error = error(&system, 0.3, width, width - 1, &x);
                worst = worst.max(error);
                assert!(
                    error < tolerance,
                    "shape {shape}, width {width}, {level}: {error:e}"
                );

                let (mut fused_pivots, mut fused) = (system.diagonal.clone(), system.b.clone());
                factor_and_solve(level, &system.operator, 0.3, &mut fused_pivots, &mut fused)
                    .unwrap();
                assert_eq!((&fused_pivots, &fused), (&pivots, &x));
            }
        }
    }
    println!(
        "{nodes} nodes, {}: largest error {worst:.1e}",
        std::any::type_name::<F>()
    );
}

#[test]
fn agrees_with_dense_elimination() {
    against_dense::<f64>(1, 1e-15);
    against_dense::<f64>(50, 1e-12);
    against_dense::<f64>(300, 1e-12);
    against_dense::<f32>(50, 1e-5);
}

#[test]
fn levels_and_widths_give_the_same_bits() {
    let parents = Parents::random(500, 5);
    let run = |level, width: usize| {
        // every lane the same system
        let one = system::<f64>(&parents, 1, 2);
        let repeat = |x: &[f64]| x.iter().flat_map(|&x| vec![x; width]).collect::<Vec<f64>>();
        let (mut pivots, mut x) = (repeat(&one.diagonal), repeat(&one.b));
        factor_and_solve(level, &one.operator, 2.0, &mut pivots, &mut x).unwrap();
        (0..width).map(|k| lane(&x, width, k)).collect::<Vec<_>>()
    };
    for fused in [true, false] {
        let mut seen = None;
        for level in levels()
            .into_iter()
            .filter(|level| level.is_fused() == fused)
        {
            for width in WIDTHS {
                for x in run(level, width) {
                    assert_eq!(*seen.get_or_insert_with(|| x.clone()), x, "{level} {width}");
                }
            }
        }
    }
}

/// Residual of one lane relative to Σ_j |m_ij x_j| + |b_i|, the largest over the rows.
fn residual(tree: &Tree, d: &[f64], s: f64, x: &[f64], b: &[f64]) -> f64 {
    let mut sum: Vec<f64> = (0..tree.len()).map(|i| d[i] * x[i] - b[i]).collect();
    let mut size: Vec<f64> = (0..tree.len())
        .map(|i| (d[i] * x[i]).abs() + b[i].abs())
        .collect();
    for row in 1..tree.len() {
        let (p, g) = (tree.parents()[row] as usize, s * tree.conductance(row));
        for (i, j) in [(row, p), (p, row)] {
            sum[i] += g * (x[i] - x[j]);
            size[i] += g * (x[i].abs() + x[j].abs());
        }
    }
    sum.iter()
        .zip(&size)
        .fold(0.0, |a, (r, s)| f64::max(a, r.abs() / s))
}

#[test]
fn large_trees_have_small_residuals() {
    for (shape, parents) in Parents::all(100_000, 9).iter().enumerate() {
        let tree = parents.tree();
        let n = tree.len();
        let operator = Laplacian::<f64>::new(&tree).unwrap();
        for (width, s) in [(1, 1.0), (3, 1e6), (8, 1e-3)] {
            let diagonal = diagonal(n, width, &mut Random(4));
            let b = Random(5).numbers(n * width, -1.0, 1.0);
            let (mut pivots, mut x) = (diagonal.clone(), b.clone());
            factor_and_solve(Level::detect(), &operator, s, &mut pivots, &mut x).unwrap();
            for k in 0..width {
                let [d, x, b] = [&diagonal, &x, &b].map(|y| lane(y, width, k));
                let error = residual(&tree, &d, s, &x, &b);
                assert!(
                    error < 1e-13,
                    "shape {shape}, width {width}, s {s}: {error:e}"
                );
            }
        }
    }
}

#[test]
fn stiffness_costs_no_accuracy() {
    // With b = d the solution is 1 everywhere, however large s: no digits lost to s R G ≫ D.
    for parents in Parents::all(3000, 21) {
        for s in [1e-6, 1.0, 1e6, 1e12] {
            let mut pivots = Random(3).numbers(3000, 1e-3, 1.0);
            let mut x = pivots.clone();
            let operator = Laplacian::<f64>::new(&parents.tree()).unwrap();
            factor_and_solve(Level::detect(), &operator, s, &mut pivots, &mut x).unwrap();
            assert!(difference(&x, &vec![1.0; 3000]) < 1e-12, "s {s}");
        }
    }
}

#[test]
fn unsound_pivots_are_reported() {
    let tree = Tree::new(&[None, Some(0), Some(0), Some(2), Some(3)], &[1.0; 5]).unwrap();
    let operator = Laplacian::<f64>::new(&tree).unwrap();
    for width in WIDTHS {
        for level in levels() {
            for lane in [0, width - 1] {
                let run = |row: usize, bad: f64| {
                    let mut d = vec![1.0; 5 * width];
                    d[row * width + lane] = bad;
                    let (mut copy, mut x) = (d.clone(), vec![1.0; 5 * width]);
                    let fused =
                        factor_and_solve(level, &operator, 1.0, &mut copy, &mut x).map(|_| ());
                    let alone = factor(level, &operator, 1.0, &mut d).map(|_| ());
                    assert_eq!(fused, alone);
                    alone
                };
                for row in 0..5 {
                    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                        assert_eq!(run(row, bad), Err(CableError::Pivot { row, lane }), "{bad}");
                    }
                }
                // a leaf's pivot is d + g; an inner node's d + g + the children's share d g / (d + g)
                assert_eq!(run(4, -1.0), Err(CableError::Pivot { row: 4, lane }));
                assert_eq!(run(3, -1.5), Err(CableError::Pivot { row: 3, lane }));
                assert_eq!(run(1, -0.5), Ok(())); // indefinite but regular
            }
            // no membrane anywhere: the Laplacian alone is singular, exactly
            let mut d = vec![0.0; 5 * width];
            let error = factor(level, &operator, 1.0, &mut d).map(|_| ());
            assert_eq!(error, Err(CableError::Pivot { row: 0, lane: 0 }));
            let mut d = vec![0.0; 5 * width];
            let error = factor(level, &operator, 0.0, &mut d).map(|_| ());
            assert_eq!(error, Err(CableError::Pivot { row: 4, lane: 0 }));
        }
    }
    let mut x = vec![1.0; 5];
    for length in [0, 4, 6, 10] {
        let error = factor_and_solve(
            Level::detect(),
            &operator,
            1.0,
            &mut vec![1.0; length],
            &mut x,
        )
        .map(|_| ());
        assert!(
            matches!(error, Err(CableError::Shape { rows: 5, .. })),
            "{length}"
        );
    }
    let error = factor(Level::detect(), &operator, -1.0, &mut x).map(|_| ());
    assert_eq!(error, Err(CableError::Factor { value: -1.0 }));
}
