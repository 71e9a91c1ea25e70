use super::{History, MAX_PHI, WIDTH, halvings, make_small, scratch, sides_mut, values};
use crate::simd::Level;
use proptest::prelude::*;

/// φ_0 … φ_top of one matrix.
fn phi(a: &[f64], n: usize, top: usize) -> Vec<f64> {
    let mut out = vec![0.0; (top + 1) * n * n];
    let mut room = vec![0.0; scratch(1, n, top)];
    let fill = |_: usize, to: &mut [f64]| to.copy_from_slice(a);
    values(Level::detect(), [1, n, top], &fill, &mut out, &mut room);
    out
}

/// The numbers of matrices side by side.
fn side_by_side(matrices: &[Vec<f64>]) -> Vec<f64> {
    let numbers = 0..matrices[0].len();
    numbers
        .flat_map(|k| matrices.iter().map(move |m| m[k]))
        .collect()
}

/// Matrices side by side have the functions, and these the derivatives, that each has alone, to the last bit, however often each
/// is halved.
#[test]
fn matrices_side_by_side_do_not_know_of_each_other() {
    for n in 1..6 {
        let vectors =
            |len: usize| prop::collection::vec(prop::collection::vec(-1.0..1.0, len), WIDTH);
        let all = (
            prop::collection::vec(matrices(n), WIDTH),
            vectors(n * n),
            vectors(5 * n * n),
        );
        proptest!(ProptestConfig::with_cases(20), |((a, da, bars) in all, top in 0..=MAX_PHI)| {
            let (level, count) = (Level::detect(), (top + 1) * n * n);
            let bars: Vec<Vec<f64>> = bars.iter().map(|bars| bars[..count].to_vec()).collect();
            let (one, many) = ([1, n, top], [WIDTH, n, top]);
            let (mut out, mut dots) = (vec![0.0; count * WIDTH], vec![0.0; count * WIDTH]);
            let (mut bar, mut plain) = (vec![0.0; n * n * WIDTH], vec![0.0; count * WIDTH]);
            let mut history = History::default();
            history.record(level, many, &side_by_side(&a), &mut out);
            history.tangent(level, &side_by_side(&da), &mut dots);
            history.adjoint(level, &side_by_side(&bars), &mut bar);
            let fill = |_: usize, to: &mut [f64]| to.copy_from_slice(&side_by_side(&a));
            let mut room = vec![0.0; scratch(WIDTH, n, top)];
            values(level, many, &fill, &mut plain, &mut room);
            prop_assert_eq!(&plain, &out);
            let mut alone = [Vec::new(), Vec::new(), Vec::new()];
            for ((a, da), bars) in a.iter().zip(&da).zip(&bars) {
                let [mut out, mut dots] = [(); 2].map(|()| vec![0.0; count]);
                let mut bar = vec![0.0; n * n];
                let mut history = History::default();
                history.record(level, one, a, &mut out);
                history.tangent(level, da, &mut dots);
                history.adjoint(level, bars, &mut bar);
                for (all, own) in alone.iter_mut().zip([out, dots, bar]) {
                    all.push(own);
                }
            }
            let [outs, all_dots, all_bars] = alone.map(|all| side_by_side(&all));
            prop_assert_eq!(out, outs);
            prop_assert_eq!(dots, all_dots);
            prop_assert_eq!(bar, all_bars);
        });
    }
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |m, (a, b)| m.max((a - b).abs()))
}

fn size(a: &[f64]) -> f64 {
    a.iter().fold(0.0, |m, x| m.max(x.abs()))
}

/// Matrices of numbers about 1, more or less.
fn matrices(n: usize) -> impl Strategy<Value = Vec<f64>> {
    (prop::collection::vec(-1.0..1.0, n * n), -6.0..3.0)
        .prop_map(|(a, scale): (Vec<f64>, f64)| a.iter().map(|x| x * scale.exp2()).collect())
}

#[test]
fn one_number_is_a_matrix() {
    for z in [-700.0, -30.0, -1.5, -0.1, 0.0, 1e-9, 0.6, 2.0, 20.0] {
        let z: f64 = z;
        let out = phi(&[z], 1, 4);
        // The φ of real numbers are tested against a table.
        let level = |k: u32| crate::real::Real::phi(crate::real::Plain(z), k).0;
        for (k, x) in out.iter().enumerate() {
            let expected = level(k as u32);
            // Rounding of the argument is magnified by it.
            let near = 4e-16 * expected * (1.0 + z.abs());
            assert!(
                (x - expected).abs() <= near,
                "φ_{k}({z}) = {x}, not {expected}"
            );
        }
    }
}

/// z φ_{k+1}(z) + 1/k! = φ_k(z), and e^a e^-a = 1.
#[test]
fn functions_belong_together() {
    for n in 1..11 {
        proptest!(ProptestConfig::with_cases(40), |(a in matrices(n))| {
            let out = phi(&a, n, MAX_PHI);
            let one = |k: usize| &out[k * n * n..][..n * n];
            let back: Vec<f64> = a.iter().map(|x| -x).collect();
            let back = phi(&back, n, 0);
            let mut factorial = 1.0;
            for k in 0..MAX_PHI {
                factorial *= k.max(1) as f64;
                let mut expected = vec![0.0; n * n];
                product(&a, one(k + 1), &mut expected, n);
                (0..n).for_each(|i| expected[i * n + i] += 1.0 / factorial);
                let scale = 1.0 + size(&a) * size(one(k + 1));
                prop_assert!(difference(&expected, one(k)) < 1e-13 * scale * n as f64);
            }
            let mut unit = vec![0.0; n * n];
            product(one(0), &back, &mut unit, n);
            (0..n).for_each(|i| unit[i * n + i] -= 1.0);
            prop_assert!(size(&unit) < 1e-13 * n as f64 * (1.0 + size(one(0)) * size(&back)));
        });
    }
}

fn product(a: &[f64], b: &[f64], to: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..n {
            to[i * n + j] = (0..n).map(|k| a[i * n + k] * b[k * n + j]).sum();
        }
    }
}

/// Units do not matter: potentials in mV or µV give the same functions, in those units. So it is where all unknowns act on each
/// other, where one acts on none, and where none acts on one.
#[test]
fn units_do_not_matter() {
    for a in [
        [-2.0, 0.3, 0.1, 0.2, -1.0, 0.4, 0.5, -0.3, -3.0],
        [-2.0, 0.3, 0.1, 0.2, -1.0, 0.4, 0.0, 0.0, -3.0],
        [-2.0, 0.3, 0.0, 0.2, -1.0, 0.0, 0.5, -0.3, -3.0],
    ] {
        let expected = phi(&a, 3, 1);
        for unit in [1e-9, 1e-3, 1e3, 1e9] {
            let d = [1.0, 1.0, unit];
            let scaled: Vec<f64> = (0..9).map(|k| a[k] * d[k / 3] / d[k % 3]).collect();
            let out = phi(&scaled, 3, 1);
            for (k, x) in out.iter().enumerate() {
                let back = x / d[k % 9 / 3] * d[k % 3];
                assert!((back - expected[k]).abs() < 1e-15, "unit {unit}: {back}");
            }
            let mut small = scaled;
            let made = make_small::<1>(sides_mut(&mut small), &mut [[0.0]; 12], 3);
            assert!(made.most() <= 4, "unit {unit}: {}", made.most());
        }
    }
}

#[test]
fn derivatives_belong_together() {
    for n in 1..11 {
        let all = (
            matrices(n),
            matrices(n),
            prop::collection::vec(-1.0..1.0, 5 * n * n),
        );
        proptest!(ProptestConfig::with_cases(40), |((a, da, bars) in all, top in 0..=MAX_PHI)| {
            let (size_one, count) = (n * n, (top + 1) * n * n);
            let (level, bars) = (Level::detect(), &bars[..count]);
            let mut history = History::default();
            let mut out = vec![0.0; count];
            history.record(level, [1, n, top], &a, &mut out);
            prop_assert_eq!(&out, &phi(&a, n, top));
            let mut dots = vec![0.0; count];
            history.tangent(level, &da, &mut dots);
            // Backwards it is the transposed map.
            let mut bar = vec![0.0; size_one];
            history.adjoint(level, bars, &mut bar);
            let forwards: f64 = dots.iter().zip(bars).map(|(x, y)| x * y).sum();
            let backwards: f64 = bar.iter().zip(&da).map(|(x, y)| x * y).sum();
            let scale = size(&dots) * count as f64 + size(&bar) * size(&da);
            prop_assert!((forwards - backwards).abs() < 1e-13 * scale);
            // Forwards it is the limit of differences.
            let h = 1e-6 / size(&da);
            let moved = |sign: f64| {
                let a: Vec<f64> = a.iter().zip(&da).map(|(a, d)| a + sign * h * d).collect();
                phi(&a, n, top)
            };
            let [up, down] = [1.0, -1.0].map(moved);
            let estimate: Vec<f64> = up.iter().zip(&down).map(|(u, d)| (u - d) / (2.0 * h)).collect();
            let scale = size(&dots) + size(&out) * size(&da);
            prop_assert!(difference(&estimate, &dots) < 1e-8 * scale);
        });
    }
}

#[test]
fn large_numbers_are_halved_and_numbers_that_are_not_finite_spread() {
    assert_eq!(halvings(0.0), Some(0));
    assert_eq!(halvings(0.74), Some(0));
    assert_eq!(halvings(0.75), Some(1));
    assert_eq!(halvings(1.4), Some(1));
    assert_eq!(halvings(1.5), Some(2));
    assert_eq!(halvings(f64::MAX), Some(1025));
    assert_eq!(halvings(f64::INFINITY), None);
    assert_eq!(halvings(f64::NAN), None);
    assert_eq!(phi(&[-f64::MAX], 1, 1)[0], 0.0);
    for bad in [f64::NAN, f64::INFINITY] {
        let out = phi(&[-1.0, bad, 0.5, -1.0], 2, 1);
        assert!(out.iter().all(|x| x.is_nan()), "{bad}: {out:?}");
    }
    let mut bad = [f64::NAN, 1.0, 0.0, -1e308];
    let made = make_small::<1>(sides_mut(&mut bad), &mut [[0.0]; 8], 2);
    assert!(made.factor[0].is_nan());
    // The norm is no number, although the entries are.
    assert!(phi(&[f64::MAX, f64::MAX, f64::MAX, f64::MAX], 2, 1)[0].is_nan());
}
