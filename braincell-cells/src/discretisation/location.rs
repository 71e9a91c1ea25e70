//! Regions and locations on control volumes and points.

use super::{Discretisation, containing, points};
use crate::morphology::{Region, RegionError};

/// Places on a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Location {
    /// A position on a branch.
    At {
        /// The branch.
        branch: usize,
        /// Normalised position, 0 at the end nearer the root.
        x: f64,
    },
    /// The root: x = 0 of branch 0.
    Root,
    /// All free ends, see [`crate::morphology::Morphology::terminals`].
    Terminals,
    /// The centres of the control volumes whose centre lies in a region.
    Centres(Region),
}

impl Discretisation {
    fn check(&self, branch: usize, x: f64) -> Result<(), RegionError> {
        let branches = self.branch_cvs.len();
        if branch >= branches {
            return Err(RegionError::NoSuchBranch { branch, branches });
        }
        if !(0.0..=1.0).contains(&x) {
            return Err(RegionError::Position { branch, x });
        }
        Ok(())
    }

    /// The control volume that contains a position of a branch; a border belongs to the distal one.
    ///
    /// # Errors
    /// No such branch or position.
    pub fn cv_at(&self, branch: usize, x: f64) -> Result<usize, RegionError> {
        self.check(branch, x)?;
        Ok(containing(&self.branch_cvs[branch], x))
    }

    /// The node of a position of a branch: at x = 0 and 1 the end of the branch, between them the centre of the control
    /// volume that contains it.
    ///
    /// # Errors
    /// No such branch or position.
    pub fn node_at(&self, branch: usize, x: f64) -> Result<usize, RegionError> {
        let cv = self.cv_at(branch, x)?;
        Ok(points::place(x, self.branch_ends[branch], || {
            self.cv_to_node[cv]
        }))
    }

    /// The places (branch, x) of a location.
    ///
    /// # Errors
    /// No such branch or position, or a region that cannot be evaluated.
    pub fn places(&self, location: &Location) -> Result<Vec<(usize, f64)>, RegionError> {
        match location {
            Location::At { branch, x } => {
                self.check(*branch, *x)?;
                Ok(vec![(*branch, *x)])
            }
            Location::Root => Ok(vec![(0, 0.0)]),
            Location::Terminals => Ok(self
                .morphology
                .terminals()
                .into_iter()
                .map(|b| (b, 1.0))
                .collect()),
            Location::Centres(region) => {
                let intervals = region.intervals(&self.morphology)?;
                let inside = |branch: usize, x: f64| {
                    let list = &intervals[branch];
                    let k = list.partition_point(|(_, high)| *high < x);
                    list.get(k).is_some_and(|(low, _)| *low <= x)
                };
                let centres = self.cvs.iter().map(|cv| (cv.branch, cv.centre()));
                Ok(centres.filter(|(branch, x)| inside(*branch, *x)).collect())
            }
        }
    }

    /// The nodes of a location, in the order of [`Discretisation::places`].
    ///
    /// # Errors
    /// Those of [`Discretisation::places`].
    pub fn nodes_of(&self, location: &Location) -> Result<Vec<usize>, RegionError> {
        self.places(location)?
            .into_iter()
            .map(|(branch, x)| self.node_at(branch, x))
            .collect()
    }

    /// The control volumes that a region touches, ascending, each with the fraction of its lateral area that the region
    /// covers, above 0 and at most 1. The area of the frusta is integrated exactly.
    ///
    /// # Errors
    /// A region that cannot be evaluated.
    pub fn coverage(&self, region: &Region) -> Result<Vec<(usize, f64)>, RegionError> {
        let mut covered = Vec::new();
        for (branch, intervals) in region.intervals(&self.morphology)?.iter().enumerate() {
            let shape = &self.morphology.branches()[branch];
            let mut first = 0;
            for cv in self.branch_cvs[branch].clone() {
                let (prox, dist) = (self.cvs[cv].prox, self.cvs[cv].dist);
                while first < intervals.len() && intervals[first].1 <= prox {
                    first += 1;
                }
                let mut area = 0.0;
                for &(low, high) in intervals[first..].iter().take_while(|(low, _)| *low < dist) {
                    area += if low <= prox && high >= dist {
                        self.cvs[cv].area
                    } else {
                        shape.area_between(low.max(prox), high.min(dist))
                    };
                }
                let fraction = (area / self.cvs[cv].area).min(1.0);
                if fraction > 0.0 {
                    covered.push((cv, fraction));
                }
            }
        }
        Ok(covered)
    }
}
