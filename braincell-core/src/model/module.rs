//! The protocol of an integrable system.

use super::{Launches, ModelBuilder, ModelError};

/// An integrable system. It declares its states and parameters, and launches the kernels that compute their
/// derivatives; it is asked once, and the engine runs what was recorded.
///
/// What the system can do beyond a plain right-hand side follows from what it declares: a state of
/// [`super::Part::Voltage`] makes it a membrane, kinetics of relaxing states give exponential updates of the gates, a
/// diffusion makes it stochastic. Local Jacobians, tangents and adjoints come from the kernels themselves.
///
/// For a plain system of equations [`super::Ode`] is shorter.
///
/// ```
/// use braincell_core::kernel::{pointwise, Pointwise};
/// use braincell_core::model::*;
/// use braincell_core::real::Real;
///
/// /// C dV/dt = g (E - V)
/// struct Leak;
/// impl Pointwise for Leak {
///     type Inputs<T: Copy> = [T; 3];
///     type Outputs<T: Copy> = [T; 1];
///     fn eval<R: Real>(&self, [v, g, e]: [R; 3]) -> [R; 1] {
///         [g * (e - v)]
///     }
/// }
///
/// struct Passive;
/// impl DiffEqModule for Passive {
///     type Handles = (StateId, ParameterId, ParameterId);
///     fn declare(&self, m: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
///         let v = m.state(Domain::CELL, DiffEqState::voltage("V", -60.0))?;
///         let g = m.parameter(Domain::CELL, Parameter::new("g", 0.3))?;
///         let e = m.parameter(Domain::CELL, Parameter::new("E", -70.0))?;
///         Ok((v, g, e))
///     }
///     fn compute_derivative(&self, &(v, g, e): &Self::Handles, k: &mut Launches) -> Result<(), ModelError> {
///         let inputs = [Source::State(v), Source::Parameter(g), Source::Parameter(e)];
///         k.launch(Domain::CELL, pointwise(Leak), &inputs, &[Target::Derivative(v)])
///     }
/// }
///
/// let model = Model::new(&Passive)?;
/// assert!(model.capabilities().membrane);
/// # Ok::<(), ModelError>(())
/// ```
pub trait DiffEqModule {
    /// What [`DiffEqModule::declare`] hands to the other methods.
    type Handles;

    /// Declares states, parameters, signals and inputs.
    ///
    /// # Errors
    /// What the module or the builder refuses.
    fn declare(&self, model: &mut ModelBuilder) -> Result<Self::Handles, ModelError>;

    /// Launches kernels that change states at the beginning of every step.
    ///
    /// # Errors
    /// What the module or the builder refuses.
    fn pre_integral(
        &self,
        _handles: &Self::Handles,
        _kernels: &mut Launches,
    ) -> Result<(), ModelError> {
        Ok(())
    }

    /// Launches the kernels that compute the derivatives.
    ///
    /// # Errors
    /// What the module or the builder refuses.
    fn compute_derivative(
        &self,
        handles: &Self::Handles,
        kernels: &mut Launches,
    ) -> Result<(), ModelError>;

    /// Launches kernels that change states at the end of every step, such as a reset.
    ///
    /// # Errors
    /// What the module or the builder refuses.
    fn post_integral(
        &self,
        _handles: &Self::Handles,
        _kernels: &mut Launches,
    ) -> Result<(), ModelError> {
        Ok(())
    }

    /// Records everything: the four methods in order.
    ///
    /// # Errors
    /// What the module or the builder refuses.
    fn record(&self, model: &mut ModelBuilder) -> Result<(), ModelError> {
        use super::Phase;
        let handles = self.declare(model)?;
        self.pre_integral(&handles, &mut model.launches(Phase::Pre))?;
        self.compute_derivative(&handles, &mut model.launches(Phase::Derivative))?;
        self.post_integral(&handles, &mut model.launches(Phase::Post))
    }
}
