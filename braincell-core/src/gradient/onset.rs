//! Derivatives with respect to the onset of an input: all its jumps move together.
//!
//! A step is cut at a jump, so moving the jump changes the lengths of the pieces before and after it, and the beginning of
//! the latter. A jump that lies on the time grid cuts off a piece of length zero from the step that begins there; the
//! derivative is then that for a later onset. What a piece's length and beginning do to the state at its end is found by
//! differences of that one piece, to about ten digits; from there on the state is differentiated as ever.

use super::steps::Piece;
use super::{GradientError, spike};
use crate::engine::{Engine, Workspace};
use crate::input::Input;
use crate::simulation::ROUNDING;
use crate::simulation::tile::Tile;

/// An input whose onset is a quantity.
pub(super) struct Onset {
    /// Number among all components.
    pub component: usize,
    jumps: Vec<f64>,
}

/// How a piece moves with the onset.
#[derive(Clone, Copy)]
pub(super) struct Motion {
    /// Change of its beginning and of its length.
    begin: f64,
    length: f64,
    /// Whether a piece of length zero precedes it.
    preceded: bool,
}

/// What the motion of a piece does.
pub(super) struct Effect {
    pub component: usize,
    /// To the state at its end.
    pub state: Vec<f64>,
    /// To the spikes in it: number of the train, change of the time.
    pub spikes: Vec<(usize, f64)>,
}

impl Onset {
    pub fn new(component: usize, input: &Input, until: f64) -> Self {
        let mut jumps = Vec::new();
        let mut jump = input.next_jump(f64::NEG_INFINITY);
        while jump < until {
            jumps.push(jump);
            jump = input.next_jump(jump);
        }
        Self { component, jumps }
    }

    /// How a piece of a step of size `step` moves, if it does.
    fn motion(&self, piece: &Piece, step: f64) -> Option<Motion> {
        let rounding = ROUNDING * step;
        let at = |t: f64| {
            let next = self.jumps.partition_point(|&jump| jump < t - rounding);
            self.jumps
                .get(next)
                .is_some_and(|&jump| jump <= t + rounding)
        };
        let begins = at(piece.t);
        let ends = !piece.last && at(piece.t + piece.h);
        (begins || ends).then(|| Motion {
            begin: f64::from(u8::from(begins)),
            length: f64::from(u8::from(ends)) - f64::from(u8::from(begins)),
            preceded: begins && piece.first,
        })
    }

    /// What its motion does to a piece that begins at the present state; the arena is left as it is.
    pub fn effect(
        &self,
        piece: &Piece,
        step: f64,
        tile: &Tile<f64>,
        engine: &Engine<f64>,
        w: &mut Workspace<f64>,
    ) -> Result<Option<Effect>, GradientError> {
        let Some(motion) = self.motion(piece, step) else {
            return Ok(None);
        };
        let kept = w.arena.to_vec();
        let current = engine.layout.all_current.range();
        let unit = 1e-2 * piece.h;
        let mut state = vec![0.0; current.len()];
        let mut spikes: Vec<(usize, f64)> = Vec::new();
        let fails = |_| GradientError::Loss("a step cut at a jump cannot be moved".to_string());
        for (shift, weight) in [(1.0, 64.0), (2.0, -20.0), (4.0, 1.0)] {
            for sign in [1.0, -1.0] {
                let s = sign * shift * unit;
                let weight = sign * weight / (45.0 * 2.0 * shift * unit);
                w.arena.copy_from_slice(&kept);
                if motion.preceded {
                    let mut clock = piece.clock();
                    clock.h = s;
                    clock.within = piece.t - 1e-3 * step;
                    engine.advance(tile.first, &clock, w).map_err(fails)?;
                }
                let mut clock = piece.clock();
                clock.t += s * motion.begin;
                clock.h += s * motion.length;
                engine.keep_beginning(w);
                engine.advance(tile.first, &clock, w).map_err(fails)?;
                if spike::fires(tile, engine, w) {
                    for end in 0..2 {
                        engine.slope(end, tile.first, clock, w);
                    }
                    spike::find(tile, engine, (clock, false), w, |spike| {
                        let found = spikes.iter_mut().find(|(train, _)| *train == spike.train);
                        // The weights add up to zero, so the time of the piece can be left out.
                        let change = weight * (spike.time - piece.t);
                        match found {
                            Some((_, sum)) => *sum += change,
                            None => spikes.push((spike.train, change)),
                        }
                    });
                }
                engine.finish(tile.first, &clock, w);
                for (sum, x) in state.iter_mut().zip(&w.arena[current.clone()]) {
                    *sum += weight * x;
                }
            }
        }
        w.arena.copy_from_slice(&kept);
        let component = self.component;
        Ok(Some(Effect {
            component,
            state,
            spikes,
        }))
    }
}
