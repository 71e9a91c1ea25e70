//! The steps of the algorithm, from a small matrix on, with their derivatives.

use super::algebra::{add, add_product, combine};
use super::{BEFORE, MAX_PHI, Side};
use crate::real::Lane;

/// One step of the algorithm: to ← scale · (a b + x I + Σ f c). Matrices are numbered.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub to: usize,
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
pub(super) struct Series {
    pub top: usize,
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

    pub fn begin(&self) -> &[Step] {
        &self.begin[..BEFORE + self.top]
    }

    pub fn double(&self) -> &[Step] {
        &self.double[..=self.top]
    }

    /// How many matrices there are when the argument has been halved and doubled so often.
    pub fn matrices(&self, doublings: usize) -> usize {
        BEFORE + (doublings + 1) * (self.top + 1)
    }

    /// The functions before a doubling, and those after it, if all are kept.
    #[inline(always)]
    pub fn levels<'a, const W: usize>(
        &self,
        doubling: usize,
        matrices: &'a mut [Side<W>],
        size: usize,
    ) -> [&'a mut [Side<W>]; 2] {
        let count = self.top + 1;
        let from = BEFORE + doubling * count;
        let (old, new) =
            matrices[from * size..(from + 2 * count) * size].split_at_mut(count * size);
        [old, new]
    }
}

pub(super) static SERIES: [Series; MAX_PHI + 1] = [
    Series::new(0),
    Series::new(1),
    Series::new(2),
    Series::new(3),
    Series::new(4),
];

/// Factors and matrices.
type Terms<'a, const W: usize> = [(f64, &'a [Side<W>]); 4];

/// The numbers of one of several matrices.
#[inline(always)]
pub(super) fn matrix<const W: usize>(all: &[Side<W>], number: usize, size: usize) -> &[Side<W>] {
    &all[number * size..][..size]
}

#[inline(always)]
pub(super) fn matrix_mut<const W: usize>(
    all: &mut [Side<W>],
    number: usize,
    size: usize,
) -> &mut [Side<W>] {
    &mut all[number * size..][..size]
}

impl Step {
    /// Makes the matrix `to` of others.
    #[inline(always)]
    fn run<R: Lane<f64>, const W: usize>(&self, read: &[Side<W>], to: &mut [Side<W>], n: usize) {
        let (product, terms) = self.operands(read, n);
        combine::<R, W>(product, self.identity, terms, self.scale, to, n);
    }

    /// Makes the derivative of the matrix `to` of those of others.
    #[inline(always)]
    pub fn tangent<R: Lane<f64>, const W: usize>(
        &self,
        (read, dots): (&[Side<W>], &[Side<W>]),
        to: &mut [Side<W>],
        n: usize,
    ) {
        let (values, _) = self.operands(read, n);
        let (tangents, terms) = self.operands(dots, n);
        combine::<R, W>(None, 0.0, terms, self.scale, to, n);
        if let (Some([a, b]), Some([da, db])) = (values, tangents) {
            add_product::<R, false, false, W>(da, b, self.scale, to, n);
            add_product::<R, false, false, W>(a, db, self.scale, to, n);
        }
    }

    /// What it makes its result of.
    #[inline(always)]
    fn operands<'a, const W: usize>(
        &self,
        read: &'a [Side<W>],
        n: usize,
    ) -> (Option<[&'a [Side<W>]; 2]>, Option<Terms<'a, W>>) {
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
    pub fn adjoint<R: Lane<f64>, const W: usize>(
        &self,
        read: &[Side<W>],
        (bars, bar): (&mut [Side<W>], &[Side<W>]),
        n: usize,
    ) {
        let (size, scale) = (n * n, self.scale);
        if let Some([a, b]) = self.product {
            let to = matrix_mut(bars, a, size);
            add_product::<R, false, true, W>(bar, matrix(read, b, size), scale, to, n);
            let to = matrix_mut(bars, b, size);
            add_product::<R, true, false, W>(matrix(read, a, size), bar, scale, to, n);
        }
        for &(factor, k) in &self.terms[..self.count] {
            add(matrix_mut(bars, k, size), bar, factor * scale, n);
        }
    }
}

/// Makes the functions from the argument.
#[inline(always)]
pub(super) fn begin<R: Lane<f64>, const W: usize>(
    series: &Series,
    matrices: &mut [Side<W>],
    n: usize,
) {
    for step in series.begin() {
        let (read, to) = matrices.split_at_mut(step.to * n * n);
        step.run::<R, W>(read, to, n);
    }
}

/// Makes the functions of twice the argument from the old ones.
#[inline(always)]
pub(super) fn double<R: Lane<f64>, const W: usize>(
    series: &Series,
    old: &[Side<W>],
    new: &mut [Side<W>],
    n: usize,
) {
    for step in series.double() {
        step.run::<R, W>(old, matrix_mut(new, step.to, n * n), n);
    }
}
