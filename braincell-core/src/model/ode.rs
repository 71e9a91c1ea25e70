//! Plain systems of ordinary differential equations.

use super::{
    DiffEqModule, DiffEqState, Domain, Launches, ModelBuilder, ModelError, Parameter, ParameterId,
    Source, StateId, Target,
};
use crate::kernel::{Pointwise, pointwise};
use crate::real::Real;
use std::sync::Arc;

/// A system of `N` ordinary differential equations with `P` parameters.
///
/// ```
/// use braincell_core::model::{ode, DiffEqState, Model, Ode, Parameter};
/// use braincell_core::real::Real;
///
/// struct VanDerPol;
/// impl Ode<2, 1> for VanDerPol {
///     fn states(&self) -> [DiffEqState; 2] {
///         [DiffEqState::new("x", 2.0), DiffEqState::new("v", 0.0)]
///     }
///     fn parameters(&self) -> [Parameter; 1] {
///         [Parameter::new("mu", 1.0)]
///     }
///     fn derivative<R: Real>(&self, _t: R, [x, v]: [R; 2], [mu]: [R; 1]) -> [R; 2] {
///         [v, mu * (R::one() - x * x) * v - x]
///     }
/// }
/// let model = Model::new(&ode(VanDerPol))?;
/// assert_eq!(model.state_names(), ["x", "v"]);
/// # Ok::<(), braincell_core::model::ModelError>(())
/// ```
pub trait Ode<const N: usize, const P: usize>: Send + Sync + 'static {
    /// The states, with initial values.
    fn states(&self) -> [DiffEqState; N];
    /// The parameters, with their values.
    fn parameters(&self) -> [Parameter; P];
    /// dy/dt at time `t` (ms).
    fn derivative<R: Real>(&self, t: R, y: [R; N], p: [R; P]) -> [R; N];
    /// Whether the system is stochastic: dy = f dt + g dW with [`Ode::diffusion`] g, in the sense of Itô.
    const STOCHASTIC: bool = false;
    /// The diffusion coefficient g of each state, per √ms.
    fn diffusion<R: Real>(&self, _t: R, _y: [R; N], _p: [R; P]) -> [R; N] {
        [R::zero(); N]
    }
}

/// An [`Ode`] as a [`DiffEqModule`]: see [`ode`].
pub struct OdeModule<E, const N: usize, const P: usize>(Arc<E>);

/// Makes a module of a system of equations.
pub fn ode<const N: usize, const P: usize, E: Ode<N, P>>(equations: E) -> OdeModule<E, N, P> {
    OdeModule(Arc::new(equations))
}

struct Derivative<E, const N: usize, const P: usize>(Arc<E>);

impl<const N: usize, const P: usize, E: Ode<N, P>> Pointwise for Derivative<E, N, P> {
    type Inputs<T: Copy> = ([T; 1], [T; N], [T; P]);
    type Outputs<T: Copy> = [T; N];
    #[inline(always)]
    fn eval<R: Real>(&self, ([t], y, p): ([R; 1], [R; N], [R; P])) -> [R; N] {
        self.0.derivative(t, y, p)
    }
}

struct Diffusion<E, const N: usize, const P: usize>(Arc<E>);

impl<const N: usize, const P: usize, E: Ode<N, P>> Pointwise for Diffusion<E, N, P> {
    type Inputs<T: Copy> = ([T; 1], [T; N], [T; P]);
    type Outputs<T: Copy> = [T; N];
    #[inline(always)]
    fn eval<R: Real>(&self, ([t], y, p): ([R; 1], [R; N], [R; P])) -> [R; N] {
        self.0.diffusion(t, y, p)
    }
}

impl<const N: usize, const P: usize, E: Ode<N, P>> DiffEqModule for OdeModule<E, N, P> {
    type Handles = (Vec<StateId>, Vec<ParameterId>);

    fn declare(&self, model: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let states = self.0.states().into_iter();
        let states = states
            .map(|s| model.state(Domain::CELL, s))
            .collect::<Result<_, _>>()?;
        let parameters = self.0.parameters().into_iter();
        let parameters = parameters
            .map(|p| model.parameter(Domain::CELL, p))
            .collect::<Result<_, _>>()?;
        Ok((states, parameters))
    }

    fn compute_derivative(
        &self,
        (states, parameters): &Self::Handles,
        kernels: &mut Launches,
    ) -> Result<(), ModelError> {
        let mut inputs = vec![Source::Time];
        inputs.extend(states.iter().map(|&s| Source::State(s)));
        inputs.extend(parameters.iter().map(|&p| Source::Parameter(p)));
        let outputs: Vec<_> = states.iter().map(|&s| Target::Derivative(s)).collect();
        let kernel = pointwise(Derivative::<E, N, P>(self.0.clone()));
        kernels.launch(Domain::CELL, kernel, &inputs, &outputs)?;
        if E::STOCHASTIC {
            let kernel = pointwise(Diffusion::<E, N, P>(self.0.clone()));
            let outputs: Vec<_> = states.iter().map(|&s| Target::Diffusion(s)).collect();
            kernels.launch(Domain::CELL, kernel, &inputs, &outputs)?;
        }
        Ok(())
    }
}
