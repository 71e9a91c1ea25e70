//! Models to differentiate.

use braincell::cells::discretisation::{Discretisation, Policy};
use braincell::cells::morphology::{BranchSpec, BranchType, Frustum, Morphology, Region};
use braincell::cells::{MultiCompartment, Placed, mechanisms};
use braincell::input::Input;
use braincell::kernel::{Kinetics, Pointwise, Relaxation, kinetics, pointwise};
use braincell::model::{
    Cable, CableNode, DiffEqModule, DiffEqState, Domain, Launches, ModelBuilder, ModelError,
    Parameter, ParameterId, SignalId, Source, StateId, Target,
};
use braincell::real::Real;

/// Six compartments around a branch point (junction 0), with an end (junction 1) into which a current flows; a calcium
/// concentration and a channel in some compartments only.
pub struct Branched {
    /// A factor of the conductances along the cable.
    pub axial: f64,
    /// The amplitude of the stimulus, nA.
    pub stimulus: f64,
}

pub struct Handles {
    all: Domain,
    some: Domain,
    end: Domain,
    v: StateId,
    gates: [StateId; 3],
    calcium: StateId,
    capacitance: ParameterId,
    parameters: [ParameterId; 4],
    stimulus: SignalId,
    current: SignalId,
    membrane: SignalId,
    potential: SignalId,
}

/// Leak and potassium current, and a sodium current with fixed inactivation.
struct Currents;
impl Pointwise for Currents {
    type Inputs<T: Copy> = ([T; 3], [T; 3]);
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, ([v, n, m], [g_leak, g_k, g_na]): ([R; 3], [R; 3])) -> [R; 1] {
        let leak = g_leak * (v + 60.0);
        let potassium = g_k * (n * n * n * n) * (v + 80.0);
        let sodium = g_na * (m * m * m) * (v - 50.0) * 0.3;
        [-(leak + potassium + sodium)]
    }
}

/// Calcium current with a gate, and what it does to the concentration.
struct Calcium;
impl Pointwise for Calcium {
    type Inputs<T: Copy> = [T; 4];
    type Outputs<T: Copy> = [T; 2];
    fn eval<R: Real>(&self, [v, s, ca, g]: [R; 4]) -> [R; 2] {
        let current = g * (s * s) * (R::constant(12.0) * (ca / 2.0).ln() + v);
        let inflow = (-current * 1e-4).max(R::zero());
        [-current, inflow + (R::constant(1e-4) - ca) / 5.0]
    }
}

struct Membrane;
impl Pointwise for Membrane {
    type Inputs<T: Copy> = [T; 2];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [current, c]: [R; 2]) -> [R; 1] {
        [current / c]
    }
}

/// A current that depends on the potential of the branch point.
struct Shunt;
impl Pointwise for Shunt {
    type Inputs<T: Copy> = [T; 2];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [v, stimulus]: [R; 2]) -> [R; 1] {
        [stimulus - (v + 60.0) * 1e-3]
    }
}

struct Gates;
impl Kinetics<2> for Gates {
    type Inputs<T: Copy> = [T; 1];
    fn rates<R: Real>(&self, [v]: [R; 1]) -> [Relaxation<R>; 2] {
        [
            Relaxation::relaxing(((v + 40.0) / 9.0).logistic(), R::constant(2.0)),
            Relaxation::rates(
                ((v + 40.0) / -10.0).exprel().powi(1).max(R::constant(1e-3)),
                ((v + 65.0) / -18.0).exp() * 4.0,
            ),
        ]
    }
}

struct Slow;
impl Kinetics<1> for Slow {
    type Inputs<T: Copy> = [T; 2];
    fn rates<R: Real>(&self, [v, ca]: [R; 2]) -> [Relaxation<R>; 1] {
        let steady = ((v + 45.0) / 6.0).logistic();
        [Relaxation::relaxing(steady, ca * 1e3 + 3.0)]
    }
}

impl DiffEqModule for Branched {
    type Handles = Handles;
    fn declare(&self, m: &mut ModelBuilder) -> Result<Handles, ModelError> {
        let all = m.domain("compartments", 6)?;
        let some = m.subset("some", all, &[1, 4, 5])?;
        let junctions = m.domain("junctions", 2)?;
        let end = m.subset("end", junctions, &[1])?;
        let v = m.state(all, DiffEqState::voltage("V", -60.0))?;
        let n = m.state(all, DiffEqState::gate("n"))?;
        let na = m.state(all, DiffEqState::gate("m"))?;
        let s = m.state(some, DiffEqState::gate("s"))?;
        let calcium = m.state(some, DiffEqState::concentration("ca", 1.5e-4))?;
        let capacitance = m.parameter(all, Parameter::new("C", 1.0))?;
        let g_leak = m.parameter(all, Parameter::new("g_leak", 0.3))?;
        let per_element = braincell::model::Values::PerElement(vec![9., 8., 7., 9., 6., 8.]);
        let g_k = m.parameter(all, Parameter::new("g_k", per_element))?;
        let g_na = m.parameter(Domain::CELL, Parameter::new("g_na", 40.0))?;
        let g_ca = m.parameter(Domain::CELL, Parameter::new("g_ca", 0.2))?;
        let stimulus = m.input("stimulus", "nA", vec![Input::sine(self.stimulus, 0.2, 0.5)])?;
        let current = m.signal(junctions, "I_junctions", "nA")?;
        let potential = m.signal(junctions, "V_junctions", "mV")?;
        let membrane = m.signal(all, "I", "uA/cm2")?;
        use CableNode::{Compartment, Junction};
        let nodes = [
            Compartment(0),
            Junction(0),
            Compartment(1),
            Compartment(2),
            Compartment(3),
            Compartment(4),
            Compartment(5),
            Junction(1),
        ];
        let parents = [-1, 0, 1, 1, 2, 4, 3, 6];
        m.cable(Cable {
            voltage: v,
            capacitance,
            area: vec![1200.0, 300.0, 250.0, 400.0, 100.0, 180.0],
            nodes: nodes.to_vec(),
            parents: parents.iter().map(|&p| usize::try_from(p).ok()).collect(),
            conductances: [0.0, 0.05, 0.04, 0.03, 0.02, 0.015, 0.05, 0.05]
                .map(|g| g * self.axial)
                .to_vec(),
            current: Some(current),
            potential: Some(potential),
        })?;
        Ok(Handles {
            all,
            some,
            end,
            v,
            gates: [n, na, s],
            calcium,
            capacitance,
            parameters: [g_leak, g_k, g_na, g_ca],
            stimulus,
            current,
            membrane,
            potential,
        })
    }

    fn compute_derivative(&self, h: &Handles, k: &mut Launches) -> Result<(), ModelError> {
        let _ = h.potential;
        let state = |s: StateId| Source::State(s);
        let parameter = |p: usize| Source::Parameter(h.parameters[p]);
        let [n, m, s] = h.gates.map(state);
        let v = state(h.v);
        let inputs = [Source::Zero, Source::Signal(h.stimulus)];
        let target = [Target::Signal(h.current)];
        k.launch(h.end, pointwise(Shunt), &inputs, &target)?;
        let inputs = [v, n, m, parameter(0), parameter(1), parameter(2)];
        let target = [Target::Signal(h.membrane)];
        k.launch(h.all, pointwise(Currents), &inputs, &target)?;
        let inputs = [v, s, state(h.calcium), parameter(3)];
        let target = [Target::Signal(h.membrane), Target::Derivative(h.calcium)];
        k.launch(h.some, pointwise(Calcium), &inputs, &target)?;
        let inputs = [Source::Signal(h.membrane), Source::Parameter(h.capacitance)];
        k.launch(
            h.all,
            pointwise(Membrane),
            &inputs,
            &[Target::Derivative(h.v)],
        )?;
        let target = [
            Target::Derivative(h.gates[0]),
            Target::Derivative(h.gates[1]),
        ];
        k.launch(h.all, kinetics(Gates), &[v, n, m], &target)?;
        let target = [Target::Derivative(h.gates[2])];
        k.launch(h.some, kinetics(Slow), &[v, state(h.calcium), s], &target)
    }
}

/// Hodgkin-Huxley membrane on a soma with a dendrite that forks, a control volume each; the resistivity in Ω·cm.
pub fn forked(resistivity: f64) -> MultiCompartment {
    let spec = |kind, parent, length: f64, r0: f64, r1: f64| {
        let frusta = vec![Frustum::new(length, r0, r1)];
        match parent {
            None => BranchSpec::root(kind, frusta),
            Some(parent) => BranchSpec::child(parent, 1.0, kind, frusta),
        }
    };
    let branches = vec![
        spec(BranchType::Soma, None, 20.0, 10.0, 10.0),
        spec(BranchType::BasalDendrite, Some(0), 150.0, 1.5, 1.0),
        spec(BranchType::BasalDendrite, Some(1), 100.0, 1.0, 0.5),
        spec(BranchType::BasalDendrite, Some(1), 120.0, 0.8, 0.6),
    ];
    let morphology = Morphology::new(branches).unwrap();
    let cut = Discretisation::new(morphology, &Policy::Count(1).into(), resistivity).unwrap();
    [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")]
        .into_iter()
        .fold(MultiCompartment::new(cut), |cell, (label, name)| {
            let placed = Placed::new(label, mechanisms::find(name).unwrap());
            cell.paint(Region::all(), placed).unwrap()
        })
}
