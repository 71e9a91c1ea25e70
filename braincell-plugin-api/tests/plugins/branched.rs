//! A small branched cell with a gated current.

use braincell_core::input::Input;
use braincell_core::kernel::{Kinetics, Pointwise, Relaxation, kinetics, pointwise};
use braincell_core::model::{
    Cable, CableNode, DiffEqModule, DiffEqState, Domain, Launches, ModelBuilder, ModelError,
    Parameter, ParameterId, SignalId, Source, StateId, Target, Values,
};
use braincell_core::real::Real;

/// Four compartments around a branch point.
pub struct Branched;

pub struct Handles {
    compartments: Domain,
    voltage: StateId,
    gate: StateId,
    capacitance: ParameterId,
    stimulus: SignalId,
}

/// (leak + gated current + stimulus) / C
struct Membrane;
impl Pointwise for Membrane {
    type Inputs<T: Copy> = [T; 4];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [v, n, c, i]: [R; 4]) -> [R; 1] {
        let leak = (v + 60.0) * -0.3;
        let gated = n * n * (v + 80.0) * -2.0;
        [(leak + gated + i) / c]
    }
}

struct Gate;
impl Kinetics<1> for Gate {
    type Inputs<T: Copy> = [T; 1];
    fn rates<R: Real>(&self, [v]: [R; 1]) -> [Relaxation<R>; 1] {
        let target = ((v + 40.0) / 9.0).logistic();
        [Relaxation::relaxing(target, R::constant(2.0))]
    }
}

impl DiffEqModule for Branched {
    type Handles = Handles;

    fn declare(&self, m: &mut ModelBuilder) -> Result<Handles, ModelError> {
        let compartments = m.domain("compartments", 4)?;
        // Apart, so that currents flow along the cable.
        let apart = Values::PerElement(vec![-60.0, -57.0, -64.0, -61.0]);
        let voltage = m.state(compartments, DiffEqState::voltage("V", apart))?;
        let gate = m.state(compartments, DiffEqState::gate("n"))?;
        let capacitance = m.parameter(Domain::CELL, Parameter::new("C", 1.0))?;
        let stimulus = m.input("stimulus", "µA/cm²", vec![Input::step(5.0, 0.5, 2.0)])?;
        use CableNode::{Compartment, Junction};
        m.cable(Cable {
            voltage,
            capacitance,
            area: vec![1200.0, 300.0, 250.0, 400.0],
            nodes: vec![
                Compartment(0),
                Junction(0),
                Compartment(1),
                Compartment(2),
                Compartment(3),
            ],
            parents: vec![None, Some(0), Some(1), Some(1), Some(3)],
            conductances: vec![0.0, 0.05, 0.04, 0.03, 0.02],
            current: None,
            potential: None,
        })?;
        Ok(Handles {
            compartments,
            voltage,
            gate,
            capacitance,
            stimulus,
        })
    }

    fn compute_derivative(&self, h: &Handles, k: &mut Launches) -> Result<(), ModelError> {
        let (voltage, gate) = (Source::State(h.voltage), Source::State(h.gate));
        let others = [Source::Parameter(h.capacitance), Source::Signal(h.stimulus)];
        let inputs = [voltage, gate, others[0], others[1]];
        let to = [Target::Derivative(h.voltage)];
        k.launch(h.compartments, pointwise(Membrane), &inputs, &to)?;
        let to = [Target::Derivative(h.gate)];
        k.launch(h.compartments, kinetics(Gate), &[voltage, gate], &to)
    }
}
