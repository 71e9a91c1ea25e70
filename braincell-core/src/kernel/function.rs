//! What a kernel computes as a function of a few numbers, and the one loop over arrays that computes it.

use super::call::{Aside, CHUNK, Call, Loop, lane, load_single, over_all};
use super::{Pointwise, Slots};
use crate::real::{Element, Lane, Real};
use crate::simd::{Body, Level, dispatch, run_plain};

/// A function of a few numbers.
pub(super) trait Function {
    /// Arguments.
    type Inputs<T: Copy>: Slots<T>;
    /// Results.
    type Outputs<T: Copy>: Slots<T>;
    /// Whether the second half of the results are derivatives of the first half.
    const SLOPES: bool = false;
    /// Whether derivatives with respect to the first argument alone are compiled apart.
    const FIRST: bool = false;
    /// Whether it is evaluated so seldom that it is compiled for one processor and one width alone.
    const SELDOM: bool = false;
    /// The function. Must be `#[inline(always)]`.
    fn at<R: Real>(&self, x: Self::Inputs<R>) -> Self::Outputs<R>;
}

/// A pointwise kernel as a function.
pub(super) struct ValueOf<'a, K>(pub &'a K);

impl<K: Pointwise> Function for ValueOf<'_, K> {
    type Inputs<T: Copy> = K::Inputs<T>;
    type Outputs<T: Copy> = K::Outputs<T>;
    const FIRST: bool = K::FIRST;
    #[inline(always)]
    fn at<R: Real>(&self, x: Self::Inputs<R>) -> Self::Outputs<R> {
        self.0.eval(x)
    }
}

/// The steady state of a pointwise kernel as a function.
pub(super) struct SteadyOf<'a, K>(pub &'a K);

impl<K: Pointwise> Function for SteadyOf<'_, K> {
    type Inputs<T: Copy> = K::Inputs<T>;
    type Outputs<T: Copy> = K::Outputs<T>;
    const SELDOM: bool = true;
    #[inline(always)]
    fn at<R: Real>(&self, x: Self::Inputs<R>) -> Self::Outputs<R> {
        self.0.steady(x)
    }
}

/// outputs ← function(inputs), element by element.
pub(super) fn evaluate<F: Element, K: Function>(
    level: Level,
    function: &K,
    call: &Call,
    arena: &mut [F],
) {
    let run = Run {
        function,
        call,
        arena,
    };
    match K::SELDOM {
        true => run_plain(&mut Some(run)),
        false => dispatch(level, run),
    }
}

struct Run<'a, F, K> {
    function: &'a K,
    call: &'a Call,
    arena: &'a mut [F],
}

impl<F: Element, K: Function> Body<F> for Run<'_, F, K> {
    type Out = ();
    #[inline(always)]
    fn run<R: Lane<F>>(mut self) {
        let call = self.call;
        assert_eq!(call.inputs.len(), <K::Inputs<F>>::LEN);
        assert_eq!(call.outputs.len(), <K::Outputs<F>>::LEN);
        match K::SELDOM {
            true => self.chunks::<R, CHUNK>(0, call.len),
            false => over_all::<F, R>(call.len, &mut self),
        }
    }
}

impl<F: Element, K: Function> Loop<F> for Run<'_, F, K> {
    #[inline(always)]
    fn single<R: Lane<F>>(&mut self) {
        let y = self
            .function
            .at::<R>(load_single(&self.call.inputs, self.arena));
        let mut o = 0;
        while o < <K::Outputs<F>>::LEN {
            if let Some(to) = &self.call.outputs[o] {
                to.store_single::<F, R>(self.arena, *y.slot(o));
            }
            o += 1;
        }
    }

    #[inline(always)]
    fn chunks<R: Lane<F>, const W: usize>(&mut self, from: usize, to: usize) {
        let Run {
            function,
            call,
            arena,
        } = self;
        let mut aside = Aside::<_, K::Inputs<[F; W]>, _>::new(&call.inputs, arena);
        let mut output = <K::Outputs<[F; W]>>::filled([F::default(); W]);
        let mut start = from;
        while start < to {
            let count = (to - start).min(W);
            let input: K::Inputs<&[F; W]> = aside.views(&call.inputs, arena, start, count);
            for l in 0..W {
                let x: K::Inputs<R> = lane::<F, R, _, _, W>(&input, l, R::load);
                let y = function.at(x);
                let mut o = 0;
                while o < <K::Outputs<F>>::LEN {
                    output.slot_mut(o)[l] = y.slot(o).store();
                    o += 1;
                }
            }
            let mut o = 0;
            while o < <K::Outputs<F>>::LEN {
                if let Some(to) = &call.outputs[o] {
                    to.store::<F, R, W>(arena, start, count, output.slot(o));
                }
                o += 1;
            }
            start += count;
        }
    }
}
