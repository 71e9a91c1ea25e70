//! The explicit Runge–Kutta methods of this crate.
//!
//! | name | stages | order | embedded | dense | stable on the negative real axis up to |
//! |---|---|---|---|---|---|
//! | `euler` (`explicit`) | 1 | 1 | | | 2 |
//! | `midpoint`, `heun2`, `ralston2`, `rk2` | 2 | 2 | | | 2 |
//! | `rk3`, `heun3`, `ssprk3`, `ralston3` | 3 | 3 | | | 2.5127 |
//! | `rk4`, `ralston4` | 4 | 4 | | | 2.7853 |
//! | `bs32` | 4 (3 per step) | 3 | 2 | 3 | 2.5127 |
//! | `dopri54` | 7 (6 per step) | 5 | 4 | 4 | 3.3066 |
//! | `tsit54` | 7 (6 per step) | 5 | 4 | 4 | 3.5068 |
//!
//! The last column is the largest h·λ at which a step on y′ = −λy does not grow
//! ([`Tableau::negative_real_stability_limit`]). Methods of s stages and order s ≤ 4 share one stability polynomial, so
//! the members of a row differ in their error constants, not in their stability.

use crate::tableau::Tableau;

mod classical;
mod pairs;
mod rk2;

pub use classical::{
    EULER, HEUN2, HEUN3, MIDPOINT, RALSTON2, RALSTON3, RALSTON4, RK2, RK3, RK4, SSPRK3,
};
pub use pairs::{BS32, DOPRI54, TSIT54};
pub use rk2::{Rk2Coefficients, Rk2Error};

/// Every method, by rising order; those without embedded weights first.
pub static TABLEAUX: [&Tableau; 14] = [
    &EULER, &MIDPOINT, &HEUN2, &RALSTON2, &RK2, &RK3, &HEUN3, &SSPRK3, &RALSTON3, &RK4, &RALSTON4,
    &BS32, &DOPRI54, &TSIT54,
];

/// The method called `name`, by its name or an alias; `None` if there is none.
#[must_use]
pub fn find(name: &str) -> Option<&'static Tableau> {
    TABLEAUX.into_iter().find(|tableau| tableau.is_called(name))
}
