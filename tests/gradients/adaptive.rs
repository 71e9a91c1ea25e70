//! Gradients of runs whose steps follow an error estimate: those of the run with the steps that were accepted, held fixed.

use crate::{
    both_ways, branched, by_tangents, checked, close, everything, hodgkin_huxley, reverse,
};
use braincell::cells::SingleCompartment;
use braincell::gradient::{Gradient, GradientError};
use braincell::input::Input;
use braincell::model::Values;
use braincell::simulation::{Setup, Tolerances};

/// Solvers of the registry with an error estimate.
fn adaptive() -> Vec<String> {
    let entries = braincell::solvers().entries();
    let all = entries.iter().filter(|e| e.info.embedded_order.is_some());
    all.map(|e| e.info.name.clone()).collect()
}

fn tolerances(hit_samples: bool) -> Tolerances {
    Tolerances {
        hit_samples,
        ..Tolerances::new(1e-4)
    }
}

fn setup(solver: &str, hit_samples: bool) -> Setup {
    let setup = Setup::adaptive(solver, tolerances(hit_samples)).every(0.37);
    setup.record("V").spikes("V", -20.0)
}

fn agree(label: &str, solver: &str, gradient: &Gradient, differences: bool) -> bool {
    let forward = gradient.forward().unwrap();
    let spikes: usize = (forward.recording.spikes().iter())
        .map(|t| t.times.len())
        .sum();
    assert!(spikes > 0, "{label} {solver}");
    let tangents = by_tangents(&forward, &everything);
    let (_, adjoints) = reverse(gradient, &everything);
    let same = close(label, solver, &tangents, &adjoints, 1e-10);
    same & (!differences || checked(label, solver, gradient, &everything))
}

#[test]
fn gradients_are_those_of_the_run_with_the_same_steps() {
    let (model, wrt) = hodgkin_huxley();
    let wrt: Vec<&str> = wrt.into_iter().filter(|n| *n != "stimulus.onset").collect();
    let solvers = adaptive();
    assert!(
        ["dopri54", "tr_bdf2", "rodas4", "radau5"]
            .iter()
            .all(|s| solvers.iter().any(|t| t == s))
    );
    let mut good = true;
    for solver in &solvers {
        for hits in [false, true] {
            for signals in [false, true] {
                let setup = setup(solver, hits);
                let setup = if signals { setup.record("I") } else { setup };
                let gradient = Gradient::new(&setup, braincell::solvers(), &model, 6.01, &wrt);
                good &= agree("adaptive hh", solver, &gradient.unwrap(), signals);
            }
        }
    }
    assert!(good);
}

/// Samples inside steps are taken from slopes too, where the solver has no solution of its own there.
#[test]
fn samples_inside_steps_need_no_spikes() {
    let (model, wrt) = hodgkin_huxley();
    let wrt: Vec<&str> = wrt.into_iter().filter(|n| *n != "stimulus.onset").collect();
    let mut good = true;
    for solver in &adaptive() {
        for hits in [false, true] {
            let setup = Setup::adaptive(solver, tolerances(hits)).every(0.37);
            let setup = setup.record("V").record("I");
            let gradient = Gradient::new(&setup, braincell::solvers(), &model, 6.01, &wrt).unwrap();
            good &= both_ways("samples alone", solver, &gradient);
            let result = gradient.reverse(&everything).unwrap();
            assert!(result.held <= result.plan.bytes, "{solver}");
        }
    }
    assert!(good);
}

#[test]
fn branched_cells_have_adaptive_gradients() {
    let (model, wrt) = branched();
    let mut good = true;
    for solver in ["dopri54", "tr_bdf2", "rodas4", "radau5"] {
        let setup = setup(solver, false).record("V_junctions").record("ca");
        let gradient = Gradient::new(&setup, braincell::solvers(), &model, 3.0, &wrt).unwrap();
        good &= agree("adaptive branched", solver, &gradient, true);
    }
    assert!(good);
}

/// Cells choose their steps by themselves, and the budget holds for the sizes of steps too.
#[test]
fn adaptive_gradients_keep_the_budget_and_do_not_depend_on_it() {
    let inputs = (0..3)
        .map(|c| Input::step(8.0 + 4.0 * f64::from(c), 0.5, 40.0))
        .collect();
    let cell = SingleCompartment::hodgkin_huxley()
        .initial_voltage(Values::PerCell(vec![-65.0, -60.0, -62.0]))
        .inputs("stimulus", inputs);
    let model = cell.population(3).unwrap();
    let wrt = ["na.g_max", "V", "stimulus"];
    for solver in ["dopri54", "rodas4"] {
        let setup = setup(solver, false).record("I");
        let gradient = || Gradient::new(&setup, braincell::solvers(), &model, 12.0, &wrt).unwrap();
        let forward = by_tangents(&gradient().forward().unwrap(), &everything);
        let (_, whole) = reverse(&gradient(), &everything);
        assert!(close("adaptive cells", solver, &forward, &whole, 1e-10));
        let least = match gradient().memory(1).plan() {
            Err(GradientError::Budget { needed, .. }) => needed,
            other => panic!("{other:?}"),
        };
        for memory in [least, 2 * least, 10 * least] {
            let gradient = gradient().memory(memory);
            let found = gradient.reverse(&everything).unwrap();
            println!("{solver}: {}, {} held", found.plan, found.held);
            assert_eq!(found.plan, gradient.plan().unwrap());
            assert!(
                0 < found.held && found.held <= memory,
                "{} of {memory}",
                found.held
            );
            let (_, part) = reverse(&gradient, &everything);
            assert!(close("adaptive memory", solver, &whole, &part, 1e-12));
        }
    }
}

#[test]
fn onsets_have_no_derivative_with_adaptive_steps() {
    let (model, _) = hodgkin_huxley();
    let wrt = ["C", "stimulus.onset"];
    let error = Gradient::new(
        &setup("rodas4", false),
        braincell::solvers(),
        &model,
        3.0,
        &wrt,
    );
    let error = error.err().map(|e| e.to_string()).unwrap_or_default();
    assert!(
        error.contains("stimulus.onset") && error.contains("fix the step size"),
        "{error}"
    );
}
