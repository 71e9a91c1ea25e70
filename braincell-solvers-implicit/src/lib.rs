//! Implicit and linearly implicit steppers.
