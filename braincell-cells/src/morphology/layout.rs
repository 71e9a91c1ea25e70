//! Places in a plane for branches that come without coordinates.

use super::{BranchSpec, Frustum};
use std::f64::consts::PI;

/// Direction of each branch as an angle in the x-y plane: the root along +x, the children of a branch fanned out in the
/// sector of their parent in proportion to their numbers of leaves; what leaves the first half of the root goes to −x.
pub(super) fn angles(specs: &[BranchSpec], children: &[Vec<usize>]) -> Vec<f64> {
    let mut leaves = vec![1.0_f64; specs.len()];
    for branch in (0..specs.len()).rev() {
        if !children[branch].is_empty() {
            leaves[branch] = children[branch].iter().map(|c| leaves[*c]).sum();
        }
    }
    let mut sectors = vec![(-0.45 * PI, 0.45 * PI); specs.len()];
    for branch in 0..specs.len() {
        let back = |child: &usize| branch == 0 && specs[*child].parent.is_some_and(|at| at.x < 0.5);
        for side in [false, true] {
            let group: Vec<usize> = children[branch]
                .iter()
                .copied()
                .filter(|c| back(c) == side)
                .collect();
            let (mut low, high) = sectors[branch];
            let per_leaf = (high - low) / group.iter().map(|c| leaves[*c]).sum::<f64>().max(1.0);
            if side {
                low += PI;
            }
            for child in group {
                let end = low + per_leaf * leaves[child];
                sectors[child] = (low, end);
                low = end;
            }
        }
    }
    sectors
        .iter()
        .map(|(low, high)| 0.5 * (low + high))
        .collect()
}

/// The ends of a straight chain of frusta.
pub(super) fn straight(frusta: &[Frustum], origin: [f64; 3], angle: f64) -> Vec<[f64; 3]> {
    let (sin, cos) = angle.sin_cos();
    let mut points = Vec::with_capacity(frusta.len() + 1);
    points.push(origin);
    let mut arc = 0.0;
    for f in frusta {
        arc += f.length;
        points.push([origin[0] + arc * cos, origin[1] + arc * sin, origin[2]]);
    }
    points
}
