//! Inputs from outside: waveforms that know where they jump.
//!
//! A waveform is smooth between its jumps (kinks count as jumps). A stepper's stages lie within one step, and a step
//! lies within one smooth piece; so a waveform is evaluated at a time *within a piece*, and a stage at the very end
//! of a piece sees the limit from inside, never the far side of the jump.

mod error;
mod events;
mod function;
mod pulses;
mod samples;

pub use error::InputError;
pub use function::Waveform;
pub use samples::Interpolation;

use error::{finite, positive};
use events::Events;
use function::Function;
use pulses::Pulses;
use samples::Samples;
use std::fmt;

#[derive(Clone)]
enum Shape {
    Constant,
    Pulses(Pulses),
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
    Samples(Samples),
    Events(Events),
    Function(Function),
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
            Shape::Pulses(_) => "pulses",
            Shape::Sine { .. } => "sine",
            Shape::Ramp { .. } => "ramp",
            Shape::Samples(_) => "samples",
            Shape::Events(_) => "events",
            Shape::Function(_) => "function",
        };
        write!(f, "Input({shape}, amplitude {})", self.amplitude)
    }
}

impl Input {
    fn new(shape: Shape, amplitude: f64) -> Self {
        Self { shape, amplitude }
    }

    /// The same value always.
    pub fn constant(value: f64) -> Self {
        Self::new(Shape::Constant, value)
    }

    /// `amplitude` for start ≤ t < stop, zero outside. `stop` may be infinite.
    pub fn step(amplitude: f64, start: f64, stop: f64) -> Self {
        let width = stop - start;
        Self::pulses(amplitude, start, width, width, 1)
    }

    /// `count` pulses of `amplitude` and duration `width`, the first at `start`, one every `period`.
    pub fn pulses(amplitude: f64, start: f64, width: f64, period: f64, count: u32) -> Self {
        let pulses = Pulses {
            start,
            width,
            period,
            count: f64::from(count),
        };
        Self::new(Shape::Pulses(pulses), amplitude)
    }

    /// `amplitude · sin(2π · frequency · t + phase)`; frequency in 1/ms (kHz), phase in radians.
    pub fn sine(amplitude: f64, frequency: f64, phase: f64) -> Self {
        Self::new(Shape::Sine { frequency, phase }, amplitude)
    }

    /// A straight line from `from` at `start` to `to` at `stop`; zero before, `to` after.
    pub fn ramp(from: f64, to: f64, start: f64, stop: f64) -> Self {
        let shape = Shape::Ramp {
            start,
            stop,
            from,
            to,
        };
        Self::new(shape, 1.0)
    }

    /// A played trace: `values` at `start`, `start + interval`, …; zero before, the last value after.
    pub fn samples(values: Vec<f64>, start: f64, interval: f64, how: Interpolation) -> Self {
        let samples = Samples {
            start,
            interval,
            values: values.into(),
            how,
        };
        Self::new(Shape::Samples(samples), 1.0)
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
        let events = Events::new(rise, tau, events.into_iter().collect());
        Self::new(Shape::Events(events), 1.0)
    }

    /// A function of time.
    pub fn function(function: impl Waveform) -> Self {
        Self::new(Shape::Function(Function::new(function)), 1.0)
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
        matches!(self.shape, Shape::Pulses(_))
    }

    /// Moves steps or pulses by `x`, ms. Returns where they began.
    pub(crate) fn shift(&mut self, x: f64) -> f64 {
        match &mut self.shape {
            Shape::Pulses(pulses) => {
                let before = pulses.start;
                pulses.start += x;
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
        finite("the amplitude", self.amplitude)?;
        match &self.shape {
            Shape::Constant => Ok(()),
            Shape::Pulses(pulses) => pulses.check(),
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
            Shape::Samples(samples) => samples.check(),
            Shape::Events(events) => events.check(),
            Shape::Function(function) => function.check(),
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
            Shape::Pulses(pulses) => (pulses.value(within), 0.0),
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
            Shape::Samples(samples) => samples.value_and_slope(t, within),
            Shape::Events(events) => events.value_and_slope(t, within),
            Shape::Function(function) => function.value_and_slope(t, within),
        }
    }

    /// The first jump after time `t`; infinity if there is none.
    pub fn next_jump(&self, t: f64) -> f64 {
        let none = f64::INFINITY;
        match &self.shape {
            Shape::Constant | Shape::Sine { .. } => none,
            Shape::Pulses(pulses) => pulses.next_jump(t),
            Shape::Ramp { start, stop, .. } => {
                if t < *start {
                    *start
                } else if t < *stop {
                    *stop
                } else {
                    none
                }
            }
            Shape::Samples(samples) => samples.next_jump(t),
            Shape::Events(events) => events.next_jump(t),
            Shape::Function(function) => function.next_jump(t),
        }
    }
}
