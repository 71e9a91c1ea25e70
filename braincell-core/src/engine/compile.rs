//! From step programs to instructions.

use super::exec::Clock;
use super::fuse::{fused, solved_at_once};
use super::graph::{Wanted, all_signals, derivative, diffusion, run_wanted, states_in};
use super::implicit::{self, Linearized};
use super::in_place::in_place;
use super::instr::Instr;
use super::layout::{Layout, Plane};
use super::registers::Registers;
use super::simplify::{Keep, simplified};
use crate::kernel::{Accumulate, Call, Output};
use crate::model::{Phase, SignalId, Source, StateId, Target};
use crate::stepper::{Array, Coef, Linearization, Op, Parts, Program, Terms};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A group's step program.
pub(super) struct Compiled {
    pub substeps: usize,
    /// One by one, as the operations say: what tangents follow.
    pub instructions: Vec<Instr>,
    /// The same in fewer instructions, in place: what adjoints follow.
    pub settled: Vec<Instr>,
    /// What they follow in a step after one of the same size that left the state as it is, if that leaves anything else behind.
    pub continued: Option<Vec<Instr>>,
    /// What runs in any step, and what runs in one after such a step.
    pub runs: [Vec<Instr>; 2],
    pub coefficients: Vec<Coef>,
    /// Evaluations of the right-hand side in a step.
    pub right_hand_sides: u64,
    /// What the program leaves behind.
    pub kept: Vec<Range<usize>>,
    /// The error estimate, if it is kept.
    pub error: Option<usize>,
    /// The coefficients of θ, θ², … of the solution inside the step, if they are kept.
    pub dense: Vec<usize>,
}

impl Compiled {
    /// The clock of substep k of an independent group, within a step of the parent.
    pub fn clock(&self, step: &Clock, k: u64) -> Clock {
        let h = 0.5 * step.h / self.substeps as f64;
        Clock {
            t: step.t + k as f64 * h,
            h,
            within: step.within,
            number: (step.number << 16) + k,
        }
    }
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
    /// The signals that have been.
    known: HashSet<SignalId>,
    /// The linearisations whose ∂f/∂t is read.
    timed: HashSet<Linearization>,
    /// The greatest k of the functions φ_k that are applied.
    pub top_phi: usize,
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
    let ops = simplified(program, layout, group, keep);
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
        known: HashSet::new(),
        timed: (ops.iter())
            .filter_map(|op| match op {
                Op::TimeDerivative { lin, .. } => Some(*lin),
                _ => None,
            })
            .collect(),
        top_phi: (ops.iter())
            .map(|op| match op {
                Op::Phi { k, .. } => *k as usize,
                _ => 0,
            })
            .max()
            .unwrap_or(0),
        linearized: HashMap::new(),
    };
    let committed = ops.iter().find_map(|op| match op {
        Op::Commit { of } => Some(*of),
        _ => None,
    });
    let mut commit = None;
    let mut compiled = Compiled {
        substeps,
        instructions: Vec::new(),
        settled: Vec::new(),
        continued: None,
        runs: [const { Vec::new() }; 2],
        coefficients: Vec::new(),
        right_hand_sides: 0,
        kept: Vec::new(),
        error: None,
        dense: Vec::new(),
    };
    // Whether the state at the beginning of the step is read after an operation.
    let later = |k: usize| ops[k + 1..].iter().any(|op| op.reads().contains(&Array(0)));
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
                if Some(*out) == committed && !later(k) {
                    c.registers.place(*out, current);
                }
                c.combine(*out, terms);
            }
            Op::Relax { out, y, .. } => {
                if Some(*out) == committed && *y != Array(0) && !later(k) {
                    c.registers.place(*out, current);
                }
                c.operation(op);
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
    let arrays = compiled
        .error
        .iter()
        .chain(&compiled.dense)
        .chain([&current]);
    let kept: Vec<_> = arrays.map(|&at| at..at + len).collect();
    let list = fused(&c.all, c.layout);
    let list = in_place(&list, &c.coefficients, c.layout, group, &kept);
    // Without copies between them more belongs together.
    compiled.settled = solved_at_once(&fused(&list, c.layout), c.layout);
    compiled.kept = kept;
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

    /// Prepares to compute signals at an array: those that are known there stay so.
    fn at_array(&mut self, c: f64, y: Array) {
        self.time(c);
        if self.signals_at != Some((c, y)) {
            self.signals_at = Some((c, y));
            // What depends on parameters alone stays.
            let constant = &self.layout.constant;
            self.known.retain(|s| constant.contains_key(s));
        }
    }

    /// Computes all signals at an array.
    pub fn signals(&mut self, c: f64, y: Array) {
        self.at_array(c, y);
        let from = self.at(y);
        let all = all_signals(self.layout, self.group, from, &mut self.known);
        self.all.extend(all);
    }

    /// Computes some signals at the array at `from`, the one prepared for.
    fn compute(&mut self, signals: &HashSet<SignalId>, from: usize) {
        let wanted = Wanted::all(self.group, from);
        let all = run_wanted(self.layout, &wanted, signals, &mut self.known);
        self.all.extend(all);
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
                self.at_array(*c, *y);
                let from = self.at(*y);
                let to = self.make(*out);
                let what = (*parts, *terms);
                let all = derivative(self.layout, group, what, from, to, &mut self.known);
                self.all.extend(all);
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
                let wants_time = self.timed.contains(out);
                let kind = (*jacobian, *parts);
                let linearized = implicit::linearize(self, kind, *c, *y, wants_time);
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
        let (group, model) = (self.group, self.layout.model.clone());
        let from = self.at(y);
        let to = self.make(out);
        let mut others = states_in(self.layout, group, parts);
        let kept = states_in(self.layout, group, Parts::ALL);
        let mut kept: Vec<StateId> = kept.difference(&others).copied().collect();
        kept.sort();
        let mut calls = Vec::new();
        let mut read = HashSet::new();
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
                        // Where a state has elements without this kernel, they stay.
                        if model.states[s.0].domain != launch.domain {
                            kept.push(*s);
                        }
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
            read.extend(launch.inputs.iter().filter_map(|source| match source {
                Source::Signal(s) => Some(*s),
                _ => None,
            }));
            let source = |&s| self.layout.source(launch.domain, s, group, from);
            let call = Call {
                len: self.layout.len(launch.domain),
                inputs: launch.inputs.iter().map(source).collect(),
                outputs,
            };
            calls.push((launch.kernel.clone(), call));
        }
        if others.is_empty() {
            self.at_array(c, y);
            self.compute(&read, from);
        } else {
            self.signals(c, y);
        }
        for s in kept {
            let Plane { offset, len } = self.layout.states[s.0];
            self.all.push(Instr::Copy {
                from: from + offset,
                to: to + offset,
                len,
            });
        }
        let time = self.coefficient(scale);
        for (kernel, call) in calls {
            self.all.push(Instr::Relax { kernel, call, time });
        }
        if !others.is_empty() {
            self.relax_along_diagonal([from, to], others, terms, time);
        }
    }

    /// y + h φ₁(h d) f with the diagonal d of the Jacobian. All signals are known.
    fn relax_along_diagonal(
        &mut self,
        [from, to]: [usize; 2],
        others: HashSet<StateId>,
        terms: Terms,
        scale: usize,
    ) {
        let group = self.group;
        let (f, d) = (self.permanent(), self.permanent());
        let wanted = Wanted {
            out: Some(f),
            states: others.clone(),
            axial: terms == Terms::All && others.iter().any(|s| self.layout.is_coupled(s.0)),
            ..Wanted::all(group, from)
        };
        let all = run_wanted(self.layout, &wanted, &HashSet::new(), &mut self.known);
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
