//! What runs gives the same numbers as the instructions that adjoints follow.

use super::exec::{self, Clock};
use super::instr::Instr;
use super::simplify::Keep;
use super::strips::in_strips;
use super::tile_engine::{Engine, EngineOptions};
use crate::kernel::{Kinetics, Pointwise, Relaxation, kinetics, pointwise};
use crate::model::{
    Cable, CableNode, DiffEqModule, DiffEqState, Domain, Launches, Model, ModelBuilder, ModelError,
    Parameter, ParameterId, SignalId, Source, StateId, Target,
};
use crate::real::Real;
use crate::simd::Level;
use crate::stepper::{
    Jacobian, Parts, Program, SolverInfo, StepError, StepOps, Stepper, Terms, h, num, stepper,
};
use std::sync::Arc;

/// A potential, two gates and a concentration, at so many places. The current that carries the ion is a signal. The places may
/// be coupled by a cable with a branch point, into which a current flows.
struct Membrane {
    cable: bool,
}

const PLACES: usize = 50;

struct Gates;
impl Kinetics<2> for Gates {
    type Inputs<T: Copy> = [T; 1];
    fn rates<R: Real>(&self, [v]: [R; 1]) -> [Relaxation<R>; 2] {
        [
            Relaxation::rates((v * 0.05).exp(), (v * -0.04).exp()),
            Relaxation::rates((v * -0.03).exp() * 0.1, (v * 0.02).exp() * 0.2),
        ]
    }
}

struct Ion;
impl Pointwise for Ion {
    type Inputs<T: Copy> = [T; 4];
    type Outputs<T: Copy> = [T; 2];
    fn eval<R: Real>(&self, [v, m, h, ion]: [R; 4]) -> [R; 2] {
        let current = m * m * h * (R::constant(40.0) - v - ion * 3.0);
        [current, current * 0.1 - ion]
    }
}

struct Current;
impl Pointwise for Current {
    type Inputs<T: Copy> = [T; 3];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [v, current, rate]: [R; 3]) -> [R; 1] {
        [current - (v + 60.0) * rate]
    }
}

struct Pull;
impl Pointwise for Pull {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [v]: [R; 1]) -> [R; 1] {
        [(v + 40.0) * -0.02]
    }
}

struct Reciprocal;
impl Pointwise for Reciprocal {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        [R::one() / x]
    }
}

impl DiffEqModule for Membrane {
    type Handles = (
        [StateId; 4],
        [SignalId; 2],
        ParameterId,
        Domain,
        Option<(Domain, ParameterId, SignalId)>,
    );
    fn declare(&self, builder: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let places = builder.domain("places", PLACES)?;
        let mut state = |state| builder.state(places, state);
        let states = [
            state(DiffEqState::voltage("V", -50.0))?,
            state(DiffEqState::gate("m"))?,
            state(DiffEqState::gate("h"))?,
            state(DiffEqState::concentration("ion", 0.5))?,
        ];
        let tau = builder.parameter(places, Parameter::new("tau", 3.0))?;
        let signals = [
            builder.signal(places, "current", "mV/ms")?,
            builder.signal(places, "rate", "1/ms")?,
        ];
        let rows: Vec<u32> = (0..PLACES as u32).rev().collect();
        let backwards = builder.subset("backwards", places, &rows)?;
        let point = self.cable.then(|| branched(builder, places, states[0]));
        Ok((states, signals, tau, backwards, point.transpose()?))
    }
    fn compute_derivative(
        &self,
        &(states, [current, rate], tau, backwards, point): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let places = Domain(1);
        let sources = states.map(Source::State);
        let [v, m, h, ion] = states.map(Target::Derivative);
        k.launch(places, kinetics(Gates), &sources[..3], &[m, h])?;
        k.launch(
            places,
            pointwise(Ion),
            &sources,
            &[Target::Signal(current), ion],
        )?;
        // The same places in another order.
        let to = [Target::Signal(current)];
        k.launch(backwards, pointwise(Pull), &sources[..1], &to)?;
        // A signal that depends on a parameter alone.
        let (tau, to) = ([Source::Parameter(tau)], [Target::Signal(rate)]);
        k.launch(places, pointwise(Reciprocal), &tau, &to)?;
        let sources = [sources[0], Source::Signal(current), Source::Signal(rate)];
        k.launch(places, pointwise(Current), &sources, &[v])?;
        match point {
            Some((point, strength, into)) => {
                let (strength, into) = ([Source::Parameter(strength)], [Target::Signal(into)]);
                k.launch(point, pointwise(Reciprocal), &strength, &into)
            }
            None => Ok(()),
        }
    }
}

/// Two branches from one point, and what flows into it: the reciprocal of a parameter.
fn branched(
    builder: &mut ModelBuilder,
    places: Domain,
    voltage: StateId,
) -> Result<(Domain, ParameterId, SignalId), ModelError> {
    let capacitance = builder.parameter(places, Parameter::new("C", 1.5))?;
    let point = builder.domain("point", 1)?;
    let strength = builder.parameter(point, Parameter::new("strength", 20.0))?;
    let into = builder.signal(point, "into", "nA")?;
    let mut nodes = vec![CableNode::Junction(0)];
    nodes.extend((0..PLACES as u32).map(CableNode::Compartment));
    let parents = (0..=PLACES).map(|node| match node {
        0 => None,
        1 | 21 => Some(0),
        node => Some(node - 1),
    });
    builder.cable(Cable {
        voltage,
        capacitance,
        area: (0..PLACES).map(|k| 100.0 + k as f64).collect(),
        nodes,
        parents: parents.collect(),
        conductances: (0..=PLACES).map(|k| 0.001 + 1e-5 * k as f64).collect(),
        current: Some(into),
        potential: None,
    })?;
    Ok((point, strength, into))
}

fn voltage(
    o: &mut StepOps,
    y: crate::stepper::Array,
    over: f64,
) -> Result<crate::stepper::Array, StepError> {
    let f = o.rhs_of(Parts::VOLTAGE, Terms::All, 0.5, y)?;
    let lin = o.linearize(Jacobian::Full, Parts::VOLTAGE, 0.5, y)?;
    let slope = o.solve(lin, h(over), f)?;
    o.combine(&[(num(1.0), y), (h(1.0), slope)])
}

fn steppers() -> Vec<Arc<dyn Stepper>> {
    let info = |name: &str| SolverInfo::new(name, "test", 1);
    let mut embedded = info("with an error estimate");
    embedded.embedded_order = Some(1);
    vec![
        stepper(info("staggered"), |o| {
            let y = o.y();
            let y = voltage(o, y, 0.5)?;
            let next = o.relax(Parts::GATE, Terms::All, 1.0, h(1.0), y)?;
            o.commit(next)
        }),
        stepper(info("backward"), |o| {
            let y = o.y();
            let y = voltage(o, y, 1.0)?;
            let next = o.relax(Parts::GATE, Terms::All, 1.0, h(1.0), y)?;
            o.commit(next)
        }),
        stepper(info("symmetric"), |o| {
            let y = o.y();
            let y = o.relax(Parts::GATE, Terms::All, 0.0, h(0.5), y)?;
            let y = voltage(o, y, 0.5)?;
            let next = o.relax(Parts::GATE, Terms::All, 1.0, h(0.5), y)?;
            o.commit(next)
        }),
        stepper(info("relaxing twice at first"), |o| {
            let y = o.y();
            let y = o.relax(Parts::GATE, Terms::All, 0.0, h(0.25), y)?;
            let y = o.relax(Parts::GATE, Terms::All, 0.0, h(0.25), y)?;
            let y = voltage(o, y, 0.5)?;
            let next = o.relax(Parts::GATE, Terms::All, 1.0, h(0.25), y)?;
            o.commit(next)
        }),
        stepper(info("the mean of two relaxations"), |o| {
            let y = o.y();
            let a = o.relax(Parts::GATE, Terms::All, 0.0, h(0.5), y)?;
            let b = o.relax(Parts::GATE, Terms::All, 1.0, h(0.5), y)?;
            let y = o.combine(&[(num(0.5), a), (num(0.5), b)])?;
            let y = voltage(o, y, 0.5)?;
            let next = o.relax(Parts::GATE, Terms::All, 1.0, h(0.5), y)?;
            o.commit(next)
        }),
        stepper(info("exponential"), |o| {
            let y = o.y();
            let next = o.relax(Parts::ALL, Terms::All, 0.0, h(1.0), y)?;
            o.commit(next)
        }),
        stepper(embedded, |o| {
            let y = o.y();
            let k = o.rhs(0.0, y)?;
            let euler = o.combine(&[(num(1.0), y), (h(1.0), k)])?;
            let l = o.rhs(1.0, euler)?;
            let next = o.combine(&[(num(1.0), y), (h(0.5), k), (h(0.5), l)])?;
            let error = o.combine(&[(num(1.0), next), (num(-1.0), euler)])?;
            o.error(error)?;
            o.commit(next)
        }),
        stepper(info("the old state last"), |o| {
            let y = o.y();
            let z = o.relax(Parts::GATE, Terms::All, 0.0, h(1.0), y)?;
            let k = o.rhs_of(Parts::VOLTAGE, Terms::All, 0.0, y)?;
            let next = o.combine(&[(num(1.0), z), (h(1.0), k)])?;
            o.commit(next)
        }),
        stepper(info("implicit"), |o| {
            let y = o.y();
            let z = o.implicit_stage(1.0, h(1.0), y, y)?;
            let next = o.relax(Parts::GATE, Terms::All, 1.0, h(0.1), z)?;
            o.commit(next)
        }),
    ]
}

/// State and error estimate after some steps, each of which follows a list.
fn steps<'a>(engine: &Engine<f64>, list: impl Fn(usize) -> &'a [Instr]) -> Vec<f64> {
    let mut w = engine.workspace();
    engine.initialise(0, 0.0, &mut w);
    for k in 0..5 {
        let clock = Clock {
            t: 0.1 * k as f64,
            h: 0.1,
            within: 0.1 * k as f64 + 0.05,
            number: k as u64,
        };
        let done = engine.with_coefficients(0, clock.h, &mut w, |coefficients, w| {
            let context = engine.context(0, &clock, coefficients);
            exec::execute(list(k), &context, w)
        });
        assert!(done.is_ok());
    }
    let len = engine.layout.group_len[0];
    let arrays = [Some(engine.layout.current[0]), engine.error()];
    let numbers = arrays
        .into_iter()
        .flatten()
        .flat_map(|at| &w.arena[at..at + len]);
    numbers.copied().collect()
}

fn engine(membrane: &Membrane, stepper: &dyn Stepper, lanes: usize) -> Engine<f64> {
    let model = Arc::new(Model::new(membrane).unwrap());
    let program = Program::record(stepper, &[]).unwrap();
    let options = EngineOptions {
        level: Level::detect(),
        seed: 1,
        keep: Keep {
            error: true,
            dense: false,
        },
        record_signals: Vec::new(),
    };
    Engine::new(model, &[(&program, 1)], lanes, &options)
}

fn bits(numbers: Vec<f64>) -> Vec<u64> {
    numbers.into_iter().map(f64::to_bits).collect()
}

#[test]
fn what_runs_gives_the_bits_of_the_instructions() {
    let (mut carried, mut left_out) = (0, 0);
    for stepper in steppers() {
        let name = stepper.info().name;
        for lanes in [1, 3] {
            let engine = engine(&Membrane { cable: false }, &*stepper, lanes);
            let program = &engine.programs[0];
            let bits_of = |list: &[Instr]| bits(steps(&engine, |_| list));
            let plain = bits_of(&program.instructions);
            assert_eq!(plain, bits_of(&program.settled), "{name}");
            assert_eq!(plain, bits_of(&program.runs[0]), "{name}");
            let continued = steps(&engine, |k| &program.runs[k.min(1)]);
            assert_eq!(plain, bits(continued), "{name}");
            let count =
                |list: &[Instr], is: fn(&Instr) -> bool| list.iter().filter(|i| is(i)).count();
            let relax = |i: &Instr| matches!(i, Instr::Relax { .. });
            let carries = [
                "symmetric",
                "relaxing twice at first",
                "the mean of two relaxations",
            ];
            let carries = carries.contains(&name.as_str());
            assert_eq!(program.continued.is_some(), carries, "{name}");
            carried += count(&program.runs[0], relax) - count(&program.runs[1], relax);
            let kernel = |i: &Instr| matches!(i, Instr::Kernel { .. });
            left_out += count(&program.runs[0], kernel) - count(&program.runs[1], kernel);
            if name == "staggered" {
                let copies = |i: &Instr| matches!(i, Instr::Copy { .. });
                assert!(!program.runs[0].iter().any(copies));
            }
        }
    }
    // Once in each symmetric splitting and twice for the mean, with both gates at once, for both widths.
    assert_eq!(carried, 8);
    // The reciprocal, in every program that computes it outside an iteration, for both widths.
    assert_eq!(left_out, 16);
}

#[test]
fn strips_give_the_bits_of_whole_planes() {
    for stepper in steppers() {
        let name = stepper.info().name;
        for cable in [false, true] {
            let engine = engine(&Membrane { cable }, &*stepper, 3);
            let program = &engine.programs[0];
            let whole = &program.runs[0];
            let [strips, more] =
                [whole, &program.runs[1]].map(|list| in_strips(list, &engine.layout, 0));
            let expected = bits(steps(&engine, |_| whole));
            assert_eq!(expected, bits(steps(&engine, |_| &strips)), "{name}");
            let continued = steps(&engine, |k| if k == 0 { &strips } else { &more });
            assert_eq!(expected, bits(continued), "{name}");
            // Gates and currents in strips of 64, 64 and 22 numbers.
            let relaxed = |list: &[Instr]| {
                let all = list.iter().filter(|i| matches!(i, Instr::Relax { .. }));
                all.count()
            };
            if name == "staggered" {
                assert_eq!([relaxed(whole), relaxed(&strips)], [1, 3]);
            }
        }
    }
}

#[test]
fn potentials_solved_for_are_those_that_change() {
    let mut solved = 0;
    for stepper in steppers() {
        for lanes in [1, 3] {
            let engine = engine(&Membrane { cable: true }, &*stepper, lanes);
            let program = &engine.programs[0];
            let expected = steps(&engine, |_| &program.instructions);
            let found = steps(&engine, |_| &program.runs[0]);
            for (expected, found) in expected.into_iter().zip(found) {
                let off = (found - expected).abs();
                assert!(off <= 1e-12 * expected.abs().max(1.0), "{off:e}");
            }
            let trees = program.runs[0].iter();
            solved += trees.filter(|i| matches!(i, Instr::Tree { .. })).count();
        }
    }
    // Once in each of the five programs that solve for the potential alone, for both widths.
    assert_eq!(solved, 10);
}
