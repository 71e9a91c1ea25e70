//! Parts of a run.

use crate::{Bits, cases, experiment, states};
use braincell::kernel::Storage;
use braincell::simulation::{CheckpointError, Outcome, Setup, Simulation};
use std::ops::ControlFlow;

/// A number in 0..1 that looks random.
fn random(seed: &mut u64) -> f64 {
    *seed = seed
        .wrapping_mul(6364136223846793005)
        .wrapping_add(1442695040888963407);
    (*seed >> 11) as f64 / (1u64 << 53) as f64
}

#[test]
fn streamed_runs_give_the_bits_of_one_run() {
    streamed::<f64>();
    streamed::<f32>();
}

fn streamed<F: Storage>() {
    for case in cases() {
        let mut whole = case.start::<F>();
        whole.run(case.until).unwrap();
        let mut parts = case.start::<F>();
        let mut drained = Bits::default();
        let mut calls = 0;
        let outcome = parts.run_streamed(case.until, case.until / 7.3, &mut |mut pause| {
            calls += 1;
            let part = pause.drain();
            let last = part.times().last().copied();
            drained.add(&part);
            assert!(
                part.spikes()
                    .iter()
                    .flat_map(|s| &s.times)
                    .all(|&t| last.is_none_or(|l| t < l))
            );
            ControlFlow::Continue(())
        });
        assert_eq!(outcome, Ok(Outcome::Finished));
        assert!(calls >= 8, "{}: {calls} calls", case.name);
        assert!(parts.recording().times().is_empty());
        drained.add(&parts.recording());
        assert_eq!(drained, Bits::of(&whole.recording()), "{}", case.name);
        assert_eq!(parts.recording().counters(), whole.recording().counters());
        assert_eq!(parts.statistics(), whole.statistics());
        assert_eq!(states(&mut parts), states(&mut whole), "{}", case.name);
    }
}

#[test]
fn parts_that_end_on_the_grid_give_the_bits_of_one_run() {
    for case in cases() {
        if case.name.contains("adaptive") || case.name == "samples hit" {
            continue;
        }
        let mut whole = case.start::<f64>();
        whole.run(case.until).unwrap();
        let mut parts = case.start::<f64>();
        // Multiples of all steps, and of no recording interval.
        for part in [0.1, 0.4, 0.9] {
            let until = (part * case.until / 0.3).round() * 0.3;
            parts.run(until.min(case.until)).unwrap();
        }
        parts.run(case.until).unwrap();
        let (parts_of, whole_of) = (Bits::of(&parts.recording()), Bits::of(&whole.recording()));
        assert_eq!(parts_of, whole_of, "{}", case.name);
        assert_eq!(states(&mut parts), states(&mut whole), "{}", case.name);
    }
}

/// Runs to the end, but from a checkpoint to a new run now and then.
fn with_restarts<F: Storage>(
    start: &dyn Fn() -> Simulation<F>,
    until: f64,
    drain: bool,
    seed: &mut u64,
) -> (Simulation<F>, Bits) {
    let mut drained = Bits::default();
    let mut run = start();
    loop {
        let pause = until * (0.02 + 0.3 * random(seed));
        let mut checkpoint = Vec::new();
        let outcome = run.run_streamed(until, pause, &mut |mut pause| {
            if drain {
                drained.add(&pause.drain());
            }
            checkpoint = pause.checkpoint().unwrap();
            ControlFlow::Break(())
        });
        if outcome.unwrap() == Outcome::Finished {
            drained.add(&run.recording());
            return (run, drained);
        }
        // What the abandoned run did afterwards is lost.
        run = start();
        run.restore(&checkpoint).unwrap();
        assert_eq!(run.checkpoint().unwrap(), checkpoint);
    }
}

#[test]
fn restarts_give_the_bits_of_one_run() {
    restarted::<f64>();
    restarted::<f32>();
}

fn restarted<F: Storage>() {
    let mut seed = 1;
    for case in cases() {
        let mut whole = case.start::<F>();
        whole.run(case.until).unwrap();
        for drain in [true, false] {
            let (mut parts, bits) =
                with_restarts(&|| case.start::<F>(), case.until, drain, &mut seed);
            assert_eq!(bits, Bits::of(&whole.recording()), "{}", case.name);
            assert_eq!(states(&mut parts), states(&mut whole), "{}", case.name);
            assert_eq!(parts.statistics(), whole.statistics(), "{}", case.name);
            let (of_parts, of_whole) = (parts.recording().counters(), whole.recording().counters());
            assert_eq!(of_parts, of_whole, "{}", case.name);
        }
    }
}

#[test]
fn a_checkpoint_fits_other_tiles_and_threads() {
    other_tiles_and_threads::<f64>();
    other_tiles_and_threads::<f32>();
}

fn other_tiles_and_threads<F: Storage>() {
    for name in ["population", "adaptive implicit"] {
        let case = cases().into_iter().find(|c| c.name == name).unwrap();
        let start = |setup: Setup| {
            let run = setup.start::<F>(braincell::solvers(), &case.model);
            run.unwrap()
        };
        let mut whole = start(case.setup.clone().threads(1));
        let mut checkpoint = Vec::new();
        whole
            .run_streamed(case.until, 10.0, &mut |pause| {
                if checkpoint.is_empty() && pause.progress().time >= 10.0 {
                    checkpoint = pause.checkpoint().unwrap();
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        for (tile, threads) in [(9, 1), (4, 3), (1, 2)] {
            let mut run = start(case.setup.clone().tile(tile).threads(threads));
            run.restore(&checkpoint).unwrap();
            assert!(run.time() < 0.9 * case.until);
            run.run(case.until).unwrap();
            assert_eq!(Bits::of(&run.recording()), Bits::of(&whole.recording()));
            assert_eq!(run.statistics(), whole.statistics());
        }
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let model = experiment("hh.toml", &[]).model;
    let other = experiment("hh.toml", &[("E = \"50 mV\"", "E = \"51 mV\"")]).model;
    let setup = Setup::new("rk4", 0.025).record("V");
    let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
    run.run(1.0).unwrap();
    let checkpoint = run.checkpoint().unwrap();
    let into = |setup: Setup, model| {
        let mut run = setup.start::<f64>(braincell::solvers(), model).unwrap();
        match run.restore(&checkpoint) {
            Err(CheckpointError::Other(parts)) => parts.join(", "),
            result => panic!("{result:?}"),
        }
    };
    assert_eq!(into(setup.clone(), &other), "model is");
    assert_eq!(
        into(Setup::new("heun2", 0.025).record("V"), &model),
        "solver is"
    );
    let steps = "time step, seed or precision is";
    assert_eq!(into(Setup::new("rk4", 0.02).record("V"), &model), steps);
    assert_eq!(into(setup.clone().seed(1), &model), steps);
    let mut single = setup.start::<f32>(braincell::solvers(), &model).unwrap();
    let refused = single.restore(&checkpoint);
    assert_eq!(refused, Err(CheckpointError::Other(vec![steps])));
    assert_eq!(
        into(setup.spikes("V", 0.0), &model),
        "variables recorded are"
    );
}

#[test]
fn a_failed_run_has_no_checkpoint() {
    let model = experiment("hh.toml", &[]).model;
    let setup = Setup::new("euler", 0.5).record("V");
    let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
    run.run(100.0).unwrap_err();
    assert_eq!(run.checkpoint(), Err(CheckpointError::Failed));
}

#[test]
fn statistics_are_those_of_a_full_trace() {
    let model = experiment("hh.toml", &[]).model;
    let setup = Setup::new("rk4", 0.03)
        .record("V")
        .statistics("V")
        .statistics("stimulus");
    let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
    assert!(run.statistics().is_empty());
    run.run(40.0).unwrap();
    let recording = run.recording();
    let (t, v) = (recording.times(), recording.trace("V").unwrap().to_vec());
    let max = v.iter().copied().fold(f64::MIN, f64::max);
    let at = v.iter().position(|&x| x == max).unwrap();
    let area: f64 = (1..t.len())
        .map(|k| 0.5 * (t[k] - t[k - 1]) * (v[k] + v[k - 1]))
        .sum();
    let [of_v, of_stimulus] = &run.statistics()[..] else {
        panic!()
    };
    assert_eq!((of_v.max, of_v.time_of_max), (max, t[at]));
    assert_eq!(of_v.min, v.iter().copied().fold(f64::MAX, f64::min));
    assert!(
        (of_v.mean - area / 40.0).abs() < 1e-12 * area.abs(),
        "{} {}",
        of_v.mean,
        area / 40.0
    );
    assert_eq!((of_stimulus.min, of_stimulus.max), (0.0, 10.0));
    assert!(
        (of_stimulus.mean - 8.75).abs() < 0.01,
        "{}",
        of_stimulus.mean
    );
}

#[test]
fn many_short_parts_add_up() {
    let model = experiment("hh.toml", &[]).model;
    let setup = Setup::new("exp_euler", 0.1).record("V").every(100.0);
    let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
    // 0.1 · 3 is not 0.3.
    for k in 1..=30 {
        run.run(0.3 * f64::from(k)).unwrap();
    }
    let recording = run.recording();
    assert_eq!(recording.counters().steps, 90);
}
