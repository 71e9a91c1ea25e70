//! Membrane mechanisms: channels with gates, pools of ions, and kinetic schemes.
//!
//! An author writes a [`Channel`], a [`Pool`] or a [`Scheme`] once, over the scalar trait
//! [`braincell_core::real::Real`], and makes a [`Mechanism`] of it, which is data and kernels.

mod channel;
mod pool;
mod scheme;
mod set;

pub use channel::{Channel, ChannelInfo};
pub use pool::{FARADAY, GAS, Pool, PoolInfo, nernst};
pub use scheme::{Scheme, SchemeInfo};
pub use set::ChannelSet;
pub(crate) use set::One;

use braincell_core::kernel::Kernel;
use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

/// What a channel sees of its place in the membrane.
#[derive(Clone, Copy, Debug)]
pub struct Local<R> {
    /// Membrane potential, mV.
    pub v: R,
    /// Reversal potential of the channel's current, mV: the parameter `E`, or the Nernst potential of the ion where
    /// the cell models its concentration.
    pub reversal: R,
    /// Concentration inside the cell of the ion that the channel senses, mM; 0 if it senses none.
    pub concentration: R,
}

/// A parameter that a mechanism has.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Name.
    pub name: &'static str,
    /// Unit in which the mechanism computes.
    pub unit: &'static str,
    /// Value where none is given; NaN if there is none, so that one must be given.
    pub default: f64,
    /// What it means.
    pub description: &'static str,
}

impl<R> From<[R; 3]> for Local<R> {
    #[inline(always)]
    fn from([v, reversal, concentration]: [R; 3]) -> Self {
        Self {
            v,
            reversal,
            concentration,
        }
    }
}

/// A parameter with its unit, default and meaning.
pub const fn parameter(
    name: &'static str,
    unit: &'static str,
    default: f64,
    description: &'static str,
) -> ParameterSpec {
    ParameterSpec {
        name,
        unit,
        default,
        description,
    }
}

/// A parameter that has no default.
pub const fn required(
    name: &'static str,
    unit: &'static str,
    description: &'static str,
) -> ParameterSpec {
    parameter(name, unit, f64::NAN, description)
}

/// Why a mechanism is malformed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MechanismError {
    /// Numbers of names and of arguments differ.
    #[error("mechanism \"{name}\" names {named} {what}, but computes with {used}")]
    Count {
        /// The mechanism.
        name: String,
        /// "gates", "states" or "parameters".
        what: &'static str,
        /// How many are named.
        named: usize,
        /// How many its functions take.
        used: usize,
    },
    /// The states, transitions or parameters make no sense together.
    #[error("mechanism \"{name}\": {problem}")]
    Malformed {
        /// The mechanism.
        name: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// No built-in mechanism has that name.
    #[error("unknown mechanism \"{name}\"{}; the mechanisms are {known}", similar(.nearest))]
    Unknown {
        /// What was asked for.
        name: String,
        /// A similar name.
        nearest: Option<String>,
        /// All names.
        known: String,
    },
}

fn similar(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map_or(String::new(), |name| format!(" (did you mean {name}?)"))
}

fn check_counts(name: &str, counts: &[(&'static str, usize, usize)]) -> Result<(), MechanismError> {
    for &(what, named, used) in counts {
        if named != used {
            return Err(MechanismError::Count {
                name: name.to_string(),
                what,
                named,
                used,
            });
        }
    }
    Ok(())
}

/// What is known about a mechanism of any kind.
#[derive(Clone, Debug, PartialEq)]
pub struct MechanismInfo {
    /// Name, such as "na_hh1952".
    pub name: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// Literature.
    pub reference: &'static str,
    /// The ion that carries the current, or that the pool is of.
    pub ion: Option<&'static str>,
    /// The ion whose concentration inside the cell the kinetics sense.
    pub senses: Option<&'static str>,
    /// Names of the state variables.
    pub states: Vec<&'static str>,
    /// Whatever can be given a value.
    pub parameters: Vec<ParameterSpec>,
}

/// The kinds of mechanisms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MechanismKind {
    /// A [`Channel`].
    Channel,
    /// A [`Pool`].
    Pool,
    /// A [`Scheme`].
    Scheme,
}

impl fmt::Display for MechanismKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MechanismKind::Channel => "channel",
            MechanismKind::Pool => "pool",
            MechanismKind::Scheme => "scheme",
        })
    }
}

/// The kernels of a mechanism.
#[derive(Clone)]
pub(crate) enum Kind {
    Channel {
        /// Gates' rates: inputs v, reversal, concentration, parameters, gates.
        rates: Option<Arc<dyn Kernel>>,
        /// Current: inputs v, reversal, concentration, gates, parameters.
        current: Arc<dyn Kernel>,
        /// The type of the channel.
        of: TypeId,
    },
    Pool {
        /// Change of the concentration: inputs concentration, current, parameters without the initial concentration.
        rate: Arc<dyn Kernel>,
        /// Reversal potential: inputs concentration, parameters without the initial concentration.
        reversal: Arc<dyn Kernel>,
    },
    Scheme {
        /// Derivatives of the states: inputs v, reversal, concentration, parameters, states.
        rates: Arc<dyn Kernel>,
        /// Current: inputs v, reversal, concentration, states, parameters.
        current: Arc<dyn Kernel>,
    },
}

/// A mechanism as a cell holds it: data and kernels.
#[derive(Clone)]
pub struct Mechanism {
    pub(crate) info: MechanismInfo,
    pub(crate) kind: Kind,
}

impl Mechanism {
    /// Name.
    pub fn name(&self) -> &str {
        self.info.name
    }

    /// What is known about it.
    pub fn info(&self) -> &MechanismInfo {
        &self.info
    }

    /// Its kind.
    pub fn kind(&self) -> MechanismKind {
        match self.kind {
            Kind::Channel { .. } => MechanismKind::Channel,
            Kind::Pool { .. } => MechanismKind::Pool,
            Kind::Scheme { .. } => MechanismKind::Scheme,
        }
    }

    /// The kernel of the kinetics of a channel's gates or a scheme's states, if it has any. Inputs: V, reversal potential,
    /// concentration, parameters, states; outputs: the derivatives of the states.
    pub fn kinetics(&self) -> Option<&Arc<dyn Kernel>> {
        match &self.kind {
            Kind::Channel { rates, .. } => rates.as_ref(),
            Kind::Scheme { rates, .. } => Some(rates),
            Kind::Pool { .. } => None,
        }
    }

    /// The parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&ParameterSpec> {
        self.info.parameters.iter().find(|p| p.name == name)
    }
}
