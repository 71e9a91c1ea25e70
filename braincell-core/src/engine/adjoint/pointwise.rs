//! Instructions that work element by element: each result's derivative is a sum of weights times the derivatives of
//! the arguments.

use super::super::exec::Context;
use super::super::instr::Instr;
use super::super::layout::Layout;
use crate::kernel::{
    Accumulate, Call, Column, DerivativeOf, Index, Kernel, Operand, Output, Routine, columns,
};
use crate::model::Target;
use std::sync::Arc;

/// An instruction that works element by element.
pub(super) struct Pointwise {
    pub len: usize,
    pub weights: Weights,
    pub outputs: Vec<Result>,
}

pub(super) struct Result {
    pub to: Operand,
    pub how: Accumulate,
    pub links: Vec<Link>,
}

pub(super) struct Link {
    pub from: Operand,
    pub weight: Weight,
}

#[derive(Clone)]
pub(super) enum Weight {
    One,
    /// A coefficient, by number.
    Coefficient(usize),
    /// A plane that [`Weights`] fills.
    Plane(usize),
    /// The value of another argument.
    Value(Operand),
}

/// What fills the planes of weights.
pub(super) enum Weights {
    Nothing,
    First {
        kernel: Arc<dyn Kernel>,
        columns: Vec<u64>,
        call: Call,
        values: Vec<Option<Output>>,
        goal: Goal,
    },
    /// Of a kernel: followed forwards only.
    Second(Routine),
    /// y + s φ₁(s d) f: derivatives with respect to f and d.
    RelaxDiagonal {
        f: usize,
        d: usize,
        scale: usize,
        at: [usize; 2],
    },
    /// φ_k(s d) b: derivatives with respect to b and d.
    PhiDiagonal {
        k: u32,
        d: usize,
        b: usize,
        scale: usize,
        at: [usize; 2],
    },
    /// b / (1 - γ d): derivatives with respect to b and d.
    SolveDiagonal {
        d: usize,
        b: usize,
        gamma: usize,
        at: [usize; 2],
    },
    /// (ΔW)^m of the states that have noise: state, offset and length.
    Wiener {
        m: u32,
        noisy: Vec<(usize, usize, usize)>,
        at: usize,
    },
}

/// What a kernel's derivatives are those of.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    Value,
    Relax(usize),
    Steady,
}

impl Goal {
    pub fn of(self, context: &Context<f64>) -> DerivativeOf {
        match self {
            Goal::Value => DerivativeOf::Values,
            Goal::Relax(time) => DerivativeOf::Relaxed(context.coefficients[time]),
            Goal::Steady => DerivativeOf::Steady,
        }
    }
}

fn each(offset: usize) -> Operand {
    Operand {
        offset,
        index: Index::Each,
    }
}

impl Pointwise {
    /// The rule of an instruction, if it works element by element. `active` says whether an argument has a
    /// derivative; planes of weights begin at `scratch`.
    pub fn new(
        instr: &Instr,
        layout: &Layout,
        active: &dyn Fn(&Operand) -> bool,
        scratch: usize,
    ) -> Option<Self> {
        let array = |to: usize, len: usize, weights: Weights, links: Vec<(usize, Weight)>| Self {
            len,
            weights,
            outputs: vec![Result {
                to: each(to),
                how: Accumulate::Set,
                links: (links.into_iter())
                    .map(|(from, weight)| Link {
                        from: each(from),
                        weight,
                    })
                    .collect(),
            }],
        };
        let planes = |len: usize| [scratch, scratch + len];
        Some(match instr {
            Instr::Zero { at, len } => array(*at, *len, Weights::Nothing, Vec::new()),
            Instr::Copy { from, to, len } => {
                array(*to, *len, Weights::Nothing, vec![(*from, Weight::One)])
            }
            Instr::Combine { to, len, terms } => {
                let links = terms.iter().map(|&(c, x)| (x, Weight::Coefficient(c)));
                array(*to, *len, Weights::Nothing, links.collect())
            }
            Instr::Product { to, a, b, len } => {
                let links = vec![(*a, Weight::Value(each(*b))), (*b, Weight::Value(each(*a)))];
                array(*to, *len, Weights::Nothing, links)
            }
            Instr::MultiplyAdd { to, a, b, len } => Self {
                len: *len,
                weights: Weights::Nothing,
                outputs: vec![Result {
                    to: to.clone(),
                    how: Accumulate::Add,
                    links: [(each(*a), b.clone()), (b.clone(), each(*a))]
                        .into_iter()
                        .filter(|(from, _)| active(from))
                        .map(|(from, value)| Link {
                            from,
                            weight: Weight::Value(value),
                        })
                        .collect(),
                }],
            },
            Instr::RelaxDiagonal {
                to,
                y,
                f,
                d,
                scale,
                len,
            } => {
                let at = planes(*len);
                let links = vec![
                    (*y, Weight::One),
                    (*f, Weight::Plane(at[0])),
                    (*d, Weight::Plane(at[1])),
                ];
                let (f, d, scale) = (*f, *d, *scale);
                array(*to, *len, Weights::RelaxDiagonal { f, d, scale, at }, links)
            }
            Instr::PhiDiagonal {
                to,
                k,
                scale,
                d,
                b,
                len,
            } => {
                let at = planes(*len);
                let links = vec![(*b, Weight::Plane(at[0])), (*d, Weight::Plane(at[1]))];
                let weights = Weights::PhiDiagonal {
                    k: *k,
                    d: *d,
                    b: *b,
                    scale: *scale,
                    at,
                };
                array(*to, *len, weights, links)
            }
            Instr::SolveDiagonal {
                to,
                gamma,
                d,
                b,
                len,
            } => {
                let at = planes(*len);
                let links = vec![(*b, Weight::Plane(at[0])), (*d, Weight::Plane(at[1]))];
                let (d, b, gamma) = (*d, *b, *gamma);
                array(*to, *len, Weights::SolveDiagonal { d, b, gamma, at }, links)
            }
            Instr::TimesWiener { to, x, m, group } => {
                let weights = Weights::Wiener {
                    m: *m,
                    noisy: noisy(layout, *group),
                    at: scratch,
                };
                let links = vec![(*x, Weight::Plane(scratch))];
                array(*to, layout.group_len[*group], weights, links)
            }
            Instr::Kernel { kernel, call } => {
                Self::kernel(kernel, call, Goal::Value, active, scratch)
            }
            Instr::Relax { kernel, call, time } => {
                Self::kernel(kernel, call, Goal::Relax(*time), active, scratch)
            }
            Instr::Steady { kernel, call } => {
                Self::kernel(kernel, call, Goal::Steady, active, scratch)
            }
            Instr::Partials {
                kernel,
                columns,
                call,
                values,
                ..
            } if values.is_empty() => Self::partials(kernel, columns, call, active, scratch),
            _ => return None,
        })
    }

    fn kernel(
        kernel: &Arc<dyn Kernel>,
        call: &Call,
        goal: Goal,
        active: &dyn Fn(&Operand) -> bool,
        scratch: usize,
    ) -> Self {
        let masks = match goal {
            // A steady state may depend on more than the derivative does.
            Goal::Steady => vec![u64::MAX; kernel.outputs()],
            _ => kernel.dependencies(),
        };
        // States that are relaxed once more depend on what they do when they are relaxed once.
        let (count, wanted) = (masks.len(), |o: usize| call.outputs[o].is_some());
        let depends = |o: usize, i: usize| masks[o] >> i & 1 == 1 && active(&call.inputs[i]);
        let columns = columns(&**kernel, |o, i| {
            let mut same = (o..call.outputs.len()).step_by(count);
            same.any(wanted) && depends(o, i)
        });
        let mut planes = Planes::new(call, scratch);
        let mut outputs = Vec::new();
        for (o, output) in call.outputs.iter().enumerate() {
            let mut links = Vec::new();
            for column in &columns {
                let input = column.input(o % count);
                links.extend(planes.link(input.filter(|&i| wanted(o) && depends(o % count, i))));
            }
            if let Some(Output { to, how }) = output {
                let (to, how) = (to.clone(), *how);
                outputs.push(Result { to, how, links });
            }
        }
        Self {
            len: call.len,
            weights: match columns[..] {
                [] => Weights::Nothing,
                _ => Weights::First {
                    kernel: kernel.clone(),
                    columns: columns.iter().map(|c| c.mask).collect(),
                    call: planes.call(),
                    values: call.outputs.clone(),
                    goal,
                },
            },
            outputs,
        }
    }

    fn partials(
        kernel: &Arc<dyn Kernel>,
        outer: &[Column],
        call: &Call,
        active: &dyn Fn(&Operand) -> bool,
        scratch: usize,
    ) -> Self {
        let masks = kernel.dependencies();
        let slots = |o: usize| &call.outputs[o * outer.len()..(o + 1) * outer.len()];
        let useful = |o: usize, i: usize| {
            let wanted = slots(o).iter().any(Option::is_some);
            wanted && masks[o] >> i & 1 == 1 && active(&call.inputs[i])
        };
        let by = columns(&**kernel, useful);
        let masks = |columns: &[Column]| columns.iter().map(|c| c.mask).collect::<Vec<_>>();
        let mut graph = kernel.graph();
        let second = graph.second_derivatives(&masks(outer), &masks(&by));
        let mut end = scratch;
        let (mut outputs, mut found) = (Vec::new(), Vec::new());
        for (slot, output) in call.outputs.iter().enumerate() {
            let Some(Output { to, how }) = output else {
                continue;
            };
            let o = slot / outer.len();
            let mut links = Vec::new();
            for (column, second) in by.iter().zip(&second[slot * by.len()..]) {
                let input = column.input(o).filter(|&i| useful(o, i));
                if let (Some(input), Some(id)) = (input, *second) {
                    links.push(Link {
                        from: call.inputs[input].clone(),
                        weight: Weight::Plane(end),
                    });
                    found.push((id, end));
                    end += Routine::room(call.len);
                }
            }
            let (to, how) = (to.clone(), *how);
            outputs.push(Result { to, how, links });
        }
        let routine = Routine::new(&graph, &found, &call.inputs, call.len, end);
        Self {
            len: call.len,
            weights: match found[..] {
                [] => Weights::Nothing,
                _ => Weights::Second(routine),
            },
            outputs,
        }
    }

    /// In how many directions a kernel is differentiated for the weights.
    pub fn directions(&self) -> usize {
        match &self.weights {
            Weights::First { columns, .. } => columns.len(),
            _ => 0,
        }
    }

    /// Numbers of planes for weights.
    pub fn scratch(&self) -> usize {
        let links = self.outputs.iter().flat_map(|r| &r.links);
        let planes = links.filter(|l| matches!(l.weight, Weight::Plane(_)));
        match &self.weights {
            Weights::Second(routine) => planes.count() * Routine::room(self.len) + routine.size(),
            _ => planes.count() * self.len,
        }
    }

    /// Numbers that a sweep holds aside.
    pub fn aside(&self) -> usize {
        (self.outputs.len() + 1) * self.len
    }

    /// The arguments that the weights depend on.
    pub fn needs(&self) -> Vec<Operand> {
        let mut needs: Vec<Operand> = match &self.weights {
            // The weights of kernels' values are recorded, not computed again.
            Weights::Nothing
            | Weights::Wiener { .. }
            | Weights::First { .. }
            | Weights::Second(_) => Vec::new(),
            Weights::RelaxDiagonal { f, d, .. } => vec![each(*f), each(*d)],
            Weights::PhiDiagonal { d, b, .. } | Weights::SolveDiagonal { d, b, .. } => {
                vec![each(*d), each(*b)]
            }
        };
        for link in self.outputs.iter().flat_map(|r| &r.links) {
            if let Weight::Value(operand) = &link.weight {
                needs.push(operand.clone());
            }
        }
        needs
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many weights are recorded, since running the instruction computes them along with the results.
    pub fn recorded(&self) -> usize {
        match self.weights {
            Weights::First { .. } => self.scratch(),
            _ => 0,
        }
    }
}

/// Gives out planes of weights.
struct Planes<'a> {
    call: &'a Call,
    slots: Vec<Option<Output>>,
    at: usize,
}

impl<'a> Planes<'a> {
    fn new(call: &'a Call, at: usize) -> Self {
        let slots = Vec::new();
        Self { call, slots, at }
    }

    /// The next slot: a plane for the derivative with respect to an input, or nothing.
    fn link(&mut self, input: Option<usize>) -> Option<Link> {
        let Some(input) = input else {
            self.slots.push(None);
            return None;
        };
        let to = each(self.at);
        let how = Accumulate::Set;
        self.slots.push(Some(Output { to, how }));
        let weight = Weight::Plane(self.at);
        self.at += self.call.len;
        let from = self.call.inputs[input].clone();
        Some(Link { from, weight })
    }

    fn call(self) -> Call {
        Call {
            len: self.call.len,
            inputs: self.call.inputs.clone(),
            outputs: self.slots,
        }
    }
}

/// The states of a group that have noise.
fn noisy(layout: &Layout, group: usize) -> Vec<(usize, usize, usize)> {
    let targets = layout.model.launches.iter().flat_map(|l| &l.outputs);
    let mut states: Vec<usize> = targets
        .filter_map(|target| match target {
            Target::Diffusion(s) if layout.model.states[s.0].group == group => Some(s.0),
            _ => None,
        })
        .collect();
    states.sort_unstable();
    states.dedup();
    let place = |s: usize| (s, layout.states[s].offset, layout.states[s].len);
    states.into_iter().map(place).collect()
}
