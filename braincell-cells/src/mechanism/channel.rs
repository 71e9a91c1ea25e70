//! Membrane mechanisms: what carries current through the membrane.

use braincell_core::kernel::{Kernel, Kinetics, Pointwise, Relaxation, kinetics, pointwise};
use braincell_core::real::Real;
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
    /// Value where none is given.
    pub default: f64,
    /// What it means.
    pub description: &'static str,
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

/// What is known about a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelInfo {
    /// Name of the mechanism, such as "na_hh1952".
    pub name: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// Literature.
    pub reference: &'static str,
    /// The ion that carries the current, if the cell may model its concentration.
    pub ion: Option<&'static str>,
    /// The ion whose concentration inside the cell the gates sense.
    pub senses: Option<&'static str>,
    /// Names of the gating variables.
    pub gates: &'static [&'static str],
    /// The parameters. One named "E" is the reversal potential, and reaches the channel as [`Local::reversal`] too.
    pub parameters: Vec<ParameterSpec>,
}

/// An ion channel with `G` gating variables and `P` parameters, written once over the scalar.
///
/// ```
/// use braincell_cells::{Channel, ChannelInfo, Local, Mechanism, mechanism::parameter, rates};
/// use braincell_core::kernel::Relaxation;
/// use braincell_core::real::Real;
///
/// /// A delayed rectifier with one gate: I = g_max · n · (E - V).
/// struct Rectifier;
/// impl Channel<1, 2> for Rectifier {
///     fn info(&self) -> ChannelInfo {
///         ChannelInfo {
///             name: "rectifier",
///             description: "Delayed rectifier with one gate",
///             reference: "",
///             ion: Some("k"),
///             senses: None,
///             gates: &["n"],
///             parameters: vec![
///                 parameter("g_max", "mS/cm2", 5.0, "maximal conductance"),
///                 parameter("E", "mV", -80.0, "reversal potential"),
///             ],
///         }
///     }
///     fn rates<R: Real>(&self, at: Local<R>, _: [R; 2]) -> [Relaxation<R>; 1] {
///         let steady = rates::sigmoid(at.v, 1.0, -30.0, 9.0);
///         [Relaxation::relaxing(steady, R::constant(4.0))]
///     }
///     fn current<R: Real>(&self, at: Local<R>, [n]: [R; 1], [g_max, _]: [R; 2]) -> R {
///         g_max * n * (at.reversal - at.v)
///     }
/// }
/// assert_eq!(Mechanism::channel(Rectifier)?.name(), "rectifier");
/// # Ok::<(), braincell_cells::MechanismError>(())
/// ```
pub trait Channel<const G: usize, const P: usize>: Send + Sync + 'static {
    /// Name, gates, parameters and the rest.
    fn info(&self) -> ChannelInfo;
    /// How each gate relaxes.
    fn rates<R: Real>(&self, at: Local<R>, parameters: [R; P]) -> [Relaxation<R>; G];
    /// The current into the cell, µA/cm².
    fn current<R: Real>(&self, at: Local<R>, gates: [R; G], parameters: [R; P]) -> R;
}

/// Why a mechanism is malformed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MechanismError {
    /// Numbers of names and of arguments differ.
    #[error("mechanism \"{name}\" names {named} {what}, but computes with {used}")]
    Count {
        /// The mechanism.
        name: String,
        /// "gates" or "parameters".
        what: &'static str,
        /// How many are named.
        named: usize,
        /// How many its functions take.
        used: usize,
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

/// A mechanism as a cell holds it: data and kernels.
#[derive(Clone)]
pub struct Mechanism {
    pub(crate) info: ChannelInfo,
    /// Gates' rates: inputs v, reversal, concentration, parameters, gates.
    pub(crate) rates: Option<Arc<dyn Kernel>>,
    /// Current: inputs v, reversal, concentration, gates, parameters.
    pub(crate) current: Arc<dyn Kernel>,
}

struct Rates<C, const G: usize, const P: usize>(Arc<C>);

#[inline(always)]
fn local<R: Copy>([v, reversal, concentration]: [R; 3]) -> Local<R> {
    Local {
        v,
        reversal,
        concentration,
    }
}

impl<C: Channel<G, P>, const G: usize, const P: usize> Kinetics<G> for Rates<C, G, P> {
    type Inputs<T: Copy> = ([T; 3], [T; P]);
    #[inline(always)]
    fn rates<R: Real>(&self, (at, parameters): ([R; 3], [R; P])) -> [Relaxation<R>; G] {
        self.0.rates(local(at), parameters)
    }
}

struct Current<C, const G: usize, const P: usize>(Arc<C>);

impl<C: Channel<G, P>, const G: usize, const P: usize> Pointwise for Current<C, G, P> {
    type Inputs<T: Copy> = ([T; 3], [T; G], [T; P]);
    type Outputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, (at, gates, parameters): ([R; 3], [R; G], [R; P])) -> [R; 1] {
        [self.0.current(local(at), gates, parameters)]
    }
}

impl Mechanism {
    /// Makes a mechanism of a channel.
    ///
    /// # Errors
    /// [`MechanismError::Count`] if its names do not match its arguments.
    pub fn channel<C, const G: usize, const P: usize>(channel: C) -> Result<Self, MechanismError>
    where
        C: Channel<G, P>,
    {
        let info = channel.info();
        let counts = [
            ("gates", info.gates.len(), G),
            ("parameters", info.parameters.len(), P),
        ];
        for (what, named, used) in counts {
            if named != used {
                return Err(MechanismError::Count {
                    name: info.name.to_string(),
                    what,
                    named,
                    used,
                });
            }
        }
        let channel = Arc::new(channel);
        Ok(Self {
            info,
            rates: (G > 0).then(|| kinetics(Rates::<C, G, P>(channel.clone()))),
            current: pointwise(Current::<C, G, P>(channel)),
        })
    }

    /// Name.
    pub fn name(&self) -> &str {
        self.info.name
    }

    /// What is known about it.
    pub fn info(&self) -> &ChannelInfo {
        &self.info
    }

    /// The parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&ParameterSpec> {
        self.info.parameters.iter().find(|p| p.name == name)
    }
}
