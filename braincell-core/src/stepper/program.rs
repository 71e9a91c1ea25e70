//! Recorded steps.

use super::{
    Array, Coef, Jacobian, Linearization, Parts, SolverInfo, StepError, StepOps, Stepper, Terms,
    num,
};
use std::fmt;

/// The greatest number of operations in a step.
pub const MAX_OPS: usize = 4096;

/// One operation of a step: see the method of the same name of [`StepOps`].
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Op {
    /// [`StepOps::rhs_of`]
    Rhs {
        out: Array,
        parts: Parts,
        terms: Terms,
        c: f64,
        y: Array,
    },
    /// [`StepOps::combine`]
    Combine {
        out: Array,
        terms: Vec<(Coef, Array)>,
    },
    /// [`StepOps::select`]
    Select {
        out: Array,
        parts: Parts,
        a: Array,
        b: Array,
    },
    /// [`StepOps::linearize`]
    Linearize {
        out: Linearization,
        jacobian: Jacobian,
        parts: Parts,
        c: f64,
        y: Array,
    },
    /// [`StepOps::time_derivative`]
    TimeDerivative { out: Array, lin: Linearization },
    /// [`StepOps::solve`]
    Solve {
        out: Array,
        lin: Linearization,
        gamma: Coef,
        b: Array,
    },
    /// [`StepOps::phi`]
    Phi {
        out: Array,
        lin: Linearization,
        k: u32,
        scale: Coef,
        b: Array,
    },
    /// [`StepOps::relax`]
    Relax {
        out: Array,
        parts: Parts,
        terms: Terms,
        c: f64,
        scale: Coef,
        y: Array,
    },
    /// [`StepOps::implicit_stage_of`]
    ImplicitStage {
        out: Array,
        parts: Parts,
        terms: Terms,
        c: f64,
        gamma: Coef,
        base: Array,
        guess: Array,
    },
    /// [`StepOps::implicit_stages`]
    ImplicitStages {
        out: Vec<Array>,
        a: Vec<Vec<f64>>,
        c: Vec<f64>,
        y: Array,
    },
    /// [`StepOps::diffusion`]
    Diffusion { out: Array, c: f64, y: Array },
    /// [`StepOps::times_wiener`]
    TimesWiener { out: Array, m: u32, x: Array },
    /// [`StepOps::product`]
    Product { out: Array, a: Array, b: Array },
    /// [`StepOps::dense`]
    Dense { powers: Vec<Array> },
    /// [`StepOps::error`]
    Error { of: Array },
    /// [`StepOps::commit`]
    Commit { of: Array },
}

/// Why a stepper has no valid program.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProgramError {
    /// Recording failed.
    #[error("recording a step of solver \"{solver}\" failed: {error}")]
    Step {
        /// The solver.
        solver: String,
        /// Why.
        error: StepError,
    },
    /// No state was committed.
    #[error("a step of solver \"{0}\" ends without committing a new state; call commit")]
    NotCommitted(String),
    /// Two recordings differ.
    #[error(
        "two recordings of a step of solver \"{solver}\" differ at operation {op}; a stepper must do the same whenever it is called"
    )]
    Impure {
        /// The solver.
        solver: String,
        /// The first operation that differs.
        op: usize,
    },
    /// An embedded order is declared but no error estimate is recorded, or the reverse.
    #[error(
        "solver \"{0}\" must call error exactly once if and only if it declares an embedded order"
    )]
    Estimate(String),
}

/// A recorded step.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    ops: Vec<Op>,
    arrays: u32,
    linearizations: u32,
}

impl Op {
    /// The arrays it makes.
    pub fn makes(&self) -> Vec<Array> {
        match self {
            Op::Rhs { out, .. }
            | Op::Combine { out, .. }
            | Op::Select { out, .. }
            | Op::TimeDerivative { out, .. }
            | Op::Solve { out, .. }
            | Op::Phi { out, .. }
            | Op::Relax { out, .. }
            | Op::ImplicitStage { out, .. }
            | Op::Diffusion { out, .. }
            | Op::TimesWiener { out, .. }
            | Op::Product { out, .. } => vec![*out],
            Op::ImplicitStages { out, .. } => out.clone(),
            Op::Linearize { .. } | Op::Dense { .. } | Op::Error { .. } | Op::Commit { .. } => {
                Vec::new()
            }
        }
    }

    /// The arrays it reads.
    pub fn reads(&self) -> Vec<Array> {
        match self {
            Op::Rhs { y, .. }
            | Op::Linearize { y, .. }
            | Op::Relax { y, .. }
            | Op::ImplicitStages { y, .. }
            | Op::Diffusion { y, .. } => vec![*y],
            Op::Combine { terms, .. } => terms.iter().map(|(_, a)| *a).collect(),
            Op::Select { a, b, .. } | Op::Product { a, b, .. } => vec![*a, *b],
            Op::TimeDerivative { .. } => Vec::new(),
            Op::Solve { b, .. } | Op::Phi { b, .. } => vec![*b],
            Op::ImplicitStage { base, guess, .. } => vec![*base, *guess],
            Op::TimesWiener { x, .. } => vec![*x],
            Op::Dense { powers } => powers.clone(),
            Op::Error { of } | Op::Commit { of } => vec![*of],
        }
    }

    /// Reads other arrays instead.
    pub(crate) fn read_instead(&mut self, of: impl Fn(Array) -> Array) {
        match self {
            Op::Rhs { y, .. }
            | Op::Linearize { y, .. }
            | Op::Relax { y, .. }
            | Op::ImplicitStages { y, .. }
            | Op::Diffusion { y, .. } => *y = of(*y),
            Op::Combine { terms, .. } => terms.iter_mut().for_each(|(_, a)| *a = of(*a)),
            Op::Select { a, b, .. } | Op::Product { a, b, .. } => {
                (*a, *b) = (of(*a), of(*b));
            }
            Op::TimeDerivative { .. } => {}
            Op::Solve { b, .. } | Op::Phi { b, .. } => *b = of(*b),
            Op::ImplicitStage { base, guess, .. } => (*base, *guess) = (of(*base), of(*guess)),
            Op::TimesWiener { x, .. } => *x = of(*x),
            Op::Dense { powers } => powers.iter_mut().for_each(|p| *p = of(*p)),
            Op::Error { of: array } | Op::Commit { of: array } => *array = of(*array),
        }
    }

    /// The linearisation it reads.
    pub fn reads_linearization(&self) -> Option<Linearization> {
        match self {
            Op::TimeDerivative { lin, .. } | Op::Solve { lin, .. } | Op::Phi { lin, .. } => {
                Some(*lin)
            }
            _ => None,
        }
    }
}

impl Program {
    /// Records a step, twice, and checks it. `parameters` are values for the solver's own parameters; those not
    /// given have their defaults.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub fn record(
        stepper: &dyn Stepper,
        parameters: &[(String, f64)],
    ) -> Result<Self, ProgramError> {
        let info = stepper.info();
        let first = Self::once(stepper, &info, parameters)?;
        let second = Self::once(stepper, &info, parameters)?;
        if first != second {
            let op = first.ops.iter().zip(&second.ops).position(|(a, b)| a != b);
            return Err(ProgramError::Impure {
                solver: info.name,
                op: op.unwrap_or(first.ops.len().min(second.ops.len())),
            });
        }
        Ok(first)
    }

    fn once(
        stepper: &dyn Stepper,
        info: &SolverInfo,
        parameters: &[(String, f64)],
    ) -> Result<Self, ProgramError> {
        let mut ops = StepOps::new(&info.parameters, parameters);
        let solver = info.name.clone();
        stepper.step(&mut ops).map_err(|error| ProgramError::Step {
            solver: solver.clone(),
            error,
        })?;
        if !ops.committed {
            return Err(ProgramError::NotCommitted(solver));
        }
        let estimates = ops.ops.iter().filter(|op| matches!(op, Op::Error { .. }));
        if estimates.count() != usize::from(info.embedded_order.is_some()) {
            return Err(ProgramError::Estimate(solver));
        }
        Ok(Self {
            ops: ops.ops,
            arrays: ops.arrays,
            linearizations: ops.linearizations,
        })
    }

    /// The operations, in order.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Number of arrays, the state at the beginning of the step included.
    pub fn arrays(&self) -> usize {
        self.arrays as usize
    }

    /// Number of linearisations.
    pub fn linearizations(&self) -> usize {
        self.linearizations as usize
    }

    /// The array that is committed.
    pub fn committed(&self) -> Array {
        let commit = self.ops.iter().find_map(|op| match op {
            Op::Commit { of } => Some(*of),
            _ => None,
        });
        commit.unwrap_or(Array(0))
    }

    /// Whether a step needs the Jacobian of all states of an element, not only its diagonal.
    pub fn needs_jacobian(&self) -> bool {
        self.ops.iter().any(|op| match op {
            Op::Linearize {
                jacobian, parts, ..
            } => matches!(jacobian, Jacobian::Full | Jacobian::Local) && *parts != Parts::VOLTAGE,
            Op::ImplicitStage { .. } | Op::ImplicitStages { .. } => true,
            _ => false,
        })
    }

    /// Evaluations of the right-hand side per step, those inside Newton iterations not counted.
    pub fn right_hand_sides(&self) -> usize {
        let counts = self.ops.iter().filter(|op| matches!(op, Op::Rhs { .. }));
        counts.count()
    }
}

impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("y"),
            k => write!(f, "a{k}"),
        }
    }
}

impl fmt::Display for Linearization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "L{}", self.0)
    }
}

/// A restriction of the right-hand side, nothing if there is none.
struct Of(Parts, Terms);

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Parts::ALL, Terms::All) => Ok(()),
            (parts, Terms::All) => write!(f, "[{parts}]"),
            (Parts::ALL, terms) => write!(f, "[{terms}]"),
            (parts, terms) => write!(f, "[{parts}, {terms}]"),
        }
    }
}

struct At(f64);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0.0 => f.write_str("t"),
            1.0 => f.write_str("t + h"),
            c => write!(f, "t + {c} h"),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Rhs {
                out,
                parts,
                terms,
                c,
                y,
            } => write!(f, "{out} = f{}({}, {y})", Of(*parts, *terms), At(*c)),
            Op::Combine { out, terms } => {
                write!(f, "{out} =")?;
                for (k, (coef, array)) in terms.iter().enumerate() {
                    let sign = match (k, coef.c < 0.0) {
                        (_, true) => " - ",
                        (0, false) => " ",
                        (_, false) => " + ",
                    };
                    f.write_str(sign)?;
                    let size = Coef {
                        c: coef.c.abs(),
                        power: coef.power,
                    };
                    if size == num(1.0) {
                        write!(f, "{array}")?;
                    } else {
                        write!(f, "{size} {array}")?;
                    }
                }
                Ok(())
            }
            Op::Select { out, parts, a, b } => {
                write!(f, "{out} = {a} where {parts}, {b} elsewhere")
            }
            Op::Linearize {
                out,
                jacobian,
                parts,
                c,
                y,
            } => {
                let kind = match jacobian {
                    Jacobian::Full => "full",
                    Jacobian::Local => "local",
                    Jacobian::Cable => "cable",
                    Jacobian::Diagonal => "diagonal",
                };
                let of = Of(*parts, Terms::All);
                write!(f, "{out} = {kind} Jacobian{of} at ({}, {y})", At(*c))
            }
            Op::TimeDerivative { out, lin } => write!(f, "{out} = ∂f/∂t of {lin}"),
            Op::Solve { out, lin, gamma, b } => {
                write!(f, "{out} = (I - {gamma} {lin})⁻¹ {b}")
            }
            Op::Phi {
                out,
                lin,
                k,
                scale,
                b,
            } => write!(f, "{out} = φ{k}({scale} {lin}) {b}"),
            Op::Relax {
                out,
                parts,
                terms,
                c,
                scale,
                y,
            } => write!(
                f,
                "{out} = {y} relaxed by f{} over {scale} at {}",
                Of(*parts, *terms),
                At(*c)
            ),
            Op::ImplicitStage {
                out,
                parts,
                terms,
                c,
                gamma,
                base,
                guess,
            } => write!(
                f,
                "{out} = solve z = {base} + {gamma} f{}({}, z) from {guess}",
                Of(*parts, *terms),
                At(*c)
            ),
            Op::ImplicitStages { out, a, c, y } => {
                let names: Vec<String> = out.iter().map(Array::to_string).collect();
                write!(
                    f,
                    "{} = solve z_i = {y} + h Σ a_ij f(t + c_j h, z_j), c = {c:?}, a = {a:?}",
                    names.join(", ")
                )
            }
            Op::Diffusion { out, c, y } => write!(f, "{out} = g({}, {y})", At(*c)),
            Op::TimesWiener { out, m: 1, x } => write!(f, "{out} = {x} ΔW"),
            Op::TimesWiener { out, m, x } => write!(f, "{out} = {x} ΔW^{m}"),
            Op::Product { out, a, b } => write!(f, "{out} = {a} · {b}"),
            Op::Dense { powers } => {
                write!(f, "y(t + θ h) = y")?;
                for (j, p) in powers.iter().enumerate() {
                    write!(f, " + θ^{} {p}", j + 1)?;
                }
                Ok(())
            }
            Op::Error { of } => write!(f, "error estimate {of}"),
            Op::Commit { of } => write!(f, "y ← {of}"),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for op in &self.ops {
            writeln!(f, "{op}")?;
        }
        Ok(())
    }
}
