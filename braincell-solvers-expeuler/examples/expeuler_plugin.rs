//! The methods of this crate as a plugin, `libexpeuler_plugin.so`, which is built by
//! `cargo build -p braincell-solvers-expeuler --example expeuler_plugin`.

braincell_plugin_api::export_plugin!(family = braincell_solvers_expeuler::steppers);
