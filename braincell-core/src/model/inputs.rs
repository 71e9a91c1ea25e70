//! The inputs of a model, for reports.

use super::Model;
use crate::input::Input;

/// An input from outside.
#[derive(Clone, Copy, Debug)]
pub struct ModelInput<'a> {
    /// Name of its signal.
    pub name: &'a str,
    /// Unit.
    pub unit: &'a str,
    /// The waveforms: one for all cells, or one for each.
    pub waveforms: &'a [Input],
}

impl ModelInput<'_> {
    /// Jump times after `from` and before `until`, ms, sorted, of the waveforms of all cells: at most `most` of them.
    pub fn jumps(&self, from: f64, until: f64, most: usize) -> Vec<f64> {
        let mut jumps = Vec::new();
        for waveform in self.waveforms {
            let own = std::iter::successors(Some(from), |&t| Some(waveform.next_jump(t)));
            let own = own.skip(1).take_while(|&t| t < until);
            jumps.extend(own.take(most));
        }
        jumps.sort_by(f64::total_cmp);
        jumps.dedup();
        jumps.truncate(most);
        jumps
    }
}

impl Model {
    /// The inputs from outside, in order.
    pub fn inputs(&self) -> impl Iterator<Item = ModelInput<'_>> {
        self.signals.iter().filter_map(|signal| {
            Some(ModelInput {
                name: &signal.name,
                unit: &signal.unit,
                waveforms: signal.input.as_deref()?,
            })
        })
    }
}
