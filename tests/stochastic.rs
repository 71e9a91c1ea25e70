//! Stochastic differential equations: strong and weak orders, reproducible noise, refusals.

#![cfg(feature = "rk")]

use braincell::model::{DiffEqState, Model, Ode, Parameter, ode};
use braincell::noise::increment;
use braincell::real::Real;
use braincell::simulation::{Setup, SetupError};

/// Geometric Brownian motion dx = μ x dt + σ x dW, with solution x₀ exp((μ - σ²/2) t + σ W(t)).
struct GeometricBrownianMotion;

const MU: f64 = 0.5;
const SIGMA: f64 = 0.7;

impl Ode<1, 2> for GeometricBrownianMotion {
    fn states(&self) -> [DiffEqState; 1] {
        [DiffEqState::new("x", 1.0)]
    }
    fn parameters(&self) -> [Parameter; 2] {
        [Parameter::new("mu", MU), Parameter::new("sigma", SIGMA)]
    }
    fn derivative<R: Real>(&self, _t: R, [x]: [R; 1], [mu, _]: [R; 2]) -> [R; 1] {
        [mu * x]
    }
    const STOCHASTIC: bool = true;
    fn diffusion<R: Real>(&self, _t: R, [x]: [R; 1], [_, sigma]: [R; 2]) -> [R; 1] {
        [sigma * x]
    }
}

fn end_values(solver: &str, dt: f64, paths: usize, tile: usize) -> Vec<f64> {
    let model = Model::population(&ode(GeometricBrownianMotion), paths).unwrap();
    let setup = Setup::new(solver, dt).seed(7).tile(tile);
    let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
    run.run(1.0).unwrap();
    let state = run.state("x").unwrap();
    (0..paths).map(|cell| state.value.at(0, cell)).collect()
}

/// Mean absolute error and absolute mean error at t = 1, of paths with the same noise as the exact solution.
fn errors(solver: &str, steps: u64, paths: usize) -> (f64, f64) {
    let dt = 1.0 / steps as f64;
    let (mut strong, mut weak) = (0.0, 0.0);
    for (cell, x) in end_values(solver, dt, paths, 256).into_iter().enumerate() {
        let w: f64 = (0..steps).map(|k| increment(7, cell, 0, 0, k, dt)).sum();
        let exact = ((MU - 0.5 * SIGMA * SIGMA) + SIGMA * w).exp();
        strong += (x - exact).abs();
        weak += x - exact;
    }
    (strong / paths as f64, (weak / paths as f64).abs())
}

#[test]
fn strong_and_weak_orders_are_the_declared_ones() {
    for solver in ["euler_maruyama", "milstein"] {
        let info = &braincell::solvers().get(solver).unwrap().info;
        let order = |coarse: f64, fine: f64| (coarse / fine).log2() / 4.0;
        let (coarse, fine) = (errors(solver, 16, 4_000), errors(solver, 256, 4_000));
        let strong = order(coarse.0, fine.0);
        println!(
            "{solver}: strong order {strong:.3}, mean errors {:.2e}, {:.2e}",
            coarse.0, fine.0
        );
        // The mean error is small against its scatter, so it takes long steps and many paths.
        let (coarse, fine) = (errors(solver, 4, 400_000), errors(solver, 64, 400_000));
        let weak = order(coarse.1, fine.1);
        println!(
            "{solver}: weak order {weak:.3}, errors of the mean {:.2e}, {:.2e}",
            coarse.1, fine.1
        );
        assert!(
            (strong - info.strong_order.unwrap()).abs() <= 0.1,
            "{solver}: {strong}"
        );
        assert!(
            (weak - f64::from(info.order)).abs() <= 0.1,
            "{solver}: {weak}"
        );
    }
}

#[test]
fn the_noise_does_not_depend_on_how_cells_are_put_into_tiles() {
    let wide = end_values("milstein", 0.05, 1000, 256);
    let narrow = end_values("milstein", 0.05, 1000, 7);
    assert_eq!(wide, narrow);
}

#[test]
fn increments_are_normal_with_variance_h() {
    let n = 200_000;
    let x: Vec<f64> = (0..n).map(|k| increment(1, 3, 2, 5, k, 0.25)).collect();
    let moment = |p: i32| x.iter().map(|x| x.powi(p)).sum::<f64>() / n as f64;
    // Five standard deviations of each estimate.
    let sd = |variance: f64| 5.0 * (variance / n as f64).sqrt();
    assert!(moment(1).abs() <= sd(0.25));
    assert!((moment(2) - 0.25).abs() <= sd(2.0 * 0.0625));
    assert!((moment(4) - 3.0 * 0.0625).abs() <= sd(96.0 * 0.0625 * 0.0625));
    let other = |seed, cell, state, element| increment(seed, cell, state, element, 0, 0.25);
    let all = [
        other(1, 3, 2, 5),
        other(2, 3, 2, 5),
        other(1, 4, 2, 5),
        other(1, 3, 1, 5),
        other(1, 3, 2, 4),
    ];
    for (k, a) in all.iter().enumerate() {
        assert!(all[k + 1..].iter().all(|b| a != b));
    }
}

#[test]
fn a_state_shows_its_derivative_and_diffusion() {
    let model = Model::new(&ode(GeometricBrownianMotion)).unwrap();
    let setup = Setup::new("milstein", 0.1);
    let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
    run.run(0.5).unwrap();
    let state = run.state("x").unwrap();
    let x = state.value.at(0, 0);
    assert_eq!(state.derivative.unwrap().at(0, 0), MU * x);
    assert_eq!(state.diffusion.unwrap().at(0, 0), SIGMA * x);
}

#[test]
fn a_deterministic_solver_ignores_noise_only_if_told_to() {
    let model = Model::new(&ode(GeometricBrownianMotion)).unwrap();
    let refused = Setup::new("rk4", 0.1).start::<f64>(braincell::solvers(), &model);
    let Err(error) = refused else {
        panic!("accepted")
    };
    assert!(matches!(error, SetupError::Registry(_)));
    let text = error.to_string();
    assert!(
        text.contains("which it would ignore") && text.contains("milstein"),
        "{text}"
    );

    let told = Setup::new("rk4", 0.01).without_noise();
    let mut run = told.start::<f64>(braincell::solvers(), &model).unwrap();
    run.run(1.0).unwrap();
    let x = run.state("x").unwrap().value.at(0, 0);
    assert!((x - MU.exp()).abs() < 1e-9);
}

#[test]
fn a_stochastic_solver_refuses_a_model_without_noise() {
    let model = Model::new(&ode(braincell::model::systems::Decay)).unwrap();
    let refused = Setup::new("milstein", 0.1).start::<f64>(braincell::solvers(), &model);
    let Err(error) = refused else {
        panic!("accepted")
    };
    assert!(error.to_string().contains("diffusion terms"), "{error}");
}
