//! Checkpoints: all that a run needs to go on, to the bit.

use super::Simulation;
use super::adaptive::Controller;
use super::statistics::Seen;
use super::tile::Tile;
use crate::container::{self, ContainerError, Reader, Writer};
use crate::engine::{Engine, Work};
use crate::kernel::Storage;
use std::fmt::{self, Debug, Write};

/// Counts are exact as numbers up to here, and no run gets so far.
const MOST: u64 = 1 << 53;

const MAGIC: &[u8; 8] = b"bc-state";
const VERSION: u32 = 1;

/// Why a checkpoint cannot be taken, or a run not go on from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The bytes are no whole checkpoint of a version that is known.
    #[error("this is no checkpoint that can be read: {0}")]
    Container(#[from] ContainerError),
    /// The checkpoint is one of another run.
    #[error("the checkpoint is one of another run: the {} not the same; restore it into a run of the same model and setup", .0.join(" and the "))]
    Other(Vec<&'static str>),
    /// The run has failed.
    #[error("the run has failed and cannot go on, so that a checkpoint of it would be of no use")]
    Failed,
}

/// The parts of a run that must be the same, with checksums of all that can be told of them.
type Prints = [(&'static str, u32); 4];

/// What a checkpoint holds. Nothing in it depends on how cells are put together in tiles.
struct Snapshot {
    origin: f64,
    steps_done: u64,
    steps_before: u64,
    drained: u64,
    times: Vec<f64>,
    /// Pieces of steps made, of which noise is a function.
    pieces: u64,
    work: Work,
    cells: Vec<Cell>,
    /// Samples that were not handed out, by column.
    columns: Vec<Vec<f64>>,
    spikes: Vec<Vec<f64>>,
    watched: Vec<Option<Seen>>,
}

struct Cell {
    samples: u64,
    /// States, one after the other.
    state: Vec<f64>,
    controller: Option<Controller>,
}

impl<F: Storage> Simulation<F> {
    /// All that the run needs to go on: [`Simulation::restore`] puts it into a run that was set up in the same way, which
    /// then continues to the bit like this one. States, counters of steps and of noise, step sizes of an adaptive run,
    /// spikes and samples that were not handed out, and statistics are in it; the model and the setup are not, but
    /// checksums of them. Samples that were drained are not in it either.
    ///
    /// # Errors
    /// [`CheckpointError::Failed`].
    pub fn checkpoint(&self) -> Result<Vec<u8>, CheckpointError> {
        F::checkpoint(self)
    }

    pub(super) fn checkpoint_here(&self) -> Result<Vec<u8>, CheckpointError> {
        if self.tiles.iter().any(|tile| tile.failure.is_some()) {
            return Err(CheckpointError::Failed);
        }
        let mut w = Writer::default();
        for (_, print) in self.prints() {
            w.u64(u64::from(print));
        }
        self.snapshot().write(&mut w);
        Ok(container::seal(MAGIC, VERSION, &w.0))
    }

    /// Goes back, or on, to a checkpoint of a run of the same model and setup; how cells are put together in tiles may
    /// differ. Where it fails, nothing is changed.
    ///
    /// Of the model, names, values and the structure are compared, and of the setup the solver with its program, steps or
    /// tolerances, seed, precision, and what is recorded. Kernels and waveforms of inputs cannot be compared: that
    /// they are the same is the caller's word.
    ///
    /// # Errors
    /// [`CheckpointError::Container`], [`CheckpointError::Other`].
    pub fn restore(&mut self, checkpoint: &[u8]) -> Result<(), CheckpointError> {
        F::restore(self, checkpoint)
    }

    pub(super) fn restore_here(&mut self, checkpoint: &[u8]) -> Result<(), CheckpointError> {
        let mut reader = Reader(container::open(MAGIC, VERSION, checkpoint)?);
        let mut other = Vec::new();
        for (part, print) in self.prints() {
            if reader.u64()? != u64::from(print) {
                other.push(part);
            }
        }
        if !other.is_empty() {
            return Err(CheckpointError::Other(other));
        }
        let snapshot = Snapshot::read(&mut reader)?;
        reader.end()?;
        self.check(&snapshot)?;
        self.apply(snapshot);
        Ok(())
    }

    fn prints(&self) -> Prints {
        let (model, plan) = (&self.model, &self.plan);
        let signals = model.signals.iter().map(|s| (&s.name, s.domain));
        let cable = model.cable.as_ref().map(|c| &c.cable);
        let structure = (
            model.cells,
            &model.domains,
            &model.states,
            &model.parameters,
        );
        let rest = (signals.collect::<Vec<_>>(), &model.groups, cable);
        let recorded = (&plan.columns, &plan.detectors, &plan.watched);
        let seed = self.engines[0].layout.seed;
        let solver = (&self.solver.name, &self.solver.program);
        let steps = (plan.step, plan.every, &self.tolerances, seed, F::EPSILON);
        [
            ("model is", print(&(structure, rest))),
            ("solver is", print(&solver)),
            ("time step, seed or precision is", print(&steps)),
            ("variables recorded are", print(&recorded)),
        ]
    }

    fn snapshot(&self) -> Snapshot {
        let mut work = Work::default();
        let mut snapshot = Snapshot {
            origin: self.origin,
            steps_done: self.steps_done,
            steps_before: self.steps_before,
            drained: self.drained as u64,
            times: self.times.clone(),
            pieces: self.tiles.first().map_or(0, |tile| tile.steps),
            work,
            cells: Vec::new(),
            columns: vec![Vec::new(); self.plan.columns.len()],
            spikes: vec![Vec::new(); self.plan.detectors.len()],
            watched: vec![None; self.plan.watched.len()],
        };
        for tile in &self.tiles {
            work.add(tile.work);
            let engine = &self.engines[tile.engine];
            for lane in 0..engine.layout.lanes {
                let places = places(engine, lane);
                snapshot.cells.push(Cell {
                    samples: tile.samples as u64,
                    state: places.map(|k| tile.state[k].to_f64()).collect(),
                    controller: self.tolerances.as_ref().map(|_| tile.controller.clone()),
                });
            }
            for (k, column) in tile.columns.iter().enumerate() {
                let values = tile.data.iter().skip(k).step_by(tile.columns.len());
                snapshot.columns[column.number] = values.copied().collect();
            }
            for detector in &tile.detectors {
                snapshot.spikes[detector.number].clone_from(&detector.times);
            }
            for watched in &tile.watched {
                snapshot.watched[watched.number] = watched.seen;
            }
        }
        snapshot.work = work;
        snapshot
    }

    /// Whether the sizes fit.
    fn check(&self, snapshot: &Snapshot) -> Result<(), CheckpointError> {
        let layout = &self.engines[0].layout;
        let states = layout.states.iter().map(|plane| plane.len / layout.lanes);
        let states: usize = states.sum();
        let adaptive = self.tolerances.is_some();
        let model = &self.model;
        let cell = |cell: &Cell| {
            let limits = |c: &Controller| c.limiting.len() == model.states.len();
            cell.state.len() == states
                && cell.controller.is_some() == adaptive
                && cell.controller.as_ref().is_none_or(limits)
        };
        let column = |(values, column): (&Vec<f64>, &super::Column)| {
            let taken = snapshot.cells[column.cell].samples;
            taken.checked_sub(snapshot.drained) == Some(values.len() as u64)
        };
        let samples = |cell: &Cell| {
            // With a fixed step, all cells have the same.
            let together = adaptive || cell.samples == snapshot.cells[0].samples;
            let rest = cell.samples.checked_sub(snapshot.drained);
            together && rest.is_some_and(|rest| rest >= snapshot.times.len() as u64)
        };
        let fits = snapshot.cells.len() == model.cells
            && snapshot.cells.iter().all(cell)
            && snapshot.cells.iter().all(samples)
            && snapshot.columns.len() == self.plan.columns.len()
            && snapshot.columns.iter().zip(&self.plan.columns).all(column)
            && snapshot.spikes.len() == self.plan.detectors.len()
            && snapshot.watched.len() == self.plan.watched.len()
            && usize::try_from(snapshot.drained).is_ok();
        if snapshot.counts().any(|count| count > MOST) {
            return Err(ContainerError::Damaged("it counts more than a run can make").into());
        }
        match fits {
            true => Ok(()),
            false => Err(ContainerError::Damaged("its parts do not fit together").into()),
        }
    }

    fn apply(&mut self, snapshot: Snapshot) {
        self.origin = snapshot.origin;
        self.steps_done = snapshot.steps_done;
        self.steps_before = snapshot.steps_before;
        self.drained = snapshot.drained as usize;
        self.times.clone_from(&snapshot.times);
        for (number, tile) in self.tiles.iter_mut().enumerate() {
            let engine = &self.engines[tile.engine];
            let cells = &snapshot.cells[tile.first..];
            for (lane, cell) in cells.iter().take(engine.layout.lanes).enumerate() {
                for (k, &x) in places(engine, lane).zip(&cell.state) {
                    tile.state[k] = F::from_f64(x);
                }
                if let Some(controller) = &cell.controller {
                    tile.controller.clone_from(controller);
                }
            }
            tile.samples = cells[0].samples as usize;
            tile.failure = None;
            tile.steps = snapshot.pieces;
            tile.done = snapshot.steps_done;
            // The work of all tiles is summed up in the end.
            tile.work = match number {
                0 => snapshot.work,
                _ => Work::default(),
            };
            tile.data = data(tile, &snapshot);
            for detector in &mut tile.detectors {
                detector.times.clone_from(&snapshot.spikes[detector.number]);
            }
            for watched in &mut tile.watched {
                watched.seen = snapshot.watched[watched.number];
            }
        }
    }
}

/// The samples of a tile, row by row.
fn data<F>(tile: &Tile<F>, snapshot: &Snapshot) -> Vec<f64> {
    let rows = tile.samples - snapshot.drained as usize;
    let values = |row: usize| {
        let columns = tile.columns.iter();
        columns.map(move |column| snapshot.columns[column.number][row])
    };
    (0..rows).flat_map(values).collect()
}

/// Where in the state of its tile the states of a cell are.
fn places<F: Storage>(engine: &Engine<F>, lane: usize) -> impl Iterator<Item = usize> {
    let layout = &engine.layout;
    let states = layout.model.states.iter().zip(&layout.states);
    states.flat_map(move |(info, plane)| {
        let offset = layout.current[info.group] + plane.offset - layout.all_current.offset;
        (lane..plane.len)
            .step_by(layout.lanes)
            .map(move |k| offset + k)
    })
}

/// A checksum of all that a value shows of itself.
fn print(value: &impl Debug) -> u32 {
    struct Sum(crc32fast::Hasher);
    impl Write for Sum {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.update(text.as_bytes());
            Ok(())
        }
    }
    let mut sum = Sum(crc32fast::Hasher::new());
    // Fails only if the value refuses to be shown; the checksum is then that of what was shown.
    let _ = write!(sum, "{value:?}");
    sum.0.finalize()
}

impl Snapshot {
    /// All that was counted.
    fn counts(&self) -> impl Iterator<Item = u64> {
        let work = &self.work;
        let of_run = [
            self.steps_done,
            self.steps_before,
            self.drained,
            self.pieces,
            work.newton_iterations,
            work.jacobians,
            work.factorisations,
        ];
        let of_cell = |cell: &Cell| cell.samples;
        let controllers = self
            .cells
            .iter()
            .filter_map(|cell| cell.controller.as_ref());
        let of_controller = |c: &Controller| {
            let limiting = c.limiting.clone();
            [c.accepted, c.rejected].into_iter().chain(limiting)
        };
        of_run
            .into_iter()
            .chain(self.cells.iter().map(of_cell))
            .chain(controllers.flat_map(of_controller))
    }

    fn write(&self, w: &mut Writer) {
        w.f64(self.origin);
        w.u64(self.steps_done);
        w.u64(self.steps_before);
        w.u64(self.drained);
        w.f64s(&self.times);
        w.u64(self.pieces);
        w.u64(self.work.newton_iterations);
        w.u64(self.work.jacobians);
        w.u64(self.work.factorisations);
        w.u64(self.cells.len() as u64);
        for cell in &self.cells {
            w.u64(cell.samples);
            w.f64s(&cell.state);
            w.u64(u64::from(cell.controller.is_some()));
            if let Some(controller) = &cell.controller {
                write_controller(controller, w);
            }
        }
        for lists in [&self.columns, &self.spikes] {
            w.u64(lists.len() as u64);
            for list in lists {
                w.f64s(list);
            }
        }
        w.u64(self.watched.len() as u64);
        for seen in &self.watched {
            w.u64(u64::from(seen.is_some()));
            if let Some(s) = seen {
                let Seen {
                    begin,
                    time,
                    value,
                    min,
                    max,
                    time_of_max,
                    integral,
                    lost,
                } = *s;
                for x in [begin, time, value, min, max, time_of_max, integral, lost] {
                    w.f64(x);
                }
            }
        }
    }

    fn read(r: &mut Reader) -> Result<Self, ContainerError> {
        Ok(Self {
            origin: r.f64()?,
            steps_done: r.u64()?,
            steps_before: r.u64()?,
            drained: r.u64()?,
            times: r.f64s()?,
            pieces: r.u64()?,
            work: Work {
                newton_iterations: r.u64()?,
                jacobians: r.u64()?,
                factorisations: r.u64()?,
            },
            cells: r.list(|r| {
                Ok(Cell {
                    samples: r.u64()?,
                    state: r.f64s()?,
                    controller: (r.u64()? != 0).then(|| read_controller(r)).transpose()?,
                })
            })?,
            columns: r.list(|r| r.f64s())?,
            spikes: r.list(|r| r.f64s())?,
            watched: r.list(|r| (r.u64()? != 0).then(|| read_seen(r)).transpose())?,
        })
    }
}

fn read_seen(r: &mut Reader) -> Result<Seen, ContainerError> {
    Ok(Seen {
        begin: r.f64()?,
        time: r.f64()?,
        value: r.f64()?,
        min: r.f64()?,
        max: r.f64()?,
        time_of_max: r.f64()?,
        integral: r.f64()?,
        lost: r.f64()?,
    })
}

fn write_controller(c: &Controller, w: &mut Writer) {
    for x in [c.t, c.h, c.last_error, c.smallest] {
        w.f64(x);
    }
    w.u64(u64::from(c.just_rejected));
    w.u64(u64::from(c.unsound));
    w.u64(c.accepted);
    w.u64(c.rejected);
    w.u64(c.limiting.len() as u64);
    for &count in &c.limiting {
        w.u64(count);
    }
}

fn read_controller(r: &mut Reader) -> Result<Controller, ContainerError> {
    Ok(Controller {
        t: r.f64()?,
        h: r.f64()?,
        last_error: r.f64()?,
        smallest: r.f64()?,
        just_rejected: r.u64()? != 0,
        unsound: r.u64()?.min(u64::from(u32::MAX)) as u32,
        accepted: r.u64()?,
        rejected: r.u64()?,
        limiting: r.list(|r| r.u64())?,
    })
}
