//! Building plugins, and what all tests of broken ones share.

use braincell_core::registry::{Origin, Registry};
use braincell_core::stepper::{SolverInfo, StepError, StepOps, Stepper};
use braincell_plugin_api::loader::{self, Names, PluginError, Problem};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

/// The crate with the tests.
pub fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where plugins are built.
pub fn scratch() -> &'static Path {
    static SCRATCH: OnceLock<PathBuf> = OnceLock::new();
    SCRATCH.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("made");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        dir
    })
}

/// Runs cargo in a folder, with the target directory that all plugins share.
pub fn cargo(folder: &Path, arguments: &[&str]) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(|p| p.into_inner());
    let run = |offline: bool| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        command
            .current_dir(folder)
            .args(arguments)
            .args(offline.then_some("--offline"))
            .arg("--target-dir")
            .arg(target())
            // Settings of the tests, such as a sanitizer, are not for the compiler of the plugins.
            .env_remove("CARGO_BUILD_TARGET")
            .env_remove("RUSTFLAGS")
            // Plugins run once, so they need not be fast; with one profile they share their dependencies.
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off");
        command.output().unwrap()
    };
    // What the workspace has fetched is enough, if this machine fetched it.
    let mut output = run(true);
    if !output.status.success() {
        output = run(false);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{arguments:?} in {folder:?}\n{text}"
    );
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("target")
}

/// A plugin that cargo built.
pub fn built(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// A plugin that cargo built with `--release`.
#[allow(dead_code)] // Only the benchmark needs one.
pub fn released(name: &str) -> PathBuf {
    target().join("release").join(name)
}

/// The families of built-in solvers.
pub const FAMILIES: [&str; 4] = ["rk", "expeuler", "implicit", "cable"];

/// The example plugins, and the families of built-in solvers as plugins, built on first use.
pub fn examples() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        for name in ["tableau", "rosenbrock", "cable_splitting"] {
            let folder = home().join("../examples/plugins").join(name);
            cargo(&folder, &["build"]);
        }
        let workspace = home().join("..");
        let mut arguments = vec!["build".to_string()];
        for family in FAMILIES {
            arguments.push(format!("--package=braincell-solvers-{family}"));
            arguments.push(format!("--example={family}_plugin"));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        cargo(&workspace, &arguments);
    });
}

/// Whether there is a C compiler. Tests that need one say that they are skipped.
pub fn has_cc() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let found = Command::new("cc").arg("--version").output().is_ok();
        if !found {
            println!("SKIPPED: there is no C compiler (cc), so plugins in C are not tested");
        }
        found
    })
}

/// Compiles C code into a file of that name.
pub fn cc(name: &str, source: &str, flags: &[&str]) -> PathBuf {
    let (input, output) = (scratch().join(format!("{name}.c")), scratch().join(name));
    fs::write(&input, source).unwrap();
    let done = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(home().join("include"))
        .arg("-o")
        .args([&output, &input])
        .args(flags)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{name}\n{text}");
    output
}

/// Compiles a plugin in C.
pub fn c_plugin(name: &str, source: &str) -> PathBuf {
    let source = format!("#include \"braincell_plugin.h\"\n{source}");
    cc(&format!("{name}.so"), &source, &["-shared", "-fPIC"])
}

/// The plugin in C among the examples.
pub fn kutta() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let source = home().join("../examples/plugins/c/kutta.c");
            let source = fs::read_to_string(source).unwrap();
            cc("libkutta.so", &source, &["-shared", "-fPIC", "-pedantic"])
        })
        .clone()
}

/// The built-in solvers.
pub fn built_in() -> Registry {
    let mut registry = Registry::new();
    braincell_solvers_rk::register(&mut registry).unwrap();
    braincell_solvers_expeuler::register(&mut registry).unwrap();
    braincell_solvers_implicit::register(&mut registry).unwrap();
    braincell_solvers_cable::register(&mut registry).unwrap();
    registry
}

/// Loads a plugin whose names are free.
pub fn load_into(registry: &mut Registry, path: &Path) {
    loader::load(registry, path, Names::MustBeFree).unwrap();
}

/// The program of a stepper that is given as a function.
pub struct Own(pub &'static str);

impl Stepper for Own {
    fn info(&self) -> SolverInfo {
        SolverInfo::new(self.0, "own", 1)
    }

    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let k = o.rhs(0.0, o.y())?;
        o.commit(k)
    }
}

/// A registry with one solver.
pub fn registry(name: &'static str) -> Registry {
    let mut registry = Registry::new();
    let origin = Origin {
        from: "here".to_string(),
        version: "0".to_string(),
    };
    registry.register(Arc::new(Own(name)), origin).unwrap();
    registry
}

/// The names in a registry and where they come from.
pub fn listing(registry: &Registry) -> Vec<String> {
    let entries = registry.entries();
    entries.iter().map(|e| format!("{e:?}")).collect()
}

/// Makes sure that a file is refused, that the message names it and says certain words, and that nothing has changed.
pub fn refused(path: &Path, words: &[&str]) -> Problem {
    let mut registry = registry("own");
    let before = listing(&registry);
    let error: PluginError = match loader::load(&mut registry, path, Names::MustBeFree) {
        Ok(_) => panic!("{} was loaded", path.display()),
        Err(error) => error,
    };
    let text = error.to_string();
    println!("{text}\n");
    let name = path.file_name().unwrap_or(OsStr::new("")).to_string_lossy();
    for word in words.iter().chain([&name.as_ref()]) {
        assert!(text.contains(word), "\"{word}\" is missing in: {text}");
    }
    assert!(text.len() < 1500, "{} characters: {text}", text.len());
    assert_eq!(listing(&registry), before);
    error.problem
}
