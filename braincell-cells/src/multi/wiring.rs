//! From the tree of points to the cable of a model.

use crate::discretisation::{Discretisation, Edge, Node};
use braincell_core::model::CableNode;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The tree along which current flows, without the junctions that nobody needs: a free end carries no current, and at
/// a junction of two conductances these are in series. Compartment k is control volume k.
pub(super) struct Wiring {
    pub nodes: Vec<CableNode>,
    pub parents: Vec<Option<usize>>,
    /// What the connection to the parent leads through.
    pub parts: Vec<Parts>,
    /// The numbers of the junctions that are left, by point.
    pub junctions: BTreeMap<usize, u32>,
}

/// Halves of control volumes in series: number of the control volume, resistance over resistivity in MΩ per Ω·cm.
pub(super) type Parts = Vec<(u32, f64)>;

/// The halves between the two points of an edge.
fn halves(d: &Discretisation, edge: &Edge) -> Parts {
    let part = |cv: usize, ohm: f64| (cv as u32, 1e-6 * ohm / d.cvs()[cv].resistivity);
    let distal = |cv: usize| part(cv, d.cvs()[cv].resistance_dist);
    match (d.nodes()[edge.parent], d.nodes()[edge.child]) {
        (parent, Node::Centre(cv)) => {
            let mut parts = vec![part(cv, d.cvs()[cv].resistance_prox)];
            // A branch that begins at a centre begins at its middle.
            if let Node::Centre(above) = parent
                && d.cvs()[above].branch == d.cvs()[cv].branch
            {
                parts.insert(0, distal(above));
            }
            parts
        }
        (Node::Centre(cv), Node::Boundary) => vec![distal(cv)],
        (Node::Boundary, Node::Boundary) => Vec::new(),
    }
}

/// Builds the tree in level order from the centre of control volume 0. Points in `needed` are kept.
pub(super) fn wire(d: &Discretisation, needed: &BTreeSet<usize>) -> Wiring {
    let points = d.nodes().len();
    let mut ends: Vec<Vec<(usize, Parts)>> = vec![Vec::new(); points];
    for edge in d.edges() {
        let parts = halves(d, edge);
        ends[edge.parent].push((edge.child, parts.clone()));
        ends[edge.child].push((edge.parent, parts));
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
        match &around[..] {
            [(a, first), (b, second)] => {
                let parts = [&first[..], second].concat();
                replace(&mut ends[*a], point, (*b, parts.clone()));
                replace(&mut ends[*b], point, (*a, parts));
            }
            _ => around
                .iter()
                .for_each(|(a, _)| ends[*a].retain(|(other, _)| *other != point)),
        }
    }
    let mut wiring = Wiring {
        nodes: Vec::new(),
        parents: Vec::new(),
        parts: Vec::new(),
        junctions,
    };
    let mut queue = VecDeque::from([(d.cv_to_node()[0], points, None, Parts::new())]);
    while let Some((point, from, parent, parts)) = queue.pop_front() {
        let place = wiring.nodes.len();
        wiring.nodes.push(match d.nodes()[point] {
            Node::Centre(cv) => CableNode::Compartment(cv as u32),
            Node::Boundary => CableNode::Junction(wiring.junctions[&point]),
        });
        wiring.parents.push(parent);
        wiring.parts.push(parts);
        let next = std::mem::take(&mut ends[point]).into_iter();
        let next = next.filter(|(other, _)| *other != from);
        queue.extend(next.map(|(other, parts)| (other, point, Some(place), parts)));
    }
    wiring
}

impl Wiring {
    /// The conductances of the connections, µS, for resistivities of the control volumes, Ω·cm.
    pub fn conductances(&self, resistivity: impl Fn(usize) -> f64) -> Vec<f64> {
        let of = |parts: &Parts| {
            let ohm = parts.iter().map(|&(cv, r)| r * resistivity(cv as usize));
            1.0 / ohm.sum::<f64>()
        };
        self.parts.iter().map(of).collect()
    }
}

fn replace(ends: &mut [(usize, Parts)], old: usize, new: (usize, Parts)) {
    if let Some(end) = ends.iter_mut().find(|(other, _)| *other == old) {
        *end = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discretisation::Policy;
    use crate::morphology::{BranchSpec, BranchType, Frustum, Morphology};
    use proptest::prelude::*;

    /// Potentials in answer to a current of 1 into the first node, with a conductance to ground at every centre, by
    /// Gaussian elimination.
    fn answer(nodes: usize, edges: &[(usize, usize, f64)], ground: &[f64]) -> Vec<f64> {
        let mut a = vec![vec![0.0; nodes + 1]; nodes];
        for (k, g) in ground.iter().enumerate() {
            a[k][k] += g;
        }
        for &(i, j, g) in edges {
            a[i][i] += g;
            a[j][j] += g;
            a[i][j] -= g;
            a[j][i] -= g;
        }
        a[0][nodes] = 1.0;
        for k in 0..nodes {
            let pivot = a[k].clone();
            for row in a.iter_mut().skip(k + 1) {
                let factor = row[k] / pivot[k];
                for (x, p) in row.iter_mut().zip(&pivot).skip(k) {
                    *x -= factor * p;
                }
            }
        }
        let mut x = vec![0.0; nodes];
        for k in (0..nodes).rev() {
            let sum: f64 = (k + 1..nodes).map(|j| a[k][j] * x[j]).sum();
            x[k] = (a[k][nodes] - sum) / a[k][k];
        }
        x
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn leaving_out_junctions_changes_no_potential(
            branches in prop::collection::vec((0..50usize, 5.0..300.0f64, 0.2..5.0f64), 1..12),
            count in 1..3usize,
            kept in 0..40usize,
        ) {
            let specs = branches.iter().enumerate().map(|(k, &(parent, length, r))| {
                let frusta = vec![Frustum::new(length, r, 0.7 * r)];
                match k {
                    0 => BranchSpec::root(BranchType::Soma, frusta),
                    _ => {
                        let x = [0.0, 0.5, 1.0][parent % 3];
                        BranchSpec::child(parent % k, x, BranchType::Axon, frusta)
                    }
                }
            });
            let morphology = Morphology::new(specs.collect()).unwrap();
            let d = Discretisation::new(morphology, &Policy::Count(count).into(), 100.0).unwrap();
            // All points, the centres first.
            let n = d.cvs().len();
            let mut number = vec![0; d.nodes().len()];
            let mut next = n;
            for (point, node) in d.nodes().iter().enumerate() {
                number[point] = match node {
                    Node::Centre(cv) => *cv,
                    Node::Boundary => {
                        next += 1;
                        next - 1
                    }
                };
            }
            // Far above that of a membrane: elimination loses the digits of the ratio of axial to ground.
            let ground: Vec<f64> = d.cvs().iter().map(|cv| 1e-2 * cv.area).collect();
            let edges: Vec<_> = (d.edges().iter())
                .map(|e| (number[e.parent], number[e.child], e.conductance))
                .collect();
            let whole = answer(next, &edges, &ground);

            let kept = BTreeSet::from([kept % d.nodes().len()]);
            let kept: BTreeSet<usize> =
                kept.into_iter().filter(|&p| d.nodes()[p] == Node::Boundary).collect();
            let wiring = wire(&d, &kept);
            for point in &kept {
                prop_assert!(wiring.junctions.contains_key(point));
            }
            let name = |node: &CableNode| match *node {
                CableNode::Compartment(k) => k as usize,
                CableNode::Junction(k) => n + k as usize,
            };
            let conductances = wiring.conductances(|cv| d.cvs()[cv].resistivity);
            let edges: Vec<_> = (0..wiring.nodes.len())
                .filter_map(|k| {
                    let parent = wiring.parents[k]?;
                    let (a, b) = (name(&wiring.nodes[parent]), name(&wiring.nodes[k]));
                    Some((a, b, conductances[k]))
                })
                .collect();
            let part = answer(wiring.nodes.len(), &edges, &ground);
            for cv in 0..n {
                let difference = part[cv] - whole[cv];
                prop_assert!(difference.abs() < 1e-12 * whole[0].abs(), "{}", difference / whole[0]);
            }
            for (point, k) in &wiring.junctions {
                let difference = part[n + *k as usize] - whole[number[*point]];
                prop_assert!(difference.abs() < 1e-12 * whole[0].abs());
            }
        }
    }
}
