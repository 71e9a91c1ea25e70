//! Panels, axes, traces, legends and titles.

use super::super::{Column, Events, Table};
use super::canvas::{Canvas, GREY, GRID, INK, Point, Text};
use super::scale::{Range, polylines};
use braincell_core::units::Unit;
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::{HPos, VPos};
use std::io;

/// Colours of the traces: those of Okabe and Ito without the yellow, which is faint on white.
/// <https://jfly.uni-koeln.de/color/>
pub(super) const COLORS: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x00, 0x00, 0x00),
];
/// Traces that the legend names.
const LEGEND: usize = 12;
/// Characters of a name in the legend.
const LEGEND_LETTERS: usize = 20;
/// Characters of a title.
const TITLE_LETTERS: usize = 80;

pub(super) const TITLE_SIZE: f64 = 28.0;
const SUBTITLE_SIZE: f64 = 18.0;
pub(super) const LABEL_SIZE: f64 = 22.0;
pub(super) const TICK_SIZE: f64 = 19.0;
const TRACE_WIDTH: f64 = 1.8;
pub(super) const AXIS_WIDTH: f64 = 1.2;

/// Pixels around and between the panels.
const TOP: f64 = 74.0;
const BOTTOM: f64 = 66.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 34.0;
const GAP: f64 = 26.0;
/// Width of a letter of tick labels and legends, at most.
const LETTER: f64 = 9.5;
/// Height of the ticks of events, and of all their rows together at most.
const EVENT_HEIGHT: f64 = 12.0;
const EVENTS_HEIGHT: f64 = 60.0;

/// The area of a panel, and the ranges along its sides.
#[derive(Clone, Copy)]
struct Panel {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    time: Range,
    values: Range,
}

impl Panel {
    fn x(&self, time: f64) -> f64 {
        self.left + self.time.fraction(time) * (self.right - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - self.values.fraction(value) * (self.bottom - self.top)
    }
}

/// Draws the plot.
pub(super) fn draw<B: DrawingBackend>(
    table: &Table,
    panels: &[Vec<&Column>],
    (width, height): Point,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    canvas.rectangle([(0.0, 0.0), (width, height)], RGBColor(255, 255, 255), true)?;
    let times = table.time.iter().copied();
    let event_times = table.events.iter().flat_map(|e| e.times.iter().copied());
    let time = Range::of(times.chain(event_times));
    let count = panels.len() as f64;
    let panel_height = (height - TOP - BOTTOM - GAP * (count - 1.0)) / count;
    let ticks = (panel_height / 42.0).clamp(2.0, 8.0);
    let with_events = panels.iter().position(|columns| is_voltage(columns));
    let with_events = with_events.unwrap_or(0);
    let rows = table.events.len() as f64;
    let strip = (rows * (EVENT_HEIGHT + 4.0)).min(EVENTS_HEIGHT);
    let ranges: Vec<Range> = (0..panels.len())
        .map(|i| {
            let values = panels[i].iter().flat_map(|c| c.values.iter().copied());
            let strip = if i == with_events { strip } else { 0.0 };
            Range::of(values).widened(0.05, 0.05 + 1.15 * strip / (panel_height - strip))
        })
        .collect();
    let labels = ranges.iter().flat_map(|range| range.ticks(ticks));
    let letters = labels.map(|(_, label)| label.chars().count()).max();
    let left = LEFT + LETTER * letters.unwrap_or(0) as f64;
    let right = width - RIGHT - legend_width(panels);
    titles(table, (left + right) / 2.0, canvas)?;
    for (i, columns) in panels.iter().enumerate() {
        let top = TOP + i as f64 * (panel_height + GAP);
        let panel = Panel {
            left,
            top,
            right,
            bottom: top + panel_height,
            time,
            values: ranges[i],
        };
        axes(
            &panel,
            ticks,
            &label(columns),
            i + 1 == panels.len(),
            canvas,
        )?;
        traces(&table.time, columns, &panel, canvas)?;
        if i == with_events {
            ticks_of_events(&table.events, columns, strip, &panel, canvas)?;
        }
        legend(columns, &panel, canvas)?;
    }
    canvas.finish()
}

/// Title, solver and whether the run was cut short.
fn titles<B: DrawingBackend>(table: &Table, centre: f64, canvas: &mut Canvas<B>) -> io::Result<()> {
    let metadata = &table.metadata;
    canvas.text(
        &shortened(&table.title, TITLE_LETTERS),
        (centre, 28.0),
        Text::centred(TITLE_SIZE),
    )?;
    let mut parts = Vec::new();
    if !metadata.solver.is_empty() {
        parts.push(metadata.solver.clone());
    }
    if let Some(dt) = metadata.dt {
        parts.push(format!("time step {dt} ms"));
    }
    let mut style = Text {
        color: GREY,
        ..Text::centred(SUBTITLE_SIZE)
    };
    if let (false, Some(message)) = (metadata.complete, &metadata.message) {
        parts.push(format!("ended early: {message}"));
        style.color = COLORS[1];
    }
    canvas.text(&shortened(&parts.join(", "), 120), (centre, 54.0), style)
}

/// Grid, frame, tick labels and axis labels.
fn axes<B: DrawingBackend>(
    panel: &Panel,
    ticks: f64,
    label: &str,
    last: bool,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    let Panel {
        left,
        top,
        right,
        bottom,
        ..
    } = *panel;
    let beside = Text {
        horizontal: HPos::Right,
        ..Text::centred(TICK_SIZE)
    };
    for (value, text) in panel.values.ticks(ticks) {
        let y = panel.y(value);
        canvas.line(&[(left, y), (right, y)], GRID, 1.0)?;
        canvas.line(&[(left - 5.0, y), (left, y)], INK, AXIS_WIDTH)?;
        canvas.text(&text, (left - 9.0, y), beside)?;
    }
    for (value, text) in panel.time.ticks(10.0) {
        let x = panel.x(value);
        canvas.line(&[(x, top), (x, bottom)], GRID, 1.0)?;
        canvas.line(&[(x, bottom), (x, bottom + 5.0)], INK, AXIS_WIDTH)?;
        if last {
            canvas.text(&text, (x, bottom + 19.0), Text::centred(TICK_SIZE))?;
        }
    }
    let corner = [(left, top), (left, bottom), (right, bottom)];
    canvas.line(&corner[..2], INK, AXIS_WIDTH)?;
    canvas.line(&corner[1..], INK, AXIS_WIDTH)?;
    let upward = Text {
        upward: true,
        ..Text::centred(LABEL_SIZE)
    };
    canvas.text(label, (26.0, (top + bottom) / 2.0), upward)?;
    if last {
        let below = ((left + right) / 2.0, bottom + 48.0);
        canvas.text("time t [ms]", below, Text::centred(LABEL_SIZE))?;
    }
    Ok(())
}

fn traces<B: DrawingBackend>(
    time: &[f64],
    columns: &[&Column],
    panel: &Panel,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    let pixels = (panel.right - panel.left) as usize;
    // The first trace is drawn last, above the others.
    for (i, column) in columns.iter().enumerate().rev() {
        for line in polylines(time, &column.values, panel.time, pixels) {
            let points: Vec<Point> = line
                .iter()
                .map(|&(t, v)| (panel.x(t), panel.y(v)))
                .collect();
            canvas.line(&points, color(i), TRACE_WIDTH)?;
        }
    }
    Ok(())
}

/// One row of ticks for each kind of events, in the colour of the column of the same name.
fn ticks_of_events<B: DrawingBackend>(
    events: &[Events],
    columns: &[&Column],
    strip: f64,
    panel: &Panel,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    let pitch = strip / events.len().max(1) as f64;
    for (i, events) in events.iter().enumerate() {
        let column = columns.iter().position(|c| c.name == events.label);
        let top = panel.top + i as f64 * pitch;
        let mut xs: Vec<i64> = events
            .times
            .iter()
            .filter(|t| t.is_finite())
            .map(|&t| (2.0 * panel.x(t)).round() as i64)
            .collect();
        xs.sort_unstable();
        xs.dedup();
        for x in xs.into_iter().map(|x| x as f64 / 2.0) {
            let ends = [
                (x, top),
                (x, top + pitch * EVENT_HEIGHT / (EVENT_HEIGHT + 4.0)),
            ];
            canvas.line(&ends, column.map_or(INK, color), 2.0)?;
        }
    }
    Ok(())
}

/// Names of the traces, to the right of the panel.
fn legend<B: DrawingBackend>(
    columns: &[&Column],
    panel: &Panel,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    if columns.len() < 2 {
        return Ok(());
    }
    let rows = columns.len().min(LEGEND + 1) as f64;
    let pitch = ((panel.bottom - panel.top) / rows).min(24.0);
    let beside = Text {
        horizontal: HPos::Left,
        vertical: VPos::Center,
        ..Text::centred(TICK_SIZE.min(0.9 * pitch))
    };
    let left = panel.right + 18.0;
    for (i, column) in columns.iter().take(LEGEND).enumerate() {
        let y = panel.top + (i as f64 + 0.5) * pitch;
        canvas.line(&[(left, y), (left + 26.0, y)], color(i), 3.0)?;
        let name = shortened(&column.name, LEGEND_LETTERS);
        canvas.text(&name, (left + 34.0, y), beside)?;
    }
    if columns.len() > LEGEND {
        let y = panel.top + (LEGEND as f64 + 0.5) * pitch;
        let more = format!("… and {} more", columns.len() - LEGEND);
        canvas.text(&more, (left, y), beside)?;
    }
    Ok(())
}

/// Room for the longest legend; none without one.
fn legend_width(panels: &[Vec<&Column>]) -> f64 {
    let with_legend = panels.iter().filter(|columns| columns.len() > 1);
    let letters = with_legend.map(|columns| {
        let names = columns.iter().take(LEGEND).map(|c| c.name.chars().count());
        let more = if columns.len() > LEGEND { 12 } else { 0 };
        names.max().unwrap_or(0).min(LEGEND_LETTERS).max(more)
    });
    letters.max().map_or(0.0, |n| 44.0 + LETTER * n as f64)
}

/// The colour of a trace: darker from the second round on.
pub(super) fn color(i: usize) -> RGBColor {
    let RGBColor(r, g, b) = COLORS[i % COLORS.len()];
    match (i / COLORS.len()) % 2 {
        0 => RGBColor(r, g, b),
        _ if (r, g, b) == (0, 0, 0) => RGBColor(0x88, 0x88, 0x88),
        _ => RGBColor(r / 2, g / 2, b / 2),
    }
}

fn is_voltage(columns: &[&Column]) -> bool {
    let unit = columns.first().and_then(|c| Unit::parse(&c.unit).ok());
    unit.is_some_and(|unit| unit.dimension_name() == "a voltage")
}

/// Label of the value axis: what the columns are, and their unit.
fn label(columns: &[&Column]) -> String {
    let Some(first) = columns.first() else {
        return String::new();
    };
    let potential = |column: &&Column| column.name == "V" || column.name.starts_with("V[");
    let voltages = is_voltage(columns) && columns.iter().all(potential);
    let dimension = Unit::parse(&first.unit).map(|u| u.dimension_name());
    let dimension = dimension.ok().and_then(|name| {
        let name = name
            .strip_prefix("a ")
            .or_else(|| name.strip_prefix("an "))?;
        (!name.starts_with("number") && !name.starts_with("quantity in")).then(|| name.to_owned())
    });
    let joined: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
    let what = match (columns.len(), dimension) {
        (1, _) if voltages => format!("membrane potential {}", first.name),
        (1, _) => first.name.clone(),
        (_, _) if voltages => "membrane potential".to_owned(),
        (_, Some(dimension)) => dimension,
        (2..=4, None) => joined.join(", "),
        (_, None) => "value".to_owned(),
    };
    let what = shortened(&what, 28);
    match first.unit.as_str() {
        "" | "1" => what,
        unit => format!("{what} [{}]", shortened(&printed(unit), 14)),
    }
}

/// A unit with superscripts and µ.
pub(super) fn printed(unit: &str) -> String {
    let mut result = String::new();
    let mut before = ' ';
    for c in unit.chars() {
        match c {
            '^' => {}
            '2' if before.is_alphabetic() || before == '^' => result.push('²'),
            '3' if before.is_alphabetic() || before == '^' => result.push('³'),
            _ => result.push(c),
        }
        before = c;
    }
    if Unit::parse(&result).ok() != Unit::parse(unit).ok() {
        return unit.to_owned();
    }
    let micro = |word: &str| match word.strip_prefix('u') {
        Some(rest) if !rest.is_empty() => format!("µ{rest}"),
        _ => word.to_owned(),
    };
    let words: Vec<String> = result.split('/').map(micro).collect();
    words.join("/")
}

/// At most `letters` characters on one line.
pub(super) fn shortened(text: &str, letters: usize) -> String {
    let mut result: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(letters)
        .collect();
    if text.chars().nth(letters).is_some() {
        result.pop();
        result.push('…');
    }
    result
}
