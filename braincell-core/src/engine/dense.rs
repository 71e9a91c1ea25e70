//! Small dense matrices, row-major.

/// LU factorisation in place of the leading `n - keep` unknowns, with partial pivoting among their rows; the last
/// `keep` rows and columns become the Schur complement. Row swaps go to `swaps`. A zero pivot leaves infinities.
pub(super) fn factor(a: &mut [f64], n: usize, keep: usize, swaps: &mut [u32]) {
    let inner = n - keep;
    for k in 0..inner {
        let size = |row: &usize| a[row * n + k].abs();
        let pivot = (k..inner)
            .max_by(|i, j| size(i).total_cmp(&size(j)))
            .unwrap_or(k);
        swaps[k] = pivot as u32;
        if pivot != k {
            for j in 0..n {
                a.swap(k * n + j, pivot * n + j);
            }
        }
        let inverse = 1.0 / a[k * n + k];
        a[k * n + k] = inverse;
        for i in k + 1..n {
            let l = a[i * n + k] * inverse;
            a[i * n + k] = l;
            if l != 0.0 {
                let (upper, lower) = a.split_at_mut(i * n);
                let (row_k, row_i) = (&upper[k * n..k * n + n], &mut lower[..n]);
                for j in k + 1..n {
                    row_i[j] -= l * row_k[j];
                }
            }
        }
    }
}

/// The first half of a solution: swaps and forward elimination of the leading `n - keep` unknowns.
pub(super) fn forward(a: &[f64], n: usize, keep: usize, swaps: &[u32], b: &mut [f64]) {
    // The factors are those of the rows after all swaps.
    for (k, &swap) in swaps[..n - keep].iter().enumerate() {
        b.swap(k, swap as usize);
    }
    for k in 0..n - keep {
        let x = b[k];
        if x != 0.0 {
            for i in k + 1..n {
                b[i] -= a[i * n + k] * x;
            }
        }
    }
}

/// The second half: back substitution, the last `keep` unknowns being known.
pub(super) fn backward(a: &[f64], n: usize, keep: usize, b: &mut [f64]) {
    for k in (0..n - keep).rev() {
        let row = &a[k * n..k * n + n];
        let mut x = b[k];
        for j in k + 1..n {
            x -= row[j] * b[j];
        }
        b[k] = x * row[k];
    }
}

/// [`forward`] for the transposed system.
pub(super) fn forward_transposed(a: &[f64], n: usize, keep: usize, b: &mut [f64]) {
    for k in 0..n - keep {
        let row = &a[k * n..k * n + n];
        let x = b[k] * row[k];
        b[k] = x;
        if x != 0.0 {
            for j in k + 1..n {
                b[j] -= row[j] * x;
            }
        }
    }
}

/// [`backward`] for the transposed system; also undoes the swaps.
pub(super) fn backward_transposed(a: &[f64], n: usize, keep: usize, swaps: &[u32], b: &mut [f64]) {
    for k in (0..n - keep).rev() {
        for i in k + 1..n {
            b[k] -= a[i * n + k] * b[i];
        }
    }
    for k in (0..n - keep).rev() {
        b.swap(k, swaps[k] as usize);
    }
}

/// c ← a b
pub(super) fn multiply(a: &[f64], b: &[f64], c: &mut [f64], n: usize) {
    for i in 0..n {
        let row = &mut c[i * n..i * n + n];
        row.fill(0.0);
        for k in 0..n {
            let x = a[i * n + k];
            if x != 0.0 {
                for j in 0..n {
                    row[j] += x * b[k * n + j];
                }
            }
        }
    }
}

/// The greatest k of [`phi`].
pub(super) const MAX_PHI: usize = 4;

/// Numbers that [`phi`] needs to work with.
pub(super) const fn phi_scratch(n: usize) -> usize {
    (2 + MAX_PHI) * n * n
}

pub(super) const FACTORIAL: [f64; MAX_PHI + 1] = [1.0, 1.0, 2.0, 6.0, 24.0];
/// Terms of the Taylor series.
pub(super) const TERMS: usize = 14;

/// How often [`phi`] halves its argument: with norm ≤ 1/4 the remainder after 14 terms is below 1e-19. Nothing if it is not
/// finite.
pub(super) fn halvings(a: &[f64], n: usize) -> Option<i32> {
    let row = |i: usize| a[i * n..i * n + n].iter().map(|x| x.abs()).sum::<f64>();
    let norm = (0..n).map(row).fold(0.0, f64::max);
    norm.is_finite().then(|| match norm > 0.25 {
        true => (norm * 4.0).log2().ceil() as i32,
        false => 0,
    })
}

/// φ_0(a) … φ_top(a) into `out`, one after the other.
///
/// Taylor series at a / 2^s, then s times φ_k(2z) = 2^-k (φ_0(z) φ_k(z) + Σ_{j=1..k} φ_j(z) / (k - j)!).
///
/// M. Hochbruck, C. Lubich, H. Selhofer, Exponential integrators for large systems of differential equations, SIAM J. Sci.
/// Comput. 19 (1998), [doi:10.1137/S1064827595295337](https://doi.org/10.1137/S1064827595295337).
pub(super) fn phi(a: &mut [f64], n: usize, top: usize, out: &mut [f64], scratch: &mut [f64]) {
    let size = n * n;
    let Some(halvings) = halvings(a, n) else {
        out[..(top + 1) * size].fill(f64::NAN);
        return;
    };
    let scale = 0.5f64.powi(halvings);
    a.iter_mut().for_each(|x| *x *= scale);
    let (product, rest) = scratch.split_at_mut(size);
    // φ_top by Horner's scheme; the lower ones by φ_{k-1}(z) = z φ_k(z) + 1/(k-1)!
    let highest = &mut rest[..size];
    let mut factorial = FACTORIAL[top];
    for j in 1..=TERMS {
        factorial *= (top + j) as f64;
    }
    set_identity(highest, n, 1.0 / factorial);
    for j in (0..TERMS).rev() {
        multiply(a, highest, product, n);
        factorial /= (top + j + 1) as f64;
        highest.copy_from_slice(product);
        add_identity(highest, n, 1.0 / factorial);
    }
    out[top * size..(top + 1) * size].copy_from_slice(highest);
    for k in (0..top).rev() {
        let (low, high) = out.split_at_mut((k + 1) * size);
        let low = &mut low[k * size..];
        multiply(a, &high[..size], low, n);
        add_identity(low, n, 1.0 / FACTORIAL[k]);
    }
    for _ in 0..halvings {
        let old = &mut rest[..(top + 1) * size];
        old.copy_from_slice(&out[..(top + 1) * size]);
        for k in 0..=top {
            let to = &mut out[k * size..(k + 1) * size];
            multiply(&old[..size], &old[k * size..(k + 1) * size], to, n);
            for j in 1..=k {
                let weight = 1.0 / FACTORIAL[k - j];
                for (x, y) in to.iter_mut().zip(&old[j * size..(j + 1) * size]) {
                    *x += weight * y;
                }
            }
            let shrink = 0.5f64.powi(k as i32);
            to.iter_mut().for_each(|x| *x *= shrink);
        }
    }
}

pub(super) fn set_identity(a: &mut [f64], n: usize, x: f64) {
    a.fill(0.0);
    add_identity(a, n, x);
}

pub(super) fn add_identity(a: &mut [f64], n: usize, x: f64) {
    for i in 0..n {
        a[i * n + i] += x;
    }
}

/// y ← a b
pub(super) fn apply(a: &[f64], n: usize, b: &[f64], y: &mut [f64]) {
    for i in 0..n {
        y[i] = a[i * n..i * n + n].iter().zip(b).map(|(a, b)| a * b).sum();
    }
}
