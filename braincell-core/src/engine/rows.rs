//! Numbers of compartments to the rows of a tree and back.

use crate::cable::lanes::{Strip, get, put};
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

/// The numbers x of compartments whose capacities are at `at`.
#[inline(always)]
fn scaled<F: Element, R: Lane<F>, const L: usize>(
    scale: Scale,
    capacity: &[F],
    at: usize,
    mut x: [F; L],
) -> [F; L] {
    match scale {
        Scale::One => {}
        Scale::Capacity(s) => {
            let c = get::<F, L>(capacity, at);
            for l in 0..L {
                x[l] = (R::load(x[l]) * R::load(c[l]) * s).store();
            }
        }
        Scale::Pivot(a) => {
            let c = get::<F, L>(capacity, at);
            for l in 0..L {
                let pivot = (-R::constant(a)).mul_add(R::load(x[l]), R::one());
                x[l] = (pivot * R::load(c[l]) * (1.0 / a)).store();
            }
        }
    }
    x
}

/// Compartments to rows. Other rows are left alone.
pub(super) struct ToRows<'a, F> {
    /// The row of each compartment.
    pub rows: &'a [usize],
    pub from: &'a [F],
    pub capacity: &'a [F],
    pub scale: Scale,
    pub to: &'a mut [F],
}

impl<F: Element> Strip<F> for ToRows<'_, F> {
    #[inline(always)]
    fn strip<R: Lane<F>, const L: usize>(&mut self, stride: usize, offset: usize) {
        for (compartment, &row) in self.rows.iter().enumerate() {
            let at = compartment * stride + offset;
            let x = scaled::<F, R, L>(self.scale, self.capacity, at, get(self.from, at));
            put(self.to, row * stride + offset, x);
        }
    }
}

/// Rows to compartments.
pub(super) struct FromRows<'a, F> {
    /// The row of each compartment.
    pub rows: &'a [usize],
    pub from: &'a [F],
    pub capacity: &'a [F],
    pub scale: Scale,
    pub to: &'a mut [F],
}

impl<F: Element> Strip<F> for FromRows<'_, F> {
    #[inline(always)]
    fn strip<R: Lane<F>, const L: usize>(&mut self, stride: usize, offset: usize) {
        for (compartment, &row) in self.rows.iter().enumerate() {
            let at = compartment * stride + offset;
            let x = get(self.from, row * stride + offset);
            let x = scaled::<F, R, L>(self.scale, self.capacity, at, x);
            put(self.to, at, x);
        }
    }
}

/// Currents in rows to rates of compartments: takes x / (C A) from the numbers there.
pub(super) struct Discharge<'a, F> {
    /// The row of each compartment.
    pub rows: &'a [usize],
    pub current: &'a [F],
    pub capacity: usize,
    /// Where the rates are.
    pub to: usize,
    pub arena: &'a mut [F],
}

impl<F: Element> Strip<F> for Discharge<'_, F> {
    #[inline(always)]
    fn strip<R: Lane<F>, const L: usize>(&mut self, stride: usize, offset: usize) {
        for (compartment, &row) in self.rows.iter().enumerate() {
            let at = compartment * stride + offset;
            let current = get::<F, L>(self.current, row * stride + offset);
            let c = get::<F, L>(self.arena, self.capacity + at);
            let mut rate = get::<F, L>(self.arena, self.to + at);
            for l in 0..L {
                let change = R::load(current[l]) / R::load(c[l]);
                rate[l] = (R::load(rate[l]) - change).store();
            }
            put(self.arena, self.to + at, rate);
        }
    }
}
