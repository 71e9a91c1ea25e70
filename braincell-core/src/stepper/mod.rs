//! Steppers: solvers as short programs over whole arrays.
//!
//! A [`Stepper`] is pure. Its [`Stepper::step`] is called with a recorder, [`StepOps`]; each call of an operation
//! appends to a [`Program`], which the engine then runs on models of any kind and size. A stepper never sees a
//! number: coefficients are multiples of powers of the step size.

mod info;
mod ops;
mod program;
mod simple;
mod values;

pub use info::{Needs, Properties, SolverInfo, SolverParameter};
pub use ops::{StepError, StepOps};
pub use program::{MAX_OPS, Op, Program, ProgramError};
pub use simple::{StepFn, stepper};
pub use values::{Array, Coef, Jacobian, Linearization, Parts, Terms, h, num};

/// A solver: metadata, and the program of one step.
///
/// The explicit midpoint method:
///
/// ```
/// use braincell_core::stepper::{h, num, Program, SolverInfo, StepError, StepOps, Stepper};
///
/// struct Midpoint;
/// impl Stepper for Midpoint {
///     fn info(&self) -> SolverInfo {
///         SolverInfo::new("my_midpoint", "my_family", 2)
///     }
///     fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
///         let y = o.y();
///         let k = o.rhs(0.0, y)?;
///         let middle = o.combine(&[(num(1.0), y), (h(0.5), k)])?;
///         let k = o.rhs(0.5, middle)?;
///         let next = o.combine(&[(num(1.0), y), (h(1.0), k)])?;
///         o.commit(next)
///     }
/// }
///
/// let program = Program::record(&Midpoint, &[])?;
/// assert_eq!(program.right_hand_sides(), 2);
/// # Ok::<(), braincell_core::stepper::ProgramError>(())
/// ```
pub trait Stepper: Send + Sync + 'static {
    /// Name, order, needs and the rest.
    fn info(&self) -> SolverInfo;

    /// Records one step. Must do the same whenever it is called.
    ///
    /// # Errors
    /// What the operations return, or [`StepError::Refused`].
    fn step(&self, ops: &mut StepOps) -> Result<(), StepError>;
}
