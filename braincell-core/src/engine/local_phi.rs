//! Functions φ of the blocks of a local Jacobian.

use super::dense;
use super::exec::Workspace;
use super::local::LocalJacobian;
use super::phi;
use crate::kernel::Storage;
use crate::simd::Level;

impl LocalJacobian {
    pub(super) fn gather<F: Storage>(
        &self,
        e: usize,
        b: &[usize],
        s: usize,
        arena: &[F],
        to: &mut [f64],
    ) {
        for (i, unknown) in self.site.unknowns.iter().enumerate() {
            for (p, base) in b.iter().enumerate() {
                let place = unknown.place(e);
                to[i * s + p] = place.map_or(0.0, |place| arena[base + place].to_f64());
            }
        }
    }

    pub(super) fn scatter<F: Storage>(
        &self,
        e: usize,
        x: &[usize],
        s: usize,
        from: &[f64],
        arena: &mut [F],
    ) {
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
        [self.site.elements * (top + 1) * n * n, phi::scratch(n, top)]
    }

    /// φ_0 … φ_top of scale · J, for all elements.
    pub fn phi<F: Storage>(
        &self,
        level: Level,
        [matrices, scratch]: [usize; 2],
        top: usize,
        scale: f64,
        workspace: &mut Workspace<F>,
    ) {
        let Workspace { arena, wide, .. } = workspace;
        let (kept, scratch) = wide.split_at_mut(scratch);
        let [count, _] = self.phi_sizes(top);
        let out = &mut kept[matrices..][..count];
        let fill = |e: usize, to: &mut [f64]| self.scaled(e, scale, arena, to);
        phi::values(level, [self.unknowns(), top], fill, out, scratch);
    }

    /// scale · J of an element, or of its derivative.
    #[inline]
    pub fn scaled<F: Storage>(&self, e: usize, scale: f64, arena: &[F], to: &mut [f64]) {
        let n = self.unknowns();
        to[..n * n].fill(0.0);
        for &(i, j, plane) in &self.entries {
            to[i * n + j] += scale * arena[plane + e].to_f64();
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
