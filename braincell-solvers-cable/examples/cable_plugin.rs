//! The methods of this crate as a plugin, `libcable_plugin.so`, which is built by
//! `cargo build -p braincell-solvers-cable --example cable_plugin`.

braincell_plugin_api::export_plugin!(family = braincell_solvers_cable::steppers);
