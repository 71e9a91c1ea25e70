//! One step of each solver on Hodgkin-Huxley point neurons, beside a loop written by hand.
//!
//! `cargo bench --bench point_neurons`. The loop by hand does the arithmetic of `rk4` with the standard library's
//! functions, one cell after the other; it is the limit to beat, and is timed in the same run.

use braincell::cells::SingleCompartment;
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::Setup;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const DT: f64 = 0.025;
const CURRENT: f64 = 10.0;

fn steps(c: &mut Criterion) {
    let cell = SingleCompartment::hodgkin_huxley().input("current", Input::constant(CURRENT));
    for cells in [1_u64, 1024] {
        let mut group = c.benchmark_group(format!("step of {cells} point neurons"));
        group.throughput(Throughput::Elements(cells));
        group.bench_function(BenchmarkId::from_parameter("rk4 by hand"), |b| {
            let mut y = vec![[-65.0, 0.0529, 0.5961, 0.3177]; cells as usize];
            b.iter(|| y.iter_mut().for_each(rk4_by_hand));
        });
        for entry in braincell::solvers().entries() {
            if entry.info.needs.noise {
                continue;
            }
            let model = Model::population(&cell, cells as usize).expect("a valid model");
            let setup = Setup::new(entry.info.name.as_str(), DT);
            let run = setup.start::<f64>(braincell::solvers(), &model);
            let mut run = run.expect("every solver steps a point neuron");
            let mut step = 0_u64;
            group.bench_function(BenchmarkId::from_parameter(&entry.info.name), |b| {
                b.iter(|| {
                    step += 1;
                    run.run(step as f64 * DT).expect("a small step");
                });
            });
        }
        group.finish();
    }
}

fn rk4_by_hand(y: &mut [f64; 4]) {
    let along = |k: &[f64; 4], h: f64| std::array::from_fn(|i| y[i] + h * k[i]);
    let k1 = derivative(y);
    let k2 = derivative(&along(&k1, 0.5 * DT));
    let k3 = derivative(&along(&k2, 0.5 * DT));
    let k4 = derivative(&along(&k3, DT));
    *y = std::array::from_fn(|i| y[i] + DT / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]));
}

fn derivative(&[v, m, h, n]: &[f64; 4]) -> [f64; 4] {
    let linoid = |x: f64| {
        if x.abs() < 1e-6 {
            1.0 + 0.5 * x
        } else {
            x / -(-x).exp_m1()
        }
    };
    let (am, bm) = (linoid((v + 40.0) / 10.0), 4.0 * (-(v + 65.0) / 18.0).exp());
    let (ah, bh) = (
        0.07 * (-(v + 65.0) / 20.0).exp(),
        1.0 / (1.0 + (-(v + 35.0) / 10.0).exp()),
    );
    let (an, bn) = (
        0.1 * linoid((v + 55.0) / 10.0),
        0.125 * (-(v + 65.0) / 80.0).exp(),
    );
    let current = 120.0 * m * m * m * h * (50.0 - v)
        + 36.0 * n * n * n * n * (-77.0 - v)
        + 0.3 * (-54.387 - v);
    [
        current + CURRENT,
        am * (1.0 - m) - bm * m,
        ah * (1.0 - h) - bh * h,
        an * (1.0 - n) - bn * n,
    ]
}

criterion_group!(benches, steps);
criterion_main!(benches);
