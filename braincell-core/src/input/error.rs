//! Why an input is malformed.

/// Why an input is malformed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InputError {
    /// A number is NaN or infinite.
    #[error("{what} is {value}; give a finite number")]
    NotFinite {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A length of time is zero or negative.
    #[error("{what} is {value} ms; it must be positive")]
    NotPositive {
        /// Which length of time.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// Pulses overlap.
    #[error(
        "the pulses last {width} ms but repeat every {period} ms; the period must be at least the duration"
    )]
    Overlap {
        /// Duration of a pulse, ms.
        width: f64,
        /// Period, ms.
        period: f64,
    },
    /// A played trace has too few samples.
    #[error("a played trace needs at least {needed} samples, {given} are given")]
    Samples {
        /// How many there are.
        given: usize,
        /// How many there should be.
        needed: usize,
    },
    /// A double exponential rises no faster than it decays.
    #[error(
        "the rise time {rise} ms must be below the decay time {decay} ms, by one part in 10000 at least"
    )]
    Rise {
        /// Time constant of the rise, ms.
        rise: f64,
        /// Time constant of the decay, ms.
        decay: f64,
    },
    /// Jump times of a function are not increasing.
    #[error("the jump times of a function must increase; {0} ms comes too late")]
    Order(f64),
}

pub(super) fn finite(what: &'static str, value: f64) -> Result<(), InputError> {
    match value.is_finite() {
        true => Ok(()),
        false => Err(InputError::NotFinite { what, value }),
    }
}

pub(super) fn positive(what: &'static str, value: f64) -> Result<(), InputError> {
    match value > 0.0 {
        true => Ok(()),
        false => Err(InputError::NotPositive { what, value }),
    }
}
