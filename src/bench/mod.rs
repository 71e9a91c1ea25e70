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

    /// How many calls take about a millisecond: long against the clock, short against other programs' turns. Nothing if a
    /// step fails.
    fn batch(&mut self) -> Option<u32> {
        let mut calls = 1;
        // The first call is no measure: nothing is in the caches yet.
        self.time(1)?;
        while calls < 1 << 20 {
            let step = self.time(calls)?.min(self.time(calls)?);
            if step * self.steps as f64 * f64::from(calls) > 5e5 {
                break;
            }
            calls *= 2;
        }
        Some(calls)
    }

    /// The time of a step in so many calls, ns; nothing if a step fails.
    fn time(&mut self, calls: u32) -> Option<f64> {
        let begin = Instant::now();
        for _ in 0..calls {
            if !(self.call)() {
                return None;
            }
        }
        Some(begin.elapsed().as_nanos() as f64 / f64::from(calls) / self.steps as f64)
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
    ///
    /// The loops are repeated in turn, and the fastest repetition of each counts: what slows a repetition down is another
    /// program.
    pub fn measure(&self, registry: &Registry, budget: Duration) -> Option<Figure> {
        let Loops { engine, reference } = self.loops(registry)?;
        let turn = |mut looped: Loop| Some((looped.batch()?, looped, f64::INFINITY));
        let mut turns = vec![turn(engine)?];
        if let Some(reference) = reference {
            turns.push(turn(reference)?);
        }
        let (budget, start) = (budget * turns.len() as u32, Instant::now());
        while start.elapsed() < budget || turns[0].2 == f64::INFINITY {
            for (calls, looped, least) in &mut turns {
                *least = least.min(looped.time(*calls)?);
            }
        }
        let each = self.elements as f64;
        Some(Figure {
            time: turns[0].2 / each,
            reference: turns.get(1).map(|turn| turn.2 / each),
        })
    }
}
