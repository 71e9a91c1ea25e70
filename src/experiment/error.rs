//! What can be wrong with an experiment file.

use crate::cells::MechanismError;
use crate::model::ModelError;
use crate::output::OutputError;
use crate::registry::distance;
use crate::simulation::SetupError;
use crate::units::UnitError;
use std::io;
use std::path::PathBuf;

/// Why an experiment cannot be read or started. `place` is the file, the line and the key, such as
/// `hh.toml, line 12, mechanisms.na.g_max`, or an option of the command line.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}; check the name of the file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{place}: the file is not valid TOML: {reason}")]
    Syntax {
        /// Where.
        place: String,
        /// What the parser says.
        reason: String,
    },
    /// A key, or a name given as a value, is none of the known ones.
    #[error("{place}: unknown {what} {name:?}{}; {}", did_you_mean(.nearest), known_names(.known))]
    Unknown {
        /// Where.
        place: String,
        /// What the name is of: "key", "parameter", "solver".
        what: &'static str,
        /// The name.
        name: String,
        /// The known name nearest to it, where there is a near one.
        nearest: Option<String>,
        /// All known names.
        known: String,
    },
    /// A key is missing.
    #[error("{place}: {key} is missing; write for example {example}")]
    Missing {
        /// The section, or the file.
        place: String,
        /// The key.
        key: String,
        /// What to write.
        example: String,
    },
    /// A value has the wrong type.
    #[error("{place}: {wanted} is wanted, not {found}")]
    Type {
        /// Where.
        place: String,
        /// What is wanted.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// A text is no quantity of the wanted dimension.
    #[error("{place}: {error}")]
    Quantity {
        /// Where.
        place: String,
        /// Why.
        error: UnitError,
    },
    /// A value makes no sense there.
    #[error("{place}: {reason}")]
    Value {
        /// Where.
        place: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A mechanism is unknown.
    #[error("{place}: {error}")]
    Mechanism {
        /// Where.
        place: String,
        /// Why.
        error: MechanismError,
    },
    /// The model cannot be built.
    #[error("{place}: {error}")]
    Model {
        /// Where.
        place: String,
        /// Why.
        error: ModelError,
    },
    /// The run cannot start.
    #[error("{place}: {error}")]
    Setup {
        /// Where.
        place: String,
        /// Why.
        error: SetupError,
    },
    /// A file that the experiment names cannot be read.
    #[error("{place}: {error}")]
    File {
        /// Where.
        place: String,
        /// Why.
        error: OutputError,
    },
}

impl ExperimentError {
    /// The error for a name that is none of `known`.
    pub(super) fn unknown(place: String, what: &'static str, name: &str, known: &[&str]) -> Self {
        ExperimentError::Unknown {
            place,
            what,
            name: shortened(name),
            nearest: nearest(name, known),
            known: known.join(", "),
        }
    }
}

/// The known name nearest to `name`, if it is near enough to be a slip.
fn nearest(name: &str, known: &[&str]) -> Option<String> {
    // The distance takes time in proportion to the product of the lengths.
    if name.len() > 64 {
        return None;
    }
    let lower = name.to_lowercase();
    let far = |known: &str| distance(&lower, &known.to_lowercase());
    let slips = |known: &&&str| {
        let length = known.len().min(name.len());
        far(known) <= 1 + length / 4 && far(known) < length
    };
    let nearest = known.iter().filter(slips).min_by_key(|known| far(known));
    nearest.map(|known| (*known).to_string())
}

/// The start of a text, for messages.
pub(super) fn shortened(text: &str) -> String {
    const LETTERS: usize = 60;
    let mut result: String = text.chars().take(LETTERS).collect();
    if text.chars().nth(LETTERS).is_some() {
        result.push('…');
    }
    result
}

fn did_you_mean(nearest: &Option<String>) -> String {
    let ask = |name: &String| format!(" (did you mean {name:?}?)");
    nearest.as_ref().map_or(String::new(), ask)
}

fn known_names(known: &str) -> String {
    match known {
        "" => "there is none to choose from".to_string(),
        _ => format!("known here: {known}"),
    }
}
