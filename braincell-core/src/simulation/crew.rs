//! Threads that advance tiles, and how much they do at once.
//!
//! Tiles do not know of each other, so results do not depend on which thread advances which. Threads meet after each block
//! of steps: that is where locks are taken and memory is allocated, never inside a step.

use super::error::Setup as SetupError;
use super::tile::Tile;
use crate::engine::{Engine, Workspace};
use crate::kernel::Storage;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::slice::IterMut;
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

/// Bytes of a tile's workspace, at most: well within the second-level cache of a core, and no more than is needed to make
/// the overhead of instructions small.
const CACHE: usize = 256 << 10;
/// Bytes of a vector register, at most.
const VECTOR: usize = 64;
/// Elements below which the overhead of instructions outweighs a second thread.
const NARROWEST: usize = 16;
/// How long a block shall take: its overhead vanishes, and an observer is called often.
const BLOCK: Duration = Duration::from_millis(50);
/// States advanced by a step each in the first block of a run, for each thread.
const FIRST_BLOCK: u64 = 1_000_000;

/// How many threads are wanted: as many as there are cores, if nobody says.
pub(super) fn threads(asked: Option<usize>) -> Result<usize, SetupError> {
    match asked {
        Some(0) => Err(SetupError::Threads),
        Some(threads) => Ok(threads),
        None => Ok(available_parallelism().map_or(1, usize::from)),
    }
}

/// How many cells a tile has: as many as the cache holds, but so few that all threads have about the same to do. `bytes` is
/// what a workspace takes for each cell, `rows` how many elements a cell has.
pub(super) fn width<F>(cells: usize, threads: usize, bytes: usize, rows: usize) -> usize {
    let vector = VECTOR / size_of::<F>();
    let held = match CACHE / bytes.max(1) {
        held if held >= 16 => held / 16 * 16,
        _ => vector,
    };
    let threads = threads.min(cells);
    let rounds = cells.div_ceil(threads.saturating_mul(held)).max(1);
    let share = cells.div_ceil(threads * rounds);
    let whole = held.min(16);
    let width = if share > whole / 2 {
        share.next_multiple_of(whole).min(held)
    } else {
        share
    };
    let narrowest = NARROWEST.div_ceil(rows.max(1));
    width.max(narrowest).min(cells)
}

/// The threads of a run, with the memory of each.
pub(super) struct Crew<F> {
    /// Nothing if the caller's thread does all.
    pool: Option<ThreadPool>,
    /// For each thread, one workspace for each engine.
    workspaces: Vec<Vec<Workspace<F>>>,
}

impl<F: Storage> Crew<F> {
    /// Threads, at most one for each tile.
    pub fn new(threads: usize, tiles: usize, engines: &[Engine<F>]) -> Result<Self, SetupError> {
        let threads = threads.min(tiles).max(1);
        let pool = (threads > 1).then(|| {
            let builder = ThreadPoolBuilder::new().num_threads(threads);
            let builder = builder.thread_name(|k| format!("braincell {k}"));
            builder.build().map_err(|error| SetupError::Pool {
                threads,
                reason: error.to_string(),
            })
        });
        let workspaces = (0..threads).map(|_| engines.iter().map(Engine::workspace).collect());
        Ok(Self {
            pool: pool.transpose()?,
            workspaces: workspaces.collect(),
        })
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.workspaces.len()
    }

    /// Bytes of all workspaces.
    pub fn bytes(&self) -> usize {
        self.workspaces.iter().flatten().map(Workspace::bytes).sum()
    }

    /// The workspaces of one thread, for what the caller does by itself.
    pub fn own(&mut self) -> &mut [Workspace<F>] {
        &mut self.workspaces[0]
    }

    /// Calls `f` with each tile and the workspace for it. A thread that has finished a tile takes the next that is left.
    pub fn each(
        &mut self,
        tiles: &mut [Tile<F>],
        f: impl Fn(&mut Tile<F>, &mut Workspace<F>) + Sync,
    ) {
        let Some(pool) = &self.pool else {
            let own = &mut self.workspaces[0];
            for tile in tiles {
                let w = &mut own[tile.engine];
                f(tile, w);
            }
            return;
        };
        let queue = Mutex::new(tiles.iter_mut());
        let (queue, f) = (&queue, &f);
        pool.scope(|scope| {
            for own in &mut self.workspaces {
                scope.spawn(move |_| {
                    while let Some(tile) = next(queue) {
                        let w = &mut own[tile.engine];
                        f(tile, w);
                    }
                });
            }
        });
    }
}

/// The next tile; the lock is held no longer than that takes.
fn next<'a, F>(queue: &Mutex<IterMut<'a, Tile<F>>>) -> Option<&'a mut Tile<F>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).next()
}

/// How much is done until the observer is called, adapted to the time that it takes.
pub(super) struct Pace {
    /// Steps, or other units of work.
    pub amount: u64,
}

impl Pace {
    /// For steps of so many states.
    pub fn of_steps(states: usize, threads: usize) -> Self {
        let amount = FIRST_BLOCK.saturating_mul(threads as u64) / states.max(1) as u64;
        Self {
            amount: amount.max(1),
        }
    }

    /// Learns how long a block of `amount` took, which may be less than was wanted.
    pub fn took(&mut self, amount: u64, time: Duration) {
        let wanted = amount as f64 * BLOCK.as_secs_f64() / time.as_secs_f64().max(1e-9);
        let now = self.amount as f64;
        self.amount = (wanted.clamp(0.25 * now, 4.0 * now) as u64).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::width;

    #[test]
    fn a_tile_fits_the_cache_and_every_thread_has_one() {
        // 1024 bytes for each cell: 256 cells fit.
        for (cells, threads, expected) in [
            (1, 2, 1),
            (10, 2, 10),
            (100, 1, 100),
            (100, 2, 64),
            (600, 2, 160),
            (4096, 1, 256),
            (4096, 2, 256),
            (4096, 64, 64),
            (4096, 1000, 16),
        ] {
            assert_eq!(
                width::<f64>(cells, threads, 1024, 1),
                expected,
                "{cells} cells, {threads} threads"
            );
        }
    }

    #[test]
    fn large_cells_fill_a_vector_or_have_a_thread_each() {
        assert_eq!(width::<f64>(100, 2, 1 << 20, 500), 8);
        assert_eq!(width::<f32>(100, 2, 1 << 20, 500), 16);
        assert_eq!(width::<f64>(4, 4, 1 << 20, 500), 1);
        assert_eq!(width::<f64>(4, 1, 1 << 20, 500), 4);
    }
}
