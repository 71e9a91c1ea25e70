//! Functions φ of small dense matrices, several matrices side by side.

use super::dense::{FACTORIAL, TERMS, halvings};
use super::local::LocalJacobian;
use crate::kernel::{Storage, array};
use crate::real::Lane;
use crate::simd::Body;

/// Matrices that are worked on together, unless there is only one: a vector of doubles with AVX-512.
const WIDTH: usize = 8;

/// φ_0 … φ_top of scale · J, for the blocks J of all elements, into one array of matrices after the other.
///
/// Taylor series at a / 2^s, then s times φ_k(2z) = 2^-k (φ_0(z) φ_k(z) + Σ_{j=1..k} φ_j(z) / (k - j)!), s as small as each
/// matrix allows.
///
/// M. Hochbruck, C. Lubich, H. Selhofer, Exponential integrators for large systems of differential equations, SIAM J. Sci.
/// Comput. 19 (1998), [doi:10.1137/S1064827595295337](https://doi.org/10.1137/S1064827595295337).
pub(super) struct Phi<'a, F> {
    pub system: &'a LocalJacobian,
    pub top: usize,
    pub scale: f64,
    pub arena: &'a [F],
    pub matrices: &'a mut [f64],
    /// As many numbers as [`scratch`] says.
    pub scratch: &'a mut [f64],
}

/// Numbers that [`Phi`] needs to work with.
pub(super) const fn scratch(n: usize, top: usize) -> usize {
    (WIDTH + 1) * n * n + 2 * (top + 1) * n * n * WIDTH
}

impl<F: Storage> Body<f64> for Phi<'_, F> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        match self.system.site.elements {
            1 => self.lanes::<R, 1>(),
            _ => self.lanes::<R, WIDTH>(),
        }
    }
}

impl<F: Storage> Phi<'_, F> {
    #[inline(always)]
    fn lanes<R: Lane<f64>, const W: usize>(self) {
        let Self {
            system,
            top,
            scale,
            arena,
            matrices,
            scratch,
        } = self;
        let (n, elements) = (system.unknowns(), system.site.elements);
        let (size, all) = (n * n, (top + 1) * n * n);
        let (one, scratch) = scratch.split_at_mut(size);
        let (scratch, _) = scratch.as_chunks_mut::<W>();
        let (a, scratch) = scratch.split_at_mut(size);
        let (out, next) = scratch.split_at_mut(all);
        for start in (0..elements).step_by(W) {
            let count = (elements - start).min(W);
            a.fill([0.0; W]);
            for &(row, column, plane) in &system.entries {
                let from = &arena[plane + start..][..count];
                for (x, from) in a[row * n + column].iter_mut().zip(from) {
                    *x += scale * from.to_f64();
                }
            }
            let mut times = [0; W];
            for l in 0..W {
                one.iter_mut().zip(&*a).for_each(|(x, a)| *x = a[l]);
                let (halved, factor) = match halvings(one, n) {
                    Some(times) => (times, 0.5f64.powi(times)),
                    None => (0, f64::NAN),
                };
                times[l] = halved;
                a.iter_mut().for_each(|a| a[l] *= factor);
            }
            series::<R, W>(a, n, top, out, &mut next[..size]);
            for round in 0..times.into_iter().max().unwrap_or(0) {
                double::<R, W>(out, n, top, &mut next[..all]);
                let goes_on = times.map(|times| round < times);
                for (x, new) in out.iter_mut().zip(&*next) {
                    for l in 0..W {
                        x[l] = if goes_on[l] { new[l] } else { x[l] };
                    }
                }
            }
            let to = matrices[start * all..].chunks_exact_mut(all);
            for (l, to) in to.take(count).enumerate() {
                to.iter_mut().zip(&*out).for_each(|(to, x)| *to = x[l]);
            }
        }
    }
}

/// φ_0(a) … φ_top(a) by their Taylor series.
#[inline(always)]
fn series<R: Lane<f64>, const W: usize>(
    a: &[[f64; W]],
    n: usize,
    top: usize,
    out: &mut [[f64; W]],
    product: &mut [[f64; W]],
) {
    let size = n * n;
    // φ_top by Horner's scheme; the lower ones by φ_{k-1}(z) = z φ_k(z) + 1/(k-1)!
    let mut factorial = FACTORIAL[top];
    for j in 1..=TERMS {
        factorial *= (top + j) as f64;
    }
    let highest = &mut out[top * size..];
    highest.fill([0.0; W]);
    add_identity(highest, n, 1.0 / factorial);
    for j in (0..TERMS).rev() {
        multiply::<R, W>(a, highest, product, n);
        factorial /= (top + j + 1) as f64;
        add_identity(product, n, 1.0 / factorial);
        highest.copy_from_slice(product);
    }
    for k in (0..top).rev() {
        let (low, high) = out.split_at_mut((k + 1) * size);
        let low = &mut low[k * size..];
        multiply::<R, W>(a, &high[..size], low, n);
        add_identity(low, n, 1.0 / FACTORIAL[k]);
    }
}

/// φ_0(2z) … φ_top(2z) from those of z.
#[inline(always)]
fn double<R: Lane<f64>, const W: usize>(
    old: &[[f64; W]],
    n: usize,
    top: usize,
    new: &mut [[f64; W]],
) {
    let size = n * n;
    for k in 0..=top {
        let to = &mut new[k * size..][..size];
        multiply::<R, W>(&old[..size], &old[k * size..][..size], to, n);
        for j in 1..=k {
            let weight = R::constant(1.0 / FACTORIAL[k - j]);
            for (x, y) in to.iter_mut().zip(&old[j * size..][..size]) {
                for l in 0..W {
                    x[l] = weight.mul_add(R::load(y[l]), R::load(x[l])).store();
                }
            }
        }
        let shrink = 0.5f64.powi(k as i32);
        for x in to.iter_mut().flatten() {
            *x = (R::load(*x) * shrink).store();
        }
    }
}

/// c ← a b
#[inline(always)]
fn multiply<R: Lane<f64>, const W: usize>(
    a: &[[f64; W]],
    b: &[[f64; W]],
    c: &mut [[f64; W]],
    n: usize,
) {
    /// Columns whose sums are kept in registers.
    const COLUMNS: usize = 4;
    for i in 0..n {
        let row = &a[i * n..][..n];
        let mut j = 0;
        while j + COLUMNS <= n {
            c[i * n + j..][..COLUMNS].copy_from_slice(&dots::<R, W, COLUMNS>(row, b, j));
            j += COLUMNS;
        }
        while j < n {
            c[i * n + j..][..1].copy_from_slice(&dots::<R, W, 1>(row, b, j));
            j += 1;
        }
    }
}

/// The products of a row with `N` columns from j on.
#[inline(always)]
fn dots<R: Lane<f64>, const W: usize, const N: usize>(
    row: &[[f64; W]],
    b: &[[f64; W]],
    j: usize,
) -> [[f64; W]; N] {
    let mut sums = [[0.0; W]; N];
    for (x, b) in row.iter().zip(b.chunks_exact(row.len())) {
        let (x, y): ([f64; W], [[f64; W]; N]) = (*x, array(&b[j..]));
        for m in 0..N {
            for l in 0..W {
                let sum = R::load(sums[m][l]);
                sums[m][l] = R::load(x[l]).mul_add(R::load(y[m][l]), sum).store();
            }
        }
    }
    sums
}

fn add_identity<const W: usize>(a: &mut [[f64; W]], n: usize, x: f64) {
    for i in 0..n {
        a[i * n + i].iter_mut().for_each(|a| *a += x);
    }
}
