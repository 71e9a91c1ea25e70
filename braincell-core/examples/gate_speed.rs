//! Nanoseconds per element of the Hodgkin-Huxley gate update, through the kernel driver.
use braincell_core::kernel::{
    Accumulate, Call, Index, Kinetics, Operand, Output, Relaxation, Storage, kinetics,
};
use braincell_core::real::Real;
use braincell_core::simd::Level;
use std::time::Instant;

struct Gates;
impl Kinetics<3> for Gates {
    type Inputs<T: Copy> = [T; 1];
    #[inline(always)]
    fn rates<R: Real>(&self, [v]: [R; 1]) -> [Relaxation<R>; 3] {
        let one = R::one();
        let m = Relaxation::rates(
            one / ((v + 40.0) * -0.1).exprel(),
            ((v + 65.0) / -18.0).exp() * 4.0,
        );
        let h = Relaxation::rates(
            ((v + 65.0) / -20.0).exp() * 0.07,
            ((v + 35.0) * 0.1).logistic(),
        );
        let n = Relaxation::rates(
            R::constant(0.1) / ((v + 55.0) * -0.1).exprel(),
            ((v + 65.0) / -80.0).exp() * 0.125,
        );
        [m, h, n]
    }
}

fn run<F: Storage>(n: usize) {
    let k = kinetics(Gates);
    let mut arena: Vec<F> = (0..4 * n)
        .map(|i| F::from_f64(if i < n { -65.0 + (i % 50) as f64 } else { 0.3 }))
        .collect();
    let plane = |i: usize| Operand {
        offset: i * n,
        index: Index::Each,
    };
    let call = Call {
        len: n,
        inputs: (0..4).map(plane).collect(),
        outputs: (1..4)
            .map(|i| {
                Some(Output {
                    to: plane(i),
                    how: Accumulate::Set,
                })
            })
            .collect(),
    };
    for (name, what) in [("values", 0), ("relax", 1)] {
        let mut best = f64::INFINITY;
        for _ in 0..10 {
            let reps = 2_000_000 / n;
            let t = Instant::now();
            for _ in 0..reps {
                if what == 0 {
                    F::of(&*k).values(Level::detect(), &call, &mut arena)
                } else {
                    F::of(&*k).relax(Level::detect(), F::from_f64(0.025), &call, &mut arena)
                }
            }
            best = best.min(t.elapsed().as_nanos() as f64 / (reps * n) as f64);
        }
        println!("{name} n={n} {best:.2} ns");
    }
}
fn main() {
    for n in [1, 8, 64, 1024] {
        run::<f64>(n);
        run::<f32>(n);
    }
}
