//! Recorded operations as a plugin sends them.

use crate::stepper::{Array, Coef, Jacobian, Op, Parts, Terms};
use braincell_abi::{OpHead, RecordedOps, code};

/// The operands of one operation.
struct Operands<'a>(&'a mut RecordedOps);

impl Operands<'_> {
    fn array(&mut self, array: &Array) -> &mut Self {
        self.integer(array.0)
    }

    fn integer(&mut self, x: impl Into<i64>) -> &mut Self {
        self.0.integers.push(x.into());
        self
    }

    fn restriction(&mut self, parts: Parts, terms: Terms) -> &mut Self {
        self.integer(parts.0).integer(match terms {
            Terms::All => 0u32,
            Terms::Local => 1,
            Terms::Cable => 2,
        })
    }

    fn number(&mut self, x: f64) -> &mut Self {
        self.0.numbers.push(x);
        self
    }

    fn coef(&mut self, coef: Coef) -> &mut Self {
        self.number(coef.c).integer(coef.power)
    }
}

/// The operations as they cross the border: see [`braincell_abi::code`].
pub fn encode(ops: &[Op]) -> RecordedOps {
    let mut out = RecordedOps::default();
    for op in ops {
        let before = (out.integers.len(), out.numbers.len());
        let code = encode_op(op, Operands(&mut out));
        let head = OpHead {
            code,
            integers: (out.integers.len() - before.0) as u32,
            numbers: (out.numbers.len() - before.1) as u32,
        };
        out.ops.push(head);
    }
    out
}

fn encode_op(op: &Op, mut to: Operands<'_>) -> u32 {
    match op {
        Op::Rhs {
            out: _,
            parts,
            terms,
            c,
            y,
        } => {
            to.restriction(*parts, *terms).array(y).number(*c);
            code::RHS
        }
        Op::Combine { out: _, terms } => {
            for (coef, array) in terms {
                to.coef(*coef).array(array);
            }
            code::COMBINE
        }
        Op::Select {
            out: _,
            parts,
            a,
            b,
        } => {
            to.integer(parts.0).array(a).array(b);
            code::SELECT
        }
        Op::Linearize {
            out: _,
            jacobian,
            parts,
            c,
            y,
        } => {
            let kind: u32 = match jacobian {
                Jacobian::Full => 0,
                Jacobian::Local => 1,
                Jacobian::Cable => 2,
                Jacobian::Diagonal => 3,
            };
            to.integer(kind).integer(parts.0).array(y).number(*c);
            code::LINEARIZE
        }
        Op::TimeDerivative { out: _, lin } => {
            to.integer(lin.0);
            code::TIME_DERIVATIVE
        }
        Op::Solve {
            out: _,
            lin,
            gamma,
            b,
        } => {
            to.integer(lin.0).coef(*gamma).array(b);
            code::SOLVE
        }
        Op::Phi {
            out: _,
            lin,
            k,
            scale,
            b,
        } => {
            to.integer(lin.0).integer(*k).coef(*scale).array(b);
            code::PHI
        }
        Op::Relax {
            out: _,
            parts,
            terms,
            c,
            scale,
            y,
        } => {
            let to = to.restriction(*parts, *terms).number(*c);
            to.coef(*scale).array(y);
            code::RELAX
        }
        Op::ImplicitStage {
            out: _,
            parts,
            terms,
            c,
            gamma,
            base,
            guess,
        } => {
            let to = to.restriction(*parts, *terms).number(*c);
            to.coef(*gamma).array(base).array(guess);
            code::IMPLICIT_STAGE
        }
        Op::ImplicitStages { out: _, a, c, y } => {
            to.integer(c.len() as u32).array(y);
            for x in a.iter().flatten().chain(c) {
                to.number(*x);
            }
            code::IMPLICIT_STAGES
        }
        Op::Diffusion { out: _, c, y } => {
            to.array(y).number(*c);
            code::DIFFUSION
        }
        Op::TimesWiener { out: _, m, x } => {
            to.integer(*m).array(x);
            code::TIMES_WIENER
        }
        Op::Product { out: _, a, b } => {
            to.array(a).array(b);
            code::PRODUCT
        }
        Op::Dense { powers } => {
            for array in powers {
                to.array(array);
            }
            code::DENSE
        }
        Op::Error { of } => {
            to.array(of);
            code::ERROR
        }
        Op::Commit { of } => {
            to.array(of);
            code::COMMIT
        }
    }
}
