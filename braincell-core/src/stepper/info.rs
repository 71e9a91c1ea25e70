//! What is known about a solver.

use super::Parts;
use crate::model::Capabilities;
use std::fmt;

/// A number that a solver's name may be given, as in `rk2(alpha=0.5)`.
#[derive(Clone, Debug, PartialEq)]
pub struct SolverParameter {
    /// Name.
    pub name: String,
    /// Value where none is given.
    pub default: f64,
    /// What it means and which values are sensible.
    pub description: String,
}

/// What a solver needs of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// A membrane potential.
    pub membrane: bool,
    /// Diffusion terms. A solver without this need refuses a model that has them.
    pub noise: bool,
}

impl Needs {
    /// What the model lacks, in words; `None` if nothing.
    pub fn missing(self, model: Capabilities) -> Option<&'static str> {
        if self.membrane && !model.membrane {
            Some("a membrane potential, which the model does not have")
        } else if self.noise && !model.noise {
            Some("diffusion terms, which the model does not have")
        } else if !self.noise && model.noise {
            Some("a model without diffusion terms, which it would ignore")
        } else {
            None
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.membrane, self.noise) {
            (false, false) => "right-hand side",
            (true, false) => "membrane potential",
            (false, true) => "diffusion",
            (true, true) => "membrane potential, diffusion",
        })
    }
}

/// Facts about a method.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Properties {
    /// No equation is solved in a step.
    pub explicit: bool,
    /// Steps on y' = λ y do not grow wherever Re λ ≤ 0. A complex λ is a pair of real equations. A solver that needs a membrane
    /// is judged by a passive one, whose λ are real.
    pub a_stable: bool,
    /// A-stable, and a step damps y' = λ y to nothing as λ → -∞: R(-∞) = 0.
    pub l_stable: bool,
    /// Where the stability region ends on the negative real axis, for explicit methods.
    pub real_stability_limit: Option<f64>,
}

impl Properties {
    /// In words.
    pub fn words(&self) -> Vec<&'static str> {
        let mut words = vec![if self.explicit {
            "explicit"
        } else {
            "implicit or exponential"
        }];
        if self.l_stable {
            words.push("L-stable");
        } else if self.a_stable {
            words.push("A-stable");
        }
        words
    }
}

/// What is known about a solver.
#[derive(Clone, Debug, PartialEq)]
pub struct SolverInfo {
    /// The name it is selected by.
    pub name: String,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// Family, such as "rk".
    pub family: String,
    /// Order of convergence; of a stochastic solver the weak order.
    pub order: u32,
    /// Order on models without a cable, if it is higher: the splitting along the cable may be what limits a method.
    pub order_without_cable: Option<u32>,
    /// Strong order of convergence of a stochastic solver.
    pub strong_order: Option<f64>,
    /// Order of the embedded solution that estimates the error; with one, steps can be adapted.
    pub embedded_order: Option<u32>,
    /// One sentence.
    pub description: String,
    /// What it computes.
    pub formula: String,
    /// Literature, with a DOI where there is one.
    pub reference: String,
    /// The states that it advances; the others keep their value.
    pub advances: Parts,
    /// What it needs of a model.
    pub needs: Needs,
    /// Facts.
    pub properties: Properties,
    /// Numbers its name may be given.
    pub parameters: Vec<SolverParameter>,
    /// If it should no longer be used: why, and what instead.
    pub deprecated: Option<String>,
}

impl SolverInfo {
    /// The least that must be said; the other fields are public.
    pub fn new(name: impl Into<String>, family: impl Into<String>, order: u32) -> Self {
        Self {
            name: name.into(),
            aliases: Vec::new(),
            family: family.into(),
            order,
            order_without_cable: None,
            strong_order: None,
            embedded_order: None,
            description: String::new(),
            formula: String::new(),
            reference: String::new(),
            advances: Parts::ALL,
            needs: Needs::default(),
            properties: Properties::default(),
            parameters: Vec::new(),
            deprecated: None,
        }
    }

    /// Whether step sizes can be adapted.
    pub fn is_adaptive(&self) -> bool {
        self.embedded_order.is_some()
    }
}
