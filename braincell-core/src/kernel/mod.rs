//! Kernels: the pointwise functions a model is made of.
//!
//! An author writes [`Pointwise`] (any function of a few numbers) or [`Kinetics`] (rates of states that relax
//! linearly, such as gating variables) once, over the scalar trait [`Real`]. [`pointwise`] and [`kinetics`] wrap it
//! into a [`Kernel`], which the engine can run over arrays: for values, for partial derivatives, in double or
//! single precision, at every SIMD level.

mod call;
mod columns;
mod depends;
mod derivatives;
mod drive;
mod function;
mod gates;
mod graph;
mod slots;

pub use call::{Accumulate, Call, Index, Operand, Output};
pub(crate) use call::{array, array_mut};
pub(crate) use columns::{Column, columns};
pub use depends::Depends;
pub use graph::Graph;
pub(crate) use graph::{Routine, Seed};
pub use slots::{Slots, each};

use crate::real::{Element, Real};
use crate::simd::Level;
use std::sync::Arc;

/// A function of a few numbers, evaluated independently at every element of a domain.
///
/// `Inputs` and `Outputs` are arrays (`[T; 3]`) or pairs and triples of arrays, so that a function can take its
/// arguments in named groups. The body must be free of branches on numbers ([`Real::if_less`] selects), and
/// everything it calls should be `#[inline]`; then it vectorises. At most 64 inputs.
pub trait Pointwise: Send + Sync + 'static {
    /// Arguments.
    type Inputs<T: Copy>: Slots<T>;
    /// Results.
    type Outputs<T: Copy>: Slots<T>;
    /// The function.
    fn eval<R: Real>(&self, inputs: Self::Inputs<R>) -> Self::Outputs<R>;
    /// Whether derivatives with respect to the first argument alone, as schemes that are implicit in the potential need them,
    /// are compiled apart: worth it where much of the function depends on other arguments.
    const FIRST: bool = false;
    /// Whether [`Pointwise::steady`] is known.
    const STEADY: bool = false;
    /// If the function gives derivatives of states, the states at which they vanish, the other inputs held.
    fn steady<R: Real>(&self, inputs: Self::Inputs<R>) -> Self::Outputs<R> {
        self.eval(inputs)
    }
}

/// The coefficients of `dx/dt = a - b x` of one state.
///
/// A gating variable with opening rate α and closing rate β has a = α, b = α + β; one that relaxes to x∞ with time
/// constant τ has a = x∞ / τ, b = 1 / τ. A gate is so integrated exactly when its other arguments are held fixed:
/// x(t + h) = x + h φ₁(-b h) (a - b x).
#[derive(Clone, Copy, Debug)]
pub struct Relaxation<R> {
    /// Inflow, per ms.
    pub a: R,
    /// Decay rate, per ms.
    pub b: R,
}

impl<R: Real> Relaxation<R> {
    /// From opening and closing rates: dx/dt = α (1 - x) - β x.
    #[inline(always)]
    pub fn rates(alpha: R, beta: R) -> Self {
        Self {
            a: alpha,
            b: alpha + beta,
        }
    }
    /// From steady state and time constant: dx/dt = (x∞ - x) / τ.
    #[inline(always)]
    pub fn relaxing(steady: R, tau: R) -> Self {
        let b = R::one() / tau;
        Self { a: steady * b, b }
    }
    /// The steady state a / b.
    #[inline(always)]
    pub fn steady(self) -> R {
        self.a / self.b
    }
    /// Runs `factor` times as fast.
    #[inline(always)]
    pub fn faster(self, factor: R) -> Self {
        Self {
            a: self.a * factor,
            b: self.b * factor,
        }
    }
}

/// Rates of `G` states that each relax linearly: `dx_g/dt = a_g - b_g x_g`, with a and b functions of the inputs.
pub trait Kinetics<const G: usize>: Send + Sync + 'static {
    /// Arguments of the rates: voltage, concentrations, parameters.
    type Inputs<T: Copy>: Slots<T>;
    /// The rates.
    fn rates<R: Real>(&self, inputs: Self::Inputs<R>) -> [Relaxation<R>; G];
}

/// What the engine asks of a kernel, over elements of type `F`.
pub trait KernelFor<F: Element> {
    /// outputs ← f(inputs), element by element.
    fn values(&self, level: Level, call: &Call, arena: &mut [F]);
    /// First derivatives: output slot `o · columns + k` of the call receives the derivative of f_o when all inputs in the
    /// bit mask `columns[k]` change alike. The values themselves go to `values`, one for each output, if there are any
    /// columns and `values` is not empty.
    fn partials(
        &self,
        level: Level,
        columns: &[u64],
        call: &Call,
        values: &[Option<Output>],
        arena: &mut [F],
    );
    /// For relaxing states: outputs ← x + (p - q x) with p = h φ₁(-b h) a and q = h φ₁(-b h) b, the exact solution after a time
    /// h with fixed rates.
    ///
    /// Outputs are the states, or these and then the states relaxed once more. A kernel that is no [`Kinetics`] leaves its
    /// outputs alone.
    fn relax(&self, level: Level, h: F, call: &Call, arena: &mut [F]);
    /// For kernels that have one ([`Kernel::has_steady_state`]): outputs ← the states at which the derivatives vanish,
    /// of relaxing states a / b.
    fn steady(&self, level: Level, call: &Call, arena: &mut [F]);
}

/// Which of a kernel's functions is differentiated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DerivativeOf {
    /// [`KernelFor::values`].
    Values,
    /// [`KernelFor::relax`] over a time, ms; of the states relaxed once more too, where there are places for their derivatives.
    Relaxed(f64),
    /// [`KernelFor::steady`].
    Steady,
}

/// A kernel as the engine holds it: made by [`pointwise`] or [`kinetics`].
pub trait Kernel: KernelFor<f64> + KernelFor<f32> + Send + Sync {
    /// Number of inputs. A kinetics kernel has its rates' inputs first, then its states.
    fn inputs(&self) -> usize;
    /// Number of outputs.
    fn outputs(&self) -> usize;
    /// Which inputs each output depends on, as a bit mask.
    fn dependencies(&self) -> Vec<u64>;
    /// The number of relaxing states, if the kernel is a [`Kinetics`].
    fn relaxing_states(&self) -> Option<usize>;
    /// Whether [`KernelFor::steady`] is known: of a [`Kinetics`], and of a [`Pointwise`] that says so.
    fn has_steady_state(&self) -> bool {
        self.relaxing_states().is_some()
    }
    /// First derivatives: output slot `o · columns + k` of the call receives the derivative of f_o when all inputs in the
    /// bit mask `columns[k]` change alike. The values themselves go to `values`, one for each f_o, if there are any
    /// columns and `values` is not empty.
    fn first_derivatives(
        &self,
        level: Level,
        of: DerivativeOf,
        columns: &[u64],
        call: &Call,
        values: &[Option<Output>],
        arena: &mut [f64],
    );
    /// The operations that give the values.
    fn graph(&self) -> Graph;
}

/// Element types that kernels and runs are compiled for: `f64` and `f32`.
pub trait Storage: Element + crate::simulation::Compiled {
    /// The distance from 1 to the next number.
    const EPSILON: f64;
    /// The kernel's functions for this type.
    fn of(kernel: &dyn Kernel) -> &dyn KernelFor<Self>;
}

impl Storage for f64 {
    const EPSILON: f64 = f64::EPSILON;
    fn of(kernel: &dyn Kernel) -> &dyn KernelFor<f64> {
        kernel
    }
}

impl Storage for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
    fn of(kernel: &dyn Kernel) -> &dyn KernelFor<f32> {
        kernel
    }
}

/// Wraps a pointwise function.
pub fn pointwise<K: Pointwise>(kernel: K) -> Arc<dyn Kernel> {
    Arc::new(drive::Driver(kernel))
}

/// Wraps the kinetics of relaxing states. Inputs are those of the rates followed by the `G` states, outputs the
/// `G` derivatives.
pub fn kinetics<const G: usize, K: Kinetics<G>>(kernel: K) -> Arc<dyn Kernel> {
    Arc::new(gates::GateDriver::<K, G>(kernel))
}
