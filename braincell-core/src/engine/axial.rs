//! The cable of a tile: axial currents, and the tree part of linear systems.

use super::exec::Workspace;
use super::rows::{Discharge, FromRows, Scale, ToRows};
use super::sparse::Plan;
use crate::cable::{Laplacian, elimination, lanes};
use crate::kernel::Storage;
use crate::model::{CableInfo, CableNode};
use crate::simd::Level;
use std::ops::Range;

/// nA per µA/cm² · µm², and µF/cm² · µm² · mV/ms: one of either is this many nA.
pub(super) const NANOAMPERE: f64 = 1e-5;

/// The tables of a cable. *Rows* are the nodes of the tree in its level order.
pub(crate) struct Axial<F> {
    operator: Laplacian<F>,
    /// Row of each compartment.
    compartments: Vec<usize>,
    junctions: Vec<Junction>,
    /// Σ of conductances at each row, µS.
    sums: Vec<f64>,
    parents: Vec<usize>,
    conductances: Vec<f64>,
    /// Each compartment's own conductance to the others, junctions eliminated, µS.
    own: Vec<f64>,
}

struct Junction {
    row: usize,
    /// Neighbouring compartments and the conductances to them, µS.
    neighbours: Vec<(usize, f64)>,
}

/// The tree part of the linear systems I - A ⊗ J.
#[derive(Clone, Copy)]
pub(super) struct TreeSystem<'a> {
    pub level: Level,
    pub lanes: usize,
    /// Where C A of the compartments is.
    pub capacity: usize,
    /// A, of order s.
    pub a: &'a [f64],
    pub factors: TreeFactors,
    /// Whether the transposed system is solved.
    pub transposed: bool,
}

/// Where the state of factors of the tree is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct TreeFactors {
    /// For one stage: reciprocal pivots, in [`Workspace::tree`].
    pub pivots: usize,
    /// For several: inverse blocks, in [`Workspace::wide`].
    pub blocks: usize,
    /// Right-hand sides of all rows, in [`Workspace::wide`], for several stages.
    pub rows: usize,
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

    fn to_rows(
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

    /// Factors the tree part, given the factors of the local elimination: the s × s blocks that it leaves at each
    /// compartment and lane.
    pub(super) fn factor(
        &self,
        system: TreeSystem,
        workspace: &mut Workspace<F>,
        (plan, matrices): (&Plan, usize),
    ) {
        let TreeSystem {
            level,
            lanes,
            capacity,
            a,
            factors,
            ..
        } = system;
        let s = order(a);
        let n = self.rows();
        if s == 1 {
            let Workspace {
                arena,
                wide,
                tree,
                rows: [_, remainders],
                ..
            } = workspace;
            let pivots = &mut tree[factors.pivots..][..n * lanes];
            pivots.fill(F::default());
            let remainders = &mut remainders[..self.compartments.len() * lanes];
            plan.remainders(&wide[matrices..], remainders);
            let scale = Scale::Capacity(1.0 / a[0]);
            let capacity = &arena[capacity..];
            self.to_rows((level, lanes), remainders, capacity, scale, pivots);
            // A bad pivot spoils the solution, which is noticed there.
            let _ = elimination::factor(level, &self.operator, 1.0, pivots);
            return;
        }
        let size = s * s;
        let mut inverse = [0.0; 16];
        inverse[..size].copy_from_slice(a);
        invert(&mut inverse[..size], s);
        let base = factors.blocks;
        workspace.wide[base..base + n * lanes * size].fill(0.0);
        let (mut x, mut product) = ([0.0; 16], [0.0; 16]);
        for (compartment, &row) in self.compartments.iter().enumerate() {
            for lane in 0..lanes {
                let e = compartment * lanes + lane;
                plan.remainder(&workspace.wide[matrices..], e, &mut x[..size]);
                let c = workspace.arena[capacity + e].to_f64();
                multiply(&inverse[..size], &x[..size], &mut product[..size], s);
                let to = &mut workspace.wide[base + (row * lanes + lane) * size..][..size];
                for (to, x) in to.iter_mut().zip(&product) {
                    *to = c * x;
                }
            }
        }
        let blocks = &mut workspace.wide[base..base + n * lanes * size];
        for row in (0..n).rev() {
            let g = self.conductances[row];
            let (above, here) = blocks.split_at_mut(row * lanes * size);
            for lane in 0..lanes {
                let block = &mut here[lane * size..][..size];
                for p in 0..s {
                    block[p * s + p] += self.sums[row];
                }
                invert(block, s);
                if row > 0 {
                    let up = &mut above[(self.parents[row] * lanes + lane) * size..][..size];
                    for (up, x) in up.iter_mut().zip(block) {
                        *up -= g * g * *x;
                    }
                }
            }
        }
    }

    /// Solves with the factors, the transposed system if asked for. Right-hand sides and solutions are in place of the
    /// potentials.
    ///
    /// The matrix is (A / C) K, with K the tree in conductances: symmetric for one stage, and with transposed blocks for
    /// several.
    pub(super) fn solve(
        &self,
        system: TreeSystem,
        workspace: &mut Workspace<F>,
        potentials: Potentials,
    ) {
        let TreeSystem {
            level,
            lanes,
            capacity,
            a,
            factors,
            transposed,
        } = system;
        let s = order(a);
        let n = self.rows();
        if s == 1 {
            let Workspace {
                arena,
                tree,
                rows: [x, _],
                ..
            } = workspace;
            let (plane, count) = (potentials.plane(0), self.compartments.len() * lanes);
            let scale = Scale::Capacity(1.0 / a[0]);
            let (before, after) = match transposed {
                false => (scale, Scale::One),
                true => (Scale::One, scale),
            };
            x.fill(F::default());
            let c = &arena[capacity..];
            self.to_rows((level, lanes), &arena[plane..], c, before, x);
            let stored = elimination::Factors::stored(1.0, &tree[factors.pivots..][..n * lanes]);
            let done = elimination::solve(level, &self.operator, &stored, x);
            debug_assert!(done.is_ok());
            let (c, to) = two(arena, capacity..capacity + count, plane..plane + count);
            let back = FromRows {
                rows: &self.compartments,
                from: x,
                capacity: c,
                scale: after,
                to,
            };
            lanes::run(level, lanes, back);
            return;
        }
        let size = s * s;
        let mut inverse = [0.0; 16];
        inverse[..size].copy_from_slice(a);
        invert(&mut inverse[..size], s);
        let Workspace { arena, wide, .. } = workspace;
        let (first, second) = (factors.blocks, factors.rows);
        debug_assert!(first + n * lanes * size <= second);
        let (kept, rest) = wide.split_at_mut(second);
        let blocks = &kept[first..first + n * lanes * size];
        let x = &mut rest[..n * lanes * s];
        x.fill(0.0);
        for (compartment, &row) in self.compartments.iter().enumerate() {
            for lane in 0..lanes {
                let e = compartment * lanes + lane;
                let c = arena[capacity + e].to_f64();
                for p in 0..s {
                    let sum = (0..s).map(|q| inverse[p * s + q] * potentials.get(arena, e, q));
                    x[(row * lanes + lane) * s + p] = match transposed {
                        false => c * sum.sum::<f64>(),
                        true => potentials.get(arena, e, p),
                    };
                }
            }
        }
        let times = |block: &[f64], x: &[f64]| -> [f64; 4] {
            let mut y = [0.0; 4];
            for p in 0..s {
                let entry = |q: usize| match transposed {
                    false => block[p * s + q],
                    true => block[q * s + p],
                };
                y[p] = (0..s).map(|q| entry(q) * x[q]).sum();
            }
            y
        };
        for row in (1..n).rev() {
            for lane in 0..lanes {
                let at = row * lanes + lane;
                let y = times(&blocks[at * size..][..size], &x[at * s..][..s]);
                let up = (self.parents[row] * lanes + lane) * s;
                for p in 0..s {
                    x[up + p] += self.conductances[row] * y[p];
                }
            }
        }
        for row in 0..n {
            for lane in 0..lanes {
                let at = row * lanes + lane;
                if row > 0 {
                    let up = (self.parents[row] * lanes + lane) * s;
                    for p in 0..s {
                        x[at * s + p] += self.conductances[row] * x[up + p];
                    }
                }
                let y = times(&blocks[at * size..][..size], &x[at * s..][..s]);
                x[at * s..][..s].copy_from_slice(&y[..s]);
            }
        }
        for (compartment, &row) in self.compartments.iter().enumerate() {
            for lane in 0..lanes {
                let e = compartment * lanes + lane;
                let c = arena[capacity + e].to_f64();
                let x = &x[(row * lanes + lane) * s..][..s];
                for p in 0..s {
                    let x = match transposed {
                        false => x[p],
                        true => c * (0..s).map(|q| inverse[q * s + p] * x[q]).sum::<f64>(),
                    };
                    arena[potentials.plane(p) + e] = F::from_f64(x);
                }
            }
        }
    }
}

/// The parts of the axial current, for derivatives. Arrays are compartments × lanes or junctions × lanes.
impl Axial<f64> {
    /// Number of compartments.
    pub(super) fn compartments(&self) -> usize {
        self.compartments.len()
    }

    /// Number of junctions.
    pub(super) fn junctions(&self) -> usize {
        self.junctions.len()
    }

    /// Each compartment's own conductance to the others, junctions eliminated, µS.
    pub(super) fn own(&self) -> &[f64] {
        &self.own
    }

    /// Σ of the conductances at each junction, µS.
    pub(super) fn sum_at(&self, junction: usize) -> f64 {
        self.sums[self.junctions[junction].row]
    }

    /// y ← S x, with S the conductances between compartments, junctions eliminated. S is symmetric.
    pub(super) fn reduced(
        &self,
        (level, lanes): (Level, usize),
        x: &[f64],
        y: &mut [f64],
        rows: &mut [Vec<f64>; 2],
    ) {
        let [potentials, currents] = rows;
        for (compartment, &row) in self.compartments.iter().enumerate() {
            let from = &x[compartment * lanes..][..lanes];
            potentials[row * lanes..][..lanes].copy_from_slice(from);
        }
        for (j, junction) in self.junctions.iter().enumerate() {
            for lane in 0..lanes {
                let potential = self.mean(j, [lane, lanes], x);
                potentials[junction.row * lanes + lane] = potential;
            }
        }
        currents.fill(0.0);
        let done = self.operator.apply(level, 1.0, potentials, currents);
        debug_assert!(done.is_ok());
        for (compartment, &row) in self.compartments.iter().enumerate() {
            let to = &mut y[compartment * lanes..][..lanes];
            to.copy_from_slice(&currents[row * lanes..][..lanes]);
        }
    }

    /// The mean of the numbers of a junction's neighbours, weighted by the conductances.
    pub(super) fn mean(&self, junction: usize, [lane, lanes]: [usize; 2], x: &[f64]) -> f64 {
        let neighbours = self.junctions[junction].neighbours.iter();
        let sum: f64 = neighbours.map(|&(k, g)| g * x[k * lanes + lane]).sum();
        sum / self.sum_at(junction)
    }

    /// The transpose of [`Axial::mean`]: adds `value` times the weights to the neighbours.
    pub(super) fn spread(
        &self,
        junction: usize,
        [lane, lanes]: [usize; 2],
        value: f64,
        x: &mut [f64],
    ) {
        let share = value / self.sum_at(junction);
        for &(k, g) in &self.junctions[junction].neighbours {
            x[k * lanes + lane] += g * share;
        }
    }
}

/// Where the potentials of each stage are.
pub(super) struct Potentials<'a> {
    /// Arrays, one for each stage.
    pub x: &'a [usize],
    /// Offset in an array.
    pub offset: usize,
}

impl Potentials<'_> {
    fn plane(&self, stage: usize) -> usize {
        self.x[stage] + self.offset
    }

    fn get<F: Storage>(&self, arena: &[F], e: usize, stage: usize) -> f64 {
        arena[self.plane(stage) + e].to_f64()
    }
}

/// A part of the arena to read, and another to write.
fn two<F>(arena: &mut [F], read: Range<usize>, write: Range<usize>) -> (&[F], &mut [F]) {
    if read.end <= write.start {
        let (first, second) = arena.split_at_mut(write.start);
        (&first[read], &mut second[..write.len()])
    } else {
        let (first, second) = arena.split_at_mut(read.start);
        (&second[..read.len()], &mut first[write])
    }
}

/// s of an s × s matrix.
fn order(a: &[f64]) -> usize {
    match a.len() {
        1 => 1,
        4 => 2,
        9 => 3,
        _ => 4,
    }
}

/// c ← a b
fn multiply(a: &[f64], b: &[f64], c: &mut [f64], s: usize) {
    for i in 0..s {
        for j in 0..s {
            c[i * s + j] = (0..s).map(|k| a[i * s + k] * b[k * s + j]).sum();
        }
    }
}

/// a ← a⁻¹, for orders up to 4, by Gauss–Jordan elimination with partial pivoting.
fn invert(a: &mut [f64], s: usize) {
    let mut inverse = [0.0; 16];
    for k in 0..s {
        inverse[k * s + k] = 1.0;
    }
    for k in 0..s {
        let size = |row: &usize| a[row * s + k].abs();
        let pivot = (k..s)
            .max_by(|i, j| size(i).total_cmp(&size(j)))
            .unwrap_or(k);
        for j in 0..s {
            a.swap(k * s + j, pivot * s + j);
            inverse.swap(k * s + j, pivot * s + j);
        }
        let scale = 1.0 / a[k * s + k];
        for j in 0..s {
            a[k * s + j] *= scale;
            inverse[k * s + j] *= scale;
        }
        for i in (0..s).filter(|&i| i != k) {
            let factor = a[i * s + k];
            for j in 0..s {
                a[i * s + j] -= factor * a[k * s + j];
                inverse[i * s + j] -= factor * inverse[k * s + j];
            }
        }
    }
    a.copy_from_slice(&inverse[..s * s]);
}
