//! Derivatives of axial currents with respect to potentials, capacitances and the conductance of each connection.
//!
//! Let G be the conductances between all nodes, x their potentials and I the currents into junctions. The currents out of the
//! nodes are G x, and G x = I at junctions. If G u = 0 at junctions too, a conductance between nodes a and b changes the
//! number Σ u G x, over compartments, by (u_a - u_b) (x_a - x_b), what it does to junctions included.

use super::super::arena::Arena;
use super::super::axial::Axial;
use super::super::exec::Workspace;
use super::loops::{self, Factor};
use super::{Frame, Sweep};
use crate::simd::Level;

/// The parts of the axial current. Arrays are compartments × lanes, junctions × lanes, nodes × lanes or connections × lanes.
impl Axial<f64> {
    /// Potentials of all nodes from those of the compartments, 0 if there are none, and the currents into junctions.
    pub(super) fn at_nodes(
        &self,
        lanes: usize,
        v: Option<&[f64]>,
        current: Option<&[f64]>,
        nodes: &mut [f64],
    ) {
        let (compartments, junctions) = nodes.split_at_mut(self.compartments * lanes);
        match v {
            Some(v) => compartments.copy_from_slice(v),
            None => compartments.fill(0.0),
        }
        for j in 0..self.junctions.len() {
            for lane in 0..lanes {
                let mean = v.map_or(0.0, |v| self.mean(j, [lane, lanes], v));
                let driven = current.map_or(0.0, |i| i[j * lanes + lane] / self.sum_at(j));
                junctions[j * lanes + lane] = mean + driven;
            }
        }
    }

    /// y ← S x, with S the conductances between compartments, junctions eliminated. S is symmetric.
    pub(super) fn reduced(
        &self,
        place: (Level, usize),
        x: &[f64],
        y: &mut [f64],
        nodes: &mut [Arena<f64>; 2],
    ) {
        let [potentials, currents] = nodes;
        self.at_nodes(place.1, Some(x), None, potentials);
        self.outflow(place.0, potentials, currents, y);
    }

    /// The currents out of the compartments, G x, for potentials of nodes.
    pub(super) fn outflow(&self, level: Level, x: &[f64], currents: &mut [f64], y: &mut [f64]) {
        let done = self.operator.apply(level, 1.0, x, currents);
        debug_assert!(done.is_ok());
        y.copy_from_slice(&currents[..y.len()]);
    }

    /// The mean of the numbers of a junction's neighbours, weighted by the conductances.
    fn mean(&self, junction: usize, [lane, lanes]: [usize; 2], x: &[f64]) -> f64 {
        let neighbours = self.junctions[junction].neighbours.iter();
        let sum: f64 = neighbours.map(|&(k, g)| g * x[k * lanes + lane]).sum();
        sum / self.sum_at(junction)
    }

    /// The transpose of [`Axial::mean`]: adds `value` times the weights to the neighbours.
    fn spread(&self, junction: usize, [lane, lanes]: [usize; 2], value: f64, x: &mut [f64]) {
        let share = value / self.sum_at(junction);
        for &(k, g) in &self.junctions[junction].neighbours {
            x[k * lanes + lane] += g * share;
        }
    }

    /// to += factor · (u_a - u_b) (x_a - x_b) for each connection.
    pub(super) fn add_products(
        &self,
        lanes: usize,
        factor: f64,
        [u, x]: [&[f64]; 2],
        to: &mut [f64],
    ) {
        if lanes == 1 {
            for (c, to) in self.connections.iter().zip(to).skip(1) {
                let (a, b) = (c.node, c.parent);
                *to += factor * (u[a] - u[b]) * (x[a] - x[b]);
            }
            return;
        }
        for (k, c) in self.connections.iter().enumerate().skip(1) {
            for lane in 0..lanes {
                let (a, b) = (c.node * lanes + lane, c.parent * lanes + lane);
                to[k * lanes + lane] += factor * (u[a] - u[b]) * (x[a] - x[b]);
            }
        }
    }

    /// y ← Ġ x, for changes ġ of the connections' conductances.
    fn changed_currents(&self, lanes: usize, g: &[f64], x: &[f64], y: &mut [f64]) {
        y.fill(0.0);
        for (k, c) in self.connections.iter().enumerate().skip(1) {
            for lane in 0..lanes {
                let (a, b) = (c.node * lanes + lane, c.parent * lanes + lane);
                let current = g[k * lanes + lane] * (x[a] - x[b]);
                y[a] += current;
                y[b] -= current;
            }
        }
    }

    /// What changes ġ of the connections' conductances do to the currents out of the compartments, Ġ x with junctions
    /// eliminated; x are the potentials of nodes.
    pub(super) fn reduced_change(
        &self,
        lanes: usize,
        g: &[f64],
        x: &[f64],
        [y, to]: [&mut [f64]; 2],
    ) {
        self.changed_currents(lanes, g, x, y);
        let (compartments, junctions) = y.split_at(self.compartments * lanes);
        to.copy_from_slice(compartments);
        for j in 0..self.junctions.len() {
            for lane in 0..lanes {
                self.spread(j, [lane, lanes], junctions[j * lanes + lane], to);
            }
        }
    }

    /// The connection between a junction and a compartment beside it.
    fn connection(&self, junction: usize, compartment: usize) -> usize {
        let up = self.connection_of[self.compartments + junction];
        match self.connections[up].parent == compartment {
            true => up,
            false => self.connection_of[compartment],
        }
    }
}

/// The own conductance of a compartment is Σ g, less g² / Σ g of each junction beside it. From changes ġ of the connections
/// those of the own conductances.
fn own_change(axial: &Axial<f64>, lanes: usize, g: &[f64], [sums, to]: [&mut [f64]; 2]) {
    sums.fill(0.0);
    for (k, c) in axial.connections.iter().enumerate().skip(1) {
        for lane in 0..lanes {
            sums[c.node * lanes + lane] += g[k * lanes + lane];
            sums[c.parent * lanes + lane] += g[k * lanes + lane];
        }
    }
    let (compartments, junctions) = sums.split_at(axial.compartments * lanes);
    to.copy_from_slice(compartments);
    for (j, junction) in axial.junctions.iter().enumerate() {
        for &(k, own) in &junction.neighbours {
            let (share, connection) = (own / axial.sum_at(j), axial.connection(j, k));
            for lane in 0..lanes {
                let sum = junctions[j * lanes + lane];
                to[k * lanes + lane] -=
                    2.0 * share * g[connection * lanes + lane] - share * share * sum;
            }
        }
    }
}

/// The transpose of [`own_change`]: adds to the adjoints of the connections.
fn add_own_adjoint(
    axial: &Axial<f64>,
    lanes: usize,
    own_bar: &[f64],
    nodes: &mut [f64],
    to: &mut [f64],
) {
    let (compartments, junctions) = nodes.split_at_mut(axial.compartments * lanes);
    compartments.copy_from_slice(own_bar);
    junctions.fill(0.0);
    for (j, junction) in axial.junctions.iter().enumerate() {
        for &(k, own) in &junction.neighbours {
            let (share, connection) = (own / axial.sum_at(j), axial.connection(j, k));
            for lane in 0..lanes {
                let bar = own_bar[k * lanes + lane];
                junctions[j * lanes + lane] += share * share * bar;
                to[connection * lanes + lane] -= 2.0 * share * bar;
            }
        }
    }
    for (k, c) in axial.connections.iter().enumerate().skip(1) {
        for lane in 0..lanes {
            let (a, b) = (c.node * lanes + lane, c.parent * lanes + lane);
            to[k * lanes + lane] += nodes[a] + nodes[b];
        }
    }
}

/// y ← S V - (currents into the junctions, shared among their neighbours), µS · mV.
fn currents(
    frame: &Frame,
    axial: &Axial<f64>,
    (v, current): (Option<usize>, Option<usize>),
    x: &[f64],
    y: &mut [f64],
    nodes: &mut [Arena<f64>; 2],
) {
    let lanes = frame.context.layout.lanes;
    match v {
        Some(v) => {
            let place = (frame.context.level, lanes);
            axial.reduced(place, &x[v..v + y.len()], y, nodes);
        }
        None => y.fill(0.0),
    }
    if let Some(i) = current {
        for j in 0..axial.junctions.len() {
            for lane in 0..lanes {
                axial.spread(j, [lane, lanes], -x[i + j * lanes + lane], y);
            }
        }
    }
}

/// The operands of an axial current: potentials, currents into junctions, and where it is added.
pub(super) type Operands = (Option<usize>, Option<usize>, usize);

/// Potentials of nodes from those in the arena.
fn potentials(
    axial: &Axial<f64>,
    lanes: usize,
    (v, current, _): Operands,
    arena: &[f64],
    nodes: &mut [f64],
) {
    let count = axial.compartments * lanes;
    let junctions = axial.junctions.len() * lanes;
    let v = v.map(|at| &arena[at..at + count]);
    let current = current.map(|at| &arena[at..at + junctions]);
    axial.at_nodes(lanes, v, current, nodes);
}

/// V̇_i += -(S V - B I)_i / c_i
pub(super) fn current_tangent(
    frame: &Frame,
    operands: Operands,
    w: &mut Workspace<f64>,
    dots: &mut [Arena<f64>],
    s: &mut Sweep,
) {
    let Some(axial) = frame.axial() else { return };
    let (v, current, to) = operands;
    let layout = frame.context.layout;
    let (lanes, extras) = (layout.lanes, frame.extras);
    let count = axial.compartments * lanes;
    let capacity = layout.capacity();
    let (y, rest) = s.products.split_at_mut(count);
    let (all, rest) = rest.split_at_mut(count);
    let change = &mut rest[..count];
    let [x, changed] = &mut s.nodes;
    if extras.capacity {
        currents(frame, axial, (v, current), &w.arena, all, &mut w.nodes);
    }
    if extras.connections.is_some() {
        potentials(axial, lanes, operands, &w.arena, x);
    }
    for dot in dots {
        currents(frame, axial, (v, current), dot, y, &mut w.nodes);
        if let Some(g) = extras.connections {
            axial.reduced_change(lanes, &dot[g..g + x.len()], x, [changed, change]);
            y.iter_mut().zip(&*change).for_each(|(y, x)| *y += x);
        }
        for e in 0..count {
            let c = w.arena[capacity + e];
            dot[to + e] -= y[e] / c;
            if extras.capacity {
                dot[to + e] += all[e] / (c * c) * dot[capacity + e];
            }
        }
    }
}

pub(super) fn current_adjoint(
    frame: &Frame,
    operands: Operands,
    w: &mut Workspace<f64>,
    bar: &mut [f64],
    s: &mut Sweep,
) {
    let Some(axial) = frame.axial() else { return };
    let (v, current, to) = operands;
    let layout = frame.context.layout;
    let (lanes, extras) = (layout.lanes, frame.extras);
    let count = axial.compartments * lanes;
    let (level, capacity) = (frame.context.level, layout.capacity());
    let (u, rest) = s.products.split_at_mut(count);
    let (y, rest) = rest.split_at_mut(count);
    let per = &w.arena[layout.per_capacity()..][..count];
    loops::products(level, u, Factor::Scaled(-1.0, &bar[to..to + count]), per);
    if let Some(v) = v {
        axial.reduced((level, lanes), u, y, &mut w.nodes);
        loops::add_products(level, &mut bar[v..v + count], Factor::Number(1.0), y);
    }
    if let Some(i) = current {
        for j in 0..axial.junctions.len() {
            for lane in 0..lanes {
                bar[i + j * lanes + lane] -= axial.mean(j, [lane, lanes], u);
            }
        }
    }
    if !extras.cable() {
        return;
    }
    let [x, us] = &mut s.nodes;
    potentials(axial, lanes, operands, &w.arena, x);
    if extras.capacity {
        axial.outflow(level, x, us, y);
        let (to, by) = (&mut bar[capacity..capacity + count], &mut rest[..count]);
        let per = &w.arena[layout.per_capacity()..][..count];
        loops::products(level, by, Factor::Each(u), per);
        loops::add_products(level, to, Factor::Scaled(-1.0, by), y);
    }
    if let Some(g) = extras.connections {
        axial.at_nodes(lanes, Some(u), None, us);
        let len = x.len();
        axial.add_products(lanes, 1.0, [us, x], &mut bar[g..g + len]);
    }
}

/// V_j = mean of the neighbours + I_j / Σ g
pub(super) fn junction_tangent(
    frame: &Frame,
    operands: Operands,
    w: &mut Workspace<f64>,
    dots: &mut [Arena<f64>],
    s: &mut Sweep,
) {
    let Some(axial) = frame.axial() else { return };
    let (v, current, to) = operands;
    let lanes = frame.context.layout.lanes;
    let count = axial.compartments * lanes;
    let [x, changed] = &mut s.nodes;
    if frame.extras.connections.is_some() {
        potentials(axial, lanes, operands, &w.arena, x);
    }
    for dot in dots {
        if let Some(g) = frame.extras.connections {
            axial.changed_currents(lanes, &dot[g..g + x.len()], x, changed);
        } else {
            changed.fill(0.0);
        }
        for j in 0..axial.junctions.len() {
            for lane in 0..lanes {
                let at = j * lanes + lane;
                let mean = v.map_or(0.0, |v| axial.mean(j, [lane, lanes], &dot[v..v + count]));
                let driven = current.map_or(0.0, |i| dot[i + at]);
                let changed = changed[count + at];
                dot[to + at] = mean + (driven - changed) / axial.sum_at(j);
            }
        }
    }
}

pub(super) fn junction_adjoint(
    frame: &Frame,
    operands: Operands,
    w: &mut Workspace<f64>,
    bar: &mut [f64],
    s: &mut Sweep,
) {
    let Some(axial) = frame.axial() else { return };
    let (v, current, to) = operands;
    let lanes = frame.context.layout.lanes;
    let count = axial.compartments * lanes;
    let [x, us] = &mut s.nodes;
    us.fill(0.0);
    for j in 0..axial.junctions.len() {
        for lane in 0..lanes {
            let at = j * lanes + lane;
            let of = std::mem::take(&mut bar[to + at]);
            if let Some(v) = v {
                axial.spread(j, [lane, lanes], of, &mut bar[v..v + count]);
            }
            let share = of / axial.sum_at(j);
            if let Some(i) = current {
                bar[i + at] += share;
            }
            us[count + at] = share;
        }
    }
    if let Some(g) = frame.extras.connections {
        potentials(axial, lanes, operands, &w.arena, x);
        let len = x.len();
        axial.add_products(lanes, -1.0, [us, x], &mut bar[g..g + len]);
    }
}

/// The axial part of the diagonal of the Jacobian, -own / c.
pub(super) fn diagonal_tangent(
    frame: &Frame,
    to: usize,
    w: &Workspace<f64>,
    dots: &mut [Arena<f64>],
    s: &mut Sweep,
) {
    let extras = frame.extras;
    let Some(axial) = frame.axial().filter(|_| extras.cable()) else {
        return;
    };
    let lanes = frame.context.layout.lanes;
    let capacity = frame.context.layout.capacity();
    let [sums, _] = &mut s.nodes;
    let change = &mut s.products[..axial.compartments * lanes];
    for dot in dots {
        change.fill(0.0);
        if let Some(g) = extras.connections {
            own_change(axial, lanes, &dot[g..g + sums.len()], [sums, change]);
        }
        for (e, own) in each(&axial.own, lanes) {
            let c = w.arena[capacity + e];
            dot[to + e] -= change[e] / c;
            if extras.capacity {
                dot[to + e] += own / (c * c) * dot[capacity + e];
            }
        }
    }
}

pub(super) fn diagonal_adjoint(
    frame: &Frame,
    to: usize,
    w: &Workspace<f64>,
    bar: &mut [f64],
    s: &mut Sweep,
) {
    let extras = frame.extras;
    let Some(axial) = frame.axial().filter(|_| extras.cable()) else {
        return;
    };
    let lanes = frame.context.layout.lanes;
    let capacity = frame.context.layout.capacity();
    let own_bar = &mut s.products[..axial.compartments * lanes];
    for (e, own) in each(&axial.own, lanes) {
        let c = w.arena[capacity + e];
        own_bar[e] = -bar[to + e] / c;
        if extras.capacity {
            bar[capacity + e] -= own / c * own_bar[e];
        }
    }
    if let Some(g) = extras.connections {
        let [nodes, _] = &mut s.nodes;
        let len = nodes.len();
        add_own_adjoint(axial, lanes, own_bar, nodes, &mut bar[g..g + len]);
    }
}

/// Numbers of the compartments, for each lane.
fn each(own: &[f64], lanes: usize) -> impl Iterator<Item = (usize, f64)> {
    let all = own.iter().enumerate();
    all.flat_map(move |(k, &x)| (k * lanes..(k + 1) * lanes).map(move |e| (e, x)))
}
