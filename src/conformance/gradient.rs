//! Gradients through a solver.

use super::Outcome;
use super::problem::guarded;
use crate::cells::SingleCompartment;
use crate::gradient::{Gradient, MeanSquare};
use crate::input::Input;
use crate::model::Model;
use crate::registry::{Entry, Registry};
use crate::simulation::Setup;

/// The greatest error of a component, relative to the greatest component.
const TOLERANCE: f64 = 1e-6;

/// The derivatives of a loss on a Hodgkin-Huxley neuron, with respect to parameters, the input and the initial potential, are
/// those of differences of the same discrete run.
pub(super) fn check(registry: &Registry, entry: &Entry) -> Outcome {
    let cell = SingleCompartment::hodgkin_huxley();
    let model = Model::new(&cell.input("current", Input::constant(10.0)));
    let model = match model {
        Ok(model) => model,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    if let Some(missing) = entry.info.needs.missing(model.capabilities()) {
        return Outcome::Skipped(format!("it needs {missing}"));
    }
    let result = guarded(|| {
        let text = |error: crate::gradient::GradientError| error.to_string();
        let setup = Setup::new(entry.info.name.as_str(), 0.025).record("V");
        let wrt = ["na.g_max", "leak.E", "C", "current", "V"];
        let gradient = Gradient::new(&setup, registry, &model, 2.0, &wrt).map_err(text)?;
        let loss = MeanSquare {
            trace: "V".to_string(),
            target: vec![-65.0],
        };
        let exact = gradient.reverse(&loss).map_err(text)?.gradient;
        let differences = gradient.differences(&loss, 4e-4).map_err(text)?;
        let largest = differences
            .iter()
            .fold(0.0, |most: f64, d| most.max(d.value.abs()));
        for (derivative, difference) in exact.iter().zip(&differences) {
            let derivative = derivative.values.at(0, 0);
            let error = (derivative - difference.value).abs() - difference.rounding;
            if error.is_nan() || error > TOLERANCE * largest {
                return Err(format!(
                    "the derivative with respect to {} is {derivative}, differences give {}",
                    difference.name, difference.value
                ));
            }
        }
        Ok(())
    });
    match result {
        Ok(()) => Outcome::Passed,
        Err(reason) => Outcome::Failed(reason),
    }
}
