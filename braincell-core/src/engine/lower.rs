//! From step programs and models to instructions.

use super::exec::{self, Clock, Context, Instr};
use super::layout::{Layout, Plane};
use crate::kernel::{Accumulate, Call, Operand, Output, Storage};
use crate::model::{Launch, Model, Phase, SignalId, Source, StateId, Target};
use crate::simd::Level;
use crate::stepper::{Array, Coef, Op, Parts, Program};
use std::collections::HashSet;
use std::sync::Arc;

/// The instructions for tiles of one width.
pub(crate) struct Engine<F> {
    pub layout: Layout,
    pub level: Level,
    pre: Vec<Instr>,
    post: Vec<Instr>,
    programs: Vec<Compiled<F>>,
    /// Steady states of the states that ask for them.
    steady: Vec<Instr>,
    /// Derivatives of the parent's group at the beginning of the step and at its end, and where they are.
    slope: [(Vec<Instr>, usize); 2],
    /// Signals, at the present state.
    signals: Vec<Instr>,
}

/// A group's step program.
struct Compiled<F> {
    substeps: usize,
    instructions: Vec<Instr>,
    coefficients: Vec<Coef>,
    /// Steady step sizes do not recompute the coefficients.
    values: Vec<F>,
    h: f64,
}

impl<F: Storage> Engine<F> {
    /// For tiles of `lanes` cells. One program per group of the model, with its substeps.
    pub fn new(
        model: Arc<Model>,
        programs: &[(&Program, usize)],
        lanes: usize,
        level: Level,
        record_signals: &[SignalId],
    ) -> Self {
        let mut layout = Layout::new(model.clone(), lanes);
        let phase = |layout: &Layout, phase| {
            let mut all = vec![Instr::Inputs {
                c: f64::from(u8::from(phase == Phase::Post)),
            }];
            let launches: Vec<&Launch> =
                model.launches.iter().filter(|l| l.phase == phase).collect();
            if launches.is_empty() {
                return Vec::new();
            }
            all.extend(run_launches(
                layout,
                &launches,
                &Wanted::all(0, 0),
                &HashSet::new(),
            ));
            all
        };
        let (pre, post) = (phase(&layout, Phase::Pre), phase(&layout, Phase::Post));
        let slopes = [layout.previous[0], layout.current[0]].map(|y| {
            let to = layout.take(layout.group_len[0]);
            (y, to)
        });
        let slope = [0, 1].map(|k| {
            let (y, to) = slopes[k];
            let mut all = vec![Instr::Inputs { c: k as f64 }];
            all.extend(derivative(&layout, 0, Parts::ALL, y, to, false));
            (all, to)
        });
        let mut signals = vec![Instr::Inputs { c: 0.0 }];
        let wanted = Wanted {
            group: 0,
            y: layout.current[0],
            out: None,
            states: HashSet::new(),
            diffusion: false,
        };
        signals.extend(run_wanted(
            &layout,
            &wanted,
            &record_signals.iter().copied().collect(),
        ));
        let steady = steady(&layout);
        let programs = programs
            .iter()
            .enumerate()
            .map(|(group, &(program, substeps))| compile(&mut layout, group, program, substeps));
        let programs = programs.collect();
        Self {
            layout,
            level,
            pre,
            post,
            programs,
            steady,
            slope,
            signals,
        }
    }

    /// A fresh arena.
    pub fn arena(&self) -> Vec<F> {
        vec![F::default(); self.layout.size]
    }

    fn context<'a>(
        &'a self,
        first_cell: usize,
        clock: Clock,
        coefficients: &'a [F],
    ) -> Context<'a, F> {
        Context {
            layout: &self.layout,
            level: self.level,
            first_cell,
            clock,
            coefficients,
        }
    }

    /// Parameters and initial states of the tile that begins with cell `first`.
    pub fn initialise(&self, first: usize, t: f64, arena: &mut [F]) {
        self.layout.fill(first, arena);
        let clock = Clock {
            t,
            h: 0.0,
            within: t,
        };
        let context = self.context(first, clock, &[]);
        // Twice: signals that rates depend on may themselves depend on gates.
        for _ in 0..2 {
            exec::execute(&self.steady, &context, arena);
        }
    }

    /// Computes the coefficients for a step size.
    pub fn prepare(&mut self, h: f64) {
        for (group, program) in self.programs.iter_mut().enumerate() {
            let h = if group == 0 {
                h
            } else {
                0.5 * h / program.substeps as f64
            };
            if program.h != h {
                program.h = h;
                for (value, coefficient) in program.values.iter_mut().zip(&program.coefficients) {
                    *value = F::from_f64(coefficient.value(h));
                }
            }
        }
    }

    /// Advances the tile that begins with cell `first`; [`Engine::finish`] must follow. The step size must be
    /// prepared.
    pub fn advance(&self, first: usize, clock: Clock, arena: &mut [F]) {
        let layout = &self.layout;
        arena.copy_within(layout.all_current.range(), layout.all_previous.offset);
        exec::execute(&self.pre, &self.context(first, clock, &[]), arena);
        let independent = |from: f64, arena: &mut [F]| {
            for program in &self.programs[1..] {
                for k in 0..program.substeps {
                    let t = from + k as f64 * program.h;
                    let clock = Clock {
                        t,
                        h: program.h,
                        within: clock.within,
                    };
                    let context = self.context(first, clock, &program.values);
                    exec::execute(&program.instructions, &context, arena);
                }
            }
        };
        independent(clock.t, arena);
        let parent = &self.programs[0];
        let context = self.context(first, clock, &parent.values);
        exec::execute(&parent.instructions, &context, arena);
        independent(clock.t + 0.5 * clock.h, arena);
    }

    /// The end of a step: what modules do after it.
    pub fn finish(&self, first: usize, clock: Clock, arena: &mut [F]) {
        exec::execute(&self.post, &self.context(first, clock, &[]), arena);
    }

    /// The derivatives of the parent's states at the beginning (0) or the end (1) of the step just made, before
    /// [`Engine::finish`]. Returns where in the arena they are.
    pub fn slope(&self, end: usize, first: usize, clock: Clock, arena: &mut [F]) -> usize {
        let (instructions, to) = &self.slope[end];
        exec::execute(instructions, &self.context(first, clock, &[]), arena);
        *to
    }

    /// Computes the signals to be recorded at time `clock.t`.
    pub fn signals(&self, first: usize, clock: Clock, arena: &mut [F]) {
        exec::execute(&self.signals, &self.context(first, clock, &[]), arena);
    }

    /// Whether the state is finite and within its bounds.
    pub fn is_sound(&self, arena: &[F]) -> bool {
        let layout = &self.layout;
        if !exec::all_finite(&arena[layout.all_current.range()], self.level) {
            return false;
        }
        layout
            .model
            .states
            .iter()
            .zip(&layout.states)
            .all(|(info, plane)| {
                let (least, greatest) = info.state.bounds;
                if least == f64::NEG_INFINITY && greatest == f64::INFINITY {
                    return true;
                }
                let offset = layout.current[info.group] + plane.offset;
                let (least, greatest) = (F::from_f64(least), F::from_f64(greatest));
                let outside = |x: &F| *x < least || *x > greatest;
                !arena[offset..offset + plane.len].iter().any(outside)
            })
    }
}

/// What a run of launches is for.
struct Wanted {
    group: usize,
    /// Where the group's array is.
    y: usize,
    /// Where derivatives go.
    out: Option<usize>,
    /// Whose derivatives are wanted.
    states: HashSet<StateId>,
    /// Diffusion coefficients are wanted, not derivatives.
    diffusion: bool,
}

impl Wanted {
    fn all(group: usize, y: usize) -> Self {
        Self {
            group,
            y,
            out: None,
            states: HashSet::new(),
            diffusion: false,
        }
    }
}

/// f of the states of `group` in `parts`, at the array at `y`, into the array at `to`; zero for the others.
fn derivative(
    layout: &Layout,
    group: usize,
    parts: Parts,
    y: usize,
    to: usize,
    diffusion: bool,
) -> Vec<Instr> {
    let states = layout.model.states.iter().enumerate();
    let states = states
        .filter(|(_, s)| s.group == group && parts.contains(s.state.part))
        .map(|(k, _)| StateId(k))
        .collect();
    let wanted = Wanted {
        group,
        y,
        out: Some(to),
        states,
        diffusion,
    };
    run_wanted(layout, &wanted, &HashSet::new())
}

/// The launches that compute what is wanted, and nothing else.
fn run_wanted(layout: &Layout, wanted: &Wanted, signals: &HashSet<SignalId>) -> Vec<Instr> {
    let mut signals = signals.clone();
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
                if let Source::Signal(s) = source {
                    signals.insert(*s);
                }
            }
            needed.push(launch);
        }
    }
    needed.reverse();
    let mut all = run_launches(layout, &needed, wanted, &signals);
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
    }
    all
}

/// Launches in order. The first result for a plane replaces what is there, the others add.
fn run_launches(
    layout: &Layout,
    launches: &[&Launch],
    wanted: &Wanted,
    signals: &HashSet<SignalId>,
) -> Vec<Instr> {
    let model = &layout.model;
    let mut all = Vec::new();
    let mut written = HashSet::new();
    for launch in launches {
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
    all
}

/// Steady states of the relaxing states that ask for them.
fn steady(layout: &Layout) -> Vec<Instr> {
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

/// A step program, as instructions that end with the new state in place.
fn compile<F: Storage>(
    layout: &mut Layout,
    group: usize,
    program: &Program,
    substeps: usize,
) -> Compiled<F> {
    let len = layout.group_len[group];
    let current = layout.current[group];
    let ops = program.ops();
    let committed = program.committed();
    let mut registers = Registers::new(layout, program, len, current);
    let mut coefficients: Vec<Coef> = Vec::new();
    let mut all = Vec::new();
    let mut inputs_at = None;
    for (k, op) in ops.iter().enumerate() {
        let mut time = |c: f64, all: &mut Vec<Instr>| {
            if inputs_at != Some(c) {
                inputs_at = Some(c);
                all.push(Instr::Inputs { c });
            }
        };
        match op {
            Op::Rhs {
                parts, c, y, out, ..
            } => {
                time(*c, &mut all);
                let from = registers.at(*y);
                let to = registers.make(layout, *out);
                all.extend(derivative(layout, group, *parts, from, to, false));
            }
            Op::Combine { out, terms } => {
                let terms = terms.iter().map(|&(coefficient, array)| {
                    coefficients.push(coefficient);
                    (coefficients.len() - 1, registers.at(array))
                });
                let terms = terms.collect();
                let in_place = *out == committed
                    && !ops[k + 1..].iter().any(|op| op.reads().contains(&Array(0)));
                let to = if in_place {
                    registers.place(*out, current)
                } else {
                    registers.make(layout, *out)
                };
                all.push(Instr::Combine { to, len, terms });
            }
            Op::Commit { of } => {
                let from = registers.at(*of);
                if from != current {
                    let to = current;
                    all.push(Instr::Copy { from, to, len });
                }
            }
            Op::Product { out, a, b } => {
                let (a, b) = (registers.at(*a), registers.at(*b));
                let to = registers.make(layout, *out);
                all.push(Instr::Product { to, a, b, len });
            }
            _ => todo!("{op}"),
        }
        registers.release(k);
    }
    let values = vec![F::default(); coefficients.len()];
    Compiled {
        substeps,
        instructions: all,
        coefficients,
        values,
        h: f64::NAN,
    }
}

/// Places of the arrays of a program. An array's place is used again after its last use.
struct Registers {
    len: usize,
    /// The place of each array.
    place: Vec<Option<usize>>,
    /// Places that are free.
    free: Vec<usize>,
    /// The arrays last used by each operation.
    last: Vec<Vec<Array>>,
}

impl Registers {
    fn new(layout: &Layout, program: &Program, len: usize, current: usize) -> Self {
        let _ = layout;
        let ops = program.ops();
        let mut last = vec![Vec::new(); ops.len()];
        for array in 1..program.arrays() as u32 {
            let array = Array(array);
            let uses = |op: &Op| op.reads().contains(&array) || op.makes().contains(&array);
            if let Some(k) = ops.iter().rposition(uses) {
                last[k].push(array);
            }
        }
        let mut place = vec![None; program.arrays()];
        place[0] = Some(current);
        Self {
            len,
            place,
            free: Vec::new(),
            last,
        }
    }

    fn at(&self, array: Array) -> usize {
        self.place[array.0 as usize].expect("recorded programs make arrays before they read them")
    }

    fn make(&mut self, layout: &mut Layout, array: Array) -> usize {
        let place = match self.free.pop() {
            Some(place) => place,
            None => layout.take(self.len),
        };
        self.place(array, place)
    }

    fn place(&mut self, array: Array, place: usize) -> usize {
        self.place[array.0 as usize] = Some(place);
        place
    }

    /// After operation k the arrays that it used last are no longer needed.
    fn release(&mut self, k: usize) {
        for array in &self.last[k] {
            let Some(place) = self.place[array.0 as usize] else {
                continue;
            };
            if self.place[0] != Some(place) {
                self.free.push(place);
            }
        }
    }
}
