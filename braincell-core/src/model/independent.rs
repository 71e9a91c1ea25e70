//! Sub-modules with a solver of their own.

use super::{DiffEqModule, Launches, ModelBuilder, ModelError};

/// A sub-module that advances its own states with its own named solver, in `substeps` steps, inside its parent's
/// step; the parent's solver leaves those states alone.
///
/// The coupling is symmetric (Strang): the sub-module advances half the parent's step with the parent's states held,
/// the parent advances its step with the sub-module's states held, then the sub-module advances the other half. So it
/// is of second order if both solvers are. Several sub-modules are advanced one after the other, in the same order in
/// both halves; if one depends on another, that coupling is of first order.
///
/// G. Strang, On the construction and comparison of difference schemes, SIAM J. Numer. Anal. 5 (1968),
/// [doi:10.1137/0705041](https://doi.org/10.1137/0705041).
pub struct IndependentIntegration<M> {
    module: M,
    name: String,
    solver: String,
    substeps: usize,
}

impl<M> IndependentIntegration<M> {
    /// `module`, advanced by `solver` in `substeps` steps per half step of the parent. `name` names it in messages.
    pub fn new(
        name: impl Into<String>,
        module: M,
        solver: impl Into<String>,
        substeps: usize,
    ) -> Self {
        Self {
            module,
            name: name.into(),
            solver: solver.into(),
            substeps,
        }
    }
}

impl<M: DiffEqModule> DiffEqModule for IndependentIntegration<M> {
    type Handles = M::Handles;

    fn declare(&self, model: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        model.independent(&self.name, &self.solver, self.substeps, |model| {
            self.module.declare(model)
        })
    }

    fn pre_integral(
        &self,
        handles: &Self::Handles,
        kernels: &mut Launches,
    ) -> Result<(), ModelError> {
        self.module.pre_integral(handles, kernels)
    }

    fn compute_derivative(
        &self,
        handles: &Self::Handles,
        kernels: &mut Launches,
    ) -> Result<(), ModelError> {
        self.module.compute_derivative(handles, kernels)
    }

    fn post_integral(
        &self,
        handles: &Self::Handles,
        kernels: &mut Launches,
    ) -> Result<(), ModelError> {
        self.module.post_integral(handles, kernels)
    }
}
