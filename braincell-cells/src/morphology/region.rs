//! Parts of a morphology, as expressions.
//!
//! ```
//! use braincell_cells::morphology::{BranchType, Region, builders};
//!
//! let cell = builders::ball_and_stick(10.0, 200.0, 1.0)?;
//! let far = Region::of_type(BranchType::BasalDendrite).intersection(Region::path_distance(120.0, f64::INFINITY));
//! assert_eq!(far.intervals(&cell)?[1], [(0.5, 1.0)]); // the soma is 20 µm long
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::{BranchType, Morphology};

/// A part of a morphology. Evaluating it gives, for each branch, intervals of the position x.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Postfix, so that neither evaluating nor dropping it recurses.
    terms: Vec<Term>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Term {
    All,
    Type(BranchType),
    Branch(usize),
    PathDistance(f64, f64),
    Radius(f64, f64),
    Union,
    Intersection,
    Difference,
}

/// Why a region or a location cannot be evaluated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RegionError {
    /// The branch does not exist.
    #[error("there is no branch {branch}: the morphology has the branches 0 to {}", branches - 1)]
    NoSuchBranch {
        /// The branch asked for.
        branch: usize,
        /// Number of branches.
        branches: usize,
    },
    /// A range with NaN or with its ends exchanged.
    #[error("the {what} range {low} to {high} µm is empty: give the smaller bound first")]
    Range {
        /// What the range is of.
        what: &'static str,
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// A position that is not in 0..1.
    #[error(
        "x = {x} on branch {branch}: a position lies between 0 (the end nearer the root) and 1"
    )]
    Position {
        /// The branch.
        branch: usize,
        /// The position.
        x: f64,
    },
}

/// Disjoint intervals of x in ascending order.
type Intervals = Vec<(f64, f64)>;

impl Region {
    fn single(term: Term) -> Self {
        Self { terms: vec![term] }
    }

    /// Everything.
    pub fn all() -> Self {
        Self::single(Term::All)
    }

    /// All branches of a type.
    pub fn of_type(kind: BranchType) -> Self {
        Self::single(Term::Type(kind))
    }

    /// One branch.
    pub fn branch(branch: usize) -> Self {
        Self::single(Term::Branch(branch))
    }

    /// What lies between two distances from the root along the branches, in µm.
    pub fn path_distance(low: f64, high: f64) -> Self {
        Self::single(Term::PathDistance(low, high))
    }

    /// What has a radius between two bounds, in µm, both included.
    pub fn radius(low: f64, high: f64) -> Self {
        Self::single(Term::Radius(low, high))
    }

    fn joined(mut self, other: Self, term: Term) -> Self {
        self.terms.extend(other.terms);
        self.terms.push(term);
        self
    }

    /// What lies in either.
    pub fn union(self, other: Self) -> Self {
        self.joined(other, Term::Union)
    }

    /// What lies in both.
    pub fn intersection(self, other: Self) -> Self {
        self.joined(other, Term::Intersection)
    }

    /// What lies in this one and not in the other.
    pub fn difference(self, other: Self) -> Self {
        self.joined(other, Term::Difference)
    }

    /// For each branch the disjoint intervals of x that belong to the region, in ascending order. Intervals of no length
    /// are left out.
    ///
    /// # Errors
    /// A branch that does not exist, or an empty range.
    pub fn intervals(&self, morphology: &Morphology) -> Result<Vec<Intervals>, RegionError> {
        let mut stack: Vec<Vec<Intervals>> = Vec::new();
        for term in &self.terms {
            let value = match term {
                Term::Union | Term::Intersection | Term::Difference => {
                    let (b, a) = (
                        stack.pop().unwrap_or_default(),
                        stack.pop().unwrap_or_default(),
                    );
                    let keep: fn(bool, bool) -> bool = match term {
                        Term::Union => |a, b| a || b,
                        Term::Intersection => |a, b| a && b,
                        _ => |a, b| a && !b,
                    };
                    a.iter()
                        .zip(&b)
                        .map(|(a, b)| combined(a, b, keep))
                        .collect()
                }
                leaf => leaf.evaluate(morphology)?,
            };
            stack.push(value);
        }
        Ok(stack.pop().unwrap_or_default())
    }
}

impl Term {
    fn evaluate(self, morphology: &Morphology) -> Result<Vec<Intervals>, RegionError> {
        let branches = morphology.branches();
        let range = |what, low: f64, high: f64| match low <= high {
            true => Ok(()),
            false => Err(RegionError::Range { what, low, high }),
        };
        let whole = |keep: bool| if keep { vec![(0.0, 1.0)] } else { Vec::new() };
        Ok(match self {
            Self::Type(kind) => branches.iter().map(|b| whole(b.kind() == kind)).collect(),
            Self::Branch(branch) => {
                if branch >= branches.len() {
                    return Err(RegionError::NoSuchBranch {
                        branch,
                        branches: branches.len(),
                    });
                }
                (0..branches.len()).map(|b| whole(b == branch)).collect()
            }
            Self::PathDistance(low, high) => {
                range("path distance", low, high)?;
                let part = |b: usize| {
                    let (start, length) = (morphology.path_distance(b, 0.0), branches[b].length());
                    let (a, b) = ((low - start) / length, (high - start) / length);
                    if a < 1.0 && b > 0.0 && a < b {
                        vec![(a.max(0.0), b.min(1.0))]
                    } else {
                        Vec::new()
                    }
                };
                (0..branches.len()).map(part).collect()
            }
            Self::Radius(low, high) => {
                range("radius", low, high)?;
                branches
                    .iter()
                    .map(|b| radius_intervals(b, low, high))
                    .collect()
            }
            _ => branches.iter().map(|_| whole(true)).collect(),
        })
    }
}

/// Where the radius of a branch lies in a range.
fn radius_intervals(branch: &super::Branch, low: f64, high: f64) -> Intervals {
    let ends: Vec<f64> = branch.ends().collect();
    let mut intervals: Intervals = Vec::new();
    for (f, x) in branch.frusta().iter().zip(ends.windows(2)) {
        let step = f.r1 - f.r0;
        let (a, b) = if step == 0.0 {
            if (low..=high).contains(&f.r0) {
                (0.0, 1.0)
            } else {
                continue;
            }
        } else {
            // Positions within the frustum at which the radius crosses the bounds.
            let (p, q) = ((low - f.r0) / step, (high - f.r0) / step);
            (p.min(q).max(0.0), p.max(q).min(1.0))
        };
        if a >= b {
            continue;
        }
        let at = |t: f64| {
            if t >= 1.0 {
                x[1]
            } else {
                x[0] + t * (x[1] - x[0])
            }
        };
        match intervals.last_mut() {
            Some(last) if last.1 >= at(a) => last.1 = at(b),
            _ => intervals.push((at(a), at(b))),
        }
    }
    intervals
}

/// The points for which `keep` holds of "is in a" and "is in b", by a sweep over all ends.
fn combined(a: &Intervals, b: &Intervals, keep: fn(bool, bool) -> bool) -> Intervals {
    let mut result: Intervals = Vec::new();
    let (mut i, mut j, mut x) = (0, 0, 0.0);
    while x < 1.0 {
        while i < a.len() && a[i].1 <= x {
            i += 1;
        }
        while j < b.len() && b[j].1 <= x {
            j += 1;
        }
        // Whether x is inside, and the next end after x.
        let look = |list: &Intervals, k: usize| match list.get(k) {
            Some((low, high)) if *low <= x => (true, *high),
            Some((low, _)) => (false, *low),
            None => (false, 1.0),
        };
        let ((in_a, next_a), (in_b, next_b)) = (look(a, i), look(b, j));
        let next = next_a.min(next_b).min(1.0);
        if keep(in_a, in_b) {
            match result.last_mut() {
                Some(last) if last.1 == x => last.1 = next,
                _ => result.push((x, next)),
            }
        }
        x = next;
    }
    result
}
