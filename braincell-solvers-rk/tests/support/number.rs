//! Numbers p + q√5 with rational p and q.

use braincell_solvers_rk::exact::Exact;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use std::cmp::Ordering;
use std::ops::{Add, Mul, Sub};

/// p + q√5.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    pub p: BigRational,
    pub q: BigRational,
}

/// numerator / denominator.
pub fn rational(numerator: i64, denominator: i64) -> BigRational {
    BigRational::new(numerator.into(), denominator.into())
}

impl Number {
    pub fn zero() -> Self {
        BigRational::zero().into()
    }

    pub fn one() -> Self {
        BigRational::one().into()
    }

    pub fn is_zero(&self) -> bool {
        self.p.is_zero() && self.q.is_zero()
    }

    /// The number a double is.
    pub fn from_double(value: f64) -> Self {
        BigRational::from_float(value)
            .expect("the coefficient is finite")
            .into()
    }

    /// Sign of p + q√5, by comparing p² with 5q² where p and q differ in sign.
    pub fn sign(&self) -> Ordering {
        let sign = |x: &BigRational| x.cmp(&BigRational::zero());
        let (p, q) = (sign(&self.p), sign(&self.q));
        if p == q || q == Ordering::Equal {
            return p;
        }
        if p == Ordering::Equal {
            return q;
        }
        match (&self.p * &self.p).cmp(&(&self.q * &self.q * rational(5, 1))) {
            Ordering::Greater => p,
            _ => q,
        }
    }

    pub fn abs(&self) -> Self {
        if self.sign() == Ordering::Less {
            &Self::zero() - self
        } else {
            self.clone()
        }
    }

    pub fn at_most(&self, bound: &Self) -> bool {
        (self - bound).sign() != Ordering::Greater
    }

    /// Nearest double, for messages.
    pub fn to_double(&self) -> f64 {
        use num_traits::ToPrimitive;
        let (p, q) = (
            self.p.to_f64().expect("finite"),
            self.q.to_f64().expect("finite"),
        );
        p + q * 5.0_f64.sqrt()
    }
}

impl From<BigRational> for Number {
    fn from(p: BigRational) -> Self {
        Self {
            p,
            q: BigRational::zero(),
        }
    }
}

impl From<Exact> for Number {
    fn from(exact: Exact) -> Self {
        match exact {
            Exact::Rational(numerator, denominator) => rational(numerator, denominator).into(),
            Exact::Root5(p, q, denominator) => Self {
                p: rational(p, denominator),
                q: rational(q, denominator),
            },
            Exact::Decimal(text, _) => decimal(text).into(),
        }
    }
}

/// The rational a decimal such as `-1.25` is.
fn decimal(text: &str) -> BigRational {
    let text: String = text
        .chars()
        .filter(|character| !character.is_whitespace())
        .collect();
    let (whole, fraction) = text.split_once('.').expect("a decimal point");
    let digits: BigInt = format!("{whole}{fraction}")
        .parse()
        .expect("decimal digits");
    BigRational::new(
        digits,
        BigInt::from(10).pow(u32::try_from(fraction.len()).expect("few digits")),
    )
}

/// 10^−exponent.
pub fn tenth_to(exponent: u32) -> Number {
    BigRational::new(BigInt::one(), BigInt::from(10).pow(exponent)).into()
}

impl Add for &Number {
    type Output = Number;
    fn add(self, other: &Number) -> Number {
        Number {
            p: &self.p + &other.p,
            q: &self.q + &other.q,
        }
    }
}

impl Sub for &Number {
    type Output = Number;
    fn sub(self, other: &Number) -> Number {
        Number {
            p: &self.p - &other.p,
            q: &self.q - &other.q,
        }
    }
}

impl Mul for &Number {
    type Output = Number;
    fn mul(self, other: &Number) -> Number {
        Number {
            p: &self.p * &other.p + rational(5, 1) * &self.q * &other.q,
            q: &self.p * &other.q + &self.q * &other.p,
        }
    }
}

/// Σ_i x_i y_i over the shorter of the two.
pub fn dot(x: &[Number], y: &[Number]) -> Number {
    x.iter()
        .zip(y)
        .fold(Number::zero(), |sum, (x, y)| &sum + &(x * y))
}

/// The largest magnitude; zero of none.
pub fn largest(numbers: &[Number]) -> Number {
    numbers.iter().map(Number::abs).fold(
        Number::zero(),
        |most, x| if x.at_most(&most) { most } else { x },
    )
}

#[test]
fn arithmetic_in_the_field_of_root_five_is_right() {
    let golden = Number {
        p: rational(1, 2),
        q: rational(1, 2),
    };
    assert_eq!(&golden * &golden, &golden + &Number::one());
    let small = Number {
        p: rational(-2889, 1),
        q: rational(1292, 1),
    };
    assert_eq!(small.sign(), Ordering::Less); // 1292√5 = 2888.99983…
    assert_eq!(small.abs().sign(), Ordering::Greater);
    assert_eq!(decimal("-1.25").numer().clone(), BigInt::from(-5));
    assert!(rational(-1, 3).is_negative());
}
