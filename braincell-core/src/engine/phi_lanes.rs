//! Functions φ of small dense matrices, several matrices side by side.

use super::dense::{FACTORIAL, TERMS, halvings};
use super::local::LocalJacobian;
use crate::kernel::Storage;
use crate::real::Lane;
use crate::simd::Body;

/// Matrices that are worked on together: a vector of doubles with AVX-512.
pub(super) const W: usize = 8;

type Lanes = [f64; W];

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
    (W + 1) * n * n + 2 * (top + 1) * n * n * W
}

impl<F: Storage> Body<f64> for Phi<'_, F> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
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
            series::<R>(a, n, top, out, &mut next[..size]);
            for round in 0..times.into_iter().max().unwrap_or(0) {
                double::<R>(out, n, top, &mut next[..all]);
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
fn series<R: Lane<f64>>(
    a: &[Lanes],
    n: usize,
    top: usize,
    out: &mut [Lanes],
    product: &mut [Lanes],
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
        multiply::<R>(a, highest, product, n);
        factorial /= (top + j + 1) as f64;
        add_identity(product, n, 1.0 / factorial);
        highest.copy_from_slice(product);
    }
    for k in (0..top).rev() {
        let (low, high) = out.split_at_mut((k + 1) * size);
        let low = &mut low[k * size..];
        multiply::<R>(a, &high[..size], low, n);
        add_identity(low, n, 1.0 / FACTORIAL[k]);
    }
}

/// φ_0(2z) … φ_top(2z) from those of z.
#[inline(always)]
fn double<R: Lane<f64>>(old: &[Lanes], n: usize, top: usize, new: &mut [Lanes]) {
    let size = n * n;
    for k in 0..=top {
        let to = &mut new[k * size..][..size];
        multiply::<R>(&old[..size], &old[k * size..][..size], to, n);
        for j in 1..=k {
            let weight = R::constant(1.0 / FACTORIAL[k - j]);
            for (x, y) in to.iter_mut().zip(&old[j * size..][..size]) {
                for l in 0..W {
                    x[l] = (R::load(x[l]) + weight * R::load(y[l])).store();
                }
            }
        }
        let shrink = 0.5f64.powi(k as i32);
        for x in to {
            for l in 0..W {
                x[l] = (R::load(x[l]) * shrink).store();
            }
        }
    }
}

/// c ← a b, without fused multiply-add: to the bits of [`super::dense::multiply`].
#[inline(always)]
fn multiply<R: Lane<f64>>(a: &[Lanes], b: &[Lanes], c: &mut [Lanes], n: usize) {
    for i in 0..n {
        for j in 0..n {
            let mut sum = [0.0; W];
            for k in 0..n {
                let (x, y) = (a[i * n + k], b[k * n + j]);
                for l in 0..W {
                    sum[l] = (R::load(sum[l]) + R::load(x[l]) * R::load(y[l])).store();
                }
            }
            c[i * n + j] = sum;
        }
    }
}

fn add_identity(a: &mut [Lanes], n: usize, x: f64) {
    for i in 0..n {
        a[i * n + i].iter_mut().for_each(|a| *a += x);
    }
}
