//! The time of a spike as a function of the values and derivatives at both ends of its step.

use crate::engine::{Clock, Engine, Workspace};
use crate::simulation::inside::Inside;
use crate::simulation::tile::{Tile, crossing};

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
    let layout = &engine.layout;
    tile.detectors.iter().any(|d| {
        let before = w.arena[layout.previous[0] + d.place];
        let after = w.arena[layout.current[0] + d.place];
        before < d.threshold && after >= d.threshold
    })
}

/// The spikes of the step just made, once its slopes have been computed.
pub(super) fn find(
    tile: &Tile<f64>,
    engine: &Engine<f64>,
    clock: Clock,
    w: &Workspace<f64>,
    mut each: impl FnMut(Spike),
) {
    let layout = &engine.layout;
    for d in &tile.detectors {
        let places = [
            layout.previous[0] + d.place,
            layout.current[0] + d.place,
            engine.slope_at(0) + d.place,
            engine.slope_at(1) + d.place,
        ];
        let [y0, y1, s0, s1] = places.map(|at| w.arena[at]);
        if !(y0 < d.threshold && y1 >= d.threshold) {
            continue;
        }
        let (d0, d1) = (s0 * clock.h, s1 * clock.h);
        let x = crossing(y0, y1, d0, d1, d.threshold);
        // The cubic is y0 + x a + x b (b (d0 - a) - x (d1 - a)) with a = y1 - y0, b = 1 - x.
        let (a, b) = (y1 - y0, 1.0 - x);
        let inner = b * (d0 - a) - x * (d1 - a);
        let slope = a + (b - x) * inner - x * b * ((d0 - a) + (d1 - a));
        let by_a = x + x * b * (x - b);
        let by = [1.0 - by_a, by_a, x * b * b * clock.h, -x * x * b * clock.h];
        each(Spike {
            train: d.number,
            time: clock.t + x * clock.h,
            links: (places.into_iter().zip(by))
                .map(|(place, by)| (place, -by / slope * clock.h))
                .collect(),
        });
    }
}

/// The spikes inside an adaptive step.
pub(super) fn find_inside(
    tile: &Tile<f64>,
    engine: &Engine<f64>,
    clock: Clock,
    (inside, w): (Inside, &Workspace<f64>),
    mut each: impl FnMut(Spike),
) {
    for d in &tile.detectors {
        inside.crossings(engine, (d.place, d.threshold), w, |theta| {
            let slope = inside.slope(engine, theta).at(engine, d.place, &w.arena);
            let links = inside
                .sum(engine, theta)
                .places(engine, d.place)
                .into_iter();
            each(Spike {
                train: d.number,
                time: clock.t + theta * clock.h,
                links: links.map(|(at, by)| (at, -by / slope * clock.h)).collect(),
            });
        });
    }
}
