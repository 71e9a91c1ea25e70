//! Linear systems I - A ⊗ J with the structured Jacobian J: a dense block for each element, and the tree that couples the
//! potentials. The blocks are eliminated first, then the tree is solved, then the blocks are substituted back.

use super::axial::{Axial, StageIo, TreeSystem};
use super::dense;
use super::exec::{Context, Workspace};
use super::jacobian::Site;
use crate::kernel::Storage;

/// The local Jacobian of a site: which entries there are, and their planes.
#[derive(Clone, Debug)]
pub(super) struct LocalJacobian {
    pub site: Site,
    /// Row, column, offset of the plane.
    pub entries: Vec<(usize, usize, usize)>,
    /// Whether the last unknown, the potential, is coupled along the cable.
    pub tree: bool,
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
    /// For systems with a tree.
    pub tree: Option<super::axial::TreeFactors>,
}

impl LocalJacobian {
    pub(super) fn unknowns(&self) -> usize {
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

    /// Unknowns left for the tree.
    fn keep(&self, stages: usize) -> usize {
        if self.tree { stages } else { 0 }
    }

    /// Factors I - A ⊗ J at the elements that `select` chooses. Stage p, unknown i is number i · s + p. The Jacobian
    /// of stage q is at `shift[q]` from the planes of the entries.
    pub fn factor<F: Storage>(
        &self,
        factors: Factors,
        a: &[f64],
        shift: &[usize],
        context: &Context<F>,
        workspace: &mut Workspace<F>,
        select: impl Fn(&[F], usize) -> bool,
    ) {
        let s = factors.stages;
        let n = self.order(s);
        let keep = self.keep(s);
        for e in 0..self.site.elements {
            if !select(&workspace.arena, e) {
                continue;
            }
            let matrix = &mut workspace.wide[factors.matrices + e * n * n..][..n * n];
            matrix.fill(0.0);
            for k in 0..n {
                matrix[k * n + k] = 1.0;
            }
            for &(i, j, plane) in &self.entries {
                for p in 0..s {
                    for q in 0..s {
                        let entry = workspace.arena[plane + shift[q] + e].to_f64();
                        matrix[(i * s + p) * n + j * s + q] -= a[p * s + q] * entry;
                    }
                }
            }
            let swaps = &mut workspace.swaps[factors.swaps + e * n..][..n];
            dense::factor(matrix, n, keep, swaps);
        }
        if let Some((axial, tree)) = self.coupled(factors, a, context) {
            let first = n - s;
            let block = |wide: &[f64], e: usize, to: &mut [f64]| {
                let matrix = &wide[factors.matrices + e * n * n..][..n * n];
                for p in 0..s {
                    let row = &matrix[(first + p) * n + first..][..s];
                    to[p * s..][..s].copy_from_slice(row);
                }
            };
            axial.factor(tree, workspace, block);
        }
    }

    fn coupled<'a, F>(
        &self,
        factors: Factors,
        a: &'a [f64],
        context: &Context<'a, F>,
    ) -> Option<(&'a Axial<F>, TreeSystem<'a>)> {
        let axial = context.axial.filter(|_| self.tree)?;
        let system = TreeSystem {
            level: context.level,
            lanes: context.layout.lanes,
            capacity: context.layout.capacity(),
            a,
            factors: factors.tree?,
            transposed: false,
        };
        Some((axial, system))
    }

    /// x ← (I - A ⊗ J)⁻¹ b, with one array of the group per stage; other states are left alone.
    pub fn solve<F: Storage>(
        &self,
        factors: Factors,
        a: &[f64],
        b: &[usize],
        x: &[usize],
        context: &Context<F>,
        workspace: &mut Workspace<F>,
    ) {
        self.solve_either(factors, a, [b, x], false, context, workspace);
    }

    /// x ← (I - A ⊗ J)⁻ᵀ b, as [`LocalJacobian::solve`].
    pub fn solve_transposed<F: Storage>(
        &self,
        factors: Factors,
        a: &[f64],
        b: &[usize],
        x: &[usize],
        context: &Context<F>,
        workspace: &mut Workspace<F>,
    ) {
        self.solve_either(factors, a, [b, x], true, context, workspace);
    }

    fn solve_either<F: Storage>(
        &self,
        factors: Factors,
        a: &[f64],
        [b, x]: [&[usize]; 2],
        transposed: bool,
        context: &Context<F>,
        workspace: &mut Workspace<F>,
    ) {
        let s = factors.stages;
        let n = self.order(s);
        let keep = self.keep(s);
        let begin = |matrix: &[f64], swaps: &[u32], v: &mut [f64]| match transposed {
            false => dense::forward(matrix, n, keep, swaps, v),
            true => dense::forward_transposed(matrix, n, keep, v),
        };
        let end = |matrix: &[f64], swaps: &[u32], v: &mut [f64]| match transposed {
            false => dense::backward(matrix, n, keep, v),
            true => dense::backward_transposed(matrix, n, keep, swaps, v),
        };
        self.sweep(factors, b, x, workspace, |matrix, swaps, v| {
            begin(matrix, swaps, v);
            if keep == 0 {
                end(matrix, swaps, v);
            }
        });
        if let Some((axial, tree)) = self.coupled(factors, a, context) {
            let potential = self.site.unknowns.last().map_or(0, |u| u.offset);
            let io = Potentials { x, potential };
            let tree = TreeSystem { transposed, ..tree };
            axial.solve(tree, workspace, io);
            self.sweep(factors, x, x, workspace, end);
        }
    }

    /// For each element: reads its unknowns from `b`, does something with them, writes them to `x`.
    fn sweep<F: Storage>(
        &self,
        factors: Factors,
        b: &[usize],
        x: &[usize],
        workspace: &mut Workspace<F>,
        mut f: impl FnMut(&[f64], &[u32], &mut [f64]),
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
            f(matrix, swaps, scratch);
            self.scatter(e, x, s, scratch, arena);
        }
    }

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

/// The potentials in the arrays of all stages.
struct Potentials<'a> {
    x: &'a [usize],
    potential: usize,
}

impl<F: Storage> StageIo<F> for Potentials<'_> {
    fn get(&self, arena: &[F], e: usize, stage: usize) -> f64 {
        arena[self.x[stage] + self.potential + e].to_f64()
    }
    fn put(&self, arena: &mut [F], e: usize, stage: usize, x: f64) {
        arena[self.x[stage] + self.potential + e] = F::from_f64(x);
    }
}
