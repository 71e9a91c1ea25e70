//! The tree part of the linear systems I - A ⊗ J: what is left of them when the local unknowns are eliminated.

use super::arrays::Loop;
use super::axial::Axial;
use super::exec::Workspace;
use super::scaled::{Scale, Scaled};
use super::sparse::Plan;
use crate::cable::{CableError, elimination};
use crate::kernel::Storage;
use crate::simd::Level;
use std::ops::Range;

/// The tree part of the linear systems I - A ⊗ J.
#[derive(Clone, Copy)]
pub(super) struct TreeSystem<'a> {
    pub level: Level,
    pub lanes: usize,
    /// Where C A of the compartments is.
    pub capacity: usize,
    /// A, of order s.
    pub a: &'a [f64],
    pub factors: TreeFactors,
    /// Whether the transposed system is solved.
    pub transposed: bool,
}

impl TreeSystem<'_> {
    /// s of the s × s matrix A.
    fn stages(&self) -> usize {
        self.a.len().isqrt()
    }
}

/// Where the state of factors of the tree is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TreeFactors {
    /// For one stage: reciprocal pivots, in [`Workspace::tree`].
    pub pivots: usize,
    /// For several: inverse blocks, in [`Workspace::wide`].
    pub blocks: usize,
    /// Right-hand sides of all nodes, in [`Workspace::wide`], for several stages.
    pub rows: usize,
}

impl<F: Storage> Axial<F> {
    /// Factors the tree part, given the factors of the local elimination: the s × s blocks that it leaves at each
    /// compartment and lane.
    pub(super) fn factor(
        &self,
        system: TreeSystem,
        workspace: &mut Workspace<F>,
        (plan, matrices): (&Plan, usize),
    ) {
        let eliminated = (plan, matrices);
        match system.stages() {
            1 => {
                let Workspace {
                    arena,
                    wide,
                    tree,
                    nodes: [_, remainders],
                    ..
                } = workspace;
                let pivots = &mut tree[system.factors.pivots..][..self.nodes() * system.lanes];
                let remainders = &mut remainders[..self.compartments * system.lanes];
                plan.remainders(&wide[matrices..], remainders);
                let scale = Scale::Capacity(1.0 / system.a[0]);
                let capacity = &arena[system.capacity..];
                self.eliminate(&system, remainders, capacity, scale, pivots);
            }
            2 => self.factor_stages::<2>(system, workspace, eliminated),
            3 => self.factor_stages::<3>(system, workspace, eliminated),
            _ => self.factor_stages::<4>(system, workspace, eliminated),
        }
    }

    /// Factors the tree where the potential is the only unknown, of one stage, with ∂f/∂V in the plane at `local`.
    pub(super) fn factor_alone(
        &self,
        system: TreeSystem,
        workspace: &mut Workspace<F>,
        local: usize,
    ) {
        let Workspace { arena, tree, .. } = workspace;
        let pivots = &mut tree[system.factors.pivots..][..self.nodes() * system.lanes];
        let (local, capacity) = (&arena[local..], &arena[system.capacity..]);
        let scale = Scale::Pivot(system.a[0]);
        self.eliminate(&system, local, capacity, scale, pivots);
    }

    /// One stage, with the compartments' own part of the diagonal made of the numbers in `from`.
    fn eliminate(
        &self,
        system: &TreeSystem,
        from: &[F],
        capacity: &[F],
        scale: Scale,
        pivots: &mut [F],
    ) {
        self.placed(system, (scale, from), capacity, pivots);
        let done = elimination::factor(system.level, &self.operator, 1.0, pivots);
        fits(&done);
    }

    /// Numbers for all places of the tree: of compartments, scaled, and none of junctions.
    fn placed(
        &self,
        system: &TreeSystem,
        (scale, from): (Scale, &[F]),
        capacity: &[F],
        to: &mut [F],
    ) {
        let count = self.compartments * system.lanes;
        let (to, junctions) = to.split_at_mut(count);
        junctions.fill(F::default());
        let scaled = Scaled {
            scale,
            from,
            capacity,
            to,
        };
        scaled.run(system.level, count);
    }

    /// As [`Axial::factor_alone`] and then [`Axial::solve`].
    pub(super) fn factor_and_solve_alone(
        &self,
        system: TreeSystem,
        workspace: &mut Workspace<F>,
        local: usize,
        potentials: Potentials,
    ) {
        let Workspace {
            arena,
            tree,
            nodes: [x, _],
            ..
        } = workspace;
        let pivots = &mut tree[system.factors.pivots..][..self.nodes() * system.lanes];
        let c = &arena[system.capacity..];
        let a = system.a[0];
        self.placed(&system, (Scale::Pivot(a), &arena[local..]), c, pivots);
        let from = &arena[potentials.from[0] + potentials.offset..];
        self.placed(&system, (Scale::Capacity(1.0 / a), from), c, x);
        let done = elimination::factor_and_solve(system.level, &self.operator, 1.0, pivots, x);
        fits(&done);
        let (to, count) = (potentials.plane(0), self.compartments * system.lanes);
        arena[to..to + count].copy_from_slice(&x[..count]);
    }

    /// As [`Instr::Tree`](super::instr::Instr::Tree) says.
    pub(super) fn solve_for_potentials(
        &self,
        level: Level,
        lanes: usize,
        [diagonal, right]: [usize; 2],
        current: Option<usize>,
        arena: &mut [F],
    ) {
        let (count, all) = (self.compartments * lanes, self.nodes() * lanes);
        arena[diagonal + count..diagonal + all].fill(F::default());
        match current {
            Some(i) => arena.copy_within(i..i + all - count, right + count),
            None => arena[right + count..right + all].fill(F::default()),
        }
        let [pivots, x] = both(arena, [diagonal..diagonal + all, right..right + all]);
        let done = elimination::factor_and_solve(level, &self.operator, 1.0, pivots, x);
        fits(&done);
    }

    /// Solves with the factors, the transposed system if asked for.
    ///
    /// The matrix is (A / C) K, with K the tree in conductances: symmetric for one stage, and with transposed blocks for
    /// several.
    pub(super) fn solve(
        &self,
        system: TreeSystem,
        workspace: &mut Workspace<F>,
        potentials: Potentials,
    ) {
        match (system.stages(), system.transposed) {
            (1, _) => self.solve_one_stage(system, workspace, potentials),
            (2, false) => self.solve_stages::<2, false>(system, workspace, potentials),
            (2, true) => self.solve_stages::<2, true>(system, workspace, potentials),
            (3, false) => self.solve_stages::<3, false>(system, workspace, potentials),
            (3, true) => self.solve_stages::<3, true>(system, workspace, potentials),
            (_, false) => self.solve_stages::<4, false>(system, workspace, potentials),
            (_, true) => self.solve_stages::<4, true>(system, workspace, potentials),
        }
    }

    fn solve_one_stage(
        &self,
        system: TreeSystem,
        workspace: &mut Workspace<F>,
        potentials: Potentials,
    ) {
        let Workspace {
            arena,
            tree,
            nodes: [x, _],
            ..
        } = workspace;
        let (lanes, capacity) = (system.lanes, system.capacity);
        let (plane, count) = (potentials.plane(0), self.compartments * lanes);
        let scale = Scale::Capacity(1.0 / system.a[0]);
        let (before, after) = match system.transposed {
            false => (scale, Scale::One),
            true => (Scale::One, scale),
        };
        let c = &arena[capacity..];
        let from = &arena[potentials.from[0] + potentials.offset..];
        self.placed(&system, (before, from), c, x);
        let pivots = &tree[system.factors.pivots..][..self.nodes() * lanes];
        let stored = elimination::Factors::stored(1.0, pivots);
        let done = elimination::solve(system.level, &self.operator, &stored, x);
        debug_assert!(done.is_ok());
        let [c, to] = both(arena, [capacity, plane].map(|at| at..at + count));
        let back = Scaled {
            scale: after,
            from: x,
            capacity: c,
            to,
        };
        back.run(system.level, count);
    }
}

/// Nothing but a pivot may be wrong, which spoils the solution and is noticed there: shapes fit by construction.
fn fits<T>(done: &Result<T, CableError>) {
    debug_assert!(matches!(done, Ok(_) | Err(CableError::Pivot { .. })));
}

/// Where the potentials of each stage are.
pub(super) struct Potentials<'a> {
    /// Arrays of right-hand sides, one for each stage.
    pub from: &'a [usize],
    /// Arrays of solutions.
    pub to: &'a [usize],
    /// Offset in an array.
    pub offset: usize,
}

impl Potentials<'_> {
    /// Where a stage's solution begins.
    pub(super) fn plane(&self, stage: usize) -> usize {
        self.to[stage] + self.offset
    }
}

/// Two parts of the arena that do not overlap.
fn both<F>(arena: &mut [F], parts: [Range<usize>; 2]) -> [&mut [F]; 2] {
    (arena.get_disjoint_mut(parts)).expect("planes do not overlap")
}
