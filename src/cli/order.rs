//! What `braincell run` was asked for: all that `braincell resume` needs besides the state of the run.

use super::CliError;
use braincell::container::{ContainerError, Reader, Writer};
use braincell::experiment::{Experiment, Given, Precision};
use braincell::simulation::{Stepping, Tolerances};
use braincell::units::parse_in;
#[cfg(unix)]
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The experiment and the options.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// The experiment file.
    pub experiment: PathBuf,
    pub solver: Option<String>,
    pub dt: Option<String>,
    pub tolerance: Option<String>,
    pub tstop: Option<String>,
    pub precision: Option<String>,
    pub threads: Option<String>,
    /// The recording interval.
    pub interval: Option<String>,
    pub out: Option<PathBuf>,
    pub plot: Option<PathBuf>,
    pub plot_sweep: Option<PathBuf>,
    pub plot_shape: Option<PathBuf>,
    /// The duration that a restart gave instead.
    pub resumed_tstop: Option<String>,
    /// The time between two checkpoints.
    pub every: Option<String>,
}

impl Order {
    /// What the command line gives takes the place of what the file gives.
    pub fn override_settings(&self, experiment: &mut Experiment) -> Result<(), CliError> {
        let run = &mut experiment.run;
        if let Some(solver) = &self.solver {
            run.solver = Given {
                value: solver.clone(),
                place: "--solver".to_string(),
            };
        }
        if let Some(text) = &self.dt {
            let dt = time("--dt", text)?;
            run.stepping = Given {
                value: Stepping::Fixed(dt.value),
                place: dt.place,
            };
        }
        if let Some(text) = &self.tolerance {
            run.stepping = tolerance("--tolerance", text)?;
        }
        if let Some(text) = self.resumed_tstop.as_ref().or(self.tstop.as_ref()) {
            run.duration = time("--tstop", text)?;
        }
        if let Some(name) = &self.precision {
            run.precision = Some(precision("--precision", name)?);
        }
        if let Some(text) = &self.threads {
            run.threads = Some(threads("--threads", text)?);
        }
        if let Some(text) = &self.interval {
            run.every = Some(time("--interval", text)?);
        }
        Ok(())
    }

    /// The text of the experiment, after a comment that tells what the command line changed.
    pub fn annotated(&self, text: &str) -> String {
        let options = [
            ("--solver", &self.solver),
            ("--dt", &self.dt),
            ("--tolerance", &self.tolerance),
            ("--precision", &self.precision),
            ("--tstop", &self.tstop),
            ("--interval", &self.interval),
        ];
        let given = options.iter().filter_map(|(name, value)| {
            let value = value.as_ref()?.replace(['\n', '\r'], " ");
            Some(format!(" {name} \"{value}\""))
        });
        let given: String = given.collect();
        match given.as_str() {
            "" => text.to_string(),
            _ => format!("# run with{given}\n{text}"),
        }
    }

    /// The time between two checkpoints, ms: by default a hundredth of the run.
    pub fn checkpoint_interval(&self, duration: f64) -> Result<f64, CliError> {
        match &self.every {
            Some(text) => Ok(time("--every", text)?.value),
            None => Ok(0.01 * duration),
        }
    }

    /// The same with paths that hold in any directory.
    pub fn absolute(&self) -> Self {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        Self {
            experiment: absolute(&self.experiment),
            out: self.out.as_ref().map(absolute),
            plot: self.plot.as_ref().map(absolute),
            plot_sweep: self.plot_sweep.as_ref().map(absolute),
            plot_shape: self.plot_shape.as_ref().map(absolute),
            ..self.clone()
        }
    }

    pub fn save(&self, w: &mut Writer) {
        w.bytes(self.experiment.as_os_str().as_encoded_bytes());
        for text in [
            &self.solver,
            &self.dt,
            &self.tolerance,
            &self.tstop,
            &self.resumed_tstop,
            &self.precision,
            &self.threads,
            &self.interval,
            &self.every,
        ] {
            w.u64(u64::from(text.is_some()));
            w.text(text.as_deref().unwrap_or(""));
        }
        for path in [&self.out, &self.plot, &self.plot_sweep, &self.plot_shape] {
            w.u64(u64::from(path.is_some()));
            save_path(path.as_deref().unwrap_or(Path::new("")), w);
        }
    }

    pub fn load(r: &mut Reader) -> Result<Self, ContainerError> {
        let experiment = load_path(r)?;
        let mut text = || {
            let given = r.u64()? != 0;
            let text = r.text()?;
            Ok::<_, ContainerError>(given.then(|| text.to_string()))
        };
        let (solver, dt, tolerance) = (text()?, text()?, text()?);
        let (tstop, resumed_tstop, precision) = (text()?, text()?, text()?);
        let (threads, interval, every) = (text()?, text()?, text()?);
        let mut path = || {
            let given = r.u64()? != 0;
            let path = load_path(r)?;
            Ok::<_, ContainerError>(given.then_some(path))
        };
        Ok(Self {
            experiment,
            solver,
            dt,
            tolerance,
            tstop,
            resumed_tstop,
            precision,
            threads,
            interval,
            every,
            out: path()?,
            plot: path()?,
            plot_sweep: path()?,
            plot_shape: path()?,
        })
    }
}

/// Writes a path: UTF-8, or on Unix any bytes.
pub fn save_path(path: &Path, w: &mut Writer) {
    w.bytes(path.as_os_str().as_encoded_bytes());
}

/// Reads a path.
pub fn load_path(r: &mut Reader) -> Result<PathBuf, ContainerError> {
    let bytes = r.bytes()?;
    #[cfg(unix)]
    return Ok(<OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes).into());
    #[cfg(not(unix))]
    match std::str::from_utf8(bytes) {
        Ok(path) => Ok(path.into()),
        Err(_) => Err(ContainerError::Damaged("a path in it is not UTF-8")),
    }
}

/// A positive time of the command line, in ms where it has no unit.
pub fn time(option: &'static str, text: &str) -> Result<Given<f64>, CliError> {
    let refuse = |reason: String| CliError::Option { option, reason };
    let value = match text.trim().parse::<f64>() {
        Ok(value) => value,
        Err(_) => parse_in(text, "ms").map_err(|error| refuse(error.to_string()))?,
    };
    if !(value.is_finite() && value > 0.0) {
        return Err(refuse(format!(
            "{value} ms is no positive, finite time; write for example {option} 0.025 or {option} \"25 us\""
        )));
    }
    Ok(Given {
        value,
        place: option.to_string(),
    })
}

/// A precision of the command line.
fn precision(option: &'static str, name: &str) -> Result<Given<Precision>, CliError> {
    let value = Precision::named(name).ok_or_else(|| CliError::Option {
        option,
        reason: format!("{name:?} is no precision; write single or double"),
    })?;
    Ok(Given {
        value,
        place: option.to_string(),
    })
}

/// A number of threads of the command line.
fn threads(option: &'static str, text: &str) -> Result<Given<usize>, CliError> {
    let value = text.trim().parse().ok().filter(|&n| n > 0);
    let value = value.ok_or_else(|| CliError::Option {
        option,
        reason: format!("{text:?} is no whole number above 0; write for example {option} 4"),
    })?;
    Ok(Given {
        value,
        place: option.to_string(),
    })
}

/// A relative tolerance of the command line.
pub fn tolerance(option: &'static str, text: &str) -> Result<Given<Stepping>, CliError> {
    match text.trim().parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(Given {
            value: Stepping::Adaptive(Tolerances::new(value)),
            place: option.to_string(),
        }),
        _ => Err(CliError::Option {
            option,
            reason: format!("{text:?} is no positive number; write for example {option} 1e-6"),
        }),
    }
}
