//! What a file contains.

use super::error::PluginError;
use super::plugin::{Plugin, open};
use crate::{Program, ProgramError, SolverInfo};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a plugin contains.
#[derive(Debug)]
pub struct Report {
    /// The plugin.
    pub plugin: Arc<Plugin>,
    /// How long it took to load.
    pub load_time: Duration,
    /// Its solvers.
    pub solvers: Vec<SolverReport>,
}

/// A solver of a plugin.
#[derive(Debug)]
pub struct SolverReport {
    /// What is known about it.
    pub info: SolverInfo,
    /// A step with its default parameters.
    pub program: Result<Program, ProgramError>,
    /// How long it took to record the step.
    pub record_time: Duration,
}

impl Report {
    /// Whether a step of each solver can be recorded.
    pub fn is_sound(&self) -> bool {
        self.solvers.iter().all(|s| s.program.is_ok())
    }
}

/// Loads a plugin and records a step of each of its solvers. Nothing is registered.
///
/// # Errors
/// [`PluginError`] if it cannot be loaded. That a step cannot be recorded is part of the report.
pub fn inspect(path: impl AsRef<Path>) -> Result<Report, PluginError> {
    let start = Instant::now();
    let plugin = open(path)?;
    let load_time = start.elapsed();
    let solvers = plugin.steppers().iter().map(|stepper| {
        let start = Instant::now();
        let program = Program::record(&**stepper, &[]);
        SolverReport {
            info: stepper.info(),
            program,
            record_time: start.elapsed(),
        }
    });
    let solvers = solvers.collect();
    Ok(Report {
        plugin,
        load_time,
        solvers,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plugin = &self.plugin;
        writeln!(f, "{}", plugin.path().display())?;
        writeln!(
            f,
            "  version {}, {} interface {}, made with braincell {}, {}, {} bytes, loaded in {:.2?}",
            plugin.version(),
            plugin.door(),
            plugin.abi(),
            plugin.made_with(),
            plugin.compiler(),
            plugin.bytes(),
            self.load_time
        )?;
        for solver in &self.solvers {
            let info = &solver.info;
            write!(f, "  {} ({}, order {}", info.name, info.family, info.order)?;
            if let Some(order) = info.embedded_order {
                write!(f, ", embedded {order}")?;
            }
            write!(f, ", needs {}): ", info.needs)?;
            match &solver.program {
                Ok(program) => writeln!(
                    f,
                    "{} operations, recorded in {:.2?}",
                    program.ops().len(),
                    solver.record_time
                )?,
                Err(error) => writeln!(f, "{error}")?,
            }
        }
        Ok(())
    }
}
