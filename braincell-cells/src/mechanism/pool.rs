//! Pools: concentrations of ions inside the cell.

use super::{
    Kind, Mechanism, MechanismError, MechanismInfo, ParameterSpec, check_counts, parameter,
};
use braincell_core::kernel::{Pointwise, pointwise};
use braincell_core::real::Real;
use std::sync::Arc;

/// Faraday constant, C/mol (exact in the SI of 2019, rounded to double precision).
pub const FARADAY: f64 = 96485.33212331001;

/// Molar gas constant, J/(mol K) (exact in the SI of 2019, rounded to double precision).
pub const GAS: f64 = 8.31446261815324;

/// The Nernst potential 1000 R T / (z F) · ln(outside / inside), mV, of an ion of charge number `z` at a temperature
/// in K; the concentrations in one unit.
///
/// W. Nernst, Die elektromotorische Wirksamkeit der Jonen, Z. Phys. Chem. 4 (1889),
/// [doi:10.1515/zpch-1889-0412](https://doi.org/10.1515/zpch-1889-0412).
#[inline(always)]
pub fn nernst<R: Real>(z: f64, temperature: R, outside: R, inside: R) -> R {
    temperature * (1e3 * GAS / (z * FARADAY)) * (outside / inside).ln()
}

/// What is known about a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolInfo {
    /// Name of the mechanism, such as "calcium_detailed".
    pub name: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// Literature.
    pub reference: &'static str,
    /// The ion, such as "ca". Channels that carry it add to the pool's current and take their reversal potential from
    /// the pool; channels that sense it see the pool's concentration.
    pub ion: &'static str,
    /// The concentration at the start where the cell gives none, mM.
    pub initial: f64,
    /// The parameters. The initial concentration is added as "c_in0".
    pub parameters: Vec<ParameterSpec>,
}

/// The concentration of an ion inside the cell, with `P` parameters, written once over the scalar.
///
/// In a cell the pool "Ca" has the state "Ca.c_in" (mM), the signal "Ca.I", which is the sum of the currents that
/// carry its ion (µA/cm², positive into the cell), and the signal "Ca.E", their reversal potential (mV).
///
/// ```
/// use braincell_cells::{Mechanism, Pool, PoolInfo, mechanism::{nernst, parameter}};
/// use braincell_core::real::Real;
///
/// /// Potassium under the membrane of a thin dendrite, restored by pumps.
/// struct Potassium;
/// impl Pool<2> for Potassium {
///     fn info(&self) -> PoolInfo {
///         PoolInfo {
///             name: "potassium",
///             description: "Potassium with first-order restoration",
///             reference: "",
///             ion: "k",
///             initial: 140.0,
///             parameters: vec![
///                 parameter("gain", "mM/ms/(uA/cm2)", 1e-4, "change of concentration per current"),
///                 parameter("tau", "ms", 100.0, "time constant of the pumps"),
///             ],
///         }
///     }
///     fn rate<R: Real>(&self, c: R, current: R, [gain, tau]: [R; 2]) -> R {
///         gain * current + (-c + 140.0) / tau
///     }
///     fn reversal<R: Real>(&self, c: R, _: [R; 2]) -> R {
///         nernst(1.0, R::constant(309.15), R::constant(4.0), c)
///     }
/// }
/// assert!(Mechanism::pool(Potassium)?.parameter("c_in0").is_some());
/// # Ok::<(), braincell_cells::MechanismError>(())
/// ```
pub trait Pool<const P: usize>: Send + Sync + 'static {
    /// Name, ion, parameters and the rest.
    fn info(&self) -> PoolInfo;
    /// The change of the concentration, mM/ms, under a current into the cell in µA/cm².
    fn rate<R: Real>(&self, concentration: R, current: R, parameters: [R; P]) -> R;
    /// The reversal potential of the ion, mV; see [`nernst`].
    fn reversal<R: Real>(&self, concentration: R, parameters: [R; P]) -> R;
}

struct Rate<C, const P: usize>(Arc<C>);

impl<C: Pool<P>, const P: usize> Pointwise for Rate<C, P> {
    type Inputs<T: Copy> = ([T; 2], [T; P]);
    type Outputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, ([c, current], parameters): ([R; 2], [R; P])) -> [R; 1] {
        [self.0.rate(c, current, parameters)]
    }
}

struct Reversal<C, const P: usize>(Arc<C>);

impl<C: Pool<P>, const P: usize> Pointwise for Reversal<C, P> {
    type Inputs<T: Copy> = ([T; 1], [T; P]);
    type Outputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, ([c], parameters): ([R; 1], [R; P])) -> [R; 1] {
        [self.0.reversal(c, parameters)]
    }
}

/// The parameter that sets the concentration at the start.
pub(crate) const INITIAL: &str = "c_in0";

impl Mechanism {
    /// Makes a mechanism of a pool. It has one more parameter, "c_in0", the concentration at the start.
    ///
    /// # Errors
    /// [`MechanismError::Count`] if its names do not match its arguments; [`MechanismError::Malformed`] if it names a
    /// parameter "c_in0" itself.
    pub fn pool<C: Pool<P>, const P: usize>(pool: C) -> Result<Self, MechanismError> {
        let info = pool.info();
        let mut parameters = info.parameters;
        check_counts(info.name, &[("parameters", parameters.len(), P)])?;
        if parameters.iter().any(|p| p.name == INITIAL) {
            return Err(MechanismError::Malformed {
                name: info.name.to_string(),
                problem: format!(
                    "the parameter \"{INITIAL}\" is added to every pool; leave it out and set PoolInfo::initial"
                ),
            });
        }
        parameters.push(parameter(
            INITIAL,
            "mM",
            info.initial,
            "concentration inside the cell at the start",
        ));
        let pool = Arc::new(pool);
        Ok(Self {
            info: MechanismInfo {
                name: info.name,
                description: info.description,
                reference: info.reference,
                ion: Some(info.ion),
                senses: None,
                states: vec!["c_in"],
                parameters,
            },
            kind: Kind::Pool {
                rate: pointwise(Rate::<C, P>(pool.clone())),
                reversal: pointwise(Reversal::<C, P>(pool)),
            },
        })
    }
}
