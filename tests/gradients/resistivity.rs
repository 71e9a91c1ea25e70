//! Derivatives with respect to the axial resistivity, of control volumes and of regions.

use crate::models::forked;
use crate::{by_tangents, checked, close, everything, reverse};
use braincell::cells::MultiCompartment;
use braincell::cells::discretisation::Location;
use braincell::cells::morphology::{BranchType, Region};
use braincell::gradient::{Gradient, GradientError};
use braincell::input::Input;
use braincell::model::{Model, ModelError, Values};
use braincell::simulation::Setup;

const SOLVERS: [&str; 6] = [
    "staggered",
    "cn_exp_euler",
    "backward_euler",
    "rk4",
    "radau5",
    "exp_euler",
];

/// The forked cell. Current flows into a tip, and the potential of the fork is recorded.
fn cell() -> MultiCompartment {
    let tip = Location::At { branch: 2, x: 1.0 };
    let fork = Location::At { branch: 1, x: 1.0 };
    (forked(110.0)
        .clamp("stimulus", tip, Input::sine(0.3, 0.2, 0.5))
        .unwrap())
    .probe("V_fork", fork)
    .unwrap()
}

fn dendrites() -> Region {
    Region::of_type(BranchType::BasalDendrite)
}

fn setup(solver: &str) -> Setup {
    Setup::new(solver, 0.01).record("V").record("V_fork")
}

#[test]
fn gradients_by_resistivity_are_those_of_the_discrete_run() {
    let cell = cell().resistivity(dendrites(), 160.0).unwrap();
    let model = Model::new(&cell).unwrap();
    let share = cell.resistivity_share(0).unwrap();
    let mut good = true;
    for solver in SOLVERS {
        let wrt = ["resistivity", "C", "axial_conductance"];
        let registry = braincell::solvers();
        let gradient = Gradient::new(&setup(solver), registry, &model, 1.5, &wrt).unwrap();
        let gradient = gradient.part("dendrites", "resistivity", &share).unwrap();
        let tangents = by_tangents(&gradient.forward().unwrap(), &everything);
        let (_, adjoints) = reverse(&gradient, &everything);
        assert_eq!(adjoints.len(), 4 + 1 + 1 + 1);
        good &= close("resistivity", solver, &tangents, &adjoints, 1e-10);
        good &= checked("resistivity", solver, &gradient, &everything);
        // The region is the sum of its control volumes, and conductances are inversely proportional.
        let by_region: f64 = adjoints[..4].iter().zip(&share).map(|(x, s)| x * s).sum();
        good &= close("region", solver, &[by_region], &adjoints[6..], 1e-10);
        let values = share.iter().map(|s| 110.0 + 50.0 * s);
        let by_factor: f64 = adjoints[..4].iter().zip(values).map(|(x, r)| -x * r).sum();
        good &= close("factor", solver, &[by_factor], &adjoints[5..6], 1e-10);
    }
    assert!(good);
}

#[test]
fn a_cell_of_one_resistivity_has_one_derivative_or_one_by_region() {
    let model = Model::new(&cell()).unwrap();
    let mut good = true;
    for solver in SOLVERS {
        let gradient = Gradient::new(
            &setup(solver),
            braincell::solvers(),
            &model,
            1.5,
            &["resistivity"],
        )
        .unwrap();
        let tangents = by_tangents(&gradient.forward().unwrap(), &everything);
        let (_, adjoints) = reverse(&gradient, &everything);
        assert_eq!(adjoints.len(), 1);
        good &= close("one", solver, &tangents, &adjoints, 1e-10);
        good &= checked("one", solver, &gradient, &everything);
        let halves = |which: usize| -> Vec<f64> {
            (0..4)
                .map(|k| f64::from(u8::from(k % 2 == which)))
                .collect()
        };
        let gradient = Gradient::new(&setup(solver), braincell::solvers(), &model, 1.5, &[]);
        let gradient = gradient.unwrap();
        let gradient = gradient.part("even", "resistivity", &halves(0)).unwrap();
        let gradient = gradient.part("odd", "resistivity", &halves(1)).unwrap();
        let (_, parts) = reverse(&gradient, &everything);
        good &= close("sum", solver, &[parts.iter().sum()], &adjoints, 1e-10);
    }
    assert!(good);
}

/// A model whose resistivity is changed is the model that was built with the other resistivity.
#[test]
fn resistivities_can_be_set() {
    let mut model = Model::new(&cell()).unwrap();
    let other = cell().resistivity(dendrites(), 160.0).unwrap();
    let share = other.resistivity_share(0).unwrap();
    let values = share.iter().map(|s| 110.0 + 50.0 * s).collect();
    model
        .set_parameter("resistivity", Values::PerElement(values))
        .unwrap();
    let trace = |model: &Model| {
        let mut run = setup("staggered")
            .start::<f64>(braincell::solvers(), model)
            .unwrap();
        run.run(3.0).unwrap();
        run.recording().data().to_owned()
    };
    let difference = trace(&model) - trace(&Model::new(&other).unwrap());
    assert!(difference.iter().all(|x| x.abs() < 1e-9));
    for (values, part) in [
        (Values::PerCell(vec![100.0]), "cell to cell"),
        (Values::Uniform(-1.0), "must be positive"),
        (Values::PerElement(vec![1.0; 3]), "4 elements"),
    ] {
        let error: ModelError = model.set_parameter("resistivity", values).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    let gradient =
        || Gradient::new(&setup("rk4"), braincell::solvers(), &model, 1.0, &["C"]).unwrap();
    let wrong = [
        (
            gradient().part("x", "resistivity", &[1.0]).err(),
            "4 elements",
        ),
        (
            gradient().part("C", "resistivity", &[1.0; 4]).err(),
            "twice",
        ),
        (gradient().part("x", "rho", &[1.0]).err(), "no parameter"),
    ];
    for (error, part) in wrong {
        let text = error
            .map(|e: GradientError| e.to_string())
            .unwrap_or_default();
        assert!(text.contains(part), "{text:?} does not say {part:?}");
    }
}
