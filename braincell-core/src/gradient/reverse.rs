//! Reverse mode.

use super::checkpoint::{Action, CheckpointPlan, Schedule};
use super::way::{STANDING, Way};
use super::{Cotangents, Derivative, Gradient, GradientError, Loss, Ready};
use crate::engine::Section;
use crate::simulation::Recording;
use crate::simulation::kept::Place;
use crate::simulation::tile::standing;
use std::sync::Arc;

/// What [`Gradient::reverse`] gives.
#[derive(Clone, Debug)]
pub struct Reverse {
    /// The run itself.
    pub recording: Recording,
    /// How it was taken backwards; of an adaptive run the plan for the cell with the most steps.
    pub plan: CheckpointPlan,
    /// The loss.
    pub loss: f64,
    /// Its derivatives.
    pub gradient: Vec<Derivative>,
    /// Bytes that the states kept and the record of steps took at most, as [`super::CheckpointPlan::bytes`] has planned.
    pub held: usize,
}

impl Gradient<'_> {
    /// Runs, computes the loss, and takes the run backwards: the derivatives of the loss with respect to all quantities.
    ///
    /// # Errors
    /// [`GradientError`]: the run fails, the loss cannot be computed, a derivative is not finite, the memory budget is too
    /// small.
    pub fn reverse(&self, loss: &(impl Loss + ?Sized)) -> Result<Reverse, GradientError> {
        let mut ready = self.ready_for_back()?;
        let fixed = self.tolerances().is_none();
        let mut known = None;
        if fixed {
            let plan = self.plan_for(&ready, 0)?;
            let segments = plan.steps.div_ceil(plan.segment);
            let kept = Schedule::new(segments, plan.checkpoints as u64);
            let kept: Arc<[u64]> = kept.kept().iter().map(|k| k * plan.segment).collect();
            for tile in &mut ready.simulation.tiles {
                tile.keep_at = kept.clone();
                let len = tile.states();
                let mut room = tile.kept.reserve(plan.checkpoints, len);
                if ready.batch.is_some() {
                    tile.trail.from = (segments - 1) * plan.segment;
                    let numbers = (plan.segment as usize + 1) * len;
                    room = room.and_then(|()| tile.trail.states.reserve(numbers));
                }
                room.ok_or(GradientError::Memory(plan.bytes))?;
            }
            known = Some(plan);
        } else {
            for tile in &mut ready.simulation.tiles {
                let room = tile.kept.reserve(1, tile.states());
                room.ok_or(GradientError::Memory(tile.states() * size_of::<f64>()))?;
                tile.kept.push(Place::START, tile.state.iter().copied());
            }
        }
        self.run(&mut ready)?;
        let recording = ready.simulation.recording();
        let mut cotangents = Cotangents::new(&recording);
        let loss = loss.evaluate(&recording, &mut cotangents)?;
        check(&recording, &cotangents)?;
        let mut gradient = vec![0.0; self.component_count()];
        let mut held = 0;
        let mut longest: Option<CheckpointPlan> = None;
        for tile in 0..ready.simulation.tiles.len() {
            let plan = match &known {
                Some(plan) => plan.clone(),
                None => self.plan_for(&ready, tile)?,
            };
            let outcome = (&recording, &cotangents);
            let by_tile = self.tile_reverse(&mut ready, tile, &plan, outcome, &mut gradient)?;
            if longest
                .as_ref()
                .is_none_or(|longest| longest.steps < plan.steps)
            {
                longest = Some(plan);
            }
            held = held.max(by_tile);
        }
        let Some(plan) = longest else {
            return Err(GradientError::Loss("the run has no cells".to_string()));
        };
        Ok(Reverse {
            recording,
            plan,
            loss,
            gradient: self.derivatives(&gradient),
            held,
        })
    }

    fn tile_reverse(
        &self,
        ready: &mut Ready,
        tile: usize,
        plan: &CheckpointPlan,
        (recording, cotangents): (&Recording, &Cotangents),
        gradient: &mut [f64],
    ) -> Result<usize, GradientError> {
        let fixed = self.tolerances().is_none();
        let segment = plan.segment;
        let segments = plan.steps.div_ceil(segment);
        let schedule = match fixed {
            true => Schedule::new(segments, plan.checkpoints as u64),
            false => Schedule::from_start(segments, plan.checkpoints as u64),
        };
        let number = tile;
        let own = &mut ready.simulation.tiles[tile];
        let mut kept = std::mem::take(&mut own.kept);
        let mut trail = std::mem::take(&mut own.trail);
        let mut batch = ready.batch.take();
        if batch.is_some() {
            trail.states.extend(own.state.iter().copied());
        }
        if !fixed {
            let room = kept.reserve(plan.checkpoints, own.state.len());
            room.ok_or(GradientError::Memory(plan.bytes))?;
        }
        let simulation = &ready.simulation;
        let others: usize = simulation.tiles.iter().map(|t| t.kept.bytes()).sum();
        let others = others + ready.step_bytes();
        let step = simulation.plan.step;
        let tile = &simulation.tiles[tile];
        let engine = &simulation.engines[tile.engine];
        let adjoint = &ready.adjoints[tile.engine];
        let mut way = Way {
            w: adjoint.workspace(engine),
            sweep: adjoint.sweep(engine, 0),
            tile,
            engine,
            adjoint,
            steps: ready.steps(number),
            trains: recording.spikes(),
            cotangents,
            pieces: Vec::new(),
            sections: Vec::new(),
            recorded: Vec::new(),
            spikes: Vec::new(),
            onsets: self.onsets(),
            step,
            times: recording.times(),
            initial: standing(&self.model, 0.0),
            aside: Vec::new(),
            trail,
            by_onset: Vec::new(),
        };
        way.engine.layout.fill_parameters(tile.first, &mut way.w);
        let count = way.steps.count();
        way.reserve(if batch.is_some() { 1 } else { segment });
        let mut held = 0;
        // They stay in their places; what is recorded of them serves at the end.
        way.run((Section::Constants, STANDING))?;
        for action in schedule {
            match action {
                Action::Keep(at) => {
                    if let Some(last) = kept.last() {
                        let place = way.go(last, at * segment)?;
                        let state = &way.w.arena[engine.layout.all_current.range()];
                        kept.push(place, state.iter().copied());
                    }
                }
                Action::Reverse(at) => {
                    let (begin, end) = (at * segment, ((at + 1) * segment).min(count));
                    let Some(last) = kept.last() else { continue };
                    let record = way.segment(batch.as_mut(), last, [begin, end])?;
                    held = held.max(kept.bytes() + record);
                }
                Action::Drop => {
                    kept.pop();
                }
            }
        }
        way.initial()?;
        if let Some(batch) = &mut batch {
            batch.finish(&self.quantities, gradient)?;
        }
        for (component, x) in std::mem::take(&mut way.by_onset) {
            gradient[component] += x;
        }
        for quantity in &self.quantities {
            let layout = &way.engine.layout;
            quantity.places(layout, adjoint, tile.first, |k, at, factor| {
                gradient[k] += factor * way.sweep.bar[at];
            });
        }
        Ok(others + held)
    }
}

/// Checks what a loss has left.
fn check(recording: &Recording, cotangents: &Cotangents) -> Result<(), GradientError> {
    let spikes = recording.spikes().iter().map(|train| train.times.len());
    let fits = cotangents.traces.dim() == recording.data().dim()
        && spikes.eq(cotangents.spikes.iter().map(Vec::len));
    if !fits {
        return Err(GradientError::Loss(
            "its derivatives have another shape than the recording".to_string(),
        ));
    }
    let mut all = cotangents
        .traces
        .iter()
        .chain(cotangents.spikes.iter().flatten());
    match all.find(|x| !x.is_finite()) {
        Some(x) => Err(GradientError::Loss(format!(
            "one of its derivatives is {x}"
        ))),
        None => Ok(()),
    }
}
