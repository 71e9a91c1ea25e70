//! Names, aliases, overrides, parameters.

use crate::support::{EULER, RK4, origin, solvers, start};
use braincell_core::model::{Model, ode, systems::Decay};
use braincell_core::registry::{Registry, RegistryError, Replaced, distance};
use braincell_core::simulation::{Setup, SetupError};
use braincell_core::stepper::{
    Needs, SolverInfo, SolverParameter, StepError, StepOps, Stepper, h, num,
};
use std::sync::Arc;

/// Two stages, the second at a parameter.
struct Family {
    aliases: &'static [&'static str],
    name: &'static str,
    deprecated: Option<&'static str>,
    needs: Needs,
}

fn named(name: &'static str, aliases: &'static [&'static str]) -> Arc<Family> {
    Arc::new(Family {
        name,
        aliases,
        deprecated: None,
        needs: Needs::default(),
    })
}

impl Stepper for Family {
    fn info(&self) -> SolverInfo {
        let mut info = SolverInfo::new(self.name, "test", 2);
        info.aliases = self.aliases.iter().map(|alias| alias.to_string()).collect();
        info.deprecated = self.deprecated.map(str::to_string);
        info.needs = self.needs;
        info.parameters = vec![SolverParameter {
            name: "alpha".to_string(),
            default: 1.0,
            description: "the node of the second stage".to_string(),
        }];
        info
    }
    fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
        let alpha = o.parameter("alpha")?;
        if alpha == 0.0 {
            return Err(StepError::Refused("alpha must not be 0".to_string()));
        }
        let (y, w) = (o.y(), 0.5 / alpha);
        let k1 = o.rhs(0.0, y)?;
        let stage = o.combine(&[(num(1.0), y), (h(alpha), k1)])?;
        let k2 = o.rhs(alpha, stage)?;
        let next = o.combine(&[(num(1.0), y), (h(1.0 - w), k1), (h(w), k2)])?;
        o.commit(next)
    }
}

fn unknown(registry: &Registry, name: &str) -> (Vec<String>, String) {
    match registry.get(name) {
        Err(error @ RegistryError::Unknown { .. }) => {
            let text = error.to_string();
            let RegistryError::Unknown { nearest, .. } = error else {
                unreachable!()
            };
            (nearest, text)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unknown_name_is_answered_with_near_ones() {
    let mut registry = solvers();
    registry
        .register(named("two_stage", &["rk2"]), origin("x"))
        .unwrap();
    let (nearest, text) = unknown(&registry, "rk5");
    assert_eq!(nearest, ["rk2", "rk4"]);
    assert_eq!(
        text,
        "unknown solver \"rk5\" (did you mean rk2 or rk4?); the solvers are euler, heun, rk4, two_stage"
    );
    assert_eq!(unknown(&registry, "eluer").0, ["euler"]);
    assert_eq!(unknown(&registry, "EULER").0, ["euler"]);
    let (nearest, text) = unknown(&registry, "crank_nicolson");
    assert!(nearest.is_empty());
    assert!(!text.contains("did you mean"), "{text}");
    assert!(registry.solver("").is_err());
}

#[test]
fn distances_count_edits() {
    for (a, b, d) in [
        ("", "", 0),
        ("abc", "", 3),
        ("kitten", "sitting", 3),
        ("euler", "eluer", 1),
        ("rk4", "rk4", 0),
    ] {
        assert_eq!(distance(a, b), d, "{a} {b}");
        assert_eq!(distance(b, a), d, "{b} {a}");
    }
}

#[test]
fn an_alias_finds_the_solver_and_its_name() {
    let mut registry = solvers();
    registry
        .register(named("two_stage", &["rk2", "rk-2"]), origin("x"))
        .unwrap();
    for name in ["two_stage", "rk2", " rk-2 "] {
        assert_eq!(registry.solver(name).unwrap().name, "two_stage");
    }
    let names: Vec<_> = registry
        .entries()
        .iter()
        .map(|e| e.info.name.clone())
        .collect();
    assert_eq!(
        names,
        ["euler", "heun", "two_stage", "rk4"],
        "by family and order"
    );
}

#[test]
fn a_taken_name_is_refused_and_both_sides_are_named() {
    let mut registry = solvers();
    let aliased = [
        named("rk4", &[]),
        named("mine", &["rk4"]),
        named("mine", &["mine"]),
    ];
    for stepper in aliased {
        let error = registry.register(stepper, origin("plugin.so")).unwrap_err();
        let RegistryError::Taken {
            holder, newcomer, ..
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!(newcomer, "plugin.so 1.2.3");
        assert!(["tests 1.2.3", "plugin.so 1.2.3"].contains(&holder.as_str()));
        assert!(error.to_string().contains("override"), "{error}");
    }
    assert!(
        registry.get("mine").is_err(),
        "a refused solver leaves nothing behind"
    );
}

#[test]
fn an_override_takes_names_and_aliases_and_says_from_whom() {
    let mut registry = solvers();
    registry
        .register(named("two_stage", &["rk2"]), origin("builtin"))
        .unwrap();
    let replaced = registry
        .register_override(named("rk4", &["rk2", "new"]), origin("plugin.so"))
        .unwrap();
    let by = |name: &str, by: &str| Replaced {
        name: name.to_string(),
        by: by.to_string(),
    };
    assert_eq!(
        replaced,
        [by("rk4", "tests 1.2.3"), by("rk2", "builtin 1.2.3")]
    );
    for name in ["rk4", "rk2", "new"] {
        assert_eq!(
            registry.get(name).unwrap().origin,
            origin("plugin.so"),
            "{name}"
        );
    }
    assert_eq!(registry.get("two_stage").unwrap().origin, origin("builtin"));
    assert!(
        registry
            .register_override(named("free", &[]), origin("y"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn bad_names_are_refused() {
    for name in ["", "4rk", "_x", "rk 4", "rk(4)", "é", "a=b", "a,b"] {
        let error = Registry::new()
            .register(named(name, &[]), origin("x"))
            .unwrap_err();
        assert_eq!(error, RegistryError::BadName(name.to_string()));
    }
    assert!(
        Registry::new()
            .register(named("a", &["-"]), origin("x"))
            .is_err()
    );
}

#[test]
fn parameters_reach_the_step() {
    let mut registry = solvers();
    registry
        .register(named("two_stage", &["rk2"]), origin("x"))
        .unwrap();
    let default = registry.solver("rk2").unwrap();
    let midpoint = registry.solver("rk2 ( alpha = 0.5 )").unwrap();
    assert_eq!(midpoint.name, "two_stage(alpha = 0.5)");
    assert_ne!(default.program, midpoint.program);
    assert_eq!(
        default.program,
        registry.solver("rk2(alpha=1)").unwrap().program
    );
    assert_eq!(default.program, registry.solver("rk2()").unwrap().program);
    assert!(
        midpoint.program.to_string().contains("f(t + 0.5 h"),
        "{}",
        midpoint.program
    );

    for (text, reason) in [
        ("rk2(alpha=0.5", "closing parenthesis"),
        ("rk2(0.5)", "parameter=number"),
        ("rk2(beta=1)", "no parameter \"beta\"; there is alpha"),
        ("rk2(alpha=x)", "not a finite number"),
        ("rk2(alpha=NaN)", "not a finite number"),
        ("rk2(alpha=inf)", "not a finite number"),
        ("rk2(alpha=1, alpha=2)", "twice"),
        ("rk4(alpha=1)", "rk4 has no parameters"),
    ] {
        let error = registry.solver(text).unwrap_err();
        assert!(
            matches!(error, RegistryError::Parameters { .. }),
            "{text}: {error}"
        );
        assert!(error.to_string().contains(reason), "{text}: {error}");
    }
    let error = registry.solver("rk2(alpha=0)").unwrap_err();
    assert!(error.to_string().contains("alpha must not be 0"), "{error}");
}

#[test]
fn deprecation_is_told_once() {
    let mut registry = solvers();
    let old = Family {
        name: "old",
        aliases: &["older"],
        deprecated: Some("use rk4"),
        needs: Needs::default(),
    };
    registry.register(Arc::new(old), origin("x")).unwrap();
    assert_eq!(registry.deprecation("rk4"), None);
    assert_eq!(registry.deprecation("nobody"), None);
    assert_eq!(
        registry.deprecation("older").as_deref(),
        Some("solver \"old\" is deprecated: use rk4")
    );
    assert_eq!(registry.deprecation("old"), None);
}

#[test]
fn a_solver_that_does_not_fit_is_refused_with_those_that_do() {
    let mut registry = Registry::new();
    registry.register(Arc::new(EULER), origin("x")).unwrap();
    registry.register(Arc::new(RK4), origin("x")).unwrap();
    for (name, membrane, noise) in [("gated", true, false), ("random", false, true)] {
        let needs = Needs { membrane, noise };
        let stepper = Family {
            name,
            aliases: &[],
            deprecated: None,
            needs,
        };
        registry.register(Arc::new(stepper), origin("x")).unwrap();
    }
    let model = Model::new(&ode(Decay)).unwrap();
    for (name, word) in [("gated", "membrane potential"), ("random", "diffusion")] {
        let error = Setup::new(name, 0.1)
            .start::<f64>(&registry, &model)
            .err()
            .unwrap();
        let SetupError::Registry(RegistryError::DoesNotFit {
            missing,
            alternatives,
            ..
        }) = error
        else {
            panic!("{error}")
        };
        assert!(missing.contains(word), "{missing}");
        assert_eq!(alternatives, ["rk4", "euler"]);
    }
    start("euler", 0.1, &model);
}
