//! Derivatives of a graph, as nodes added to it.

use super::{Elementary, Graph, Id, Node};
use std::collections::HashMap;

/// Something whose adjoint is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed {
    /// The number of a result.
    pub result: usize,
    /// Not the result itself, but its derivative when all inputs in this mask change alike.
    pub direction: Option<u64>,
}

impl Graph {
    /// Adds the adjoints of the inputs in mask `wanted` that have one, from those of `seeds`; that of the k-th is the k-th
    /// input after the graph's own. Returns numbers of inputs with their adjoints.
    pub(crate) fn adjoints(&mut self, seeds: &[Seed], wanted: u64) -> Vec<(usize, Id)> {
        let tangents = self.tangents(seeds);
        let of = |seed: &Seed| match seed.direction {
            Some(mask) => tangents[&mask][self.outputs[seed.result] as usize],
            None => self.outputs[seed.result],
        };
        let targets: Vec<Id> = seeds.iter().map(of).collect();
        let len = self.nodes.len();
        let (reached, guarded) = (self.reached(wanted), self.guarded());
        let zero = self.constant(0.0);
        let mut bars = vec![zero; len];
        for (k, id) in targets.into_iter().enumerate() {
            let seed = self.input(self.inputs + k);
            bars[id as usize] = self.add(bars[id as usize], seed);
        }
        for id in (0..len as Id).rev() {
            let bar = bars[id as usize];
            if bar == zero || !reached[id as usize] {
                continue;
            }
            let (arguments, count) = self.at(id).arguments();
            for (k, argument) in arguments.into_iter().take(count).enumerate() {
                if !reached[argument as usize] {
                    continue;
                }
                let given = match (self.at(id), k) {
                    (Node::Select(_), 0 | 1) => continue,
                    (Node::Select([a, b, ..]), 2) => self.select([a, b, bar, zero]),
                    (Node::Select([a, b, ..]), _) => self.select([a, b, zero, bar]),
                    _ => {
                        let weight = self.partial(id, k);
                        match guarded[id as usize] {
                            true => self.weighted(bar, weight),
                            false => self.mul(bar, weight),
                        }
                    }
                };
                let to = &mut bars[argument as usize];
                let sum = *to;
                *to = self.add(sum, given);
            }
        }
        let mut found = Vec::new();
        for i in (0..self.inputs).filter(|i| wanted >> i & 1 == 1) {
            let input = self.input(i) as usize;
            if let Some(&bar) = bars.get(input).filter(|&&bar| bar != zero) {
                found.push((i, bar));
            }
        }
        found
    }

    /// Adds the second derivatives of the results: number `(o · columns + k) · by + j` is that of result o when all inputs in
    /// `columns[k]`, and all in `by[j]`, change alike, if it is not 0.
    pub(crate) fn second_derivatives(&mut self, columns: &[u64], by: &[u64]) -> Vec<Option<Id>> {
        let results = self.outputs.clone();
        let len = self.nodes.len();
        let first = columns.iter().map(|&mask| self.tangent(len, mask));
        let first: Vec<Vec<Id>> = first.collect();
        let len = self.nodes.len();
        let second = by.iter().map(|&mask| self.tangent(len, mask));
        let second: Vec<Vec<Id>> = second.collect();
        let mut all = Vec::new();
        for result in results {
            for slopes in &first {
                let slope = slopes[result as usize] as usize;
                all.extend(
                    (second.iter()).map(|of| Some(of[slope]).filter(|&id| !self.is(id, 0.0))),
                );
            }
        }
        all
    }

    /// For each direction of some seeds the derivatives of all nodes.
    fn tangents(&mut self, seeds: &[Seed]) -> HashMap<u64, Vec<Id>> {
        let len = self.nodes.len();
        let mut tangents = HashMap::new();
        for mask in seeds.iter().filter_map(|seed| seed.direction) {
            (tangents.entry(mask)).or_insert_with(|| self.tangent(len, mask));
        }
        tangents
    }

    /// The derivatives of the first `len` nodes when all inputs in `mask` change alike.
    fn tangent(&mut self, len: usize, mask: u64) -> Vec<Id> {
        let (zero, one) = (self.constant(0.0), self.constant(1.0));
        let mut dots: Vec<Id> = Vec::with_capacity(len);
        for id in 0..len as Id {
            let node = self.at(id);
            let dot = match node {
                Node::Input(i) if (i as usize) < self.inputs && mask >> i & 1 == 1 => one,
                Node::Select([a, b, then, otherwise]) => {
                    let [then, otherwise] = [then, otherwise].map(|id| dots[id as usize]);
                    self.select([a, b, then, otherwise])
                }
                _ => {
                    let (arguments, count) = node.arguments();
                    let mut sum = zero;
                    for (k, argument) in arguments.into_iter().take(count).enumerate() {
                        let dot = dots[argument as usize];
                        if dot != zero {
                            let weight = self.partial(id, k);
                            let product = self.mul(weight, dot);
                            sum = self.add(sum, product);
                        }
                    }
                    sum
                }
            };
            dots.push(dot);
        }
        dots
    }

    /// The derivative of a node that is no selection with respect to its k-th argument.
    fn partial(&mut self, id: Id, k: usize) -> Id {
        match (self.at(id), k) {
            (Node::Neg(_), _) | (Node::Sub(..), 1) => self.constant(-1.0),
            (Node::Add(..) | Node::Sub(..), _) => self.constant(1.0),
            (Node::Mul(_, b) | Node::Weighted(_, b), 0) => b,
            (Node::Mul(a, _) | Node::Weighted(a, _), _) => a,
            (Node::Div(_, b), k) => {
                let one = self.constant(1.0);
                let inverse = self.div(one, b);
                match k {
                    0 => inverse,
                    _ => {
                        let slope = self.mul(id, inverse);
                        self.neg(slope)
                    }
                }
            }
            (Node::Call(f, order, a), _) => self.slope(id, (f, order, a)),
            (Node::Input(_) | Node::Constant(_) | Node::Select(_), _) => {
                unreachable!("without such an argument")
            }
        }
    }

    /// The derivative of the call at `id`: by other operations where that costs less and is as accurate.
    fn slope(&mut self, id: Id, (f, order, a): (Elementary, u8, Id)) -> Id {
        match f {
            Elementary::Exp => id,
            Elementary::Expm1 => self.call(Elementary::Exp, 0, a),
            Elementary::Ln => {
                let one = self.constant(1.0);
                self.div(one, a)
            }
            Elementary::Sqrt => {
                let half = self.constant(0.5);
                self.div(half, id)
            }
            Elementary::Sin => self.call(Elementary::Cos, 0, a),
            Elementary::Cos => {
                let sine = self.call(Elementary::Sin, 0, a);
                self.neg(sine)
            }
            _ => self.call(f, order + 1, a),
        }
    }

    /// Which nodes depend on an input in the mask.
    fn reached(&self, wanted: u64) -> Vec<bool> {
        let mut reached = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let (arguments, count) = node.arguments();
            reached.push(match *node {
                Node::Input(i) => (i as usize) < self.inputs && wanted >> i & 1 == 1,
                _ => (arguments[..count].iter()).any(|&a| reached[a as usize]),
            });
        }
        reached
    }

    /// Which nodes some selection may drop: there numbers need not be finite, and must not be multiplied with the adjoint 0.
    fn guarded(&self) -> Vec<bool> {
        let mut guarded = vec![false; self.nodes.len()];
        for id in (0..self.nodes.len()).rev() {
            let node = self.nodes[id];
            if guarded[id] || matches!(node, Node::Select(_)) {
                let (arguments, count) = node.arguments();
                (arguments[..count].iter()).for_each(|&a| guarded[a as usize] = true);
            }
        }
        guarded
    }
}
