//! Plots of tables.

mod canvas;
mod chart;
mod layout;
mod scale;
mod shape;
mod sweep;

pub use chart::{Axis, Chart, Mark, Series};
pub use shape::{Shape, Shown};
pub use sweep::SweepPlot;

use super::{Column, OutputError, Table};
use canvas::Canvas;
use plotters::prelude::{BitMapBackend, SVGBackend};
use std::io::{self, Write};

/// Width of a plot in pixels.
const WIDTH: u32 = 1200;
/// Height for each panel.
const PANEL_HEIGHT: u32 = 350;
/// Smallest height of a plot.
const LEAST_HEIGHT: u32 = 500;
/// Largest number of panels.
const MOST_PANELS: usize = 16;
/// Units of an SVG in a pixel, for positions between pixels.
const SVG_SCALE: u32 = 10;
/// Samples of a bitmap along each side of a pixel.
const PNG_SCALE: u32 = 3;

/// The columns of each unit, in order of first appearance; one empty panel for no columns.
pub(super) fn panels(table: &Table) -> Result<Vec<Vec<&Column>>, OutputError> {
    let mut panels: Vec<Vec<&Column>> = Vec::new();
    for column in &table.columns {
        match panels.iter_mut().find(|panel| panel[0].unit == column.unit) {
            Some(panel) => panel.push(column),
            None => panels.push(vec![column]),
        }
    }
    if panels.len() > MOST_PANELS {
        return Err(OutputError::Panels {
            units: panels.len(),
            limit: MOST_PANELS,
        });
    }
    if panels.is_empty() {
        panels.push(Vec::new());
    }
    Ok(panels)
}

/// Width and height of a plot.
fn size(panels: usize) -> (u32, u32) {
    (WIDTH, (PANEL_HEIGHT * panels as u32).max(LEAST_HEIGHT))
}

/// Draws a vector graphic.
pub(super) fn svg(table: &Table, panels: &[Vec<&Column>], out: &mut impl Write) -> io::Result<()> {
    let size = size(panels.len());
    vector(size, out, |canvas| {
        layout::draw(table, panels, pixels(size), canvas)
    })
}

/// Draws a bitmap.
pub(super) fn png(table: &Table, panels: &[Vec<&Column>], out: &mut impl Write) -> io::Result<()> {
    let size = size(panels.len());
    bitmap(size, out, |canvas| {
        layout::draw(table, panels, pixels(size), canvas)
    })
}

/// Draws a shape as a vector graphic.
pub(super) fn shape_svg(shape: &Shape, out: &mut impl Write) -> io::Result<()> {
    vector(shape::SIZE, out, |canvas| shape::draw(shape, canvas))
}

/// Draws a shape as a bitmap.
pub(super) fn shape_png(shape: &Shape, out: &mut impl Write) -> io::Result<()> {
    bitmap(shape::SIZE, out, |canvas| shape::draw(shape, canvas))
}

/// Draws a sweep as a vector graphic.
pub(super) fn sweep_svg(plot: &SweepPlot, out: &mut impl Write) -> io::Result<()> {
    vector(sweep::SIZE, out, |canvas| sweep::draw(plot, canvas))
}

/// Draws a sweep as a bitmap.
pub(super) fn sweep_png(plot: &SweepPlot, out: &mut impl Write) -> io::Result<()> {
    bitmap(sweep::SIZE, out, |canvas| sweep::draw(plot, canvas))
}

/// Draws a chart as a vector graphic.
pub(super) fn chart_svg(chart: &Chart, out: &mut impl Write) -> io::Result<()> {
    vector(chart::SIZE, out, |canvas| chart::draw(chart, canvas))
}

/// Draws a chart as a bitmap.
pub(super) fn chart_png(chart: &Chart, out: &mut impl Write) -> io::Result<()> {
    bitmap(chart::SIZE, out, |canvas| chart::draw(chart, canvas))
}

fn pixels((width, height): (u32, u32)) -> (f64, f64) {
    (f64::from(width), f64::from(height))
}

/// Writes what is drawn as a vector graphic.
fn vector(
    (width, height): (u32, u32),
    out: &mut impl Write,
    draw: impl FnOnce(&mut Canvas<SVGBackend>) -> io::Result<()>,
) -> io::Result<()> {
    let fine = (width * SVG_SCALE, height * SVG_SCALE);
    let mut text = String::new();
    let mut canvas = Canvas::new(SVGBackend::with_string(&mut text, fine), SVG_SCALE, false);
    draw(&mut canvas)?;
    drop(canvas);
    let fine = format!("<svg width=\"{}\" height=\"{}\" ", fine.0, fine.1);
    let shown = format!("<svg width=\"{width}\" height=\"{height}\" stroke-linejoin=\"round\" ");
    out.write_all(text.replacen(&fine, &shown, 1).as_bytes())
}

/// Draws with several samples for each pixel and averages them.
fn bitmap(
    (width, height): (u32, u32),
    out: &mut impl Write,
    draw: impl FnOnce(&mut Canvas<BitMapBackend>) -> io::Result<()>,
) -> io::Result<()> {
    let fine = (width * PNG_SCALE, height * PNG_SCALE);
    let mut samples = vec![255; 3 * fine.0 as usize * fine.1 as usize];
    let backend = BitMapBackend::with_buffer(&mut samples, fine);
    draw(&mut Canvas::new(backend, PNG_SCALE, true))?;
    let pixels = averaged(&samples, width as usize, PNG_SCALE as usize);
    let mut encoder = png::Encoder::new(out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(())
}

/// Means over squares of `scale` samples a side; `width` is that of the result.
fn averaged(samples: &[u8], width: usize, scale: usize) -> Vec<u8> {
    let fine_row = 3 * width * scale;
    let mut pixels = Vec::with_capacity(samples.len() / (scale * scale));
    for rows in samples.chunks_exact(fine_row * scale) {
        for x in 0..width {
            for channel in 0..3 {
                let sum: usize = (0..scale * scale)
                    .map(|k| (k / scale, x * scale + k % scale))
                    .map(|(row, column)| usize::from(rows[row * fine_row + 3 * column + channel]))
                    .sum();
                pixels.push(((sum + scale * scale / 2) / (scale * scale)) as u8);
            }
        }
    }
    pixels
}
