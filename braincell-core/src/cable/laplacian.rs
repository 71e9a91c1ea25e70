//! The axial operator R·G of a tree and its product with a vector.

use super::lanes::{self, Strip, get, put};
use super::{CableError, Tree, common_width};
use crate::real::{Element, Lane};
use crate::simd::Level;

/// The operator R·G: G is the weighted Laplacian of a tree (G_ij = −g_ij on edges, G_ii = Σ_j g_ij), R a positive
/// diagonal.
///
/// `(R G V)_i = r_i Σ_j g_ij (V_i − V_j)`; with r = 1/capacitance this is minus the rate of change of the voltage by
/// axial current. Rows are in the level order of [`Tree`]. All lanes share the operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Laplacian<F> {
    pub(super) edges: Vec<Edge<F>>,
    pub(super) scale: Vec<F>,
    pub(super) largest: f64,
}

/// What row i needs of its edge to row p, of conductance g; row 0 has zeros.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Edge<F> {
    pub parent: u32,
    /// r_i·g = −(R G)_ip.
    pub up: F,
    /// r_p·g = −(R G)_pi.
    pub down: F,
}

impl<F: Element> Laplacian<F> {
    /// The plain Laplacian G, R = 1.
    ///
    /// # Errors
    /// [`CableError::Coefficient`] if a conductance overflows or vanishes in the element type.
    pub fn new(tree: &Tree) -> Result<Self, CableError> {
        Self::build(tree, |_| 1.0)
    }

    /// R·G with the scales r of R, one per row.
    ///
    /// # Errors
    /// [`CableError::Shape`] if there is not one scale per row; [`CableError::Coefficient`] if a scale, or its
    /// product with a conductance, is not positive and finite in the element type.
    pub fn scaled(tree: &Tree, scale: &[f64]) -> Result<Self, CableError> {
        if scale.len() != tree.len() {
            return Err(CableError::Shape {
                what: "the list of row scales",
                found: scale.len(),
                rows: tree.len(),
            });
        }
        Self::build(tree, |row| scale[row])
    }

    fn build(tree: &Tree, scale: impl Fn(usize) -> f64) -> Result<Self, CableError> {
        let mut edges = Vec::with_capacity(tree.len());
        let mut largest = 0.0_f64;
        for (row, &parent) in tree.parents().iter().enumerate() {
            let coefficient = |of: usize, conductance: f64| {
                let value = scale(of) * conductance;
                let rounded = F::from_f64(value);
                if value > 0.0 && rounded > F::default() && rounded.to_f64().is_finite() {
                    Ok(rounded)
                } else {
                    Err(CableError::Coefficient { row: of, value })
                }
            };
            coefficient(row, 1.0)?;
            let (up, down) = if row == 0 {
                (F::default(), F::default())
            } else {
                let g = tree.conductance(row);
                (coefficient(row, g)?, coefficient(parent as usize, g)?)
            };
            largest = largest.max(up.to_f64()).max(down.to_f64());
            edges.push(Edge { parent, up, down });
        }
        let scale = (0..tree.len()).map(|row| F::from_f64(scale(row)));
        Ok(Self {
            edges,
            scale: scale.collect(),
            largest,
        })
    }

    /// Number of rows; at least 1.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.edges.len()
    }

    /// The factor s as an element, if all s·(R G)_ij are finite.
    pub(super) fn factor(&self, s: f64) -> Result<F, CableError> {
        let rounded = F::from_f64(s);
        let finite = F::from_f64(rounded.to_f64() * self.largest)
            .to_f64()
            .is_finite();
        if s >= 0.0 && rounded.to_f64().is_finite() && finite {
            Ok(rounded)
        } else {
            Err(CableError::Factor { value: s })
        }
    }

    /// `y ← y + s R G x`, arrays `[row][lane]`; any number of lanes.
    ///
    /// With R = 1 the rows of `G x` sum to zero: axial current is conserved.
    ///
    /// # Errors
    /// [`CableError::Shape`] if a length does not fit; [`CableError::Factor`] unless s is finite and s ≥ 0.
    pub fn apply(&self, level: Level, s: f64, x: &[F], y: &mut [F]) -> Result<(), CableError> {
        self.product::<false>(level, s, x, y)
    }

    /// `y ← y + s (R G)ᵀ x = y + s G R x`, the adjoint of [`Laplacian::apply`].
    ///
    /// # Errors
    /// As [`Laplacian::apply`].
    pub fn apply_transposed(
        &self,
        level: Level,
        s: f64,
        x: &[F],
        y: &mut [F],
    ) -> Result<(), CableError> {
        self.product::<true>(level, s, x, y)
    }

    fn product<const TRANSPOSED: bool>(
        &self,
        level: Level,
        s: f64,
        x: &[F],
        y: &mut [F],
    ) -> Result<(), CableError> {
        let width = common_width(self.len(), [("x", x.len()), ("y", y.len())])?;
        let (s, edges) = (self.factor(s)?, &self.edges[..]);
        lanes::run(level, width, Product::<F, TRANSPOSED> { edges, s, x, y });
        Ok(())
    }
}

struct Product<'a, F, const TRANSPOSED: bool> {
    edges: &'a [Edge<F>],
    s: F,
    x: &'a [F],
    y: &'a mut [F],
}

impl<F: Element, const TRANSPOSED: bool> Strip<F> for Product<'_, F, TRANSPOSED> {
    #[inline(always)]
    fn strip<R: Lane<F>, const L: usize>(&mut self, stride: usize, offset: usize) {
        let s = R::load(self.s);
        for (row, edge) in self.edges.iter().enumerate().skip(1) {
            let (at, above) = (
                row * stride + offset,
                edge.parent as usize * stride + offset,
            );
            let (up, down) = (s * R::load(edge.up), s * R::load(edge.down));
            let (x, x_above) = (get::<F, L>(self.x, at), get::<F, L>(self.x, above));
            let (mut y, mut y_above) = (get::<F, L>(self.y, at), get::<F, L>(self.y, above));
            for lane in 0..L {
                let (x, x_above) = (R::load(x[lane]), R::load(x_above[lane]));
                let (own, other) = (R::load(y[lane]), R::load(y_above[lane]));
                let (own, other) = if TRANSPOSED {
                    let flow = up * x - down * x_above;
                    (own + flow, other - flow)
                } else {
                    let difference = x - x_above;
                    (
                        up.mul_add(difference, own),
                        (-down).mul_add(difference, other),
                    )
                };
                y[lane] = own.store();
                y_above[lane] = other.store();
            }
            put(self.y, at, y);
            put(self.y, above, y_above);
        }
    }
}
