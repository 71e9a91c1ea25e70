//! The run loop, compiled once for each element type.

use super::{
    Between, CheckpointError, Outcome, Recording, RunError, Setup, SetupError, Simulation,
};
use crate::kernel::Storage;
use crate::model::{DiffEqState, Model, ModelError};
use crate::registry::Registry;

/// The ways into the engine and the loops of a run. Generic functions are compiled anew in each crate that calls them, the whole
/// engine with them; these are not generic, so that they are compiled here.
pub trait Compiled: Sized {
    #[doc(hidden)]
    fn start(
        setup: &Setup,
        registry: &Registry,
        model: &Model,
    ) -> Result<Simulation<Self>, SetupError>
    where
        Self: Storage;

    #[doc(hidden)]
    fn go(
        run: &mut Simulation<Self>,
        until: f64,
        pause: f64,
        streamed: bool,
        between: &mut Between<Self>,
    ) -> Result<Outcome, RunError>
    where
        Self: Storage;

    #[doc(hidden)]
    fn recording(run: &Simulation<Self>) -> Recording
    where
        Self: Storage;

    #[doc(hidden)]
    fn state(run: &mut Simulation<Self>, name: &str) -> Result<DiffEqState, ModelError>
    where
        Self: Storage;

    #[doc(hidden)]
    fn checkpoint(run: &Simulation<Self>) -> Result<Vec<u8>, CheckpointError>
    where
        Self: Storage;

    #[doc(hidden)]
    fn restore(run: &mut Simulation<Self>, checkpoint: &[u8]) -> Result<(), CheckpointError>
    where
        Self: Storage;
}

macro_rules! compile {
    ($($F:ty)*) => {$(
        impl Compiled for $F {
            #[inline(never)]
            fn start(
                setup: &Setup,
                registry: &Registry,
                model: &Model,
            ) -> Result<Simulation<$F>, SetupError> {
                setup.start_here(registry, model)
            }

            #[inline(never)]
            fn go(
                run: &mut Simulation<$F>,
                until: f64,
                pause: f64,
                streamed: bool,
                between: &mut Between<$F>,
            ) -> Result<Outcome, RunError> {
                run.go_here(until, pause, streamed, between)
            }

            #[inline(never)]
            fn recording(run: &Simulation<$F>) -> Recording {
                run.recording_here()
            }

            #[inline(never)]
            fn state(run: &mut Simulation<$F>, name: &str) -> Result<DiffEqState, ModelError> {
                run.state_here(name)
            }

            #[inline(never)]
            fn checkpoint(run: &Simulation<$F>) -> Result<Vec<u8>, CheckpointError> {
                run.checkpoint_here()
            }

            #[inline(never)]
            fn restore(run: &mut Simulation<$F>, checkpoint: &[u8]) -> Result<(), CheckpointError> {
                run.restore_here(checkpoint)
            }
        }
    )*};
}

compile!(f64 f32);
