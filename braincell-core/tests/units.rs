//! Quantities with units: values, refusals, and the laws of reading and writing.

use braincell_core::units::{Quantity, Unit, UnitError, parse_in};
use proptest::prelude::*;

#[test]
fn values_in_the_units_of_the_program() {
    let cases = [
        ("0.12 S/cm2", "S/cm2", 0.12),
        ("120 mS/cm^2", "S/cm2", 0.12),
        ("120 mS/cm²", "mS/cm2", 120.0),
        ("1 uF/cm²", "uF/cm2", 1.0),
        ("1 µF/cm2", "F/m2", 0.01),
        ("1 μF/cm2", "uF/cm2", 1.0),
        ("100 ohm cm", "ohm cm", 100.0),
        ("100 Ω·cm", "Ohm m", 1.0),
        ("100 \u{2126}*cm", "ohm cm", 100.0),
        ("2 MΩ", "ohm", 2e6),
        ("10 uA/cm2", "mA/cm2", 0.01),
        ("0.5 nA", "pA", 500.0),
        ("-65 mV", "V", -0.065),
        ("\u{2212}65mV", "mV", -65.0),
        ("+.5 mV", "mV", 0.5),
        ("5. mV", "mV", 5.0),
        ("25 us", "ms", 0.025),
        ("5e-5 mM", "nM", 50.0),
        ("1 M", "mol/L", 1.0),
        ("1 mM", "mol/m3", 1.0),
        ("36 degC", "degC", 36.0),
        ("36 °C", "K", 309.15),
        ("309.15 K", "celsius", 36.0),
        ("6.3 \u{2103}", "degC", 6.3),
        ("1 kHz", "1/ms", 1.0),
        ("1.2 /ms", "1/s", 1200.0),
        ("1.2/ms", "ms-1", 1.2),
        ("3 um", "cm", 3e-4),
        ("0.001 1/mV", "1/V", 1.0),
        ("0.04 mS", "S", 4e-5),
        ("0.5", "1", 0.5),
        ("50 %", "1", 0.5),
        ("0.5", "%", 50.0),
        ("3 1/(ms mV)", "ms⁻¹ mV⁻¹", 3.0),
        ("3 /ms/mV", "1/(s V)", 3e6),
        ("3 (m/s)^2", "m2 s-2", 3.0),
        ("2 min", "s", 120.0),
        ("90 s", "min", 1.5),
        ("1 h", "min", 60.0),
        ("8.314 J/(mol K)", "V C/(mol K)", 8.314),
        ("2 W/A", "V", 2.0),
        ("1 N m", "J", 1.0),
        ("5 g", "kg", 0.005),
        ("1 ml", "cm3", 1.0),
        ("0 mV", "V", 0.0),
    ];
    for (text, unit, expected) in cases {
        assert_eq!(parse_in(text, unit), Ok(expected), "{text} in {unit}");
    }
}

#[test]
fn a_decimal_prefix_moves_the_point_and_nothing_else() {
    for digits in [
        "0.07", "0.12", "0.3", "36", "120", "2.4e-4", "1.1", "65.4321",
    ] {
        for (unit, power) in [
            ("fS", -15),
            ("pS", -12),
            ("nS", -9),
            ("uS", -6),
            ("mS", -3),
            ("cS", -2),
            ("dS", -1),
            ("kS", 3),
            ("MS", 6),
            ("GS", 9),
        ] {
            let expected: f64 = match digits.split_once('e') {
                Some((mantissa, e)) => format!("{mantissa}e{}", e.parse::<i32>().unwrap() + power),
                None => format!("{digits}e{power}"),
            }
            .parse()
            .unwrap();
            assert_eq!(
                parse_in(&format!("{digits} {unit}"), "S"),
                Ok(expected),
                "{digits} {unit}"
            );
        }
    }
}

#[test]
fn a_missing_unit_is_named() {
    let message = parse_in("120", "S/cm2").unwrap_err().to_string();
    assert_eq!(
        message,
        "\"120\" has no unit, but a conductance per area is wanted: write for example \"120 mS/cm2\""
    );
    assert!(
        matches!(parse_in("1 ", "mol4"), Err(UnitError::MissingUnit { example, .. }) if example == "mol4")
    );
}

#[test]
fn a_wrong_dimension_names_both() {
    let message = parse_in("120 mV", "S/cm2").unwrap_err().to_string();
    assert_eq!(
        message,
        "\"120 mV\" is a voltage, but a conductance per area is wanted, for example in \"mS/cm2\""
    );
    let message = parse_in("1 kg2 K", "V").unwrap_err().to_string();
    assert!(message.contains("a quantity in kg^2 K"), "{message}");
    assert!(
        matches!(parse_in("36 C", "degC"), Err(UnitError::WrongDimension { found, .. }) if found == "a charge")
    );
    assert!(matches!(
        parse_in("50 %", "mV"),
        Err(UnitError::WrongDimension { .. })
    ));
}

#[test]
fn every_named_dimension_is_found() {
    for (unit, name) in [
        ("1", "a number without dimension"),
        ("kV", "a voltage"),
        ("A", "a current"),
        ("A/m2", "a current per area"),
        ("S", "a conductance"),
        ("S/m2", "a conductance per area"),
        ("F", "a capacitance"),
        ("pF/um2", "a capacitance per area"),
        ("ohm", "a resistance"),
        ("ohm m", "a resistivity"),
        ("h", "a time"),
        ("Hz", "a rate"),
        ("m", "a length"),
        ("cm2", "an area"),
        ("L", "a volume"),
        ("M", "a concentration"),
        ("K", "a temperature"),
        ("C", "a charge"),
        ("N m", "an energy"),
        ("/V", "an inverse voltage"),
        ("cm/s", "a velocity"),
        ("m2/s", "a diffusion coefficient"),
    ] {
        assert_eq!(Unit::parse(unit).unwrap().dimension_name(), name, "{unit}");
    }
}

#[test]
fn unknown_symbols_get_a_suggestion() {
    for (text, wrong, near) in [
        ("1 mv", "mv", Some("mV")),
        ("1 hz", "hz", Some("Hz")),
        ("1 msec", "msec", Some("ms")),
        ("1 degc", "degc", Some("degC")),
        ("1 OHM cm", "OHM", Some("Ohm")),
        ("1 kmin", "kmin", Some("min")),
        ("1 furlong", "furlong", None),
    ] {
        let Err(UnitError::UnknownSymbol {
            symbol, nearest, ..
        }) = Quantity::parse(text)
        else {
            panic!("{text} was read");
        };
        assert_eq!(
            (symbol.as_str(), nearest.as_deref()),
            (wrong, near),
            "{text}"
        );
    }
}

#[test]
fn refusals() {
    for text in ["", "  ", "\t\n"] {
        assert_eq!(Quantity::parse(text), Err(UnitError::Empty));
        assert_eq!(Unit::parse(text), Err(UnitError::Empty));
    }
    for text in [
        "mV", "- 5 mV", "1,5 mV", "1_000 mV", "1.2.3 mV", ".", "-", "e5", "--1 mV",
    ] {
        assert!(
            matches!(Quantity::parse(text), Err(UnitError::Number { .. })),
            "{text:?}"
        );
    }
    for text in ["inf", "-inf mV", "NaN", "infinity s", "1e999 mV", "-1e400"] {
        assert!(
            matches!(Quantity::parse(text), Err(UnitError::NotFinite { .. })),
            "{text:?}"
        );
    }
    assert!(matches!(
        parse_in("1e308 GV", "fV"),
        Err(UnitError::NotFinite { .. })
    ));
    assert!(matches!(
        parse_in("1e308 h40", "s40"),
        Err(UnitError::NotFinite { .. })
    ));
    for text in [
        "1 mV/",
        "1 mV//s",
        "1 *mV",
        "1 (mV",
        "1 mV)",
        "1 ()",
        "1 mV^",
        "1 mV^x",
        "1 mV^2.5",
        "1 mV 2",
        "1 cm2m",
        "1 000",
        "1 2mV",
        "1 mV^100",
        "1 mV^99999999999",
        "1 m⁻",
        "1 mV-",
        "1 (m9 m9)9",
        "1 mV + 2 mV",
    ] {
        assert!(
            matches!(Quantity::parse(text), Err(UnitError::Syntax { .. })),
            "{text:?}: {:?}",
            Quantity::parse(text)
        );
    }
    for text in ["1 /degC", "1 degC/s", "1 degC2", "1 mV °C"] {
        assert!(
            matches!(Quantity::parse(text), Err(UnitError::Celsius { .. })),
            "{text:?}"
        );
    }
    assert!(matches!(
        Quantity::parse("1 mdegC"),
        Err(UnitError::UnknownSymbol { .. })
    ));
}

#[test]
fn long_and_deep_texts_are_refused_quickly_and_quoted_shortly() {
    let deep = format!("1 {}m{}", "(".repeat(1_000_000), ")".repeat(1_000_000));
    let long = format!("1 {}", "x".repeat(1_000_000));
    let product = format!("1 {}", "m ".repeat(1_000_000));
    for text in [
        deep,
        long,
        product,
        "9".repeat(1_000_000),
        "é".repeat(100_000),
    ] {
        let message = Quantity::parse(&text).unwrap_err().to_string();
        assert!(message.len() < 1000, "{} bytes", message.len());
    }
}

/// Units from the grammar, small enough not to leave the range of exponents.
fn unit() -> impl Strategy<Value = String> {
    let symbol = prop::sample::select(vec![
        "mV", "uA", "S", "kOhm", "pF", "ms", "min", "h", "cm", "mM", "K", "mol", "L", "%", "1",
        "µm", "Ω",
    ]);
    let exponent = prop::sample::select(vec!["", "^2", "2", "-1", "²", "⁻¹", "^-2"]);
    let factor = (symbol, exponent).prop_map(|(s, e)| {
        if s == "1" {
            s.to_owned()
        } else {
            format!("{s}{e}")
        }
    });
    factor.prop_recursive(3, 8, 2, |inner| {
        let operator = prop::sample::select(vec![" ", "/", "*", "·", " / "]);
        (inner.clone(), operator, inner).prop_map(|(a, o, b)| format!("({a}){o}({b})"))
    })
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*", tail in "[-+0-9.eE ]{0,6}[a-zA-ZµΩ°%/*·^()²⁻¹0-9 -]{0,24}") {
        for text in [text, tail] {
            if let Err(error) = parse_in(&text, "mV") {
                let _ = error.to_string();
            }
            let _ = Unit::parse(&text);
        }
    }

    #[test]
    fn display_reads_back(value in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, unit in unit()) {
        let quantity = Quantity { value, unit: Unit::parse(&unit).unwrap() };
        let again: Quantity = quantity.to_string().parse().unwrap();
        prop_assert_eq!(again.value.to_bits(), value.to_bits());
        prop_assert_eq!(&again.unit, &quantity.unit);
        prop_assert_eq!(again.unit, quantity.unit.to_string().parse::<Unit>().unwrap());
    }

    #[test]
    fn a_unit_converts_to_itself(value in -1e9..1e9f64, unit in unit()) {
        let unit = Unit::parse(&unit).unwrap();
        let quantity = Quantity { value, unit: unit.clone() };
        if unit.to_string() != "1" {
            prop_assert_eq!(quantity.to(&unit), Ok(value));
        }
    }
}
