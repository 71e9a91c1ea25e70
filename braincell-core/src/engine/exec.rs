//! Instructions and their execution.

use super::layout::Layout;
use crate::kernel::{Call, Kernel, Storage};
use crate::real::{Element, Lane};
use crate::simd::{Body, Level, dispatch};
use std::sync::Arc;

/// The time of a step: from `t` over `h`, within the smooth piece of the inputs that holds `within`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub t: f64,
    pub h: f64,
    pub within: f64,
}

/// One instruction on the arena. `usize` are offsets.
#[derive(Clone)]
pub(crate) enum Instr {
    /// Time and inputs from outside at t + c h.
    Inputs { c: f64 },
    /// Zeros.
    Zero { at: usize, len: usize },
    /// A copy.
    Copy { from: usize, to: usize, len: usize },
    /// A kernel's values.
    Kernel { kernel: Arc<dyn Kernel>, call: Call },
    /// A kernel's states at their steady state.
    Steady { kernel: Arc<dyn Kernel>, call: Call },
    /// Σ coefficient · array; coefficients by number.
    Combine {
        to: usize,
        len: usize,
        terms: Vec<(usize, usize)>,
    },
    /// a · b
    Product {
        to: usize,
        a: usize,
        b: usize,
        len: usize,
    },
}

/// What instructions need besides the arena.
pub(crate) struct Context<'a, F> {
    pub layout: &'a Layout,
    pub level: Level,
    pub first_cell: usize,
    pub clock: Clock,
    /// Values of the coefficients for this step size.
    pub coefficients: &'a [F],
}

pub(crate) fn execute<F: Storage>(instructions: &[Instr], context: &Context<F>, arena: &mut [F]) {
    for instruction in instructions {
        match instruction {
            Instr::Inputs { c } => inputs(context, *c, arena),
            Instr::Zero { at, len } => arena[*at..at + len].fill(F::default()),
            Instr::Copy { from, to, len } => arena.copy_within(*from..from + len, *to),
            Instr::Kernel { kernel, call } => F::of(&**kernel).values(context.level, call, arena),
            Instr::Steady { kernel, call } => F::of(&**kernel).steady(context.level, call, arena),
            Instr::Combine { to, len, terms } => {
                let body = Combine {
                    to: *to,
                    len: *len,
                    terms,
                    coefficients: context.coefficients,
                    arena,
                };
                dispatch(context.level, body);
            }
            Instr::Product { to, a, b, len } => {
                for k in 0..*len {
                    let (x, y) = (arena[a + k].to_f64(), arena[b + k].to_f64());
                    arena[to + k] = F::from_f64(x * y);
                }
            }
        }
    }
}

fn inputs<F: Storage>(context: &Context<F>, c: f64, arena: &mut [F]) {
    let layout = context.layout;
    let Clock { t, h, within } = context.clock;
    let t = if c == 0.0 { t } else { c.mul_add(h, t) };
    arena[layout.time] = F::from_f64(t);
    for (signal, plane) in layout.model.signals.iter().zip(&layout.signals) {
        match signal.input.as_deref() {
            None => {}
            Some([one]) => arena[plane.offset] = F::from_f64(one.value_and_slope(t, within).0),
            Some(each) => {
                let cells = &each[context.first_cell..context.first_cell + layout.lanes];
                for (x, input) in arena[plane.range()].iter_mut().zip(cells) {
                    *x = F::from_f64(input.value_and_slope(t, within).0);
                }
            }
        }
    }
}

struct Combine<'a, F> {
    to: usize,
    len: usize,
    terms: &'a [(usize, usize)],
    coefficients: &'a [F],
    arena: &'a mut [F],
}

impl<F: Element> Body<F> for Combine<'_, F> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(self) {
        const WIDTH: usize = 16;
        let Combine {
            to,
            len,
            terms,
            coefficients,
            arena,
        } = self;
        let mut start = 0;
        while start + WIDTH <= len {
            let mut sum = [F::default(); WIDTH];
            for (k, &(coefficient, from)) in terms.iter().enumerate() {
                let c = R::load(coefficients[coefficient]);
                let mut x = [F::default(); WIDTH];
                x.copy_from_slice(&arena[from + start..from + start + WIDTH]);
                for l in 0..WIDTH {
                    sum[l] = accumulate::<F, R>(k, c, x[l], sum[l]);
                }
            }
            arena[to + start..to + start + WIDTH].copy_from_slice(&sum);
            start += WIDTH;
        }
        while start < len {
            let mut sum = F::default();
            for (k, &(coefficient, from)) in terms.iter().enumerate() {
                let c = R::load(coefficients[coefficient]);
                sum = accumulate::<F, R>(k, c, arena[from + start], sum);
            }
            arena[to + start] = sum;
            start += 1;
        }
    }
}

/// The first term is a product, the others are added on.
#[inline(always)]
fn accumulate<F: Element, R: Lane<F>>(k: usize, c: R, x: F, sum: F) -> F {
    let x = R::load(x);
    if k == 0 {
        (c * x).store()
    } else {
        c.mul_add(x, R::load(sum)).store()
    }
}

/// Whether all numbers are finite.
pub(crate) fn all_finite<F: Element>(x: &[F], level: Level) -> bool {
    struct Finite<'a, F>(&'a [F]);
    impl<F: Element> Body<F> for Finite<'_, F> {
        type Out = bool;
        #[inline(always)]
        fn run<R: Lane<F>>(self) -> bool {
            let mut bad = false;
            for &x in self.0 {
                let x = R::load(x);
                // NaN for anything that is not finite, and NaN differs from everything.
                let zero = (x * 0.0).store();
                bad |= zero != F::default();
            }
            !bad
        }
    }
    dispatch(level, Finite(x))
}
