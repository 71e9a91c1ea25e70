//! The loops over arrays of numbers in which the rules spend their time.

use crate::real::{Dual, Lane, Real};
use crate::simd::{Body, Level, dispatch};

/// Numbers that are worked on together.
const WIDTH: usize = 16;

/// What each of some numbers is multiplied by.
#[derive(Clone, Copy)]
pub(super) enum Factor<'a> {
    /// One number for all.
    Number(f64),
    /// One for each.
    Each(&'a [f64]),
    /// One for each, and one for all.
    Scaled(f64, &'a [f64]),
}

impl Factor<'_> {
    /// The factors of numbers `at .. at + WIDTH`.
    #[inline(always)]
    fn some(self, at: usize) -> [f64; WIDTH] {
        match self {
            Factor::Number(x) => [x; WIDTH],
            Factor::Each(x) => *chunk(x, at),
            Factor::Scaled(s, x) => {
                let mut x = *chunk(x, at);
                x.iter_mut().for_each(|x| *x *= s);
                x
            }
        }
    }

    #[inline(always)]
    fn one(self, at: usize) -> f64 {
        match self {
            Factor::Number(x) => x,
            Factor::Each(x) => x[at],
            Factor::Scaled(s, x) => s * x[at],
        }
    }
}

#[inline(always)]
fn chunk(x: &[f64], at: usize) -> &[f64; WIDTH] {
    x[at..].first_chunk().expect("a slice of that length")
}

#[inline(always)]
fn chunk_mut(x: &mut [f64], at: usize) -> &mut [f64; WIDTH] {
    x[at..].first_chunk_mut().expect("a slice of that length")
}

/// to ← factor · x, or added to it if ADD.
struct Products<'a, const ADD: bool>(&'a mut [f64], Factor<'a>, &'a [f64]);

impl<const ADD: bool> Body<f64> for Products<'_, ADD> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(self) {
        let Self(to, factor, x) = self;
        let len = x.len();
        let whole = len - len % WIDTH;
        for at in (0..whole).step_by(WIDTH) {
            let (w, x) = (factor.some(at), *chunk(x, at));
            let to = chunk_mut(to, at);
            let mut y = if ADD { *to } else { [0.0; WIDTH] };
            for l in 0..WIDTH {
                y[l] = R::load(w[l]).mul_add(R::load(x[l]), R::load(y[l])).store();
            }
            *to = y;
        }
        for at in whole..len {
            let w = R::load(factor.one(at));
            let y = if ADD { to[at] } else { 0.0 };
            to[at] = w.mul_add(R::load(x[at]), R::load(y)).store();
        }
    }
}

/// to += factor · x
pub(super) fn add_products(level: Level, to: &mut [f64], factor: Factor, x: &[f64]) {
    if x.len() < WIDTH / 2 {
        for (k, (to, x)) in to.iter_mut().zip(x).enumerate() {
            *to += factor.one(k) * x;
        }
        return;
    }
    dispatch(level, Products::<true>(to, factor, x));
}

/// to ← factor · x
pub(super) fn products(level: Level, to: &mut [f64], factor: Factor, x: &[f64]) {
    dispatch(level, Products::<false>(to, factor, x));
}

/// Σ factor · x
pub(super) fn sum_products(level: Level, factor: Factor, x: &[f64]) -> f64 {
    struct Loop<'a>(Factor<'a>, &'a [f64]);
    impl Body<f64> for Loop<'_> {
        type Out = f64;
        #[inline(always)]
        fn run<R: Lane<f64>>(self) -> f64 {
            let Self(factor, x) = self;
            let len = x.len();
            let whole = len - len % WIDTH;
            // As many sums as are added to at the same time.
            let mut sums = [0.0; WIDTH];
            for at in (0..whole).step_by(WIDTH) {
                let (w, x) = (factor.some(at), *chunk(x, at));
                for l in 0..WIDTH {
                    sums[l] = R::load(w[l])
                        .mul_add(R::load(x[l]), R::load(sums[l]))
                        .store();
                }
            }
            let mut sum = sums.iter().sum::<f64>();
            for (k, x) in x[whole..].iter().enumerate() {
                let w = R::load(factor.one(whole + k));
                sum = w.mul_add(R::load(*x), R::load(sum)).store();
            }
            sum
        }
    }
    dispatch(level, Loop(factor, x))
}

/// The derivatives of an elementwise function with respect to two of its arguments.
#[derive(Clone, Copy)]
pub(super) enum Pair {
    /// y + s φ₁(s d) b
    Relax(f64),
    /// φ_k(s d) b
    Phi(u32, f64),
    /// b / (1 - s d)
    Solve(f64),
}

/// Fills the planes at `at` with the derivatives with respect to b and d.
pub(super) fn pairs(
    level: Level,
    pair: Pair,
    [b, d]: [usize; 2],
    at: [usize; 2],
    len: usize,
    arena: &mut [f64],
) {
    struct Loop<'a> {
        pair: Pair,
        from: [usize; 2],
        at: [usize; 2],
        len: usize,
        arena: &'a mut [f64],
    }
    #[inline(always)]
    fn one<R: Real>(pair: Pair, b: R, d: R) -> [R; 2] {
        match pair {
            Pair::Relax(s) => {
                let s = R::constant(s);
                let phi = Dual::<R, 1>::variable(s * d, 0).exprel();
                [s * phi.value, s * s * phi.tangent[0] * b]
            }
            Pair::Phi(k, s) => {
                let s = R::constant(s);
                let phi = Dual::<R, 1>::variable(s * d, 0).phi(k);
                [phi.value, s * phi.tangent[0] * b]
            }
            Pair::Solve(s) => {
                let s = R::constant(s);
                let inverse = R::one() / (R::one() - s * d);
                [inverse, s * inverse * inverse * b]
            }
        }
    }
    impl Body<f64> for Loop<'_> {
        type Out = ();
        #[inline(always)]
        fn run<R: Lane<f64>>(self) {
            let Self {
                pair,
                from: [b, d],
                at: [by_b, by_d],
                len,
                arena,
            } = self;
            let whole = len - len % WIDTH;
            for at in (0..whole).step_by(WIDTH) {
                let (bs, ds) = (*chunk(arena, b + at), *chunk(arena, d + at));
                let (mut first, mut second) = ([0.0; WIDTH], [0.0; WIDTH]);
                for l in 0..WIDTH {
                    let [x, y] = one(pair, R::load(bs[l]), R::load(ds[l]));
                    first[l] = x.store();
                    second[l] = y.store();
                }
                *chunk_mut(arena, by_b + at) = first;
                *chunk_mut(arena, by_d + at) = second;
            }
            for at in whole..len {
                let [x, y] = one(pair, R::load(arena[b + at]), R::load(arena[d + at]));
                arena[by_b + at] = x.store();
                arena[by_d + at] = y.store();
            }
        }
    }
    let from = [b, d];
    dispatch(
        level,
        Loop {
            pair,
            from,
            at,
            len,
            arena,
        },
    );
}

/// Copies numbers; a few, as models of one compartment have, without a call.
#[inline(always)]
pub(super) fn copy(to: &mut [f64], from: &[f64]) {
    match from.len() {
        0..=6 => to.iter_mut().zip(from).for_each(|(to, x)| *to = *x),
        _ => to.copy_from_slice(from),
    }
}
