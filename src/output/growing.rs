//! A file that grows while a run goes on, and can be cut back to a mark.

use super::OutputError;
use super::file::{check, failed};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How far a file had grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Bytes.
    pub length: u64,
    /// CRC-32 of all after the head.
    pub sum: u32,
}

pub(super) struct Growing {
    path: PathBuf,
    file: File,
    /// Bytes of the head, which may be changed in place.
    head: u64,
    length: u64,
    sum: crc32fast::Hasher,
}

impl Growing {
    /// Begins a file, in place of one that is there.
    pub fn create(path: &Path, head: &[u8]) -> Result<Self, OutputError> {
        check(path)?;
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(true);
        let file = options.open(path).map_err(|source| failed(path, source))?;
        let mut growing = Self {
            path: path.to_owned(),
            file,
            head: head.len() as u64,
            length: 0,
            sum: crc32fast::Hasher::new(),
        };
        growing.append(head)?;
        growing.sum = crc32fast::Hasher::new();
        Ok(growing)
    }

    /// Goes on with a file that was begun with a head that `fits`, after a mark. What is behind the mark is lost.
    pub fn reopen(
        path: &Path,
        head: u64,
        mark: Extent,
        fits: impl FnOnce(&[u8]) -> bool,
    ) -> Result<Self, OutputError> {
        let fault = |source| failed(path, source);
        let other = |reason| OutputError::Changed {
            path: path.to_owned(),
            reason,
        };
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => other("it is not there any more"),
            _ => fault(error),
        })?;
        let found = file.metadata().map_err(fault)?.len();
        if found < mark.length || mark.length < head {
            return Err(other("it is shorter than it was then"));
        }
        let mut reader = BufReader::with_capacity(1 << 16, &file);
        let mut bytes = vec![0; head as usize];
        reader.read_exact(&mut bytes).map_err(fault)?;
        if !fits(&bytes) {
            return Err(other("it begins as a file of another run"));
        }
        let mut sum = crc32fast::Hasher::new();
        let mut left = mark.length - head;
        let mut buffer = vec![0; 1 << 16];
        while left > 0 {
            let part = left.min(buffer.len() as u64) as usize;
            reader.read_exact(&mut buffer[..part]).map_err(fault)?;
            sum.update(&buffer[..part]);
            left -= part as u64;
        }
        if sum.clone().finalize() != mark.sum {
            return Err(other("its contents are not what was written then"));
        }
        file.set_len(mark.length).map_err(fault)?;
        let mut growing = Self {
            path: path.to_owned(),
            file,
            head,
            length: mark.length,
            sum,
        };
        growing.seek(mark.length)?;
        Ok(growing)
    }

    /// Adds whole lines or rows. Where they cannot be written, the file stays as it was.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        if let Err(source) = self.file.write_all(bytes) {
            // On a full disk too, a file can be cut. A device cannot, and the first error is the one to report.
            let _ = self.file.set_len(self.length);
            return Err(failed(&self.path, source));
        }
        self.length += bytes.len() as u64;
        self.sum.update(bytes);
        Ok(())
    }

    /// Changes the head in place.
    pub fn patch(&mut self, at: u64, bytes: &[u8]) -> Result<(), OutputError> {
        debug_assert!(at + bytes.len() as u64 <= self.head);
        self.seek(at)?;
        let written = self.file.write_all(bytes);
        written.map_err(|source| failed(&self.path, source))?;
        self.seek(self.length)
    }

    /// Makes sure that all is on the disk, and tells how much it is.
    pub fn mark(&mut self) -> Result<Extent, OutputError> {
        let synced = self.file.sync_data();
        // A device has nothing to synchronise.
        if let Err(source) = synced
            && source.kind() != io::ErrorKind::InvalidInput
        {
            return Err(failed(&self.path, source));
        }
        Ok(Extent {
            length: self.length,
            sum: self.sum.clone().finalize(),
        })
    }

    /// Bytes after the head.
    pub fn body(&self) -> u64 {
        self.length - self.head
    }

    /// Reads the file from after its head.
    pub fn read(&mut self) -> Result<BufReader<&File>, OutputError> {
        self.seek(self.head)?;
        Ok(BufReader::with_capacity(1 << 18, &self.file))
    }

    fn seek(&mut self, to: u64) -> Result<(), OutputError> {
        let moved = self.file.seek(SeekFrom::Start(to));
        moved
            .map(|_| ())
            .map_err(|source| failed(&self.path, source))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}
