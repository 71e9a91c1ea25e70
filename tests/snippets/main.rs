//! What the README and the book tell readers to type is run, and whole experiment files in them are read.
//!
//! A block in `sh` or `toml` that cannot be run has `<!-- not run: reason -->` on the line before it. The snippets in Rust are
//! tested by rustdoc, see `src/lib.rs`.

use braincell::experiment::Experiment;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A block of code in a page.
struct Snippet {
    /// Page and line.
    place: String,
    language: String,
    text: String,
    /// Why it is not run.
    spared: Option<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README and the pages of the book.
fn pages() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = docs
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
        .collect();
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

fn snippets() -> Vec<Snippet> {
    pages().iter().flat_map(|page| in_page(page)).collect()
}

fn in_page(page: &Path) -> Vec<Snippet> {
    let text = std::fs::read_to_string(page).unwrap();
    let name = page.file_name().unwrap().to_string_lossy();
    let mut found = Vec::new();
    let mut open: Option<Snippet> = None;
    let mut before = "";
    for (k, line) in text.lines().enumerate() {
        let bare = line.trim();
        match (&mut open, bare.strip_prefix("```")) {
            (None, Some(language)) => {
                let spared = before
                    .strip_prefix("<!-- not run:")
                    .and_then(|r| r.strip_suffix("-->"));
                open = Some(Snippet {
                    place: format!("{name}:{}", k + 1),
                    language: language.to_string(),
                    text: String::new(),
                    spared: spared.map(|reason| reason.trim().to_string()),
                });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(snippet), None) => snippet.text += &format!("{line}\n"),
            (None, None) => {}
        }
        if !bare.is_empty() {
            before = bare;
        }
    }
    assert!(open.is_none(), "{name}: a block is not closed");
    found
}

/// The commands of a shell snippet, continued lines joined, without comments.
fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(|line| match line.split_once(" #") {
        Some((command, _)) => command.trim(),
        None => line.trim(),
    });
    lines
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .map(str::to_string)
        .collect()
}

/// Runs a command as a shell would, with the program under test for braincell.
fn run(command: &str, directory: &Path) -> Result<(), String> {
    let command = match command.strip_prefix("cargo run --release -- ") {
        Some(rest) => format!("braincell {rest}"),
        None => command.to_string(),
    };
    if !command.starts_with("braincell ") {
        return Err("only braincell is run here; mark the block as not run".to_string());
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_braincell")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = [binary.to_path_buf()]
        .into_iter()
        .chain(std::env::split_paths(&path));
    let done = Command::new("sh")
        .args(["-c", &command])
        .current_dir(directory)
        .env("PATH", std::env::join_paths(paths).unwrap())
        .output()
        .map_err(|error| error.to_string())?;
    match done.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&done.stderr).into_owned()),
    }
}

#[test]
fn commands_run() {
    let directory = std::env::temp_dir().join(format!("braincell-snippets-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(root().join("examples"), directory.join("examples")).unwrap();
    let (mut ran, mut failed) = (0, Vec::new());
    for snippet in snippets().iter().filter(|s| s.language == "sh") {
        if let Some(reason) = &snippet.spared {
            println!("{}: not run: {reason}", snippet.place);
            continue;
        }
        for command in commands(&snippet.text) {
            let begin = std::time::Instant::now();
            match run(&command, &directory) {
                Ok(()) => ran += 1,
                Err(error) => failed.push(format!("{}: {command}\n{error}", snippet.place)),
            }
            println!("{}: {command}: {:.1?}", snippet.place, begin.elapsed());
        }
    }
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(ran > 20, "only {ran} commands were found");
}

/// What rustdoc is told to leave out says why, and every page with code is among those that rustdoc reads.
#[test]
fn code_is_tested() {
    let library = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for snippet in snippets().iter().filter(|s| s.language.starts_with("rust")) {
        let place = &snippet.place;
        let page = place.split(':').next().unwrap();
        assert!(
            library.contains(&format!("/{page}\")")),
            "src/lib.rs does not include {page}"
        );
        match (&snippet.spared, snippet.language.as_str()) {
            (None, "rust") => {}
            (Some(reason), "rust,ignore") => println!("{place}: not run: {reason}"),
            _ => {
                panic!("{place}: a block that is not run is rust,ignore and has a reason before it")
            }
        }
    }
}

#[test]
fn files_can_be_read() {
    let mut read = 0;
    for snippet in snippets().iter().filter(|s| s.language == "toml") {
        if let Some(reason) = &snippet.spared {
            println!("{}: not read: {reason}", snippet.place);
            continue;
        }
        let place = &snippet.place;
        let table: toml::Table = snippet
            .text
            .parse()
            .unwrap_or_else(|e| panic!("{place}: {e}"));
        if !table.contains_key("model") {
            // A section by itself, to be put into a file.
            continue;
        }
        let path = root().join("examples").join("snippet.toml");
        let experiment =
            Experiment::parse(&snippet.text, path).unwrap_or_else(|e| panic!("{place}: {e}"));
        experiment
            .start(braincell::solvers())
            .unwrap_or_else(|e| panic!("{place}: {e}"));
        read += 1;
    }
    assert!(read >= 3, "only {read} experiment files were found");
}

/// Every page is in the contents, and everything in the contents is there.
#[test]
fn the_contents_are_whole() {
    let summary = std::fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let linked: Vec<&str> = summary
        .split("](")
        .skip(1)
        .filter_map(|s| s.split(')').next())
        .collect();
    for name in &linked {
        assert!(
            root().join("docs").join(name).exists(),
            "SUMMARY.md names {name}, which is not there"
        );
    }
    for page in pages() {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(
            linked.contains(&name) || ["SUMMARY.md", "README.md"].contains(&name),
            "{name} is not in SUMMARY.md"
        );
    }
}
