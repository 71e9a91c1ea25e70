//! A segment's way back; of a small cell along the states at the beginnings of its steps: many steps at once where they are alike, one by one
//! where an input jumps or a spike is found.

use super::GradientError;
use super::batch::{Batch, WIDTH};
use super::spike;
use super::steps::{Fixed, Steps};
use super::way::Way;
use crate::simulation::kept::Place;

/// As many steps cost less together than one by one.
const FEW: u64 = WIDTH as u64 / 4;

impl Way<'_> {
    /// Takes the steps of a segment back, with `last` the last state kept before them; many at once, if that is given. Returns the
    /// bytes of their record.
    pub fn segment(
        &mut self,
        batch: Option<&mut Batch>,
        last: (Place, &[f64]),
        [begin, end]: [u64; 2],
    ) -> Result<usize, GradientError> {
        if let (Some(batch), Steps::Fixed(fixed)) = (batch, self.steps) {
            if self.trail.from > begin {
                self.follow(last, begin, end)?;
            }
            self.back_along(batch, fixed, begin, end)?;
            return Ok(self.record_bytes() + batch.held());
        }
        let place = self.go(last, begin)?;
        self.record(place, end)?;
        self.back()?;
        Ok(self.record_bytes())
    }

    /// The states at the beginnings of steps `begin .. end`, one after the other, and at the end of the last; `from` is a state
    /// before them.
    fn follow(&mut self, from: (Place, &[f64]), begin: u64, end: u64) -> Result<(), GradientError> {
        let mut place = self.go(from, begin)?;
        let mut trail = std::mem::take(&mut self.trail);
        trail.from = begin;
        trail.states.truncate(0);
        let current = self.engine.layout.all_current.range();
        trail.states.extend(self.w.arena[current].iter().copied());
        let keep = |state: &[f64]| trail.states.extend(state.iter().copied());
        let done = self.go_on(&mut place, end, keep);
        self.trail = trail;
        done
    }

    /// Takes the steps from `end` to `begin` back, whose states are on the trail.
    fn back_along(
        &mut self,
        batch: &mut Batch,
        fixed: &Fixed,
        begin: u64,
        end: u64,
    ) -> Result<(), GradientError> {
        let mut step = end;
        while step > begin {
            let most = fixed.smooth_before(step).min(step - begin);
            let quiet = (1..=most.min(WIDTH as u64)).take_while(|k| !self.fires(step - k));
            let count = quiet.count() as u64;
            if count < FEW {
                step -= 1;
                self.load(step);
                self.record(fixed.place(step), step + 1)?;
                self.back()?;
            } else {
                step -= count;
                self.back_together(batch, fixed, step, count)?;
            }
        }
        Ok(())
    }

    /// Takes `count` steps back that begin with step `first`.
    fn back_together(
        &mut self,
        batch: &mut Batch,
        fixed: &Fixed,
        first: u64,
        count: u64,
    ) -> Result<(), GradientError> {
        let states = self.trail.rows(first, count, self.tile.states());
        batch.linearise(states, fixed.piece(first).clock())?;
        let current = self.engine.layout.all_current.range();
        for k in (0..count).rev() {
            let step = first + k;
            if fixed.sampled(step) {
                let piece = fixed.piece(step);
                if self.tile.samples_signals {
                    self.load(step + 1);
                }
                self.record_samples(&piece, None)?;
                self.take_samples_back(&piece, None)?;
            }
            batch.pull(k as usize, &mut self.sweep.bar[current.clone()]);
            self.look(step, fixed.piece(step).t)?;
        }
        let states = self.trail.rows(first, count, self.tile.states());
        batch.spread(states)
    }

    /// Makes the state at the beginning of a step the present one.
    fn load(&mut self, step: u64) {
        let current = self.engine.layout.all_current.range();
        let state = self.trail.rows(step, 1, self.tile.states());
        self.w.arena[current].copy_from_slice(state);
    }

    /// Whether there is a spike in a step.
    fn fires(&self, step: u64) -> bool {
        let row = |step| self.trail.rows(step, 1, self.tile.states());
        spike::between(self.tile, row(step), row(step + 1))
    }
}
