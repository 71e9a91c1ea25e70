//! Rules of instructions that work on a single element, as models of one compartment have: short lists of places.

use super::super::exec::Context;
use super::pointwise::{Pointwise, Weight};
use crate::kernel::Accumulate;

/// A rule for one element.
pub(super) struct One {
    results: Vec<Result>,
    links: Vec<Link>,
}

struct Result {
    place: usize,
    replaced: bool,
    /// The end of its links, which follow those of the result before.
    end: usize,
}

struct Link {
    place: usize,
    factor: Factor,
}

enum Factor {
    One,
    /// A coefficient, by number.
    Coefficient(usize),
    /// A weight, by number.
    Weight(usize),
    /// The value at a place.
    Value(usize),
}

impl One {
    /// The same rule as `rule`, if that is of one element. Planes of weights begin at `scratch`.
    pub fn new(rule: &Pointwise, scratch: usize) -> Option<Self> {
        if rule.len != 1 {
            return None;
        }
        let (mut results, mut links) = (Vec::new(), Vec::new());
        for result in &rule.outputs {
            links.extend(result.links.iter().map(|link| Link {
                place: link.from.place(0),
                factor: match &link.weight {
                    Weight::One => Factor::One,
                    Weight::Coefficient(number) => Factor::Coefficient(*number),
                    Weight::Plane(at) => Factor::Weight(at - scratch),
                    Weight::Value(operand) => Factor::Value(operand.place(0)),
                },
            }));
            results.push(Result {
                place: result.to.place(0),
                replaced: result.how == Accumulate::Set,
                end: links.len(),
            });
        }
        Some(Self { results, links })
    }

    /// Takes the adjoints of the results out, to `aside`, the last first: what another has set before it is lost. Returns
    /// whether there is anything to be done.
    #[inline]
    pub fn take(&self, bar: &mut [f64], aside: &mut [f64]) -> bool {
        let mut any = false;
        let aside = &mut aside[..self.results.len()];
        for (result, value) in self.results.iter().zip(aside).rev() {
            let of = &mut bar[result.place];
            *value = *of;
            any |= *of != 0.0;
            if result.replaced {
                *of = 0.0;
            }
        }
        any && !self.links.is_empty()
    }

    /// Adds to the adjoints of the arguments.
    #[inline]
    pub fn give(
        &self,
        context: &Context<f64>,
        arena: &[f64],
        weights: &[f64],
        bar: &mut [f64],
        aside: &[f64],
    ) {
        let mut begin = 0;
        for (result, value) in self.results.iter().zip(aside) {
            for link in &self.links[begin..result.end] {
                let weight = match link.factor {
                    Factor::One => 1.0,
                    Factor::Coefficient(number) => context.coefficients[number],
                    Factor::Weight(number) => weights[number],
                    Factor::Value(place) => arena[place],
                };
                bar[link.place] += weight * value;
            }
            begin = result.end;
        }
    }
}
