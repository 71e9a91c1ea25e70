//! Kernels run in vector registers: a loop that falls back to one number at a time is found here, not by its users.
//!
//! Both loops run in turn on the same machine in the same minute, the fastest of many repetitions counts, and the limit
//! is far from what is usual (4 to 8 in double precision), so that other programs do not decide.

use braincell::cells::mechanisms;
use braincell::kernel::{Accumulate, Call, Index, Kernel, Operand, Output, Storage};
use braincell::simd::Level;
use std::time::Instant;

const LEN: usize = 1024;
/// A kernel over many elements is faster by this than over one element after the other, at least.
const LEAST: f64 = 1.5;
const REPETITIONS: usize = 200;

/// A call over elements `from .. from + len` of planes of [`LEN`] numbers.
fn call(kernel: &dyn Kernel, from: usize, len: usize) -> Call {
    let plane = |number: usize| Operand {
        offset: number * LEN + from,
        index: Index::Each,
    };
    let inputs = kernel.inputs();
    let output = |number| Output {
        to: plane(inputs + number),
        how: Accumulate::Set,
    };
    Call {
        len,
        inputs: (0..inputs).map(plane).collect(),
        outputs: (0..kernel.outputs()).map(|o| Some(output(o))).collect(),
    }
}

fn least(mut f: impl FnMut()) -> f64 {
    let times = (0..REPETITIONS).map(|_| {
        let begin = Instant::now();
        f();
        begin.elapsed().as_nanos() as f64
    });
    times.fold(f64::INFINITY, f64::min)
}

/// How much faster many elements are than one after the other.
fn gain<F: Storage>(kernel: &dyn Kernel, relax: bool) -> f64 {
    let level = Level::detect();
    let planes = kernel.inputs() + kernel.outputs();
    let mut arena = vec![F::from_f64(0.25); planes * LEN];
    let h = F::from_f64(0.025);
    let mut run = |calls: &[Call]| {
        for call in calls {
            match relax {
                true => F::of(kernel).relax(level, h, call, &mut arena),
                false => F::of(kernel).values(level, call, &mut arena),
            }
        }
    };
    let whole = [call(kernel, 0, LEN)];
    let single: Vec<Call> = (0..LEN).map(|e| call(kernel, e, 1)).collect();
    let many = least(|| run(&whole));
    least(|| run(&single)) / many
}

#[test]
fn gates_run_in_vector_registers() {
    let level = Level::detect();
    if level == Level::Portable {
        println!("skipped: no vector instructions beyond those of every processor");
        return;
    }
    for name in ["na_hh1952", "k_hh1952", "kdr_ba2002"] {
        let mechanism = mechanisms::find(name).expect("a built-in mechanism");
        let kernel = mechanism.kinetics().expect("a channel with gates");
        for relax in [false, true] {
            let gains = [gain::<f64>(&**kernel, relax), gain::<f32>(&**kernel, relax)];
            println!("{name}, relax {relax}, {level}: {gains:.1?}");
            for gain in gains {
                assert!(gain > LEAST, "{name}, relax {relax}, {level}: {gain:.2}");
            }
        }
    }
}
