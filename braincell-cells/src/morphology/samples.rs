//! From points with parents, as files have them, to branches.
//!
//! A branch ends where the tree forks, ends, or changes its type. Each frustum has the type of its distal point.
//! Where a neurite leaves a soma made of cones, its first frustum is a cylinder of the radius of the neurite's first
//! point, from the soma to that point; if the tree forks at this very point, the child that comes first continues
//! the branch and the others are attached at its x = 0. The same holds for a fork at the root.
//!
//! Branches are ordered depth first, those of the soma before all neurites; what is attached at x = 0 comes before
//! what is attached at x = 1, and points of a fork in ascending order of their ids.

use super::soma::Sphere;
use super::{
    Attachment, BranchSpec, BranchType, Frustum, MIN_LENGTH, Morphology, ReadError, Warning,
};

/// A factor between the radii of neighbours that is worth a warning.
const RADIUS_JUMP: f64 = 5.0;

/// A point of a file.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) line: usize,
    pub(super) kind: BranchType,
    pub(super) position: [f64; 3],
    pub(super) radius: f64,
    pub(super) parent: Option<usize>,
}

pub(super) fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    let [x, y, z] = std::array::from_fn(|k| a[k] - b[k]);
    (x * x + y * y + z * z).sqrt()
}

/// The children of each sample, in ascending order.
pub(super) fn children_of(samples: &[Sample]) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); samples.len()];
    for (index, sample) in samples.iter().enumerate() {
        if let Some(parent) = sample.parent {
            children[parent].push(index);
        }
    }
    children
}

/// A sample and one of its children.
type Segment = (usize, usize);

/// Where a branch is to begin.
struct Start {
    attach: Option<Attachment>,
    /// The sample at the proximal end; `None` for the centre of a spherical soma.
    from: Option<usize>,
    /// The first distal sample.
    next: usize,
    /// The first point of a neurite on a soma of cones: a fork at `next` does not end the branch.
    crossing: bool,
    /// `from` is the branch's own first point: its other children are attached at x = 0.
    owns_first: bool,
}

struct Assembly<'a> {
    samples: &'a [Sample],
    children: Vec<Vec<usize>>,
    /// Radius at the proximal end of the segment to a sample, where it is not that of the parent.
    start_radius: Vec<Option<f64>>,
    sphere: Option<Sphere>,
    specs: Vec<BranchSpec>,
    warnings: Vec<Warning>,
}

/// Builds the morphology: from the root if the soma is no sphere, else from the stems attached to the sphere.
pub(super) fn assemble(
    samples: &[Sample],
    sphere: Option<Sphere>,
    starts: &[usize],
    mut warnings: Vec<Warning>,
) -> Result<Morphology, ReadError> {
    let soma_at_root =
        sphere.is_some() || starts.iter().any(|s| samples[*s].kind == BranchType::Soma);
    if !soma_at_root {
        warnings.push(Warning::NoSoma);
    }
    let children = children_of(samples);
    let start_radius = vec![None; samples.len()];
    let mut assembly = Assembly {
        samples,
        children,
        start_radius,
        sphere,
        specs: Vec::new(),
        warnings,
    };
    assembly.merge(starts);
    if let Some(Sphere {
        centre: [x, y, z],
        radius,
    }) = sphere
    {
        let spec = BranchSpec::root(
            BranchType::Soma,
            vec![Frustum::cylinder(2.0 * radius, radius)],
        );
        assembly
            .specs
            .push(spec.with_points(vec![[x, y - radius, z], [x, y + radius, z]]));
        for &stem in starts {
            if let Some(start) = assembly.stem(stem) {
                assembly.walk(start);
            }
        }
    } else {
        let root = starts[0];
        if assembly.children[root].is_empty() {
            return Err(ReadError::SinglePoint {
                line: samples[root].line,
                kind: samples[root].kind,
            });
        }
        let start = assembly.at_first_point(root, None);
        assembly.walk(start);
    }
    Ok(Morphology::with_warnings(
        assembly.specs,
        assembly.warnings,
    )?)
}

impl Assembly<'_> {
    /// Merges samples at the place of their parent. Radii stay: the segments below begin with the radius of the
    /// sample merged.
    fn merge(&mut self, starts: &[usize]) {
        let mut pending = starts.to_vec();
        while let Some(parent) = pending.pop() {
            let mut kept = Vec::new();
            let mut below: Vec<usize> = self.children[parent].iter().rev().copied().collect();
            while let Some(child) = below.pop() {
                if distance(self.samples[child].position, self.samples[parent].position)
                    >= MIN_LENGTH
                {
                    kept.push(child);
                    continue;
                }
                self.warnings.push(Warning::ZeroLength {
                    line: self.samples[child].line,
                });
                for grandchild in std::mem::take(&mut self.children[child]).into_iter().rev() {
                    if self.samples[child].kind != BranchType::Soma {
                        self.start_radius[grandchild] = Some(self.samples[child].radius);
                    }
                    below.push(grandchild);
                }
            }
            kept.sort_unstable();
            pending.extend(&kept);
            self.children[parent] = kept;
        }
    }

    /// The branch that begins at a sample of its own: the root, or the first point of a neurite on a spherical soma.
    /// It goes to the first child of the same type, else to the first child.
    fn at_first_point(&self, sample: usize, attach: Option<Attachment>) -> Start {
        let next = self
            .continuation(sample)
            .unwrap_or(self.children[sample][0]);
        Start {
            attach,
            from: Some(sample),
            next,
            crossing: self.crosses(sample, next),
            owns_first: true,
        }
    }

    /// The branch of a neurite on a spherical soma.
    fn stem(&mut self, stem: usize) -> Option<Start> {
        let attach = Some(Attachment { branch: 0, x: 0.5 });
        if !self.children[stem].is_empty() {
            return Some(self.at_first_point(stem, attach));
        }
        let Sample { line, position, .. } = self.samples[stem];
        if self
            .sphere
            .is_none_or(|s| distance(s.centre, position) < MIN_LENGTH)
        {
            self.warnings.push(Warning::ZeroLength { line });
            return None;
        }
        self.warnings.push(Warning::SinglePointNeurite { line });
        Some(Start {
            attach,
            from: None,
            next: stem,
            crossing: true,
            owns_first: false,
        })
    }

    fn crosses(&self, from: usize, next: usize) -> bool {
        self.samples[from].kind == BranchType::Soma && self.samples[next].kind != BranchType::Soma
    }

    fn continuation(&self, sample: usize) -> Option<usize> {
        self.children[sample]
            .iter()
            .copied()
            .find(|c| self.samples[*c].kind == self.samples[sample].kind)
    }

    /// Makes the branches from `start` on, depth first; neurites wait until the soma is complete.
    fn walk(&mut self, start: Start) {
        let mut pending = vec![start];
        let mut neurites = std::collections::VecDeque::new();
        while let Some(start) = pending.pop().or_else(|| neurites.pop_front()) {
            let (near, far) = self.branch(start);
            let branch = self.specs.len() - 1;
            let places = near
                .into_iter()
                .map(|s| (0.0, s))
                .chain(far.into_iter().map(|s| (1.0, s)));
            let below = places.map(|(x, (from, next))| Start {
                attach: Some(Attachment { branch, x }),
                from: Some(from),
                next,
                crossing: self.crosses(from, next),
                owns_first: false,
            });
            let (crossing, others): (Vec<Start>, Vec<Start>) = below.partition(|s| s.crossing);
            neurites.extend(crossing);
            pending.extend(others.into_iter().rev());
        }
    }

    /// Makes one branch; returns the segments (sample, child) that leave its proximal and its distal end.
    fn branch(&mut self, start: Start) -> (Vec<Segment>, Vec<Segment>) {
        let Start {
            attach,
            from,
            next,
            crossing,
            owns_first,
        } = start;
        let kind = self.samples[next].kind;
        let mut near = Vec::new();
        if let Some(sample) = from.filter(|_| owns_first) {
            near.extend(
                self.children[sample]
                    .iter()
                    .filter(|c| **c != next)
                    .map(|c| (sample, *c)),
            );
        }
        let centre = self.sphere.map_or([0.0; 3], |s| s.centre);
        let mut points = vec![from.map_or(centre, |f| self.samples[f].position)];
        let mut frusta = Vec::new();
        let (mut previous, mut current) = (from, next);
        loop {
            let sample = &self.samples[current];
            let above = previous.map_or(sample.radius, |p| self.samples[p].radius);
            let inherited = if frusta.is_empty() && crossing {
                sample.radius
            } else {
                above
            };
            let r0 = self.start_radius[current].unwrap_or(inherited);
            if r0.max(sample.radius) > RADIUS_JUMP * r0.min(sample.radius) {
                self.warnings.push(Warning::RadiusJump {
                    line: sample.line,
                    from: r0,
                    to: sample.radius,
                });
            }
            let length = distance(points[points.len() - 1], sample.position);
            frusta.push(Frustum::new(length, r0, sample.radius));
            points.push(sample.position);
            let below = &self.children[current];
            let same = self.continuation(current);
            let on = match same {
                Some(child) if below.len() == 1 => Some(child),
                Some(child) if frusta.len() == 1 && crossing => {
                    near.extend(below.iter().filter(|c| **c != child).map(|c| (current, *c)));
                    Some(child)
                }
                _ => None,
            };
            let Some(child) = on else { break };
            (previous, current) = (Some(current), child);
        }
        let far = self.children[current]
            .iter()
            .map(|c| (current, *c))
            .collect();
        self.specs.push(BranchSpec {
            kind,
            frusta,
            points: Some(points),
            parent: attach,
        });
        (near, far)
    }
}
