//! Progress and interruption of a run.

use braincell::simulation::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Runs shorter than this show no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// Parts of the bar.
const PARTS: f64 = 1e6;

/// A flag that Ctrl-C sets.
///
/// # Errors
/// If the handler of Ctrl-C cannot be set.
pub fn catch_interrupt() -> Result<Arc<AtomicBool>, ctrlc::Error> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = interrupted.clone();
    ctrlc::set_handler(move || {
        // The second time, do not wait for results to be written.
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(super::INTERRUPTED));
        }
    })?;
    Ok(interrupted)
}

/// Watches a run: shows a bar on a terminal, and stops the run after Ctrl-C.
pub struct Watch {
    interrupted: Arc<AtomicBool>,
    begin: Instant,
    show: bool,
    bar: Option<ProgressBar>,
}

impl Watch {
    /// Begins to watch.
    ///
    /// # Errors
    /// If the handler of Ctrl-C cannot be set.
    pub fn new(quiet: bool) -> Result<Self, ctrlc::Error> {
        Ok(Self {
            interrupted: catch_interrupt()?,
            begin: Instant::now(),
            show: !quiet && stderr().is_terminal(),
            bar: None,
        })
    }

    /// What an observer of a run does.
    pub fn observe(&mut self, progress: Progress) -> ControlFlow<()> {
        let Progress { time, until } = progress;
        if self.show && self.begin.elapsed() > PATIENCE {
            let bar = self.bar.get_or_insert_with(|| {
                let bar = ProgressBar::new(PARTS as u64);
                let style = ProgressStyle::with_template("{wide_bar} {msg}");
                bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            });
            let left = self.begin.elapsed().as_secs_f64() * (until - time) / time;
            bar.set_message(format!("{time:.0} of {until} ms, {left:.0} s left"));
            bar.set_position((PARTS * time / until) as u64);
        }
        match self.interrupted.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Time since the beginning; removes the bar.
    pub fn end(&mut self) -> Duration {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.begin.elapsed()
    }
}

/// Shows on a terminal how many of several runs are made; from any thread.
pub struct Runs {
    bar: ProgressBar,
}

impl Runs {
    /// A bar, or none.
    pub fn new(quiet: bool) -> Self {
        let bar = match !quiet && stderr().is_terminal() {
            true => ProgressBar::new(0),
            false => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template("{wide_bar} {msg}");
        Self {
            bar: bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())),
        }
    }

    /// What is being done, in words.
    pub fn phase(&self, words: &str) {
        self.bar.set_message(words.to_string());
    }

    /// So many runs are made.
    pub fn done(&self, done: usize, all: usize) {
        self.bar.set_length(all as u64);
        self.bar.set_position(done as u64);
        self.bar.set_message(format!("{done} of {all} runs"));
    }

    /// Removes the bar.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
