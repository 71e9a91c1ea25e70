//! Steppers across a binary interface: what a plugin sends, and what a host makes of it.
//!
//! A stepper is pure and its program is data, so a plugin never calls the host and none of its code runs while a model
//! is integrated. The plugin runs [`crate::stepper::Stepper::step`] with the very recorder that the host uses, inside a
//! guard that turns panics into errors, and sends the list of operations. The host trusts nothing in it: it replays the
//! list through a recorder of its own, which checks every handle, count and coefficient. The result is the same
//! [`crate::stepper::Program`] as that of a built-in solver, so it runs at the same speed and gives the same bits.
//!
//! The types that cross the border, and the rules by which they may grow, are in [`types`] (the crate braincell-abi, whose
//! version is that of the interface).

mod encode;
mod failure;
mod foreign;
mod guest;
mod info;
mod replay;

pub use braincell_abi as types;
pub use encode::encode;
pub use failure::{from_failure, to_failure};
pub use foreign::{ForeignStepper, ModuleError, steppers_of};
pub use guest::{guard, record, solvers};
pub use info::{InfoError, from_fields, to_fields};
pub use replay::{replay, replay_op};
