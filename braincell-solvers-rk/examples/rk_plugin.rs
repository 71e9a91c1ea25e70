//! The methods of this crate as a plugin, `librk_plugin.so`, which is built by
//! `cargo build -p braincell-solvers-rk --example rk_plugin`.

braincell_plugin_api::export_plugin!(family = braincell_solvers_rk::steppers);
