//! The current of Goldman, Hodgkin and Katz.

use braincell_cells::mechanism::{FARADAY, GAS, nernst};
use braincell_cells::{Placed, SingleCompartment, mechanisms, rates};
use braincell_core::model::Model;
use braincell_core::real::Dual;
use braincell_core::simulation::Setup;
use proptest::prelude::*;

const T: f64 = 309.15;

/// z F v / (R T) for v in mV.
fn reduced(v: f64, z: f64) -> f64 {
    1e-3 * z * FARADAY * v / (GAS * T)
}

proptest! {
    /// u / (e^u - 1) = 1 - u/2 + u²/12 - u⁴/720 + …
    #[test]
    fn it_is_smooth_around_zero(
        exponent in -20.0..-2.0f64,
        sign in prop::bool::ANY,
        outside in 0.1..5.0f64,
        inside in 1e-5..5.0f64,
        z in prop::sample::select(vec![-1.0, 1.0, 2.0]),
    ) {
        let u = if sign { 1.0 } else { -1.0 } * 10f64.powf(exponent);
        let v = u / reduced(1.0, z);
        let at = Dual::<f64, 1>::variable(v, 0);
        let lift = Dual::<f64, 1>::lift;
        let current = rates::ghk(at, z, lift(T), lift(outside), lift(inside));
        let series = |u: f64| 1.0 - u / 2.0 + u * u / 12.0 - u.powi(4) / 720.0;
        let slope = |u: f64| -0.5 + u / 6.0 - u.powi(3) / 180.0;
        let value = z * FARADAY * (outside * series(u) - inside * series(-u));
        let derivative =
            z * FARADAY * (outside * slope(u) + inside * slope(-u)) * reduced(1.0, z);
        let scale = (z * FARADAY * (outside + inside)).abs();
        prop_assert!((current.value - value).abs() < 1e-14 * scale);
        prop_assert!((current.tangent[0] - derivative).abs() < 1e-12 * scale * reduced(1.0, z).abs());
    }

    #[test]
    fn it_is_the_formula_and_vanishes_at_the_nernst_potential(
        v in -150.0..150.0f64,
        outside in 0.1..5.0f64,
        inside in 1e-4..5.0f64,
        z in prop::sample::select(vec![-1.0, 1.0, 2.0]),
    ) {
        let u = reduced(v, z);
        prop_assume!(u.abs() > 0.1);
        let current = rates::ghk(v, z, T, outside, inside);
        let direct = z * FARADAY * u * (outside * (-u).exp() - inside) / (1.0 - (-u).exp());
        prop_assert!((current - direct).abs() < 1e-12 * FARADAY * (outside + inside) * (1.0 + u.abs()) * 2.0);
        let rest = nernst(z, T, outside, inside);
        let zero = rates::ghk(rest, z, T, outside, inside);
        prop_assert!(zero.abs() < 1e-11 * FARADAY * (outside + inside), "{}", zero);
    }
}

#[test]
fn a_channel_of_that_form_fills_its_pool() {
    let placed = |label: &str, name: &str| Placed::new(label, mechanisms::find(name).unwrap());
    let cell = SingleCompartment::new()
        .initial_voltage(-60.0)
        .mechanism(placed("leak", "leak"))
        .mechanism(placed("cat", "cat_ghk"))
        .mechanism(placed("ca", "calcium_detailed"));
    let model = Model::new(&cell).unwrap();
    let mut registry = braincell_core::registry::Registry::new();
    braincell_solvers_rk::register(&mut registry).unwrap();
    let setup = Setup::new("rk4", 0.01)
        .record("ca.I")
        .record("cat.I")
        .record("ca.c_in");
    let mut run = setup.start::<f64>(&registry, &model).unwrap();
    run.run(5.0).unwrap();
    let recording = run.recording();
    let [pool, channel, c] =
        ["ca.I", "cat.I", "ca.c_in"].map(|name| recording.trace(name).unwrap().to_vec());
    assert_eq!(pool, channel);
    assert!(
        channel[0] > 0.0 && c[500] > c[0],
        "{} {}",
        channel[0],
        c[500]
    );
    let without = SingleCompartment::new().mechanism(placed("cat", "cat_ghk"));
    let text = Model::new(&without).err().unwrap().to_string();
    assert!(text.contains("pool of ca"), "{text}");
}
