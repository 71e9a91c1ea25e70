//! Types that cross the border between braincell and solver plugins.
//!
//! A stepper is recorded once and its program is data, so the border is narrow: a [`Handshake`] that can be read from
//! the file before any of its code runs, and a [`PluginModule`] of two functions, one that lists the solvers and one
//! that records a step of one of them. No function of the host is ever called by a plugin of this kind.
//!
//! # How the interface grows
//!
//! [`ABI`] counts incompatible interfaces; it and the major version of this crate move together, and neither moves with
//! the releases of braincell. Within one number the interface grows by appending only: operation codes ([`code`]), keys
//! of solver metadata ([`field`]), fields of [`PluginModule`] behind the last prefix field, codes of [`failure`], fields
//! at the end of [`Handshake`]. What exists keeps its number and meaning. An older plugin loads in every newer host of
//! the same number. A newer plugin loads in an older host as long as it uses no operation that the host does not know;
//! one that does is refused, and the message names the operation. Unknown metadata is ignored; whatever a host must
//! understand is an operation or a need.

pub mod code;
pub mod failure;
pub mod field;
mod handshake;
mod module;

pub use handshake::{
    ABI_STABLE_VERSION, HANDSHAKE_SIZE, HANDSHAKE_SYMBOL, Handshake, MAGIC, NotAHandshake,
};
pub use module::{Failure, Field, OpHead, PluginModule, PluginModule_Ref, RecordedOps};

pub use abi_stable;

/// Number of the interface of plugins written in Rust.
pub const ABI: u32 = 1;

/// Number of the interface of plugins written in other languages: `braincell_plugin.h`.
pub const C_ABI: u32 = 1;

/// [`Handshake::door`] of a plugin with a [`PluginModule`].
pub const DOOR_RUST: u32 = 1;

/// [`Handshake::door`] of a plugin with the table of `braincell_plugin.h`.
pub const DOOR_C: u32 = 2;

/// Name of the symbol behind which the [`PluginModule`] of a Rust plugin lies.
pub const ROOT_SYMBOL: &str = "braincell_plugin_root";

/// Name of the symbol of the table of a C plugin.
pub const C_TABLE_SYMBOL: &str = "braincell_plugin_table";
