//! Steps and metadata that a plugin sent.

use super::driver::fuzz;
use super::speaks;
use braincell::cells::discretisation::{Discretisation, Location, Policy};
use braincell::cells::morphology::{Region, builders};
use braincell::cells::{MultiCompartment, Placed, SingleCompartment, mechanisms};
use braincell::input::Input;
use braincell::model::Model;
use braincell::registry::{Origin, Registry};
use braincell::simulation::Setup;
use braincell::stepper::{SolverInfo, StepError, StepOps, Stepper};
use braincell_core::abi::types::{Field, RecordedOps};
use braincell_core::abi::{encode, from_fields, replay, to_fields};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;

/// What to change, where, and to what.
type Change = (u8, u16, i8);

/// A number that is likely to matter.
fn integer(with: i8) -> i64 {
    match with {
        -128 => i64::MIN,
        127 => i64::MAX,
        126 => 1 << 32,
        with => with.into(),
    }
}

fn number(with: i8) -> f64 {
    match with {
        -128 => f64::NAN,
        127 => f64::INFINITY,
        126 => 1e308,
        125 => f64::MIN_POSITIVE / 4.0,
        with => f64::from(with) / 8.0,
    }
}

/// Changes a list of operations.
fn change_ops(list: &mut RecordedOps, (kind, at, with): Change) {
    let at = usize::from(at);
    let (ops, integers, numbers) = (list.ops.len(), list.integers.len(), list.numbers.len());
    match kind % 8 {
        0 if ops > 0 => list.ops[at % ops].code = integer(with) as u32 & 31,
        1 if ops > 0 => list.ops[at % ops].integers = integer(with) as u32,
        2 if ops > 0 => list.ops[at % ops].numbers = integer(with) as u32,
        3 | 4 if integers > 0 => list.integers[at % integers] = integer(with),
        5 if numbers > 0 => list.numbers[at % numbers] = number(with),
        6 if ops > 1 => {
            // Two operations change places, without their operands.
            let other = with.unsigned_abs() as usize % ops;
            list.ops.swap(at % ops, other);
        }
        _ if ops > 0 => {
            let place = at % ops;
            if with < 0 {
                list.ops.remove(place);
            } else {
                // The last operations go on with what was made: longer programs.
                let op = list.ops[place];
                list.ops.insert(place, op);
                for _ in 0..op.integers.min(64) {
                    list.integers.push(integer(with));
                }
                for _ in 0..op.numbers.min(64) {
                    list.numbers.push(number(with));
                }
            }
        }
        _ => {}
    }
}

fn change_fields(fields: &mut Vec<Field>, (kind, at, with): Change) {
    let count = fields.len();
    let at = usize::from(at);
    if count == 0 {
        return;
    }
    match kind % 5 {
        0 => fields[at % count].key = integer(with) as u32 & 31,
        1 => fields[at % count].number = number(with),
        2 => {
            fields[at % count].text = "a\0b \u{10ffff}\n"
                .repeat(with.unsigned_abs().into())
                .into()
        }
        3 => {
            fields.remove(at % count);
        }
        _ => {
            let field = fields[at % count].clone();
            fields.insert(with.unsigned_abs() as usize % count, field);
        }
    }
}

/// A solver as it came across the border.
struct Sent {
    info: SolverInfo,
    ops: RecordedOps,
}

impl Stepper for Sent {
    fn info(&self) -> SolverInfo {
        self.info.clone()
    }
    fn step(&self, ops: &mut StepOps) -> Result<(), StepError> {
        replay(&self.ops, ops)
    }
}

/// A fork of three branches.
fn branched() -> Model {
    let shape = builders::binary_tree(2, 90.0, 6.0, 0.8, 0.63).unwrap();
    let cut = Discretisation::new(shape, &Policy::Count(2).into(), 100.0).unwrap();
    let names = [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")];
    let cell = names
        .into_iter()
        .fold(MultiCompartment::new(cut), |cell, (label, name)| {
            let placed = Placed::new(label, mechanisms::find(name).unwrap());
            cell.paint(Region::all(), placed).unwrap()
        });
    let end = Location::At { branch: 2, x: 1.0 };
    let cell = cell
        .clamp("stimulus", end, Input::step(1.0, 0.01, 4.0))
        .unwrap();
    Model::new(&cell).unwrap()
}

/// A list of operations that is accepted runs, to a finite result or an error.
#[test]
fn programs() {
    let solvers = braincell::solvers();
    let seeds: Vec<(Vec<Field>, RecordedOps)> = solvers
        .entries()
        .into_iter()
        .map(|entry| {
            let mut info = entry.info.clone();
            info.aliases.clear();
            (to_fields(&info), encode(entry.program().unwrap().ops()))
        })
        .collect();
    let cell = SingleCompartment::hodgkin_huxley().input("stimulus", Input::step(10.0, 0.05, 1.0));
    let models = [Model::new(&cell).unwrap(), branched()];
    let changes = (
        0..seeds.len(),
        vec(any::<Change>(), 0..6),
        vec(any::<Change>(), 0..2),
    );
    let seen = std::cell::Cell::new((0u64, 0u64));
    let sent = |(seed, ops, fields): &(usize, Vec<Change>, Vec<Change>)| {
        let (mut of_info, mut list) = seeds[*seed].clone();
        ops.iter().for_each(|change| change_ops(&mut list, *change));
        fields
            .iter()
            .for_each(|change| change_fields(&mut of_info, *change));
        (of_info, list)
    };
    // Values go to the target in bytes, as all inputs do.
    let input = |value: &(usize, Vec<Change>, Vec<Change>)| {
        let pack = |change: &Change| {
            [
                change.0,
                change.1.to_le_bytes()[0],
                change.1.to_le_bytes()[1],
                change.2 as u8,
            ]
        };
        let mut bytes = vec![value.0 as u8, value.1.len() as u8];
        bytes.extend(value.1.iter().chain(&value.2).flat_map(pack));
        bytes
    };
    fuzz("programs", 2000, changes, input, |bytes| {
        let unpack = |b: &[u8]| (b[0], u16::from_le_bytes([b[1], b[2]]), b[3] as i8);
        let changes: Vec<Change> = bytes[2..].chunks_exact(4).map(unpack).collect();
        let (ops, fields) = changes.split_at(usize::from(bytes[1]));
        let (fields, ops) = sent(&(bytes[0].into(), ops.to_vec(), fields.to_vec()));
        let ops_sent = ops.ops.len();
        let (all, ran) = seen.get();
        seen.set((all + 1, ran));
        let info = match from_fields(&fields) {
            Ok(info) => info,
            Err(error) => return speaks(&error),
        };
        let mut registry = Registry::new();
        let origin = Origin {
            from: "a file".into(),
            version: "1".into(),
        };
        let name = info.name.clone();
        if let Err(error) = registry.register(Arc::new(Sent { info, ops }), origin) {
            return speaks(&error);
        }
        let setup = Setup::new(name, 0.01).record("V");
        let mut run = match setup.start::<f64>(&registry, &models[ops_sent % 2]) {
            Ok(run) => run,
            Err(error) => return speaks(&error),
        };
        if let Err(error) = run.run(0.03) {
            speaks(&error);
        }
        assert!(run.recording().data().iter().all(|x| x.is_finite()));
        seen.set((all + 1, ran + 1));
    });
    let (all, ran) = seen.get();
    println!("programs: {ran} of {all} ran");
    assert!(
        ran * 20 > all,
        "only {ran} of {all} programs ran: the changes are too wild to test what runs"
    );
}
