//! Numbers of the operations that a step is made of.
//!
//! An operation crosses the border as its code, a list of integers and a list of numbers. Arrays are numbered in the
//! order in which operations make them, from 1; array 0 is the state at the beginning of the step. Linearisations are
//! numbered likewise, from 0. A coefficient c·h^p takes one number, c, and one integer, p. Parts are a sum of 1 (voltage),
//! 2 (gates), 4 (concentrations), 8 (others). Terms are 0 (all), 1 (all but the cable), 2 (the cable alone).
//!
//! The meaning of each operation is that of the method of the same name of `StepOps` in braincell-core.

/// f. Integers: parts, terms, y. Numbers: c. Makes an array.
pub const RHS: u32 = 1;
/// Σ coefficient · array. Integers: p and array of each term. Numbers: c of each term. Makes an array.
pub const COMBINE: u32 = 2;
/// a in some parts, b in the others. Integers: parts, a, b. Makes an array.
pub const SELECT: u32 = 3;
/// The linearisation of f. Integers: Jacobian (0 full, 1 local, 2 cable, 3 diagonal), parts, y. Numbers: c.
/// Makes a linearisation.
pub const LINEARIZE: u32 = 4;
/// ∂f/∂t. Integers: linearisation. Makes an array.
pub const TIME_DERIVATIVE: u32 = 5;
/// (I - γJ)⁻¹ b. Integers: linearisation, p of γ, b. Numbers: γ. Makes an array.
pub const SOLVE: u32 = 6;
/// φ_k(sJ) b. Integers: linearisation, k, p of s, b. Numbers: s. Makes an array.
pub const PHI: u32 = 7;
/// Exponential relaxation of each state by itself. Integers: parts, terms, p of s, y. Numbers: c, s. Makes an array.
pub const RELAX: u32 = 8;
/// z = base + γ f(z). Integers: parts, terms, p of γ, base, guess. Numbers: c, γ. Makes an array.
pub const IMPLICIT_STAGE: u32 = 9;
/// Stages of a fully implicit Runge–Kutta method. Integers: s, y. Numbers: a by rows, then c. Makes s arrays.
pub const IMPLICIT_STAGES: u32 = 10;
/// Diffusion coefficients. Integers: y. Numbers: c. Makes an array.
pub const DIFFUSION: u32 = 11;
/// x · (ΔW)^m. Integers: m, x. Makes an array.
pub const TIMES_WIENER: u32 = 12;
/// a · b. Integers: a, b. Makes an array.
pub const PRODUCT: u32 = 13;
/// The solution inside the step. Integers: the arrays p_1, p_2, ….
pub const DENSE: u32 = 14;
/// An error estimate. Integers: array.
pub const ERROR: u32 = 15;
/// The new state. Integers: array.
pub const COMMIT: u32 = 16;
