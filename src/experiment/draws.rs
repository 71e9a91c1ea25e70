//! Numbers drawn from distributions, the same on every machine.

use super::error::ExperimentError;
use super::section::Section;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::f64::consts::TAU;

/// Distributions and the keys that each has besides `distribution`, `low`, `high` and `seed`.
const KINDS: [(&str, &[&str]); 3] = [
    ("uniform", &[]),
    ("normal", &["mean", "sd"]),
    ("lognormal", &["median", "sigma"]),
];
/// Numbers drawn for a cell until one is within the bounds.
const MOST_TRIES: usize = 10_000;
/// Words of the generator set aside for each cell: two for a number of 53 bits, two numbers a try.
const WORDS: u128 = 4 * MOST_TRIES as u128;

/// How numbers are distributed, in some unit.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Uniform,
    Normal { mean: f64, sd: f64 },
    LogNormal { median: f64, sigma: f64 },
}

/// A distribution between two bounds, and what its draws are made of.
pub(super) struct Draws {
    shape: Shape,
    low: f64,
    high: f64,
    seed: u64,
}

impl Draws {
    /// Reads `{ distribution = …, … }`, its numbers in `unit`. The seed is `seed` where it does not have its own.
    pub fn read(section: &Section, unit: &str, seed: u64) -> Result<Self, ExperimentError> {
        let item = section.need("distribution", "distribution = \"normal\"")?;
        let name = item.text()?;
        let Some((name, keys)) = KINDS.iter().find(|(known, _)| *known == name) else {
            let known = KINDS.map(|(name, _)| name);
            return Err(item.unknown("distribution", name, &known));
        };
        section.check(&[&["distribution", "low", "high", "seed"], *keys].concat())?;
        let one = match unit {
            "" | "1" => "1".to_string(),
            unit => format!("\"1 {unit}\""),
        };
        let need = |key: &str| section.need(key, &format!("{key} = {one}"))?.quantity(unit);
        let bound = |key: &str, default: f64| match section.get(key) {
            Some(item) => item.quantity(unit),
            None => Ok(default),
        };
        let shape = match *name {
            "uniform" => Shape::Uniform,
            "normal" => Shape::Normal {
                mean: need("mean")?,
                sd: section.need("sd", &format!("sd = {one}"))?.positive(unit)?,
            },
            _ => Shape::LogNormal {
                median: section
                    .need("median", &format!("median = {one}"))?
                    .positive(unit)?,
                sigma: section.need("sigma", "sigma = 0.2")?.positive("")?,
            },
        };
        let (low, high) = match shape {
            Shape::Uniform => (need("low")?, need("high")?),
            _ => (
                bound("low", f64::NEG_INFINITY)?,
                bound("high", f64::INFINITY)?,
            ),
        };
        if low >= high {
            return Err(item.refuse(format!(
                "the lower bound {low} is not below the upper bound {high}; exchange \"low\" and \"high\""
            )));
        }
        let seed = match section.get("seed") {
            Some(item) => item.count()? as u64,
            None => seed,
        };
        Ok(Self {
            shape,
            low,
            high,
            seed,
        })
    }

    /// One number for each cell. What is drawn for a cell depends on the seed, the key and the number of the cell alone.
    pub fn draw(&self, section: &Section, cells: usize) -> Result<Vec<f64>, ExperimentError> {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&hash(section.key()).to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(bytes);
        let draws = (0..cells).map(|cell| {
            generator.set_word_pos(cell as u128 * WORDS);
            let tries = (0..MOST_TRIES).map(|_| self.one(&mut generator));
            let mut inside = tries.filter(|x| (self.low..=self.high).contains(x));
            inside.next().ok_or_else(|| {
                let item = section.get("distribution");
                let reason = format!(
                    "none of {MOST_TRIES} numbers drawn for cell {cell} lies between the bounds {} and {}; widen them, or move the distribution",
                    self.low, self.high
                );
                item.map_or_else(
                    || section.refuse(reason.clone()),
                    |item| item.refuse(reason.clone()),
                )
            })
        });
        draws.collect()
    }

    fn one(&self, generator: &mut ChaCha8Rng) -> f64 {
        // 53 bits each, the first in (0, 1], the second in [0, 1).
        let mut unit = || (generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        let (u, v) = (1.0 - unit(), unit());
        // Elementary functions of the system may differ from machine to machine in the last bit; these do not.
        let normal = || (-2.0 * libm::log(u)).sqrt() * libm::cos(TAU * v);
        match self.shape {
            Shape::Uniform => self.low * (1.0 - v) + self.high * v,
            Shape::Normal { mean, sd } => mean + sd * normal(),
            Shape::LogNormal { median, sigma } => median * libm::exp(sigma * normal()),
        }
    }
}

/// The hash FNV-1a of 64 bits, so that different keys have nothing in common.
fn hash(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    text.bytes().fold(0xCBF2_9CE4_8422_2325, step)
}
