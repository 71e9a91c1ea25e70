//! Two steppers of the same name.

use braincell_broken_plugins::{Step, euler};
use braincell_plugin_api::export_plugin;

export_plugin!(Step("twice", euler), Step("twice", euler));
