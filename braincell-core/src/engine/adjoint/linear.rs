//! Derivatives of the instructions of linear algebra.

use super::super::axial::Axial;
use super::super::exec::{Context, Workspace};
use super::super::instr::{Instr, Shift};
use super::super::local::LocalJacobian;
use super::phi::History;
use super::system::System;
use super::{Frame, Sweep, axial};

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
            axial::current_tangent(frame, (*v, *current, *to), w, dots, s);
        }
        Instr::AxialDiagonal { to } => axial::diagonal_tangent(frame, *to, w, dots, s),
        Instr::JunctionPotentials { v, current, to } => {
            axial::junction_tangent(frame, (Some(*v), *current, *to), w, dots, s);
        }
        _ => {}
    }
}

/// Runs a Phi instruction and remembers how, or restores that from what [`save`] has appended to the log.
pub(super) fn remember(
    instr: &Instr,
    context: &Context<f64>,
    w: &mut Workspace<f64>,
    s: &mut Sweep,
    saved: bool,
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
        let each = History::saved(n, *top);
        let begin = s.log.len() - if saved { elements * each } else { 0 };
        let histories = s.histories.entry(kept[0]).or_default();
        histories.resize_with(elements, History::default);
        s.small.resize(n * n, 0.0);
        for (e, history) in histories.iter_mut().enumerate() {
            scaled_jacobian(system, e, scale, &w.arena, &mut s.small);
            match saved {
                true => history.restore(&s.small, n, *top, &s.log[begin + e * each..][..each]),
                false => history.record(&s.small, n, *top),
            }
            w.wide[kept[0] + e * size..][..size].copy_from_slice(history.results());
        }
        s.log.truncate(begin);
    }
}

/// Whether the log keeps what an instruction makes in the workspace, for the rules of others.
pub(super) fn is_kept(instr: &Instr) -> bool {
    match instr {
        Instr::Factor { factors, .. } => factors.stages == 1,
        Instr::Phi { .. } => true,
        _ => false,
    }
}

/// Appends factors to the log, or how a Phi instruction has made its matrices.
pub(super) fn save(instr: &Instr, context: &Context<f64>, w: &Workspace<f64>, s: &mut Sweep) {
    match instr {
        Instr::Factor {
            system, factors, ..
        } => system.save(*factors, context, w, &mut s.log),
        Instr::Phi { kept, .. } => {
            let histories = s.histories.get(&kept[0]).into_iter().flatten();
            histories.for_each(|history| history.save(&mut s.log));
        }
        _ => {}
    }
}

/// Takes what [`save`] has appended off the log.
pub(super) fn restore(
    instr: &Instr,
    context: &Context<f64>,
    w: &mut Workspace<f64>,
    s: &mut Sweep,
) {
    match instr {
        Instr::Factor {
            system, factors, ..
        } => system.restore(*factors, context, w, &mut s.log),
        _ => remember(instr, context, w, s, true),
    }
}

/// How many numbers [`save`] appends at most.
pub(super) fn saved(instr: &Instr, axial: Option<&Axial<f64>>, lanes: usize) -> usize {
    match instr {
        Instr::Factor {
            system, factors, ..
        } => system.saved(*factors, axial, lanes),
        Instr::Phi { system, top, .. } => {
            system.site.elements * History::saved(system.unknowns(), *top)
        }
        _ => 0,
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
            axial::current_adjoint(frame, (*v, *current, *to), w, bar, s);
        }
        Instr::AxialDiagonal { to } => axial::diagonal_adjoint(frame, *to, w, bar, s),
        Instr::JunctionPotentials { v, current, to } => {
            axial::junction_adjoint(frame, (Some(*v), *current, *to), w, bar, s);
        }
        _ => {}
    }
}

/// scale · J of an element, or of its derivative.
fn scaled_jacobian(system: &LocalJacobian, e: usize, scale: f64, arena: &[f64], to: &mut [f64]) {
    let n = system.unknowns();
    to[..n * n].fill(0.0);
    for &(i, j, plane) in &system.entries {
        to[i * n + j] += scale * arena[plane + e];
    }
}
