//! Waveforms: values, slopes and jumps.

use braincell_core::input::{Input, InputError, Interpolation, Waveform};
use braincell_core::real::Real;
use proptest::prelude::*;

/// t² before `at`, 5 - t from then on.
struct Bent {
    at: f64,
}

impl Waveform for Bent {
    fn value<R: Real>(&self, t: R) -> R {
        t.if_less(R::constant(self.at), t * t, -t + 5.0)
    }
    fn jumps(&self) -> Vec<f64> {
        vec![self.at]
    }
}

/// Values at t, seen from just before and just after.
fn around(input: &Input, t: f64) -> [(f64, f64); 2] {
    [t - 0.01, t + 0.01].map(|within| input.value_and_slope(t, within))
}

#[test]
fn both_sides_of_every_jump() {
    let step = Input::step(2.0, 1.0, 3.0);
    assert_eq!(around(&step, 1.0), [(0.0, 0.0), (2.0, 0.0)]);
    assert_eq!(around(&step, 2.0), [(2.0, 0.0); 2]);
    assert_eq!(around(&step, 3.0), [(2.0, 0.0), (0.0, 0.0)]);
    assert_eq!(step.value_and_slope(1.0, 1.0), (2.0, 0.0), "start ≤ t");
    assert_eq!(step.value_and_slope(3.0, 3.0), (0.0, 0.0), "t < stop");

    let pulses = Input::pulses(2.0, 1.0, 0.5, 2.0, 2);
    for (t, before, after) in [
        (1.0, 0.0, 2.0),
        (1.5, 2.0, 0.0),
        (3.0, 0.0, 2.0),
        (3.5, 2.0, 0.0),
    ] {
        assert_eq!(around(&pulses, t), [(before, 0.0), (after, 0.0)]);
    }
    assert_eq!(around(&pulses, 5.2), [(0.0, 0.0); 2], "no third pulse");

    let ramp = Input::ramp(1.0, 5.0, 2.0, 4.0);
    assert_eq!(around(&ramp, 2.0), [(0.0, 0.0), (1.0, 2.0)]);
    assert_eq!(around(&ramp, 3.0), [(3.0, 2.0); 2]);
    assert_eq!(around(&ramp, 4.0), [(5.0, 2.0), (5.0, 0.0)]);
    assert_eq!(around(&ramp, 9.0), [(5.0, 0.0); 2]);

    let samples = vec![1.0, 4.0, 2.0];
    let held = Input::samples(samples.clone(), 1.0, 0.5, Interpolation::Hold);
    let lines = Input::samples(samples, 1.0, 0.5, Interpolation::Linear);
    for (t, before, after) in [
        (1.0, 0.0, 1.0),
        (1.5, 1.0, 4.0),
        (2.0, 4.0, 2.0),
        (7.0, 2.0, 2.0),
    ] {
        assert_eq!(around(&held, t), [(before, 0.0), (after, 0.0)]);
    }
    assert_eq!(around(&lines, 1.0), [(0.0, 0.0), (1.0, 6.0)]);
    assert_eq!(around(&lines, 1.5), [(4.0, 6.0), (4.0, -4.0)]);
    assert_eq!(around(&lines, 2.0), [(2.0, -4.0), (2.0, 0.0)]);

    let bent = Input::function(Bent { at: 2.0 });
    let [before, after] = around(&bent, 2.0);
    assert!((before.0 - 4.0).abs() < 1e-14 && (before.1 - 4.0).abs() < 1e-14);
    assert_eq!(after, (3.0, -1.0));
    assert_eq!(around(&bent, 1.0), [(1.0, 2.0); 2]);

    let sine = Input::sine(3.0, 0.25, 0.5);
    let (y, slope) = sine.value_and_slope(1.2, 1.2);
    let omega = std::f64::consts::FRAC_PI_2;
    assert!((y - 3.0 * (omega * 1.2 + 0.5).sin()).abs() < 1e-14);
    assert!((slope - 3.0 * omega * (omega * 1.2 + 0.5).cos()).abs() < 1e-14);
    assert_eq!(around(&Input::constant(7.0), 0.0), [(7.0, 0.0); 2]);
    assert_eq!(around(&step.scaled(-2.0), 2.0), [(-4.0, 0.0); 2]);
}

#[test]
fn a_step_without_end_and_pulses_that_are_none() {
    let forever = Input::step(2.0, 1.0, f64::INFINITY);
    assert_eq!(forever.check(), Ok(()));
    assert_eq!(forever.next_jump(0.0), 1.0);
    assert_eq!(forever.next_jump(1.0), f64::INFINITY);
    assert_eq!(forever.value_and_slope(1e9, 1e9).0, 2.0);
    let none = Input::pulses(2.0, 1.0, 0.5, 2.0, 0);
    for t in [0.0, 1.2, 3.2] {
        assert_eq!(none.value_and_slope(t, t), (0.0, 0.0), "{t}");
    }
    // One pulse after the other, without a gap.
    let touching = Input::pulses(1.0, 0.0, 0.1, 0.1, 10);
    for k in 0..10 {
        let middle = 0.05 + 0.1 * f64::from(k);
        assert_eq!(touching.value_and_slope(middle, middle).0, 1.0, "{k}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let nan = f64::NAN;
    let bad = [
        Input::constant(nan),
        Input::constant(f64::INFINITY),
        Input::step(nan, 0.0, 1.0),
        Input::step(1.0, nan, 1.0),
        Input::step(1.0, 2.0, 2.0),
        Input::step(1.0, 3.0, 2.0),
        Input::step(1.0, f64::INFINITY, f64::INFINITY),
        Input::pulses(1.0, 0.0, 2.0, 1.0, 3),
        Input::pulses(1.0, 0.0, 1.0, nan, 3),
        Input::sine(1.0, nan, 0.0),
        Input::sine(1.0, 1.0, nan),
        Input::ramp(0.0, 1.0, 2.0, 1.0),
        Input::ramp(0.0, nan, 1.0, 2.0),
        Input::samples(vec![], 0.0, 1.0, Interpolation::Hold),
        Input::samples(vec![1.0], 0.0, 1.0, Interpolation::Linear),
        Input::samples(vec![1.0, nan], 0.0, 1.0, Interpolation::Hold),
        Input::samples(vec![1.0, 2.0], 0.0, 0.0, Interpolation::Hold),
        Input::function(Bent { at: nan }),
    ];
    for input in bad {
        assert!(input.check().is_err(), "{input:?}");
    }
    let short = Input::samples(vec![1.0], 0.0, 1.0, Interpolation::Linear);
    assert_eq!(
        short.check(),
        Err(InputError::Samples {
            given: 1,
            needed: 2
        })
    );
}

fn inputs() -> impl Strategy<Value = Input> {
    let time = || -3.0..8.0f64;
    let length = || 0.01..4.0f64;
    let value = || -5.0..5.0f64;
    let how = prop_oneof![Just(Interpolation::Hold), Just(Interpolation::Linear)];
    prop_oneof![
        value().prop_map(Input::constant),
        (value(), time(), length()).prop_map(|(a, t, l)| Input::step(a, t, t + l)),
        (value(), time(), length(), 1.0..3.0f64, 0u32..9)
            .prop_map(|(a, t, w, p, n)| Input::pulses(a, t, w, p * w, n)),
        (value(), time(), length(), 0u32..9).prop_map(|(a, t, w, n)| Input::pulses(a, t, w, w, n)),
        (value(), 0.01..1.0f64, value()).prop_map(|(a, f, p)| Input::sine(a, f, p)),
        (value(), value(), time(), length()).prop_map(|(a, b, t, l)| Input::ramp(a, b, t, t + l)),
        (prop::collection::vec(value(), 2..8), time(), length(), how)
            .prop_map(|(v, t, l, how)| Input::samples(v, t, l, how)),
        time().prop_map(|at| Input::function(Bent { at })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn between_jumps_a_waveform_is_smooth(input in inputs(), from in -5.0..0.0f64) {
        prop_assert_eq!(input.check(), Ok(()));
        let mut begin = from;
        for count in 0..=40 {
            let next = input.next_jump(begin);
            prop_assert!(next > begin, "jumps increase: {} after {}", next, begin);
            let end = next.min(20.0);
            let within = 0.5 * (begin + end);
            // Pieces of rounding size lie between pulses that touch.
            if end - begin > 1e-9 {
                smooth(&input, begin, end, within)?;
            }
            if next >= 20.0 {
                break;
            }
            prop_assert!(count < 40, "too many jumps");
            begin = next;
        }
    }
}

/// The value follows the slope from one end of the piece to the other, and does not depend on `within`.
fn smooth(input: &Input, begin: f64, end: f64, within: f64) -> Result<(), TestCaseError> {
    let at = |t: f64| input.value_and_slope(t, within);
    let parts = 400;
    let width = (end - begin) / f64::from(parts);
    for k in 0..parts {
        let t = begin + f64::from(k) * width;
        let ((y0, d0), (y1, d1)) = (at(t), at(t + width));
        // Trapezoidal rule; second derivatives are below 5 (2π)² · 5.
        let slope = 0.5 * (d0 + d1) * width;
        let bound = 5.0 * 248.0 * width.powi(3) + 1e-8;
        prop_assert!(
            (y1 - y0 - slope).abs() < bound,
            "{:?} at {}: {} {}",
            input,
            t,
            y1 - y0,
            slope
        );
        if k > 0 {
            let inside = input.value_and_slope(t, t);
            prop_assert!((inside.0 - y0).abs() < 1e-12, "{:?} within {}", input, t);
        }
    }
    Ok(())
}
