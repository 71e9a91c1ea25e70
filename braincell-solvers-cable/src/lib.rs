//! Methods made for neurons on branched cables: the membrane potential implicitly along the tree, the gates
//! exponentially.
//!
//! On a single compartment there is no cable, and all of these still work.

use braincell_core::registry::{Registry, RegistryError};
use braincell_core::stepper::{
    Array, Coef, Jacobian, Needs, Parts, Properties, SolverInfo, StepError, StepOps, Stepper,
    Terms, h, num, stepper,
};
use std::sync::Arc;

const HINES: &str = "M. Hines, Efficient computation of branched nerve equations, Int. J. Bio-Med. Comput. 15 (1984), doi:10.1016/0020-7101(84)90008-4";
const STRANG: &str = "G. Strang, On the construction and comparison of difference schemes, SIAM J. Numer. Anal. 5 (1968), doi:10.1137/0705041";

/// Registers all methods of this crate.
///
/// # Errors
/// If a name is taken.
pub fn register(registry: &mut Registry) -> Result<(), RegistryError> {
    registry.register_all(steppers(), &braincell_core::this_crate!())
}

fn info(name: &str, order: u32, [description, formula, reference]: [&str; 3]) -> SolverInfo {
    let mut info = SolverInfo::new(name, "cable", order);
    info.description = description.to_string();
    info.formula = formula.to_string();
    info.reference = reference.to_string();
    info.needs = Needs {
        membrane: true,
        noise: false,
    };
    info.properties = Properties {
        a_stable: true,
        ..Properties::default()
    };
    info
}

/// All methods of this crate.
pub fn steppers() -> Vec<Arc<dyn Stepper>> {
    let mut staggered = info(
        "staggered",
        1,
        [
            "Potential linearly implicitly with the gates held, then gates exponentially at the new potential; concentrations exponentially with the currents at the beginning of the step",
            "(I - h J_VV) δ = h f_V(t + h/2, y), V(t + h) = V + δ; x(t + h) = x + h φ₁(h ∂f_x/∂x) f_x at V(t + h)",
            HINES,
        ],
    );
    staggered.aliases = vec!["stagger".to_string()];
    staggered.properties.l_stable = true;
    let mut dhs_voltage = info(
        "dhs_voltage",
        1,
        [
            "The potential alone, linearly implicitly, everything else held",
            "(I - h J_VV) δ = h f_V(t + h/2, y), V(t + h) = V + δ",
            "Y. Zhang et al., A GPU-based computational framework that bridges neuron simulation and artificial intelligence, Nat. Commun. 14 (2023), doi:10.1038/s41467-023-41553-7",
        ],
    );
    dhs_voltage.properties.l_stable = true;
    dhs_voltage.advances = Parts::VOLTAGE;
    let mut splitting = info(
        "splitting",
        1,
        [
            "Implicit Euler by Newton's method for the membrane, then implicit Euler for the cable",
            "z = y + h f_local(t + h, z), y(t + h) = z + h (I - h J_cable)⁻¹ f_cable(z)",
            STRANG,
        ],
    );
    splitting.properties.l_stable = true;
    vec![
        stepper(staggered, |o| {
            let y = o.y();
            // Concentrations follow the ionic currents at the beginning of the step, as in NEURON, which keeps the
            // currents of the matrix for them.
            let concentrations = o.relax(Parts::CONCENTRATION, Terms::All, 0.5, h(1.0), y)?;
            let y = voltage(o, h(1.0), y)?;
            let y = o.relax(SLOW, Terms::All, 1.0, h(1.0), y)?;
            let next = o.select(Parts::CONCENTRATION, concentrations, y)?;
            o.commit(next)
        }),
        stepper(dhs_voltage, |o| {
            let y = o.y();
            let next = voltage(o, h(1.0), y)?;
            o.commit(next)
        }),
        stepper(
            info(
                "cn_exp_euler",
                2,
                [
                    "Gates exponentially over half a step, potential by the Crank–Nicolson method, gates exponentially over half a step",
                    "Strang splitting; (I - (h/2) J_VV) δ = h f_V(t + h/2, y), x ← x + (h/2) φ₁((h/2) ∂f_x/∂x) f_x",
                    STRANG,
                ],
            ),
            crank_nicolson_exponential,
        ),
        // Two half steps of a gate at one potential are one whole step, so gates that go from half step to half step,
        // started half a step early and brought to the whole steps where they are recorded, take the same values.
        stepper(
            info(
                "staggered2",
                2,
                [
                    "Potential at whole steps by the Crank–Nicolson method, gates from half step to half step: NEURON's secondorder = 2 with a correct start, and recorded at the times that the records say",
                    "(I - (h/2) J_VV) δ = h f_V(t + h/2, V(t), x(t + h/2)), V(t + h) = V + δ; x(t + 3h/2) = x + h φ₁(h ∂f_x/∂x) f_x at V(t + h)",
                    HINES,
                ],
            ),
            crank_nicolson_exponential,
        ),
        stepper(
            info(
                "cn_rk4",
                2,
                [
                    "Gates by the classic Runge–Kutta method over half a step, potential by the Crank–Nicolson method, gates again",
                    "Strang splitting; (I - (h/2) J_VV) δ = h f_V(t + h/2, y), gates by rk4 at a fixed potential",
                    STRANG,
                ],
            ),
            |o| {
                let y = o.y();
                let y = gates_rk4(o, 0.0, y)?;
                let y = voltage(o, h(0.5), y)?;
                let next = gates_rk4(o, 0.5, y)?;
                o.commit(next)
            },
        ),
        stepper(splitting, |o| {
            let y = o.y();
            let z = o.implicit_stage_of(Parts::ALL, Terms::Local, 1.0, h(1.0), y, y)?;
            let f = o.rhs_of(Parts::ALL, Terms::Cable, 1.0, z)?;
            let lin = o.linearize(Jacobian::Cable, Parts::ALL, 1.0, z)?;
            let delta = o.solve(lin, h(1.0), f)?;
            let next = o.combine(&[(num(1.0), z), (h(1.0), delta)])?;
            o.commit(next)
        }),
    ]
}

/// Gates over half a step, the potential over a step, gates over half a step.
fn crank_nicolson_exponential(o: &mut StepOps) -> Result<(), StepError> {
    let y = o.y();
    let y = o.relax(SLOW, Terms::All, 0.0, h(0.5), y)?;
    let y = o.relax(Parts::CONCENTRATION, Terms::All, 0.0, h(0.5), y)?;
    let y = voltage(o, h(0.5), y)?;
    // Backwards, so that the step is symmetric and of order 2.
    let y = o.relax(Parts::CONCENTRATION, Terms::All, 1.0, h(0.5), y)?;
    let next = o.relax(SLOW, Terms::All, 1.0, h(0.5), y)?;
    o.commit(next)
}

/// Everything but potential and concentrations.
const SLOW: Parts = Parts(Parts::GATE.0 | Parts::OTHER.0);

/// The potential over a step with everything else held: (I - γ J_VV) δ = h f_V. With γ = h it is linearly implicit
/// Euler, with γ = h/2 Crank–Nicolson, exact to second order.
fn voltage(o: &mut StepOps, gamma: Coef, y: Array) -> Result<Array, StepError> {
    let f = o.rhs_of(Parts::VOLTAGE, Terms::All, 0.5, y)?;
    let lin = o.linearize(Jacobian::Full, Parts::VOLTAGE, 0.5, y)?;
    let slope = o.solve(lin, gamma, f)?;
    o.combine(&[(num(1.0), y), (h(1.0), slope)])
}

/// Everything but the potential over half a step from `begin`.
fn gates_rk4(o: &mut StepOps, begin: f64, y: Array) -> Result<Array, StepError> {
    let mut slopes = Vec::new();
    for c in [0.0, 0.25, 0.25, 0.5] {
        let stage = match slopes.last() {
            None => y,
            Some(&k) => o.combine(&[(num(1.0), y), (h(c), k)])?,
        };
        slopes.push(o.rhs_of(Parts::NOT_VOLTAGE, Terms::All, begin + c, stage)?);
    }
    let weights = [1.0 / 12.0, 1.0 / 6.0, 1.0 / 6.0, 1.0 / 12.0];
    let mut terms = vec![(num(1.0), y)];
    terms.extend(weights.into_iter().zip(slopes).map(|(w, k)| (h(w), k)));
    o.combine(&terms)
}
