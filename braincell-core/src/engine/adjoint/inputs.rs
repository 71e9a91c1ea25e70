//! Derivatives of inputs from outside with respect to their amplitudes.

use super::super::arena::Arena;
use super::super::exec::Clock;
use super::super::instr::Instr;
use super::Frame;

/// Calls `f(place, place of the amplitude, derivative)` for all numbers that an amplitude scales.
fn each(instr: &Instr, frame: &Frame, mut f: impl FnMut(usize, usize, f64)) {
    let Instr::Inputs { c } = instr else { return };
    let (layout, first) = (frame.context.layout, frame.context.first_cell);
    let &Clock { t, h, within, .. } = frame.context.clock;
    let t = if *c == 0.0 { t } else { c.mul_add(h, t) };
    for (s, info) in layout.model.signals.iter().enumerate() {
        let (Some(amplitude), Some(waveforms)) = (frame.extras.amplitudes[s], &info.input) else {
            continue;
        };
        let count = if waveforms.len() == 1 {
            1
        } else {
            layout.lanes
        };
        for lane in 0..count {
            let cell = if count == 1 && waveforms.len() == 1 {
                0
            } else {
                first + lane
            };
            let later = layout.later[lane];
            let (value, slope) = waveforms[cell].shape(t + later, within + later);
            f(layout.signals[s].offset + lane, amplitude + lane, value);
            if layout.slopes[s].len > 0 {
                f(layout.slopes[s].offset + lane, amplitude + lane, slope);
            }
        }
    }
}

pub(super) fn tangent(instr: &Instr, frame: &Frame, dots: &mut [Arena<f64>]) {
    for dot in dots {
        each(instr, frame, |at, amplitude, x| {
            dot[at] = x * dot[amplitude];
        });
    }
}

pub(super) fn adjoint(instr: &Instr, frame: &Frame, bar: &mut [f64]) {
    each(instr, frame, |at, amplitude, x| {
        let of = std::mem::take(&mut bar[at]);
        bar[amplitude] += x * of;
    });
}
