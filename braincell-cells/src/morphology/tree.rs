//! The tree of branches.

use super::{
    Branch, BranchSpec, BranchType, MorphologyError, ReadError, Warning, asc, layout, swc,
};
use std::path::Path;

/// The shape of a neuron: a tree of branches, the root first, parents before children.
#[derive(Clone, Debug, PartialEq)]
pub struct Morphology {
    branches: Vec<Branch>,
    children: Vec<Vec<usize>>,
    /// Path distance of the proximal end of each branch.
    starts: Vec<f64>,
    orders: Vec<usize>,
    warnings: Vec<Warning>,
}

/// One frustum with its place in space, for drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawnFrustum {
    /// Branch to which it belongs.
    pub branch: usize,
    /// Type of that branch.
    pub kind: BranchType,
    /// Proximal end, µm.
    pub from: [f64; 3],
    /// Distal end, µm.
    pub to: [f64; 3],
    /// Radius at the proximal end, µm.
    pub r0: f64,
    /// Radius at the distal end, µm.
    pub r1: f64,
}

impl Morphology {
    /// Builds the tree from its branches: the root first, every parent before its children.
    ///
    /// Branches without points are laid out in a plane for drawing; their lengths are not touched.
    ///
    /// # Errors
    /// No branch, a second root, a parent after its child, or sizes that are not usable.
    pub fn new(specs: Vec<BranchSpec>) -> Result<Self, MorphologyError> {
        Self::with_warnings(specs, Vec::new())
    }

    pub(super) fn with_warnings(
        specs: Vec<BranchSpec>,
        warnings: Vec<Warning>,
    ) -> Result<Self, MorphologyError> {
        if specs.is_empty() {
            return Err(MorphologyError::Empty);
        }
        let mut children = vec![Vec::new(); specs.len()];
        for (branch, spec) in specs.iter().enumerate() {
            match spec.parent {
                None if branch == 0 => {}
                Some(parent) if branch > 0 => {
                    if parent.branch >= branch {
                        return Err(MorphologyError::ParentOrder {
                            branch,
                            parent: parent.branch,
                        });
                    }
                    if !(0.0..=1.0).contains(&parent.x) {
                        return Err(MorphologyError::Position {
                            branch,
                            x: parent.x,
                        });
                    }
                    children[parent.branch].push(branch);
                }
                _ => return Err(MorphologyError::Root { branch }),
            }
        }
        let placed = specs.iter().all(|spec| spec.points.is_some());
        let angles = if placed {
            vec![0.0; specs.len()]
        } else {
            layout::angles(&specs, &children)
        };
        let mut branches: Vec<Branch> = Vec::with_capacity(specs.len());
        let (mut starts, mut orders) = (
            Vec::with_capacity(specs.len()),
            Vec::with_capacity(specs.len()),
        );
        for (index, mut spec) in specs.into_iter().enumerate() {
            let (mut start, mut order, mut origin) = (0.0, 0, [0.0; 3]);
            if let Some(at) = spec.parent {
                let parent = &branches[at.branch];
                start = starts[at.branch] + at.x * parent.length();
                order = orders[at.branch] + usize::from(at.x > 0.0);
                origin = parent.point_at(at.x);
            }
            let points = spec
                .points
                .take()
                .unwrap_or_else(|| layout::straight(&spec.frusta, origin, angles[index]));
            branches.push(Branch::new(spec, points, index)?);
            starts.push(start);
            orders.push(order);
        }
        Ok(Self {
            branches,
            children,
            starts,
            orders,
            warnings,
        })
    }

    /// Reads a file, SWC or Neurolucida ASC by its extension, with the default options.
    ///
    /// # Errors
    /// See [`ReadError`]; the path is part of the message.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let swc = match extension.as_deref() {
            Some("swc") => true,
            Some("asc") => false,
            _ => return Err(ReadError::Format { path: name }),
        };
        let bytes = std::fs::read(path).map_err(|source| ReadError::Io {
            path: name.clone(),
            source,
        })?;
        // Comments in old files are often in Latin-1.
        let text = String::from_utf8_lossy(&bytes);
        let result = if swc {
            swc::read(&text, &swc::SwcOptions::default())
        } else {
            asc::read(&text)
        };
        result.map_err(|error| ReadError::In {
            path: name,
            error: Box::new(error),
        })
    }

    /// The branches, the root first, parents before children.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// The branches attached to `branch`, in ascending order.
    ///
    /// # Panics
    /// If there is no such branch.
    pub fn children(&self, branch: usize) -> &[usize] {
        &self.children[branch]
    }

    /// What was repaired on reading, or is worth a look.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Length of all branches, µm.
    pub fn total_length(&self) -> f64 {
        self.branches.iter().map(Branch::length).sum()
    }

    /// Lateral area of all branches, Σ π(r0 + r1)√(L² + (r1 − r0)²), in µm².
    pub fn area(&self) -> f64 {
        self.branches.iter().map(Branch::area).sum()
    }

    /// Number of branch points between the root and the branch: 0 for the root and for what is attached at x = 0 of it.
    ///
    /// # Panics
    /// If there is no such branch.
    pub fn branch_order(&self, branch: usize) -> usize {
        self.orders[branch]
    }

    /// Distance along the branches from the root (x = 0 of branch 0) to the position x of a branch, µm.
    ///
    /// # Panics
    /// If there is no such branch.
    pub fn path_distance(&self, branch: usize, x: f64) -> f64 {
        self.starts[branch] + x * self.branches[branch].length()
    }

    /// Free ends, as branches whose distal end it is: nothing is attached there. Branches of the soma count only if
    /// there is nothing but soma.
    pub fn terminals(&self) -> Vec<usize> {
        let only_soma = self.branches.iter().all(|b| b.kind() == BranchType::Soma);
        let free = |b: &usize| {
            let occupied = |c: &usize| self.branches[*c].parent().is_some_and(|at| at.x == 1.0);
            (only_soma || self.branches[*b].kind() != BranchType::Soma)
                && !self.children[*b].iter().any(occupied)
        };
        (0..self.branches.len()).filter(free).collect()
    }

    /// All frusta with their places in space, branch by branch.
    pub fn drawn_frusta(&self) -> impl Iterator<Item = DrawnFrustum> + '_ {
        self.branches.iter().enumerate().flat_map(|(branch, b)| {
            b.frusta()
                .iter()
                .zip(b.points().windows(2))
                .map(move |(f, ends)| DrawnFrustum {
                    branch,
                    kind: b.kind(),
                    from: ends[0],
                    to: ends[1],
                    r0: f.r0,
                    r1: f.r1,
                })
        })
    }
}
