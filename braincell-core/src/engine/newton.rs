//! Newton's method for implicit stages.

use super::exec::{Context, Instr, StepFailure, Workspace, execute};
use super::local::{Factors, LocalJacobian};
use crate::kernel::Storage;
use crate::model::Part;

/// The stages z_p = base + Σ_q a_pq f(t + c_q h, z_q), all of them unknown.
#[derive(Clone)]
pub(super) struct Newton {
    /// Coefficients a_pq, by number.
    pub a: Vec<usize>,
    pub base: usize,
    pub guess: usize,
    /// Length of an array.
    pub len: usize,
    pub lanes: usize,
    /// Whether some states are not unknown.
    pub partial: bool,
    /// For each stage: z, f(z), residual, correction, the correction applied last.
    pub z: Vec<usize>,
    pub f: Vec<usize>,
    pub residual: Vec<usize>,
    pub correction: Vec<usize>,
    pub applied: Vec<usize>,
    /// Computes f of each stage.
    pub rhs: Vec<Vec<Instr>>,
    /// Computes the Jacobian of each stage.
    pub jacobian: Vec<Vec<Instr>>,
    pub systems: Vec<(LocalJacobian, Factors)>,
    /// For each stage: how far the planes of its Jacobian are from those named in the systems.
    pub shift: Vec<usize>,
    /// Tolerances of the unknowns: offset, length and absolute tolerance.
    pub tolerances: Vec<(usize, usize, f64)>,
    /// Planes of one number per lane.
    pub status: Status,
}

/// What is known of each lane's iteration. Lanes do not influence each other, so results do not depend on how cells
/// are put into tiles.
#[derive(Clone, Copy)]
pub(super) struct Status {
    /// 1 while the lane iterates.
    pub active: usize,
    /// 1 if the Jacobian is to be computed anew.
    pub refresh: usize,
    /// Norm of the last correction; 1 is the tolerance.
    pub norm: usize,
    /// The fraction of the correction that was applied.
    pub damping: usize,
}

/// Relative tolerance of a correction. What is left of the equations adds up over the steps of a run: with 1e-11 methods
/// of order 4 and 5 lose their order below errors of 1e-10.
const RELATIVE: f64 = 1e-15;
/// Absolute tolerance, by part: mV, 1, mM, 1.
pub(super) fn absolute(part: Part) -> f64 {
    match part {
        Part::Voltage => 1e-14,
        Part::Gate | Part::Other => 1e-16,
        Part::Concentration => 1e-19,
    }
}
/// More iterations than this are a failure.
pub(super) const MAX_ITERATIONS: usize = 40;
/// The Jacobian is kept while corrections shrink at least by this factor.
const GOOD_RATE: f64 = 0.05;
/// Corrections that no longer shrink are rounding errors if this small.
const ROUNDING_NORM: f64 = 1e6;

impl Newton {
    /// Calls `f(stage, place in an array)` for all unknowns of a lane.
    fn each(&self, lane: usize, mut f: impl FnMut(usize, usize)) {
        for stage in 0..self.z.len() {
            for &(offset, len, _) in &self.tolerances {
                for k in (offset + lane..offset + len).step_by(self.lanes) {
                    f(stage, k);
                }
            }
        }
    }
}

/// Runs the iteration until every lane has converged.
pub(super) fn solve<F: Storage>(
    newton: &Newton,
    context: &Context<F>,
    workspace: &mut Workspace<F>,
) -> Result<(), Box<StepFailure>> {
    let Newton {
        len,
        lanes,
        z,
        f,
        residual,
        correction,
        status,
        ..
    } = newton;
    let (len, lanes, stages) = (*len, *lanes, z.len());
    let (one, zero) = (F::from_f64(1.0), F::default());
    for &z in z {
        workspace
            .arena
            .copy_within(newton.guess..newton.guess + len, z);
    }
    for (plane, x) in [
        (status.active, one),
        (status.refresh, one),
        (status.norm, F::from_f64(f64::INFINITY)),
        (status.damping, one),
    ] {
        workspace.arena[plane..plane + lanes].fill(x);
    }
    let a = |p: usize, q: usize| context.coefficients[newton.a[p * stages + q]].to_f64();
    let matrix: [f64; 16] = std::array::from_fn(|k| {
        let (p, q) = (k / stages, k % stages);
        if p < stages { a(p, q) } else { 0.0 }
    });
    let matrix = &matrix[..stages * stages];
    let mut history = [f64::NAN; MAX_ITERATIONS];
    for iteration in 0..MAX_ITERATIONS {
        workspace.work.newton_iterations += 1;
        for rhs in &newton.rhs {
            execute(rhs, context, workspace)?;
        }
        let arena = &mut workspace.arena;
        for p in 0..stages {
            for k in 0..len {
                let mut sum = arena[newton.base + k].to_f64() - arena[z[p] + k].to_f64();
                for (q, f) in f.iter().enumerate() {
                    sum += a(p, q) * arena[f + k].to_f64();
                }
                arena[residual[p] + k] = F::from_f64(sum);
            }
        }
        let refresh = &arena[status.refresh..status.refresh + lanes];
        if refresh.contains(&one) {
            workspace.work.jacobians += 1;
            for jacobian in &newton.jacobian {
                execute(jacobian, context, workspace)?;
            }
            for (system, factors) in &newton.systems {
                workspace.work.factorisations += 1;
                system.factor(
                    *factors,
                    matrix,
                    &newton.shift,
                    context,
                    workspace,
                    |arena, e| arena[status.refresh + e % lanes] == one,
                );
            }
        }
        if newton.partial {
            // States that are not unknown go to the base at once.
            for (&r, &c) in residual.iter().zip(correction) {
                workspace.arena.copy_within(r..r + len, c);
            }
        }
        for (system, factors) in &newton.systems {
            system.solve(*factors, matrix, residual, correction, context, workspace);
        }
        let arena = &mut workspace.arena;
        let mut worst = 0.0;
        let mut any = false;
        for lane in 0..lanes {
            if arena[status.active + lane] != one {
                continue;
            }
            let mut norm: f64 = 0.0;
            for (&correction, &z) in correction.iter().zip(z) {
                for &(offset, len, tolerance) in &newton.tolerances {
                    for k in (offset + lane..offset + len).step_by(lanes) {
                        let size = arena[correction + k].to_f64().abs();
                        let floor = RELATIVE.max(4.0 * F::EPSILON);
                        let scale = floor * arena[z + k].to_f64().abs() + tolerance;
                        let x = size / scale;
                        // Keeps NaN, which max would lose.
                        norm = if x <= norm { norm } else { x };
                    }
                }
            }
            let last = arena[status.norm + lane].to_f64();
            let was_fresh = arena[status.refresh + lane] == one;
            let damping = arena[status.damping + lane].to_f64();
            let rate = norm / last;
            arena[status.refresh + lane] = zero;
            if !norm.is_finite() || (was_fresh && rate > 2.0) {
                // The last correction went too far: go back half of it.
                let smaller = 0.5 * damping;
                if last.is_infinite() || smaller < 1e-3 {
                    history[iteration] = norm;
                    return Err(StepFailure::newton(context, lane, &history));
                }
                newton.each(lane, |stage, k| {
                    let back = (damping - smaller) * arena[newton.applied[stage] + k].to_f64();
                    let x = arena[z[stage] + k].to_f64() - back;
                    arena[z[stage] + k] = F::from_f64(x);
                });
                arena[status.damping + lane] = F::from_f64(smaller);
                arena[status.refresh + lane] = one;
                any = true;
                worst = f64::max(worst, norm);
                continue;
            }
            newton.each(lane, |stage, k| {
                let step = arena[correction[stage] + k];
                let x = arena[z[stage] + k].to_f64() + step.to_f64();
                arena[z[stage] + k] = F::from_f64(x);
                arena[newton.applied[stage] + k] = step;
            });
            arena[status.norm + lane] = F::from_f64(norm);
            arena[status.damping + lane] = one;
            let small = rate < 1.0 && norm * rate <= 1.0 - rate;
            let stagnant = rate > 0.5 && norm <= ROUNDING_NORM;
            if norm <= 1e-3 || (last.is_finite() && (small || stagnant)) {
                arena[status.active + lane] = zero;
            } else {
                any = true;
                worst = f64::max(worst, norm);
                if last.is_finite() && rate > GOOD_RATE {
                    arena[status.refresh + lane] = one;
                }
            }
        }
        history[iteration] = worst;
        if !any {
            return Ok(());
        }
    }
    let active = &workspace.arena[status.active..status.active + lanes];
    let lane = active.iter().position(|&x| x == one).unwrap_or(0);
    Err(StepFailure::newton(context, lane, &history))
}
