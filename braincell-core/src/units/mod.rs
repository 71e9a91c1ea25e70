//! Physical quantities at the surface of the program: text with a unit in, number in a known unit out.
//!
//! Inside the program numbers carry no unit. Where a number enters, [`parse_in`] reads text such as
//! `"120 mS/cm2"`, checks the dimension and returns the number in the unit that the program uses:
//!
//! ```
//! use braincell_core::units::parse_in;
//! assert_eq!(parse_in("120 mS/cm2", "S/cm2").unwrap(), 0.12);
//! assert_eq!(parse_in("-0.065 V", "mV").unwrap(), -65.0);
//! assert!(parse_in("120 mV", "S/cm2").is_err());
//! ```
//!
//! # Grammar
//!
//! A quantity is a number and, after optional white space, a unit. A unit is a product of factors:
//!
//! - a factor is a symbol, `1`, or a unit in parentheses, with an optional integer exponent: `cm2`, `cm^2`,
//!   `cm²`, `ms-1`, `ms^-1`, `ms⁻¹`;
//! - white space, `*`, `·` and `×` multiply; `/` divides by the one factor that follows, so `a/b c` is
//!   `(a/b) c`, and `1/(ms mV)` needs its parentheses; a unit may begin with `/`;
//! - symbols are `s min h Hz m l L M V A S Ohm ohm Ω F C K degC °C celsius mol g J W N %`, where `M` is mol/L;
//! - all of them but `min`, `h`, `%` and the Celsius scale take one prefix of `f p n u µ m c d k M G`;
//!   a symbol that is a unit as it stands is that unit (`min`, `mol`, `M`), and case matters;
//! - `degC` has an offset from kelvin and stands only alone.

mod reader;

use reader::Reader;
use std::fmt;
use std::str::FromStr;

/// Largest exponent of a base unit, of ten and of sixty in a unit.
const MAX_EXPONENT: i32 = 99;
/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 16;
/// 0 °C in kelvin.
const CELSIUS_ZERO: f64 = 273.15;

/// Exponents of kg, m, s, A, K and mol.
type Dimension = [i32; 6];

/// Symbols with their dimension, scale as a power of ten, power of sixty, and whether they take a prefix.
const SYMBOLS: &[(&str, Dimension, i32, i32, bool)] = &[
    ("s", [0, 0, 1, 0, 0, 0], 0, 0, true),
    ("min", [0, 0, 1, 0, 0, 0], 0, 1, false),
    ("h", [0, 0, 1, 0, 0, 0], 0, 2, false),
    ("Hz", [0, 0, -1, 0, 0, 0], 0, 0, true),
    ("m", [0, 1, 0, 0, 0, 0], 0, 0, true),
    ("l", [0, 3, 0, 0, 0, 0], -3, 0, true),
    ("L", [0, 3, 0, 0, 0, 0], -3, 0, true),
    ("M", [0, -3, 0, 0, 0, 1], 3, 0, true),
    ("V", [1, 2, -3, -1, 0, 0], 0, 0, true),
    ("A", [0, 0, 0, 1, 0, 0], 0, 0, true),
    ("S", [-1, -2, 3, 2, 0, 0], 0, 0, true),
    ("Ohm", [1, 2, -3, -2, 0, 0], 0, 0, true),
    ("ohm", [1, 2, -3, -2, 0, 0], 0, 0, true),
    ("Ω", [1, 2, -3, -2, 0, 0], 0, 0, true),
    ("\u{2126}", [1, 2, -3, -2, 0, 0], 0, 0, true),
    ("F", [-1, -2, 4, 2, 0, 0], 0, 0, true),
    ("C", [0, 0, 1, 1, 0, 0], 0, 0, true),
    ("K", [0, 0, 0, 0, 1, 0], 0, 0, true),
    ("degC", [0, 0, 0, 0, 1, 0], 0, 0, false),
    ("°C", [0, 0, 0, 0, 1, 0], 0, 0, false),
    ("\u{2103}", [0, 0, 0, 0, 1, 0], 0, 0, false),
    ("celsius", [0, 0, 0, 0, 1, 0], 0, 0, false),
    ("mol", [0, 0, 0, 0, 0, 1], 0, 0, true),
    ("g", [1, 0, 0, 0, 0, 0], -3, 0, true),
    ("J", [1, 2, -2, 0, 0, 0], 0, 0, true),
    ("W", [1, 2, -3, 0, 0, 0], 0, 0, true),
    ("N", [1, 1, -2, 0, 0, 0], 0, 0, true),
    ("%", [0; 6], -2, 0, false),
];

/// Symbols of the Celsius scale.
const CELSIUS: [&str; 4] = ["degC", "°C", "\u{2103}", "celsius"];

/// Prefixes and their powers of ten.
const PREFIXES: &[(char, i32)] = &[
    ('f', -15),
    ('p', -12),
    ('n', -9),
    ('u', -6),
    ('\u{b5}', -6),
    ('\u{3bc}', -6),
    ('m', -3),
    ('c', -2),
    ('d', -1),
    ('k', 3),
    ('M', 6),
    ('G', 9),
];

/// Names of dimensions, each with a unit of that dimension to write.
const NAMES: &[(&str, &str)] = &[
    ("a number without dimension", "1"),
    ("a voltage", "mV"),
    ("a current", "nA"),
    ("a current per area", "uA/cm2"),
    ("a conductance", "nS"),
    ("a conductance per area", "mS/cm2"),
    ("a capacitance", "pF"),
    ("a capacitance per area", "uF/cm2"),
    ("a resistance", "MOhm"),
    ("a resistivity", "ohm cm"),
    ("a resistance times area", "ohm cm2"),
    ("a time", "ms"),
    ("a rate", "1/ms"),
    ("a length", "um"),
    ("an area", "um2"),
    ("a volume", "um3"),
    ("a concentration", "mM"),
    ("a concentration per time", "mM/ms"),
    ("a rate per concentration", "1/(ms mM)"),
    ("a temperature", "degC"),
    ("a charge", "pC"),
    ("a charge per amount of substance", "C/mol"),
    ("an amount of substance", "mol"),
    ("a flux per area", "mol/(cm2 s)"),
    ("a mass", "kg"),
    ("an energy", "J"),
    ("a power", "W"),
    ("a force", "N"),
    ("an inverse voltage", "1/mV"),
    ("a rate per voltage", "1/(ms mV)"),
    ("a voltage per time", "mV/ms"),
    ("a velocity", "m/s"),
    ("a diffusion coefficient", "um2/ms"),
];

/// Why text is no quantity, or not one of the wanted dimension.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UnitError {
    /// The text is empty or white space.
    #[error("a quantity is wanted, but the text is empty; write a number and a unit")]
    Empty,
    /// The text does not begin with a number.
    #[error("{text:?} does not begin with a number such as \"0.12\" or \"5e-5\"")]
    Number {
        /// The text.
        text: String,
    },
    /// The number is infinite, not a number, or beyond double precision, before or after conversion.
    #[error("{text:?} is not a finite number in double precision")]
    NotFinite {
        /// The text.
        text: String,
    },
    /// A symbol is no unit.
    #[error("unknown unit {symbol:?} in {text:?}{}", .nearest.as_ref().map_or(String::new(), |n| format!("; did you mean {n:?}?")))]
    UnknownSymbol {
        /// The symbol.
        symbol: String,
        /// The unit it stands in.
        text: String,
        /// The known symbol nearest to it, where there is a near one.
        nearest: Option<String>,
    },
    /// The unit does not follow the grammar.
    #[error("cannot read the unit {text:?}: {reason}")]
    Syntax {
        /// The unit.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// The Celsius scale stands in a product, or with an exponent.
    #[error(
        "the Celsius scale has an offset and stands only alone, not in {text:?}; write \"K\" for temperature differences"
    )]
    Celsius {
        /// The unit.
        text: String,
    },
    /// A number without unit where one with a unit is wanted.
    #[error("{text:?} has no unit, but {wanted} is wanted: write for example \"{text} {example}\"")]
    MissingUnit {
        /// The number.
        text: String,
        /// Name of the wanted dimension.
        wanted: String,
        /// A unit that would do.
        example: String,
    },
    /// A quantity of another dimension than the wanted one.
    #[error("{text:?} is {found}, but {wanted} is wanted, for example in {example:?}")]
    WrongDimension {
        /// The quantity.
        text: String,
        /// Name of its dimension.
        found: String,
        /// Name of the wanted dimension.
        wanted: String,
        /// A unit that would do.
        example: String,
    },
}

/// A unit: a dimension and a scale, `10^a · 60^b` times the coherent SI unit.
///
/// It keeps the text it was read from and displays as that. Two units are equal when dimension and scale are.
#[derive(Clone, Debug)]
pub struct Unit {
    dimension: Dimension,
    ten: i32,
    sixty: i32,
    celsius: bool,
    text: String,
}

impl Unit {
    /// Reads a unit such as `"mS/cm2"`; `"1"` is the dimensionless unit.
    ///
    /// # Errors
    ///
    /// [`UnitError::Empty`], [`UnitError::UnknownSymbol`], [`UnitError::Syntax`], [`UnitError::Celsius`].
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(UnitError::Empty);
        }
        let mut reader = Reader {
            text,
            rest: text,
            celsius: false,
            factors: 0,
        };
        let scale = reader.product(0)?;
        if !reader.rest.is_empty() {
            return Err(reader.unexpected());
        }
        let kelvin = [0, 0, 0, 0, 1, 0];
        if reader.celsius && (reader.factors > 1 || scale.dimension != kelvin) {
            return Err(UnitError::Celsius {
                text: excerpt(text),
            });
        }
        Ok(Self {
            dimension: scale.dimension,
            ten: scale.ten,
            sixty: scale.sixty,
            celsius: reader.celsius,
            text: text.to_owned(),
        })
    }

    /// Exponents of kg, m, s, A, K and mol.
    pub fn dimension(&self) -> [i32; 6] {
        self.dimension
    }

    /// Name of the dimension with its article, such as `a conductance per area`, or its base units.
    pub fn dimension_name(&self) -> String {
        if let Some((name, _)) = self.known_name() {
            return (*name).to_owned();
        }
        let mut name = String::from("a quantity in");
        for (symbol, exponent) in ["kg", "m", "s", "A", "K", "mol"].iter().zip(self.dimension) {
            match exponent {
                0 => {}
                1 => name += &format!(" {symbol}"),
                _ => name += &format!(" {symbol}^{exponent}"),
            }
        }
        name
    }

    /// The entry of the table of names for this dimension.
    fn known_name(&self) -> Option<&'static (&'static str, &'static str)> {
        NAMES.iter().find(|(_, example)| {
            Unit::parse(example).is_ok_and(|unit| unit.dimension == self.dimension)
        })
    }

    /// A customary unit of the dimension.
    fn example(&self) -> String {
        self.known_name()
            .map_or_else(|| self.text.clone(), |(_, unit)| (*unit).to_owned())
    }
}

impl PartialEq for Unit {
    fn eq(&self, other: &Self) -> bool {
        self.dimension == other.dimension
            && self.ten == other.ten
            && self.sixty == other.sixty
            && self.celsius == other.celsius
    }
}

impl FromStr for Unit {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        Self::parse(text)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A finite number with a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// The number, in the unit.
    pub value: f64,
    /// The unit; `1` where the text had none.
    pub unit: Unit,
}

impl Quantity {
    /// Reads a quantity such as `"120 mS/cm2"`; a number alone is dimensionless.
    ///
    /// # Errors
    ///
    /// [`UnitError::Number`], [`UnitError::NotFinite`] and the errors of [`Unit::parse`].
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(UnitError::Empty);
        }
        let (number, unit) = text.split_at(number_length(text));
        let value = number.replace('\u{2212}', "-").parse::<f64>();
        let Ok(value) = value else {
            let word = text.trim_start_matches(['+', '-', '\u{2212}']);
            let start = word.get(..3).unwrap_or("").to_ascii_lowercase();
            let text = excerpt(text);
            return Err(if start == "inf" || start == "nan" {
                UnitError::NotFinite { text }
            } else {
                UnitError::Number { text }
            });
        };
        if !value.is_finite() {
            return Err(UnitError::NotFinite {
                text: excerpt(text),
            });
        }
        if unit.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '_')) {
            return Err(UnitError::Number {
                text: excerpt(text),
            });
        }
        let unit = unit.trim();
        let unit = Unit::parse(if unit.is_empty() { "1" } else { unit })?;
        Ok(Self { value, unit })
    }

    /// The number in another unit of the same dimension.
    ///
    /// A power of ten between the two units shifts the decimal point of the shortest decimal form of
    /// [`value`](Self::value), so that `"120 mS"` is exactly `0.12` S and `"0.07 S"` exactly `70` mS.
    ///
    /// # Errors
    ///
    /// [`UnitError::MissingUnit`], [`UnitError::WrongDimension`], and [`UnitError::NotFinite`] where the
    /// result is too large for double precision.
    pub fn to(&self, unit: &Unit) -> Result<f64, UnitError> {
        if self.unit.dimension != unit.dimension {
            return Err(self.mismatch(unit));
        }
        if self.unit.celsius && unit.celsius {
            return Ok(self.value);
        }
        let mut value = self.value;
        if self.unit.celsius {
            value += CELSIUS_ZERO;
        }
        let sixty = self.unit.sixty - unit.sixty;
        let power = 60f64.powi(sixty.abs());
        value = if sixty < 0 {
            value / power
        } else {
            value * power
        };
        value = shift_decimal_point(value, self.unit.ten - unit.ten);
        if unit.celsius {
            value -= CELSIUS_ZERO;
        }
        if value.is_finite() {
            Ok(value)
        } else {
            Err(UnitError::NotFinite {
                text: format!("{self} in {unit}"),
            })
        }
    }

    /// The error for a quantity that has not the dimension of `unit`.
    fn mismatch(&self, unit: &Unit) -> UnitError {
        let (text, wanted) = (excerpt(&self.to_string()), unit.dimension_name());
        let example = unit.example();
        if self.unit.text == "1" {
            return UnitError::MissingUnit {
                text,
                wanted,
                example,
            };
        }
        UnitError::WrongDimension {
            text,
            found: self.unit.dimension_name(),
            wanted,
            example,
        }
    }
}

impl FromStr for Quantity {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        Self::parse(text)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.value.abs();
        if size == 0.0 || (1e-5..1e16).contains(&size) {
            write!(f, "{}", self.value)?;
        } else {
            write!(f, "{:e}", self.value)?;
        }
        if self.unit.text == "1" {
            Ok(())
        } else {
            write!(f, " {}", self.unit)
        }
    }
}

/// Reads a quantity and returns its number in `unit`.
///
/// # Errors
///
/// Those of [`Quantity::parse`], [`Unit::parse`] and [`Quantity::to`].
pub fn parse_in(text: &str, unit: &str) -> Result<f64, UnitError> {
    Quantity::parse(text)?.to(&Unit::parse(unit)?)
}

/// `value · 10^shift`, rounded once from the shortest decimal form of `value`.
fn shift_decimal_point(value: f64, shift: i32) -> f64 {
    if shift == 0 {
        return value;
    }
    let text = format!("{value:e}");
    let shifted = text.split_once('e').and_then(|(digits, exponent)| {
        let exponent = exponent.parse::<i32>().ok()? + shift;
        format!("{digits}e{exponent}").parse().ok()
    });
    // Infinity has no exponent and stays what it is.
    shifted.unwrap_or(value)
}

/// Bytes of the number at the start of `text`: sign, digits, point, digits, exponent.
fn number_length(text: &str) -> usize {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let sign = |text: &str| {
        text.chars()
            .next()
            .filter(|c| matches!(c, '+' | '-' | '\u{2212}'))
            .map_or(0, char::len_utf8)
    };
    let mut length = sign(text);
    length += digits(&text[length..]);
    if text[length..].starts_with('.') {
        length += 1;
        length += digits(&text[length..]);
    }
    if text[length..].starts_with(['e', 'E']) {
        let start = length + 1 + sign(&text[length + 1..]);
        let count = digits(&text[start..]);
        if count > 0 {
            length = start + count;
        }
    }
    length
}

/// The start of a text, for messages.
fn excerpt(text: &str) -> String {
    const LENGTH: usize = 60;
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
