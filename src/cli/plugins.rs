//! Solvers from plugins: the options that load them, and `braincell plugin`.

use super::{CliError, complain, print};
use braincell::conformance;
use braincell::plugins::{self, Loaded, Names, PATH_VARIABLE, PluginError};
use braincell::registry::Registry;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Options of commands that use solvers.
#[derive(Args, Default)]
pub struct Options {
    /// Load the solvers of a plugin. Repeat it for several. Directories in BRAINCELL_PLUGIN_PATH are searched too.
    #[arg(long, value_name = "FILE.so")]
    plugin: Vec<PathBuf>,
    /// Load all plugins of a directory.
    #[arg(long, value_name = "DIR")]
    plugin_dir: Vec<PathBuf>,
    /// Let plugins take names that others have.
    #[arg(long)]
    override_names: bool,
}

impl Options {
    /// The options as words of a command line.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (option, paths) in [
            ("--plugin", &self.plugin),
            ("--plugin-dir", &self.plugin_dir),
        ] {
            for path in paths {
                words.extend([option.to_string(), path.display().to_string()]);
            }
        }
        if self.override_names {
            words.push("--override-names".to_string());
        }
        words
    }

    /// The solvers of this build and of the plugins asked for; `more` are plugins that an experiment names.
    pub fn registry(&self, more: &[PathBuf]) -> Result<Registry, CliError> {
        let mut registry = Registry::new();
        braincell::register_families(&mut registry)?;
        let names = match self.override_names {
            true => Names::Override,
            false => Names::MustBeFree,
        };
        // What was not asked for by name may fail with a warning.
        if let Some(list) = std::env::var_os(PATH_VARIABLE) {
            for result in plugins::load_search_path(&mut registry, &list, names) {
                warn(result);
            }
        }
        for directory in &self.plugin_dir {
            for result in plugins::load_dir(&mut registry, directory, names)? {
                warn(result);
            }
        }
        for file in self.plugin.iter().chain(more) {
            tell_replaced(&plugins::load(&mut registry, file, names)?);
        }
        Ok(registry)
    }
}

fn warn(result: Result<Loaded, PluginError>) {
    match result {
        Ok(loaded) => tell_replaced(&loaded),
        Err(error) => complain("warning", &error.to_string()),
    }
}

fn tell_replaced(loaded: &Loaded) {
    let file = loaded.plugin.path().display();
    for replaced in &loaded.replaced {
        complain(
            "warning",
            &format!(
                "solver \"{}\" is that of {file} now, not that of {}",
                replaced.name, replaced.by
            ),
        );
    }
}

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Report what a plugin contains, and check each of its solvers: order as declared, with inputs that depend on time
    /// too, the same bits again and again, senseless step sizes.
    Check {
        /// The plugin.
        #[arg(value_name = "FILE.so")]
        file: PathBuf,
    },
}

pub fn plugin(arguments: &Arguments) -> Result<(), CliError> {
    let Command::Check { file } = &arguments.command;
    let report = plugins::inspect(file)?;
    print(&report.to_string())?;
    let mut registry = Registry::new();
    let loaded = plugins::load(&mut registry, file, Names::MustBeFree)?;
    let mut bad = Vec::new();
    for stepper in loaded.plugin.steppers() {
        let name = stepper.info().name;
        let report = conformance::check(&registry, &name)?;
        print(&format!("\n{report}"))?;
        if !report.is_good() {
            bad.push(name);
        }
    }
    match bad[..] {
        [] => print("\nverdict: sound\n"),
        _ => Err(CliError::Plugin {
            file: file.display().to_string(),
            solvers: bad.join(", "),
        }),
    }
}
