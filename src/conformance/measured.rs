//! What the checks found of the built-in solvers: a table in the tree, so that it can be shown without measuring again.
//!
//! `BRAINCELL_WRITE_DOCS=1 cargo test --test conformance` writes it, and the same test without the variable compares.

use super::{Check, Outcome, Report};
use crate::inspect::axis_limits;
use crate::registry::{Entry, Registry, RegistryError};
use crate::stepper::{Op, Program};
use once_cell::sync::Lazy;
use serde_json::{Map, Value, json};

/// The table.
const TABLE: &str = include_str!("measured.json");

/// How far steps on y' = λ y may go along an axis of the plane of h λ without growing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reach {
    /// Up to this |h λ|.
    To(f64),
    /// As far as was looked, which is 10⁶.
    Unbounded,
}

impl Reach {
    fn as_json(self) -> Value {
        match self {
            Reach::To(z) => json!((z * 1e3).round() / 1e3),
            Reach::Unbounded => json!("unbounded"),
        }
    }

    fn read(value: &Value) -> Option<Self> {
        match value.as_f64() {
            Some(z) => Some(Reach::To(z)),
            None => value.as_str().map(|_| Reach::Unbounded),
        }
    }
}

/// A measured order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// The order, to two decimals.
    pub order: f64,
    /// Whether it is only a lower bound, because rounding hides the rest.
    pub at_least: bool,
}

/// What was measured of a solver.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The problems on which the order was measured, and the order; nothing where the check does not apply.
    pub orders: Vec<(Check, Option<Order>)>,
    /// Whether the gradient of a run is that of differences of the same run; nothing where the check does not apply.
    pub gradient: Option<bool>,
    /// How far the region |R(h λ)| ≤ 1 reaches from 0 along the negative real axis and along the imaginary axis. A solver that
    /// needs a membrane is tried on a passive one, which has real λ only.
    pub stability: [Option<Reach>; 2],
}

impl Measured {
    /// What was measured of a built-in solver. Nothing is known of others, also if one took the name of a built-in solver.
    pub fn of(entry: &Entry) -> Option<Self> {
        static READ: Lazy<Value> =
            Lazy::new(|| serde_json::from_str(TABLE).expect("the table in the tree is JSON"));
        let row = READ.get(&entry.info.name)?;
        match row["source"].as_str() {
            Some(source) if source == entry.origin.from => Self::read(row),
            _ => None,
        }
    }

    /// Collects what a report says, and measures stability.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`]
    pub fn from_report(registry: &Registry, report: &Report) -> Result<Self, RegistryError> {
        let entry = registry.get(&report.solver)?;
        let order = |outcome: &Outcome| match *outcome {
            Outcome::Measured { order, .. } => Some((order, false)),
            Outcome::AtLeast { order, .. } => Some((order, true)),
            _ => None,
        };
        let rounded = |(order, at_least): (f64, bool)| Order {
            order: (order * 1e2).round() / 1e2,
            at_least,
        };
        let orders = Check::ALL.into_iter().filter(|c| c.problem().is_some());
        Ok(Self {
            orders: orders
                .map(|check| {
                    let order = report.outcome(check).and_then(order);
                    (check, order.map(rounded))
                })
                .collect(),
            gradient: match report.outcome(Check::Gradient) {
                Some(Outcome::Passed) => Some(true),
                Some(Outcome::Skipped(_)) | None => None,
                Some(_) => Some(false),
            },
            stability: axis_limits(&entry.info.name, registry),
        })
    }

    /// As JSON: the value that `braincell solvers --json` has under `measured`.
    pub fn as_json(&self) -> Value {
        let mut orders = Map::new();
        let mut bounds = Vec::new();
        for (check, order) in &self.orders {
            let name = check.problem().unwrap_or_default();
            orders.insert(name.to_string(), json!(order.map(|o| o.order)));
            if order.is_some_and(|o| o.at_least) {
                bounds.push(name);
            }
        }
        let [real, imaginary] = self.stability.map(|reach| reach.map(Reach::as_json));
        json!({
            "orders": orders,
            "lower_bounds": bounds,
            "gradient_check": self.gradient.map(|good| if good { "passed" } else { "failed" }),
            "stability": { "real_axis": real, "imaginary_axis": imaginary },
        })
    }

    fn read(row: &Value) -> Option<Self> {
        let bounds = row["lower_bounds"].as_array()?;
        let orders = Check::ALL.into_iter().filter_map(|check| {
            let problem = check.problem()?;
            let order = row["orders"][problem].as_f64();
            let order = order.map(|order| Order {
                order,
                at_least: bounds.iter().any(|name| name == problem),
            });
            Some((check, order))
        });
        Some(Self {
            orders: orders.collect(),
            gradient: row["gradient_check"].as_str().map(|word| word == "passed"),
            stability: ["real_axis", "imaginary_axis"]
                .map(|axis| Reach::read(&row["stability"][axis])),
        })
    }

    /// Where another measurement says something else: orders that differ by 0.1 or more, limits of stability by 0.2 %.
    pub fn differs(&self, other: &Self) -> Option<String> {
        for ((check, here), (_, there)) in self.orders.iter().zip(&other.orders) {
            let same = match (here, there) {
                (Some(a), Some(b)) => a.at_least || b.at_least || (a.order - b.order).abs() < 0.1,
                (a, b) => a == b,
            };
            if !same {
                return Some(format!("{check}: {here:?}, not {there:?}"));
            }
        }
        if self.gradient != other.gradient {
            return Some(format!(
                "gradient: {:?}, not {:?}",
                self.gradient, other.gradient
            ));
        }
        let same = |a: &Option<Reach>, b: &Option<Reach>| match (a, b) {
            (Some(Reach::To(a)), Some(Reach::To(b))) => (a - b).abs() <= 2e-3 * a.max(0.5),
            (a, b) => a == b,
        };
        let stable = self.stability.iter().zip(&other.stability);
        match stable.clone().all(|(a, b)| same(a, b)) {
            true => None,
            false => Some(format!(
                "stability: {:?}, not {:?}",
                self.stability, other.stability
            )),
        }
    }
}

/// The operations of a step that cost something, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Evaluations of the right-hand side, or of a part of it.
    pub right_hand_sides: usize,
    /// Jacobians, or parts of them.
    pub jacobians: usize,
    /// Linear systems.
    pub solves: usize,
    /// Functions φ of a Jacobian.
    pub phi_functions: usize,
    /// Exponential updates of states each by itself.
    pub exponential_updates: usize,
    /// Nonlinear systems by Newton's method, each of some iterations; of a fully implicit step the number of coupled stages.
    pub implicit_stages: usize,
    /// Evaluations of the diffusion coefficients.
    pub diffusions: usize,
}

impl Cost {
    /// Counts the operations of a program.
    pub fn of(program: &Program) -> Self {
        let mut cost = Self::default();
        for op in program.ops() {
            match op {
                Op::Rhs { .. } => cost.right_hand_sides += 1,
                Op::Linearize { .. } => cost.jacobians += 1,
                Op::Solve { .. } => cost.solves += 1,
                Op::Phi { .. } => cost.phi_functions += 1,
                Op::Relax { .. } => cost.exponential_updates += 1,
                Op::ImplicitStage { .. } => cost.implicit_stages += 1,
                Op::ImplicitStages { c, .. } => cost.implicit_stages += c.len(),
                Op::Diffusion { .. } => cost.diffusions += 1,
                _ => {}
            }
        }
        cost
    }

    /// Names and numbers, in the order of the fields.
    pub fn counts(&self) -> [(&'static str, usize); 7] {
        [
            ("right_hand_sides", self.right_hand_sides),
            ("jacobians", self.jacobians),
            ("linear_solves", self.solves),
            ("phi_functions", self.phi_functions),
            ("exponential_updates", self.exponential_updates),
            ("implicit_stages", self.implicit_stages),
            ("diffusions", self.diffusions),
        ]
    }
}

/// The first digital object identifier in a reference, without the "doi:" before it.
pub fn doi(reference: &str) -> Option<&str> {
    let (_, rest) = reference.split_once("doi:")?;
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let doi = rest[..end].trim_end_matches([',', '.', ';']);
    (!doi.is_empty()).then_some(doi)
}
