//! Special values of the elementary functions, for every scalar, and the laws of dual numbers.

use braincell_core::real::{Dual, Fused, Plain, Real};

/// Third derivatives by nesting.
type Third<R> = Dual<Dual<Dual<R, 1>, 1>, 1>;

fn third<R: Real>(x: R) -> Third<R> {
    Dual::variable(Dual::variable(Dual::variable(x, 0), 0), 0)
}

fn derivatives<R: Real>(y: Third<R>) -> [f64; 4] {
    let (first, second) = (y.tangent[0], y.tangent[0].tangent[0]);
    [
        y.value(),
        first.value(),
        second.value(),
        second.tangent[0].value(),
    ]
}

fn special_values<R: Real>() {
    let at = R::constant;
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    assert_eq!(at(0.0).exp().value(), 1.0);
    assert_eq!(at(inf).exp().value(), inf);
    assert_eq!(at(-inf).exp().value(), 0.0);
    assert_eq!(at(-1e30).exp().value(), 0.0);
    assert_eq!(at(1e30).exp().value(), inf);
    assert_eq!(at(0.0).expm1().value(), 0.0);
    assert_eq!(at(inf).expm1().value(), inf);
    assert_eq!(at(-inf).expm1().value(), -1.0);
    for k in 1..=8 {
        assert_eq!(at(inf).phi(k).value(), inf, "phi {k}");
        assert_eq!(at(-inf).phi(k).value(), 0.0, "phi {k}");
    }
    assert_eq!(at(0.0).exprel().value(), 1.0);
    assert_eq!(at(0.0).phi2().value(), 0.5);
    assert_eq!(at(0.0).phi3().value(), R::constant(1.0 / 6.0).value());
    assert!(at(0.0).phi(33).value().is_nan());
    assert_eq!(at(0.0).bernoulli().value(), 1.0);
    assert_eq!(at(-0.0).bernoulli().value(), 1.0);
    assert_eq!(at(1e4).bernoulli().value(), 0.0);
    assert_eq!(at(inf).bernoulli().value(), 0.0);
    assert_eq!(at(-1e4).bernoulli().value(), 1e4);
    assert_eq!(at(-inf).bernoulli().value(), inf);
    assert_eq!(at(1.0).ln().value(), 0.0);
    assert_eq!(at(0.0).ln().value(), -inf);
    assert_eq!(at(inf).ln().value(), inf);
    assert!(at(-1.0).ln().value().is_nan());
    assert!(at(-inf).ln().value().is_nan());
    assert_eq!(at(0.0).tanh().value(), 0.0);
    assert_eq!(at(inf).tanh().value(), 1.0);
    assert_eq!(at(-inf).tanh().value(), -1.0);
    assert_eq!(at(0.0).logistic().value(), 0.5);
    assert_eq!(at(inf).logistic().value(), 1.0);
    assert_eq!(at(-inf).logistic().value(), 0.0);
    assert_eq!(at(0.0).sin().value(), 0.0);
    assert_eq!(at(0.0).cos().value(), 1.0);
    for x in [inf, -inf, 1.1e8, -1e300] {
        assert!(at(x).sin().value().is_nan() && at(x).cos().value().is_nan());
    }
    assert_eq!(at(4.0).sqrt().value(), 2.0);
    assert!(at(-1.0).sqrt().value().is_nan());
    let x = at(nan);
    for y in [
        x.exp(),
        x.expm1(),
        x.exprel(),
        x.bernoulli(),
        x.phi2(),
        x.phi3(),
        x.phi(5),
        x.ln(),
        x.tanh(),
        x.logistic(),
        x.sin(),
    ] {
        assert!(y.value().is_nan());
    }
    assert!(x.cos().value().is_nan() && x.sqrt().value().is_nan() && x.abs().value().is_nan());
    assert_eq!(at(-3.0).abs().value(), 3.0);
    assert_eq!(at(-3.0).max(at(2.0)).value(), 2.0);
    assert_eq!(at(-3.0).min(at(2.0)).value(), -3.0);
    assert_eq!(at(-3.0).powi(3).value(), -27.0);
    assert_eq!(at(3.0).mul_add(at(2.0), at(1.0)).value(), 7.0);
}

#[test]
fn special_values_hold_for_every_scalar() {
    special_values::<f64>();
    special_values::<Plain<f64>>();
    special_values::<Plain<f32>>();
    special_values::<Fused<f64>>();
    special_values::<Fused<f32>>();
    special_values::<Dual<Fused<f64>, 3>>();
    special_values::<Dual<Dual<f64, 2>, 2>>();
}

#[test]
fn bernoulli_has_its_derivatives() {
    // B = 1 - x/2 + x²/12 - 0 x³ …, and B ≈ -x far to the left, 0 far to the right.
    for x in [0.0, 1e-300, -1e-300, 1e-17, -1e-17] {
        let found = derivatives(third(Fused(x)).bernoulli());
        for (found, exact) in found.into_iter().zip([1.0, -0.5, 1.0 / 6.0, 0.0]) {
            assert!(
                (found - exact).abs() < 1e-15,
                "at {x}: {found} against {exact}"
            );
        }
    }
    for (x, slope) in [(-800.0, -1.0), (-60.0, -1.0), (900.0, 0.0)] {
        let [_, found, ..] = derivatives(third(Fused(x)).bernoulli());
        assert!((found - slope).abs() < 1e-13, "at {x}: {found}");
    }
    // Against 1 / φ_1 where that is well conditioned.
    for k in -80..80 {
        let x = third(Fused(f64::from(k) * 0.37 + 0.01));
        let (found, exact) = (
            derivatives(x.bernoulli()),
            derivatives(Third::one() / x.exprel()),
        );
        for (found, exact) in found.into_iter().zip(exact).take(3) {
            assert!(
                (found - exact).abs() < 1e-12 * exact.abs().max(1e-2),
                "{x:?}: {found}, {exact}"
            );
        }
    }
}

#[test]
fn exprel_has_its_three_derivatives_at_zero() {
    // φ_1^(n)(0) = 1 / (n + 1)
    for x in [0.0, 1e-300, -1e-300, 1e-17, -1e-17] {
        for (n, d) in derivatives(third(Fused(x)).exprel())
            .into_iter()
            .enumerate()
        {
            let exact = 1.0 / (n as f64 + 1.0);
            assert!(
                (d / exact - 1.0).abs() < 1e-15,
                "derivative {n} at {x}: {d} against {exact}"
            );
        }
    }
}
