//! Plugins of changed versions of the interface: what changes the layout is refused, what is appended is not.

use crate::support::{built, cargo, home, refused, scratch};
use braincell_plugin_api::loader::Problem;
use std::fs;

/// Builds a plugin without solvers against a copy of braincell-abi of that version, with a text replaced; `appended` is
/// the value of a function more in its table.
fn plugin(name: &str, version: &str, change: (&str, &str, &str), more: &str) -> std::path::PathBuf {
    let folder = scratch().join(name);
    // Cargo takes packages of one name, version and relative path for the same, and all are built in one place.
    let abi = format!("abi_{name}");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join(&abi).join("src")).unwrap();
    fs::create_dir_all(folder.join("src")).unwrap();
    let (file, from, to) = change;
    for entry in fs::read_dir(home().join("../braincell-abi/src")).unwrap() {
        let path = entry.unwrap().path();
        let mut text = fs::read_to_string(&path).unwrap();
        let its_name = path.file_name().unwrap();
        if its_name == file {
            assert!(text.contains(from), "{from} is not in {file}");
            text = text.replacen(from, to, 1);
        }
        fs::write(folder.join(&abi).join("src").join(its_name), text).unwrap();
    }
    let manifest = format!(
        "[package]\nname = \"braincell-abi\"\nversion = \"{version}\"\nedition = \"2024\"\n[dependencies]\n\
         abi_stable = {{ version = \"=0.11.3\", default-features = false }}\n"
    );
    fs::write(folder.join(&abi).join("Cargo.toml"), manifest).unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n\
         [dependencies]\nbraincell-abi = {{ path = \"{abi}\" }}\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    let source = "
        use braincell_abi::abi_stable::library::*;
        use braincell_abi::abi_stable::prefix_type::PrefixTypeTrait;
        use braincell_abi::abi_stable::std_types::*;
        use braincell_abi::*;
        extern \"C\" fn solvers() -> RResult<RVec<RVec<Field>>, Failure> { RResult::ROk(RVec::new()) }
        extern \"C\" fn record(_: u32, _: RSlice<'_, f64>) -> RResult<RecordedOps, Failure> {
            RResult::ROk(RecordedOps::default())
        }
        extern \"C\" fn more() {}
        fn module() -> PluginModule_Ref { PluginModule { solvers, record, MORE }.leak_into_prefix() }
        extern \"C\" fn constructor() -> RootModuleResult { __call_root_module_loader(module) }
        pub fn unused() { more() }
        #[unsafe(export_name = \"braincell_plugin_root\")]
        static ROOT: LibHeader =
            unsafe { LibHeader::from_constructor::<PluginModule_Ref>(constructor, CheckTypeLayout::Yes) };
        #[unsafe(export_name = \"braincell_plugin_handshake\")]
        static HANDSHAKE: Handshake = Handshake::rust(\"0.0.8\", \"1.0.0\", \"rustc\", true);
    ";
    fs::write(folder.join("src/lib.rs"), source.replace("MORE", more)).unwrap();
    cargo(&folder, &["build"]);
    built(&format!("lib{name}.so"))
}

const FUNCTION: &str = "    pub more: extern \"C\" fn(),\n";

#[test]
fn another_layout_is_refused() {
    let field = "    /// Its number, if it has one.\n";
    let change = (
        "module.rs",
        field,
        "    pub extra: u64,\n    /// Its number.\n",
    );
    let path = plugin("field_added", "1.0.0", change, "");
    let words = ["layout", "0.0.8", env!("CARGO_PKG_VERSION"), "unmodified"];
    let problem = refused(&path, &words);
    assert!(matches!(problem, Problem::Layout { .. }), "{problem:?}");
}

#[test]
fn a_function_inserted_before_others_is_refused() {
    let before = "    /// The metadata of each solver.\n";
    let change = format!("{FUNCTION}{before}");
    let path = plugin(
        "function_inserted",
        "1.0.0",
        ("module.rs", before, &change),
        "more",
    );
    let problem = refused(&path, &["layout"]);
    assert!(matches!(problem, Problem::Layout { .. }), "{problem:?}");
}

#[test]
fn another_version_of_the_interface_crate_is_refused() {
    let path = plugin("other_version", "2.0.0", ("lib.rs", "//!", "//!"), "");
    let problem = refused(&path, &["layout", "2.0.0"]);
    assert!(matches!(problem, Problem::Layout { .. }), "{problem:?}");
}

/// The way in which the interface grows: an older host loads the plugin and does not see the new function.
#[test]
fn a_function_appended_is_accepted() {
    let last = "RResult<RecordedOps, Failure>,\n";
    let change = format!("{last}{FUNCTION}");
    let path = plugin(
        "function_appended",
        "1.0.0",
        ("module.rs", last, &change),
        "more",
    );
    assert_eq!(refused(&path, &[]), Problem::NoSolvers);
}
