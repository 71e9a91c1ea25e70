//! Inputs from outside: waveforms that know where they jump.
//!
//! A waveform is smooth between its jumps (kinks count as jumps). A stepper's stages lie within one step, and a step
//! lies within one smooth piece; so a waveform is evaluated at a time *within a piece*, and a stage at the very end
//! of a piece sees the limit from inside, never the far side of the jump.

mod events;

use crate::real::{Dual, Real};
use events::Events;
use std::fmt;
use std::sync::Arc;

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

/// How a played trace continues between its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// Each sample holds until the next.
    Hold,
    /// Straight lines.
    Linear,
}

#[derive(Clone)]
enum Shape {
    Constant,
    Pulses {
        start: f64,
        width: f64,
        period: f64,
        count: f64,
    },
    Sine {
        frequency: f64,
        phase: f64,
    },
    Ramp {
        start: f64,
        stop: f64,
        from: f64,
        to: f64,
    },
    Samples {
        start: f64,
        interval: f64,
        values: Arc<[f64]>,
        how: Interpolation,
    },
    Events(Events),
    Function {
        function: Arc<dyn AnyWaveform>,
        jumps: Arc<[f64]>,
    },
}

/// A waveform, in the unit of what it drives. Time in ms.
#[derive(Clone)]
pub struct Input {
    shape: Shape,
    amplitude: f64,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = match self.shape {
            Shape::Constant => "constant",
            Shape::Pulses { .. } => "pulses",
            Shape::Sine { .. } => "sine",
            Shape::Ramp { .. } => "ramp",
            Shape::Samples { .. } => "samples",
            Shape::Events(_) => "events",
            Shape::Function { .. } => "function",
        };
        write!(f, "Input({shape}, amplitude {})", self.amplitude)
    }
}

impl Input {
    /// The same value always.
    pub fn constant(value: f64) -> Self {
        Self {
            shape: Shape::Constant,
            amplitude: value,
        }
    }

    /// `amplitude` for start ≤ t < stop, zero outside. `stop` may be infinite.
    pub fn step(amplitude: f64, start: f64, stop: f64) -> Self {
        let width = stop - start;
        let period = width;
        let count = 1.0;
        Self {
            shape: Shape::Pulses {
                start,
                width,
                period,
                count,
            },
            amplitude,
        }
    }

    /// `count` pulses of `amplitude` and duration `width`, the first at `start`, one every `period`.
    pub fn pulses(amplitude: f64, start: f64, width: f64, period: f64, count: u32) -> Self {
        let count = f64::from(count);
        Self {
            shape: Shape::Pulses {
                start,
                width,
                period,
                count,
            },
            amplitude,
        }
    }

    /// `amplitude · sin(2π · frequency · t + phase)`; frequency in 1/ms (kHz), phase in radians.
    pub fn sine(amplitude: f64, frequency: f64, phase: f64) -> Self {
        Self {
            shape: Shape::Sine { frequency, phase },
            amplitude,
        }
    }

    /// A straight line from `from` at `start` to `to` at `stop`; zero before, `to` after.
    pub fn ramp(from: f64, to: f64, start: f64, stop: f64) -> Self {
        Self {
            shape: Shape::Ramp {
                start,
                stop,
                from,
                to,
            },
            amplitude: 1.0,
        }
    }

    /// A played trace: `values` at `start`, `start + interval`, …; zero before, the last value after.
    pub fn samples(values: Vec<f64>, start: f64, interval: f64, how: Interpolation) -> Self {
        Self {
            shape: Shape::Samples {
                start,
                interval,
                values: values.into(),
                how,
            },
            amplitude: 1.0,
        }
    }

    /// Events (time in ms, weight) in any order, each followed by an exponential: Σ weight · e^(-(t - time) / tau) over
    /// the events until t. The value jumps by the weight at the event.
    ///
    /// ```
    /// use braincell_core::input::Input;
    /// let g = Input::exponential_events(2.0, [(1.0, 0.5), (3.0, 0.5)]);
    /// assert_eq!(g.value_and_slope(1.0, 1.0).0, 0.5);
    /// assert_eq!(g.next_jump(1.0), 3.0);
    /// assert_eq!(g.value_and_slope(3.0, 3.0).0, 0.5 * (-1f64).exp() + 0.5);
    /// ```
    pub fn exponential_events(tau: f64, events: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self::events(None, tau, events)
    }

    /// Events (time in ms, weight) in any order, each followed by the difference of two exponentials with peak 1:
    /// Σ weight · (e^(-(t - time) / decay) - e^(-(t - time) / rise)) / peak over the events until t. The slope jumps at
    /// the event.
    pub fn biexponential_events(
        rise: f64,
        decay: f64,
        events: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        Self::events(Some(rise), decay, events)
    }

    fn events(rise: Option<f64>, tau: f64, events: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            shape: Shape::Events(Events::new(rise, tau, events.into_iter().collect())),
            amplitude: 1.0,
        }
    }

    /// A function of time.
    pub fn function(function: impl Waveform) -> Self {
        Self {
            shape: Shape::Function {
                jumps: function.jumps().into(),
                function: Arc::new(function),
            },
            amplitude: 1.0,
        }
    }

    /// The same waveform, `factor` times as large.
    pub fn scaled(mut self, factor: f64) -> Self {
        self.amplitude *= factor;
        self
    }

    /// Changes the amplitude by `x`. Returns what it was.
    pub(crate) fn add_to_amplitude(&mut self, x: f64) -> f64 {
        let before = self.amplitude;
        self.amplitude += x;
        before
    }

    /// Whether it consists of steps or pulses.
    pub(crate) fn is_pulses(&self) -> bool {
        matches!(self.shape, Shape::Pulses { .. })
    }

    /// Moves steps or pulses by `x`, ms. Returns where they began.
    pub(crate) fn shift(&mut self, x: f64) -> f64 {
        match &mut self.shape {
            Shape::Pulses { start, .. } => {
                let before = *start;
                *start += x;
                before
            }
            _ => 0.0,
        }
    }

    /// Checks that all numbers make sense.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn check(&self) -> Result<(), InputError> {
        let finite = |what, value: f64| match value.is_finite() {
            true => Ok(()),
            false => Err(InputError::NotFinite { what, value }),
        };
        let positive = |what, value: f64| match value > 0.0 {
            true => Ok(()),
            false => Err(InputError::NotPositive { what, value }),
        };
        finite("the amplitude", self.amplitude)?;
        match &self.shape {
            Shape::Constant => Ok(()),
            Shape::Pulses {
                start,
                width,
                period,
                count,
            } => {
                finite("the start", *start)?;
                positive("the duration", *width)?;
                if *count > 1.0 {
                    finite("the duration", *width)?;
                    finite("the period", *period)?;
                    if period < width {
                        let (width, period) = (*width, *period);
                        return Err(InputError::Overlap { width, period });
                    }
                }
                Ok(())
            }
            Shape::Sine { frequency, phase } => {
                finite("the frequency", *frequency)?;
                finite("the phase", *phase)
            }
            Shape::Ramp {
                start,
                stop,
                from,
                to,
            } => {
                finite("the start", *start)?;
                finite("the stop", *stop)?;
                finite("the first value", *from)?;
                finite("the last value", *to)?;
                positive("the duration", stop - start)
            }
            Shape::Samples {
                start,
                interval,
                values,
                how,
            } => {
                finite("the start", *start)?;
                finite("the interval", *interval)?;
                positive("the interval", *interval)?;
                let needed = match how {
                    Interpolation::Hold => 1,
                    Interpolation::Linear => 2,
                };
                if values.len() < needed {
                    let given = values.len();
                    return Err(InputError::Samples { given, needed });
                }
                values.iter().try_for_each(|&x| finite("a sample", x))
            }
            Shape::Events(events) => events.check(),
            Shape::Function { jumps, .. } => {
                jumps.iter().try_for_each(|&t| finite("a jump time", t))?;
                match jumps.windows(2).find(|pair| pair[0] >= pair[1]) {
                    Some(pair) => Err(InputError::Order(pair[1])),
                    None => Ok(()),
                }
            }
        }
    }

    /// The value and its time derivative at time `t`, seen from inside the smooth piece that holds time `within`.
    pub fn value_and_slope(&self, t: f64, within: f64) -> (f64, f64) {
        let (y, slope) = self.shape(t, within);
        (y * self.amplitude, slope * self.amplitude)
    }

    /// The value and its time derivative at amplitude 1.
    pub(crate) fn shape(&self, t: f64, within: f64) -> (f64, f64) {
        match &self.shape {
            Shape::Constant => (1.0, 0.0),
            Shape::Pulses {
                start,
                width,
                period,
                count,
            } => {
                let since = within - start;
                // A single pulse that never ends has an infinite period.
                let k = if *count > 1.0 {
                    (since / period).floor().min(count - 1.0)
                } else {
                    0.0
                };
                let begin = start + if k > 0.0 { k * period } else { 0.0 };
                let on = *count > 0.0 && since >= 0.0 && within >= begin && within < begin + width;
                (f64::from(u8::from(on)), 0.0)
            }
            Shape::Sine { frequency, phase } => {
                let omega = std::f64::consts::TAU * frequency;
                let angle = omega.mul_add(t, *phase);
                (angle.sin(), omega * angle.cos())
            }
            Shape::Ramp {
                start,
                stop,
                from,
                to,
            } => {
                if within < *start {
                    (0.0, 0.0)
                } else if within < *stop {
                    let slope = (to - from) / (stop - start);
                    (slope.mul_add(t - start, *from), slope)
                } else {
                    (*to, 0.0)
                }
            }
            Shape::Samples {
                start,
                interval,
                values,
                how,
            } => {
                let k = ((within - start) / interval).floor();
                let last = values.len() - 1;
                if k < 0.0 {
                    (0.0, 0.0)
                } else if k as usize >= last {
                    (values[last], 0.0)
                } else {
                    let k = k as usize;
                    match how {
                        Interpolation::Hold => (values[k], 0.0),
                        Interpolation::Linear => {
                            let slope = (values[k + 1] - values[k]) / interval;
                            let from = start + k as f64 * interval;
                            (slope.mul_add(t - from, values[k]), slope)
                        }
                    }
                }
            }
            Shape::Events(events) => events.value_and_slope(t, within),
            Shape::Function { function, jumps } => {
                let next = jumps.partition_point(|&j| j <= within);
                let t = if next > 0 { t.max(jumps[next - 1]) } else { t };
                let t = if next < jumps.len() {
                    t.min(jumps[next].next_down())
                } else {
                    t
                };
                function.value_and_slope(t)
            }
        }
    }

    /// The first jump after time `t`; infinity if there is none.
    pub fn next_jump(&self, t: f64) -> f64 {
        let none = f64::INFINITY;
        match &self.shape {
            Shape::Constant | Shape::Sine { .. } => none,
            Shape::Pulses {
                start,
                width,
                period,
                count,
            } => {
                if t < *start {
                    return *start;
                }
                let k = if *count > 1.0 {
                    ((t - start) / period).floor()
                } else {
                    0.0
                };
                // Rounding may put t on the wrong side of a boundary, so look at the neighbours too.
                let around = [k - 1.0, k, k + 1.0].into_iter();
                around
                    .filter(|k| (0.0..*count).contains(k))
                    .flat_map(|k| {
                        let begin = if k > 0.0 { start + k * period } else { *start };
                        [begin, begin + width]
                    })
                    .filter(|&jump| jump > t)
                    .fold(none, f64::min)
            }
            Shape::Ramp { start, stop, .. } => {
                if t < *start {
                    *start
                } else if t < *stop {
                    *stop
                } else {
                    none
                }
            }
            Shape::Samples {
                start,
                interval,
                values,
                ..
            } => {
                let k = ((t - start) / interval).floor().max(-1.0);
                let around = [k, k + 1.0, k + 2.0].into_iter();
                around
                    .filter(|k| (0.0..values.len() as f64).contains(k))
                    .map(|k| start + k * interval)
                    .find(|&jump| jump > t)
                    .unwrap_or(none)
            }
            Shape::Events(events) => events.next_jump(t),
            Shape::Function { jumps, .. } => {
                let next = jumps.partition_point(|&j| j <= t);
                jumps.get(next).copied().unwrap_or(none)
            }
        }
    }
}
