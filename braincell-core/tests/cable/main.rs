//! The tree algebra of the cable operator against dense references.

mod elimination;
mod support;
mod tree;
