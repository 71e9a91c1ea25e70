//! Adjoints of instructions that compute a kernel's partial derivatives, or these and its values.

use super::super::exec::{Context, Instr};
use super::apply::{clear, gather, scatter};
use super::loops::{Factor, add_products, sum_products};
use crate::kernel::{
    Accumulate, AdjointCall, Call, Column, Index, Kernel, Operand, Output, columns,
};
use std::sync::Arc;

/// The rule of [`Instr::Partials`], backwards.
pub(super) struct PartialsRule {
    kernel: Arc<dyn Kernel>,
    call: AdjointCall,
    len: usize,
    /// What the instruction writes, and the planes that its adjoints are put together in.
    results: Vec<(Output, usize)>,
    /// The arguments, and the planes of what is added to their adjoints.
    arguments: Vec<(Operand, usize)>,
    planes: usize,
}

impl PartialsRule {
    /// `active` says whether an argument has a derivative; planes begin at `scratch`.
    pub fn new(instr: &Instr, active: &dyn Fn(&Operand) -> bool, scratch: usize) -> Option<Self> {
        let Instr::Partials {
            kernel,
            columns: outer,
            masks,
            call,
            values,
        } = instr
        else {
            return None;
        };
        let len = call.len;
        let mut planes = 0;
        let mut plane = || {
            planes += 1;
            scratch + (planes - 1) * len
        };
        let mut results = Vec::new();
        let mut place = |output: &Option<Output>| {
            let output = output.clone()?;
            let at = plane();
            results.push((output, at));
            Some(at)
        };
        let partials: Vec<Option<usize>> = call.outputs.iter().map(&mut place).collect();
        let mut of_values: Vec<Option<usize>> = values.iter().map(&mut place).collect();
        let dependencies = kernel.dependencies();
        of_values.resize(dependencies.len(), None);
        let slots = |o: usize| &partials[o * outer.len()..(o + 1) * outer.len()];
        let useful = |o: usize, i: usize| {
            let wanted = of_values[o].is_some() || slots(o).iter().any(Option::is_some);
            wanted && dependencies[o] >> i & 1 == 1 && active(&call.inputs[i])
        };
        let by = columns(&**kernel, useful);
        let mut arguments: Vec<(Operand, usize)> = Vec::new();
        let mut outputs = Vec::new();
        // Of each column: the input whose adjoint the last result has contributed to, and where.
        let mut last: Vec<Option<(usize, usize)>> = vec![None; by.len()];
        for o in 0..dependencies.len() {
            for (column, last) in by.iter().zip(&mut last) {
                let input = column.input(o).filter(|&i| useful(o, i));
                outputs.push(input.and_then(|i| match *last {
                    Some((same, at)) if same == i => output(at, Accumulate::Add),
                    _ => {
                        let at = plane();
                        *last = Some((i, at));
                        arguments.push((call.inputs[i].clone(), at));
                        output(at, Accumulate::Set)
                    }
                }));
            }
        }
        Some(Self {
            kernel: kernel.clone(),
            call: AdjointCall {
                call: Call {
                    len,
                    inputs: call.inputs.clone(),
                    outputs,
                },
                columns: masks.clone(),
                by: by.iter().map(|column: &Column| column.mask).collect(),
                values: of_values,
                partials,
            },
            len,
            results,
            arguments,
            planes,
        })
    }

    /// Numbers that the planes take.
    pub fn scratch(&self) -> usize {
        self.planes * self.len
    }

    /// What the rule reads: arguments and the number of elements.
    pub fn needs(&self) -> (&[Operand], usize) {
        (&self.call.call.inputs, self.len)
    }

    /// Adjoints of the arguments from those of the results; the arena is as it was before the instruction ran.
    pub fn adjoint(&self, context: &Context<f64>, arena: &mut [f64], bar: &mut [f64]) {
        let len = self.len;
        let mut any = false;
        for (output, plane) in &self.results {
            if len == 1 {
                let of = &mut bar[output.to.place(0)];
                any |= *of != 0.0;
                arena[*plane] = *of;
                if output.how == Accumulate::Set {
                    *of = 0.0;
                }
                continue;
            }
            let values = &mut arena[*plane..plane + len];
            gather(&output.to, bar, values);
            any |= values.iter().any(|x| *x != 0.0);
            if output.how == Accumulate::Set {
                clear(&output.to, len, bar);
            }
        }
        if !any || self.arguments.is_empty() {
            return;
        }
        let level = context.level;
        self.kernel.adjoint(level, &self.call, arena);
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

fn output(offset: usize, how: Accumulate) -> Option<Output> {
    let index = Index::Each;
    let to = Operand { offset, index };
    Some(Output { to, how })
}
