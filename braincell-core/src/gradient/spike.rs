//! The time of a spike as a function of the values and derivatives at both ends of its step.

use super::steps::Piece;
use crate::engine::{Clock, Engine, Workspace};
use crate::simulation::inside::Inside;
use crate::simulation::tile::{Detector, Tile, crossing};

/// A spike in a step.
pub(super) struct Spike {
    /// Number of the spike train.
    pub train: usize,
    /// The time, ms.
    pub time: f64,
    /// The numbers that the time depends on, and its derivatives with respect to them.
    pub links: Vec<(usize, f64)>,
}

/// Which detectors of a tile fire in the step just made: those are to be looked at with slopes at both ends.
pub(super) fn fires(tile: &Tile<f64>, engine: &Engine<f64>, w: &Workspace<f64>) -> bool {
    let states = [&engine.layout.previous, &engine.layout.current];
    let [before, after] = states.map(|groups| &w.arena[groups[0]..]);
    between(tile, before, after)
}

/// Whether a detector of a tile fires between two states.
pub(super) fn between(tile: &Tile<f64>, before: &[f64], after: &[f64]) -> bool {
    let fires = |d: &Detector| before[d.place] < d.threshold && after[d.place] >= d.threshold;
    tile.detectors.iter().any(fires)
}

/// Whether slopes at both ends of the piece just made are needed, or spikes may have to be looked for in it.
pub(super) fn looks(
    tile: &Tile<f64>,
    engine: &Engine<f64>,
    piece: &Piece,
    w: &Workspace<f64>,
) -> bool {
    match piece.inside {
        true => !piece.rows.is_empty() || tile.may_cross(engine, w),
        false => fires(tile, engine, w),
    }
}

/// The spikes of the step just made, once its slopes have been computed: all that lie `inside` it, or those that end it above the
/// threshold.
pub(super) fn find(
    tile: &Tile<f64>,
    engine: &Engine<f64>,
    (clock, inside): (Clock, bool),
    w: &Workspace<f64>,
    mut each: impl FnMut(Spike),
) {
    let layout = &engine.layout;
    let solution = Inside::made(engine, clock.h);
    for d in &tile.detectors {
        let mut at = |theta: f64| {
            let slope = solution.slope(engine, theta).at(engine, d.place, &w.arena);
            let links = solution.sum(engine, theta).places(engine, d.place);
            each(Spike {
                train: d.number,
                time: clock.t + theta * clock.h,
                links: (links.into_iter())
                    .map(|(at, by)| (at, -by / slope * clock.h))
                    .collect(),
            });
        };
        if inside {
            solution.crossings(engine, (d.place, d.threshold), w, at);
            continue;
        }
        let [y0, y1] = [layout.previous[0], layout.current[0]].map(|y| w.arena[y + d.place]);
        if y0 < d.threshold && y1 >= d.threshold {
            let [d0, d1] = [0, 1].map(|end| w.arena[engine.slope_at(end) + d.place] * clock.h);
            at(crossing(y0, y1, d0, d1, d.threshold));
        }
    }
}
