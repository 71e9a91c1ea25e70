//! Charts: lines through points on axes that may be logarithmic.

use super::canvas::{Canvas, GREY, GRID, INK, Point, Text};
use super::layout::{color, shortened};
use super::scale::Range;
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::{HPos, VPos};
use std::io;

/// Width and height in pixels.
pub(super) const SIZE: (u32, u32) = (1200, 840);
const TOP: f64 = 78.0;
const BOTTOM: f64 = 72.0;
const LEFT: f64 = 118.0;
const RIGHT: f64 = 30.0;
/// Width of a letter of the legend, and the room for line and marker.
const LETTER: f64 = 9.0;
const SAMPLE: f64 = 52.0;
/// Letters of a name in the legend.
const LETTERS: usize = 24;
/// Colours before they are repeated with another marker.
const COLORS: usize = 7;
/// Lines of the legend are so far apart at most.
const PITCH: f64 = 24.0;
const MARKER: f64 = 4.5;
/// The mark across the chart.
const MARK: RGBColor = RGBColor(0xb0, 0x00, 0x20);

/// An axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it shows, with unit.
    pub label: String,
    /// Whether it is logarithmic: values that are not positive are not drawn then.
    pub logarithmic: bool,
}

/// A line through points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// The points, in the order of the line; those that are not finite break it.
    pub points: Vec<(f64, f64)>,
    /// Whether the line is dashed.
    pub dashed: bool,
    /// Whether the points are marked.
    pub markers: bool,
}

/// A horizontal line across the chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Name, beside the line.
    pub name: String,
    /// Where it is.
    pub at: f64,
}

/// A chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// Title.
    pub title: String,
    /// A line below the title.
    pub subtitle: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines.
    pub series: Vec<Series>,
    /// Horizontal lines across.
    pub marks: Vec<Mark>,
    /// A point with a ring around it.
    pub ring: Option<(f64, f64)>,
}

impl Axis {
    /// Where a value is along the axis, before it is scaled; nothing if it cannot be drawn.
    fn place(&self, x: f64) -> Option<f64> {
        let place = if self.logarithmic { x.log10() } else { x };
        (place.is_finite() && (x > 0.0 || !self.logarithmic)).then_some(place)
    }

    fn ticks(&self, range: Range) -> Vec<(f64, String)> {
        if !self.logarithmic {
            return range.ticks(9.0);
        }
        let (low, high) = (range.low.floor() as i32, range.high.ceil() as i32);
        let every = (high - low) / 11 + 1;
        let leading: &[f64] = match high - low {
            ..=3 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let decades = (low..=high).filter(|k| k.rem_euclid(every) == 0);
        let ticks = decades.flat_map(|k| leading.iter().map(move |l| (*l, k)));
        let ticks = ticks.map(|(l, k)| ((l * 10f64.powi(k)).log10(), decimal(l, k)));
        ticks
            .filter(|(at, _)| (range.low..=range.high).contains(at))
            .collect()
    }
}

/// l · 10ᵏ as it is written.
fn decimal(l: f64, k: i32) -> String {
    match k {
        -3..=-1 => format!("{:.*}", k.unsigned_abs() as usize, l * 10f64.powi(k)),
        0..=4 => format!("{:.0}", l * 10f64.powi(k)),
        _ => format!("{l:.0}e{k}").replace('-', "\u{2212}"),
    }
}

struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Range,
    y: Range,
}

impl Frame {
    fn point(&self, x: f64, y: f64) -> Point {
        (
            self.left + self.x.fraction(x) * (self.right - self.left),
            self.bottom - self.y.fraction(y) * (self.bottom - self.top),
        )
    }
}

/// Draws a chart with its legend.
pub(super) fn draw<B: DrawingBackend>(chart: &Chart, canvas: &mut Canvas<B>) -> io::Result<()> {
    let (width, height) = (f64::from(SIZE.0), f64::from(SIZE.1));
    canvas.rectangle([(0.0, 0.0), (width, height)], RGBColor(255, 255, 255), true)?;
    let letters = chart.series.iter().map(|s| s.name.chars().count());
    let letters = letters.max().unwrap_or(0).min(LETTERS) as f64;
    let legend = match chart.series.len() {
        0 | 1 => 0.0,
        _ => SAMPLE + LETTER * letters,
    };
    let lines: Vec<Vec<Vec<(f64, f64)>>> = chart.series.iter().map(|s| pieces(chart, s)).collect();
    let points = || lines.iter().flatten().flatten();
    let marks = chart.marks.iter().filter_map(|m| chart.y.place(m.at));
    let frame = Frame {
        left: LEFT,
        right: width - RIGHT - legend,
        top: TOP,
        bottom: height - BOTTOM,
        x: Range::of(points().map(|p| p.0)).widened(0.03, 0.03),
        y: Range::of(points().map(|p| p.1).chain(marks)).widened(0.04, 0.04),
    };
    titles(chart, &frame, canvas)?;
    axes(chart, &frame, canvas)?;
    for mark in &chart.marks {
        let Some(y) = chart.y.place(mark.at) else {
            continue;
        };
        let (left, right) = (frame.point(frame.x.low, y), frame.point(frame.x.high, y));
        canvas.line(&[left, right], MARK, 1.6)?;
        let above = Text {
            color: MARK,
            horizontal: HPos::Right,
            vertical: VPos::Bottom,
            ..Text::centred(17.0)
        };
        canvas.text(&mark.name, (right.0 - 6.0, right.1 - 5.0), above)?;
    }
    // The first line is drawn last, above the others.
    for (i, (series, pieces)) in chart.series.iter().zip(&lines).enumerate().rev() {
        for piece in pieces {
            let path: Vec<Point> = piece.iter().map(|&(x, y)| frame.point(x, y)).collect();
            stroke(&path, series.dashed, color(i), canvas)?;
            if series.markers {
                for &at in &path {
                    marker(i, at, canvas)?;
                }
            }
        }
    }
    if let Some((x, y)) = chart.ring
        && let (Some(x), Some(y)) = (chart.x.place(x), chart.y.place(y))
    {
        ring(frame.point(x, y), canvas)?;
    }
    names(chart, &frame, canvas)?;
    canvas.finish()
}

/// The pieces of a line between points that cannot be drawn, in the places of their points along the axes.
fn pieces(chart: &Chart, series: &Series) -> Vec<Vec<(f64, f64)>> {
    let places = series.points.iter();
    let places = places.map(|&(x, y)| Some((chart.x.place(x)?, chart.y.place(y)?)));
    let places: Vec<Option<(f64, f64)>> = places.collect();
    let pieces = places.split(Option::is_none);
    let pieces = pieces.map(|piece| piece.iter().copied().flatten().collect::<Vec<_>>());
    pieces.filter(|piece| !piece.is_empty()).collect()
}

fn titles<B: DrawingBackend>(
    chart: &Chart,
    frame: &Frame,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    let centre = (frame.left + frame.right) / 2.0;
    canvas.text(
        &shortened(&chart.title, 70),
        (centre, 28.0),
        Text::centred(26.0),
    )?;
    let below = Text {
        color: GREY,
        ..Text::centred(17.0)
    };
    canvas.text(&shortened(&chart.subtitle, 110), (centre, 55.0), below)
}

fn axes<B: DrawingBackend>(chart: &Chart, frame: &Frame, canvas: &mut Canvas<B>) -> io::Result<()> {
    let Frame {
        left,
        right,
        top,
        bottom,
        ..
    } = *frame;
    let beside = Text {
        horizontal: HPos::Right,
        ..Text::centred(18.0)
    };
    for (value, text) in chart.y.ticks(frame.y) {
        let y = frame.point(frame.x.low, value).1;
        canvas.line(&[(left, y), (right, y)], GRID, 1.0)?;
        canvas.text(&text, (left - 9.0, y), beside)?;
    }
    for (value, text) in chart.x.ticks(frame.x) {
        let x = frame.point(value, frame.y.low).0;
        canvas.line(&[(x, top), (x, bottom)], GRID, 1.0)?;
        canvas.text(&text, (x, bottom + 18.0), Text::centred(18.0))?;
    }
    canvas.line(&[(left, top), (left, bottom), (right, bottom)], INK, 1.2)?;
    let upward = Text {
        upward: true,
        ..Text::centred(20.0)
    };
    let label = shortened(&chart.y.label, 60);
    canvas.text(&label, (28.0, (top + bottom) / 2.0), upward)?;
    let below = ((left + right) / 2.0, bottom + 48.0);
    canvas.text(&shortened(&chart.x.label, 70), below, Text::centred(20.0))
}

/// A line, or its dashes.
fn stroke<B: DrawingBackend>(
    path: &[Point],
    dashed: bool,
    color: RGBColor,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    const DASH: f64 = 7.0;
    if path.len() < 2 {
        return Ok(());
    }
    if !dashed {
        return canvas.line(path, color, 1.8);
    }
    // How far along the pattern of dashes and gaps the last piece ended.
    let mut along = 0.0;
    for pair in path.windows(2) {
        let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        let length = dx.hypot(dy);
        let at = |d: f64| (pair[0].0 + dx * d / length, pair[0].1 + dy * d / length);
        let mut from = 0.0;
        while from < length {
            let phase = (along + from) % (2.0 * DASH);
            let (end, drawn) = match phase < DASH {
                true => (from + DASH - phase, true),
                false => (from + 2.0 * DASH - phase, false),
            };
            let end = end.max(from + 1e-3).min(length);
            if drawn {
                canvas.line(&[at(from), at(end)], color, 1.8)?;
            }
            from = end;
        }
        along += length;
    }
    Ok(())
}

/// The marker of series i: another shape after each round of colours.
fn marker<B: DrawingBackend>(i: usize, (x, y): Point, canvas: &mut Canvas<B>) -> io::Result<()> {
    let (r, color) = (MARKER, color(i));
    match (i / COLORS) % 4 {
        0 => canvas.disc((x, y), r, color),
        1 => canvas.rectangle([(x - r, y - r), (x + r, y + r)], color, true),
        2 => {
            let r = 1.35 * r;
            canvas.polygon(&[(x - r, y + r), (x + r, y + r), (x, y - r)], color)
        }
        _ => {
            let r = 1.35 * r;
            canvas.polygon(&[(x - r, y), (x, y - r), (x + r, y), (x, y + r)], color)
        }
    }
}

fn ring<B: DrawingBackend>((x, y): Point, canvas: &mut Canvas<B>) -> io::Result<()> {
    const CORNERS: usize = 36;
    let corner = |k: usize| {
        let angle = std::f64::consts::TAU * k as f64 / CORNERS as f64;
        (x + 12.0 * angle.cos(), y + 12.0 * angle.sin())
    };
    let path: Vec<Point> = (0..=CORNERS).map(corner).collect();
    canvas.line(&path, MARK, 2.4)
}

fn names<B: DrawingBackend>(
    chart: &Chart,
    frame: &Frame,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    if chart.series.len() < 2 {
        return Ok(());
    }
    let rows = chart.series.len() as f64;
    let pitch = ((frame.bottom - frame.top) / rows).min(PITCH);
    let beside = Text {
        horizontal: HPos::Left,
        ..Text::centred((0.8 * pitch).min(18.0))
    };
    let left = frame.right + 16.0;
    for (i, series) in chart.series.iter().enumerate() {
        let y = frame.top + (i as f64 + 0.5) * pitch;
        stroke(
            &[(left, y), (left + 28.0, y)],
            series.dashed,
            color(i),
            canvas,
        )?;
        if series.markers {
            marker(i, (left + 14.0, y), canvas)?;
        }
        canvas.text(&shortened(&series.name, LETTERS), (left + 36.0, y), beside)?;
    }
    Ok(())
}
