//! Plugins in Rust with mistakes in them.

use crate::support::{built, cargo, home, refused};
use braincell_core::registry::RegistryError;
use braincell_core::stepper::{ProgramError, StepError};
use braincell_plugin_api::loader::{Problem, inspect};
use std::path::PathBuf;
use std::sync::OnceLock;

fn broken(name: &str) -> PathBuf {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| cargo(&home().join("tests/broken"), &["build", "--examples"]));
    built("examples").join(format!("lib{name}.so"))
}

#[test]
fn mistakes_in_registration_are_refused() {
    for (name, message) in [
        ("panic_in_list", "no list"),
        ("panic_in_info", "no description"),
    ] {
        let place = format!("{name}.rs:");
        let problem = refused(&broken(name), &[message, &place]);
        let panicked = matches!(&problem, Problem::Listing(StepError::Panicked(_)));
        assert!(panicked, "{problem:?}");
    }
    let problem = refused(&broken("duplicate_names"), &["twice"]);
    assert_eq!(problem, Problem::Duplicate("twice".to_string()));
    let problem = refused(&broken("no_solvers"), &["no solvers"]);
    assert_eq!(problem, Problem::NoSolvers);
}

#[test]
fn one_bad_step_keeps_the_whole_plugin_out() {
    let problem = refused(&broken("broken_steps"), &["panics", "message"]);
    assert!(matches!(
        problem,
        Problem::Registry(RegistryError::Program(_))
    ));
}

#[test]
fn mistakes_in_steps_are_errors_of_their_own() {
    let report = inspect(broken("broken_steps")).unwrap();
    assert!(!report.is_sound());
    println!("{report}");
    assert_eq!(report.solvers.len(), 14);
    for solver in &report.solvers {
        let name = solver.info.name.as_str();
        let error = match (&solver.program, name) {
            (Ok(program), "good") => {
                assert_eq!(program.to_string(), "a1 = f(t, y)\na2 = y + h a1\ny ← a2\n");
                continue;
            }
            (Ok(program), _) => panic!("{name}: {program}"),
            (Err(error), _) => error,
        };
        let text = error.to_string();
        assert!(text.contains(name), "{text}");
        let fits = match error {
            ProgramError::NotCommitted(_) => name == "forgets_to_commit",
            ProgramError::Impure { op, .. } => name == "is_impure" && *op == 1,
            ProgramError::Estimate(_) => name == "estimates_unannounced",
            ProgramError::Step { error, .. } => match (name, error) {
                ("panics", StepError::Panicked(why)) => {
                    why.starts_with("the author's own message at ")
                        && why.contains("broken_steps.rs:")
                }
                ("panics_with_a_number", StepError::Panicked(why)) => why.contains("no message"),
                ("runs_out_of_bounds", StepError::Panicked(why)) => why.contains("index is 3"),
                ("refuses", StepError::Refused(why)) => why == "not today",
                ("has_a_nan", StepError::Coefficient { op: 1, value }) => value.is_nan(),
                ("makes_up_a_handle", StepError::UnknownHandle { op: 0, handle }) => {
                    handle == "array 99"
                }
                ("never_ends", StepError::TooLong) => true,
                ("commits_twice", StepError::CommittedTwice { op: 5 }) => true,
                ("asks_for_a_parameter", StepError::UnknownParameter(which)) => which == "alpha",
                _ => false,
            },
        };
        let ignored = name == "ignores_the_nan" && matches!(error, ProgramError::NotCommitted(_));
        assert!(fits || ignored, "{name}: {error:?}");
    }
}
