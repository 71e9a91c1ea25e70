//! Systems of equations with known behaviour: examples, and test problems for solvers.

use super::{DiffEqState, Ode, Parameter};
use crate::real::Real;

/// dx/dt = -k x, with solution x(0) e^(-k t).
pub struct Decay;

impl Ode<1, 1> for Decay {
    fn states(&self) -> [DiffEqState; 1] {
        [DiffEqState::new("x", 1.0)]
    }
    fn parameters(&self) -> [Parameter; 1] {
        [Parameter::new("k", 1.0)]
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _t: R, [x]: [R; 1], [k]: [R; 1]) -> [R; 1] {
        [-(k * x)]
    }
}

/// The harmonic oscillator d²x/dt² = -ω² x.
pub struct HarmonicOscillator;

impl Ode<2, 1> for HarmonicOscillator {
    fn states(&self) -> [DiffEqState; 2] {
        [DiffEqState::new("x", 1.0), DiffEqState::new("v", 0.0)]
    }
    fn parameters(&self) -> [Parameter; 1] {
        [Parameter::new("omega", 1.0)]
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _t: R, [x, v]: [R; 2], [omega]: [R; 1]) -> [R; 2] {
        [v, -(omega * omega * x)]
    }
}

/// The van der Pol oscillator d²x/dt² = μ (1 - x²) dx/dt - x: nonlinear, and stiff for large μ.
///
/// B. van der Pol, On "relaxation-oscillations", Phil. Mag. 2 (1926),
/// [doi:10.1080/14786442608564127](https://doi.org/10.1080/14786442608564127).
pub struct VanDerPol;

impl Ode<2, 1> for VanDerPol {
    fn states(&self) -> [DiffEqState; 2] {
        [DiffEqState::new("x", 2.0), DiffEqState::new("v", 0.0)]
    }
    fn parameters(&self) -> [Parameter; 1] {
        [Parameter::new("mu", 1.0)]
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _t: R, [x, v]: [R; 2], [mu]: [R; 1]) -> [R; 2] {
        [v, mu * (R::one() - x * x) * v - x]
    }
}

/// The Lorenz system, chaotic at its customary parameters σ = 10, ρ = 28, β = 8/3.
///
/// E. N. Lorenz, Deterministic nonperiodic flow, J. Atmos. Sci. 20 (1963),
/// [doi:10.1175/1520-0469(1963)020<0130:DNF>2.0.CO;2](https://doi.org/10.1175/1520-0469(1963)020%3C0130:DNF%3E2.0.CO;2).
pub struct Lorenz;

impl Ode<3, 3> for Lorenz {
    fn states(&self) -> [DiffEqState; 3] {
        ["x", "y", "z"].map(|name| DiffEqState::new(name, 1.0))
    }
    fn parameters(&self) -> [Parameter; 3] {
        [
            Parameter::new("sigma", 10.0),
            Parameter::new("rho", 28.0),
            Parameter::new("beta", 8.0 / 3.0),
        ]
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _t: R, [x, y, z]: [R; 3], [sigma, rho, beta]: [R; 3]) -> [R; 3] {
        [sigma * (y - x), x * (rho - z) - y, x * y - beta * z]
    }
}
