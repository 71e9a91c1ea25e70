//! The exponential of the axial operator, and φ₁, at linear cost.

mod kernel;
mod poles;

use self::kernel::{Factorise, Propagate, Weights};
pub(crate) use self::poles::DOUBLE;
use self::poles::{SINGLE, Table};
use super::{CableError, Laplacian, common_width};
use crate::real::Element;
use crate::simd::{Level, dispatch};

/// e^(−hM) and h φ₁(−hM), φ₁(z) = (e^z − 1)/z, applied to vectors for a fixed step h.
///
/// M is the operator R·G with the algebraic rows (no capacitance) eliminated: `M = R_m (G_mm − G_ma G_aa⁻¹ G_am)`.
/// On membrane rows r must be 1/capacitance; on algebraic rows, any positive number. The result on algebraic rows
/// is the voltage there without net current, `V_a = −G_aa⁻¹ G_am V_m`; what was in `x` there does not count (it does
/// in the transposed map, which has zeros there instead).
///
/// Method: `f(−hM) ≈ Re Σ_k w_k (θ_k + hM)⁻¹`, a rational approximation, uniform on the spectrum whatever h (M is
/// similar to a symmetric positive semidefinite matrix), each pole costing one tree solve. Double precision takes
/// 16 conjugate poles, single precision 8; the poles are the vector lanes, so one cell vectorises as well as many.
/// The mean (weighted by capacitance), which M leaves alone, is set aside and added afterwards: uniform voltage and
/// total charge are kept to rounding. Error, relative to the largest deviation from the mean: below 1e-13 in double
/// precision, about 2e-6 in single. L. N. Trefethen, J. A. C. Weideman, T. Schmelzer, BIT 46 (2006),
/// [doi:10.1007/s10543-006-0077-9](https://doi.org/10.1007/s10543-006-0077-9).
///
/// ```
/// use braincell_core::cable::{Exponential, Laplacian, Tree};
/// use braincell_core::simd::Level;
///
/// let tree = Tree::new(&[None, Some(0)], &[0.0, 1.0])?;
/// let mut map = Exponential::new(Laplacian::<f64>::new(&tree)?, &[true, true])?;
/// map.set_step(Level::detect(), 0.5)?;
/// let (mut v, mut scratch) = ([1.0, -1.0], vec![0.0; map.scratch_len()]);
/// map.exp(Level::detect(), &mut v, false, &mut scratch)?;
/// assert!((v[0] - (-1.0_f64).exp()).abs() < 1e-13); // the difference decays with rate 2
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Exponential<F> {
    operator: Laplacian<F>,
    /// Capacitance over total capacitance; 0 on algebraic rows.
    fraction: Vec<F>,
    step: f64,
    /// Reciprocal pivots of θ_k + hM, `[row][real or imaginary][pole]`.
    reciprocals: Vec<F>,
}

impl<F: Element> Exponential<F> {
    /// For an operator and the mark of each row: `true` with capacitance, `false` algebraic. The step is 0 at first.
    ///
    /// # Errors
    /// [`CableError::Shape`] unless there is one mark per row, [`CableError::NoMembrane`] if all are algebraic.
    pub fn new(operator: Laplacian<F>, membrane: &[bool]) -> Result<Self, CableError> {
        if membrane.len() != operator.len() {
            return Err(CableError::Shape {
                what: "the list of membrane rows",
                found: membrane.len(),
                rows: operator.len(),
            });
        }
        let capacitance = |row: usize| {
            if membrane[row] {
                1.0 / operator.scale[row].to_f64()
            } else {
                0.0
            }
        };
        let total: f64 = (0..membrane.len()).map(capacitance).sum();
        if total == 0.0 {
            return Err(CableError::NoMembrane);
        }
        // A membrane row keeps a positive fraction, however small: zero is the mark of algebraic rows.
        let smallest = if single::<F>() {
            f64::from(f32::MIN_POSITIVE)
        } else {
            f64::MIN_POSITIVE
        };
        let fraction = |row| match capacitance(row) {
            0.0 => F::default(),
            c => F::from_f64((c / total).max(smallest)),
        };
        Ok(Self {
            fraction: (0..membrane.len()).map(fraction).collect(),
            step: 0.0,
            reciprocals: vec![F::default(); membrane.len() * 2 * if single::<F>() { 4 } else { 8 }],
            operator,
        })
    }

    /// The step h.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// Length of the scratch memory that the maps need, for any number of lanes.
    pub fn scratch_len(&self) -> usize {
        self.reciprocals.len()
    }

    /// Sets the step h and factorises for it.
    ///
    /// # Errors
    /// [`CableError::Factor`] unless h is finite, not negative, and the squares of the entries of h R G are finite in the
    /// element type; the step stays as it was.
    pub fn set_step(&mut self, level: Level, h: f64) -> Result<(), CableError> {
        let rounded = self.operator.factor(h)?;
        let largest = rounded.to_f64() * self.operator.largest;
        if !F::from_f64(4.0 * largest * largest).to_f64().is_finite() {
            return Err(CableError::Factor { value: h });
        }
        self.step = h;
        if single::<F>() {
            self.factorise(level, rounded, &SINGLE);
        } else {
            self.factorise(level, rounded, &DOUBLE);
        }
        Ok(())
    }

    fn factorise<const P: usize>(&mut self, level: Level, h: F, table: &Table<P>) {
        dispatch(
            level,
            Factorise {
                edges: &self.operator.edges,
                fraction: &self.fraction,
                h,
                poles: table.poles.map(|part| part.map(F::from_f64)),
                pivots: &mut self.reciprocals,
            },
        );
    }

    /// `x ← e^(−hM) x`, or `e^(−hM)ᵀ x`; arrays `[row][lane]`, any number of lanes. With h = 0, `x` stays as it is.
    ///
    /// # Errors
    /// [`CableError::Shape`] if a length does not fit; [`CableError::Scratch`] if `scratch` is too short.
    pub fn exp(
        &self,
        level: Level,
        x: &mut [F],
        transposed: bool,
        scratch: &mut [F],
    ) -> Result<(), CableError> {
        self.map(level, true, x, None, transposed, scratch)
    }

    /// `b ← h φ₁(−hM) b`, or `h φ₁(−hM)ᵀ b`. With h = 0 the result is 0.
    ///
    /// # Errors
    /// As [`Exponential::exp`].
    pub fn phi1(
        &self,
        level: Level,
        b: &mut [F],
        transposed: bool,
        scratch: &mut [F],
    ) -> Result<(), CableError> {
        self.map(level, false, b, None, transposed, scratch)
    }

    /// `x ← e^(−hM) x + h φ₁(−hM) b` at the cost of one of the two (or the transposed maps): the solution after h of
    /// `x' = −M x + b` with constant b, a rate of change (on membrane rows; elsewhere it does not count).
    ///
    /// # Errors
    /// As [`Exponential::exp`].
    pub fn exp_phi1(
        &self,
        level: Level,
        x: &mut [F],
        b: &[F],
        transposed: bool,
        scratch: &mut [F],
    ) -> Result<(), CableError> {
        self.map(level, true, x, Some(b), transposed, scratch)
    }

    /// Applies e^(−hM) (`exp`) or h φ₁(−hM) to x, and adds h φ₁(−hM) b.
    fn map(
        &self,
        level: Level,
        exp: bool,
        x: &mut [F],
        b: Option<&[F]>,
        transposed: bool,
        scratch: &mut [F],
    ) -> Result<(), CableError> {
        let lengths = [("x", x.len()), ("b", b.map_or(x.len(), <[F]>::len))];
        let width = common_width(self.operator.len(), lengths)?;
        let (found, needed) = (scratch.len(), self.scratch_len());
        let Some(scratch) = scratch.get_mut(..needed) else {
            return Err(CableError::Scratch { found, needed });
        };
        if self.step == 0.0 {
            if !exp {
                x.fill(F::default());
            }
            return Ok(());
        }
        let call = Call {
            exp,
            x,
            b,
            width,
            scratch,
        };
        match (single::<F>(), transposed) {
            (true, false) => self.propagate::<4, false>(level, &SINGLE, call),
            (true, true) => self.propagate::<4, true>(level, &SINGLE, call),
            (false, false) => self.propagate::<8, false>(level, &DOUBLE, call),
            (false, true) => self.propagate::<8, true>(level, &DOUBLE, call),
        }
        Ok(())
    }

    fn propagate<const P: usize, const TRANSPOSED: bool>(
        &self,
        level: Level,
        table: &Table<P>,
        call: Call<'_, F>,
    ) {
        let phi1 = Weights::new(&table.phi1, self.step);
        let kernel = Propagate::<F, P, TRANSPOSED> {
            edges: &self.operator.edges,
            fraction: &self.fraction,
            h: F::from_f64(self.step),
            reciprocals: &self.reciprocals,
            width: call.width,
            of_x: if call.exp {
                Weights::new(&table.exp, 1.0)
            } else {
                phi1
            },
            of_b: phi1,
            x: call.x,
            b: call.b,
            scratch: call.scratch,
        };
        dispatch(level, kernel);
    }
}

/// One call of a map: checked arguments.
struct Call<'a, F> {
    exp: bool,
    x: &'a mut [F],
    b: Option<&'a [F]>,
    width: usize,
    scratch: &'a mut [F],
}

/// Whether the element type is single precision.
fn single<F: Element>() -> bool {
    size_of::<F>() == size_of::<f32>()
}
