//! Which solvers are compared.

use super::deviation::Compared;
use super::ladder::Ladder;
use super::sweep::Runner;
use super::{CompareError, Settings, Step};
use crate::experiment::{Experiment, Given};
use crate::registry::{Entry, Registry};
use crate::simulation::Setup;
use crate::stepper::Parts;

/// A solver that is not compared.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// Its name.
    pub solver: String,
    /// Why, as the rest of a sentence that begins with the name.
    pub reason: String,
}

/// A solver with the steps or the tolerances that are tried, the coarsest first.
pub(super) type Chosen = (String, Vec<Step>);

/// Why a solver cannot be compared on a model, as the rest of a sentence.
fn unfit(entry: &Entry, experiment: &Experiment) -> Option<String> {
    let info = &entry.info;
    if info.needs.noise {
        return Some("is stochastic: the model has no noise for it".to_string());
    }
    if let Some(missing) = info.needs.missing(experiment.model.capabilities()) {
        return Some(format!("needs {missing}"));
    }
    (info.advances != Parts::ALL).then(|| format!("advances the {} alone", info.advances))
}

/// The solvers that fit, deprecated ones left out.
pub(super) fn fitting<'a>(experiment: &Experiment, registry: &'a Registry) -> Vec<&'a Entry> {
    let mut entries = registry.entries();
    entries.retain(|e| e.info.deprecated.is_none() && unfit(e, experiment).is_none());
    entries
}

/// The solvers to compare with their steps and tolerances, the coarsest first, and those that are left out.
pub(super) fn choose(
    experiment: &Experiment,
    registry: &Registry,
    settings: &Settings,
    ladder: &Ladder,
) -> Result<(Vec<Chosen>, Vec<LeftOut>), CompareError> {
    let mut names: Vec<String> = Vec::new();
    match settings.solvers[..] {
        [] => names.extend(registry.entries().iter().map(|e| e.info.name.clone())),
        _ => {
            for name in &settings.solvers {
                let solver = registry.solver(name)?;
                if !names.contains(&solver.name) {
                    names.push(solver.name);
                }
            }
        }
    }
    let (mut chosen, mut left_out) = (Vec::new(), Vec::new());
    for name in names {
        let info = registry.solver(&name)?.info;
        let entry = registry.get(&info.name)?;
        let mut reason = unfit(entry, experiment);
        if settings.solvers.is_empty() && reason.is_none() {
            let deprecated = info.deprecated.as_ref();
            reason = deprecated.map(|why| format!("is deprecated: {why}"));
        }
        if reason.is_none() && ladder.steps.is_empty() && !info.is_adaptive() {
            reason = Some("has no error estimate, and so takes no tolerance".to_string());
        }
        if let Some(reason) = reason {
            left_out.push(LeftOut {
                solver: name,
                reason,
            });
            continue;
        }
        // What only shows when solver and model are joined, such as states that no linear system has in common.
        let mut groups = vec![
            ladder
                .steps
                .iter()
                .map(|&x| Step::Fixed(x))
                .collect::<Vec<_>>(),
        ];
        if info.is_adaptive() {
            groups.push(
                ladder
                    .tolerances
                    .iter()
                    .map(|&x| Step::Tolerance(x))
                    .collect(),
            );
        }
        for steps in groups {
            let Some(&first) = steps.first() else {
                continue;
            };
            let setup =
                Setup::with_stepping(&name, first.stepping()).every(ladder.interval_of(first));
            match setup.start::<f64>(registry, &experiment.model) {
                Ok(_) => chosen.push((name.clone(), steps)),
                Err(error) => left_out.push(LeftOut {
                    solver: match first {
                        Step::Fixed(_) => name.clone(),
                        Step::Tolerance(_) => format!("{name} with a tolerance"),
                    },
                    reason: format!("does not start: {error}"),
                }),
            }
        }
    }
    match chosen[..] {
        [] => Err(CompareError::NoSolver(left_out)),
        _ => Ok((chosen, left_out)),
    }
}

/// What is compared, found before anything runs.
pub(super) fn compared(
    runner: &Runner,
    chosen: &[Chosen],
    ladder: &Ladder,
) -> Result<Compared, CompareError> {
    let mut experiment = runner.experiment.clone();
    let mut every = ladder.own;
    if let Some((name, steps)) = chosen.first() {
        experiment.run.solver.value = name.clone();
        if let Some(&step) = steps.first() {
            experiment.run.stepping.value = step.stepping();
            every = ladder.interval_of(step);
        }
    }
    experiment.run.every = Some(Given {
        value: every,
        place: experiment.run.stepping.place.clone(),
    });
    // Also checks that the numbers can be held.
    let simulation = experiment.start(runner.registry)?;
    Compared::new(&experiment, &simulation.recording())
}
