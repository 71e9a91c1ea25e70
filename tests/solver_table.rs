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
use braincell::input::Input;
use braincell::model::Model;
use braincell::registry::{Entry, RegistryError};
use braincell::simulation::Setup;
use braincell::stepper::Parts;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/solvers.md");
/// What follows is written by hand.
const MEASURED: &str = "## Measured orders\n";

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

    let committed = std::fs::read_to_string(PAGE).unwrap_or_default();
    let (generated, measured) = committed
        .find(MEASURED)
        .map_or((committed.as_str(), MEASURED), |at| committed.split_at(at));
    if std::env::var_os("BRAINCELL_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, page + measured).unwrap();
        return;
    }
    let differs = page.lines().zip(generated.lines()).find(|(a, b)| a != b);
    assert!(
        page == generated,
        "docs/solvers.md is out of date, first at {differs:?}; to rewrite it: \
         BRAINCELL_WRITE_DOCS=1 cargo test --test solver_table"
    );
    for entry in &entries {
        let row = format!("| {} |", code(&entry.info.name));
        assert!(
            measured.contains(&row),
            "docs/solvers.md has no measured order of {}; see there how to make the table",
            entry.info.name
        );
    }
}
