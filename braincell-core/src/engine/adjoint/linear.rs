//! Derivatives of the instructions of linear algebra.

use super::super::arena::Arena;
use super::super::axial::Axial;
use super::super::exec::{Context, Workspace};
use super::super::instr::{Instr, Shift};
use super::super::phi::History;
use super::system::System;
use super::{Frame, Sweep, axial, potentials};

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
    dots: &mut [Arena<f64>],
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
            let (level, mut history) = (frame.context.level, History::default());
            for e in 0..system.site.elements {
                let out = kept[0] + e * size..kept[0] + (e + 1) * size;
                system.scaled(e, scale, &w.arena, &mut s.small);
                history.record(level, [n, *top], &s.small, &mut w.wide[out.clone()]);
                for (dot, wide) in dots.iter().zip(&mut s.wide_dots) {
                    system.scaled(e, scale, dot, &mut s.small);
                    history.tangent(level, &s.small, &mut wide[out.clone()]);
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

/// Whether what an instruction makes in the workspace, for the rules of others, is made again before these: from the log, or from
/// its arguments.
pub(super) fn is_kept(instr: &Instr) -> bool {
    match instr {
        Instr::Factor { factors, .. } => factors.stages == 1,
        Instr::Phi { .. } => true,
        _ => false,
    }
}

/// Appends factors to the log.
pub(super) fn save(instr: &Instr, context: &Context<f64>, w: &Workspace<f64>, s: &mut Sweep) {
    if let Instr::Factor {
        system, factors, ..
    } = instr
    {
        system.save(*factors, context, w, &mut s.log);
    }
}

/// Takes what [`save`] has appended off the log, or makes functions φ again and remembers how.
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
        Instr::Phi {
            system,
            kept,
            top,
            scale,
        } => {
            let scale = context.coefficients[*scale];
            let n = system.unknowns();
            let size = (top + 1) * n * n;
            let histories = s.histories.entry(kept[0]).or_default();
            histories.resize_with(system.site.elements, History::default);
            s.small.resize(n * n, 0.0);
            for (e, history) in histories.iter_mut().enumerate() {
                system.scaled(e, scale, &w.arena, &mut s.small);
                let out = &mut w.wide[kept[0] + e * size..][..size];
                history.record(context.level, [n, *top], &s.small, out);
            }
        }
        _ => {}
    }
}

/// How many numbers [`save`] appends at most.
pub(super) fn saved(instr: &Instr, axial: Option<&Axial<f64>>, lanes: usize) -> usize {
    match instr {
        Instr::Factor {
            system, factors, ..
        } => system.saved(*factors, axial, lanes),
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
        Instr::Assemble { .. } => potentials::system(instr, frame, w, bar),
        Instr::Tree { .. } => potentials::solution(instr, frame, w, bar, s),
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
                history.adjoint(frame.context.level, bars, &mut s.small);
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
