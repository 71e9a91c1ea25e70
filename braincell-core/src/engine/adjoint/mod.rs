//! Derivatives of what the engine does, instruction by instruction.
//!
//! Tangents are carried along with the values: each instruction's rule gives the derivatives of its results from those
//! of its arguments. For adjoints an execution is first *recorded*: every instruction saves the numbers that it
//! overwrites and that the rule of an earlier instruction will read. Then the instructions are taken backwards; each one's
//! saved numbers are put back and its rule turns the adjoints of its results into those of its arguments. Tangents and
//! adjoints have the layout of the arena, so that an instruction's operands address them too.
//!
//! Step sizes, the times of jumps and the number of Newton iterations count as constants.

mod apply;
mod axial;
mod factors;
mod inputs;
mod kernel;
mod linear;
mod loops;
mod newton;
mod one;
mod pointwise;
mod potentials;
mod program;
mod reach;
mod system;
mod tape;

use super::arena::{Arena, LINE};
use super::exec::{Clock, Context, StepFailure, Workspace};
use super::instr::Instr;
use super::phi::History;
use super::tile_engine::Engine;
use crate::kernel::Operand;
use program::Followed;
use std::collections::HashMap;
use tape::{Taped, record, reverse, run, tangent};

/// What derivatives are taken with respect to, besides the initial state.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wanted {
    /// Which parameters.
    pub parameters: Vec<bool>,
    /// The amplitudes of which inputs, by signal.
    pub amplitudes: Vec<bool>,
    /// The conductances of the connections along the cable.
    pub connections: bool,
}

/// Numbers beyond the engine's own arena.
pub(crate) struct Extras {
    /// For weights and right-hand sides.
    scratch: usize,
    /// Whether C A of the compartments has a derivative.
    capacity: bool,
    /// The conductance of the connection of each row of the cable to its parent.
    connections: Option<usize>,
    /// The amplitudes of each signal's waveforms in the tile.
    amplitudes: Vec<Option<usize>>,
    /// Length of the arena.
    size: usize,
}

impl Extras {
    /// Where the amplitudes of an input are.
    pub fn amplitude(&self, signal: usize) -> Option<usize> {
        self.amplitudes[signal]
    }
    /// Where the conductances of the connections are, connections × lanes.
    pub fn connections(&self) -> Option<usize> {
        self.connections
    }
    /// Whether anything of the cable has a derivative.
    fn cable(&self) -> bool {
        self.capacity || self.connections.is_some()
    }
}

/// What a rule needs besides the workspace.
struct Frame<'a> {
    context: &'a Context<'a, f64>,
    extras: &'a Extras,
}

impl<'a> Frame<'a> {
    fn axial(&self) -> Option<&'a super::axial::Axial<f64>> {
        self.context.axial
    }
}

/// What is looked at in a step, besides the state at its end. Either may need the state at its beginning, and the slopes at both
/// ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Looks {
    /// Samples are taken inside it.
    pub inside: bool,
    /// Spikes are looked for.
    pub spikes: bool,
}

impl Looks {
    fn any(self) -> bool {
        self.inside || self.spikes
    }
}

/// A part of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Section {
    /// What depends on parameters alone, before the first step.
    Constants,
    /// The state is kept as the previous one.
    Begin,
    /// What modules do before a step.
    Pre,
    /// A group's program; whether the step goes on from one of the same size whose state it begins with, as that left it.
    Program { group: usize, continued: bool },
    /// The derivatives at the beginning (0) or the end (1).
    Slope(usize),
    /// What modules do after a step.
    Post,
    /// The signals to be recorded.
    Signals,
    /// The initial state.
    Steady,
}

/// An engine's instructions with their rules.
pub(crate) struct Adjoint {
    constants: Vec<Taped>,
    begin: Vec<Taped>,
    pre: Vec<Taped>,
    programs: Vec<Followed>,
    slope: [Vec<Taped>; 2],
    post: Vec<Taped>,
    signals: Vec<Taped>,
    steady: Vec<Taped>,
    pub extras: Extras,
    /// Numbers held aside by a rule.
    aside: usize,
    looks: Looks,
    substeps: Vec<usize>,
}

/// The memory of a sweep.
pub(crate) struct Sweep {
    /// Saved numbers.
    pub log: Vec<f64>,
    /// Adjoints.
    pub bar: Arena<f64>,
    wide_bar: Arena<f64>,
    /// Tangents, for each direction.
    pub dots: Vec<Arena<f64>>,
    wide_dots: Vec<Arena<f64>>,
    aside: Arena<f64>,
    /// Products with the conductances of the cable, for each stage.
    products: Arena<f64>,
    /// Numbers of the nodes of the cable.
    nodes: [Arena<f64>; 2],
    /// For one element.
    small: Vec<f64>,
    /// How the matrices φ of each element were made, by the place of the first.
    histories: HashMap<usize, Vec<History>>,
    multipliers: Vec<f64>,
    /// The clock at which the factors of each group's program were made.
    fresh: Vec<Option<[u64; 2]>>,
}

impl Adjoint {
    /// The rules of an engine.
    pub fn new(engine: &Engine<f64>, wanted: &Wanted, looks: Looks) -> Self {
        let layout = &engine.layout;
        let mut size = layout.size;
        let mut take = |len: usize| {
            size += len;
            size - len
        };
        let cable = layout.model.cable.as_ref();
        let rows = cable.filter(|_| wanted.connections);
        let connections = rows.map(|info| take(info.tree.len() * layout.lanes));
        let amplitudes = layout.model.signals.iter().zip(&wanted.amplitudes);
        let amplitudes = amplitudes.map(|(signal, wanted)| {
            let input = signal.input.as_ref().filter(|_| *wanted)?;
            Some(take(if input.len() == 1 { 1 } else { layout.lanes }))
        });
        let amplitudes: Vec<Option<usize>> = amplitudes.collect();
        let scratch = take(0).next_multiple_of(LINE);
        let extras = Extras {
            scratch,
            capacity: cable.is_some_and(|info| wanted.parameters[info.cable.capacitance.0]),
            connections,
            amplitudes,
            size: scratch,
        };
        let constant = reach::constants(layout, wanted);
        let active = |operand: &Operand| !constant[operand.place(0)];
        let tape = |list: &[Instr]| Taped::list(list, layout, &active, &extras);
        let programs = (0..engine.programs.len()).map(|g| Followed::new(engine, g, &tape));
        let (programs, constants): (Vec<Followed>, Vec<Vec<Instr>>) = programs.unzip();
        let len = layout.all_current.len;
        let begin = Instr::Copy {
            from: layout.all_current.offset,
            to: layout.all_previous.offset,
            len,
        };
        let mut adjoint = Self {
            constants: tape(&constants.concat()),
            begin: tape(&[begin]),
            pre: tape(&engine.pre),
            programs,
            slope: [tape(&engine.slope[0].0), tape(&engine.slope[1].0)],
            post: tape(&engine.post),
            signals: tape(&engine.signals),
            steady: tape(&engine.steady),
            aside: 0,
            looks,
            substeps: engine.programs.iter().map(|p| p.substeps).collect(),
            extras,
        };
        let lists = adjoint.lists();
        let all = || lists.iter().flat_map(|list| list.iter());
        let planes = all().map(Taped::scratch).max().unwrap_or(0);
        let aside = all().map(Taped::aside).max().unwrap_or(0);
        adjoint.extras.size = scratch + planes.max(4 * len);
        adjoint.aside = aside;
        adjoint.find_needs();
        adjoint
    }

    fn lists(&self) -> Vec<&Vec<Taped>> {
        let mut lists = vec![
            &self.constants,
            &self.begin,
            &self.pre,
            &self.post,
            &self.signals,
            &self.steady,
        ];
        lists.extend(self.programs.iter().flat_map(Followed::lists));
        lists.extend(&self.slope);
        lists
    }

    /// Finds what each instruction has to save: what an earlier one's rule reads, in this step or one before.
    fn find_needs(&mut self) {
        let (inside, looks) = (self.looks.inside, self.looks.any());
        let mut needed = vec![false; self.extras.size];
        reach::pass(&mut self.constants, &mut needed);
        for _ in 0..2 {
            if looks {
                reach::pass(&mut self.begin, &mut needed);
            }
            reach::pass(&mut self.pre, &mut needed);
            for half in 0..2 {
                for g in 1..self.programs.len() {
                    for _ in 0..self.substeps[g].min(2) {
                        self.programs[g].pass(&mut needed);
                    }
                }
                if half == 0 {
                    self.programs[0].pass(&mut needed);
                }
            }
            for list in self.slope.iter_mut().filter(|_| looks) {
                reach::maybe(list, &mut needed);
            }
            for _ in 0..usize::from(inside) * 2 {
                reach::maybe(&mut self.signals, &mut needed);
            }
            reach::pass(&mut self.post, &mut needed);
            if !inside {
                reach::maybe(&mut self.signals, &mut needed);
            }
        }
        let mut needed = vec![false; self.extras.size];
        for _ in 0..2 {
            reach::pass(&mut self.steady, &mut needed);
        }
        let lists = [
            &mut self.constants,
            &mut self.begin,
            &mut self.pre,
            &mut self.post,
            &mut self.signals,
            &mut self.steady,
        ];
        let taped = lists.into_iter().chain(&mut self.slope).flatten();
        let programs = self.programs.iter_mut().flat_map(Followed::taped_mut);
        for taped in taped.chain(programs) {
            taped.save = taped.marks.ranges();
        }
    }

    /// Numbers that are saved before the first step.
    pub fn saved_once(&self) -> usize {
        self.constants.iter().map(Taped::saved).sum()
    }

    /// Numbers that a step saves at most.
    pub fn saved_per_step(&self) -> usize {
        let looks = usize::from(self.looks.any());
        let saved = |list: &Vec<Taped>| list.iter().map(Taped::saved).sum::<usize>();
        let programs = self.programs.iter().zip(&self.substeps).enumerate();
        let programs = programs.map(|(g, (program, substeps))| {
            let times = if g == 0 { 1 } else { 2 * substeps };
            times * program.saved()
        });
        programs.sum::<usize>()
            + looks * saved(&self.begin)
            + saved(&self.pre)
            + saved(&self.post)
            + saved(&self.signals)
            + looks * self.slope.iter().map(saved).sum::<usize>()
    }

    /// Numbers that a sample saves at most.
    pub fn saved_per_sample(&self) -> usize {
        self.signals.iter().map(Taped::saved).sum()
    }

    /// A workspace large enough for the rules.
    pub fn workspace(&self, engine: &Engine<f64>) -> Workspace<f64> {
        let mut w = engine.workspace();
        w.arena = Arena::new(self.extras.size);
        w
    }

    /// The memory of a sweep with so many tangents at once, or for adjoints.
    pub fn sweep(&self, engine: &Engine<f64>, directions: usize) -> Sweep {
        let layout = &engine.layout;
        let compartments = engine.axial.as_ref().map_or(0, |a| a.compartments);
        let nodes = engine.axial.as_ref().map_or(0, |a| a.nodes()) * layout.lanes;
        let adjoint = usize::from(directions == 0);
        let many = |len: usize| (0..directions).map(|_| Arena::new(len)).collect();
        Sweep {
            log: Vec::new(),
            bar: Arena::new(adjoint * self.extras.size),
            wide_bar: Arena::new(adjoint * layout.wide),
            dots: many(self.extras.size),
            wide_dots: many(layout.wide),
            aside: Arena::new(self.aside),
            products: Arena::new(4 * compartments * layout.lanes),
            nodes: [Arena::new(nodes), Arena::new(nodes)],
            small: Vec::new(),
            histories: HashMap::new(),
            multipliers: vec![0.0; 4 * layout.all_current.len * adjoint.max(1)],
            fresh: vec![None; engine.programs.len()],
        }
    }

    fn list(&self, section: Section) -> &[Taped] {
        match section {
            Section::Constants => &self.constants,
            Section::Begin => &self.begin,
            Section::Pre => &self.pre,
            Section::Program { group, continued } => &self.programs[group].list(continued).taped,
            Section::Slope(end) => &self.slope[end],
            Section::Post => &self.post,
            Section::Signals => &self.signals,
            Section::Steady => &self.steady,
        }
    }

    /// The sections that advance the state over a step, `continued` for one that goes on from a step of the same size, with their
    /// clocks.
    pub fn advance(
        &self,
        engine: &Engine<f64>,
        (clock, continued): (Clock, bool),
        to: &mut Vec<(Section, Clock)>,
    ) {
        let section = |group: usize| Section::Program { group, continued };
        to.clear();
        if self.looks.any() {
            to.push((Section::Begin, clock));
        }
        if !self.pre.is_empty() {
            to.push((Section::Pre, clock));
        }
        for half in 0..2 {
            for (g, program) in engine.programs.iter().enumerate().skip(1) {
                let substeps = program.substeps as u64;
                for k in half * substeps..(half + 1) * substeps {
                    to.push((section(g), program.clock(&clock, k)));
                }
            }
            if half == 0 {
                to.push((section(0), clock));
            }
        }
    }

    /// Runs a section and saves what its adjoint will need.
    pub fn record(
        &self,
        engine: &Engine<f64>,
        first: usize,
        (section, clock): (Section, Clock),
        w: &mut Workspace<f64>,
        sweep: &mut Sweep,
    ) -> Result<(), Box<StepFailure>> {
        let list = self.list(section);
        if list.is_empty() {
            return Ok(());
        }
        in_context(engine, first, (section, clock), w, |context, w| {
            record(list, context, self.extras.scratch, w, sweep)?;
            if let Section::Program { group, continued } = section {
                sweep.fresh[group] = Some(stamp(clock));
                for &k in &self.programs[group].list(continued).kept {
                    linear::save(&list[k].instr, context, w, sweep);
                }
            }
            Ok(())
        })
    }

    /// Takes a recorded section backwards.
    pub fn reverse(
        &self,
        engine: &Engine<f64>,
        first: usize,
        (section, clock): (Section, Clock),
        w: &mut Workspace<f64>,
        sweep: &mut Sweep,
    ) -> Result<(), Box<StepFailure>> {
        let list = self.list(section);
        if list.is_empty() {
            return Ok(());
        }
        in_context(engine, first, (section, clock), w, |context, w| {
            if let Section::Program { group, continued } = section {
                let fresh = sweep.fresh[group] == Some(stamp(clock));
                for &k in self.programs[group].list(continued).kept.iter().rev() {
                    // Functions φ are those of the last step that was recorded.
                    if !(fresh && linear::remembers(&list[k].instr)) {
                        linear::restore(&list[k].instr, context, w, sweep);
                    }
                }
                let several = |taped: &&Taped| match &taped.instr {
                    Instr::Factor { factors, .. } => factors.stages > 1,
                    _ => false,
                };
                if !fresh {
                    for taped in list.iter().filter(several) {
                        run(taped, context, w)?;
                    }
                }
                sweep.fresh[group] = Some(stamp(clock));
            }
            let extras = &self.extras;
            let frame = Frame { context, extras };
            let mut bar = std::mem::take(&mut sweep.bar);
            let done = reverse(list, &frame, w, &mut bar, sweep);
            sweep.bar = bar;
            done
        })
    }

    /// Runs a section with its tangents.
    pub fn tangent(
        &self,
        engine: &Engine<f64>,
        first: usize,
        (section, clock): (Section, Clock),
        w: &mut Workspace<f64>,
        sweep: &mut Sweep,
    ) -> Result<(), Box<StepFailure>> {
        in_context(engine, first, (section, clock), w, |context, w| {
            let extras = &self.extras;
            let frame = Frame { context, extras };
            let mut dots = std::mem::take(&mut sweep.dots);
            let list = match section {
                Section::Program { group, .. } => &self.programs[group].apart,
                _ => self.list(section),
            };
            let done = tangent(list, &frame, w, &mut dots, sweep);
            sweep.dots = dots;
            done
        })
    }
}

fn stamp(clock: Clock) -> [u64; 2] {
    [clock.t.to_bits(), clock.h.to_bits()]
}

/// Calls `f` with what the instructions of a section need.
fn in_context<R>(
    engine: &Engine<f64>,
    first: usize,
    (section, clock): (Section, Clock),
    w: &mut Workspace<f64>,
    f: impl FnOnce(&Context<f64>, &mut Workspace<f64>) -> R,
) -> R {
    match section {
        Section::Program { group, .. } => {
            engine.with_coefficients(group, clock.h, w, |coefficients, w| {
                f(&engine.context(first, &clock, coefficients), w)
            })
        }
        _ => f(&engine.context(first, &clock, &[]), w),
    }
}
