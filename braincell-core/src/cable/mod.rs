//! The tree algebra of the cable operator: linear-time products and solves, of no particular model.
//!
//! The operator is G, the weighted Laplacian of a tree of points joined by axial conductances. [`Tree`] checks a parent list
//! and orders its nodes by level, [`Laplacian`] is the operator, [`elimination`] solves (D + s G) x = b.
//!
//! Arrays are `[row][lane]`: rows in level order, each `W` lanes long, a lane being a cell of its own. W is found
//! from the lengths and may be anything; 1, 4, 8 and 16 are compiled specially. Nothing allocates but the
//! constructors.

pub mod elimination;
pub(crate) mod lanes;
mod laplacian;
mod poles;
mod tree;

pub use laplacian::Laplacian;
pub(crate) use poles::DOUBLE;
pub use tree::{Tree, TreeError};

/// Why a cable operation was refused or failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CableError {
    /// An array whose length does not fit.
    #[error(
        "{what} has {found} elements; expected {rows} rows, each with the same number of lanes as the other arrays"
    )]
    Shape {
        /// Which array.
        what: &'static str,
        /// Its length.
        found: usize,
        /// Number of rows of the operator.
        rows: usize,
    },
    /// A conductance that cannot be used.
    #[error(
        "row {row}: the conductance to its parent is {value}, out of the range of the element type"
    )]
    Conductance {
        /// The row.
        row: usize,
        /// The conductance.
        value: f64,
    },
    /// The factor s cannot be used.
    #[error(
        "the factor of the axial operator is {value}; it must be finite, not negative, and not overflow its entries"
    )]
    Factor {
        /// The factor.
        value: f64,
    },
    /// Elimination met a pivot that is zero or not finite.
    #[error(
        "row {row}, lane {lane}: the pivot is zero or not finite; the matrix is singular or holds a number that is not finite"
    )]
    Pivot {
        /// The row; the first that fails, counted from the leaves.
        row: usize,
        /// The lane, a cell of its own.
        lane: usize,
    },
}

/// The number of lanes, if all arrays have the same and at least one.
fn common_width<const N: usize>(
    rows: usize,
    arrays: [(&'static str, usize); N],
) -> Result<usize, CableError> {
    let width = arrays[0].1 / rows;
    for (what, found) in arrays {
        if width == 0 || found != width * rows {
            return Err(CableError::Shape { what, found, rows });
        }
    }
    Ok(width)
}
