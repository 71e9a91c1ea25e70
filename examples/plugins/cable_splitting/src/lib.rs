//! A splitting method for branched cells.

use braincell_plugin_api::{
    Jacobian, Needs, Parts, Properties, SolverInfo, StepError, StepOps, Stepper, Terms,
    export_plugin, h, num,
};

/// Strang splitting: half a step of the gates and then of the concentrations, each state relaxing exponentially with the
/// voltage frozen; a whole step of the voltage along the cable; the half steps again, in reverse order, so that the step
/// is symmetric and of order two.
///
/// The voltage step is V + h (I - h/2 J)⁻¹ f(t + h/2, ·) with J = ∂f_V/∂V, cable included: the Crank–Nicolson method for
/// currents that are linear in V.
struct StrangCable;

impl Stepper for StrangCable {
    fn info(&self) -> SolverInfo {
        SolverInfo {
            description: "Strang splitting of gates and cable, the cable by Crank-Nicolson.".to_string(),
            formula: "x by φ₁ over h/2; V + h (I - h/2 J)⁻¹ f_V(t + h/2); x by φ₁ over h/2".to_string(),
            reference: "G. Strang, SIAM J. Numer. Anal. 5, 506-517, 1968, doi:10.1137/0705041; M. Hines, Int. J. \
                        Bio-Med. Comput. 15, 69-76, 1984, doi:10.1016/0020-7101(84)90008-4"
                .to_string(),
            needs: Needs {
                membrane: true,
                noise: false,
            },
            properties: Properties {
                a_stable: true,
                ..Properties::default()
            },
            ..SolverInfo::new("strang_cable", "cable", 2)
        }
    }

    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let gates = Parts::GATE | Parts::OTHER;
        let half = h(0.5);
        let y = o.relax(gates, Terms::All, 0.0, half, o.y())?;
        let y = o.relax(Parts::CONCENTRATION, Terms::All, 0.0, half, y)?;
        let f = o.rhs_of(Parts::VOLTAGE, Terms::All, 0.5, y)?;
        let lin = o.linearize(Jacobian::Full, Parts::VOLTAGE, 0.5, y)?;
        let slope = o.solve(lin, half, f)?;
        let y = o.combine(&[(num(1.0), y), (h(1.0), slope)])?;
        let y = o.relax(Parts::CONCENTRATION, Terms::All, 1.0, half, y)?;
        let y = o.relax(gates, Terms::All, 1.0, half, y)?;
        o.commit(y)
    }
}

export_plugin!(StrangCable);
