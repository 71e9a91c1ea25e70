//! Plugins in C with mistakes in them.

use crate::support::{c_plugin, cc, has_cc, refused, registry, scratch};
use braincell_core::registry::RegistryError;
use braincell_core::stepper::{ProgramError, StepError};
use braincell_plugin_api::loader::{self, Names, Problem};
use std::fs;

/// A handshake whose fields are given.
fn handshake(door: u32, abi: u32, scalar: u32, unwinds: u32, abi_stable: &str) -> String {
    format!(
        "BRAINCELL_EXPORT const braincell_handshake braincell_plugin_handshake = {{\"braincell plugi\" \"n\", \
         sizeof(braincell_handshake), {door}, {abi}, {scalar}, {unwinds}, \"{abi_stable}\", \"0.0.9\", \"1\", \"cc\"}};\n"
    )
}

/// A solver called `name`, the body of whose step function is given.
fn solver(name: &str, body: &str) -> String {
    format!(
        "static int32_t step(const braincell_ops *o) {{ {body} }}
         static const braincell_solver s = {{.size = sizeof s, .order = 1, .name = \"{name}\", .family = \"c\", .step = step}};
         BRAINCELL_PLUGIN(\"1\", &s)"
    )
}

const GOOD: &str =
    "static int32_t step(const braincell_ops *o) { return braincell_commit(o, BRAINCELL_Y); }\n";

/// A solver with some fields besides the least, and the plugin of it.
fn with_fields(fields: &str) -> String {
    format!(
        "{GOOD} static const braincell_solver s = {{.size = sizeof s, .step = step, {fields}}}; BRAINCELL_PLUGIN(\"1\", &s)"
    )
}

#[test]
fn symbols_and_handshakes_that_are_wrong_are_refused() {
    if !has_cc() {
        return;
    }
    let none = c_plugin("no_handshake", "int x = 1;");
    let problem = refused(&none, &["braincell_plugin_handshake", "export_plugin!"]);
    assert!(matches!(problem, Problem::MissingSymbol { .. }));
    for (name, source) in [
        (
            "magic",
            "BRAINCELL_EXPORT const char braincell_plugin_handshake[300] = \"brain teaser\";",
        ),
        (
            "zeros",
            "BRAINCELL_EXPORT char braincell_plugin_handshake[300];",
        ),
        (
            "short",
            "BRAINCELL_EXPORT const char braincell_plugin_handshake[17] = \"braincell plugin\";",
        ),
        (
            "function",
            "BRAINCELL_EXPORT void braincell_plugin_handshake(void) {}",
        ),
        (
            "undefined",
            "extern char braincell_plugin_handshake; BRAINCELL_EXPORT char *p = &braincell_plugin_handshake;",
        ),
    ] {
        let path = c_plugin(&format!("handshake_{name}"), source);
        let problem = refused(&path, &["braincell_plugin_handshake"]);
        match name {
            "undefined" => assert!(matches!(problem, Problem::MissingSymbol { .. })),
            _ => assert_eq!(problem, Problem::NotAHandshake),
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    let cases: [(&str, String, &[&str]); 8] = [
        (
            "door",
            handshake(3, 1, 64, 1, ""),
            &["interface 3", "0.0.9", version, "update"],
        ),
        (
            "newer",
            handshake(1, 2, 64, 1, ""),
            &["version 2", "0.0.9", version, "update"],
        ),
        (
            "older",
            handshake(1, 0, 64, 1, ""),
            &["version 0", "0.0.9", version, "build the plugin"],
        ),
        (
            "c_newer",
            handshake(2, 7, 64, 1, ""),
            &["version 7", "loads version 1"],
        ),
        ("scalar", handshake(1, 1, 32, 1, ""), &["32-bit", "64 bits"]),
        (
            "abort",
            handshake(1, 1, 64, 0, ""),
            &["panic = \"abort\"", "unwind"],
        ),
        (
            "abi_stable",
            handshake(1, 1, 64, 1, "0.10.4"),
            &["0.10.4", "0.11.3"],
        ),
        (
            "no_root",
            handshake(1, 1, 64, 1, "0.11.3"),
            &["braincell_plugin_root"],
        ),
    ];
    for (name, source, words) in cases {
        let problem = refused(&c_plugin(&format!("says_{name}"), &source), words);
        let fits = match name {
            "door" => matches!(problem, Problem::Door { found: 3, .. }),
            "newer" | "older" | "c_newer" => matches!(problem, Problem::Abi { .. }),
            "scalar" => problem == Problem::Scalar { found: 32 },
            "abort" => problem == Problem::PanicAborts,
            "abi_stable" => matches!(problem, Problem::AbiStable { .. }),
            _ => matches!(problem, Problem::MissingSymbol { .. }),
        };
        assert!(fits, "{name}: {problem:?}");
    }
}

#[test]
fn tables_that_are_wrong_are_refused() {
    if !has_cc() {
        return;
    }
    let rust = handshake(1, 1, 64, 1, "0.11.3");
    let c = handshake(2, 1, 64, 1, "");
    let table = |fields: &str| {
        format!("{c} BRAINCELL_EXPORT const braincell_table braincell_plugin_table = {{{fields}}};")
    };
    let size = "sizeof(braincell_table)";
    let list = format!(
        "static const braincell_solver *const l[] = {{0}}; {}",
        table(&format!("{size}, 1, 1, 0, l"))
    );
    for (name, source) in [
        (
            "root_small",
            format!("{rust} BRAINCELL_EXPORT const char braincell_plugin_root[8] = \"x\";"),
        ),
        (
            "root_garbage",
            format!("{rust} BRAINCELL_EXPORT const char braincell_plugin_root[4096] = \"x\";"),
        ),
        (
            "table_small",
            format!("{c} BRAINCELL_EXPORT const char braincell_plugin_table[8] = \"x\";"),
        ),
        ("table_size", table("4, 1, 0, 0, 0")),
        ("table_version", table(&format!("{size}, 2, 0, 0, 0"))),
        ("table_null", table(&format!("{size}, 1, 3, 0, 0"))),
        (
            "table_many",
            table(&format!(
                "{size}, 1, 4000000000u, 0, (const braincell_solver *const *)8"
            )),
        ),
        ("solver_null", list),
        (
            "solver_size",
            with_fields(".size = 12").replace(".size = sizeof s, ", ""),
        ),
        (
            "solver_no_step",
            with_fields(".name = \"a\"")
                .replace(".step = step, ", ".step = (void)step, 0, ")
                .replace("(void)step, 0", "0"),
        ),
        (
            "solver_latin1",
            with_fields(".order = 1, .name = \"caf\\xe9\", .family = \"c\""),
        ),
        (
            "solver_parameters",
            with_fields(".order = 1, .name = \"a\", .family = \"c\", .parameter_count = 2"),
        ),
    ] {
        // The compiler may find that the step function is not used.
        let source = source.replace("static int32_t step", "int32_t step");
        let source = source.replace(
            "int32_t step(",
            "int32_t step(const braincell_ops *o);\nint32_t step(",
        );
        let problem = refused(&c_plugin(name, &source), &["build it again"]);
        assert!(matches!(problem, Problem::Table(_)), "{name}: {problem:?}");
    }
    let none = format!(
        "{c} BRAINCELL_EXPORT const braincell_table braincell_plugin_table = {{{size}, 1, 0, 0, 0}};"
    );
    let problem = refused(&c_plugin("no_solver_in_table", &none), &["no solvers"]);
    assert_eq!(problem, Problem::NoSolvers);
}

#[test]
fn solvers_that_are_not_described_well_are_refused() {
    if !has_cc() {
        return;
    }
    for (name, fields, word) in [
        (
            "nameless",
            ".order = 1, .family = \"c\"",
            "does not give its name",
        ),
        (
            "no_family",
            ".order = 1, .name = \"a\"",
            "does not give its family",
        ),
        (
            "no_order",
            ".name = \"a\", .family = \"c\"",
            "does not give its order",
        ),
        (
            "needs",
            ".order = 1, .name = \"a\", .family = \"c\", .needs = 16",
            "newer",
        ),
    ] {
        let problem = refused(&c_plugin(name, &with_fields(fields)), &[word]);
        assert!(matches!(problem, Problem::Info { .. }), "{problem:?}");
    }
    let nan = "static const braincell_parameter p = {\"x\", 0, 0.0 / 0.0};";
    let fields =
        ".order = 1, .name = \"a\", .family = \"c\", .parameter_count = 1, .parameters = &p";
    let path = c_plugin("nan_default", &format!("{nan} {}", with_fields(fields)));
    assert!(matches!(
        refused(&path, &["default", "NaN"]),
        Problem::Info { .. }
    ));
    let path = c_plugin(
        "bad_name",
        &solver("no good", "return braincell_commit(o, 0);"),
    );
    let problem = refused(&path, &["no good", "cannot be the name"]);
    assert!(matches!(
        problem,
        Problem::Registry(RegistryError::BadName(_))
    ));
    let twice = "{.size = sizeof(braincell_solver), .order = 1, .family = \"c\", .step = step";
    let source = format!(
        "{GOOD} static const braincell_solver a = {twice}, .name = \"a\"}}, b = {twice}, .name = \"b\", .aliases = \"x, a\"}};
         BRAINCELL_PLUGIN(\"1\", &a, &b)"
    );
    let problem = refused(
        &c_plugin("alias_twice", &source),
        &["\"a\"", "another name"],
    );
    assert_eq!(problem, Problem::Duplicate("a".to_string()));
}

#[test]
fn a_taken_name_is_refused_and_both_sources_are_named() {
    if !has_cc() {
        return;
    }
    let path = c_plugin(
        "takes_own",
        &solver("own", "return braincell_commit(o, 0);"),
    );
    let problem = refused(&path, &["\"own\"", "takes_own.so 1", "here 0", "override"]);
    assert!(matches!(
        problem,
        Problem::Registry(RegistryError::Taken { .. })
    ));
    let mut registry = registry("own");
    let loaded = loader::load(&mut registry, &path, Names::Override).unwrap();
    assert_eq!(loaded.replaced.len(), 1);
    assert_eq!(loaded.replaced[0].by, "here 0");
    assert_eq!(registry.get("own").unwrap().origin, loaded.plugin.origin());
}

#[test]
fn what_the_dynamic_linker_refuses_is_an_error() {
    if !has_cc() {
        return;
    }
    let source = format!(
        "extern int32_t nowhere(void); {}",
        solver("a", "(void)o; return nowhere();")
    );
    let problem = refused(&c_plugin("undefined_symbol", &source), &["nowhere"]);
    assert!(matches!(problem, Problem::Linker(_)));
    let needed = cc(
        "libneeded.so",
        "int32_t nowhere(void); int32_t nowhere(void) { return 0; }"
            .replace("int32_t", "int")
            .as_str(),
        &["-shared", "-fPIC"],
    );
    let source = format!(
        "#include \"braincell_plugin.h\"\n{}",
        source.replace("int32_t nowhere", "int nowhere")
    );
    let needed_path = needed.to_str().unwrap().to_string();
    let path = cc(
        "missing_library.so",
        &source,
        &["-shared", "-fPIC", &needed_path],
    );
    fs::remove_file(scratch().join("libneeded.so")).unwrap();
    let problem = refused(&path, &["libneeded.so"]);
    assert!(matches!(problem, Problem::Linker(_)));
}

#[test]
fn steps_with_mistakes_are_refused() {
    if !has_cc() {
        return;
    }
    let raw = |operands: &str| format!("{operands} return braincell_commit(o, 0);");
    let cases: [(&str, String, &str); 15] = [
        ("c_uncommitted", "braincell_rhs(o, 0, 0); return 0;".into(), "without committing"),
        ("c_status", "(void)o; return 3;".into(), "status 3"),
        ("c_refuses", "o->refuse(o, \"not on a Monday\"); return 0;".into(), "not on a Monday"),
        ("c_nan", "braincell_rhs(o, 0.0 / 0.0, 0); return 0;".into(), "NaN"),
        ("c_infinite", "braincell_term t = {1e308 * 10, 1, 0}; return braincell_commit(o, braincell_combine(o, &t, 1));".into(), "inf"),
        ("c_handle", "return braincell_commit(o, 77);".into(), "array 77"),
        ("c_negative", "return braincell_commit(o, -5);".into(), "array -5"),
        ("c_linearization", "return braincell_commit(o, braincell_solve(o, 4, 1, 1, 0));".into(), "linearisation 4"),
        ("c_newer_op", raw("int64_t i = 0; o->operation(o, 900, &i, 1, NULL, 0);"), "update braincell"),
        ("c_operands", raw("int64_t i[] = {15, 0, 0, 9}; double c = 0; o->operation(o, 1, i, 4, &c, 1);"), "more operands"),
        ("c_null", raw("o->operation(o, 1, NULL, 3, NULL, 1);"), "missing"),
        ("c_parts", raw("braincell_rhs_of(o, 64, 0, 0.0, 0);"), "choice of parts"),
        ("c_parameter", raw("(void)o->parameter(o, \"beta\");"), "\"beta\""),
        ("c_impure", "static double c = 0; c += 1; return braincell_commit(o, braincell_rhs(o, c, 0));".into(), "differ"),
        ("c_endless", "while (braincell_rhs(o, 0, 0) > 0) {} return 0;".into(), "without end"),
    ];
    for (name, body, word) in cases {
        let problem = refused(&c_plugin(name, &solver(name, &body)), &[word, name]);
        let Problem::Registry(RegistryError::Program(error)) = &problem else {
            panic!("{name}: {problem:?}");
        };
        let fits = match (name, error) {
            ("c_uncommitted", ProgramError::NotCommitted(_)) => true,
            ("c_impure", ProgramError::Impure { op: 0, .. }) => true,
            (_, ProgramError::Step { error, .. }) => match name {
                "c_status" | "c_refuses" => matches!(error, StepError::Refused(_)),
                "c_nan" | "c_infinite" => matches!(error, StepError::Coefficient { .. }),
                "c_handle" | "c_negative" | "c_linearization" => {
                    matches!(error, StepError::UnknownHandle { .. })
                }
                "c_newer_op" => matches!(error, StepError::Newer { op: 0, code: 900 }),
                "c_operands" | "c_null" | "c_parts" => matches!(error, StepError::Argument { .. }),
                "c_parameter" => matches!(error, StepError::UnknownParameter(_)),
                "c_endless" => *error == StepError::TooLong,
                _ => false,
            },
            _ => false,
        };
        assert!(fits, "{name}: {error:?}");
    }
}
