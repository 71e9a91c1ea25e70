//! Trains of events followed by exponentials, against the sums that define them.

use braincell_core::input::{Input, InputError};
use proptest::prelude::*;

type Function = Box<dyn Fn(f64) -> f64>;

/// Σ weight · k(t - time) over the events until `within`.
fn sum(events: &[(f64, f64)], t: f64, within: f64, k: impl Fn(f64) -> f64) -> f64 {
    let past = events.iter().filter(|(time, _)| *time <= within);
    past.map(|(time, weight)| weight * k(t - time)).sum()
}

proptest! {
    #[test]
    fn trains_are_their_sums(
        events in prop::collection::vec((0.0..50.0f64, -1.0..1.0f64), 0..40),
        tau in 0.5..20.0f64,
        ratio in 0.05..0.9f64,
        t in -5.0..80.0f64,
        back in 0.0..1.0f64,
    ) {
        let rise = ratio * tau;
        let peak = rise * tau / (tau - rise) * (tau / rise).ln();
        let double = move |s: f64| (-s / tau).exp() - (-s / rise).exp();
        let norm = 1.0 / double(peak);
        let cases: [(Input, Function, Function); 2] = [
            (
                Input::exponential_events(tau, events.clone()),
                Box::new(move |s| (-s / tau).exp()),
                Box::new(move |s| -(-s / tau).exp() / tau),
            ),
            (
                Input::biexponential_events(rise, tau, events.clone()),
                Box::new(move |s| norm * double(s)),
                Box::new(move |s| norm * ((-s / rise).exp() / rise - (-s / tau).exp() / tau)),
            ),
        ];
        // A stage time may lie after the time that tells the smooth piece, as at the left side of an event.
        let within = t - back;
        for (input, value, slope) in cases {
            prop_assert!(input.check().is_ok());
            let (y, dy) = input.value_and_slope(t, within);
            prop_assert!((y - sum(&events, t, within, value)).abs() < 1e-11 * norm);
            prop_assert!((dy - sum(&events, t, within, slope)).abs() < 1e-11 * norm / rise);
            let next = events.iter().map(|e| e.0).filter(|&time| time > t).fold(f64::INFINITY, f64::min);
            prop_assert_eq!(input.next_jump(t), next);
        }
    }
}

#[test]
fn the_peak_of_a_double_exponential_is_its_weight() {
    let (rise, decay) = (0.5, 3.0);
    let g = Input::biexponential_events(rise, decay, [(1.0, 0.25)]);
    let peak = 1.0 + rise * decay / (decay - rise) * (decay / rise).ln();
    let (value, slope) = g.value_and_slope(peak, peak);
    assert!((value - 0.25).abs() < 1e-15);
    assert!(slope.abs() < 1e-15);
    assert_eq!(g.value_and_slope(1.0, 1.0).0, 0.0);
    assert_eq!(
        g.clone().scaled(2.0).value_and_slope(peak, peak).0,
        2.0 * value
    );
}

#[test]
fn a_jump_is_seen_from_the_side_of_its_piece() {
    let g = Input::exponential_events(2.0, [(1.0, 1.0), (1.0, 0.5), (4.0, 1.0)]);
    assert_eq!(g.value_and_slope(1.0, 0.5), (0.0, 0.0));
    assert_eq!(g.value_and_slope(1.0, 1.0).0, 1.5);
    let before = 1.5 * (-1.5f64).exp();
    assert!((g.value_and_slope(4.0, 3.0).0 - before).abs() < 1e-15);
    assert!((g.value_and_slope(4.0, 4.0).0 - before - 1.0).abs() < 1e-15);
    assert_eq!(g.next_jump(4.0), f64::INFINITY);
}

#[test]
fn bad_numbers_are_refused() {
    let refused = |input: Input| input.check().unwrap_err();
    assert!(matches!(
        refused(Input::exponential_events(0.0, [(1.0, 1.0)])),
        InputError::NotPositive {
            what: "the time constant",
            ..
        }
    ));
    assert!(matches!(
        refused(Input::exponential_events(1.0, [(f64::NAN, 1.0)])),
        InputError::NotFinite {
            what: "an event time",
            ..
        }
    ));
    assert!(matches!(
        refused(Input::exponential_events(1.0, [(0.0, f64::INFINITY)])),
        InputError::NotFinite {
            what: "an event weight",
            ..
        }
    ));
    assert!(matches!(
        refused(Input::biexponential_events(2.0, 2.0, [])),
        InputError::Rise { .. }
    ));
    assert!(matches!(
        refused(Input::biexponential_events(-1.0, 2.0, [])),
        InputError::NotPositive {
            what: "the rise time",
            ..
        }
    ));
    assert!(Input::exponential_events(1.0, []).check().is_ok());
}
