//! Steps with mistakes in them.

use braincell_broken_plugins::{Step, euler};
use braincell_plugin_api::{Array, StepError, StepOps, export_plugin, h, num};
use std::sync::atomic::{AtomicU32, Ordering};

fn panics(_: &mut StepOps) -> Result<(), StepError> {
    panic!("the author's {} message", "own")
}

fn panics_with_a_number(_: &mut StepOps) -> Result<(), StepError> {
    std::panic::panic_any(42)
}

fn runs_out_of_bounds(o: &mut StepOps) -> Result<(), StepError> {
    let stages = vec![o.y()];
    let beyond = stages.len() + 2;
    o.commit(stages[beyond])
}

fn refuses(_: &mut StepOps) -> Result<(), StepError> {
    Err(StepError::Refused("not today".to_string()))
}

fn forgets_to_commit(o: &mut StepOps) -> Result<(), StepError> {
    o.rhs(0.0, o.y()).map(|_| ())
}

fn has_a_nan(o: &mut StepOps) -> Result<(), StepError> {
    let k = o.rhs(0.0, o.y())?;
    let next = o.combine(&[(num(1.0), o.y()), (h(0.0 / 0.0), k)])?;
    o.commit(next)
}

fn ignores_the_nan(o: &mut StepOps) -> Result<(), StepError> {
    let _ = has_a_nan(o);
    Ok(())
}

fn makes_up_a_handle(o: &mut StepOps) -> Result<(), StepError> {
    o.commit(Array(99))
}

fn is_impure(o: &mut StepOps) -> Result<(), StepError> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let k = o.rhs(0.0, o.y())?;
    let c = f64::from(CALLS.fetch_add(1, Ordering::Relaxed));
    let next = o.combine(&[(num(1.0), o.y()), (h(c), k)])?;
    o.commit(next)
}

fn never_ends(o: &mut StepOps) -> Result<(), StepError> {
    loop {
        o.rhs(0.0, o.y())?;
    }
}

fn commits_twice(o: &mut StepOps) -> Result<(), StepError> {
    euler(o)?;
    euler(o)
}

fn asks_for_a_parameter(o: &mut StepOps) -> Result<(), StepError> {
    o.parameter("alpha").map(|_| ())
}

fn estimates_unannounced(o: &mut StepOps) -> Result<(), StepError> {
    let k = o.rhs(0.0, o.y())?;
    o.error(k)?;
    o.commit(k)
}

export_plugin!(
    Step("good", euler),
    Step("panics", panics),
    Step("panics_with_a_number", panics_with_a_number),
    Step("runs_out_of_bounds", runs_out_of_bounds),
    Step("refuses", refuses),
    Step("forgets_to_commit", forgets_to_commit),
    Step("has_a_nan", has_a_nan),
    Step("ignores_the_nan", ignores_the_nan),
    Step("makes_up_a_handle", makes_up_a_handle),
    Step("is_impure", is_impure),
    Step("never_ends", never_ends),
    Step("commits_twice", commits_twice),
    Step("asks_for_a_parameter", asks_for_a_parameter),
    Step("estimates_unannounced", estimates_unannounced),
);
