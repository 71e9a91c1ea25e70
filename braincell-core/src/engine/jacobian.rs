//! The local Jacobian: from partial derivatives of kernels to ∂f/∂y, by the chain rule through signals.

use super::instr::Instr;
use super::layout::Layout;
use crate::kernel::{self, Accumulate, Call, Index, Operand, Output};
use crate::model::{Domain, Launch, Model, Part, Phase, SignalId, Source, StateId, Target};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What is differentiated by: a state of the group, or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Column {
    State(usize),
    Time,
}

/// The states of a group that live on one domain and its parts: one linear system for each of its elements.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub domain: Domain,
    pub elements: usize,
    /// The membrane potential, if there is one, is the last.
    pub unknowns: Vec<Unknown>,
}

#[derive(Clone, Debug)]
pub(super) struct Unknown {
    pub state: usize,
    /// Offset in an array of the group.
    pub offset: usize,
    pub part: Part,
    /// Where in the state's plane each element of the site is; [`ABSENT`] where it is not. `None` if it is everywhere
    /// in the same order.
    pub places: Option<Arc<[u32]>>,
}

pub(super) const ABSENT: u32 = u32::MAX;

impl Unknown {
    /// Where element e is in an array of the group.
    #[inline(always)]
    pub fn place(&self, e: usize) -> Option<usize> {
        match &self.places {
            None => Some(self.offset + e),
            Some(places) => match places[e] {
                ABSENT => None,
                place => Some(self.offset + place as usize),
            },
        }
    }
}

/// The sites of a group.
pub(super) fn sites(layout: &Layout, group: usize) -> Vec<Site> {
    let model = &layout.model;
    let mut sites: BTreeMap<Domain, Vec<Unknown>> = BTreeMap::new();
    for (state, info) in model.states.iter().enumerate() {
        if info.group != group {
            continue;
        }
        let root = root(layout, info.domain);
        let operand = layout.operand(info.domain, root, 0);
        let len = layout.len(info.domain);
        let places = if info.domain == root {
            None
        } else {
            let mut places = vec![ABSENT; layout.len(root)];
            for e in 0..len {
                let at = match &operand.index {
                    Index::Map(map) => map[e] as usize,
                    _ => operand.offset + e,
                };
                places[at] = e as u32;
            }
            Some(places.into())
        };
        sites.entry(root).or_default().push(Unknown {
            state,
            offset: layout.states[state].offset,
            part: info.state.part,
            places,
        });
    }
    let sites = sites.into_iter().map(|(domain, mut unknowns)| {
        unknowns.sort_by_key(|u| (u.part == Part::Voltage, u.part != Part::Gate));
        Site {
            domain,
            elements: layout.len(domain),
            unknowns,
        }
    });
    sites.collect()
}

fn root(layout: &Layout, mut domain: Domain) -> Domain {
    while let Some((outer, _)) = &layout.model.domains[domain.0].within {
        domain = *outer;
    }
    domain
}

/// What a kernel's input depends on.
fn columns(
    model: &Model,
    group: usize,
    source: &Source,
    signals: &[BTreeSet<Column>],
) -> BTreeSet<Column> {
    match source {
        Source::State(s) if model.states[s.0].group == group => {
            BTreeSet::from([Column::State(s.0)])
        }
        Source::Signal(q) => signals[q.0].clone(),
        Source::Time => BTreeSet::from([Column::Time]),
        _ => BTreeSet::new(),
    }
}

/// What each signal depends on.
fn dependencies_of_signals(layout: &Layout, group: usize) -> Vec<BTreeSet<Column>> {
    let model = &layout.model;
    let mut depends: Vec<BTreeSet<Column>> = (model.signals.iter())
        .map(|s| s.input.iter().map(|_| Column::Time).collect())
        .collect();
    for launch in model
        .launches
        .iter()
        .filter(|l| l.phase == Phase::Derivative)
    {
        for (target, mask) in launch.outputs.iter().zip(launch.kernel.dependencies()) {
            let Target::Signal(s) = target else { continue };
            for (k, source) in launch.inputs.iter().enumerate() {
                if mask >> k & 1 == 1 {
                    let more = columns(model, group, source, &depends);
                    depends[s.0].extend(more);
                }
            }
        }
    }
    depends
}

/// What the derivative of each state of a group depends on.
pub(super) fn pattern(layout: &Layout, group: usize) -> Vec<BTreeSet<Column>> {
    let model = &layout.model;
    let signals = dependencies_of_signals(layout, group);
    let mut pattern = vec![BTreeSet::new(); model.states.len()];
    for launch in model
        .launches
        .iter()
        .filter(|l| l.phase == Phase::Derivative)
    {
        for (target, mask) in launch.outputs.iter().zip(launch.kernel.dependencies()) {
            let Target::Derivative(i) = target else {
                continue;
            };
            for (k, source) in launch.inputs.iter().enumerate() {
                if mask >> k & 1 == 1 {
                    pattern[i.0].extend(columns(model, group, source, &signals));
                }
            }
        }
    }
    pattern
}

/// A signal on the cell as a whole to which elements add what depends on their states: what reads it couples all of them.
fn gathered(layout: &Layout, group: usize) -> Option<(usize, usize)> {
    let model = &layout.model;
    let depends = dependencies_of_signals(layout, group);
    let launches = || {
        model
            .launches
            .iter()
            .filter(|l| l.phase == Phase::Derivative)
    };
    let rows = |domain: Domain| model.domains[domain.0].rows;
    for launch in launches() {
        for target in &launch.outputs {
            let Target::Signal(s) = target else { continue };
            if rows(model.signals[s.0].domain) > 1 || rows(launch.domain) == 1 {
                continue;
            }
            let state = depends[s.0].iter().find_map(|column| match column {
                Column::State(j) if rows(model.states[*j].domain) > 1 => Some(*j),
                _ => None,
            });
            let reader = launches().find(|l| l.inputs.contains(&Source::Signal(*s)));
            let of = reader.and_then(|l| {
                l.outputs.iter().find_map(|t| match t {
                    Target::Derivative(i) => Some(i.0),
                    _ => None,
                })
            });
            if let (Some(j), true) = (state, reader.is_some()) {
                return Some((of.unwrap_or(j), j));
            }
        }
    }
    None
}

/// Two states of a group that no linear system has in common although the derivative of the first depends on the second:
/// they live on domains of which neither is part of the other's.
pub(crate) fn coupled_apart(layout: &Layout, group: usize) -> Option<(usize, usize)> {
    let model = &layout.model;
    if let Some(pair) = gathered(layout, group) {
        return Some(pair);
    }
    let pattern = pattern(layout, group);
    for (i, row) in pattern.iter().enumerate() {
        for column in row {
            if let Column::State(j) = *column {
                let roots = [i, j].map(|s| root(layout, model.states[s].domain));
                if roots[0] != roots[1] {
                    return Some((i, j));
                }
            }
        }
    }
    None
}

/// Where derivatives go.
pub(super) struct Wanted<'a> {
    pub group: usize,
    /// Where the group's array is.
    pub y: usize,
    /// The plane for ∂f_i/∂column, with the domain on which it lives, if wanted.
    pub entry: &'a dyn Fn(usize, Column) -> Option<(usize, Domain)>,
    /// The plane for the time derivative of the axial part of dV/dt, if wanted.
    pub axial_time: Option<usize>,
}

/// Instructions that compute the wanted derivatives. Signals must have been computed.
pub(super) fn jacobian(layout: &mut Layout, wanted: &Wanted) -> Vec<Instr> {
    let model = layout.model.clone();
    let launches: Vec<&Launch> = (model.launches.iter())
        .filter(|l| l.phase == Phase::Derivative)
        .collect();
    let dependencies: Vec<Vec<u64>> = launches.iter().map(|l| l.kernel.dependencies()).collect();
    let in_group = |s: &StateId| model.states[s.0].group == wanted.group;

    let depends = dependencies_of_signals(layout, wanted.group);
    let columns = |source: &Source| columns(&model, wanted.group, source, &depends);
    // Backwards: which of these are needed.
    let mut needed: Vec<BTreeSet<Column>> = vec![BTreeSet::new(); model.signals.len()];
    let into_junctions = model.cable.as_ref().and_then(|info| info.cable.current);
    let axial_time = into_junctions.zip(wanted.axial_time);
    let axial_time = axial_time.filter(|(s, _)| depends[s.0].contains(&Column::Time));
    if let Some((signal, _)) = axial_time {
        needed[signal.0].insert(Column::Time);
    }
    let of_target = |target: &Target, needed: &[BTreeSet<Column>]| match target {
        Target::Derivative(i) if in_group(i) => {
            let mut all: Vec<Column> = (0..model.states.len()).map(Column::State).collect();
            all.push(Column::Time);
            all.retain(|&c| (wanted.entry)(i.0, c).is_some());
            all.into_iter().collect()
        }
        Target::Signal(s) => needed[s.0].clone(),
        _ => BTreeSet::new(),
    };
    for (launch, masks) in launches.iter().zip(&dependencies).rev() {
        for (target, mask) in launch.outputs.iter().zip(masks) {
            let columns = of_target(target, &needed);
            for (k, source) in launch.inputs.iter().enumerate() {
                if let (Source::Signal(q), 1) = (source, mask >> k & 1) {
                    let more = columns.intersection(&depends[q.0]).copied();
                    let more: Vec<Column> = more.collect();
                    needed[q.0].extend(more);
                }
            }
        }
    }
    // Planes for the derivatives of signals. Those of inputs from outside are their slopes.
    let mut all = Vec::new();
    let mut written = Written::default();
    let mut results: Vec<(usize, usize)> = Vec::new();
    for i in (0..model.states.len()).filter(|&i| in_group(&StateId(i))) {
        let columns = (0..model.states.len()).map(Column::State);
        for column in columns.chain([Column::Time]) {
            if let Some((at, of)) = (wanted.entry)(i, column) {
                results.push((at, layout.len(of)));
            }
        }
    }
    let mut planes: HashMap<(usize, Column), usize> = HashMap::new();
    for (s, columns) in needed.iter().enumerate() {
        if model.signals[s].input.is_some() {
            planes.insert((s, Column::Time), layout.slopes[s].offset);
            continue;
        }
        let len = layout.len(model.signals[s].domain);
        for &column in columns {
            let at = layout.take(len);
            results.push((at, len));
            planes.insert((s, column), at);
        }
    }
    // Forwards: partial derivatives, and the chain rule.
    for (launch, masks) in launches.iter().zip(&dependencies) {
        let wants: Vec<BTreeSet<Column>> = launch
            .outputs
            .iter()
            .map(|t| of_target(t, &needed))
            .collect();
        let useful = |o: usize, k: usize| {
            masks[o] >> k & 1 == 1 && !columns(&launch.inputs[k]).is_disjoint(&wants[o])
        };
        let together = kernel::columns(&*launch.kernel, useful);
        if together.is_empty() {
            continue;
        }
        let domain = launch.domain;
        let len = layout.len(domain);
        // Derivatives are not computed in the order of the slots: what two results add to is not set by one of them.
        let distinct: HashSet<&Target> = launch.outputs.iter().collect();
        let set = distinct.len() == launch.outputs.len();
        let mut slots = Vec::new();
        let mut chain = Vec::new();
        for (o, want) in wants.iter().enumerate() {
            // Where ∂(target o)/∂column is gathered, and the domain there.
            let place = |column: Column| match &launch.outputs[o] {
                Target::Derivative(i) => (wanted.entry)(i.0, column),
                Target::Signal(s) => {
                    let at = planes.get(&(s.0, column));
                    at.map(|&at| (at, model.signals[s.0].domain))
                }
                _ => None,
            };
            for column in &together {
                let Some(k) = column.input(o).filter(|&k| useful(o, k)) else {
                    slots.push(None);
                    continue;
                };
                let direct = match &launch.inputs[k] {
                    Source::State(s) => Some(Column::State(s.0)),
                    Source::Time => Some(Column::Time),
                    _ => None,
                };
                if let Some(column) = direct {
                    slots.push(place(column).map(|(at, of)| {
                        let to = layout.operand(domain, of, at);
                        let how = match written.begins(at) {
                            true if set && domain == of => Accumulate::Set,
                            true => {
                                let len = layout.len(of);
                                all.push(Instr::Zero { at, len });
                                Accumulate::Add
                            }
                            false => Accumulate::Add,
                        };
                        Output { to, how }
                    }));
                    continue;
                }
                let Source::Signal(q) = launch.inputs[k] else {
                    slots.push(None);
                    continue;
                };
                let partial = layout.take(len);
                let to = Operand {
                    offset: partial,
                    index: Index::Each,
                };
                let how = Accumulate::Set;
                slots.push(Some(Output { to, how }));
                for &column in want.intersection(&depends[q.0]) {
                    let Some((at, of)) = place(column) else {
                        continue;
                    };
                    if written.begins(at) {
                        let len = layout.len(of);
                        all.push(Instr::Zero { at, len });
                    }
                    let to = layout.operand(domain, of, at);
                    let by = signal_derivative(layout, domain, q, planes[&(q.0, column)]);
                    chain.push(Instr::MultiplyAdd {
                        to,
                        a: partial,
                        b: by,
                        len,
                    });
                }
            }
        }
        let source = |&s| layout.source(domain, s, wanted.group, wanted.y);
        let inputs = launch.inputs.iter().map(source).collect();
        all.push(Instr::Partials {
            kernel: launch.kernel.clone(),
            masks: together.iter().map(|column| column.mask).collect(),
            columns: together,
            call: Call {
                len,
                inputs,
                outputs: slots,
            },
            values: Vec::new(),
        });
        all.append(&mut chain);
    }
    let empty = results.into_iter().filter(|(at, _)| written.begins(*at));
    let empty: Vec<Instr> = empty.map(|(at, len)| Instr::Zero { at, len }).collect();
    all.splice(0..0, empty);
    if let Some((signal, to)) = axial_time {
        all.push(Instr::Axial {
            v: None,
            current: planes.get(&(signal.0, Column::Time)).copied(),
            to,
        });
    }
    all
}

/// The planes that have been written to.
#[derive(Default)]
struct Written(BTreeSet<usize>);

impl Written {
    /// Whether the plane at that place is written to for the first time.
    fn begins(&mut self, at: usize) -> bool {
        self.0.insert(at)
    }
}

/// The derivative of a signal as a kernel over `domain` sees it.
fn signal_derivative(layout: &Layout, domain: Domain, signal: SignalId, at: usize) -> Operand {
    let info = &layout.model.signals[signal.0];
    match &info.input {
        Some(waveforms) if waveforms.len() == 1 => Operand {
            offset: at,
            index: Index::Splat,
        },
        _ => layout.operand(domain, info.domain, at),
    }
}
