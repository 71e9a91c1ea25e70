//! Where everything of a tile lies.

use super::arena;
use super::axial::NANOAMPERE;
use super::exec::Workspace;
use crate::kernel::{Index, Operand, Storage};
use crate::model::{Domain, Model, ParameterId, Phase, SignalId, Source, StateId, Target, Values};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Numbers of a tile that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plane {
    pub offset: usize,
    pub len: usize,
}

impl Plane {
    pub fn range(self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len
    }
}

/// The map of a tile of `lanes` cells. Planes hold elements × lanes numbers, uniform ones a single number.
pub(crate) struct Layout {
    pub model: Arc<Model>,
    pub lanes: usize,
    /// How much later the step of each cell is than the clock tells, ms: 0, unless they are steps of one cell.
    pub later: Vec<f64>,
    pub time: usize,
    pub zero: usize,
    pub parameters: Vec<Plane>,
    pub signals: Vec<Plane>,
    /// Time derivatives of the inputs from outside among the signals.
    pub slopes: Vec<Plane>,
    /// Offset of each state in an array of its group.
    pub states: Vec<Plane>,
    /// Length of an array of each group.
    pub group_len: Vec<usize>,
    /// Where the state of each group is.
    pub current: Vec<usize>,
    /// Where the state of each group was at the beginning of the step.
    pub previous: Vec<usize>,
    /// All groups' states at once.
    pub all_current: Plane,
    pub all_previous: Plane,
    pub size: usize,
    /// Sizes of the other memories of a workspace.
    pub wide: usize,
    pub swaps: usize,
    /// Reciprocal pivots of trees.
    pub tree: usize,
    /// C A of each compartment, nA per mV/ms, and 1 / (C A), if there is a cable.
    capacity: Option<[usize; 2]>,
    /// Whether all cells have the same parameters.
    same_cells: bool,
    /// Seed of the noise.
    pub seed: u64,
    maps: HashMap<(Domain, Domain), Reach>,
    /// Signals that depend on nothing but parameters, and whether all elements have the same.
    pub constant: HashMap<SignalId, bool>,
}

/// How elements of one domain find their place in another.
#[derive(Clone)]
enum Reach {
    /// Element e is element e + shift there.
    Shift(usize),
    Map(Arc<[u32]>),
}

impl Layout {
    pub fn new(model: Arc<Model>, lanes: usize, seed: u64) -> Self {
        let mut size = 0;
        let mut take = |len: usize| Plane {
            offset: arena::take(&mut size, len),
            len,
        };
        let plane_len = |domain: Domain| model.domains[domain.0].rows * lanes;
        let time = take(1).offset;
        let zero = take(1).offset;
        let parameters = model.parameters.iter().map(|p| match p.parameter.value {
            Values::Uniform(_) => take(1),
            _ => take(plane_len(p.domain)),
        });
        let parameters = parameters.collect();
        let signals = model.signals.iter().map(|s| match &s.input {
            Some(waveforms) if waveforms.len() == 1 => take(1),
            _ => take(plane_len(s.domain)),
        });
        let signals: Vec<Plane> = signals.collect();
        let slopes = (signals.iter().zip(&model.signals))
            .map(|(plane, s)| take(if s.input.is_some() { plane.len } else { 0 }))
            .collect();
        let mut group_len = vec![0; model.groups.len()];
        let states = model.states.iter().map(|s| {
            let offset = group_len[s.group];
            let len = plane_len(s.domain);
            group_len[s.group] += len;
            Plane { offset, len }
        });
        let states = states.collect();
        // The states of all groups are one block, now and at the beginning of the step.
        let mut len = 0;
        let within: Vec<usize> = (group_len.iter())
            .map(|&group| arena::take(&mut len, group))
            .collect();
        let (all_current, all_previous) = (take(len), take(len));
        let [current, previous] = [all_current, all_previous]
            .map(|block| within.iter().map(|at| block.offset + at).collect());
        let capacity = model.cable.as_ref();
        let capacity = capacity.map(|c| {
            let len = c.cable.area.len() * lanes;
            [(); 2].map(|()| take(len).offset)
        });
        let same_cells = model.parameters.iter().all(|p| {
            let values = &p.parameter.value;
            matches!(values, Values::Uniform(_) | Values::PerElement(_))
        });
        let mut layout = Self {
            lanes,
            later: vec![0.0; lanes],
            time,
            zero,
            parameters,
            signals,
            slopes,
            states,
            group_len,
            current,
            previous,
            all_current,
            all_previous,
            size,
            wide: 0,
            swaps: 0,
            tree: 0,
            capacity,
            same_cells,
            seed,
            maps: HashMap::new(),
            constant: constant_signals(&model),
            model,
        };
        layout.find_maps();
        layout
    }

    /// Reserves `len` more numbers.
    pub fn take(&mut self, len: usize) -> usize {
        arena::take(&mut self.size, len)
    }

    /// Reserves `len` numbers for matrices.
    pub fn take_wide(&mut self, len: usize) -> usize {
        arena::take(&mut self.wide, len)
    }

    /// Reserves `len` reciprocal pivots of trees.
    pub fn take_tree(&mut self, len: usize) -> usize {
        arena::take(&mut self.tree, len)
    }

    /// Whether a state is the potential that the cable couples.
    pub fn is_coupled(&self, state: usize) -> bool {
        let cable = self.model.cable.as_ref();
        cable.is_some_and(|info| info.cable.voltage.0 == state)
    }

    /// Where C A of the compartments is. Only for models with a cable.
    pub fn capacity(&self) -> usize {
        self.capacity.map_or(usize::MAX, |[at, _]| at)
    }

    /// Where 1 / (C A) of the compartments is. Only for models with a cable.
    pub fn per_capacity(&self) -> usize {
        self.capacity.map_or(usize::MAX, |[_, at]| at)
    }

    /// Reserves `len` row swaps.
    pub fn take_swaps(&mut self, len: usize) -> usize {
        self.swaps += len;
        self.swaps - len
    }

    fn find_maps(&mut self) {
        let model = self.model.clone();
        let lanes = self.lanes;
        for from in 0..model.domains.len() {
            for to in 0..model.domains.len() {
                let (from, to) = (Domain(from), Domain(to));
                let reach = match model.rows(from, to) {
                    None => continue,
                    Some(None) => Reach::Shift(0),
                    Some(Some(rows)) => {
                        let first = rows[0] as usize;
                        let mut each = rows.iter().enumerate();
                        if each.all(|(k, &row)| row as usize == first + k) {
                            Reach::Shift(first * lanes)
                        } else {
                            let elements = rows.iter().flat_map(|&row| {
                                (0..lanes).map(move |lane| row * lanes as u32 + lane as u32)
                            });
                            Reach::Map(elements.collect())
                        }
                    }
                };
                self.maps.insert((from, to), reach);
            }
        }
    }

    /// The plane at `offset`, whose elements are those of `of`, as a kernel over `domain` sees it.
    pub fn operand(&self, domain: Domain, of: Domain, offset: usize) -> Operand {
        match &self.maps[&(domain, of)] {
            Reach::Shift(shift) => Operand {
                offset: offset + shift,
                index: Index::Each,
            },
            Reach::Map(map) => Operand {
                offset,
                index: Index::Map(map.clone()),
            },
        }
    }

    /// Number of elements of a domain in a tile.
    pub fn len(&self, domain: Domain) -> usize {
        self.model.domains[domain.0].rows * self.lanes
    }

    /// What a kernel over `domain` reads, with the array of group `group` at `y` and the other groups' states where
    /// they are.
    pub fn source(&self, domain: Domain, source: Source, group: usize, y: usize) -> Operand {
        let splat = |offset| Operand {
            offset,
            index: Index::Splat,
        };
        match source {
            Source::Time => splat(self.time),
            Source::Zero => splat(self.zero),
            Source::Parameter(ParameterId(p)) => {
                let (info, plane) = (&self.model.parameters[p], self.parameters[p]);
                match info.parameter.value {
                    Values::Uniform(_) => splat(plane.offset),
                    _ => self.operand(domain, info.domain, plane.offset),
                }
            }
            Source::Signal(SignalId(s)) => {
                let (info, plane) = (&self.model.signals[s], self.signals[s]);
                match &info.input {
                    Some(waveforms) if waveforms.len() == 1 => splat(plane.offset),
                    _ if self.constant.get(&SignalId(s)) == Some(&true) => splat(plane.offset),
                    _ => self.operand(domain, info.domain, plane.offset),
                }
            }
            Source::State(StateId(s)) => {
                let info = &self.model.states[s];
                let base = if info.group == group {
                    y
                } else {
                    self.current[info.group]
                };
                self.operand(domain, info.domain, base + self.states[s].offset)
            }
        }
    }

    /// Writes parameters and initial values of the cells from `first` on.
    pub fn fill<F: Storage>(&self, first: usize, w: &mut Workspace<F>) {
        self.fill_parameters(first, w);
        let arena = &mut w.arena[..];
        for (info, plane) in self.model.states.iter().zip(&self.states) {
            let offset = self.current[info.group] + plane.offset;
            self.write(
                &info.state.value,
                first,
                &mut arena[offset..offset + plane.len],
            );
        }
    }

    /// Writes the parameters of the cells from `first` on, unless they are there already.
    pub fn fill_parameters<F: Storage>(&self, first: usize, w: &mut Workspace<F>) {
        let cells = if self.same_cells { 0 } else { first };
        if w.parameters_of.replace(cells) == Some(cells) {
            return;
        }
        let arena = &mut w.arena[..];
        for (info, plane) in self.model.parameters.iter().zip(&self.parameters) {
            self.write(&info.parameter.value, first, &mut arena[plane.range()]);
        }
        if let (Some(info), Some([at, per])) = (&self.model.cable, self.capacity) {
            let parameter = &self.model.parameters[info.cable.capacitance.0];
            let uniform = parameter.domain == Domain::CELL;
            for (compartment, area) in info.cable.area.iter().enumerate() {
                for lane in 0..self.lanes {
                    let element = if uniform { 0 } else { compartment };
                    let c = parameter.parameter.value.at(element, first + lane);
                    let (c, place) = (c * area * NANOAMPERE, compartment * self.lanes + lane);
                    arena[at + place] = F::from_f64(c);
                    arena[per + place] = F::from_f64(1.0 / c);
                }
            }
        }
    }

    /// Calls `f(element of the parameter, lane, place, factor)` for all C A of compartments that depend on a parameter.
    pub fn capacity_changes(&self, parameter: usize, mut f: impl FnMut(usize, usize, usize, f64)) {
        let (Some(info), Some([at, _])) = (&self.model.cable, self.capacity) else {
            return;
        };
        if info.cable.capacitance.0 != parameter {
            return;
        }
        let uniform = self.model.parameters[parameter].domain == Domain::CELL;
        for (compartment, area) in info.cable.area.iter().enumerate() {
            for lane in 0..self.lanes {
                let element = if uniform { 0 } else { compartment };
                let place = at + compartment * self.lanes + lane;
                f(element, lane, place, area * NANOAMPERE);
            }
        }
    }

    fn write<F: Storage>(&self, values: &Values, first: usize, to: &mut [F]) {
        for (place, x) in to.iter_mut().enumerate() {
            let (row, lane) = (place / self.lanes, place % self.lanes);
            *x = F::from_f64(values.at(row, first + lane));
        }
    }
}

/// Signals that depend on nothing but parameters, and whether all elements have the same.
fn constant_signals(model: &Model) -> HashMap<SignalId, bool> {
    let signal = |target: &Target| match target {
        Target::Signal(s) => Some(*s),
        _ => None,
    };
    let inputs = model.signals.iter().enumerate();
    let inputs = inputs.filter(|(_, info)| info.input.is_some());
    let mut varying: HashSet<SignalId> = inputs.map(|(s, _)| SignalId(s)).collect();
    varying.extend(model.cable.as_ref().and_then(|info| info.cable.potential));
    // Before and after a step signals may be set as well.
    let elsewhere = model
        .launches
        .iter()
        .filter(|l| l.phase != Phase::Derivative);
    varying.extend(elsewhere.flat_map(|l| &l.outputs).filter_map(signal));
    let mut constant: HashMap<SignalId, bool> = HashMap::new();
    // Signals are computed before they are read, so one pass finds all.
    let launches = model.launches.iter();
    for launch in launches.filter(|l| l.phase == Phase::Derivative) {
        let varies = launch.inputs.iter().any(|source| match source {
            Source::State(_) | Source::Time => true,
            Source::Signal(s) => varying.contains(s),
            Source::Parameter(_) | Source::Zero => false,
        });
        let same = launch.inputs.iter().all(|source| match source {
            Source::Parameter(p) => {
                matches!(model.parameters[p.0].parameter.value, Values::Uniform(_))
            }
            Source::Signal(s) => constant.get(s) == Some(&true),
            _ => true,
        });
        for s in launch.outputs.iter().filter_map(signal) {
            let whole = model.signals[s.0].domain == launch.domain;
            *constant.entry(s).or_insert(true) &= same && whole;
            varying.extend(varies.then_some(s));
        }
    }
    constant.retain(|s, _| !varying.contains(s));
    constant
}
