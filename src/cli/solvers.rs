//! `braincell solvers`.

use super::table::{facts, table};
use super::{CliError, plugins, print};
use braincell::conformance::{Cost, Measured, doi};
use braincell::registry::{Entry, Registry};
use braincell::stepper::Needs;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print the list as JSON, with what the conformance checks measured of the built-in solvers: orders, stability on
    /// y' = λ y, gradients.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: plugins::Options,
}

#[derive(Subcommand)]
enum Command {
    /// Show all that is known of a solver, and the program of one step.
    Show {
        /// Name or alias, perhaps with parameters: "rk2(alpha=0.5)".
        name: String,
    },
}

pub fn list(arguments: &Arguments) -> Result<(), CliError> {
    let registry = arguments.plugins.registry(&[])?;
    let entries = registry.entries();
    match &arguments.command {
        Some(Command::Show { name }) => print(&show(&registry, name)?),
        None if arguments.json => {
            let list = Value::Array(entries.into_iter().map(as_json).collect());
            print(&format!("{list:#}\n"))
        }
        None => {
            let header = [
                "name",
                "aliases",
                "family",
                "order",
                "needs",
                "properties",
                "source",
            ];
            let count = entries.len();
            let list = table(&header, entries.into_iter().map(row));
            print(&format!(
                "{list}{count} solvers. In parentheses: the order of the error estimate. Details: braincell solvers show NAME\n"
            ))
        }
    }
}

fn row(entry: &Entry) -> [String; 7] {
    let info = &entry.info;
    [
        info.name.clone(),
        info.aliases.join(", "),
        info.family.clone(),
        match info.embedded_order {
            Some(embedded) => format!("{}({embedded})", info.order),
            None => info.order.to_string(),
        },
        // Every solver needs a right-hand side.
        match info.needs == Needs::default() {
            true => String::new(),
            false => info.needs.to_string(),
        },
        properties(entry),
        entry.origin.to_string(),
    ]
}

/// Properties in words.
fn properties(entry: &Entry) -> String {
    let info = &entry.info;
    let mut words = info.properties.words();
    if info.is_adaptive() {
        words.push("error estimate");
    }
    if info.deprecated.is_some() {
        words.push("deprecated");
    }
    words.join(", ")
}

fn as_json(entry: &Entry) -> Value {
    let info = &entry.info;
    let parameters = info
        .parameters
        .iter()
        .map(|p| json!({ "name": p.name, "default": p.default, "description": p.description }));
    // A step that cannot be recorded has no cost; selecting the solver says why.
    let cost = entry.program().ok().map(|program| {
        let counts = Cost::of(&program).counts().into_iter();
        counts
            .map(|(name, count)| (name.to_string(), json!(count)))
            .collect::<Map<_, _>>()
    });
    json!({
        "name": info.name,
        "aliases": info.aliases,
        "family": info.family,
        "order": info.order,
        "embedded_order": info.embedded_order,
        "description": info.description,
        "formula": info.formula,
        "reference": info.reference,
        "doi": doi(&info.reference),
        "cost_per_step": cost,
        "measured": Measured::of(entry).map(|measured| measured.as_json()),
        "needs": { "membrane": info.needs.membrane, "noise": info.needs.noise },
        "properties": {
            "explicit": info.properties.explicit,
            "a_stable": info.properties.a_stable,
            "l_stable": info.properties.l_stable,
            "real_stability_limit": info.properties.real_stability_limit,
        },
        "parameters": parameters.collect::<Vec<_>>(),
        "deprecated": info.deprecated,
        "source": { "from": entry.origin.from, "version": entry.origin.version },
    })
}

/// All that is known of a solver.
fn show(registry: &Registry, text: &str) -> Result<String, CliError> {
    let solver = registry.solver(text)?;
    let entry = registry.get(&solver.info.name)?;
    let info = &solver.info;
    let order = match info.embedded_order {
        Some(embedded) => format!("{}, with an error estimate of order {embedded}", info.order),
        None => info.order.to_string(),
    };
    let limit = info
        .properties
        .real_stability_limit
        .map_or(String::new(), |limit| {
            format!("steps on y' = -λ y do not grow up to h λ = {limit:.4}")
        });
    let parameters = info.parameters.iter();
    let parameters = parameters.map(|p| format!("{} = {}: {}", p.name, p.default, p.description));
    let list = facts(&[
        ("aliases", info.aliases.join(", ")),
        ("family", info.family.clone()),
        ("order", order),
        ("needs", info.needs.to_string()),
        ("properties", properties(entry)),
        ("stability", limit),
        ("formula", info.formula.clone()),
        ("reference", info.reference.clone()),
        ("parameters", parameters.collect::<Vec<_>>().join("\n")),
        ("deprecated", info.deprecated.clone().unwrap_or_default()),
        ("source", entry.origin.to_string()),
    ]);
    let program = solver.program.to_string();
    let program: String = program.lines().map(|line| format!("  {line}\n")).collect();
    let head = match info.description.as_str() {
        "" => solver.name.clone(),
        description => format!("{}: {description}", solver.name),
    };
    Ok(format!(
        "{head}\n{list}\nThe program of one step, from y at t, with step size h:\n{program}"
    ))
}
