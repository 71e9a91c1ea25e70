//! Every layer of the engine beside a loop written by hand: `cargo bench --bench layers`, or with a part of a name,
//! `cargo bench --bench layers -- "point neurons"`. `braincell bench` prints the same as one table.

use braincell::bench::cases;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn layers(c: &mut Criterion) {
    let registry = braincell::solvers();
    for case in cases(registry) {
        // Loops are made when they are run: criterion knows only then what was asked for.
        let name = format!("{} · {}", case.case, case.precision);
        let mut group = c.benchmark_group(name);
        let loops = ["engine", "by hand"];
        let count = 1 + usize::from(case.by_hand);
        for (number, which) in loops.into_iter().take(count).enumerate() {
            let mut made = None;
            group.bench_function(format!("{} · {which}", case.what), |b| {
                if made.is_none() {
                    let loops = case.loops(registry);
                    made = loops.and_then(|loops| match number {
                        0 => Some(loops.engine),
                        _ => loops.reference,
                    });
                }
                let made = made.as_mut().expect("every solver steps these models");
                // The time of one step of all elements.
                b.iter_custom(|calls| {
                    let begin = std::time::Instant::now();
                    for _ in 0..calls {
                        assert!((made.call)(), "a step fails");
                    }
                    begin.elapsed() / made.steps as u32
                });
            });
        }
        group.throughput(Throughput::Elements(case.elements as u64));
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = layers
}
criterion_main!(benches);
