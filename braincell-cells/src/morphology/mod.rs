//! The shape of a neuron: a tree of unbranched *branches*, each a chain of truncated cones (frusta).
//!
//! Lengths and radii are in µm. A position on a branch is the normalised arc length x, 0 at the end nearer the root
//! and 1 at the far end.
//!
//! ```
//! use braincell_cells::morphology::{Morphology, swc};
//!
//! let text = "1 1 0 0 0 10 -1\n2 3 10 0 0 1 1\n3 3 110 0 0 1 2\n";
//! let cell = swc::read(text, &swc::SwcOptions::default())?;
//! assert_eq!(cell.branches().len(), 2); // the soma, a cylinder as long as wide, and one dendrite
//! assert_eq!(cell.branches()[1].length(), 100.0);
//! # Ok::<(), braincell_cells::morphology::ReadError>(())
//! ```

pub mod asc;
mod branch;
pub mod builders;
mod error;
mod layout;
pub mod region;
mod samples;
mod soma;
mod summary;
pub mod swc;
mod swc_write;
pub mod synthetic;
mod tree;

pub use branch::{Attachment, Branch, BranchSpec, BranchType, Frustum, UnknownType};
pub use error::{MorphologyError, ReadError, Warning, WriteError};
pub use region::{Region, RegionError};
pub use summary::{Summary, TypeSummary};
pub use tree::{DrawnFrustum, Morphology};

/// Smallest radius accepted, in µm.
pub const MIN_RADIUS: f64 = 1e-6;
/// Largest radius or length of a frustum accepted, in µm.
pub const MAX_SIZE: f64 = 1e8;
/// Largest coordinate or radius accepted in a file, in µm; distances between such points stay below [`MAX_SIZE`].
pub const MAX_COORDINATE: f64 = 1e7;
/// Segments of a file shorter than this, in µm, are merged into their neighbour.
pub const MIN_LENGTH: f64 = 1e-9;
