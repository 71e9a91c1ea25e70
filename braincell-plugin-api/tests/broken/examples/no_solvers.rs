//! No steppers.

use braincell_plugin_api::{Stepper, export_plugin};
use std::sync::Arc;

fn steppers() -> Vec<Arc<dyn Stepper>> {
    Vec::new()
}

export_plugin!(family = steppers);
