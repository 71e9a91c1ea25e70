//! Loops over whole arrays.

use crate::kernel::{array, array_mut};
use crate::real::{Element, Lane};
use crate::simd::{Body, Level, dispatch};

/// Numbers that are worked on together.
const WIDTH: usize = 16;

/// A loop over the numbers of arrays.
trait Loop<F: Element> {
    /// Numbers `at .. at + N`. Must be `#[inline(always)]`.
    fn some<R: Lane<F>, const N: usize>(&mut self, at: usize);
}

/// Runs a loop over `len` numbers.
struct Over<L> {
    len: usize,
    each: L,
}

impl<F: Element, L: Loop<F>> Body<F> for Over<L> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(mut self) {
        let mut at = 0;
        while at + WIDTH <= self.len {
            self.each.some::<R, WIDTH>(at);
            at += WIDTH;
        }
        while at < self.len {
            self.each.some::<R, 1>(at);
            at += 1;
        }
    }
}

/// Σ coefficient · array.
pub(super) struct Combine<'a, F> {
    pub to: usize,
    pub terms: &'a [(usize, usize)],
    pub coefficients: &'a [F],
    pub arena: &'a mut [F],
}

impl<F: Element> Combine<'_, F> {
    pub fn run(self, level: Level, len: usize) {
        dispatch(level, Over { len, each: self });
    }
}

impl<F: Element> Loop<F> for Combine<'_, F> {
    #[inline(always)]
    fn some<R: Lane<F>, const N: usize>(&mut self, at: usize) {
        let mut sum = [F::default(); N];
        for (k, &(coefficient, from)) in self.terms.iter().enumerate() {
            let c = R::load(self.coefficients[coefficient]);
            let x: [F; N] = array(&self.arena[from + at..][..N]);
            // The first term is a product, the others are added on.
            for l in 0..N {
                let x = R::load(x[l]);
                sum[l] = match k {
                    0 => (c * x).store(),
                    _ => c.mul_add(x, R::load(sum[l])).store(),
                };
            }
        }
        *array_mut(&mut self.arena[self.to + at..][..N]) = sum;
    }
}

/// What is done to numbers one by one.
#[derive(Clone, Copy)]
pub(super) enum Each {
    /// a b
    Product,
    /// to + a b
    MultiplyAdd,
    /// to + s a
    AddScaled(f64),
    /// a + s φ₁(s c) b
    Relax(f64),
    /// φ_k(s a) b
    Phi(u32, f64),
    /// b / (1 - s a)
    Solve(f64),
}

/// to ← what `each` makes of the numbers at `a`, `b` and `c`.
pub(super) struct Elementwise<'a, F> {
    pub each: Each,
    pub to: usize,
    pub from: [usize; 3],
    pub arena: &'a mut [F],
}

impl<F: Element> Elementwise<'_, F> {
    pub fn run(self, level: Level, len: usize) {
        dispatch(level, Over { len, each: self });
    }
}

impl<F: Element> Loop<F> for Elementwise<'_, F> {
    #[inline(always)]
    fn some<R: Lane<F>, const N: usize>(&mut self, at: usize) {
        let [a, b, c]: [[F; N]; 3] = [
            array(&self.arena[self.from[0] + at..][..N]),
            array(&self.arena[self.from[1] + at..][..N]),
            array(&self.arena[self.from[2] + at..][..N]),
        ];
        let to: &mut [F; N] = array_mut(&mut self.arena[self.to + at..][..N]);
        let mut y = *to;
        match self.each {
            Each::Product => {
                for l in 0..N {
                    y[l] = (R::load(a[l]) * R::load(b[l])).store();
                }
            }
            Each::MultiplyAdd => {
                for l in 0..N {
                    y[l] = R::load(a[l]).mul_add(R::load(b[l]), R::load(y[l])).store();
                }
            }
            Each::AddScaled(s) => {
                let s = R::constant(s);
                for l in 0..N {
                    y[l] = s.mul_add(R::load(a[l]), R::load(y[l])).store();
                }
            }
            Each::Relax(s) => {
                let s = R::constant(s);
                for l in 0..N {
                    let phi = (s * R::load(c[l])).exprel();
                    y[l] = (s * phi).mul_add(R::load(b[l]), R::load(a[l])).store();
                }
            }
            Each::Phi(k, s) => {
                let s = R::constant(s);
                for l in 0..N {
                    y[l] = ((s * R::load(a[l])).phi(k) * R::load(b[l])).store();
                }
            }
            Each::Solve(s) => {
                let s = R::constant(s);
                for l in 0..N {
                    let pivot = (-s).mul_add(R::load(a[l]), R::one());
                    y[l] = (R::load(b[l]) / pivot).store();
                }
            }
        }
        *to = y;
    }
}

/// Whether all numbers are finite.
pub(crate) fn all_finite<F: Element>(x: &[F], level: Level) -> bool {
    struct Finite<'a, F>(&'a [F]);
    impl<F: Element> Body<F> for Finite<'_, F> {
        type Out = bool;
        #[inline(always)]
        fn run<R: Lane<F>>(self) -> bool {
            let mut bad = false;
            for &x in self.0 {
                let x = R::load(x);
                // NaN for anything that is not finite, and NaN differs from everything.
                let zero = (x * 0.0).store();
                bad |= zero != F::default();
            }
            !bad
        }
    }
    dispatch(level, Finite(x))
}
