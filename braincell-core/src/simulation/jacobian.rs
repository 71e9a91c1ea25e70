//! The equations of a cell, linearised about its present state.

use super::Simulation;
use super::tile::standing;
use crate::engine::{Adjoint, Clock, Looks, Section, Sweep, Wanted, Workspace};
use crate::model::{ModelError, Part};
use ndarray::Array2;

/// Tangents that are carried along at once.
const AT_ONCE: usize = 8;

/// A state at an element of a cell: a row and a column of the Jacobian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatePlace {
    /// The state.
    pub name: String,
    /// The element of the domain that the state lives on, from 0.
    pub element: usize,
    /// How many elements the state has.
    pub elements: usize,
    /// Which part of the equations it belongs to.
    pub part: Part,
}

impl std::fmt::Display for StatePlace {
    /// "V", or "V\[3\]" where the state has several elements.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.elements {
            1 => f.write_str(&self.name),
            _ => write!(f, "{}[{}]", self.name, self.element),
        }
    }
}

/// The Jacobian J = ∂f/∂y of one cell at its present state, with the inputs of the present time, per ms.
///
/// It is that of the discretised equations themselves, exact to rounding and independent of the solver: unit vectors, or any
/// others, are carried through the instructions that compute the derivative by their tangent rules. The cable and
/// what modules couple across domains are part of it. States of modules that are integrated by a solver of their own
/// count as constants.
pub struct Linearisation<'a> {
    simulation: &'a Simulation<f64>,
    adjoint: Adjoint,
    workspace: Workspace<f64>,
    sweep: Sweep,
    clock: Clock,
    tile: usize,
    places: Vec<StatePlace>,
    /// Where each place is in an array of the parent's group.
    offsets: Vec<usize>,
}

impl Simulation<f64> {
    /// The equations of cell `cell`, counted from 0, linearised about the present state.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] if there is no such cell.
    pub fn linearise(&self, cell: usize) -> Result<Linearisation<'_>, ModelError> {
        let width = |tile: usize| self.engines[self.tiles[tile].engine].layout.lanes;
        let holds =
            |&k: &usize| (self.tiles[k].first..self.tiles[k].first + width(k)).contains(&cell);
        let Some(tile) = (0..self.tiles.len()).find(holds) else {
            return Err(ModelError::Invalid(format!(
                "there is no cell {cell}: the cells are counted from 0 to {}",
                self.model.cells - 1
            )));
        };
        let engine = &self.engines[self.tiles[tile].engine];
        let layout = &engine.layout;
        let lane = cell - self.tiles[tile].first;
        let (mut places, mut offsets) = (Vec::new(), Vec::new());
        for (info, plane) in self.model.states.iter().zip(&layout.states) {
            if info.group != 0 {
                continue;
            }
            let elements = self.model.domains[info.domain.0].rows;
            for element in 0..elements {
                places.push(StatePlace {
                    name: info.state.name.clone(),
                    element,
                    elements,
                    part: info.state.part,
                });
                offsets.push(plane.offset + element * layout.lanes + lane);
            }
        }
        let wanted = Wanted {
            parameters: vec![false; self.model.parameters.len()],
            amplitudes: vec![false; self.model.signals.len()],
            connections: false,
        };
        let adjoint = Adjoint::new(engine, &wanted, Looks::default());
        let mut workspace = adjoint.workspace(engine);
        self.tiles[tile].load(engine, &mut workspace);
        Ok(Linearisation {
            sweep: adjoint.sweep(engine, AT_ONCE),
            clock: standing(&self.model, self.time()),
            simulation: self,
            adjoint,
            workspace,
            tile,
            places,
            offsets,
        })
    }
}

impl Linearisation<'_> {
    /// The states, in the order of rows and columns.
    pub fn places(&self) -> &[StatePlace] {
        &self.places
    }

    /// J v for each of the vectors `v`, per ms times their units.
    ///
    /// # Panics
    /// If a vector has not one number for each of [`Linearisation::places`].
    pub fn times(&mut self, vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let engine = self.simulation.tiles[self.tile].engine;
        let base = self.simulation.engines[engine].layout.current[0];
        let mut products = Vec::with_capacity(vectors.len());
        for batch in vectors.chunks(AT_ONCE) {
            self.sweep.dots.iter_mut().for_each(|dot| dot.fill(0.0));
            for (dot, vector) in self.sweep.dots.iter_mut().zip(batch) {
                assert_eq!(vector.len(), self.offsets.len(), "length of a vector");
                for (offset, x) in self.offsets.iter().zip(vector) {
                    dot[base + offset] = *x;
                }
            }
            let slope = self.push();
            for dot in &self.sweep.dots[..batch.len()] {
                products.push(self.offsets.iter().map(|at| dot[slope + at]).collect());
            }
        }
        products
    }

    /// The whole matrix: entry (i, j) is ∂f_i/∂y_j.
    pub fn matrix(&mut self) -> Array2<f64> {
        let n = self.offsets.len();
        let mut matrix = Array2::zeros((n, n));
        for first in (0..n).step_by(AT_ONCE) {
            let columns = first..(first + AT_ONCE).min(n);
            let unit = |column: usize| (0..n).map(|k| f64::from(u8::from(k == column))).collect();
            let units: Vec<Vec<f64>> = columns.clone().map(unit).collect();
            for (column, product) in columns.zip(self.times(&units)) {
                for (row, x) in product.into_iter().enumerate() {
                    matrix[[row, column]] = x;
                }
            }
        }
        matrix
    }

    /// Computes the derivatives with their tangents. Returns where they are.
    fn push(&mut self) -> usize {
        let tile = &self.simulation.tiles[self.tile];
        let engine = &self.simulation.engines[tile.engine];
        let section = (Section::Slope(1), self.clock);
        let (w, sweep) = (&mut self.workspace, &mut self.sweep);
        let done = self.adjoint.tangent(engine, tile.first, section, w, sweep);
        // Nothing is iterated or factored in a right-hand side.
        debug_assert!(done.is_ok());
        engine.slope_at(1)
    }
}
