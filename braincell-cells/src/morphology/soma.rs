//! What the points of a soma mean.
//!
//! | points | meaning |
//! |---|---|
//! | one, or several in one place | a sphere |
//! | a centre and two points at ± its radius | a sphere ([NeuroMorpho.org](https://neuromorpho.org) convention) |
//! | a chain of four or more that closes | an outline: a sphere of its mean radius |
//! | anything else | cones, as for any other part of the cell |
//!
//! A sphere of radius r becomes a cylinder of length 2r and radius r, which has the same area. Neurites begin at their
//! own first point and are attached in the middle of the cylinder.

use super::samples::{Sample, distance};
use super::{BranchType, MIN_LENGTH, Warning};

/// A soma that is a sphere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sphere {
    pub(super) centre: [f64; 3],
    pub(super) radius: f64,
}

/// Deviation from the radius, relative, up to which three points count as centre and ± radius.
const THREE_POINT_TOLERANCE: f64 = 0.05;

/// The sphere made by the soma at the root, with the neurites that start from it in ascending order; `None` if the
/// points of the soma are cones, or if the root is not soma.
pub(super) fn sphere(
    samples: &[Sample],
    children: &[Vec<usize>],
    root: usize,
    warnings: &mut Vec<Warning>,
) -> Option<(Sphere, Vec<usize>)> {
    if samples[root].kind != BranchType::Soma {
        return None;
    }
    let (mut soma, mut stems, mut unbranched) = (vec![root], Vec::new(), true);
    let mut next = 0;
    while next < soma.len() {
        let mut below = 0;
        for &child in &children[soma[next]] {
            if samples[child].kind == BranchType::Soma {
                soma.push(child);
                below += 1;
            } else {
                stems.push(child);
            }
        }
        unbranched &= below <= 1;
        next += 1;
    }
    stems.sort_unstable();
    let Sample {
        radius,
        position: centre,
        ..
    } = samples[root];
    let one_place = soma
        .iter()
        .all(|s| distance(samples[*s].position, centre) < MIN_LENGTH);
    let found = if one_place {
        warnings.push(Warning::SinglePointSoma { radius });
        Some(Sphere { centre, radius })
    } else if soma.len() == 3
        && !unbranched
        && soma[1..]
            .iter()
            .all(|s| at_radius(&samples[root], &samples[*s]))
    {
        Some(Sphere { centre, radius })
    } else if unbranched {
        let outline: Vec<[f64; 3]> = soma.iter().map(|s| samples[*s].position).collect();
        closes(&outline).then(|| outline_sphere(&outline, warnings))
    } else {
        None
    };
    found.map(|sphere| (sphere, stems))
}

fn at_radius(centre: &Sample, point: &Sample) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= THREE_POINT_TOLERANCE * b;
    near(distance(centre.position, point.position), centre.radius)
        && near(point.radius, centre.radius)
}

/// Whether a chain of points comes back to its start: the gap is no larger than the largest step.
fn closes(outline: &[[f64; 3]]) -> bool {
    let steps = outline.windows(2).map(|w| distance(w[0], w[1]));
    outline.len() >= 4
        && distance(outline[0], outline[outline.len() - 1]) <= steps.fold(0.0, f64::max)
}

/// The sphere of an outline: centre of its points, mean distance from it.
pub(super) fn outline_sphere(outline: &[[f64; 3]], warnings: &mut Vec<Warning>) -> Sphere {
    let sphere = mean_sphere(outline);
    warnings.push(Warning::ContourSoma {
        points: outline.len(),
        radius: sphere.radius,
    });
    sphere
}

/// Centre of an outline and mean distance from it; a last point that repeats the first is left out.
pub(super) fn mean_sphere(outline: &[[f64; 3]]) -> Sphere {
    let repeated = outline.len() > 1 && outline[0] == outline[outline.len() - 1];
    let points = &outline[..outline.len() - usize::from(repeated)];
    let count = points.len() as f64;
    let centre = std::array::from_fn(|k| points.iter().map(|p| p[k]).sum::<f64>() / count);
    let radius = points.iter().map(|p| distance(*p, centre)).sum::<f64>() / count;
    Sphere { centre, radius }
}
