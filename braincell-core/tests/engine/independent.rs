//! Sub-modules with a solver of their own.

use crate::support::{last, slope, solvers, start};
use braincell_core::kernel::{Pointwise, pointwise};
use braincell_core::model::{
    DiffEqModule, DiffEqState, Domain, IndependentIntegration, Launches, Model, ModelBuilder,
    ModelError, Source, StateId, Target,
};
use braincell_core::real::Real;
use braincell_core::registry::RegistryError;
use braincell_core::simulation::{Setup, SetupError};

const CELL: Domain = Domain::CELL;

/// dy/dt = `rate` (sin x - y)
struct Child {
    rate: f64,
    x: StateId,
}

struct ChildSlope(f64);
impl Pointwise for ChildSlope {
    type Inputs<T: Copy> = [T; 2];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [x, y]: [R; 2]) -> [R; 1] {
        [(x.sin() - y) * self.0]
    }
}

impl DiffEqModule for Child {
    type Handles = StateId;
    fn declare(&self, m: &mut ModelBuilder) -> Result<StateId, ModelError> {
        m.state(CELL, DiffEqState::new("y", 1.0))
    }
    fn compute_derivative(&self, &y: &StateId, k: &mut Launches) -> Result<(), ModelError> {
        let inputs = [Source::State(self.x), Source::State(y)];
        k.launch(
            CELL,
            pointwise(ChildSlope(self.rate)),
            &inputs,
            &[Target::Derivative(y)],
        )
    }
}

/// dx/dt = `pull` (y³ + 0.5) - 0.3 x
struct ParentSlope(f64);
impl Pointwise for ParentSlope {
    type Inputs<T: Copy> = [T; 2];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [x, y]: [R; 2]) -> [R; 1] {
        [(y * y * y + 0.5) * self.0 - x * (0.3 * self.0)]
    }
}

struct Pair {
    /// Solver and substeps of the child; it is no independent module without.
    child: Option<(&'static str, usize)>,
    pull: f64,
    rate: f64,
}

impl DiffEqModule for Pair {
    type Handles = ();
    fn declare(&self, m: &mut ModelBuilder) -> Result<(), ModelError> {
        let x = m.state(CELL, DiffEqState::new("x", 0.2))?;
        let child = Child { rate: self.rate, x };
        match self.child {
            None => child.record(m)?,
            Some((solver, substeps)) => {
                IndependentIntegration::new("child", child, solver, substeps).record(m)?;
            }
        }
        let inputs = [Source::State(x), Source::State(m.find_state("y")?)];
        let mut launches = m.launches(braincell_core::model::Phase::Derivative);
        let slope = pointwise(ParentSlope(self.pull));
        launches.launch(CELL, slope, &inputs, &[Target::Derivative(x)])
    }
    fn compute_derivative(&self, _: &(), _: &mut Launches) -> Result<(), ModelError> {
        Ok(())
    }
}

fn pair(child: Option<(&'static str, usize)>, pull: f64, rate: f64) -> Model {
    Model::new(&Pair { child, pull, rate }).unwrap()
}

/// Errors of x and y at t = 2 with steps of 0.1, 0.05, 0.025.
fn orders(parent: &str, child: (&'static str, usize)) -> Vec<f64> {
    let mut exact = start("rk4", 1e-3, &pair(None, 1.0, 2.0));
    exact.run(2.0).unwrap();
    let model = pair(Some(child), 1.0, 2.0);
    let errors = [0.05, 0.025, 0.0125, 0.00625].map(|dt| {
        let mut run = start(parent, dt, &model);
        run.run(2.0).unwrap();
        let error = |name: &str| last(&run, name) - last(&exact, name);
        error("x").hypot(error("y"))
    });
    errors.windows(2).map(|e| slope(e[0], e[1])).collect()
}

#[test]
fn the_coupling_is_of_second_order() {
    for (parent, child) in [
        ("rk4", "rk4"),
        ("heun", "rk4"),
        ("rk4", "heun"),
        ("heun", "heun"),
    ] {
        for substeps in [1, 3] {
            let orders = orders(parent, (child, substeps));
            let order = orders[orders.len() - 1];
            assert!(
                (order - 2.0).abs() < 0.1,
                "{parent} {child} {substeps}: {orders:?}"
            );
        }
    }
}

#[test]
fn a_solver_of_first_order_on_either_side_makes_it_first_order() {
    for (parent, child) in [("euler", "rk4"), ("rk4", "euler"), ("euler", "euler")] {
        let orders = orders(parent, (child, 1));
        let order = orders[orders.len() - 1];
        assert!((order - 1.0).abs() < 0.1, "{parent} {child}: {orders:?}");
    }
}

#[test]
fn the_parent_leaves_the_child_alone() {
    // The parent's state does not move, so the child relaxes to sin 0.2 by itself.
    for substeps in [1, 2, 5] {
        for parent in ["euler", "rk4"] {
            let model = pair(Some(("euler", substeps)), 0.0, 2.0);
            let mut run = start(parent, 0.1, &model);
            run.run(1.0).unwrap();
            assert_eq!(last(&run, "x"), 0.2);
            let count = 2 * substeps as i32;
            let factor = (1.0 - 2.0 * 0.1 / f64::from(count)).powi(10 * count);
            let wanted = 0.2f64.sin() + factor * (1.0 - 0.2f64.sin());
            assert!(
                (last(&run, "y") - wanted).abs() < 1e-14,
                "{parent} {substeps}"
            );
        }
    }
    // And the other way round.
    let mut run = start("euler", 0.1, &pair(Some(("rk4", 1)), 1.0, 0.0));
    run.run(1.0).unwrap();
    assert_eq!(last(&run, "y"), 1.0);
    let (mut x, y) = (0.2, 1.0f64);
    for _ in 0..10 {
        x += 0.1 * (y.powi(3) + 0.5 - 0.3 * x);
    }
    assert!((last(&run, "x") - x).abs() < 1e-14);
}

#[test]
fn the_childs_solver_is_looked_up_too() {
    let model = pair(Some(("rk5", 1)), 1.0, 1.0);
    let error = Setup::new("rk4", 0.1)
        .start::<f64>(&solvers(), &model)
        .err()
        .unwrap();
    assert!(
        matches!(error, SetupError::Registry(RegistryError::Unknown { .. })),
        "{error}"
    );
    // Spikes are found in the parent's states alone.
    let model = pair(Some(("rk4", 1)), 1.0, 1.0);
    let setup = Setup::new("rk4", 0.1).spikes("y", 0.0);
    let text = setup
        .start::<f64>(&solvers(), &model)
        .err()
        .unwrap()
        .to_string();
    assert!(text.contains("\"y\"; it has x"), "{text}");
}
