//! Steppers for branched cells: staggered, Crank-Nicolson, splitting.
