//! Fixed-size groups of numbers.

/// A fixed number of values of one type: an array, or a pair or triple of groups.
pub trait Slots<T: Copy>: Copy {
    /// How many.
    const LEN: usize;
    /// All equal to `x`.
    fn filled(x: T) -> Self;
    /// The i-th.
    fn slot(&self, i: usize) -> &T;
    /// The i-th, to change.
    fn slot_mut(&mut self, i: usize) -> &mut T;
}

/// Calls `f` with the numbers below `len`, the first of them by name: a loop would be unrolled too late for the arrays that it
/// addresses to become registers, and the loop over lanes around it then has no vectors.
#[inline(always)]
pub fn each(len: usize, mut f: impl FnMut(usize)) {
    macro_rules! unrolled {
        ($($i:literal)*) => { $(if $i < len { f($i); })* };
    }
    unrolled!(0 1 2 3 4 5 6 7 8 9 10 11);
    let mut i = 12;
    while i < len {
        f(i);
        i += 1;
    }
}

impl<T: Copy, const N: usize> Slots<T> for [T; N] {
    const LEN: usize = N;
    #[inline(always)]
    fn filled(x: T) -> Self {
        [x; N]
    }
    #[inline(always)]
    fn slot(&self, i: usize) -> &T {
        &self[i]
    }
    #[inline(always)]
    fn slot_mut(&mut self, i: usize) -> &mut T {
        &mut self[i]
    }
}

impl<T: Copy, A: Slots<T>, B: Slots<T>> Slots<T> for (A, B) {
    const LEN: usize = A::LEN + B::LEN;
    #[inline(always)]
    fn filled(x: T) -> Self {
        (A::filled(x), B::filled(x))
    }
    #[inline(always)]
    fn slot(&self, i: usize) -> &T {
        if i < A::LEN {
            self.0.slot(i)
        } else {
            self.1.slot(i - A::LEN)
        }
    }
    #[inline(always)]
    fn slot_mut(&mut self, i: usize) -> &mut T {
        if i < A::LEN {
            self.0.slot_mut(i)
        } else {
            self.1.slot_mut(i - A::LEN)
        }
    }
}

impl<T: Copy, A: Slots<T>, B: Slots<T>, C: Slots<T>> Slots<T> for (A, B, C) {
    const LEN: usize = A::LEN + B::LEN + C::LEN;
    #[inline(always)]
    fn filled(x: T) -> Self {
        (A::filled(x), B::filled(x), C::filled(x))
    }
    #[inline(always)]
    fn slot(&self, i: usize) -> &T {
        if i < A::LEN {
            self.0.slot(i)
        } else if i < A::LEN + B::LEN {
            self.1.slot(i - A::LEN)
        } else {
            self.2.slot(i - A::LEN - B::LEN)
        }
    }
    #[inline(always)]
    fn slot_mut(&mut self, i: usize) -> &mut T {
        if i < A::LEN {
            self.0.slot_mut(i)
        } else if i < A::LEN + B::LEN {
            self.1.slot_mut(i - A::LEN)
        } else {
            self.2.slot_mut(i - A::LEN - B::LEN)
        }
    }
}
