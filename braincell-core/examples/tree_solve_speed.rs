//! Times the tree sweeps, in nanoseconds per row and lane, on trees of 8 stems with sections of 4 to 19 nodes.
//!
//! `cargo run --release -p braincell-core --example tree_solve_speed`

use braincell_core::cable::{Laplacian, Tree, elimination};
use braincell_core::real::Element;
use braincell_core::simd::Level;
use std::hint::black_box;
use std::time::Instant;

/// Sections grow breadth-first, each ending in two daughters, until there are enough nodes.
fn tree(nodes: usize) -> Tree {
    let (mut parent, mut state) = (vec![None], 1_u64);
    let mut tips = std::collections::VecDeque::from([0; 8]);
    while parent.len() < nodes {
        let mut tip = tips.pop_front().unwrap_or(0);
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        for _ in 0..4 + (state >> 33) % 16 {
            parent.push(Some(tip));
            tip = parent.len() - 1;
        }
        tips.extend([tip; 2]);
    }
    parent.truncate(nodes);
    Tree::new(&parent, &vec![1.0; nodes]).expect("a tree by construction")
}

/// Fastest of many runs, in nanoseconds.
fn time(mut run: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..15 {
        let (start, mut calls) = (Instant::now(), 0);
        while start.elapsed().as_millis() < 4 {
            for _ in 0..4 {
                run();
            }
            calls += 4;
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(calls));
    }
    best
}

fn measure<F: Element>(level: Level, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    for nodes in [200, 1000, 4000] {
        let tree = tree(nodes);
        let operator = Laplacian::<F>::new(&tree)?;
        for width in [1, 3, 8, 16] {
            let size = nodes * width;
            let (d, b) = (vec![F::from_f64(1.0); size], vec![F::from_f64(0.5); size]);
            let (mut pivots, mut x) = (d.clone(), b.clone());
            let copy = time(|| {
                black_box(&mut pivots).copy_from_slice(&d);
                black_box(&mut x).copy_from_slice(&b);
            });
            let fused = time(|| {
                pivots.copy_from_slice(&d);
                x.copy_from_slice(&b);
                let _ = black_box(elimination::factor_and_solve(
                    level,
                    &operator,
                    0.1,
                    &mut pivots,
                    &mut x,
                ));
            });
            let factors = elimination::Factors::stored(0.1, &pivots);
            let solve = time(|| {
                x.copy_from_slice(&b);
                let _ = black_box(elimination::solve(level, &operator, &factors, &mut x));
            });
            let apply = time(|| drop(black_box(operator.apply(level, 0.1, &b, &mut x))));
            let [fused, solve, apply] =
                [fused - copy, solve - copy / 2.0, apply].map(|t| t / size as f64);
            println!(
                "{level} {name} n = {nodes:4} ({:3} levels), W = {width:2}: factor_and_solve {fused:5.2}, \
                 solve {solve:5.2}, apply {apply:5.2} per row",
                tree.levels().len(),
            );
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let level = Level::detect();
    measure::<f64>(level, "f64")?;
    measure::<f32>(level, "f32")
}
