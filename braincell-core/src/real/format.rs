//! Floating-point formats: constants, bit operations and polynomials of the elementary functions.
//!
//! The coefficients are near-minimax fits; `tests/data/make_coefficients.py` prints them with their errors.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Arithmetic on one format, with fused or plain multiply-add.
pub trait Arith:
    Copy
    + Neg<Output = Self>
    + Add<Self, Output = Self>
    + Sub<Self, Output = Self>
    + Mul<Self, Output = Self>
    + Div<Self, Output = Self>
{
    /// The underlying format.
    type Format: Format;
    /// The same arithmetic in double precision.
    type Wide: Arith<Format = f64>;
    /// Wraps a number.
    fn new(x: Self::Format) -> Self;
    /// Unwraps a number.
    fn get(self) -> Self::Format;
    /// `self * a + b`.
    fn fma(self, a: Self, b: Self) -> Self;

    /// The constant `x`, rounded to the format.
    #[inline(always)]
    fn c(x: f64) -> Self {
        Self::new(Self::Format::from_f64(x))
    }
    /// `if self < other { then } else { otherwise }`.
    #[inline(always)]
    fn select_less(self, other: Self, then: Self, otherwise: Self) -> Self {
        if self.get() < other.get() {
            then
        } else {
            otherwise
        }
    }
    /// Absolute value.
    #[inline(always)]
    fn magnitude(self) -> Self {
        Self::new(self.get().magnitude())
    }
}

/// A floating-point format.
pub trait Format: Copy + Debug + Default + PartialOrd + Send + Sync + 'static {
    /// 1.5 · 2^(mantissa bits): adding it leaves an integer in the low bits.
    const MAGIC: f64;
    /// ln 2, upper part: times any exponent it is exact.
    const LN2_HI: f64;
    /// ln 2, the rest.
    const LN2_LO: f64;
    /// Below this, e^x rounds to 0.
    const EXP_MIN: f64;
    /// Above this, e^x / x^8 is infinite.
    const EXP_MAX: f64;
    /// Below this, e^x - 1 rounds to -1.
    const EXP_NOTHING: f64;
    /// A power of two that moves the exponents of all 2^k into range: up where x is negative, down elsewhere and from
    /// [`Format::EXP_NOTHING`] on.
    const OFFSET: f64;
    /// 1 + x rounds to 1 for x below this, and x / [`Format::OFFSET`] is no subnormal number from there on.
    const NEGLIGIBLE: f64;
    /// Smallest normal number.
    const TINY: f64;
    /// Power of two that makes subnormal numbers normal.
    const LIFT: f64;
    /// log2 of [`Format::LIFT`].
    const LIFT_LOG2: f64;
    /// Smallest positive number.
    const SMALLEST: f64;

    /// Rounds to the format.
    fn from_f64(x: f64) -> Self;
    /// Widens, exact.
    fn to_f64(self) -> f64;
    /// Absolute value.
    fn magnitude(self) -> Self;
    /// Square root.
    fn root(self) -> Self;
    /// `self · 2^k` for a power of two `self` and `magic = MAGIC + k`, the result a normal number.
    fn scale(self, magic: Self) -> Self;
    /// A positive normal number as (m, e): m · 2^e with √½ ≤ m < √2.
    fn split(self) -> (Self, Self);
    /// Whether k is odd, for `self = MAGIC + k`.
    fn is_odd(self) -> bool;
    /// Changes the sign if bit 1 of k is set, for `magic = MAGIC + k`.
    fn flip_sign(self, magic: Self) -> Self;
    /// φ_2 on |x| ≤ ln(2)/2.
    fn exp_poly<A: Arith<Format = Self>>(x: A) -> A;
    /// (atanh-series tail) (ln((1+s)/(1-s)) - 2s) / s³ as a function of x = s².
    fn ln_poly<A: Arith<Format = Self>>(x: A) -> A;
    /// (tanh y - y) / y³ as a function of x = y², y ≤ 0.5625.
    fn tanh_poly<A: Arith<Format = Self>>(x: A) -> A;
    /// φ_2 on |x| ≤ 2.
    fn phi2_poly<A: Arith<Format = Self>>(x: A) -> A;
    /// φ_3 on |x| ≤ 2.
    fn phi3_poly<A: Arith<Format = Self>>(x: A) -> A;
}

/// Horner's scheme, coefficients from the highest power down.
macro_rules! horner {
    ($x:ident; $first:expr $(, $c:expr)*) => {{
        let p = A::c($first);
        $(let p = p.fma($x, A::c($c));)*
        p
    }};
}

/// (sin r - r) / r³ as a function of z = r², |r| ≤ π/4.
#[inline(always)]
pub fn sin_poly<A: Arith<Format = f64>>(x: A) -> A {
    horner!(x; 1.591810123027412e-10, -2.5051131455427946e-08, 2.755731610068303e-06, -0.0001984126983675497, 0.008333333333330946, -0.16666666666666666)
}

/// (cos r - 1 + r²/2) / r⁴ as a function of z = r², |r| ≤ π/4.
#[inline(always)]
pub fn cos_poly<A: Arith<Format = f64>>(x: A) -> A {
    horner!(x; -1.1382614868556325e-11, 2.0876146024689747e-09, -2.7557317270560326e-07, 2.4801587298763433e-05, -0.0013888888888887395, 0.041666666666666664)
}

impl Format for f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    const LN2_HI: f64 = 0.6931471803691238;
    const LN2_LO: f64 = 1.9082149292705877e-10;
    const EXP_MIN: f64 = -746.0;
    const EXP_MAX: f64 = 800.0;
    const EXP_NOTHING: f64 = -600.0;
    const OFFSET: f64 = f64::from_bits((1023 + 140) << 52);
    const NEGLIGIBLE: f64 = 1e-18;
    const TINY: f64 = f64::MIN_POSITIVE;
    const LIFT: f64 = 18_014_398_509_481_984.0;
    const LIFT_LOG2: f64 = 54.0;
    const SMALLEST: f64 = 5e-324;

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn magnitude(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn scale(self, magic: Self) -> Self {
        f64::from_bits((magic.to_bits() << 52).wrapping_add(self.to_bits()))
    }
    #[inline(always)]
    fn split(self) -> (Self, Self) {
        const ONE: u64 = 1f64.to_bits();
        const ROOT: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
        const MANTISSA: u64 = (1 << 52) - 1;
        const INTEGER: f64 = (1u64 << 52) as f64;
        let bits = self.to_bits().wrapping_add(ONE - ROOT);
        let exponent =
            f64::from_bits((bits >> 52) | INTEGER.to_bits()) - (INTEGER + (ONE >> 52) as f64);
        (f64::from_bits((bits & MANTISSA) + ROOT), exponent)
    }
    #[inline(always)]
    fn is_odd(self) -> bool {
        self.to_bits() & 1 != 0
    }
    #[inline(always)]
    fn flip_sign(self, magic: Self) -> Self {
        f64::from_bits(self.to_bits() ^ ((magic.to_bits() << 62) & (1 << 63)))
    }
    #[inline(always)]
    fn exp_poly<A: Arith<Format = Self>>(x: A) -> A {
        // Estrin's scheme: half the latency of Horner's, and x² is needed anyway.
        let x2 = x * x;
        let a = horner!(x; 0.16666666666666669, 0.5000000000000001);
        let b = horner!(x; 0.008333333333330062, 0.04166666666662413);
        let c = horner!(x; 0.00019841269863053618, 0.0013888888917213717);
        let d = horner!(x; 2.7557268459997064e-06, 2.4801521295954376e-05);
        let e = horner!(x; 2.510038549551032e-08, 2.7620088445409746e-07);
        let low = b.fma(x2, a);
        let high = d.fma(x2, c);
        let x4 = x2 * x2;
        e.fma(x4, high).fma(x4, low)
    }
    #[inline(always)]
    fn ln_poly<A: Arith<Format = Self>>(x: A) -> A {
        horner!(x; 0.14616721179861816, 0.15331699633543858, 0.18182889786191042, 0.2222221112572281, 0.28571428626031065, 0.3999999999989938, 0.666666666666667)
    }
    #[inline(always)]
    fn tanh_poly<A: Arith<Format = Self>>(x: A) -> A {
        horner!(x; -2.0026740085317684e-05, 8.426522203958066e-05, -0.00023410556936672797, 0.0005887537111834804, -0.0014556239774192678, 0.003592105532132769, -0.008863234021529514, 0.021869488476962563, -0.0539682539670594, 0.13333333333332392, -0.3333333333333333)
    }
    #[inline(always)]
    fn phi2_poly<A: Arith<Format = Self>>(x: A) -> A {
        horner!(x; 8.580357849794261e-18, 1.6376126325516946e-16, 2.8087409252747675e-15, 4.7737580214960735e-14, 7.647273957195198e-13, 1.147097775321909e-11, 1.6059041233681633e-10, 2.087675150417348e-09, 2.505210842152821e-08, 2.755731930001314e-07, 2.7557319223705004e-06, 2.4801587300995483e-05, 0.00019841269841270936, 0.0013888888888891197, 0.008333333333333331, 0.04166666666666663, 0.16666666666666666, 0.5)
    }
    #[inline(always)]
    fn phi3_poly<A: Arith<Format = Self>>(x: A) -> A {
        horner!(x; 4.2735440345209405e-19, 8.580357849794261e-18, 1.5606888399303177e-16, 2.8087409252747675e-15, 4.779527305942677e-14, 7.647273957195198e-13, 1.1470744417714806e-11, 1.6059041233681633e-10, 2.087675700422465e-09, 2.505210842152821e-08, 2.7557319223858585e-07, 2.7557319223705004e-06, 2.4801587301587796e-05, 0.00019841269841270936, 0.0013888888888888887, 0.008333333333333331, 0.041666666666666664, 0.16666666666666666)
    }
}

impl Format for f32 {
    const MAGIC: f64 = 12_582_912.0;
    const LN2_HI: f64 = 0.693_145_751_953_125;
    const LN2_LO: f64 = 1.4286068203094173e-6;
    const EXP_MIN: f64 = -104.5;
    const EXP_MAX: f64 = 130.0;
    const EXP_NOTHING: f64 = -40.0;
    const OFFSET: f64 = f64::from_bits((1023 + 64) << 52);
    const NEGLIGIBLE: f64 = 1e-9;
    const TINY: f64 = f32::MIN_POSITIVE as f64;
    const LIFT: f64 = 33_554_432.0;
    const LIFT_LOG2: f64 = 25.0;
    const SMALLEST: f64 = 1.401_298_464_324_817e-45;

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn magnitude(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn scale(self, magic: Self) -> Self {
        f32::from_bits((magic.to_bits() << 23).wrapping_add(self.to_bits()))
    }
    #[inline(always)]
    fn split(self) -> (Self, Self) {
        const ONE: u32 = 1f32.to_bits();
        const ROOT: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
        const MANTISSA: u32 = (1 << 23) - 1;
        const INTEGER: f32 = (1u32 << 23) as f32;
        let bits = self.to_bits().wrapping_add(ONE - ROOT);
        let exponent =
            f32::from_bits((bits >> 23) | INTEGER.to_bits()) - (INTEGER + (ONE >> 23) as f32);
        (f32::from_bits((bits & MANTISSA) + ROOT), exponent)
    }
    #[inline(always)]
    fn is_odd(self) -> bool {
        self.to_bits() & 1 != 0
    }
    #[inline(always)]
    fn flip_sign(self, magic: Self) -> Self {
        f32::from_bits(self.to_bits() ^ ((magic.to_bits() << 30) & (1 << 31)))
    }
    #[inline(always)]
    fn exp_poly<A: Arith<Format = Self>>(x: A) -> A {
        horner!(x; 0.001392618359, 0.008363179053, 0.04166655462, 0.1666657699, 0.5)
    }
    #[inline(always)]
    fn ln_poly<A: Arith<Format = Self>>(x: A) -> A {
        horner!(x; 0.2958015671, 0.39988776, 0.6666668505)
    }
    #[inline(always)]
    fn tanh_poly<A: Arith<Format = Self>>(x: A) -> A {
        horner!(x; -0.006525572169, 0.02126335345, -0.05390175316, 0.1333307381, -0.333333317)
    }
    #[inline(always)]
    fn phi2_poly<A: Arith<Format = Self>>(x: A) -> A {
        horner!(x; 2.217603754e-9, 2.687874207e-8, 2.750486157e-7, 2.748347288e-6, 2.480250925e-5, 0.0001984256848, 0.001388888229, 0.008333324035, 0.0416666668, 0.1666666685, 0.5)
    }
    #[inline(always)]
    fn phi3_poly<A: Arith<Format = Self>>(x: A) -> A {
        horner!(x; 2.205545188e-9, 2.670871747e-8, 2.751570927e-7, 2.749876705e-6, 2.480218402e-5, 0.0001984210997, 0.00138888859, 0.008333329124, 0.04166666669, 0.166666667)
    }
}
