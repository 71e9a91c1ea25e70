//! The SWC format: one point a line, `id type x y z radius parent`, in µm.
//!
//! R. C. Cannon, D. A. Turner, G. K. Pyapali, H. V. Wheal, An on-line archive of reconstructed hippocampal neurons,
//! J. Neurosci. Methods 84 (1998), [doi:10.1016/S0165-0270(98)00091-0](https://doi.org/10.1016/S0165-0270(98)00091-0).
//!
//! Ids may come in any order and with gaps; `#` begins a comment; columns beyond the seventh are ignored. How points
//! become branches is told in [`read`], how a soma is understood in [`SwcOptions`].

use super::samples::{Sample, assemble, children_of};
use super::{BranchType, MAX_COORDINATE, MIN_RADIUS, Morphology, ReadError, Warning, soma};
use std::collections::HashMap;

pub use super::swc_write::write;

/// How to read a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwcOptions {
    /// In a file of several parts that are not connected, keep the one with this root; `None` makes such a file an
    /// error.
    pub root: Option<i64>,
}

/// A line of the file.
struct Row {
    line: usize,
    id: i64,
    kind: BranchType,
    position: [f64; 3],
    radius: f64,
    parent: i64,
}

/// Reads the text of an SWC file.
///
/// A branch ends where the tree forks, ends, or changes its type. Points at the place of their parent are merged with
/// it. Branches are ordered depth first, those of the soma before the neurites.
///
/// The soma at the root: one point, a centre and two points at ± its radius, or a closed outline of at least four
/// points, are a sphere, represented by a cylinder as long as wide (which has its area); neurites then begin at their
/// own first point and are attached at the cylinder's middle. Any other soma is a chain or tree of cones, and a neurite
/// is connected to the point of the soma that is its parent by a cylinder of the radius of its first point. If a
/// neurite forks at its first point, the first child continues the branch, the others are attached at its x = 0.
///
/// # Errors
/// Everything malformed is an error that names the line, see [`ReadError`].
pub fn read(text: &str, options: &SwcOptions) -> Result<Morphology, ReadError> {
    let mut rows = Vec::new();
    for (index, line) in text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .lines()
        .enumerate()
    {
        let data = line.split('#').next().unwrap_or("").trim();
        if !data.is_empty() {
            rows.push(parse(data, index + 1)?);
        }
    }
    rows.sort_by_key(|row: &Row| (row.id, row.line));
    if let Some(pair) = rows.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(ReadError::DuplicateId {
            line: pair[1].line,
            id: pair[1].id,
            first: pair[0].line,
        });
    }
    let (samples, root, left_out) = connect(&rows, options)?;
    let mut warnings = Vec::new();
    if left_out > 0 {
        warnings.push(Warning::LeftOut { points: left_out });
    }
    let children = children_of(&samples);
    if let Some(line) = scattered_soma(&samples) {
        warnings.push(Warning::ScatteredSoma { line });
    }
    match soma::sphere(&samples, &children, root, &mut warnings) {
        Some((sphere, stems)) => assemble(&samples, Some(sphere), &stems, warnings),
        None => assemble(&samples, None, &[root], warnings),
    }
}

/// Line of the first soma point whose parent is not soma.
fn scattered_soma(samples: &[Sample]) -> Option<usize> {
    let stray = |s: &&Sample| {
        s.kind == BranchType::Soma
            && s.parent
                .is_some_and(|p| samples[p].kind != BranchType::Soma)
    };
    samples.iter().filter(stray).map(|s| s.line).min()
}

fn parse(data: &str, line: usize) -> Result<Row, ReadError> {
    let mut fields = data.split_whitespace();
    let mut values = [""; 7];
    for (found, value) in values.iter_mut().enumerate() {
        *value = fields.next().ok_or(ReadError::Fields { line, found })?;
    }
    let [id, kind, x, y, z, radius, parent] = values;
    Ok(Row {
        line,
        id: integer(id, line, "id", 0, i64::MAX, "a whole number, 0 or more")?,
        kind: BranchType::from_swc(integer(
            kind,
            line,
            "type",
            0,
            i64::from(u32::MAX),
            "a whole number, 0 or more",
        )? as u32),
        position: [
            coordinate(x, line, "x coordinate")?,
            coordinate(y, line, "y coordinate")?,
            coordinate(z, line, "z coordinate")?,
        ],
        radius: checked_radius(number(radius, line, "radius")?, line)?,
        parent: integer(
            parent,
            line,
            "parent",
            -1,
            i64::MAX,
            "the id of another point, or -1 for the root",
        )?,
    })
}

fn integer(
    text: &str,
    line: usize,
    field: &'static str,
    low: i64,
    high: i64,
    expected: &'static str,
) -> Result<i64, ReadError> {
    let value = text.parse().ok().filter(|v| (low..=high).contains(v));
    value.ok_or_else(|| ReadError::Number {
        line,
        field,
        text: beginning(text),
        expected,
    })
}

/// Enough of a text to find it in its file.
fn beginning(text: &str) -> String {
    const LETTERS: usize = 40;
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

pub(super) fn number(text: &str, line: usize, field: &'static str) -> Result<f64, ReadError> {
    text.parse().map_err(|_| ReadError::Number {
        line,
        field,
        text: beginning(text),
        expected: "a number",
    })
}

pub(super) fn coordinate(text: &str, line: usize, field: &'static str) -> Result<f64, ReadError> {
    let value = number(text, line, field)?;
    // NaN is not contained.
    if !(-MAX_COORDINATE..=MAX_COORDINATE).contains(&value) {
        return Err(ReadError::Coordinate { line, field, value });
    }
    Ok(value)
}

pub(super) fn checked_radius(radius: f64, line: usize) -> Result<f64, ReadError> {
    if !(MIN_RADIUS..=MAX_COORDINATE).contains(&radius) {
        return Err(ReadError::Radius { line, radius });
    }
    Ok(radius)
}

/// Resolves parents. Returns the samples of the chosen part, in the order of ids, the root, and how many were left out.
fn connect(rows: &[Row], options: &SwcOptions) -> Result<(Vec<Sample>, usize, usize), ReadError> {
    if rows.is_empty() {
        return Err(ReadError::Empty);
    }
    let index: HashMap<i64, usize> = rows
        .iter()
        .enumerate()
        .map(|(i, row)| (row.id, i))
        .collect();
    let mut samples = Vec::with_capacity(rows.len());
    for row in rows {
        let parent = match row.parent {
            -1 => None,
            id => Some(*index.get(&id).ok_or(ReadError::MissingParent {
                line: row.line,
                id: row.id,
                parent: id,
            })?),
        };
        let Row {
            line,
            kind,
            position,
            radius,
            ..
        } = *row;
        samples.push(Sample {
            line,
            kind,
            position,
            radius,
            parent,
        });
    }
    let root_of = roots(&samples).map_err(|i| ReadError::Cycle {
        line: rows[i].line,
        id: rows[i].id,
    })?;
    let roots: Vec<usize> = (0..rows.len())
        .filter(|i| samples[*i].parent.is_none())
        .collect();
    let chosen = match options.root {
        Some(id) => roots
            .iter()
            .copied()
            .find(|r| rows[*r].id == id)
            .ok_or_else(|| ReadError::NoSuchRoot {
                id,
                roots: roots.iter().take(10).map(|r| rows[*r].id).collect(),
            })?,
        None if roots.len() > 1 => {
            return Err(ReadError::SeveralRoots {
                line: rows[roots[1]].line,
                id: rows[roots[1]].id,
                first: rows[roots[0]].id,
                roots: roots.len(),
            });
        }
        None => roots[0],
    };
    // Renumber what is kept; the order of ids stays.
    let mut place = vec![0; samples.len()];
    let mut kept = 0;
    for (i, root) in root_of.iter().enumerate() {
        place[i] = kept;
        kept += usize::from(*root == chosen);
    }
    let left_out = samples.len() - kept;
    let samples = samples
        .into_iter()
        .zip(&root_of)
        .filter(|(_, root)| **root == chosen)
        .map(|(sample, _)| Sample {
            parent: sample.parent.map(|p| place[p]),
            ..sample
        })
        .collect();
    Ok((samples, place[chosen], left_out))
}

/// The root above each sample, or a sample on a cycle.
fn roots(samples: &[Sample]) -> Result<Vec<usize>, usize> {
    const UNKNOWN: usize = usize::MAX;
    let mut root_of = vec![UNKNOWN; samples.len()];
    let mut visit = vec![UNKNOWN; samples.len()];
    for start in 0..samples.len() {
        let mut current = start;
        let root = loop {
            if root_of[current] != UNKNOWN {
                break root_of[current];
            }
            if visit[current] == start {
                return Err(current);
            }
            visit[current] = start;
            match samples[current].parent {
                Some(parent) => current = parent,
                None => break current,
            }
        };
        let mut current = start;
        while root_of[current] == UNKNOWN {
            root_of[current] = root;
            match samples[current].parent {
                Some(parent) => current = parent,
                None => break,
            }
        }
    }
    Ok(root_of)
}
