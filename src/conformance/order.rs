//! The measured order of convergence.

use super::Outcome;
use super::problem::{INTERVAL, Problem};
use crate::registry::Registry;
use ndarray::Array2;

/// The greatest accepted difference between the measured and the declared order.
pub const ORDER_TOLERANCE: f64 = 0.1;
/// An error counts as truncation error if it is so many times what rounding contributes.
const ABOVE_ROUNDING: f64 = 30.0;
/// Slopes of successive windows that differ by more than this show that the series has not converged.
const DISAGREE: f64 = 0.25;
/// A slope that changes by more than this from one pair of step sizes to the next has not settled.
const CHANGES: f64 = 0.04;
/// Halvings of the interval between samples that are tried.
const HALVINGS: u32 = 10;

/// Measures the order of a solver on a problem.
///
/// Step sizes are halved until the error comes near what rounding contributes. The error is a vector (all samples of
/// all states) and a power series in the step size, e(h) = C h^p + C' h^(p+1) + C'' h^(p+2) + …. With the declared order
/// as p, the second and third terms are eliminated from the errors of four successive step sizes, as in Richardson's
/// extrapolation, and the slope of what is left is the order: p if the declaration is right, the true order if the true
/// order is lower, and more than p if the first term is missing; if rounding is all that is left, the slope of the error
/// itself tells by how much.
pub(super) fn measure(registry: &Registry, solver: &str, declared: u32, on: &Problem) -> Outcome {
    let mut errors: Vec<Array2<f64>> = Vec::new();
    let mut measured: Option<(f64, f64, f64)> = None;
    let mut settled = false;
    let mut slopes = [f64::NAN; 2];
    let mut trouble = "no four successive step sizes give errors well above rounding".to_string();
    for halvings in 0..=HALVINGS {
        let dt = INTERVAL / f64::from(1 << halvings);
        let error = match on.run(registry, solver, dt) {
            Ok(error) => error,
            // Steps outside the region of stability.
            Err(reason) => {
                trouble = reason;
                errors.clear();
                continue;
            }
        };
        let size = on.size(&error);
        if size <= ABOVE_ROUNDING * on.rounding(dt) {
            break;
        }
        errors.push(error);
        if let [.., e0, e1, e2, e3] = &errors[..] {
            let [mut coarse, mut fine] =
                [[e0, e1, e2], [e1, e2, e3]].map(|e| on.size(&leading(e, declared)));
            // Rounding grows by the factors of the elimination.
            let factor = f64::from(2 * declared + 4).exp2();
            if fine <= factor * on.rounding(dt) {
                (coarse, fine) = (on.size(e2), on.size(e3));
            }
            let order = (coarse / fine).log2();
            settled = measured.is_some_and(|(last, ..)| (order - last).abs() <= DISAGREE);
            slopes = [(e1, e2), (e2, e3)].map(|(e, f)| (on.size(e) / on.size(f)).log2());
            measured = Some((order, dt, size));
        }
    }
    match measured {
        None => Outcome::Failed(trouble),
        Some((order, dt, error)) if !settled && unresolved(order, slopes, declared) => {
            Outcome::AtLeast {
                order: slopes[1],
                declared,
                dt,
                error,
            }
        }
        Some((order, dt, error)) => Outcome::Measured {
            order,
            declared,
            dt,
            error,
        },
    }
}

/// Whether the slope of the error itself changes still, and does not speak for another order than the declared one, which
/// it approaches.
fn unresolved(order: f64, [before, slope]: [f64; 2], declared: u32) -> bool {
    let declared = f64::from(declared);
    let agrees = (order - declared).abs() <= ORDER_TOLERANCE;
    let changes = (slope - before).abs() > CHANGES;
    let approaches = (slope - declared).abs() < (before - declared).abs();
    !agrees && changes && approaches && (-ORDER_TOLERANCE..1.0).contains(&(slope - declared))
}

/// The first term, C h^p up to a factor, from the errors at h, h/2 and h/4: the terms in h^(p+1) and h^(p+2) cancel.
fn leading([e0, e1, e2]: [&Array2<f64>; 3], p: u32) -> Array2<f64> {
    let next = |coarse: &Array2<f64>, fine: &Array2<f64>, power: u32| {
        fine * f64::from(power).exp2() - coarse
    };
    next(&next(e0, e1, p + 1), &next(e1, e2, p + 1), p + 2)
}
