//! Implicit steps of the potentials that solve for these, not for their change.
//!
//! With f the rates but for the axial current -S v / c, J the diagonal local Jacobian and that of the axial current, and i the
//! currents into junctions, which spread as B i / c, a step of the potentials is
//! `v + κ γ (I - γ J)⁻¹ (f - (S v - B i) / c) = v + κ (w - v)`, where `(I - γ J) w = (I - γ J_local) v + γ (f + B i / c)`
//! is free of S v: the axial current of the old potentials need not be computed.

use super::compile::Compiled;
use super::effects::{Item, meet, nodes};
use super::instr::{Instr, Shift};
use super::layout::Layout;
use super::local::Factors;
use crate::stepper::{Coef, num};
use std::ops::Range;

/// Lets a program make such steps where the change of the potentials is not wanted for anything else. The numbers are the same but
/// for rounding, which is that of the potentials, not of their change: too much for single precision. Tangents do not know these
/// instructions.
pub(super) fn advance(compiled: &mut Compiled, layout: &mut Layout) {
    let (list, coefficients) = (&compiled.settled, &mut compiled.coefficients);
    let kept = &compiled.kept[..];
    let items = list.iter().map(|instr| Item::new(instr.clone(), layout));
    let mut items: Vec<Item> = items.collect();
    // One system after the other is solved, in the same place.
    let mut planes = None;
    let mut k = 0;
    while k < items.len() {
        if let Some((axial, step, combine)) = step_at(&items, k, coefficients, kept) {
            let size = nodes(layout);
            let planes = *planes.get_or_insert_with(|| [(); 2].map(|()| layout.take(size)));
            let made = step.instructions(planes, coefficients, layout);
            items.remove(combine);
            items.splice(k..=k, made.map(|instr| Item::new(instr, layout)));
            items.remove(axial);
        }
        k += 1;
    }
    compiled.settled = items.into_iter().map(|item| item.instr).collect();
}

/// The step that is made by the axial current, the solution of the cable at `k`, and the sum, if these can be side by side: the
/// places of the other two, and the step.
fn step_at(
    items: &[Item],
    k: usize,
    coefficients: &[Coef],
    kept: &[Range<usize>],
) -> Option<(usize, Step, usize)> {
    if !matches!(items[k].instr, Instr::FactorAndSolve { .. }) {
        return None;
    }
    let axial = items[..k]
        .iter()
        .rposition(|item| matches!(item.instr, Instr::Axial { .. }))?;
    let sums = (k + 1..items.len()).filter(|&m| matches!(items[m].instr, Instr::Combine { .. }));
    let of_sum = |m: usize| {
        let step = Step::new([axial, k, m].map(|at| &items[at].instr), coefficients);
        step.map(|step| (step, m))
    };
    let (step, sum) = sums.into_iter().find_map(of_sum)?;
    let free =
        |of: usize, mut between: Range<usize>| between.all(|m| !items[m].conflicts(&items[of]));
    let planes = [step.f, step.change].map(|at| at..at + step.len);
    let used = |item: &Item| match &item.instr {
        Instr::Solve { factors, .. } if *factors == step.factors => true,
        _ => meet(&item.reads, &planes),
    };
    let mut others = (k + 1..items.len()).filter(|&m| m != sum);
    let apart = free(axial, axial + 1..k)
        && free(sum, k + 1..sum)
        && !others.any(|m| used(&items[m]))
        && !meet(kept, &planes);
    apart.then_some((axial, step, sum))
}

/// A step of the potentials.
struct Step {
    /// By number.
    gamma: usize,
    kappa: f64,
    factors: Factors,
    d: usize,
    f: usize,
    v: usize,
    change: usize,
    current: Option<usize>,
    to: usize,
    len: usize,
}

impl Step {
    /// The step that three instructions make: the axial current, a solution of the cable, and the sum.
    fn new(instructions: [&Instr; 3], coefficients: &[Coef]) -> Option<Self> {
        let [
            Instr::Axial {
                v: Some(v),
                current,
                to: f,
            },
            Instr::FactorAndSolve {
                system,
                factors,
                a: Shift::Real(gamma),
                b,
                x,
            },
            Instr::Combine { to, len, terms },
        ] = instructions
        else {
            return None;
        };
        let (d, &[(one, old), (long, change)]) = (system.of_cable()?, &terms[..]) else {
            return None;
        };
        let offset = system.site.unknowns[0].offset;
        let [gamma_is, long] = [*gamma, long].map(|number| coefficients[number]);
        let fits = system.site.elements == *len
            && b + offset == *f
            && (old, change) == (*v, x + offset)
            && coefficients[one] == num(1.0)
            && gamma_is.power == long.power;
        fits.then_some(Self {
            gamma: *gamma,
            kappa: long.c / gamma_is.c,
            factors: *factors,
            d,
            f: *f,
            v: *v,
            change,
            current: *current,
            to: *to,
            len: *len,
        })
    }

    /// The step as instructions, with the system at `diagonal` and `right`.
    fn instructions(
        &self,
        [diagonal, right]: [usize; 2],
        coefficients: &mut Vec<Coef>,
        layout: &Layout,
    ) -> [Instr; 3] {
        let assemble = Instr::Assemble {
            gamma: self.gamma,
            d: self.d,
            f: self.f,
            v: self.v,
            diagonal,
            right,
            capacity: layout.capacity(),
            len: self.len,
        };
        let tree = Instr::Tree {
            diagonal,
            right,
            current: self.current,
        };
        let (to, len) = (self.to, self.len);
        let onward = if self.kappa == 1.0 {
            let from = right;
            Instr::Copy { from, to, len }
        } else {
            let mut number = |c: f64| {
                coefficients.push(num(c));
                coefficients.len() - 1
            };
            let (rest, kappa) = (number(1.0 - self.kappa), number(self.kappa));
            let terms = vec![(rest, self.v), (kappa, right)];
            Instr::Combine { to, len, terms }
        };
        [assemble, tree, onward]
    }
}
