//! Random neurons: a soma, dendrites that fork and taper, an axon.
//!
//! The soma is a sphere of radius `soma_radius`. `stems` dendrites leave it in directions spread evenly over the
//! sphere (Fibonacci lattice), the axon leaves downwards. A branch is a chain of segments of `segment` µm whose
//! direction wanders; its length is drawn uniformly around a mean that shrinks by `length_ratio` with each order. At its
//! end it forks with a probability that falls linearly with the order, from 1 on the stems to 0 at `max_order`. The
//! radii of the daughters follow Rall's 3/2 power law, r₁^{3/2} + r₂^{3/2} = r^{3/2}, with a random split: W. Rall,
//! Branching dendritic trees and motoneuron membrane resistivity, Exp. Neurol. 1 (1959),
//! [doi:10.1016/0014-4886(59)90046-9](https://doi.org/10.1016/0014-4886(59)90046-9). Along a branch the radius falls
//! linearly to the fraction 1 − `taper`; the first segment of a daughter is a cone that begins with the radius of its
//! mother, as in reconstructions. Coordinates and radii are rounded to 0.001 µm.
//!
//! The same parameters give the same neuron on every machine, up to the last place of sin, cos and powers of the
//! system, which the rounding absorbs.

use super::samples::{Sample, assemble};
use super::soma::Sphere;
use super::{BranchType, Morphology, MorphologyError, ReadError};
use std::f64::consts::PI;

/// Parameters of a random neuron. Sizes in µm.
#[derive(Clone, Debug, PartialEq)]
pub struct Neuron {
    /// Seed of the random numbers.
    pub seed: u64,
    /// Radius of the soma.
    pub soma_radius: f64,
    /// Number of dendrites that leave the soma.
    pub stems: usize,
    /// Radius of a dendrite at the soma.
    pub stem_radius: f64,
    /// Radius below which a branch does not fork, and below which none tapers.
    pub min_radius: f64,
    /// Mean length of a stem.
    pub stem_length: f64,
    /// Mean length of a branch over that of its parent.
    pub length_ratio: f64,
    /// Length of a branch: mean · (1 ± this), from 0 to 0.9.
    pub length_spread: f64,
    /// Largest order: a branch of this order does not fork; at most 20.
    pub max_order: usize,
    /// Relative loss of radius along a branch, from 0 to 0.9.
    pub taper: f64,
    /// Smaller daughter's part of r^{3/2} at a fork: drawn uniformly from this to 1/2; above 0, at most 0.5.
    pub asymmetry: f64,
    /// Angle between a daughter and its parent, in degrees.
    pub fork_angle: f64,
    /// Change of direction per segment, in degrees.
    pub wander: f64,
    /// Length of a segment.
    pub segment: f64,
    /// Length of the axon; 0 for none.
    pub axon_length: f64,
    /// Radius of the axon.
    pub axon_radius: f64,
}

impl Default for Neuron {
    fn default() -> Self {
        Self {
            seed: 1,
            soma_radius: 8.0,
            stems: 5,
            stem_radius: 1.2,
            min_radius: 0.25,
            stem_length: 60.0,
            length_ratio: 1.2,
            length_spread: 0.4,
            max_order: 3,
            taper: 0.25,
            asymmetry: 0.3,
            fork_angle: 35.0,
            wander: 8.0,
            segment: 8.0,
            axon_length: 300.0,
            axon_radius: 0.5,
        }
    }
}

/// SplitMix64: G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014,
/// [doi:10.1145/2660193.2660195](https://doi.org/10.1145/2660193.2660195).
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * ((self.next() >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

/// A branch that is to grow.
struct Bud {
    /// The sample it grows from.
    from: usize,
    direction: [f64; 3],
    radius: f64,
    mean_length: f64,
    order: usize,
}

/// Most points that a neuron may be asked to have.
const MAX_POINTS: f64 = 1e7;

/// Makes a random neuron.
///
/// # Errors
/// A parameter outside of its range, or more than ten million points.
pub fn neuron(parameters: &Neuron) -> Result<Morphology, MorphologyError> {
    check(parameters)?;
    let p = parameters;
    let mut random = SplitMix64(p.seed);
    let mut samples = Vec::new();
    let mut stems = Vec::new();
    let surface = |d: [f64; 3]| d.map(|x| rounded(x * p.soma_radius));
    for stem in 0..p.stems {
        let direction = lattice(stem, p.stems);
        let first = samples.len();
        stems.push(first);
        samples.push(sample(
            BranchType::BasalDendrite,
            surface(direction),
            p.stem_radius,
            None,
        ));
        let bud = Bud {
            from: first,
            direction,
            radius: p.stem_radius,
            mean_length: p.stem_length,
            order: 0,
        };
        grow(&mut samples, &mut random, bud, p);
    }
    if p.axon_length > 0.0 {
        let direction = [0.0, -1.0, 0.0];
        let first = samples.len();
        stems.push(first);
        samples.push(sample(
            BranchType::Axon,
            surface(direction),
            p.axon_radius,
            None,
        ));
        chain(
            &mut samples,
            &mut random,
            first,
            direction,
            p.axon_length,
            (p.axon_radius, p.axon_radius),
            p,
        );
    }
    let sphere = Sphere {
        centre: [0.0; 3],
        radius: p.soma_radius,
    };
    assemble(&samples, Some(sphere), &stems, Vec::new()).map_err(|error| match error {
        ReadError::Morphology(error) => error,
        _ => MorphologyError::Empty,
    })
}

fn check(p: &Neuron) -> Result<(), MorphologyError> {
    let size = "a size in µm between 0.01 and 100000";
    let ranges = [
        ("soma_radius", p.soma_radius, 0.01, 1e5, size),
        ("stem_radius", p.stem_radius, 0.01, 1e5, size),
        ("min_radius", p.min_radius, 0.01, 1e5, size),
        ("stem_length", p.stem_length, 0.01, 1e5, size),
        ("segment", p.segment, 0.01, 1e5, size),
        (
            "axon_length",
            p.axon_length,
            0.0,
            1e5,
            "a length in µm up to 100000, or 0 for no axon",
        ),
        ("axon_radius", p.axon_radius, 0.01, 1e5, size),
        (
            "length_ratio",
            p.length_ratio,
            0.1,
            10.0,
            "a ratio between 0.1 and 10",
        ),
        (
            "length_spread",
            p.length_spread,
            0.0,
            0.9,
            "a fraction between 0 and 0.9",
        ),
        (
            "max_order",
            p.max_order as f64,
            0.0,
            20.0,
            "an order up to 20",
        ),
        ("taper", p.taper, 0.0, 0.9, "a fraction between 0 and 0.9"),
        (
            "asymmetry",
            p.asymmetry,
            1e-3,
            0.5,
            "a fraction between 0.001 and 0.5",
        ),
        (
            "fork_angle",
            p.fork_angle,
            0.0,
            180.0,
            "an angle between 0 and 180 degrees",
        ),
        (
            "wander",
            p.wander,
            0.0,
            180.0,
            "an angle between 0 and 180 degrees",
        ),
        (
            "stems",
            p.stems as f64,
            0.0,
            1e6,
            "a number up to a million",
        ),
    ];
    for (name, value, low, high, remedy) in ranges {
        if !(low..=high).contains(&value) {
            return Err(MorphologyError::Parameter {
                name,
                value,
                remedy,
            });
        }
    }
    // The most points there can be if every branch forks and has its greatest length.
    let mut longest = p.stem_length * (1.0 + p.length_spread);
    let mut branches = p.stems as f64;
    let mut points = p.axon_length / p.segment;
    for _ in 0..=p.max_order {
        points += branches * (longest / p.segment + 1.0);
        branches *= 2.0;
        longest *= p.length_ratio;
    }
    if points > MAX_POINTS {
        let remedy = "this may make more than ten million points: raise it, or lower stems, max_order or the lengths";
        return Err(MorphologyError::Parameter {
            name: "segment",
            value: p.segment,
            remedy,
        });
    }
    Ok(())
}

/// Grows a bud and all that forks from it.
fn grow(samples: &mut Vec<Sample>, random: &mut SplitMix64, bud: Bud, p: &Neuron) {
    let mut buds = vec![bud];
    while let Some(bud) = buds.pop() {
        let length = bud.mean_length * random.uniform(1.0 - p.length_spread, 1.0 + p.length_spread);
        let far = (bud.radius * (1.0 - p.taper)).max(p.min_radius.min(bud.radius));
        let (tip, direction) = chain(
            samples,
            random,
            bud.from,
            bud.direction,
            length,
            (bud.radius, far),
            p,
        );
        let chance = 1.0 - bud.order as f64 / p.max_order.max(1) as f64;
        if bud.order >= p.max_order || far < p.min_radius || random.uniform(0.0, 1.0) >= chance {
            continue;
        }
        let part = random.uniform(p.asymmetry, 0.5);
        let azimuth = random.uniform(0.0, 2.0 * PI);
        for (share, side) in [(1.0 - part, 0.0), (part, PI)] {
            buds.push(Bud {
                from: tip,
                direction: turned(direction, p.fork_angle.to_radians(), azimuth + side),
                radius: far * share.powf(2.0 / 3.0),
                mean_length: bud.mean_length * p.length_ratio,
                order: bud.order + 1,
            });
        }
    }
}

/// Adds a chain of segments; returns its last sample and the direction there.
fn chain(
    samples: &mut Vec<Sample>,
    random: &mut SplitMix64,
    from: usize,
    direction: [f64; 3],
    length: f64,
    radii: (f64, f64),
    p: &Neuron,
) -> (usize, [f64; 3]) {
    let count = (length / p.segment).round().max(1.0);
    let kind = samples[from].kind;
    let (mut last, mut direction, mut place) = (from, direction, samples[from].position);
    for step in 1..=count as usize {
        if step > 1 {
            direction = turned(
                direction,
                p.wander.to_radians(),
                random.uniform(0.0, 2.0 * PI),
            );
        }
        place = std::array::from_fn(|k| place[k] + direction[k] * length / count);
        let radius = radii.0 + (radii.1 - radii.0) * step as f64 / count;
        samples.push(sample(kind, place.map(rounded), radius, Some(last)));
        last = samples.len() - 1;
    }
    (last, direction)
}

fn sample(kind: BranchType, position: [f64; 3], radius: f64, parent: Option<usize>) -> Sample {
    // Warnings name lines; a made neuron has none, so the number of the point would mislead: 0.
    Sample {
        line: 0,
        kind,
        position,
        radius: rounded(radius).max(0.001),
        parent,
    }
}

fn rounded(x: f64) -> f64 {
    (x * 1000.0).round() / 1000.0
}

/// Point `index` of `count` spread evenly over the unit sphere.
fn lattice(index: usize, count: usize) -> [f64; 3] {
    let height = 1.0 - (2.0 * index as f64 + 1.0) / count as f64;
    let ring = (1.0 - height * height).sqrt();
    let angle = index as f64 * PI * (3.0 - 5.0_f64.sqrt());
    [ring * angle.cos(), height, ring * angle.sin()]
}

/// A unit vector turned by an angle towards the given azimuth around it.
fn turned(d: [f64; 3], angle: f64, azimuth: f64) -> [f64; 3] {
    // A unit vector normal to d, from the axis along which d is smallest.
    let axis = (0..3)
        .min_by(|a, b| d[*a].abs().total_cmp(&d[*b].abs()))
        .unwrap_or(0);
    let along = d[axis];
    let mut u: [f64; 3] = std::array::from_fn(|k| f64::from(u8::from(k == axis)) - along * d[k]);
    u = unit(u);
    let v = [
        d[1] * u[2] - d[2] * u[1],
        d[2] * u[0] - d[0] * u[2],
        d[0] * u[1] - d[1] * u[0],
    ];
    let (sin, cos) = angle.sin_cos();
    unit(std::array::from_fn(|k| {
        cos * d[k] + sin * (azimuth.cos() * u[k] + azimuth.sin() * v[k])
    }))
}

fn unit(v: [f64; 3]) -> [f64; 3] {
    let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.map(|x| x / norm)
}
