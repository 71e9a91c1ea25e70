//! Implicit steps of the potentials that solve for these, not for their change.
//!
//! With f the rates but for the axial current -S v / c, J the diagonal local Jacobian and that of the axial current, and i the
//! currents into junctions, which spread as B i / c, a step of the potentials is
//! `v + κ γ (I - γ J)⁻¹ (f - (S v - B i) / c) = v + κ (w - v)`, where `(I - γ J) w = (I - γ J_local) v + γ (f + B i / c)`
//! is free of S v: the axial current of the old potentials need not be computed.

use super::effects::{meet, nodes, reads};
use super::instr::{Instr, Shift};
use super::layout::Layout;
use super::local::Factors;
use crate::stepper::{Coef, num};
use std::ops::Range;

/// The same instructions with such steps where the change of the potentials is not wanted for anything else. The numbers are the
/// same but for rounding. Adjoints do not know these instructions.
pub(super) fn advanced(
    list: &[Instr],
    coefficients: &mut Vec<Coef>,
    layout: &mut Layout,
    kept: &[Range<usize>],
) -> Vec<Instr> {
    let mut all = Vec::new();
    let mut rest = list;
    // One system after the other is solved, in the same place.
    let mut planes = None;
    while let [first, more @ ..] = rest {
        let found = match rest {
            [axial, solve, combine, after @ ..] => {
                let step = Step::new([axial, solve, combine], coefficients);
                step.filter(|step| {
                    let planes = [step.f, step.change].map(|at| at..at + step.len);
                    let used = |instr: &Instr| {
                        let again = matches!(instr, Instr::Solve { factors, .. } if *factors == step.factors);
                        again || meet(&reads(instr, layout), &planes)
                    };
                    !after.iter().any(used) && !meet(kept, &planes)
                })
                .map(|step| (step, after))
            }
            _ => None,
        };
        if let Some((step, after)) = found {
            let size = nodes(layout);
            let planes = *planes.get_or_insert_with(|| [(); 2].map(|()| layout.take(size)));
            all.extend(step.instructions(planes, coefficients, layout));
            rest = after;
        } else {
            all.push(first.clone());
            rest = more;
        }
    }
    all
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
