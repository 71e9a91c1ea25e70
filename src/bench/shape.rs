//! The branched cells that are measured.

use crate::cells::discretisation::{Discretisation, Node, Policy};
use crate::cells::morphology::{Region, builders};
use crate::cells::{MultiCompartment, Placed, mechanisms};
use crate::model::Model;
use braincell_core::cable::Tree;

/// A branched cell of so many compartments, and its tree in level order.
pub struct Shape {
    cut: Discretisation,
    pub tree: Tree,
    pub parents: Vec<u32>,
    /// To the parent, µS.
    pub conductance: Vec<f64>,
    /// Of each row, µm²; 0 where there is no membrane.
    pub area: Vec<f64>,
}

impl Shape {
    /// A binary tree of cylinders cut into about `compartments` pieces.
    pub fn new(compartments: usize) -> Self {
        let levels = 4;
        let branches = (1 << levels) - 1;
        let shape = builders::binary_tree(levels, 200.0, 4.0, 0.8, 0.63).expect("a sound shape");
        let rest = compartments / branches;
        let cut = Discretisation::new(shape, &Policy::Count(rest).into(), 100.0);
        let cut = cut.expect("a sound discretisation");
        let nodes = cut.nodes().len();
        let (mut parent, mut conductance) = (vec![None; nodes], vec![0.0; nodes]);
        for edge in cut.edges() {
            parent[edge.child] = Some(edge.parent);
            conductance[edge.child] = edge.conductance;
        }
        let tree = Tree::new(&parent, &conductance).expect("a sound tree");
        let area = tree
            .permutation()
            .iter()
            .map(|&node| match cut.nodes()[node as usize] {
                Node::Centre(volume) => cut.cvs()[volume].area,
                Node::Boundary => 0.0,
            });
        Self {
            area: area.collect(),
            parents: tree.parents().to_vec(),
            conductance: (0..tree.len()).map(|row| tree.conductance(row)).collect(),
            tree,
            cut,
        }
    }

    /// Number of compartments.
    pub fn compartments(&self) -> usize {
        self.cut.cvs().len()
    }

    /// Hodgkin-Huxley cells of this shape.
    pub fn model(&self, cells: usize) -> Option<Model> {
        let all = [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")];
        let mut cell = MultiCompartment::new(self.cut.clone());
        for (label, name) in all {
            let placed = Placed::new(label, mechanisms::find(name).ok()?);
            cell = cell.paint(Region::all(), placed).ok()?;
        }
        Model::population(&cell, cells).ok()
    }
}
