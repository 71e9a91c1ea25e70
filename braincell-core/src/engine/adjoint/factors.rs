//! Factors of linear systems in the record, so that the way back need not make them again.

use super::super::axial::Axial;
use super::super::exec::{Context, Workspace};
use super::super::local::{Factors, LocalJacobian};
use super::super::sparse::{Plan, W};
use crate::kernel::{array, array_mut};

impl Plan {
    /// How many numbers [`Plan::save`] appends at most.
    fn saved(&self, elements: usize) -> usize {
        let chunks = elements.div_ceil(W);
        let swaps = chunks + elements * self.n;
        chunks * W * self.n * self.n + swaps.div_ceil(2) + 1
    }

    /// Places of a block that hold something. Where rows were swapped that may be any.
    fn occupied(&self, swapped: bool) -> impl DoubleEndedIterator<Item = usize> {
        let all = 0..if swapped { self.n * self.n } else { 0 };
        let planned = if swapped { &[] } else { &self.places[..] };
        planned.iter().map(|(place, _)| *place).chain(all)
    }

    /// Appends the factors of so many elements to a log.
    fn save(&self, elements: usize, matrices: &[f64], swaps: &[u32], log: &mut Vec<f64>) {
        let chunks = elements.div_ceil(W);
        let size = self.n * self.n * W;
        for (matrix, swapped) in matrices.chunks_exact(size).zip(&swaps[..chunks]) {
            for place in self.occupied(*swapped != 0) {
                // Copied without a call.
                let from: [f64; W] = array(&matrix[place * W..]);
                log.extend_from_slice(&from);
            }
        }
        // Rows are hardly ever swapped.
        let swapped = swaps[..chunks].iter().any(|chunk| *chunk != 0);
        if swapped {
            let pairs = swaps[..chunks + elements * self.n].chunks(2);
            log.extend(pairs.map(|pair| {
                let second = pair.get(1).copied().unwrap_or(0);
                f64::from_bits(u64::from(pair[0]) | u64::from(second) << 32)
            }));
        }
        log.push(f64::from(u8::from(swapped)));
    }

    /// Takes what [`Plan::save`] has appended off a log.
    fn restore(
        &self,
        elements: usize,
        matrices: &mut [f64],
        swaps: &mut [u32],
        log: &mut Vec<f64>,
    ) {
        let chunks = elements.div_ceil(W);
        let size = self.n * self.n * W;
        let swaps = &mut swaps[..chunks + elements * self.n];
        if log.pop() == Some(0.0) {
            swaps[..chunks].fill(0);
        } else {
            let from = log.len() - swaps.len().div_ceil(2);
            for (pair, x) in swaps.chunks_mut(2).zip(&log[from..]) {
                let halves = [x.to_bits() as u32, (x.to_bits() >> 32) as u32];
                pair.copy_from_slice(&halves[..pair.len()]);
            }
            log.truncate(from);
        }
        let mut end = log.len();
        let blocks = matrices[..chunks * size].chunks_exact_mut(size);
        let blocks = blocks.zip(&swaps[..chunks]);
        for (matrix, swapped) in blocks.rev() {
            for place in self.occupied(*swapped != 0).rev() {
                let to: &mut [f64; W] = array_mut(&mut matrix[place * W..]);
                *to = array(&log[end - W..]);
                end -= W;
            }
        }
        log.truncate(end);
    }
}

impl LocalJacobian {
    /// How many numbers [`LocalJacobian::save`] appends at most.
    pub(super) fn saved(
        &self,
        factors: Factors,
        axial: Option<&Axial<f64>>,
        lanes: usize,
    ) -> usize {
        let plan = self.plan(factors.stages);
        let rows = axial.filter(|_| factors.tree.is_some());
        let blocks = match plan.eliminates() {
            true => plan.saved(self.site.elements),
            false => 0,
        };
        blocks + rows.map_or(0, |axial| axial.nodes() * lanes)
    }

    /// Appends the factors of one stage to a log.
    pub(super) fn save(
        &self,
        factors: Factors,
        context: &Context<f64>,
        w: &Workspace<f64>,
        log: &mut Vec<f64>,
    ) {
        let plan = self.plan(factors.stages);
        if plan.eliminates() {
            let (matrices, swaps) = (&w.wide[factors.matrices..], &w.swaps[factors.swaps..]);
            plan.save(self.site.elements, matrices, swaps, log);
        }
        if let (Some(axial), Some(tree)) = (context.axial, factors.tree) {
            let rows = axial.nodes() * context.layout.lanes;
            log.extend_from_slice(&w.tree[tree.pivots..][..rows]);
        }
    }

    /// Takes what [`LocalJacobian::save`] has appended off a log.
    pub(super) fn restore(
        &self,
        factors: Factors,
        context: &Context<f64>,
        w: &mut Workspace<f64>,
        log: &mut Vec<f64>,
    ) {
        if let (Some(axial), Some(tree)) = (context.axial, factors.tree) {
            let rows = axial.nodes() * context.layout.lanes;
            let from = log.len() - rows;
            w.tree[tree.pivots..][..rows].copy_from_slice(&log[from..]);
            log.truncate(from);
        }
        let plan = self.plan(factors.stages);
        if plan.eliminates() {
            let (matrices, swaps) = (
                &mut w.wide[factors.matrices..],
                &mut w.swaps[factors.swaps..],
            );
            plan.restore(self.site.elements, matrices, swaps, log);
        }
    }
}
