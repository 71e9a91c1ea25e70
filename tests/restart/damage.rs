//! Checkpoints that are not what they should be.

use crate::{Case, cases};
use braincell::container;
use braincell::simulation::{CheckpointError, Simulation};
use proptest::prelude::*;

fn half_way(name: &str) -> (Case, Vec<u8>) {
    let case = cases().into_iter().find(|c| c.name == name).unwrap();
    let mut run = case.start::<f64>();
    run.run(0.5 * case.until).unwrap();
    let checkpoint = run.checkpoint().unwrap();
    (case, checkpoint)
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
        let (case, bytes) = half_way(name);
        let mut run = case.start::<f64>();
        let fresh = run.checkpoint().unwrap();
        for length in (0..bytes.len())
            .step_by(64)
            .chain([7, 8, 11, 12, 19, 20, bytes.len() - 1])
        {
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
    let (case, bytes) = half_way("fixed");
    let mut run = case.start::<f64>();
    assert!(refused(&mut run, b"title = \"no checkpoint\"").contains("another file"));
    let mut future = bytes;
    future[8] = 2;
    let why = refused(&mut run, &future);
    assert!(
        why.contains("version 2") && why.contains("reads version 1"),
        "{why}"
    );
}

/// Any number in a checkpoint, made greater than a run can count, is refused or of no consequence for what is summed up.
#[test]
fn counts_beyond_all_runs_do_not_overflow() {
    let mut counts_refused = 0;
    for name in ["population", "adaptive"] {
        let (case, bytes) = half_way(name);
        let contents = &bytes[20..bytes.len() - 4];
        let mut run = case.start::<f64>();
        // Behind the checksums of model and setup.
        for place in (32..contents.len()).step_by(8).take(500) {
            let mut changed = contents.to_vec();
            changed[place..place + 8].copy_from_slice(&(u64::MAX - 1).to_le_bytes());
            match run.restore(&container::seal(b"bc-state", 1, &changed)) {
                Ok(()) => {
                    let _ = (run.recording(), run.statistics(), run.checkpoint());
                }
                Err(error) => {
                    let counted = error
                        .to_string()
                        .contains("counts more than a run can make");
                    counts_refused += usize::from(counted);
                }
            }
        }
    }
    assert!(counts_refused > 6, "{counts_refused}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bits_are_found(places in prop::collection::btree_set((0usize..1 << 20, 0u8..8), 1..4)) {
        HALF_WAY.with(|(case, bytes)| {
            let mut damaged = bytes.clone();
            for (place, bit) in places {
                damaged[place % bytes.len()] ^= 1 << bit;
            }
            if damaged != *bytes {
                refused(&mut case.start(), &damaged);
            }
        });
    }

    /// Contents with a right checksum but without sense.
    #[test]
    fn contents_without_sense_are_refused(place in 0usize..1 << 20, with in 0u8..=255) {
        HALF_WAY.with(|(case, bytes)| {
            // Behind the checksums of model and setup.
            let mut contents = bytes[20..bytes.len() - 4].to_vec();
            let length = contents.len() - 32;
            contents[32 + place % length] = with;
            let sealed = container::seal(b"bc-state", 1, &contents);
            // Another number may be as good as the right one; a run that takes it must not panic.
            let mut run = case.start::<f64>();
            if run.restore(&sealed).is_ok() {
                let _ = run.recording();
                let _ = run.statistics();
            }
        });
    }
}

thread_local! {
    static HALF_WAY: (Case, Vec<u8>) = half_way("population");
}
