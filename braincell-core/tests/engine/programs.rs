//! What recording a step refuses.

use crate::support::{RK4, origin};
use braincell_core::registry::{Registry, RegistryError};
use braincell_core::stepper::{
    Array, MAX_OPS, Program, ProgramError, SolverInfo, StepError, StepOps, Stepper, h, num,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

struct Made<F> {
    embedded: Option<u32>,
    step: F,
}

impl<F: Fn(&mut StepOps) -> Result<(), StepError> + Send + Sync + 'static> Stepper for Made<F> {
    fn info(&self) -> SolverInfo {
        let mut info = SolverInfo::new("made", "test", 1);
        info.embedded_order = self.embedded;
        info
    }
    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        (self.step)(o)
    }
}

/// Why the step is refused; by recording and by the registry alike.
fn refusal(
    embedded: Option<u32>,
    step: impl Fn(&mut StepOps) -> Result<(), StepError> + Send + Sync + 'static,
) -> ProgramError {
    let made = Arc::new(Made { embedded, step });
    let error = Program::record(&*made, &[]).unwrap_err();
    let mut registry = Registry::new();
    let refused = registry.register(made, origin("x")).unwrap_err();
    assert!(matches!(refused, RegistryError::Program(_)), "{refused}");
    assert!(registry.get("made").is_err());
    error
}

/// What the step itself is told.
fn step_error(
    step: impl Fn(&mut StepOps) -> Result<(), StepError> + Send + Sync + 'static,
) -> StepError {
    match refusal(None, step) {
        ProgramError::Step { solver, error } => {
            assert_eq!(solver, "made");
            error
        }
        other => panic!("{other}"),
    }
}

fn euler(o: &mut StepOps) -> Result<Array, StepError> {
    let y = o.y();
    let k = o.rhs(0.0, y)?;
    o.combine(&[(num(1.0), y), (h(1.0), k)])
}

#[test]
fn a_step_commits_exactly_once() {
    let error = refusal(None, |o| euler(o).map(|_| ()));
    assert_eq!(error, ProgramError::NotCommitted("made".to_string()));
    let twice = |o: &mut StepOps| {
        let next = euler(o)?;
        o.commit(next)?;
        o.commit(next)
    };
    assert_eq!(step_error(twice), StepError::CommittedTwice { op: 3 });
}

#[test]
fn a_step_is_the_same_whenever_it_is_recorded() {
    let calls = AtomicU32::new(0);
    let error = refusal(None, move |o| {
        let y = o.y();
        let k = o.rhs(0.0, y)?;
        let factor = f64::from(calls.fetch_add(1, Ordering::Relaxed));
        let next = o.combine(&[(num(1.0), y), (h(factor), k)])?;
        o.commit(next)
    });
    let solver = "made".to_string();
    assert_eq!(error, ProgramError::Impure { solver, op: 1 });

    let calls = AtomicU32::new(0);
    let error = refusal(None, move |o| {
        let next = euler(o)?;
        o.commit(next)?;
        for _ in 0..calls.fetch_add(1, Ordering::Relaxed) {
            o.rhs(0.0, next)?;
        }
        Ok(())
    });
    let solver = "made".to_string();
    assert_eq!(
        error,
        ProgramError::Impure { solver, op: 3 },
        "a longer recording"
    );
}

#[test]
fn coefficients_are_finite() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let errors = [
            step_error(move |o| o.rhs(bad, o.y()).map(|_| ())),
            step_error(move |o| o.combine(&[(h(bad), o.y())]).map(|_| ())),
            step_error(move |o| o.implicit_stage(0.0, h(bad), o.y(), o.y()).map(|_| ())),
            step_error(move |o| o.implicit_stages(&[&[bad]], &[1.0], o.y()).map(|_| ())),
        ];
        for error in errors {
            let StepError::Coefficient { op: 0, value } = error else {
                panic!("{error}")
            };
            assert_eq!(value.to_bits(), bad.to_bits());
        }
    }
}

#[test]
fn handles_come_from_the_same_step() {
    let ghost = Array(7);
    let mut errors = vec![
        step_error(move |o| o.rhs(0.0, ghost).map(|_| ())),
        step_error(move |o| {
            o.combine(&[(num(1.0), o.y()), (num(1.0), ghost)])
                .map(|_| ())
        }),
        step_error(move |o| o.product(o.y(), ghost).map(|_| ())),
        step_error(move |o| o.commit(ghost)),
        step_error(move |o| o.error(ghost)),
    ];
    for error in &errors {
        assert!(
            matches!(error, StepError::UnknownHandle { op: 0, .. }),
            "{error}"
        );
    }
    errors.clear();
    let error = step_error(|o| {
        let lin = braincell_core::stepper::Linearization(0);
        o.solve(lin, h(1.0), o.y()).map(|_| ())
    });
    assert!(error.to_string().contains("linearisation 0"), "{error}");
}

#[test]
fn recording_without_end_stops() {
    let error = step_error(|o| {
        loop {
            o.rhs(0.0, o.y())?;
        }
    });
    assert_eq!(error, StepError::TooLong);
    // The longest step that is allowed.
    let longest = Made {
        embedded: None,
        step: |o: &mut StepOps| {
            for _ in 0..MAX_OPS - 1 {
                o.rhs(0.0, o.y())?;
            }
            o.commit(o.y())
        },
    };
    assert_eq!(
        Program::record(&longest, &[]).unwrap().right_hand_sides(),
        MAX_OPS - 1
    );
}

#[test]
fn arguments_make_sense() {
    let errors = [
        step_error(|o| o.combine(&[]).map(|_| ())),
        step_error(|o| o.implicit_stages(&[], &[], o.y()).map(|_| ())),
        step_error(|o| o.implicit_stages(&[&[0.0, 0.0]], &[0.0], o.y()).map(|_| ())),
    ];
    for error in errors {
        assert!(
            matches!(error, StepError::Argument { op: 0, .. }),
            "{error}"
        );
    }
    let error = step_error(|o| o.parameter("theta").map(|_| ()));
    assert_eq!(error, StepError::UnknownParameter("theta".to_string()));
}

#[test]
fn an_error_estimate_goes_with_an_embedded_order() {
    let wanted = ProgramError::Estimate("made".to_string());
    let without = |o: &mut StepOps| {
        let next = euler(o)?;
        o.commit(next)
    };
    let with = |times: usize| {
        move |o: &mut StepOps| {
            let next = euler(o)?;
            for _ in 0..times {
                o.error(next)?;
            }
            o.commit(next)
        }
    };
    assert_eq!(refusal(Some(1), without), wanted);
    assert_eq!(refusal(None, with(1)), wanted);
    assert_eq!(refusal(Some(1), with(2)), wanted);
    let embedded = Some(1);
    let step = with(1);
    assert!(Program::record(&Made { embedded, step }, &[]).is_ok());
}

#[test]
fn a_program_can_be_read() {
    let program = Program::record(&RK4, &[]).unwrap();
    assert_eq!(program.right_hand_sides(), 4);
    let text = program.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "a2 = f(t, a1)");
    assert_eq!(lines.last().unwrap().split(' ').next(), Some("y"), "{text}");
    for op in program.ops() {
        for array in op.reads() {
            assert!((array.0 as usize) < program.arrays());
        }
    }
}
