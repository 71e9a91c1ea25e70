//! Several plugins, directories, and loading again.

use crate::support::{built, c_plugin, examples, has_cc, kutta, listing, scratch};
use braincell_core::registry::Registry;
use braincell_plugin_api::loader::{
    Door, Names, Problem, inspect, load, load_dir, load_search_path, open,
};
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;

#[test]
fn loading_again_is_harmless() {
    if !has_cc() {
        return;
    }
    let mut registry = Registry::new();
    let first = load(&mut registry, kutta(), Names::MustBeFree).unwrap();
    let before = listing(&registry);
    let (copy, link) = (
        scratch().join("kutta_copy.so"),
        scratch().join("kutta_link.so"),
    );
    fs::copy(kutta(), &copy).unwrap();
    symlink(kutta(), &link).unwrap();
    let roundabout = scratch().join("..").join("made").join("libkutta.so");
    for path in [kutta(), copy, link, roundabout] {
        let again = load(&mut registry, &path, Names::MustBeFree).unwrap();
        assert!(again.again && Arc::ptr_eq(&again.plugin, &first.plugin));
        let again = load(&mut registry, &path, Names::Override).unwrap();
        assert!(again.again && again.replaced.is_empty());
    }
    assert!(!first.again);
    assert_eq!(listing(&registry), before);
}

#[test]
fn a_file_that_changed_after_it_was_loaded_is_refused() {
    if !has_cc() {
        return;
    }
    let source = |name: &str| {
        format!(
            "static int32_t step(const braincell_ops *o) {{ return braincell_commit(o, 0); }}
             static const braincell_solver s =
                 {{.size = sizeof s, .order = 1, .name = \"{name}\", .family = \"c\", .step = step}};
             BRAINCELL_PLUGIN(\"1\", &s)"
        )
    };
    let path = c_plugin("changes", &source("before"));
    let plugin = open(&path).unwrap();
    let other = c_plugin("changed", &source("after"));
    fs::rename(other, &path).unwrap();
    let error = open(&path).unwrap_err();
    assert_eq!(error.problem, Problem::Changed, "{error}");
    assert_eq!(plugin.steppers()[0].info().name, "before");
}

#[test]
fn several_plugins_live_side_by_side() {
    examples();
    let mut registry = Registry::new();
    braincell_solvers_rk::register(&mut registry).unwrap();
    for name in ["tableau", "rosenbrock", "cable_splitting"] {
        let path = built(&format!("lib{name}_plugin.so"));
        let loaded = load(&mut registry, &path, Names::MustBeFree).unwrap();
        assert_eq!(loaded.plugin.door(), Door::Rust);
    }
    for name in [
        "rk4",
        "three_eighths",
        "ros2",
        "exp_rosenbrock",
        "strang_cable",
    ] {
        registry.solver(name).unwrap();
    }
    let taken = load(
        &mut registry,
        built("examples/librk_plugin.so"),
        Names::MustBeFree,
    );
    let text = taken.unwrap_err().to_string();
    assert!(
        text.contains("braincell-solvers-rk") && text.contains("librk_plugin.so"),
        "{text}"
    );
    let path = built("examples/librk_plugin.so");
    let loaded = load(&mut registry, path, Names::Override).unwrap();
    assert!(loaded.replaced.iter().any(|r| r.name == "explicit"));
    assert!(
        loaded
            .replaced
            .iter()
            .all(|r| r.by.starts_with("braincell-solvers-rk"))
    );
    registry.solver("rk4").unwrap();
}

#[test]
fn directories_are_loaded_and_bad_files_do_not_hinder_good_ones() {
    if !has_cc() {
        return;
    }
    let folder = scratch().join("plugins");
    fs::create_dir_all(folder.join("folder.so")).unwrap();
    fs::write(folder.join("a_text.so"), "no").unwrap();
    fs::write(folder.join("read.me"), "not looked at").unwrap();
    fs::copy(kutta(), folder.join("b_kutta.so")).unwrap();
    let mut registry = Registry::new();
    let results = load_dir(&mut registry, &folder, Names::MustBeFree).unwrap();
    assert_eq!(results.len(), 2);
    assert!(
        results[0]
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("a_text.so")
    );
    assert!(results[1].is_ok());
    registry.solver("c_kutta3").unwrap();
    let nowhere = scratch().join("nowhere");
    assert!(load_dir(&mut registry, &nowhere, Names::MustBeFree).is_err());
    let list = std::env::join_paths([folder, nowhere, kutta(), "".into()]).unwrap();
    let mut registry = Registry::new();
    let results = load_search_path(&mut registry, &list, Names::MustBeFree);
    let good: Vec<bool> = results.iter().map(|r| r.is_ok()).collect();
    assert_eq!(good, [false, true, false, true]);
}

#[test]
fn a_report_says_what_a_file_contains() {
    examples();
    let report = inspect(built("libtableau_plugin.so")).unwrap();
    assert!(report.is_sound());
    let text = report.to_string();
    println!("{text}");
    let version = format!("made with braincell {}", env!("CARGO_PKG_VERSION"));
    for word in [
        "libtableau_plugin.so",
        "version 1.0.0",
        "Rust interface 1",
        &version,
        "rustc 1.",
        "three_eighths (rk, order 4",
    ] {
        assert!(text.contains(word), "\"{word}\" is missing in {text}");
    }
}
