//! Many steps of one small cell at once: the way back where the states at the beginnings of all steps are known.
//!
//! An instruction on a single number costs as much as on a dozen. So a tile is made whose cells are the states of the one cell at
//! the beginnings of successive steps of the same size. Its tangents with respect to the states give the matrices
//! M_k = ∂y_{k+1}/∂y_k of all these steps together. By them adjoints go from the end of the last step to the beginning of the
//! first, λ_k = M_kᵀ λ_{k+1}. Then the steps, recorded together, are taken back together from the adjoints at their ends, for
//! the parameters' sake.

use super::way::{STANDING, repeated};
use super::wrt::Quantity;
use super::{Gradient, GradientError, wrt};
use crate::engine::{Adjoint, Clock, Engine, Looks, Section, Sweep, Wanted, Workspace};
use crate::model::{Launch, Model, Phase, Source, Values};
use crate::simulation::Simulation;

/// Steps taken back at once.
pub(super) const WIDTH: usize = 64;
/// The most numbers in a state for which the matrices are worth their while.
const STATES: usize = 8;

/// Rules with their memory.
struct Rules {
    adjoint: Adjoint,
    w: Workspace<f64>,
    sweep: Sweep,
}

impl Rules {
    /// For so many tangents at once, or for adjoints.
    fn new(engine: &Engine<f64>, wanted: &Wanted, tangents: usize) -> Self {
        let adjoint = Adjoint::new(engine, wanted, Looks::default());
        let (mut w, sweep) = (adjoint.workspace(engine), adjoint.sweep(engine, tangents));
        engine.layout.fill_parameters(0, &mut w);
        Self { adjoint, w, sweep }
    }
}

/// Where a number of the state is.
struct Spot {
    /// In the state of the cell.
    own: usize,
    /// In the arena of the tile, for the first of the steps.
    first: usize,
}

/// What steps are taken back with.
pub(super) struct Batch {
    tile: Simulation<f64>,
    spots: Vec<Spot>,
    /// The length of a state of the cell.
    len: usize,
    forward: Rules,
    back: Rules,
    sections: Vec<(Section, Clock)>,
    /// The adjoints at the ends of the steps, for each spot.
    ends: Vec<[f64; WIDTH]>,
}

/// Puts states of `len` numbers each into a tile; the last one also into the places of steps that there are not.
fn load(spots: &[Spot], len: usize, states: &[f64], arena: &mut [f64]) {
    let last = states.len() / len - 1;
    for spot in spots {
        for (k, to) in arena[spot.first..][..WIDTH].iter_mut().enumerate() {
            *to = states[k.min(last) * len + spot.own];
        }
    }
}

/// Numbers that are recorded of steps taken back at once, and before.
fn recorded(adjoint: &Adjoint) -> usize {
    adjoint.saved_once() + adjoint.saved_per_step()
}

/// Whether a model is of one cell whose steps are functions of its states and of inputs, not of the time itself or of random
/// numbers, and nothing happens between them: a spike may be cut off there.
fn fits(model: &Model) -> bool {
    let same = |values: &Values| matches!(values, Values::Uniform(_) | Values::PerElement(_));
    let mut sources = model.launches.iter().flat_map(|launch| &launch.inputs);
    let within = |launch: &Launch| launch.phase == Phase::Derivative;
    let noise = |group| model.group_capabilities(group).noise;
    model.cells == 1
        && model.parameters.iter().all(|p| same(&p.parameter.value))
        && model.states.iter().all(|s| same(&s.state.value))
        && model.launches.iter().all(within)
        && !sources.any(|source| matches!(source, Source::Time))
        && !(0..model.groups.len()).any(noise)
}

impl Batch {
    /// Nothing if the steps of the run are better taken back one by one.
    pub fn new(gradient: &Gradient, run: &Simulation<f64>) -> Result<Option<Self>, GradientError> {
        let own = &run.engines[0];
        let states: usize = own.layout.states.iter().map(|plane| plane.len).sum();
        if states > STATES || !fits(&gradient.model) {
            return Ok(None);
        }
        let mut model = gradient.model.clone();
        model.cells = WIDTH;
        for waveforms in model.signals.iter_mut().filter_map(|s| s.input.as_mut()) {
            *waveforms = vec![waveforms[0].clone(); WIDTH];
        }
        let setup = gradient.setup.clone().tile(WIDTH).threads(1);
        let tile = setup.start::<f64>(gradient.registry, &model)?;
        let engine = &tile.engines[0];
        let states = own.layout.model.states.iter().zip(&own.layout.states);
        let states = states.zip(&engine.layout.states);
        let spots = states.flat_map(|((info, one), all)| {
            let own = own.layout.current[info.group] - own.layout.all_current.offset + one.offset;
            let first = engine.layout.current[info.group] + all.offset;
            let spot = move |e: usize| Spot {
                own: own + e,
                first: first + e * WIDTH,
            };
            (0..one.len).map(spot)
        });
        let spots: Vec<Spot> = spots.collect();
        let wanted = wrt::wanted(&model, &gradient.quantities);
        let mut back = Rules::new(engine, &wanted, 0);
        let constants = (Section::Constants, STANDING);
        let Rules { adjoint, w, sweep } = &mut back;
        sweep.log.reserve_exact(recorded(adjoint));
        repeated(adjoint.record(engine, 0, constants, w, sweep))?;
        let nothing = Wanted {
            parameters: vec![false; wanted.parameters.len()],
            amplitudes: vec![false; wanted.amplitudes.len()],
            connections: false,
        };
        Ok(Some(Self {
            forward: Rules::new(engine, &nothing, spots.len()),
            back,
            ends: vec![[0.0; WIDTH]; spots.len()],
            spots,
            len: own.layout.all_current.len,
            sections: Vec::new(),
            tile,
        }))
    }

    /// Bytes of the record of steps at most.
    pub fn record_bytes(&self) -> usize {
        recorded(&self.back.adjoint) * size_of::<f64>()
    }

    /// Bytes of the record of steps, as it is.
    pub fn held(&self) -> usize {
        self.back.sweep.log.capacity() * size_of::<f64>()
    }

    /// Finds the matrices of the steps that begin with these states, one after the other, the first at the time of `clock`.
    pub fn linearise(&mut self, states: &[f64], clock: Clock) -> Result<(), GradientError> {
        let Rules { adjoint, w, sweep } = &mut self.forward;
        load(&self.spots, self.len, states, &mut w.arena);
        for (k, dot) in sweep.dots.iter_mut().enumerate() {
            for (j, spot) in self.spots.iter().enumerate() {
                dot[spot.first..][..WIDTH].fill(f64::from(u8::from(j == k)));
            }
        }
        let engine = &mut self.tile.engines[0];
        let last = states.len() / self.len - 1;
        for (k, later) in engine.layout.later.iter_mut().enumerate() {
            *later = k.min(last) as f64 * clock.h;
        }
        adjoint.advance(engine, (clock, false), &mut self.sections);
        for section in &self.sections {
            repeated(adjoint.tangent(engine, 0, *section, w, sweep))?;
        }
        self.ends.fill([0.0; WIDTH]);
        Ok(())
    }

    /// Takes the adjoint of the state from the end of step `k` of these to its beginning.
    pub fn pull(&mut self, k: usize, bar: &mut [f64]) {
        for (end, spot) in self.ends.iter_mut().zip(&self.spots) {
            end[k] = bar[spot.own];
        }
        for (dot, spot) in self.forward.sweep.dots.iter().zip(&self.spots) {
            let rows = self.spots.iter().zip(&self.ends);
            // What does not count need not be finite.
            let rows = rows.filter(|(_, end)| end[k] != 0.0);
            bar[spot.own] = rows.map(|(row, end)| dot[row.first + k] * end[k]).sum();
        }
    }

    /// Adds what the steps do to the adjoints of all but the states, from the adjoints at their ends.
    pub fn spread(&mut self, states: &[f64]) -> Result<(), GradientError> {
        let engine = &self.tile.engines[0];
        let Rules { adjoint, w, sweep } = &mut self.back;
        load(&self.spots, self.len, states, &mut w.arena);
        for section in &self.sections {
            repeated(adjoint.record(engine, 0, *section, w, sweep))?;
        }
        for (end, spot) in self.ends.iter().zip(&self.spots) {
            sweep.bar[spot.first..][..WIDTH].copy_from_slice(end);
        }
        for section in self.sections.iter().rev() {
            repeated(adjoint.reverse(engine, 0, *section, w, sweep))?;
        }
        for spot in &self.spots {
            sweep.bar[spot.first..][..WIDTH].fill(0.0);
        }
        Ok(())
    }

    /// Adds the derivatives with respect to quantities.
    pub fn finish(
        &mut self,
        quantities: &[Quantity],
        gradient: &mut [f64],
    ) -> Result<(), GradientError> {
        let engine = &self.tile.engines[0];
        let Rules { adjoint, w, sweep } = &mut self.back;
        let constants = (Section::Constants, STANDING);
        repeated(adjoint.reverse(engine, 0, constants, w, sweep))?;
        for quantity in quantities {
            quantity.places(&engine.layout, adjoint, 0, |k, at, factor| {
                gradient[k] += factor * sweep.bar[at];
            });
        }
        Ok(())
    }
}
