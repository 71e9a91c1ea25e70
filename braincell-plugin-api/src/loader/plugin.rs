//! Plugins that are loaded.

use super::error::{PluginError, Problem};
use super::file;
use crate::border::host;
use crate::{SolverInfo, StepError, StepOps, Stepper, VERSION};
use braincell_core::abi::types::{DOOR_C, Handshake};
use braincell_core::abi::{ModuleError, from_fields, steppers_of};
use braincell_core::registry::Origin;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The interface of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `export_plugin!`, for Rust.
    Rust,
    /// `braincell_plugin.h`, for C and other languages.
    C,
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Door::Rust => "Rust",
            Door::C => "C",
        })
    }
}

/// A loaded plugin.
pub struct Plugin {
    path: PathBuf,
    contents: Contents,
    handshake: Handshake,
    steppers: Vec<Arc<dyn Stepper>>,
}

/// Stands for the bytes of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Contents {
    bytes: u64,
    hash: u64,
}

impl Plugin {
    /// The file, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.contents.bytes
    }

    /// Its interface.
    pub fn door(&self) -> Door {
        match self.handshake.door {
            DOOR_C => Door::C,
            _ => Door::Rust,
        }
    }

    /// The version of its interface.
    pub fn abi(&self) -> u32 {
        self.handshake.abi
    }

    /// Its own version.
    pub fn version(&self) -> String {
        file::text(&self.handshake.version)
    }

    /// The version of braincell that it was built against.
    pub fn made_with(&self) -> String {
        file::text(&self.handshake.api)
    }

    /// The compiler that built it.
    pub fn compiler(&self) -> String {
        file::text(&self.handshake.compiler)
    }

    /// Where its solvers come from, for the registry.
    pub fn origin(&self) -> Origin {
        Origin {
            from: self.path.display().to_string(),
            version: self.version(),
        }
    }

    /// Its solvers.
    pub fn steppers(&self) -> &[Arc<dyn Stepper>] {
        &self.steppers
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.origin())
    }
}

/// A solver of a C plugin.
struct CStepper {
    info: SolverInfo,
    step: host::CStep,
}

impl Stepper for CStepper {
    fn info(&self) -> SolverInfo {
        self.info.clone()
    }

    fn step(&self, ops: &mut StepOps) -> Result<(), StepError> {
        host::c_record(self.step, ops)
    }
}

/// Loads a plugin without registering its solvers.
///
/// # Errors
/// [`PluginError`].
pub fn open(path: impl AsRef<Path>) -> Result<Arc<Plugin>, PluginError> {
    static LOADED: Mutex<Vec<Arc<Plugin>>> = Mutex::new(Vec::new());
    let given = path.as_ref();
    let failed = |file: &Path, problem| PluginError {
        file: file.to_path_buf(),
        problem,
    };
    let unreadable = |error: std::io::Error| failed(given, Problem::Unreadable(error.to_string()));
    let path = fs::canonicalize(given).map_err(unreadable)?;
    // Reading a device or a named pipe might never end.
    if !fs::metadata(&path).map_err(unreadable)?.is_file() {
        return Err(failed(&path, Problem::NotAFile));
    }
    let bytes = fs::read(&path).map_err(unreadable)?;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let contents = Contents {
        bytes: bytes.len() as u64,
        hash: hasher.finish(),
    };
    let mut loaded = LOADED.lock().unwrap_or_else(|p| p.into_inner());
    if let Some(same) = loaded.iter().find(|p| p.contents == contents) {
        return Ok(same.clone());
    }
    if loaded.iter().any(|p| p.path == path) {
        return Err(failed(&path, Problem::Changed));
    }
    let handshake = file::check(&bytes).map_err(|problem| failed(&path, problem))?;
    let steppers = link(&path, &handshake).map_err(|problem| failed(&path, problem))?;
    let plugin = Arc::new(Plugin {
        path,
        contents,
        handshake,
        steppers,
    });
    loaded.push(plugin.clone());
    Ok(plugin)
}

/// Opens the library and lists its solvers.
fn link(path: &Path, handshake: &Handshake) -> Result<Vec<Arc<dyn Stepper>>, Problem> {
    let library = host::open(path).map_err(Problem::Linker)?;
    let mut all: Vec<Arc<dyn Stepper>> = Vec::new();
    if handshake.door == DOOR_C {
        let solvers = host::c_solvers(library).map_err(Problem::Table)?;
        for (place, (fields, step)) in solvers.into_iter().enumerate() {
            let info = from_fields(&fields).map_err(|error| Problem::Info {
                place,
                name: fields.first().map_or("", |f| f.text.as_str()).to_string(),
                error,
            })?;
            all.push(Arc::new(CStepper { info, step }));
        }
    } else {
        let module = host::module(library).map_err(|problem| match problem {
            host::ModuleProblem::Missing(why) => Problem::Table(why),
            host::ModuleProblem::Layout(details) => Problem::Layout {
                details,
                made_with: file::text(&handshake.api),
                host: VERSION.to_string(),
            },
        })?;
        let steppers = steppers_of(module).map_err(|error| match error {
            ModuleError::Failed(error) => Problem::Listing(error),
            ModuleError::Info { place, name, error } => Problem::Info { place, name, error },
        })?;
        all.extend(steppers.into_iter().map(|s| Arc::new(s) as _));
    }
    if all.is_empty() {
        return Err(Problem::NoSolvers);
    }
    let mut names = HashSet::new();
    for info in all.iter().map(|s| s.info()) {
        for name in std::iter::once(info.name).chain(info.aliases) {
            if !names.insert(name.clone()) {
                return Err(Problem::Duplicate(name));
            }
        }
    }
    Ok(all)
}
