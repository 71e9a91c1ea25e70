//! Gradients through loaded solvers: forwards, backwards and by differences the same, and those of built-in twins to the
//! bit. No plugin has a line for it.

use crate::branched::Branched;
use crate::support::{built, built_in, examples, has_cc, kutta, load_into};
use braincell_cells::SingleCompartment;
use braincell_core::gradient::{Cotangents, Gradient, GradientError};
use braincell_core::input::Input;
use braincell_core::model::{Model, Values};
use braincell_core::registry::Registry;
use braincell_core::simulation::{Recording, Setup};
use std::path::Path;

/// A loss with a different weight for each sample and spike.
fn everything(recording: &Recording, cotangents: &mut Cotangents) -> Result<f64, GradientError> {
    let weight = |row: usize, column: usize| {
        (0.3 * row as f64 + 1.7 * column as f64).sin() / (1.0 + 0.01 * row as f64)
    };
    let mut sum = 0.0;
    for ((row, column), x) in recording.data().indexed_iter() {
        sum += weight(row, column) * x;
        cotangents.traces[[row, column]] = weight(row, column);
    }
    for (train, list) in recording.spikes().iter().enumerate() {
        for (k, t) in list.times.iter().enumerate() {
            sum += 3.0 * weight(k, train) * t;
            cotangents.spikes[train][k] = 3.0 * weight(k, train);
        }
    }
    Ok(sum)
}

/// A model, how it is recorded, what it is differentiated by, a step and a duration.
struct Case {
    model: Model,
    spikes: bool,
    wrt: &'static [&'static str],
    step: f64,
    until: f64,
}

fn cases() -> [Case; 2] {
    let cell = SingleCompartment::hodgkin_huxley()
        .initial_voltage(-62.0)
        .input("stimulus", Input::step(12.0, 0.5113, 40.0));
    [
        Case {
            model: Model::new(&cell).unwrap(),
            spikes: true,
            wrt: &[
                "na.g_max",
                "k.g_max",
                "leak.g_max",
                "na.E",
                "C",
                "V",
                "stimulus",
                "stimulus.onset",
            ],
            step: 0.025,
            until: 4.01,
        },
        Case {
            model: Model::new(&Branched).unwrap(),
            spikes: false,
            wrt: &["C", "V", "stimulus", "axial_conductance"],
            step: 0.02,
            until: 2.5,
        },
    ]
}

impl Case {
    fn gradient<'a>(&self, registry: &'a Registry, solver: &str) -> Gradient<'a> {
        let setup = Setup::new(solver, self.step).record("V");
        let setup = match self.spikes {
            true => setup.spikes("V", -20.0),
            false => setup,
        };
        Gradient::new(&setup, registry, &self.model, self.until, self.wrt).unwrap()
    }
}

/// The loss and its derivatives, backwards.
fn backwards(gradient: &Gradient) -> Vec<f64> {
    let found = gradient.reverse(&everything).unwrap();
    let numbers = found.gradient.iter().flat_map(|d| match &d.values {
        Values::Uniform(x) => vec![*x],
        Values::PerElement(x) | Values::PerCell(x) => x.clone(),
        Values::Each(x) => x.iter().copied().collect(),
    });
    std::iter::once(found.loss).chain(numbers).collect()
}

/// The loss's derivatives, forwards.
fn forwards(gradient: &Gradient) -> Vec<f64> {
    let forward = gradient.forward().unwrap();
    let spikes = forward.recording.spikes().iter();
    let mut cotangents = Cotangents {
        traces: forward.recording.data() * 0.0,
        spikes: spikes.map(|train| vec![0.0; train.times.len()]).collect(),
    };
    everything(&forward.recording, &mut cotangents).unwrap();
    let along = forward.tangents.iter().map(|tangent| {
        let pairs = tangent.spikes.iter().flatten();
        let pairs = pairs.zip(cotangents.spikes.iter().flatten());
        (&tangent.traces * &cotangents.traces).sum() + pairs.map(|(a, b)| a * b).sum::<f64>()
    });
    along.collect()
}

/// The greatest deviation, relative to the numbers; those that are tiny among the others count as small parts of them.
fn deviation(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = a.iter().chain(b).fold(0.0f64, |m, x| m.max(x.abs()));
    assert!(largest > 0.0 && largest.is_finite(), "{a:?} {b:?}");
    let relative = |(a, b): (&f64, &f64)| (a - b).abs() / a.abs().max(b.abs()).max(1e-6 * largest);
    let worst = a.iter().zip(b).map(relative);
    worst.fold(0.0, |m, x| if x <= m { m } else { x })
}

/// Checks a loaded solver, and against its built-in twin if it has one.
fn check(loaded: &Registry, solver: &str, twin: Option<&str>) {
    for (number, case) in cases().iter().enumerate() {
        let gradient = case.gradient(loaded, solver);
        let back = backwards(&gradient);
        let numbers = &back[1..];
        let both = deviation(&forwards(&gradient), numbers);
        // A difference is known up to its rounding.
        let differences = gradient.differences(&everything, 4e-4).unwrap();
        let pairs = differences.iter().zip(numbers);
        let values: Vec<f64> = pairs
            .map(|(d, x)| d.value + (x - d.value).clamp(-d.rounding, d.rounding))
            .collect();
        let from_differences = deviation(&values, numbers);
        println!("{solver} {number}: forwards {both:.1e}, differences {from_differences:.1e}");
        assert!(both <= 1e-10, "{solver} {number}");
        assert!(
            from_differences <= 1e-6,
            "{solver} {number}: {numbers:?} {values:?}"
        );
        if let Some(twin) = twin {
            let here = built_in();
            let bits = |x: Vec<f64>| x.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            let of_twin = case.gradient(&here, twin);
            assert_eq!(bits(back), bits(backwards(&of_twin)), "{solver} {twin}");
            assert_eq!(
                bits(forwards(&gradient)),
                bits(forwards(&of_twin)),
                "{solver} {twin}"
            );
        }
    }
}

fn only(path: &Path) -> Registry {
    let mut registry = Registry::new();
    load_into(&mut registry, path);
    registry
}

#[test]
fn gradients_through_a_loaded_tableau_are_exact() {
    examples();
    let there = only(&built("libtableau_plugin.so"));
    check(&there, "plugin_ssprk3", Some("ssprk3"));
    check(&there, "three_eighths", None);
}

#[test]
fn gradients_through_loaded_implicit_and_exponential_solvers_are_exact() {
    examples();
    let there = only(&built("librosenbrock_plugin.so"));
    check(&there, "exp_rosenbrock", Some("exp_euler"));
    check(&there, "ros2", None);
}

#[test]
fn gradients_through_a_loaded_splitting_are_exact() {
    examples();
    let there = only(&built("libcable_splitting_plugin.so"));
    check(&there, "strang_cable", Some("cn_exp_euler"));
}

#[test]
fn gradients_through_the_solvers_in_c_are_exact() {
    if !has_cc() {
        return;
    }
    let there = only(&kutta());
    check(&there, "c_kutta3", Some("rk3"));
    check(&there, "c_rk2(alpha=0.7)", Some("rk2(alpha=0.7)"));
}
