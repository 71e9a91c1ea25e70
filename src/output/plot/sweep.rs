//! What came out of a sweep, over what was swept.

use super::canvas::{Canvas, GREY, GRID, INK, Point, Text};
use super::layout::{AXIS_WIDTH, COLORS, LABEL_SIZE, TICK_SIZE, TITLE_SIZE, printed, shortened};
use super::scale::Range;
use super::shape::{bar, of_fraction};
use crate::experiment::{Axis, Combination, Sweep};
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::HPos;
use std::io;

/// Width and height in pixels.
pub(super) const SIZE: (u32, u32) = (1200, 700);
/// Pixels around the area, and the room for a bar of colours.
const LEFT: f64 = 118.0;
const RIGHT: f64 = 44.0;
const TOP: f64 = 74.0;
const BOTTOM: f64 = 84.0;
const BAR: f64 = 170.0;
/// Radius of a dot for one value.
const DOT: f64 = 4.5;

/// Numbers that came out of a sweep over one or two quantities, to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct SweepPlot<'a> {
    /// Title.
    pub title: &'a str,
    /// What was swept.
    pub sweep: &'a Sweep,
    /// What the numbers are.
    pub label: &'a str,
    /// Their unit.
    pub unit: &'a str,
    /// A number for each cell; those that are not finite are left out.
    pub values: &'a [f64],
}

/// A direction of the area: values of an axis to pixels.
struct Scale {
    range: Range,
    logarithmic: bool,
    from: f64,
    to: f64,
}

impl Scale {
    fn new(axis: &Axis, margin: f64, (from, to): Point) -> Self {
        let logarithmic = axis.logarithmic && axis.values.iter().all(|&x| x > 0.0);
        let on = |x: f64| if logarithmic { x.log10() } else { x };
        let range = Range::of(axis.values.iter().map(|&x| on(x)));
        Self {
            range: range.widened(margin, margin),
            logarithmic,
            from,
            to,
        }
    }

    /// The number that is drawn to scale.
    fn on(&self, x: f64) -> f64 {
        if self.logarithmic { x.log10() } else { x }
    }

    fn pixel(&self, on: f64) -> f64 {
        self.from + self.range.fraction(on) * (self.to - self.from)
    }

    /// Places and labels of round values.
    fn ticks(&self, count: f64) -> Vec<(f64, String)> {
        let plain = self.range.ticks(count);
        if !self.logarithmic {
            return plain
                .into_iter()
                .map(|(x, text)| (self.pixel(x), text))
                .collect();
        }
        let decades = self.range.high - self.range.low;
        let leading: &[f64] = match decades {
            d if d < 1.0 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
            d if d < 3.0 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let mut found = Vec::new();
        let every = (decades / 12.0).ceil().max(1.0) as usize;
        let (low, high) = (self.range.low.floor() as i32, self.range.high.ceil() as i32);
        for power in (low..=high).step_by(every) {
            for lead in leading {
                let value = lead * 10f64.powi(power);
                let at = value.log10();
                if (self.range.low..=self.range.high).contains(&at) {
                    let text = match power {
                        -4..=5 => value.to_string(),
                        _ => format!("{value:e}"),
                    };
                    found.push((self.pixel(at), text.replace('-', "\u{2212}")));
                }
            }
        }
        found
    }
}

/// `name [unit]`
fn named(name: &str, unit: &str) -> String {
    let name = shortened(name, 40);
    match unit {
        "" | "1" => name,
        unit => format!("{name} [{}]", shortened(&printed(unit), 16)),
    }
}

/// Draws numbers over one quantity as a line, over two as a map of colours.
pub(super) fn draw<B: DrawingBackend>(plot: &SweepPlot, canvas: &mut Canvas<B>) -> io::Result<()> {
    let (width, height) = (f64::from(SIZE.0), f64::from(SIZE.1));
    canvas.rectangle([(0.0, 0.0), (width, height)], RGBColor(255, 255, 255), true)?;
    let title = shortened(plot.title, 80);
    canvas.text(&title, (width / 2.0, 32.0), Text::centred(TITLE_SIZE))?;
    match &plot.sweep.axes[..] {
        [x] => line(plot, x, (width - RIGHT, height - BOTTOM), canvas)?,
        [x, y, ..] => map(plot, [x, y], (width - RIGHT - BAR, height - BOTTOM), canvas)?,
        [] => {}
    }
    canvas.finish()
}

/// Frame, ticks and labels.
fn frame<B: DrawingBackend>(
    [x, y]: [&Scale; 2],
    [below, beside]: [&str; 2],
    grid: bool,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    for (at, text) in y.ticks(9.0) {
        if grid {
            canvas.line(&[(x.from, at), (x.to, at)], GRID, 1.0)?;
        }
        canvas.line(&[(x.from - 5.0, at), (x.from, at)], INK, AXIS_WIDTH)?;
        let style = Text {
            horizontal: HPos::Right,
            ..Text::centred(TICK_SIZE)
        };
        canvas.text(&text, (x.from - 9.0, at), style)?;
    }
    for (at, text) in x.ticks(10.0) {
        if grid {
            canvas.line(&[(at, y.to), (at, y.from)], GRID, 1.0)?;
        }
        canvas.line(&[(at, y.from), (at, y.from + 5.0)], INK, AXIS_WIDTH)?;
        canvas.text(&text, (at, y.from + 20.0), Text::centred(TICK_SIZE))?;
    }
    canvas.line(&[(x.from, y.to), (x.from, y.from)], INK, AXIS_WIDTH)?;
    canvas.line(&[(x.from, y.from), (x.to, y.from)], INK, AXIS_WIDTH)?;
    let middle = ((x.from + x.to) / 2.0, (y.from + y.to) / 2.0);
    canvas.text(below, (middle.0, y.from + 54.0), Text::centred(LABEL_SIZE))?;
    let upward = Text {
        upward: true,
        ..Text::centred(LABEL_SIZE)
    };
    canvas.text(beside, (30.0, middle.1), upward)
}

fn line<B: DrawingBackend>(
    plot: &SweepPlot,
    axis: &Axis,
    (right, bottom): Point,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    let x = Scale::new(axis, 0.02, (LEFT, right));
    let finite = plot.values.iter().copied().filter(|v| v.is_finite());
    let range = Range::of(finite);
    // What cannot be negative, and is not far from zero, is drawn from zero on.
    let from_zero = range.low >= 0.0 && range.low < 0.5 * range.high;
    let range = match from_zero {
        true => Range { low: 0.0, ..range }.widened(0.0, 0.06),
        false => range.widened(0.06, 0.06),
    };
    let y = Scale {
        range,
        logarithmic: false,
        from: bottom,
        to: TOP,
    };
    let labels = [
        &named(&axis.name, &axis.unit),
        &named(plot.label, plot.unit),
    ];
    frame([&x, &y], labels.map(String::as_str), true, canvas)?;
    let mut points: Vec<(f64, f64)> = axis
        .values
        .iter()
        .copied()
        .zip(plot.values.iter().copied())
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let place = |&(a, b): &(f64, f64)| (x.pixel(x.on(a)), y.pixel(b));
    if plot.sweep.combination != Combination::Random {
        for run in points.split(|(_, value)| !value.is_finite()) {
            let run: Vec<Point> = run.iter().map(place).collect();
            if !run.is_empty() {
                canvas.line(&run, COLORS[0], 2.0)?;
            }
        }
    }
    let apart = (right - LEFT) / points.len() as f64;
    let radius = DOT.min(0.4 * apart).max(1.5);
    for point in points.iter().filter(|(_, value)| value.is_finite()) {
        canvas.disc(place(point), radius, COLORS[0])?;
    }
    Ok(())
}

/// Borders halfway between neighbours.
fn borders(sorted: &[f64]) -> Vec<f64> {
    let [first, .., last] = sorted else {
        return sorted.iter().flat_map(|x| [x - 0.5, x + 0.5]).collect();
    };
    let n = sorted.len();
    let inner = sorted.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]));
    let mut all = vec![first - 0.5 * (sorted[1] - first)];
    all.extend(inner);
    all.push(last + 0.5 * (last - sorted[n - 2]));
    all
}

fn map<B: DrawingBackend>(
    plot: &SweepPlot,
    axes: [&Axis; 2],
    (right, bottom): Point,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    let colors = Range::of(plot.values.iter().copied().filter(|v| v.is_finite()));
    let color = |value: f64| match value.is_finite() {
        true => of_fraction(colors.fraction(value)),
        false => GREY,
    };
    let grid = plot.sweep.combination == Combination::Product;
    let margin = if grid { 0.0 } else { 0.03 };
    let mut scales = [
        Scale::new(axes[0], margin, (LEFT, right)),
        Scale::new(axes[1], margin, (bottom, TOP)),
    ];
    let mut edges = [Vec::new(), Vec::new()];
    if grid {
        for k in 0..2 {
            let mut own: Vec<f64> = axes[k].values.iter().map(|&x| scales[k].on(x)).collect();
            own.sort_by(f64::total_cmp);
            own.dedup();
            edges[k] = borders(&own);
            let (low, high) = (edges[k][0], edges[k][edges[k].len() - 1]);
            scales[k].range = Range { low, high };
        }
    }
    let [x, y] = &scales;
    let cells = axes[0].values.iter().zip(&axes[1].values).zip(plot.values);
    for ((&a, &b), &value) in cells {
        let (a, b) = (x.on(a), y.on(b));
        if grid {
            let around = |edges: &[f64], at: f64| {
                let above = edges
                    .partition_point(|&edge| edge <= at)
                    .clamp(1, edges.len() - 1);
                [edges[above - 1], edges[above]]
            };
            let (across, up) = (around(&edges[0], a), around(&edges[1], b));
            let corners = [(across[0], up[1]), (across[1], up[0])];
            let corners = corners.map(|(a, b)| (x.pixel(a), y.pixel(b)));
            canvas.rectangle(corners, color(value), true)?;
        } else {
            canvas.disc((x.pixel(a), y.pixel(b)), DOT, color(value))?;
        }
    }
    let labels = axes.map(|axis| named(&axis.name, &axis.unit));
    let labels = [labels[0].as_str(), labels[1].as_str()];
    frame([x, y], labels, false, canvas)?;
    bar(colors, &named(plot.label, plot.unit), right + 40.0, canvas)
}
