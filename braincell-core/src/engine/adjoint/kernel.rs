//! Adjoints of instructions that compute a kernel's values, its partial derivatives, or both.

use super::super::exec::Context;
use super::super::instr::Instr;
use super::apply::{clear, gather, scatter};
use super::loops::{Factor, add_products, sum_products};
use crate::kernel::{Accumulate, Index, Operand, Output, Routine, Seed};

/// The rule of [`Instr::Kernel`] and [`Instr::Partials`], backwards.
pub(super) struct KernelRule {
    routine: Routine,
    len: usize,
    /// What the instruction writes, and the planes that its adjoints are put together in, if they matter.
    results: Vec<(Output, Option<usize>)>,
    /// The arguments, and the planes of what is added to their adjoints.
    arguments: Vec<(Operand, usize)>,
    /// What the routine reads.
    needs: Vec<Operand>,
    scratch: usize,
}

impl KernelRule {
    /// `active` says whether an argument has a derivative; planes begin at `scratch`.
    pub fn new(instr: &Instr, active: &dyn Fn(&Operand) -> bool, scratch: usize) -> Option<Self> {
        let (kernel, call, masks, partials, values) = match instr {
            Instr::Kernel { kernel, call } => (kernel, call, &[][..], &[][..], &call.outputs),
            Instr::Partials {
                kernel,
                call,
                masks,
                values,
                ..
            } => (kernel, call, &masks[..], &call.outputs[..], values),
            _ => return None,
        };
        let len = call.len;
        let mut end = scratch;
        let mut plane = || {
            end += Routine::room(len);
            end - Routine::room(len)
        };
        let (mut results, mut seeds) = (Vec::new(), Vec::new());
        let mut inputs = call.inputs.clone();
        let mut place = |output: &Option<Output>, seed: Seed| {
            if let Some(output) = output {
                let offset = plane();
                let index = Index::Each;
                results.push((output.clone(), offset));
                inputs.push(Operand { offset, index });
                seeds.push(seed);
            }
        };
        for (slot, output) in partials.iter().enumerate() {
            let seed = Seed {
                result: slot / masks.len(),
                direction: Some(masks[slot % masks.len()]),
            };
            place(output, seed);
        }
        for (result, output) in values.iter().enumerate() {
            let seed = Seed {
                result,
                direction: None,
            };
            place(output, seed);
        }
        let wanted = (call.inputs.iter().enumerate()).filter(|(_, input)| active(input));
        let wanted = wanted.fold(0, |mask, (i, _)| mask | 1 << i);
        let mut graph = kernel.graph();
        let found = graph.adjoints(&seeds, wanted);
        let found: Vec<_> = found.into_iter().map(|(i, id)| (i, id, plane())).collect();
        let to: Vec<_> = found.iter().map(|&(_, id, plane)| (id, plane)).collect();
        let routine = Routine::new(&graph, &to, &inputs, len, end);
        let count = call.inputs.len();
        let results = results.into_iter().enumerate();
        let results =
            results.map(|(k, (output, at))| (output, routine.reads(count + k).then_some(at)));
        Some(Self {
            len,
            results: results.collect(),
            arguments: (found.iter())
                .map(|&(i, _, plane)| (call.inputs[i].clone(), plane))
                .collect(),
            needs: routine.read(&call.inputs),
            scratch: end + routine.size() - scratch,
            routine,
        })
    }

    /// Numbers that planes and routine take.
    pub fn scratch(&self) -> usize {
        self.scratch
    }

    /// What the rule reads: arguments and the number of elements.
    pub fn needs(&self) -> (&[Operand], usize) {
        (&self.needs, self.len)
    }

    /// Adjoints of the arguments from those of the results; the arena is as it was before the instruction ran.
    pub fn adjoint(&self, context: &Context<f64>, arena: &mut [f64], bar: &mut [f64]) {
        let len = self.len;
        let mut any = false;
        // The last first: what another has set before it is lost.
        for (output, plane) in self.results.iter().rev() {
            if len == 1 {
                let of = &mut bar[output.to.place(0)];
                if let Some(plane) = plane {
                    any |= *of != 0.0;
                    arena[*plane] = *of;
                }
                if output.how == Accumulate::Set {
                    *of = 0.0;
                }
                continue;
            }
            if let Some(plane) = plane {
                let values = &mut arena[*plane..plane + len];
                gather(&output.to, bar, values);
                any |= values.iter().any(|x| *x != 0.0);
            }
            if output.how == Accumulate::Set {
                clear(&output.to, len, bar);
            }
        }
        if !any || self.arguments.is_empty() {
            return;
        }
        let level = context.level;
        self.routine.run(level, arena);
        let one = Factor::Number(1.0);
        for (argument, plane) in &self.arguments {
            let at = argument.offset;
            match &argument.index {
                _ if len == 1 => bar[argument.place(0)] += arena[*plane],
                Index::Each => {
                    let from = &arena[*plane..plane + len];
                    add_products(level, &mut bar[at..at + len], one, from);
                }
                Index::Splat => bar[at] += sum_products(level, one, &arena[*plane..plane + len]),
                Index::Map(_) => scatter(argument, &arena[*plane..plane + len], bar),
            }
        }
    }
}
