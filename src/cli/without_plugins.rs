//! What commands ask of plugins, in a build that cannot load them.

use super::CliError;
use braincell::registry::Registry;
use clap::Args;
use std::path::PathBuf;

/// No options.
#[derive(Args, Default)]
pub struct Options {}

impl Options {
    /// The options as words of a command line.
    pub fn words(&self) -> Vec<String> {
        Vec::new()
    }

    /// The solvers of this build.
    pub fn registry(&self, plugins: &[PathBuf]) -> Result<Registry, CliError> {
        if let Some(file) = plugins.first() {
            return Err(CliError::Option {
                option: "run.plugins",
                reason: format!(
                    "this build cannot load {}; build it with the feature \"plugins\"",
                    file.display()
                ),
            });
        }
        let mut registry = Registry::new();
        braincell::register_families(&mut registry)?;
        Ok(registry)
    }
}
