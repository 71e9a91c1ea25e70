//! What can be wrong with a plugin.

use braincell_core::abi::InfoError;
use braincell_core::registry::RegistryError;
use braincell_core::stepper::StepError;
use std::path::PathBuf;

/// A plugin could not be loaded. The program goes on without it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("plugin {}: {problem}", .file.display())]
pub struct PluginError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a plugin.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("it cannot be read: {0}; check the path and the permissions")]
    Unreadable(String),
    /// It is a directory, a device or a socket.
    #[error("it is not a file; a directory of plugins is given as a plugin directory")]
    NotAFile,
    /// It is empty.
    #[error("the file is empty; build the plugin again")]
    Empty,
    /// It is not a shared object.
    #[error(
        "it is {found}, not a shared object; a plugin is a crate of type cdylib, or C code linked with -shared"
    )]
    NotASharedObject {
        /// What it is.
        found: String,
    },
    /// The end of the file is missing.
    #[error(
        "the file is truncated: it should have at least {needed} bytes and has {actual}; copy or build it again"
    )]
    Truncated {
        /// The least size.
        needed: u64,
        /// The size.
        actual: u64,
    },
    /// The file is damaged.
    #[error("the file is damaged: {0}; copy or build it again")]
    Damaged(String),
    /// It is for another processor.
    #[error("it was built for {found}, and this machine is {host}; build it for this machine")]
    Architecture {
        /// The processor that it is for.
        found: String,
        /// This one.
        host: String,
    },
    /// It does not export what a plugin exports.
    #[error(
        "it does not export the symbol {symbol}, so it is no braincell plugin; Rust code exports one with \
         export_plugin!, C code with BRAINCELL_PLUGIN"
    )]
    MissingSymbol {
        /// The symbol.
        symbol: String,
    },
    /// The handshake is not one.
    #[error(
        "its symbol braincell_plugin_handshake is not the handshake of a plugin; export it with export_plugin! or \
         BRAINCELL_PLUGIN and with nothing else"
    )]
    NotAHandshake,
    /// It has an interface that this host does not know.
    #[error(
        "it has interface {found} (made with braincell {made_with}), which this braincell {host} does not know; update \
         braincell, or build the plugin against this version"
    )]
    Door {
        /// The interface.
        found: u32,
        /// The version of braincell that the plugin was built against.
        made_with: String,
        /// The version of this host.
        host: String,
    },
    /// It has another version of the interface.
    #[error(
        "it has version {found} of the plugin interface (made with braincell {made_with}), and this braincell {host} \
         loads version {supported}; {remedy}"
    )]
    Abi {
        /// Its number.
        found: u32,
        /// The number that this host loads.
        supported: u32,
        /// The version of braincell that the plugin was built against.
        made_with: String,
        /// The version of this host.
        host: String,
        /// What to do.
        remedy: &'static str,
    },
    /// It has other floating-point numbers.
    #[error(
        "it computes with {found}-bit numbers, and this braincell with 64-bit numbers; build it for 64 bits"
    )]
    Scalar {
        /// Bits of its numbers.
        found: u32,
    },
    /// A panic would end the process.
    #[error(
        "it was built with panic = \"abort\", so that an error in it would end the program; build it with panic = \
         \"unwind\", which is the default"
    )]
    PanicAborts,
    /// It was built with another version of abi_stable.
    #[error(
        "it was built with abi_stable {found}, and this braincell {host} with abi_stable {supported}; build the plugin \
         against braincell-plugin-api {host}"
    )]
    AbiStable {
        /// Its version.
        found: String,
        /// The version of this host.
        supported: String,
        /// The version of this braincell.
        host: String,
    },
    /// The dynamic linker refuses it.
    #[error("the dynamic linker refuses it: {0}")]
    Linker(String),
    /// The table of functions is not what it should be.
    #[error("its table of functions is not that of a plugin: {0}; build it again against braincell {VERSION}", VERSION = crate::VERSION)]
    Table(String),
    /// The types that cross the border have another layout.
    #[error(
        "its types have another layout than those of this braincell {host}, though it has the same version of the \
         interface (it was made with braincell {made_with}): {details}; build it against an unmodified \
         braincell-plugin-api"
    )]
    Layout {
        /// The differences.
        details: String,
        /// The version of braincell that the plugin was built against.
        made_with: String,
        /// The version of this host.
        host: String,
    },
    /// It could not list its solvers.
    #[error("listing its solvers failed: {0}; ask its author, or run it alone to find the place")]
    Listing(StepError),
    /// The metadata of a solver makes no sense.
    #[error("its solver {place} (\"{name}\") is not described well: {error}")]
    Info {
        /// Place in its list, from 0.
        place: usize,
        /// Its name, as far as it has one.
        name: String,
        /// What is wrong.
        error: InfoError,
    },
    /// It has no solver.
    #[error("it has no solvers; name them in export_plugin!")]
    NoSolvers,
    /// Two of its solvers have the same name.
    #[error("two of its solvers are called \"{0}\"; give one of them another name or alias")]
    Duplicate(String),
    /// A solver cannot be registered: its name is taken or malformed, or a step of it cannot be recorded.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The file has changed since it was loaded.
    #[error(
        "the file has changed since it was loaded, and a plugin cannot be replaced in a running program; start the \
         program again"
    )]
    Changed,
}
