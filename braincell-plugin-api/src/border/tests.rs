//! Both doors without a shared object, for tools that watch memory.

use super::host::{COps, c_record};
use super::*;
use crate::{Program, ProgramError, SolverInfo, StepError, StepOps, Stepper, h, num};
use braincell_core::abi::steppers_of;
use braincell_core::abi::types::code;
use std::sync::{Arc, OnceLock};

struct Euler;
impl Stepper for Euler {
    fn info(&self) -> SolverInfo {
        SolverInfo::new("euler", "rk", 1)
    }
    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let k = o.rhs(0.0, o.y())?;
        let next = o.combine(&[(num(1.0), o.y()), (h(1.0), k)])?;
        o.commit(next)
    }
}

struct Panics;
impl Stepper for Panics {
    fn info(&self) -> SolverInfo {
        SolverInfo::new("panics", "rk", 1)
    }
    fn step(&self, _: &mut StepOps) -> Result<(), StepError> {
        panic!("here")
    }
}

struct Two;
impl Exported for Two {
    fn kept() -> &'static OnceLock<Vec<Arc<dyn Stepper>>> {
        static KEPT: OnceLock<Vec<Arc<dyn Stepper>>> = OnceLock::new();
        &KEPT
    }
    fn list() -> Vec<Arc<dyn Stepper>> {
        vec![Arc::new(Euler), Arc::new(Panics)]
    }
}

#[test]
fn the_rust_door() {
    let steppers = steppers_of(module::<Two>()).unwrap();
    let program = Program::record(&steppers[0], &[]).unwrap();
    assert_eq!(program, Program::record(&Euler, &[]).unwrap());
    let error = Program::record(&steppers[1], &[]).unwrap_err();
    let ProgramError::Step { error, .. } = error else {
        panic!("{error}")
    };
    assert!(matches!(&error, StepError::Panicked(why) if why.starts_with("here at ")));
}

/// The layout of the types is checked as it is for a file.
#[test]
fn the_header_of_a_rust_plugin() {
    static ROOT: LibHeader = root::<Two>();
    let module: PluginModule_Ref = ROOT.init_root_module().unwrap();
    assert_eq!(steppers_of(module).unwrap().len(), 2);
}

extern "C" fn euler(ops: *const COps) -> i32 {
    let c = 0.0;
    let rhs = COps::call(ops, code::RHS, &[15, 0, 0], &[c]);
    let next = COps::call(ops, code::COMBINE, &[0, 0, 1, i64::from(rhs)], &[1.0, 1.0]);
    COps::call(ops, code::COMMIT, &[i64::from(next)], &[]);
    0
}

extern "C" fn wrong(ops: *const COps) -> i32 {
    assert_eq!(COps::call(ops, code::COMMIT, &[5], &[]), -1);
    assert_eq!(COps::call(ops, code::COMMIT, &[0], &[]), -1);
    0
}

struct C(super::host::CStep);
impl Stepper for C {
    fn info(&self) -> SolverInfo {
        SolverInfo::new("c", "rk", 1)
    }
    fn step(&self, ops: &mut StepOps) -> Result<(), StepError> {
        c_record(self.0, ops)
    }
}

#[test]
fn the_c_door() {
    let program = Program::record(&C(euler), &[]).unwrap();
    assert_eq!(program, Program::record(&Euler, &[]).unwrap());
    let error = Program::record(&C(wrong), &[]).unwrap_err().to_string();
    assert!(error.contains("array 5"), "{error}");
}
