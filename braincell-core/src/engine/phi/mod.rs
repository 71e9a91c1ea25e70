//! Functions φ of small dense matrices, and the derivatives of the algorithm that makes them.
//!
//! φ_0(z) = e^z, φ_{k+1}(z) = (φ_k(z) - 1/k!) / z. The matrix is balanced by a diagonal similarity and halved until its norm is
//! below 3/4; there φ_top is a Taylor polynomial of degree 16, made of four powers of the matrix; the lower functions follow from
//! φ_{k-1}(z) = z φ_k(z) + 1/(k-1)!, and those of twice the matrix from
//! φ_k(2z) = 2^-k (φ_0(z) φ_k(z) + Σ_{j=1..k} φ_j(z) / (k - j)!).
//!
//! From the small matrix on it is a list of steps of one form, [`series::Step`], which knows its tangent and its adjoint.
//!
//! - M. Hochbruck, C. Lubich, H. Selhofer, Exponential integrators for large systems of differential equations, SIAM J. Sci.
//!   Comput. 19 (1998), [doi:10.1137/S1064827595295337](https://doi.org/10.1137/S1064827595295337): the doubling.
//! - M. S. Paterson, L. J. Stockmeyer, On the number of nonscalar multiplications necessary to evaluate polynomials, SIAM J.
//!   Comput. 2 (1973), [doi:10.1137/0202007](https://doi.org/10.1137/0202007): the polynomial.
//! - B. N. Parlett, C. Reinsch, Balancing a matrix for calculation of eigenvalues and eigenvectors, Numer. Math. 13 (1969),
//!   [doi:10.1007/BF02165404](https://doi.org/10.1007/BF02165404): potentials are in mV and gates between 0 and 1, so that
//!   without it the norm says little of the matrix.

mod algebra;
mod history;
mod series;
#[cfg(test)]
mod tests;

use crate::real::Lane;
use crate::simd::{Body, Level, dispatch};
use algebra::{balance, power, transform};
pub(super) use history::History;
use series::{SERIES, Series, begin, double};

/// The greatest k of the functions φ_k of matrices.
pub(super) const MAX_PHI: usize = 4;

/// Matrices that are made before the functions: the argument, its powers 2, 3 and 4, and three of Horner's scheme.
const BEFORE: usize = 7;
/// The matrix is halved until its norm is below that.
const LIMIT: f64 = 0.75;

/// As many matrices are worked on together, if there are several.
const WIDTH: usize = 8;

/// The numbers at one place of matrices side by side.
type Side<const W: usize> = [f64; W];

/// How many of `count` matrices lie side by side, number after number.
pub(super) fn side(count: usize) -> usize {
    if count == 1 { 1 } else { WIDTH }
}

/// How matrices have been made smaller: D⁻¹ A D / 2^doublings, with powers of two in the diagonal matrix D.
#[derive(Clone, Copy)]
struct Made<const W: usize> {
    doublings: [usize; W],
    /// 2^-doublings, or NaN if the matrix is not finite.
    factor: Side<W>,
}

impl<const W: usize> Made<W> {
    /// Of the matrix that has been halved most often.
    #[inline(always)]
    fn most(&self) -> usize {
        self.doublings.iter().copied().max().unwrap_or(0)
    }

    /// Lets the functions of those matrices be that are not doubled for the `doubling`-th time.
    #[inline(always)]
    fn keep(&self, doubling: usize, old: &[Side<W>], new: &mut [Side<W>]) {
        if W == 1 {
            return;
        }
        for (old, new) in old.iter().zip(new) {
            for l in 0..W {
                let doubled = doubling < self.doublings[l];
                new[l] = if doubled { new[l] } else { old[l] };
            }
        }
    }

    /// The transpose of [`Made::keep`], on adjoints: what was let be goes from the new functions to the old ones.
    #[inline(always)]
    fn pass(&self, doubling: usize, new: &mut [Side<W>], old: &mut [Side<W>]) {
        if W == 1 {
            return;
        }
        for (old, new) in old.iter_mut().zip(new) {
            for l in 0..W {
                if doubling >= self.doublings[l] {
                    old[l] += std::mem::take(&mut new[l]);
                }
            }
        }
    }
}

/// Makes matrices small in place. D goes to the first n numbers of `diagonal`, of 4 n, and D⁻¹ behind it.
#[inline(always)]
fn make_small<const W: usize>(a: &mut [Side<W>], diagonal: &mut [Side<W>], n: usize) -> Made<W> {
    balance(a, diagonal, n);
    let mut norm = [0.0; W];
    for row in a[..n * n].chunks_exact(n) {
        let mut sum = [0.0; W];
        for x in row {
            for l in 0..W {
                sum[l] += x[l].abs();
            }
        }
        for l in 0..W {
            let greater = sum[l] > norm[l] || sum[l].is_nan();
            norm[l] = if greater { sum[l] } else { norm[l] };
        }
    }
    let doublings = norm.map(halvings);
    let made = Made {
        doublings: doublings.map(|count| count.unwrap_or(0)),
        factor: doublings.map(|count| count.map_or(f64::NAN, |count| power(-(count as i64)))),
    };
    for x in &mut a[..n * n] {
        let factors = x.iter_mut().zip(&made.factor);
        factors.for_each(|(x, factor)| *x *= factor);
    }
    made
}

/// How often a norm is halved. Nothing if it is not finite.
fn halvings(norm: f64) -> Option<usize> {
    // The next integer above log2(norm / LIMIT): LIMIT is 3/4, so half of the range of mantissas counts for one more.
    const HALF: u64 = 1 << 51;
    const { assert!(LIMIT == 0.75) };
    let exponent = ((norm.to_bits() + HALF) >> 52) as i64 - 1022;
    norm.is_finite().then_some(exponent.max(0) as usize)
}

/// Does something with the number of unknowns; with those of most membranes as constants, for which loops over rows and columns are
/// written out. Each takes a second to compile.
macro_rules! sized {
    ($of:expr, |$n:ident| $body:expr) => {
        sized!($of, |$n| $body, 2 3 4 5 6)
    };
    ($of:expr, |$n:ident| $body:expr, $($small:literal)*) => {
        match $of {
            $($small => {
                let $n = $small;
                $body
            })*
            $n => $body,
        }
    };
}

/// Numbers that [`values`] needs to work with, for `side` matrices side by side.
pub(super) const fn scratch(side: usize, n: usize, top: usize) -> usize {
    side * ((BEFORE + 2 * (top + 1)) * n * n + 4 * n)
}

/// φ_0 … φ_top of several matrices of n² numbers, [`side`] by side, for each such bundle one function after the other into `out`.
/// `fill` writes the bundle of a number.
pub(super) fn values(
    level: Level,
    [side, n, top]: [usize; 3],
    fill: &dyn Fn(usize, &mut [f64]),
    out: &mut [f64],
    scratch: &mut [f64],
) {
    let series = &SERIES[top];
    let values = Values {
        n,
        series,
        fill,
        out,
        scratch,
    };
    over(level, side, values);
}

/// A loop over matrices of n² numbers, W of them side by side.
trait Work {
    fn n(&self) -> usize;
    /// Must be `#[inline(always)]`.
    fn run<R: Lane<f64>, const W: usize>(&mut self, n: usize);
}

/// Matrices one by one, for which small n are constants.
struct One<T>(T);

/// Matrices side by side, likewise.
struct Several<T>(T);

fn over(level: Level, side: usize, work: impl Work) {
    match side {
        1 => dispatch(level, One(work)),
        _ => dispatch(level, Several(work)),
    }
}

impl<T: Work> Body<f64> for One<T> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(mut self) {
        sized!(self.0.n(), |n| self.0.run::<R, 1>(n));
    }
}

impl<T: Work> Body<f64> for Several<T> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(mut self) {
        sized!(self.0.n(), |n| self.0.run::<R, WIDTH>(n), 3 4 5);
    }
}

struct Values<'a> {
    n: usize,
    series: &'a Series,
    fill: &'a dyn Fn(usize, &mut [f64]),
    out: &'a mut [f64],
    scratch: &'a mut [f64],
}

impl Work for Values<'_> {
    fn n(&self) -> usize {
        self.n
    }
    #[inline(always)]
    fn run<R: Lane<f64>, const W: usize>(&mut self, n: usize) {
        let (series, size) = (self.series, n * n);
        let (diagonal, matrices) = sides_mut(self.scratch).split_at_mut(4 * n);
        let count = (series.top + 1) * size;
        for (number, out) in self.out.chunks_exact_mut(count * W).enumerate() {
            let argument = &mut matrices[..size];
            (self.fill)(number, argument.as_flattened_mut());
            let made = make_small::<W>(argument, diagonal, n);
            begin::<R, W>(series, matrices, n);
            let [mut old, mut new] = series.levels(0, matrices, size);
            // Of the doublings the last is enough.
            for doubling in 0..made.most() {
                double::<R, W>(series, old, new, n);
                made.keep(doubling, old, new);
                std::mem::swap(&mut old, &mut new);
            }
            results(old, diagonal, sides_mut(out), n);
        }
    }
}

/// Numbers by place.
#[inline(always)]
fn sides<const W: usize>(numbers: &[f64]) -> &[Side<W>] {
    numbers.as_chunks().0
}

/// As [`sides`], to write to.
#[inline(always)]
fn sides_mut<const W: usize>(numbers: &mut [f64]) -> &mut [Side<W>] {
    numbers.as_chunks_mut().0
}

/// φ_0 … φ_top of the matrix, or their derivatives, from those of the balanced one, which come in the other order.
#[inline(always)]
fn results<const W: usize>(
    balanced: &[Side<W>],
    diagonal: &[Side<W>],
    out: &mut [Side<W>],
    n: usize,
) {
    let (d, inverse) = diagonal[..2 * n].split_at(n);
    let pairs = balanced
        .chunks_exact(n * n)
        .rev()
        .zip(out.chunks_exact_mut(n * n));
    for (from, to) in pairs {
        transform(from, [d, inverse], [1.0; W], to, n);
    }
}

/// y ← a b, of matrices side by side.
pub(super) fn apply(side: usize, a: &[f64], n: usize, b: &[f64], y: &mut [f64]) {
    match side {
        1 => apply_sides::<1>(a, n, b, y),
        _ => apply_sides::<WIDTH>(a, n, b, y),
    }
}

fn apply_sides<const W: usize>(a: &[f64], n: usize, b: &[f64], y: &mut [f64]) {
    let (a, b) = (sides::<W>(a), sides::<W>(b));
    for (i, y) in sides_mut::<W>(y).iter_mut().enumerate() {
        let row = &a[i * n..][..n];
        let mut sum = [0.0; W];
        for (a, b) in row.iter().zip(b) {
            for l in 0..W {
                sum[l] += a[l] * b[l];
            }
        }
        *y = sum;
    }
}

/// The adjoint of [`apply`]: b̄ ← aᵀ ȳ, ā += ȳ bᵀ.
pub(super) fn apply_adjoint(
    side: usize,
    (a, b): (&[f64], &[f64]),
    n: usize,
    bar_y: &[f64],
    (bar_a, bar_b): (&mut [f64], &mut [f64]),
) {
    match side {
        1 => apply_adjoint_sides::<1>((a, b), n, bar_y, (bar_a, bar_b)),
        _ => apply_adjoint_sides::<WIDTH>((a, b), n, bar_y, (bar_a, bar_b)),
    }
}

fn apply_adjoint_sides<const W: usize>(
    (a, b): (&[f64], &[f64]),
    n: usize,
    bar_y: &[f64],
    (bar_a, bar_b): (&mut [f64], &mut [f64]),
) {
    bar_b.fill(0.0);
    let (b, bar_b) = (sides::<W>(b), sides_mut::<W>(bar_b));
    let rows = sides::<W>(a).chunks_exact(n);
    let rows = rows.zip(sides_mut::<W>(bar_a).chunks_exact_mut(n));
    for ((row, bar_row), y) in rows.zip(sides::<W>(bar_y)) {
        for j in 0..n {
            for l in 0..W {
                bar_b[j][l] += row[j][l] * y[l];
                bar_row[j][l] += y[l] * b[j][l];
            }
        }
    }
}
