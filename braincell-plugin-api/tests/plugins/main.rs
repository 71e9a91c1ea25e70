//! Plugins: built with cargo and cc, loaded, compared with the built-in solvers; and broken ones, made here, that must be
//! refused with an error while the process lives on.

mod branched;
mod broken_c;
mod broken_files;
mod broken_rust;
mod gradients;
mod layout;
mod loading;
mod support;
mod twins;
