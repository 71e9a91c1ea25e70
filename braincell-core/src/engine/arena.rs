//! Memory whose beginning is that of a cache line.

use std::ops::{Deref, DerefMut};

/// Numbers that begin at a multiple of [`ALIGNMENT`] bytes, so that vectors at multiples of [`LINE`] numbers do not reach
/// across cache lines.
#[derive(Debug, Default)]
pub(crate) struct Arena<T> {
    data: Vec<T>,
    skip: usize,
    len: usize,
}

/// Bytes of a cache line, and of the longest vector.
const ALIGNMENT: usize = 64;
/// Planes begin at multiples of so many numbers.
pub(crate) const LINE: usize = 16;

impl<T: Copy + Default> Arena<T> {
    pub fn new(len: usize) -> Self {
        let data = vec![T::default(); len + LINE];
        // `align_offset` may say that it does not know; then nothing is aligned, and nothing else is lost.
        let skip = data.as_ptr().align_offset(ALIGNMENT);
        let skip = if skip < LINE { skip } else { 0 };
        Self { data, skip, len }
    }
}

impl<T> Deref for Arena<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.data[self.skip..self.skip + self.len]
    }
}

impl<T> DerefMut for Arena<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.data[self.skip..self.skip + self.len]
    }
}

/// Takes `len` numbers from the end of a memory of `size`; a plane begins at a cache line.
pub(crate) fn take(size: &mut usize, len: usize) -> usize {
    if len >= 8 {
        *size = size.next_multiple_of(LINE);
    }
    *size += len;
    *size - len
}
