//! How many control volumes a branch gets.

use super::{DiscretisationError, MAX_CONTROL_VOLUMES};
use crate::morphology::{Branch, BranchType, Morphology};
use std::f64::consts::PI;

/// A rule for the number of control volumes of a branch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Policy {
    /// The same number for every branch.
    Count(usize),
    /// The smallest odd number for which none is longer than this, in µm. A branch then has a control volume with its
    /// centre in the middle.
    MaxLength(f64),
    /// NEURON's d_lambda rule: n = 2⌊(L/(d λ) + 0.9)/2⌋ + 1, so that none is much longer than d times the length
    /// constant λ at a frequency f. For a cylinder λ = √(r/(2π f Ra cm)); for frusta L/λ is the sum of those of
    /// cylinders with the mean radius of each frustum.
    ///
    /// M. L. Hines, N. T. Carnevale, NEURON: a tool for neuroscientists, The Neuroscientist 7 (2001),
    /// [doi:10.1177/107385840100700207](https://doi.org/10.1177/107385840100700207).
    DLambda {
        /// Length of a control volume over λ, customarily 0.1.
        d: f64,
        /// Frequency, Hz, customarily 100.
        frequency: f64,
        /// Resistivity of the cytoplasm, Ω·cm.
        resistivity: f64,
        /// Membrane capacitance, µF/cm².
        capacitance: f64,
    },
}

impl Policy {
    /// The d_lambda rule with its customary values: d = 0.1 at 100 Hz.
    pub fn d_lambda(resistivity: f64, capacitance: f64) -> Self {
        Self::DLambda {
            d: 0.1,
            frequency: 100.0,
            resistivity,
            capacitance,
        }
    }

    fn check(&self) -> Result<(), DiscretisationError> {
        let positive = |policy, name, value: f64| {
            if value > 0.0 && value.is_finite() {
                return Ok(());
            }
            Err(DiscretisationError::Policy {
                policy,
                name,
                value,
                expected: "a positive, finite number",
            })
        };
        match *self {
            Self::Count(0) => Err(DiscretisationError::Policy {
                policy: "count",
                name: "count",
                value: 0.0,
                expected: "at least 1",
            }),
            Self::Count(_) => Ok(()),
            Self::MaxLength(length) => positive("max_length", "length", length),
            Self::DLambda {
                d,
                frequency,
                resistivity,
                capacitance,
            } => {
                positive("d_lambda", "d", d)?;
                positive("d_lambda", "frequency", frequency)?;
                positive("d_lambda", "resistivity", resistivity)?;
                positive("d_lambda", "capacitance", capacitance)
            }
        }
    }

    /// What to change for fewer control volumes.
    pub(super) fn coarser(&self) -> String {
        match *self {
            Self::Count(_) => "ask for a smaller count".to_string(),
            Self::MaxLength(length) => format!("allow lengths above {length} µm"),
            Self::DLambda {
                d,
                frequency,
                resistivity,
                capacitance,
            } => format!(
                "lengths follow from the resistivity {resistivity} Ω·cm, the capacitance {capacitance} µF/cm², \
                 the frequency {frequency} Hz and d = {d}: correct them, or take another policy"
            ),
        }
    }

    /// The number for one branch, as a float since it may be beyond all integers.
    fn count(&self, branch: &Branch) -> f64 {
        match *self {
            Self::Count(count) => count as f64,
            Self::MaxLength(length) => {
                let count = (branch.length() / length).ceil().max(1.0);
                count + if count % 2.0 == 0.0 { 1.0 } else { 0.0 }
            }
            Self::DLambda {
                d,
                frequency,
                resistivity,
                capacitance,
            } => {
                // Per √µm, with the sum of diameters as in NEURON's lambda_f.
                let root = (4.0 * PI * frequency * resistivity * capacitance).sqrt()
                    * 1e-5
                    * 2.0_f64.sqrt();
                let sum: f64 = branch
                    .frusta()
                    .iter()
                    .map(|f| f.length / (2.0 * (f.r0 + f.r1)).sqrt())
                    .sum();
                2.0 * ((sum * root / d + 0.9) / 2.0).floor() + 1.0
            }
        }
    }
}

/// A policy for each type of branch.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// For types that are not listed.
    pub default: Policy,
    /// For single types; the first entry that matches counts.
    pub by_type: Vec<(BranchType, Policy)>,
}

impl From<Policy> for Rules {
    fn from(default: Policy) -> Self {
        Self {
            default,
            by_type: Vec::new(),
        }
    }
}

impl Rules {
    /// The same rules with another policy for one type.
    pub fn with(mut self, kind: BranchType, policy: Policy) -> Self {
        self.by_type.insert(0, (kind, policy));
        self
    }

    /// The number of control volumes of each branch.
    pub(super) fn counts(
        &self,
        morphology: &Morphology,
    ) -> Result<Vec<usize>, DiscretisationError> {
        self.default.check()?;
        for (_, policy) in &self.by_type {
            policy.check()?;
        }
        let mut total = 0.0;
        let of = |(index, branch): (usize, &Branch)| {
            let listed = self.by_type.iter().find(|(kind, _)| *kind == branch.kind());
            let policy = listed.map_or(self.default, |(_, policy)| *policy);
            let count = policy.count(branch);
            total += count;
            if total > MAX_CONTROL_VOLUMES as f64 {
                return Err(DiscretisationError::TooMany {
                    branch: index,
                    count,
                    policy,
                });
            }
            Ok(count as usize)
        };
        morphology.branches().iter().enumerate().map(of).collect()
    }
}
