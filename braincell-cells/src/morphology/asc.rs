//! The Neurolucida ASC format: nested parentheses, points `(x y z diameter)` in µm.
//!
//! Read are trees marked `(Axon)`, `(Dendrite)` or `(Apical)` (unmarked trees become type `custom_0`) and outlines
//! marked `(CellBody)`. Spines, markers, properties and blocks of other kinds are skipped.

use super::samples::{Sample, assemble};
use super::soma::{Sphere, mean_sphere, outline_sphere};
use super::swc::{checked_radius, coordinate, number};
use super::{BranchType, Morphology, ReadError, Warning};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    Open,
    Close,
    Bar,
    /// A quoted text.
    Text,
    Word(&'a str),
}

/// Reads the text of a Neurolucida ASC file.
///
/// The largest outline of the cell body is a sphere of its mean radius, represented by a cylinder as long as wide; trees
/// begin at their own first point and are attached at its middle. Without a cell body there may be one tree only.
/// Branches are made and ordered as in [`super::swc::read`].
///
/// # Errors
/// Everything malformed is an error that names the line, see [`ReadError`].
pub fn read(text: &str) -> Result<Morphology, ReadError> {
    let tokens = tokens(text)?;
    let mut content = Content::default();
    let mut at = 0;
    while at < tokens.len() {
        at = content.block(&tokens, at)?;
    }
    let Content {
        samples,
        roots,
        outlines,
    } = content;
    if samples.is_empty() && outlines.is_empty() {
        return Err(ReadError::Empty);
    }
    let mut warnings = Vec::new();
    if outlines.len() > 1 {
        warnings.push(Warning::SeveralContours {
            contours: outlines.len(),
        });
    }
    match outlines
        .iter()
        .max_by(|a, b| outline_radius(a).total_cmp(&outline_radius(b)))
    {
        Some(outline) => {
            let sphere = if outline.places.len() == 1 {
                Sphere {
                    centre: outline.places[0],
                    radius: checked_radius(outline.radius, outline.line)?,
                }
            } else {
                let sphere = outline_sphere(&outline.places, &mut warnings);
                checked_radius(sphere.radius, outline.line)?;
                sphere
            };
            assemble(&samples, Some(sphere), &roots, warnings)
        }
        None if roots.len() > 1 => Err(ReadError::NoSoma {
            line: samples[roots[1]].line,
        }),
        None => assemble(&samples, None, &roots, warnings),
    }
}

/// An outline of the cell body.
struct Outline {
    line: usize,
    places: Vec<[f64; 3]>,
    /// Radius of the first point, which counts if it is the only one.
    radius: f64,
}

fn outline_radius(outline: &Outline) -> f64 {
    mean_sphere(&outline.places).radius
}

fn tokens(text: &str) -> Result<Vec<(Token<'_>, usize)>, ReadError> {
    let mut tokens = Vec::new();
    let (mut line, mut at) = (1, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let (token, end) = match bytes[at] {
            b'\n' => {
                line += 1;
                at += 1;
                continue;
            }
            b';' => {
                at += bytes[at..]
                    .iter()
                    .position(|b| *b == b'\n')
                    .unwrap_or(bytes.len() - at);
                continue;
            }
            b'(' => (Token::Open, at + 1),
            b')' => (Token::Close, at + 1),
            b'|' => (Token::Bar, at + 1),
            b'"' => {
                let close = bytes[at + 1..].iter().position(|b| *b == b'"');
                let length = close.ok_or(ReadError::Parentheses {
                    line,
                    problem: "a quotation mark is never closed",
                })?;
                let end = at + length + 2;
                tokens.push((Token::Text, line));
                line += bytes[at..end].iter().filter(|b| **b == b'\n').count();
                at = end;
                continue;
            }
            b'<' => {
                // A spine.
                let close = bytes[at..].iter().position(|b| *b == b'>');
                let length = close.ok_or(ReadError::Parentheses {
                    line,
                    problem: "a \"<\" without its \">\"",
                })?;
                line += bytes[at..at + length]
                    .iter()
                    .filter(|b| **b == b'\n')
                    .count();
                at += length + 1;
                continue;
            }
            b if b.is_ascii_whitespace() || b == b',' => {
                at += 1;
                continue;
            }
            _ => {
                let stop = |b: &u8| b.is_ascii_whitespace() || b"()|\",;<".contains(b);
                let end = bytes[at..]
                    .iter()
                    .position(stop)
                    .map_or(bytes.len(), |n| at + n);
                // All stops are ASCII, so these are boundaries of characters.
                (Token::Word(&text[at..end]), end)
            }
        };
        tokens.push((token, line));
        at = end;
    }
    Ok(tokens)
}

/// The kind a property gives to its tree, and whether it marks the cell body.
fn kind_of(word: &str) -> Option<BranchType> {
    match word.to_ascii_lowercase().as_str() {
        "axon" => Some(BranchType::Axon),
        "dendrite" => Some(BranchType::BasalDendrite),
        "apical" => Some(BranchType::ApicalDendrite),
        "cellbody" => Some(BranchType::Soma),
        _ => None,
    }
}

#[derive(Default)]
struct Content {
    samples: Vec<Sample>,
    roots: Vec<usize>,
    outlines: Vec<Outline>,
}

impl Content {
    /// Reads what begins at a token outside all parentheses; returns the index after it.
    fn block(&mut self, tokens: &[(Token<'_>, usize)], start: usize) -> Result<usize, ReadError> {
        match tokens[start] {
            (Token::Open, _) => {}
            (Token::Close, line) => {
                return Err(ReadError::Parentheses {
                    line,
                    problem: "a \")\" without its \"(\"",
                });
            }
            (Token::Bar, line) => {
                return Err(ReadError::Parentheses {
                    line,
                    problem: "a \"|\" outside of a tree",
                });
            }
            _ => return Ok(start + 1),
        }
        // A block that begins with a word is a property, a marker or of a kind that is not read.
        if let Some((Token::Word(_), _)) = tokens.get(start + 1) {
            return skip(tokens, start);
        }
        let first = self.samples.len();
        let mut kind = BranchType::Custom(0);
        // For each open parenthesis the sample from which its alternatives start.
        let mut forks: Vec<Option<usize>> = vec![None];
        let mut current: Option<usize> = None;
        let mut at = start + 1;
        while !forks.is_empty() {
            let Some(&(token, line)) = tokens.get(at) else {
                return Err(ReadError::Parentheses {
                    line: tokens[start].1,
                    problem: "a \"(\" without its \")\"",
                });
            };
            match token {
                Token::Open => match tokens.get(at + 1) {
                    Some((Token::Word(word), _))
                        if word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) =>
                    {
                        let (sample, end) = point(tokens, at, current)?;
                        current = Some(self.samples.len());
                        self.samples.push(sample);
                        at = end;
                        continue;
                    }
                    Some((Token::Word(word), _)) => {
                        if forks.len() == 1 {
                            kind = kind_of(word).unwrap_or(kind);
                        }
                        at = skip(tokens, at)?;
                        continue;
                    }
                    _ => forks.push(current),
                },
                Token::Bar if forks.len() == 1 => {
                    return Err(ReadError::Parentheses {
                        line,
                        problem: "a \"|\" outside of a split",
                    });
                }
                Token::Bar => current = forks[forks.len() - 1],
                Token::Close => current = forks.pop().flatten(),
                Token::Text | Token::Word(_) => {}
            }
            at += 1;
        }
        self.file(first, kind)?;
        Ok(at)
    }

    /// Puts the samples of a block, which begin at `first`, where its kind says.
    fn file(&mut self, first: usize, kind: BranchType) -> Result<(), ReadError> {
        if self.samples.len() == first {
            return Ok(());
        }
        if kind == BranchType::Soma {
            let outline = self.samples.split_off(first);
            let Sample { line, radius, .. } = outline[0];
            self.outlines.push(Outline {
                line,
                radius,
                places: outline.iter().map(|s| s.position).collect(),
            });
            return Ok(());
        }
        for (index, sample) in self.samples.iter_mut().enumerate().skip(first) {
            sample.kind = kind;
            checked_radius(sample.radius, sample.line)?;
            if sample.parent.is_none() {
                self.roots.push(index);
            }
        }
        Ok(())
    }
}

/// Reads `(x y z diameter …)`; without a diameter the radius is 0.
fn point(
    tokens: &[(Token<'_>, usize)],
    start: usize,
    parent: Option<usize>,
) -> Result<(Sample, usize), ReadError> {
    let line = tokens[start].1;
    let mut fields = [""; 4];
    for (found, field) in fields.iter_mut().enumerate() {
        match tokens.get(start + 1 + found) {
            Some((Token::Word(word), _)) => *field = word,
            _ if found < 3 => return Err(ReadError::PointFields { line, found }),
            _ => *field = "0",
        }
    }
    let [x, y, z, diameter] = fields;
    let position = [
        coordinate(x, line, "x coordinate")?,
        coordinate(y, line, "y coordinate")?,
        coordinate(z, line, "z coordinate")?,
    ];
    let radius = 0.5 * number(diameter, line, "diameter")?;
    Ok((
        Sample {
            line,
            kind: BranchType::Custom(0),
            position,
            radius,
            parent,
        },
        skip(tokens, start)?,
    ))
}

/// The index after the parenthesis that closes the one at `start`.
fn skip(tokens: &[(Token<'_>, usize)], start: usize) -> Result<usize, ReadError> {
    let mut depth = 0_usize;
    for (offset, (token, _)) in tokens[start..].iter().enumerate() {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(start + offset + 1);
        }
    }
    Err(ReadError::Parentheses {
        line: tokens[start].1,
        problem: "a \"(\" without its \")\"",
    })
}
