//! Shapes of cells.

use super::canvas::{Canvas, GREY, INK, Point, Text};
use super::scale::Range;
use crate::cells::discretisation::Discretisation;
use crate::cells::morphology::{BranchType, Morphology};
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::{HPos, VPos};
use std::collections::BTreeSet;
use std::io;

/// Width and height in pixels.
pub(super) const SIZE: (u32, u32) = (1200, 900);
/// Pixels around the shape; at the right the legend.
const MARGIN: f64 = 60.0;
const TOP: f64 = 74.0;
const LEGEND: f64 = 190.0;
/// The thinnest line, in pixels.
const THINNEST: f64 = 1.0;

/// What the colours of a shape show.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// The types of the branches.
    Types,
    /// A number for each control volume.
    Values {
        /// The control volumes.
        of: &'a Discretisation,
        /// One number for each.
        values: &'a [f64],
        /// What they are, with unit.
        label: &'a str,
    },
}

/// The shape of a cell, to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// Title.
    pub title: &'a str,
    /// The branches.
    pub morphology: &'a Morphology,
    /// What the colours show.
    pub shown: Shown<'a>,
}

/// The colour of a type of branches.
fn of_type(kind: BranchType) -> RGBColor {
    match kind {
        BranchType::Soma => RGBColor(0x22, 0x22, 0x22),
        BranchType::Axon => RGBColor(0xd5, 0x5e, 0x00),
        BranchType::BasalDendrite => RGBColor(0x00, 0x72, 0xb2),
        BranchType::ApicalDendrite => RGBColor(0xcc, 0x79, 0xa7),
        BranchType::Custom(_) => RGBColor(0x00, 0x9e, 0x73),
    }
}

/// The colour of a fraction: from violet over green to yellow, equally spaced points of the map "viridis" of
/// N. Smith and S. van der Walt.
pub(super) fn of_fraction(fraction: f64) -> RGBColor {
    const MAP: [[f64; 3]; 6] = [
        [68.0, 1.0, 84.0],
        [65.0, 68.0, 135.0],
        [42.0, 120.0, 142.0],
        [34.0, 168.0, 132.0],
        [122.0, 209.0, 81.0],
        [223.0, 217.0, 37.0],
    ];
    let at = fraction.clamp(0.0, 1.0) * (MAP.len() - 1) as f64;
    let k = (at as usize).min(MAP.len() - 2);
    let mix = |c: usize| (MAP[k][c] + (at - k as f64) * (MAP[k + 1][c] - MAP[k][c])).round() as u8;
    RGBColor(mix(0), mix(1), mix(2))
}

/// A piece of a branch of one colour.
struct Piece {
    from: [f64; 3],
    to: [f64; 3],
    radii: [f64; 2],
    color: RGBColor,
    /// Whether its ends are rounded, so that it meets its neighbours.
    round: bool,
}

fn pieces(shape: &Shape, range: Range) -> Vec<Piece> {
    let mut all = Vec::new();
    for (b, branch) in shape.morphology.branches().iter().enumerate() {
        let mut borders: Vec<f64> = branch.ends().collect();
        if let Shown::Values { of, .. } = shape.shown {
            borders.extend(of.branch_cvs()[b].clone().map(|cv| of.cvs()[cv].prox));
        }
        borders.sort_by(f64::total_cmp);
        borders.dedup();
        for pair in borders.windows(2) {
            let middle = 0.5 * (pair[0] + pair[1]);
            let color = match shape.shown {
                Shown::Types => of_type(branch.kind()),
                Shown::Values { of, values, .. } => match of.cv_at(b, middle) {
                    Ok(cv) => of_fraction(range.fraction(values[cv])),
                    Err(_) => GREY,
                },
            };
            all.push(Piece {
                from: branch.point_at(pair[0]),
                to: branch.point_at(pair[1]),
                // Just inside, where the radius may jump.
                radii: [0.999, 0.001].map(|w| branch.radius_at(w * pair[0] + (1.0 - w) * pair[1])),
                color,
                round: branch.kind() != BranchType::Soma || branch.frusta().len() > 1,
            });
        }
    }
    // Thick pieces below thin ones.
    all.sort_by(|a, b| b.thickness().total_cmp(&a.thickness()));
    all
}

impl Piece {
    fn thickness(&self) -> f64 {
        self.radii[0].max(self.radii[1])
    }
}

/// A truncated cone seen from the side, its ends rounded or flat.
fn cone<B: DrawingBackend>(
    ends: [Point; 2],
    radii: [f64; 2],
    piece: &Piece,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    let radii = radii.map(|r| r.max(THINNEST / 2.0));
    let (dx, dy) = (ends[1].0 - ends[0].0, ends[1].1 - ends[0].1);
    let length = dx.hypot(dy);
    if length > 0.0 {
        let corner = |k: usize, side: f64| {
            let r = side * radii[k] / length;
            (ends[k].0 - r * dy, ends[k].1 + r * dx)
        };
        let corners = [
            corner(0, 1.0),
            corner(1, 1.0),
            corner(1, -1.0),
            corner(0, -1.0),
        ];
        canvas.polygon(&corners, piece.color)?;
    }
    if piece.round {
        for k in 0..2 {
            canvas.disc(ends[k], radii[k], piece.color)?;
        }
    }
    Ok(())
}

/// Draws a shape with its legend and scale bar.
pub(super) fn draw<B: DrawingBackend>(shape: &Shape, canvas: &mut Canvas<B>) -> io::Result<()> {
    let (width, height) = (f64::from(SIZE.0), f64::from(SIZE.1));
    canvas.rectangle([(0.0, 0.0), (width, height)], RGBColor(255, 255, 255), true)?;
    let title = Text {
        vertical: VPos::Top,
        ..Text::centred(28.0)
    };
    canvas.text(shape.title, (width / 2.0, 22.0), title)?;
    let range = match shape.shown {
        Shown::Types => Range::of(std::iter::empty()),
        Shown::Values { values, .. } => Range::of(values.iter().copied()),
    };
    let pieces = pieces(shape, range);
    let extent = |axis: usize| {
        let ends = pieces.iter().flat_map(|p| [(p.from, p), (p.to, p)]);
        let sides =
            ends.flat_map(|(end, p)| [end[axis] - p.thickness(), end[axis] + p.thickness()]);
        Range::of(sides)
    };
    let extents = [0, 1, 2].map(extent);
    let size = |axis: usize| extents[axis].high - extents[axis].low;
    let mut axes = [0, 1, 2];
    axes.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
    let (mut across, mut up) = (axes[0].min(axes[1]), axes[0].max(axes[1]));
    // The picture is wider than high.
    if size(up) > 1.5 * size(across) {
        std::mem::swap(&mut across, &mut up);
    }
    let room = (width - 2.0 * MARGIN - LEGEND, height - TOP - 2.0 * MARGIN);
    let scale = (room.0 / size(across)).min(room.1 / size(up));
    let middle = (MARGIN + room.0 / 2.0, TOP + room.1 / 2.0);
    let place = |p: [f64; 3]| -> Point {
        let centre = |axis: usize| 0.5 * (extents[axis].low + extents[axis].high);
        (
            middle.0 + (p[across] - centre(across)) * scale,
            middle.1 - (p[up] - centre(up)) * scale,
        )
    };
    for piece in &pieces {
        let ends = [place(piece.from), place(piece.to)];
        cone(ends, piece.radii.map(|r| r * scale), piece, canvas)?;
    }
    let left = width - LEGEND;
    match shape.shown {
        Shown::Types => types(shape, left, canvas)?,
        Shown::Values { label, .. } => bar(range, label, left, canvas)?,
    }
    let names = ["x", "y", "z"];
    let plane = format!("{}-{} plane", names[across], names[up]);
    scale_bar(scale, &plane, height - MARGIN, canvas)?;
    canvas.finish()
}

fn beside(size: f64) -> Text {
    Text {
        horizontal: HPos::Left,
        ..Text::centred(size)
    }
}

/// Names of the types beside their colours.
fn types<B: DrawingBackend>(shape: &Shape, left: f64, canvas: &mut Canvas<B>) -> io::Result<()> {
    let kinds: BTreeSet<BranchType> = (shape.morphology.branches().iter())
        .map(|b| b.kind())
        .collect();
    for (k, kind) in kinds.into_iter().enumerate() {
        let y = TOP + MARGIN + 30.0 * k as f64;
        canvas.line(&[(left, y), (left + 26.0, y)], of_type(kind), 5.0)?;
        let name = kind.to_string().replace('_', " ");
        canvas.text(&name, (left + 36.0, y), beside(19.0))?;
    }
    Ok(())
}

/// A bar of colours with numbers.
pub(super) fn bar<B: DrawingBackend>(
    range: Range,
    label: &str,
    left: f64,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    const STEPS: usize = 240;
    let (top, height) = (TOP + MARGIN, 480.0);
    for k in 0..STEPS {
        let y = |k: usize| top + height * (1.0 - k as f64 / STEPS as f64);
        let color = of_fraction((k as f64 + 0.5) / STEPS as f64);
        canvas.rectangle([(left, y(k + 1)), (left + 24.0, y(k))], color, true)?;
    }
    for (value, text) in range.ticks(7.0) {
        let y = top + height * (1.0 - range.fraction(value));
        canvas.line(&[(left + 24.0, y), (left + 30.0, y)], INK, 1.2)?;
        canvas.text(&text, (left + 36.0, y), beside(19.0))?;
    }
    canvas.text(label, (left, top - 26.0), beside(19.0))
}

/// A length of 1, 2 or 5 times a power of ten, at most 200 pixels long.
fn scale_bar<B: DrawingBackend>(
    scale: f64,
    plane: &str,
    y: f64,
    canvas: &mut Canvas<B>,
) -> io::Result<()> {
    let most = 200.0 / scale;
    let decade = 10f64.powf(most.log10().floor());
    let length = [5.0, 2.0, 1.0]
        .map(|leading| leading * decade)
        .into_iter()
        .find(|length| *length <= most)
        .unwrap_or(decade);
    let end = MARGIN + length * scale;
    canvas.line(&[(MARGIN, y), (end, y)], INK, 3.0)?;
    let style = Text {
        color: GREY,
        ..beside(19.0)
    };
    canvas.text(&format!("{length} µm, {plane}"), (MARGIN, y + 20.0), style)
}
