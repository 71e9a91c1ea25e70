//! Reads the text of a unit.

use super::{CELSIUS, Dimension, MAX_DEPTH, MAX_EXPONENT, PREFIXES, SYMBOLS, UnitError, excerpt};

/// Dimension and scale of a factor or a product.
#[derive(Clone, Copy, Default)]
pub(super) struct Scale {
    pub dimension: Dimension,
    pub ten: i32,
    pub sixty: i32,
}

impl Scale {
    /// `self · other^exponent`, or nothing where an exponent grows too large.
    fn times(self, other: Self, exponent: i32) -> Option<Self> {
        let add = |a: i32, b: i32| {
            let sum = b.checked_mul(exponent)?.checked_add(a)?;
            (sum.abs() <= MAX_EXPONENT).then_some(sum)
        };
        let mut dimension = self.dimension;
        for (a, b) in dimension.iter_mut().zip(other.dimension) {
            *a = add(*a, b)?;
        }
        Some(Self {
            dimension,
            ten: add(self.ten, other.ten)?,
            sixty: add(self.sixty, other.sixty)?,
        })
    }
}

/// Position in the text of a unit, and what was seen so far.
pub(super) struct Reader<'a> {
    /// All of the text.
    pub text: &'a str,
    /// What is left of it.
    pub rest: &'a str,
    /// Whether a symbol of the Celsius scale was seen.
    pub celsius: bool,
    /// Number of factors read.
    pub factors: usize,
}

impl Reader<'_> {
    /// Reads a product up to the end of the text or to a closing parenthesis.
    pub fn product(&mut self, depth: usize) -> Result<Scale, UnitError> {
        if depth > MAX_DEPTH {
            return Err(self.syntax("too many parentheses"));
        }
        let mut product = Scale::default();
        let mut first = true;
        loop {
            let space = self.skip_space();
            let operator = self.take(|c| matches!(c, '/' | '*' | '·' | '\u{22c5}' | '×'));
            let ended = self.rest.is_empty() || self.rest.starts_with(')');
            let joined =
                space || self.rest.starts_with('(') || self.text[..self.start()].ends_with(')');
            match operator {
                None if ended && !first => return Ok(product),
                None if first || joined => {}
                Some('/') => {}
                Some(_) if !first => {}
                _ => return Err(self.unexpected()),
            }
            self.skip_space();
            let sign = if operator == Some('/') { -1 } else { 1 };
            let (factor, exponent) = self.factor(depth)?;
            product = product
                .times(factor, sign * exponent)
                .ok_or_else(|| self.syntax("an exponent is too large"))?;
            self.factors += 1;
            first = false;
        }
    }

    /// Reads a symbol, `1` or parentheses, with the exponent.
    fn factor(&mut self, depth: usize) -> Result<(Scale, i32), UnitError> {
        if self.take(|c| c == '(').is_some() {
            let scale = self.product(depth + 1)?;
            if self.take(|c| c == ')').is_none() {
                return Err(self.syntax("a closing parenthesis is missing"));
            }
            return Ok((scale, self.exponent()?));
        }
        let word =
            self.take_while(|c| c.is_alphabetic() || matches!(c, '°' | '%' | '\u{2103}' | '_'));
        if !word.is_empty() {
            let scale = self.symbol(word)?;
            return Ok((scale, self.exponent()?));
        }
        let before = self.rest;
        if self.take_while(|c| c.is_ascii_digit()) == "1" {
            return Ok((Scale::default(), 1));
        }
        self.rest = before;
        Err(self.unexpected())
    }

    /// Looks a symbol up, with and without prefix.
    fn symbol(&mut self, word: &str) -> Result<Scale, UnitError> {
        let find = |name: &str| SYMBOLS.iter().find(|symbol| symbol.0 == name);
        if let Some(&(name, dimension, ten, sixty, _)) = find(word) {
            self.celsius |= CELSIUS.contains(&name);
            return Ok(Scale {
                dimension,
                ten,
                sixty,
            });
        }
        for &(prefix, power) in PREFIXES {
            if let Some(rest) = word.strip_prefix(prefix)
                && let Some(&(_, dimension, ten, sixty, true)) = find(rest)
            {
                return Ok(Scale {
                    dimension,
                    ten: ten + power,
                    sixty,
                });
            }
        }
        Err(UnitError::UnknownSymbol {
            symbol: excerpt(word),
            text: excerpt(self.text),
            nearest: nearest_symbol(word),
        })
    }

    /// Reads the exponent after a factor; 1 where there is none.
    fn exponent(&mut self) -> Result<i32, UnitError> {
        const SUPERSCRIPTS: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹";
        let raised = self.take_while(|c| SUPERSCRIPTS.contains(c) || matches!(c, '⁻' | '⁺'));
        let digits: String = if raised.is_empty() {
            let caret = self.take(|c| c == '^').is_some();
            if caret {
                self.skip_space();
            }
            let digits =
                self.take_while(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | '\u{2212}'));
            if digits.is_empty() && !caret {
                return Ok(1);
            }
            digits.replace('\u{2212}', "-")
        } else {
            let plain = |c| match c {
                '⁻' => '-',
                '⁺' => '+',
                _ => SUPERSCRIPTS
                    .chars()
                    .zip('0'..='9')
                    .find(|p| p.0 == c)
                    .map_or('?', |p| p.1),
            };
            raised.chars().map(plain).collect()
        };
        match digits.parse::<i32>() {
            Ok(exponent) if exponent.abs() <= MAX_EXPONENT => Ok(exponent),
            _ => Err(self.syntax(&format!(
                "an exponent is a whole number from -{MAX_EXPONENT} to {MAX_EXPONENT}"
            ))),
        }
    }

    /// Bytes read so far.
    fn start(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    fn skip_space(&mut self) -> bool {
        !self.take_while(char::is_whitespace).is_empty()
    }

    fn take(&mut self, accept: impl Fn(char) -> bool) -> Option<char> {
        let c = self.rest.chars().next().filter(|&c| accept(c))?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn syntax(&self, reason: &str) -> UnitError {
        UnitError::Syntax {
            text: excerpt(self.text),
            reason: reason.to_owned(),
        }
    }

    /// The error for text that cannot stand where it stands.
    pub fn unexpected(&self) -> UnitError {
        match self.rest.chars().next() {
            Some(c) => self.syntax(&format!(
                "unexpected {c:?} at character {}",
                self.text[..self.start()].chars().count() + 1
            )),
            None => self.syntax("a unit is missing at the end"),
        }
    }
}

impl<'a> Reader<'a> {
    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !accept(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

/// The known symbol with the fewest edits from `word`; case counts less than letters.
fn nearest_symbol(word: &str) -> Option<String> {
    let length = word.chars().count();
    if length > 12 {
        return None;
    }
    let prefixed = SYMBOLS.iter().filter(|symbol| symbol.4).flat_map(|symbol| {
        let with = move |&(prefix, _): &(char, i32)| format!("{prefix}{}", symbol.0);
        PREFIXES.iter().map(with)
    });
    let plain = SYMBOLS.iter().map(|symbol| symbol.0.to_owned());
    let distance = |name: &String| {
        let folded = edit_distance(&word.to_lowercase(), &name.to_lowercase());
        (folded, edit_distance(word, name))
    };
    let best = plain.chain(prefixed).min_by_key(distance)?;
    let (folded, _) = distance(&best);
    (folded < length.max(2) && folded <= 2).then_some(best)
}

/// Insertions, deletions and substitutions between two texts (Levenshtein distance).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
