//! Stability polynomials and the limits of stability on the negative real axis.

#[path = "support/number.rs"]
#[allow(dead_code)]
mod number;

use braincell_solvers_rk::exact::Exact;
use braincell_solvers_rk::tableau::Tableau;
use braincell_solvers_rk::tableaux::TABLEAUX;
use number::{Number, dot};

/// Coefficients of R from a triangle and weights.
fn polynomial(a: &[Vec<Number>], b: &[Number]) -> Vec<Number> {
    let mut stages = vec![Number::one(); b.len()];
    let mut polynomial = vec![Number::one()];
    for _ in 0..b.len() {
        polynomial.push(dot(b, &stages));
        stages = a.iter().map(|row| dot(row, &stages)).collect();
    }
    polynomial
}

/// Coefficients of R from the exact table, each entry of which is first passed through `map`.
fn polynomial_of(tableau: &Tableau, map: impl Fn(Number) -> Number) -> Vec<Number> {
    let numbers = |row: &[Exact]| {
        row.iter()
            .map(|&exact| map(exact.into()))
            .collect::<Vec<_>>()
    };
    let a: Vec<_> = tableau.exact.a.iter().map(|row| numbers(row)).collect();
    polynomial(&a, &numbers(tableau.exact.b))
}

/// |R(−x)| ≤ 1 in exact arithmetic.
fn is_stable(polynomial: &[Number], x: f64) -> bool {
    let z = Number::from_double(-x);
    let growth = polynomial
        .iter()
        .rev()
        .fold(Number::zero(), |sum, coefficient| {
            coefficient + &(&z * &sum)
        });
    growth.abs().at_most(&Number::one())
}

/// The coefficient of zᵏ sums products of k rounded factors; each product goes through k multiplications and at most
/// k(s − 1) additions: k(s + 1) roundings of 2⁻⁵³ relative to the sum of the magnitudes.
#[test]
fn polynomials_are_the_exact_ones_to_rounding() {
    for tableau in TABLEAUX {
        let exact = polynomial_of(tableau, |number| number);
        let sizes = polynomial_of(tableau, |number| number.abs());
        let doubles = tableau.stability_polynomial();
        assert_eq!(exact.len(), doubles.len(), "{}", tableau.name);
        for (power, double) in doubles.into_iter().enumerate() {
            let off = (&exact[power] - &Number::from_double(double)).abs();
            let roundings = (power * (tableau.stages() + 1)) as f64 * f64::EPSILON / 2.0;
            let bound = &Number::from_double(roundings) * &sizes[power];
            assert!(
                off.at_most(&bound),
                "{}, power {power}: {double:e}",
                tableau.name
            );
        }
    }
}

#[test]
fn limits_are_where_the_exact_polynomials_leave_the_unit_disc() {
    for tableau in TABLEAUX {
        let limit = tableau.negative_real_stability_limit();
        let polynomial = polynomial_of(tableau, |number| number);
        println!("{}: {limit}", tableau.name);
        assert!(
            (0..=400).all(|step| is_stable(
                &polynomial,
                limit * f64::from(step) / 400.0 * (1.0 - 1e-14)
            ))
        );
        assert!(
            is_stable(&polynomial, limit * (1.0 - 1e-14)),
            "{}",
            tableau.name
        );
        assert!(
            !is_stable(&polynomial, limit * (1.0 + 1e-14)),
            "{}",
            tableau.name
        );
    }
}

#[test]
fn limits_are_the_documented_ones() {
    let documented = |tableau: &Tableau| match (tableau.name, tableau.order) {
        ("dopri54", _) => 3.3066,
        ("tsit54", _) => 3.5068,
        (_, 1 | 2) => 2.0,
        (_, 3) => 2.5127,
        (_, _) => 2.7853,
    };
    for tableau in TABLEAUX {
        let limit = tableau.negative_real_stability_limit();
        assert!(
            (limit - documented(tableau)).abs() < 5e-5,
            "{}: {limit}",
            tableau.name
        );
    }
    // Order three: the real root of 2 − x + x²/2 − x³/6 = 0 by Cardano's formula.
    let root = 1.0 + (4.0 + 17.0_f64.sqrt()).cbrt() - (4.0 + 17.0_f64.sqrt()).cbrt().recip();
    let limit = TABLEAUX[5].negative_real_stability_limit();
    assert!((limit - root).abs() < 1e-14, "{limit} {root}");
}

#[test]
fn a_method_that_never_grows_has_no_limit_and_one_that_always_does_has_limit_zero() {
    let idle = Tableau {
        b: &[0.0],
        ..*TABLEAUX[0]
    };
    assert_eq!(idle.negative_real_stability_limit(), f64::INFINITY);
    let backward = Tableau {
        b: &[-1.0],
        ..*TABLEAUX[0]
    };
    assert!(backward.negative_real_stability_limit() < 1e-15);
    let undefined = Tableau {
        b: &[f64::NAN],
        ..*TABLEAUX[0]
    };
    assert!(undefined.negative_real_stability_limit() < 1e-15);
}
