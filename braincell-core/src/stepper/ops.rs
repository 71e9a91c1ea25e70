//! The operations a step is made of, and their recorder.

use super::SolverParameter;
use super::program::{MAX_OPS, Op};
use crate::model::Part;
use std::fmt;
use std::ops::{BitOr, Mul, Neg};

/// A coefficient c · h^p, h being the step size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coef {
    /// The factor.
    pub c: f64,
    /// The power of the step size.
    pub power: i32,
}

/// The coefficient `c`.
pub const fn num(c: f64) -> Coef {
    Coef { c, power: 0 }
}

/// The coefficient `c · h`.
pub const fn h(c: f64) -> Coef {
    Coef { c, power: 1 }
}

impl Coef {
    /// The value for a step size.
    pub fn value(self, h: f64) -> f64 {
        match self.power {
            0 => self.c,
            1 => self.c * h,
            p => self.c * h.powi(p),
        }
    }
}

impl Mul<f64> for Coef {
    type Output = Coef;
    fn mul(self, x: f64) -> Coef {
        Coef {
            c: self.c * x,
            power: self.power,
        }
    }
}

impl Neg for Coef {
    type Output = Coef;
    fn neg(self) -> Coef {
        self * -1.0
    }
}

impl fmt::Display for Coef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.c, self.power) {
            (c, 0) => write!(f, "{c}"),
            (1.0, 1) => f.write_str("h"),
            (-1.0, 1) => f.write_str("-h"),
            (c, 1) => write!(f, "{c} h"),
            (c, p) => write!(f, "{c} h^{p}"),
        }
    }
}

/// An array with one number for each state of the model, in a step program. Arrays are never changed: every
/// operation makes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Array(pub u32);

/// A linearisation of the equations, in a step program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Linearization(pub u32);

/// Which derivatives of the right-hand side a linearisation keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Jacobian {
    /// All: every coupling, along the cable too.
    Full,
    /// Couplings within an element (a compartment); the cable is left out.
    Local,
    /// Couplings along the cable alone; zero where there is none.
    Cable,
    /// Each state's derivative with respect to itself.
    Diagonal,
}

/// A choice among the terms of the right-hand side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Terms {
    /// All.
    All,
    /// All but currents along the cable.
    Local,
    /// Currents along the cable alone; zero where there is none.
    Cable,
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Terms::All => "all",
            Terms::Local => "local",
            Terms::Cable => "cable",
        })
    }
}

/// A choice of state variables by their [`Part`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parts(pub u32);

impl Parts {
    /// Membrane potential.
    pub const VOLTAGE: Parts = Parts(1);
    /// Gating variables.
    pub const GATE: Parts = Parts(2);
    /// Concentrations.
    pub const CONCENTRATION: Parts = Parts(4);
    /// Other states.
    pub const OTHER: Parts = Parts(8);
    /// Everything but the membrane potential.
    pub const NOT_VOLTAGE: Parts = Parts(14);
    /// Everything.
    pub const ALL: Parts = Parts(15);

    /// Whether a state of this part is meant.
    pub fn contains(self, part: Part) -> bool {
        let bit = match part {
            Part::Voltage => Parts::VOLTAGE,
            Part::Gate => Parts::GATE,
            Part::Concentration => Parts::CONCENTRATION,
            Part::Other => Parts::OTHER,
        };
        self.0 & bit.0 != 0
    }
}

impl BitOr for Parts {
    type Output = Parts;
    fn bitor(self, other: Parts) -> Parts {
        Parts(self.0 | other.0)
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Parts::ALL {
            return f.write_str("all");
        }
        let parts = Part::ALL.iter().filter(|p| self.contains(**p));
        let names: Vec<String> = parts.map(Part::to_string).collect();
        f.write_str(&names.join("+"))
    }
}

/// Why a step could not be recorded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StepError {
    /// A handle that no operation of this step returned.
    #[error("operation {op} uses {handle}, which this step has not made")]
    UnknownHandle {
        /// Number of the operation, from 0.
        op: usize,
        /// The handle.
        handle: String,
    },
    /// A coefficient is NaN or infinite.
    #[error("operation {op} has the coefficient {value}; coefficients must be finite")]
    Coefficient {
        /// Number of the operation, from 0.
        op: usize,
        /// The coefficient.
        value: f64,
    },
    /// An argument makes no sense.
    #[error("operation {op}: {reason}")]
    Argument {
        /// Number of the operation, from 0.
        op: usize,
        /// What is wrong.
        reason: String,
    },
    /// The step has too many operations.
    #[error("the step has more than {MAX_OPS} operations; it may be recording without end")]
    TooLong,
    /// The step committed twice.
    #[error("operation {op} commits a second time; a step commits once")]
    CommittedTwice {
        /// Number of the operation, from 0.
        op: usize,
    },
    /// A parameter that the solver does not declare.
    #[error("the solver asks for its parameter \"{0}\", which it does not declare")]
    UnknownParameter(String),
    /// The stepper itself gave up.
    #[error("{0}")]
    Refused(String),
    /// The code of the stepper panicked.
    #[error("its code panicked: {0}")]
    Panicked(String),
    /// An operation of a plugin that this host does not know.
    #[error(
        "operation {op} has the code {code}, which this braincell does not know: the plugin was made for a newer \
         braincell; update braincell, or build the plugin against this version"
    )]
    Newer {
        /// Number of the operation, from 0.
        op: usize,
        /// Its code.
        code: u32,
    },
}

/// The recorder that a stepper is called with.
///
/// Times are given as fractions `c` of the step: `t + c h`. All operations act on whole arrays; f is the right-hand
/// side dy/dt = f(t, y), J its Jacobian ∂f/∂y.
pub struct StepOps {
    pub(crate) ops: Vec<Op>,
    pub(super) arrays: u32,
    pub(super) linearizations: u32,
    pub(super) committed: bool,
    parameters: Vec<(String, f64)>,
}

impl StepOps {
    pub(crate) fn new(declared: &[SolverParameter], given: &[(String, f64)]) -> Self {
        let value = |p: &SolverParameter| {
            let found = given.iter().find(|(name, _)| *name == p.name);
            (p.name.clone(), found.map_or(p.default, |(_, x)| *x))
        };
        Self {
            ops: Vec::new(),
            arrays: 1,
            linearizations: 0,
            committed: false,
            parameters: declared.iter().map(value).collect(),
        }
    }

    /// The value of one of the solver's own parameters.
    ///
    /// # Errors
    /// [`StepError::UnknownParameter`].
    pub fn parameter(&self, name: &str) -> Result<f64, StepError> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found
            .map(|(_, x)| *x)
            .ok_or_else(|| StepError::UnknownParameter(name.to_string()))
    }

    /// The state at the beginning of the step.
    pub fn y(&self) -> Array {
        Array(0)
    }

    /// f(t + c h, y).
    ///
    /// # Errors
    /// [`StepError`] for an unknown handle or a coefficient that is not finite; so for all operations.
    pub fn rhs(&mut self, c: f64, y: Array) -> Result<Array, StepError> {
        self.rhs_of(Parts::ALL, Terms::All, c, y)
    }

    /// f(t + c h, y) of some parts and with some terms only; zero in the other parts.
    ///
    /// # Errors
    /// As [`StepOps::rhs`].
    pub fn rhs_of(
        &mut self,
        parts: Parts,
        terms: Terms,
        c: f64,
        y: Array,
    ) -> Result<Array, StepError> {
        self.finite(c)?;
        self.known(y)?;
        let out = self.array();
        self.push(Op::Rhs {
            out,
            parts,
            terms,
            c,
            y,
        })?;
        Ok(out)
    }

    /// Σ coefficient · array.
    ///
    /// # Errors
    /// As [`StepOps::rhs`]; also for an empty sum.
    pub fn combine(&mut self, terms: &[(Coef, Array)]) -> Result<Array, StepError> {
        if terms.is_empty() {
            return Err(self.argument("an empty sum".to_string()));
        }
        for &(coef, array) in terms {
            self.finite(coef.c)?;
            self.known(array)?;
        }
        let out = self.array();
        let terms = terms.to_vec();
        self.push(Op::Combine { out, terms })?;
        Ok(out)
    }

    /// `a` in the states of `parts`, `b` in the others.
    ///
    /// # Errors
    /// As [`StepOps::rhs`].
    pub fn select(&mut self, parts: Parts, a: Array, b: Array) -> Result<Array, StepError> {
        self.known(a)?;
        self.known(b)?;
        let out = self.array();
        self.push(Op::Select { out, parts, a, b })?;
        Ok(out)
    }

    /// The linearisation of f at (t + c h, y): its Jacobian as far as `jacobian` says, between states of `parts`; zero
    /// elsewhere; and ∂f/∂t.
    ///
    /// # Errors
    /// As [`StepOps::rhs`].
    pub fn linearize(
        &mut self,
        jacobian: Jacobian,
        parts: Parts,
        c: f64,
        y: Array,
    ) -> Result<Linearization, StepError> {
        self.finite(c)?;
        self.known(y)?;
        let out = Linearization(self.linearizations);
        self.linearizations += 1;
        self.push(Op::Linearize {
            out,
            jacobian,
            parts,
            c,
            y,
        })?;
        Ok(out)
    }

    /// ∂f/∂t of a linearisation.
    ///
    /// # Errors
    /// As [`StepOps::rhs`].
    pub fn time_derivative(&mut self, lin: Linearization) -> Result<Array, StepError> {
        self.known_linearization(lin)?;
        let out = self.array();
        self.push(Op::TimeDerivative { out, lin })?;
        Ok(out)
    }

    /// (I - γ J)⁻¹ b. The coefficient γ is usually a multiple of h.
    ///
    /// # Errors
    /// As [`StepOps::rhs`].
    pub fn solve(&mut self, lin: Linearization, gamma: Coef, b: Array) -> Result<Array, StepError> {
        self.known_linearization(lin)?;
        self.finite(gamma.c)?;
        self.known(b)?;
        let out = self.array();
        self.push(Op::Solve { out, lin, gamma, b })?;
        Ok(out)
    }

    /// φ_k(s J) b, k ≤ 4, with φ_0 = exp and φ_{k+1}(z) = (φ_k(z) - 1/k!) / z.
    ///
    /// # Errors
    /// As [`StepOps::rhs`]; also for larger k.
    pub fn phi(
        &mut self,
        lin: Linearization,
        k: u32,
        scale: Coef,
        b: Array,
    ) -> Result<Array, StepError> {
        self.known_linearization(lin)?;
        self.finite(scale.c)?;
        self.known(b)?;
        if k > 4 {
            return Err(self.argument(format!("φ_{k} is asked for; k goes up to 4")));
        }
        let out = self.array();
        self.push(Op::Phi {
            out,
            lin,
            k,
            scale,
            b,
        })?;
        Ok(out)
    }

    /// Advances each state of `parts` by itself, all others held at `y`, exponentially over a time s:
    /// x + s φ₁(s ∂f_x/∂x) f_x with some terms of f, exact for states that relax linearly. Other states keep their
    /// value.
    ///
    /// # Errors
    /// As [`StepOps::rhs`].
    pub fn relax(
        &mut self,
        parts: Parts,
        terms: Terms,
        c: f64,
        scale: Coef,
        y: Array,
    ) -> Result<Array, StepError> {
        self.finite(c)?;
        self.finite(scale.c)?;
        self.known(y)?;
        let out = self.array();
        self.push(Op::Relax {
            out,
            parts,
            terms,
            c,
            scale,
            y,
        })?;
        Ok(out)
    }

    /// The z that solves z = base + γ f(t + c h, z), by Newton's method from `guess`.
    ///
    /// # Errors
    /// As [`StepOps::rhs`].
    pub fn implicit_stage(
        &mut self,
        c: f64,
        gamma: Coef,
        base: Array,
        guess: Array,
    ) -> Result<Array, StepError> {
        self.implicit_stage_of(Parts::ALL, Terms::All, c, gamma, base, guess)
    }

    /// The same for the states of `parts` and with some terms of f, the other states held at `base`.
    ///
    /// # Errors
    /// As [`StepOps::rhs`].
    pub fn implicit_stage_of(
        &mut self,
        parts: Parts,
        terms: Terms,
        c: f64,
        gamma: Coef,
        base: Array,
        guess: Array,
    ) -> Result<Array, StepError> {
        self.finite(c)?;
        self.finite(gamma.c)?;
        self.known(base)?;
        self.known(guess)?;
        let out = self.array();
        self.push(Op::ImplicitStage {
            out,
            parts,
            terms,
            c,
            gamma,
            base,
            guess,
        })?;
        Ok(out)
    }

    /// The stages z_i = y + h Σ_j a_ij f(t + c_j h, z_j) of a fully implicit Runge–Kutta method, by Newton's method.
    ///
    /// # Errors
    /// As [`StepOps::rhs`]; also if `a` is not square with one row per c, or has more than 4.
    pub fn implicit_stages(
        &mut self,
        a: &[&[f64]],
        c: &[f64],
        y: Array,
    ) -> Result<Vec<Array>, StepError> {
        let s = c.len();
        if s == 0 || s > 4 || a.len() != s || a.iter().any(|row| row.len() != s) {
            return Err(self.argument(format!(
                "a matrix of {} rows with {s} nodes; it must be square with 1 to 4 rows",
                a.len()
            )));
        }
        for &x in c.iter().chain(a.iter().copied().flatten()) {
            self.finite(x)?;
        }
        self.known(y)?;
        let out: Vec<Array> = (0..s).map(|_| self.array()).collect();
        self.push(Op::ImplicitStages {
            out: out.clone(),
            a: a.iter().map(|row| row.to_vec()).collect(),
            c: c.to_vec(),
            y,
        })?;
        Ok(out)
    }

    /// The diffusion coefficients g(t + c h, y) of a stochastic differential equation dy = f dt + g dW.
    ///
    /// # Errors
    /// As [`StepOps::rhs`].
    pub fn diffusion(&mut self, c: f64, y: Array) -> Result<Array, StepError> {
        self.finite(c)?;
        self.known(y)?;
        let out = self.array();
        self.push(Op::Diffusion { out, c, y })?;
        Ok(out)
    }

    /// x · (ΔW)^m for the step's Wiener increments ΔW, one for each state: normal with variance h, the same numbers
    /// wherever a step uses them.
    ///
    /// # Errors
    /// As [`StepOps::rhs`]; also if m is not 1 to 4.
    pub fn times_wiener(&mut self, m: u32, x: Array) -> Result<Array, StepError> {
        self.known(x)?;
        if !(1..=4).contains(&m) {
            return Err(self.argument(format!("(ΔW)^{m} is asked for; the power is 1 to 4")));
        }
        let out = self.array();
        self.push(Op::TimesWiener { out, m, x })?;
        Ok(out)
    }

    /// a · b, state by state.
    ///
    /// # Errors
    /// As [`StepOps::rhs`].
    pub fn product(&mut self, a: Array, b: Array) -> Result<Array, StepError> {
        self.known(a)?;
        self.known(b)?;
        let out = self.array();
        self.push(Op::Product { out, a, b })?;
        Ok(out)
    }

    /// Declares the solution inside the step: y(t + θ h) = y + Σ_j θ^j p_j with j = 1, 2, … and 0 ≤ θ ≤ 1.
    ///
    /// # Errors
    /// As [`StepOps::rhs`].
    pub fn dense(&mut self, powers: &[Array]) -> Result<(), StepError> {
        for &p in powers {
            self.known(p)?;
        }
        let powers = powers.to_vec();
        self.push(Op::Dense { powers })
    }

    /// Declares an estimate of the step's error.
    ///
    /// # Errors
    /// As [`StepOps::rhs`].
    pub fn error(&mut self, estimate: Array) -> Result<(), StepError> {
        self.known(estimate)?;
        self.push(Op::Error { of: estimate })
    }

    /// Declares the state at the end of the step.
    ///
    /// # Errors
    /// As [`StepOps::rhs`]; also on a second call.
    pub fn commit(&mut self, y: Array) -> Result<(), StepError> {
        self.known(y)?;
        if self.committed {
            return Err(StepError::CommittedTwice { op: self.ops.len() });
        }
        self.committed = true;
        self.push(Op::Commit { of: y })
    }

    fn array(&mut self) -> Array {
        self.arrays += 1;
        Array(self.arrays - 1)
    }

    fn push(&mut self, op: Op) -> Result<(), StepError> {
        if self.ops.len() >= MAX_OPS {
            return Err(StepError::TooLong);
        }
        self.ops.push(op);
        Ok(())
    }

    fn argument(&self, reason: String) -> StepError {
        StepError::Argument {
            op: self.ops.len(),
            reason,
        }
    }

    fn finite(&self, value: f64) -> Result<(), StepError> {
        if value.is_finite() {
            Ok(())
        } else {
            let op = self.ops.len();
            Err(StepError::Coefficient { op, value })
        }
    }

    fn known(&self, array: Array) -> Result<(), StepError> {
        if array.0 < self.arrays {
            Ok(())
        } else {
            Err(StepError::UnknownHandle {
                op: self.ops.len(),
                handle: format!("array {}", array.0),
            })
        }
    }

    fn known_linearization(&self, lin: Linearization) -> Result<(), StepError> {
        if lin.0 < self.linearizations {
            Ok(())
        } else {
            Err(StepError::UnknownHandle {
                op: self.ops.len(),
                handle: format!("linearisation {}", lin.0),
            })
        }
    }
}
