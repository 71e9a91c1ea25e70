//! Derivatives of what is taken from the solution inside an adaptive step.

use crate::engine::{Engine, Sweep, Workspace};
use crate::simulation::inside::{Inside, Sum};

/// The state at a place inside the step just made, as a linear function of the arrays of the step.
pub(super) struct Moment(Sum);

impl Moment {
    /// Nothing at the very end of the step, where the state is the present one.
    pub fn new(engine: &Engine<f64>, inside: Inside, theta: f64) -> Option<Self> {
        (theta < 1.0).then(|| Self(inside.sum(engine, theta)))
    }

    /// The state, or its tangent, from numbers with the layout of the arena. In an adaptive run all states are the parent's.
    fn of(&self, engine: &Engine<f64>, x: &[f64], to: &mut Vec<f64>) {
        to.clear();
        let states = 0..engine.layout.all_current.len;
        to.extend(states.map(|k| self.0.at(engine, k, x)));
    }

    /// Puts the state into the place of the present one, and its tangents. The numbers that were there are in `kept` then.
    pub fn enter(
        &self,
        engine: &Engine<f64>,
        w: &mut Workspace<f64>,
        sweep: &mut Sweep,
        kept: &mut Vec<Vec<f64>>,
    ) {
        let current = engine.layout.all_current.range();
        let arenas = std::iter::once(&mut w.arena[..]);
        let arenas = arenas.chain(sweep.dots.iter_mut().map(|dot| &mut dot[..]));
        for (k, x) in arenas.enumerate() {
            if kept.len() == k {
                kept.push(Vec::new());
            }
            self.of(engine, x, &mut kept[k]);
            x[current.clone()].swap_with_slice(&mut kept[k]);
        }
    }

    /// Adds the adjoints of the state to those of what it is made of.
    pub fn spread(&self, engine: &Engine<f64>, of: &[f64], bar: &mut [f64]) {
        for (base, weight) in self.0.places(engine, 0) {
            let to = bar[base..base + of.len()].iter_mut();
            to.zip(of).for_each(|(to, x)| *to += weight * x);
        }
    }
}

/// Puts back what [`Moment::enter`] has taken away.
pub(super) fn leave(
    engine: &Engine<f64>,
    w: &mut Workspace<f64>,
    sweep: &mut Sweep,
    kept: &[Vec<f64>],
) {
    let current = engine.layout.all_current.range();
    let arenas = std::iter::once(&mut w.arena[..]);
    let arenas = arenas.chain(sweep.dots.iter_mut().map(|dot| &mut dot[..]));
    for (x, kept) in arenas.zip(kept) {
        x[current.clone()].copy_from_slice(kept);
    }
}
