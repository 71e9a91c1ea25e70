//! The engine: runs step programs on models.
//!
//! A population is cut into *tiles* of cells. Within a tile the cells of one element lie side by side (lane
//! innermost), and every state, parameter and signal is a plane of elements × lanes. All planes of a tile, and the
//! arrays of the step program, lie in one slice, the *arena*. [`Engine`] holds the instructions for one width of tile;
//! they address the arena by absolute offsets, so that a step is a loop over instructions.

mod adjoint;
mod advance;
mod arena;
mod arrays;
mod axial;
mod carry;
mod compile;
mod dense;
mod effects;
mod exec;
mod fuse;
mod graph;
mod implicit;
mod in_place;
mod instr;
mod jacobian;
mod layout;
mod local;
mod local_phi;
mod newton;
mod phi;
mod poles;
mod registers;
mod scaled;
mod simplify;
mod sparse;
mod stages;
mod strips;
mod substitute;
#[cfg(test)]
mod tests;
mod tile_engine;
mod tree;

pub(crate) use adjoint::{Adjoint, Looks, Section, Sweep, Wanted};
pub(crate) use arrays::all_finite;
pub(crate) use exec::{Clock, StepFailure, Work, Workspace};
pub(crate) use jacobian::coupled_apart;
pub(crate) use layout::Layout;
pub(crate) use simplify::Keep;
pub(crate) use tile_engine::{Engine, EngineOptions};
