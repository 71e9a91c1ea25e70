//! Traces for a plot in bounded memory.

use super::Column;
use crate::container::{ContainerError, Reader, Writer};
use crate::simulation::Recording;
use ndarray::ArrayView1;

/// Samples that are kept, at most: more than a plot has pixels.
const MOST: usize = 4096;

/// Traces of any length, reduced while they grow to some thousand samples.
///
/// Short traces are kept as they are. In place of so many samples of a long one there are two: the least and the greatest
/// value among them, in their order, at the first and the last of their times. So no peak is lost, and the result does not
/// depend on the parts in which the samples came.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduced {
    columns: usize,
    /// Samples for which two are kept.
    stride: u64,
    times: Vec<f64>,
    /// Row after row.
    rows: Vec<f64>,
    open: Option<Bucket>,
}

/// Samples of which two will be kept.
#[derive(Clone, Debug, PartialEq)]
struct Bucket {
    count: u64,
    first: f64,
    last: f64,
    /// Of each column: the extreme that came first, and the other.
    extremes: Vec<[f64; 2]>,
}

impl Reduced {
    /// No samples of so many columns.
    pub fn new(columns: usize) -> Self {
        Self {
            columns,
            stride: 2,
            times: Vec::new(),
            rows: Vec::new(),
            open: None,
        }
    }

    /// Adds the samples of the first columns of a recording.
    pub fn add(&mut self, part: &Recording) {
        for (&time, row) in part.times().iter().zip(part.data().rows()) {
            self.sample(time, row);
        }
    }

    fn sample(&mut self, time: f64, row: ArrayView1<f64>) {
        let row = row.into_iter().copied().take(self.columns);
        let full = match &mut self.open {
            None => {
                self.open = Some(Bucket {
                    count: 1,
                    first: time,
                    last: time,
                    extremes: row.map(|x| [x, x]).collect(),
                });
                false
            }
            Some(bucket) => {
                bucket.count += 1;
                bucket.last = time;
                for (pair, x) in bucket.extremes.iter_mut().zip(row) {
                    *pair = extremes([pair[0], pair[1], x, x]);
                }
                bucket.count >= self.stride
            }
        };
        if full && let Some(bucket) = self.open.take() {
            push(&bucket, &mut self.times, &mut self.rows);
            if self.times.len() >= MOST {
                self.halve();
            }
        }
    }

    /// Makes two samples out of four.
    fn halve(&mut self) {
        let n = self.columns;
        let (mut times, mut rows) = (Vec::new(), Vec::new());
        for four in 0..self.times.len() / 4 {
            let row = |k: usize| &self.rows[(4 * four + k) * n..][..n];
            let bucket = Bucket {
                count: 2,
                first: self.times[4 * four],
                last: self.times[4 * four + 3],
                extremes: (0..n)
                    .map(|c| extremes([row(0)[c], row(1)[c], row(2)[c], row(3)[c]]))
                    .collect(),
            };
            push(&bucket, &mut times, &mut rows);
        }
        (self.times, self.rows) = (times, rows);
        self.stride *= 2;
    }

    /// Times, and the values of each column at them.
    pub fn traces(&self) -> (Vec<f64>, Vec<Vec<f64>>) {
        let (mut times, mut rows) = (self.times.clone(), self.rows.clone());
        if let Some(bucket) = &self.open {
            push(bucket, &mut times, &mut rows);
        }
        let column = |c: usize| rows.iter().skip(c).step_by(self.columns).copied().collect();
        (times, (0..self.columns).map(column).collect())
    }

    /// The traces as columns of a table with these names and units.
    pub fn columns(&self, of: &[Column]) -> (Vec<f64>, Vec<Column>) {
        let (times, values) = self.traces();
        let columns = of.iter().zip(values).map(|(column, values)| Column {
            values,
            ..column.clone()
        });
        (times, columns.collect())
    }

    /// Writes all of it into a container.
    pub fn save(&self, w: &mut Writer) {
        w.u64(self.columns as u64);
        w.u64(self.stride);
        w.f64s(&self.times);
        w.f64s(&self.rows);
        w.u64(self.open.as_ref().map_or(0, |bucket| bucket.count));
        if let Some(bucket) = &self.open {
            w.f64(bucket.first);
            w.f64(bucket.last);
            w.f64s(bucket.extremes.as_flattened());
        }
    }

    /// Reads what [`Reduced::save`] wrote.
    ///
    /// # Errors
    /// [`ContainerError::Damaged`].
    pub fn load(r: &mut Reader) -> Result<Self, ContainerError> {
        let columns = r.u64()? as usize;
        let (stride, times, rows) = (r.u64()?, r.f64s()?, r.f64s()?);
        let count = r.u64()?;
        let open = match count {
            0 => None,
            count => Some(Bucket {
                count,
                first: r.f64()?,
                last: r.f64()?,
                extremes: r.f64s()?.as_chunks::<2>().0.to_vec(),
            }),
        };
        let open_fits = open.as_ref().is_none_or(|b| b.extremes.len() == columns);
        match times.len().checked_mul(columns) == Some(rows.len()) && open_fits {
            true => Ok(Self {
                columns,
                stride,
                times,
                rows,
                open,
            }),
            false => Err(ContainerError::Damaged("a reduced trace has gaps")),
        }
    }
}

/// The least and the greatest of four values, in their order.
fn extremes(values: [f64; 4]) -> [f64; 2] {
    let at = |better: fn(&f64, &f64) -> bool| {
        (1..4).fold(0, |best, k| match better(&values[k], &values[best]) {
            true => k,
            false => best,
        })
    };
    let (least, greatest) = (at(f64::lt), at(f64::gt));
    match least < greatest {
        true => [values[least], values[greatest]],
        false => [values[greatest], values[least]],
    }
}

/// Adds the two samples of a bucket, or its only one.
fn push(bucket: &Bucket, times: &mut Vec<f64>, rows: &mut Vec<f64>) {
    times.push(bucket.first);
    rows.extend(bucket.extremes.iter().map(|pair| pair[0]));
    if bucket.count > 1 {
        times.push(bucket.last);
        rows.extend(bucket.extremes.iter().map(|pair| pair[1]));
    }
}
