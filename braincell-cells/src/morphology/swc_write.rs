//! Writing SWC.

use super::{BranchType, MIN_LENGTH, Morphology, WriteError, samples::distance};
use std::fmt::Write;

/// Writes a morphology as SWC; `comment` becomes the header, a `#` before each of its lines.
///
/// What [`super::swc::read`] makes of a file is written such that reading gives it back. A soma that is a cylinder as
/// long as wide with everything attached to its middle is written as one point. A step of the radius is written as two
/// points in one place. A branch whose first point is not where it is attached is joined by a straight segment. There is one
/// exception: a soma of cones that happen to close is read as the outline of a sphere.
/// An attachment inside a branch must be at an end of a frustum; reading the file cuts the branch there.
///
/// # Errors
/// An attachment inside a frustum.
pub fn write(morphology: &Morphology, comment: &str) -> Result<String, WriteError> {
    let mut text = String::new();
    for line in comment.lines() {
        let _ = writeln!(text, "{}", format!("# {line}").trim_end());
    }
    let mut writer = Writer {
        text,
        places: Vec::new(),
        ids: Vec::new(),
    };
    for (index, branch) in morphology.branches().iter().enumerate() {
        let (points, frusta) = (branch.points(), branch.frusta());
        let mut ids = Vec::with_capacity(points.len());
        if index == 0 && is_sphere(morphology) {
            let id = writer.point(branch.kind(), branch.point_at(0.5), frusta[0].r0, None);
            writer.ids.push(vec![id]);
            continue;
        }
        let (mut last, mut radius) = match branch.parent() {
            None => (
                writer.point(branch.kind(), points[0], frusta[0].r0, None),
                frusta[0].r0,
            ),
            Some(at) if at.branch == 0 && is_sphere(morphology) => (
                writer.point(branch.kind(), points[0], frusta[0].r0, Some(1)),
                frusta[0].r0,
            ),
            Some(at) => {
                let id = writer.attachment(morphology, index, at.branch, at.x)?;
                let place = &writer.places[id - 1];
                let crossing = place.kind == BranchType::Soma && branch.kind() != BranchType::Soma;
                (id, if crossing { frusta[0].r1 } else { place.radius })
            }
        };
        ids.push(last);
        for (frustum, point) in frusta.iter().zip(&points[1..]) {
            if frustum.r0 != radius {
                last = writer.point(
                    branch.kind(),
                    writer.places[last - 1].position,
                    frustum.r0,
                    Some(last),
                );
            }
            last = writer.point(branch.kind(), *point, frustum.r1, Some(last));
            radius = frustum.r1;
            ids.push(last);
        }
        writer.ids.push(ids);
    }
    Ok(writer.text)
}

/// Whether the root is a soma that one point can stand for.
fn is_sphere(morphology: &Morphology) -> bool {
    let root = &morphology.branches()[0];
    let in_middle = |c: &usize| {
        let child = &morphology.branches()[*c];
        child.kind() != BranchType::Soma && child.parent().is_some_and(|at| at.x == 0.5)
    };
    let [f] = root.frusta() else { return false };
    root.kind() == BranchType::Soma
        && f.r0 == f.r1
        && (f.length - 2.0 * f.r0).abs() <= 1e-9 * f.length
        && morphology.children(0).iter().all(in_middle)
}

struct Place {
    kind: BranchType,
    position: [f64; 3],
    radius: f64,
}

struct Writer {
    text: String,
    /// What was written under id 1, 2, ….
    places: Vec<Place>,
    /// For each branch the ids at the ends of its frusta, the first being where it is attached.
    ids: Vec<Vec<usize>>,
}

impl Writer {
    fn point(
        &mut self,
        kind: BranchType,
        position: [f64; 3],
        radius: f64,
        parent: Option<usize>,
    ) -> usize {
        let id = self.places.len() + 1;
        let [x, y, z] = position;
        let parent = parent.map_or_else(|| "-1".to_owned(), |p| p.to_string());
        let _ = writeln!(
            self.text,
            "{id} {} {x} {y} {z} {radius} {parent}",
            kind.swc()
        );
        self.places.push(Place {
            kind,
            position,
            radius,
        });
        id
    }

    /// The id to which a branch is attached at position x of its parent.
    fn attachment(
        &self,
        morphology: &Morphology,
        branch: usize,
        parent: usize,
        x: f64,
    ) -> Result<usize, WriteError> {
        let ids = &self.ids[parent];
        // Reading attaches the other children of a neurite's first point to x = 0, which is on the soma.
        let first = morphology.branches()[branch].points()[0];
        let here = |id: usize| distance(self.places[id - 1].position, first) < MIN_LENGTH;
        if x == 0.0 && ids.len() > 1 && !here(ids[0]) && here(ids[1]) {
            return Ok(ids[1]);
        }
        let end = morphology.branches()[parent].end_at(x);
        end.map(|i| ids[i])
            .ok_or(WriteError::InteriorAttachment { branch, parent, x })
    }
}
