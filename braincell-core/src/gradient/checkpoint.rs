//! Which states to keep so that a run can be taken backwards in a given memory.
//!
//! The steps are put into segments. A segment is recorded as a whole, from its first state on; the states at the beginnings
//! of segments are kept in a number of slots, by the binomial schedule that needs the fewest steps again. The record of a small
//! cell's segment is the states at the beginnings of its steps: these are recorded when they are taken back, many at a time.
//!
//! A. Griewank, A. Walther, Algorithm 799: Revolve, ACM Trans. Math. Softw. 26 (2000),
//! [doi:10.1145/347837.347846](https://doi.org/10.1145/347837.347846).

use super::GradientError;
use std::fmt;

/// How a run is taken backwards: what is kept, what is computed again.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointPlan {
    /// Steps of the run.
    pub steps: u64,
    /// Steps recorded at once; of a small cell, the record of whose steps are their states, as many as are kept at once.
    pub segment: u64,
    /// States that are kept at the same time.
    pub checkpoints: usize,
    /// Steps made forward, all told, those recorded included, but not those made many at a time.
    pub forward_steps: u64,
    /// Bytes for the states that are kept and the record of a segment, at most.
    pub bytes: usize,
    /// The budget.
    pub budget: usize,
}

impl fmt::Display for CheckpointPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} steps in segments of {}, {} checkpoints, {:.2} forward steps per step, {:.1} of {:.1} MB",
            self.steps,
            self.segment,
            self.checkpoints,
            self.recomputation(),
            self.bytes as f64 / 1e6,
            self.budget as f64 / 1e6
        )
    }
}

/// β(s, t), the number of segments that s states and t passes suffice for, saturating.
fn binomial(s: u64, t: u64) -> u64 {
    let mut product: u128 = 1;
    let small = s.min(t);
    for k in 1..=small {
        product = product * u128::from(s + t - small + k) / u128::from(k);
        if product > u128::from(u64::MAX) {
            return u64::MAX;
        }
    }
    product as u64
}

/// How many of `segments` lie before the next state to keep, if `free` more can be kept.
fn split(segments: u64, free: u64) -> u64 {
    let s = free + 1;
    let mut t = 1;
    while binomial(s, t) < segments {
        t += 1;
    }
    let rest = segments.saturating_sub(binomial(s - 1, t - 1));
    binomial(s, t - 1).min(rest).clamp(1, segments - 1)
}

/// What the first way forward leaves for the way back.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum FirstWay {
    /// The initial state: it is not known how many steps there will be.
    KeepsNothing,
    /// The states at the beginnings of segments.
    Keeps,
    /// These, and the record of the last segment.
    Records,
}

/// What to do next on the way back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Action {
    /// From the last state kept, advance to the beginning of this segment and keep the state.
    Keep(u64),
    /// From the last state kept, advance to the beginning of this segment, record it and take it backwards.
    Reverse(u64),
    /// Forget the last state kept.
    Drop,
}

/// The schedule of a backward sweep: positions of the states kept, and the segments not yet reversed.
pub(super) struct Schedule {
    slots: u64,
    kept: Vec<u64>,
    left: u64,
}

impl Schedule {
    /// With the states kept on the first way forward.
    pub fn new(segments: u64, slots: u64) -> Self {
        let mut kept = vec![0];
        while segments - kept[kept.len() - 1] > 1 && (kept.len() as u64) < slots {
            let last = kept[kept.len() - 1];
            kept.push(last + split(segments - last, slots - kept.len() as u64));
        }
        Self {
            slots,
            kept,
            left: segments,
        }
    }

    /// With nothing kept but the initial state.
    pub fn from_start(segments: u64, slots: u64) -> Self {
        Self {
            slots,
            kept: vec![0],
            left: segments,
        }
    }

    /// Segments at whose beginnings states are kept.
    pub fn kept(&self) -> &[u64] {
        &self.kept
    }
}

impl Iterator for Schedule {
    type Item = Action;
    fn next(&mut self) -> Option<Action> {
        let last = *self.kept.last()?;
        let segments = self.left - last;
        if segments == 0 {
            self.kept.pop();
            return Some(Action::Drop);
        }
        let free = self.slots - self.kept.len() as u64;
        if segments == 1 || free == 0 {
            self.left -= 1;
            return Some(Action::Reverse(self.left));
        }
        let next = last + split(segments, free);
        self.kept.push(next);
        Some(Action::Keep(next))
    }
}

/// Segments advanced over on the way back, those recorded included.
fn cost(mut schedule: Schedule) -> u64 {
    let mut cost = 0;
    loop {
        let last = schedule.kept.last().copied().unwrap_or(0);
        match schedule.next() {
            None => return cost,
            Some(Action::Keep(next)) => cost += next - last,
            Some(Action::Reverse(at)) => cost += at - last + 1,
            Some(Action::Drop) => {}
        }
    }
}

/// Bytes of a record that stay in the cache between being written and being read. From a quarter to twice of that the time of
/// the example `gradient_cost` is the same within 3 %.
const CACHE: u64 = 4 << 20;

impl CheckpointPlan {
    /// For states of `state` bytes, and segments of so many steps whose record takes `record` bytes at most.
    pub(super) fn new(
        steps: u64,
        first: FirstWay,
        state: usize,
        record: impl Fn(u64) -> usize,
        budget: usize,
    ) -> Result<Self, GradientError> {
        // With what it takes in the record beyond the cache.
        let mut best: Option<(u64, Self)> = None;
        let mut segment = 1u64;
        loop {
            let segments = steps.div_ceil(segment);
            let log = record(segment) as u64;
            let room = (budget as u64).saturating_sub(log) / state.max(1) as u64;
            let slots = room.min(segments);
            // Short segments of a long run only cost time to plan.
            if slots > 0 && (segments <= 1 << 17 || segment >= steps) {
                let schedule = match first {
                    FirstWay::KeepsNothing => Schedule::from_start(segments, slots),
                    FirstWay::Keeps | FirstWay::Records => Schedule::new(segments, slots),
                };
                let recorded = u64::from(first == FirstWay::Records);
                let again = cost(schedule) - recorded;
                let forward_steps = steps + (again * segment).min(u64::MAX / 2);
                let plan = Self {
                    steps,
                    segment,
                    checkpoints: slots as usize,
                    forward_steps,
                    bytes: log as usize + slots as usize * state,
                    budget,
                };
                let slow = log.max(CACHE);
                let better = best.as_ref().is_none_or(|(best_slow, best)| {
                    let (new, old) = (plan.recomputation(), best.recomputation());
                    let cheap = (slow, plan.bytes) < (*best_slow, best.bytes);
                    new < 0.99 * old || (new < 1.01 * old && cheap)
                });
                if better {
                    best = Some((slow, plan));
                }
            }
            if segment >= steps || log > budget as u64 {
                break;
            }
            segment = (2 * segment).min(steps);
        }
        best.map(|(_, plan)| plan).ok_or(GradientError::Budget {
            budget,
            needed: state + record(1),
        })
    }

    /// Forward steps per step of the run.
    pub fn recomputation(&self) -> f64 {
        self.forward_steps as f64 / self.steps.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every segment is reversed once, the last first, within the slots and from states that are there.
    #[test]
    fn schedules_reverse_every_segment_in_order() {
        for segments in 1..60 {
            for slots in 1..8 {
                for schedule in [
                    Schedule::new(segments, slots),
                    Schedule::from_start(segments, slots),
                ] {
                    let mut kept = schedule.kept().to_vec();
                    let mut next = segments;
                    for action in schedule {
                        match action {
                            Action::Keep(at) => {
                                assert!(at > *kept.last().unwrap() && at < next);
                                kept.push(at);
                                assert!(kept.len() as u64 <= slots);
                            }
                            Action::Reverse(at) => {
                                assert!(at + 1 == next && *kept.last().unwrap() <= at);
                                next = at;
                            }
                            Action::Drop => {
                                kept.pop();
                            }
                        }
                    }
                    assert_eq!(next, 0);
                }
            }
        }
    }

    /// Griewank and Walther's table: with s states, β(s, t) segments need at most t passes.
    #[test]
    fn cost_is_near_the_binomial_optimum() {
        // The optimum of advances, without the recording of each segment: t l - β(s + 1, t - 1).
        for (segments, slots) in [(100, 5), (1000, 10), (2500, 20), (2500, 50)] {
            let mut t = 1;
            while binomial(slots, t) < segments {
                t += 1;
            }
            let optimum = t * segments - binomial(slots + 1, t - 1);
            let found = cost(Schedule::new(segments, slots)) + segments;
            // The first way forward counts, and so does each recording.
            let all = optimum + 2 * segments;
            assert!(
                found as f64 <= 1.05 * all as f64,
                "{segments} {slots}: {found} {all}"
            );
        }
        assert_eq!(cost(Schedule::new(50, 50)), 50);
        // Without states from the first way forward, the last segment but one is advanced over once more.
        assert_eq!(cost(Schedule::from_start(50, 50)), 50 + 49);
    }
}
