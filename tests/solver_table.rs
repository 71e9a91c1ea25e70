//! Every built-in name on every kind of cell, and the page of the solvers.
#![cfg(all(
    feature = "rk",
    feature = "expeuler",
    feature = "implicit",
    feature = "cable"
))]

use braincell::cells::discretisation::{Discretisation, Location, Policy};
use braincell::cells::morphology::{Region, builders};
use braincell::cells::{MultiCompartment, Placed, SingleCompartment, mechanisms};
use braincell::conformance::{Check, Cost, Measured, Reach};
use braincell::input::Input;
use braincell::model::Model;
use braincell::registry::{Entry, RegistryError};
use braincell::simulation::Setup;
use braincell::stepper::Parts;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/solvers.md");

/// Kinds of models, a name for each, and how far they run.
fn models() -> [(&'static str, Model); 3] {
    let stimulus = || Input::step(10.0, 0.5, 4.5);
    let single = SingleCompartment::hodgkin_huxley().input("stimulus", stimulus());
    let thalamic = SingleCompartment::thalamic_relay().input("stimulus", stimulus());
    let shape = builders::binary_tree(3, 120.0, 6.0, 0.8, 0.63).unwrap();
    let cut = Discretisation::new(shape, &Policy::MaxLength(40.0).into(), 100.0).unwrap();
    let branched = [("na", "na_hh1952"), ("k", "k_hh1952"), ("leak", "leak")];
    let branched = branched
        .into_iter()
        .fold(MultiCompartment::new(cut), |cell, (label, name)| {
            let placed = Placed::new(label, mechanisms::find(name).unwrap());
            cell.paint(Region::all(), placed).unwrap()
        });
    let end = Location::At { branch: 6, x: 1.0 };
    let branched = branched.clamp("stimulus", end, Input::step(1.0, 0.5, 4.5));
    [
        ("Hodgkin-Huxley compartment", Model::new(&single).unwrap()),
        ("thalamic relay neuron", Model::new(&thalamic).unwrap()),
        ("branched cell", Model::new(&branched.unwrap()).unwrap()),
    ]
}

/// Steps of 5 µs until 5 ms; or the reason why the solver does not fit.
fn outcome(entry: &Entry, name: &str, kind: &str, model: &Model) -> Result<(), String> {
    let setup = Setup::new(name, 0.005).record("V").every(0.5);
    match braincell::solvers().join(name, model) {
        Ok(_) => {}
        Err(RegistryError::DoesNotFit { missing, .. }) => {
            assert!(setup.start::<f64>(braincell::solvers(), model).is_err());
            return Err(missing);
        }
        Err(error) => panic!("{name} and {kind}: {error}"),
    }
    let mut run = setup.start::<f64>(braincell::solvers(), model).unwrap();
    if let Err(error) = run.run(5.0) {
        panic!("{name} and {kind}: {error}");
    }
    let recording = run.recording();
    let greatest = recording.data().iter().fold(f64::MIN, |a, &b| a.max(b));
    if entry.info.advances == Parts::ALL && kind != "thalamic relay neuron" {
        assert!(
            (0.0..60.0).contains(&greatest),
            "{name}, {kind}: {greatest}"
        );
    }
    Ok(())
}

/// A row of a table in Markdown.
fn line(cells: impl IntoIterator<Item = String>) -> String {
    let cells = cells.into_iter();
    let cells: Vec<String> = cells
        .map(|c| c.replace('|', "\\|").replace('\n', " "))
        .collect();
    format!("| {} |\n", cells.join(" | "))
}

fn head(names: &[&str]) -> String {
    let names = names.iter().map(|name| name.to_string());
    line(names.clone()) + &line(names.map(|_| "---".to_string()))
}

fn number<T: ToString>(number: Option<T>) -> String {
    number.map_or(String::new(), |number| number.to_string())
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn facts(entry: &Entry) -> String {
    let info = &entry.info;
    let aliases: Vec<String> = info.aliases.iter().map(|alias| code(alias)).collect();
    line([
        code(&info.name),
        aliases.join(", "),
        info.family.clone(),
        info.order.to_string(),
        number(info.order_without_cable),
        number(info.embedded_order),
        info.needs.to_string(),
        info.properties.words().join(", "),
    ])
}

fn formula(entry: &Entry) -> String {
    let info = &entry.info;
    let texts = [&info.formula, &info.reference].map(|text| text.trim().to_string());
    let [formula, reference] = texts;
    line([
        code(&info.name),
        info.description.clone(),
        formula,
        reference,
    ])
}

#[test]
fn every_name_runs_or_is_refused_as_the_page_says() {
    let models = models();
    let entries = braincell::solvers().entries();
    let mut page = "# Solvers\n\n\
        The built-in solvers. Orders are those on models with a cable, and without where they are higher there; of a\n\
        solver with an error estimate, the order of the estimate follows. Of stochastic solvers it is the weak order.\n\n"
        .to_string();
    page += &head(&[
        "name",
        "aliases",
        "family",
        "order",
        "without cable",
        "estimate",
        "needs",
        "properties",
    ]);
    page.extend(entries.iter().map(|entry| facts(entry)));
    page += "\n## Formulas\n\n";
    page += &head(&["name", "what it is", "formula", "reference"]);
    page.extend(entries.iter().map(|entry| formula(entry)));
    page += "\n## Names and models\n\n\
        Each name, aliases too, has taken a thousand steps of 0.005 ms on each model, or was refused before the first\n\
        step, for want of what is named. The branched cell is a binary tree with Hodgkin-Huxley membrane and\n\
        a current into the end of a branch.\n\n";
    page += &head(&["name", models[0].0, models[1].0, models[2].0]);
    for entry in &entries {
        let info = &entry.info;
        for name in [&info.name].into_iter().chain(&info.aliases) {
            let outcomes =
                models
                    .iter()
                    .map(|(kind, model)| match outcome(entry, name, kind, model) {
                        Ok(()) => "runs".to_string(),
                        Err(missing) => format!("refused: it needs {missing}"),
                    });
            let cells: Vec<String> = [code(name)].into_iter().chain(outcomes).collect();
            page += &line(cells);
        }
    }
    page += "\n";

    page += &measured();
    if std::env::var_os("BRAINCELL_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, page).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(PAGE).unwrap_or_default();
    let differs = page.lines().zip(committed.lines()).find(|(a, b)| a != b);
    assert!(
        page == committed,
        "docs/solvers.md is out of date, first at {differs:?}; to rewrite it: \
         BRAINCELL_WRITE_DOCS=1 cargo test --test solver_table"
    );
}

/// What the conformance checks found, and what a step costs.
fn measured() -> String {
    let entries = braincell::solvers().entries();
    let all = entries.iter().map(|&entry| {
        let measured = Measured::of(entry);
        (
            entry,
            measured.unwrap_or_else(|| panic!("nothing is measured of {}", entry.info.name)),
        )
    });
    let all: Vec<(&Entry, Measured)> = all.collect();
    let problems: Vec<&str> = Check::ALL.into_iter().filter_map(Check::problem).collect();
    let mut page = "## Measured orders\n\n\
        Of the errors of the same run with smaller and smaller steps; `≥` where rounding hides the order. The equations are the van der\n\
        Pol oscillator, the Hodgkin-Huxley membrane along a spike, with a sine and with a current that jumps, the thalamic relay\n\
        neuron, and a branched Hodgkin-Huxley cell with a sine into a branch end. The declared order is that without a cable.\n\
        `cargo test --test conformance` measures again and compares; `braincell solvers --json` has the numbers.\n\n"
        .to_string();
    page += &head(&[&["name", "declared"][..], &problems].concat());
    for (entry, measured) in &all {
        let info = &entry.info;
        let orders = measured.orders.iter().map(|(_, order)| match order {
            None => "skipped".to_string(),
            Some(o) if o.at_least => format!("≥ {:.2}", o.order),
            Some(o) => format!("{:.2}", o.order),
        });
        let declared = info.order_without_cable.unwrap_or(info.order).to_string();
        page += &line([code(&info.name), declared].into_iter().chain(orders));
    }
    page += "\n## Stability, gradients, cost\n\n\
        The first two columns say up to which h\\|λ\\| steps on y' = λ y do not grow, for λ on the negative real axis and on the\n\
        imaginary axis, found by letting each solver step that equation; ∞ means that no limit was found up to 10⁶. Solvers that\n\
        need a membrane step a passive one, whose λ is real. A complex λ is a pair of real equations, of which solvers that update\n\
        each state by itself see only the diagonal. \"Gradient\" says whether the derivatives of a run, computed\n\
        backwards, are those of differences of the same run. The rest counts the operations of a step: right-hand sides or\n\
        parts of one, Jacobians or parts of one, linear systems, functions φ, exponential updates of states by themselves, and\n\
        stages that are solved for by Newton's method, each iteration of which takes a right-hand side and a linear system.\n\n";
    page += &head(&[
        "name",
        "real axis",
        "imaginary axis",
        "gradient",
        "f",
        "J",
        "systems",
        "φ",
        "updates",
        "Newton",
    ]);
    for (entry, measured) in &all {
        let reach = |reach: &Option<Reach>| match reach {
            None => String::new(),
            Some(Reach::Unbounded) => "∞".to_string(),
            Some(Reach::To(z)) => format!("{z:.3}"),
        };
        let cost = Cost::of(&entry.program().unwrap())
            .counts()
            .into_iter()
            .take(6);
        let cost = cost.map(|(_, count)| {
            if count == 0 {
                String::new()
            } else {
                count.to_string()
            }
        });
        let gradient = match measured.gradient {
            None => "",
            Some(true) => "passed",
            Some(false) => "failed",
        };
        let [real, imaginary] = [0, 1].map(|k| reach(&measured.stability[k]));
        let cells = [
            code(&entry.info.name),
            real,
            imaginary,
            gradient.to_string(),
        ];
        page += &line(cells.into_iter().chain(cost));
    }
    page
}
