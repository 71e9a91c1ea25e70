//! Recorded steps across the binary interface, without a shared object.
#![cfg(feature = "abi")]

use braincell_core::abi::types::{OpHead, RecordedOps};
use braincell_core::abi::{encode, from_fields, guard, replay, to_fields};
use braincell_core::stepper::{
    Array, Jacobian, Linearization, Needs, Parts, Program, ProgramError, Properties, SolverInfo,
    SolverParameter, StepError, StepOps, Stepper, Terms, h, num,
};
use proptest::prelude::*;

fn info() -> SolverInfo {
    SolverInfo {
        aliases: vec!["one".to_string(), "two".to_string()],
        embedded_order: Some(2),
        order_without_cable: Some(4),
        strong_order: Some(1.5),
        advances: Parts::NOT_VOLTAGE,
        description: "A sentence.".to_string(),
        formula: "y ← y".to_string(),
        reference: "doi:10".to_string(),
        needs: Needs {
            membrane: true,
            noise: true,
        },
        properties: Properties {
            explicit: true,
            a_stable: true,
            l_stable: true,
            real_stability_limit: Some(2.5),
        },
        parameters: vec![SolverParameter {
            name: "alpha".to_string(),
            default: 0.5,
            description: "A number.".to_string(),
        }],
        deprecated: Some("It is old.".to_string()),
        ..SolverInfo::new("everything", "test", 3)
    }
}

/// Uses every operation.
struct Everything;

impl Stepper for Everything {
    fn info(&self) -> SolverInfo {
        info()
    }

    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let y = o.y();
        let f = o.rhs_of(Parts::GATE, Terms::Cable, 0.25, y)?;
        let sum = o.combine(&[(num(1.0), y), (h(-0.5), f), (h(2.0) * 3.0, f)])?;
        let lin = o.linearize(Jacobian::Local, Parts::NOT_VOLTAGE, 0.5, sum)?;
        let full = o.linearize(Jacobian::Diagonal, Parts::ALL, 1.0, y)?;
        let ft = o.time_derivative(lin)?;
        let chosen = o.select(Parts::VOLTAGE, ft, f)?;
        let solved = o.solve(full, h(0.25), chosen)?;
        let phi = o.phi(lin, 3, h(1.0), solved)?;
        let relaxed = o.relax(Parts::GATE, Terms::Local, 0.5, h(0.5), phi)?;
        let (parts, terms) = (Parts::VOLTAGE, Terms::Local);
        let z = o.implicit_stage_of(parts, terms, 1.0, h(0.5), relaxed, y)?;
        let k = o.implicit_stages(&[&[0.25, -0.1], &[0.5, 0.25]], &[0.2, 0.8], z)?;
        let g = o.diffusion(0.125, k[1])?;
        let noise = o.times_wiener(2, g)?;
        let product = o.product(noise, k[0])?;
        o.dense(&[product, k[0], k[1]])?;
        o.error(noise)?;
        o.commit(product)
    }
}

/// Replays a list.
struct Sent(RecordedOps);

impl Stepper for Sent {
    fn info(&self) -> SolverInfo {
        info()
    }

    fn step(&self, ops: &mut StepOps) -> Result<(), StepError> {
        replay(&self.0, ops)
    }
}

fn sent() -> RecordedOps {
    encode(Program::record(&Everything, &[]).unwrap().ops())
}

#[test]
fn every_operation_comes_back_as_it_was() {
    let program = Program::record(&Everything, &[]).unwrap();
    let kinds: std::collections::HashSet<u32> = sent().ops.iter().map(|op| op.code).collect();
    assert_eq!(kinds.len(), 16, "an operation is missing in this test");
    assert_eq!(Program::record(&Sent(sent()), &[]).unwrap(), program);
}

#[test]
fn metadata_comes_back_as_it_was() {
    assert_eq!(from_fields(&to_fields(&info())).unwrap(), info());
}

#[test]
fn metadata_that_makes_no_sense_is_refused() {
    let broken = |change: &dyn Fn(&mut SolverInfo)| {
        let mut info = info();
        change(&mut info);
        from_fields(&to_fields(&info)).unwrap_err().to_string()
    };
    assert!(broken(&|i| i.name.clear()).contains("name"));
    assert!(broken(&|i| i.family.clear()).contains("family"));
    assert!(broken(&|i| i.order = 0).contains("order"));
    assert!(broken(&|i| i.advances = Parts(16)).contains("choice of parts is 16"));
    assert!(broken(&|i| i.parameters[0].default = f64::NAN).contains("NaN"));
    let mut fields = to_fields(&info());
    let key = braincell_core::abi::types::field::NEEDS;
    fields.iter_mut().find(|f| f.key == key).unwrap().number = 11.0;
    let error = from_fields(&fields).unwrap_err().to_string();
    assert!(
        error.contains("need 8") && error.contains("newer"),
        "{error}"
    );
    fields.iter_mut().find(|f| f.key == key).unwrap().number = 0.5;
    assert!(from_fields(&fields).is_err());
}

#[test]
fn an_operation_of_a_newer_host_is_refused() {
    let mut list = sent();
    list.ops[2].code = 4711;
    let error = Program::record(&Sent(list), &[]).unwrap_err();
    let ProgramError::Step { error, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(error, StepError::Newer { op: 2, code: 4711 });
}

#[test]
fn counts_that_run_over_are_refused() {
    for head in [
        OpHead {
            code: 1,
            integers: u32::MAX,
            numbers: 1,
        },
        OpHead {
            code: 1,
            integers: 3,
            numbers: 2,
        },
        OpHead {
            code: 1,
            integers: 2,
            numbers: 1,
        },
        OpHead {
            code: 13,
            integers: 3,
            numbers: 0,
        },
    ] {
        let mut list = sent();
        list.ops.truncate(0);
        list.ops.push(head);
        list.integers = vec![15, 0, 0].into();
        list.numbers = vec![0.0].into();
        let error = Program::record(&Sent(list), &[]).unwrap_err();
        assert!(matches!(error, ProgramError::Step { .. }), "{error}");
    }
}

#[test]
fn a_panic_becomes_an_error_with_its_place() {
    let error = guard::<()>(|| panic!("out of {}", "luck")).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("out of luck at ") && text.contains("abi.rs:"),
        "{text}"
    );
    let error = guard::<()>(|| std::panic::panic_any(5)).unwrap_err();
    assert!(error.to_string().contains("no message"), "{error}");
    assert_eq!(guard(|| Ok(3)), Ok(3));
}

/// Whatever the handles are, replaying makes a valid program or an error.
fn valid(program: &Program) -> bool {
    let mut made = vec![Array(0)];
    let mut linearizations = 0;
    program.ops().iter().all(|op| {
        let good = op.reads().iter().all(|a| made.contains(a))
            && op
                .reads_linearization()
                .is_none_or(|Linearization(k)| k < linearizations);
        made.extend(op.makes());
        linearizations += u32::from(matches!(op, braincell_core::stepper::Op::Linearize { .. }));
        good
    })
}

proptest! {
    #[test]
    fn a_garbled_list_is_a_program_or_an_error(
        changes in prop::collection::vec((0usize..64, -3i64..40, 0usize..4), 1..6)
    ) {
        let mut list = sent();
        for (place, value, what) in changes {
            match what {
                0 => {
                    let place = place % list.ops.len();
                    list.ops[place].code = value as u32;
                }
                1 => {
                    let place = place % list.ops.len();
                    list.ops[place].integers = value as u32;
                }
                2 => {
                    let place = place % list.integers.len();
                    list.integers[place] = value;
                }
                _ => {
                    let place = place % list.numbers.len();
                    list.numbers[place] = if value < 0 { f64::NAN } else { value as f64 };
                }
            }
        }
        if let Ok(program) = Program::record(&Sent(list), &[]) {
            prop_assert!(valid(&program));
        }
    }
}
