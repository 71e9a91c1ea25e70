//! Loops over whole arrays.

use crate::real::{Element, Lane};
use crate::simd::{Body, Level, dispatch};

/// Σ coefficient · array.
pub(super) struct Combine<'a, F> {
    pub to: usize,
    pub len: usize,
    pub terms: &'a [(usize, usize)],
    pub coefficients: &'a [F],
    pub arena: &'a mut [F],
}

impl<F: Element> Body<F> for Combine<'_, F> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        const WIDTH: usize = 16;
        let Combine {
            to,
            len,
            terms,
            coefficients,
            arena,
        } = self;
        let mut start = 0;
        while start + WIDTH <= len {
            let mut sum = [F::default(); WIDTH];
            for (k, &(coefficient, from)) in terms.iter().enumerate() {
                let c = R::load(coefficients[coefficient]);
                let mut x = [F::default(); WIDTH];
                x.copy_from_slice(&arena[from + start..from + start + WIDTH]);
                for l in 0..WIDTH {
                    sum[l] = accumulate::<F, R>(k, c, x[l], sum[l]);
                }
            }
            arena[to + start..to + start + WIDTH].copy_from_slice(&sum);
            start += WIDTH;
        }
        while start < len {
            let mut sum = F::default();
            for (k, &(coefficient, from)) in terms.iter().enumerate() {
                let c = R::load(coefficients[coefficient]);
                sum = accumulate::<F, R>(k, c, arena[from + start], sum);
            }
            arena[to + start] = sum;
            start += 1;
        }
    }
}

/// The first term is a product, the others are added on.
#[inline(always)]
fn accumulate<F: Element, R: Lane<F>>(k: usize, c: R, x: F, sum: F) -> F {
    let x = R::load(x);
    if k == 0 {
        (c * x).store()
    } else {
        c.mul_add(x, R::load(sum)).store()
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
