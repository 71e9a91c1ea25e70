//! The cable of a tile, and its axial currents.

use super::exec::Workspace;
use super::rows::{Discharge, Scale, ToRows};
use crate::cable::{Laplacian, lanes};
use crate::kernel::Storage;
use crate::model::{CableInfo, CableNode};
use crate::simd::Level;

/// nA per µA/cm² · µm², and µF/cm² · µm² · mV/ms: one of either is this many nA.
pub(super) const NANOAMPERE: f64 = 1e-5;

/// The tables of a cable. *Rows* are the nodes of the tree in its level order.
pub(crate) struct Axial<F> {
    pub(super) operator: Laplacian<F>,
    /// Row of each compartment.
    pub(super) compartments: Vec<usize>,
    pub(super) junctions: Vec<Junction>,
    /// Σ of conductances at each row, µS.
    pub(super) sums: Vec<f64>,
    pub(super) parents: Vec<usize>,
    pub(super) conductances: Vec<f64>,
    /// Each compartment's own conductance to the others, junctions eliminated, µS.
    pub(super) own: Vec<f64>,
}

pub(super) struct Junction {
    pub(super) row: usize,
    /// Neighbouring compartments and the conductances to them, µS.
    pub(super) neighbours: Vec<(usize, f64)>,
}

impl<F: Storage> Axial<F> {
    pub fn new(info: &CableInfo) -> Self {
        let tree = &info.tree;
        let count = tree.len();
        let parents: Vec<usize> = tree.parents().iter().map(|&p| p as usize).collect();
        let conductances: Vec<f64> = (0..count)
            .map(|row| if row == 0 { 0.0 } else { tree.conductance(row) })
            .collect();
        let mut sums = vec![0.0; count];
        for row in 1..count {
            sums[row] += conductances[row];
            sums[parents[row]] += conductances[row];
        }
        let total = info.cable.area.len();
        let mut compartments = vec![0; total];
        let mut junctions: Vec<Junction> = Vec::new();
        junctions.resize_with(info.junctions, || Junction {
            row: 0,
            neighbours: Vec::new(),
        });
        let mut kind = vec![CableNode::Compartment(0); count];
        for (row, &node) in tree.permutation().iter().enumerate() {
            kind[row] = info.cable.nodes[node as usize];
            match kind[row] {
                CableNode::Compartment(k) => compartments[k as usize] = row,
                CableNode::Junction(k) => junctions[k as usize].row = row,
            }
        }
        let mut own: Vec<f64> = compartments.iter().map(|&row| sums[row]).collect();
        for row in 1..count {
            let (parent, g) = (parents[row], conductances[row]);
            for (at, other) in [(row, parent), (parent, row)] {
                if let (CableNode::Junction(j), CableNode::Compartment(c)) = (kind[at], kind[other])
                {
                    junctions[j as usize].neighbours.push((c as usize, g));
                    own[c as usize] -= g * g / sums[at];
                }
            }
        }
        Self {
            operator: Laplacian::new(tree).expect("a checked tree gives a Laplacian"),
            compartments,
            junctions,
            sums,
            parents,
            conductances,
            own,
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.parents.len()
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
        let junction = &self.junctions[j];
        let mut sum = current.map_or(0.0, |i| arena[i + j * lanes + lane].to_f64());
        if let Some(v) = v {
            for &(compartment, g) in &junction.neighbours {
                sum += g * arena[v + compartment * lanes + lane].to_f64();
            }
        }
        sum / self.sums[junction.row]
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
        [to, capacity]: [usize; 2],
        workspace: &mut Workspace<F>,
    ) {
        let Workspace { arena, rows, .. } = workspace;
        let [x, y] = rows;
        match v {
            Some(v) => self.to_rows((level, lanes), &arena[v..], &[], Scale::One, x),
            None => x.fill(F::default()),
        }
        for j in 0..self.junctions.len() {
            for lane in 0..lanes {
                let potential = self.junction_potential(j, [lane, lanes], arena, v, current);
                x[self.junctions[j].row * lanes + lane] = F::from_f64(potential);
            }
        }
        y.fill(F::default());
        // y ← G x; shapes fit by construction.
        let done = self.operator.apply(level, 1.0, x, y);
        debug_assert!(done.is_ok());
        let discharge = Discharge {
            rows: &self.compartments,
            current: y,
            capacity,
            to,
            arena,
        };
        lanes::run(level, lanes, discharge);
    }

    pub(super) fn to_rows(
        &self,
        (level, lanes): (Level, usize),
        from: &[F],
        capacity: &[F],
        scale: Scale,
        to: &mut [F],
    ) {
        let rows = &self.compartments;
        let kernel = ToRows {
            rows,
            from,
            capacity,
            scale,
            to,
        };
        lanes::run(level, lanes, kernel);
    }

    /// Adds the axial part of ∂(dV_i/dt)/∂V_i to the plane at `to`.
    pub fn add_diagonal(&self, lanes: usize, [to, capacity]: [usize; 2], arena: &mut [F]) {
        for (compartment, own) in self.own.iter().enumerate() {
            for at in compartment * lanes..(compartment + 1) * lanes {
                let rate = own / arena[capacity + at].to_f64();
                arena[to + at] = F::from_f64(arena[to + at].to_f64() - rate);
            }
        }
    }
}
