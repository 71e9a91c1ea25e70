//! Times of plugins: loading a file, recording a step, and running a model with a solver that is built in or loaded.

#[allow(dead_code)]
#[path = "../tests/plugins/support.rs"]
mod support;

use braincell_cells::SingleCompartment;
use braincell_core::input::Input;
use braincell_core::model::Model;
use braincell_core::registry::Registry;
use braincell_core::simulation::{Setup, Simulation};
use braincell_core::stepper::Program;
use braincell_plugin_api::loader::{Names, load, open};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The plugins to time, by what they are.
fn plugins() -> Vec<(&'static str, PathBuf)> {
    let tableau = support::home().join("../examples/plugins/tableau");
    support::cargo(&tableau, &["build", "--release"]);
    let family = support::home().join("../braincell-solvers-rk");
    let arguments = ["build", "--release", "--example", "rk_plugin"];
    support::cargo(&family, &arguments);
    let mut all = vec![
        ("example tableau", support::released("libtableau_plugin.so")),
        ("family rk", support::released("examples/librk_plugin.so")),
    ];
    if support::has_cc() {
        all.push(("example in C", support::kutta()));
    }
    all
}

/// A copy that is another file to the loader: it is a byte or more longer.
fn another(path: &Path, number: u64) -> PathBuf {
    let mut bytes = fs::read(path).unwrap();
    bytes.extend(number.to_le_bytes());
    let copy = support::scratch().join(format!("copy_{number}.so"));
    fs::write(&copy, bytes).unwrap();
    copy
}

fn loading(c: &mut Criterion) {
    let mut group = c.benchmark_group("load");
    // Every iteration loads a library that stays.
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(200));
    let mut number = 0;
    for (name, path) in plugins() {
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            let fresh = || {
                number += 1;
                another(&path, number)
            };
            let open_it = |copy: PathBuf| {
                let plugin = open(&copy).unwrap();
                fs::remove_file(copy).unwrap();
                plugin
            };
            b.iter_batched(fresh, open_it, BatchSize::PerIteration);
        });
    }
}

/// A registry with the built-in methods, and one with the same methods loaded.
fn registries() -> [(&'static str, Registry); 2] {
    let mut built_in = Registry::new();
    braincell_solvers_rk::register(&mut built_in).unwrap();
    let mut loaded = Registry::new();
    let path = support::released("examples/librk_plugin.so");
    load(&mut loaded, path, Names::MustBeFree).unwrap();
    [("built in", built_in), ("loaded", loaded)]
}

fn recording(c: &mut Criterion) {
    let mut group = c.benchmark_group("record rk4, twice and compared");
    let plugin = open(support::released("examples/librk_plugin.so")).unwrap();
    let built_in = braincell_solvers_rk::steppers();
    for (name, steppers) in [("built in", &built_in[..]), ("loaded", plugin.steppers())] {
        let rk4 = steppers.iter().find(|s| s.info().name == "rk4").unwrap();
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| Program::record(&**rk4, &[]).unwrap());
        });
    }
}

fn running(c: &mut Criterion) {
    let mut group = c.benchmark_group("run squid axon, 2000 steps of rk4");
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::step(10.0, 1.0, 15.0));
    let model = Model::new(&cell).unwrap();
    let registries = registries();
    let setup = Setup::new("rk4", 0.01).record("V");
    let start = |registry: &Registry| setup.start::<f64>(registry, &model).unwrap();
    let advance = |run: &mut Simulation<f64>| run.run(20.0).unwrap();
    for (name, registry) in &registries {
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter_batched_ref(|| start(registry), advance, BatchSize::SmallInput);
        });
    }
    // Turn by turn, so that whatever else the machine does slows both.
    let mut best = [f64::INFINITY; 2];
    for _ in 0..100 {
        for ((_, registry), best) in registries.iter().zip(&mut best) {
            let mut run = start(registry);
            let begin = Instant::now();
            advance(&mut run);
            *best = best.min(begin.elapsed().as_secs_f64());
        }
    }
    let ratio = best[1] / best[0];
    println!("loaded / built in, best of 100 runs turn by turn: {ratio:.3}");
}

criterion_group!(benches, loading, recording, running);
criterion_main!(benches);
