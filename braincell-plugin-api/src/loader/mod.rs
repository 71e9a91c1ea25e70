//! Loading plugins.
//!
//! ```no_run
//! use braincell_core::registry::Registry;
//! use braincell_plugin_api::loader::{self, Names};
//!
//! let mut registry = Registry::new();
//! let loaded = loader::load(&mut registry, "libmy_solvers.so", Names::MustBeFree)?;
//! for solver in loaded.plugin.steppers() {
//!     println!("{}", solver.info().name);
//! }
//! # Ok::<(), loader::PluginError>(())
//! ```
//!
//! A file is checked before any of its code runs: it must be a whole ELF shared object for this machine, and export the
//! handshake of a plugin with the same interface. Then it is opened with all its symbols resolved, and kept open until
//! the process ends: libraries are never unloaded. A file that was loaded before, by whatever path, or a copy of it, is
//! the same plugin. What can go wrong is a [`PluginError`], and the registry is then as it was.
//!
//! A plugin is native code in this process. A wild pointer, a deliberate abort, a loop without end or an overflow of the
//! stack in it cannot be contained, nor can a file that is overwritten in place while it is loaded; replace files by
//! renaming a new one.

mod error;
mod file;
#[cfg(test)]
mod garbled;
mod plugin;
mod report;

pub use error::{PluginError, Problem};
pub use plugin::{Door, Plugin, open};
pub use report::{Report, SolverReport, inspect};

use braincell_core::registry::{Registry, Replaced};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The environment variable with directories of plugins, separated like those of `PATH`.
pub const PATH_VARIABLE: &str = "BRAINCELL_PLUGIN_PATH";

/// What to do about names that are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// They are an error, which names both sources.
    MustBeFree,
    /// The plugin takes them.
    Override,
}

/// A plugin in a registry.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The plugin.
    pub plugin: Arc<Plugin>,
    /// It was in the registry already, and nothing was done.
    pub again: bool,
    /// Names that it took from others.
    pub replaced: Vec<Replaced>,
}

/// Loads a file and registers all its solvers, or none. Doing so again is harmless.
///
/// # Errors
/// [`PluginError`].
pub fn load(
    registry: &mut Registry,
    path: impl AsRef<Path>,
    names: Names,
) -> Result<Loaded, PluginError> {
    let plugin = open(path)?;
    let origin = plugin.origin();
    let again = registry.entries().iter().any(|e| e.origin == origin);
    let replaced = if again {
        Vec::new()
    } else {
        let steppers = plugin.steppers().to_vec();
        let done = match names {
            Names::MustBeFree => registry
                .register_all(steppers, &origin)
                .map(|()| Vec::new()),
            Names::Override => registry.register_all_override(steppers, &origin),
        };
        done.map_err(|error| PluginError {
            file: plugin.path().to_path_buf(),
            problem: error.into(),
        })?
    };
    Ok(Loaded {
        plugin,
        again,
        replaced,
    })
}

/// Loads the files of a directory whose names end in `.so`, in the order of their names. Files that cannot be loaded do
/// not keep the others from being loaded.
///
/// # Errors
/// [`PluginError`] if the directory cannot be read.
pub fn load_dir(
    registry: &mut Registry,
    directory: impl AsRef<Path>,
    names: Names,
) -> Result<Vec<Result<Loaded, PluginError>>, PluginError> {
    let directory = directory.as_ref();
    let entries = std::fs::read_dir(directory).and_then(|entries| {
        let paths = entries.map(|entry| entry.map(|e| e.path()));
        paths.collect::<Result<Vec<PathBuf>, _>>()
    });
    let mut files = entries.map_err(|error| PluginError {
        file: directory.to_path_buf(),
        problem: Problem::Unreadable(error.to_string()),
    })?;
    files.retain(|path| path.extension() == Some(OsStr::new("so")) && !path.is_dir());
    files.sort();
    let load_one = |file| load(registry, file, names);
    Ok(files.into_iter().map(load_one).collect())
}

/// Loads the plugins of a list of directories and files, separated like those of `PATH`: the value of
/// [`PATH_VARIABLE`]. What cannot be loaded does not keep the rest from being loaded.
pub fn load_search_path(
    registry: &mut Registry,
    list: &OsStr,
    names: Names,
) -> Vec<Result<Loaded, PluginError>> {
    let mut all = Vec::new();
    for path in std::env::split_paths(list).filter(|p| !p.as_os_str().is_empty()) {
        if path.is_dir() {
            match load_dir(registry, &path, names) {
                Ok(those) => all.extend(those),
                Err(error) => all.push(Err(error)),
            }
        } else {
            all.push(load(registry, &path, names));
        }
    }
    all
}
