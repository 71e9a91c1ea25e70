//! Compilation of the operations that linearise or solve.

use super::compile::Compiler;
use super::graph::{all_signals, derivative};
use super::instr::{Instr, Shift};
use super::jacobian::{Column, Site, Wanted, jacobian, pattern, sites};
use super::layout::Layout;
use super::local::{Factors, LocalJacobian};
use super::newton::{Newton, Status, absolute};
use super::poles::phi_by_poles;
use super::tree::TreeFactors;
use crate::model::Domain;
use crate::stepper::{Array, Coef, Jacobian, Parts, Terms, num};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A linearisation, compiled.
pub(super) struct Linearized {
    kind: Kind,
    /// ∂f/∂t.
    pub time: usize,
    /// Factors made, by coefficient and pole.
    pub factors: Vec<(FactorKey, Vec<Factors>)>,
    /// Matrices φ_0 … φ_top made, by scale.
    phi: Vec<(Coef, Vec<[usize; 2]>)>,
}

/// A coefficient, and the pole by which it is divided.
pub(super) type FactorKey = (Coef, [f64; 2]);

enum Kind {
    /// The diagonal, as an array.
    Diagonal(usize),
    /// One system per site.
    Systems(Vec<Arc<LocalJacobian>>),
}

impl Linearized {
    pub fn systems(&self) -> &[Arc<LocalJacobian>] {
        match &self.kind {
            Kind::Systems(systems) => systems,
            Kind::Diagonal(_) => &[],
        }
    }
}

/// The planes for the Jacobian of the states of a group in `parts`, in a block of memory that begins at 0. Returns its
/// length too.
fn plan_entries(
    layout: &Layout,
    group: usize,
    (parts, terms): (Parts, Terms),
) -> (Vec<LocalJacobian>, usize) {
    let pattern = pattern(layout, group);
    let mut len = 0;
    let mut systems = Vec::new();
    for mut site in sites(layout, group) {
        let coupled = |state: usize| terms != Terms::Local && layout.is_coupled(state);
        site.unknowns
            .retain(|u| parts.contains(u.part) && (terms != Terms::Cable || coupled(u.state)));
        let Some(last) = site.unknowns.last() else {
            continue;
        };
        let tree = coupled(last.state);
        let mut entries = Vec::new();
        for (i, row) in site.unknowns.iter().enumerate() {
            for (j, column) in site.unknowns.iter().enumerate() {
                let there = pattern[row.state].contains(&Column::State(column.state));
                if there && terms != Terms::Cable {
                    entries.push((i, j, len));
                    len += site.elements;
                }
            }
        }
        systems.push(LocalJacobian {
            site,
            entries,
            tree,
            plans: Default::default(),
        });
    }
    (systems, len)
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
        ..
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
    (group, terms): (usize, Terms),
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
    let others = (0..planes.len()).filter(|&s| model.states[s].group == group && !select(s));
    let zero = |s: usize| Instr::Zero {
        at: to + planes[s].offset,
        len: planes[s].len,
    };
    let mut all: Vec<Instr> = others.map(zero).collect();
    let wanted = Wanted {
        group,
        y,
        entry: &entry,
        axial_time: None,
    };
    all.extend(jacobian(layout, &wanted));
    if let (Terms::All, Some(info)) = (terms, &model.cable) {
        let voltage = info.cable.voltage.0;
        if model.states[voltage].group == group && select(voltage) {
            let to = to + planes[voltage].offset;
            all.push(Instr::AxialDiagonal { to });
        }
    }
    all
}

/// Linearises, with ∂f/∂t if that is wanted.
pub(super) fn linearize(
    c: &mut Compiler,
    (kind, parts): (Jacobian, Parts),
    fraction: f64,
    y: Array,
    wants_time: bool,
) -> Linearized {
    let (group, len) = (c.group, c.len);
    let from = c.at(y);
    let model = c.layout.model.clone();
    let states = c.layout.states.clone();
    let terms = match kind {
        Jacobian::Full | Jacobian::Diagonal => Terms::All,
        Jacobian::Local => Terms::Local,
        Jacobian::Cable => Terms::Cable,
    };
    let time = if wants_time { c.permanent() } else { 0 };
    c.signals(fraction, y);
    if wants_time {
        c.all.push(Instr::Zero { at: time, len });
    }
    let time_entry = |i: usize, column: Column| {
        let wanted = wants_time
            && column == Column::Time
            && terms != Terms::Cable
            && parts.contains(model.states[i].state.part);
        wanted.then(|| (time + states[i].offset, model.states[i].domain))
    };
    let coupled = (0..states.len()).find(|&s| {
        let info = &model.states[s];
        c.layout.is_coupled(s) && info.group == group && parts.contains(info.state.part)
    });
    let axial_time = coupled.filter(|_| wants_time && terms != Terms::Local);
    let axial_time = axial_time.map(|s| time + states[s].offset);
    let mut systems = Vec::new();
    let mut planes = HashMap::new();
    let mut diagonal_at = 0;
    if kind == Jacobian::Diagonal {
        diagonal_at = c.permanent();
        let own = |i: usize| parts.contains(model.states[i].state.part);
        let all = diagonal(c.layout, (group, terms), from, diagonal_at, &own);
        c.all.extend(all);
    } else {
        let (mut planned, block) = plan_entries(c.layout, group, (parts, terms));
        let base = c.layout.take(block);
        planes = entry_planes(&planned, base);
        for entry in planned.iter_mut().flat_map(|s| &mut s.entries) {
            entry.2 += base;
        }
        systems = planned.into_iter().map(Arc::new).collect();
    }
    let entry = |i: usize, column: Column| {
        let planned = planes.get(&(i, column)).copied();
        planned.or_else(|| time_entry(i, column))
    };
    let wanted = Wanted {
        group,
        y: from,
        entry: &entry,
        axial_time,
    };
    let all = jacobian(c.layout, &wanted);
    c.all.extend(all);
    Linearized {
        kind: match kind {
            Jacobian::Diagonal => Kind::Diagonal(diagonal_at),
            _ => Kind::Systems(systems),
        },
        time,
        factors: Vec::new(),
        phi: Vec::new(),
    }
}

/// Memory for the factors of a site's systems.
fn take_factors(layout: &mut Layout, system: &LocalJacobian, stages: usize) -> Factors {
    let [matrices, swaps, scratch] = system.factor_sizes(stages);
    let nodes = layout
        .model
        .cable
        .as_ref()
        .map_or(0, |info| info.tree.len());
    let rows = nodes * layout.lanes;
    // Before the blocks of the tree, which are made of them: the memory is parted there.
    let matrices = layout.take_wide(matrices);
    let tree = system.tree.then(|| match stages {
        1 => TreeFactors {
            pivots: layout.take_tree(rows),
            blocks: 0,
            rows: 0,
        },
        s => TreeFactors {
            pivots: 0,
            blocks: layout.take_wide(rows * s * s),
            rows: layout.take_wide(rows * s),
        },
    });
    Factors {
        matrices,
        swaps: layout.take_swaps(swaps),
        scratch: layout.take_wide(scratch),
        stages,
        tree,
    }
}

/// Factors I - A ⊗ J, once for each A.
pub(super) fn factored(c: &mut Compiler, lin: &mut Linearized, key: FactorKey, a: Shift) -> usize {
    if let Some(made) = lin.factors.iter().position(|(of, _)| *of == key) {
        return made;
    }
    let stages = match a {
        Shift::Real(_) => 1,
        Shift::Complex(..) => 2,
    };
    let factors = lin.systems().iter().map(|system| {
        let factors = take_factors(c.layout, system, stages);
        c.all.push(Instr::Factor {
            system: system.clone(),
            factors,
            a,
        });
        factors
    });
    let factors = factors.collect();
    lin.factors.push((key, factors));
    lin.factors.len() - 1
}

/// (I - γ J)⁻¹ b.
pub(super) fn solve(c: &mut Compiler, lin: &mut Linearized, out: Array, gamma: Coef, b: Array) {
    let number = c.coefficient(gamma);
    let from = c.at(b);
    let to = c.make(out);
    let len = c.len;
    if let Kind::Diagonal(d) = lin.kind {
        c.all.push(Instr::SolveDiagonal {
            to,
            gamma: number,
            d,
            b: from,
            len,
        });
        return;
    }
    let a = Shift::Real(number);
    let made = factored(c, lin, (gamma, [1.0, 0.0]), a);
    // States that are no unknowns keep their value.
    c.all.push(Instr::Copy { from, to, len });
    for (system, &factors) in lin.systems().iter().zip(&lin.factors[made].1) {
        c.all.push(Instr::Solve {
            system: system.clone(),
            factors,
            a,
            b: vec![from],
            x: vec![to],
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
    let len = c.len;
    if let Kind::Diagonal(d) = lin.kind {
        c.all.push(Instr::PhiDiagonal {
            to,
            k,
            scale: number,
            d,
            b: from,
            len,
        });
        return;
    }
    // For states that are no unknowns φ_k(0) = 1/k!.
    let factorial: u32 = (1..=k).product();
    let terms = vec![(c.coefficient(num(1.0 / f64::from(factorial))), from)];
    c.all.push(Instr::Combine { to, len, terms });
    if lin.systems().iter().any(|system| system.tree) {
        phi_by_poles(c, lin, to, k, scale, from);
        return;
    }
    let made = lin.phi.iter().position(|(of, _)| *of == scale);
    let top = c.top_phi;
    let made = made.unwrap_or_else(|| {
        let kept = lin.systems().iter().map(|system| {
            let [matrices, scratch] = system.phi_sizes(top);
            let kept = [c.layout.take_wide(matrices), c.layout.take_wide(scratch)];
            c.all.push(Instr::Phi {
                system: system.clone(),
                kept,
                top,
                scale: number,
            });
            kept
        });
        let kept = kept.collect();
        lin.phi.push((scale, kept));
        lin.phi.len() - 1
    });
    for (system, &kept) in lin.systems().iter().zip(&lin.phi[made].1) {
        c.all.push(Instr::ApplyPhi {
            system: system.clone(),
            kept,
            top_k: [top, k as usize],
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
    let what = (stages.parts, stages.terms);
    let count = out.len();
    // Arrays that are free now may hold nothing else while the iteration runs.
    let z: Vec<usize> = out.iter().map(|&array| c.make(array)).collect();
    let mut arrays = || (0..count).map(|_| c.permanent()).collect::<Vec<_>>();
    let (f, residual, correction, applied) = (arrays(), arrays(), arrays(), arrays());
    let a = stages.a.iter().map(|&a| c.coefficient(a)).collect();
    let (mut systems, block) = plan_entries(c.layout, group, what);
    let first = c.layout.take(block * count);
    for entry in systems.iter_mut().flat_map(|s| &mut s.entries) {
        entry.2 += first;
    }
    let (mut rhs, mut jacobians) = (Vec::new(), Vec::new());
    for p in 0..count {
        let fraction = stages.c[p];
        let mut all = vec![Instr::Inputs { c: fraction }];
        let mut known = HashSet::new();
        all.extend(derivative(c.layout, group, what, z[p], f[p], &mut known));
        rhs.push(all);
        let planes = entry_planes(&systems, p * block);
        let entry = |i: usize, column: Column| planes.get(&(i, column)).copied();
        let mut all = vec![Instr::Inputs { c: fraction }];
        all.extend(all_signals(c.layout, group, z[p], &mut HashSet::new()));
        let wanted = Wanted {
            group,
            y: z[p],
            entry: &entry,
            axial_time: None,
        };
        all.extend(jacobian(c.layout, &wanted));
        jacobians.push(all);
    }
    let unknowns: usize = systems.iter().map(|s| s.site.unknowns.len()).sum();
    let states = c.layout.model.states.iter();
    let states = states.filter(|s| s.group == group).count();
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
        partial: unknowns < states,
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
