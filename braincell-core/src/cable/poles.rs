//! Poles and weights of rational approximations of e^−x and (1 − e^−x)/x on x ≥ 0.
//!
//! Printed by `tests/data/make_exponential_poles.py`, which says how they are made and how large the errors are.

/// `f(x) ≈ Re Σ_k w_k / (θ_k + x)` for two functions with common poles; arrays are `[real or imaginary][pole]`.
#[derive(Debug)]
pub(crate) struct Table {
    /// θ.
    pub(crate) poles: [[f64; 8]; 2],
    /// w of e^−x.
    pub(crate) exp: [[f64; 8]; 2],
    /// w of φ₁(−x) = (1 − e^−x)/x.
    pub(crate) phi1: [[f64; 8]; 2],
}

/// Errors 3.0e-16 (exp) and 3.7e-15 (φ₁).
pub(crate) static DOUBLE: Table = Table {
    poles: [
        [
            6.426297498431201,
            5.9583674621392655,
            5.0036231348759,
            3.520017060276091,
            1.4311509492921133,
            -1.4006174319284785,
            -5.248999134432127,
            -10.823477773031836,
        ],
        [
            1.19469992052438,
            3.589227090646854,
            5.999953382819157,
            8.440745872125058,
            10.931598701985953,
            13.505837945478275,
            16.230183380116973,
            19.288503044383653,
        ],
    ],
    exp: [
        [
            130.1437770321871,
            -228.90458955885012,
            126.33844318113272,
            -30.506005720547712,
            3.0142359928809532,
            -0.08551520076463831,
            -0.00034623493931191764,
            5.08898620943308e-07,
        ],
        [
            454.0420053113731,
            -206.44193181311928,
            22.970620378406746,
            11.508337880947284,
            -3.5627705275883716,
            0.31843268685979276,
            -0.008920194225633303,
            4.941654416018078e-05,
        ],
    ],
    phi1: [
        [
            32.271484158333294,
            -43.50269367701885,
            12.61512224316567,
            -0.12246749579180834,
            -0.28493210750513265,
            0.023976269113861467,
            -0.0004913264147204519,
            1.9361101863895054e-06,
        ],
        [
            64.65422424354357,
            -8.442055740373807,
            -10.536271416593685,
            3.563064437502405,
            -0.31303869133064666,
            0.0038452388266502395,
            0.00018021596931093534,
            -1.1127149538364807e-06,
        ],
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest error on a grid of x from 1e-6 to 1e6, and at 0 and 1e300.
    fn error(weights: &[[f64; 8]; 2], exact: impl Fn(f64) -> f64) -> f64 {
        let grid = (0..=2400).map(|k| 10.0_f64.powf(f64::from(k) / 200.0 - 6.0));
        let approximated = |x: f64| -> f64 {
            let pole = |k: usize| {
                let (re, im) = (DOUBLE.poles[0][k] + x, DOUBLE.poles[1][k]);
                // Real part of w / (θ + x), safe from overflow.
                let ratio = im / re;
                (weights[0][k] + weights[1][k] * ratio) / (re + im * ratio)
            };
            (0..8).map(pole).sum()
        };
        grid.chain([0.0, 1e300])
            .map(|x| (approximated(x) - exact(x)).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn the_approximation_is_uniform() {
        // Cancellation among weights of several hundred adds rounding to the errors of the tables.
        let exp = error(&DOUBLE.exp, |x| (-x).exp());
        let phi1 = error(&DOUBLE.phi1, |x| {
            if x == 0.0 { 1.0 } else { -(-x).exp_m1() / x }
        });
        assert!(exp < 5e-14 && phi1 < 2e-14, "{exp:e}, {phi1:e}");
    }
}
