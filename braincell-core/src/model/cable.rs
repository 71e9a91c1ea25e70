//! The cable: axial currents between the compartments of a cell.

use super::{ModelError, ParameterId, SignalId, StateId, Values};
use crate::cable::Tree;

/// A point of the tree along which current flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CableNode {
    /// The centre of a compartment: it has membrane. The number is that of the element of the voltage's domain.
    Compartment(u32),
    /// A branch point or an end: it has no membrane, and its potential follows from its neighbours. The number is that
    /// of the element of the junctions' domain.
    Junction(u32),
}

/// Axial coupling of a membrane potential along a tree:
/// C_i A_i dV_i/dt = A_i I_i + Σ_j g_ij (V_j - V_i) at compartments, 0 = I_a + Σ_j g_aj (V_j - V_a) at junctions.
#[derive(Clone, Debug)]
pub struct Cable {
    /// The potential that is coupled, mV.
    pub voltage: StateId,
    /// Membrane capacitance C, µF/cm², on the voltage's domain or on [`super::Domain::CELL`].
    pub capacitance: ParameterId,
    /// Membrane area A of each compartment, µm².
    pub area: Vec<f64>,
    /// What each node of the tree is. Every compartment and every junction occurs once.
    pub nodes: Vec<CableNode>,
    /// The parent of each node; none for the root.
    pub parents: Vec<Option<usize>>,
    /// Conductance of the connection of each node to its parent, µS; of no meaning for the root.
    pub conductances: Vec<f64>,
    /// Currents into the junctions, nA: a signal on the junctions' domain.
    pub current: Option<SignalId>,
    /// The potentials of the junctions, mV: a signal on the junctions' domain that the cable computes.
    pub potential: Option<SignalId>,
}

/// A checked cable.
#[derive(Clone, Debug)]
pub(crate) struct CableInfo {
    pub cable: Cable,
    pub tree: Tree,
    pub junctions: usize,
}

impl CableInfo {
    pub fn new(cable: Cable, compartments: usize) -> Result<Self, ModelError> {
        let invalid = |text: String| Err(ModelError::Invalid(text));
        let tree = match Tree::new(&cable.parents, &cable.conductances) {
            Ok(tree) => tree,
            Err(error) => return invalid(format!("the cable is malformed: {error}")),
        };
        if cable.area.len() != compartments {
            return invalid(format!(
                "the cable gives the areas of {} compartments; the potential has {compartments}",
                cable.area.len()
            ));
        }
        if let Some(k) = cable.area.iter().position(|a| !(a.is_finite() && *a > 0.0)) {
            return invalid(format!(
                "compartment {k} has the area {} µm²; it must be positive",
                cable.area[k]
            ));
        }
        if cable.nodes.len() != tree.len() {
            return invalid(format!(
                "the cable describes {} nodes, its tree has {}",
                cable.nodes.len(),
                tree.len()
            ));
        }
        let junctions = cable.nodes.len().saturating_sub(compartments);
        let mut seen = vec![false; compartments + junctions];
        for (node, kind) in cable.nodes.iter().enumerate() {
            let (number, first, count) = match *kind {
                CableNode::Compartment(k) => (k as usize, 0, compartments),
                CableNode::Junction(k) => (k as usize, compartments, junctions),
            };
            if number >= count || std::mem::replace(&mut seen[first + number], true) {
                return invalid(format!(
                    "node {node} of the cable is {kind:?}, which occurs twice or does not exist"
                ));
            }
        }
        Ok(Self {
            cable,
            tree,
            junctions,
        })
    }
}

/// Checks that a compartment has a membrane to charge.
pub(super) fn check_capacitance(name: &str, values: &Values) -> Result<(), ModelError> {
    match values.find(|x| x <= 0.0) {
        None => Ok(()),
        Some((element, value)) => Err(ModelError::Invalid(format!(
            "the capacitance \"{name}\" is {value} at compartment {element}; it must be positive wherever the cable is"
        ))),
    }
}
