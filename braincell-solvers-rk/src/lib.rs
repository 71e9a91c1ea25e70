//! Explicit Runge-Kutta steppers.
