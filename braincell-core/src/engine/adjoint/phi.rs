//! Derivatives of the matrices φ_0 … φ_top: those of the algorithm that makes them, step by step.

use super::super::dense::{FACTORIAL, TERMS, add_identity, halvings, multiply, set_identity};

/// The intermediate results of [`super::super::phi_lanes::Phi`], for one matrix.
#[derive(Default)]
pub(super) struct History {
    n: usize,
    top: usize,
    /// The halved matrix, and by how much.
    a: Vec<f64>,
    scale: f64,
    /// Iterates of Horner's scheme, the first first.
    horner: Vec<f64>,
    /// φ_0 … φ_top before each doubling, and at the end.
    levels: Vec<f64>,
    doublings: usize,
    work: Vec<f64>,
}

impl History {
    /// Runs the algorithm on `a`.
    pub fn record(&mut self, a: &[f64], n: usize, top: usize) {
        self.begin(a, n, top);
        let size = n * n;
        let count = (top + 1) * size;
        let mut factorial = FACTORIAL[top];
        for j in 1..=TERMS {
            factorial *= (top + j) as f64;
        }
        set_identity(&mut self.horner[..size], n, 1.0 / factorial);
        for j in 0..TERMS {
            factorial /= (top + TERMS - j) as f64;
            let (old, new) = self.horner[j * size..(j + 2) * size].split_at_mut(size);
            multiply(&self.a, old, new, n);
            add_identity(new, n, 1.0 / factorial);
        }
        let first = &mut self.levels[..count];
        first[top * size..].copy_from_slice(&self.horner[TERMS * size..]);
        for k in (0..top).rev() {
            let (low, high) = first.split_at_mut((k + 1) * size);
            let low = &mut low[k * size..];
            multiply(&self.a, &high[..size], low, n);
            add_identity(low, n, 1.0 / FACTORIAL[k]);
        }
        self.double();
    }

    /// How many numbers [`History::save`] appends.
    pub fn saved(n: usize, top: usize) -> usize {
        (TERMS + 1 + top + 1) * n * n
    }

    /// Appends what the algorithm has computed before the doublings, whose number is not known beforehand.
    pub fn save(&self, log: &mut Vec<f64>) {
        let count = (self.top + 1) * self.n * self.n;
        log.extend_from_slice(&self.horner);
        log.extend_from_slice(&self.levels[..count]);
    }

    /// As [`History::record`], with what was saved then.
    pub fn restore(&mut self, a: &[f64], n: usize, top: usize, saved: &[f64]) {
        self.begin(a, n, top);
        let (horner, first) = saved.split_at((TERMS + 1) * n * n);
        self.horner.copy_from_slice(horner);
        self.levels[..first.len()].copy_from_slice(first);
        self.double();
    }

    fn begin(&mut self, a: &[f64], n: usize, top: usize) {
        let size = n * n;
        let count = (top + 1) * size;
        self.n = n;
        self.top = top;
        self.doublings = halvings(a, n).unwrap_or(0) as usize;
        self.scale = 0.5f64.powi(self.doublings as i32);
        self.a.clear();
        self.a.extend(a.iter().map(|x| x * self.scale));
        self.horner.resize((TERMS + 1) * size, 0.0);
        self.levels.resize((self.doublings + 1) * count, 0.0);
        self.work.resize(8 * size + 2 * count, 0.0);
    }

    fn double(&mut self) {
        let (n, top) = (self.n, self.top);
        let size = n * n;
        let count = (top + 1) * size;
        for level in 0..self.doublings {
            let (old, new) = self.levels[level * count..(level + 2) * count].split_at_mut(count);
            for k in 0..=top {
                let to = &mut new[k * size..(k + 1) * size];
                multiply(&old[..size], &old[k * size..(k + 1) * size], to, n);
                for j in 1..=k {
                    add(to, &old[j * size..(j + 1) * size], 1.0 / FACTORIAL[k - j]);
                }
                let shrink = 0.5f64.powi(k as i32);
                to.iter_mut().for_each(|x| *x *= shrink);
            }
        }
    }

    /// φ_0 … φ_top.
    pub fn results(&self) -> &[f64] {
        let count = (self.top + 1) * self.n * self.n;
        &self.levels[self.doublings * count..][..count]
    }

    /// The derivatives of the results in direction `da`, into `out`.
    pub fn tangent(&mut self, da: &[f64], out: &mut [f64]) {
        let (n, top) = (self.n, self.top);
        let size = n * n;
        let count = (top + 1) * size;
        let (dots, work) = self.work.split_at_mut(count);
        let (da_scaled, work) = work.split_at_mut(size);
        let (high, work) = work.split_at_mut(size);
        let product = &mut work[..size];
        let scaled = da_scaled.iter_mut().zip(da);
        scaled.for_each(|(to, x)| *to = x * self.scale);
        high.fill(0.0);
        for j in 0..TERMS {
            multiply(&self.a, high, product, n);
            high.copy_from_slice(product);
            let old = &self.horner[j * size..(j + 1) * size];
            multiply(da_scaled, old, product, n);
            add(high, product, 1.0);
        }
        dots[top * size..].copy_from_slice(high);
        for k in (0..top).rev() {
            let (low, high) = dots.split_at_mut((k + 1) * size);
            let low = &mut low[k * size..];
            multiply(&self.a, &high[..size], low, n);
            let above = &self.levels[(k + 1) * size..(k + 2) * size];
            multiply(da_scaled, above, product, n);
            add(low, product, 1.0);
        }
        for level in 0..self.doublings {
            let old = &self.levels[level * count..(level + 1) * count];
            for k in 0..=top {
                let to = &mut out[k * size..(k + 1) * size];
                multiply(&old[..size], &dots[k * size..(k + 1) * size], to, n);
                multiply(&dots[..size], &old[k * size..(k + 1) * size], product, n);
                add(to, product, 1.0);
                for j in 1..=k {
                    add(to, &dots[j * size..(j + 1) * size], 1.0 / FACTORIAL[k - j]);
                }
                let shrink = 0.5f64.powi(k as i32);
                to.iter_mut().for_each(|x| *x *= shrink);
            }
            dots.copy_from_slice(&out[..count]);
        }
        out[..count].copy_from_slice(dots);
    }

    /// The adjoint of the matrix from those of the results, into `to`.
    pub fn adjoint(&mut self, bars: &[f64], to: &mut [f64]) {
        let (n, top) = (self.n, self.top);
        let size = n * n;
        let count = (top + 1) * size;
        let (bar, work) = self.work.split_at_mut(count);
        let (old_bar, work) = work.split_at_mut(count);
        let (scaled, high) = work[..2 * size].split_at_mut(size);
        bar.copy_from_slice(&bars[..count]);
        for level in (0..self.doublings).rev() {
            let old = &self.levels[level * count..(level + 1) * count];
            old_bar.fill(0.0);
            for k in 0..=top {
                let shrink = 0.5f64.powi(k as i32);
                let of = &bar[k * size..(k + 1) * size];
                if of.iter().all(|x| *x == 0.0) {
                    continue;
                }
                let pairs = scaled.iter_mut().zip(of);
                pairs.for_each(|(to, x)| *to = x * shrink);
                let old_k = &old[k * size..(k + 1) * size];
                add_times_transposed(scaled, old_k, &mut old_bar[..size], n);
                let to = &mut old_bar[k * size..(k + 1) * size];
                add_transposed_times(&old[..size], scaled, to, n);
                for j in 1..=k {
                    let to = &mut old_bar[j * size..(j + 1) * size];
                    add(to, scaled, 1.0 / FACTORIAL[k - j]);
                }
            }
            bar.copy_from_slice(old_bar);
        }
        to.fill(0.0);
        for k in 1..=top {
            let (low, above) = bar.split_at_mut(k * size);
            let low = &low[(k - 1) * size..];
            add_times_transposed(low, &self.levels[k * size..(k + 1) * size], to, n);
            add_transposed_times(&self.a, low, &mut above[..size], n);
        }
        high.copy_from_slice(&bar[top * size..count]);
        for j in (0..TERMS).rev() {
            let old = &self.horner[j * size..(j + 1) * size];
            add_times_transposed(high, old, to, n);
            scaled.fill(0.0);
            add_transposed_times(&self.a, high, scaled, n);
            high.copy_from_slice(scaled);
        }
        to.iter_mut().for_each(|x| *x *= self.scale);
    }
}

/// a += factor · b
fn add(a: &mut [f64], b: &[f64], factor: f64) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += factor * b);
}

/// c += a bᵀ
fn add_times_transposed(a: &[f64], b: &[f64], c: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..n {
            let pairs = a[i * n..][..n].iter().zip(&b[j * n..][..n]);
            c[i * n + j] += pairs.map(|(a, b)| a * b).sum::<f64>();
        }
    }
}

/// c += aᵀ b
fn add_transposed_times(a: &[f64], b: &[f64], c: &mut [f64], n: usize) {
    for k in 0..n {
        for i in 0..n {
            let x = a[k * n + i];
            if x != 0.0 {
                let pairs = c[i * n..][..n].iter_mut().zip(&b[k * n..][..n]);
                pairs.for_each(|(c, b)| *c += x * b);
            }
        }
    }
}
