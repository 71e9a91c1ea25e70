//! Exact numbers of which Runge–Kutta coefficients are made, and their correctly rounded doubles.

/// An exactly known coefficient.
///
/// Tables are written in this form; the doubles a stepper uses are computed from it by [`Exact::value`] at compile
/// time, so the number that is proven and the number that is used cannot differ by more than one rounding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exact {
    /// numerator / denominator, each below 2⁵³ in magnitude and the denominator positive.
    Rational(i64, i64),
    /// (p + q·√5) / denominator, p and q at most 2²⁴ in magnitude and the denominator positive.
    Root5(i64, i64, i64),
    /// A terminating decimal as text, and the double nearest to it.
    Decimal(&'static str, f64),
}

/// Largest integer up to which all integers are doubles.
const EXACT_INTEGERS: i64 = 1 << 53;

/// Bound on p and q of [`Exact::Root5`], so that the fixed-point sum fits 128 bits.
const ROOT5_INTEGERS: i64 = 1 << 24;

/// ⌊√5 · 2¹⁰⁰⌋.
const ROOT5: i128 = 2_834_552_913_828_731_364_737_627_458_571;

impl Exact {
    /// The double nearest to this number.
    ///
    /// # Panics
    /// If an integer is outside the range its variant states. The tables of this crate are evaluated at compile time,
    /// where that is a compile error.
    #[must_use]
    pub const fn value(self) -> f64 {
        match self {
            Self::Rational(numerator, denominator) => {
                assert!(numerator > -EXACT_INTEGERS && numerator < EXACT_INTEGERS);
                assert!(denominator > 0 && denominator < EXACT_INTEGERS);
                numerator as f64 / denominator as f64
            }
            Self::Root5(p, q, denominator) => {
                assert!(p >= -ROOT5_INTEGERS && p <= ROOT5_INTEGERS);
                assert!(q >= -ROOT5_INTEGERS && q <= ROOT5_INTEGERS);
                assert!(denominator > 0);
                let scaled = ((p as i128) * (1 << 100) + (q as i128) * ROOT5) / denominator as i128;
                scaled as f64 / (1_u128 << 100) as f64
            }
            Self::Decimal(_, value) => value,
        }
    }
}

/// An integer.
pub(crate) const fn int(value: i64) -> Exact {
    Exact::Rational(value, 1)
}

/// numerator / denominator.
pub(crate) const fn ratio(numerator: i64, denominator: i64) -> Exact {
    Exact::Rational(numerator, denominator)
}

/// (p + q·√5) / denominator.
pub(crate) const fn root5(p: i64, q: i64, denominator: i64) -> Exact {
    Exact::Root5(p, q, denominator)
}

/// A decimal literal, kept as text and as the nearest double.
macro_rules! decimal {
    ($value:literal) => {
        $crate::exact::Exact::Decimal(stringify!($value), $value)
    };
}
pub(crate) use decimal;

#[cfg(test)]
mod tests {
    use super::ROOT5;
    use num_bigint::BigInt;

    #[test]
    fn the_fixed_point_root_of_five_is_the_floor() {
        let root = BigInt::from(ROOT5);
        let five = BigInt::from(5) << 200;
        assert!(&root * &root <= five && (&root + 1) * (&root + 1) > five);
    }
}
