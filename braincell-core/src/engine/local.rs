//! Linear systems of one element each: I - A ⊗ J with the local Jacobian J, and functions of J.

use super::dense;
use super::exec::Workspace;
use super::jacobian::Site;
use crate::kernel::Storage;

/// The local Jacobian of a site: which entries there are, and their planes.
#[derive(Clone, Debug)]
pub(super) struct LocalJacobian {
    pub site: Site,
    /// Row, column, offset of the plane.
    pub entries: Vec<(usize, usize, usize)>,
}

/// Where factors are kept, in [`Workspace::wide`] and [`Workspace::swaps`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Factors {
    pub matrices: usize,
    pub swaps: usize,
    /// Scratch for one element.
    pub scratch: usize,
    /// Number of stages s.
    pub stages: usize,
}

impl LocalJacobian {
    fn unknowns(&self) -> usize {
        self.site.unknowns.len()
    }

    /// Size of a system of `stages` stages.
    fn order(&self, stages: usize) -> usize {
        self.unknowns() * stages
    }

    /// Numbers needed to keep the factors of all elements: matrices, swaps, scratch.
    pub fn factor_sizes(&self, stages: usize) -> [usize; 3] {
        let n = self.order(stages);
        [self.site.elements * n * n, self.site.elements * n, n]
    }

    /// Factors I - A ⊗ J at the elements that `select` chooses. Stage p, unknown i is number i · s + p. The Jacobian
    /// of stage q is at `shift[q]` from the planes of the entries.
    pub fn factor<F: Storage>(
        &self,
        factors: Factors,
        a: &[f64],
        shift: &[usize],
        workspace: &mut Workspace<F>,
        select: impl Fn(&[F], usize) -> bool,
    ) {
        let s = factors.stages;
        let n = self.order(s);
        let Workspace {
            arena, wide, swaps, ..
        } = workspace;
        for e in 0..self.site.elements {
            if !select(arena, e) {
                continue;
            }
            let matrix = &mut wide[factors.matrices + e * n * n..][..n * n];
            matrix.fill(0.0);
            for k in 0..n {
                matrix[k * n + k] = 1.0;
            }
            for &(i, j, plane) in &self.entries {
                for p in 0..s {
                    for q in 0..s {
                        let entry = arena[plane + shift[q] + e].to_f64();
                        matrix[(i * s + p) * n + j * s + q] -= a[p * s + q] * entry;
                    }
                }
            }
            dense::factor(matrix, n, 0, &mut swaps[factors.swaps + e * n..][..n]);
        }
    }

    /// x ← (I - A ⊗ J)⁻¹ b, with one array of the group per stage; unknowns of other sites are left alone.
    pub fn solve<F: Storage>(
        &self,
        factors: Factors,
        b: &[usize],
        x: &[usize],
        workspace: &mut Workspace<F>,
    ) {
        let s = factors.stages;
        let n = self.order(s);
        let Workspace {
            arena, wide, swaps, ..
        } = workspace;
        let (kept, scratch) = wide.split_at_mut(factors.scratch);
        let scratch = &mut scratch[..n];
        for e in 0..self.site.elements {
            let matrix = &kept[factors.matrices + e * n * n..][..n * n];
            let swaps = &swaps[factors.swaps + e * n..][..n];
            self.gather(e, b, s, arena, scratch);
            dense::forward(matrix, n, 0, swaps, scratch);
            dense::backward(matrix, n, 0, scratch);
            self.scatter(e, x, s, scratch, arena);
        }
    }

    fn gather<F: Storage>(&self, e: usize, b: &[usize], s: usize, arena: &[F], to: &mut [f64]) {
        for (i, unknown) in self.site.unknowns.iter().enumerate() {
            for (p, base) in b.iter().enumerate() {
                let place = unknown.place(e);
                to[i * s + p] = place.map_or(0.0, |place| arena[base + place].to_f64());
            }
        }
    }

    fn scatter<F: Storage>(&self, e: usize, x: &[usize], s: usize, from: &[f64], arena: &mut [F]) {
        for (i, unknown) in self.site.unknowns.iter().enumerate() {
            let Some(place) = unknown.place(e) else {
                continue;
            };
            for (p, base) in x.iter().enumerate() {
                arena[base + place] = F::from_f64(from[i * s + p]);
            }
        }
    }

    /// Numbers needed for φ_0 … φ_top of all elements: matrices, scratch.
    pub fn phi_sizes(&self, top: usize) -> [usize; 2] {
        let n = self.unknowns();
        [
            self.site.elements * (top + 1) * n * n,
            n * n + dense::phi_scratch(n) + 2 * n,
        ]
    }

    /// φ_0 … φ_top of scale · J, for all elements.
    pub fn phi<F: Storage>(
        &self,
        [matrices, scratch]: [usize; 2],
        top: usize,
        scale: f64,
        workspace: &mut Workspace<F>,
    ) {
        let n = self.unknowns();
        let size = (top + 1) * n * n;
        let (kept, scratch) = workspace.wide.split_at_mut(scratch);
        let (j, scratch) = scratch.split_at_mut(n * n);
        for e in 0..self.site.elements {
            j.fill(0.0);
            for &(row, column, plane) in &self.entries {
                j[row * n + column] += scale * workspace.arena[plane + e].to_f64();
            }
            let out = &mut kept[matrices + e * size..][..size];
            dense::phi(j, n, top, out, scratch);
        }
    }

    /// x ← φ_k(scale · J) b with the matrices that [`LocalJacobian::phi`] made.
    pub fn apply_phi<F: Storage>(
        &self,
        [matrices, scratch]: [usize; 2],
        [top, k]: [usize; 2],
        b: usize,
        x: usize,
        workspace: &mut Workspace<F>,
    ) {
        let n = self.unknowns();
        let size = n * n;
        let Workspace { arena, wide, .. } = workspace;
        let (kept, scratch) = wide.split_at_mut(scratch);
        let (from, to) = scratch[..2 * n].split_at_mut(n);
        for e in 0..self.site.elements {
            let matrix = &kept[matrices + (e * (top + 1) + k) * size..][..size];
            self.gather(e, &[b], 1, arena, from);
            dense::apply(matrix, n, from, to);
            self.scatter(e, &[x], 1, to, arena);
        }
    }
}
