//! Panics when its steppers are listed.

use braincell_plugin_api::{Stepper, export_plugin};
use std::sync::Arc;

fn steppers() -> Vec<Arc<dyn Stepper>> {
    panic!("no list")
}

export_plugin!(family = steppers);
