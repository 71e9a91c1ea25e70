//! How a quantity is distributed over a cell.

use braincell_core::model::Values;
use std::fmt;
use std::sync::Arc;

/// A function of the path distance from the root, µm.
#[derive(Clone)]
pub struct Profile(Arc<dyn Fn(f64) -> f64 + Send + Sync>);

impl Profile {
    /// Any function of the path distance in µm.
    pub fn function(f: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(f))
    }

    /// at_root + slope · distance; the slope per µm.
    pub fn linear(at_root: f64, slope: f64) -> Self {
        Self::function(move |distance| slope.mul_add(distance, at_root))
    }

    /// far + (at_root - far) · e^(-distance / length); the length in µm.
    pub fn exponential(at_root: f64, far: f64, length: f64) -> Self {
        Self::function(move |distance| (at_root - far).mul_add((-distance / length).exp(), far))
    }

    /// The value at a path distance, µm.
    pub fn at(&self, distance: f64) -> f64 {
        (self.0)(distance)
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Profile(function of the path distance)")
    }
}

/// How a quantity is distributed over the compartments and cells that have it.
#[derive(Clone, Debug)]
pub enum Distribution {
    /// Numbers. [`Values::PerElement`] has one for each control volume that the region touches, in ascending order.
    Values(Values),
    /// A function of the path distance, taken at the centres of the control volumes. A single compartment is the root.
    Profile(Profile),
}

impl From<f64> for Distribution {
    fn from(x: f64) -> Self {
        Self::Values(x.into())
    }
}

impl From<Values> for Distribution {
    fn from(values: Values) -> Self {
        Self::Values(values)
    }
}

impl From<Profile> for Distribution {
    fn from(profile: Profile) -> Self {
        Self::Profile(profile)
    }
}

impl Distribution {
    /// The numbers at compartments with these path distances.
    pub(crate) fn values(&self, distances: &[f64]) -> Values {
        match self {
            Self::Values(values) => values.clone(),
            Self::Profile(profile) => match distances {
                [one] => Values::Uniform(profile.at(*one)),
                _ => Values::PerElement(distances.iter().map(|&d| profile.at(d)).collect()),
            },
        }
    }
}
