//! Keys of the metadata of a solver: see `SolverInfo` in braincell-core. A [`crate::Field`] has a key, a text and a
//! number. Keys may repeat where several values make sense. Unknown keys are ignored.

/// Text: the name.
pub const NAME: u32 = 1;
/// Text: another name. Repeats.
pub const ALIAS: u32 = 2;
/// Text: the family.
pub const FAMILY: u32 = 3;
/// Number: the order.
pub const ORDER: u32 = 4;
/// Number: the order of the embedded solution.
pub const EMBEDDED_ORDER: u32 = 5;
/// Text: a sentence.
pub const DESCRIPTION: u32 = 6;
/// Text: what it computes.
pub const FORMULA: u32 = 7;
/// Text: literature.
pub const REFERENCE: u32 = 8;
/// Number: a sum of [`NEED_MEMBRANE`] and [`NEED_NOISE`].
pub const NEEDS: u32 = 9;
/// Number: a sum of [`EXPLICIT`], [`A_STABLE`] and [`L_STABLE`].
pub const PROPERTIES: u32 = 10;
/// Number: where the stability region ends on the negative real axis.
pub const REAL_STABILITY_LIMIT: u32 = 11;
/// Text and number: a parameter's name and default. Repeats.
pub const PARAMETER: u32 = 12;
/// Text: what the parameter before it means.
pub const PARAMETER_DESCRIPTION: u32 = 13;
/// Text: why it should no longer be used.
pub const DEPRECATED: u32 = 14;
/// Number: the order on models without a cable, if it is higher.
pub const ORDER_WITHOUT_CABLE: u32 = 15;
/// Number: the strong order of a stochastic solver.
pub const STRONG_ORDER: u32 = 16;
/// Number: the parts of the state that it advances, as a sum: see [`crate::code`]. All if it is not given.
pub const ADVANCES: u32 = 17;

/// The solver needs a membrane potential.
pub const NEED_MEMBRANE: u32 = 1;
/// The solver needs diffusion terms.
pub const NEED_NOISE: u32 = 2;

/// No equation is solved in a step.
pub const EXPLICIT: u32 = 1;
/// Stable on the left half-plane.
pub const A_STABLE: u32 = 2;
/// Stiff components are damped at once.
pub const L_STABLE: u32 = 4;
