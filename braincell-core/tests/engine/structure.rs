//! Models whose structure does not fit: signals in the wrong order, couplings that no local Jacobian holds.

use braincell_core::kernel::{Pointwise, pointwise};
use braincell_core::model::{
    DiffEqModule, DiffEqState, Domain, Launches, Model, ModelBuilder, ModelError, SignalId, Source,
    StateId, Target,
};
use braincell_core::real::Real;
use braincell_core::registry::{Origin, Registry};
use braincell_core::simulation::{Setup, SetupError};
use braincell_core::stepper::{Jacobian, Parts, SolverInfo, h, num, stepper};

/// a - b
struct Difference;
impl Pointwise for Difference {
    type Inputs<T: Copy> = [T; 2];
    type Outputs<T: Copy> = [T; 1];
    fn eval<R: Real>(&self, [a, b]: [R; 2]) -> [R; 1] {
        [a - b]
    }
}

/// dx/dt = -x in the cell, dy/dt = s - y with the signal s = x - 0 in three elements.
struct Follow {
    signal_first: bool,
}

impl DiffEqModule for Follow {
    type Handles = (Domain, StateId, StateId, SignalId);
    fn declare(&self, m: &mut ModelBuilder) -> Result<Self::Handles, ModelError> {
        let three = m.domain("three", 3)?;
        let x = m.state(Domain::CELL, DiffEqState::new("x", 1.0))?;
        let y = m.state(three, DiffEqState::new("y", 0.0))?;
        let s = m.signal(three, "s", "")?;
        Ok((three, x, y, s))
    }
    fn compute_derivative(
        &self,
        &(three, x, y, s): &Self::Handles,
        k: &mut Launches,
    ) -> Result<(), ModelError> {
        let (x, y_now, s_now) = (Source::State(x), Source::State(y), Source::Signal(s));
        let decay = [Target::Derivative(match x {
            Source::State(x) => x,
            _ => unreachable!("x is a state"),
        })];
        k.launch(
            Domain::CELL,
            pointwise(Difference),
            &[Source::Zero, x],
            &decay,
        )?;
        let write = |k: &mut Launches| {
            let inputs = [x, Source::Zero];
            k.launch(three, pointwise(Difference), &inputs, &[Target::Signal(s)])
        };
        if self.signal_first {
            write(k)?;
        }
        let inputs = [s_now, y_now];
        k.launch(
            three,
            pointwise(Difference),
            &inputs,
            &[Target::Derivative(y)],
        )?;
        if !self.signal_first {
            write(k)?;
        }
        Ok(())
    }
}

fn solvers() -> Registry {
    let mut registry = Registry::new();
    let origin = || Origin {
        from: "test".to_string(),
        version: "1".to_string(),
    };
    let explicit = stepper(SolverInfo::new("explicit", "test", 1), |o| {
        let (y, k) = (o.y(), o.rhs(0.0, o.y())?);
        let next = o.combine(&[(num(1.0), y), (h(1.0), k)])?;
        o.commit(next)
    });
    let implicit = stepper(SolverInfo::new("implicit", "test", 1), |o| {
        let (y, k) = (o.y(), o.rhs(1.0, o.y())?);
        let lin = o.linearize(Jacobian::Full, Parts::ALL, 1.0, y)?;
        let delta = o.solve(lin, h(1.0), k)?;
        let next = o.combine(&[(num(1.0), y), (h(1.0), delta)])?;
        o.commit(next)
    });
    registry.register(explicit, origin()).unwrap();
    registry.register(implicit, origin()).unwrap();
    registry
}

#[test]
fn a_signal_must_be_written_before_it_is_read() {
    assert!(Model::new(&Follow { signal_first: true }).is_ok());
    let error = Model::new(&Follow {
        signal_first: false,
    })
    .err()
    .unwrap();
    let text = error.to_string();
    assert!(
        text.contains("\"s\" is written after a kernel has read it"),
        "{text}"
    );
}

#[test]
fn a_coupling_that_no_local_jacobian_holds_is_refused() {
    let model = Model::new(&Follow { signal_first: true }).unwrap();
    let start = |name: &str| Setup::new(name, 0.1).start::<f64>(&solvers(), &model);
    start("explicit").unwrap().run(1.0).unwrap();
    let Err(error) = start("implicit") else {
        panic!("accepted")
    };
    assert!(matches!(error, SetupError::CoupledApart { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("derivative of \"y\" depends on \"x\""),
        "{text}"
    );
}
