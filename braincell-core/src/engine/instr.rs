//! Instructions.

use super::local::{Factors, LocalJacobian};
use super::newton::Newton;
use crate::kernel::{Call, Column, Kernel, Operand, Output};
use std::sync::Arc;

/// The matrix A of a linear system I - A ⊗ J.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shift {
    /// The number γ, by number of the coefficient.
    Real(usize),
    /// The complex number s / θ, as the matrix ((re, -im), (im, re)); s by number of the coefficient.
    Complex(usize, [f64; 2]),
}

impl Shift {
    pub(super) fn number(&self) -> usize {
        match self {
            Shift::Real(number) | Shift::Complex(number, _) => *number,
        }
    }

    /// The matrix and its size, given the value of the coefficient.
    pub(super) fn matrix(&self, value: f64) -> ([f64; 4], usize) {
        match self {
            Shift::Real(_) => ([value, 0.0, 0.0, 0.0], 1),
            Shift::Complex(_, [re, im]) => {
                let square = re * re + im * im;
                let (re, im) = (value * re / square, -value * im / square);
                ([re, -im, im, re], 4)
            }
        }
    }
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
    /// Adds the axial part of dV/dt to the plane at `to`, of the potentials at `v` and of currents into junctions.
    Axial {
        v: Option<usize>,
        current: Option<usize>,
        to: usize,
    },
    /// Adds the axial part of the diagonal of the Jacobian to the plane at `to`.
    AxialDiagonal { to: usize },
    /// The potentials of the junctions, to the plane at `to`.
    JunctionPotentials {
        v: usize,
        current: Option<usize>,
        to: usize,
    },
    /// Partial derivatives of a kernel, and its values, unless there are no places for them.
    Partials {
        kernel: Arc<dyn Kernel>,
        columns: Vec<Column>,
        /// The inputs of each column.
        masks: Vec<u64>,
        call: Call,
        values: Vec<Option<Output>>,
    },
    /// to += a · b
    MultiplyAdd {
        to: Operand,
        a: usize,
        b: Operand,
        len: usize,
    },
    /// The states of a kernel relaxed over a time, by number of the coefficient.
    Relax {
        kernel: Arc<dyn Kernel>,
        call: Call,
        time: usize,
    },
    /// to ← y + s φ₁(s d) f, element by element; s by number.
    RelaxDiagonal {
        to: usize,
        y: usize,
        f: usize,
        d: usize,
        scale: usize,
        len: usize,
    },
    /// to ← φ_k(s d) b, element by element; s by number.
    PhiDiagonal {
        to: usize,
        k: u32,
        scale: usize,
        d: usize,
        b: usize,
        len: usize,
    },
    /// to ← b / (1 - γ d), element by element; γ by number.
    SolveDiagonal {
        to: usize,
        gamma: usize,
        d: usize,
        b: usize,
        len: usize,
    },
    /// Factors I - A ⊗ J.
    Factor {
        system: Arc<LocalJacobian>,
        factors: Factors,
        a: Shift,
    },
    /// Both, for a real A.
    FactorAndSolve {
        system: Arc<LocalJacobian>,
        factors: Factors,
        a: Shift,
        b: usize,
        x: usize,
    },
    /// The system of an implicit step of the potentials v, for these and not for their change, in the tree's form: the
    /// compartments' own part of the diagonal, (1 - γ ∂f/∂v) C A / γ, and the right-hand side, that times v, and f C A. γ by
    /// number; f are the rates but for the axial current, ∂f/∂v is at `d`.
    Assemble {
        gamma: usize,
        d: usize,
        f: usize,
        v: usize,
        diagonal: usize,
        right: usize,
        /// Where C A is.
        capacity: usize,
        len: usize,
    },
    /// Solves such a system of all nodes, with currents into the junctions: what is at `right` becomes the potentials.
    Tree {
        diagonal: usize,
        right: usize,
        current: Option<usize>,
    },
    /// x ← (I - A ⊗ J)⁻¹ b
    Solve {
        system: Arc<LocalJacobian>,
        factors: Factors,
        a: Shift,
        b: Vec<usize>,
        x: Vec<usize>,
    },
    /// The matrices φ_0 … φ_top of s J; s by number.
    Phi {
        system: Arc<LocalJacobian>,
        kept: [usize; 2],
        top: usize,
        scale: usize,
    },
    /// x ← φ_k(s J) b
    ApplyPhi {
        system: Arc<LocalJacobian>,
        kept: [usize; 2],
        top_k: [usize; 2],
        b: usize,
        x: usize,
    },
    /// Implicit stages.
    Newton(Box<Newton>),
    /// to ← x · (ΔW)^m for the states from `state` on in one plane each.
    TimesWiener {
        to: usize,
        x: usize,
        m: u32,
        group: usize,
    },
}
