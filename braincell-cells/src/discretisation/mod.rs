//! Cutting a morphology into control volumes, and the tree of points on which the cable equation is solved.
//!
//! Each branch is cut into pieces of equal length, the *control volumes*. The centre of each carries its membrane; the
//! ends of branches are points without membrane. Neighbouring points are joined by the axial conductance between
//! them: a half of a control volume has the resistance Ra Σ L/(π r0 r1) over its frusta, where the resistances of
//! the two halves that meet inside a branch are in series.
//!
//! ```
//! use braincell_cells::discretisation::{Discretisation, Policy};
//! use braincell_cells::morphology::builders;
//!
//! let cell = builders::ball_and_stick(10.0, 200.0, 1.0)?;
//! let d = Discretisation::new(cell, &Policy::MaxLength(60.0).into(), 100.0)?;
//! assert_eq!(d.cvs().len(), 1 + 5);
//! assert_eq!(d.nodes().len(), 6 + 3); // three ends
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod location;
mod points;
mod policy;

pub use location::Location;
pub use points::{Edge, Node};
pub use policy::{Policy, Rules};

use crate::morphology::{Branch, Morphology};
use std::ops::Range;
use std::sync::Arc;

/// Most control volumes that one morphology may be cut into. Each takes about a kilobyte in a run.
pub const MAX_CONTROL_VOLUMES: usize = 1_000_000;

/// A piece of a branch.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlVolume {
    /// The branch.
    pub branch: usize,
    /// Position of the proximal end on the branch, normalised.
    pub prox: f64,
    /// Position of the distal end on the branch, normalised.
    pub dist: f64,
    /// Length, µm.
    pub length: f64,
    /// Lateral area, µm².
    pub area: f64,
    /// Radius at the centre, µm.
    pub radius: f64,
    /// Resistivity of the cytoplasm, Ω·cm.
    pub resistivity: f64,
    /// Axial resistance of the proximal half, Ω.
    pub resistance_prox: f64,
    /// Axial resistance of the distal half, Ω.
    pub resistance_dist: f64,
    /// Distance of the centre from the root along the branches, µm.
    pub path_distance: f64,
    /// The control volume to which the proximal end is attached; `None` for the first one of the root branch. What
    /// is attached at x = 0 of a branch names its first control volume.
    pub parent: Option<usize>,
}

impl ControlVolume {
    /// Position of the centre on the branch, normalised.
    pub fn centre(&self) -> f64 {
        0.5 * (self.prox + self.dist)
    }
}

/// Why a morphology could not be cut.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DiscretisationError {
    /// A policy with a parameter that is not usable.
    #[error("policy {policy}: {name} = {value}; it must be {expected}")]
    Policy {
        /// The policy.
        policy: &'static str,
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What is accepted.
        expected: &'static str,
    },
    /// Too many control volumes.
    #[error(
        "branch {branch} would be cut into {count:e} pieces, with which the cell has more than {MAX_CONTROL_VOLUMES} control volumes; {}",
        policy.coarser()
    )]
    TooMany {
        /// The branch at which the limit is passed.
        branch: usize,
        /// Control volumes of that branch.
        count: f64,
        /// The policy for that branch.
        policy: Policy,
    },
    /// A resistivity that is not positive and finite.
    #[error(
        "the resistivity of control volume {cv} is {value} Ω·cm; it must be between 1e-6 and 1e12"
    )]
    Resistivity {
        /// The control volume.
        cv: usize,
        /// The resistivity, Ω·cm.
        value: f64,
    },
    /// The number of values does not fit.
    #[error("{found} resistivities for {needed} control volumes: give one for each")]
    Count {
        /// Values given.
        found: usize,
        /// Values needed.
        needed: usize,
    },
}

/// A morphology cut into control volumes, with its tree of points.
///
/// Control volumes are numbered branch by branch, from the proximal to the distal end. Points (nodes) are numbered: the
/// proximal end of the root, then for each branch the centres of its control volumes and its distal end. Parents
/// come before children; edge k joins node k + 1 to its parent.
#[derive(Clone, Debug, PartialEq)]
pub struct Discretisation {
    morphology: Arc<Morphology>,
    cvs: Vec<ControlVolume>,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    cv_to_node: Vec<usize>,
    branch_cvs: Vec<Range<usize>>,
    branch_ends: Vec<(usize, usize)>,
}

impl Discretisation {
    /// Cuts a morphology by the rules; `resistivity` is that of the cytoplasm, in Ω·cm, see also
    /// [`Discretisation::set_resistivity`].
    ///
    /// # Errors
    /// A policy or resistivity that is not usable, or too many control volumes.
    pub fn new(
        morphology: impl Into<Arc<Morphology>>,
        rules: &Rules,
        resistivity: f64,
    ) -> Result<Self, DiscretisationError> {
        let morphology = morphology.into();
        let counts = rules.counts(&morphology)?;
        check_resistivity(0, resistivity)?;
        let total = counts.iter().sum();
        let mut cvs: Vec<ControlVolume> = Vec::with_capacity(total);
        let mut branch_cvs: Vec<Range<usize>> = Vec::with_capacity(counts.len());
        for (index, (branch, &count)) in morphology.branches().iter().zip(&counts).enumerate() {
            let first = cvs.len();
            for k in 0..count {
                let parent = match (k, branch.parent()) {
                    (0, None) => None,
                    (0, Some(at)) => Some(containing(&branch_cvs[at.branch], at.x)),
                    _ => Some(cvs.len() - 1),
                };
                cvs.push(cut(
                    &morphology,
                    index,
                    branch,
                    (k, count),
                    resistivity,
                    parent,
                ));
            }
            branch_cvs.push(first..cvs.len());
        }
        let points = points::build(&morphology, &cvs, &branch_cvs);
        let points::Points {
            nodes,
            edges,
            cv_to_node,
            branch_ends,
        } = points;
        Ok(Self {
            morphology,
            cvs,
            nodes,
            edges,
            cv_to_node,
            branch_cvs,
            branch_ends,
        })
    }

    /// The morphology that was cut.
    pub fn morphology(&self) -> &Arc<Morphology> {
        &self.morphology
    }

    /// The control volumes.
    pub fn cvs(&self) -> &[ControlVolume] {
        &self.cvs
    }

    /// The points.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The edges of the tree of points; edge k leads from node k + 1 to its parent.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// For each control volume the node at its centre.
    pub fn cv_to_node(&self) -> &[usize] {
        &self.cv_to_node
    }

    /// For each branch its control volumes.
    pub fn branch_cvs(&self) -> &[Range<usize>] {
        &self.branch_cvs
    }

    /// For each branch the nodes at its proximal and its distal end. The proximal one is the centre of a control volume
    /// if the branch is attached inside its parent.
    pub fn branch_ends(&self) -> &[(usize, usize)] {
        &self.branch_ends
    }

    /// Gives each control volume its own resistivity, in Ω·cm, and renews all resistances and conductances.
    ///
    /// # Errors
    /// A wrong number of values, or one that is not usable; nothing is changed then.
    pub fn set_resistivity(&mut self, resistivity: &[f64]) -> Result<(), DiscretisationError> {
        if resistivity.len() != self.cvs.len() {
            return Err(DiscretisationError::Count {
                found: resistivity.len(),
                needed: self.cvs.len(),
            });
        }
        for (cv, value) in resistivity.iter().enumerate() {
            check_resistivity(cv, *value)?;
        }
        for (cv, value) in self.cvs.iter_mut().zip(resistivity) {
            let branch = &self.morphology.branches()[cv.branch];
            let centre = cv.centre();
            cv.resistivity = *value;
            cv.resistance_prox = resistance(branch, cv.prox, centre, *value);
            cv.resistance_dist = resistance(branch, centre, cv.dist, *value);
        }
        self.edges = points::build(&self.morphology, &self.cvs, &self.branch_cvs).edges;
        Ok(())
    }
}

fn check_resistivity(cv: usize, value: f64) -> Result<(), DiscretisationError> {
    if !(1e-6..=1e12).contains(&value) {
        return Err(DiscretisationError::Resistivity { cv, value });
    }
    Ok(())
}

/// Axial resistance in Ω between two positions of a branch, for a resistivity in Ω·cm.
fn resistance(branch: &Branch, x0: f64, x1: f64, resistivity: f64) -> f64 {
    const MICROMETRES_PER_CM: f64 = 1e4;
    MICROMETRES_PER_CM * resistivity * branch.axial_factor_between(x0, x1)
}

/// Of the control volumes of a branch the one that contains x; a border belongs to the distal one.
fn containing(cvs: &Range<usize>, x: f64) -> usize {
    let k = (x * cvs.len() as f64) as usize;
    cvs.start + k.min(cvs.len() - 1)
}

/// Piece k of `count` of a branch.
fn cut(
    morphology: &Morphology,
    index: usize,
    branch: &Branch,
    (k, count): (usize, usize),
    resistivity: f64,
    parent: Option<usize>,
) -> ControlVolume {
    let border = |k: usize| k as f64 / count as f64;
    let (prox, dist) = (border(k), border(k + 1));
    let centre = 0.5 * (prox + dist);
    ControlVolume {
        branch: index,
        prox,
        dist,
        length: branch.length() / count as f64,
        area: branch.area_between(prox, centre) + branch.area_between(centre, dist),
        radius: branch.radius_at(centre),
        resistivity,
        resistance_prox: resistance(branch, prox, centre, resistivity),
        resistance_dist: resistance(branch, centre, dist, resistivity),
        path_distance: morphology.path_distance(index, centre),
        parent,
    }
}
