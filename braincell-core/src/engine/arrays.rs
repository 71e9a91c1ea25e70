//! Loops over whole arrays.

use crate::kernel::{array, array_mut};
use crate::real::{Element, Lane, Real};
use crate::simd::{Body, Level, dispatch};

/// Numbers that are worked on together.
const WIDTH: usize = 16;

/// A loop over the numbers of arrays.
pub(super) trait Loop<F: Element> {
    /// Numbers `at .. at + N`. Must be `#[inline(always)]`.
    fn some<R: Lane<F>, const N: usize>(&mut self, at: usize);

    /// Runs the loop over `len` numbers.
    #[inline(always)]
    fn run(self, level: Level, len: usize)
    where
        Self: Sized,
    {
        dispatch(level, Over { len, each: self });
    }
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

/// What is done to numbers one by one: a type for each operation, so that each has a loop of its own.
pub(super) trait Each: Copy {
    /// What becomes of the number `to`. Must be `#[inline(always)]`.
    fn at<R: Real>(self, x: [R; 3], to: R) -> R;
}

/// a b
#[derive(Clone, Copy)]
pub(super) struct Product;
impl Each for Product {
    #[inline(always)]
    fn at<R: Real>(self, [a, b, _]: [R; 3], _: R) -> R {
        a * b
    }
}

/// to + a b
#[derive(Clone, Copy)]
pub(super) struct MultiplyAdd;
impl Each for MultiplyAdd {
    #[inline(always)]
    fn at<R: Real>(self, [a, b, _]: [R; 3], to: R) -> R {
        a.mul_add(b, to)
    }
}

/// to + s a
#[derive(Clone, Copy)]
pub(super) struct AddScaled(pub f64);
impl Each for AddScaled {
    #[inline(always)]
    fn at<R: Real>(self, [a, _, _]: [R; 3], to: R) -> R {
        R::constant(self.0).mul_add(a, to)
    }
}

/// a + s φ₁(s c) b
#[derive(Clone, Copy)]
pub(super) struct Relax(pub f64);
impl Each for Relax {
    #[inline(always)]
    fn at<R: Real>(self, [a, b, c]: [R; 3], _: R) -> R {
        let s = R::constant(self.0);
        (s * (s * c).exprel()).mul_add(b, a)
    }
}

/// φ_k(s a) b
#[derive(Clone, Copy)]
pub(super) struct Phi(pub u32, pub f64);
impl Each for Phi {
    #[inline(always)]
    fn at<R: Real>(self, [a, b, _]: [R; 3], _: R) -> R {
        (R::constant(self.1) * a).phi(self.0) * b
    }
}

/// b / (1 - s a)
#[derive(Clone, Copy)]
pub(super) struct Solve(pub f64);
impl Each for Solve {
    #[inline(always)]
    fn at<R: Real>(self, [a, b, _]: [R; 3], _: R) -> R {
        b / (-R::constant(self.0)).mul_add(a, R::one())
    }
}

/// to ← what `each` makes of the numbers at `a`, `b` and `c`.
pub(super) struct Elementwise<'a, F, E> {
    pub each: E,
    pub to: usize,
    pub from: [usize; 3],
    pub arena: &'a mut [F],
}

impl<F: Element, E: Each> Loop<F> for Elementwise<'_, F, E> {
    #[inline(always)]
    fn some<R: Lane<F>, const N: usize>(&mut self, at: usize) {
        let [a, b, c]: [[F; N]; 3] = [
            array(&self.arena[self.from[0] + at..][..N]),
            array(&self.arena[self.from[1] + at..][..N]),
            array(&self.arena[self.from[2] + at..][..N]),
        ];
        let to: &mut [F; N] = array_mut(&mut self.arena[self.to + at..][..N]);
        let mut y = *to;
        for l in 0..N {
            let x = [R::load(a[l]), R::load(b[l]), R::load(c[l])];
            y[l] = self.each.at(x, R::load(y[l])).store();
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
    if x.len() < WIDTH {
        return x.iter().all(|x| x.to_f64().is_finite());
    }
    dispatch(level, Finite(x))
}
