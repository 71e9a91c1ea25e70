//! Sums of products of small square matrices, row-major, and what makes these small.
//!
//! Results are made row by row, [`COLUMNS`] numbers at a time: where n is a constant they become vectors of one length, so that
//! no load waits for two shorter stores.

use crate::real::Lane;

/// Numbers of a row that are kept in registers.
const COLUMNS: usize = 8;

/// Calls `$body` with rows i and ranges of columns.
macro_rules! rows {
    ($n:expr, |$i:ident, $from:ident, $width:ident| $body:block) => {
        for $i in 0..$n {
            let mut $from = 0;
            while $from < $n {
                let $width = if $n - $from < COLUMNS { $n - $from } else { COLUMNS };
                $body
                $from += COLUMNS;
            }
        }
    };
}

/// c ← scale · (a b + x I + Σ f m)
#[inline(always)]
pub(super) fn combine<R: Lane<f64>>(
    product: Option<[&[f64]; 2]>,
    identity: f64,
    terms: Option<[(f64, &[f64]); 4]>,
    scale: f64,
    c: &mut [f64],
    n: usize,
) {
    let c = &mut c[..n * n];
    rows!(n, |i, from, width| {
        let mut sums = [0.0; COLUMNS];
        if let Some([a, b]) = product {
            add_row::<R, false, false>(a, b, [i, from, width], &mut sums, n);
        }
        if let Some(terms) = terms {
            for (factor, m) in terms {
                let (x, m) = (R::constant(factor), &m[..n * n]);
                for j in 0..width {
                    let y = R::load(m[i * n + from + j]);
                    sums[j] = x.mul_add(y, R::load(sums[j])).store();
                }
            }
        }
        for j in 0..width {
            let one = if from + j == i { identity } else { 0.0 };
            c[i * n + from + j] = (sums[j] + one) * scale;
        }
    });
}

/// Adds a part of row i of a b; of aᵀ b with T, of a bᵀ with U.
#[inline(always)]
fn add_row<R: Lane<f64>, const T: bool, const U: bool>(
    a: &[f64],
    b: &[f64],
    [i, from, width]: [usize; 3],
    sums: &mut [f64; COLUMNS],
    n: usize,
) {
    let (a, b) = (&a[..n * n], &b[..n * n]);
    for k in 0..n {
        let x = R::load(a[if T { k * n + i } else { i * n + k }]);
        for j in 0..width {
            let y = match U {
                false => b[k * n + from + j],
                true => b[(from + j) * n + k],
            };
            sums[j] = x.mul_add(R::load(y), R::load(sums[j])).store();
        }
    }
}

/// c ← c + scale · a b; aᵀ b with T, a bᵀ with U.
#[inline(always)]
pub(super) fn add_product<R: Lane<f64>, const T: bool, const U: bool>(
    a: &[f64],
    b: &[f64],
    scale: f64,
    c: &mut [f64],
    n: usize,
) {
    let c = &mut c[..n * n];
    rows!(n, |i, from, width| {
        let mut sums = [0.0; COLUMNS];
        add_row::<R, T, U>(a, b, [i, from, width], &mut sums, n);
        for j in 0..width {
            c[i * n + from + j] += sums[j] * scale;
        }
    });
}

/// a ← a + factor · b
#[inline(always)]
pub(super) fn add(a: &mut [f64], b: &[f64], factor: f64, n: usize) {
    let (a, b) = (&mut a[..n * n], &b[..n * n]);
    rows!(n, |i, from, width| {
        for j in 0..width {
            a[i * n + from + j] += factor * b[i * n + from + j];
        }
    });
}

/// to ← factor · D a D⁻¹ for a diagonal matrix given with its inverse.
#[inline(always)]
pub(super) fn transform(
    a: &[f64],
    [d, inverse]: [&[f64]; 2],
    factor: f64,
    to: &mut [f64],
    n: usize,
) {
    let (a, to) = (&a[..n * n], &mut to[..n * n]);
    let (d, inverse) = (&d[..n], &inverse[..n]);
    rows!(n, |i, from, width| {
        for j in 0..width {
            let at = i * n + from + j;
            // One after the other, so that no product of powers of two is too large by itself.
            to[at] = a[at] * factor * d[i] * inverse[from + j];
        }
    });
}

/// a ← D⁻¹ a D with powers of two in the diagonal matrix D, such that each row of what is beside the diagonal is about as large
/// as its column. D goes to the first n numbers of `diagonal`, D⁻¹ behind it, and there is room for as many more.
///
/// For a row r² times as large as its column a factor r would do. All rows are changed at once, and by √r, as their columns are
/// parts of other rows; again if that was much: for a neuron one round is enough, and another takes as long as four products.
#[inline(always)]
pub(super) fn balance(a: &mut [f64], diagonal: &mut [f64], n: usize) {
    const ROUNDS: usize = 8;
    const MUCH: i32 = 4;
    /// A row without a column, or a column without a row, may have any size: 2^-SMALL.
    const SMALL: i32 = 4;
    let a = &mut a[..n * n];
    let (d, rest) = diagonal[..4 * n].split_at_mut(n);
    let (inverse, rest) = rest.split_at_mut(n);
    let (now, now_inverse) = rest.split_at_mut(n);
    d.fill(1.0);
    inverse.fill(1.0);
    for _ in 0..ROUNDS {
        let mut largest = 0;
        for i in 0..n {
            let (mut row, mut column) = (0.0, 0.0);
            for j in 0..n {
                if j != i {
                    row += a[i * n + j].abs();
                    column += a[j * n + i].abs();
                }
            }
            let shift = match (row > 0.0, column > 0.0) {
                (true, true) => ((exponent(row) - exponent(column) + 2) >> 2).clamp(-40, 40),
                (true, false) => (exponent(row) + SMALL).clamp(0, 40),
                (false, true) => -(exponent(column) + SMALL).clamp(0, 40),
                (false, false) => 0,
            };
            largest = largest.max(shift.abs());
            (now[i], now_inverse[i]) = (normal_power(shift), normal_power(-shift));
            d[i] *= now[i];
            inverse[i] *= now_inverse[i];
        }
        for i in 0..n {
            for j in 0..n {
                a[i * n + j] *= now_inverse[i] * now[j];
            }
        }
        if largest <= MUCH {
            return;
        }
    }
}

/// The exponent of a positive number; that of denormal numbers is too large.
#[inline(always)]
fn exponent(x: f64) -> i32 {
    (x.to_bits() >> 52) as i32 - 1023
}

/// 2^exponent, for exponents between -1074 and 1023.
#[inline(always)]
pub(super) fn power(exponent: i32) -> f64 {
    let half = exponent / 2;
    normal_power(half) * normal_power(exponent - half)
}

/// 2^exponent, for exponents between -1022 and 1023.
#[inline(always)]
fn normal_power(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}
