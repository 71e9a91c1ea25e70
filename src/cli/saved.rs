//! The checkpoint file of a run.

use super::CliError;
use super::digest::Digest;
use super::order::{Order, load_path, save_path};
use braincell::container::{self, ContainerError, Reader, Writer};
use braincell::output::{self, Extent};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"bc-chkpt";
const VERSION: u32 = 1;

/// Why a run cannot go on from a checkpoint file.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    #[error("cannot read the checkpoint {}: {error}; check the name of the file", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{} is no checkpoint of a run that can be read: {error}", path.display())]
    Container {
        path: PathBuf,
        error: ContainerError,
    },
    #[error(
        "{} has changed since the checkpoint was taken{why}; put the old file back, or run the experiment again",
        path.display()
    )]
    Changed { path: PathBuf, why: String },
}

/// A file that the experiment names, as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub path: PathBuf,
    pub length: u64,
    pub sum: u32,
}

impl Named {
    /// The file as it is now.
    pub fn read(path: &Path) -> io::Result<Self> {
        let bytes = fs::read(path)?;
        Ok(Self {
            path: std::path::absolute(path)?,
            length: bytes.len() as u64,
            sum: crc32fast::hash(&bytes),
        })
    }

    /// Whether the file is still the same.
    pub fn check(&self) -> Result<(), SavedError> {
        let why = match Self::read(&self.path) {
            Ok(now) if now == *self => return Ok(()),
            Ok(_) => String::new(),
            Err(error) => format!(": {error}"),
        };
        let path = self.path.clone();
        Err(SavedError::Changed { path, why })
    }
}

/// All that a checkpoint file holds.
pub struct Saved {
    pub order: Order,
    /// The text of the experiment file.
    pub text: String,
    pub files: Vec<Named>,
    /// How far the output had grown.
    pub marks: Vec<Extent>,
    pub digest: Digest,
    /// The state of the simulation.
    pub state: Vec<u8>,
}

impl Saved {
    /// Writes the file as a whole, so that a crash leaves the one before.
    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        let mut w = Writer::default();
        self.order.save(&mut w);
        w.text(&self.text);
        w.u64(self.files.len() as u64);
        for file in &self.files {
            save_path(&file.path, &mut w);
            w.u64(file.length);
            w.u64(u64::from(file.sum));
        }
        w.u64(self.marks.len() as u64);
        for mark in &self.marks {
            w.u64(mark.length);
            w.u64(u64::from(mark.sum));
        }
        self.digest.save(&mut w);
        w.bytes(&self.state);
        output::write_bytes(&container::seal(MAGIC, VERSION, &w.0), path)?;
        Ok(())
    }

    pub fn read(path: &Path) -> Result<Self, SavedError> {
        let bytes = fs::read(path).map_err(|error| SavedError::Read {
            path: path.to_owned(),
            error,
        })?;
        Self::parse(&bytes).map_err(|error| SavedError::Container {
            path: path.to_owned(),
            error,
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, ContainerError> {
        let mut r = Reader(container::open(MAGIC, VERSION, bytes)?);
        let saved = Self {
            order: Order::load(&mut r)?,
            text: r.text()?.to_string(),
            files: r.list(|r| {
                Ok(Named {
                    path: load_path(r)?,
                    length: r.u64()?,
                    sum: sum(r)?,
                })
            })?,
            marks: r.list(|r| {
                Ok(Extent {
                    length: r.u64()?,
                    sum: sum(r)?,
                })
            })?,
            digest: Digest::load(&mut r)?,
            state: r.bytes()?.to_vec(),
        };
        r.end()?;
        Ok(saved)
    }
}

fn sum(r: &mut Reader) -> Result<u32, ContainerError> {
    u32::try_from(r.u64()?).map_err(|_| ContainerError::Damaged("a checksum in it is too large"))
}
