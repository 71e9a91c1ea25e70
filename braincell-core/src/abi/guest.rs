//! The plugin's side: steppers behind a guard.

use super::{encode, to_failure, to_fields};
use crate::stepper::{StepError, StepOps, Stepper};
use braincell_abi::{Failure, Field, RecordedOps};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Once};

thread_local! {
    /// How many guards are on the stack of this thread.
    static GUARDS: Cell<u32> = const { Cell::new(0) };
    /// Message and place of the last panic below a guard.
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`; a panic becomes [`StepError::Panicked`] with its message and place. Nothing is printed.
///
/// # Errors
/// What `work` returns, or [`StepError::Panicked`].
pub fn guard<T>(work: impl FnOnce() -> Result<T, StepError>) -> Result<T, StepError> {
    static HOOK: Once = Once::new();
    // A plugin has a standard library of its own, so this is the plugin's hook and not the host's. Should the two share
    // one, panics outside of guards go to the hook that was there.
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if GUARDS.get() == 0 {
                return before(panic);
            }
            let payload = panic.payload();
            let message = (payload.downcast_ref::<&str>().copied())
                .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("no message");
            let place = panic.location().map(|at| format!(" at {at}"));
            let text = format!("{message}{}", place.unwrap_or_default());
            MESSAGE.set(Some(text));
        }));
    });
    GUARDS.set(GUARDS.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDS.set(GUARDS.get() - 1);
    result.unwrap_or_else(|payload| {
        // Dropping the payload could panic again.
        std::mem::forget(payload);
        let message = MESSAGE.take();
        Err(StepError::Panicked(
            message.unwrap_or_else(|| "no message".to_string()),
        ))
    })
}

/// The metadata of all solvers of a plugin.
///
/// # Errors
/// [`Failure`] if the code of a solver panics.
pub fn solvers(
    list: impl FnOnce() -> &'static [Arc<dyn Stepper>],
) -> Result<Vec<Vec<Field>>, Failure> {
    let all = guard(|| Ok(list().iter().map(|s| to_fields(&s.info())).collect()));
    all.map_err(|error| to_failure(&error))
}

/// Records one step of one solver of a plugin.
///
/// # Errors
/// [`Failure`] if recording fails, or the code of the solver panics.
pub fn record(
    list: impl FnOnce() -> &'static [Arc<dyn Stepper>],
    place: u32,
    values: &[f64],
) -> Result<RecordedOps, Failure> {
    let recorded = guard(|| {
        let all = list();
        let stepper = all.get(place as usize).ok_or_else(|| {
            StepError::Refused(format!("there is no solver {place}, only {}", all.len()))
        })?;
        let declared = stepper.info().parameters;
        let names = declared.iter().map(|p| p.name.clone());
        let given: Vec<(String, f64)> = names.zip(values.iter().copied()).collect();
        let mut ops = StepOps::new(&declared, &given);
        stepper.step(&mut ops)?;
        Ok(encode(&ops.ops))
    });
    recorded.map_err(|error| to_failure(&error))
}
