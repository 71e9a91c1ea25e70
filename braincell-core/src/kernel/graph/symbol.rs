//! A scalar that writes down what is done to it.

use super::super::Slots;
use super::super::function::Function;
use super::{Elementary, Graph, Id};
use crate::real::Real;
use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};

thread_local! {
    /// What is being recorded: scalars are copied about, so that they cannot hold it.
    static GRAPH: RefCell<Graph> = RefCell::default();
}

/// The number of a node of the graph that is being recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbol(Id);

fn note(f: impl FnOnce(&mut Graph) -> Id) -> Symbol {
    Symbol(GRAPH.with_borrow_mut(f))
}

/// The operations of a function.
pub(in super::super) fn record<K: Function>(function: &K) -> Graph {
    GRAPH.set(Graph::default());
    let mut x = <K::Inputs<Symbol>>::filled(Symbol::zero());
    for i in 0..<K::Inputs<Symbol>>::LEN {
        *x.slot_mut(i) = note(|g| g.input(i));
    }
    let y = function.at(x);
    let mut graph = GRAPH.take();
    graph.inputs = <K::Inputs<Symbol>>::LEN;
    graph.outputs = (0..<K::Outputs<Symbol>>::LEN)
        .map(|o| y.slot(o).0)
        .collect();
    graph
}

impl Neg for Symbol {
    type Output = Self;
    fn neg(self) -> Self {
        note(|g| g.neg(self.0))
    }
}

macro_rules! operators {
    ($($trait:ident $f:ident),*) => {$(
        impl $trait for Symbol {
            type Output = Self;
            fn $f(self, other: Self) -> Self {
                note(|g| g.$f(self.0, other.0))
            }
        }
        impl $trait<f64> for Symbol {
            type Output = Self;
            fn $f(self, other: f64) -> Self {
                note(|g| {
                    let other = g.constant(other);
                    g.$f(self.0, other)
                })
            }
        }
    )*};
}
operators!(Add add, Sub sub, Mul mul, Div div);

macro_rules! calls {
    ($($f:ident $name:ident),*) => {$(
        fn $f(self) -> Self {
            note(|g| g.call(Elementary::$name, 0, self.0))
        }
    )*};
}

impl Real for Symbol {
    fn constant(x: f64) -> Self {
        note(|g| g.constant(x))
    }
    fn value(self) -> f64 {
        f64::NAN
    }
    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }
    fn if_less(self, other: Self, then: Self, otherwise: Self) -> Self {
        note(|g| g.select([self.0, other.0, then.0, otherwise.0]))
    }
    fn phi(self, k: u32) -> Self {
        note(|g| g.call(Elementary::Phi(k), 0, self.0))
    }
    calls!(
        exp Exp, expm1 Expm1, exprel Exprel, bernoulli Bernoulli, ln Ln, tanh Tanh,
        logistic Logistic, sqrt Sqrt, sin Sin, cos Cos
    );
}
