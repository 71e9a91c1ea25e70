//! Ranges, ticks and decimation.

/// Largest magnitude that is drawn; larger values are drawn there.
const LARGEST: f64 = 1e300;

/// A range of values along an axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub low: f64,
    pub high: f64,
}

impl Range {
    /// The range of the finite values; around a constant, a margin; without values, 0 to 1.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|v| v.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            return Self {
                low: 0.0,
                high: 1.0,
            };
        }
        let (low, high) = (low.clamp(-LARGEST, LARGEST), high.clamp(-LARGEST, LARGEST));
        let size = low.abs().max(high.abs());
        if high - low > 1e-9 * size {
            return Self { low, high };
        }
        let margin = if size < 1e-300 { 1.0 } else { 0.05 * size };
        Self {
            low: low - margin,
            high: high + margin,
        }
    }

    /// The range with `below` and `above` times its width added.
    pub fn widened(self, below: f64, above: f64) -> Self {
        let width = self.high - self.low;
        Self {
            low: self.low - below * width,
            high: self.high + above * width,
        }
    }

    /// Where a value lies: 0 at the low end, 1 at the high end.
    pub fn fraction(self, value: f64) -> f64 {
        let value = value.clamp(-2.0 * LARGEST, 2.0 * LARGEST);
        (value - self.low) / (self.high - self.low)
    }

    /// Round values in the range, at most about `count`, with their labels.
    pub fn ticks(self, count: f64) -> Vec<(f64, String)> {
        let raw = (self.high - self.low) / count;
        let power = raw.log10().floor();
        let decade = 10f64.powf(power);
        let leading = [1.0, 2.0, 5.0, 10.0];
        let leading = leading.iter().find(|&&l| l * decade >= raw * 0.999);
        let step = leading.unwrap_or(&10.0) * decade;
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        let (first, last) = ((self.low / step).ceil(), (self.high / step).floor());
        let size = self.low.abs().max(self.high.abs());
        // Steps too fine to tell apart in double precision make no ticks.
        if !step.is_normal() || last - first > 100.0 || last.abs().max(first.abs()) > 1e12 {
            return Vec::new();
        }
        (0..=(last - first).max(0.0) as usize)
            .map(|i| {
                // Adding zero turns -0 into 0.
                let value = (first + i as f64) * step + 0.0;
                let label = if size < 1e6 && decimals <= 3 {
                    format!("{value:.decimals$}")
                } else {
                    let digits = (size.log10().floor() - step.log10().floor()).clamp(0.0, 12.0);
                    format!("{value:.*e}", digits as usize)
                };
                (value, label.replace('-', "\u{2212}"))
            })
            .collect()
    }
}

/// The polylines of a trace: runs of finite points, each thinned to at most the first, smallest, largest and
/// last value of every one of `pixels` intervals of `range`.
pub(super) fn polylines(
    time: &[f64],
    values: &[f64],
    range: Range,
    pixels: usize,
) -> Vec<Vec<(f64, f64)>> {
    let thin = time.len() > 4 * pixels;
    let mut lines = Vec::new();
    let mut line = Vec::new();
    let mut bucket = Bucket::default();
    for (&t, &value) in time.iter().zip(values) {
        if !t.is_finite() || !value.is_finite() {
            bucket.empty_into(&mut line);
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
        } else if thin {
            bucket.add(
                (range.fraction(t) * pixels as f64) as i64,
                (t, value),
                &mut line,
            );
        } else {
            line.push((t, value));
        }
    }
    bucket.empty_into(&mut line);
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Points in one interval: first, smallest, largest, last, each with its number in the interval.
#[derive(Default)]
struct Bucket {
    interval: i64,
    count: usize,
    kept: [(usize, (f64, f64)); 4],
}

impl Bucket {
    fn add(&mut self, interval: i64, point: (f64, f64), line: &mut Vec<(f64, f64)>) {
        if interval != self.interval {
            self.empty_into(line);
            self.interval = interval;
        }
        let entry = (self.count, point);
        if self.count == 0 {
            self.kept = [entry; 4];
        }
        if point.1 < self.kept[1].1.1 {
            self.kept[1] = entry;
        }
        if point.1 > self.kept[2].1.1 {
            self.kept[2] = entry;
        }
        self.kept[3] = entry;
        self.count += 1;
    }

    /// Moves the points to a line, in their order.
    fn empty_into(&mut self, line: &mut Vec<(f64, f64)>) {
        if self.count > 0 {
            self.kept.sort_by_key(|entry| entry.0);
            for (i, entry) in self.kept.iter().enumerate() {
                if i == 0 || entry.0 != self.kept[i - 1].0 {
                    line.push(entry.1);
                }
            }
        }
        self.count = 0;
    }
}
