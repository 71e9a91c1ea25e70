//! Everything a tile does, as instructions.

use super::advance::advance;
use super::arena::Arena;
use super::arrays::all_finite;
use super::axial::Axial;
use super::carry::carry;
use super::compile::{Compiled, compile};
use super::exec::{self, Clock, Coefficients, Context, StepFailure, Work, Workspace};
use super::graph::{Wanted, all_signals, derivative, diffusion, run_launches, run_wanted, steady};
use super::implicit;
use super::instr::Instr;
use super::layout::{Layout, Plane};
use super::simplify::Keep;
use super::strips::{self, in_strips};
use crate::kernel::Storage;
use crate::model::{Launch, Model, Phase, SignalId, Source};
use crate::simd::Level;
use crate::stepper::{Parts, Program, Terms};
use std::collections::HashSet;
use std::sync::Arc;

/// What an engine is made for.
pub(crate) struct EngineOptions {
    pub level: Level,
    pub seed: u64,
    pub keep: Keep,
    pub record_signals: Vec<SignalId>,
}

/// The instructions for tiles of one width.
pub(crate) struct Engine<F> {
    pub layout: Layout,
    pub level: Level,
    pub(super) axial: Option<Axial<F>>,
    pub(super) pre: Vec<Instr>,
    pub(super) post: Vec<Instr>,
    pub(super) programs: Vec<Compiled>,
    /// Steady states of the states that ask for them.
    pub(super) steady: Vec<Instr>,
    /// Derivatives of the parent's group at the beginning of the step and at its end, and where they are.
    pub(super) slope: [(Vec<Instr>, usize); 2],
    /// Signals, at the present state.
    pub(super) signals: Vec<Instr>,
    /// The diagonal of the parent's Jacobian at the present state, and where it is.
    diagonal: (Vec<Instr>, usize),
    /// The diffusion coefficients of the parent's states, if it has any, and where they are.
    diffusion: Option<(Vec<Instr>, usize)>,
    bounds: Vec<Bounds<F>>,
}

impl<F: Storage> Engine<F> {
    /// For tiles of `lanes` cells. One program per group of the model, with its substeps.
    pub fn new(
        model: Arc<Model>,
        programs: &[(&Program, usize)],
        lanes: usize,
        options: &EngineOptions,
    ) -> Self {
        let EngineOptions {
            level,
            seed,
            keep,
            record_signals,
        } = options;
        let mut layout = Layout::new(model.clone(), lanes, *seed);
        let phase = |layout: &Layout, phase| {
            let mut all = vec![Instr::Inputs {
                c: f64::from(u8::from(phase == Phase::Post)),
            }];
            let launches: Vec<&Launch> =
                model.launches.iter().filter(|l| l.phase == phase).collect();
            if launches.is_empty() {
                return Vec::new();
            }
            // Signals that are read are those of the present state.
            let sources = launches.iter().flat_map(|l| &l.inputs);
            let read = sources.filter_map(|source| match source {
                Source::Signal(s) => Some(*s),
                _ => None,
            });
            let present = Wanted::all(usize::MAX, 0);
            let mut known = HashSet::new();
            all.extend(run_wanted(layout, &present, &read.collect(), &mut known));
            let none = HashSet::new();
            all.extend(run_launches(layout, &launches, &present, &none, &known));
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
            let what = (Parts::ALL, Terms::All);
            all.extend(derivative(&layout, 0, what, y, to, &mut HashSet::new()));
            (all, to)
        });
        let mut signals = vec![Instr::Inputs { c: 0.0 }];
        signals.extend(run_wanted(
            &layout,
            &Wanted::all(0, layout.current[0]),
            &record_signals.iter().copied().collect(),
            &mut HashSet::new(),
        ));
        let mut diagonal = vec![Instr::Inputs { c: 0.0 }];
        let (present, to) = (layout.current[0], layout.take(layout.group_len[0]));
        diagonal.extend(all_signals(&layout, 0, present, &mut HashSet::new()));
        diagonal.extend(implicit::diagonal(
            &mut layout,
            (0, Terms::All),
            present,
            to,
            &|_| true,
        ));
        let diagonal = (diagonal, to);
        let diffusion = model.group_capabilities(0).noise.then(|| {
            let to = layout.take(layout.group_len[0]);
            let mut all = vec![Instr::Inputs { c: 0.0 }];
            all.extend(diffusion(&layout, 0, present, to));
            (all, to)
        });
        let steady = steady(&layout);
        let programs = programs
            .iter()
            .enumerate()
            .map(|(group, &(program, substeps))| {
                compile(
                    &mut layout,
                    group,
                    program,
                    substeps,
                    if group == 0 { *keep } else { Keep::default() },
                )
            });
        let mut programs: Vec<Compiled> = programs.collect();
        for program in &mut programs {
            if size_of::<F>() == size_of::<f64>() {
                advance(program, &mut layout);
            }
            program.runs = [(); 2].map(|()| program.settled.clone());
        }
        // Nothing else may change the state between two steps.
        match &mut programs[..] {
            [alone] if pre.is_empty() && post.is_empty() => carry(alone, &mut layout),
            _ => {}
        }
        let room = strips::CACHE / size_of::<F>();
        for program in &mut programs {
            for list in &mut program.runs {
                *list = in_strips(list, &layout, room);
            }
        }
        Self {
            bounds: bounds(&layout),
            layout,
            level: *level,
            axial: model.cable.as_ref().map(Axial::new),
            pre,
            post,
            programs,
            steady,
            slope,
            signals,
            diagonal,
            diffusion,
        }
    }

    /// A fresh workspace.
    pub fn workspace(&self) -> Workspace<F> {
        Workspace {
            arena: Arena::new(self.layout.size),
            wide: Arena::new(self.layout.wide),
            swaps: vec![0; self.layout.swaps],
            saved: vec![F::default(); self.layout.all_current.len],
            inside: vec![F::default(); self.layout.all_current.len],
            tree: Arena::new(self.layout.tree),
            nodes: [(); 2].map(|()| {
                let nodes = self.axial.as_ref().map_or(0, Axial::nodes);
                Arena::new(nodes * self.layout.lanes)
            }),
            coefficients: (self.programs.iter())
                .map(|program| Coefficients {
                    values: vec![F::default(); program.coefficients.len()],
                    ..Coefficients::default()
                })
                .collect(),
            work: Work::default(),
            parameters_of: None,
            continued: false,
        }
    }

    /// The size of a workspace.
    pub fn bytes(&self) -> usize {
        let layout = &self.layout;
        let numbers = layout.size + layout.tree + 2 * layout.all_current.len;
        let swaps = layout.swaps * size_of::<u32>();
        numbers * size_of::<F>() + layout.wide * size_of::<f64>() + swaps
    }

    /// Evaluations of the right-hand side by the parent's program in a step.
    pub fn right_hand_sides(&self) -> u64 {
        self.programs[0].right_hand_sides
    }

    /// Where the error estimate of the step is.
    pub fn error(&self) -> Option<usize> {
        self.programs[0].error
    }

    /// Where the coefficients of the solution inside the step are.
    pub fn dense(&self) -> &[usize] {
        &self.programs[0].dense
    }

    pub(super) fn context<'a>(
        &'a self,
        first_cell: usize,
        clock: &'a Clock,
        coefficients: &'a [F],
    ) -> Context<'a, F> {
        Context {
            layout: &self.layout,
            level: self.level,
            first_cell,
            clock,
            axial: self.axial.as_ref(),
            coefficients,
        }
    }

    /// Parameters and initial states of the tile that begins with cell `first`.
    pub fn initialise(&self, first: usize, t: f64, w: &mut Workspace<F>) {
        self.layout.fill(first, w);
        let clock = Clock {
            t,
            h: 0.0,
            within: t,
            number: 0,
        };
        // Twice: signals that rates depend on may themselves depend on gates.
        for _ in 0..2 {
            self.plain(&self.steady, first, &clock, w);
        }
    }

    /// Calls `f` with the coefficients of a group's program for steps of size `h`. Equal step sizes do not compute them
    /// again.
    pub(super) fn with_coefficients<R>(
        &self,
        group: usize,
        h: f64,
        w: &mut Workspace<F>,
        f: impl FnOnce(&[F], &mut Workspace<F>) -> R,
    ) -> R {
        // Taken out, so that the rest of the workspace can be changed; nothing is copied.
        let mut held = std::mem::take(&mut w.coefficients[group]);
        if held.h != h {
            held.h = h;
            w.continued = false;
            let all = self.programs[group].coefficients.iter();
            for (value, coefficient) in held.values.iter_mut().zip(all) {
                *value = F::from_f64(coefficient.value(h));
            }
        }
        let result = f(&held.values, w);
        w.coefficients[group] = held;
        result
    }

    /// Runs a group's program over a step, `w.continued` for one that begins with the state as the program left it.
    fn program(
        &self,
        group: usize,
        first: usize,
        clock: &Clock,
        w: &mut Workspace<F>,
    ) -> Result<(), Box<StepFailure>> {
        self.with_coefficients(group, clock.h, w, |coefficients, w| {
            let context = self.context(first, clock, coefficients);
            let program = &self.programs[group];
            let continued = std::mem::take(&mut w.continued);
            exec::execute(&program.runs[usize::from(continued)], &context, w)
        })
    }

    /// Instructions that cannot fail and use no coefficients.
    fn plain(&self, instructions: &[Instr], first: usize, clock: &Clock, w: &mut Workspace<F>) {
        let done = exec::execute(instructions, &self.context(first, clock, &[]), w);
        debug_assert!(done.is_ok());
    }

    /// Keeps the state at the beginning of a step: for spikes in it, for the solution inside it, and to go back to.
    pub fn keep_beginning(&self, w: &mut Workspace<F>) {
        let layout = &self.layout;
        w.arena
            .copy_within(layout.all_current.range(), layout.all_previous.offset);
    }

    /// Advances the tile that begins with cell `first`; [`Engine::finish`] must follow. Who leaves the state as it then is, and
    /// the parameters too, may say so by [`Workspace::continued`].
    pub fn advance(
        &self,
        first: usize,
        clock: &Clock,
        w: &mut Workspace<F>,
    ) -> Result<(), Box<StepFailure>> {
        self.plain(&self.pre, first, clock, w);
        self.independent(first, clock, 0, w)?;
        self.program(0, first, clock, w)?;
        self.independent(first, clock, 1, w)
    }

    /// Advances the independent groups over the first (0) or the second (1) half of a step.
    fn independent(
        &self,
        first: usize,
        clock: &Clock,
        half: u64,
        w: &mut Workspace<F>,
    ) -> Result<(), Box<StepFailure>> {
        for (group, program) in self.programs.iter().enumerate().skip(1) {
            let substeps = program.substeps as u64;
            for k in half * substeps..(half + 1) * substeps {
                self.program(group, first, &program.clock(clock, k), w)?;
            }
        }
        Ok(())
    }

    /// The end of a step: what modules do after it.
    pub fn finish(&self, first: usize, clock: &Clock, w: &mut Workspace<F>) {
        self.plain(&self.post, first, clock, w);
    }

    /// The derivatives of the parent's states at the beginning (0) or the end (1) of the step just made, before
    /// [`Engine::finish`]. Returns where in the arena they are.
    pub fn slope(&self, end: usize, first: usize, clock: Clock, w: &mut Workspace<F>) -> usize {
        let (instructions, to) = &self.slope[end];
        self.plain(instructions, first, &clock, w);
        *to
    }

    /// Where the derivatives at the beginning (0) or the end (1) of a step are.
    pub fn slope_at(&self, end: usize) -> usize {
        self.slope[end].1
    }

    /// Computes the signals to be recorded at time `clock.t`.
    pub fn signals(&self, first: usize, clock: Clock, w: &mut Workspace<F>) {
        self.plain(&self.signals, first, &clock, w);
    }

    /// The greatest |∂f_i/∂y_i| of the parent's states now, per ms.
    pub fn fastest_rate(&self, first: usize, clock: Clock, w: &mut Workspace<F>) -> f64 {
        let (instructions, at) = &self.diagonal;
        self.plain(instructions, first, &clock, w);
        let diagonal = &w.arena[*at..at + self.layout.group_len[0]];
        diagonal
            .iter()
            .map(|x| x.to_f64().abs())
            .fold(0.0, f64::max)
    }

    /// The diffusion coefficients of the parent's states now: where they are, if there are any.
    pub fn diffusion(&self, first: usize, clock: Clock, w: &mut Workspace<F>) -> Option<usize> {
        let (instructions, at) = self.diffusion.as_ref()?;
        self.plain(instructions, first, &clock, w);
        Some(*at)
    }

    /// Whether the state is finite and within its bounds.
    pub fn is_sound(&self, arena: &[F]) -> bool {
        let within = |bounds: &Bounds<F>| {
            let outside = |x: &F| *x < bounds.least || *x > bounds.greatest;
            !arena[bounds.plane.range()].iter().any(outside)
        };
        all_finite(&arena[self.layout.all_current.range()], self.level)
            && self.bounds.iter().all(within)
    }
}

/// What the numbers of a plane have to lie between.
struct Bounds<F> {
    plane: Plane,
    least: F,
    greatest: F,
}

/// The bounds of the present states that have any.
fn bounds<F: Storage>(layout: &Layout) -> Vec<Bounds<F>> {
    let states = layout.model.states.iter().zip(&layout.states);
    let bounds = states.filter_map(|(info, plane)| {
        let (least, greatest) = info.state.bounds;
        let any = least > f64::NEG_INFINITY || greatest < f64::INFINITY;
        any.then(|| Bounds {
            plane: Plane {
                offset: layout.current[info.group] + plane.offset,
                len: plane.len,
            },
            least: F::from_f64(least),
            greatest: F::from_f64(greatest),
        })
    });
    bounds.collect()
}
