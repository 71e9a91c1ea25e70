//! States that a run keeps on its way, to be gone back to.

use memmap2::{MmapMut, MmapOptions};
use std::ops::Deref;

/// A place in a run between two steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    /// The step that begins here.
    pub step: u64,
    /// ms
    pub time: f64,
    /// Pieces of steps made before.
    pub pieces: u64,
    /// Samples taken before.
    pub samples: usize,
}

impl Place {
    /// The beginning of a run, of which a sample has been taken.
    pub const START: Self = Self {
        step: 0,
        time: 0.0,
        pieces: 0,
        samples: 1,
    };
}

/// Numbers in pages of their own, huge ones where the system has them: a page costs a fault when it is touched first, and a huge one
/// holds 512 times as much.
#[derive(Default)]
pub(crate) struct Numbers {
    pages: Option<MmapMut>,
    len: usize,
    capacity: usize,
}

impl Numbers {
    /// Makes room for so many numbers in all; nothing if memory does not hold them.
    pub fn reserve(&mut self, capacity: usize) -> Option<()> {
        if capacity <= self.capacity {
            return Some(());
        }
        let bytes = capacity.checked_mul(size_of::<f64>())?;
        let mut pages = MmapOptions::new().len(bytes).map_anon().ok()?;
        // Without huge pages it is slower, and that is all.
        #[cfg(target_os = "linux")]
        let _ = pages.advise(memmap2::Advice::HugePage);
        let numbers: &mut [f64] = bytemuck::cast_slice_mut(&mut pages[..bytes]);
        numbers[..self.len].copy_from_slice(self);
        (self.pages, self.capacity) = (Some(pages), capacity);
        Some(())
    }

    /// Appends numbers, for which room has been made.
    #[inline]
    pub fn extend(&mut self, numbers: impl ExactSizeIterator<Item = f64>) {
        let (begin, end) = (self.len, self.len + numbers.len());
        assert!(end <= self.capacity, "room for as many numbers");
        if let Some(pages) = &mut self.pages {
            let all: &mut [f64] = bytemuck::cast_slice_mut(&mut pages[..]);
            let to = all[begin..end].iter_mut();
            to.zip(numbers).for_each(|(to, x)| *to = x);
            self.len = end;
        }
    }

    /// Forgets all numbers from one on.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Bytes of the room for numbers.
    pub fn bytes(&self) -> usize {
        self.capacity * size_of::<f64>()
    }
}

impl Deref for Numbers {
    type Target = [f64];
    #[inline]
    fn deref(&self) -> &[f64] {
        match &self.pages {
            Some(pages) => &bytemuck::cast_slice(&pages[..])[..self.len],
            None => &[],
        }
    }
}

/// States at places, the last of which is gone back to first.
#[derive(Default)]
pub(crate) struct Kept {
    places: Vec<Place>,
    states: Numbers,
}

impl Kept {
    /// Makes room for so many states of `len` numbers in all; nothing if memory does not hold them.
    pub fn reserve(&mut self, states: usize, len: usize) -> Option<()> {
        self.states.reserve(states.checked_mul(len)?)?;
        let more = states.saturating_sub(self.places.len());
        self.places.try_reserve_exact(more).ok()
    }

    /// Keeps a state, for which room has been made.
    pub fn push(&mut self, place: Place, state: impl ExactSizeIterator<Item = f64>) {
        self.states.extend(state);
        self.places.push(place);
    }

    /// Forgets the last state.
    pub fn pop(&mut self) {
        let len = self.states.len() / self.places.len().max(1);
        self.places.pop();
        self.states.truncate(self.places.len() * len);
    }

    /// The last state.
    pub fn last(&self) -> Option<(Place, &[f64])> {
        let place = *self.places.last()?;
        let len = self.states.len() / self.places.len();
        Some((place, &self.states[self.states.len() - len..]))
    }

    /// Number of states.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Bytes of the room for states.
    pub fn bytes(&self) -> usize {
        self.states.bytes() + self.places.capacity() * size_of::<Place>()
    }
}

/// States at the beginnings of successive steps, one after the other.
pub(crate) struct Trail {
    /// The first step.
    pub from: u64,
    pub states: Numbers,
}

impl Default for Trail {
    /// Nothing, nor anything to come.
    fn default() -> Self {
        Self {
            from: u64::MAX,
            states: Numbers::default(),
        }
    }
}

impl Trail {
    /// The states of `len` numbers each at the beginnings of `count` steps from `first` on.
    pub fn rows(&self, first: u64, count: u64, len: usize) -> &[f64] {
        let [begin, count] = [first - self.from, count].map(|steps| steps as usize * len);
        &self.states[begin..begin + count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_back_in_the_other_order() {
        let mut kept = Kept::default();
        let place = |step: u64| Place {
            step,
            ..Place::START
        };
        for steps in [3, 5] {
            kept.reserve(steps, 2).unwrap();
            for k in kept.len()..steps {
                kept.push(place(k as u64), [k as f64, -1.0].into_iter());
            }
        }
        assert!(kept.bytes() >= 5 * (2 * size_of::<f64>() + size_of::<Place>()));
        for k in (0..5).rev() {
            let (at, state) = kept.last().unwrap();
            assert_eq!((at, state), (place(k as u64), &[f64::from(k), -1.0][..]));
            kept.pop();
        }
        assert!(kept.last().is_none());
        kept.pop();
        assert_eq!(kept.len(), 0);
        assert!(kept.reserve(usize::MAX, 2).is_none());
        assert!(kept.reserve(1 << 50, 1 << 8).is_none());
    }
}
