//! Loaded solvers against the same methods built in: equal programs, equal bits.

use crate::branched::Branched;
use crate::support::{FAMILIES, built, built_in, examples, has_cc, kutta, load_into};
use braincell_cells::SingleCompartment;
use braincell_core::input::Input;
use braincell_core::kernel::{Pointwise, pointwise};
use braincell_core::model::{
    DiffEqModule, DiffEqState, Domain, Launches, Model, ModelBuilder, ModelError, Source, StateId,
    Target,
};
use braincell_core::real::Real;
use braincell_core::registry::Registry;
use braincell_core::simulation::Setup;
use std::path::Path;

fn loaded(path: &Path) -> Registry {
    let mut registry = Registry::new();
    load_into(&mut registry, path);
    registry
}

/// All built-in families, loaded.
fn families() -> Registry {
    examples();
    let mut registry = Registry::new();
    for family in FAMILIES {
        let path = built(&format!("examples/lib{family}_plugin.so"));
        load_into(&mut registry, &path);
    }
    registry
}

/// The voltage and a gate of the classic squid axon, stimulated, as bits.
fn point_neuron(registry: &Registry, solver: &str, step: f64) -> Vec<u64> {
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::step(10.0, 0.5, 3.0));
    let model = Model::new(&cell).unwrap();
    let setup = Setup::new(solver, step).record("V").record("na.m");
    let bits = run(&setup, registry, &model, 4.0);
    assert_eq!(bits.len(), 2 * (1 + (4.0 / step).round() as usize));
    bits
}

/// The voltages and gates of three branched cells.
fn branched(registry: &Registry, solver: &str) -> Vec<u64> {
    let model = Model::population(&Branched, 3).unwrap();
    let setup = Setup::new(solver, 0.01).record("V").record("n");
    let bits = run(&setup, registry, &model, 1.0);
    assert_eq!(bits.len(), 101 * 3 * 4 * 2);
    bits
}

/// All that a run records, variable by variable, as bits.
fn run(setup: &Setup, registry: &Registry, model: &Model, until: f64) -> Vec<u64> {
    let mut run = setup.start::<f64>(registry, model).unwrap();
    run.run(until).unwrap();
    let recording = run.recording();
    let mut columns = recording.data().columns().into_iter();
    let moves = columns.any(|c| c.iter().any(|x| *x != c[0]));
    assert!(moves, "nothing happens");
    let by_variable = recording.data().t();
    by_variable.iter().map(|x| x.to_bits()).collect()
}

/// The Ornstein–Uhlenbeck process dx = -x dt + (1 + x²)/2 dW, with a diffusion coefficient that varies.
struct Noisy;

struct Drift;
impl Pointwise for Drift {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        [-x]
    }
}

struct Diffusion;
impl Pointwise for Diffusion {
    type Inputs<T: Copy> = [T; 1];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
        [(R::one() + x * x) * R::constant(0.5)]
    }
}

impl DiffEqModule for Noisy {
    type Handles = StateId;

    fn declare(&self, model: &mut ModelBuilder) -> Result<StateId, ModelError> {
        model.state(Domain::CELL, DiffEqState::new("x", 1.0))
    }

    fn compute_derivative(&self, x: &StateId, kernels: &mut Launches) -> Result<(), ModelError> {
        let (from, cell) = ([Source::State(*x)], Domain::CELL);
        kernels.launch(cell, pointwise(Drift), &from, &[Target::Derivative(*x)])?;
        kernels.launch(cell, pointwise(Diffusion), &from, &[Target::Diffusion(*x)])
    }
}

fn noisy(registry: &Registry, solver: &str) -> Vec<u64> {
    let model = Model::new(&Noisy).unwrap();
    let setup = Setup::new(solver, 0.01).record("x").seed(7);
    run(&setup, registry, &model, 1.0)
}

fn are_twins(plugin: &Registry, name: &str, built_in: &Registry, twin: &str) {
    let (a, b) = (plugin.solver(name).unwrap(), built_in.solver(twin).unwrap());
    assert_eq!(a.program, b.program, "{name} and {twin}");
    assert_eq!(a.info.needs, b.info.needs);
    let same = match b.info.needs.noise {
        true => noisy(plugin, name) == noisy(built_in, twin),
        false => {
            point_neuron(plugin, name, 0.01) == point_neuron(built_in, twin, 0.01)
                && branched(plugin, name) == branched(built_in, twin)
        }
    };
    assert!(same, "{name} and {twin} give other bits");
}

#[test]
fn every_built_in_solver_is_the_same_when_loaded() {
    let (here, there) = (built_in(), families());
    let names = |registry: &Registry| -> Vec<String> {
        let entries = registry.entries();
        entries.iter().map(|e| e.info.name.clone()).collect()
    };
    assert_eq!(names(&here), names(&there));
    for entry in here.entries() {
        let name = &entry.info.name;
        assert_eq!(entry.info, there.get(name).unwrap().info);
        are_twins(&there, name, &here, name);
    }
    assert!(here.entries().len() >= 30);
    let origin = &there.get("explicit").unwrap().origin;
    assert!(origin.from.ends_with("librk_plugin.so"), "{origin}");
    assert_eq!(origin.version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn parameters_reach_the_plugin() {
    let (here, there) = (built_in(), families());
    are_twins(&there, "rk2(alpha=0.5)", &here, "rk2(alpha=0.5)");
    let program = |registry: &Registry, text: &str| registry.solver(text).unwrap().program;
    assert_ne!(program(&there, "rk2(alpha=0.75)"), program(&there, "rk2"));
    let refused = |registry: &Registry| registry.solver("rk2(alpha=0)").unwrap_err();
    assert_eq!(refused(&there), refused(&here));
}

#[test]
fn the_examples_are_the_same_as_their_built_in_twins() {
    examples();
    let here = built_in();
    let mut there = Registry::new();
    for name in ["tableau", "rosenbrock", "cable_splitting"] {
        load_into(&mut there, &built(&format!("lib{name}_plugin.so")));
    }
    for (name, twin) in [
        ("plugin_ssprk3", "ssprk3"),
        ("exp_rosenbrock", "exp_euler"),
        ("strang_cable", "cn_exp_euler"),
    ] {
        are_twins(&there, name, &here, twin);
    }
}

/// Of those without a twin the order is measured, on the squid axon.
#[test]
fn the_other_examples_have_the_order_they_declare() {
    examples();
    let here = built_in();
    let end = |registry: &Registry, solver: &str, step: f64| {
        let bits = point_neuron(registry, solver, step);
        f64::from_bits(bits[bits.len() / 2 - 1])
    };
    let exact = end(&here, "dopri54", 0.00125);
    for (library, name, coarse) in [
        ("tableau", "three_eighths", 0.01),
        ("rosenbrock", "ros2", 0.005),
    ] {
        let there = loaded(&built(&format!("lib{library}_plugin.so")));
        let error = |step: f64| (end(&there, name, step) - exact).abs();
        let order = (error(coarse) / error(coarse / 2.0)).log2();
        let declared = f64::from(there.get(name).unwrap().info.order);
        println!("{name}: {order}");
        assert!((order - declared).abs() < 0.1, "{name}: {order}");
    }
}

#[test]
fn the_example_in_c_runs() {
    if !has_cc() {
        return;
    }
    let (here, there) = (built_in(), loaded(&kutta()));
    are_twins(&there, "c_kutta3", &here, "rk3");
    are_twins(&there, "c_rk3", &here, "rk3");
    are_twins(&there, "c_rk2", &here, "rk2");
    are_twins(&there, "c_rk2(alpha=0.7)", &here, "rk2(alpha=0.7)");
    let error = there.solver("c_rk2(alpha=0)").unwrap_err().to_string();
    assert!(error.contains("alpha must not be zero"), "{error}");
    let info = &there.get("c_kutta3").unwrap().info;
    assert_eq!((info.order, info.properties.explicit), (3, true));
}
