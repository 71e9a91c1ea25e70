//! Derivatives of the functions, from all that their algorithm has made.

use super::algebra::transform;
use super::{Made, SERIES, Series, begin, double, make_small, matrix, matrix_mut, results, sized};
use crate::real::Lane;
use crate::simd::{Body, Level, dispatch};
use std::ops::Range;

/// All intermediate results for one matrix, from which derivatives follow.
#[derive(Default)]
pub(in super::super) struct History {
    n: usize,
    top: usize,
    made: Made,
    diagonal: Vec<f64>,
    matrices: Vec<f64>,
    /// Tangents or adjoints of the matrices.
    changes: Vec<f64>,
}

impl History {
    /// Runs the algorithm on `a`, with the results in `out`.
    pub fn record(&mut self, level: Level, [n, top]: [usize; 2], a: &[f64], out: &mut [f64]) {
        (self.n, self.top) = (n, top);
        self.diagonal.resize(4 * n, 0.0);
        self.matrices.clear();
        self.matrices.extend_from_slice(a);
        let history = self;
        dispatch(level, Recording { history, out });
    }

    /// The derivatives of the results in direction `da`, into `out`.
    pub fn tangent(&mut self, level: Level, da: &[f64], out: &mut [f64]) {
        self.changes.resize(self.matrices.len(), 0.0);
        let history = self;
        dispatch(level, Tangents { history, da, out });
    }

    /// The adjoint of the matrix from those of the results, into `to`.
    pub fn adjoint(&mut self, level: Level, bars: &[f64], to: &mut [f64]) {
        self.changes.clear();
        self.changes.resize(self.matrices.len(), 0.0);
        let history = self;
        dispatch(level, Adjoints { history, bars, to });
    }

    fn series(&self) -> &'static Series {
        &SERIES[self.top]
    }
}

/// Where the functions of the balanced matrix are: the last matrices.
#[inline(always)]
fn last(series: &Series, matrices: &[f64], n: usize) -> Range<usize> {
    let len = matrices.len();
    len - (series.top + 1) * n * n..len
}

struct Recording<'a> {
    history: &'a mut History,
    out: &'a mut [f64],
}

impl Body<f64> for Recording<'_> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        let series = self.history.series();
        let History {
            made,
            diagonal,
            matrices,
            ..
        } = self.history;
        sized!(self.history.n, |n| {
            *made = make_small(matrices, diagonal, n);
            matrices.resize(series.matrices(made.doublings) * n * n, 0.0);
            begin::<R>(series, matrices, n);
            for doubling in 0..made.doublings {
                let [old, new] = series.levels(doubling, matrices, n * n);
                double::<R>(series, old, new, n);
            }
            results(&matrices[last(series, matrices, n)], diagonal, self.out, n);
        });
    }
}

struct Tangents<'a> {
    history: &'a mut History,
    da: &'a [f64],
    out: &'a mut [f64],
}

impl Body<f64> for Tangents<'_> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        let series = self.history.series();
        let History {
            made,
            diagonal,
            matrices,
            changes: dots,
            ..
        } = self.history;
        sized!(self.history.n, |n| {
            let size = n * n;
            let (d, inverse) = diagonal[..2 * n].split_at(n);
            transform(self.da, [inverse, d], made.factor, dots, n);
            for step in series.begin() {
                let (read, to) = dots.split_at_mut(step.to * size);
                step.tangent::<R>((matrices, read), to, n);
            }
            for doubling in 0..made.doublings {
                let [old, _] = series.levels(doubling, matrices, size);
                let [read, new] = series.levels(doubling, dots, size);
                for step in series.double() {
                    step.tangent::<R>((old, read), matrix_mut(new, step.to, size), n);
                }
            }
            results(&dots[last(series, dots, n)], diagonal, self.out, n);
        });
    }
}

struct Adjoints<'a> {
    history: &'a mut History,
    bars: &'a [f64],
    to: &'a mut [f64],
}

impl Body<f64> for Adjoints<'_> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        let series = self.history.series();
        let History {
            made,
            diagonal,
            matrices,
            changes: bars,
            ..
        } = self.history;
        sized!(self.history.n, |n| {
            let size = n * n;
            let (d, inverse) = diagonal[..2 * n].split_at(n);
            let functions = last(series, bars, n);
            let of_functions = bars[functions].chunks_exact_mut(size).rev();
            for (to, bar) in of_functions.zip(self.bars.chunks_exact(size)) {
                transform(bar, [d, inverse], 1.0, to, n);
            }
            for doubling in (0..made.doublings).rev() {
                let [old, _] = series.levels(doubling, matrices, size);
                let [to, new] = series.levels(doubling, bars, size);
                for step in series.double().iter().rev() {
                    step.adjoint::<R>(old, (&mut *to, matrix(new, step.to, size)), n);
                }
            }
            for step in series.begin().iter().rev() {
                let (to, bar) = bars.split_at_mut(step.to * size);
                step.adjoint::<R>(matrices, (to, &bar[..size]), n);
            }
            transform(bars, [inverse, d], made.factor, self.to, n);
        });
    }
}
