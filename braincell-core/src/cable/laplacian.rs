//! The axial operator G of a tree and its product with a vector.

use super::lanes::{self, Strip, get, put};
use super::{CableError, Tree, common_width};
use crate::real::{Element, Lane};
use crate::simd::Level;

/// The weighted Laplacian G of a tree: G_ij = −g_ij on edges, G_ii = Σ_j g_ij.
///
/// `(G V)_i = Σ_j g_ij (V_i − V_j)` is the axial current out of point i. Rows are in the level order of [`Tree`]. All lanes
/// share the operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Laplacian<F> {
    pub(super) edges: Vec<Edge<F>>,
    largest: f64,
}

/// The edge of a row to its parent's, by the places of the two in arrays; of row 0 without conductance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Edge<F> {
    pub row: u32,
    pub parent: u32,
    pub conductance: F,
}

impl<F> Edge<F> {
    /// Where the numbers of the row and of its parent are.
    #[inline(always)]
    pub fn places(&self, stride: usize, offset: usize) -> [usize; 2] {
        [self.row, self.parent].map(|row| row as usize * stride + offset)
    }
}

impl<F: Element> Laplacian<F> {
    /// The Laplacian of a tree.
    ///
    /// # Errors
    /// [`CableError::Conductance`] if a conductance overflows or vanishes in the element type.
    pub fn new(tree: &Tree) -> Result<Self, CableError> {
        let rows: Vec<u32> = (0..).take(tree.len()).collect();
        Self::placed(tree, &rows)
    }

    /// The Laplacian of a tree on arrays in another order than the tree's: `places` says where each row is, each place once.
    ///
    /// # Errors
    /// As [`Laplacian::new`]; [`CableError::Shape`] if `places` are not as many as the rows, or not each place once.
    pub fn placed(tree: &Tree, places: &[u32]) -> Result<Self, CableError> {
        let mut taken = vec![false; tree.len()];
        for &place in places {
            if let Some(taken) = taken.get_mut(place as usize) {
                *taken = true;
            }
        }
        if places.len() != tree.len() || taken.contains(&false) {
            return Err(CableError::Shape {
                what: "the list of places",
                found: taken.iter().filter(|taken| **taken).count(),
                rows: tree.len(),
            });
        }
        let mut edges = vec![Edge {
            row: places[0],
            parent: places[0],
            conductance: F::default(),
        }];
        let mut largest = 0.0_f64;
        for (row, &parent) in tree.parents().iter().enumerate().skip(1) {
            let value = tree.conductance(row);
            let conductance = F::from_f64(value);
            if conductance <= F::default() || !conductance.to_f64().is_finite() {
                return Err(CableError::Conductance { row, value });
            }
            largest = largest.max(conductance.to_f64());
            edges.push(Edge {
                row: places[row],
                parent: places[parent as usize],
                conductance,
            });
        }
        Ok(Self { edges, largest })
    }

    /// Number of rows; at least 1.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.edges.len()
    }

    /// The factor s as an element, if all s g are finite.
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

    /// Where the root is.
    pub(super) fn root(&self) -> usize {
        self.edges[0].row as usize
    }

    /// `y ← s G x`, arrays `[row][lane]`; any number of lanes.
    ///
    /// The rows of `G x` sum to zero: axial current is conserved.
    ///
    /// # Errors
    /// [`CableError::Shape`] if a length does not fit; [`CableError::Factor`] unless s is finite and s ≥ 0.
    pub fn apply(&self, level: Level, s: f64, x: &[F], y: &mut [F]) -> Result<(), CableError> {
        let width = common_width(self.len(), [("x", x.len()), ("y", y.len())])?;
        let (s, edges) = (self.factor(s)?, &self.edges[..]);
        lanes::run(level, width, Product { edges, s, x, y });
        Ok(())
    }
}

struct Product<'a, F> {
    edges: &'a [Edge<F>],
    s: F,
    x: &'a [F],
    y: &'a mut [F],
}

impl<F: Element> Strip<F> for Product<'_, F> {
    #[inline(always)]
    fn strip<R: Lane<F>, const L: usize>(&mut self, stride: usize, offset: usize) {
        let s = R::load(self.s);
        let root = self.edges[0].row as usize * stride + offset;
        put(self.y, root, [F::default(); L]);
        // Parents come first: each row has its own current before its children's are taken from it.
        for edge in &self.edges[1..] {
            let [at, above] = edge.places(stride, offset);
            let g = s * R::load(edge.conductance);
            let (x, x_above) = (get::<F, L>(self.x, at), get::<F, L>(self.x, above));
            let (mut y, mut y_above) = ([F::default(); L], get::<F, L>(self.y, above));
            for lane in 0..L {
                let difference = R::load(x[lane]) - R::load(x_above[lane]);
                y[lane] = (g * difference).store();
                y_above[lane] = (-g).mul_add(difference, R::load(y_above[lane])).store();
            }
            put(self.y, at, y);
            put(self.y, above, y_above);
        }
    }
}
