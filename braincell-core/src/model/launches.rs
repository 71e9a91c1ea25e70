//! Recording the kernels of a model.

use super::builder::foreign;
use super::{Domain, Launch, Model, ModelError, ParameterId, SignalId, StateId};
use crate::kernel::Kernel;
use std::sync::Arc;

/// When a kernel runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// At the beginning of a step, on the state.
    Pre,
    /// Whenever derivatives are computed.
    Derivative,
    /// At the end of a step, on the state.
    Post,
}

/// What a kernel reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A state.
    State(StateId),
    /// A parameter.
    Parameter(ParameterId),
    /// A signal that kernels launched earlier have computed, or an input from outside.
    Signal(SignalId),
    /// Time, ms.
    Time,
    /// The number 0, for an argument that does not apply.
    Zero,
}

/// What a kernel writes. Results for one derivative or signal add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The derivative of a state, per ms.
    Derivative(StateId),
    /// The diffusion coefficient of a state, per √ms.
    Diffusion(StateId),
    /// A signal.
    Signal(SignalId),
    /// The state itself: only before and after a step.
    State(StateId),
    /// Nothing: the result is not used.
    Nothing,
}

/// Records the kernels of one phase.
pub struct Launches<'a> {
    model: &'a mut Model,
    phase: Phase,
}

impl<'a> Launches<'a> {
    pub(super) fn new(model: &'a mut Model, phase: Phase) -> Self {
        Self { model, phase }
    }

    /// Runs `kernel` at every element of `domain`. Inputs and outputs may live on that domain, on one that it is part
    /// of, or on [`Domain::CELL`].
    ///
    /// # Errors
    /// [`ModelError::Launch`] if numbers or domains do not fit, or the phase forbids a target.
    pub fn launch(
        &mut self,
        domain: Domain,
        kernel: Arc<dyn Kernel>,
        inputs: &[Source],
        outputs: &[Target],
    ) -> Result<(), ModelError> {
        self.check_handles(domain, inputs, outputs)?;
        check_counts(&*kernel, inputs, outputs)?;
        for source in inputs {
            self.check_source(domain, *source)?;
        }
        for target in outputs {
            self.check_target(domain, *target, inputs)?;
        }
        for target in outputs {
            if let Target::Derivative(s) = target {
                self.model.states[s.0].derivative = true;
            }
        }
        self.model.launches.push(Launch {
            phase: self.phase,
            domain,
            kernel,
            inputs: inputs.to_vec(),
            outputs: outputs.to_vec(),
        });
        Ok(())
    }

    /// Whether a kernel launched in this phase writes the signal.
    pub fn is_written(&self, signal: SignalId) -> bool {
        let launches = self.model.launches.iter();
        let mut launches = launches.filter(|l| l.phase == self.phase);
        launches.any(|l| l.outputs.contains(&Target::Signal(signal)))
    }

    /// Whether all handles can be of this model.
    fn check_handles(
        &self,
        domain: Domain,
        inputs: &[Source],
        outputs: &[Target],
    ) -> Result<(), ModelError> {
        let model = &*self.model;
        foreign("domain", domain.0, model.domains.len())?;
        let [states, parameters, signals] = [
            ("state", model.states.len()),
            ("parameter", model.parameters.len()),
            ("signal", model.signals.len()),
        ];
        for source in inputs {
            let ((what, len), place) = match source {
                Source::State(s) => (states, s.0),
                Source::Parameter(p) => (parameters, p.0),
                Source::Signal(s) => (signals, s.0),
                Source::Time | Source::Zero => continue,
            };
            foreign(what, place, len)?;
        }
        for target in outputs {
            let ((what, len), place) = match target {
                Target::Derivative(s) | Target::Diffusion(s) | Target::State(s) => (states, s.0),
                Target::Signal(s) => (signals, s.0),
                Target::Nothing => continue,
            };
            foreign(what, place, len)?;
        }
        Ok(())
    }

    /// Whether a kernel on one domain reaches what lives on another.
    fn check_reach(&self, domain: Domain, other: Domain, name: &str) -> Result<(), ModelError> {
        let model = &*self.model;
        match model.rows(domain, other) {
            Some(_) => Ok(()),
            None => Err(ModelError::Launch(format!(
                "\"{name}\" lives on \"{}\", of which \"{}\" is no part",
                model.domains[other.0].name, model.domains[domain.0].name
            ))),
        }
    }

    fn check_source(&self, domain: Domain, source: Source) -> Result<(), ModelError> {
        let model = &*self.model;
        let (other, name) = match source {
            Source::State(s) => (model.states[s.0].domain, &model.states[s.0].state.name),
            Source::Parameter(p) => {
                let info = &model.parameters[p.0];
                (info.domain, &info.parameter.name)
            }
            Source::Signal(s) => (model.signals[s.0].domain, &model.signals[s.0].name),
            Source::Time | Source::Zero => return Ok(()),
        };
        self.check_reach(domain, other, name)
    }

    fn check_target(
        &self,
        domain: Domain,
        target: Target,
        inputs: &[Source],
    ) -> Result<(), ModelError> {
        let model = &*self.model;
        let (allowed, other, name) = match target {
            Target::Derivative(s) | Target::Diffusion(s) | Target::State(s) => {
                let (info, derivative) = (&model.states[s.0], self.phase == Phase::Derivative);
                let allowed = derivative != matches!(target, Target::State(_));
                (allowed, info.domain, &info.state.name)
            }
            Target::Signal(s) => {
                let info = &model.signals[s.0];
                (info.input.is_none(), info.domain, &info.name)
            }
            Target::Nothing => return Ok(()),
        };
        // A kernel that has read the sum would have missed this part of it.
        if let Target::Signal(s) = target {
            let mut earlier = model.launches.iter().filter(|l| l.phase == self.phase);
            let read = Source::Signal(s);
            if inputs.contains(&read) || earlier.any(|l| l.inputs.contains(&read)) {
                return Err(ModelError::Launch(format!(
                    "signal \"{name}\" is written after a kernel has read it; launch its writers first"
                )));
            }
        }
        if !allowed {
            return Err(ModelError::Launch(format!(
                "\"{name}\" cannot be written as {target:?} here: derivatives belong to compute_derivative, states to pre_integral and post_integral, and inputs are written by nobody"
            )));
        }
        self.check_reach(domain, other, name)?;
        // A state has one value: several elements cannot all set it.
        let rows = |d: Domain| model.domains[d.0].rows;
        let of_the_cell = other == Domain::CELL && rows(other) < rows(domain);
        if matches!(target, Target::State(_)) && of_the_cell {
            return Err(ModelError::Launch(format!(
                "\"{name}\" lives on the cell as a whole and cannot be set by each element of \"{}\"",
                model.domains[domain.0].name
            )));
        }
        Ok(())
    }
}

/// Whether a kernel has as many inputs and outputs as are given.
fn check_counts(
    kernel: &dyn Kernel,
    inputs: &[Source],
    outputs: &[Target],
) -> Result<(), ModelError> {
    let counts = [
        ("inputs", kernel.inputs(), inputs.len()),
        ("outputs", kernel.outputs(), outputs.len()),
    ];
    for (what, has, given) in counts {
        if has != given {
            return Err(ModelError::Launch(format!(
                "the kernel has {has} {what}, {given} are given"
            )));
        }
    }
    if inputs.len() > 64 {
        return Err(ModelError::Launch(format!(
            "the kernel has {} inputs; kernels have at most 64",
            inputs.len()
        )));
    }
    Ok(())
}
