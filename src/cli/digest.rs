//! What a summary, a plot and the table of a sweep need of a run, in bounded memory.

use braincell::container::{ContainerError, Reader, Writer};
use braincell::output::{Events, Reduced, Tally};
use braincell::simulation::{Recording, SpikeTrain};

/// Spike times that a summary lists.
pub const LISTED: usize = 6;
/// Ticks of a plot, at most.
const TICKS: f64 = 8192.0;

/// Counts, ranges and reduced traces of all that was recorded so far.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    pub tally: Tally,
    pub spikes: Vec<Train>,
    /// The traces, where a plot was asked for.
    pub traces: Option<Reduced>,
}

/// Spikes of a train.
#[derive(Clone, Debug, Default)]
pub struct Train {
    /// The first of them, ms.
    pub first: Vec<f64>,
    /// Those that a plot shows, where it was asked for: one of those nearer to each other than the eye sees.
    pub shown: Vec<f64>,
}

impl Digest {
    /// Of nothing yet.
    pub fn new(columns: usize, trains: usize, plot: bool) -> Self {
        Self {
            tally: Tally::new(columns, trains),
            spikes: vec![Train::default(); trains],
            traces: plot.then(|| Reduced::new(columns)),
        }
    }

    /// Adds what was drained of a run of so many ms.
    pub fn add(&mut self, part: &Recording, duration: f64) {
        self.tally.add(part);
        if let Some(traces) = &mut self.traces {
            traces.add(part);
        }
        self.list_spikes(part.spikes(), duration);
    }

    /// Adds spikes alone.
    pub fn add_spikes(&mut self, trains: &[SpikeTrain], duration: f64) {
        self.tally.add_spikes(trains);
        self.list_spikes(trains, duration);
    }

    fn list_spikes(&mut self, trains: &[SpikeTrain], duration: f64) {
        let plot = self.traces.is_some();
        let tick = |time: f64| (time * TICKS / duration).floor();
        for (train, part) in self.spikes.iter_mut().zip(trains) {
            let free = LISTED - train.first.len();
            train.first.extend(part.times.iter().take(free));
            if !plot {
                continue;
            }
            for &time in &part.times {
                let last = train.shown.last();
                if last.is_none_or(|&last| tick(last) < tick(time)) {
                    train.shown.push(time);
                }
            }
        }
    }

    /// The spikes that a plot shows.
    pub fn events(&self, labels: &[Events]) -> Vec<Events> {
        let trains = labels.iter().zip(&self.spikes);
        trains
            .map(|(events, train)| Events {
                label: events.label.clone(),
                times: train.shown.clone(),
            })
            .collect()
    }

    pub fn save(&self, w: &mut Writer) {
        self.tally.save(w);
        w.u64(self.spikes.len() as u64);
        for train in &self.spikes {
            w.f64s(&train.first);
            w.f64s(&train.shown);
        }
        w.u64(u64::from(self.traces.is_some()));
        if let Some(traces) = &self.traces {
            traces.save(w);
        }
    }

    pub fn load(r: &mut Reader) -> Result<Self, ContainerError> {
        let digest = Self {
            tally: Tally::load(r)?,
            spikes: r.list(|r| {
                Ok(Train {
                    first: r.f64s()?,
                    shown: r.f64s()?,
                })
            })?,
            traces: (r.u64()? != 0).then(|| Reduced::load(r)).transpose()?,
        };
        match digest.spikes.iter().all(|t| t.first.len() <= LISTED) {
            true => Ok(digest),
            false => Err(ContainerError::Damaged("a list of spikes is too long")),
        }
    }
}
