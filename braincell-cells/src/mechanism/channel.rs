//! Ion channels with gates that relax independently.

use super::{Kind, Local, Mechanism, MechanismError, MechanismInfo, ParameterSpec, check_counts};
use braincell_core::kernel::{Kinetics, Pointwise, Relaxation, kinetics, pointwise};
use braincell_core::real::Real;
use std::any::TypeId;
use std::sync::Arc;

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
    /// The parameters. One named "E" is the reversal potential, and reaches the channel as [`Local::reversal`] too. A
    /// channel of an ion without such a parameter needs a pool of that ion in the cell.
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

struct Rates<C, const G: usize, const P: usize>(Arc<C>);

impl<C: Channel<G, P>, const G: usize, const P: usize> Kinetics<G> for Rates<C, G, P> {
    type Inputs<T: Copy> = ([T; 3], [T; P]);
    #[inline(always)]
    fn rates<R: Real>(&self, (at, parameters): ([R; 3], [R; P])) -> [Relaxation<R>; G] {
        self.0.rates(at.into(), parameters)
    }
}

struct Current<C, const G: usize, const P: usize>(Arc<C>);

impl<C: Channel<G, P>, const G: usize, const P: usize> Pointwise for Current<C, G, P> {
    type Inputs<T: Copy> = ([T; 3], [T; G], [T; P]);
    type Outputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, (at, gates, parameters): ([R; 3], [R; G], [R; P])) -> [R; 1] {
        [self.0.current(at.into(), gates, parameters)]
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
        let gates = ("gates", info.gates.len(), G);
        let parameters = ("parameters", info.parameters.len(), P);
        check_counts(info.name, &[gates, parameters])?;
        let channel = Arc::new(channel);
        Ok(Self {
            info: MechanismInfo {
                name: info.name,
                description: info.description,
                reference: info.reference,
                ion: info.ion,
                senses: info.senses,
                states: info.gates.to_vec(),
                parameters: info.parameters,
            },
            kind: Kind::Channel {
                rates: (G > 0).then(|| kinetics(Rates::<C, G, P>(channel.clone()))),
                current: pointwise(Current::<C, G, P>(channel)),
                of: TypeId::of::<C>(),
            },
        })
    }
}
