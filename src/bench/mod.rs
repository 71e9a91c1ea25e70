//! The speed of the engine on this machine, each figure beside a loop written by hand for the same arithmetic.

mod cases;
mod reference;
mod shape;

pub use cases::cases;

use crate::registry::Registry;
use std::time::{Duration, Instant};

/// Something to be measured.
pub struct Case {
    /// What is run: "gates", "4096 point neurons", "a cell of 1000 compartments", …
    pub case: String,
    /// The solver or kernel.
    pub what: String,
    /// "double" or "single".
    pub precision: &'static str,
    /// Number of elements that a step advances: cells or compartments.
    pub elements: usize,
    /// Whether there is a loop by hand.
    pub by_hand: bool,
    build: Build,
}

type Build = Box<dyn Fn(&Registry) -> Option<Loops>>;

/// The loops of a case.
pub struct Loops {
    /// The engine's.
    pub engine: Loop,
    /// The one written by hand, if there is one.
    pub reference: Option<Loop>,
}

/// Makes so many steps at each call.
pub struct Loop {
    /// How many steps a call makes.
    pub steps: usize,
    /// Returns whether all went well.
    pub call: Box<dyn FnMut() -> bool>,
}

impl Loop {
    fn new(steps: usize, call: impl FnMut() -> bool + 'static) -> Self {
        let call = Box::new(call);
        Self { steps, call }
    }

    /// The least time of a step, ns; nothing if a step fails.
    ///
    /// The loop is repeated for the time given, and the fastest repetition counts: what slows a repetition down is another
    /// program.
    pub fn time(&mut self, budget: Duration) -> Option<f64> {
        let start = Instant::now();
        if !(self.call)() {
            return None;
        }
        let once = start.elapsed().as_nanos().max(1);
        // A batch takes about a millisecond: long against the clock, short against other programs' turns.
        let batch = (1_000_000 / once).clamp(1, 1_000_000) as u32;
        let mut least = f64::INFINITY;
        while start.elapsed() < budget || least == f64::INFINITY {
            let begin = Instant::now();
            for _ in 0..batch {
                if !(self.call)() {
                    return None;
                }
            }
            least = least.min(begin.elapsed().as_nanos() as f64 / f64::from(batch));
        }
        Some(least / self.steps as f64)
    }
}

/// A figure of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Time of a step per element, ns.
    pub time: f64,
    /// That of the loop written by hand, if there is one, ns.
    pub reference: Option<f64>,
}

impl Case {
    /// Case, solver and precision in one line.
    pub fn name(&self) -> String {
        format!("{} {} {}", self.case, self.what, self.precision)
    }

    /// The loops; nothing if the solver does not fit the model.
    pub fn loops(&self, registry: &Registry) -> Option<Loops> {
        (self.build)(registry)
    }

    /// Measures for the time given, and for as long the loop by hand. Nothing if the solver does not fit the model, or a
    /// step fails.
    pub fn measure(&self, registry: &Registry, budget: Duration) -> Option<Figure> {
        let mut loops = self.loops(registry)?;
        let each = self.elements as f64;
        let reference = loops.reference.as_mut();
        Some(Figure {
            time: loops.engine.time(budget)? / each,
            reference: reference.and_then(|r| r.time(budget)).map(|t| t / each),
        })
    }
}
