//! Sums of products of small square matrices, row-major, and what makes these small. Each number of a matrix is that of W
//! matrices side by side.
//!
//! Results are made row by row, some numbers at a time. Of one matrix these are [`COLUMNS`] of a row: where n is a constant they
//! become vectors of one length, so that no load waits for two shorter stores. Of several matrices one number of each is a vector.

use super::Side;
use crate::real::Lane;

/// Numbers that are kept in registers, or vectors.
const COLUMNS: usize = 8;

/// How many columns are made at a time.
const fn columns<const W: usize>() -> usize {
    if W == 1 { COLUMNS } else { 1 }
}

/// Calls `$body` with rows i and ranges of columns.
macro_rules! rows {
    ($n:expr, |$i:ident, $from:ident, $width:ident| $body:block) => {
        for $i in 0..$n {
            let mut $from = 0;
            while $from < $n {
                let most = columns::<W>();
                let $width = if most > 1 && $n - $from < most { $n - $from } else { most };
                $body
                $from += most;
            }
        }
    };
}

/// c ← scale · (a b + x I + Σ f m)
#[inline(always)]
pub(super) fn combine<R: Lane<f64>, const W: usize>(
    product: Option<[&[Side<W>]; 2]>,
    identity: f64,
    terms: Option<[(f64, &[Side<W>]); 4]>,
    scale: f64,
    c: &mut [Side<W>],
    n: usize,
) {
    let c = &mut c[..n * n];
    rows!(n, |i, from, width| {
        let mut sums = [[0.0; W]; COLUMNS];
        if let Some([a, b]) = product {
            add_row::<R, false, false, W>(a, b, [i, from, width], &mut sums, n);
        }
        if let Some(terms) = terms {
            for (factor, m) in terms {
                let (x, m) = (R::constant(factor), &m[..n * n]);
                for j in 0..width {
                    let y = m[i * n + from + j];
                    for l in 0..W {
                        let sum = R::load(sums[j][l]);
                        sums[j][l] = x.mul_add(R::load(y[l]), sum).store();
                    }
                }
            }
        }
        for j in 0..width {
            let one = if from + j == i { identity } else { 0.0 };
            let to = &mut c[i * n + from + j];
            for l in 0..W {
                to[l] = (sums[j][l] + one) * scale;
            }
        }
    });
}

/// Adds a part of row i of a b; of aᵀ b with T, of a bᵀ with U.
#[inline(always)]
fn add_row<R: Lane<f64>, const T: bool, const U: bool, const W: usize>(
    a: &[Side<W>],
    b: &[Side<W>],
    [i, from, width]: [usize; 3],
    sums: &mut [Side<W>; COLUMNS],
    n: usize,
) {
    let (a, b) = (&a[..n * n], &b[..n * n]);
    for k in 0..n {
        let x = a[if T { k * n + i } else { i * n + k }];
        for j in 0..width {
            let y = match U {
                false => b[k * n + from + j],
                true => b[(from + j) * n + k],
            };
            for l in 0..W {
                let sum = R::load(sums[j][l]);
                sums[j][l] = R::load(x[l]).mul_add(R::load(y[l]), sum).store();
            }
        }
    }
}

/// c ← c + scale · a b; aᵀ b with T, a bᵀ with U.
#[inline(always)]
pub(super) fn add_product<R: Lane<f64>, const T: bool, const U: bool, const W: usize>(
    a: &[Side<W>],
    b: &[Side<W>],
    scale: f64,
    c: &mut [Side<W>],
    n: usize,
) {
    let c = &mut c[..n * n];
    rows!(n, |i, from, width| {
        let mut sums = [[0.0; W]; COLUMNS];
        add_row::<R, T, U, W>(a, b, [i, from, width], &mut sums, n);
        for j in 0..width {
            let to = &mut c[i * n + from + j];
            for l in 0..W {
                to[l] += sums[j][l] * scale;
            }
        }
    });
}

/// a ← a + factor · b
#[inline(always)]
pub(super) fn add<const W: usize>(a: &mut [Side<W>], b: &[Side<W>], factor: f64, n: usize) {
    let (a, b) = (&mut a[..n * n], &b[..n * n]);
    rows!(n, |i, from, width| {
        for j in 0..width {
            let (to, b) = (&mut a[i * n + from + j], b[i * n + from + j]);
            for l in 0..W {
                to[l] += factor * b[l];
            }
        }
    });
}

/// to ← factor · D a D⁻¹ for a diagonal matrix given with its inverse.
#[inline(always)]
pub(super) fn transform<const W: usize>(
    a: &[Side<W>],
    [d, inverse]: [&[Side<W>]; 2],
    factor: Side<W>,
    to: &mut [Side<W>],
    n: usize,
) {
    let (a, to) = (&a[..n * n], &mut to[..n * n]);
    let (d, inverse) = (&d[..n], &inverse[..n]);
    rows!(n, |i, from, width| {
        for j in 0..width {
            let at = i * n + from + j;
            for l in 0..W {
                // One after the other, so that no product of powers of two is too large by itself.
                to[at][l] = a[at][l] * factor[l] * d[i][l] * inverse[from + j][l];
            }
        }
    });
}

/// a ← D⁻¹ a D with powers of two in the diagonal matrix D, such that each row of what is beside the diagonal is about as large
/// as its column. D goes to the first n numbers of `diagonal`, D⁻¹ behind it, and there is room for as many more.
///
/// For a row r² times as large as its column a factor r would do. All rows are changed at once, and by √r, as their columns are
/// parts of other rows; again if that was much: for a neuron one round is enough, and another takes as long as four products.
#[inline(always)]
pub(super) fn balance<const W: usize>(a: &mut [Side<W>], diagonal: &mut [Side<W>], n: usize) {
    const ROUNDS: usize = 8;
    const MUCH: i64 = 4;
    /// A row without a column, or a column without a row, may have any size: 2^-SMALL.
    const SMALL: i64 = 4;
    let a = &mut a[..n * n];
    let (d, rest) = diagonal[..4 * n].split_at_mut(n);
    let (inverse, rest) = rest.split_at_mut(n);
    let (now, now_inverse) = rest.split_at_mut(n);
    d.fill([1.0; W]);
    inverse.fill([1.0; W]);
    let mut done = [false; W];
    for _ in 0..ROUNDS {
        let mut largest = [0; W];
        for i in 0..n {
            let (mut row, mut column) = ([0.0; W], [0.0; W]);
            for j in 0..n {
                if j != i {
                    for l in 0..W {
                        row[l] += a[i * n + j][l].abs();
                        column[l] += a[j * n + i][l].abs();
                    }
                }
            }
            for l in 0..W {
                let (of_row, of_column) = (exponent(row[l]), exponent(column[l]));
                let between = ((of_row - of_column + 2) >> 2).clamp(-40, 40);
                let from_row = (of_row + SMALL).clamp(0, 40);
                let from_column = -(of_column + SMALL).clamp(0, 40);
                let (has_row, has_column) = (row[l] > 0.0, column[l] > 0.0);
                let alone = if has_row { from_row } else { 0 };
                let with_column = if has_row { between } else { from_column };
                let shift = if has_column { with_column } else { alone };
                let shift = if done[l] { 0 } else { shift };
                largest[l] = largest[l].max(shift.abs());
                (now[i][l], now_inverse[i][l]) = (normal_power(shift), normal_power(-shift));
                d[i][l] *= now[i][l];
                inverse[i][l] *= now_inverse[i][l];
            }
        }
        for i in 0..n {
            for j in 0..n {
                for l in 0..W {
                    a[i * n + j][l] *= now_inverse[i][l] * now[j][l];
                }
            }
        }
        for l in 0..W {
            done[l] |= largest[l] <= MUCH;
        }
        if done.iter().all(|done| *done) {
            return;
        }
    }
}

/// The exponent of a positive number; that of denormal numbers is too large.
#[inline(always)]
fn exponent(x: f64) -> i64 {
    (x.to_bits() >> 52) as i64 - 1023
}

/// 2^exponent, for exponents between -1074 and 1023.
#[inline(always)]
pub(super) fn power(exponent: i64) -> f64 {
    let half = exponent / 2;
    normal_power(half) * normal_power(exponent - half)
}

/// 2^exponent, for exponents between -1022 and 1023.
#[inline(always)]
fn normal_power(exponent: i64) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}
