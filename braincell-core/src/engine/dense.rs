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
