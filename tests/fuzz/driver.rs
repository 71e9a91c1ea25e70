//! Runs a target on many inputs: a fixed number in the suite, or for as long as the environment says.
//!
//! `BRAINCELL_FUZZ_SECONDS=600 cargo test --test fuzz -- --nocapture --test-threads 1` spends ten minutes on each target, and
//! prints how many inputs it saw and which took longest. With `BRAINCELL_FUZZ_LAST=DIRECTORY` each input is written there
//! before it is read, so that one that ends the process (an overflow of the stack, memory that runs out) can be had.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Inputs of one run of proptest.
const BATCH: u32 = 256;

/// Runs `target` on what `strategy` makes of `cases` values, made into an input by `input`. What panics is shrunk and reported.
pub fn fuzz<S: Strategy>(
    name: &str,
    cases: u32,
    strategy: S,
    input: impl Fn(&S::Value) -> Vec<u8>,
    target: impl Fn(&[u8]),
) {
    let seconds = std::env::var("BRAINCELL_FUZZ_SECONDS").ok();
    let seconds = seconds.map(|s| s.parse().expect("BRAINCELL_FUZZ_SECONDS is a number"));
    let last = std::env::var_os("BRAINCELL_FUZZ_LAST").map(|d| PathBuf::from(d).join(name));
    let (count, begin) = (Cell::new(0u64), Instant::now());
    let longest = RefCell::new((Duration::ZERO, Vec::new()));
    let go_on = |done: u64| match seconds {
        Some(seconds) => begin.elapsed() < Duration::from_secs_f64(seconds),
        None => done < u64::from(cases),
    };
    while go_on(count.get()) {
        let config = Config {
            cases: seconds.map_or(cases, |_| BATCH),
            failure_persistence: None,
            max_shrink_iters: 4096,
            ..Config::default()
        };
        // The same inputs whenever the suite runs, others in each long run.
        let random = match seconds {
            Some(_) => TestRng::from_seed(RngAlgorithm::ChaCha, &rand_seed()),
            None => TestRng::deterministic_rng(RngAlgorithm::ChaCha),
        };
        let outcome = TestRunner::new_with_rng(config, random).run(&strategy, |value| {
            let bytes = input(&value);
            if let Some(path) = &last {
                std::fs::write(path, &bytes).map_err(|e| TestCaseError::fail(e.to_string()))?;
            }
            let start = Instant::now();
            target(&bytes);
            let took = start.elapsed();
            count.set(count.get() + 1);
            if took > longest.borrow().0 {
                longest.replace((took, bytes));
            }
            Ok(())
        });
        if let Err(TestError::Fail(reason, value)) = &outcome {
            let bytes = input(value);
            panic!(
                "{name}: {reason}\nafter {} inputs, on:\n{}",
                count.get(),
                shown(&bytes)
            );
        }
        outcome.expect("a target neither rejects nor aborts");
    }
    let (took, bytes) = longest.into_inner();
    println!(
        "{name}: {} inputs in {:.1?}, at most {took:.1?} each",
        count.get(),
        begin.elapsed()
    );
    if seconds.is_some() && took > Duration::from_secs(1) {
        println!("the longest was:\n{}", shown(&bytes));
    }
}

/// A seed that differs each time.
fn rand_seed() -> [u8; 32] {
    use std::hash::{BuildHasher, RandomState};
    let words: [[u8; 8]; 4] = std::array::from_fn(|k| RandomState::new().hash_one(k).to_le_bytes());
    std::array::from_fn(|k| words[k / 8][k % 8])
}

/// The beginning of an input.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(4000)]).into_owned()
}
