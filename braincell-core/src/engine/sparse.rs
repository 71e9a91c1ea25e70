//! Elimination of the blocks of a local Jacobian, several elements at a time.
//!
//! Which entries of a block can differ from zero is known from the kernels, so the elimination is planned once: a list of
//! operations without loops over zeros, the same for all elements, which therefore run side by side in vector lanes.
//!
//! The plan does not exchange rows. That is sound for most blocks of I - h J, whose pivots are 1 plus decay rates. Where a
//! pivot loses digits to cancellation, that element alone is factored again with partial pivoting, so that its result
//! depends on no other element.

use super::dense;
use crate::kernel::{Storage, array};
use crate::real::Lane;
use crate::simd::Body;

/// Elements that are worked on together.
pub(super) const W: usize = 16;
/// An element is factored with pivoting if a pivot is smaller than this fraction of the terms it is the sum of.
const CANCELLED: f64 = 1e-3;
/// In the place of an element's first row swap: no rows were swapped. Before the swaps of all elements it is noted for each
/// chunk whether there are any.
pub(super) const UNSWAPPED: u32 = u32::MAX;

/// How a block of order n is eliminated: the leading `n - keep` unknowns, without pivoting. Numbers are those of the places
/// in the row-major matrix.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub n: usize,
    stages: usize,
    /// How many unknowns are left over.
    pub keep: usize,
    /// The pivots' eliminations in order.
    pub steps: Vec<Step>,
    /// Places that hold something, before or after, with the numbers of the unit matrix.
    pub places: Vec<(usize, f64)>,
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Rows below the pivot with an entry in its column.
    pub below: Vec<usize>,
    /// Columns to the right with an entry in its row.
    pub right: Vec<usize>,
    /// Earlier steps that change the pivot.
    before: Vec<usize>,
}

impl Plan {
    /// For `unknowns` unknowns in each of `stages` stages, with the given entries of J. If `tree`, the stages of the last
    /// unknown are left over.
    pub fn new(unknowns: usize, stages: usize, tree: bool, entries: &[(usize, usize)]) -> Self {
        let n = unknowns * stages;
        let keep = if tree { stages } else { 0 };
        let mut there = vec![false; n * n];
        for k in 0..n {
            there[k * n + k] = true;
        }
        for &(i, j) in entries {
            for p in 0..stages {
                for q in 0..stages {
                    there[(i * stages + p) * n + j * stages + q] = true;
                }
            }
        }
        let mut steps: Vec<Step> = Vec::with_capacity(n - keep);
        for k in 0..n - keep {
            let below: Vec<usize> = (k + 1..n).filter(|i| there[i * n + k]).collect();
            let right: Vec<usize> = (k + 1..n).filter(|j| there[k * n + j]).collect();
            for i in &below {
                for j in &right {
                    there[i * n + j] = true;
                }
            }
            let changes = |step: &Step| step.below.contains(&k) && step.right.contains(&k);
            let before = (0..k).filter(|&above| changes(&steps[above])).collect();
            steps.push(Step {
                below,
                right,
                before,
            });
        }
        let unit = |place: usize| if place / n == place % n { 1.0 } else { 0.0 };
        let places = (0..n * n).filter(|&place| there[place]);
        let places = places.map(|place| (place, unit(place))).collect();
        Self {
            n,
            stages,
            keep,
            steps,
            places,
        }
    }

    /// Numbers needed to keep the factors of so many elements: matrices, swaps, scratch.
    pub fn sizes(&self, elements: usize) -> [usize; 3] {
        let square = self.n * self.n;
        let matrices = elements.div_ceil(W) * W * square;
        let swaps = elements.div_ceil(W) + elements * self.n;
        [matrices, swaps, 2 * W * square + W * self.n]
    }

    /// Whether anything is eliminated.
    pub fn eliminates(&self) -> bool {
        !self.steps.is_empty()
    }

    /// The number left over of each element, with one stage.
    pub fn remainders<F: Storage>(&self, matrices: &[f64], to: &mut [F]) {
        let size = self.n * self.n;
        let blocks = matrices.chunks_exact(size * W);
        for (to, block) in to.chunks_mut(W).zip(blocks) {
            for (to, x) in to.iter_mut().zip(&block[(size - 1) * W..]) {
                *to = F::from_f64(*x);
            }
        }
    }

    /// The block of the unknowns left over, of an element.
    pub fn remainder(&self, matrices: &[f64], e: usize, to: &mut [f64]) {
        let (n, s) = (self.n, self.keep);
        let matrix = &matrices[e / W * W * n * n..];
        for p in 0..s {
            for q in 0..s {
                let place = (n - s + p) * n + n - s + q;
                to[p * s + q] = matrix[place * W + e % W];
            }
        }
    }
}

/// The blocks I - A ⊗ J.
pub(super) struct Blocks<'a, F> {
    pub entries: &'a [(usize, usize, usize)],
    pub a: &'a [f64],
    pub shift: &'a [usize],
    pub arena: &'a [F],
}

/// Factors the blocks of the elements chosen.
pub(super) struct Factor<'a, F, S> {
    pub plan: &'a Plan,
    pub blocks: Blocks<'a, F>,
    pub elements: usize,
    pub matrices: &'a mut [f64],
    pub swaps: &'a mut [u32],
    pub scratch: &'a mut [f64],
    pub select: S,
}

/// An array's worth of lanes.
pub(super) type Lanes = [f64; W];

/// Up to W numbers; what is missing is 0.
#[inline(always)]
pub(super) fn numbers<F: Storage>(from: &[F]) -> Lanes {
    let mut x = [0.0; W];
    if from.len() == W {
        // Copied as a whole: numbers stored one by one are slow to load together.
        let from: [F; W] = array(from);
        for l in 0..W {
            x[l] = from[l].to_f64();
        }
    } else {
        for (x, from) in x.iter_mut().zip(from) {
            *x = from.to_f64();
        }
    }
    x
}

/// t - a b
#[inline(always)]
pub(super) fn minus_product<R: Lane<f64>>(t: &mut Lanes, a: &Lanes, b: &Lanes) {
    let (x, y) = (*a, *b);
    let mut sum = *t;
    for l in 0..W {
        sum[l] = (-R::load(x[l]))
            .mul_add(R::load(y[l]), R::load(sum[l]))
            .store();
    }
    *t = sum;
}

#[inline(always)]
pub(super) fn product<R: Lane<f64>>(a: &Lanes, b: &Lanes) -> Lanes {
    let mut c = [0.0; W];
    for l in 0..W {
        c[l] = (R::load(a[l]) * R::load(b[l])).store();
    }
    c
}

impl<F: Storage, S: Fn(&[F], usize) -> bool> Body<f64> for Factor<'_, F, S> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        let Self {
            plan,
            blocks,
            elements,
            matrices,
            swaps,
            scratch,
            select,
        } = self;
        let n = plan.n;
        let size = n * n;
        let (aside, one) = scratch.split_at_mut(size * W);
        let (aside, _) = aside.as_chunks_mut::<W>();
        let (swapped, swaps) = swaps.split_at_mut(elements.div_ceil(W));
        for (start, swapped) in (0..elements).step_by(W).zip(swapped) {
            let count = (elements - start).min(W);
            let mut chosen = [false; W];
            for (l, chosen) in chosen[..count].iter_mut().enumerate() {
                *chosen = select(blocks.arena, start + l);
            }
            if !chosen.contains(&true) {
                continue;
            }
            let (kept, _) = matrices[start * size..][..size * W].as_chunks_mut::<W>();
            // The factors of elements that were not chosen stay.
            let all = !chosen[..count].contains(&false);
            let matrix = if all { &mut *kept } else { &mut *aside };
            load::<F, R>(plan, &blocks, start, count, matrix);
            let troubled = eliminate::<R>(plan, matrix);
            let all_swaps = &mut swaps[start * n..][..count * n];
            if troubled != [false; W] || *swapped != 0 {
                if *swapped == 0 {
                    all_swaps
                        .iter_mut()
                        .step_by(n)
                        .for_each(|first| *first = UNSWAPPED);
                }
                for l in (0..count).filter(|&l| chosen[l]) {
                    let swaps = &mut all_swaps[l * n..][..n];
                    swaps[0] = UNSWAPPED;
                    if troubled[l] {
                        let one = &mut one[..size];
                        dense_block(plan, &blocks, start + l, one);
                        dense::factor(one, n, plan.keep, swaps);
                        for (place, x) in matrix.iter_mut().zip(&*one) {
                            place[l] = *x;
                        }
                    }
                }
                let any = all_swaps.iter().step_by(n).any(|first| *first != UNSWAPPED);
                *swapped = u32::from(any);
            }
            if !all {
                for l in (0..count).filter(|&l| chosen[l]) {
                    for (to, from) in kept.iter_mut().zip(&*aside) {
                        to[l] = from[l];
                    }
                }
            }
        }
    }
}

/// The blocks of elements `start .. start + count`.
#[inline(always)]
fn load<F: Storage, R: Lane<f64>>(
    plan: &Plan,
    blocks: &Blocks<'_, F>,
    start: usize,
    count: usize,
    matrix: &mut [Lanes],
) {
    let Plan {
        n,
        stages: s,
        places,
        ..
    } = plan;
    let (n, s) = (*n, *s);
    for &(place, unit) in places {
        matrix[place] = [unit; W];
    }
    for &(i, j, plane) in blocks.entries {
        for q in 0..s {
            let from = plane + blocks.shift[q] + start;
            let entry = numbers(&blocks.arena[from..from + count]);
            for p in 0..s {
                let a = [blocks.a[p * s + q]; W];
                minus_product::<R>(&mut matrix[(i * s + p) * n + j * s + q], &a, &entry);
            }
        }
    }
}

/// The whole block of one element.
fn dense_block<F: Storage>(plan: &Plan, blocks: &Blocks<'_, F>, e: usize, to: &mut [f64]) {
    let (n, s) = (plan.n, plan.stages);
    to.fill(0.0);
    for k in 0..n {
        to[k * n + k] = 1.0;
    }
    for &(i, j, plane) in blocks.entries {
        for p in 0..s {
            for q in 0..s {
                let entry = blocks.arena[plane + blocks.shift[q] + e].to_f64();
                to[(i * s + p) * n + j * s + q] -= blocks.a[p * s + q] * entry;
            }
        }
    }
}

/// LU factorisation without pivoting; the pivots are replaced by their reciprocals. Returns which lanes lost digits.
#[inline(always)]
fn eliminate<R: Lane<f64>>(plan: &Plan, matrix: &mut [Lanes]) -> [bool; W] {
    let n = plan.n;
    let mut troubled = [0.0; W];
    for (k, step) in plan.steps.iter().enumerate() {
        // What the pivot is the sum of: 1 or its own entry, and a product for every row above with an entry in its column.
        // The factors are there still.
        let pivot = matrix[k * n + k];
        let mut largest = [1.0; W];
        for &above in &step.before {
            let (a, b) = (matrix[k * n + above], matrix[above * n + k]);
            for l in 0..W {
                let term = (R::load(a[l]) * R::load(b[l])).abs();
                let sum = R::load(largest[l]);
                largest[l] = sum.if_less(term, term, sum).store();
            }
        }
        let mut reciprocal = [0.0; W];
        for l in 0..W {
            let x = R::load(pivot[l]);
            reciprocal[l] = (R::one() / x).store();
            // A pivot that is not a number is no smaller than anything, and spoils what it touches, as it should.
            let cancelled = x.abs().if_less(
                R::load(largest[l]) * CANCELLED,
                R::one(),
                R::load(troubled[l]),
            );
            troubled[l] = cancelled.store();
        }
        matrix[k * n + k] = reciprocal;
        for &i in &step.below {
            let factor = product::<R>(&matrix[i * n + k], &reciprocal);
            matrix[i * n + k] = factor;
            for &j in &step.right {
                let row = matrix[k * n + j];
                minus_product::<R>(&mut matrix[i * n + j], &factor, &row);
            }
        }
    }
    troubled.map(|x| x != 0.0)
}
