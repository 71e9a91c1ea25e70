//! Derivatives of the instructions of linear algebra and of the cable.

use super::super::exec::{Context, Instr, Shift, Workspace};
use super::super::local::LocalJacobian;
use super::phi::History;
use super::system::System;
use super::{Frame, Sweep};

/// A of a system, and its entries' number.
fn matrix(a: &Shift, context: &Context<f64>) -> ([f64; 4], usize) {
    a.matrix(context.coefficients[a.number()])
}

/// Calls `f` on the system of a Solve instruction.
fn with_system(instr: &Instr, frame: &Frame, f: impl FnOnce(&System)) {
    if let Instr::Solve {
        system,
        factors,
        a,
        b,
        x,
    } = instr
    {
        let (a, size) = matrix(a, frame.context);
        f(&System {
            system,
            factors: *factors,
            a: &a[..size],
            b,
            x,
        });
    }
}

/// Tangents of the results, after the instruction has run.
pub(super) fn tangent(
    instr: &Instr,
    frame: &Frame,
    w: &mut Workspace<f64>,
    dots: &mut [Vec<f64>],
    s: &mut Sweep,
) {
    match instr {
        Instr::Solve { .. } => {
            with_system(instr, frame, |system| system.tangent(frame, w, dots, s));
        }
        Instr::Phi {
            system,
            kept,
            top,
            scale,
        } => {
            let scale = frame.context.coefficients[*scale];
            let n = system.unknowns();
            let size = (top + 1) * n * n;
            s.small.resize(n * n, 0.0);
            let mut history = History::default();
            for e in 0..system.site.elements {
                scaled_jacobian(system, e, scale, &w.arena, &mut s.small);
                history.record(&s.small, n, *top);
                for (dot, wide) in dots.iter().zip(&mut s.wide_dots) {
                    scaled_jacobian(system, e, scale, dot, &mut s.small);
                    let out = &mut wide[kept[0] + e * size..][..size];
                    history.tangent(&s.small, out);
                }
            }
        }
        Instr::ApplyPhi {
            system,
            kept,
            top_k: [top, k],
            b,
            x,
        } => {
            let n = system.unknowns();
            s.small.resize(3 * n, 0.0);
            let (value, rest) = s.small.split_at_mut(n);
            let (dot_b, dot_x) = rest.split_at_mut(n);
            for (dot, wide) in dots.iter_mut().zip(&s.wide_dots) {
                for e in 0..system.site.elements {
                    let at = kept[0] + (e * (top + 1) + k) * n * n;
                    system.gather(e, &[*b], 1, &w.arena, value);
                    system.gather(e, &[*b], 1, dot, dot_b);
                    for (i, dot_x) in dot_x.iter_mut().enumerate() {
                        let row = at + i * n;
                        *dot_x = (0..n)
                            .map(|j| wide[row + j] * value[j] + w.wide[row + j] * dot_b[j])
                            .sum();
                    }
                    system.scatter(e, &[*x], 1, dot_x, dot);
                }
            }
        }
        Instr::Axial { v, current, to } => {
            axial_tangent(frame, (*v, *current, *to), w, dots, s);
        }
        Instr::AxialDiagonal { to } => {
            if let Some(axial) = frame.axial().filter(|_| frame.extras.cable()) {
                let lanes = frame.context.layout.lanes;
                let capacity = frame.context.layout.capacity();
                for dot in dots {
                    for (e, own) in each(axial.own(), lanes) {
                        let c = w.arena[capacity + e];
                        let change = frame.extras.capacity_dot(dot, capacity + e) / c
                            - frame.extras.kappa_dot(dot);
                        dot[to + e] += own / c * change;
                    }
                }
            }
        }
        Instr::JunctionPotentials { v, current, to } => {
            let Some(axial) = frame.axial() else { return };
            let lanes = frame.context.layout.lanes;
            let count = axial.compartments() * lanes;
            for dot in dots {
                for j in 0..axial.junctions() {
                    for lane in 0..lanes {
                        let at = j * lanes + lane;
                        let mut sum = axial.mean(j, [lane, lanes], &dot[*v..v + count]);
                        if let Some(i) = current {
                            let kappa = frame.extras.kappa_dot(dot);
                            let change = dot[i + at] - kappa * w.arena[i + at];
                            sum += change / axial.sum_at(j);
                        }
                        dot[to + at] = sum;
                    }
                }
            }
        }
        _ => {}
    }
}

/// Makes the matrices φ of a Phi instruction again and remembers how.
pub(super) fn remember(
    instr: &Instr,
    context: &Context<f64>,
    w: &mut Workspace<f64>,
    s: &mut Sweep,
) {
    if let Instr::Phi {
        system,
        kept,
        top,
        scale,
    } = instr
    {
        let scale = context.coefficients[*scale];
        let n = system.unknowns();
        let size = (top + 1) * n * n;
        let elements = system.site.elements;
        let histories = s.histories.entry(kept[0]).or_default();
        histories.resize_with(elements, History::default);
        s.small.resize(n * n, 0.0);
        for (e, history) in histories.iter_mut().enumerate() {
            scaled_jacobian(system, e, scale, &w.arena, &mut s.small);
            history.record(&s.small, n, *top);
            w.wide[kept[0] + e * size..][..size].copy_from_slice(history.results());
        }
    }
}

/// Adjoints of the arguments; the arena is as the instruction left it.
pub(super) fn adjoint(
    instr: &Instr,
    frame: &Frame,
    w: &mut Workspace<f64>,
    bar: &mut [f64],
    s: &mut Sweep,
) {
    match instr {
        Instr::Solve { .. } => {
            with_system(instr, frame, |system| system.adjoint(frame, w, bar, s));
        }
        Instr::Phi {
            system,
            kept,
            top,
            scale,
        } => {
            let scale = frame.context.coefficients[*scale];
            let n = system.unknowns();
            let size = (top + 1) * n * n;
            s.small.resize(n * n, 0.0);
            let Some(histories) = s.histories.get_mut(&kept[0]) else {
                return;
            };
            for (e, history) in histories.iter_mut().enumerate() {
                let bars = &mut s.wide_bar[kept[0] + e * size..][..size];
                if bars.iter().all(|x| *x == 0.0) {
                    continue;
                }
                history.adjoint(bars, &mut s.small);
                bars.fill(0.0);
                for &(i, j, plane) in &system.entries {
                    bar[plane + e] += scale * s.small[i * n + j];
                }
            }
        }
        Instr::ApplyPhi {
            system,
            kept,
            top_k: [top, k],
            b,
            x,
        } => {
            let n = system.unknowns();
            s.small.resize(3 * n, 0.0);
            let (value, rest) = s.small.split_at_mut(n);
            let (bar_x, zero) = rest.split_at_mut(n);
            zero.fill(0.0);
            for e in 0..system.site.elements {
                let at = kept[0] + (e * (top + 1) + k) * n * n;
                system.gather(e, &[*x], 1, bar, bar_x);
                system.scatter(e, &[*x], 1, zero, bar);
                system.gather(e, &[*b], 1, &w.arena, value);
                for (i, unknown) in system.site.unknowns.iter().enumerate() {
                    let column = (0..n).map(|j| w.wide[at + j * n + i] * bar_x[j]);
                    let sum: f64 = column.sum();
                    if let Some(place) = unknown.place(e) {
                        bar[b + place] += sum;
                    }
                    for (j, value) in value.iter().enumerate() {
                        s.wide_bar[at + i * n + j] += bar_x[i] * value;
                    }
                }
            }
        }
        Instr::Axial { v, current, to } => {
            axial_adjoint(frame, (*v, *current, *to), w, bar, s);
        }
        Instr::AxialDiagonal { to } => {
            if let Some(axial) = frame.axial().filter(|_| frame.extras.cable()) {
                let lanes = frame.context.layout.lanes;
                let capacity = frame.context.layout.capacity();
                for (e, own) in each(axial.own(), lanes) {
                    let c = w.arena[capacity + e];
                    let change = own / c * bar[to + e];
                    frame.extras.add_capacity(bar, capacity + e, change / c);
                    frame.extras.add_kappa(bar, -change);
                }
            }
        }
        Instr::JunctionPotentials { v, current, to } => {
            let Some(axial) = frame.axial() else { return };
            let lanes = frame.context.layout.lanes;
            let count = axial.compartments() * lanes;
            for j in 0..axial.junctions() {
                for lane in 0..lanes {
                    let at = j * lanes + lane;
                    let x = std::mem::take(&mut bar[to + at]);
                    axial.spread(j, [lane, lanes], x, &mut bar[*v..v + count]);
                    if let Some(i) = current {
                        let share = x / axial.sum_at(j);
                        bar[i + at] += share;
                        frame.extras.add_kappa(bar, -share * w.arena[i + at]);
                    }
                }
            }
        }
        _ => {}
    }
}

/// Numbers of the compartments, for each lane.
fn each(own: &[f64], lanes: usize) -> impl Iterator<Item = (usize, f64)> {
    let all = own.iter().enumerate();
    all.flat_map(move |(k, &x)| (k * lanes..(k + 1) * lanes).map(move |e| (e, x)))
}

/// scale · J of an element, or of its derivative.
fn scaled_jacobian(system: &LocalJacobian, e: usize, scale: f64, arena: &[f64], to: &mut [f64]) {
    let n = system.unknowns();
    to[..n * n].fill(0.0);
    for &(i, j, plane) in &system.entries {
        to[i * n + j] += scale * arena[plane + e];
    }
}

/// y ← S V - (currents into the junctions, shared among their neighbours), µS · mV.
fn currents(
    frame: &Frame,
    (v, current): (Option<usize>, Option<usize>),
    x: &[f64],
    y: &mut [f64],
    rows: &mut [Vec<f64>; 2],
) {
    let Some(axial) = frame.axial() else { return };
    let lanes = frame.context.layout.lanes;
    match v {
        Some(v) => {
            let place = (frame.context.level, lanes);
            axial.reduced(place, &x[v..v + y.len()], y, rows);
        }
        None => y.fill(0.0),
    }
    if let Some(i) = current {
        for j in 0..axial.junctions() {
            for lane in 0..lanes {
                axial.spread(j, [lane, lanes], -x[i + j * lanes + lane], y);
            }
        }
    }
}

/// V̇_i += -(S V - B I)_i / c_i
fn axial_tangent(
    frame: &Frame,
    (v, current, to): (Option<usize>, Option<usize>, usize),
    w: &mut Workspace<f64>,
    dots: &mut [Vec<f64>],
    s: &mut Sweep,
) {
    let Some(axial) = frame.axial() else { return };
    let layout = frame.context.layout;
    let count = axial.compartments() * layout.lanes;
    let capacity = layout.capacity();
    let (y, rest) = s.products.split_at_mut(count);
    let (all, rest) = rest.split_at_mut(count);
    let alone = &mut rest[..count];
    if frame.extras.cable() {
        currents(frame, (v, current), &w.arena, all, &mut w.rows);
        currents(frame, (v, None), &w.arena, alone, &mut w.rows);
    }
    for dot in dots {
        currents(frame, (v, current), dot, y, &mut w.rows);
        for e in 0..count {
            let c = w.arena[capacity + e];
            dot[to + e] -= y[e] / c;
            if frame.extras.cable() {
                let by_c = all[e] / c * frame.extras.capacity_dot(dot, capacity + e);
                dot[to + e] += (by_c - alone[e] * frame.extras.kappa_dot(dot)) / c;
            }
        }
    }
}

fn axial_adjoint(
    frame: &Frame,
    (v, current, to): (Option<usize>, Option<usize>, usize),
    w: &mut Workspace<f64>,
    bar: &mut [f64],
    s: &mut Sweep,
) {
    let Some(axial) = frame.axial() else { return };
    let layout = frame.context.layout;
    let lanes = layout.lanes;
    let count = axial.compartments() * lanes;
    let capacity = layout.capacity();
    let (u, rest) = s.products.split_at_mut(count);
    let y = &mut rest[..count];
    for (e, u) in u.iter_mut().enumerate() {
        *u = -bar[to + e] / w.arena[capacity + e];
    }
    if let Some(v) = v {
        axial.reduced((frame.context.level, lanes), u, y, &mut w.rows);
        let to = bar[v..v + count].iter_mut();
        to.zip(&*y).for_each(|(to, y)| *to += y);
    }
    if let Some(i) = current {
        for j in 0..axial.junctions() {
            for lane in 0..lanes {
                bar[i + j * lanes + lane] -= axial.mean(j, [lane, lanes], u);
            }
        }
    }
    if frame.extras.cable() {
        currents(frame, (v, current), &w.arena, y, &mut w.rows);
        for e in 0..count {
            let change = -u[e] * y[e] / w.arena[capacity + e];
            frame.extras.add_capacity(bar, capacity + e, change);
        }
        currents(frame, (v, None), &w.arena, y, &mut w.rows);
        let sum: f64 = u.iter().zip(&*y).map(|(u, y)| u * y).sum();
        frame.extras.add_kappa(bar, sum);
    }
}
