//! Elementary functions, one source for every format and for plain and fused arithmetic.
//!
//! No branches: cases are selects, so a loop over lanes vectorises.

use super::format::{Arith, Format, cos_poly, sin_poly};

/// e^x in parts: `x = k ln 2 + r`, `2^k = shift · scale`.
struct Reduced<A> {
    /// e^r - 1
    em: A,
    scale: A,
    shift: A,
    /// 1 / shift
    unshift: A,
}

/// Which exponents there are: the fewer, the less it takes to keep 2^k / shift a normal number.
#[derive(Clone, Copy)]
enum Exponents {
    All,
    /// x ≤ 0
    Negative,
    /// e^x beside 1, where the smallest are as good as 0.
    BesideOne,
}

/// x, or the largest number at which e^x matters: beyond it e^x / x^8 is infinite.
#[inline(always)]
fn bounded<A: Arith>(x: A) -> A {
    let max = A::c(A::Format::EXP_MAX);
    max.select_less(x, max, x)
}

/// Cody–Waite reduction by ln 2, and the polynomial every exponential shares.
#[inline(always)]
fn reduce<A: Arith>(x: A, exponents: Exponents) -> Reduced<A> {
    let (up, down) = (A::c(A::Format::OFFSET), A::c(1.0 / A::Format::OFFSET));
    let (min, shift, unshift) = match exponents {
        Exponents::All => {
            let zero = A::c(0.0);
            let (shift, unshift) = (x.select_less(zero, down, up), x.select_less(zero, up, down));
            (A::Format::EXP_MIN, shift, unshift)
        }
        Exponents::Negative => (A::Format::EXP_MIN, down, up),
        Exponents::BesideOne => (A::Format::EXP_NOTHING, up, down),
    };
    let x = match exponents {
        Exponents::Negative => x,
        _ => bounded(x),
    };
    let min = A::c(min);
    let x = x.select_less(min, min, x);
    let magic = A::c(A::Format::MAGIC);
    let t = x.fma(A::c(std::f64::consts::LOG2_E), magic);
    let k = t - magic;
    let r = (-k).fma(A::c(A::Format::LN2_HI), x);
    let r = (-k).fma(A::c(A::Format::LN2_LO), r);
    let em = (r * r).fma(A::Format::exp_poly(r), r);
    let scale = A::new(unshift.get().scale(t.get()));
    Reduced {
        em,
        scale,
        shift,
        unshift,
    }
}

impl<A: Arith> Reduced<A> {
    /// e^x / shift
    #[inline(always)]
    fn exp(&self) -> A {
        self.scale.fma(self.em, self.scale)
    }
    /// (e^x - 1) / shift
    #[inline(always)]
    fn expm1(&self) -> A {
        self.scale.fma(self.em, self.scale - self.unshift)
    }
}

/// `y`, but `at_zero` where x is too small to matter beside 1.
#[inline(always)]
fn around_zero<A: Arith>(x: A, at_zero: A, y: A) -> A {
    x.magnitude()
        .select_less(A::c(A::Format::NEGLIGIBLE), at_zero, y)
}

#[inline(always)]
pub fn exp<A: Arith>(x: A) -> A {
    let e = reduce(x, Exponents::All);
    e.exp() * e.shift
}

/// e^x for x ≤ 0
#[inline(always)]
fn decay<A: Arith>(x: A) -> A {
    let e = reduce(x, Exponents::Negative);
    e.exp() * e.shift
}

#[inline(always)]
pub fn expm1<A: Arith>(x: A) -> A {
    let e = reduce(x, Exponents::BesideOne);
    around_zero(x, x, e.expm1() * e.shift)
}

/// φ_k: a polynomial around 0, the recurrence φ_{j+1} = (φ_j - 1/j!) / z away from it.
#[inline(always)]
pub fn phi<A: Arith>(x: A, k: u32) -> A {
    match k {
        0 => return exp(x),
        1 => return exprel_and_slope(x)[0],
        _ => {}
    }
    let e = reduce(x, Exponents::BesideOne);
    let z = bounded(x);
    let mut far = e.expm1() / z;
    let mut j = 1;
    while j < k && j <= MAX_PHI {
        far = (far - e.unshift * A::c(INVERSE_FACTORIAL[j as usize])) / z;
        j += 1;
    }
    let far = far * e.shift;
    match k {
        2 => x
            .magnitude()
            .select_less(A::c(2.0), A::Format::phi2_poly(x), far),
        3 => x
            .magnitude()
            .select_less(A::c(2.0), A::Format::phi3_poly(x), far),
        4..=MAX_PHI => x
            .magnitude()
            .select_less(A::c(4.0), phi_series(x, k as usize), far),
        _ => A::c(f64::NAN),
    }
}

/// φ_1 = (e^x - 1) / x, 1 at 0; and φ_1' = φ_1 - φ_2, with the polynomial of φ_2 around 0, and the equal (e^x - φ_1) / x away
/// from it. By one division: whoever needs no derivative computes none.
#[inline(always)]
pub fn exprel_and_slope<A: Arith>(x: A) -> [A; 2] {
    let e = reduce(x, Exponents::BesideOne);
    let inverse = A::c(1.0) / bounded(x);
    let unshifted = e.expm1() * inverse;
    let value = around_zero(x, A::c(1.0), unshifted * e.shift);
    let near = value - A::Format::phi2_poly(x);
    let far = (e.exp() - unshifted) * inverse * e.shift;
    [value, x.magnitude().select_less(A::c(2.0), near, far)]
}

/// B = x / (e^x - 1), 1 at 0.
#[inline(always)]
pub fn bernoulli<A: Arith>(x: A) -> A {
    bernoulli_and_slope(x)[0]
}

/// B, and B' = B (φ_2 B - 1) around 0, and the equal (1 - B - x) / (e^x - 1) away from it.
#[inline(always)]
pub fn bernoulli_and_slope<A: Arith>(x: A) -> [A; 2] {
    let e = reduce(x, Exponents::BesideOne);
    let z = bounded(x);
    let below = e.expm1();
    let value = around_zero(x, A::c(1.0), z * e.unshift / below);
    let near = value * A::Format::phi2_poly(x).fma(value, A::c(-1.0));
    let far = (A::c(1.0) - value - z) * e.unshift / below;
    [value, x.magnitude().select_less(A::c(2.0), near, far)]
}

/// Taylor series of φ_k, 28 terms: for |x| ≤ 4, k ≥ 4.
#[inline(always)]
fn phi_series<A: Arith>(x: A, k: usize) -> A {
    macro_rules! series {
        ($($n:literal)*) => {{
            let p = A::c(INVERSE_FACTORIAL[k + 27]);
            $(let p = p.fma(x, A::c(INVERSE_FACTORIAL[k + $n]));)*
            p
        }};
    }
    series!(26 25 24 23 22 21 20 19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0)
}

const MAX_PHI: u32 = 32;

/// 1/n!, correctly rounded where n! is exact (n ≤ 22).
const INVERSE_FACTORIAL: [f64; MAX_PHI as usize + 28] = {
    let mut table = [1.0; MAX_PHI as usize + 28];
    let mut factorial = 1.0;
    let mut n = 1;
    while n < table.len() {
        factorial *= n as f64;
        table[n] = 1.0 / factorial;
        n += 1;
    }
    table
};

/// ln x by `x = m 2^e`, `s = f / (2 + f)`, `f = m - 1`: ln(1 + f) = f - (f²/2 - s (f²/2 + R(s²))).
#[inline(always)]
pub fn ln<A: Arith>(x: A) -> A {
    let tiny = A::c(A::Format::TINY);
    let lift = x.select_less(tiny, A::c(A::Format::LIFT), A::c(1.0));
    let lift_log2 = x.select_less(tiny, A::c(A::Format::LIFT_LOG2), A::c(0.0));
    let (m, e) = (x * lift).get().split();
    let e = A::new(e) - lift_log2;
    let f = A::new(m) - A::c(1.0);
    let s = f / (f + A::c(2.0));
    let z = s * s;
    let half = f * f * A::c(0.5);
    let tail = s * (z.fma(A::Format::ln_poly(z), half));
    let low = e.fma(A::c(A::Format::LN2_LO), tail);
    let y = e.fma(A::c(A::Format::LN2_HI), f - (half - low));
    let infinity = A::c(f64::INFINITY);
    let y = x.select_less(infinity, y, x);
    let y = x.select_less(A::c(A::Format::SMALLEST), -infinity, y);
    x.select_less(A::c(0.0), A::c(f64::NAN), y)
}

/// σ(x) from e^-|x|: accurate in both tails, and σ(-x) shares the exponential.
#[inline(always)]
pub fn logistic<A: Arith>(x: A) -> A {
    let u = decay(-x.magnitude());
    let d = A::c(1.0) / (u + A::c(1.0));
    x.select_less(A::c(0.0), u * d, d)
}

#[inline(always)]
pub fn tanh<A: Arith>(x: A) -> A {
    let a = x.magnitude();
    let u = decay(-(a + a));
    let far = (A::c(1.0) - u) / (u + A::c(1.0));
    let far = x.select_less(A::c(0.0), -far, far);
    let z = x * x;
    let near = (x * z).fma(A::Format::tanh_poly(z), x);
    a.select_less(A::c(0.5625), near, far)
}

#[inline(always)]
pub fn sqrt<A: Arith>(x: A) -> A {
    A::new(x.get().root())
}

#[inline(always)]
pub fn sin<A: Arith>(x: A) -> A {
    A::c(circular(A::Wide::new(x.get().to_f64()), 0.0).get())
}

#[inline(always)]
pub fn cos<A: Arith>(x: A) -> A {
    A::c(circular(A::Wide::new(x.get().to_f64()), 1.0).get())
}

/// sin(x + quadrants π/2): Cody–Waite reduction by π/2 in five parts of 26 bits, exact for |x| ≤ 10⁸.
/// In single precision too it runs in double precision.
#[inline(always)]
fn circular<A: Arith<Format = f64>>(x: A, quadrants: f64) -> A {
    let x = x
        .magnitude()
        .select_less(A::c(1.000_000_01e8), x, A::c(f64::NAN));
    let magic = A::c(f64::MAGIC);
    let t = x.fma(A::c(std::f64::consts::FRAC_2_PI), magic);
    let k = magic - t;
    let r = k.fma(A::c(1.5707963109016418), x);
    let r = k.fma(A::c(1.5893254712295857e-8), r);
    let r = k.fma(A::c(6.123233932053594e-17), r);
    let r = k.fma(A::c(6.368317055225283e-25), r);
    let r = k.fma(A::c(1.082856673921914e-32), r);
    let z = r * r;
    let sine = (r * z).fma(sin_poly(z), r);
    let cosine = z.fma(z.fma(cos_poly(z), A::c(-0.5)), A::c(1.0));
    let quadrant = t + A::c(quadrants);
    let y = if quadrant.get().is_odd() {
        cosine
    } else {
        sine
    };
    A::new(y.get().flip_sign(quadrant.get()))
}
