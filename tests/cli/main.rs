//! The `braincell` command as its user sees it.

mod branched;
mod errors;
mod files;
mod gradient;
mod interrupt;
mod killed;
mod lists;
mod resume;
mod runs;
mod sweeps;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A directory of its own for a test.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("cli")
            .join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Names of all files.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_braincell"));
        command.current_dir(&self.0).args(arguments);
        command
    }

    fn braincell(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }
}

/// What a command left.
#[derive(Debug)]
struct Run {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Run {
    fn of(output: Output) -> Self {
        let run = Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!run.stderr.contains("panicked"), "{run:?}");
        run
    }

    /// Standard output of a success that says nothing on standard error.
    fn success(self) -> String {
        assert_eq!(self.status, Some(0), "{self:?}");
        assert_eq!(self.stderr, "");
        self.stdout
    }

    /// The one paragraph of a failure.
    fn failure(self) -> String {
        assert_eq!(self.status, Some(1), "{self:?}");
        let message = self.stderr.strip_prefix("error: ").expect("an error");
        assert_eq!(message.trim_end().lines().count(), 1, "{message}");
        message.trim_end().to_string()
    }
}

/// The text of an example.
fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name);
    fs::read_to_string(path).unwrap()
}

/// The Hodgkin-Huxley example with pieces of its text replaced.
fn hh(replacements: &[(&str, &str)]) -> String {
    let mut text = example("hh.toml");
    for (old, new) in replacements {
        assert!(text.contains(old), "{old:?} is not in the example");
        text = text.replacen(old, new, 1);
    }
    text
}

/// Whether `text` has all of `parts`.
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}
