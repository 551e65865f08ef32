//! Files of the evidence, by content: `artifacts/<sha256>`.
//!
//! Duty: written as they come, hashed on the way, and under their name only when they are whole and on the disk. It must
//! not mask: who writes here has done that.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use lifeboat_core::evidence::{chain::hex, event::Artifact};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{StoreError, files};

/// The artifacts of a run. Any number of them may be written at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifacts {
    directory: PathBuf,
}

impl Artifacts {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the artifact with this digest is.
    #[must_use]
    pub fn path(&self, artifact: &Artifact) -> PathBuf {
        self.directory.join(&artifact.sha256)
    }

    /// Begins an artifact.
    ///
    /// # Errors
    /// When no file can be made.
    pub fn spool(&self) -> Result<Spool, StoreError> {
        let file = files::unfinished(&self.directory)?;
        Ok(Spool { file, hash: Sha256::new(), bytes: 0, directory: self.directory.clone() })
    }

    /// Keeps these bytes; none, when there are none.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<Option<Artifact>, StoreError> {
        let mut spool = self.spool()?;
        spool.write_all(bytes).map_err(StoreError::io("write an artifact in", &self.directory))?;
        spool.finish(name)
    }

    /// A name for a file that somebody else writes, to be adopted later. The file is not made.
    #[must_use]
    pub fn unfinished(&self) -> PathBuf {
        // Unique in this process, which holds the run's lock, and what an earlier one left was removed when it was taken.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.directory.join(format!("{}{}-{number}", files::UNFINISHED, std::process::id()))
    }

    /// Keeps a file that was written under a name from [`Artifacts::unfinished`] and is synced already. One without
    /// content is removed.
    ///
    /// # Errors
    /// When it cannot be made durable under its digest.
    pub fn adopt(&self, name: &str, file: &Path, sha256: &str, bytes: u64) -> Result<Option<Artifact>, StoreError> {
        if bytes == 0 {
            return match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", file)(error)),
                _ => Ok(None),
            };
        }
        let path = self.directory.join(sha256);
        fs::set_permissions(file, Permissions::from_mode(0o400))
            .and_then(|()| fs::rename(file, &path))
            .map_err(StoreError::io("write", &path))?;
        files::sync_dir(&self.directory)?;
        Ok(Some(Artifact { name: name.to_owned(), sha256: sha256.to_owned(), bytes }))
    }

    pub(super) fn remove_unfinished(&self) -> Result<(), StoreError> {
        files::remove_unfinished(&self.directory)
    }
}

/// An artifact that is being written. Dropped before `finish`, it is gone.
#[derive(Debug)]
pub struct Spool {
    file: NamedTempFile,
    hash: Sha256,
    bytes: u64,
    directory: PathBuf,
}

impl Spool {
    /// How much was written.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes it durable under its digest. Nothing was written: no artifact.
    ///
    /// # Errors
    /// When it cannot be made durable; then it is gone.
    pub fn finish(self, name: &str) -> Result<Option<Artifact>, StoreError> {
        let Self { file, hash, bytes, directory } = self;
        if bytes == 0 {
            return Ok(None);
        }
        let sha256 = hex(&hash.finalize());
        let path = directory.join(&sha256);
        // The same content may be there already, from another step or an earlier attempt. It is not written twice; but
        // its directory is synced all the same, since who put it there may not have come to that yet.
        let there = fs::metadata(&path).is_ok_and(|there| there.is_file() && there.len() == bytes);
        if !there {
            let whole: Result<File, io::Error> = file
                .as_file()
                .set_permissions(Permissions::from_mode(0o400))
                .and_then(|()| file.as_file().sync_all())
                .and_then(|()| file.persist(&path).map_err(|error| error.error));
            whole.map_err(StoreError::io("write", &path))?;
        }
        files::sync_dir(&directory)?;
        Ok(Some(Artifact { name: name.to_owned(), sha256, bytes }))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
