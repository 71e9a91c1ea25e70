//! Solvers and small tools for the tests.

use braincell_core::model::Model;
use braincell_core::registry::{Origin, Registry};
use braincell_core::simulation::{Setup, Simulation};
use braincell_core::stepper::{Array, Coef, SolverInfo, StepError, StepOps, Stepper, h, num};
use std::sync::Arc;

/// An explicit Runge-Kutta method.
pub struct Explicit {
    pub name: &'static str,
    pub order: u32,
    pub a: &'static [&'static [f64]],
    pub b: &'static [f64],
}

impl Stepper for Explicit {
    fn info(&self) -> SolverInfo {
        let mut info = SolverInfo::new(self.name, "test", self.order);
        info.properties.explicit = true;
        info
    }
    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let y = o.y();
        let mut slopes: Vec<Array> = Vec::new();
        let along = |weights: &[f64], slopes: &[Array]| {
            let terms = weights.iter().zip(slopes).map(|(&w, &k)| (h(w), k));
            let terms: Vec<(Coef, Array)> = std::iter::once((num(1.0), y)).chain(terms).collect();
            terms
        };
        for row in self.a {
            let stage = o.combine(&along(row, &slopes))?;
            slopes.push(o.rhs(row.iter().sum(), stage)?);
        }
        let next = o.combine(&along(self.b, &slopes))?;
        o.commit(next)
    }
}

pub const EULER: Explicit = Explicit {
    name: "euler",
    order: 1,
    a: &[&[]],
    b: &[1.0],
};

pub const HEUN: Explicit = Explicit {
    name: "heun",
    order: 2,
    a: &[&[], &[1.0]],
    b: &[0.5, 0.5],
};

pub const RK4: Explicit = Explicit {
    name: "rk4",
    order: 4,
    a: &[&[], &[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
    b: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
};

pub fn origin(from: &str) -> Origin {
    Origin {
        from: from.to_string(),
        version: "1.2.3".to_string(),
    }
}

/// "euler", "heun" and "rk4".
pub fn solvers() -> Registry {
    let mut registry = Registry::new();
    for stepper in [EULER, HEUN, RK4] {
        registry
            .register(Arc::new(stepper), origin("tests"))
            .unwrap();
    }
    registry
}

/// A run that records every state at every step.
pub fn start(solver: &str, dt: f64, model: &Model) -> Simulation {
    let states = model.state_names().into_iter();
    let setup = states.fold(Setup::new(solver, dt), |setup, name| setup.record(name));
    setup.start(&solvers(), model).unwrap()
}

/// The last sample of a column.
pub fn last(run: &Simulation, column: &str) -> f64 {
    let recording = run.recording();
    let trace = recording.trace(column).unwrap();
    trace[trace.len() - 1]
}

/// All samples as bits.
pub fn bits(run: &Simulation) -> Vec<u64> {
    run.recording().data().iter().map(|x| x.to_bits()).collect()
}

/// The slope of errors whose step sizes halve.
pub fn slope(coarse: f64, fine: f64) -> f64 {
    (coarse / fine).abs().log2()
}
