//! Direct solution of (D + s G) x = b in two sweeps over the tree, leaves to root and back.
//!
//! D is any diagonal, one number per row and lane; zero on algebraic rows. The elimination is that of Hines
//! (Int. J. Bio-Med. Comput. 15 (1984), [doi:10.1016/0020-7101(84)90008-4](https://doi.org/10.1016/0020-7101(84)90008-4)), in level
//! order, in a form free of cancellation: instead of the diagonal of the matrix it carries the row sum
//! `e_i = d_i + Σ_c s g_c e_c / p_c` over the children c, with the pivot `p_i = e_i + s g_i`; g is the
//! conductance to the parent. For D ≥ 0 nothing is subtracted, so a stiff matrix (s G ≫ D) costs no accuracy (the
//! idea of Grassmann, Taksar and Heyman, Oper. Res. 33 (1985),
//! [doi:10.1287/opre.33.5.1107](https://doi.org/10.1287/opre.33.5.1107)). A negative d is allowed, at ordinary accuracy.
//!
//! A zero or non-finite pivot spoils every pivot on the way to the root, so that the root's alone tells
//! whether all are sound; the culprit is looked for only then.
//!
//! ```
//! use braincell_core::cable::{Laplacian, Tree, elimination};
//! use braincell_core::simd::Level;
//!
//! let tree = Tree::new(&[None, Some(0), Some(1)], &[0.0, 1.0, 1.0])?;
//! let operator = Laplacian::<f64>::new(&tree)?;
//! let mut diagonal = [1.0, 0.0, 0.0]; // rows 1 and 2 are algebraic
//! let mut x = [3.0, 0.0, 0.0];
//! elimination::factor_and_solve(Level::detect(), &operator, 0.5, &mut diagonal, &mut x)?;
//! assert_eq!(x, [3.0, 3.0, 3.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::lanes::{self, Strip, get, put};
use super::laplacian::Edge;
use super::{CableError, Laplacian, common_width};
use crate::real::{Element, Lane};
use crate::simd::Level;

/// The factorised matrix D + s G: the reciprocals of its pivots, in the caller's memory.
#[derive(Clone, Copy, Debug)]
pub struct Factors<'a, F> {
    s: f64,
    reciprocals: &'a [F],
}

impl<'a, F: Element> Factors<'a, F> {
    /// Takes up what an earlier [`factor`] with the same `s` and operator left in `reciprocals`.
    pub fn stored(s: f64, reciprocals: &'a [F]) -> Self {
        Self { s, reciprocals }
    }

    /// The reciprocals of the pivots, `[row][lane]`.
    pub fn reciprocals(&self) -> &'a [F] {
        self.reciprocals
    }
}

/// Factorises D + s G. On entry `pivots` holds D (`[row][lane]`), on return the reciprocals of the pivots.
///
/// # Errors
/// [`CableError::Shape`] if the length does not fit, [`CableError::Factor`] unless s is finite and s ≥ 0,
/// [`CableError::Pivot`] if a pivot is zero or not finite.
pub fn factor<'a, F: Element>(
    level: Level,
    operator: &Laplacian<F>,
    s: f64,
    pivots: &'a mut [F],
) -> Result<Factors<'a, F>, CableError> {
    let width = common_width(operator.len(), [("the diagonal", pivots.len())])?;
    let kernel = Factor {
        edges: &operator.edges,
        s: operator.factor(s)?,
        pivots,
    };
    lanes::run(level, width, kernel);
    check_pivots(operator, width, pivots)?;
    Ok(Factors {
        s,
        reciprocals: pivots,
    })
}

/// Solves (D + s G) x = b with a factorised matrix. On entry `x` holds b, on return x, `[row][lane]`.
///
/// # Errors
/// [`CableError::Shape`] if a length does not fit.
pub fn solve<F: Element>(
    level: Level,
    operator: &Laplacian<F>,
    factors: &Factors<'_, F>,
    x: &mut [F],
) -> Result<(), CableError> {
    let reciprocals = factors.reciprocals;
    let width = common_width(
        operator.len(),
        [
            ("the right-hand side", x.len()),
            ("the list of pivots", reciprocals.len()),
        ],
    )?;
    let kernel = Solve {
        edges: &operator.edges,
        s: operator.factor(factors.s)?,
        reciprocals,
        x,
    };
    lanes::run(level, width, kernel);
    Ok(())
}

/// Factorises and solves in one go: [`factor`] on `pivots` and [`solve`] on `x`, to the same bits.
///
/// # Errors
/// As [`factor`]; after [`CableError::Pivot`] the contents of `x` mean nothing in lanes with such a pivot.
pub fn factor_and_solve<'a, F: Element>(
    level: Level,
    operator: &Laplacian<F>,
    s: f64,
    pivots: &'a mut [F],
    x: &mut [F],
) -> Result<Factors<'a, F>, CableError> {
    let width = common_width(
        operator.len(),
        [
            ("the diagonal", pivots.len()),
            ("the right-hand side", x.len()),
        ],
    )?;
    let kernel = FactorAndSolve {
        edges: &operator.edges,
        s: operator.factor(s)?,
        pivots,
        x,
    };
    lanes::run(level, width, kernel);
    check_pivots(operator, width, pivots)?;
    Ok(Factors {
        s,
        reciprocals: pivots,
    })
}

/// Looks at the root's reciprocals, and for the culprit if one of them is unsound.
#[inline]
fn check_pivots<F: Element>(
    operator: &Laplacian<F>,
    width: usize,
    reciprocals: &[F],
) -> Result<(), CableError> {
    let sound = |x: &F| x.to_f64().is_finite() && *x != F::default();
    let root = &reciprocals[operator.root() * width..][..width];
    match root.iter().position(|x| !sound(x)) {
        None => Ok(()),
        Some(lane) => {
            let at = |edge: &Edge<F>| edge.row as usize * width + lane;
            let unsound = |edge: &Edge<F>| !sound(&reciprocals[at(edge)]);
            let row = operator.edges.iter().rposition(unsound).unwrap_or(0);
            Err(CableError::Pivot { row, lane })
        }
    }
}

/// One row of the factorisation: from the row sum e, the reciprocal of the pivot and what the parent's row sum gains.
#[inline(always)]
fn eliminate<R: crate::real::Real>(e: R, g: R, e_above: R) -> (R, R) {
    let reciprocal = R::one() / (e + g);
    (reciprocal, g.mul_add(e * reciprocal, e_above))
}

struct Factor<'a, F> {
    edges: &'a [Edge<F>],
    s: F,
    pivots: &'a mut [F],
}

impl<F: Element> Strip<F> for Factor<'_, F> {
    #[inline(always)]
    fn strip<R: Lane<F>, const L: usize>(&mut self, stride: usize, offset: usize) {
        let s = R::load(self.s);
        for edge in self.edges[1..].iter().rev() {
            let [at, above] = edge.places(stride, offset);
            let g = s * R::load(edge.conductance);
            let (mut e, mut e_above) = (
                get::<F, L>(self.pivots, at),
                get::<F, L>(self.pivots, above),
            );
            for lane in 0..L {
                let (reciprocal, sum) = eliminate(R::load(e[lane]), g, R::load(e_above[lane]));
                e[lane] = reciprocal.store();
                e_above[lane] = sum.store();
            }
            put(self.pivots, at, e);
            put(self.pivots, above, e_above);
        }
        let at = self.edges[0].places(stride, offset)[0];
        let mut root = get::<F, L>(self.pivots, at);
        for x in &mut root {
            *x = (R::one() / R::load(*x)).store();
        }
        put(self.pivots, at, root);
    }
}

struct Solve<'a, F> {
    edges: &'a [Edge<F>],
    s: F,
    reciprocals: &'a [F],
    x: &'a mut [F],
}

impl<F: Element> Strip<F> for Solve<'_, F> {
    #[inline(always)]
    fn strip<R: Lane<F>, const L: usize>(&mut self, stride: usize, offset: usize) {
        let s = R::load(self.s);
        for edge in self.edges[1..].iter().rev() {
            let [at, above] = edge.places(stride, offset);
            let g = s * R::load(edge.conductance);
            let reciprocal = get::<F, L>(self.reciprocals, at);
            let (mut x, mut x_above) = (get::<F, L>(self.x, at), get::<F, L>(self.x, above));
            for lane in 0..L {
                let scaled = R::load(reciprocal[lane]) * R::load(x[lane]);
                x[lane] = scaled.store();
                x_above[lane] = g.mul_add(scaled, R::load(x_above[lane])).store();
            }
            put(self.x, at, x);
            put(self.x, above, x_above);
        }
        let at = self.edges[0].places(stride, offset)[0];
        let (reciprocal, mut root) = (get::<F, L>(self.reciprocals, at), get::<F, L>(self.x, at));
        for lane in 0..L {
            root[lane] = (R::load(root[lane]) * R::load(reciprocal[lane])).store();
        }
        put(self.x, at, root);
        substitute::<F, R, L>(self.edges, s, self.reciprocals, self.x, stride, offset);
    }
}

struct FactorAndSolve<'a, F> {
    edges: &'a [Edge<F>],
    s: F,
    pivots: &'a mut [F],
    x: &'a mut [F],
}

impl<F: Element> Strip<F> for FactorAndSolve<'_, F> {
    #[inline(always)]
    fn strip<R: Lane<F>, const L: usize>(&mut self, stride: usize, offset: usize) {
        let s = R::load(self.s);
        for edge in self.edges[1..].iter().rev() {
            let [at, above] = edge.places(stride, offset);
            let g = s * R::load(edge.conductance);
            let (mut e, mut e_above) = (
                get::<F, L>(self.pivots, at),
                get::<F, L>(self.pivots, above),
            );
            let (mut x, mut x_above) = (get::<F, L>(self.x, at), get::<F, L>(self.x, above));
            for lane in 0..L {
                let (reciprocal, sum) = eliminate(R::load(e[lane]), g, R::load(e_above[lane]));
                let scaled = reciprocal * R::load(x[lane]);
                e[lane] = reciprocal.store();
                e_above[lane] = sum.store();
                x[lane] = scaled.store();
                x_above[lane] = g.mul_add(scaled, R::load(x_above[lane])).store();
            }
            put(self.pivots, at, e);
            put(self.pivots, above, e_above);
            put(self.x, at, x);
            put(self.x, above, x_above);
        }
        let at = self.edges[0].places(stride, offset)[0];
        let (mut e, mut x) = (get::<F, L>(self.pivots, at), get::<F, L>(self.x, at));
        for lane in 0..L {
            let reciprocal = R::one() / R::load(e[lane]);
            x[lane] = (R::load(x[lane]) * reciprocal).store();
            e[lane] = reciprocal.store();
        }
        put(self.pivots, at, e);
        put(self.x, at, x);
        substitute::<F, R, L>(self.edges, s, self.pivots, self.x, stride, offset);
    }
}

/// From the root to the leaves: x_i ← x_i + s g_i x_parent / p_i.
#[inline(always)]
fn substitute<F: Element, R: Lane<F>, const L: usize>(
    edges: &[Edge<F>],
    s: R,
    reciprocals: &[F],
    x: &mut [F],
    stride: usize,
    offset: usize,
) {
    for edge in &edges[1..] {
        let [at, above] = edge.places(stride, offset);
        let g = s * R::load(edge.conductance);
        let (reciprocal, x_above) = (get::<F, L>(reciprocals, at), get::<F, L>(x, above));
        let mut own = get::<F, L>(x, at);
        for lane in 0..L {
            let share = g * R::load(reciprocal[lane]);
            own[lane] = share
                .mul_add(R::load(x_above[lane]), R::load(own[lane]))
                .store();
        }
        put(x, at, own);
    }
}
