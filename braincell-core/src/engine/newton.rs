//! Newton's method for implicit stages.

use super::exec::{Context, StepFailure, Workspace, execute};
use super::instr::Instr;
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
    /// Calls `f(stage, place in an array, absolute tolerance)` for all unknowns of a lane.
    fn each(&self, lane: usize, mut f: impl FnMut(usize, usize, f64)) {
        for stage in 0..self.z.len() {
            for &(offset, len, tolerance) in &self.tolerances {
                for k in (offset + lane..offset + len).step_by(self.lanes) {
                    f(stage, k, tolerance);
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
        z,
        correction,
        status,
        lanes,
        ..
    } = newton;
    let lanes = *lanes;
    let (one, zero) = (F::from_f64(1.0), F::default());
    for &z in z {
        workspace
            .arena
            .copy_within(newton.guess..newton.guess + newton.len, z);
    }
    for (plane, x) in [
        (status.active, one),
        (status.refresh, one),
        (status.norm, F::from_f64(f64::INFINITY)),
        (status.damping, one),
    ] {
        workspace.arena[plane..plane + lanes].fill(x);
    }
    let mut history = [f64::NAN; MAX_ITERATIONS];
    for entry in &mut history {
        newton.corrections(1.0, context, workspace)?;
        let arena = &mut workspace.arena;
        let mut worst = 0.0;
        let mut any = false;
        for lane in 0..lanes {
            if arena[status.active + lane] != one {
                continue;
            }
            let norm = newton.norm(lane, correction, arena);
            let last = arena[status.norm + lane].to_f64();
            let was_fresh = arena[status.refresh + lane] == one;
            let damping = arena[status.damping + lane].to_f64();
            let rate = norm / last;
            arena[status.refresh + lane] = zero;
            if !norm.is_finite() || (was_fresh && rate > 2.0) {
                // The last correction went too far: go back half of it, or leave the lane to the second method.
                let smaller = 0.5 * damping;
                if last.is_infinite() || smaller < 1e-3 {
                    arena[status.active + lane] = F::from_f64(TROUBLED);
                    continue;
                }
                newton.each(lane, |stage, k, _| {
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
            newton.apply(lane, arena);
            arena[status.norm + lane] = F::from_f64(norm);
            arena[status.damping + lane] = one;
            if has_converged(norm, last) {
                arena[status.active + lane] = zero;
            } else {
                any = true;
                worst = f64::max(worst, norm);
                if last.is_finite() && rate > GOOD_RATE {
                    arena[status.refresh + lane] = one;
                }
            }
        }
        *entry = worst;
        if !any {
            break;
        }
    }
    for lane in 0..lanes {
        if workspace.arena[status.active + lane] != zero
            && !newton.follow_pseudo_time(lane, context, workspace)?
        {
            return Err(StepFailure::newton(context, lane, &history));
        }
    }
    Ok(())
}

/// Whether a correction of this size, after one of size `last`, is the last that is needed.
fn has_converged(norm: f64, last: f64) -> bool {
    let rate = norm / last;
    let small = rate < 1.0 && norm * rate <= 1.0 - rate;
    let stagnant = rate > 0.5 && norm <= ROUNDING_NORM;
    norm <= 1e-3 || (last.is_finite() && (small || stagnant))
}

/// The status of a lane that Newton's method does not solve.
const TROUBLED: f64 = 2.0;
/// Steps in pseudo-time that are tried.
const MAX_PSEUDO_STEPS: usize = 400;
/// A residual that grows by more than this in a step has leapt.
const LEAP: f64 = 2.0;

impl Newton {
    /// Residuals, and the corrections (I - s A ⊗ J)⁻¹ r. The Jacobian is computed anew where the lanes' status says so.
    fn corrections<F: Storage>(
        &self,
        s: f64,
        context: &Context<F>,
        workspace: &mut Workspace<F>,
    ) -> Result<(), Box<StepFailure>> {
        let stages = self.z.len();
        let a = |p: usize, q: usize| context.coefficients[self.a[p * stages + q]].to_f64();
        let matrix: [f64; 16] = std::array::from_fn(|k| {
            let (p, q) = (k / stages, k % stages);
            if p < stages { s * a(p, q) } else { 0.0 }
        });
        let matrix = &matrix[..stages * stages];
        workspace.work.newton_iterations += 1;
        for rhs in &self.rhs {
            execute(rhs, context, workspace)?;
        }
        let arena = &mut workspace.arena;
        for p in 0..stages {
            for k in 0..self.len {
                let mut sum = arena[self.base + k].to_f64() - arena[self.z[p] + k].to_f64();
                for (q, f) in self.f.iter().enumerate() {
                    sum += a(p, q) * arena[f + k].to_f64();
                }
                arena[self.residual[p] + k] = F::from_f64(sum);
            }
        }
        let (refresh, lanes) = (self.status.refresh, self.lanes);
        let one = F::from_f64(1.0);
        if arena[refresh..refresh + lanes].contains(&one) {
            workspace.work.jacobians += 1;
            for jacobian in &self.jacobian {
                execute(jacobian, context, workspace)?;
            }
            for (system, factors) in &self.systems {
                workspace.work.factorisations += 1;
                let select = |arena: &[F], e: usize| arena[refresh + e % lanes] == one;
                system.factor(*factors, matrix, &self.shift, context, workspace, select);
            }
        }
        if self.partial {
            // States that are not unknown go to the base at once.
            for (&r, &c) in self.residual.iter().zip(&self.correction) {
                workspace.arena.copy_within(r..r + self.len, c);
            }
        }
        for (system, factors) in &self.systems {
            let (b, x) = (&self.residual, &self.correction);
            system.solve(*factors, matrix, b, x, context, workspace);
        }
        Ok(())
    }

    /// The greatest number of a lane in units of the tolerance.
    fn norm<F: Storage>(&self, lane: usize, arrays: &[usize], arena: &[F]) -> f64 {
        let mut norm: f64 = 0.0;
        self.each(lane, |stage, k, tolerance| {
            let floor = RELATIVE.max(4.0 * F::EPSILON);
            let coarser = F::EPSILON / f64::EPSILON;
            let scale = floor * arena[self.z[stage] + k].to_f64().abs() + coarser * tolerance;
            let x = arena[arrays[stage] + k].to_f64().abs() / scale;
            // Keeps NaN, which max would lose.
            norm = if x <= norm { norm } else { x };
        });
        norm
    }

    /// z ← z + correction in a lane, remembered as the correction applied last.
    fn apply<F: Storage>(&self, lane: usize, arena: &mut [F]) {
        self.each(lane, |stage, k, _| {
            let step = arena[self.correction[stage] + k];
            let x = arena[self.z[stage] + k].to_f64() + step.to_f64();
            arena[self.z[stage] + k] = F::from_f64(x);
            arena[self.applied[stage] + k] = step;
        });
    }

    /// The second method, for one lane, where Newton's finds no way because the equations have none from here to the
    /// solution: dz/dτ = base + A f(z) - z is followed from the guess to its steady state by linearly implicit steps
    /// that grow as the residual falls, and become Newton's. Returns whether it got there.
    ///
    /// C. T. Kelley, D. E. Keyes, Convergence analysis of pseudo-transient continuation, SIAM J. Numer. Anal. 35 (1998),
    /// doi:10.1137/S0036142996304796.
    fn follow_pseudo_time<F: Storage>(
        &self,
        lane: usize,
        context: &Context<F>,
        workspace: &mut Workspace<F>,
    ) -> Result<bool, Box<StepFailure>> {
        let status = &self.status;
        let refresh = status.refresh..status.refresh + self.lanes;
        self.each(lane, |stage, k, _| {
            workspace.arena[self.z[stage] + k] = workspace.arena[self.guess + k];
        });
        let mut step = 0.01;
        let (mut last_residual, mut last) = (f64::INFINITY, f64::INFINITY);
        // Where z was before the last step, unless it has gone back there.
        let (kept, mut moved) = (&self.applied, false);
        for _ in 0..MAX_PSEUDO_STEPS {
            workspace.arena[refresh.clone()].fill(F::default());
            workspace.arena[status.refresh + lane] = F::from_f64(1.0);
            // (1/Δτ + 1 - A J) δ = r
            let s = step / (1.0 + step);
            self.corrections(s, context, workspace)?;
            let arena = &mut workspace.arena;
            let residual = self.norm(lane, &self.residual, arena);
            let norm = self.norm(lane, &self.correction, arena);
            // On the way up of a spike the residual rises. But where it leaps, the step was too long for a direction that grows,
            // in which a long implicit step goes backwards.
            let finite = residual.is_finite() && norm.is_finite();
            if !finite || residual > LEAP * last_residual {
                if !moved {
                    return Ok(false);
                }
                // Back, and on with a smaller step.
                self.each(lane, |stage, k, _| {
                    arena[self.z[stage] + k] = arena[kept[stage] + k];
                });
                step *= 0.2;
                // The next correction is as large as `last`. If both are of the size of rounding errors, so was the leap, and
                // the iteration has converged.
                (last_residual, moved) = (f64::INFINITY, false);
                continue;
            }
            self.each(lane, |stage, k, _| {
                let x = arena[self.z[stage] + k].to_f64();
                let correction = arena[self.correction[stage] + k].to_f64();
                arena[kept[stage] + k] = arena[self.z[stage] + k];
                arena[self.z[stage] + k] = F::from_f64(x + s * correction);
            });
            moved = true;
            if step > 1e3 && has_converged(norm, last) {
                arena[status.active + lane] = F::default();
                return Ok(true);
            }
            last = norm;
            let fall = match last_residual.is_finite() {
                true => last_residual / residual,
                false => 1.0,
            };
            step = (step * (1.5 * fall).clamp(0.5, 4.0)).min(1e12);
            last_residual = residual;
        }
        Ok(false)
    }
}
