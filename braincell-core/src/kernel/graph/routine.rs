//! What is wanted of a graph, as a list of steps over arrays.

use super::super::call::{CHUNK, Index, Operand};
use super::{Elementary, Graph, Id, Node};
use std::collections::HashMap;

/// How many elements a step goes through at once, if there are as many: so many that finding its places costs little, so few that
/// the numbers of all steps stay in the first-level cache.
pub(super) const STRIP: usize = 64;

/// A place of some numbers side by side in the arena: at every strip the same, or further on by as many elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    at: u32,
    moves: u32,
}

impl Place {
    fn new(at: usize, moves: bool) -> Self {
        Self {
            at: u32::try_from(at).expect("a tile has less than 2³² numbers"),
            moves: u32::from(moves),
        }
    }

    /// Where its numbers of the strip at `start` begin.
    #[inline(always)]
    pub fn begin(self, start: usize) -> usize {
        self.at as usize + self.moves as usize * start
    }
}

/// An operation on places. The last of them is that of the result.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Copy([Place; 2]),
    Neg([Place; 2]),
    Add([Place; 3]),
    Sub([Place; 3]),
    Mul([Place; 3]),
    Div([Place; 3]),
    Weighted([Place; 3]),
    /// a b + c
    MulAdd([Place; 4]),
    /// a b - c
    MulSub([Place; 4]),
    /// c - a b
    SubMul([Place; 4]),
    Select([Place; 5]),
    /// A function's argument, and where the function and its derivatives up to that order go.
    Call(Elementary, u8, Place, [Place; 3]),
}

/// Steps that compute some nodes of a graph at every element.
#[derive(Clone, Debug)]
pub(crate) struct Routine {
    pub(super) len: usize,
    /// Constants, and where they are.
    pub(super) constants: Vec<(f64, usize)>,
    /// Inputs that are the same for all elements, and where they are.
    pub(super) splats: Vec<(usize, usize)>,
    /// Inputs that a map picks, and where those of the strip are.
    pub(super) maps: Vec<(Operand, usize)>,
    pub(super) steps: Vec<Step>,
    /// The inputs that are read.
    reads: Vec<usize>,
    size: usize,
}

impl Routine {
    /// `results` are nodes and the planes that they go to, each with room for [`Routine::room`], none of which is an input: elements
    /// may be taken twice. Numbers from `scratch` on, which lie behind all planes, are the routine's own.
    pub(crate) fn new(
        graph: &Graph,
        results: &[(Id, usize)],
        inputs: &[Operand],
        len: usize,
        scratch: usize,
    ) -> Self {
        let width = match len {
            1 => 1,
            ..STRIP => CHUNK,
            _ => STRIP,
        };
        let mut places = Places {
            nodes: vec![None; graph.nodes.len()],
            free: Vec::new(),
            scratch,
            width,
            taken: 0,
        };
        let mut routine = Self {
            len,
            constants: Vec::new(),
            splats: Vec::new(),
            maps: Vec::new(),
            steps: Vec::new(),
            reads: Vec::new(),
            size: 0,
        };
        let order = Order::new(graph, results);
        for id in (0..graph.nodes.len()).filter(|&id| order.uses[id] > 0) {
            let operand = match graph.nodes[id] {
                Node::Constant(bits) => {
                    let at = places.keep(id);
                    routine.constants.push((f64::from_bits(bits), at));
                    continue;
                }
                Node::Input(i) => {
                    routine.reads.push(i as usize);
                    &inputs[i as usize]
                }
                _ => continue,
            };
            match operand.index {
                Index::Each => {
                    places.nodes[id] = Some(Held::Fixed(Place::new(operand.offset, true)));
                }
                Index::Splat => routine.splats.push((operand.offset, places.keep(id))),
                Index::Map(_) => routine.maps.push((operand.clone(), places.keep(id))),
            }
        }
        let mut copies = Vec::new();
        for &(id, plane) in results {
            let to = Place::new(plane, true);
            match places.nodes[id as usize] {
                None => places.nodes[id as usize] = Some(Held::Fixed(to)),
                Some(_) => copies.push((id, to)),
            }
        }
        for id in 0..graph.nodes.len() as Id {
            let Some(reads) = order.reads(graph, id) else {
                continue;
            };
            let from: Vec<Place> = reads.iter().map(|&id| places.of(id)).collect();
            for &read in &reads {
                if order.last[read as usize] == id {
                    places.release(read);
                }
            }
            let step = match (graph.at(id), &from[..]) {
                (Node::Call(f, _, a), &[x]) => {
                    let group = order.calls[&(f, a)];
                    let highest = group.iter().rposition(Option::is_some).unwrap_or(0);
                    let to = group.map(|id| id.map(|id| places.take(id)));
                    let unused = match to[..highest].contains(&None) {
                        true => places.unused(),
                        false => x,
                    };
                    Step::Call(f, highest as u8, x, to.map(|to| to.unwrap_or(unused)))
                }
                (node, from) => {
                    let to = places.take(id);
                    step(node, order.fused[id as usize], from, to)
                }
            };
            routine.steps.push(step);
        }
        for (id, to) in copies {
            routine.steps.push(Step::Copy([places.of(id), to]));
        }
        routine.size = places.taken;
        routine
    }

    /// How many numbers a plane has room for.
    pub(crate) fn room(len: usize) -> usize {
        match len {
            0 | 1 => len,
            _ => len.max(CHUNK),
        }
    }

    /// Whether an input is read.
    pub(crate) fn reads(&self, input: usize) -> bool {
        self.reads.contains(&input)
    }

    /// Those inputs that are read.
    pub(crate) fn read(&self, inputs: &[Operand]) -> Vec<Operand> {
        let read = inputs.iter().enumerate().filter(|&(i, _)| self.reads(i));
        read.map(|(_, input)| input.clone()).collect()
    }

    /// How many numbers are the routine's own.
    pub(crate) fn size(&self) -> usize {
        self.size
    }
}

fn step(node: Node, fused: Option<usize>, from: &[Place], to: Place) -> Step {
    match (node, fused, from) {
        (Node::Neg(_), _, &[a]) => Step::Neg([a, to]),
        (Node::Add(..), Some(_), &[a, b, c]) => Step::MulAdd([a, b, c, to]),
        (Node::Sub(..), Some(0), &[a, b, c]) => Step::MulSub([a, b, c, to]),
        (Node::Sub(..), Some(_), &[a, b, c]) => Step::SubMul([a, b, c, to]),
        (Node::Add(..), _, &[a, b]) => Step::Add([a, b, to]),
        (Node::Sub(..), _, &[a, b]) => Step::Sub([a, b, to]),
        (Node::Mul(..), _, &[a, b]) => Step::Mul([a, b, to]),
        (Node::Div(..), _, &[a, b]) => Step::Div([a, b, to]),
        (Node::Weighted(..), _, &[a, b]) => Step::Weighted([a, b, to]),
        (Node::Select(_), _, &[a, b, then, otherwise]) => Step::Select([a, b, then, otherwise, to]),
        _ => unreachable!("an operation with as many arguments"),
    }
}

/// When nodes are computed and read.
struct Order {
    /// How often each node is read; one that is not is left out.
    uses: Vec<u32>,
    /// Of sums, which of the two terms is a product that is computed with it.
    fused: Vec<Option<usize>>,
    /// Whether a node is a product that is computed with a sum.
    within: Vec<bool>,
    /// The derivatives of a function that are computed together, by order.
    calls: HashMap<(Elementary, Id), [Option<Id>; 3]>,
    /// The node with which each node is read for the last time.
    last: Vec<Id>,
}

impl Order {
    fn new(graph: &Graph, results: &[(Id, usize)]) -> Self {
        let len = graph.nodes.len();
        let mut order = Self {
            uses: vec![0; len],
            fused: vec![None; len],
            within: vec![false; len],
            calls: HashMap::new(),
            last: vec![0; len],
        };
        for &(id, _) in results {
            order.uses[id as usize] += 1;
        }
        for id in (0..len).rev() {
            let (arguments, count) = graph.nodes[id].arguments();
            if order.uses[id] == 0 {
                continue;
            }
            for argument in &arguments[..count] {
                order.uses[*argument as usize] += 1;
            }
        }
        for (id, node) in graph.nodes.iter().enumerate() {
            match *node {
                _ if order.uses[id] == 0 => {}
                Node::Add(a, b) | Node::Sub(a, b) => {
                    let alone = |term: Id| {
                        matches!(graph.at(term), Node::Mul(..)) && order.uses[term as usize] == 1
                    };
                    let terms = [a, b];
                    if let Some(k) = terms.into_iter().rposition(alone) {
                        order.fused[id] = Some(k);
                        order.within[terms[k] as usize] = true;
                    }
                }
                Node::Call(f, degree, a) => {
                    order.calls.entry((f, a)).or_default()[usize::from(degree)] = Some(id as Id);
                }
                _ => {}
            }
        }
        for id in 0..len as Id {
            for read in order.reads(graph, id).unwrap_or_default() {
                order.last[read as usize] = id;
            }
        }
        order
    }

    /// What the step that computes a node reads, if there is one: a product may be computed with a sum, a derivative with the
    /// function.
    fn reads(&self, graph: &Graph, id: Id) -> Option<Vec<Id>> {
        if self.uses[id as usize] == 0 || self.within[id as usize] {
            return None;
        }
        let (arguments, count) = graph.at(id).arguments();
        match graph.at(id) {
            Node::Input(_) | Node::Constant(_) => return None,
            Node::Call(f, _, a) => {
                let first = self.calls[&(f, a)].into_iter().flatten().min();
                if first != Some(id) {
                    return None;
                }
            }
            _ => {}
        }
        let Some(k) = self.fused[id as usize] else {
            return Some(arguments[..count].to_vec());
        };
        let (factors, _) = graph.at(arguments[k]).arguments();
        Some(vec![factors[0], factors[1], arguments[1 - k]])
    }
}

#[derive(Clone, Copy)]
enum Held {
    Fixed(Place),
    /// Until the node is read for the last time.
    Meanwhile(usize),
}

/// Gives out places.
struct Places {
    /// Where the nodes are that are somewhere.
    nodes: Vec<Option<Held>>,
    free: Vec<usize>,
    scratch: usize,
    width: usize,
    taken: usize,
}

impl Places {
    fn fresh(&mut self) -> usize {
        self.taken += self.width;
        self.scratch + self.taken - self.width
    }

    /// A place for a node that stays.
    fn keep(&mut self, id: usize) -> usize {
        let at = self.fresh();
        self.nodes[id] = Some(Held::Fixed(Place::new(at, false)));
        at
    }

    /// Where a node is.
    fn of(&self, id: Id) -> Place {
        match self.nodes[id as usize] {
            Some(Held::Fixed(place)) => place,
            Some(Held::Meanwhile(at)) => Place::new(at, false),
            None => unreachable!("nodes are computed before they are read"),
        }
    }

    /// Where a node is to go.
    fn take(&mut self, id: Id) -> Place {
        if self.nodes[id as usize].is_none() {
            let at = self.free.pop().unwrap_or_else(|| self.fresh());
            self.nodes[id as usize] = Some(Held::Meanwhile(at));
        }
        self.of(id)
    }

    fn release(&mut self, id: Id) {
        if let Some(Held::Meanwhile(at)) = self.nodes[id as usize] {
            self.free.push(at);
            self.nodes[id as usize] = None;
        }
    }

    /// A place for numbers that nobody reads.
    fn unused(&mut self) -> Place {
        let at = self.free.pop().unwrap_or_else(|| self.fresh());
        self.free.push(at);
        Place::new(at, false)
    }
}
