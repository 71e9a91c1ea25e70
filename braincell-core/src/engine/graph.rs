//! From the launches of a model to instructions.

use super::instr::Instr;
use super::layout::{Layout, Plane};
use crate::kernel::{Accumulate, Call, Operand, Output};
use crate::model::{Launch, Phase, SignalId, Source, StateId, Target};
use crate::stepper::{Parts, Terms};
use std::collections::HashSet;

/// What a run of launches is for.
pub(super) struct Wanted {
    pub group: usize,
    /// Where the group's array is.
    pub y: usize,
    /// Where derivatives go.
    pub out: Option<usize>,
    /// Whose derivatives are wanted.
    pub states: HashSet<StateId>,
    /// Diffusion coefficients are wanted, not derivatives.
    pub diffusion: bool,
    /// The axial current counts.
    pub axial: bool,
}

impl Wanted {
    pub fn all(group: usize, y: usize) -> Self {
        Self {
            group,
            y,
            out: None,
            states: HashSet::new(),
            diffusion: false,
            axial: false,
        }
    }
}

/// Some terms of f of the states of `group` in `parts`, at the array at `y`, into the array at `to`; zero for the
/// others. Signals in `known` have been computed, and those that are computed are added to it.
pub(super) fn derivative(
    layout: &Layout,
    group: usize,
    (parts, terms): (Parts, Terms),
    y: usize,
    to: usize,
    known: &mut HashSet<SignalId>,
) -> Vec<Instr> {
    let mut states = states_in(layout, group, parts);
    let axial = terms != Terms::Local && states.iter().any(|s| layout.is_coupled(s.0));
    if terms == Terms::Cable {
        states.clear();
    }
    let wanted = Wanted {
        out: Some(to),
        states,
        axial,
        ..Wanted::all(group, y)
    };
    run_wanted(layout, &wanted, &HashSet::new(), known)
}

/// The diffusion coefficients of the states of `group`.
pub(super) fn diffusion(layout: &Layout, group: usize, y: usize, to: usize) -> Vec<Instr> {
    let wanted = Wanted {
        out: Some(to),
        states: states_in(layout, group, Parts::ALL),
        diffusion: true,
        ..Wanted::all(group, y)
    };
    run_wanted(layout, &wanted, &HashSet::new(), &mut HashSet::new())
}

/// The states of a group in `parts`.
pub(super) fn states_in(layout: &Layout, group: usize, parts: Parts) -> HashSet<StateId> {
    let states = layout.model.states.iter().enumerate();
    states
        .filter(|(_, s)| s.group == group && parts.contains(s.state.part))
        .map(|(k, _)| StateId(k))
        .collect()
}

/// All signals that kernels read, at the array at `y`, but those in `known`, which all are then.
pub(super) fn all_signals(
    layout: &Layout,
    group: usize,
    y: usize,
    known: &mut HashSet<SignalId>,
) -> Vec<Instr> {
    let launches = layout.model.launches.iter();
    let launches = launches.filter(|l| l.phase == Phase::Derivative);
    let signals = launches
        .flat_map(|l| &l.inputs)
        .filter_map(|source| match source {
            Source::Signal(s) => Some(*s),
            _ => None,
        });
    run_wanted(layout, &Wanted::all(group, y), &signals.collect(), known)
}

/// The launches that compute what is wanted, and nothing else. Signals in `known` have been computed at that array, and
/// those that are computed are added to it.
pub(super) fn run_wanted(
    layout: &Layout,
    wanted: &Wanted,
    signals: &HashSet<SignalId>,
    known: &mut HashSet<SignalId>,
) -> Vec<Instr> {
    let mut signals: HashSet<SignalId> = signals.difference(known).copied().collect();
    let unknown = |s: &SignalId| !known.contains(s);
    if let Some(info) = &layout.model.cable {
        let cable = &info.cable;
        let potential = cable.potential.is_some_and(|s| signals.contains(&s));
        if wanted.axial || potential {
            signals.extend(cable.current.filter(unknown));
        }
    }
    let mut needed = Vec::new();
    // Signals are computed before they are read, so one pass backwards finds all that is needed.
    let launches = layout.model.launches.iter().rev();
    for launch in launches.filter(|l| l.phase == Phase::Derivative) {
        let useful = launch.outputs.iter().any(|target| match target {
            Target::Derivative(s) => !wanted.diffusion && wanted.states.contains(s),
            Target::Diffusion(s) => wanted.diffusion && wanted.states.contains(s),
            Target::Signal(s) => signals.contains(s),
            Target::State(_) | Target::Nothing => false,
        });
        if useful {
            for source in &launch.inputs {
                if let Source::Signal(s) = source
                    && unknown(s)
                {
                    signals.insert(*s);
                    // The potentials of the junctions depend on the currents into them.
                    let cable = layout.model.cable.as_ref().map(|info| &info.cable);
                    signals.extend(
                        cable
                            .filter(|c| c.potential == Some(*s))
                            .and_then(|c| c.current)
                            .filter(unknown),
                    );
                }
            }
            needed.push(launch);
        }
    }
    needed.reverse();
    let mut all = run_launches(layout, &needed, wanted, &signals, known);
    if let Some(to) = wanted.out {
        // States whose derivative no kernel wrote.
        let states = layout.model.states.iter().enumerate();
        let written = |s: usize| {
            needed
                .iter()
                .flat_map(|l| &l.outputs)
                .any(|target| match target {
                    Target::Derivative(d) => !wanted.diffusion && d.0 == s,
                    Target::Diffusion(d) => wanted.diffusion && d.0 == s,
                    _ => false,
                })
                && wanted.states.contains(&StateId(s))
        };
        let mut zeros: Vec<Instr> = states
            .filter(|(s, info)| info.group == wanted.group && !written(*s))
            .map(|(s, _)| Instr::Zero {
                at: to + layout.states[s].offset,
                len: layout.states[s].len,
            })
            .collect();
        zeros.append(&mut all);
        all = zeros;
        if let (true, Some(info)) = (wanted.axial, &layout.model.cable) {
            let plane = layout.states[info.cable.voltage.0].offset;
            all.push(Instr::Axial {
                v: Some(wanted.y + plane),
                current: info.cable.current.map(|s| layout.signals[s.0].offset),
                to: to + plane,
            });
        }
    }
    known.extend(signals);
    all
}

/// The potentials of the junctions, at the array at `y` of `group`.
fn junction_potentials(layout: &Layout, group: usize, y: usize) -> Option<(SignalId, Instr)> {
    let info = layout.model.cable.as_ref()?;
    let signal = info.cable.potential?;
    let voltage = info.cable.voltage.0;
    let of = layout.model.states[voltage].group;
    let base = if of == group { y } else { layout.current[of] };
    let instruction = Instr::JunctionPotentials {
        v: base + layout.states[voltage].offset,
        current: info.cable.current.map(|s| layout.signals[s.0].offset),
        to: layout.signals[signal.0].offset,
    };
    Some((signal, instruction))
}

/// Launches in order. The first result for a plane replaces what is there, the others add.
pub(super) fn run_launches(
    layout: &Layout,
    launches: &[&Launch],
    wanted: &Wanted,
    signals: &HashSet<SignalId>,
    known: &HashSet<SignalId>,
) -> Vec<Instr> {
    let model = &layout.model;
    let mut all = Vec::new();
    let mut written = HashSet::new();
    let mut potentials = junction_potentials(layout, wanted.group, wanted.y)
        .filter(|(signal, _)| !known.contains(signal));
    for launch in launches {
        // The cable computes the potentials of its junctions as soon as they are read.
        if let Some((signal, _)) = &potentials
            && launch.inputs.contains(&Source::Signal(*signal))
        {
            all.extend(potentials.take().map(|(_, instruction)| instruction));
        }
        let group = wanted.group;
        let source = |&s| layout.source(launch.domain, s, group, wanted.y);
        let in_phase = launch.phase == Phase::Derivative;
        let inputs: Vec<Operand> = if in_phase {
            launch.inputs.iter().map(source).collect()
        } else {
            // Before and after a step kernels read and write the states where they are.
            let now = |&s| layout.source(launch.domain, s, usize::MAX, 0);
            launch.inputs.iter().map(now).collect()
        };
        let mut outputs = Vec::new();
        for target in &launch.outputs {
            let (plane, of): (Plane, _) = match *target {
                Target::Nothing => {
                    outputs.push(None);
                    continue;
                }
                Target::Derivative(s) | Target::Diffusion(s) => {
                    let is_diffusion = matches!(target, Target::Diffusion(_));
                    let to = wanted
                        .out
                        .filter(|_| is_diffusion == wanted.diffusion && wanted.states.contains(&s));
                    let Some(to) = to else {
                        outputs.push(None);
                        continue;
                    };
                    let plane = layout.states[s.0];
                    let offset = to + plane.offset;
                    (Plane { offset, ..plane }, model.states[s.0].domain)
                }
                Target::State(s) => {
                    let info = &model.states[s.0];
                    let plane = layout.states[s.0];
                    let to = layout.operand(
                        launch.domain,
                        info.domain,
                        layout.current[info.group] + plane.offset,
                    );
                    let how = Accumulate::Set;
                    outputs.push(Some(Output { to, how }));
                    continue;
                }
                Target::Signal(s) => {
                    if in_phase && !signals.contains(&s) {
                        outputs.push(None);
                        continue;
                    }
                    (layout.signals[s.0], model.signals[s.0].domain)
                }
            };
            let first = written.insert(plane.offset);
            let whole = launch.domain == of;
            if first && !whole {
                all.push(Instr::Zero {
                    at: plane.offset,
                    len: plane.len,
                });
            }
            let how = if first && whole {
                Accumulate::Set
            } else {
                Accumulate::Add
            };
            let to = layout.operand(launch.domain, of, plane.offset);
            outputs.push(Some(Output { to, how }));
        }
        let len = layout.len(launch.domain);
        let kernel = launch.kernel.clone();
        let call = Call {
            len,
            inputs,
            outputs,
        };
        all.push(Instr::Kernel { kernel, call });
    }
    if let Some((signal, instruction)) = potentials
        && signals.contains(&signal)
    {
        all.push(instruction);
    }
    all
}

/// Steady states of the relaxing states that ask for them.
pub(super) fn steady(layout: &Layout) -> Vec<Instr> {
    let model = &layout.model;
    let mut all = vec![Instr::Inputs { c: 0.0 }];
    let relaxing = |launch: &&Launch| {
        let steady = |target: &Target| matches!(target, Target::Derivative(s) if model.states[s.0].state.steady);
        launch.phase == Phase::Derivative && launch.outputs.iter().any(steady)
    };
    let sources = model.launches.iter().filter(relaxing);
    let signals = sources.flat_map(|l| &l.inputs).filter_map(|s| match s {
        Source::Signal(s) => Some(*s),
        _ => None,
    });
    all.extend(run_wanted(
        layout,
        &Wanted::all(usize::MAX, 0),
        &signals.collect(),
        &mut HashSet::new(),
    ));
    for launch in model
        .launches
        .iter()
        .filter(|l| l.phase == Phase::Derivative)
    {
        let group = usize::MAX;
        let inputs: Vec<Operand> = launch
            .inputs
            .iter()
            .map(|&s| layout.source(launch.domain, s, group, 0))
            .collect();
        let states = launch.outputs.iter().map(|target| match target {
            Target::Derivative(s) if model.states[s.0].state.steady => {
                let info = &model.states[s.0];
                let offset = layout.current[info.group] + layout.states[s.0].offset;
                let to = layout.operand(launch.domain, info.domain, offset);
                let how = Accumulate::Set;
                Some(Output { to, how })
            }
            _ => None,
        });
        let outputs: Vec<_> = states.collect();
        if launch.kernel.has_steady_state() && outputs.iter().any(Option::is_some) {
            let len = layout.len(launch.domain);
            let kernel = launch.kernel.clone();
            let call = Call {
                len,
                inputs,
                outputs,
            };
            all.push(Instr::Steady { kernel, call });
        }
    }
    all
}
