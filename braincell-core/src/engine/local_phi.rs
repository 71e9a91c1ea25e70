//! Functions φ of the blocks of a local Jacobian.

use super::exec::Workspace;
use super::local::LocalJacobian;
use super::phi;
use crate::kernel::Storage;
use crate::simd::Level;
use std::ops::Range;

impl LocalJacobian {
    /// How many elements' matrices φ lie side by side.
    pub fn side(&self) -> usize {
        phi::side(self.site.elements)
    }

    /// The elements whose matrices lie side by side, for each such bundle. The last one's other places are those of its last
    /// element again.
    pub fn bundles(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (side, elements) = (self.side(), self.site.elements);
        let firsts = (0..elements).step_by(side);
        firsts.map(move |first| first..(first + side).min(elements))
    }

    /// Numbers needed for φ_0 … φ_top of all elements: matrices, scratch.
    pub fn phi_sizes(&self, top: usize) -> [usize; 2] {
        let (n, side) = (self.unknowns(), self.side());
        let bundles = self.site.elements.div_ceil(side);
        let matrices = bundles * side * (top + 1) * n * n;
        [matrices, phi::scratch(side, n, top)]
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
        let fill = |bundle: usize, to: &mut [f64]| self.scaled(bundle, scale, arena, to);
        let sizes = [self.side(), self.unknowns(), top];
        phi::values(level, sizes, &fill, out, scratch);
    }

    /// scale · J of a bundle of elements, or of its derivative.
    #[inline]
    pub fn scaled<F: Storage>(&self, bundle: usize, scale: f64, arena: &[F], to: &mut [f64]) {
        let (n, side) = (self.unknowns(), self.side());
        let first = bundle * side;
        let count = side.min(self.site.elements - first);
        to[..n * n * side].fill(0.0);
        if side == 1 {
            for &(i, j, plane) in &self.entries {
                to[i * n + j] += scale * arena[plane].to_f64();
            }
            return;
        }
        for &(i, j, plane) in &self.entries {
            let to = &mut to[(i * n + j) * side..][..side];
            let (own, others) = to.split_at_mut(count);
            for (to, x) in own.iter_mut().zip(&arena[plane + first..]) {
                *to += scale * x.to_f64();
            }
            others.fill(own[count - 1]);
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
        let (n, side) = (self.unknowns(), self.side());
        let size = n * n * side;
        let Workspace { arena, wide, .. } = workspace;
        let (kept, scratch) = wide.split_at_mut(scratch);
        let (from, to) = scratch[..2 * n * side].split_at_mut(n * side);
        for (bundle, elements) in self.bundles().enumerate() {
            let matrix = &kept[matrices + (bundle * (top + 1) + k) * size..][..size];
            self.gather(elements.clone(), b, arena, from);
            phi::apply(side, matrix, n, from, to);
            self.scatter(elements, x, to, arena);
        }
    }

    /// The unknowns of a bundle of elements.
    pub fn gather<F: Storage>(&self, of: Range<usize>, b: usize, arena: &[F], to: &mut [f64]) {
        let side = self.side();
        let number = |place: Option<usize>| place.map_or(0.0, |place| arena[b + place].to_f64());
        for (i, unknown) in self.site.unknowns.iter().enumerate() {
            if side == 1 {
                to[i] = number(unknown.place(0));
                continue;
            }
            let to = &mut to[i * side..][..side];
            if unknown.places.is_none() {
                let from = &arena[b + unknown.offset..][of.clone()];
                to.iter_mut().zip(from).for_each(|(to, x)| *to = x.to_f64());
                continue;
            }
            for (e, to) in of.clone().zip(to) {
                *to = number(unknown.place(e));
            }
        }
    }

    /// Writes the unknowns of a bundle of elements.
    pub fn scatter<F: Storage>(&self, of: Range<usize>, x: usize, from: &[f64], arena: &mut [F]) {
        self.each(of, from, |place, value| {
            arena[x + place] = F::from_f64(value)
        });
    }

    /// Calls `f` with the places of the unknowns of a bundle of elements, and their numbers.
    #[inline(always)]
    pub fn each(&self, of: Range<usize>, numbers: &[f64], mut f: impl FnMut(usize, f64)) {
        let side = self.side();
        for (i, unknown) in self.site.unknowns.iter().enumerate() {
            if side == 1 {
                if let Some(place) = unknown.place(0) {
                    f(place, numbers[i]);
                }
                continue;
            }
            let numbers = &numbers[i * side..][..side];
            if unknown.places.is_none() {
                for (e, x) in of.clone().zip(numbers) {
                    f(unknown.offset + e, *x);
                }
                continue;
            }
            for (e, x) in of.clone().zip(numbers) {
                if let Some(place) = unknown.place(e) {
                    f(place, *x);
                }
            }
        }
    }
}
