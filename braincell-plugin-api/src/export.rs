//! Exporting steppers from a plugin.

use crate::border;
use crate::{Stepper, VERSION};
use braincell_core::abi::types::abi_stable::library::LibHeader;
use std::sync::{Arc, OnceLock};

pub use braincell_core::abi::types::Handshake;

/// What [`export_plugin!`](crate::export_plugin) implements.
pub trait Exported: 'static {
    /// Where the list of steppers is kept.
    fn kept() -> &'static OnceLock<Vec<Arc<dyn Stepper>>>;

    /// Makes the list.
    fn list() -> Vec<Arc<dyn Stepper>>;

    /// The steppers, made on the first call.
    fn steppers() -> &'static [Arc<dyn Stepper>] {
        Self::kept().get_or_init(Self::list)
    }
}

/// The functions of a plugin, as they lie in its file.
pub type Root = LibHeader;

/// The functions of a plugin.
pub const fn root<P: Exported>() -> Root {
    border::root::<P>()
}

/// The handshake of a plugin of that version whose panics unwind, or do not.
pub const fn handshake(version: &str, unwinds: bool) -> Handshake {
    Handshake::rust(VERSION, version, env!("BRAINCELL_RUSTC"), unwinds)
}

/// Exports a plugin: its steppers, given as expressions, or a function that returns them all as a
/// `Vec<Arc<dyn Stepper>>`. Once in a crate, which must be of type `cdylib`.
///
/// ```text
/// export_plugin!(Midpoint, Tableau(&KUTTA));
/// ```
///
/// ```text
/// export_plugin!(family = braincell_solvers_rk::steppers);
/// ```
#[macro_export]
macro_rules! export_plugin {
    (family = $family:path $(,)?) => {
        $crate::export_plugin!(@list $family());
    };
    (@list $list:expr) => {
        const _: () = {
            struct Plugin;

            impl $crate::export::Exported for Plugin {
                fn kept()
                -> &'static ::std::sync::OnceLock<::std::vec::Vec<::std::sync::Arc<dyn $crate::Stepper>>>
                {
                    static KEPT: ::std::sync::OnceLock<
                        ::std::vec::Vec<::std::sync::Arc<dyn $crate::Stepper>>,
                    > = ::std::sync::OnceLock::new();
                    &KEPT
                }

                fn list() -> ::std::vec::Vec<::std::sync::Arc<dyn $crate::Stepper>> {
                    $list
                }
            }

            #[unsafe(export_name = "braincell_plugin_handshake")]
            static HANDSHAKE: $crate::export::Handshake =
                $crate::export::handshake(env!("CARGO_PKG_VERSION"), cfg!(panic = "unwind"));

            #[unsafe(export_name = "braincell_plugin_root")]
            static ROOT: $crate::export::Root = $crate::export::root::<Plugin>();
        };
    };
    ($($stepper:expr),+ $(,)?) => {
        $crate::export_plugin!(
            @list ::std::vec![$(
                ::std::sync::Arc::new($stepper) as ::std::sync::Arc<dyn $crate::Stepper>
            ),+]
        );
    };
}
