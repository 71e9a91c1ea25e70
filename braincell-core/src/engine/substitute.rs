//! Solutions with the factors of the blocks of a local Jacobian, several elements at a time.

use super::dense;
use super::jacobian::Site;
use super::sparse::{Lanes, Plan, UNSWAPPED, W, minus_product, numbers, product};
use crate::kernel::{Storage, array_mut};
use crate::real::Lane;
use crate::simd::Body;

/// Forward and backward substitution, or one of them, for all elements.
pub(super) struct Substitute<'a, F> {
    pub plan: &'a Plan,
    pub site: &'a Site,
    pub matrices: &'a [f64],
    pub swaps: &'a [u32],
    pub scratch: &'a mut [f64],
    pub arena: &'a mut [F],
    /// Arrays to read and to write, one per stage.
    pub b: &'a [usize],
    pub x: &'a [usize],
    pub transposed: bool,
    pub forward: bool,
    pub backward: bool,
}

impl<F: Storage> Body<f64> for Substitute<'_, F> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        let Self {
            plan,
            site,
            matrices,
            swaps,
            scratch,
            arena,
            b,
            x,
            transposed,
            forward,
            backward,
        } = self;
        let (n, keep) = (plan.n, plan.keep);
        let size = n * n;
        let (vector, aside) = scratch.split_at_mut(n * W);
        let (vector, _) = vector.as_chunks_mut::<W>();
        let (some, swaps) = swaps.split_at(site.elements.div_ceil(W));
        for (start, some) in (0..site.elements).step_by(W).zip(some) {
            let count = (site.elements - start).min(W);
            read(site, start, count, b, arena, vector);
            let (matrix, _) = matrices[start * size..][..size * W].as_chunks::<W>();
            let swapped = |l: usize| swaps[(start + l) * n] != UNSWAPPED;
            // Elements with swapped rows begin anew below, from what was read.
            let any = plan.eliminates() && *some != 0;
            if any {
                for (x, lanes) in aside[size..].chunks_exact_mut(W).zip(&*vector) {
                    x.copy_from_slice(lanes);
                }
            }
            match (forward, transposed) {
                (false, _) => {}
                (true, false) => ahead::<R>(plan, matrix, vector),
                (true, true) => ahead_transposed::<R>(plan, matrix, vector),
            }
            match (backward, transposed) {
                (false, _) => {}
                (true, false) => back::<R>(plan, matrix, vector),
                (true, true) => back_transposed::<R>(plan, matrix, vector),
            }
            if any {
                let (block, first) = aside.split_at_mut(size);
                let (first, column) = first.split_at_mut(n * W);
                let column = &mut column[..n];
                for l in (0..count).filter(|&l| swapped(l)) {
                    for (to, from) in block.iter_mut().zip(matrix) {
                        *to = from[l];
                    }
                    for (k, x) in column.iter_mut().enumerate() {
                        *x = first[k * W + l];
                    }
                    let swaps = &swaps[(start + l) * n..][..n];
                    match (forward, transposed) {
                        (false, _) => {}
                        (true, false) => dense::forward(block, n, keep, swaps, column),
                        (true, true) => dense::forward_transposed(block, n, keep, column),
                    }
                    match (backward, transposed) {
                        (false, _) => {}
                        (true, false) => dense::backward(block, n, keep, column),
                        (true, true) => dense::backward_transposed(block, n, keep, swaps, column),
                    }
                    for (lanes, x) in vector.iter_mut().zip(&*column) {
                        lanes[l] = *x;
                    }
                }
            }
            write(site, start, count, x, vector, arena);
        }
    }
}

/// Number i · s + p of the vector is unknown i of stage p; 0 where an element does not have it.
#[inline(always)]
fn read<F: Storage>(
    site: &Site,
    start: usize,
    count: usize,
    b: &[usize],
    arena: &[F],
    to: &mut [Lanes],
) {
    let s = b.len();
    for (i, unknown) in site.unknowns.iter().enumerate() {
        for (p, base) in b.iter().enumerate() {
            let to = &mut to[i * s + p];
            match &unknown.places {
                None => *to = numbers(&arena[base + unknown.offset + start..][..count]),
                Some(_) => {
                    *to = [0.0; W];
                    for (l, to) in to[..count].iter_mut().enumerate() {
                        let place = unknown.place(start + l);
                        *to = place.map_or(0.0, |place| arena[base + place].to_f64());
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn write<F: Storage>(
    site: &Site,
    start: usize,
    count: usize,
    x: &[usize],
    from: &[Lanes],
    arena: &mut [F],
) {
    let s = x.len();
    for (i, unknown) in site.unknowns.iter().enumerate() {
        for (p, base) in x.iter().enumerate() {
            let from = &from[i * s + p];
            match &unknown.places {
                None => {
                    let to = &mut arena[base + unknown.offset + start..][..count];
                    if count == W {
                        let mut x = [F::default(); W];
                        for l in 0..W {
                            x[l] = F::from_f64(from[l]);
                        }
                        *array_mut(to) = x;
                    } else {
                        for (to, from) in to.iter_mut().zip(from) {
                            *to = F::from_f64(*from);
                        }
                    }
                }
                Some(_) => {
                    for (l, from) in from[..count].iter().enumerate() {
                        if let Some(place) = unknown.place(start + l) {
                            arena[base + place] = F::from_f64(*from);
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn ahead<R: Lane<f64>>(plan: &Plan, matrix: &[Lanes], v: &mut [Lanes]) {
    for (k, step) in plan.steps.iter().enumerate() {
        let x = v[k];
        for &i in &step.below {
            minus_product::<R>(&mut v[i], &matrix[i * plan.n + k], &x);
        }
    }
}

#[inline(always)]
fn back<R: Lane<f64>>(plan: &Plan, matrix: &[Lanes], v: &mut [Lanes]) {
    for (k, step) in plan.steps.iter().enumerate().rev() {
        let row = &matrix[k * plan.n..];
        let mut x = v[k];
        for &j in &step.right {
            minus_product::<R>(&mut x, &row[j], &v[j]);
        }
        v[k] = product::<R>(&x, &row[k]);
    }
}

#[inline(always)]
fn ahead_transposed<R: Lane<f64>>(plan: &Plan, matrix: &[Lanes], v: &mut [Lanes]) {
    for (k, step) in plan.steps.iter().enumerate() {
        let row = &matrix[k * plan.n..];
        let x = product::<R>(&v[k], &row[k]);
        v[k] = x;
        for &j in &step.right {
            minus_product::<R>(&mut v[j], &row[j], &x);
        }
    }
}

#[inline(always)]
fn back_transposed<R: Lane<f64>>(plan: &Plan, matrix: &[Lanes], v: &mut [Lanes]) {
    for (k, step) in plan.steps.iter().enumerate().rev() {
        let mut x = v[k];
        for &i in &step.below {
            minus_product::<R>(&mut x, &matrix[i * plan.n + k], &v[i]);
        }
        v[k] = x;
    }
}
