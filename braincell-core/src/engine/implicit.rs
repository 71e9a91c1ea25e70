//! Compilation of the operations that linearise or solve.

use super::compile::Compiler;
use super::exec::Instr;
use super::graph::{all_signals, derivative};
use super::jacobian::{Column, Site, Wanted, jacobian, pattern, sites};
use super::layout::Layout;
use super::local::{Factors, LocalJacobian};
use super::newton::{Newton, Status, absolute};
use crate::model::Domain;
use crate::stepper::{Array, Coef, Jacobian, Parts, Terms};
use std::collections::HashMap;
use std::sync::Arc;

/// A linearisation, compiled.
pub(super) struct Linearized {
    kind: Kind,
    /// ∂f/∂t.
    pub time: usize,
    /// Factors made, by coefficient.
    factors: Vec<(Coef, Vec<Factors>)>,
    /// Matrices φ_0 … φ_4 made, by scale.
    phi: Vec<(Coef, Vec<[usize; 2]>)>,
}

enum Kind {
    /// The diagonal, as an array.
    Diagonal(usize),
    /// One system per site.
    Local(Vec<Arc<LocalJacobian>>),
}

/// The greatest k of the matrices φ_k that are made together.
const TOP_PHI: usize = 4;

/// The planes for the Jacobian of all sites, in a block of memory that begins at 0. Returns its length too.
fn plan_entries(layout: &Layout, group: usize, parts: Parts) -> (Vec<LocalJacobian>, usize) {
    let pattern = pattern(layout, group);
    let mut len = 0;
    let systems = sites(layout, group).into_iter().map(|site| {
        let mut entries = Vec::new();
        for (i, row) in site.unknowns.iter().enumerate() {
            for (j, column) in site.unknowns.iter().enumerate() {
                let there = pattern[row.state].contains(&Column::State(column.state));
                if there && parts.contains(row.part) && parts.contains(column.part) {
                    entries.push((i, j, len));
                    len += site.elements;
                }
            }
        }
        LocalJacobian { site, entries }
    });
    (systems.collect(), len)
}

/// The plane of ∂f_i/∂y_j and its domain, with the block at `base`.
fn entry_planes(
    systems: &[LocalJacobian],
    base: usize,
) -> HashMap<(usize, Column), (usize, Domain)> {
    let mut planes = HashMap::new();
    for LocalJacobian {
        site: Site {
            domain, unknowns, ..
        },
        entries,
    } in systems
    {
        for &(i, j, offset) in entries {
            let key = (unknowns[i].state, Column::State(unknowns[j].state));
            planes.insert(key, (base + offset, *domain));
        }
    }
    planes
}

/// Instructions for the diagonal of the Jacobian, into the array at `to`, of the states that `select` chooses. Signals
/// must have been computed.
pub(super) fn diagonal(
    layout: &mut Layout,
    group: usize,
    y: usize,
    to: usize,
    select: &dyn Fn(usize) -> bool,
) -> Vec<Instr> {
    let model = layout.model.clone();
    let planes = layout.states.clone();
    let entry = |i: usize, column: Column| {
        let own = column == Column::State(i) && select(i);
        own.then(|| (to + planes[i].offset, model.states[i].domain))
    };
    let len = layout.group_len[group];
    let mut all = vec![Instr::Zero { at: to, len }];
    all.extend(jacobian(
        layout,
        &Wanted {
            group,
            y,
            entry: &entry,
        },
    ));
    all
}

/// Linearises, with ∂f/∂t.
pub(super) fn linearize(
    c: &mut Compiler,
    jacobian_kind: Jacobian,
    parts: Parts,
    fraction: f64,
    y: Array,
) -> Linearized {
    let (group, len) = (c.group, c.len);
    let from = c.at(y);
    let model = c.layout.model.clone();
    let states = c.layout.states.clone();
    let time = c.permanent();
    c.signals(fraction, y);
    c.all.push(Instr::Zero { at: time, len });
    let time_entry = |i: usize, column: Column| {
        let wanted = column == Column::Time && parts.contains(model.states[i].state.part);
        wanted.then(|| (time + states[i].offset, model.states[i].domain))
    };
    let kind = match jacobian_kind {
        Jacobian::Diagonal => {
            let to = c.permanent();
            let own = |i: usize| parts.contains(model.states[i].state.part);
            let all = diagonal(c.layout, group, from, to, &own);
            c.all.extend(all);
            let all = jacobian(
                c.layout,
                &Wanted {
                    group,
                    y: from,
                    entry: &time_entry,
                },
            );
            c.all.extend(all);
            Kind::Diagonal(to)
        }
        Jacobian::Full | Jacobian::Local | Jacobian::Cable => {
            // Without a cable its Jacobian is zero.
            let parts = match jacobian_kind {
                Jacobian::Cable => Parts(0),
                _ => parts,
            };
            let (mut systems, block) = plan_entries(c.layout, group, parts);
            let base = c.layout.take(block);
            let planes = entry_planes(&systems, base);
            for entry in systems.iter_mut().flat_map(|s| &mut s.entries) {
                entry.2 += base;
            }
            c.all.push(Instr::Zero {
                at: base,
                len: block,
            });
            let entry = |i: usize, column: Column| {
                planes
                    .get(&(i, column))
                    .copied()
                    .or_else(|| time_entry(i, column))
            };
            let all = jacobian(
                c.layout,
                &Wanted {
                    group,
                    y: from,
                    entry: &entry,
                },
            );
            c.all.extend(all);
            Kind::Local(systems.into_iter().map(Arc::new).collect())
        }
    };
    Linearized {
        kind,
        time,
        factors: Vec::new(),
        phi: Vec::new(),
    }
}

/// Memory for the factors of a site's systems.
fn take_factors(layout: &mut Layout, system: &LocalJacobian, stages: usize) -> Factors {
    let [matrices, swaps, scratch] = system.factor_sizes(stages);
    Factors {
        matrices: layout.take_wide(matrices),
        swaps: layout.take_swaps(swaps),
        scratch: layout.take_wide(scratch),
        stages,
    }
}

/// (I - γ J)⁻¹ b.
pub(super) fn solve(c: &mut Compiler, lin: &mut Linearized, out: Array, gamma: Coef, b: Array) {
    let number = c.coefficient(gamma);
    let from = c.at(b);
    let to = c.make(out);
    let systems = match &lin.kind {
        Kind::Diagonal(d) => {
            c.all.push(Instr::SolveDiagonal {
                to,
                gamma: number,
                d: *d,
                b: from,
                len: c.len,
            });
            return;
        }
        Kind::Local(systems) => systems,
    };
    let made = lin.factors.iter().position(|(of, _)| *of == gamma);
    let made = made.unwrap_or_else(|| {
        let factors = systems.iter().map(|system| {
            let factors = take_factors(c.layout, system, 1);
            c.all.push(Instr::Factor {
                system: system.clone(),
                factors,
                gamma: number,
            });
            factors
        });
        let factors = factors.collect();
        lin.factors.push((gamma, factors));
        lin.factors.len() - 1
    });
    for (system, &factors) in systems.iter().zip(&lin.factors[made].1) {
        c.all.push(Instr::Solve {
            system: system.clone(),
            factors,
            b: from,
            x: to,
        });
    }
}

/// φ_k(s J) b.
pub(super) fn phi(
    c: &mut Compiler,
    lin: &mut Linearized,
    out: Array,
    k: u32,
    scale: Coef,
    b: Array,
) {
    let number = c.coefficient(scale);
    let from = c.at(b);
    let to = c.make(out);
    let systems = match &lin.kind {
        Kind::Diagonal(d) => {
            c.all.push(Instr::PhiDiagonal {
                to,
                k,
                scale: number,
                d: *d,
                b: from,
                len: c.len,
            });
            return;
        }
        Kind::Local(systems) => systems,
    };
    let made = lin.phi.iter().position(|(of, _)| *of == scale);
    let made = made.unwrap_or_else(|| {
        let kept = systems.iter().map(|system| {
            let [matrices, scratch] = system.phi_sizes(TOP_PHI);
            let kept = [c.layout.take_wide(matrices), c.layout.take_wide(scratch)];
            c.all.push(Instr::Phi {
                system: system.clone(),
                kept,
                top: TOP_PHI,
                scale: number,
            });
            kept
        });
        let kept = kept.collect();
        lin.phi.push((scale, kept));
        lin.phi.len() - 1
    });
    for (system, &kept) in systems.iter().zip(&lin.phi[made].1) {
        c.all.push(Instr::ApplyPhi {
            system: system.clone(),
            kept,
            top_k: [TOP_PHI, k as usize],
            b: from,
            x: to,
        });
    }
}

/// Implicit stages to be solved for.
pub(super) struct Stages<'a> {
    pub parts: Parts,
    pub terms: Terms,
    pub c: &'a [f64],
    /// Row after row.
    pub a: &'a [Coef],
    pub base: Array,
    pub guess: Array,
}

/// z_p = base + Σ_q a_pq f(t + c_q h, z_q).
pub(super) fn stages(c: &mut Compiler, out: &[Array], stages: &Stages) {
    let (group, len) = (c.group, c.len);
    let (base, guess) = (c.at(stages.base), c.at(stages.guess));
    // Without a cable there are no other terms than the local ones.
    let parts = match stages.terms {
        Terms::Cable => Parts(0),
        _ => stages.parts,
    };
    let count = out.len();
    // Arrays that are free now may hold nothing else while the iteration runs.
    let z: Vec<usize> = out.iter().map(|&array| c.make(array)).collect();
    let mut arrays = || (0..count).map(|_| c.permanent()).collect::<Vec<_>>();
    let (f, residual, correction, applied) = (arrays(), arrays(), arrays(), arrays());
    let a = stages.a.iter().map(|&a| c.coefficient(a)).collect();
    let (mut systems, block) = plan_entries(c.layout, group, parts);
    let first = c.layout.take(block * count);
    for entry in systems.iter_mut().flat_map(|s| &mut s.entries) {
        entry.2 += first;
    }
    let (mut rhs, mut jacobians) = (Vec::new(), Vec::new());
    for p in 0..count {
        let fraction = stages.c[p];
        let mut all = vec![Instr::Inputs { c: fraction }];
        all.extend(derivative(c.layout, group, parts, z[p], f[p], false));
        rhs.push(all);
        let planes = entry_planes(&systems, p * block);
        let entry = |i: usize, column: Column| planes.get(&(i, column)).copied();
        let mut all = vec![
            Instr::Inputs { c: fraction },
            Instr::Zero {
                at: first + p * block,
                len: block,
            },
        ];
        all.extend(all_signals(c.layout, group, z[p]));
        let wanted = Wanted {
            group,
            y: z[p],
            entry: &entry,
        };
        all.extend(jacobian(c.layout, &wanted));
        jacobians.push(all);
    }
    let systems = systems.into_iter().map(|system| {
        let factors = take_factors(c.layout, &system, count);
        (system, factors)
    });
    let systems = systems.collect();
    let model = &c.layout.model;
    let tolerances = model.states.iter().zip(&c.layout.states);
    let tolerances = tolerances.filter(|(info, _)| info.group == group);
    let tolerances = tolerances
        .map(|(info, plane)| (plane.offset, plane.len, absolute(info.state.part)))
        .collect();
    let lanes = c.layout.lanes;
    let mut plane = || c.layout.take(lanes);
    let status = Status {
        active: plane(),
        refresh: plane(),
        norm: plane(),
        damping: plane(),
    };
    c.all.push(Instr::Newton(Box::new(Newton {
        a,
        base,
        guess,
        len,
        lanes,
        z,
        f,
        residual,
        correction,
        applied,
        rhs,
        jacobian: jacobians,
        systems,
        shift: (0..count).map(|p| p * block).collect(),
        tolerances,
        status,
    })));
    c.forget();
}
