//! Where a kernel finds its inputs and puts its outputs.

use super::Slots;
use crate::real::{Element, Lane, Real};
use std::sync::Arc;

/// How many elements one pass of a kernel's inner loop handles where there are fewer than [`WIDE`].
pub const CHUNK: usize = 8;
/// How many elements one pass handles where there are as many: enough that looking up operands is cheap.
pub const WIDE: usize = 32;

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

    /// Elements `start .. start + count` (count ≤ W); places beyond `count` repeat a valid number.
    #[inline(always)]
    pub(super) fn load<F: Element, const W: usize>(
        &self,
        arena: &[F],
        start: usize,
        count: usize,
    ) -> [F; W] {
        match &self.index {
            Index::Splat => [arena[self.offset]; W],
            Index::Each => {
                let from = self.offset + start;
                if count == W {
                    array(&arena[from..from + W])
                } else {
                    let mut out = [arena[from]; W];
                    out[..count].copy_from_slice(&arena[from..from + count]);
                    out
                }
            }
            Index::Map(map) => {
                let map = &map[start..start + count];
                let mut out = [arena[self.offset + map[0] as usize]; W];
                for (x, &place) in out.iter_mut().zip(map) {
                    *x = arena[self.offset + place as usize];
                }
                out
            }
        }
    }
}

impl Output {
    /// The result of a single element.
    #[inline(always)]
    pub(super) fn store_single<F: Element, R: Lane<F>>(&self, arena: &mut [F], x: R) {
        let y = &mut arena[self.to.place(0)];
        *y = match self.how {
            Accumulate::Set => x.store(),
            Accumulate::Add => (R::load(*y) + x).store(),
        };
    }

    #[inline(always)]
    pub(super) fn store<F: Element, R: Lane<F>, const W: usize>(
        &self,
        arena: &mut [F],
        start: usize,
        count: usize,
        x: &[F; W],
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
                if count == W {
                    let to = array_mut(&mut arena[from..from + W]);
                    let mut y = *x;
                    if how == Accumulate::Add {
                        let there = *to;
                        for l in 0..W {
                            y[l] = add::<F, R>(there[l], y[l]);
                        }
                    }
                    *to = y;
                    return;
                }
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

/// All inputs of a single element.
#[inline(always)]
pub(super) fn load_single<F: Element, R: Lane<F>, X: Slots<R>>(
    operands: &[Operand],
    arena: &[F],
) -> X {
    let mut x = X::filled(R::zero());
    let mut i = 0;
    while i < X::LEN {
        *x.slot_mut(i) = R::load(arena[operands[i].place(0)]);
        i += 1;
    }
    x
}

/// A slice of W numbers as an array: copied by vector instructions, where `copy_from_slice` calls a function.
#[inline(always)]
pub(crate) fn array<F: Copy, const W: usize>(from: &[F]) -> [F; W] {
    *from.first_chunk().expect("a slice of that length")
}

/// As [`array`], where it lies.
#[inline(always)]
pub(super) fn view<F, const W: usize>(from: &[F]) -> &[F; W] {
    from.first_chunk().expect("a slice of that length")
}

/// As [`array`], to write to.
#[inline(always)]
pub(crate) fn array_mut<F, const W: usize>(to: &mut [F]) -> &mut [F; W] {
    to.first_chunk_mut().expect("a slice of that length")
}

#[inline(always)]
fn add<F: Element, R: Lane<F>>(y: F, x: F) -> F {
    (R::load(y) + R::load(x)).store()
}

/// Numbers of inputs that do not lie side by side in the arena: those that are the same for all elements, those picked by
/// a map, those of a last, short chunk.
pub(super) struct Aside<F, C, const W: usize> {
    chunk: C,
    /// Stands for inputs of a kernel that has none.
    zero: [F; W],
}

impl<F: Element, C: Slots<[F; W]>, const W: usize> Aside<F, C, W> {
    /// Before the first chunk.
    #[inline(always)]
    pub fn new(operands: &[Operand], arena: &[F]) -> Self {
        let zero = [F::default(); W];
        let mut chunk = C::filled(zero);
        let mut i = 0;
        while i < C::LEN {
            if operands[i].index == Index::Splat {
                *chunk.slot_mut(i) = [arena[operands[i].offset]; W];
            }
            i += 1;
        }
        Self { chunk, zero }
    }

    /// Elements `start .. start + count` of all inputs, where they lie or copied aside.
    #[inline(always)]
    pub fn views<'a, V: Slots<&'a [F; W]>>(
        &'a mut self,
        operands: &[Operand],
        arena: &'a [F],
        start: usize,
        count: usize,
    ) -> V {
        let in_place = |operand: &Operand| operand.index == Index::Each && count == W;
        let mut i = 0;
        while i < C::LEN {
            let operand = &operands[i];
            if operand.index != Index::Splat && !in_place(operand) {
                *self.chunk.slot_mut(i) = operand.load(arena, start, count);
            }
            i += 1;
        }
        let aside = &self.chunk;
        let mut views = V::filled(&self.zero);
        let mut i = 0;
        while i < C::LEN {
            let operand = &operands[i];
            *views.slot_mut(i) = if in_place(operand) {
                view(&arena[operand.offset + start..][..W])
            } else {
                aside.slot(i)
            };
            i += 1;
        }
        views
    }
}

/// Reads one lane of all inputs.
#[inline(always)]
pub(super) fn lane<'a, F: Element, R: Real, V, X, const W: usize>(
    views: &V,
    lane: usize,
    load: impl Fn(F) -> R,
) -> X
where
    V: Slots<&'a [F; W]>,
    X: Slots<R>,
{
    let mut x = X::filled(R::zero());
    let mut i = 0;
    while i < V::LEN {
        *x.slot_mut(i) = load(views.slot(i)[lane]);
        i += 1;
    }
    x
}

/// A loop over elements, compiled for several widths.
pub(super) trait Loop<F: Element> {
    /// The only element. Must be `#[inline(always)]`.
    fn single<R: Lane<F>>(&mut self);
    /// Elements `from .. to`, W at a time; the last chunk may be shorter. Must be `#[inline(always)]`.
    fn chunks<R: Lane<F>, const W: usize>(&mut self, from: usize, to: usize);
}

/// Goes through `len` elements, widely as long as that fits; a single one without any ado.
#[inline(always)]
pub(super) fn over_all<F: Element, R: Lane<F>>(len: usize, body: &mut impl Loop<F>) {
    if len == 1 {
        body.single::<R>();
        return;
    }
    let wide = len / WIDE * WIDE;
    if wide > 0 {
        body.chunks::<R, WIDE>(0, wide);
    }
    if wide < len {
        body.chunks::<R, CHUNK>(wide, len);
    }
}
