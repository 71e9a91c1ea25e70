//! Adaptive runs on stiff problems with published solutions.
//!
//! HIRES (E. Schäfer 1975) at t = 321.8122 and the van der Pol oscillator with ε = 10⁻⁶ at t = 2, with the reference
//! solutions of the Test Set for IVP Solvers, release 2.4 (F. Mazzia, C. Magherini, University of Bari 2008).

use braincell::model::{DiffEqState, Model, Ode, Parameter, ode};
use braincell::real::Real;
use braincell::simulation::{RunError, Setup, Tolerances};

/// High irradiance responses of photomorphogenesis.
struct Hires;

impl Ode<8, 0> for Hires {
    fn states(&self) -> [DiffEqState; 8] {
        let initial = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057];
        std::array::from_fn(|k| DiffEqState::new(format!("y{}", k + 1), initial[k]))
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

const HIRES_AT_END: [f64; 8] = [
    0.737_131_257_332_566_8e-3,
    0.144_248_572_631_618_5e-3,
    0.588_872_974_096_757_5e-4,
    0.117_565_134_328_314_9e-2,
    0.238_635_619_883_133_1e-2,
    0.623_896_825_274_279_6e-2,
    0.284_999_839_518_576_9e-2,
    0.285_000_160_481_423_1e-2,
];

/// y' = z, ε z' = (1 - y²) z - y.
struct StiffVanDerPol;

impl Ode<2, 1> for StiffVanDerPol {
    fn states(&self) -> [DiffEqState; 2] {
        [DiffEqState::new("y1", 2.0), DiffEqState::new("y2", 0.0)]
    }
    fn parameters(&self) -> [Parameter; 1] {
        [Parameter::new("epsilon", 1e-6)]
    }
    fn derivative<R: Real>(&self, _t: R, [y, z]: [R; 2], [epsilon]: [R; 1]) -> [R; 2] {
        [z, ((R::one() - y * y) * z - y) / epsilon]
    }
}

const VAN_DER_POL_AT_END: [f64; 2] = [1.706_167_732_170_483, -0.892_809_701_024_797_5];

/// Names of the adaptive solvers that are explicit, or are not.
fn adaptive(explicit: bool) -> Vec<String> {
    let entries = braincell::solvers().entries();
    let fit = entries
        .into_iter()
        .filter(|e| e.info.is_adaptive() && e.info.properties.explicit == explicit);
    fit.map(|e| e.info.name.clone()).collect()
}

/// The error at the end must be within ten times the tolerance: it is the sum of the errors of the steps.
fn reaches(name: &str, model: &Model, end: f64, solution: &[f64]) {
    for solver in adaptive(false) {
        for tolerance in [1e-4, 1e-6, 1e-8] {
            let mut tolerances = Tolerances::new(tolerance);
            tolerances.other = 1e-4 * tolerance;
            let absolute = tolerances.other;
            let setup = Setup::adaptive(solver.as_str(), tolerances);
            let mut run = setup.start::<f64>(braincell::solvers(), model).unwrap();
            run.run(end)
                .unwrap_or_else(|error| panic!("{solver}: {error}"));
            let counters = run.recording().counters();
            let mut worst: f64 = 0.0;
            for (k, x) in solution.iter().enumerate() {
                let y = run.state(&format!("y{}", k + 1)).unwrap().value.at(0, 0);
                worst = worst.max((y - x).abs() / (absolute + tolerance * x.abs()));
            }
            println!(
                "{name:12} {solver:8} tolerance {tolerance:.0e}: error {worst:6.2} tolerances, {:6} steps, {:4} rejected, {:6} right-hand sides, {:6} Newton iterations, {:6} factorisations",
                counters.steps,
                counters.rejected,
                counters.right_hand_sides,
                counters.newton_iterations,
                counters.factorisations
            );
            assert!(worst <= 10.0, "{solver} at {tolerance:e}: {worst}");
        }
    }
}

#[test]
fn hires_to_the_asked_tolerance() {
    let model = Model::new(&ode(Hires)).unwrap();
    reaches("HIRES", &model, 321.8122, &HIRES_AT_END);
}

#[test]
fn stiff_van_der_pol_to_the_asked_tolerance() {
    let model = Model::new(&ode(StiffVanDerPol)).unwrap();
    reaches("van der Pol", &model, 2.0, &VAN_DER_POL_AT_END);
}

#[test]
fn an_explicit_solver_says_why_its_steps_are_small() {
    let model = Model::new(&ode(StiffVanDerPol)).unwrap();
    for solver in adaptive(true) {
        let mut tolerances = Tolerances::new(1e-4);
        tolerances.max_steps = 20_000;
        let setup = Setup::adaptive(solver.as_str(), tolerances)
            .record("y1")
            .every(1e-3);
        let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
        let error = run.run(2.0).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, RunError::StepsExhausted(_)), "{text}");
        assert!(text.contains("the model is stiff"), "{text}");
        assert!(text.contains("had the greatest error"), "{text}");
        // What was computed is there.
        let recording = run.recording();
        assert!(recording.times().len() > 1);
        assert_eq!(recording.times().len(), recording.data().nrows());
    }
}
