//! Which inputs of a kernel are differentiated by together.

use super::Kernel;

/// Inputs of a kernel that change together: one input, or all states of kinetics. Each state's derivative depends on no
/// other state, so that one direction serves for all.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub mask: u64,
    /// The input, or the first of the states.
    first: usize,
    states: bool,
}

impl Column {
    /// The input that counts for result o.
    pub fn input(&self, o: usize) -> Option<usize> {
        let input = if self.states {
            self.first + o
        } else {
            self.first
        };
        (self.mask >> input & 1 == 1).then_some(input)
    }
}

/// The columns that some result needs.
pub(crate) fn columns(kernel: &dyn Kernel, useful: impl Fn(usize, usize) -> bool) -> Vec<Column> {
    let (inputs, outputs) = (kernel.inputs(), kernel.outputs());
    let arguments = inputs - kernel.relaxing_states().unwrap_or(0);
    let mut columns = Vec::new();
    for i in (0..arguments).filter(|&i| (0..outputs).any(|o| useful(o, i))) {
        columns.push(Column {
            mask: 1 << i,
            first: i,
            states: false,
        });
    }
    let states = (arguments..inputs).filter(|&i| useful(i - arguments, i));
    let mask = states.fold(0, |mask, i| mask | 1 << i);
    if mask != 0 {
        columns.push(Column {
            mask,
            first: arguments,
            states: true,
        });
    }
    columns
}
