//! Every solver on a small branched cable with nonlinear membrane, against a converged solution.

use braincell::input::Input;
use braincell::kernel::{Kinetics, Pointwise, Relaxation, kinetics, pointwise};
use braincell::model::{
    Cable, CableNode, DiffEqModule, DiffEqState, Domain, Launches, Model, ModelBuilder, ModelError,
    Parameter, ParameterId, SignalId, Source, StateId, Target,
};
use braincell::real::Real;
use braincell::simulation::Setup;

/// Six compartments around a branch point (junction 0), with an end (junction 1) into which a current flows.
struct SmallTree;

struct Handles {
    all: Domain,
    end: Domain,
    v: StateId,
    n: StateId,
    c: ParameterId,
    clamp: SignalId,
    current: SignalId,
}

/// (leak + gated current) / C
struct Membrane;
impl Pointwise for Membrane {
    type Inputs<T: Copy> = [T; 3];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [v, n, c]: [R; 3]) -> [R; 1] {
        let leak = (v + 60.0) * -0.3;
        let gated = n * n * (v + 80.0) * -2.0;
        [(leak + gated) / c]
    }
}

struct Gate;
impl Kinetics<1> for Gate {
    type Inputs<T: Copy> = [T; 1];
    fn rates<R: Real>(&self, [v]: [R; 1]) -> [Relaxation<R>; 1] {
        [Relaxation::relaxing(
            ((v + 40.0) / 9.0).logistic(),
            R::constant(2.0),
        )]
    }
}

struct Identity;
impl Pointwise for Identity {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, x: [R; 1]) -> [R; 1] {
        x
    }
}

impl DiffEqModule for SmallTree {
    type Handles = Handles;
    fn declare(&self, m: &mut ModelBuilder) -> Result<Handles, ModelError> {
        let all = m.domain("compartments", 6)?;
        let junctions = m.domain("junctions", 2)?;
        let end = m.subset("end", junctions, &[1])?;
        let v = m.state(all, DiffEqState::voltage("V", -60.0))?;
        let n = m.state(all, DiffEqState::gate("n"))?;
        let c = m.parameter(Domain::CELL, Parameter::new("C", 1.0))?;
        let clamp = m.input("clamp", "nA", vec![Input::sine(0.4, 0.2, 0.5)])?;
        let current = m.signal(junctions, "I_junctions", "nA")?;
        let potential = m.signal(junctions, "V_junctions", "mV")?;
        use CableNode::{Compartment, Junction};
        m.cable(Cable {
            voltage: v,
            capacitance: c,
            area: vec![1200.0, 300.0, 250.0, 400.0, 100.0, 180.0],
            nodes: vec![
                Compartment(0),
                Junction(0),
                Compartment(1),
                Compartment(2),
                Compartment(3),
                Compartment(4),
                Compartment(5),
                Junction(1),
            ],
            parents: vec![
                None,
                Some(0),
                Some(1),
                Some(1),
                Some(2),
                Some(4),
                Some(3),
                Some(6),
            ],
            conductances: vec![0.0, 0.05, 0.04, 0.03, 0.02, 0.015, 0.05, 0.05],
            current: Some(current),
            potential: Some(potential),
        })?;
        Ok(Handles {
            all,
            end,
            v,
            n,
            c,
            clamp,
            current,
        })
    }
    fn compute_derivative(&self, h: &Handles, k: &mut Launches) -> Result<(), ModelError> {
        k.launch(
            h.end,
            pointwise(Identity),
            &[Source::Signal(h.clamp)],
            &[Target::Signal(h.current)],
        )?;
        let inputs = [
            Source::State(h.v),
            Source::State(h.n),
            Source::Parameter(h.c),
        ];
        k.launch(
            h.all,
            pointwise(Membrane),
            &inputs,
            &[Target::Derivative(h.v)],
        )?;
        let inputs = [Source::State(h.v), Source::State(h.n)];
        k.launch(h.all, kinetics(Gate), &inputs, &[Target::Derivative(h.n)])
    }
}

#[test]
fn errors() {
    for cells in [1, 3] {
        let model = Model::population(&SmallTree, cells).unwrap();
        let at = |name: &str, dt: f64| {
            let mut run = Setup::new(name, dt)
                .record("V")
                .record("V_junctions")
                .start::<f64>(braincell::solvers(), &model)
                .unwrap();
            run.run(8.0).unwrap();
            let r = run.recording();
            r.data().row(r.data().nrows() - 1).to_vec()
        };
        let reference = at("tsit54", 0.002);
        println!("{reference:?}");
        for e in braincell::solvers()
            .entries()
            .iter()
            .filter(|e| !e.info.needs.noise)
        {
            let error = |dt| {
                at(&e.info.name, dt)
                    .iter()
                    .zip(&reference)
                    .map(|(a, b)| (a - b).abs())
                    .fold(0.0, f64::max)
            };
            let (a, b) = (error(0.0125), error(0.00625));
            println!(
                "{:20} {} {a:.2e} {b:.2e} order {:.2}",
                e.info.name,
                e.info.order,
                (a / b).log2()
            );
        }
    }
}
