//! The mechanisms that come with braincell.

mod calcium;
mod hodgkin_huxley;
mod schemes;
mod thalamic;

pub use calcium::{CalciumDetailed, LTypeIs2008, TTypeGhk, TTypeHm1992};
pub use hodgkin_huxley::{Leak, PotassiumHh1952, SodiumHh1952};
pub use schemes::SodiumHh1952Scheme;
pub use thalamic::{
    AfterHyperpolarisationDe1994, DelayedRectifierBa2002, HyperpolarisationActivatedHm1992,
    PotassiumLeak, SodiumBa2002,
};

use crate::mechanism::{ChannelSet, Mechanism, MechanismError, One};
use braincell_core::registry::distance;
use once_cell::sync::Lazy;

/// All built-in mechanisms.
pub fn all() -> Vec<Mechanism> {
    let all = [
        Mechanism::channel(Leak),
        Mechanism::channel(SodiumHh1952),
        Mechanism::channel(PotassiumHh1952),
        Mechanism::scheme(SodiumHh1952Scheme),
        Mechanism::channel(SodiumBa2002),
        Mechanism::channel(PotassiumLeak),
        Mechanism::channel(DelayedRectifierBa2002),
        Mechanism::channel(LTypeIs2008),
        Mechanism::channel(TTypeHm1992),
        Mechanism::channel(TTypeGhk),
        Mechanism::channel(AfterHyperpolarisationDe1994),
        Mechanism::channel(HyperpolarisationActivatedHm1992),
        Mechanism::pool(CalciumDetailed),
    ];
    all.into_iter()
        .map(|m| m.expect("built-in mechanisms name what they use"))
        .collect()
}

/// The sets of channels that a membrane computes in one loop where it has all of them, the largest first.
pub fn sets() -> &'static [ChannelSet] {
    static SETS: Lazy<Vec<ChannelSet>> = Lazy::new(|| {
        let na = || One::<_, 2, 2, 1>(SodiumHh1952);
        let k = || One::<_, 1, 2, 1>(PotassiumHh1952);
        let leak = || One::<_, 0, 2, 1>(Leak);
        vec![ChannelSet::new::<_, _, 3>(
            (na(), k()),
            ((na(), k()), leak()),
        )]
    });
    &SETS
}

/// The built-in mechanism of that name.
///
/// # Errors
/// [`MechanismError::Unknown`], with the nearest name and the list.
pub fn find(name: &str) -> Result<Mechanism, MechanismError> {
    let all = all();
    let names: Vec<String> = all.iter().map(|m| m.name().to_string()).collect();
    match all.into_iter().find(|m| m.name() == name) {
        Some(mechanism) => Ok(mechanism),
        None => Err(MechanismError::Unknown {
            name: name.to_string(),
            nearest: names
                .iter()
                .filter(|known| distance(name, known) <= 3)
                .min_by_key(|known| distance(name, known))
                .cloned(),
            known: names.join(", "),
        }),
    }
}
