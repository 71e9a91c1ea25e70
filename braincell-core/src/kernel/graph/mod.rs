//! A kernel as the list of its operations.
//!
//! Kernels have no branches, so that one evaluation with a scalar that writes down what is done to it ([`Symbol`]) tells
//! everything. Derivatives of the list are more of the same list (`differentiate.rs`); what of it is wanted becomes a
//! [`Routine`], which goes through arrays (`routine.rs`, `interpret.rs`).

mod differentiate;
mod interpret;
mod routine;
mod symbol;
#[cfg(test)]
mod tests;

pub(crate) use differentiate::Seed;
pub(crate) use routine::Routine;
pub(super) use symbol::record;

use crate::real::Real;
use std::collections::HashMap;

/// Number of a node. Arguments have smaller numbers than what is made of them.
pub(crate) type Id = u32;

/// A function of one number that has an operation of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Elementary {
    Exp,
    Expm1,
    Exprel,
    Bernoulli,
    Ln,
    Tanh,
    Logistic,
    Sqrt,
    Sin,
    Cos,
    Phi(u32),
}

impl Elementary {
    #[inline(always)]
    fn at<R: Real>(self, x: R) -> R {
        match self {
            Elementary::Exp => x.exp(),
            Elementary::Expm1 => x.expm1(),
            Elementary::Exprel => x.exprel(),
            Elementary::Bernoulli => x.bernoulli(),
            Elementary::Ln => x.ln(),
            Elementary::Tanh => x.tanh(),
            Elementary::Logistic => x.logistic(),
            Elementary::Sqrt => x.sqrt(),
            Elementary::Sin => x.sin(),
            Elementary::Cos => x.cos(),
            Elementary::Phi(k) => x.phi(k),
        }
    }
}

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node {
    Input(u32),
    /// By its bits, so that nodes can be compared.
    Constant(u64),
    Neg(Id),
    Add(Id, Id),
    Sub(Id, Id),
    Mul(Id, Id),
    Div(Id, Id),
    /// The product, but 0 where the first factor is 0 and the second is not finite.
    Weighted(Id, Id),
    /// `if a < b { then } else { otherwise }`
    Select([Id; 4]),
    /// The derivative of that order of a function.
    Call(Elementary, u8, Id),
}

impl Node {
    /// The arguments, and how many there are.
    fn arguments(self) -> ([Id; 4], usize) {
        match self {
            Node::Input(_) | Node::Constant(_) => ([0; 4], 0),
            Node::Neg(a) | Node::Call(_, _, a) => ([a, 0, 0, 0], 1),
            Node::Add(a, b)
            | Node::Sub(a, b)
            | Node::Mul(a, b)
            | Node::Div(a, b)
            | Node::Weighted(a, b) => ([a, b, 0, 0], 2),
            Node::Select(all) => (all, 4),
        }
    }
}

/// Operations, each of them once, and which of them are the results of a kernel.
///
/// What is known when a node is made is computed at once, so that the rules of differentiation need not care for zeros and ones.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    known: HashMap<Node, Id>,
    inputs: usize,
    outputs: Vec<Id>,
}

impl Graph {
    fn node(&mut self, node: Node) -> Id {
        *self.known.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            (self.nodes.len() - 1) as Id
        })
    }

    fn at(&self, id: Id) -> Node {
        self.nodes[id as usize]
    }

    fn input(&mut self, number: usize) -> Id {
        self.node(Node::Input(number as u32))
    }

    fn constant(&mut self, x: f64) -> Id {
        self.node(Node::Constant(x.to_bits()))
    }

    /// The value of a constant.
    fn number(&self, id: Id) -> Option<f64> {
        match self.at(id) {
            Node::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    fn is(&self, id: Id, x: f64) -> bool {
        self.number(id) == Some(x)
    }

    /// What is negated, if the node is a negation.
    fn negated(&self, id: Id) -> Option<Id> {
        match self.at(id) {
            Node::Neg(a) => Some(a),
            _ => None,
        }
    }

    fn neg(&mut self, a: Id) -> Id {
        match self.at(a) {
            Node::Constant(bits) => self.constant(-f64::from_bits(bits)),
            Node::Neg(a) => a,
            _ => self.node(Node::Neg(a)),
        }
    }

    fn add(&mut self, a: Id, b: Id) -> Id {
        if let (Some(x), Some(y)) = (self.number(a), self.number(b)) {
            return self.constant(x + y);
        }
        match (self.negated(a), self.negated(b)) {
            _ if self.is(a, 0.0) => b,
            _ if self.is(b, 0.0) => a,
            (_, Some(b)) => self.sub(a, b),
            (Some(a), None) => self.sub(b, a),
            _ => self.node(Node::Add(a.min(b), a.max(b))),
        }
    }

    fn sub(&mut self, a: Id, b: Id) -> Id {
        if let (Some(x), Some(y)) = (self.number(a), self.number(b)) {
            return self.constant(x - y);
        }
        match (self.negated(a), self.negated(b)) {
            _ if self.is(a, 0.0) => self.neg(b),
            _ if self.is(b, 0.0) => a,
            (_, Some(b)) => self.add(a, b),
            (Some(a), None) => {
                let sum = self.add(a, b);
                self.neg(sum)
            }
            _ => self.node(Node::Sub(a, b)),
        }
    }

    fn mul(&mut self, a: Id, b: Id) -> Id {
        self.product(a, b, |a, b| Node::Mul(a.min(b), a.max(b)))
    }

    fn weighted(&mut self, a: Id, b: Id) -> Id {
        self.product(a, b, Node::Weighted)
    }

    fn product(&mut self, a: Id, b: Id, node: fn(Id, Id) -> Node) -> Id {
        match (self.number(a), self.number(b)) {
            (Some(x), Some(y)) => return self.constant(x * y),
            (Some(0.0), _) => return a,
            (_, Some(0.0)) => return b,
            (Some(1.0), _) => return b,
            (_, Some(1.0)) => return a,
            (Some(-1.0), _) => return self.neg(b),
            (_, Some(-1.0)) => return self.neg(a),
            _ => {}
        }
        // A sign that comes last can become part of a sum.
        if let Some(a) = self.negated(a) {
            let product = self.product(a, b, node);
            return self.neg(product);
        }
        if let Some(b) = self.negated(b) {
            let product = self.product(a, b, node);
            return self.neg(product);
        }
        self.node(node(a, b))
    }

    fn div(&mut self, a: Id, b: Id) -> Id {
        match (self.number(a), self.number(b)) {
            (Some(x), Some(y)) => self.constant(x / y),
            (_, Some(y)) if (1.0 / y).is_normal() => {
                let inverse = self.constant(1.0 / y);
                self.mul(a, inverse)
            }
            _ => self.node(Node::Div(a, b)),
        }
    }

    fn select(&mut self, [a, b, then, otherwise]: [Id; 4]) -> Id {
        match (self.number(a), self.number(b)) {
            _ if then == otherwise => then,
            (Some(x), Some(y)) if x < y => then,
            (Some(_), Some(_)) => otherwise,
            _ => self.node(Node::Select([a, b, then, otherwise])),
        }
    }

    fn call(&mut self, f: Elementary, order: u8, a: Id) -> Id {
        match (self.number(a), f) {
            (Some(x), _) if order == 0 => self.constant(f.at(x)),
            (_, Elementary::Phi(0)) => self.call(Elementary::Exp, order, a),
            (_, Elementary::Phi(1)) => self.call(Elementary::Exprel, order, a),
            _ => self.node(Node::Call(f, order, a)),
        }
    }
}
