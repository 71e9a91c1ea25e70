//! Derivatives of implicit stages, by the implicit function theorem at the solution: neither the guess nor the iteration
//! has an influence.
//!
//! The stages solve z_p = b + Σ_q a_pq f(z_q); in states that are not unknown z = b. So with M = I - A ⊗ J,
//! M ż_p = ḃ + Σ_q a_pq ḟ(z_q) at fixed unknowns, and backwards λ = M⁻ᵀ z̄, b̄ += Σ_p λ_p, f̄_q = Σ_p a_pq λ_p.

use super::super::arena::Arena;
use super::super::exec::{Context, StepFailure, Workspace, execute};
use super::super::instr::Instr;
use super::super::layout::Layout;
use super::super::newton::Newton;
use super::system::System;
use super::tape::{Taped, record, reverse, tangent};
use super::{Extras, Frame, Sweep, reach};
use crate::kernel::Operand;
use std::ops::Range;

/// The rule of implicit stages.
pub(super) struct NewtonRule {
    /// Computes f of each stage.
    rhs: Vec<Vec<Taped>>,
    /// Where the unknowns are in an array.
    unknowns: Vec<Range<usize>>,
}

impl NewtonRule {
    pub fn new(
        newton: &Newton,
        layout: &Layout,
        active: &dyn Fn(&Operand) -> bool,
        extras: &Extras,
    ) -> Self {
        let tape = |list: &Vec<Instr>| {
            let tape = |instr: &Instr| Taped::new(instr, layout, active, extras);
            let mut list: Vec<Taped> = list.iter().map(tape).collect();
            // What is needed outside is saved by the instruction as a whole.
            reach::pass(&mut list, &mut vec![false; layout.size]);
            for taped in &mut list {
                taped.save = taped.marks.ranges();
            }
            list
        };
        let systems = newton.systems.iter();
        let unknowns = systems.flat_map(|(system, _)| &system.site.unknowns);
        let unknowns = unknowns.map(|u| u.offset..u.offset + layout.states[u.state].len);
        let unknowns = unknowns.collect();
        Self {
            rhs: newton.rhs.iter().map(tape).collect(),
            unknowns,
        }
    }

    /// The instructions inside.
    pub fn all(&self) -> impl Iterator<Item = &Taped> {
        self.rhs.iter().flatten()
    }

    /// The factors of the exact matrix at the solution. Returns A.
    fn factor(
        &self,
        newton: &Newton,
        context: &Context<f64>,
        w: &mut Workspace<f64>,
    ) -> Result<Vec<f64>, Box<StepFailure>> {
        let a: Vec<f64> = newton.a.iter().map(|&k| context.coefficients[k]).collect();
        for jacobian in &newton.jacobian {
            execute(jacobian, context, w)?;
        }
        for (system, factors) in &newton.systems {
            system.factor(*factors, &a, &newton.shift, context, w, |_, _| true);
        }
        Ok(a)
    }

    pub fn tangent(
        &self,
        instr: &Instr,
        frame: &Frame,
        w: &mut Workspace<f64>,
        dots: &mut [Arena<f64>],
        s: &mut Sweep,
    ) -> Result<(), Box<StepFailure>> {
        let Instr::Newton(newton) = instr else {
            return Ok(());
        };
        let context = frame.context;
        let (len, stages) = (newton.len, newton.z.len());
        let a = self.factor(newton, context, w)?;
        for dot in dots.iter_mut() {
            for &z in &newton.z {
                dot.copy_within(newton.base..newton.base + len, z);
                for u in &self.unknowns {
                    dot[z + u.start..z + u.end].fill(0.0);
                }
            }
        }
        for rhs in &self.rhs {
            tangent(rhs, frame, w, dots, s)?;
        }
        let r: Vec<usize> = (0..stages)
            .map(|p| frame.extras.scratch + p * context.layout.all_current.len)
            .collect();
        for dot in dots {
            for (p, r) in r.iter().enumerate() {
                for k in self.unknowns.iter().cloned().flatten() {
                    let f = newton.f.iter().enumerate();
                    let sum: f64 = f.map(|(q, f)| a[p * stages + q] * dot[f + k]).sum();
                    w.arena[r + k] = dot[newton.base + k] + sum;
                }
            }
            for (system, factors) in &newton.systems {
                system.solve(*factors, &a, &r, &r, context, w);
            }
            for (r, z) in r.iter().zip(&newton.z) {
                for u in &self.unknowns {
                    dot[z + u.start..z + u.end].copy_from_slice(&w.arena[r + u.start..r + u.end]);
                }
            }
        }
        Ok(())
    }

    pub fn adjoint(
        &self,
        instr: &Instr,
        frame: &Frame,
        w: &mut Workspace<f64>,
        bar: &mut [f64],
        s: &mut Sweep,
    ) -> Result<(), Box<StepFailure>> {
        let Instr::Newton(newton) = instr else {
            return Ok(());
        };
        let context = frame.context;
        let (len, stages) = (newton.len, newton.z.len());
        let any = |z: &usize| bar[*z..z + len].iter().any(|x| *x != 0.0);
        if !newton.z.iter().any(any) {
            return Ok(());
        }
        let a = self.factor(newton, context, w)?;
        // λ of unknowns; z̄ of the others stays for now.
        let spacing = context.layout.all_current.len;
        for (system, factors) in &newton.systems {
            let system = System {
                system,
                factors: *factors,
                a: &a,
                b: &[],
                x: &newton.z,
            };
            system.multipliers(frame, w, bar);
            for (p, at) in system.lambda(frame).into_iter().enumerate() {
                for u in system.unknowns(context) {
                    let to = &mut s.multipliers[p * spacing..][u.clone()];
                    to.copy_from_slice(&w.arena[at + u.start..at + u.end]);
                }
            }
        }
        for (q, f) in newton.f.iter().enumerate() {
            for k in self.unknowns.iter().cloned().flatten() {
                let stage = |p: usize| a[p * stages + q] * s.multipliers[p * spacing + k];
                bar[f + k] = (0..stages).map(stage).sum();
            }
        }
        for rhs in self.rhs.iter().rev() {
            record(rhs, context, frame.extras.scratch, w, s)?;
            reverse(rhs, frame, w, bar, s)?;
        }
        for (p, &z) in newton.z.iter().enumerate() {
            // The change of the unknowns themselves is in M already.
            for k in self.unknowns.iter().cloned().flatten() {
                bar[z + k] = s.multipliers[p * spacing + k];
            }
            for k in 0..len {
                bar[newton.base + k] += std::mem::take(&mut bar[z + k]);
            }
        }
        Ok(())
    }
}
