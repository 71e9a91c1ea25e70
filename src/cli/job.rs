//! A run from its beginning, or from a checkpoint, to its end: samples go to the disk while it goes on.

use super::digest::Digest;
use super::order::Order;
use super::peaks::Peaks;
use super::progress::Watch;
use super::saved::{Named, Saved};
use super::summary::{Summary, summary};
use super::{CliError, complain, plugins, print, sweep};
use braincell::experiment::{Experiment, ExperimentError};
use braincell::kernel::Storage;
use braincell::output::{self, Column, Ending, Events, Extent, Metadata, Stream, Table};
use braincell::simulation::{Outcome, Pause, Recording, Simulation, Statistic, Stepping};
use braincell::stepper::Parts;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// An experiment whose model and solver are joined.
pub struct Prepared<F: Storage> {
    pub experiment: Experiment,
    pub simulation: Simulation<F>,
    peaks: Peaks,
    files: Vec<Named>,
    /// What is to be said about the solver's name.
    warning: Option<String>,
}

/// Joins model and solver.
pub fn prepare<F: Storage>(
    order: &Order,
    mut experiment: Experiment,
    plugins: &plugins::Options,
) -> Result<Prepared<F>, CliError> {
    let peaks = Peaks::prepare(&mut experiment, order.plot_shape.is_some())?;
    let registry = plugins.registry(&experiment.run.plugins)?;
    let simulation = experiment.start_streamed(&registry)?;
    let warning = registry.deprecation(&simulation.solver().info.name);
    let files = experiment.files.iter().map(|path| {
        Named::read(path).map_err(|source| ExperimentError::Read {
            path: path.clone(),
            source,
        })
    });
    Ok(Prepared {
        files: files.collect::<Result<_, _>>()?,
        experiment,
        simulation,
        peaks,
        warning,
    })
}

/// A run and where its results go.
pub struct Job<F: Storage> {
    order: Order,
    experiment: Experiment,
    simulation: Simulation<F>,
    peaks: Peaks,
    files: Vec<Named>,
    /// What the output says about itself, without samples and events.
    table: Table,
    stream: Option<Stream>,
    digest: Digest,
    /// The checkpoint file and the time between two checkpoints, ms.
    checkpoint: Option<(PathBuf, f64)>,
    /// What a restart changed, for the output.
    notes: Vec<(String, String)>,
    quiet: bool,
}

impl<F: Storage> Job<F> {
    /// Begins the output of a run.
    pub fn begin(
        order: Order,
        prepared: Prepared<F>,
        checkpoint: Option<(PathBuf, f64)>,
        quiet: bool,
    ) -> Result<Self, CliError> {
        let mut job = Self::new(order, prepared, checkpoint, quiet)?;
        if let Some(path) = &job.order.out {
            job.stream = Some(Stream::create(job.table.clone(), path)?);
        }
        Ok(job)
    }

    /// Goes on with a run from a checkpoint; in a new file if `marks` are of another.
    pub fn go_on(
        order: Order,
        prepared: Prepared<F>,
        checkpoint: (PathBuf, f64),
        (digest, marks): (Digest, Option<&[Extent]>),
        notes: Vec<(String, String)>,
        quiet: bool,
    ) -> Result<Self, CliError> {
        let mut job = Self::new(order, prepared, Some(checkpoint), quiet)?;
        let table = job.table.clone();
        job.stream = match (&job.order.out, marks) {
            (Some(path), Some(marks)) => Some(Stream::resume(table, path, marks)?),
            (Some(path), None) => Some(Stream::create(table, path)?),
            (None, _) => None,
        };
        job.digest = digest;
        job.notes = notes;
        Ok(job)
    }

    fn new(
        order: Order,
        prepared: Prepared<F>,
        checkpoint: Option<(PathBuf, f64)>,
        quiet: bool,
    ) -> Result<Self, CliError> {
        let Prepared {
            experiment,
            simulation,
            peaks,
            files,
            warning,
        } = prepared;
        let recording = simulation.recording();
        let table = described(&order, &experiment, &simulation, &recording);
        if let Some(path) = &order.plot_shape {
            output::check_shape(path)?;
        }
        if let Some(path) = &order.out {
            output::check_write(path)?;
        }
        sweep::check(&order, &experiment)?;
        if let Some(path) = &order.plot {
            output::check_plot(&table, path)?;
        }
        if let Some(warning) = warning {
            complain("warning", &warning);
        }
        let solver = simulation.solver();
        if solver.info.advances != Parts::ALL {
            complain(
                "warning",
                &format!(
                    "solver \"{}\" advances the {} alone; all other variables keep their initial values",
                    solver.name, solver.info.advances
                ),
            );
        }
        let plot = order.plot.is_some();
        let digest = Digest::new(table.columns.len(), table.events.len(), plot);
        Ok(Self {
            order,
            experiment,
            simulation,
            peaks,
            files,
            table,
            stream: None,
            digest,
            checkpoint,
            notes: Vec::new(),
            quiet,
        })
    }

    /// Runs to the end, writing all the time.
    pub fn carry_out(mut self) -> Result<(), CliError> {
        let mut watch = Watch::new(self.quiet)?;
        let duration = self.experiment.run.duration.value;
        let interval = self.checkpoint.as_ref().map_or(f64::INFINITY, |c| c.1);
        let mut keeper = Keeper {
            order: self.order.absolute(),
            text: &self.experiment.text,
            files: &self.files,
            stream: self.stream.take(),
            digest: self.digest,
            checkpoint: self.checkpoint.as_ref(),
            duration,
            kept: (self.simulation.time() / interval + 1e-9).floor(),
            left: None,
        };
        let begin = (
            self.simulation.time(),
            self.simulation.recording().counters(),
        );
        let mut fault = None;
        let streamed = self
            .simulation
            .run_streamed(duration, interval, &mut |pause| {
                let progress = pause.progress();
                match keeper.take(pause) {
                    Ok(()) => watch.observe(progress),
                    Err(error) => {
                        fault = Some(error);
                        ControlFlow::Break(())
                    }
                }
            });
        let wall = watch.end();
        let reached = self.simulation.time();
        if fault.is_none() {
            fault = keeper.last(&mut self.simulation, streamed.is_ok()).err();
        }
        let message = match (&fault, &streamed) {
            (Some(error), _) => Some(error.to_string()),
            (None, Ok(Outcome::Finished)) => None,
            (None, Ok(Outcome::Stopped)) => Some(format!(
                "stopped by Ctrl-C at t = {reached} ms of {duration} ms"
            )),
            (None, Err(error)) => Some(error.to_string()),
        };
        let rest = self.simulation.recording();
        keeper.digest.add_spikes(rest.spikes(), duration);
        self.stream = keeper.stream;
        self.digest = keeper.digest;
        let left = keeper.left;
        let (written, unwritten) = self.write(&rest, reached, message.as_deref());
        if let Some(error) = fault {
            // Of a second error of the output there is nothing more to say.
            let names = left.into_iter().chain(written).collect::<Vec<_>>();
            let (error, written) = (Box::new(error), until_then(&names));
            return Err(CliError::Broken { error, written });
        }
        if let Some(error) = unwritten {
            if let Some(message) = &message {
                // Two errors: that of the run, and below that of its output.
                complain("error", message);
            }
            return Err(error);
        }
        if !self.quiet {
            let mut statistics = self.simulation.statistics();
            statistics.truncate(self.peaks.asked(statistics.len()));
            print(&summary(&Summary {
                experiment: &self.experiment,
                solver: &self.simulation.solver().info,
                name: &self.simulation.solver().name,
                recording: &rest,
                digest: &self.digest,
                statistics: &statistics,
                begin,
                reached,
                complete: message.is_none(),
                wall,
                written: &written,
            }))?;
        }
        let written = until_then(&written);
        match streamed {
            Ok(Outcome::Finished) => Ok(()),
            Ok(Outcome::Stopped) => {
                let message = message.unwrap_or_default();
                let again = self.checkpoint.map_or(String::new(), |(path, _)| {
                    format!(" To go on: braincell resume {}.", path.display())
                });
                Err(CliError::Interrupted(format!("{message}.{written}{again}")))
            }
            Err(error) => Err(CliError::Run { error, written }),
        }
    }

    /// Ends the output and draws what was asked for, each of them whether or not the others can be written; returns the
    /// names of the files, and the first error.
    fn write(
        &mut self,
        rest: &Recording,
        reached: f64,
        message: Option<&str>,
    ) -> (Vec<String>, Option<CliError>) {
        let statistics = self.simulation.statistics();
        let (asked, peaks) = statistics.split_at(self.peaks.asked(statistics.len()));
        let table = sweep::table(&self.experiment, rest, &self.digest.tally, reached);
        let results = [
            self.write_shape(peaks),
            sweep::write(&self.order, &self.experiment, &table, message),
            self.end_stream(rest, asked, &table, message),
            self.write_plot(message),
        ];
        let (mut written, mut first) = (Vec::new(), None);
        for result in results {
            match result {
                Ok(names) => written.extend(names),
                Err(error) => first = first.or(Some(error)),
            }
        }
        (written, first)
    }

    fn write_shape(&self, peaks: &[Statistic]) -> Result<Vec<String>, CliError> {
        let (Some(path), Some(cell)) = (&self.order.plot_shape, &self.experiment.cell) else {
            return Ok(Vec::new());
        };
        self.peaks.plot(cell, peaks, &self.experiment.title, path)?;
        Ok(vec![path.display().to_string()])
    }

    fn end_stream(
        &mut self,
        rest: &Recording,
        statistics: &[Statistic],
        sweep: &[Column],
        message: Option<&str>,
    ) -> Result<Vec<String>, CliError> {
        let (Some(path), Some(stream)) = (&self.order.out, self.stream.take()) else {
            return Ok(Vec::new());
        };
        stream.finish(&Ending {
            complete: message.is_none(),
            message,
            statistics,
            sweep,
            events: rest.spikes().iter().map(|s| s.times.clone()).collect(),
            notes: self.notes.clone(),
            keep_parts: self.checkpoint.is_some(),
        })?;
        Ok(vec![path.display().to_string()])
    }

    fn write_plot(&self, message: Option<&str>) -> Result<Vec<String>, CliError> {
        let (Some(path), Some(traces)) = (&self.order.plot, &self.digest.traces) else {
            return Ok(Vec::new());
        };
        let (time, columns) = traces.columns(&self.table.columns);
        let mut table = Table {
            time,
            columns,
            events: self.digest.events(&self.table.events),
            ..self.table.clone()
        };
        table.metadata.complete = message.is_none();
        table.metadata.message = message.map(str::to_string);
        output::plot(&table, path)?;
        Ok(vec![path.display().to_string()])
    }
}

/// What an error adds about files that were written.
fn until_then(written: &[String]) -> String {
    match written {
        [] => String::new(),
        _ => format!(
            " What was computed until then is in {}.",
            written.join(" and ")
        ),
    }
}

/// Takes what a run hands out, and keeps checkpoints.
struct Keeper<'a> {
    order: Order,
    text: &'a str,
    files: &'a [Named],
    stream: Option<Stream>,
    digest: Digest,
    checkpoint: Option<&'a (PathBuf, f64)>,
    duration: f64,
    /// The number of the last checkpoint.
    kept: f64,
    /// Where what was written is, if the output cannot be brought to its end.
    left: Option<String>,
}

impl Keeper<'_> {
    /// Takes what was recorded, and a checkpoint when it is due.
    fn take<F: Storage>(&mut self, mut pause: Pause<F>) -> Result<(), CliError> {
        self.add(&pause.drain())?;
        if let Some((_, interval)) = self.checkpoint {
            let number = (pause.progress().time / interval + 1e-9).floor();
            if number > self.kept {
                self.kept = number;
                self.save(pause.checkpoint()?)?;
            }
        }
        Ok(())
    }

    /// Takes what is left after the run, and a last checkpoint if the run can go on.
    fn last<F: Storage>(
        &mut self,
        simulation: &mut Simulation<F>,
        sound: bool,
    ) -> Result<(), CliError> {
        self.add(&simulation.drain())?;
        match (sound, self.checkpoint) {
            (true, Some(_)) => self.save(simulation.checkpoint()?),
            _ => Ok(()),
        }
    }

    fn add(&mut self, part: &Recording) -> Result<(), CliError> {
        self.digest.add(part, self.duration);
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        let added = stream.append(part);
        if added.is_err() {
            self.left = Some(stream.while_running().display().to_string());
            self.stream = None;
        }
        Ok(added?)
    }

    fn save(&mut self, state: Vec<u8>) -> Result<(), CliError> {
        let Some((path, _)) = self.checkpoint else {
            return Ok(());
        };
        let marks = self.stream.as_mut().map(Stream::mark).transpose()?;
        let saved = Saved {
            order: self.order.clone(),
            text: self.text.to_string(),
            files: self.files.to_vec(),
            marks: marks.unwrap_or_default(),
            digest: self.digest.clone(),
            state,
        };
        saved.write(path)
    }
}

/// What the output says about itself, without samples.
fn described<F: Storage>(
    order: &Order,
    experiment: &Experiment,
    simulation: &Simulation<F>,
    recording: &Recording,
) -> Table {
    let columns = recording.columns().iter().map(|column| Column {
        name: column.name.clone(),
        unit: column.unit.clone(),
        values: Vec::new(),
    });
    let events = recording.spikes().iter().map(|train| Events {
        label: train.name.clone(),
        times: Vec::new(),
    });
    Table {
        title: experiment.title.clone(),
        time: Vec::new(),
        columns: columns.collect(),
        events: events.collect(),
        sweep: Vec::new(),
        metadata: Metadata {
            program_version: env!("CARGO_PKG_VERSION").to_string(),
            experiment: order.annotated(&experiment.text),
            solver: simulation.solver().name.clone(),
            dt: match experiment.run.stepping.value {
                Stepping::Fixed(dt) => Some(dt),
                Stepping::Adaptive(_) => None,
            },
            complete: false,
            message: None,
        },
    }
}
