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

/// What the conductances of a cable are made of: connection k has the conductance 1 / Σ r ρ, where ρ is the resistivity of a
/// compartment that it leads through, and r the length over the cross-section of the way there, ∫ds/(πa²).
#[derive(Clone, Debug, PartialEq)]
pub struct Resistivity {
    /// The resistivity ρ, Ω·cm, on the voltage's domain; the same in all cells.
    pub parameter: ParameterId,
    /// For the connection of each node to its parent the compartments that it leads through, with r, in MΩ per Ω·cm; of no
    /// meaning for the root.
    pub parts: Vec<Vec<(u32, f64)>>,
}

/// A checked cable.
#[derive(Clone, Debug)]
pub(crate) struct CableInfo {
    pub cable: Cable,
    pub tree: Tree,
    pub junctions: usize,
    pub resistivity: Option<Resistivity>,
}

impl CableInfo {
    /// The cable with the conductances that follow from a resistivity with these values.
    pub fn with_resistivity(
        &self,
        resistivity: Resistivity,
        (name, values): (&str, &Values),
    ) -> Result<Self, ModelError> {
        let invalid = |text: String| Err(ModelError::Invalid(text));
        let (nodes, compartments) = (self.tree.len(), self.cable.area.len());
        if resistivity.parts.len() != nodes {
            return invalid(format!(
                "the resistivity \"{name}\" describes {} connections; the cable has {nodes} nodes",
                resistivity.parts.len()
            ));
        }
        let wrong = |&(k, r): &(u32, f64)| k as usize >= compartments || r.is_nan() || r <= 0.0;
        if let Some((k, r)) = resistivity.parts.iter().flatten().copied().find(wrong) {
            return invalid(format!(
                "the resistivity \"{name}\" counts {r} MΩ per Ω·cm for compartment {k} of {compartments}; it must be positive, and the compartment must exist"
            ));
        }
        if matches!(values, Values::PerCell(_) | Values::Each(_)) {
            return invalid(format!(
                "the resistivity \"{name}\" differs from cell to cell; it must be the same in all of them"
            ));
        }
        if let Some((k, x)) = values.find(|x| x <= 0.0) {
            return invalid(format!(
                "the resistivity \"{name}\" is {x} Ω·cm at compartment {k}; it must be positive"
            ));
        }
        let mut cable = self.cable.clone();
        for (node, parts) in resistivity.parts.iter().enumerate() {
            if cable.parents[node].is_some() {
                let parts = parts.iter().map(|&(k, r)| r * values.at(k as usize, 0));
                cable.conductances[node] = 1.0 / parts.sum::<f64>();
            }
        }
        let mut info = Self::new(cable, compartments)?;
        info.resistivity = Some(resistivity);
        Ok(info)
    }

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
            resistivity: None,
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
