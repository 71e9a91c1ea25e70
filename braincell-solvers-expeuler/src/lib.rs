//! Exponential integrators.
//!
//! M. Hochbruck, A. Ostermann, Exponential integrators, Acta Numerica 19 (2010),
//! [doi:10.1017/S0962492910000048](https://doi.org/10.1017/S0962492910000048).

use braincell_core::registry::{Registry, RegistryError};
use braincell_core::stepper::{
    Array, Coef, Jacobian, Parts, Properties, SolverInfo, StepError, StepOps, Stepper, Terms, h,
    num, stepper,
};
use std::sync::Arc;

const REVIEW: &str = "M. Hochbruck, A. Ostermann, Exponential integrators, Acta Numerica 19 (2010), doi:10.1017/S0962492910000048";

/// Registers all methods of this crate.
///
/// # Errors
/// If a name is taken.
pub fn register(registry: &mut Registry) -> Result<(), RegistryError> {
    registry.register_all(steppers(), &braincell_core::this_crate!())
}

fn info(name: &str, order: u32, description: &str, formula: &str, reference: &str) -> SolverInfo {
    let mut info = SolverInfo::new(name, "expeuler", order);
    info.description = description.to_string();
    info.formula = formula.to_string();
    info.reference = reference.to_string();
    info.properties = Properties {
        a_stable: true,
        l_stable: true,
        ..Properties::default()
    };
    info
}

/// All methods of this crate.
pub fn steppers() -> Vec<Arc<dyn Stepper>> {
    let mut by_state = info(
        "ind_exp_euler",
        1,
        "Exponential Euler method, each state by itself with its own ∂f_i/∂y_i",
        "y_i(t + h) = y_i + h φ₁(h ∂f_i/∂y_i) f_i(t, y)",
        REVIEW,
    );
    // Of a system it sees the diagonal only: what turns states into each other is stepped as by Euler's method.
    by_state.properties = Properties::default();
    vec![
        stepper(
            info(
                "exp_euler",
                2,
                "Exponential Rosenbrock–Euler method with the full Jacobian",
                "y(t + h) = y + h φ₁(hJ) f(t, y) + h² φ₂(hJ) ∂f/∂t",
                "M. Hochbruck, A. Ostermann, J. Schweitzer, Exponential Rosenbrock-type methods, SIAM J. Numer. Anal. 47 (2009), doi:10.1137/080717717",
            ),
            |o| {
                let y = o.y();
                let next = exponential_rosenbrock_euler(o, Jacobian::Full, Terms::All, y)?;
                o.commit(next)
            },
        ),
        stepper(by_state, |o| {
            let y = o.y();
            let next = o.relax(Parts::ALL, Terms::All, 0.0, h(1.0), y)?;
            o.commit(next)
        }),
        stepper(
            info(
                "exp_exp_euler",
                2,
                "Exponential of the cable over half a step, exponential Rosenbrock–Euler for the rest, exponential of the cable over half a step",
                "Strang splitting of f = cable + local; y + (h/2) φ₁(h J_cable / 2) f_cable, then exp_euler of f_local, then the first again",
                "G. Strang, On the construction and comparison of difference schemes, SIAM J. Numer. Anal. 5 (1968), doi:10.1137/0705041",
            ),
            |o| {
                let y = o.y();
                let y = exponential_cable(o, h(0.5), 0.25, y)?;
                let y = exponential_rosenbrock_euler(o, Jacobian::Local, Terms::Local, y)?;
                let next = exponential_cable(o, h(0.5), 0.75, y)?;
                o.commit(next)
            },
        ),
    ]
}

fn exponential_rosenbrock_euler(
    o: &mut StepOps,
    jacobian: Jacobian,
    terms: Terms,
    y: Array,
) -> Result<Array, StepError> {
    let f = o.rhs_of(Parts::ALL, terms, 0.0, y)?;
    let lin = o.linearize(jacobian, Parts::ALL, 0.0, y)?;
    let drift = o.phi(lin, 1, h(1.0), f)?;
    let f_t = o.time_derivative(lin)?;
    let driven = o.phi(lin, 2, h(1.0), f_t)?;
    let h2 = Coef { c: 1.0, power: 2 };
    o.combine(&[(num(1.0), y), (h(1.0), drift), (h2, driven)])
}

/// The exact solution of the cable alone over a time s.
fn exponential_cable(o: &mut StepOps, s: Coef, c: f64, y: Array) -> Result<Array, StepError> {
    let f = o.rhs_of(Parts::ALL, Terms::Cable, c, y)?;
    let lin = o.linearize(Jacobian::Cable, Parts::ALL, c, y)?;
    let drift = o.phi(lin, 1, s, f)?;
    o.combine(&[(num(1.0), y), (s, drift)])
}
