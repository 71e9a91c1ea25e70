//! The Jacobian of a cell against differences of the derivatives.

use crate::{example, hh};
use braincell::experiment::Experiment;
use braincell::model::{Model, Part, Values};
use braincell::simulation::{Setup, Simulation};
use braincell::solvers;
use ndarray::Array2;
use std::path::Path;

fn start(model: &Model) -> Simulation {
    Setup::new("rk4", 0.01).start(solvers(), model).unwrap()
}

/// All derivatives of cell `cell`, in the order of the places.
fn slopes(simulation: &mut Simulation, cell: usize) -> Vec<f64> {
    let places = simulation.linearise(cell).unwrap().places().to_vec();
    let slope = |name: &str, element: usize, simulation: &mut Simulation| {
        let state = simulation.state(name).unwrap();
        state.derivative.unwrap().at(element, cell)
    };
    places
        .iter()
        .map(|p| slope(&p.name, p.element, simulation))
        .collect()
}

/// Compares the matrix of a cell with central differences.
fn check(model: &Model, cell: usize) {
    let simulation = &mut start(model);
    let mut linearised = simulation.linearise(cell).unwrap();
    let (places, matrix) = (linearised.places().to_vec(), linearised.matrix());
    // The first derivatives are taken with all states written out, since gates may start from a steady state.
    let mut model = model.clone();
    let mut values: Vec<(String, Array2<f64>)> = Vec::new();
    for name in model.state_names().iter().map(|n| n.to_string()) {
        let Values::Each(value) = simulation.state(&name).unwrap().value else {
            panic!("values of {name}");
        };
        values.push((name, value));
    }
    for (name, value) in &values {
        model
            .set_initial(name, Values::Each(value.clone()))
            .unwrap();
    }
    for (column, place) in places.iter().enumerate() {
        let (_, value) = values.iter().find(|(name, _)| *name == place.name).unwrap();
        // Concentrations are small, and reversal potentials go with their logarithm.
        let least = if place.part == Part::Concentration {
            0.0
        } else {
            0.1
        };
        let step = 1e-5 * value[[place.element, cell]].abs().max(least);
        let [up, down] = [step, -step].map(|step| {
            let mut moved = value.clone();
            moved[[place.element, cell]] += step;
            let mut model = model.clone();
            model.set_initial(&place.name, Values::Each(moved)).unwrap();
            slopes(&mut start(&model), cell)
        });
        for row in 0..places.len() {
            let wanted = (up[row] - down[row]) / (2.0 * step);
            let got = matrix[[row, column]];
            let size = up[row].abs().max(down[row].abs());
            let close = 1e-6 * wanted.abs() + 1e-12 * size / step + 1e-12;
            let names = (place.to_string(), places[row].to_string());
            assert!((got - wanted).abs() <= close, "{names:?}: {got} {wanted}");
        }
    }
}

#[test]
fn of_a_single_compartment() {
    check(&hh(&[]).model, 0);
}

#[test]
fn of_a_cell_of_a_population_with_a_calcium_pool() {
    let thalamic = Experiment::parse(&example("thalamic.toml"), "thalamic.toml").unwrap();
    check(&thalamic.model, 1);
}

#[test]
fn of_a_branched_cell() {
    // Fewer control volumes than in the example, so that there are few columns.
    let text =
        example("branched.toml").replace("policy = \"d_lambda\"", "policy = \"count\"\ncount = 1");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/branched.toml");
    let branched = Experiment::parse(&text, path).unwrap();
    check(&branched.model, 0);
}

#[test]
fn products_are_those_with_the_matrix_and_the_state_is_untouched() {
    let simulation = &mut start(&hh(&[]).model);
    simulation.run(7.0).unwrap();
    let before = slopes(simulation, 0);
    let mut linearised = simulation.linearise(0).unwrap();
    let matrix = linearised.matrix();
    // More vectors than are carried at once.
    let vector = |k: usize| (0..4).map(|i| (1 + i * k) as f64).collect::<Vec<f64>>();
    let vectors: Vec<Vec<f64>> = (0..11).map(vector).collect();
    for (vector, product) in vectors.iter().zip(linearised.times(&vectors)) {
        for (row, got) in product.iter().enumerate() {
            let wanted: f64 = (0..4).map(|k| matrix[[row, k]] * vector[k]).sum();
            assert!((got - wanted).abs() <= 1e-12 * wanted.abs().max(1.0));
        }
    }
    assert_eq!(slopes(simulation, 0), before);
    let error = simulation.linearise(1).err().unwrap().to_string();
    assert!(error.contains("no cell 1"), "{error}");
}
