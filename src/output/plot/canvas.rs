//! Lines and texts in fractional pixels on an SVG or a bitmap.

use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::io;
use std::sync::Once;

/// Family of the texts; an SVG viewer takes its own font for it.
const FAMILY: &str = "sans-serif";

/// Near-black of texts and axes.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Grey of the subtitle.
pub(super) const GREY: RGBColor = RGBColor(0x66, 0x66, 0x66);
/// Light grey of the grid.
pub(super) const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);

/// A point in pixels from the upper left corner.
pub(super) type Point = (f64, f64);

/// How a text stands at its point.
#[derive(Clone, Copy)]
pub(super) struct Text {
    pub size: f64,
    pub color: RGBColor,
    pub horizontal: HPos,
    pub vertical: VPos,
    pub upward: bool,
}

impl Text {
    /// A text centred on its point.
    pub fn centred(size: f64) -> Self {
        Self {
            size,
            color: INK,
            horizontal: HPos::Center,
            vertical: VPos::Center,
            upward: false,
        }
    }
}

/// A drawing backend whose unit is `1 / scale` of a pixel.
pub(super) struct Canvas<B> {
    backend: B,
    scale: f64,
    /// Whether lines and texts are drawn on a bitmap; an SVG viewer draws better ones by itself.
    bitmap: bool,
}

impl<B: DrawingBackend> Canvas<B> {
    pub fn new(backend: B, scale: u32, bitmap: bool) -> Self {
        static FONT: Once = Once::new();
        // The font is part of the program, and drawing reports a missing one.
        FONT.call_once(|| {
            let _ = register_font(
                FAMILY,
                FontStyle::Normal,
                epaint_default_fonts::UBUNTU_LIGHT,
            );
        });
        Self {
            backend,
            scale: f64::from(scale),
            bitmap,
        }
    }

    /// Ends the drawing.
    pub fn finish(&mut self) -> io::Result<()> {
        self.backend.present().map_err(failed)
    }

    fn at(&self, (x, y): Point) -> (i32, i32) {
        (
            (x * self.scale).round() as i32,
            (y * self.scale).round() as i32,
        )
    }

    pub fn line(&mut self, points: &[Point], color: RGBColor, width: f64) -> io::Result<()> {
        let width = (width * self.scale).round().max(1.0) as u32;
        let style = color.stroke_width(width);
        let mut path: Vec<(i32, i32)> = points.iter().map(|&p| self.at(p)).collect();
        path.dedup();
        if let [point] = path[..] {
            let fill = color.filled();
            return self
                .backend
                .draw_circle(point, width, &fill, true)
                .map_err(failed);
        }
        if !self.bitmap {
            return self.backend.draw_path(path, &style).map_err(failed);
        }
        for pair in path.windows(2) {
            self.segment(pair[0], pair[1], width, color)?;
            if path.len() > 2 && width > 2 {
                let fill = color.filled();
                self.backend
                    .draw_circle(pair[1], width / 2, &fill, true)
                    .map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Fills a segment of a line: across its steeper direction, row by row or column by column.
    fn segment(
        &mut self,
        (x0, y0): (i32, i32),
        (x1, y1): (i32, i32),
        width: u32,
        color: RGBColor,
    ) -> io::Result<()> {
        let color = color.to_backend_color();
        let (dx, dy) = (f64::from(x1 - x0), f64::from(y1 - y0));
        let steps = dx.abs().max(dy.abs());
        // Cells across, such that the line is `width` wide at a right angle to it.
        let across = (f64::from(width) * dx.hypot(dy) / steps).round().max(1.0);
        for i in 0..=steps as u32 {
            let along = f64::from(i) / steps;
            let (x, y) = (f64::from(x0) + along * dx, f64::from(y0) + along * dy);
            for j in 0..across as u32 {
                let offset = f64::from(j) - (across - 1.0) / 2.0;
                let (x, y) = if dy.abs() > dx.abs() {
                    (x + offset, y)
                } else {
                    (x, y + offset)
                };
                let cell = (x.round() as i32, y.round() as i32);
                self.backend.draw_pixel(cell, color).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// A filled polygon.
    pub fn polygon(&mut self, corners: &[Point], color: RGBColor) -> io::Result<()> {
        let corners: Vec<(i32, i32)> = corners.iter().map(|&p| self.at(p)).collect();
        let fill = color.filled();
        self.backend.fill_polygon(corners, &fill).map_err(failed)
    }

    /// A filled circle.
    pub fn disc(&mut self, centre: Point, radius: f64, color: RGBColor) -> io::Result<()> {
        let radius = (radius * self.scale).round().max(1.0) as u32;
        let (centre, fill) = (self.at(centre), color.filled());
        self.backend
            .draw_circle(centre, radius, &fill, true)
            .map_err(failed)
    }

    pub fn rectangle(
        &mut self,
        corners: [Point; 2],
        color: RGBColor,
        fill: bool,
    ) -> io::Result<()> {
        let [a, b] = corners.map(|p| self.at(p));
        let style = ShapeStyle {
            color: color.to_rgba(),
            filled: fill,
            stroke_width: self.scale.round() as u32,
        };
        self.backend.draw_rect(a, b, &style, fill).map_err(failed)
    }

    pub fn text(&mut self, text: &str, at: Point, style: Text) -> io::Result<()> {
        let font = FontDesc::new(
            FontFamily::Name(FAMILY),
            style.size * self.scale,
            FontStyle::Normal,
        );
        let font = if style.upward {
            font.transform(FontTransform::Rotate270)
        } else {
            font
        };
        let anchored = font
            .color(&style.color)
            .pos(Pos::new(style.horizontal, style.vertical));
        // A backend refuses an empty text.
        if text.is_empty() {
            return Ok(());
        }
        // On a bitmap the middle of the letters is this part of their size above the middle that is asked for.
        let lower = if self.bitmap { 0.13 * style.size } else { 0.0 };
        let at = if style.upward {
            self.at((at.0 + lower, at.1))
        } else {
            self.at((at.0, at.1 + lower))
        };
        self.backend.draw_text(text, &anchored, at).map_err(failed)
    }
}

/// What a backend reports, as an error of output.
fn failed(error: impl std::error::Error) -> io::Error {
    io::Error::other(error.to_string())
}
