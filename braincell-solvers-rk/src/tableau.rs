//! Butcher tableaux of explicit Runge–Kutta methods.

use crate::exact::Exact;

/// An explicit Runge–Kutta method of s stages,
/// k_i = f(t + c_i h, y + h Σ_{j<i} a_ij k_j), y(t + h) ≈ y + h Σ_i b_i k_i.
///
/// Every coefficient is dimensionless. The doubles are the correctly rounded values of [`Tableau::exact`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tableau {
    /// Name by which the method is selected.
    pub name: &'static str,
    /// Other names of the same method.
    pub aliases: &'static [&'static str],
    /// Order of convergence of the weights `b`.
    pub order: u8,
    /// Order of the embedded weights `b_hat`, for methods that have them.
    pub embedded_order: Option<u8>,
    /// Order of the continuous extension `dense` at every θ, for methods that have one.
    pub dense_order: Option<u8>,
    /// What the method is, in a sentence.
    pub description: &'static str,
    /// Where it was published, with the DOI where there is one.
    pub reference: &'static str,
    /// Strictly lower triangle of the stage matrix: row i (from 0) has i entries.
    pub a: &'static [&'static [f64]],
    /// Weights, one per stage.
    pub b: &'static [f64],
    /// Nodes, one per stage: c_i = Σ_j a_ij.
    pub c: &'static [f64],
    /// Weights of the embedded method; h Σ_i (b_i − b̂_i) k_i estimates the local error.
    pub b_hat: Option<&'static [f64]>,
    /// Weights of the continuous extension y(t + θh) ≈ y + h Σ_i b_i(θ) k_i, 0 ≤ θ ≤ 1, as polynomials without constant
    /// term: row i holds d_i1, d_i2, … of b_i(θ) = Σ_{j≥1} d_ij θʲ. All rows have the same length.
    pub dense: Option<&'static [&'static [f64]]>,
    /// Whether the last stage is the first of the next step: the last row of `a` equals `b`.
    pub fsal: bool,
    /// The same coefficients, exactly.
    pub exact: ExactCoefficients,
}

/// The coefficients of a [`Tableau`] as exact numbers; the fields have the shapes and meanings of those of the tableau.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExactCoefficients {
    /// Strictly lower triangle of the stage matrix.
    pub a: &'static [&'static [Exact]],
    /// Weights.
    pub b: &'static [Exact],
    /// Nodes.
    pub c: &'static [Exact],
    /// Weights of the embedded method.
    pub b_hat: Option<&'static [Exact]>,
    /// Polynomial coefficients of the continuous extension.
    pub dense: Option<&'static [&'static [Exact]]>,
}

impl Tableau {
    /// Number of stages s.
    #[must_use]
    pub const fn stages(&self) -> usize {
        self.b.len()
    }

    /// Whether the method is called `name`, by its name or an alias.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// Writes a tableau once, in exact numbers, and fills both forms of its coefficients.
macro_rules! tableau {
    (
        name: $name:literal,
        aliases: [$($alias:literal),*],
        order: $order:literal,
        description: $description:literal,
        reference: $reference:literal,
        fsal: $fsal:literal,
        a: [$([$($a:expr),* $(,)?]),* $(,)?],
        b: [$($b:expr),* $(,)?],
        c: [$($c:expr),* $(,)?],
        $(embedded: $embedded_order:literal, [$($b_hat:expr),* $(,)?],)?
        $(dense: $dense_order:literal, [$([$($dense:expr),* $(,)?]),* $(,)?],)?
    ) => {
        $crate::tableau::Tableau {
            name: $name,
            aliases: &[$($alias),*],
            order: $order,
            embedded_order: $crate::tableau::optional!($($embedded_order)?),
            dense_order: $crate::tableau::optional!($($dense_order)?),
            description: $description,
            reference: $reference,
            a: &[$(&[$($a.value()),*]),*],
            b: &[$($b.value()),*],
            c: &[$($c.value()),*],
            b_hat: $crate::tableau::optional!($(const { &[$($b_hat.value()),*] })?),
            dense: $crate::tableau::optional!($(const { &[$(&[$($dense.value()),*] as &[f64]),*] })?),
            fsal: $fsal,
            exact: $crate::tableau::ExactCoefficients {
                a: &[$(&[$($a),*]),*],
                b: &[$($b),*],
                c: &[$($c),*],
                b_hat: $crate::tableau::optional!($(const { &[$($b_hat),*] })?),
                dense: $crate::tableau::optional!($(const { &[$(&[$($dense),*] as &[$crate::exact::Exact]),*] })?),
            },
        }
    };
}
pub(crate) use tableau;

/// `Some` of the argument, or `None` without one.
macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}
pub(crate) use optional;
