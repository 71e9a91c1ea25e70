//! The elementary functions against values to twice double precision.
//!
//! The table was made with mpmath by `data/make_elementary.py`.

use braincell_core::real::{Element, Lane};
use braincell_core::simd::{Body, Level, dispatch};
use std::collections::BTreeMap;

const TABLE: &str = include_str!("data/elementary.csv");

/// The most units in the last place that a result may be off.
const LIMIT: f64 = 2.5;

struct Point<'a> {
    function: &'a str,
    x: f64,
    /// The value is `y + rest`.
    y: f64,
    rest: f64,
}

/// A number as Python's `float.hex` writes it.
fn hex(text: &str) -> f64 {
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (mantissa, exponent) = text
        .strip_prefix("0x")
        .and_then(|text| text.split_once('p'))
        .expect("a hexadecimal number");
    let (whole, digits) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits_value = u64::from_str_radix(digits, 16).expect("digits") as f64;
    let whole: f64 = whole.parse().expect("0 or 1");
    let mantissa = whole + digits_value / 16f64.powi(digits.len() as i32);
    let exponent: i32 = exponent.parse().expect("an exponent");
    // In two parts, for results that are denormal.
    let size = mantissa * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2);
    if negative { -size } else { size }
}

fn points() -> Vec<Point<'static>> {
    let lines = TABLE.lines().map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        Point {
            function: cells[0],
            x: hex(cells[1]),
            y: hex(cells[2]),
            rest: hex(cells[3]),
        }
    });
    lines.collect()
}

struct Apply<'a, F>(&'a str, F);

impl<F: Element> Body<F> for Apply<'_, F> {
    type Out = F;
    #[inline(always)]
    fn run<R: Lane<F>>(self) -> F {
        let x = R::load(self.1);
        let y = match self.0 {
            "exp" => x.exp(),
            "expm1" => x.expm1(),
            "exprel" => x.exprel(),
            "bernoulli" => x.bernoulli(),
            "phi2" => x.phi(2),
            "phi3" => x.phi(3),
            "ln" => x.ln(),
            "tanh" => x.tanh(),
            "logistic" => x.logistic(),
            other => panic!("unknown function {other}"),
        };
        y.store()
    }
}

/// The greatest error of each function, in units in the last place of the value.
fn worst(level: Level) -> BTreeMap<&'static str, f64> {
    let mut worst = BTreeMap::new();
    for Point {
        function,
        x,
        y,
        rest,
    } in points()
    {
        let found = dispatch(level, Apply(function, x));
        let unit = y.abs().next_up() - y.abs();
        let error = ((found - y) - rest).abs() / unit;
        let greatest: &mut f64 = worst.entry(function).or_default();
        // Keeps NaN.
        *greatest = if error <= *greatest { *greatest } else { error };
    }
    worst
}

#[test]
fn double_precision_is_good_to_a_few_units_in_the_last_place() {
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        let worst = worst(level);
        println!("{level}: {worst:.2?}");
        assert_eq!(worst.len(), 9);
        for (function, error) in worst {
            assert!(error <= LIMIT, "{level}: {function} is off by {error} ulp");
        }
    }
}

#[test]
fn single_precision_is_good_to_a_few_units_in_the_last_place() {
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        let mut worst: BTreeMap<&str, f64> = BTreeMap::new();
        for Point { function, x, .. } in points() {
            // The value at the rounded argument, in double precision.
            let x = x as f32;
            let y = dispatch(level, Apply(function, f64::from(x)));
            let size = y.abs() as f32;
            if !(1e-30..1e30).contains(&y.abs()) || (x == 0.0) {
                continue;
            }
            let found = dispatch(level, Apply(function, x));
            let error = (f64::from(found) - y).abs() / f64::from(size.next_up() - size);
            let greatest = worst.entry(function).or_default();
            *greatest = if error <= *greatest { *greatest } else { error };
        }
        println!("{level}: {worst:.2?}");
        for (function, error) in worst {
            assert!(error <= LIMIT, "{level}: {function} is off by {error} ulp");
        }
    }
}
