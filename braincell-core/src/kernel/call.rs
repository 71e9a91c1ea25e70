//! Where a kernel finds its inputs and puts its outputs.

use crate::real::{Element, Lane, Real};
use std::sync::Arc;

/// How many elements one pass of a kernel's inner loop handles.
pub const CHUNK: usize = 8;

/// Which number of a plane belongs to element `e` of the kernel's domain.
#[derive(Clone, Debug, PartialEq)]
pub enum Index {
    /// The same number for all elements.
    Splat,
    /// Number `e`.
    Each,
    /// Number `map[e]`.
    Map(Arc<[u32]>),
}

/// An input: a plane of numbers in the arena.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// Where the plane begins.
    pub offset: usize,
    /// How elements index it.
    pub index: Index,
}

/// Whether an output replaces or adds to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accumulate {
    /// Replace.
    Set,
    /// Add.
    Add,
}

/// An output: a plane of numbers in the arena. A splat output is not possible.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The plane.
    pub to: Operand,
    /// Replace or add.
    pub how: Accumulate,
}

/// One run of a kernel over `len` elements. All offsets count in one slice, the arena.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Number of elements.
    pub len: usize,
    /// One per input of the kernel.
    pub inputs: Vec<Operand>,
    /// One per output, `None` where the result is not wanted.
    pub outputs: Vec<Option<Output>>,
}

impl Operand {
    /// Where the number of element `e` is.
    #[inline(always)]
    pub fn place(&self, e: usize) -> usize {
        match &self.index {
            Index::Splat => self.offset,
            Index::Each => self.offset + e,
            Index::Map(map) => self.offset + map[e] as usize,
        }
    }

    /// Elements `start .. start + count` (count ≤ CHUNK); places beyond `count` repeat a valid number.
    #[inline(always)]
    pub(super) fn load<F: Element>(&self, arena: &[F], start: usize, count: usize) -> [F; CHUNK] {
        match &self.index {
            Index::Splat => [arena[self.offset]; CHUNK],
            Index::Each => {
                let from = self.offset + start;
                if count == CHUNK {
                    let mut out = [F::default(); CHUNK];
                    out.copy_from_slice(&arena[from..from + CHUNK]);
                    out
                } else {
                    let mut out = [arena[from]; CHUNK];
                    out[..count].copy_from_slice(&arena[from..from + count]);
                    out
                }
            }
            Index::Map(map) => {
                let map = &map[start..start + count];
                let mut out = [arena[self.offset + map[0] as usize]; CHUNK];
                for (x, &place) in out.iter_mut().zip(map) {
                    *x = arena[self.offset + place as usize];
                }
                out
            }
        }
    }
}

impl Output {
    #[inline(always)]
    pub(super) fn store<F: Element, R: Lane<F>>(
        &self,
        arena: &mut [F],
        start: usize,
        count: usize,
        x: &[F; CHUNK],
    ) {
        match (&self.to.index, self.how) {
            (Index::Map(map), how) => {
                for (&x, &place) in x.iter().zip(&map[start..start + count]) {
                    let y = &mut arena[self.to.offset + place as usize];
                    *y = match how {
                        Accumulate::Set => x,
                        Accumulate::Add => add::<F, R>(*y, x),
                    };
                }
            }
            (_, how) => {
                let from = self.to.offset + start;
                let y = &mut arena[from..from + count];
                match how {
                    Accumulate::Set => y.copy_from_slice(&x[..count]),
                    Accumulate::Add => {
                        for (y, &x) in y.iter_mut().zip(x) {
                            *y = add::<F, R>(*y, x);
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn add<F: Element, R: Lane<F>>(y: F, x: F) -> F {
    (R::load(y) + R::load(x)).store()
}

/// Reads one lane of a chunk of inputs.
#[inline(always)]
pub(super) fn lane<F: Element, R: Real, C, X>(chunk: &C, lane: usize, load: impl Fn(F) -> R) -> X
where
    C: super::Slots<[F; CHUNK]>,
    X: super::Slots<R>,
{
    let mut x = X::filled(R::zero());
    let mut i = 0;
    while i < C::LEN {
        *x.slot_mut(i) = load(chunk.slot(i)[lane]);
        i += 1;
    }
    x
}

/// Loads a chunk of all inputs from `from` on.
#[inline(always)]
pub(super) fn load_all<F: Element, C: super::Slots<[F; CHUNK]>>(
    operands: &[Operand],
    arena: &[F],
    start: usize,
    count: usize,
) -> C {
    let mut chunk = C::filled([F::default(); CHUNK]);
    let mut i = 0;
    while i < C::LEN {
        *chunk.slot_mut(i) = operands[i].load(arena, start, count);
        i += 1;
    }
    chunk
}
