//! The order of every solver on a spiking tree over 50 ms, against a converged solution of another program.

use braincell::cells::discretisation::{Discretisation, Location, Policy};
use braincell::cells::morphology::{BranchSpec, BranchType, Frustum, Morphology, Region};
use braincell::cells::{MultiCompartment, Placed, mechanisms};
use braincell::input::Input;
use braincell::model::Model;
use braincell::simulation::Setup;
use braincell::stepper::Parts;
use ndarray::{Array1, Array2};

/// The tree of `data/hh_tree.txt`.
fn tree() -> Model {
    use BranchType::{BasalDendrite, Soma};
    let child = |parent, length, r0, r1| {
        BranchSpec::child(
            parent,
            1.0,
            BasalDendrite,
            vec![Frustum::new(length, r0, r1)],
        )
    };
    let morphology = Morphology::new(vec![
        BranchSpec::root(Soma, vec![Frustum::cylinder(20.0, 10.0)]),
        child(0, 150.0, 1.5, 1.0),
        child(1, 100.0, 1.0, 0.5),
        child(1, 120.0, 0.8, 0.6),
    ]);
    let policy = Policy::Count(1).into();
    let cut = Discretisation::new(morphology.unwrap(), &policy, 100.0).unwrap();
    let cell = [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")]
        .into_iter()
        .fold(MultiCompartment::new(cut), |cell, (label, name)| {
            let placed = Placed::new(label, mechanisms::find(name).unwrap());
            cell.paint(Region::all(), placed).unwrap()
        });
    let soma = Location::At { branch: 0, x: 0.5 };
    let cell = cell.clamp("clamp", soma, Input::step(0.5, 5.0, 45.0));
    Model::new(&cell.unwrap()).unwrap()
}

/// Potentials each ms: times × control volumes.
fn reference() -> Array2<f64> {
    let lines = include_str!("data/hh_tree.txt").lines();
    let rows = lines.filter_map(|line| line.strip_prefix("reference "));
    let rows: Vec<Array1<f64>> = rows
        .map(|row| row.split(' ').skip(2).map(|x| x.parse().unwrap()).collect())
        .collect();
    Array2::from_shape_fn((rows[0].len(), rows.len()), |(t, cv)| rows[cv][t])
}

/// Root mean square, mV.
fn size(error: &Array2<f64>) -> f64 {
    (error.iter().map(|x| x * x).sum::<f64>() / error.len() as f64).sqrt()
}

/// Step size, ms, at which the error is well above that of the reference and its first term prevails; half of it too.
fn step(order: u32) -> f64 {
    match order {
        1 => 1.0 / 320.0,
        2 | 3 => 1.0 / 80.0,
        4 => 1.0 / 160.0,
        _ => 1.0 / 40.0,
    }
}

/// For orders above three, errors are so near those of the reference that the next term shows; they have to be the declared
/// ones at least. The conformance checks measure them better.
#[test]
fn orders_on_a_spiking_tree() {
    let (model, reference) = (tree(), reference());
    for entry in braincell::solvers().entries() {
        let info = &entry.info;
        if info.needs.noise || info.advances != Parts::ALL {
            continue;
        }
        let dt = step(info.order);
        let [coarse, fine] = [dt, 0.5 * dt].map(|dt| {
            let setup = Setup::new(info.name.as_str(), dt).every(1.0).record("V");
            let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
            run.run(50.0).unwrap();
            size(&(run.recording().data() - &reference))
        });
        let (name, order) = (&info.name, (coarse / fine).log2());
        println!("{name:<18} order {order:.3}, error {coarse:.1e} mV at dt = {dt:.5} ms");
        let off = order - f64::from(info.order);
        assert!(
            off > -0.1 && (off < 0.1 || info.order > 3),
            "{name}: {order}"
        );
    }
}
