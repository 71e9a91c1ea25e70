//! A group's program as adjoints follow it.

use super::super::carry::take_constants;
use super::super::fuse::solved_after;
use super::super::instr::Instr;
use super::super::tile_engine::Engine;
use super::tape::Taped;
use super::{linear, reach};

/// A list of instructions with their rules.
pub(super) struct List {
    pub taped: Vec<Taped>,
    /// The instructions whose factors are kept after it, or whose matrices are made again.
    pub kept: Vec<usize>,
    /// How many numbers that are at most.
    kept_len: usize,
}

impl List {
    fn new(list: &[Instr], engine: &Engine<f64>, tape: &dyn Fn(&[Instr]) -> Vec<Taped>) -> Self {
        let (axial, lanes) = (engine.axial.as_ref(), engine.layout.lanes);
        let kept = list.iter().enumerate();
        let kept = kept.filter(|(_, instr)| linear::is_kept(instr));
        let kept: Vec<usize> = kept.map(|(k, _)| k).collect();
        let saved = kept.iter().map(|&k| linear::saved(&list[k], axial, lanes));
        Self {
            kept_len: saved.sum(),
            taped: tape(list),
            kept,
        }
    }

    /// How many numbers are recorded at most.
    fn saved(&self) -> usize {
        self.taped.iter().map(Taped::saved).sum::<usize>() + self.kept_len
    }
}

/// A group's program.
pub(super) struct Followed {
    /// In any step.
    first: List,
    /// In a step after one of the same size that left the state as it is, if that is another.
    continued: Option<List>,
    /// The instructions one by one, which tangents follow.
    pub apart: Vec<Taped>,
}

impl Followed {
    /// The rules of a group's program, and the instructions that depend on parameters alone and are no part of it.
    pub fn new(
        engine: &Engine<f64>,
        group: usize,
        tape: &dyn Fn(&[Instr]) -> Vec<Taped>,
    ) -> (Self, Vec<Instr>) {
        let program = &engine.programs[group];
        let cut = |list: &Vec<Instr>| {
            let mut list = solved_after(list);
            let constants = take_constants(&mut list, &engine.layout);
            (List::new(&list, engine, tape), constants)
        };
        let (first, constants) = cut(&program.settled);
        let program = Self {
            first,
            continued: program.continued.as_ref().map(|list| cut(list).0),
            apart: tape(&program.instructions),
        };
        (program, constants)
    }

    /// What is followed in a step.
    pub fn list(&self, continued: bool) -> &List {
        match &self.continued {
            Some(list) if continued => list,
            _ => &self.first,
        }
    }

    /// All instructions that adjoints follow.
    pub fn taped_mut(&mut self) -> impl Iterator<Item = &mut Taped> {
        let lists = std::iter::once(&mut self.first).chain(&mut self.continued);
        lists.flat_map(|list| &mut list.taped)
    }

    /// All lists.
    pub fn lists(&self) -> impl Iterator<Item = &Vec<Taped>> {
        let lists = std::iter::once(&self.first).chain(&self.continued);
        let lists = lists.map(|list| &list.taped);
        lists.chain([&self.apart])
    }

    /// Goes through either list once, see [`reach::pass`].
    pub fn pass(&mut self, needed: &mut [bool]) {
        let before = needed.to_vec();
        reach::pass(&mut self.first.taped, needed);
        if let Some(list) = &mut self.continued {
            let mut instead = before;
            reach::pass(&mut list.taped, &mut instead);
            needed.iter_mut().zip(instead).for_each(|(x, y)| *x |= y);
        }
    }

    /// How many numbers are recorded in a step at most.
    pub fn saved(&self) -> usize {
        let continued = self.continued.as_ref().map_or(0, List::saved);
        self.first.saved().max(continued)
    }
}
