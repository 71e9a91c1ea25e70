//! From the tree of points to the cable of a model.

use crate::discretisation::{Discretisation, Node};
use braincell_core::model::CableNode;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The tree along which current flows, without the junctions that nobody needs: a free end carries no current, and at
/// a junction of two conductances these are in series. Compartment k is control volume k.
pub(super) struct Wiring {
    pub nodes: Vec<CableNode>,
    pub parents: Vec<Option<usize>>,
    /// To the parent, µS.
    pub conductances: Vec<f64>,
    /// The numbers of the junctions that are left, by point.
    pub junctions: BTreeMap<usize, u32>,
}

/// Builds the tree in level order from the centre of control volume 0. Points in `needed` are kept.
pub(super) fn wire(d: &Discretisation, needed: &BTreeSet<usize>) -> Wiring {
    let points = d.nodes().len();
    let mut ends: Vec<Vec<(usize, f64)>> = vec![Vec::new(); points];
    for edge in d.edges() {
        ends[edge.parent].push((edge.child, edge.conductance));
        ends[edge.child].push((edge.parent, edge.conductance));
    }
    let mut junctions = BTreeMap::new();
    for (point, node) in d.nodes().iter().enumerate() {
        if !matches!(node, Node::Boundary) {
            continue;
        }
        if needed.contains(&point) || ends[point].len() > 2 {
            junctions.insert(point, junctions.len() as u32);
            continue;
        }
        // The neighbours of a junction are centres.
        let around = std::mem::take(&mut ends[point]);
        match around[..] {
            [(a, ga), (b, gb)] => {
                let g = ga * gb / (ga + gb);
                replace(&mut ends[a], point, (b, g));
                replace(&mut ends[b], point, (a, g));
            }
            _ => around
                .iter()
                .for_each(|&(a, _)| ends[a].retain(|&(other, _)| other != point)),
        }
    }
    let mut wiring = Wiring {
        nodes: Vec::new(),
        parents: Vec::new(),
        conductances: Vec::new(),
        junctions,
    };
    let mut queue = VecDeque::from([(d.cv_to_node()[0], points, None, 0.0)]);
    while let Some((point, from, parent, conductance)) = queue.pop_front() {
        let place = wiring.nodes.len();
        wiring.nodes.push(match d.nodes()[point] {
            Node::Centre(cv) => CableNode::Compartment(cv as u32),
            Node::Boundary => CableNode::Junction(wiring.junctions[&point]),
        });
        wiring.parents.push(parent);
        wiring.conductances.push(conductance);
        let next = ends[point].iter().filter(|(other, _)| *other != from);
        queue.extend(next.map(|&(other, g)| (other, point, Some(place), g)));
    }
    wiring
}

fn replace(ends: &mut [(usize, f64)], old: usize, new: (usize, f64)) {
    if let Some(end) = ends.iter_mut().find(|(other, _)| *other == old) {
        *end = new;
    }
}
