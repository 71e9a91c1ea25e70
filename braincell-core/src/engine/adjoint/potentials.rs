//! Adjoints of implicit steps that solve for the potentials: of their system, and of its solution.

use super::super::arrays::Loop;
use super::super::exec::Workspace;
use super::super::instr::Instr;
use super::loops::{Factor, add_products};
use super::{Frame, Sweep};
use crate::cable::elimination;
use crate::kernel::{array, array_mut};
use crate::real::Lane;

/// Of [`Instr::Assemble`], with P = (1 - γ d) c / γ the diagonal, r = P v + f c the right-hand side, and w the solution, which
/// is still in the place of r: v̄ += P r̄, f̄ += c r̄, d̄ -= c (v - w) r̄, c̄ += f r̄ + (v - w) r̄ (1 - γ d) / γ.
///
/// The adjoint of the diagonal is -w r̄, as [`solution`] has found r̄. It is put together with v r̄ here, since near rest the
/// digits of v - w would be lost in their sum.
pub(super) fn system(instr: &Instr, frame: &Frame, w: &Workspace<f64>, bar: &mut [f64]) {
    let Instr::Assemble {
        gamma,
        d,
        f,
        v,
        right,
        capacity,
        len,
        ..
    } = instr
    else {
        return;
    };
    let back = Assembled {
        gamma: frame.context.coefficients[*gamma],
        of: [*d, *f, *v, *capacity],
        right: *right,
        by_capacity: frame.extras.capacity,
        arena: &w.arena,
        bar,
    };
    back.run(frame.context.level, *len);
}

struct Assembled<'a> {
    gamma: f64,
    of: [usize; 4],
    right: usize,
    /// Whether c has a derivative.
    by_capacity: bool,
    arena: &'a [f64],
    bar: &'a mut [f64],
}

impl Loop<f64> for Assembled<'_> {
    #[inline(always)]
    fn some<R: Lane<f64>, const N: usize>(&mut self, at: usize) {
        let [d, f, v, c] = self.of;
        let right = self.right;
        let value = |of: usize| -> [f64; N] { array(&self.arena[of + at..][..N]) };
        let (ds, fs, vs, cs, ws) = (value(d), value(f), value(v), value(c), value(right));
        let taken = |of: usize| -> [f64; N] { array(&self.bar[of + at..][..N]) };
        let by_right = taken(right);
        let (mut by_d, mut by_f, mut by_v) = (taken(d), taken(f), taken(v));
        let mut by_c = if self.by_capacity { taken(c) } else { [0.0; N] };
        let (gamma, per) = (R::constant(self.gamma), 1.0 / self.gamma);
        for l in 0..N {
            let (c, r) = (R::load(cs[l]), R::load(by_right[l]));
            let share = (-gamma).mul_add(R::load(ds[l]), R::one()) * per;
            let all = (R::load(vs[l]) - R::load(ws[l])) * r;
            by_v[l] = (share * c).mul_add(r, R::load(by_v[l])).store();
            by_f[l] = c.mul_add(r, R::load(by_f[l])).store();
            by_d[l] = (-c).mul_add(all, R::load(by_d[l])).store();
            let by_charge = R::load(fs[l]).mul_add(r, R::load(by_c[l]));
            by_c[l] = share.mul_add(all, by_charge).store();
        }
        let mut put = |of: usize, x: [f64; N]| *array_mut(&mut self.bar[of + at..][..N]) = x;
        put(d, by_d);
        put(f, by_f);
        put(v, by_v);
        if self.by_capacity {
            put(c, by_c);
        }
        put(right, [0.0; N]);
    }
}

/// Of [`Instr::Tree`], which solves K x = r: λ = K⁻¹ x̄ is r̄, and -(λ_a - λ_b) (x_a - x_b) the adjoint of the conductance between
/// two nodes. That of the diagonal is left to [`system`].
pub(super) fn solution(
    instr: &Instr,
    frame: &Frame,
    w: &Workspace<f64>,
    bar: &mut [f64],
    s: &mut Sweep,
) {
    let (
        Instr::Tree {
            diagonal,
            right,
            current,
        },
        Some(axial),
    ) = (instr, frame.axial())
    else {
        return;
    };
    let (level, lanes) = (frame.context.level, frame.context.layout.lanes);
    let (count, all) = (axial.compartments * lanes, axial.nodes() * lanes);
    let [lambda, _] = &mut s.nodes;
    let (own, junctions) = lambda.split_at_mut(count);
    own.copy_from_slice(&bar[*right..right + count]);
    if own.iter().all(|x| *x == 0.0) {
        return;
    }
    junctions.fill(0.0);
    let pivots = elimination::Factors::stored(1.0, &w.arena[*diagonal..diagonal + all]);
    let done = elimination::solve(level, &axial.operator, &pivots, lambda);
    debug_assert!(done.is_ok());
    let x = &w.arena[*right..right + all];
    let (own, junctions) = lambda.split_at(count);
    bar[*right..right + count].copy_from_slice(own);
    if let Some(at) = current {
        let to = &mut bar[*at..at + junctions.len()];
        add_products(level, to, Factor::Number(1.0), junctions);
    }
    if let Some(g) = frame.extras.connections {
        axial.add_products(lanes, -1.0, [lambda, x], &mut bar[g..g + all]);
    }
}
