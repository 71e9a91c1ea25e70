//! Linear systems I - A ⊗ J with the structured Jacobian J: a block for each element, and the tree that couples the
//! potentials. The blocks are eliminated first, then the tree is solved, then the blocks are substituted back.

use super::axial::Axial;
use super::exec::{Context, Workspace};
use super::jacobian::Site;
use super::sparse::{self, Plan};
use super::substitute::Substitute;
use super::tree::{Potentials, TreeFactors, TreeSystem};
use crate::kernel::Storage;
use crate::simd::dispatch;
use once_cell::sync::OnceCell;

/// The local Jacobian of a site: which entries there are, and their planes.
#[derive(Clone, Debug)]
pub(super) struct LocalJacobian {
    pub site: Site,
    /// Row, column, offset of the plane.
    pub entries: Vec<(usize, usize, usize)>,
    /// Whether the last unknown, the potential, is coupled along the cable.
    pub tree: bool,
    /// How the blocks are eliminated, by number of stages less one. Made when memory for the factors is taken.
    pub plans: [OnceCell<Plan>; MAX_STAGES],
}

/// The most stages that are solved for together.
pub(super) const MAX_STAGES: usize = 4;

/// Where factors are kept, in [`Workspace::wide`] and [`Workspace::swaps`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Factors {
    pub matrices: usize,
    pub swaps: usize,
    /// Scratch for a few elements.
    pub scratch: usize,
    /// Number of stages s.
    pub stages: usize,
    /// For systems with a tree.
    pub tree: Option<TreeFactors>,
}

impl LocalJacobian {
    pub(super) fn unknowns(&self) -> usize {
        self.site.unknowns.len()
    }

    pub(super) fn plan(&self, stages: usize) -> &Plan {
        self.plans[stages - 1].get_or_init(|| {
            let entries: Vec<_> = self.entries.iter().map(|&(i, j, _)| (i, j)).collect();
            Plan::new(self.unknowns(), stages, self.tree, &entries)
        })
    }

    /// Numbers needed to keep the factors of all elements: matrices, swaps, scratch.
    pub fn factor_sizes(&self, stages: usize) -> [usize; 3] {
        self.plan(stages).sizes(self.site.elements)
    }

    /// Factors I - A ⊗ J at all elements, the Jacobian being that of all stages.
    pub fn factor_all<F: Storage>(
        &self,
        factors: Factors,
        a: &[f64],
        context: &Context<F>,
        workspace: &mut Workspace<F>,
    ) {
        match (self.alone(factors, a, context), &self.entries[..]) {
            (Some((axial, tree)), &[(_, _, plane)]) => axial.factor_alone(tree, workspace, plane),
            _ => {
                let shift = [0; MAX_STAGES];
                self.factor(factors, a, &shift, context, workspace, |_, _| true);
            }
        }
    }

    /// Factors I - a J, and x ← (I - a J)⁻¹ b.
    pub fn factor_and_solve<F: Storage>(
        &self,
        factors: Factors,
        a: &[f64],
        [b, x]: [usize; 2],
        context: &Context<F>,
        workspace: &mut Workspace<F>,
    ) {
        match (self.alone(factors, a, context), &self.entries[..]) {
            (Some((axial, tree)), &[(_, _, plane)]) => {
                let potentials = Potentials {
                    from: &[b],
                    to: &[x],
                    offset: self.site.unknowns[0].offset,
                };
                axial.factor_and_solve_alone(tree, workspace, plane, potentials);
            }
            _ => {
                self.factor_all(factors, a, context, workspace);
                self.solve(factors, a, &[b], &[x], context, workspace);
            }
        }
    }

    /// Where ∂f/∂V is, if the potential is the only unknown, at all compartments, coupled along the cable.
    pub fn of_cable(&self) -> Option<usize> {
        match (&self.site.unknowns[..], &self.entries[..]) {
            ([potential], &[(_, _, at)]) if self.tree && potential.places.is_none() => Some(at),
            _ => None,
        }
    }

    /// The tree, if there is nothing to eliminate before it.
    fn alone<'a, F>(
        &self,
        factors: Factors,
        a: &'a [f64],
        context: &Context<'a, F>,
    ) -> Option<(&'a Axial<F>, TreeSystem<'a>)> {
        let alone = self.unknowns() == 1 && factors.stages == 1;
        self.coupled(factors, a, context).filter(|_| alone)
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
        let plan = self.plan(s);
        let Workspace {
            arena, wide, swaps, ..
        } = workspace;
        let [matrices, swap_count, _] = plan.sizes(self.site.elements);
        let (kept, scratch) = wide.split_at_mut(factors.scratch);
        dispatch(
            context.level,
            sparse::Factor {
                plan,
                blocks: sparse::Blocks {
                    entries: &self.entries,
                    a,
                    shift,
                    arena,
                },
                elements: self.site.elements,
                matrices: &mut kept[factors.matrices..][..matrices],
                swaps: &mut swaps[factors.swaps..][..swap_count],
                scratch,
                select,
            },
        );
        if let Some((axial, tree)) = self.coupled(factors, a, context) {
            axial.factor(tree, workspace, (plan, factors.matrices));
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
        let plan = self.plan(factors.stages);
        let sweep = |b: &[usize], [forward, backward]: [bool; 2], w: &mut Workspace<F>| {
            let (kept, scratch) = w.wide.split_at_mut(factors.scratch);
            dispatch(
                context.level,
                Substitute {
                    plan,
                    site: &self.site,
                    matrices: &kept[factors.matrices..],
                    swaps: &w.swaps[factors.swaps..],
                    scratch,
                    arena: &mut w.arena,
                    b,
                    x,
                    transposed,
                    forward,
                    backward,
                },
            );
        };
        let Some((axial, tree)) = self.coupled(factors, a, context) else {
            sweep(b, [true, true], workspace);
            return;
        };
        let tree = TreeSystem { transposed, ..tree };
        let eliminates = plan.eliminates();
        if eliminates {
            sweep(b, [true, false], workspace);
        }
        let potentials = Potentials {
            from: if eliminates { x } else { b },
            to: x,
            offset: self.site.unknowns.last().map_or(0, |u| u.offset),
        };
        axial.solve(tree, workspace, potentials);
        if eliminates {
            sweep(x, [false, true], workspace);
        }
    }
}
