//! Goes through arrays with a routine.

use super::Elementary;
use super::routine::{Place, Routine, STRIP, Step};
use crate::kernel::call::{CHUNK, array_mut, view};
use crate::real::{Dual, Lane};
use crate::simd::{Body, Level, dispatch};

impl Routine {
    /// Computes what is wanted at every element.
    pub(crate) fn run(&self, level: Level, arena: &mut [f64]) {
        dispatch(level, Run(self, arena));
    }
}

struct Run<'a>(&'a Routine, &'a mut [f64]);

impl Body<f64> for Run<'_> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<f64>>(mut self) {
        match self.0.len {
            0 => {}
            1 => self.strips::<R, 1>(),
            2..STRIP => self.strips::<R, CHUNK>(),
            _ => self.strips::<R, STRIP>(),
        }
    }
}

impl Run<'_> {
    /// Goes through all elements, W at a time. The last ones that fill no strip are taken with some of those before, whose
    /// results stay the same; if there are fewer than W elements, with what lies behind.
    #[inline(always)]
    fn strips<R: Lane<f64>, const W: usize>(&mut self) {
        let Run(routine, arena) = self;
        let len = routine.len;
        for &(x, at) in &routine.constants {
            *array_mut(&mut arena[at..]) = [x; W];
        }
        for &(from, at) in &routine.splats {
            *array_mut(&mut arena[at..]) = [arena[from]; W];
        }
        for start in (0..len).step_by(W) {
            let start = start.min(len.saturating_sub(W));
            for (operand, at) in &routine.maps {
                let x: [f64; W] = operand.load(arena, start, len.min(W));
                *array_mut(&mut arena[*at..]) = x;
            }
            for step in &routine.steps {
                take::<R, W>(step, start, arena);
            }
        }
    }
}

/// Reads some places, computes a number from those of each lane, and writes it to the last place.
macro_rules! lanes {
    ($arena:ident $start:ident $from:ident $to:ident; |$($x:ident $k:literal),*| $y:expr) => {{
        let mut out = [0.0; W];
        $(let $x: &[f64; W] = view(&$arena[$from[$k].begin($start)..]);)*
        for l in 0..W {
            $(let $x = R::load($x[l]);)*
            out[l] = $y.store();
        }
        *array_mut(&mut $arena[$to.begin($start)..]) = out;
    }};
}

#[inline(always)]
fn take<R: Lane<f64>, const W: usize>(step: &Step, start: usize, arena: &mut [f64]) {
    match step {
        Step::Copy([from @ .., to]) => lanes!(arena start from to; |a 0| a),
        Step::Neg([from @ .., to]) => lanes!(arena start from to; |a 0| -a),
        Step::Add([from @ .., to]) => lanes!(arena start from to; |a 0, b 1| (a + b)),
        Step::Sub([from @ .., to]) => lanes!(arena start from to; |a 0, b 1| (a - b)),
        Step::Mul([from @ .., to]) => lanes!(arena start from to; |a 0, b 1| (a * b)),
        Step::Div([from @ .., to]) => lanes!(arena start from to; |a 0, b 1| (a / b)),
        Step::Weighted([from @ .., to]) => lanes!(arena start from to; |a 0, b 1| {
            let zero = R::zero();
            a.abs().if_less(R::constant(f64::from_bits(1)), zero, a * b)
        }),
        Step::MulAdd([from @ .., to]) => {
            lanes!(arena start from to; |a 0, b 1, c 2| a.mul_add(b, c));
        }
        Step::MulSub([from @ .., to]) => {
            lanes!(arena start from to; |a 0, b 1, c 2| a.mul_add(b, -c));
        }
        Step::SubMul([from @ .., to]) => {
            lanes!(arena start from to; |a 0, b 1, c 2| (-a).mul_add(b, c));
        }
        Step::Select([from @ .., to]) => {
            lanes!(arena start from to; |a 0, b 1, c 2, d 3| a.if_less(b, c, d));
        }
        Step::Call(f, order, x, to) => {
            let call = Call {
                order: *order,
                x: *x,
                to: *to,
            };
            call.of::<R, W>(*f, start, arena);
        }
    }
}

/// A function's argument, and where it and its derivatives up to an order go.
struct Call {
    order: u8,
    x: Place,
    to: [Place; 3],
}

impl Call {
    /// Compiles a loop for each function.
    #[inline(always)]
    fn of<R: Lane<f64>, const W: usize>(&self, f: Elementary, start: usize, arena: &mut [f64]) {
        macro_rules! each {
            ($($f:ident)*) => {
                match f {
                    $(Elementary::$f => self.lanes::<R, W>(Elementary::$f, start, arena),)*
                    Elementary::Phi(2) => self.lanes::<R, W>(Elementary::Phi(2), start, arena),
                    Elementary::Phi(3) => self.lanes::<R, W>(Elementary::Phi(3), start, arena),
                    Elementary::Phi(k) => self.lanes::<R, W>(Elementary::Phi(k), start, arena),
                }
            };
        }
        each!(Exp Expm1 Exprel Bernoulli Ln Tanh Logistic Sqrt Sin Cos);
    }

    #[inline(always)]
    fn lanes<R: Lane<f64>, const W: usize>(&self, f: Elementary, start: usize, arena: &mut [f64]) {
        let zero = [0.0; W];
        match self.order {
            0 => {
                let (from, to) = ([self.x], self.to[0]);
                lanes!(arena start from to; |a 0| f.at(a));
            }
            1 => {
                let (mut value, mut slope) = (zero, zero);
                let x: &[f64; W] = view(&arena[self.x.begin(start)..]);
                for l in 0..W {
                    let y = f.at(Dual::<R, 1>::variable(R::load(x[l]), 0));
                    value[l] = y.value.store();
                    slope[l] = y.tangent[0].store();
                }
                *array_mut(&mut arena[self.to[0].begin(start)..]) = value;
                *array_mut(&mut arena[self.to[1].begin(start)..]) = slope;
            }
            _ => {
                let (mut value, mut slope, mut bend) = (zero, zero, zero);
                let x: &[f64; W] = view(&arena[self.x.begin(start)..]);
                for l in 0..W {
                    let x = Dual::<R, 1>::variable(R::load(x[l]), 0);
                    let y = f.at(Dual::<Dual<R, 1>, 1>::variable(x, 0));
                    value[l] = y.value.value.store();
                    slope[l] = y.value.tangent[0].store();
                    bend[l] = y.tangent[0].tangent[0].store();
                }
                *array_mut(&mut arena[self.to[0].begin(start)..]) = value;
                *array_mut(&mut arena[self.to[1].begin(start)..]) = slope;
                *array_mut(&mut arena[self.to[2].begin(start)..]) = bend;
            }
        }
    }
}
