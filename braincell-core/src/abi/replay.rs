//! Operations that a plugin sent, replayed into a recorder that checks them.

use crate::stepper::{Array, Coef, Jacobian, Linearization, Parts, StepError, StepOps, Terms};
use braincell_abi::{RecordedOps, code};

/// Replays a recorded step.
///
/// # Errors
/// [`StepError`]: [`StepError::Newer`] for an operation that is not known, [`StepError::Argument`] for operands that do
/// not fit it, and whatever the operations return.
pub fn replay(sent: &RecordedOps, into: &mut StepOps) -> Result<(), StepError> {
    let (mut integers, mut numbers) = (&sent.integers[..], &sent.numbers[..]);
    for (op, head) in sent.ops.iter().enumerate() {
        let counts = (head.integers as usize, head.numbers as usize);
        let (Some(i), Some(n)) = (
            integers.split_at_checked(counts.0),
            numbers.split_at_checked(counts.1),
        ) else {
            return Err(StepError::Argument {
                op,
                reason: "the plugin sent fewer operands than it says".to_string(),
            });
        };
        replay_op(head.code, i.0, n.0, into)?;
        (integers, numbers) = (i.1, n.1);
    }
    Ok(())
}

/// Operands that are still to be read.
struct Operands<'a> {
    op: usize,
    integers: &'a [i64],
    numbers: &'a [f64],
}

impl Operands<'_> {
    fn wrong(&self, reason: impl Into<String>) -> StepError {
        StepError::Argument {
            op: self.op,
            reason: reason.into(),
        }
    }

    fn integer(&mut self) -> Result<i64, StepError> {
        let (first, rest) = self
            .integers
            .split_first()
            .ok_or_else(|| self.wrong("an integer operand is missing"))?;
        self.integers = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<f64, StepError> {
        let (first, rest) = self
            .numbers
            .split_first()
            .ok_or_else(|| self.wrong("a number operand is missing"))?;
        self.numbers = rest;
        Ok(*first)
    }

    /// An integer that fits what is meant.
    fn small<T: TryFrom<i64>>(&mut self, what: &str) -> Result<T, StepError> {
        let x = self.integer()?;
        T::try_from(x).map_err(|_| self.wrong(format!("{x} is no {what}")))
    }

    fn handle(&mut self, what: &str) -> Result<u32, StepError> {
        let x = self.integer()?;
        u32::try_from(x).map_err(|_| StepError::UnknownHandle {
            op: self.op,
            handle: format!("{what} {x}"),
        })
    }

    fn array(&mut self) -> Result<Array, StepError> {
        self.handle("array").map(Array)
    }

    fn linearization(&mut self) -> Result<Linearization, StepError> {
        self.handle("linearisation").map(Linearization)
    }

    fn coef(&mut self) -> Result<Coef, StepError> {
        let power = self.small("power of the step size")?;
        let c = self.number()?;
        Ok(Coef { c, power })
    }

    fn parts(&mut self) -> Result<Parts, StepError> {
        match self.integer()? {
            x if x & !i64::from(Parts::ALL.0) == 0 => Ok(Parts(x as u32)),
            x => Err(self.wrong(format!(
                "{x} is no choice of parts; it is a sum of 1, 2, 4, 8"
            ))),
        }
    }

    fn terms(&mut self) -> Result<Terms, StepError> {
        match self.integer()? {
            0 => Ok(Terms::All),
            1 => Ok(Terms::Local),
            2 => Ok(Terms::Cable),
            x => Err(self.wrong(format!("{x} is no choice of terms; it is 0, 1 or 2"))),
        }
    }

    fn jacobian(&mut self) -> Result<Jacobian, StepError> {
        match self.integer()? {
            0 => Ok(Jacobian::Full),
            1 => Ok(Jacobian::Local),
            2 => Ok(Jacobian::Cable),
            3 => Ok(Jacobian::Diagonal),
            x => Err(self.wrong(format!("{x} is no kind of Jacobian; it is 0, 1, 2 or 3"))),
        }
    }

    /// All operands must have been read.
    fn end(&self) -> Result<(), StepError> {
        if self.integers.is_empty() && self.numbers.is_empty() {
            Ok(())
        } else {
            Err(self.wrong("there are more operands than the operation has"))
        }
    }
}

/// Replays one operation: see [`code`] for the operands. Returns the number of the first array or linearisation that it
/// makes, 0 if it makes none.
///
/// # Errors
/// As [`replay`].
pub fn replay_op(
    op_code: u32,
    integers: &[i64],
    numbers: &[f64],
    into: &mut StepOps,
) -> Result<u32, StepError> {
    let op = into.ops.len();
    let mut from = Operands {
        op,
        integers,
        numbers,
    };
    let from = &mut from;
    // Each arm reads all operands, makes sure that there are no more, and only then records.
    let made = match op_code {
        code::RHS => {
            let (parts, terms, y, c) =
                (from.parts()?, from.terms()?, from.array()?, from.number()?);
            from.end()?;
            into.rhs_of(parts, terms, c, y)?
        }
        code::COMBINE => {
            let mut terms = Vec::new();
            while !from.integers.is_empty() {
                terms.push((from.coef()?, from.array()?));
            }
            from.end()?;
            into.combine(&terms)?
        }
        code::SELECT => {
            let (parts, a, b) = (from.parts()?, from.array()?, from.array()?);
            from.end()?;
            into.select(parts, a, b)?
        }
        code::LINEARIZE => {
            let (jacobian, parts) = (from.jacobian()?, from.parts()?);
            let (y, c) = (from.array()?, from.number()?);
            from.end()?;
            return into.linearize(jacobian, parts, c, y).map(|lin| lin.0);
        }
        code::TIME_DERIVATIVE => {
            let lin = from.linearization()?;
            from.end()?;
            into.time_derivative(lin)?
        }
        code::SOLVE => {
            let (lin, gamma, b) = (from.linearization()?, from.coef()?, from.array()?);
            from.end()?;
            into.solve(lin, gamma, b)?
        }
        code::PHI => {
            let (lin, k) = (from.linearization()?, from.small("index of a φ function")?);
            let (scale, b) = (from.coef()?, from.array()?);
            from.end()?;
            into.phi(lin, k, scale, b)?
        }
        code::RELAX => {
            let (parts, terms, c) = (from.parts()?, from.terms()?, from.number()?);
            let (scale, y) = (from.coef()?, from.array()?);
            from.end()?;
            into.relax(parts, terms, c, scale, y)?
        }
        code::IMPLICIT_STAGE => {
            let (parts, terms, c) = (from.parts()?, from.terms()?, from.number()?);
            let (gamma, base, guess) = (from.coef()?, from.array()?, from.array()?);
            from.end()?;
            into.implicit_stage_of(parts, terms, c, gamma, base, guess)?
        }
        code::IMPLICIT_STAGES => {
            let (s, y) = (from.small::<u8>("number of stages")?, from.array()?);
            let s = usize::from(s);
            if s == 0 || from.numbers.len() != s * (s + 1) {
                let n = from.numbers.len();
                return Err(from.wrong(format!("{n} coefficients for {s} stages")));
            }
            let (a, c) = from.numbers.split_at(s * s);
            let rows: Vec<&[f64]> = a.chunks(s).collect();
            from.numbers = &[];
            from.end()?;
            // The recorder returns at least one array.
            into.implicit_stages(&rows, c, y)?[0]
        }
        code::DIFFUSION => {
            let (y, c) = (from.array()?, from.number()?);
            from.end()?;
            into.diffusion(c, y)?
        }
        code::TIMES_WIENER => {
            let (m, x) = (from.small("power of an increment")?, from.array()?);
            from.end()?;
            into.times_wiener(m, x)?
        }
        code::PRODUCT => {
            let (a, b) = (from.array()?, from.array()?);
            from.end()?;
            into.product(a, b)?
        }
        code::DENSE => {
            let mut powers = Vec::new();
            while !from.integers.is_empty() {
                powers.push(from.array()?);
            }
            from.end()?;
            into.dense(&powers)?;
            Array(0)
        }
        code::ERROR => {
            let of = from.array()?;
            from.end()?;
            into.error(of)?;
            Array(0)
        }
        code::COMMIT => {
            let of = from.array()?;
            from.end()?;
            into.commit(of)?;
            Array(0)
        }
        code => return Err(StepError::Newer { op, code }),
    };
    Ok(made.0)
}
