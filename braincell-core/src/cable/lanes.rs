//! Strips of lanes: kernels compiled for a few constant widths, any other width cut into these.

use crate::kernel::{array, array_mut};
use crate::real::{Element, Lane};
use crate::simd::{Body, Level, dispatch};

/// A kernel on arrays `[row][lane]`, for `L` neighbouring lanes at a time.
pub trait Strip<F: Element> {
    /// Works on lanes `offset..offset + L` of rows that are `stride` lanes long. Must be `#[inline(always)]`.
    fn strip<R: Lane<F>, const L: usize>(&mut self, stride: usize, offset: usize);
}

/// Runs a kernel on all lanes of rows `width` lanes long.
#[inline(always)]
pub fn run<F: Element, K: Strip<F>>(level: Level, width: usize, kernel: K) {
    dispatch(level, Strips { width, kernel });
}

struct Strips<K> {
    width: usize,
    kernel: K,
}

impl<F: Element, K: Strip<F>> Body<F> for Strips<K> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(mut self) {
        match self.width {
            1 => self.kernel.strip::<R, 1>(1, 0),
            4 => self.kernel.strip::<R, 4>(4, 0),
            8 => self.kernel.strip::<R, 8>(8, 0),
            16 => self.kernel.strip::<R, 16>(16, 0),
            width => {
                let mut offset = 0;
                while offset + 8 <= width {
                    self.kernel.strip::<R, 8>(width, offset);
                    offset += 8;
                }
                while offset < width {
                    self.kernel.strip::<R, 1>(width, offset);
                    offset += 1;
                }
            }
        }
    }
}

/// The `L` elements from `at` on.
#[inline(always)]
pub fn get<F: Element, const L: usize>(x: &[F], at: usize) -> [F; L] {
    array(&x[at..at + L])
}

/// Stores `L` elements from `at` on.
#[inline(always)]
pub fn put<F: Element, const L: usize>(x: &mut [F], at: usize, values: [F; L]) {
    *array_mut(&mut x[at..at + L]) = values;
}
