//! From step programs to instructions.

use super::exec::{Clock, Instr};
use super::graph::{Wanted, all_signals, derivative, diffusion, run_wanted, states_in};
use super::implicit::{self, Linearized};
use super::layout::Layout;
use crate::kernel::{Accumulate, Call, Output};
use crate::model::{Phase, StateId, Target};
use crate::stepper::{Array, Coef, Linearization, Op, Parts, Program, Terms};
use std::collections::{HashMap, HashSet};

/// A group's step program.
pub(super) struct Compiled {
    pub substeps: usize,
    pub instructions: Vec<Instr>,
    pub coefficients: Vec<Coef>,
    /// Evaluations of the right-hand side in a step.
    pub right_hand_sides: u64,
    /// The error estimate, if it is kept.
    pub error: Option<usize>,
    /// The coefficients of θ, θ², … of the solution inside the step, if they are kept.
    pub dense: Vec<usize>,
}

impl Compiled {
    /// The clock of substep k of an independent group, within a step of the parent.
    pub fn clock(&self, step: Clock, k: u64) -> Clock {
        let h = 0.5 * step.h / self.substeps as f64;
        Clock {
            t: step.t + k as f64 * h,
            h,
            within: step.within,
            number: (step.number << 16) + k,
        }
    }
}

/// What must be there at the end of a step besides the new state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keep {
    pub error: bool,
    pub dense: bool,
}

/// Which operations matter for what is kept.
fn live(program: &Program, keep: Keep) -> Vec<bool> {
    let ops = program.ops();
    let mut live = vec![false; ops.len()];
    let mut arrays = HashSet::new();
    let mut linearizations = HashSet::new();
    for (k, op) in ops.iter().enumerate().rev() {
        live[k] = match op {
            Op::Commit { .. } => true,
            Op::Error { .. } => keep.error,
            Op::Dense { .. } => keep.dense,
            Op::Linearize { out, .. } => linearizations.contains(out),
            _ => op.makes().iter().any(|a| arrays.contains(a)),
        };
        if live[k] {
            arrays.extend(op.reads());
            linearizations.extend(op.reads_linearization());
        }
    }
    live
}

/// The state of a compilation.
pub(super) struct Compiler<'a> {
    pub layout: &'a mut Layout,
    pub group: usize,
    pub len: usize,
    registers: Registers,
    pub coefficients: Vec<Coef>,
    pub all: Vec<Instr>,
    /// Where time stands, and the array at which signals have been computed.
    inputs_at: Option<f64>,
    signals_at: Option<(f64, Array)>,
    linearized: HashMap<Linearization, Linearized>,
}

/// A step program, as instructions that end with the new state in place.
pub(super) fn compile(
    layout: &mut Layout,
    group: usize,
    program: &Program,
    substeps: usize,
    keep: Keep,
) -> Compiled {
    let live = live(program, keep);
    let ops: Vec<&Op> = program
        .ops()
        .iter()
        .zip(&live)
        .filter(|(_, l)| **l)
        .map(|(op, _)| op)
        .collect();
    let current = layout.current[group];
    let len = layout.group_len[group];
    let mut c = Compiler {
        registers: Registers::new(&ops, program.arrays(), len, current),
        layout,
        group,
        len,
        coefficients: Vec::new(),
        all: Vec::new(),
        inputs_at: None,
        signals_at: None,
        linearized: HashMap::new(),
    };
    let committed = program.committed();
    let mut commit = None;
    let mut compiled = Compiled {
        substeps,
        instructions: Vec::new(),
        coefficients: Vec::new(),
        right_hand_sides: 0,
        error: None,
        dense: Vec::new(),
    };
    for (k, op) in ops.iter().enumerate() {
        match op {
            Op::Commit { of } => {
                let from = c.at(*of);
                // Operations that follow still see the state at the beginning of the step.
                commit = (from != current).then_some(Instr::Copy {
                    from,
                    to: current,
                    len,
                });
            }
            Op::Error { of } => compiled.error = Some(c.at(*of)),
            Op::Dense { powers } => compiled.dense = powers.iter().map(|p| c.at(*p)).collect(),
            Op::Combine { out, terms } => {
                let later = ops[k + 1..].iter().any(|op| op.reads().contains(&Array(0)));
                if *out == committed && !later {
                    c.registers.place(*out, current);
                }
                c.combine(*out, terms);
            }
            Op::Rhs { .. } => {
                compiled.right_hand_sides += 1;
                c.operation(op);
            }
            _ => c.operation(op),
        }
        c.registers.release(k);
    }
    c.all.extend(commit);
    compiled.instructions = c.all;
    compiled.coefficients = c.coefficients;
    compiled
}

impl Compiler<'_> {
    pub fn at(&self, array: Array) -> usize {
        self.registers.at(array)
    }

    /// A place for a new array.
    pub fn make(&mut self, array: Array) -> usize {
        self.registers.make(self.layout, array)
    }

    /// An array that is there for the whole step.
    pub fn permanent(&mut self) -> usize {
        self.layout.take(self.len)
    }

    /// The number of a coefficient.
    pub fn coefficient(&mut self, coefficient: Coef) -> usize {
        self.coefficients.push(coefficient);
        self.coefficients.len() - 1
    }

    /// Sets time and inputs from outside.
    pub fn time(&mut self, c: f64) {
        if self.inputs_at != Some(c) {
            self.inputs_at = Some(c);
            self.all.push(Instr::Inputs { c });
        }
    }

    /// After instructions that set time and signals in their own ways.
    pub fn forget(&mut self) {
        self.inputs_at = None;
        self.signals_at = None;
    }

    /// Computes all signals at an array.
    pub fn signals(&mut self, c: f64, y: Array) {
        self.time(c);
        if self.signals_at != Some((c, y)) {
            let from = self.at(y);
            let all = all_signals(self.layout, self.group, from);
            self.all.extend(all);
            self.signals_at = Some((c, y));
        }
    }

    fn combine(&mut self, out: Array, terms: &[(Coef, Array)]) {
        let terms = terms
            .iter()
            .map(|&(coefficient, array)| (self.coefficient(coefficient), self.registers.at(array)));
        let terms = terms.collect();
        let to = self.make(out);
        let len = self.len;
        self.all.push(Instr::Combine { to, len, terms });
    }

    fn operation(&mut self, op: &Op) {
        let len = self.len;
        let group = self.group;
        match op {
            Op::Rhs {
                out,
                parts,
                terms,
                c,
                y,
            } => {
                self.time(*c);
                let from = self.at(*y);
                let to = self.make(*out);
                let all = derivative(self.layout, group, (*parts, *terms), from, to);
                self.all.extend(all);
                let complete = *parts == Parts::ALL && *terms != Terms::Cable;
                self.signals_at = complete.then_some((*c, *y));
            }
            Op::Diffusion { out, c, y } => {
                self.time(*c);
                let from = self.at(*y);
                let to = self.make(*out);
                let all = diffusion(self.layout, group, from, to);
                self.all.extend(all);
                self.signals_at = None;
            }
            Op::Select { out, parts, a, b } => {
                let (a, b) = (self.at(*a), self.at(*b));
                let to = self.make(*out);
                for (s, info) in self.layout.model.states.iter().enumerate() {
                    if info.group == group {
                        let from = if parts.contains(info.state.part) {
                            a
                        } else {
                            b
                        };
                        let plane = self.layout.states[s];
                        self.all.push(Instr::Copy {
                            from: from + plane.offset,
                            to: to + plane.offset,
                            len: plane.len,
                        });
                    }
                }
            }
            Op::Product { out, a, b } => {
                let (a, b) = (self.at(*a), self.at(*b));
                let to = self.make(*out);
                self.all.push(Instr::Product { to, a, b, len });
            }
            Op::TimesWiener { out, m, x } => {
                let (x, m) = (self.at(*x), *m);
                let to = self.make(*out);
                self.all.push(Instr::TimesWiener { to, x, m, group });
            }
            Op::Relax {
                out,
                parts,
                terms,
                c,
                scale,
                y,
            } => self.relax(*out, *parts, *terms, *c, *scale, *y),
            Op::Linearize {
                out,
                jacobian,
                parts,
                c,
                y,
            } => {
                let linearized = implicit::linearize(self, *jacobian, *parts, *c, *y);
                self.linearized.insert(*out, linearized);
            }
            Op::TimeDerivative { out, lin } => {
                let from = self.linearized[lin].time;
                let to = self.make(*out);
                self.all.push(Instr::Copy { from, to, len });
            }
            Op::Solve { out, lin, gamma, b } => {
                let mut linearized = self.linearized.remove(lin).expect("recorded before");
                implicit::solve(self, &mut linearized, *out, *gamma, *b);
                self.linearized.insert(*lin, linearized);
            }
            Op::Phi {
                out,
                lin,
                k,
                scale,
                b,
            } => {
                let mut linearized = self.linearized.remove(lin).expect("recorded before");
                implicit::phi(self, &mut linearized, *out, *k, *scale, *b);
                self.linearized.insert(*lin, linearized);
            }
            Op::ImplicitStage {
                out,
                parts,
                terms,
                c,
                gamma,
                base,
                guess,
            } => {
                let stages = implicit::Stages {
                    parts: *parts,
                    terms: *terms,
                    c: &[*c],
                    a: &[*gamma],
                    base: *base,
                    guess: *guess,
                };
                implicit::stages(self, &[*out], &stages);
            }
            Op::ImplicitStages { out, a, c, y } => {
                let a: Vec<Coef> = a.iter().flatten().map(|&a| crate::stepper::h(a)).collect();
                let stages = implicit::Stages {
                    parts: Parts::ALL,
                    terms: Terms::All,
                    c,
                    a: &a,
                    base: *y,
                    guess: *y,
                };
                implicit::stages(self, out, &stages);
            }
            Op::Combine { .. } | Op::Commit { .. } | Op::Error { .. } | Op::Dense { .. } => {}
        }
    }

    /// States that relax by their kernel do so; the others by the derivative and the diagonal of the Jacobian.
    fn relax(&mut self, out: Array, parts: Parts, terms: Terms, c: f64, scale: Coef, y: Array) {
        let len = self.len;
        let (group, model) = (self.group, self.layout.model.clone());
        let from = self.at(y);
        let to = self.make(out);
        if terms == Terms::Cable {
            self.all.push(Instr::Copy { from, to, len });
            return;
        }
        let mut others = states_in(self.layout, group, parts);
        if !others.is_empty() {
            self.signals(c, y);
        }
        self.all.push(Instr::Copy { from, to, len });
        let scale = self.coefficient(scale);
        for launch in model
            .launches
            .iter()
            .filter(|l| l.phase == Phase::Derivative)
        {
            let alone = |target: &&Target| {
                let all = model.launches.iter().flat_map(|l| &l.outputs);
                all.filter(|t| t == target).count() == 1
            };
            if launch.kernel.relaxing_states().is_none()
                || !launch.outputs.iter().all(|t| alone(&t))
            {
                continue;
            }
            let outputs: Vec<Option<Output>> = (launch.outputs.iter())
                .map(|target| match target {
                    // Several elements cannot each relax the one state of the cell.
                    Target::Derivative(s)
                        if self.layout.len(model.states[s.0].domain)
                            >= self.layout.len(launch.domain)
                            && others.remove(s) =>
                    {
                        let info = &model.states[s.0];
                        let at = to + self.layout.states[s.0].offset;
                        Some(Output {
                            to: self.layout.operand(launch.domain, info.domain, at),
                            how: Accumulate::Set,
                        })
                    }
                    _ => None,
                })
                .collect();
            if outputs.iter().all(Option::is_none) {
                continue;
            }
            let source = |&s| self.layout.source(launch.domain, s, group, from);
            let call = Call {
                len: self.layout.len(launch.domain),
                inputs: launch.inputs.iter().map(source).collect(),
                outputs,
            };
            self.all.push(Instr::Relax {
                kernel: launch.kernel.clone(),
                call,
                time: scale,
            });
        }
        if others.is_empty() {
            return;
        }
        let (f, d) = (self.permanent(), self.permanent());
        let wanted = Wanted {
            group,
            y: from,
            out: Some(f),
            states: others.clone(),
            diffusion: false,
            axial: terms == Terms::All && others.iter().any(|s| self.layout.is_coupled(s.0)),
        };
        let all = run_wanted(self.layout, &wanted, &HashSet::new());
        self.all.extend(all);
        let all = implicit::diagonal(self.layout, (group, terms), from, d, &|s| {
            others.contains(&StateId(s))
        });
        self.all.extend(all);
        let mut others: Vec<StateId> = others.into_iter().collect();
        others.sort();
        for s in others {
            let plane = self.layout.states[s.0];
            self.all.push(Instr::RelaxDiagonal {
                to: to + plane.offset,
                y: from + plane.offset,
                f: f + plane.offset,
                d: d + plane.offset,
                scale,
                len: plane.len,
            });
        }
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
    fn new(ops: &[&Op], arrays: usize, len: usize, current: usize) -> Self {
        let mut last = vec![Vec::new(); ops.len()];
        for array in (1..arrays as u32).map(Array) {
            let kept = ops.iter().any(|op| {
                let last = matches!(op, Op::Error { .. } | Op::Dense { .. } | Op::Commit { .. });
                last && op.reads().contains(&array)
            });
            let uses = |op: &&Op| op.reads().contains(&array) || op.makes().contains(&array);
            if let (false, Some(k)) = (kept, ops.iter().rposition(uses)) {
                last[k].push(array);
            }
        }
        let mut place = vec![None; arrays];
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

    /// The place of an array to be made: the one it has been given, or a free one.
    fn make(&mut self, layout: &mut Layout, array: Array) -> usize {
        match self.place[array.0 as usize] {
            Some(place) => place,
            None => {
                let place = self.free.pop().unwrap_or_else(|| layout.take(self.len));
                self.place(array, place);
                place
            }
        }
    }

    fn place(&mut self, array: Array, place: usize) {
        self.place[array.0 as usize] = Some(place);
    }

    /// After operation k the arrays that it used last are no longer needed.
    fn release(&mut self, k: usize) {
        for array in &self.last[k] {
            if let Some(place) = self.place[array.0 as usize]
                && self.place[0] != Some(place)
            {
                self.free.push(place);
            }
        }
    }
}
