//! `braincell mechanisms`.

use super::table::{facts, table};
use super::{CliError, print};
use braincell::cells::{Mechanism, mechanisms};
use clap::{Args, Subcommand};

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Show all that is known of a mechanism, and how to write it in an experiment file.
    Show {
        /// Name.
        name: String,
    },
}

pub fn list(arguments: &Arguments) -> Result<(), CliError> {
    if let Some(Command::Show { name }) = &arguments.command {
        return print(&show(&mechanisms::find(name)?));
    }
    let all = mechanisms::all();
    let rows = all.iter().map(|mechanism| {
        let info = mechanism.info();
        let parameters = info.parameters.iter();
        let parameters = parameters.map(|p| match p.default.is_nan() {
            true => format!("{} in {}, required", p.name, p.unit),
            false => format!("{} = {}", p.name, quantity(p.default, p.unit)),
        });
        [
            info.name.to_string(),
            info.description.to_string(),
            info.states.join(", "),
            parameters.collect::<Vec<_>>().join("\n"),
            info.reference.to_string(),
        ]
    });
    let list = table(
        &["type", "description", "states", "parameters", "reference"],
        rows,
    );
    print(&format!(
        "{list}{} mechanisms. Details: braincell mechanisms show NAME\n",
        all.len()
    ))
}

/// A number with its unit.
fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "" | "1" => value.to_string(),
        unit => format!("{value} {unit}"),
    }
}

/// All that is known of a mechanism.
fn show(mechanism: &Mechanism) -> String {
    let info = mechanism.info();
    let states = info.states.join(", ");
    let of_ion = |ion: Option<&str>| ion.unwrap_or_default().to_string();
    let head = facts(&[
        ("states", states),
        ("carries", of_ion(info.ion)),
        ("senses", of_ion(info.senses)),
        ("reference", info.reference.to_string()),
    ]);
    // Labels of examples are the part of the name before the first underscore.
    let label = info.name.split('_').next().unwrap_or(info.name);
    let lines = info.parameters.iter().map(|p| {
        let value = match p.unit {
            unit if p.default.is_nan() => format!("\"… {unit}\""),
            "" | "1" => p.default.to_string(),
            unit => format!("\"{} {unit}\"", p.default),
        };
        (format!("{} = {value}", p.name), p.description)
    });
    let lines: Vec<_> = lines.collect();
    let width = lines
        .iter()
        .map(|(line, _)| line.chars().count())
        .max()
        .unwrap_or(0);
    let lines: String = lines
        .iter()
        .map(|(line, description)| format!("  {line:width$}  # {description}\n"))
        .collect();
    format!(
        "{}: {}\n{head}\nIn an experiment file, with the default values:\n  [mechanisms.{label}]\n  type = \"{}\"\n{lines}",
        info.name, info.description, info.name
    )
}
