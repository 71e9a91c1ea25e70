//! Derivatives of the instructions of linear algebra.

use super::super::arena::Arena;
use super::super::axial::Axial;
use super::super::exec::{Context, Workspace};
use super::super::instr::{Instr, Shift};
use super::super::phi::{self, History};
use super::system::System;
use super::{Frame, Sweep, axial, potentials};
use std::ops::Range;

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

/// Tangents of the results, after the instruction has run, unless it [`remembers`]: then it runs here.
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
        Instr::Phi { system, scale, .. } => {
            let scale = frame.context.coefficients[*scale];
            let mut history = History::default();
            for bundle in 0..system.bundles().count() {
                let out = made(instr, bundle, &mut history, frame.context, w, &mut s.small);
                for (dot, wide) in dots.iter().zip(&mut s.wide_dots) {
                    system.scaled(bundle, scale, dot, &mut s.small);
                    history.tangent(frame.context.level, &s.small, &mut wide[out.clone()]);
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
            let (n, side) = (system.unknowns(), system.side());
            s.small.resize(4 * n * side, 0.0);
            let (value, rest) = s.small.split_at_mut(n * side);
            let (dot_b, rest) = rest.split_at_mut(n * side);
            let (dot_x, more) = rest.split_at_mut(n * side);
            for (bundle, elements) in system.bundles().enumerate() {
                let at = kept[0] + (bundle * (top + 1) + k) * n * n * side;
                let at = at..at + n * n * side;
                system.gather(elements.clone(), *b, &w.arena, value);
                for (dot, wide) in dots.iter_mut().zip(&s.wide_dots) {
                    system.gather(elements.clone(), *b, dot, dot_b);
                    phi::apply(side, &wide[at.clone()], n, value, dot_x);
                    phi::apply(side, &w.wide[at.clone()], n, dot_b, more);
                    dot_x
                        .iter_mut()
                        .zip(&*more)
                        .for_each(|(x, more)| *x += more);
                    system.scatter(elements.clone(), *x, dot_x, dot);
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
        instr => remembers(instr),
    }
}

/// Whether how an instruction came to its results is remembered until it runs again: [`restore`] runs it so.
pub(super) fn remembers(instr: &Instr) -> bool {
    matches!(instr, Instr::Phi { .. })
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

/// Takes what [`save`] has appended off the log, or runs an instruction that [`remembers`].
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
        Instr::Phi { system, kept, .. } => {
            let histories = s.histories.entry(kept[0]).or_default();
            histories.resize_with(system.bundles().count(), History::default);
            for (bundle, history) in histories.iter_mut().enumerate() {
                made(instr, bundle, history, context, w, &mut s.small);
            }
        }
        _ => {}
    }
}

/// Makes the functions φ of a bundle and remembers how. Returns where they are.
fn made(
    instr: &Instr,
    bundle: usize,
    history: &mut History,
    context: &Context<f64>,
    w: &mut Workspace<f64>,
    small: &mut Vec<f64>,
) -> Range<usize> {
    let Instr::Phi {
        system,
        kept,
        top,
        scale,
    } = instr
    else {
        return 0..0;
    };
    let (n, side) = (system.unknowns(), system.side());
    let size = (top + 1) * n * n * side;
    let out = kept[0] + bundle * size..kept[0] + (bundle + 1) * size;
    small.resize(n * n * side, 0.0);
    system.scaled(bundle, context.coefficients[*scale], &w.arena, small);
    let to = &mut w.wide[out.clone()];
    history.record(context.level, [side, n, *top], small, to);
    out
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
            let (n, side) = (system.unknowns(), system.side());
            let size = (top + 1) * n * n * side;
            s.small.resize(n * n * side, 0.0);
            let Some(histories) = s.histories.get_mut(&kept[0]) else {
                return;
            };
            for ((bundle, elements), history) in system.bundles().enumerate().zip(histories) {
                let bars = &mut s.wide_bar[kept[0] + bundle * size..][..size];
                if bars.iter().all(|x| *x == 0.0) {
                    continue;
                }
                history.adjoint(frame.context.level, bars, &mut s.small);
                bars.fill(0.0);
                for &(i, j, plane) in &system.entries {
                    let to = &mut bar[plane..][elements.clone()];
                    let from = &s.small[(i * n + j) * side..];
                    to.iter_mut().zip(from).for_each(|(to, x)| *to += scale * x);
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
            let (n, side) = (system.unknowns(), system.side());
            s.small.clear();
            s.small.resize(3 * n * side, 0.0);
            let (value, rest) = s.small.split_at_mut(n * side);
            let (bar_x, bar_b) = rest.split_at_mut(n * side);
            for (bundle, elements) in system.bundles().enumerate() {
                let at = kept[0] + (bundle * (top + 1) + k) * n * n * side;
                let at = at..at + n * n * side;
                // What there is beyond the last element has no adjoint.
                bar_x.fill(0.0);
                system.gather(elements.clone(), *x, bar, bar_x);
                system.each(elements.clone(), bar_x, |place, _| bar[x + place] = 0.0);
                system.gather(elements.clone(), *b, &w.arena, value);
                let bars = (&mut s.wide_bar[at.clone()], &mut *bar_b);
                phi::apply_adjoint(side, (&w.wide[at], value), n, bar_x, bars);
                system.each(elements, bar_b, |place, x| bar[b + place] += x);
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
