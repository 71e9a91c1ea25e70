//! Adaptive runs on stiff problems with published solutions.
use braincell::model::{DiffEqState, Model, Ode, Parameter, ode};
use braincell::real::Real;
use braincell::simulation::{Setup, Tolerances};

struct Hires;
impl Ode<8, 0> for Hires {
    fn states(&self) -> [DiffEqState; 8] {
        let y0 = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057];
        std::array::from_fn(|k| DiffEqState::new(format!("y{}", k + 1), y0[k]))
    }
    fn parameters(&self) -> [Parameter; 0] {
        []
    }
    fn derivative<R: Real>(&self, _t: R, y: [R; 8], _: [R; 0]) -> [R; 8] {
        let [y1, y2, y3, y4, y5, y6, y7, y8] = y;
        let r = y6 * y8 * 280.0;
        [
            y1 * -1.71 + y2 * 0.43 + y3 * 8.32 + 0.0007,
            y1 * 1.71 - y2 * 8.75,
            y3 * -10.03 + y4 * 0.43 + y5 * 0.035,
            y2 * 8.32 + y3 * 1.71 - y4 * 1.12,
            y5 * -1.745 + y6 * 0.43 + y7 * 0.43,
            -r + y4 * 0.69 + y5 * 1.71 - y6 * 0.43 + y7 * 0.69,
            r - y7 * 1.81,
            -r + y7 * 1.81,
        ]
    }
}

struct Vdp;
impl Ode<2, 0> for Vdp {
    fn states(&self) -> [DiffEqState; 2] {
        [DiffEqState::new("y", 2.0), DiffEqState::new("z", 0.0)]
    }
    fn parameters(&self) -> [Parameter; 0] {
        []
    }
    fn derivative<R: Real>(&self, _t: R, [y, z]: [R; 2], _: [R; 0]) -> [R; 2] {
        [z, ((R::one() - y * y) * z - y) / 1e-6]
    }
}

#[test]
fn stiff() {
    let hires = [
        0.7371312573325668e-3,
        0.1442485726316185e-3,
        0.5888729740967575e-4,
        0.1175651343283149e-2,
        0.2386356198831331e-2,
        0.6238968252742796e-2,
        0.2849998395185769e-2,
        0.2850001604814231e-2,
    ];
    let vdp = [0.1706167732170483e1, -0.8928097010247975];
    let run = |model: &Model, t: f64, names: &[String], reference: &[f64]| {
        for e in braincell::solvers()
            .entries()
            .iter()
            .filter(|e| e.info.is_adaptive() && !e.info.properties.explicit)
        {
            for tol in [1e-4, 1e-6, 1e-8] {
                let mut tolerances = Tolerances::new(tol);
                tolerances.other = tol * 1e-4;
                let mut run = Setup::adaptive(e.info.name.as_str(), tolerances)
                    .start::<f64>(braincell::solvers(), model)
                    .unwrap();
                let clock = std::time::Instant::now();
                if let Err(e) = run.run(t) {
                    println!("{e}");
                    continue;
                }
                let worst = names
                    .iter()
                    .zip(reference)
                    .map(|(n, x)| {
                        let y = run.state(n).unwrap().value.at(0, 0);
                        ((y - x) / x).abs()
                    })
                    .fold(0.0, f64::max);
                let c = run.recording().counters();
                println!(
                    "{:10} {tol:e} error {worst:.2e} {c:?} {:?}",
                    e.info.name,
                    clock.elapsed()
                );
            }
        }
    };
    run(
        &Model::new(&ode(Hires)).unwrap(),
        321.8122,
        &(1..9).map(|k| format!("y{k}")).collect::<Vec<_>>(),
        &hires,
    );
    run(
        &Model::new(&ode(Vdp)).unwrap(),
        2.0,
        &["y".to_string(), "z".to_string()],
        &vdp,
    );
}
