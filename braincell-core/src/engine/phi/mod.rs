//! Functions φ of small dense matrices, and the derivatives of the algorithm that makes them.
//!
//! φ_0(z) = e^z, φ_{k+1}(z) = (φ_k(z) - 1/k!) / z. The matrix is balanced by a diagonal similarity and halved until its norm is
//! below 3/4; there φ_top is a Taylor polynomial of degree 16, made of four powers of the matrix; the lower functions follow from
//! φ_{k-1}(z) = z φ_k(z) + 1/(k-1)!, and those of twice the matrix from
//! φ_k(2z) = 2^-k (φ_0(z) φ_k(z) + Σ_{j=1..k} φ_j(z) / (k - j)!).
//!
//! From the small matrix on it is a list of steps of one form, [`Step`], which knows its tangent and its adjoint.
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
#[cfg(test)]
mod tests;

use crate::real::Lane;
use crate::simd::{Body, Level, dispatch};
use algebra::{add, add_product, balance, combine, power, transform};
pub(super) use history::History;

/// The greatest k of the functions φ_k of matrices.
pub(super) const MAX_PHI: usize = 4;

/// Matrices that are made before the functions: the argument, its powers 2, 3 and 4, and three of Horner's scheme.
const BEFORE: usize = 7;
/// The matrix is halved until its norm is below that.
const LIMIT: f64 = 0.75;

/// One step of the algorithm: to ← scale · (a b + x I + Σ f c). Matrices are numbered.
#[derive(Clone, Copy)]
struct Step {
    to: usize,
    /// a and b.
    product: Option<[usize; 2]>,
    /// x
    identity: f64,
    /// f and c: of the first `count` of them, the others are zero times any matrix.
    terms: [(f64, usize); 4],
    count: usize,
    scale: f64,
}

impl Step {
    const fn new(to: usize, product: Option<[usize; 2]>, identity: f64) -> Self {
        Self {
            to,
            product,
            identity,
            terms: [(0.0, 0); 4],
            count: 0,
            scale: 1.0,
        }
    }

    const fn and(mut self, factor: f64, matrix: usize) -> Self {
        self.terms[self.count] = (factor, matrix);
        self.count += 1;
        self
    }
}

/// The steps to φ_0 … φ_top.
struct Series {
    top: usize,
    /// From the argument, number 0, to the functions from φ_top, number [`BEFORE`], to φ_0: each after those it is made of. As many
    /// as there are matrices without the argument are used.
    begin: [Step; BEFORE + MAX_PHI],
    /// From the functions, φ_top the first, to those of twice the argument; `top` + 1 are used.
    double: [Step; MAX_PHI + 1],
}

const fn factorial(n: usize) -> f64 {
    let (mut product, mut k) = (1.0, 1);
    while k <= n {
        product *= k as f64;
        k += 1;
    }
    product
}

impl Series {
    const fn new(top: usize) -> Self {
        let unused = Step::new(0, None, 0.0);
        let mut begin = [unused; BEFORE + MAX_PHI];
        begin[0] = Step::new(1, Some([0, 0]), 0.0);
        begin[1] = Step::new(2, Some([0, 1]), 0.0);
        begin[2] = Step::new(3, Some([1, 1]), 0.0);
        // Four coefficients in each of four polynomials in the fourth power, and one more.
        let (mut count, mut block) = (3, 4);
        while block > 0 {
            block -= 1;
            let to = count + 1;
            let product = if block < 3 { Some([3, count]) } else { None };
            let mut step = Step::new(to, product, 1.0 / factorial(top + 4 * block));
            let mut k = 1;
            while k < 4 || (k == 4 && block == 3) {
                step = step.and(1.0 / factorial(top + 4 * block + k), k - 1);
                k += 1;
            }
            begin[count] = step;
            count += 1;
        }
        let mut k = top;
        while k > 0 {
            k -= 1;
            begin[count] = Step::new(count + 1, Some([0, count]), 1.0 / factorial(k));
            count += 1;
        }
        let mut double = [unused; MAX_PHI + 1];
        let (mut k, mut scale) = (0, 1.0);
        while k <= top {
            let mut step = Step::new(top - k, Some([top, top - k]), 0.0);
            step.scale = scale;
            let mut j = 1;
            while j <= k {
                step = step.and(1.0 / factorial(k - j), top - j);
                j += 1;
            }
            double[top - k] = step;
            scale *= 0.5;
            k += 1;
        }
        Self { top, begin, double }
    }

    fn begin(&self) -> &[Step] {
        &self.begin[..BEFORE + self.top]
    }

    fn double(&self) -> &[Step] {
        &self.double[..=self.top]
    }

    /// How many matrices there are when the argument has been halved and doubled so often.
    fn matrices(&self, doublings: usize) -> usize {
        BEFORE + (doublings + 1) * (self.top + 1)
    }

    /// The functions before a doubling, and those after it, if all are kept.
    #[inline(always)]
    fn levels<'a>(
        &self,
        doubling: usize,
        matrices: &'a mut [f64],
        size: usize,
    ) -> [&'a mut [f64]; 2] {
        let count = self.top + 1;
        let from = BEFORE + doubling * count;
        let (old, new) =
            matrices[from * size..(from + 2 * count) * size].split_at_mut(count * size);
        [old, new]
    }
}

static SERIES: [Series; MAX_PHI + 1] = [
    Series::new(0),
    Series::new(1),
    Series::new(2),
    Series::new(3),
    Series::new(4),
];

/// Factors and matrices.
type Terms<'a> = [(f64, &'a [f64]); 4];

/// The numbers of one of several matrices.
#[inline(always)]
fn matrix(all: &[f64], number: usize, size: usize) -> &[f64] {
    &all[number * size..][..size]
}

#[inline(always)]
fn matrix_mut(all: &mut [f64], number: usize, size: usize) -> &mut [f64] {
    &mut all[number * size..][..size]
}

impl Step {
    /// Makes the matrix `to` of others.
    #[inline(always)]
    fn run<R: Lane<f64>>(&self, read: &[f64], to: &mut [f64], n: usize) {
        let (product, terms) = self.operands(read, n);
        combine::<R>(product, self.identity, terms, self.scale, to, n);
    }

    /// Makes the derivative of the matrix `to` of those of others.
    #[inline(always)]
    fn tangent<R: Lane<f64>>(&self, (read, dots): (&[f64], &[f64]), to: &mut [f64], n: usize) {
        let (values, _) = self.operands(read, n);
        let (tangents, terms) = self.operands(dots, n);
        combine::<R>(None, 0.0, terms, self.scale, to, n);
        if let (Some([a, b]), Some([da, db])) = (values, tangents) {
            add_product::<R, false, false>(da, b, self.scale, to, n);
            add_product::<R, false, false>(a, db, self.scale, to, n);
        }
    }

    /// What it makes its result of.
    #[inline(always)]
    fn operands<'a>(
        &self,
        read: &'a [f64],
        n: usize,
    ) -> (Option<[&'a [f64]; 2]>, Option<Terms<'a>>) {
        let size = n * n;
        let product = match self.product {
            Some([a, b]) => Some([matrix(read, a, size), matrix(read, b, size)]),
            None => None,
        };
        let [p, q, r, s] = self.terms;
        let terms = match self.count {
            0 => None,
            _ => Some([
                (p.0, matrix(read, p.1, size)),
                (q.0, matrix(read, q.1, size)),
                (r.0, matrix(read, r.1, size)),
                (s.0, matrix(read, s.1, size)),
            ]),
        };
        (product, terms)
    }

    /// Adds to the adjoints of others what they owe to that of the result.
    #[inline(always)]
    fn adjoint<R: Lane<f64>>(&self, read: &[f64], (bars, bar): (&mut [f64], &[f64]), n: usize) {
        let (size, scale) = (n * n, self.scale);
        if let Some([a, b]) = self.product {
            let to = matrix_mut(bars, a, size);
            add_product::<R, false, true>(bar, matrix(read, b, size), scale, to, n);
            let to = matrix_mut(bars, b, size);
            add_product::<R, true, false>(matrix(read, a, size), bar, scale, to, n);
        }
        for &(factor, k) in &self.terms[..self.count] {
            add(matrix_mut(bars, k, size), bar, factor * scale, n);
        }
    }
}

/// How a matrix has been made smaller: D⁻¹ A D / 2^doublings, with powers of two in the diagonal matrix D.
#[derive(Clone, Copy, Default)]
struct Made {
    doublings: usize,
    /// 2^-doublings, or NaN if the matrix is not finite.
    factor: f64,
}

/// Makes a matrix small in place. D goes to the first n numbers of `diagonal`, of 4 n, and D⁻¹ behind it.
#[inline(always)]
fn make_small(a: &mut [f64], diagonal: &mut [f64], n: usize) -> Made {
    balance(a, diagonal, n);
    let row = |i: usize| a[i * n..][..n].iter().map(|x| x.abs()).sum::<f64>();
    let norm = (0..n)
        .map(row)
        .fold(0.0, |m, x| if x > m || x.is_nan() { x } else { m });
    let doublings = halvings(norm);
    let made = Made {
        doublings: doublings.unwrap_or(0),
        factor: doublings.map_or(f64::NAN, |count| power(-(count as i32))),
    };
    for x in &mut a[..n * n] {
        *x *= made.factor;
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

/// Does something with the number of unknowns; with small ones as constants, for which loops over rows and columns are written
/// out.
macro_rules! sized {
    ($of:expr, |$n:ident| $body:expr) => {
        sized!($of, |$n| $body, 1 2 3 4 5 6 7 8)
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

use sized;

/// Numbers that [`values`] needs to work with.
pub(super) const fn scratch(n: usize, top: usize) -> usize {
    (BEFORE + 2 * (top + 1)) * n * n + 4 * n
}

/// φ_0 … φ_top of several matrices of n² numbers, for each one after the other into `out`. `fill` writes the matrix of a
/// number.
pub(super) fn values(
    level: Level,
    [n, top]: [usize; 2],
    fill: impl Fn(usize, &mut [f64]),
    out: &mut [f64],
    scratch: &mut [f64],
) {
    let series = &SERIES[top];
    dispatch(
        level,
        Values {
            n,
            series,
            fill,
            out,
            scratch,
        },
    );
}

struct Values<'a, G> {
    n: usize,
    series: &'a Series,
    fill: G,
    out: &'a mut [f64],
    scratch: &'a mut [f64],
}

impl<G: Fn(usize, &mut [f64])> Body<f64> for Values<'_, G> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(mut self) {
        sized!(self.n, |n| self.all::<R>(n));
    }
}

impl<G: Fn(usize, &mut [f64])> Values<'_, G> {
    #[inline(always)]
    fn all<R: Lane<f64>>(&mut self, n: usize) {
        let (series, size) = (self.series, n * n);
        let (diagonal, matrices) = self.scratch.split_at_mut(4 * n);
        let count = (series.top + 1) * size;
        for (number, out) in self.out.chunks_exact_mut(count).enumerate() {
            let argument = &mut matrices[..size];
            (self.fill)(number, argument);
            let made = make_small(argument, diagonal, n);
            begin::<R>(series, matrices, n);
            let [mut old, mut new] = series.levels(0, matrices, size);
            // Of the doublings the last is enough.
            for _ in 0..made.doublings {
                double::<R>(series, old, new, n);
                std::mem::swap(&mut old, &mut new);
            }
            results(old, diagonal, out, n);
        }
    }
}

/// Makes the functions from the argument.
#[inline(always)]
fn begin<R: Lane<f64>>(series: &Series, matrices: &mut [f64], n: usize) {
    for step in series.begin() {
        let (read, to) = matrices.split_at_mut(step.to * n * n);
        step.run::<R>(read, to, n);
    }
}

/// Makes the functions of twice the argument from the old ones.
#[inline(always)]
fn double<R: Lane<f64>>(series: &Series, old: &[f64], new: &mut [f64], n: usize) {
    for step in series.double() {
        step.run::<R>(old, matrix_mut(new, step.to, n * n), n);
    }
}

/// φ_0 … φ_top of the matrix, or their derivatives, from those of the balanced one, which come in the other order.
#[inline(always)]
fn results(balanced: &[f64], diagonal: &[f64], out: &mut [f64], n: usize) {
    let (d, inverse) = diagonal[..2 * n].split_at(n);
    let pairs = balanced
        .chunks_exact(n * n)
        .rev()
        .zip(out.chunks_exact_mut(n * n));
    for (from, to) in pairs {
        transform(from, [d, inverse], 1.0, to, n);
    }
}
