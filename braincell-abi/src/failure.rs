//! Numbers of the ways in which recording a step can fail inside a plugin. Codes that a host does not know are reported
//! with their text alone.

/// A handle that the step has not made. Operation; text: the handle.
pub const UNKNOWN_HANDLE: u32 = 1;
/// A coefficient that is not finite. Operation; number: the coefficient.
pub const COEFFICIENT: u32 = 2;
/// An argument that makes no sense. Operation; text: the reason.
pub const ARGUMENT: u32 = 3;
/// Too many operations.
pub const TOO_LONG: u32 = 4;
/// A second commit. Operation.
pub const COMMITTED_TWICE: u32 = 5;
/// A parameter that is not declared. Text: its name.
pub const UNKNOWN_PARAMETER: u32 = 6;
/// The stepper gave up. Text: why.
pub const REFUSED: u32 = 7;
/// The code panicked. Text: the message and the place.
pub const PANICKED: u32 = 8;
