//! How exact an adaptive run shall be.

use super::error::Setup as SetupError;
use crate::kernel::Storage;
use crate::model::Part;
use crate::stepper::SolverInfo;

/// Rounding errors in an error estimate, in units of the precision.
const ROUNDING_ERRORS: f64 = 16.0;

/// Whether a method goes on with the worse of its two solutions.
pub(super) fn keeps_the_worse(info: &SolverInfo) -> bool {
    info.embedded_order.unwrap_or(info.order) > info.order
}

/// How exact an adaptive run shall be: each step's error estimate e is kept so that the root mean square of
/// e_i / (absolute + relative · |y_i|) over all states is at most 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerances {
    /// Relative tolerance.
    pub relative: f64,
    /// Absolute tolerance of membrane potentials, mV.
    pub voltage: f64,
    /// Absolute tolerance of gating variables.
    pub gate: f64,
    /// Absolute tolerance of concentrations, mM.
    pub concentration: f64,
    /// Absolute tolerance of other states, in their unit.
    pub other: f64,
    /// The greatest step, ms.
    pub max_step: f64,
    /// The first step, ms; chosen from the equations if not given.
    pub first_step: Option<f64>,
    /// The greatest number of steps of a run, rejected ones included.
    pub max_steps: u64,
    /// Whether steps end exactly at the times of the samples; otherwise samples are taken from the solution inside the
    /// steps, which is cheaper.
    pub hit_samples: bool,
}

impl Tolerances {
    /// A relative tolerance, and absolute ones that suit it: `relative` times 1 mV, 1, 10⁻⁴ mM, 1.
    pub fn new(relative: f64) -> Self {
        Self {
            relative,
            voltage: relative,
            gate: relative,
            concentration: 1e-4 * relative,
            other: relative,
            max_step: f64::INFINITY,
            first_step: None,
            max_steps: 1_000_000,
            hit_samples: false,
        }
    }

    /// The absolute tolerance of a part.
    pub fn absolute(&self, part: Part) -> f64 {
        match part {
            Part::Voltage => self.voltage,
            Part::Gate => self.gate,
            Part::Concentration => self.concentration,
            Part::Other => self.other,
        }
    }

    /// What is wrong with them, if something is.
    pub(super) fn fault(&self) -> Option<String> {
        let positive = |name: &str, x: f64| {
            let bad = !(x > 0.0 && (x.is_finite() || name == "greatest step"));
            bad.then(|| format!("the {name} is {x}; it must be positive"))
        };
        positive("relative tolerance", self.relative)
            .or_else(|| positive("tolerance of potentials", self.voltage))
            .or_else(|| positive("tolerance of gates", self.gate))
            .or_else(|| positive("tolerance of concentrations", self.concentration))
            .or_else(|| positive("tolerance of other states", self.other))
            .or_else(|| positive("greatest step", self.max_step))
            .or_else(|| positive("first step", self.first_step.unwrap_or(1.0)))
    }

    /// Refuses a relative tolerance below what numbers of this precision can give: the error estimate of a step would be
    /// made of rounding errors, and steps could not become small enough.
    pub(super) fn check_precision<F: Storage>(&self, info: &SolverInfo) -> Result<(), SetupError> {
        let resolved = ROUNDING_ERRORS * F::EPSILON;
        // The estimate of a step is held below relative / strictness.
        let least = if keeps_the_worse(info) {
            let order = f64::from(info.order);
            resolved.powf(order / (order + 1.0))
        } else {
            resolved
        };
        let single = F::EPSILON > f64::EPSILON;
        if self.relative >= least {
            return Ok(());
        }
        Err(SetupError::Precision {
            tolerance: self.relative,
            precision: if single { "single" } else { "double" },
            solver: info.name.clone(),
            least,
            instead: match single {
                true => "double precision",
                false if keeps_the_worse(info) => "a solver of higher order",
                false => "a fixed step",
            },
        })
    }
}
