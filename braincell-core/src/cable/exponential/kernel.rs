//! Complex tree sweeps with the poles as vector lanes.

use crate::cable::lanes::{get, put};
use crate::cable::laplacian::Edge;
use crate::real::{Element, Lane};
use crate::simd::Body;

/// Weights of a function, `[real or imaginary][pole]`, and its value at 0.
#[derive(Clone, Copy, Debug)]
pub struct Weights<F, const P: usize> {
    parts: [[F; P]; 2],
    at_zero: F,
}

impl<F: Element, const P: usize> Weights<F, P> {
    /// `factor` times a function that is 1 at 0.
    pub fn new(parts: &[[f64; P]; 2], factor: f64) -> Self {
        Self {
            parts: parts.map(|part| part.map(|w| F::from_f64(w * factor))),
            at_zero: F::from_f64(factor),
        }
    }
}

/// Factorises θ_k E + h R G for all poles, E the identity on membrane rows and 0 on algebraic ones; the scheme is
/// that of [`crate::cable::elimination`].
pub struct Factorise<'a, F, const P: usize> {
    pub edges: &'a [Edge<F>],
    pub fraction: &'a [F],
    pub h: F,
    pub poles: [[F; P]; 2],
    /// Result: reciprocal pivots, `[row][real or imaginary][pole]`.
    pub pivots: &'a mut [F],
}

impl<F: Element, const P: usize> Body<F> for Factorise<'_, F, P> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        let none = [F::default(); P];
        for (row, fraction) in self.fraction.iter().enumerate() {
            let membrane = *fraction != F::default();
            let [real, imaginary] = if membrane { self.poles } else { [none, none] };
            put(self.pivots, 2 * P * row, real);
            put(self.pivots, 2 * P * row + P, imaginary);
        }
        let h = R::load(self.h);
        for (row, edge) in self.edges.iter().enumerate().rev() {
            let (at, above) = (2 * P * row, 2 * P * edge.parent as usize);
            let (up, down) = (h * R::load(edge.up), h * R::load(edge.down)); // 0 at the root
            let mut e = [get::<F, P>(self.pivots, at), get(self.pivots, at + P)];
            let mut gain = [none; 2];
            for k in 0..P {
                let (real, imaginary) = (R::load(e[0][k]), R::load(e[1][k]));
                let pivot = real + up;
                let square = pivot.mul_add(pivot, imaginary * imaginary);
                let (a, b) = (pivot / square, -imaginary / square);
                gain[0][k] = (down * (real * a - imaginary * b)).store();
                gain[1][k] = (down * (real * b + imaginary * a)).store();
                e[0][k] = a.store();
                e[1][k] = b.store();
            }
            put(self.pivots, at, e[0]);
            put(self.pivots, at + P, e[1]);
            if row > 0 {
                let mut sum = [get::<F, P>(self.pivots, above), get(self.pivots, above + P)];
                for k in 0..P {
                    sum[0][k] = (R::load(sum[0][k]) + R::load(gain[0][k])).store();
                    sum[1][k] = (R::load(sum[1][k]) + R::load(gain[1][k])).store();
                }
                put(self.pivots, above, sum[0]);
                put(self.pivots, above + P, sum[1]);
            }
        }
    }
}

/// x ← f(−hM) x + f_b(−hM) b, or with the transposed M, one lane after the other.
pub struct Propagate<'a, F, const P: usize, const TRANSPOSED: bool> {
    pub edges: &'a [Edge<F>],
    pub fraction: &'a [F],
    pub h: F,
    pub reciprocals: &'a [F],
    pub width: usize,
    pub of_x: Weights<F, P>,
    pub of_b: Weights<F, P>,
    pub x: &'a mut [F],
    pub b: Option<&'a [F]>,
    pub scratch: &'a mut [F],
}

impl<F: Element, const P: usize, const TRANSPOSED: bool> Body<F>
    for Propagate<'_, F, P, TRANSPOSED>
{
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(mut self) {
        for lane in 0..self.width {
            let mut kept = load::<F, R, P, TRANSPOSED, false>(
                self.fraction,
                self.x,
                lane,
                &self.of_x,
                self.scratch,
            );
            if let Some(b) = self.b {
                kept = kept
                    + load::<F, R, P, TRANSPOSED, true>(
                        self.fraction,
                        b,
                        lane,
                        &self.of_b,
                        self.scratch,
                    );
            }
            self.sweep_up::<R>();
            self.sweep_down::<R>(lane, kept);
        }
    }
}

impl<F: Element, const P: usize, const TRANSPOSED: bool> Propagate<'_, F, P, TRANSPOSED> {
    /// Eliminates from the leaves to the root; leaves (right-hand side)/pivot in each row.
    #[inline(always)]
    fn sweep_up<R: Lane<F>>(&mut self) {
        let h = R::load(self.h);
        for (row, edge) in self.edges.iter().enumerate().rev() {
            let (at, above) = (2 * P * row, 2 * P * edge.parent as usize);
            let down = h * R::load(if TRANSPOSED { edge.up } else { edge.down }); // 0 at the root
            let (real, imaginary) = (
                get::<F, P>(self.scratch, at),
                get::<F, P>(self.scratch, at + P),
            );
            let a = get::<F, P>(self.reciprocals, at);
            let b = get::<F, P>(self.reciprocals, at + P);
            let (mut q, mut r) = (real, imaginary);
            for k in 0..P {
                let (real, imaginary) = (R::load(real[k]), R::load(imaginary[k]));
                let (a, b) = (R::load(a[k]), R::load(b[k]));
                q[k] = real.mul_add(a, -(imaginary * b)).store();
                r[k] = real.mul_add(b, imaginary * a).store();
            }
            put(self.scratch, at, q);
            put(self.scratch, at + P, r);
            if row > 0 {
                let mut real = get::<F, P>(self.scratch, above);
                let mut imaginary = get::<F, P>(self.scratch, above + P);
                for k in 0..P {
                    real[k] = down.mul_add(R::load(q[k]), R::load(real[k])).store();
                    imaginary[k] = down.mul_add(R::load(r[k]), R::load(imaginary[k])).store();
                }
                put(self.scratch, above, real);
                put(self.scratch, above + P, imaginary);
            }
        }
    }

    /// Substitutes from the root to the leaves and sums over the poles.
    #[inline(always)]
    fn sweep_down<R: Lane<F>>(&mut self, lane: usize, kept: R) {
        let h = R::load(self.h);
        for (row, edge) in self.edges.iter().enumerate() {
            let (at, above) = (2 * P * row, 2 * P * edge.parent as usize);
            let up = h * R::load(if TRANSPOSED { edge.down } else { edge.up }); // 0 at the root
            let a = get::<F, P>(self.reciprocals, at);
            let b = get::<F, P>(self.reciprocals, at + P);
            let (x, y) = (
                get::<F, P>(self.scratch, above),
                get::<F, P>(self.scratch, above + P),
            );
            let mut real = get::<F, P>(self.scratch, at);
            let mut imaginary = get::<F, P>(self.scratch, at + P);
            for k in 0..P {
                let (x, y) = (up * R::load(x[k]), up * R::load(y[k]));
                let (a, b) = (R::load(a[k]), R::load(b[k]));
                real[k] = x.mul_add(a, (-y).mul_add(b, R::load(real[k]))).store();
                imaginary[k] = x.mul_add(b, y.mul_add(a, R::load(imaginary[k]))).store();
            }
            put(self.scratch, at, real);
            put(self.scratch, at + P, imaginary);

            let mut half = P / 2;
            while half > 0 {
                for k in 0..half {
                    real[k] = (R::load(real[k]) + R::load(real[k + half])).store();
                }
                half /= 2;
            }
            let deviation = R::load(real[0]);
            let fraction = self.fraction[row];
            let result = if !TRANSPOSED {
                deviation + kept
            } else if fraction != F::default() {
                R::load(fraction).mul_add(kept, deviation)
            } else {
                R::zero()
            };
            self.x[row * self.width + lane] = result.store();
        }
    }
}

/// Sets or adds to the right-hand sides from one lane of `values` without its mean (of charge: its total);
/// returns the function of the mean.
#[inline(always)]
fn load<F: Element, R: Lane<F>, const P: usize, const TRANSPOSED: bool, const ADD: bool>(
    fraction: &[F],
    values: &[F],
    lane: usize,
    weights: &Weights<F, P>,
    scratch: &mut [F],
) -> R {
    let width = values.len() / fraction.len();
    let mut mean = R::zero();
    for (row, fraction) in fraction.iter().enumerate() {
        let value = R::load(values[row * width + lane]);
        mean = if TRANSPOSED {
            mean + value
        } else {
            R::load(*fraction).mul_add(value, mean)
        };
    }
    for (row, &fraction) in fraction.iter().enumerate() {
        let value = R::load(values[row * width + lane]);
        let deviation = if TRANSPOSED {
            value - mean * R::load(fraction)
        } else if fraction != F::default() {
            value - mean
        } else {
            R::zero()
        };
        for (part, weights) in weights.parts.into_iter().enumerate() {
            let at = (2 * row + part) * P;
            let mut out = if ADD {
                get::<F, P>(scratch, at)
            } else {
                [F::default(); P]
            };
            for k in 0..P {
                out[k] = R::load(weights[k])
                    .mul_add(deviation, R::load(out[k]))
                    .store();
            }
            put(scratch, at, out);
        }
    }
    mean * R::load(weights.at_zero)
}
