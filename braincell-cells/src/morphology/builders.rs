//! Simple shapes.

use super::{BranchSpec, BranchType, Frustum, Morphology, MorphologyError};

/// A cylinder of the given length and radius in µm, of type dendrite.
///
/// # Errors
/// Sizes that are not usable.
pub fn cylinder(length: f64, radius: f64) -> Result<Morphology, MorphologyError> {
    Morphology::new(vec![BranchSpec::root(
        BranchType::BasalDendrite,
        vec![Frustum::cylinder(length, radius)],
    )])
}

/// A soma, a cylinder as long as wide with the area of a sphere of `soma_radius`, and a cylindrical dendrite attached to
/// its far end (x = 1). Sizes in µm.
///
/// # Errors
/// Sizes that are not usable.
pub fn ball_and_stick(
    soma_radius: f64,
    length: f64,
    radius: f64,
) -> Result<Morphology, MorphologyError> {
    star(soma_radius, 1, length, radius)
}

/// A soma, a cylinder as long as wide with the area of a sphere of `soma_radius`, and `arms` equal cylindrical dendrites
/// attached to its far end (x = 1). Sizes in µm.
///
/// # Errors
/// Sizes that are not usable.
pub fn star(
    soma_radius: f64,
    arms: usize,
    length: f64,
    radius: f64,
) -> Result<Morphology, MorphologyError> {
    let soma = Frustum::cylinder(2.0 * soma_radius, soma_radius);
    let mut specs = vec![BranchSpec::root(BranchType::Soma, vec![soma])];
    let arm = BranchSpec::child(
        0,
        1.0,
        BranchType::BasalDendrite,
        vec![Frustum::cylinder(length, radius)],
    );
    specs.extend(std::iter::repeat_n(arm, arms));
    Morphology::new(specs)
}

/// A shaft of cylindrical pieces, with a cylindrical tooth at the far end of every piece, the last one included.
/// Branch 2k is the k-th piece of the shaft, branch 2k + 1 the tooth at its end.
///
/// # Errors
/// No tooth, or sizes that are not usable.
pub fn comb(teeth: usize, piece: Frustum, tooth: Frustum) -> Result<Morphology, MorphologyError> {
    if teeth == 0 {
        return Err(MorphologyError::Parameter {
            name: "teeth",
            value: 0.0,
            remedy: "a comb has at least one tooth",
        });
    }
    let kind = BranchType::BasalDendrite;
    let mut specs = Vec::with_capacity(2 * teeth);
    for k in 0..teeth {
        specs.push(match k {
            0 => BranchSpec::root(kind, vec![piece]),
            _ => BranchSpec::child(2 * k - 2, 1.0, kind, vec![piece]),
        });
        specs.push(BranchSpec::child(2 * k, 1.0, kind, vec![tooth]));
    }
    Morphology::new(specs)
}

/// A binary tree of cylinders: the root has the given length and diameter in µm, each next level those times the ratios.
/// `levels` levels have 2^levels − 1 branches; branch k has the children 2k + 1 and 2k + 2.
///
/// Rallpack 2 is `binary_tree(10, 32.0, 16.0, 2f64.powf(-1.0 / 3.0), 2f64.powf(-2.0 / 3.0))`: U. S. Bhalla, D. H.
/// Bilitch, J. M. Bower, Rallpacks: a set of benchmarks for neuronal simulators, Trends Neurosci. 15 (1992),
/// [doi:10.1016/0166-2236(92)90009-W](https://doi.org/10.1016/0166-2236(92)90009-W).
///
/// # Errors
/// No level, more than 24 of them, or sizes that are not usable.
pub fn binary_tree(
    levels: u32,
    length: f64,
    diameter: f64,
    length_ratio: f64,
    diameter_ratio: f64,
) -> Result<Morphology, MorphologyError> {
    if !(1..=24).contains(&levels) {
        return Err(MorphologyError::Parameter {
            name: "levels",
            value: levels.into(),
            remedy: "a binary tree has 1 to 24 levels",
        });
    }
    let kind = BranchType::BasalDendrite;
    let mut specs = Vec::with_capacity((1 << levels) - 1);
    for level in 0..levels {
        let power = level as i32;
        let frustum = Frustum::cylinder(
            length * length_ratio.powi(power),
            0.5 * diameter * diameter_ratio.powi(power),
        );
        for _ in 0..1_usize << level {
            let index = specs.len();
            specs.push(match index {
                0 => BranchSpec::root(kind, vec![frustum]),
                _ => BranchSpec::child((index - 1) / 2, 1.0, kind, vec![frustum]),
            });
        }
    }
    Morphology::new(specs)
}
