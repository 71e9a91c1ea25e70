//! Derivatives of the functions, from all that their algorithm has made.

use super::super::arena::Arena;
use super::algebra::transform;
use super::series::{SERIES, Series, begin, double, matrix, matrix_mut};
use super::{Made, Side, Work, make_small, over, results, sides, sides_mut};
use crate::real::Lane;
use crate::simd::Level;
use std::ops::Range;

/// All intermediate results for matrices side by side, from which derivatives follow.
#[derive(Default)]
pub(in super::super) struct History {
    side: usize,
    n: usize,
    top: usize,
    /// How often each matrix was halved, and the factors that this makes.
    doublings: Vec<usize>,
    factors: Vec<f64>,
    diagonal: Vec<f64>,
    /// Of as many as have been needed, those that were made.
    matrices: Arena<f64>,
    /// Tangents or adjoints of the matrices.
    changes: Arena<f64>,
}

impl History {
    /// Runs the algorithm on `a`, with the results in `out`.
    pub fn record(&mut self, level: Level, [side, n, top]: [usize; 3], a: &[f64], out: &mut [f64]) {
        (self.side, self.n, self.top) = (side, n, top);
        self.diagonal.resize(4 * n * side, 0.0);
        grow(&mut self.matrices, a.len());
        self.matrices[..a.len()].copy_from_slice(a);
        over(level, side, Recording { history: self, out });
    }

    /// The derivatives of the results in direction `da`, into `out`.
    pub fn tangent(&mut self, level: Level, da: &[f64], out: &mut [f64]) {
        grow(&mut self.changes, self.matrices.len());
        let (side, history) = (self.side, self);
        over(level, side, Tangents { history, da, out });
    }

    /// The adjoint of the matrix from those of the results, into `to`.
    pub fn adjoint(&mut self, level: Level, bars: &[f64], to: &mut [f64]) {
        grow(&mut self.changes, self.matrices.len());
        self.changes.fill(0.0);
        let (side, history) = (self.side, self);
        over(level, side, Adjoints { history, bars, to });
    }

    fn series(&self) -> &'static Series {
        &SERIES[self.top]
    }

    /// What derivatives are made of.
    #[inline(always)]
    fn parts<const W: usize>(&mut self) -> Parts<'_, W> {
        let doublings = *self.doublings.first_chunk().expect("one for each matrix");
        let factor = *self.factors.first_chunk().expect("one for each matrix");
        let (series, made) = (self.series(), Made { doublings, factor });
        let numbers = series.matrices(made.most()) * self.n * self.n * W;
        Parts {
            series,
            made,
            scales: sides(&self.diagonal)[..2 * self.n].split_at(self.n),
            diagonal: sides(&self.diagonal),
            matrices: sides_mut(&mut self.matrices[..numbers]),
            changes: sides_mut(&mut self.changes[..numbers]),
        }
    }
}

struct Parts<'a, const W: usize> {
    series: &'static Series,
    made: Made<W>,
    diagonal: &'a [Side<W>],
    /// What balanced the matrices, and its inverse.
    scales: (&'a [Side<W>], &'a [Side<W>]),
    matrices: &'a mut [Side<W>],
    changes: &'a mut [Side<W>],
}

/// Makes room for so many numbers; those that are there stay.
fn grow(arena: &mut Arena<f64>, numbers: usize) {
    if arena.len() < numbers {
        let mut larger = Arena::new(numbers);
        larger[..arena.len()].copy_from_slice(arena);
        *arena = larger;
    }
}

/// Where the functions of the balanced matrix are: the last matrices.
#[inline(always)]
fn last<const W: usize>(series: &Series, matrices: &[Side<W>], n: usize) -> Range<usize> {
    let len = matrices.len();
    len - (series.top + 1) * n * n..len
}

struct Recording<'a> {
    history: &'a mut History,
    out: &'a mut [f64],
}

impl Work for Recording<'_> {
    fn n(&self) -> usize {
        self.history.n
    }
    #[inline(always)]
    fn run<R: Lane<f64>, const W: usize>(&mut self, n: usize) {
        let (history, size) = (&mut *self.history, n * n);
        let series = history.series();
        let diagonal = sides_mut(&mut history.diagonal);
        let made = make_small::<W>(sides_mut(&mut history.matrices), diagonal, n);
        let numbers = series.matrices(made.most()) * size * W;
        grow(&mut history.matrices, numbers);
        let matrices = sides_mut(&mut history.matrices[..numbers]);
        begin::<R, W>(series, matrices, n);
        for doubling in 0..made.most() {
            let [old, new] = series.levels(doubling, matrices, size);
            double::<R, W>(series, old, new, n);
            made.keep(doubling, old, new);
        }
        let functions = &matrices[last(series, matrices, n)];
        results(functions, diagonal, sides_mut(self.out), n);
        history.doublings.clear();
        history.doublings.extend_from_slice(&made.doublings);
        history.factors.clear();
        history.factors.extend_from_slice(&made.factor);
    }
}

struct Tangents<'a> {
    history: &'a mut History,
    da: &'a [f64],
    out: &'a mut [f64],
}

impl Work for Tangents<'_> {
    fn n(&self) -> usize {
        self.history.n
    }
    #[inline(always)]
    fn run<R: Lane<f64>, const W: usize>(&mut self, n: usize) {
        let size = n * n;
        let Parts {
            series,
            made,
            diagonal,
            scales: (d, inverse),
            matrices,
            changes: dots,
        } = self.history.parts::<W>();
        transform(sides(self.da), [inverse, d], made.factor, dots, n);
        for step in series.begin() {
            let (read, to) = dots.split_at_mut(step.to * size);
            step.tangent::<R, W>((matrices, read), to, n);
        }
        for doubling in 0..made.most() {
            let [old, _] = series.levels(doubling, matrices, size);
            let [read, new] = series.levels(doubling, dots, size);
            for step in series.double() {
                step.tangent::<R, W>((old, read), matrix_mut(new, step.to, size), n);
            }
            made.keep(doubling, read, new);
        }
        let functions = &dots[last(series, dots, n)];
        results(functions, diagonal, sides_mut(self.out), n);
    }
}

struct Adjoints<'a> {
    history: &'a mut History,
    bars: &'a [f64],
    to: &'a mut [f64],
}

impl Work for Adjoints<'_> {
    fn n(&self) -> usize {
        self.history.n
    }
    #[inline(always)]
    fn run<R: Lane<f64>, const W: usize>(&mut self, n: usize) {
        let size = n * n;
        let Parts {
            series,
            made,
            scales: (d, inverse),
            matrices,
            changes: bars,
            ..
        } = self.history.parts::<W>();
        let functions = last(series, bars, n);
        let of_functions = bars[functions].chunks_exact_mut(size).rev();
        for (to, bar) in of_functions.zip(sides(self.bars).chunks_exact(size)) {
            transform(bar, [d, inverse], [1.0; W], to, n);
        }
        for doubling in (0..made.most()).rev() {
            let [old, _] = series.levels(doubling, matrices, size);
            let [to, new] = series.levels(doubling, bars, size);
            made.pass(doubling, new, to);
            for step in series.double().iter().rev() {
                step.adjoint::<R, W>(old, (&mut *to, matrix(new, step.to, size)), n);
            }
        }
        for step in series.begin().iter().rev() {
            let (to, bar) = bars.split_at_mut(step.to * size);
            step.adjoint::<R, W>(matrices, (to, &bar[..size]), n);
        }
        let to = sides_mut(self.to);
        transform(bars, [inverse, d], made.factor, to, n);
    }
}
