//! Regions laid over one another, and quantities that differ between them.

use crate::discretisation::Discretisation;
use crate::distribution::Distribution;
use crate::morphology::{Region, RegionError};
use braincell_core::model::{ModelError, Values};
use ndarray::Array2;

/// A covered fraction that differs from 0 or 1 by less is rounding.
const ROUNDING: f64 = 1e-12;

/// One region.
struct Layer {
    /// The control volumes that the region touches, ascending.
    touched: Vec<usize>,
    /// What later layers leave of it: place among the elements, place in `touched`, fraction of the area.
    left: Vec<(usize, usize, f64)>,
}

/// Regions of which the later ones lie over the earlier ones.
pub(super) struct Layers {
    /// The control volumes that are touched, ascending.
    pub elements: Vec<u32>,
    /// The fraction of the area of each that is covered, if not all are covered wholly.
    pub cover: Option<Vec<f64>>,
    layers: Vec<Layer>,
}

impl Layers {
    pub fn new(d: &Discretisation, regions: &[&Region]) -> Result<Self, RegionError> {
        let mut fractions = vec![0.0; d.cvs().len()];
        let mut coverages = Vec::new();
        for (k, &region) in regions.iter().enumerate() {
            let mut left = region.clone();
            for &later in &regions[k + 1..] {
                left = left.difference(later.clone());
            }
            let touched: Vec<usize> = d.coverage(region)?.into_iter().map(|(cv, _)| cv).collect();
            let left = d.coverage(&left)?;
            let left: Vec<_> = left.into_iter().filter(|(_, f)| *f > ROUNDING).collect();
            for (cv, fraction) in &left {
                fractions[*cv] += fraction;
            }
            coverages.push((touched, left));
        }
        let elements: Vec<u32> = (0..fractions.len() as u32)
            .filter(|&cv| fractions[cv as usize] > 0.0)
            .collect();
        let layers = coverages.into_iter().map(|(touched, left)| {
            let left = left.into_iter().filter_map(|(cv, fraction)| {
                let element = elements.binary_search(&(cv as u32)).ok()?;
                let place = touched.binary_search(&cv).ok()?;
                Some((element, place, fraction))
            });
            let left = left.collect();
            Layer { touched, left }
        });
        let layers = layers.collect();
        let cover = elements.iter().map(|&cv| match fractions[cv as usize] {
            whole if whole > 1.0 - ROUNDING => 1.0,
            part => part,
        });
        let cover: Vec<f64> = cover.collect();
        let cover = cover.iter().any(|&f| f != 1.0).then_some(cover);
        Ok(Self {
            elements,
            cover,
            layers,
        })
    }

    /// How much the value in one region counts at each element: 1 where no later region lies over it, 0 outside, and its
    /// part of the covered area where several regions meet.
    pub fn share(&self, layer: usize) -> Vec<f64> {
        let mut shares = vec![0.0; self.elements.len()];
        let mut totals = vec![0.0; self.elements.len()];
        for (k, one) in self.layers.iter().enumerate() {
            for &(element, _, fraction) in &one.left {
                totals[element] += fraction;
                if k == layer {
                    shares[element] = fraction;
                }
            }
        }
        let pairs = shares.iter_mut().zip(&totals);
        // A fraction divided by itself is 1, without rounding.
        pairs.for_each(|(share, total)| *share /= total);
        shares
    }

    /// A quantity with a distribution in each region. Where several regions meet in one control volume it has their
    /// mean by area.
    pub fn values(
        &self,
        d: &Discretisation,
        name: &str,
        distributions: &[Distribution],
        cells: usize,
    ) -> Result<Values, ModelError> {
        let mut layers = Vec::new();
        for (layer, distribution) in self.layers.iter().zip(distributions) {
            let distances: Vec<f64> = (layer.touched.iter())
                .map(|&cv| d.cvs()[cv].path_distance)
                .collect();
            let values = distribution.values(&distances);
            check(name, &values, layer.touched.len(), cells)?;
            layers.push((layer, values));
        }
        let uniform = |values: &Values| match values {
            Values::Uniform(x) => Some(*x),
            _ => None,
        };
        if let Some(x) = uniform(&layers[0].1)
            && layers.iter().all(|(_, values)| uniform(values) == Some(x))
        {
            return Ok(Values::Uniform(x));
        }
        if let [(_, values @ Values::PerCell(_))] = &layers[..] {
            return Ok(values.clone());
        }
        let differ = |values: &Values| matches!(values, Values::PerCell(_) | Values::Each(_));
        let columns = match layers.iter().any(|(_, values)| differ(values)) {
            true => cells,
            false => 1,
        };
        // Σ fraction · value and Σ fraction; a single layer gives its value without rounding.
        let mut sums = Array2::zeros((self.elements.len(), columns));
        let mut weights = vec![0.0; self.elements.len()];
        for (layer, values) in &layers {
            for &(element, place, fraction) in &layer.left {
                let total: f64 = weights[element] + fraction;
                for cell in 0..columns {
                    let x = values.at(place, cell);
                    let sum: &mut f64 = &mut sums[[element, cell]];
                    *sum = match weights[element] {
                        0.0 => x,
                        _ => *sum + (x - *sum) * (fraction / total),
                    };
                }
                weights[element] = total;
            }
        }
        Ok(match columns {
            1 => Values::PerElement(sums.into_iter().collect()),
            _ => Values::Each(sums),
        })
    }
}

/// Checks that there is a number for every control volume and cell.
fn check(name: &str, values: &Values, elements: usize, cells: usize) -> Result<(), ModelError> {
    let (given, right, wanted) = match values {
        Values::Uniform(_) => return Ok(()),
        Values::PerElement(x) => (
            x.len(),
            x.len() == elements,
            format!("the region touches {elements} control volumes"),
        ),
        Values::PerCell(x) => (
            x.len(),
            x.len() == cells,
            format!("there are {cells} cells"),
        ),
        Values::Each(x) => (
            x.len(),
            x.dim() == (elements, cells),
            format!("the region touches {elements} control volumes in each of {cells} cells"),
        ),
    };
    match right {
        true => Ok(()),
        false => Err(ModelError::Length {
            name: name.to_string(),
            given,
            wanted,
        }),
    }
}
