//! Linearly implicit and exponential methods, written with the operations.

use braincell_plugin_api::{
    Coef, Jacobian, Parts, Properties, SolverInfo, StepError, StepOps, Stepper, export_plugin, h,
    num,
};

/// The L-stable Rosenbrock method of order two, in its form for time-dependent equations.
///
/// With γ = 1 - 1/√2, which makes it L-stable, and W = I - γhJ:
/// W k₁ = f(t, y) + γh ∂f/∂t, W k₂ = f(t + h, y + h k₁) - 2 k₁ - γh ∂f/∂t, y(t + h) = y + (3 h k₁ + h k₂)/2.
struct Ros2;

impl Stepper for Ros2 {
    fn info(&self) -> SolverInfo {
        SolverInfo {
            description: "L-stable Rosenbrock method of order two.".to_string(),
            formula: "(I - γhJ) k₁ = f + γh f_t, (I - γhJ) k₂ = f(t + h, y + h k₁) - 2 k₁ - γh f_t, \
                      y + h (3 k₁ + k₂)/2, γ = 1 - 1/√2"
                .to_string(),
            reference: "J. G. Verwer, E. J. Spee, J. G. Blom, W. Hundsdorfer, SIAM J. Sci. Comput. 20, 1456-1480, \
                        1999, doi:10.1137/S1064827597326651"
                .to_string(),
            properties: Properties {
                a_stable: true,
                l_stable: true,
                ..Properties::default()
            },
            ..SolverInfo::new("ros2", "implicit", 2)
        }
    }

    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let gamma = 1.0 - std::f64::consts::FRAC_1_SQRT_2;
        let y = o.y();
        let lin = o.linearize(Jacobian::Full, Parts::ALL, 0.0, y)?;
        let ft = o.time_derivative(lin)?;
        let f = o.rhs(0.0, y)?;
        let b = o.combine(&[(num(1.0), f), (h(gamma), ft)])?;
        let k1 = o.solve(lin, h(gamma), b)?;
        let end = o.combine(&[(num(1.0), y), (h(1.0), k1)])?;
        let f = o.rhs(1.0, end)?;
        let b = o.combine(&[(num(1.0), f), (num(-2.0), k1), (h(-gamma), ft)])?;
        let k2 = o.solve(lin, h(gamma), b)?;
        let next = o.combine(&[(num(1.0), y), (h(1.5), k1), (h(0.5), k2)])?;
        o.commit(next)
    }
}

/// The exponential Rosenbrock–Euler method: y(t + h) = y + h φ₁(hJ) f(t, y) + h² φ₂(hJ) ∂f/∂t.
struct ExponentialRosenbrock;

impl Stepper for ExponentialRosenbrock {
    fn info(&self) -> SolverInfo {
        SolverInfo {
            description: "Exponential Rosenbrock-Euler method.".to_string(),
            formula: "y + h φ₁(hJ) f + h² φ₂(hJ) f_t".to_string(),
            reference: "M. Hochbruck, A. Ostermann, J. Schweitzer, SIAM J. Numer. Anal. 47, 786-803, 2009, \
                        doi:10.1137/080717717"
                .to_string(),
            properties: Properties {
                a_stable: true,
                l_stable: true,
                ..Properties::default()
            },
            ..SolverInfo::new("exp_rosenbrock", "expeuler", 2)
        }
    }

    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let y = o.y();
        let f = o.rhs(0.0, y)?;
        let lin = o.linearize(Jacobian::Full, Parts::ALL, 0.0, y)?;
        let first = o.phi(lin, 1, h(1.0), f)?;
        let ft = o.time_derivative(lin)?;
        let second = o.phi(lin, 2, h(1.0), ft)?;
        let h2 = Coef { c: 1.0, power: 2 };
        let next = o.combine(&[(num(1.0), y), (h(1.0), first), (h2, second)])?;
        o.commit(next)
    }
}

export_plugin!(Ros2, ExponentialRosenbrock);
