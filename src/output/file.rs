//! Replaces a file as a whole.

use super::OutputError;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Writes a temporary file beside `path` and renames it to `path` when `write` succeeded; else removes it.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), OutputError> {
    let (temporary, file) = open(path)?;
    write_and_rename(file, write, &temporary, path).map_err(|source| {
        // The first error is the one to report; a leftover file harms nothing.
        let _ = fs::remove_file(&temporary);
        failed(path, source)
    })
}

/// Checks that `path` can be replaced.
pub(super) fn check(path: &Path) -> Result<(), OutputError> {
    if path.is_dir() {
        return Err(failed(path, io::ErrorKind::IsADirectory.into()));
    }
    let (temporary, _) = open(path)?;
    fs::remove_file(temporary).map_err(|source| failed(path, source))
}

pub(super) fn failed(path: &Path, source: io::Error) -> OutputError {
    OutputError::Write {
        path: path.to_owned(),
        source,
    }
}

/// Creates a temporary file beside `path`.
fn open(path: &Path) -> Result<(PathBuf, File), OutputError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !directory.is_dir() {
        return Err(OutputError::Directory {
            path: path.to_owned(),
            directory: directory.to_owned(),
        });
    }
    create_beside(path, directory).map_err(|source| failed(path, source))
}

fn write_and_rename(
    file: File,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    temporary: &Path,
    path: &Path,
) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    drop(out);
    fs::rename(temporary, path)
}

/// Creates a file of a new name in the directory of `path`.
fn create_beside(path: &Path, directory: &Path) -> io::Result<(PathBuf, File)> {
    static COUNTER: AtomicUsize = AtomicUsize::new(0);
    const ATTEMPTS: usize = 100;
    let mut result = Err(io::Error::from(io::ErrorKind::AlreadyExists));
    for _ in 0..ATTEMPTS {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        name.push(format!(".{}-{count}.tmp", process::id()));
        let temporary = directory.join(name);
        result = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map(|file| (temporary, file));
        if !matches!(&result, Err(e) if e.kind() == io::ErrorKind::AlreadyExists) {
            break;
        }
    }
    result
}
