//! Eigenvalues of Jacobians.

use crate::simulation::Linearisation;
use nalgebra::linalg::Schur;
use nalgebra::{Complex, DMatrix};
use ndarray::Array2;

/// Jacobians of more states than this are not decomposed: eigenvalues take time with the third power of it.
pub const MOST_STATES: usize = 600;
/// Iterations of the QR algorithm for each eigenvalue.
const PER_EIGENVALUE: usize = 100;
/// Sweeps of the power iteration, and the change of its result at which it has settled.
const POWER: usize = 2000;
const SETTLED: f64 = 1e-6;

/// The eigenvalues of a matrix, or nothing if the QR algorithm does not converge.
///
/// The matrix is balanced before, since its rows have different units.
pub(super) fn eigenvalues(matrix: &Array2<f64>) -> Option<Vec<(f64, f64)>> {
    let n = matrix.nrows();
    let mut dense = DMatrix::from_fn(n, n, |i, j| matrix[[i, j]]);
    if dense.iter().any(|x| !x.is_finite()) {
        return None;
    }
    balance(&mut dense);
    let schur = Schur::try_new(dense, f64::EPSILON, PER_EIGENVALUE * n.max(1))?;
    let values = schur.complex_eigenvalues();
    Some(values.iter().map(|z: &Complex<f64>| (z.re, z.im)).collect())
}

/// Scales rows and columns by powers of two until their sizes agree, which does not change the eigenvalues.
///
/// B. N. Parlett, C. Reinsch, Balancing a matrix for calculation of eigenvalues and eigenvectors, Numer. Math. 13 (1969),
/// [doi:10.1007/BF02165404](https://doi.org/10.1007/BF02165404).
fn balance(matrix: &mut DMatrix<f64>) {
    let n = matrix.nrows();
    // It settles after a few sweeps.
    for _ in 0..50 {
        let mut settled = true;
        for i in 0..n {
            let others = |k: &usize| *k != i;
            let column: f64 = (0..n).filter(others).map(|k| matrix[(k, i)].abs()).sum();
            let row: f64 = (0..n).filter(others).map(|k| matrix[(i, k)].abs()).sum();
            if column == 0.0 || row == 0.0 {
                continue;
            }
            // The power of two nearest to the square root of the ratio.
            let power = (0.5 * (row / column).log2()).round();
            let factor = power.clamp(-500.0, 500.0).exp2();
            if factor * column + row / factor < 0.95 * (column + row) {
                settled = false;
                for k in 0..n {
                    matrix[(k, i)] *= factor;
                    matrix[(i, k)] /= factor;
                }
            }
        }
        if settled {
            return;
        }
    }
}

/// The greatest modulus of an eigenvalue, and the number of the greatest component of its eigenvector, by power iteration:
/// what grows fastest under repeated products with the Jacobian is the fastest mode. Where two of equal modulus turn, the
/// mean growth over some products is taken.
pub(super) fn fastest(linearised: &mut Linearisation) -> (f64, usize) {
    const WINDOW: usize = 20;
    let n = linearised.places().len();
    // A start that leaves out no direction.
    let start = |k: usize| 1.0 + 0.37 * ((k * 7919 % 101) as f64 / 101.0);
    let mut vector: Vec<f64> = (0..n).map(start).collect();
    let (mut rate, mut sum) = (f64::NAN, 0.0);
    for k in 0..POWER {
        let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm == 0.0 || !norm.is_finite() {
            return (norm, 0);
        }
        vector.iter_mut().for_each(|x| *x /= norm);
        // The first norms are those of the start.
        sum += if k > WINDOW { norm.ln() } else { 0.0 };
        if k > WINDOW && k.is_multiple_of(WINDOW) {
            let next = (sum / WINDOW as f64).exp();
            let settled = (next - rate).abs() <= SETTLED * next;
            rate = next;
            sum = 0.0;
            if settled {
                break;
            }
        }
        vector = linearised
            .times(std::slice::from_ref(&vector))
            .swap_remove(0);
    }
    let greatest = (0..n).max_by(|&a, &b| vector[a].abs().total_cmp(&vector[b].abs()));
    (rate, greatest.unwrap_or(0))
}
