//! Derivatives of whole runs, exact for the discrete scheme: of the numbers that the solver computes, not of the
//! differential equation.
//!
//! [`Gradient::forward`] carries tangents along: the derivatives of all that is recorded with respect to a few numbers.
//! [`Gradient::reverse`] takes a run backwards: the derivatives of one number, the loss, with respect to many. Every
//! solver can be differentiated, since the engine differentiates the operations that steps are made of.
//!
//! One can differentiate by
//! - a parameter of the model, by its name: `"na.g_max"`, `"C"`;
//! - the initial value of a state, by its name: `"V"`; states that start from their steady state follow the others;
//! - the amplitude of an input, by its name: `"stimulus"` (of a played trace, a ramp or a function: a factor);
//! - the onset of an input made of steps or pulses, such as `"stimulus.onset"`, ms: all its jumps move together. If a jump
//!   lies on the time grid, the derivative is that for a later onset;
//! - the resistivity that the conductances of a cable follow from, see [`crate::model::Resistivity`]: it is a parameter;
//! - [`AXIAL_CONDUCTANCE`]: a common factor, 1, of all conductances along the cable.
//!
//! A parameter with one value for all has one derivative, one with a value per element or cell has as many. By a part of a
//! parameter, such as its value in a region, see [`Gradient::part`].
//!
//! Step sizes, the times of jumps of other inputs, and the number of Newton iterations count as constants; spike times are
//! differentiated through the crossing of the threshold.
//!
//! Of a run whose steps follow an error estimate the steps are counted as given: the derivatives are those of the run with the
//! sizes that were accepted, held fixed. The sizes are no smooth function of the parameters, since a step is accepted or not;
//! what they change is within the tolerance. Only onsets have no derivative there.
//!
//! Backwards in bounded memory: see [`CheckpointPlan`]. The gradient does not depend on the plan.

mod batch;
mod checkpoint;
mod difference;
mod error;
mod forward;
mod inside;
mod loss;
mod onset;
mod reverse;
mod spike;
mod steps;
mod trail;
mod way;
mod wrt;

pub use checkpoint::CheckpointPlan;
pub use difference::Difference;
pub use error::GradientError;
pub use forward::{Forward, Tangent};
pub use loss::{Cotangents, Loss, Mean, MeanSquare, Peak, SpikeTime};
pub use reverse::Reverse;

use crate::engine::{Adjoint, Looks};
use crate::model::{Model, Values};
use crate::registry::Registry;
use crate::simulation::adaptive::Sizes;
use crate::simulation::kept::Place;
use crate::simulation::tile::Tile;
use crate::simulation::{RunError, Setup, Simulation, Stepping, Tolerances};
use batch::Batch;
use checkpoint::FirstWay;
use onset::Onset;
use steps::{Adaptive, Fixed, Steps};
use wrt::Quantity;

/// The name of the common factor of all conductances along the cable.
pub const AXIAL_CONDUCTANCE: &str = "axial_conductance";

/// The memory budget where none is given, bytes.
pub const DEFAULT_MEMORY: usize = 64_000_000;

/// Steps of a run for which it pays to prepare for taking many at once.
const MANY: u64 = 1000;

/// The derivative with respect to one quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Derivative {
    /// The quantity.
    pub name: String,
    /// The derivative, in the shape of the quantity's own values.
    pub values: Values,
}

/// A run to be differentiated.
pub struct Gradient<'a> {
    setup: Setup,
    registry: &'a Registry,
    model: Model,
    until: f64,
    quantities: Vec<Quantity>,
    memory: usize,
}

/// A run with its rules, ready to go.
struct Ready {
    simulation: Simulation<f64>,
    adjoints: Vec<Adjoint>,
    /// One for all tiles, or one for each; none of an adaptive run before it has been made.
    steps: Vec<Steps>,
    /// For a small cell's steps, many at once.
    batch: Option<Batch>,
}

impl Ready {
    /// The steps of a tile.
    fn steps(&self, tile: usize) -> &Steps {
        &self.steps[tile.min(self.steps.len() - 1)]
    }

    /// Bytes of what is remembered of the steps.
    fn step_bytes(&self) -> usize {
        self.steps.iter().map(Steps::bytes).sum()
    }
}

impl<'a> Gradient<'a> {
    /// The run that `setup` describes, of `model`, from time 0 until `until` (ms), to be differentiated with respect to
    /// the quantities named in `wrt`.
    ///
    /// # Errors
    /// [`GradientError`]: what [`Setup::start`] refuses; unknown names; an onset where steps are adaptive.
    pub fn new(
        setup: &Setup,
        registry: &'a Registry,
        model: &Model,
        until: f64,
        wrt: &[&str],
    ) -> Result<Self, GradientError> {
        if !(until.is_finite() && until > 0.0) {
            return Err(GradientError::Until(until));
        }
        // Anything that is wrong with the run shows now.
        setup.start::<f64>(registry, model)?;
        let quantities = wrt::find(model, wrt)?;
        let onset = quantities.iter().find(|q| q.onset_of(model).is_some());
        if let (Stepping::Adaptive(_), Some(onset)) = (setup.stepping(), onset) {
            return Err(GradientError::AdaptiveOnset(onset.name.clone()));
        }
        Ok(Self {
            setup: setup.clone(),
            registry,
            quantities,
            model: model.clone(),
            until,
            memory: DEFAULT_MEMORY,
        })
    }

    /// With a memory budget for going backwards, bytes: for the states that are kept and for the record of the steps
    /// between two of them. Traces and the model itself come on top. The default is [`DEFAULT_MEMORY`].
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// With the derivative with respect to a part of a parameter too, such as its value in a region: a number x of which the
    /// parameter changes by `shares[e]` · dx at element e of the cell. `name` is what the part is called.
    ///
    /// # Errors
    /// [`GradientError`]: unknown or used names, shares that do not fit, a parameter that differs from cell to cell.
    pub fn part(
        mut self,
        name: &str,
        parameter: &str,
        shares: &[f64],
    ) -> Result<Self, GradientError> {
        let of = (parameter, shares);
        wrt::part(&mut self.model, name, of, &mut self.quantities)?;
        Ok(self)
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The model, to change its parameters between gradients. Names and shapes of the quantities must stay.
    pub fn model_mut(&mut self) -> &mut Model {
        &mut self.model
    }

    /// Names of all components of the quantities: `"na.g_max"`, `"V[3]"` at an element, `"V#7"` in a cell.
    pub fn components(&self) -> Vec<String> {
        let labels = |q: &Quantity| (0..q.len()).map(|k| q.label(k)).collect::<Vec<_>>();
        self.quantities.iter().flat_map(labels).collect()
    }

    /// How a run is taken backwards within the memory budget. An adaptive run is made for that, since its steps must be known;
    /// the plan is then that of the cell with the most steps.
    ///
    /// # Errors
    /// [`GradientError::Budget`]; of an adaptive run what it fails with.
    pub fn plan(&self) -> Result<CheckpointPlan, GradientError> {
        let mut ready = self.ready_for_back()?;
        if self.tolerances().is_some() {
            self.run(&mut ready)?;
        }
        let counts = ready.steps.iter().map(Steps::count).enumerate();
        let most = counts.max_by_key(|(_, count)| *count);
        self.plan_for(&ready, most.map_or(0, |(tile, _)| tile))
    }

    /// The tolerances of an adaptive run.
    fn tolerances(&self) -> Option<&Tolerances> {
        match self.setup.stepping() {
            Stepping::Adaptive(tolerances) => Some(tolerances),
            Stepping::Fixed(_) => None,
        }
    }

    /// The plan for a tile.
    fn plan_for(&self, ready: &Ready, tile: usize) -> Result<CheckpointPlan, GradientError> {
        const NUMBER: usize = size_of::<f64>();
        let tiles = &ready.simulation.tiles;
        let fixed = self.tolerances().is_none();
        let bytes = |tile: &Tile<f64>| tile.states() * NUMBER + size_of::<Place>();
        let all: usize = tiles.iter().map(bytes).sum();
        let saved = ready.adjoints.iter().map(Adjoint::saved_per_step);
        let piece = saved.max().unwrap_or(0) * NUMBER + way::PIECE_BYTES;
        let once = ready.adjoints.iter().map(Adjoint::saved_once);
        let once = once.max().unwrap_or(0) * NUMBER;
        let steps = ready.steps(tile);
        let own = &tiles[tile];
        // The first state of all cells is kept, and the sizes of all steps.
        let beside = match fixed {
            true => 0,
            false => all - bytes(own) + ready.step_bytes(),
        };
        let sample = match !fixed && own.samples_signals {
            true => ready.adjoints[own.engine].saved_per_sample() + own.states(),
            false => 0,
        };
        let times = |bytes: usize, count: u64| {
            bytes.saturating_mul(usize::try_from(count).unwrap_or(usize::MAX))
        };
        if let Some(batch) = &ready.batch {
            let one = times(piece, steps.most_pieces(1)) + once;
            let record = |segment: u64| {
                let states = times(own.states() * NUMBER, segment.saturating_add(1));
                states.saturating_add(one + batch.record_bytes())
            };
            return CheckpointPlan::new(steps.count(), FirstWay::Records, all, record, self.memory);
        }
        let record = |segment: u64| {
            let samples = match sample {
                0 => 0,
                sample => {
                    let most = ready.steps.iter().map(|s| s.most_samples(segment));
                    times(sample * NUMBER, most.max().unwrap_or(0))
                }
            };
            times(piece, steps.most_pieces(segment))
                .saturating_add(samples)
                .saturating_add(once + beside)
        };
        let state = if fixed { all } else { bytes(own) };
        let first = match fixed {
            true => FirstWay::Keeps,
            false => FirstWay::KeepsNothing,
        };
        CheckpointPlan::new(steps.count(), first, state, record, self.memory)
    }

    fn ready(&self) -> Result<Ready, GradientError> {
        let simulation = self.setup.start::<f64>(self.registry, &self.model)?;
        let wanted = wrt::wanted(&self.model, &self.quantities);
        let (step, every, until) = (simulation.plan.step, simulation.plan.every, self.until);
        let fixed = self.tolerances().is_none();
        let mut steps = Vec::new();
        if fixed {
            let jumps = self.model.jumps(None, -step, until);
            let jumps = jumps.ok_or(RunError::Jumps { until })?;
            steps.push(Steps::Fixed(Fixed::new(step, every, until, jumps)));
        }
        let looks = Looks {
            inside: !fixed,
            spikes: simulation.tiles.iter().any(|t| !t.detectors.is_empty()),
        };
        let engines = simulation.engines.iter();
        Ok(Ready {
            adjoints: engines.map(|e| Adjoint::new(e, &wanted, looks)).collect(),
            steps,
            batch: None,
            simulation,
        })
    }

    /// As [`Gradient::ready`], to go backwards.
    fn ready_for_back(&self) -> Result<Ready, GradientError> {
        let mut ready = self.ready()?;
        let steps = ready.steps.first();
        if steps.is_some_and(|steps| steps.count() >= MANY) {
            ready.batch = Batch::new(self, &ready.simulation)?;
            let plan = self.plan_for(&ready, 0);
            // In little memory there is no room for many steps.
            if !plan.is_ok_and(|plan| plan.segment >= batch::WIDTH as u64) {
                ready.batch = None;
            }
        }
        Ok(ready)
    }

    /// Makes the run itself; of an adaptive one the steps are known then.
    fn run(&self, ready: &mut Ready) -> Result<(), GradientError> {
        let Some(tolerances) = self.tolerances() else {
            return Ok(ready.simulation.run(self.until)?);
        };
        for tile in &mut ready.simulation.tiles {
            tile.sizes = Sizes::Recorded(Vec::new());
        }
        ready.simulation.run(self.until)?;
        let (until, interval) = (self.until, ready.simulation.plan.step);
        for tile in &mut ready.simulation.tiles {
            let mut sizes = match std::mem::replace(&mut tile.sizes, Sizes::Chosen) {
                Sizes::Recorded(sizes) => sizes,
                _ => Vec::new(),
            };
            sizes.shrink_to_fit();
            let jumps = self.model.jumps(Some(tile.first), 0.0, until);
            ready.steps.push(Steps::Adaptive(Adaptive {
                sizes,
                jumps: jumps.ok_or(RunError::Jumps { until })?,
                until,
                interval,
                hit_samples: tolerances.hit_samples,
            }));
        }
        Ok(())
    }

    /// The inputs whose onsets are quantities.
    fn onsets(&self) -> Vec<Onset> {
        let onset = |q: &Quantity| {
            let input = q.onset_of(&self.model)?;
            Some(Onset::new(q.first, input, self.until))
        };
        self.quantities.iter().filter_map(onset).collect()
    }

    fn derivatives(&self, all: &[f64]) -> Vec<Derivative> {
        let derivative = |q: &Quantity| Derivative {
            name: q.name.clone(),
            values: q.values(all),
        };
        self.quantities.iter().map(derivative).collect()
    }

    fn component_count(&self) -> usize {
        self.quantities.iter().map(Quantity::len).sum()
    }
}
