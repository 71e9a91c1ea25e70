//! What operations take and give: coefficients, handles, and choices of states and terms.

use crate::model::Part;
use std::fmt;
use std::ops::{BitOr, Mul, Neg};

/// A coefficient c · h^p, h being the step size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coef {
    /// The factor.
    pub c: f64,
    /// The power of the step size.
    pub power: i32,
}

/// The coefficient `c`.
pub const fn num(c: f64) -> Coef {
    Coef { c, power: 0 }
}

/// The coefficient `c · h`.
pub const fn h(c: f64) -> Coef {
    Coef { c, power: 1 }
}

impl Coef {
    /// The value for a step size.
    pub fn value(self, h: f64) -> f64 {
        match self.power {
            0 => self.c,
            1 => self.c * h,
            p => self.c * h.powi(p),
        }
    }
}

impl Mul<f64> for Coef {
    type Output = Coef;
    fn mul(self, x: f64) -> Coef {
        Coef {
            c: self.c * x,
            power: self.power,
        }
    }
}

impl Neg for Coef {
    type Output = Coef;
    fn neg(self) -> Coef {
        self * -1.0
    }
}

impl fmt::Display for Coef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.c, self.power) {
            (c, 0) => write!(f, "{c}"),
            (1.0, 1) => f.write_str("h"),
            (-1.0, 1) => f.write_str("-h"),
            (c, 1) => write!(f, "{c} h"),
            (c, p) => write!(f, "{c} h^{p}"),
        }
    }
}

/// An array with one number for each state of the model, in a step program. Arrays are never changed: every
/// operation makes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Array(pub u32);

/// A linearisation of the equations, in a step program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Linearization(pub u32);

/// Which derivatives of the right-hand side a linearisation keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Jacobian {
    /// All: every coupling, along the cable too.
    Full,
    /// Couplings within an element (a compartment); the cable is left out.
    Local,
    /// Couplings along the cable alone; zero where there is none.
    Cable,
    /// Each state's derivative with respect to itself.
    Diagonal,
}

/// A choice among the terms of the right-hand side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Terms {
    /// All.
    All,
    /// All but currents along the cable.
    Local,
    /// Currents along the cable alone; zero where there is none.
    Cable,
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Terms::All => "all",
            Terms::Local => "local",
            Terms::Cable => "cable",
        })
    }
}

/// A choice of state variables by their [`Part`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parts(pub u32);

impl Parts {
    /// Membrane potential.
    pub const VOLTAGE: Parts = Parts(1);
    /// Gating variables.
    pub const GATE: Parts = Parts(2);
    /// Concentrations.
    pub const CONCENTRATION: Parts = Parts(4);
    /// Other states.
    pub const OTHER: Parts = Parts(8);
    /// Everything but the membrane potential.
    pub const NOT_VOLTAGE: Parts = Parts(14);
    /// Everything.
    pub const ALL: Parts = Parts(15);

    /// Whether a state of this part is meant.
    pub fn contains(self, part: Part) -> bool {
        let bit = match part {
            Part::Voltage => Parts::VOLTAGE,
            Part::Gate => Parts::GATE,
            Part::Concentration => Parts::CONCENTRATION,
            Part::Other => Parts::OTHER,
        };
        self.0 & bit.0 != 0
    }
}

impl BitOr for Parts {
    type Output = Parts;
    fn bitor(self, other: Parts) -> Parts {
        Parts(self.0 | other.0)
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Parts::ALL {
            return f.write_str("all");
        }
        let parts = Part::ALL.iter().filter(|p| self.contains(**p));
        let names: Vec<String> = parts.map(Part::to_string).collect();
        f.write_str(&names.join("+"))
    }
}
