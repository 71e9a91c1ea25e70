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

/// The greatest k of the functions φ_k of matrices.
pub(super) const MAX_PHI: usize = 4;

pub(super) const FACTORIAL: [f64; MAX_PHI + 1] = [1.0, 1.0, 2.0, 6.0, 24.0];
/// Terms of the Taylor series.
pub(super) const TERMS: usize = 14;

/// How often the argument of φ is halved: with norm ≤ 1/4 the remainder after 14 terms is below 1e-19. Nothing if it is not
/// finite.
pub(super) fn halvings(a: &[f64], n: usize) -> Option<i32> {
    let row = |i: usize| a[i * n..i * n + n].iter().map(|x| x.abs()).sum::<f64>();
    let norm = (0..n).map(row).fold(0.0, f64::max);
    norm.is_finite().then(|| match norm > 0.25 {
        // Not of four times the norm, which may be infinite.
        true => (norm.log2() + 2.0).ceil() as i32,
        false => 0,
    })
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

#[cfg(test)]
mod tests {
    use super::halvings;

    #[test]
    fn halvings_of_the_largest_numbers_can_be_made() {
        assert_eq!(halvings(&[0.25], 1), Some(0));
        assert_eq!(halvings(&[1.0], 1), Some(2));
        assert_eq!(halvings(&[f64::MAX], 1), Some(1026));
        assert_eq!(halvings(&[f64::MAX, f64::MAX, 0.0, 0.0], 2), None);
    }
}
