//! Errors and warnings.

use super::{MAX_COORDINATE, MAX_SIZE, MIN_LENGTH, MIN_RADIUS};
use std::fmt;

/// Why a morphology could not be built from frusta.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MorphologyError {
    /// There is no branch at all.
    #[error("a morphology needs at least one branch")]
    Empty,
    /// A branch without frusta.
    #[error("branch {branch} has no frusta: give it at least one")]
    NoFrusta {
        /// The branch.
        branch: usize,
    },
    /// A length that is not usable.
    #[error(
        "branch {branch}, frustum {frustum}: length {length} µm; it must lie between {MIN_LENGTH:e} and {MAX_SIZE:e} µm"
    )]
    Length {
        /// The branch.
        branch: usize,
        /// The frustum within it.
        frustum: usize,
        /// Its length, µm.
        length: f64,
    },
    /// A radius that is not usable.
    #[error(
        "branch {branch}, frustum {frustum}: radius {radius} µm; it must lie between {MIN_RADIUS:e} and {MAX_SIZE:e} µm"
    )]
    Radius {
        /// The branch.
        branch: usize,
        /// The frustum within it.
        frustum: usize,
        /// The radius, µm.
        radius: f64,
    },
    /// The number of points in space does not fit.
    #[error(
        "branch {branch} has {points} points, but its frusta have {needed} ends: give one point for each"
    )]
    Points {
        /// The branch.
        branch: usize,
        /// Points given.
        points: usize,
        /// Points needed.
        needed: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("branch {branch} has a coordinate that is not a finite number")]
    Coordinate {
        /// The branch.
        branch: usize,
    },
    /// The first branch has a parent, or a later one has none.
    #[error(
        "branch {branch}: the first branch is the root and has no parent, every other one needs a parent"
    )]
    Root {
        /// The branch.
        branch: usize,
    },
    /// The parent does not come before its child.
    #[error("branch {branch} is attached to branch {parent}: list a parent before its children")]
    ParentOrder {
        /// The branch.
        branch: usize,
        /// Its parent.
        parent: usize,
    },
    /// The position on the parent is not in 0..1.
    #[error("branch {branch} is attached at x = {x} of its parent: x must lie between 0 and 1")]
    Position {
        /// The branch.
        branch: usize,
        /// The position.
        x: f64,
    },
    /// A parameter of a builder is not usable.
    #[error("{name} = {value}: {remedy}")]
    Parameter {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What is accepted.
        remedy: &'static str,
    },
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {source}; check the path and the permissions")]
    Io {
        /// The path as given.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The extension names no known format.
    #[error(
        "{path}: the extension is neither .swc nor .asc, so the format is unknown; rename the file"
    )]
    Format {
        /// The path as given.
        path: String,
    },
    /// An error with the file it is in.
    #[error("{path}: {error}")]
    In {
        /// The path as given.
        path: String,
        /// What is wrong there.
        error: Box<ReadError>,
    },
    /// No sample or no branch in the text.
    #[error("the file has no points: is it the right file, and is it complete?")]
    Empty,
    /// Too few columns.
    #[error(
        "line {line}: {found} fields where 7 are needed (id type x y z radius parent); complete the line or delete it"
    )]
    Fields {
        /// Line, from 1.
        line: usize,
        /// Number of fields.
        found: usize,
    },
    /// Neurolucida: a point without three coordinates.
    #[error(
        "line {line}: a point with {found} coordinates where (x y z diameter) is needed; complete it or delete it"
    )]
    PointFields {
        /// Line, from 1.
        line: usize,
        /// Number of coordinates.
        found: usize,
    },
    /// A field is not a number of the right kind.
    #[error("line {line}: the {field} is \"{text}\", which is not {expected}; correct it")]
    Number {
        /// Line, from 1.
        line: usize,
        /// Which field.
        field: &'static str,
        /// Its text, or the beginning of a long one.
        text: String,
        /// What is expected.
        expected: &'static str,
    },
    /// Zero, negative, or absurd radius.
    #[error(
        "line {line}: radius {radius} µm; it must lie between {MIN_RADIUS:e} and {MAX_COORDINATE:e} µm: measure it or copy a neighbour's"
    )]
    Radius {
        /// Line, from 1.
        line: usize,
        /// The radius.
        radius: f64,
    },
    /// NaN, infinite or absurd coordinate.
    #[error(
        "line {line}: the {field} is {value}; coordinates are finite numbers of µm, at most {MAX_COORDINATE:e} in size"
    )]
    Coordinate {
        /// Line, from 1.
        line: usize,
        /// Which coordinate.
        field: &'static str,
        /// The value.
        value: f64,
    },
    /// Two samples with one id.
    #[error("line {line}: id {id} was used in line {first} already; give each point its own id")]
    DuplicateId {
        /// Line, from 1.
        line: usize,
        /// The id.
        id: i64,
        /// Line of the first use.
        first: usize,
    },
    /// The parent does not exist.
    #[error(
        "line {line}: point {id} names the parent {parent}, which is not in the file; correct it, or write -1 for the root"
    )]
    MissingParent {
        /// Line, from 1.
        line: usize,
        /// The id.
        id: i64,
        /// The parent that is missing.
        parent: i64,
    },
    /// A point is its own ancestor.
    #[error(
        "line {line}: point {id} is its own ancestor; correct the parents on this loop so that they lead to the root"
    )]
    Cycle {
        /// Line, from 1.
        line: usize,
        /// The id.
        id: i64,
    },
    /// Several roots: the file has parts that are not connected.
    #[error(
        "line {line}: point {id} is a second root, so the file has {roots} parts that are not connected (the first root is \
         {first}); connect them, or choose the part to keep by the id of its root (option `root`)"
    )]
    SeveralRoots {
        /// Line of the second root, from 1.
        line: usize,
        /// Its id.
        id: i64,
        /// Id of the first root.
        first: i64,
        /// Number of roots.
        roots: usize,
    },
    /// The root chosen is not a root.
    #[error("there is no root with the id {id} as chosen; the roots are {roots:?}")]
    NoSuchRoot {
        /// The id chosen.
        id: i64,
        /// The roots of the file (at most the first ten).
        roots: Vec<i64>,
    },
    /// One point makes a cell body, but nothing else.
    #[error(
        "line {line}: the only point has the type {kind}, and one point makes no branch; add a second, or make it a soma (type 1)"
    )]
    SinglePoint {
        /// Line, from 1.
        line: usize,
        /// Type of the point.
        kind: super::BranchType,
    },
    /// Neurolucida: parentheses do not match.
    #[error("line {line}: {problem}; the file is damaged or cut off here")]
    Parentheses {
        /// Line, from 1.
        line: usize,
        /// What does not match.
        problem: &'static str,
    },
    /// Neurolucida: several trees, nothing to attach them to.
    #[error(
        "line {line}: a second tree, but the file has no cell body to which trees could be attached; add a (CellBody) contour or keep one tree"
    )]
    NoSoma {
        /// Line of the second tree, from 1.
        line: usize,
    },
    /// The frusta found in the file make no valid morphology.
    #[error("{0}")]
    Morphology(#[from] MorphologyError),
}

/// Something in a file that was repaired or that is worth a look.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// The soma is one point: it becomes a cylinder with the area of the sphere.
    SinglePointSoma {
        /// Radius, µm.
        radius: f64,
    },
    /// The soma is an outline: it becomes a cylinder of its mean radius, with the area of a sphere.
    ContourSoma {
        /// Points of the outline.
        points: usize,
        /// Mean distance from the centre, µm.
        radius: f64,
    },
    /// Several outlines of the soma; only the largest is used.
    SeveralContours {
        /// Number of outlines.
        contours: usize,
    },
    /// There is no soma.
    NoSoma,
    /// There are points of the soma that are not connected to the root by points of the soma.
    ScatteredSoma {
        /// Line of the first such point.
        line: usize,
    },
    /// A point at the place of its parent was merged with it.
    ZeroLength {
        /// Line of the point.
        line: usize,
    },
    /// A neurite of one point: it is connected to the centre of the soma.
    SinglePointNeurite {
        /// Line of the point.
        line: usize,
    },
    /// The radius changes by more than a factor of five between neighbours.
    RadiusJump {
        /// Line of the distal point.
        line: usize,
        /// Radius of its parent, µm.
        from: f64,
        /// Its radius, µm.
        to: f64,
    },
    /// Parts of the file were left out because another root was chosen.
    LeftOut {
        /// Points left out.
        points: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SinglePointSoma { radius } => write!(
                f,
                "the soma is one point of radius {radius} µm: taken as a cylinder of that radius, as long as wide"
            ),
            Self::ContourSoma { points, radius } => write!(
                f,
                "the soma is an outline of {points} points: taken as a cylinder of its mean radius {radius:.3} µm, as long as wide"
            ),
            Self::SeveralContours { contours } => {
                write!(
                    f,
                    "the soma has {contours} outlines: only the largest is used"
                )
            }
            Self::NoSoma => write!(f, "there is no soma"),
            Self::ScatteredSoma { line } => {
                write!(
                    f,
                    "line {line}: a point of the soma that is not connected to a soma at the root"
                )
            }
            Self::ZeroLength { line } => write!(
                f,
                "line {line}: a point at the place of its parent: merged with it"
            ),
            Self::SinglePointNeurite { line } => {
                write!(
                    f,
                    "line {line}: a neurite of one point: connected to the centre of the soma"
                )
            }
            Self::RadiusJump { line, from, to } => {
                write!(f, "line {line}: the radius jumps from {from} to {to} µm")
            }
            Self::LeftOut { points } => write!(
                f,
                "{points} points of other parts of the file were left out"
            ),
        }
    }
}

/// Why a morphology cannot be written as SWC.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// A branch is attached inside a frustum.
    #[error(
        "branch {branch} is attached at x = {x} of branch {parent}, where no point is; SWC can only attach to points: cut \
         the frustum there"
    )]
    InteriorAttachment {
        /// The branch.
        branch: usize,
        /// Its parent.
        parent: usize,
        /// Position on the parent.
        x: f64,
    },
}
