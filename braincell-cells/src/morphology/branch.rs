//! Frusta, branches and their types.

use super::{MAX_SIZE, MIN_LENGTH, MIN_RADIUS, MorphologyError};
use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

/// What part of the neuron a branch belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BranchType {
    /// Cell body, SWC type 1.
    Soma,
    /// Axon, SWC type 2.
    Axon,
    /// Basal dendrite, or dendrite of no particular kind, SWC type 3.
    BasalDendrite,
    /// Apical dendrite, SWC type 4.
    ApicalDendrite,
    /// Any other SWC type, by its number (0 is "undefined").
    Custom(u32),
}

impl BranchType {
    /// The type with a given SWC number.
    pub fn from_swc(number: u32) -> Self {
        match number {
            1 => Self::Soma,
            2 => Self::Axon,
            3 => Self::BasalDendrite,
            4 => Self::ApicalDendrite,
            other => Self::Custom(other),
        }
    }

    /// The SWC number of the type.
    pub fn swc(self) -> u32 {
        match self {
            Self::Soma => 1,
            Self::Axon => 2,
            Self::BasalDendrite => 3,
            Self::ApicalDendrite => 4,
            Self::Custom(number) => number,
        }
    }
}

impl fmt::Display for BranchType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Soma => f.pad("soma"),
            Self::Axon => f.pad("axon"),
            Self::BasalDendrite => f.pad("basal_dendrite"),
            Self::ApicalDendrite => f.pad("apical_dendrite"),
            Self::Custom(number) => f.pad(&format!("custom_{number}")),
        }
    }
}

/// A text that names no branch type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown branch type \"{0}\": use soma, axon, dendrite (or basal_dendrite), apical_dendrite, or custom_N with the \
     number N of the SWC file"
)]
pub struct UnknownType(pub String);

impl FromStr for BranchType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        match text {
            "soma" => Ok(Self::Soma),
            "axon" => Ok(Self::Axon),
            "dendrite" | "basal_dendrite" | "basal" => Ok(Self::BasalDendrite),
            "apical_dendrite" | "apical" => Ok(Self::ApicalDendrite),
            _ => text
                .strip_prefix("custom_")
                .and_then(|number| number.parse().ok())
                .map(Self::from_swc)
                .ok_or_else(|| UnknownType(text.to_owned())),
        }
    }
}

/// A truncated cone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frustum {
    /// Length along the axis, µm.
    pub length: f64,
    /// Radius at the proximal end, µm.
    pub r0: f64,
    /// Radius at the distal end, µm.
    pub r1: f64,
}

impl Frustum {
    /// A cone from radius `r0` to radius `r1`.
    pub fn new(length: f64, r0: f64, r1: f64) -> Self {
        Self { length, r0, r1 }
    }

    /// A cylinder.
    pub fn cylinder(length: f64, radius: f64) -> Self {
        Self::new(length, radius, radius)
    }

    /// Area of the mantle, π(r0 + r1)√(L² + (r1 − r0)²), in µm².
    pub fn area(&self) -> f64 {
        let step = self.r1 - self.r0;
        PI * (self.r0 + self.r1) * (self.length * self.length + step * step).sqrt()
    }

    /// Volume, πL(r0² + r0 r1 + r1²)/3, in µm³.
    pub fn volume(&self) -> f64 {
        PI * self.length * (self.r0 * self.r0 + self.r0 * self.r1 + self.r1 * self.r1) / 3.0
    }

    /// Axial resistance divided by the resistivity, ∫ds/(πr²) = L/(π r0 r1), in 1/µm.
    pub fn axial_factor(&self) -> f64 {
        self.length / (PI * self.r0 * self.r1)
    }

    /// Radius at the distance `s` µm from the proximal end.
    pub fn radius_at(&self, s: f64) -> f64 {
        self.r0 + (self.r1 - self.r0) * (s / self.length)
    }

    /// The part between the distances `a` and `b` from the proximal end, clipped to the frustum.
    fn part(&self, a: f64, b: f64) -> Self {
        let r0 = if a <= 0.0 { self.r0 } else { self.radius_at(a) };
        let r1 = if b >= self.length {
            self.r1
        } else {
            self.radius_at(b)
        };
        Self::new(b.min(self.length) - a.max(0.0), r0, r1)
    }

    fn reversed(&self) -> Self {
        Self::new(self.length, self.r1, self.r0)
    }
}

/// Where a branch is attached: position `x` (0 to 1) on the branch `branch`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attachment {
    /// Index of the parent branch.
    pub branch: usize,
    /// Normalised position on the parent branch.
    pub x: f64,
}

/// What [`super::Morphology::new`] needs to know of one branch.
#[derive(Clone, Debug, PartialEq)]
pub struct BranchSpec {
    /// Type of the branch.
    pub kind: BranchType,
    /// Frusta from the proximal to the distal end.
    pub frusta: Vec<Frustum>,
    /// Ends of the frusta in space, one more than there are frusta, or `None` for a layout made for drawing.
    pub points: Option<Vec<[f64; 3]>>,
    /// Attachment to a branch that comes earlier; `None` for the root.
    pub parent: Option<Attachment>,
}

impl BranchSpec {
    /// The root branch.
    pub fn root(kind: BranchType, frusta: Vec<Frustum>) -> Self {
        Self {
            kind,
            frusta,
            points: None,
            parent: None,
        }
    }

    /// A branch whose proximal end is attached at position `x` of the branch `parent`.
    pub fn child(parent: usize, x: f64, kind: BranchType, frusta: Vec<Frustum>) -> Self {
        Self {
            kind,
            frusta,
            points: None,
            parent: Some(Attachment { branch: parent, x }),
        }
    }

    /// The same branch with the ends of its frusta in space.
    pub fn with_points(mut self, points: Vec<[f64; 3]>) -> Self {
        self.points = Some(points);
        self
    }

    /// The same branch attached by its other end. A branch always has x = 0 at the end by which it is attached, so this
    /// turns the chain of frusta round.
    pub fn reversed(mut self) -> Self {
        self.frusta = self.frusta.iter().rev().map(Frustum::reversed).collect();
        if let Some(points) = &mut self.points {
            points.reverse();
        }
        self
    }
}

/// An unbranched piece of a neuron.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    kind: BranchType,
    frusta: Vec<Frustum>,
    points: Vec<[f64; 3]>,
    parent: Option<Attachment>,
    /// Distance from the proximal end to each end of a frustum; one more than frusta.
    arcs: Vec<f64>,
}

impl Branch {
    /// Checks sizes; `index` is for the messages.
    pub(super) fn new(
        spec: BranchSpec,
        points: Vec<[f64; 3]>,
        index: usize,
    ) -> Result<Self, MorphologyError> {
        if spec.frusta.is_empty() {
            return Err(MorphologyError::NoFrusta { branch: index });
        }
        let mut arcs = Vec::with_capacity(spec.frusta.len() + 1);
        let mut arc = 0.0;
        arcs.push(arc);
        for (frustum, f) in spec.frusta.iter().enumerate() {
            if !(MIN_LENGTH..=MAX_SIZE).contains(&f.length) {
                return Err(MorphologyError::Length {
                    branch: index,
                    frustum,
                    length: f.length,
                });
            }
            for radius in [f.r0, f.r1] {
                if !(MIN_RADIUS..=MAX_SIZE).contains(&radius) {
                    return Err(MorphologyError::Radius {
                        branch: index,
                        frustum,
                        radius,
                    });
                }
            }
            arc += f.length;
            arcs.push(arc);
        }
        if points.len() != arcs.len() {
            return Err(MorphologyError::Points {
                branch: index,
                points: points.len(),
                needed: arcs.len(),
            });
        }
        if points.iter().flatten().any(|c| !c.is_finite()) {
            return Err(MorphologyError::Coordinate { branch: index });
        }
        Ok(Self {
            kind: spec.kind,
            frusta: spec.frusta,
            points,
            parent: spec.parent,
            arcs,
        })
    }

    /// Type of the branch.
    pub fn kind(&self) -> BranchType {
        self.kind
    }

    /// The frusta, from the proximal to the distal end.
    pub fn frusta(&self) -> &[Frustum] {
        &self.frusta
    }

    /// The ends of the frusta in space, one more than there are frusta.
    pub fn points(&self) -> &[[f64; 3]] {
        &self.points
    }

    /// Where the proximal end (x = 0) is attached; `None` for the root.
    pub fn parent(&self) -> Option<Attachment> {
        self.parent
    }

    /// Length, µm.
    pub fn length(&self) -> f64 {
        self.arcs[self.arcs.len() - 1]
    }

    /// Lateral area, µm².
    pub fn area(&self) -> f64 {
        self.frusta.iter().map(Frustum::area).sum()
    }

    /// Volume, µm³.
    pub fn volume(&self) -> f64 {
        self.frusta.iter().map(Frustum::volume).sum()
    }

    /// Normalised positions of the ends of the frusta, from 0 to 1.
    pub fn ends(&self) -> impl Iterator<Item = f64> + '_ {
        let length = self.length();
        self.arcs.iter().map(move |s| s / length)
    }

    /// Index of the end of a frustum that is at the position x, to rounding.
    pub(super) fn end_at(&self, x: f64) -> Option<usize> {
        let (s, slack) = (x * self.length(), 1e-12 * self.length());
        let index = self.arcs.partition_point(|end| *end < s - slack);
        self.arcs
            .get(index)
            .filter(|end| **end <= s + slack)
            .map(|_| index)
    }

    /// Index of the frustum that contains the arc length `s`, and the distance from its proximal end.
    fn frustum_at(&self, s: f64) -> (usize, f64) {
        let index = self
            .arcs
            .partition_point(|end| *end <= s)
            .clamp(1, self.frusta.len())
            - 1;
        (index, s - self.arcs[index])
    }

    /// Radius in µm at the position x, which is clamped to 0..1; at a step, that of the distal side.
    pub fn radius_at(&self, x: f64) -> f64 {
        if x >= 1.0 {
            return self.frusta[self.frusta.len() - 1].r1;
        }
        let (index, s) = self.frustum_at(x.max(0.0) * self.length());
        let f = &self.frusta[index];
        f.radius_at(s.min(f.length))
    }

    /// Point of the axis at the position x, which is clamped to 0..1.
    pub fn point_at(&self, x: f64) -> [f64; 3] {
        let (index, s) = self.frustum_at(x.clamp(0.0, 1.0) * self.length());
        let t = (s / self.frusta[index].length).clamp(0.0, 1.0);
        let (a, b) = (self.points[index], self.points[index + 1]);
        std::array::from_fn(|k| (1.0 - t) * a[k] + t * b[k])
    }

    /// The frusta between the positions `x0` and `x1`, the first and last cut to fit.
    pub fn between(&self, x0: f64, x1: f64) -> impl Iterator<Item = Frustum> + '_ {
        let length = self.length();
        let a = x0.max(0.0) * length;
        let b = if x1 >= 1.0 { length } else { x1 * length };
        let first = self.frustum_at(a).0;
        (first..self.frusta.len())
            .take_while(move |i| self.arcs[*i] < b)
            .map(move |i| {
                // A whole frustum is kept as it is: the difference of arcs would be off by rounding.
                let far = if b >= self.arcs[i + 1] {
                    f64::INFINITY
                } else {
                    b - self.arcs[i]
                };
                self.frusta[i].part(a - self.arcs[i], far)
            })
            .filter(|f| f.length > 0.0)
    }

    /// Lateral area between the positions `x0` and `x1`, µm².
    pub fn area_between(&self, x0: f64, x1: f64) -> f64 {
        self.between(x0, x1).map(|f| f.area()).sum()
    }

    /// Axial resistance between two positions divided by the resistivity, Σ L/(π r0 r1), in 1/µm.
    pub fn axial_factor_between(&self, x0: f64, x1: f64) -> f64 {
        self.between(x0, x1).map(|f| f.axial_factor()).sum()
    }
}
