//! Texts changed by structure: by their words, lines and brackets rather than by their bytes, so that most of what comes out
//! is nearly right, and reaches what lies behind the first checks of a reader.

use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// One change. What it does follows from `kind`; the numbers are taken modulo what there is, so that any fit any text.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    kind: u8,
    at: u32,
    with: u32,
}

const KINDS: u8 = 14;
/// No text grows beyond this, so that no reader has a reason to take long.
const LONGEST: usize = 1 << 16;

/// Up to `most` changes. Shrinking leaves those out that do not matter.
pub fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    let change = (0..KINDS, any::<u32>(), any::<u32>());
    vec(
        change.prop_map(|(kind, at, with)| Change { kind, at, with }),
        0..=most,
    )
}

/// Numbers at the edges of what there is, and what is none.
const NUMBERS: [&str; 22] = [
    "0",
    "-1",
    "1",
    "2",
    "-0.0",
    "1e-320",
    "1e308",
    "1e309",
    "-1e300",
    "1e-9",
    "nan",
    "inf",
    "-inf",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "4294967296",
    "0x10",
    "1_000",
    "1e",
    ".",
    "--5",
];
/// What breaks the structure.
const SIGNS: [&str; 24] = [
    "",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\"",
    "'",
    "\"\"\"",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "[[",
    "|",
    "<",
    ">",
    ",",
    "=",
    "#",
    "\0",
    "\u{feff}",
    "µ²⁻Ω\u{2212}\u{10ffff}",
];

/// What a text may be made of: the words of all seeds.
pub struct Vocabulary {
    seeds: Vec<String>,
    words: Vec<String>,
    numbers: Vec<String>,
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "._+-".contains(c)
}

fn is_number(word: &str) -> bool {
    word.parse::<f64>().is_ok()
}

/// Words, and single characters between them.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in text.chars() {
        match tokens.last_mut() {
            Some(word) if in_word && is_of_word(c) => word.push(c),
            _ => tokens.push(c.to_string()),
        }
        in_word = is_of_word(c);
    }
    tokens
}

impl Vocabulary {
    pub fn new(seeds: Vec<String>) -> Self {
        let all: BTreeSet<String> = seeds.iter().flat_map(|seed| tokens(seed)).collect();
        let all = all.into_iter().filter(|word| word.chars().any(is_of_word));
        let (mut numbers, words): (Vec<_>, Vec<_>) = all.partition(|word| is_number(word));
        numbers.extend(NUMBERS.map(str::to_string));
        Self {
            seeds,
            words,
            numbers,
        }
    }

    /// A seed and the changes to it.
    pub fn texts(&self) -> impl Strategy<Value = (usize, Vec<Change>)> + use<> {
        (0..self.seeds.len(), changes(8))
    }

    /// The changed seed.
    pub fn text(&self, (seed, changes): &(usize, Vec<Change>)) -> String {
        let mut text = self.seeds[*seed].clone();
        for change in changes {
            text = self.change(&text, *change);
            if text.len() > LONGEST {
                let end = (0..=LONGEST).rev().find(|&k| text.is_char_boundary(k));
                text.truncate(end.unwrap_or(0));
            }
        }
        text
    }

    fn change(&self, text: &str, Change { kind, at, with }: Change) -> String {
        let (at, with) = (at as usize, with as usize);
        let of = |list: &[String]| list.get(with % list.len().max(1)).cloned();
        match kind {
            // Words.
            0..=8 => {
                let mut tokens = tokens(text);
                let whole: Vec<usize> = (0..tokens.len())
                    .filter(|&k| tokens[k].chars().any(is_of_word))
                    .collect();
                let numbers: Vec<usize> = whole
                    .iter()
                    .copied()
                    .filter(|&k| is_number(&tokens[k]))
                    .collect();
                let place = |of: &[usize]| of.get(at % of.len().max(1)).copied().unwrap_or(0);
                if tokens.is_empty() {
                    tokens.push(String::new());
                }
                match kind {
                    0..=2 => tokens[place(&numbers)] = of(&self.numbers).unwrap_or_default(),
                    3 => tokens[place(&whole)] = of(&self.words).unwrap_or_default(),
                    4 => tokens[place(&whole)] = of(&self.numbers).unwrap_or_default(),
                    5 => {
                        let (a, b) = (place(&whole), whole.get(with % whole.len().max(1)));
                        tokens.swap(a, *b.unwrap_or(&0));
                    }
                    6 => {
                        let place = at % tokens.len();
                        tokens.remove(place);
                    }
                    7 => {
                        let place = at % tokens.len();
                        tokens[place] = SIGNS[with % SIGNS.len()].to_string();
                    }
                    _ => {
                        let place = at % tokens.len();
                        tokens.insert(place, SIGNS[with % SIGNS.len()].to_string());
                    }
                }
                tokens.concat()
            }
            // Lines.
            9..=11 => {
                let mut lines: Vec<&str> = text.split('\n').collect();
                let place = at % lines.len();
                let other = &self.seeds[at % self.seeds.len()];
                let others: Vec<&str> = other.split('\n').collect();
                match kind {
                    9 => {
                        lines.remove(place);
                    }
                    10 => lines.insert(with % (lines.len() + 1), lines[place]),
                    _ => lines.insert(place, others[with % others.len()]),
                }
                lines.join("\n")
            }
            // A part again and again, as deep or long as it gets.
            12 => {
                let part = SIGNS[with % SIGNS.len()].repeat(1 << (with % 13));
                let end = floor(text, at);
                format!("{}{part}{}", &text[..end], &text[end..])
            }
            // The end cut off.
            _ => text[..floor(text, at)].to_string(),
        }
    }
}

/// A boundary of characters.
fn floor(text: &str, at: usize) -> usize {
    let mut end = at % (text.len() + 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}
