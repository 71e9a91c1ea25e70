//! Runs instructions that work element by element, their tangents and their adjoints.

use super::super::exec::Context;
use super::Sweep;
use super::loops::{self, Factor, Pair};
use super::pointwise::{Link, Pointwise, Weight, Weights};
use crate::kernel::{Accumulate, Index, Operand};
use crate::noise;

impl Pointwise {
    /// Runs the instruction and fills the planes of weights.
    pub fn run(&self, context: &Context<f64>, arena: &mut [f64]) {
        if let Weights::First {
            kernel,
            columns,
            call,
            values,
            goal,
        } = &self.weights
        {
            let of = goal.of(context);
            kernel.first_derivatives(context.level, of, columns, call, values, arena);
        }
    }

    /// Fills the planes of weights from the arguments.
    fn weigh(&self, context: &Context<f64>, arena: &mut [f64]) {
        let level = context.level;
        let coefficient = |number: usize| context.coefficients[number];
        match &self.weights {
            Weights::Nothing => {}
            Weights::First {
                kernel,
                columns,
                call,
                goal,
                ..
            } => {
                let of = goal.of(context);
                kernel.first_derivatives(level, of, columns, call, &[], arena);
            }
            Weights::Second {
                kernel,
                columns,
                by,
                call,
            } => kernel.second_derivatives(level, columns, by, call, arena),
            Weights::RelaxDiagonal { f, d, scale, at } => {
                let pair = Pair::Relax(coefficient(*scale));
                loops::pairs(level, pair, [*f, *d], *at, self.len, arena);
            }
            Weights::PhiDiagonal { k, d, b, scale, at } => {
                let pair = Pair::Phi(*k, coefficient(*scale));
                loops::pairs(level, pair, [*b, *d], *at, self.len, arena);
            }
            Weights::SolveDiagonal { d, b, gamma, at } => {
                let pair = Pair::Solve(coefficient(*gamma));
                loops::pairs(level, pair, [*b, *d], *at, self.len, arena);
            }
            Weights::Wiener { m, noisy, at } => {
                arena[*at..at + self.len].fill(0.0);
                wiener(context, *m, noisy, *at, arena)
            }
        }
    }

    /// Derivatives of the results from those of the arguments, before the instruction runs. `dots` are one arena of
    /// derivatives for each direction.
    pub fn tangent(
        &self,
        context: &Context<f64>,
        arena: &mut [f64],
        dots: &mut [Vec<f64>],
        sweep: &mut Sweep,
    ) {
        let len = self.len;
        if len == 0 {
            return;
        }
        self.weigh(context, arena);
        let (weight, sums) = sweep.aside.split_at_mut(len);
        for dot in dots {
            for (result, sum) in self.outputs.iter().zip(sums.chunks_exact_mut(len)) {
                sum.fill(0.0);
                for link in &result.links {
                    gather(&link.from, dot, weight);
                    self.times(link, context, arena, (0, arena), weight);
                    sum.iter_mut().zip(&*weight).for_each(|(s, x)| *s += x);
                }
            }
            for (result, sum) in self.outputs.iter().zip(sums.chunks_exact_mut(len)) {
                if result.how == Accumulate::Set {
                    clear(&result.to, len, dot);
                }
                scatter(&result.to, sum, dot);
            }
        }
    }

    /// Adjoints of the arguments from those of the results; the arena is as it was before the instruction ran. Planes of
    /// weights begin at `scratch`; those that have been recorded are in `recorded`.
    pub fn adjoint(
        &self,
        context: &Context<f64>,
        arena: &mut [f64],
        (scratch, recorded): (usize, &[f64]),
        bar: &mut [f64],
        sweep: &mut Sweep,
    ) {
        let len = self.len;
        match len {
            0 => return,
            1 => return self.adjoint_of_one(context, arena, (scratch, recorded), bar, sweep),
            _ => {}
        }
        let (product, results) = sweep.aside.split_at_mut(len);
        let mut any = false;
        for (result, values) in self.outputs.iter().zip(results.chunks_exact_mut(len)) {
            gather(&result.to, bar, values);
            any |= !result.links.is_empty() && values.iter().any(|x| *x != 0.0);
            if result.how == Accumulate::Set {
                clear(&result.to, len, bar);
            }
        }
        if !any {
            return;
        }
        if !matches!(self.weights, Weights::First { .. }) {
            self.weigh(context, arena);
        }
        let arena = &*arena;
        let planes = match self.weights {
            Weights::First { .. } => recorded,
            _ => &arena[scratch..],
        };
        for (result, values) in self.outputs.iter().zip(results.chunks_exact(len)) {
            for link in &result.links {
                let factor = match &link.weight {
                    Weight::One => Some(Factor::Number(1.0)),
                    Weight::Coefficient(number) => {
                        Some(Factor::Number(context.coefficients[*number]))
                    }
                    Weight::Plane(at) => Some(Factor::Each(&planes[at - scratch..][..len])),
                    Weight::Value(operand) => match &operand.index {
                        Index::Splat => Some(Factor::Number(arena[operand.offset])),
                        Index::Each => {
                            let at = operand.offset;
                            Some(Factor::Each(&arena[at..at + len]))
                        }
                        Index::Map(_) => None,
                    },
                };
                let at = link.from.offset;
                match (factor, &link.from.index) {
                    (Some(factor), Index::Each) => {
                        loops::add_products(context.level, &mut bar[at..at + len], factor, values);
                    }
                    (Some(factor), Index::Splat) => {
                        bar[at] += loops::sum_products(context.level, factor, values);
                    }
                    _ => {
                        product.copy_from_slice(values);
                        self.times(link, context, arena, (scratch, planes), product);
                        scatter(&link.from, product, bar);
                    }
                }
            }
        }
    }

    /// As [`Pointwise::adjoint`], of a single element.
    fn adjoint_of_one(
        &self,
        context: &Context<f64>,
        arena: &mut [f64],
        (scratch, recorded): (usize, &[f64]),
        bar: &mut [f64],
        sweep: &mut Sweep,
    ) {
        let mut any = false;
        for (result, value) in self.outputs.iter().zip(&mut sweep.aside) {
            let of = &mut bar[result.to.place(0)];
            *value = *of;
            any |= *of != 0.0 && !result.links.is_empty();
            if result.how == Accumulate::Set {
                *of = 0.0;
            }
        }
        if !any {
            return;
        }
        if !matches!(self.weights, Weights::First { .. }) {
            self.weigh(context, arena);
        }
        let arena = &*arena;
        let planes = match self.weights {
            Weights::First { .. } => recorded,
            _ => &arena[scratch..],
        };
        for (result, value) in self.outputs.iter().zip(&sweep.aside) {
            for link in &result.links {
                let weight = match &link.weight {
                    Weight::One => 1.0,
                    Weight::Coefficient(number) => context.coefficients[*number],
                    Weight::Plane(at) => planes[at - scratch],
                    Weight::Value(operand) => arena[operand.place(0)],
                };
                bar[link.from.place(0)] += weight * value;
            }
        }
    }

    /// x ← weight · x
    #[inline]
    fn times(
        &self,
        link: &Link,
        context: &Context<f64>,
        arena: &[f64],
        (scratch, planes): (usize, &[f64]),
        x: &mut [f64],
    ) {
        match &link.weight {
            Weight::One => {}
            Weight::Coefficient(number) => {
                let c = context.coefficients[*number];
                x.iter_mut().for_each(|x| *x *= c);
            }
            Weight::Plane(at) => {
                let weights = &planes[at - scratch..][..self.len];
                x.iter_mut().zip(weights).for_each(|(x, w)| *x *= w);
            }
            Weight::Value(operand) => {
                for (e, x) in x.iter_mut().enumerate() {
                    *x *= arena[operand.place(e)];
                }
            }
        }
    }
}

/// Reads the numbers of an operand.
#[inline]
pub(super) fn gather(from: &Operand, x: &[f64], to: &mut [f64]) {
    match &from.index {
        Index::Splat => to.fill(x[from.offset]),
        Index::Each => to.copy_from_slice(&x[from.offset..from.offset + to.len()]),
        Index::Map(map) => {
            for (to, &place) in to.iter_mut().zip(&**map) {
                *to = x[from.offset + place as usize];
            }
        }
    }
}

/// Adds to the numbers of an operand.
#[inline]
pub(super) fn scatter(to: &Operand, values: &[f64], x: &mut [f64]) {
    match &to.index {
        Index::Splat => x[to.offset] += values.iter().sum::<f64>(),
        Index::Each => {
            let x = &mut x[to.offset..to.offset + values.len()];
            x.iter_mut().zip(values).for_each(|(x, v)| *x += v);
        }
        Index::Map(map) => {
            for (v, &place) in values.iter().zip(&**map) {
                x[to.offset + place as usize] += v;
            }
        }
    }
}

pub(super) fn clear(to: &Operand, len: usize, x: &mut [f64]) {
    match &to.index {
        Index::Splat => x[to.offset] = 0.0,
        Index::Each => x[to.offset..to.offset + len].fill(0.0),
        Index::Map(map) => map.iter().for_each(|&k| x[to.offset + k as usize] = 0.0),
    }
}

/// (ΔW)^m of the states that have noise, into the array at `at`.
fn wiener(
    context: &Context<f64>,
    m: u32,
    noisy: &[(usize, usize, usize)],
    at: usize,
    arena: &mut [f64],
) {
    let (layout, clock) = (context.layout, context.clock);
    for &(state, offset, len) in noisy {
        for k in 0..len {
            let (element, cell) = (k / layout.lanes, context.first_cell + k % layout.lanes);
            let dw = noise::increment(layout.seed, cell, state, element, clock.number, clock.h);
            arena[at + offset + k] = dw.powi(m as i32);
        }
    }
}
