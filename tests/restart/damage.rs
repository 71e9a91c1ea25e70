//! Checkpoints that are not what they should be.

use crate::cases;
use braincell::simulation::{CheckpointError, Simulation};
use proptest::prelude::*;

fn half_way(name: &str) -> (Simulation, Vec<u8>) {
    let case = cases().into_iter().find(|c| c.name == name).unwrap();
    let mut run = case.start();
    run.run(0.5 * case.until).unwrap();
    (case.start(), run.checkpoint().unwrap())
}

/// Restores into a run, which stays as it was.
fn refused(run: &mut Simulation, bytes: &[u8]) -> String {
    match run.restore(bytes) {
        Err(CheckpointError::Container(error)) => error.to_string(),
        result => panic!("{result:?}"),
    }
}

#[test]
fn cut_checkpoints_are_refused() {
    for name in ["population", "adaptive"] {
        let (mut run, bytes) = half_way(name);
        let fresh = run.checkpoint().unwrap();
        for length in (0..bytes.len()).step_by(64).chain([7, 8, 11, 12, 19, 20, bytes.len() - 1]) {
            let why = refused(&mut run, &bytes[..length]);
            assert!(why.contains("cut off"), "{length}: {why}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(refused(&mut run, &longer).contains("added"));
        assert_eq!(run.checkpoint().unwrap(), fresh);
        run.restore(&bytes).unwrap();
    }
}

#[test]
fn foreign_and_future_checkpoints_are_refused() {
    let (mut run, bytes) = half_way("fixed");
    assert!(refused(&mut run, b"title = \"no checkpoint\"").contains("another file"));
    let mut future = bytes;
    future[8] = 2;
    let why = refused(&mut run, &future);
    assert!(why.contains("version 2") && why.contains("reads version 1"), "{why}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bits_are_found(places in prop::collection::btree_set((0usize..1 << 20, 0u8..8), 1..4)) {
        let (mut run, bytes) = FIXED.with(|f| f.clone());
        let mut damaged = bytes.clone();
        for (place, bit) in places {
            damaged[place % bytes.len()] ^= 1 << bit;
        }
        prop_assume!(damaged != bytes);
        refused(&mut run(), &damaged);
    }

    /// Contents with a right checksum but without sense.
    #[test]
    fn contents_without_sense_are_refused(place in 20usize..1 << 20, with in 0u8..=255) {
        let (mut run, bytes) = FIXED.with(|f| f.clone());
        let place = 52 + place % (bytes.len() - 56);
        let mut contents = bytes[20..bytes.len() - 4].to_vec();
        contents[place - 20] = with;
        let sealed = braincell::container::seal(b"bc-state", 1, &contents);
        // Another number may be as good as the right one; a run that takes it must not panic.
        if run().restore(&sealed).is_ok() {
            let mut run = run();
            run.restore(&sealed).unwrap();
            let _ = run.recording();
        }
    }
}

thread_local! {
    static FIXED: (fn() -> Simulation, Vec<u8>) = (|| cases_start("population"), half_way("population").1);
}

fn cases_start(name: &str) -> Simulation {
    cases().into_iter().find(|c| c.name == name).unwrap().start()
}
