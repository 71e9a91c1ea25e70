//! Loaded solvers against the same methods built in: equal programs, equal bits.

use crate::support::{built, examples, has_cc, kutta};
use braincell_cells::SingleCompartment;
use braincell_core::input::Input;
use braincell_core::model::Model;
use braincell_core::registry::Registry;
use braincell_core::simulation::Setup;
use braincell_plugin_api::loader::{Names, load};
use std::path::Path;

fn built_in() -> Registry {
    let mut registry = Registry::new();
    braincell_solvers_rk::register(&mut registry).unwrap();
    registry
}

fn loaded(path: &Path) -> Registry {
    let mut registry = Registry::new();
    load(&mut registry, path, Names::MustBeFree).unwrap();
    registry
}

/// The voltage and a gate of the classic squid axon, stimulated, as bits.
fn point_neuron(registry: &Registry, solver: &str) -> Vec<u64> {
    point_neuron_with(registry, solver, 0.01)
}

fn point_neuron_with(registry: &Registry, solver: &str, step: f64) -> Vec<u64> {
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::step(10.0, 0.5, 3.0));
    let model = Model::new(&cell).unwrap();
    let setup = Setup::new(solver, step).record("V").record("na.m");
    let mut run = setup.start::<f64>(registry, &model).unwrap();
    run.run(4.0).unwrap();
    let recording = run.recording();
    let traces = ["V", "na.m"].map(|name| recording.trace(name).unwrap().to_vec());
    let bits: Vec<u64> = traces.iter().flatten().map(|x| x.to_bits()).collect();
    assert_eq!(bits.len(), 2 * (1 + (4.0 / step).round() as usize));
    bits
}

fn are_twins(plugin: &Registry, name: &str, built_in: &Registry, twin: &str) {
    let (a, b) = (plugin.solver(name).unwrap(), built_in.solver(twin).unwrap());
    assert_eq!(a.program, b.program, "{name} and {twin}");
    let bits = point_neuron(plugin, name);
    assert!(
        bits == point_neuron(built_in, twin),
        "{name} and {twin} give other bits"
    );
}

#[test]
fn every_explicit_method_is_the_same_when_loaded() {
    examples();
    let (here, there) = (built_in(), loaded(&built("examples/librk_plugin.so")));
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
    assert!(here.entries().len() >= 14);
    let origin = &there.get("explicit").unwrap().origin;
    assert!(origin.from.ends_with("librk_plugin.so"), "{origin}");
    assert_eq!(origin.version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn parameters_reach_the_plugin() {
    examples();
    let (here, there) = (built_in(), loaded(&built("examples/librk_plugin.so")));
    are_twins(&there, "rk2(alpha=0.5)", &here, "rk2(alpha=0.5)");
    let program = |registry: &Registry, text: &str| registry.solver(text).unwrap().program;
    assert_ne!(program(&there, "rk2(alpha=0.75)"), program(&there, "rk2"));
    let refused = |registry: &Registry| registry.solver("rk2(alpha=0)").unwrap_err();
    assert_eq!(refused(&there), refused(&here));
}

#[test]
fn the_example_tableaus_run() {
    examples();
    let (here, there) = (built_in(), loaded(&built("libtableau_plugin.so")));
    are_twins(&there, "plugin_ssprk3", &here, "ssprk3");
    // Both are of order four, so they come closer to each other sixteen times as fast as the step shrinks.
    let apart = |step: f64| {
        let voltage = |registry: &Registry, solver: &str| {
            let bits = point_neuron_with(registry, solver, step);
            f64::from_bits(bits[bits.len() / 2 - 1])
        };
        (voltage(&there, "three_eighths") - voltage(&here, "rk4")).abs()
    };
    let order = (apart(0.005) / apart(0.0025)).log2();
    assert!((3.9..4.1).contains(&order), "{order}");
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

#[test]
fn the_other_examples_record_what_they_say() {
    examples();
    let there = loaded(&built("librosenbrock_plugin.so"));
    let program =
        |registry: &Registry, name: &str| registry.solver(name).unwrap().program.to_string();
    assert_eq!(
        program(&there, "exp_rosenbrock"),
        "L0 = full Jacobian at (t, y)\na1 = f(t, y)\na2 = ∂f/∂t of L0\na3 = φ1(h L0) a1\na4 = φ2(h L0) a2\n\
         a5 = y + h a3 + 1 h^2 a4\ny ← a5\n"
    );
    assert!(program(&there, "ros2").contains("(I - 0.2928932188134524 h L0)⁻¹"));
    let there = loaded(&built("libcable_splitting_plugin.so"));
    assert!(there.get("strang_cable").unwrap().info.needs.membrane);
    let text = program(&there, "strang_cable");
    assert!(text.contains("a3 = (I - 0.5 h L0)⁻¹ a2"), "{text}");
}
