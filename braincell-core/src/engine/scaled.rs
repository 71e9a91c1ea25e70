//! Numbers of compartments on their way into the tree and out of it.

use super::arrays::Loop;
use crate::kernel::{array, array_mut};
use crate::real::{Element, Lane};

/// What becomes of a compartment's number x on its way, C A being its capacity.
#[derive(Clone, Copy)]
pub(super) enum Scale {
    /// x
    One,
    /// x C A s
    Capacity(f64),
    /// (1 - a x) C A / a
    Pivot(f64),
}

/// The numbers x of compartments with capacities c.
#[inline(always)]
fn scaled<F: Element, R: Lane<F>, const N: usize>(
    scale: Scale,
    mut x: [F; N],
    c: &[F; N],
) -> [F; N] {
    match scale {
        Scale::One => {}
        Scale::Capacity(s) => {
            for l in 0..N {
                x[l] = (R::load(x[l]) * R::load(c[l]) * s).store();
            }
        }
        Scale::Pivot(a) => {
            for l in 0..N {
                let pivot = (-R::constant(a)).mul_add(R::load(x[l]), R::one());
                x[l] = (pivot * R::load(c[l]) * (1.0 / a)).store();
            }
        }
    }
    x
}

/// to ← the scaled numbers of compartments.
pub(super) struct Scaled<'a, F> {
    pub scale: Scale,
    pub from: &'a [F],
    pub capacity: &'a [F],
    pub to: &'a mut [F],
}

impl<F: Element> Loop<F> for Scaled<'_, F> {
    #[inline(always)]
    fn some<R: Lane<F>, const N: usize>(&mut self, at: usize) {
        let (x, c) = (
            array(&self.from[at..][..N]),
            array(&self.capacity[at..][..N]),
        );
        *array_mut(&mut self.to[at..][..N]) = scaled::<F, R, N>(self.scale, x, &c);
    }
}

/// As [`Instr::Assemble`](super::instr::Instr::Assemble) says.
pub(super) struct Assemble<'a, F> {
    pub gamma: f64,
    /// Where ∂f/∂v, f, v and C A are.
    pub from: [usize; 4],
    /// Where the diagonal and the right-hand side go.
    pub to: [usize; 2],
    pub arena: &'a mut [F],
}

impl<F: Element> Loop<F> for Assemble<'_, F> {
    #[inline(always)]
    fn some<R: Lane<F>, const N: usize>(&mut self, at: usize) {
        let [d, f, v, c] = self.from;
        let d: [F; N] = array(&self.arena[d + at..][..N]);
        let mut right: [F; N] = array(&self.arena[f + at..][..N]);
        let v: [F; N] = array(&self.arena[v + at..][..N]);
        let c: [F; N] = array(&self.arena[c + at..][..N]);
        let diagonal = scaled::<F, R, N>(Scale::Pivot(self.gamma), d, &c);
        for l in 0..N {
            let charge = R::load(right[l]) * R::load(c[l]);
            let own = R::load(diagonal[l]);
            right[l] = own.mul_add(R::load(v[l]), charge).store();
        }
        let [to, beside] = self.to;
        *array_mut(&mut self.arena[to + at..][..N]) = diagonal;
        *array_mut(&mut self.arena[beside + at..][..N]) = right;
    }
}

/// Takes x / (C A) from the rates of compartments, x being the currents out of them.
pub(super) struct Discharge<'a, F> {
    pub current: &'a [F],
    /// Where 1 / (C A) is.
    pub per_capacity: usize,
    /// Where the rates are.
    pub to: usize,
    pub arena: &'a mut [F],
}

impl<F: Element> Loop<F> for Discharge<'_, F> {
    #[inline(always)]
    fn some<R: Lane<F>, const N: usize>(&mut self, at: usize) {
        let x: [F; N] = array(&self.current[at..][..N]);
        let c: [F; N] = array(&self.arena[self.per_capacity + at..][..N]);
        let to = array_mut(&mut self.arena[self.to + at..][..N]);
        let mut rate: [F; N] = *to;
        for l in 0..N {
            rate[l] = (-R::load(x[l]))
                .mul_add(R::load(c[l]), R::load(rate[l]))
                .store();
        }
        *to = rate;
    }
}
