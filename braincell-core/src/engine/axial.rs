//! The cable of a tile, and its axial currents.

use super::arrays::Loop;
use super::exec::Workspace;
use super::scaled::Discharge;
use crate::cable::Laplacian;
use crate::kernel::Storage;
use crate::model::{CableInfo, CableNode};
use crate::simd::Level;

/// nA per µA/cm² · µm², and µF/cm² · µm² · mV/ms: one of either is this many nA.
pub(super) const NANOAMPERE: f64 = 1e-5;

/// The tables of a cable. Arrays of its *nodes* hold the compartments and, after them, the junctions.
pub(crate) struct Axial<F> {
    pub(super) operator: Laplacian<F>,
    /// Number of compartments.
    pub(super) compartments: usize,
    pub(super) junctions: Vec<Junction>,
    /// Σ of conductances at each node, µS.
    pub(super) sums: Vec<f64>,
    /// Each node with its parent, parents first. The root is its own.
    pub(super) connections: Vec<Connection>,
    /// The connection of each node to its parent.
    pub(super) connection_of: Vec<usize>,
    /// Each compartment's own conductance to the others, junctions eliminated, µS.
    pub(super) own: Vec<f64>,
}

/// A node and its parent.
pub(super) struct Connection {
    pub(super) node: usize,
    pub(super) parent: usize,
    /// µS; none of the root.
    pub(super) conductance: f64,
}

pub(super) struct Junction {
    /// Neighbouring compartments and the conductances to them, µS.
    pub(super) neighbours: Vec<(usize, f64)>,
}

impl<F: Storage> Axial<F> {
    pub fn new(info: &CableInfo) -> Self {
        let tree = &info.tree;
        let compartments = info.cable.area.len();
        let node = |row: usize| match info.cable.nodes[tree.permutation()[row] as usize] {
            CableNode::Compartment(k) => k as usize,
            CableNode::Junction(k) => compartments + k as usize,
        };
        let nodes: Vec<usize> = (0..tree.len()).map(node).collect();
        let connections = tree.parents().iter().enumerate();
        let connections = connections.map(|(row, &parent)| Connection {
            node: nodes[row],
            parent: nodes[parent as usize],
            conductance: if row == 0 { 0.0 } else { tree.conductance(row) },
        });
        let connections: Vec<Connection> = connections.collect();
        let mut connection_of = vec![0; nodes.len()];
        for (row, &node) in nodes.iter().enumerate() {
            connection_of[node] = row;
        }
        let mut sums = vec![0.0; nodes.len()];
        for c in &connections[1..] {
            sums[c.node] += c.conductance;
            sums[c.parent] += c.conductance;
        }
        let mut junctions: Vec<Junction> = Vec::new();
        junctions.resize_with(info.junctions, || Junction {
            neighbours: Vec::new(),
        });
        let mut own = sums[..compartments].to_vec();
        for c in &connections[1..] {
            for (at, other) in [(c.node, c.parent), (c.parent, c.node)] {
                if at >= compartments && other < compartments {
                    let neighbours = &mut junctions[at - compartments].neighbours;
                    neighbours.push((other, c.conductance));
                    own[other] -= c.conductance * c.conductance / sums[at];
                }
            }
        }
        let places: Vec<u32> = nodes.iter().map(|&node| node as u32).collect();
        Self {
            operator: Laplacian::placed(tree, &places).expect("a checked tree gives a Laplacian"),
            compartments,
            junctions,
            sums,
            connections,
            connection_of,
            own,
        }
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.sums.len()
    }

    /// Σ of the conductances at a junction, µS.
    pub(super) fn sum_at(&self, junction: usize) -> f64 {
        self.sums[self.compartments + junction]
    }

    /// The potential of junction `j` in a lane: 0 = I + Σ g (V - V_j).
    fn junction_potential(
        &self,
        j: usize,
        [lane, lanes]: [usize; 2],
        arena: &[F],
        v: Option<usize>,
        current: Option<usize>,
    ) -> f64 {
        let mut sum = current.map_or(0.0, |i| arena[i + j * lanes + lane].to_f64());
        if let Some(v) = v {
            for &(compartment, g) in &self.junctions[j].neighbours {
                sum += g * arena[v + compartment * lanes + lane].to_f64();
            }
        }
        sum / self.sum_at(j)
    }

    /// The potentials of all junctions, into the plane at `to`.
    pub fn junction_potentials(
        &self,
        lanes: usize,
        arena: &mut [F],
        v: usize,
        current: Option<usize>,
        to: usize,
    ) {
        for j in 0..self.junctions.len() {
            for lane in 0..lanes {
                let x = self.junction_potential(j, [lane, lanes], arena, Some(v), current);
                arena[to + j * lanes + lane] = F::from_f64(x);
            }
        }
    }

    /// Adds the axial current over the capacitance to dV/dt at `to`: that of the potentials at `v`, and of the currents
    /// into the junctions.
    pub fn add_current(
        &self,
        level: Level,
        lanes: usize,
        v: Option<usize>,
        current: Option<usize>,
        [to, per_capacity]: [usize; 2],
        workspace: &mut Workspace<F>,
    ) {
        let Workspace { arena, nodes, .. } = workspace;
        let [x, y] = nodes;
        let count = self.compartments * lanes;
        match v {
            Some(v) => x[..count].copy_from_slice(&arena[v..v + count]),
            None => x[..count].fill(F::default()),
        }
        for j in 0..self.junctions.len() {
            for lane in 0..lanes {
                let potential = self.junction_potential(j, [lane, lanes], arena, v, current);
                x[count + j * lanes + lane] = F::from_f64(potential);
            }
        }
        // y ← G x; shapes fit by construction.
        let done = self.operator.apply(level, 1.0, x, y);
        debug_assert!(done.is_ok());
        let discharge = Discharge {
            current: &y[..count],
            per_capacity,
            to,
            arena,
        };
        discharge.run(level, count);
    }

    /// Adds the axial part of ∂(dV_i/dt)/∂V_i to the plane at `to`.
    pub fn add_diagonal(&self, lanes: usize, [to, per_capacity]: [usize; 2], arena: &mut [F]) {
        for (compartment, own) in self.own.iter().enumerate() {
            for at in compartment * lanes..(compartment + 1) * lanes {
                let rate = own * arena[per_capacity + at].to_f64();
                arena[to + at] = F::from_f64(arena[to + at].to_f64() - rate);
            }
        }
    }
}
