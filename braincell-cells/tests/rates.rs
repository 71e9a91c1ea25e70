//! Rate functions: finite, continuous, and differentiated right, at their removable singularities too.

use braincell_cells::mechanisms::{PotassiumHh1952, SodiumHh1952};
use braincell_cells::rates::{exponential, linoid, sigmoid};
use braincell_cells::{Channel, Local};
use braincell_core::real::{Dual, Real};
use proptest::prelude::*;

/// A voltage, with its derivative by itself.
type Voltage = Dual<f64, 1>;

/// A rate function: of potential, rate, centre and width.
type Rate = fn(Voltage, f64, f64, f64) -> Voltage;

/// Potentials from -200 to 200 mV, many of them at and around the singularities at -40 and -55 mV.
fn potentials() -> impl Strategy<Value = f64> {
    let centre = prop_oneof![Just(-40.0), Just(-55.0)];
    let near = (centre, -16i32..2, -1.0..1.0f64).prop_map(|(c, e, x)| c + x * 10f64.powi(e));
    prop_oneof![-200.0..200.0f64, near, Just(-40.0), Just(-55.0)]
}

/// All rates of the membrane: a and b of m, h and n.
fn rates<R: Real>(v: R) -> [R; 6] {
    let zero = R::zero();
    let at = Local {
        v,
        reversal: zero,
        concentration: zero,
    };
    let [m, h] = SodiumHh1952.rates(at, [zero; 2]);
    let [n] = PotassiumHh1952.rates(at, [zero; 2]);
    [m.a, m.b, h.a, h.b, n.a, n.b]
}

/// x / (1 - e^-x) and its derivative: by its formula away from 0, by its series near it.
fn linoid_by_hand(x: f64) -> [f64; 2] {
    if x.abs() < 0.05 {
        let x2 = x * x;
        let value = 1.0 + x / 2.0 + x2 / 12.0 - x2 * x2 / 720.0 + x2 * x2 * x2 / 30240.0;
        let slope = 0.5 + x / 6.0 - x2 * x / 180.0 + x2 * x2 * x / 5040.0;
        [value, slope]
    } else {
        let below = -(-x).exp_m1();
        [x / below, 1.0 / below - x * (-x).exp() / (below * below)]
    }
}

/// The same rates and their derivatives, from the published formulas.
fn by_hand(v: f64) -> [[f64; 2]; 6] {
    let scale = |[y, d]: [f64; 2], rate: f64, width: f64| [rate * y, rate * d / width];
    let exp = |rate: f64, centre: f64, width: f64| {
        let y = ((v - centre) / width).exp();
        scale([y, y], rate, width)
    };
    let lin = |rate, centre, width| scale(linoid_by_hand((v - centre) / width), rate, width);
    let add = |a: [f64; 2], b: [f64; 2]| [a[0] + b[0], a[1] + b[1]];
    let s = 1.0 / (1.0 + (-(v + 35.0) / 10.0).exp());
    let closing = [s, s * (1.0 / (1.0 + ((v + 35.0) / 10.0).exp())) / 10.0];
    let (m, h, n) = (
        lin(1.0, -40.0, 10.0),
        exp(0.07, -65.0, -20.0),
        lin(0.1, -55.0, 10.0),
    );
    [
        m,
        add(m, exp(4.0, -65.0, -18.0)),
        h,
        add(h, closing),
        n,
        add(n, exp(0.125, -65.0, -80.0)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn rates_and_their_derivatives_are_the_published_ones(v in potentials()) {
        let dual = rates(Voltage::variable(v, 0));
        let plain = rates(v);
        for (k, wanted) in by_hand(v).into_iter().enumerate() {
            for (given, wanted) in [dual[k].value, dual[k].tangent[0]].into_iter().zip(wanted) {
                prop_assert!(given.is_finite());
                // Differences of terms of the size of the rate cancel in the derivative far from the centre.
                let size = 1e-12 * wanted.abs() + 1e-14;
                prop_assert!((given - wanted).abs() <= size, "{} at {}: {} {}", k, v, given, wanted);
            }
            prop_assert!((plain[k] - dual[k].value).abs() <= 1e-15 * plain[k].abs());
        }
    }

    #[test]
    fn rates_are_continuous(v in potentials()) {
        // Neighbours one unit in the last place apart differ by rounding alone.
        let (here, there) = (Voltage::variable(v, 0), Voltage::variable(v.next_up(), 0));
        for (a, b) in rates(here).into_iter().zip(rates(there)) {
            prop_assert!((a.value - b.value).abs() <= 1e-13 * a.value.abs());
            prop_assert!((a.tangent[0] - b.tangent[0]).abs() <= 1e-12 * a.tangent[0].abs() + 1e-15);
        }
    }

    #[test]
    fn any_rate_function_is_finite(
        v in -200.0..200.0f64,
        rate in 0.01..10.0f64,
        centre in -100.0..50.0f64,
        width in prop_oneof![2.0..30.0f64, -30.0..-2.0f64],
        at_centre in any::<bool>(),
    ) {
        let v = Voltage::variable(if at_centre { centre } else { v }, 0);
        let functions: [Rate; 3] = [exponential, sigmoid, linoid];
        for f in functions {
            let y = f(v, rate, centre, width);
            prop_assert!(y.value.is_finite() && y.value >= 0.0);
            prop_assert!(y.tangent[0].is_finite() && y.tangent[0] * width >= 0.0);
        }
        let x = (v.value - centre) / width;
        let [value, slope] = linoid_by_hand(x);
        let y = linoid(v, rate, centre, width);
        prop_assert!((y.value - rate * value).abs() <= 1e-12 * rate * value.abs() + 1e-15);
        prop_assert!((y.tangent[0] - rate * slope / width).abs() <= 1e-12 * rate + 1e-15);
        if at_centre {
            prop_assert_eq!(y.value, rate);
        }
    }
}
