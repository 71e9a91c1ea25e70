//! Every built-in name on a point neuron, at steps that are too large too, and on equations without a membrane.

use braincell::cells::SingleCompartment;
use braincell::input::Input;
use braincell::model::systems::VanDerPol;
use braincell::model::{Model, ode};
use braincell::registry::RegistryError;
use braincell::simulation::{RunError, Setup, SetupError};
use braincell::stepper::{Jacobian, Op, Parts};

fn hodgkin_huxley() -> Model {
    driven(10.0)
}

/// By a current step, µA/cm².
fn driven(amplitude: f64) -> Model {
    let cell = SingleCompartment::hodgkin_huxley();
    Model::new(&cell.input("stimulus", Input::step(amplitude, 5.0, 45.0))).unwrap()
}

/// Names and properties of the deterministic solvers of this build.
fn deterministic() -> Vec<braincell::stepper::SolverInfo> {
    let entries = braincell::solvers().entries().into_iter();
    let infos = entries.map(|e| e.info.clone());
    infos.filter(|info| !info.needs.noise).collect()
}

#[test]
fn every_name_steps_a_point_neuron() {
    for info in deterministic() {
        for name in [&info.name].into_iter().chain(&info.aliases) {
            let setup = Setup::new(name.as_str(), 0.01).spikes("V", 0.0);
            let mut run = setup
                .start::<f64>(braincell::solvers(), &hodgkin_huxley())
                .unwrap();
            run.run(50.0)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let recording = run.recording();
            let spikes = &recording.spikes()[0].times;
            if info.advances == Parts::ALL {
                assert_eq!(spikes.len(), 3, "{name}: {spikes:?}");
                assert!((spikes[0] - 6.9008).abs() < 0.05, "{name}: {spikes:?}");
            }
        }
    }
}

/// With steps of half a millisecond, far above the fastest time constant.
#[test]
fn large_steps_are_survived_or_named() {
    for info in deterministic() {
        let setup = Setup::new(info.name.as_str(), 0.5)
            .record("V")
            .record("na.m");
        let mut run = setup
            .start::<f64>(braincell::solvers(), &hodgkin_huxley())
            .unwrap();
        let result = run.run(50.0);
        let recording = run.recording();
        assert!(
            recording.data().iter().all(|x| x.is_finite()),
            "{}",
            info.name
        );
        // A method that replaces the equations by their linearisation follows its growth: on the way up of a spike h λ is
        // 5 and more, near the pole of a Rosenbrock method and far up on an exponential. It may leave all bounds.
        let program = braincell::solvers().solver(&info.name).unwrap().program;
        let linearised = program.ops().iter().any(|op| match op {
            Op::Linearize {
                parts, jacobian, ..
            } => *parts == Parts::ALL && matches!(jacobian, Jacobian::Full | Jacobian::Local),
            _ => false,
        });
        let iterates = |op: &Op| matches!(op, Op::ImplicitStage { .. } | Op::ImplicitStages { .. });
        if linearised && !program.ops().iter().any(iterates) {
            assert!(matches!(result, Ok(()) | Err(RunError::BadValue(_))));
        } else if info.properties.l_stable {
            assert_eq!(result, Ok(()), "{}", info.name);
            assert_eq!(recording.times().len(), 101, "{}", info.name);
        }
        if info.properties.explicit {
            let Err(error) = result else {
                panic!("{} should be unstable", info.name)
            };
            let text = error.to_string();
            let RunError::BadValue(bad) = error else {
                panic!("{}: {text}", info.name)
            };
            // What was computed before is there, and the error says where and what to do.
            assert_eq!(recording.times().len() as u64, bad.step + 1, "{text}");
            assert!(bad.last_good.iter().all(|good| good.value.is_finite()));
            assert!(bad.advice.contains("smaller step"), "{text}");
            if cfg!(feature = "implicit") {
                assert!(text.contains("backward_euler"), "{text}");
                assert!(!text.contains("dhs_voltage"), "{text}");
            }
        }
    }
}

/// Whether the equations of a large step have a solution nearby depends on where on the way up of a spike it begins.
#[test]
fn large_steps_find_a_solution_wherever_they_begin() {
    let iterates = |op: &Op| matches!(op, Op::ImplicitStage { .. } | Op::ImplicitStages { .. });
    for info in deterministic().iter().filter(|i| i.properties.l_stable) {
        let program = braincell::solvers().solver(&info.name).unwrap().program;
        if !program.ops().iter().any(iterates) {
            continue;
        }
        for k in 0..21 {
            let model = driven(10.0 + 0.03 * f64::from(k));
            let setup = Setup::new(info.name.as_str(), 0.5);
            let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
            assert_eq!(run.run(50.0), Ok(()), "{} {k}", info.name);
        }
    }
}

#[test]
fn solvers_that_need_a_membrane_are_refused_at_joining() {
    let model = Model::new(&ode(VanDerPol)).unwrap();
    for info in deterministic() {
        let start = Setup::new(info.name.as_str(), 0.01).start::<f64>(braincell::solvers(), &model);
        if !info.needs.membrane {
            start.unwrap().run(1.0).unwrap();
            continue;
        }
        let Err(SetupError::Registry(RegistryError::DoesNotFit { alternatives, .. })) = start
        else {
            panic!("{} should be refused", info.name)
        };
        assert!(!alternatives.contains(&info.name));
        for name in alternatives {
            let setup = Setup::new(name, 0.01);
            setup.start::<f64>(braincell::solvers(), &model).unwrap();
        }
    }
}
