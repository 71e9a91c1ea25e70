//! The tree part of linear systems with several stages: each node has a small block, whose order is a constant in the loops.

use super::axial::Axial;
use super::exec::Workspace;
use super::sparse::Plan;
use super::tree::{Potentials, TreeSystem};
use crate::kernel::Storage;

/// What ties the stages of one node.
type Block<const S: usize> = [[f64; S]; S];

fn blocks<const S: usize>(numbers: &[f64]) -> &[Block<S>] {
    numbers.as_chunks::<S>().0.as_chunks::<S>().0
}

fn blocks_mut<const S: usize>(numbers: &mut [f64]) -> &mut [Block<S>] {
    numbers.as_chunks_mut::<S>().0.as_chunks_mut::<S>().0
}

impl<F: Storage> Axial<F> {
    /// As [`Axial::factor`], for S stages.
    pub(super) fn factor_stages<const S: usize>(
        &self,
        system: TreeSystem,
        workspace: &mut Workspace<F>,
        (plan, matrices): (&Plan, usize),
    ) {
        let TreeSystem {
            lanes,
            capacity,
            a,
            factors,
            ..
        } = system;
        let inverse = inverse_of::<S>(a);
        let size = self.nodes() * lanes * S * S;
        debug_assert!(matrices <= factors.blocks);
        let (kept, rest) = workspace.wide.split_at_mut(factors.blocks);
        let blocks = blocks_mut::<S>(&mut rest[..size]);
        let (compartments, junctions) = blocks.split_at_mut(self.compartments * lanes);
        let areas = &workspace.arena[capacity..];
        for (e, (block, c)) in compartments.iter_mut().zip(areas).enumerate() {
            let mut left = [[0.0; S]; S];
            plan.remainder(&kept[matrices..], e, left.as_flattened_mut());
            let c = c.to_f64();
            *block = product(&inverse, &left).map(|row| row.map(|x| c * x));
        }
        junctions.fill([[0.0; S]; S]);
        for (k, c) in self.connections.iter().enumerate().rev() {
            let g = c.conductance;
            for lane in 0..lanes {
                let mut block = blocks[c.node * lanes + lane];
                for (p, row) in block.iter_mut().enumerate() {
                    row[p] += self.sums[c.node];
                }
                let block = inverted(block);
                blocks[c.node * lanes + lane] = block;
                if k > 0 {
                    let up = &mut blocks[c.parent * lanes + lane];
                    for p in 0..S {
                        for q in 0..S {
                            up[p][q] -= g * g * block[p][q];
                        }
                    }
                }
            }
        }
    }

    /// As [`Axial::solve`], for S stages; T says whether the transposed system is solved.
    pub(super) fn solve_stages<const S: usize, const T: bool>(
        &self,
        system: TreeSystem,
        workspace: &mut Workspace<F>,
        potentials: Potentials,
    ) {
        let TreeSystem {
            lanes,
            capacity,
            a,
            factors,
            ..
        } = system;
        let inverse = inverse_of::<S>(a);
        let Workspace { arena, wide, .. } = workspace;
        let (kept, rest) = wide.split_at_mut(factors.rows);
        let (nodes, count) = (self.nodes() * lanes, self.compartments * lanes);
        debug_assert!(factors.blocks + nodes * S * S <= factors.rows);
        let blocks = blocks::<S>(&kept[factors.blocks..][..nodes * S * S]);
        let (x, _) = rest[..nodes * S].as_chunks_mut::<S>();
        for (e, x) in x[..count].iter_mut().enumerate() {
            let mut b = [0.0; S];
            for p in 0..S {
                b[p] = arena[potentials.from[p] + potentials.offset + e].to_f64();
            }
            let c = arena[capacity + e].to_f64();
            *x = match T {
                false => times::<S, false>(&inverse, b).map(|x| c * x),
                true => b,
            };
        }
        x[count..].fill([0.0; S]);
        for c in self.connections[1..].iter().rev() {
            for lane in 0..lanes {
                let at = c.node * lanes + lane;
                let y = times::<S, T>(&blocks[at], x[at]);
                let up = &mut x[c.parent * lanes + lane];
                for p in 0..S {
                    up[p] += c.conductance * y[p];
                }
            }
        }
        for (k, c) in self.connections.iter().enumerate() {
            for lane in 0..lanes {
                let at = c.node * lanes + lane;
                let mut right = x[at];
                if k > 0 {
                    let up = x[c.parent * lanes + lane];
                    for p in 0..S {
                        right[p] += c.conductance * up[p];
                    }
                }
                x[at] = times::<S, T>(&blocks[at], right);
            }
        }
        for (e, x) in x[..count].iter().enumerate() {
            let c = arena[capacity + e].to_f64();
            let x = match T {
                false => *x,
                true => times::<S, true>(&inverse, *x).map(|x| c * x),
            };
            for p in 0..S {
                arena[potentials.plane(p) + e] = F::from_f64(x[p]);
            }
        }
    }
}

/// The inverse of A.
fn inverse_of<const S: usize>(a: &[f64]) -> Block<S> {
    let mut block = [[0.0; S]; S];
    block.as_flattened_mut().copy_from_slice(a);
    inverted(block)
}

/// a x, or aᵀ x.
#[inline(always)]
fn times<const S: usize, const T: bool>(a: &Block<S>, x: [f64; S]) -> [f64; S] {
    let mut y = [0.0; S];
    for p in 0..S {
        for q in 0..S {
            y[p] += if T { a[q][p] } else { a[p][q] } * x[q];
        }
    }
    y
}

/// a b
#[inline(always)]
fn product<const S: usize>(a: &Block<S>, b: &Block<S>) -> Block<S> {
    let mut c = [[0.0; S]; S];
    for i in 0..S {
        for j in 0..S {
            for k in 0..S {
                c[i][j] += a[i][k] * b[k][j];
            }
        }
    }
    c
}

/// a⁻¹ by Gauss–Jordan elimination with partial pivoting.
#[inline(always)]
fn inverted<const S: usize>(mut a: Block<S>) -> Block<S> {
    let mut inverse = [[0.0; S]; S];
    for (k, row) in inverse.iter_mut().enumerate() {
        row[k] = 1.0;
    }
    for k in 0..S {
        for i in k + 1..S {
            // NaN is no reason to exchange rows; it spreads.
            if a[i][k].abs() > a[k][k].abs() {
                a.swap(i, k);
                inverse.swap(i, k);
            }
        }
        let scale = 1.0 / a[k][k];
        for j in 0..S {
            a[k][j] *= scale;
            inverse[k][j] *= scale;
        }
        for i in 0..S {
            if i == k {
                continue;
            }
            let factor = a[i][k];
            for j in 0..S {
                a[i][j] -= factor * a[k][j];
                inverse[i][j] -= factor * inverse[k][j];
            }
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::{inverted, product, times};

    fn check<const S: usize>(a: [[f64; S]; S]) {
        let inverse = inverted(a);
        for (i, row) in product(&a, &inverse).iter().enumerate() {
            for (j, x) in row.iter().enumerate() {
                assert!((x - f64::from(i == j)).abs() < 1e-14, "{a:?}");
            }
        }
        let mut x = [0.0; S];
        (0..S).for_each(|k| x[k] = 1.0 + k as f64);
        let back = times::<S, false>(&inverse, times::<S, false>(&a, x));
        let mut turned = a;
        (0..S * S).for_each(|k| turned[k / S][k % S] = a[k % S][k / S]);
        let transposed = times::<S, true>(&inverse, times::<S, false>(&turned, x));
        for k in 0..S {
            assert!((back[k] - x[k]).abs() < 1e-13, "{a:?}");
            assert!((transposed[k] - x[k]).abs() < 1e-13, "{a:?}");
        }
    }

    /// Also where rows must be exchanged.
    #[test]
    fn blocks_are_inverted() {
        check([[2.0, 1.0], [-1.0, 3.0]]);
        check([[0.0, 1.0], [-2.0, 0.5]]);
        check([[0.0, 2.0, 1.0], [0.5, 0.0, 1.0], [1.0, 3.0, 0.0]]);
        check([
            [0.0, 0.0, 1.0, 2.0],
            [1.0, 0.0, 0.0, 0.5],
            [0.0, 3.0, 1.0, 0.0],
            [1.0, 1.0, 0.0, 0.0],
        ]);
    }
}
