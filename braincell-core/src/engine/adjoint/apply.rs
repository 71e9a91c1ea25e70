//! Runs instructions that work element by element, their tangents and their adjoints.

use super::super::arena::Arena;
use super::super::exec::Context;
use super::Sweep;
use super::loops::{self, Factor, Pair};
use super::one::One;
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
            Weights::Second(routine) => routine.run(level, arena),
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

    /// Derivatives of the results from those of the arguments, before the instruction runs, or with it: returns whether it has run
    /// too. `dots` are one arena of derivatives for each direction.
    pub fn tangent(
        &self,
        context: &Context<f64>,
        arena: &mut [f64],
        dots: &mut [Arena<f64>],
        sweep: &mut Sweep,
    ) -> bool {
        let len = self.len;
        if len == 0 {
            return false;
        }
        let run = self.recorded() > 0;
        match run {
            true => self.run(context, arena),
            false => self.weigh(context, arena),
        }
        let (weight, sums) = sweep.aside.split_at_mut(len);
        for dot in dots {
            for (result, sum) in self.outputs.iter().zip(sums.chunks_exact_mut(len)) {
                sum.fill(0.0);
                for link in &result.links {
                    let factor = self.factor(link, context, arena, (0, arena));
                    if let (Index::Each, Some(factor)) = (&link.from.index, factor) {
                        let from = &dot[link.from.offset..][..len];
                        loops::add_products(context.level, sum, factor, from);
                        continue;
                    }
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
        run
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
        if len == 0 || self.adjoint_in_place(context, arena, (scratch, recorded), bar) {
            return;
        }
        let (product, results) = sweep.aside.split_at_mut(len);
        let mut any = false;
        // The last first: what another has set before it is lost.
        for (k, result) in self.outputs.iter().enumerate().rev() {
            let values = &mut results[k * len..][..len];
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
            if values.iter().all(|x| *x == 0.0) {
                continue;
            }
            for link in &result.links {
                let factor = self.factor(link, context, arena, (scratch, planes));
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

    /// As [`Pointwise::adjoint`], where there is one result whose adjoint can be read where it lies, because it shares no place
    /// with the arguments, but for one that it replaces, whose weight is a number. Returns whether that is so.
    fn adjoint_in_place(
        &self,
        context: &Context<f64>,
        arena: &mut [f64],
        (scratch, recorded): (usize, &[f64]),
        bar: &mut [f64],
    ) -> bool {
        let len = self.len;
        let [result] = &self.outputs[..] else {
            return false;
        };
        let of = result.to.offset..result.to.offset + len;
        let itself = |link: &Link| {
            let multiple = matches!(link.weight, Weight::One | Weight::Coefficient(_));
            multiple && result.how == Accumulate::Set && link.from == result.to
        };
        let simple = |link: &Link| {
            let at = link.from.offset;
            let weight = match &link.weight {
                Weight::Value(operand) => !matches!(operand.index, Index::Map(_)),
                _ => true,
            };
            weight
                && match link.from.index {
                    Index::Each => at + len <= of.start || of.end <= at,
                    Index::Splat => !of.contains(&at),
                    Index::Map(_) => false,
                }
        };
        let taken = |link: &Link| itself(link) || simple(link);
        if result.to.index != Index::Each || !result.links.iter().all(taken) {
            return false;
        }
        if result.links.is_empty() || bar[of.clone()].iter().all(|x| *x == 0.0) {
            if result.how == Accumulate::Set {
                bar[of].fill(0.0);
            }
            return true;
        }
        if !matches!(self.weights, Weights::First { .. }) {
            self.weigh(context, arena);
        }
        let planes = match self.weights {
            Weights::First { .. } => recorded,
            _ => &arena[scratch..],
        };
        let mut stays = 0.0;
        for link in &result.links {
            let Some(factor) = self.factor(link, context, arena, (scratch, planes)) else {
                continue;
            };
            if let (true, Factor::Number(x)) = (itself(link), factor) {
                stays += x;
                continue;
            }
            let at = link.from.offset;
            if link.from.index == Index::Splat {
                bar[at] += loops::sum_products(context.level, factor, &bar[of.clone()]);
                continue;
            }
            let (to, values) = match at < of.start {
                true => {
                    let (low, high) = bar.split_at_mut(of.start);
                    (&mut low[at..at + len], &high[..len])
                }
                false => {
                    let (low, high) = bar.split_at_mut(of.end);
                    (&mut high[at - of.end..][..len], &low[of.clone()])
                }
            };
            loops::add_products(context.level, to, factor, values);
        }
        match result.how {
            Accumulate::Set if stays == 0.0 => bar[of].fill(0.0),
            Accumulate::Set if stays != 1.0 => bar[of].iter_mut().for_each(|x| *x *= stays),
            _ => {}
        }
        true
    }

    /// As [`Pointwise::adjoint`], of a single element.
    pub fn adjoint_of_one(
        &self,
        one: &One,
        context: &Context<f64>,
        arena: &mut [f64],
        (scratch, recorded): (usize, &[f64]),
        bar: &mut [f64],
        sweep: &mut Sweep,
    ) {
        if !one.take(bar, &mut sweep.aside) {
            return;
        }
        let recorded = match self.weights {
            Weights::First { .. } => recorded,
            Weights::Nothing => &[],
            _ => {
                self.weigh(context, arena);
                &arena[scratch..]
            }
        };
        one.give(context, arena, recorded, bar, &sweep.aside);
    }

    /// What a link's weights are as a factor, unless a map picks them.
    fn factor<'a>(
        &self,
        link: &Link,
        context: &Context<f64>,
        arena: &'a [f64],
        (scratch, planes): (usize, &'a [f64]),
    ) -> Option<Factor<'a>> {
        Some(match &link.weight {
            Weight::One => Factor::Number(1.0),
            Weight::Coefficient(number) => Factor::Number(context.coefficients[*number]),
            Weight::Plane(at) => Factor::Each(&planes[at - scratch..][..self.len]),
            Weight::Value(operand) => match &operand.index {
                Index::Splat => Factor::Number(arena[operand.offset]),
                Index::Each => Factor::Each(&arena[operand.offset..operand.offset + self.len]),
                Index::Map(_) => return None,
            },
        })
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
