//! The methods of this crate as a plugin, `libimplicit_plugin.so`, which is built by
//! `cargo build -p braincell-solvers-implicit --example implicit_plugin`.

braincell_plugin_api::export_plugin!(family = braincell_solvers_implicit::steppers);
