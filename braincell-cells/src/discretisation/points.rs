//! The tree of points.

use super::{ControlVolume, containing};
use crate::morphology::Morphology;
use std::ops::Range;

/// A point of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// The centre of a control volume, by its index: it carries the membrane.
    Centre(usize),
    /// An end of a branch, or a point where branches meet: it has no membrane.
    Boundary,
}

/// An axial conductance between two points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// The node nearer the root.
    pub parent: usize,
    /// The node farther from the root.
    pub child: usize,
    /// Conductance, µS.
    pub conductance: f64,
}

pub(super) struct Points {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) cv_to_node: Vec<usize>,
    pub(super) branch_ends: Vec<(usize, usize)>,
}

pub(super) fn build(
    morphology: &Morphology,
    cvs: &[ControlVolume],
    branch_cvs: &[Range<usize>],
) -> Points {
    let mut nodes = vec![Node::Boundary];
    let mut edges = Vec::with_capacity(cvs.len() + branch_cvs.len());
    let mut cv_to_node = Vec::with_capacity(cvs.len());
    let mut branch_ends: Vec<(usize, usize)> = Vec::with_capacity(branch_cvs.len());
    for (branch, range) in morphology.branches().iter().zip(branch_cvs) {
        let prox = match branch.parent() {
            None => 0,
            Some(at) => place(at.x, branch_ends[at.branch], || {
                cv_to_node[containing(&branch_cvs[at.branch], at.x)]
            }),
        };
        let (mut last, mut resistance) = (prox, 0.0);
        for cv in range.clone() {
            let child = nodes.len();
            let conductance = microsiemens(resistance + cvs[cv].resistance_prox);
            nodes.push(Node::Centre(cv));
            edges.push(Edge {
                parent: last,
                child,
                conductance,
            });
            cv_to_node.push(child);
            (last, resistance) = (child, cvs[cv].resistance_dist);
        }
        let dist = nodes.len();
        nodes.push(Node::Boundary);
        edges.push(Edge {
            parent: last,
            child: dist,
            conductance: microsiemens(resistance),
        });
        branch_ends.push((prox, dist));
    }
    Points {
        nodes,
        edges,
        cv_to_node,
        branch_ends,
    }
}

/// The node at a position of a branch: an end is a node of its own, all between belongs to a centre.
pub(super) fn place(x: f64, ends: (usize, usize), centre: impl FnOnce() -> usize) -> usize {
    if x <= 0.0 {
        ends.0
    } else if x >= 1.0 {
        ends.1
    } else {
        centre()
    }
}

fn microsiemens(ohm: f64) -> f64 {
    1e6 / ohm
}
