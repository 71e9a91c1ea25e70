//! Every registered solver passes every check that applies to it.

use braincell::cells::{Placed, SingleCompartment, mechanisms};
#[cfg(all(
    feature = "rk",
    feature = "expeuler",
    feature = "implicit",
    feature = "cable"
))]
use braincell::conformance::Measured;
use braincell::conformance::{Check, Outcome, Report, check};
use braincell::simulation::Setup;

fn cell(outcome: Option<&Outcome>) -> String {
    match outcome {
        Some(Outcome::Measured { order, .. }) => format!("{order:.3}"),
        Some(Outcome::AtLeast { order, .. }) => format!("≥ {order:.3}"),
        Some(Outcome::Passed) => "passed".to_string(),
        Some(Outcome::Skipped(_)) => "skipped".to_string(),
        Some(Outcome::Failed(_)) => "FAILED".to_string(),
        None => "missing".to_string(),
    }
}

fn print(reports: &[Report]) {
    print!("{:<18} {:>8}", "solver", "declared");
    for check in Check::ALL {
        print!(" {check:>21}");
    }
    println!();
    for report in reports {
        print!("{:<18} {:>8}", report.solver, report.declared_order);
        for check in Check::ALL {
            print!(" {:>21}", cell(report.outcome(check)));
        }
        println!();
    }
    for report in reports {
        for (check, outcome) in &report.findings {
            if let Outcome::Skipped(reason) = outcome {
                println!("{}: {check} skipped: {reason}", report.solver);
            }
        }
    }
}

#[test]
fn every_registered_solver_keeps_its_word() {
    let registry = braincell::solvers();
    let names = registry.entries().into_iter().map(|entry| &entry.info.name);
    let reports: Vec<Report> = names.map(|name| check(registry, name).unwrap()).collect();
    print(&reports);
    let bad: Vec<String> = reports
        .iter()
        .filter(|report| !report.is_good())
        .map(Report::to_string)
        .collect();
    assert!(bad.is_empty(), "\n{}", bad.join("\n"));
    #[cfg(all(
        feature = "rk",
        feature = "expeuler",
        feature = "implicit",
        feature = "cable"
    ))]
    compare(&reports);
}

/// The table that `braincell solvers --json` and the page of the solvers show is what was measured.
#[cfg(all(
    feature = "rk",
    feature = "expeuler",
    feature = "implicit",
    feature = "cable"
))]
fn compare(reports: &[Report]) {
    let registry = braincell::solvers();
    let now = |report| Measured::from_report(registry, report).unwrap();
    if std::env::var_os("BRAINCELL_WRITE_DOCS").is_some() {
        let mut table = serde_json::Map::new();
        for report in reports {
            let mut row = now(report).as_json();
            row["source"] = registry
                .get(&report.solver)
                .unwrap()
                .origin
                .from
                .clone()
                .into();
            table.insert(report.solver.clone(), row);
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/conformance/measured.json");
        std::fs::write(path, format!("{:#}\n", serde_json::Value::Object(table))).unwrap();
        return;
    }
    for report in reports {
        let known = Measured::of(registry.get(&report.solver).unwrap());
        let differs = match &known {
            None => Some("it is not in the table".to_string()),
            Some(known) => now(report).differs(known),
        };
        assert_eq!(
            differs, None,
            "src/conformance/measured.json is out of date for {}; to write it: \
             BRAINCELL_WRITE_DOCS=1 cargo test --test conformance",
            report.solver
        );
    }
}

#[cfg(all(
    feature = "rk",
    feature = "expeuler",
    feature = "implicit",
    feature = "cable"
))]
#[test]
fn limits_of_stability_are_those_of_the_literature() {
    use braincell::conformance::Reach;
    // E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, IV.2, doi:10.1007/978-3-642-05221-7
    let known = [
        ("euler", 2.0, 0.0),
        ("heun2", 2.0, 0.0),
        ("rk3", 2.512_745, 1.732_051),
        ("rk4", 2.785_294, 2.828_427),
    ];
    for (name, real, imaginary) in known {
        let measured = Measured::of(braincell::solvers().get(name).unwrap()).unwrap();
        for (reach, expected) in measured.stability.into_iter().zip([real, imaginary]) {
            let Some(Reach::To(reach)) = reach else {
                panic!("{name}: {reach:?}")
            };
            assert!(
                (reach - expected).abs() < 1e-3,
                "{name}: {reach}, not {expected}"
            );
        }
    }
    for entry in braincell::solvers().entries() {
        let measured = Measured::of(entry).unwrap();
        let properties = &entry.info.properties;
        if properties.a_stable {
            let bounded = |reach: &Option<Reach>| matches!(reach, Some(Reach::To(_)));
            assert!(
                !measured.stability.iter().any(bounded),
                "{} declares A-stability; {:?}",
                entry.info.name,
                measured.stability
            );
        }
        assert!(!properties.l_stable || properties.a_stable);
    }
}

/// One step on a passive membrane with h λ = -10⁶: an L-stable solver leaves nothing, one that is A-stable alone nearly all.
#[test]
fn l_stability_is_damping() {
    let registry = braincell::solvers();
    let leak = mechanisms::find("leak").unwrap();
    let cell = SingleCompartment::new()
        .initial_voltage(1.0)
        .mechanism(Placed::new("leak", leak));
    let mut model = cell.population(1).unwrap();
    model.set_parameter("leak.E", 0.0).unwrap();
    model.set_parameter("leak.g_max", 1e6).unwrap();
    for entry in registry.entries() {
        let (name, properties) = (&entry.info.name, &entry.info.properties);
        if properties.a_stable {
            let mut run = Setup::new(name, 1.0)
                .start::<f64>(registry, &model)
                .unwrap();
            run.run(1.0).unwrap();
            let left = run.state("V").unwrap().value.at(0, 0).abs();
            assert_eq!(left < 1e-4, properties.l_stable, "{name} leaves {left}");
        }
    }
}

mod wrong {
    //! Solvers with one thing wrong each.

    use super::{Check, check};
    use braincell::registry::{Origin, Registry};
    use braincell::stepper::{SolverInfo, StepError, StepOps, Stepper, h, num};
    use std::sync::Arc;

    /// The midpoint rule with a declared order, a time of its second stage, and an error in the weights.
    struct Midpoint {
        order: u32,
        node: f64,
        flaw: f64,
    }

    impl Stepper for Midpoint {
        fn info(&self) -> SolverInfo {
            let mut info = SolverInfo::new("wrong", "test", self.order);
            info.description = "The midpoint rule with an error".to_string();
            info.formula = "y + h f(t + h/2, y + h/2 f(t, y))".to_string();
            info
        }
        fn step(&self, o: &mut StepOps) -> Result<(), StepError> {
            let y = o.y();
            let k = o.rhs(0.0, y)?;
            let middle = o.combine(&[(num(1.0), y), (h(0.5), k)])?;
            let k = o.rhs(self.node, middle)?;
            let next = o.combine(&[(num(1.0), y), (h(1.0 + self.flaw), k)])?;
            o.commit(next)
        }
    }

    /// The checks that fail.
    fn failing(order: u32, node: f64, flaw: f64) -> Vec<Check> {
        let mut registry = Registry::new();
        let origin = Origin {
            from: "test".to_string(),
            version: "1".to_string(),
        };
        let stepper = Midpoint { order, node, flaw };
        registry.register(Arc::new(stepper), origin).unwrap();
        let report = check(&registry, "wrong").unwrap();
        let bad = report.findings.iter().filter(|(_, o)| !o.is_good());
        let bad: Vec<Check> = bad.map(|(check, _)| *check).collect();
        assert_eq!(report.is_good(), bad.is_empty());
        bad
    }

    const ORDERS: [Check; 8] = [
        Check::OrderOscillator,
        Check::OrderMembrane,
        Check::OrderSine,
        Check::OrderThalamic,
        Check::OrderThalamicSine,
        Check::OrderJumpsOnGrid,
        Check::OrderJumpsOffGrid,
        Check::OrderTree,
    ];

    #[test]
    fn the_right_solver_passes() {
        assert_eq!(failing(2, 0.5, 0.0), []);
    }

    #[test]
    fn a_wrong_declaration_is_seen() {
        assert_eq!(failing(1, 0.5, 0.0), ORDERS);
        assert_eq!(failing(3, 0.5, 0.0), ORDERS);
        assert_eq!(failing(0, 0.5, 0.0)[0], Check::Program);
    }

    #[test]
    fn inputs_taken_at_the_wrong_time_are_seen() {
        // Between jumps the current is constant: only the sines show it.
        assert_eq!(
            failing(2, 0.0, 0.0),
            [Check::OrderSine, Check::OrderThalamicSine, Check::OrderTree]
        );
    }

    #[test]
    fn weights_in_single_precision_are_seen() {
        assert_eq!(failing(2, 0.5, 1e-7), ORDERS);
    }
}
