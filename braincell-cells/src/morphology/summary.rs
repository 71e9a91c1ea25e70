//! Numbers that describe a morphology.

use super::{Branch, BranchType, Morphology};
use std::collections::BTreeMap;
use std::fmt;

/// Numbers that describe a morphology; what [`Morphology::summary`] returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Number of branches.
    pub branches: usize,
    /// Number of frusta.
    pub frusta: usize,
    /// Number of free ends, see [`Morphology::terminals`].
    pub terminals: usize,
    /// Branches that are not soma and whose parent is, or that have no parent.
    pub stems: usize,
    /// Largest branch order.
    pub max_order: usize,
    /// Length, µm.
    pub length: f64,
    /// Lateral area, µm².
    pub area: f64,
    /// Volume, µm³.
    pub volume: f64,
    /// Largest distance from the root along the branches, µm.
    pub max_path_distance: f64,
    /// Smallest coordinates of the axis, µm.
    pub low: [f64; 3],
    /// Largest coordinates of the axis, µm.
    pub high: [f64; 3],
    /// The same for each type that occurs, in the order of the types.
    pub types: Vec<TypeSummary>,
}

/// The part of one branch type in a [`Summary`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TypeSummary {
    /// The type.
    pub kind: BranchType,
    /// Number of branches.
    pub branches: usize,
    /// Length, µm.
    pub length: f64,
    /// Lateral area, µm².
    pub area: f64,
}

impl Morphology {
    /// Counts, sizes and extents.
    pub fn summary(&self) -> Summary {
        let branches = self.branches();
        let mut types = BTreeMap::new();
        for b in branches {
            let kind = b.kind();
            let t = types.entry(kind).or_insert(TypeSummary {
                kind,
                branches: 0,
                length: 0.0,
                area: 0.0,
            });
            t.branches += 1;
            t.length += b.length();
            t.area += b.area();
        }
        let is_stem = |b: &&Branch| {
            b.kind() != BranchType::Soma
                && b.parent()
                    .is_none_or(|at| branches[at.branch].kind() == BranchType::Soma)
        };
        let points = || branches.iter().flat_map(|b| b.points());
        Summary {
            branches: branches.len(),
            frusta: branches.iter().map(|b| b.frusta().len()).sum(),
            terminals: self.terminals().len(),
            stems: branches.iter().filter(is_stem).count(),
            max_order: (0..branches.len())
                .map(|b| self.branch_order(b))
                .max()
                .unwrap_or(0),
            length: self.total_length(),
            area: self.area(),
            volume: branches.iter().map(Branch::volume).sum(),
            max_path_distance: (0..branches.len())
                .map(|b| self.path_distance(b, 1.0))
                .fold(0.0, f64::max),
            low: std::array::from_fn(|k| points().map(|p| p[k]).fold(f64::INFINITY, f64::min)),
            high: std::array::from_fn(|k| points().map(|p| p[k]).fold(f64::NEG_INFINITY, f64::max)),
            types: types.into_values().collect(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} branches, {} frusta, {} stems, {} free ends, order up to {}",
            self.branches, self.frusta, self.stems, self.terminals, self.max_order
        )?;
        writeln!(
            f,
            "length {:.1} µm, area {:.1} µm², volume {:.1} µm³, path distance up to {:.1} µm",
            self.length, self.area, self.volume, self.max_path_distance
        )?;
        let extent: [f64; 3] = std::array::from_fn(|k| self.high[k] - self.low[k]);
        write!(
            f,
            "extent {:.1} x {:.1} x {:.1} µm",
            extent[0], extent[1], extent[2]
        )?;
        for t in &self.types {
            write!(
                f,
                "\n{:<16} {:>5} branches {:>10.1} µm {:>10.1} µm²",
                t.kind, t.branches, t.length, t.area
            )?;
        }
        Ok(())
    }
}
