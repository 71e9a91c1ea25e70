//! Kinetic schemes: channels as continuous-time Markov chains.

use super::{Kind, Local, Mechanism, MechanismError, MechanismInfo, ParameterSpec, check_counts};
use braincell_core::kernel::{Pointwise, pointwise};
use braincell_core::real::Real;
use std::sync::Arc;

/// What is known about a kinetic scheme.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemeInfo {
    /// Name of the mechanism, such as "na_hh1952_scheme".
    pub name: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// Literature.
    pub reference: &'static str,
    /// The ion that carries the current, if the cell may model its concentration.
    pub ion: Option<&'static str>,
    /// The ion whose concentration inside the cell the rates sense.
    pub senses: Option<&'static str>,
    /// The parameters; "E" as in [`super::ChannelInfo`].
    pub parameters: Vec<ParameterSpec>,
}

/// A channel with `S` states, `T` reversible transitions between them and `P` parameters, written once over the
/// scalar.
///
/// The states are the fractions of channels in each state; they start from the steady state at the initial potential.
/// A transition moves exactly what it takes from one state to the other, so that the derivatives sum to zero up to
/// rounding and the fractions stay a sum of 1 under every solver that keeps linear invariants, as all Runge-Kutta
/// methods do.
///
/// D. Colquhoun, A. G. Hawkes, Relaxation and fluctuations of membrane currents that flow through drug-operated
/// channels, Proc. R. Soc. Lond. B 199 (1977) 231-262.
///
/// ```
/// use braincell_cells::{Local, Mechanism, Scheme, SchemeInfo, mechanism::parameter, rates};
/// use braincell_core::real::Real;
///
/// /// closed ⇄ open ⇄ inactivated
/// struct Inactivating;
/// impl Scheme<3, 2, 2> for Inactivating {
///     const STATES: [&'static str; 3] = ["closed", "open", "inactivated"];
///     const TRANSITIONS: [(usize, usize); 2] = [(0, 1), (1, 2)];
///     const CONDUCTING: &'static [usize] = &[1];
///     fn info(&self) -> SchemeInfo {
///         SchemeInfo {
///             name: "inactivating",
///             description: "Channel that inactivates from its open state",
///             reference: "",
///             ion: Some("na"),
///             senses: None,
///             parameters: vec![
///                 parameter("g_max", "mS/cm2", 20.0, "maximal conductance"),
///                 parameter("E", "mV", 50.0, "reversal potential"),
///             ],
///         }
///     }
///     fn rates<R: Real>(&self, at: Local<R>, _: [R; 2]) -> [[R; 2]; 2] {
///         [
///             [rates::exponential(at.v, 0.5, -40.0, 15.0), rates::exponential(at.v, 0.5, -40.0, -15.0)],
///             [R::constant(0.8), R::constant(0.05)],
///         ]
///     }
///     fn current<R: Real>(&self, at: Local<R>, open: R, [g_max, _]: [R; 2]) -> R {
///         g_max * open * (at.reversal - at.v)
///     }
/// }
/// assert_eq!(Mechanism::scheme(Inactivating)?.info().states, ["closed", "open", "inactivated"]);
/// # Ok::<(), braincell_cells::MechanismError>(())
/// ```
pub trait Scheme<const S: usize, const T: usize, const P: usize>: Send + Sync + 'static {
    /// Names of the states.
    const STATES: [&'static str; S];
    /// The transitions, from one state to another, by number.
    const TRANSITIONS: [(usize, usize); T];
    /// The states that conduct, by number.
    const CONDUCTING: &'static [usize];
    /// Name, parameters and the rest.
    fn info(&self) -> SchemeInfo;
    /// The rates of each transition, forward and backward, per ms.
    ///
    /// Where backward rates vanish, so that some state is never left, the steady state is not determined and the
    /// first step reports it.
    fn rates<R: Real>(&self, at: Local<R>, parameters: [R; P]) -> [[R; 2]; T];
    /// The current into the cell, µA/cm², with a fraction `open` of the channels in the conducting states.
    fn current<R: Real>(&self, at: Local<R>, open: R, parameters: [R; P]) -> R;
}

struct Flows<C, const S: usize, const T: usize, const P: usize>(Arc<C>);

impl<C, const S: usize, const T: usize, const P: usize> Pointwise for Flows<C, S, T, P>
where
    C: Scheme<S, T, P>,
{
    type Inputs<X: Copy> = ([X; 3], [X; P], [X; S]);
    type Outputs<X: Copy> = [X; S];
    const STEADY: bool = true;

    #[inline(always)]
    fn eval<R: Real>(&self, (at, parameters, x): ([R; 3], [R; P], [R; S])) -> [R; S] {
        let rates = self.0.rates(at.into(), parameters);
        let mut derivative = [R::zero(); S];
        let mut k = 0;
        while k < T {
            let (from, to) = C::TRANSITIONS[k];
            let [forward, backward] = rates[k];
            let flow = forward * x[from] - backward * x[to];
            derivative[from] = derivative[from] - flow;
            derivative[to] = derivative[to] + flow;
            k += 1;
        }
        derivative
    }

    /// The stationary distribution by elimination without subtractions, which loses no digits however far the rates
    /// lie apart.
    ///
    /// W. K. Grassmann, M. I. Taksar, D. P. Heyman, Regenerative analysis and steady state distributions for Markov
    /// chains, Oper. Res. 33 (1985), doi:10.1287/opre.33.5.1107.
    #[inline(always)]
    fn steady<R: Real>(&self, (at, parameters, _): ([R; 3], [R; P], [R; S])) -> [R; S] {
        let rates = self.0.rates(at.into(), parameters);
        // rate[i][j] from state i to state j
        let mut rate = [[R::zero(); S]; S];
        for (&(from, to), [forward, backward]) in C::TRANSITIONS.iter().zip(rates) {
            rate[from][to] = rate[from][to] + forward;
            rate[to][from] = rate[to][from] + backward;
        }
        for last in (1..S).rev() {
            let leaving = rate[last][..last].iter();
            let leaving = leaving.fold(R::zero(), |sum, &r| sum + r);
            let onward = rate[last];
            for row in &mut rate[..last] {
                row[last] = row[last] / leaving;
                for j in 0..last {
                    row[j] = row[j] + row[last] * onward[j];
                }
            }
        }
        let mut x = [R::zero(); S];
        x[0] = R::one();
        let mut sum = x[0];
        for last in 1..S {
            for i in 0..last {
                x[last] = x[last] + x[i] * rate[i][last];
            }
            sum = sum + x[last];
        }
        x.map(|x| x / sum)
    }
}

struct Current<C, const S: usize, const T: usize, const P: usize>(Arc<C>);

impl<C, const S: usize, const T: usize, const P: usize> Pointwise for Current<C, S, T, P>
where
    C: Scheme<S, T, P>,
{
    type Inputs<X: Copy> = ([X; 3], [X; S], [X; P]);
    type Outputs<X: Copy> = [X; 1];
    #[inline(always)]
    fn eval<R: Real>(&self, (at, x, parameters): ([R; 3], [R; S], [R; P])) -> [R; 1] {
        let mut open = R::zero();
        for &state in C::CONDUCTING {
            open = open + x[state];
        }
        [self.0.current(at.into(), open, parameters)]
    }
}

/// What is wrong with the states and transitions of a scheme.
fn problem<const S: usize>(transitions: &[(usize, usize)], conducting: &[usize]) -> Option<String> {
    if let Some((from, to)) = transitions
        .iter()
        .find(|(from, to)| *from >= S || *to >= S || from == to)
    {
        return Some(format!(
            "a transition leads from state {from} to state {to}; both must be different numbers below {S}"
        ));
    }
    if conducting.is_empty() {
        return Some("no state conducts; name at least one".to_string());
    }
    if let Some(state) = conducting.iter().find(|&&state| state >= S) {
        return Some(format!(
            "state {state} is to conduct, but the states are numbered below {S}"
        ));
    }
    let mut reached = [false; S];
    reached[0] = true;
    for _ in 0..S {
        for &(from, to) in transitions {
            let either = reached[from] || reached[to];
            (reached[from], reached[to]) = (either, either);
        }
    }
    let lonely = reached.iter().position(|reached| !reached)?;
    Some(format!(
        "no transitions connect state {lonely} with state 0; add one"
    ))
}

impl Mechanism {
    /// Makes a mechanism of a kinetic scheme.
    ///
    /// # Errors
    /// [`MechanismError::Count`] if the parameters' names do not match the arguments; [`MechanismError::Malformed`] if
    /// a transition or conducting state does not exist, or some states are not connected with the others.
    pub fn scheme<C, const S: usize, const T: usize, const P: usize>(
        scheme: C,
    ) -> Result<Self, MechanismError>
    where
        C: Scheme<S, T, P>,
    {
        let info = scheme.info();
        check_counts(info.name, &[("parameters", info.parameters.len(), P)])?;
        if let Some(problem) = problem::<S>(&C::TRANSITIONS, C::CONDUCTING) {
            return Err(MechanismError::Malformed {
                name: info.name.to_string(),
                problem,
            });
        }
        let scheme = Arc::new(scheme);
        Ok(Self {
            info: MechanismInfo {
                name: info.name,
                description: info.description,
                reference: info.reference,
                ion: info.ion,
                senses: info.senses,
                states: C::STATES.to_vec(),
                parameters: info.parameters,
            },
            kind: Kind::Scheme {
                rates: pointwise(Flows::<C, S, T, P>(scheme.clone())),
                current: pointwise(Current::<C, S, T, P>(scheme)),
            },
        })
    }
}
