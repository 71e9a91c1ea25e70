//! Where explicit solvers are stable.

use crate::model::{DiffEqState, Model, Ode, Parameter, Values, ode};
use crate::real::Real;
use crate::registry::Registry;
use crate::simulation::Setup;
use std::f64::consts::{FRAC_PI_2, PI};

/// Directions in the left half-plane, from the imaginary axis to the negative real one, by degrees.
const DIRECTIONS: usize = 91;
/// Points along each direction, and how far they lie apart.
const POINTS: usize = 600;
const APART: f64 = 0.05;
/// |R| may exceed 1 by so much from rounding.
const ROUNDING: f64 = 1e-9;

/// The test equation y' = λ y with λ = a + i b, in real numbers.
struct TestEquation;

impl Ode<2, 2> for TestEquation {
    fn states(&self) -> [DiffEqState; 2] {
        [DiffEqState::new("re", 1.0), DiffEqState::new("im", 0.0)]
    }
    fn parameters(&self) -> [Parameter; 2] {
        [Parameter::new("a", 0.0), Parameter::new("b", 0.0)]
    }
    #[inline(always)]
    fn derivative<R: Real>(&self, _t: R, [x, y]: [R; 2], [a, b]: [R; 2]) -> [R; 2] {
        [a * x - b * y, b * x + a * y]
    }
}

/// How far from 0 the region of stability of a solver reaches in each direction of the left half-plane.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Region {
    /// The least r with |R(r e^{iφ})| > 1, for φ from π/2 to π.
    reach: Vec<f64>,
}

impl Region {
    /// The region of a solver, found by letting it make one step of the test equation at many points at once.
    /// Nothing if it cannot.
    pub fn of(solver: &str, registry: &Registry) -> Option<Self> {
        let angle = |k: usize| FRAC_PI_2 + (PI - FRAC_PI_2) * k as f64 / (DIRECTIONS - 1) as f64;
        let points: Vec<(f64, f64)> = (0..DIRECTIONS * POINTS)
            .map(|k| (angle(k / POINTS), APART * (k % POINTS + 1) as f64))
            .collect();
        let growth = growth(solver, registry, &points)?;
        let mut brackets = Vec::new();
        for of_direction in growth.chunks(POINTS) {
            let first = of_direction
                .iter()
                .position(|r| r.is_nan() || *r > 1.0 + ROUNDING);
            brackets.push(first);
        }
        // The crossing lies in the piece before the first point outside; all directions are bisected together.
        let mut inside: Vec<f64> = brackets
            .iter()
            .map(|b| APART * b.unwrap_or(POINTS) as f64)
            .collect();
        let mut width = APART;
        for _ in 0..30 {
            width *= 0.5;
            let middles = inside.iter().enumerate();
            let middles: Vec<(f64, f64)> = middles.map(|(k, r)| (angle(k), r + width)).collect();
            let growth = self::growth(solver, registry, &middles)?;
            for ((inside, growth), bracket) in inside.iter_mut().zip(growth).zip(&brackets) {
                if growth <= 1.0 + ROUNDING && bracket.is_some() {
                    *inside += width;
                }
            }
        }
        let reach = inside.iter().zip(&brackets);
        let reach = reach.map(|(r, b)| if b.is_some() { *r } else { f64::INFINITY });
        Some(Self {
            reach: reach.collect(),
        })
    }

    /// The greatest h for which h λ lies in the region, for λ in the left half-plane.
    pub fn step(&self, re: f64, im: f64) -> f64 {
        let angle = im.abs().atan2(re).clamp(FRAC_PI_2, PI);
        let at = (angle - FRAC_PI_2) / (PI - FRAC_PI_2) * (DIRECTIONS - 1) as f64;
        let k = (at as usize).min(DIRECTIONS - 2);
        let part = at - k as f64;
        let (a, b) = (self.reach[k], self.reach[k + 1]);
        let reach = if part == 0.0 { a } else { a + part * (b - a) };
        reach / re.hypot(im)
    }

    /// How far the region reaches along the negative real axis.
    pub fn along_the_real_axis(&self) -> f64 {
        self.reach[DIRECTIONS - 1]
    }
}

/// |R(z)| at points given by angle and distance.
fn growth(solver: &str, registry: &Registry, points: &[(f64, f64)]) -> Option<Vec<f64>> {
    let mut model = Model::population(&ode(TestEquation), points.len()).ok()?;
    let row = |part: fn(f64) -> f64| {
        Values::PerCell(points.iter().map(|(angle, r)| r * part(*angle)).collect())
    };
    model.set_parameter("a", row(f64::cos)).ok()?;
    model.set_parameter("b", row(f64::sin)).ok()?;
    let setup = Setup::new(solver, 1.0);
    let mut run = setup.start::<f64>(registry, &model).ok()?;
    run.run(1.0).ok()?;
    let mut part = |name: &str| run.state(name).ok().map(|state| state.value);
    let (re, im) = (part("re")?, part("im")?);
    Some(
        (0..points.len())
            .map(|k| re.at(0, k).hypot(im.at(0, k)))
            .collect(),
    )
}
