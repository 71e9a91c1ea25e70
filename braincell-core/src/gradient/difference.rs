//! Differences of runs, to check gradients by.

use super::steps::Steps;
use super::{Cotangents, Gradient, GradientError, Loss};
use crate::model::Model;
use crate::simulation::adaptive::Sizes;
use std::sync::Arc;

/// A difference quotient.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The number that was changed, see [`Gradient::components`].
    pub name: String,
    /// The derivative of the loss with respect to it, by central differences extrapolated to sixth order.
    pub value: f64,
    /// How much rounding of the loss may have changed it.
    pub rounding: f64,
}

impl Gradient<'_> {
    /// The derivatives of a loss with respect to each component of the quantities, by differences of the same discrete
    /// run, with the same steps: each number is changed by `step` times its size (at least 10⁻³, at most 10), twice and four times that, up and
    /// down.
    ///
    /// # Errors
    /// As [`Gradient::reverse`].
    pub fn differences(
        &self,
        loss: &(impl Loss + ?Sized),
        step: f64,
    ) -> Result<Vec<Difference>, GradientError> {
        let mut all = Vec::new();
        let sizes = self.sizes()?;
        for quantity in &self.quantities {
            for component in 0..quantity.len() {
                let size = quantity.change(&mut self.model.clone(), component, 0.0)?;
                let h = step * size.abs().clamp(1e-3, 10.0);
                let at = |x: f64| {
                    let mut model = self.model.clone();
                    quantity.change(&mut model, component, x)?;
                    self.loss_of(&model, &sizes, loss)
                };
                let mut quotients = [0.0; 3];
                let mut largest: f64 = 0.0;
                for (quotient, x) in quotients.iter_mut().zip([h, 2.0 * h, 4.0 * h]) {
                    let (up, down) = (at(x)?, at(-x)?);
                    largest = largest.max(up.1).max(down.1);
                    *quotient = (up.0 - down.0) / (2.0 * x);
                }
                let [a, b, c] = quotients;
                all.push(Difference {
                    name: quantity.label(component),
                    value: (64.0 * a - 20.0 * b + c) / 45.0,
                    rounding: f64::EPSILON * largest / h,
                });
            }
        }
        Ok(all)
    }

    /// The step sizes of an adaptive run, for each tile.
    fn sizes(&self) -> Result<Vec<Arc<[f64]>>, GradientError> {
        let mut ready = self.ready()?;
        if self.tolerances().is_none() {
            return Ok(Vec::new());
        }
        self.run(&mut ready)?;
        let steps = ready.steps.into_iter().filter_map(|steps| match steps {
            Steps::Adaptive(adaptive) => Some(adaptive.sizes.into()),
            Steps::Fixed(_) => None,
        });
        Ok(steps.collect())
    }

    /// The loss for a model, and the size of what it is made of.
    fn loss_of(
        &self,
        model: &Model,
        sizes: &[Arc<[f64]>],
        loss: &(impl Loss + ?Sized),
    ) -> Result<(f64, f64), GradientError> {
        let mut run = self.setup.start::<f64>(self.registry, model)?;
        for (tile, sizes) in run.tiles.iter_mut().zip(sizes) {
            tile.sizes = Sizes::Given(sizes.clone());
        }
        run.run(self.until)?;
        let recording = run.recording();
        let mut cotangents = Cotangents::new(&recording);
        let value = loss.evaluate(&recording, &mut cotangents)?;
        let samples = recording.data().iter().zip(&cotangents.traces);
        let size: f64 = samples.map(|(x, c)| (x * c).abs()).sum();
        Ok((value, size.max(value.abs())))
    }
}
