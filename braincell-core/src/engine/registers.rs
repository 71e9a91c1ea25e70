//! Places for the arrays of a step program.

use super::layout::Layout;
use crate::stepper::{Array, Op};

/// Places of the arrays of a program. An array's place is used again after its last use.
pub(super) struct Registers {
    len: usize,
    /// The place of each array.
    place: Vec<Option<usize>>,
    /// Places that are free.
    free: Vec<usize>,
    /// The arrays last used by each operation.
    last: Vec<Vec<Array>>,
}

impl Registers {
    pub fn new(ops: &[Op], arrays: usize, len: usize, current: usize) -> Self {
        let mut last = vec![Vec::new(); ops.len()];
        for array in (1..arrays as u32).map(Array) {
            let kept = ops.iter().any(|op| {
                let last = matches!(op, Op::Error { .. } | Op::Dense { .. } | Op::Commit { .. });
                last && op.reads().contains(&array)
            });
            let uses = |op: &Op| op.reads().contains(&array) || op.makes().contains(&array);
            if let (false, Some(k)) = (kept, ops.iter().rposition(uses)) {
                last[k].push(array);
            }
        }
        let mut place = vec![None; arrays];
        place[0] = Some(current);
        Self {
            len,
            place,
            free: Vec::new(),
            last,
        }
    }

    pub fn at(&self, array: Array) -> usize {
        self.place[array.0 as usize].expect("recorded programs make arrays before they read them")
    }

    /// The place of an array to be made: the one it has been given, or a free one.
    pub fn make(&mut self, layout: &mut Layout, array: Array) -> usize {
        match self.place[array.0 as usize] {
            Some(place) => place,
            None => {
                let place = self.free.pop().unwrap_or_else(|| layout.take(self.len));
                self.place(array, place);
                place
            }
        }
    }

    pub fn place(&mut self, array: Array, place: usize) {
        self.place[array.0 as usize] = Some(place);
    }

    /// After operation k the arrays that it used last are no longer needed.
    pub fn release(&mut self, k: usize) {
        for array in &self.last[k] {
            if let Some(place) = self.place[array.0 as usize]
                && self.place[0] != Some(place)
            {
                self.free.push(place);
            }
        }
    }
}
