//! The registry, the model builder, the inputs, the kernels and the time loop together.

mod builder;
mod domains;
mod independent;
mod inputs;
mod kernels;
mod phases;
mod programs;
mod registry;
mod support;
mod time_loop;
