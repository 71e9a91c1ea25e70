//! Functions of time.

use super::InputError;
use super::error::finite;
use crate::real::{Dual, Real};
use std::sync::Arc;

/// A function of time given by the user, generic over the scalar so that its time derivative is known.
///
/// At a jump, write the value after it: `t.if_less(jump, before, after)`.
pub trait Waveform: Send + Sync + 'static {
    /// The value at time `t`, ms.
    fn value<R: Real>(&self, t: R) -> R;
    /// Times at which the value or a derivative jumps, increasing.
    fn jumps(&self) -> Vec<f64> {
        Vec::new()
    }
}

trait AnyWaveform: Send + Sync {
    fn value_and_slope(&self, t: f64) -> (f64, f64);
}

impl<W: Waveform> AnyWaveform for W {
    fn value_and_slope(&self, t: f64) -> (f64, f64) {
        let y = self.value(Dual::<f64, 1>::variable(t, 0));
        (y.value, y.tangent[0])
    }
}

/// A function of the user, and its jumps.
#[derive(Clone)]
pub(super) struct Function {
    function: Arc<dyn AnyWaveform>,
    jumps: Arc<[f64]>,
}

impl Function {
    pub fn new(function: impl Waveform) -> Self {
        Self {
            jumps: function.jumps().into(),
            function: Arc::new(function),
        }
    }

    pub fn check(&self) -> Result<(), InputError> {
        let mut jumps = self.jumps.iter();
        jumps.try_for_each(|&t| finite("a jump time", t))?;
        match self.jumps.windows(2).find(|pair| pair[0] >= pair[1]) {
            Some(pair) => Err(InputError::Order(pair[1])),
            None => Ok(()),
        }
    }

    /// The function between its jumps around `within`, of the nearest time there.
    pub fn value_and_slope(&self, t: f64, within: f64) -> (f64, f64) {
        let next = self.jumps.partition_point(|&j| j <= within);
        let t = match next.checked_sub(1) {
            Some(last) => t.max(self.jumps[last]),
            None => t,
        };
        let t = match self.jumps.get(next) {
            Some(jump) => t.min(jump.next_down()),
            None => t,
        };
        self.function.value_and_slope(t)
    }

    pub fn next_jump(&self, t: f64) -> f64 {
        let next = self.jumps.partition_point(|&j| j <= t);
        self.jumps.get(next).copied().unwrap_or(f64::INFINITY)
    }
}
