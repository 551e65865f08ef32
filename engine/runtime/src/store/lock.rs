//! One engine per run.
//!
//! Duty: `flock` keeps a second engine out for as long as the first lives, and the kernel gives the lock back when it
//! dies, however it dies. The token inside is for where that is not enough (a network file system, a deleted lock): it
//! grows with each take-over, stands in every record, and an engine that finds a higher one stops. The file is rewritten
//! in place and never replaced, because the lock is on the file and not on its name.

use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{AppendError, OpenError, StoreError};

/// Who takes a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// The host's name.
    pub host: String,
    /// The system user.
    pub user: String,
}

/// Who took a run last: the content of `lock`. It stays there after the engine has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Fencing token.
    pub token: u64,
    /// Process id.
    pub pid: u32,
    /// The host's name.
    pub host: String,
    /// The system user.
    pub user: String,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token, pid, host, user } = self;
        write!(f, "process {pid} of {user} on {host} (token {token})")
    }
}

/// The lock, held.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
    token: u64,
}

impl Lock {
    /// Takes the lock, without a token yet.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        // If the file is replaced between opening and locking, the lock would be on a file that nobody else sees.
        let mut tries = 0;
        for _ in 0..8 {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path)
                .map_err(StoreError::io("open", path))?;
            match file.try_lock() {
                Ok(()) => {}
                // Somebody may only be looking whether it is held.
                Err(TryLockError::WouldBlock) if tries < 4 => {
                    tries += 1;
                    std::thread::sleep(std::time::Duration::from_millis(10));
                    continue;
                }
                Err(TryLockError::WouldBlock) => return Err(OpenError::Held { holder: content(path)? }),
                Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", path)(error).into()),
            }
            if is(path, &file).map_err(StoreError::io("look at", path))? {
                return Ok(Self { file, path: path.to_owned(), token: 0 });
            }
        }
        Err(OpenError::Held { holder: content(path)? })
    }

    /// Takes a token that is higher than `known` and than the one in the file.
    pub(super) fn raise(&mut self, known: u64, who: &Holder) -> Result<u64, StoreError> {
        let before = content(&self.path)?.map_or(0, |held| held.token);
        let token = before.max(known).saturating_add(1);
        let Holder { pid, host, user } = who.clone();
        let text = format!("{}\n", serde_json::json!({"token": token, "pid": pid, "host": host, "user": user}));
        // One write of less than a sector, then the cut: a reader takes the first line only, so that it never sees the
        // rest of a longer content before.
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(text.as_bytes()))
            .and_then(|()| self.file.set_len(text.len() as u64))
            .and_then(|()| self.file.sync_all())
            .map_err(StoreError::io("write", &self.path))?;
        self.token = token;
        Ok(token)
    }

    /// This engine's token.
    pub(super) const fn token(&self) -> u64 {
        self.token
    }

    /// That the run is still this engine's.
    pub(super) fn check(&self) -> Result<(), AppendError> {
        let holder = content(&self.path)?;
        if holder.as_ref().is_some_and(|held| held.token == self.token) {
            return Ok(());
        }
        Err(AppendError::Fenced { ours: self.token, holder })
    }
}

/// Whether somebody holds the lock right now.
pub(super) fn is_held(path: &Path) -> Result<bool, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(StoreError::io("open", path)(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(StoreError::io("look at the lock", path)(error)),
    }
}

/// Who took the run last; `None` when nobody did, or the file does not say.
pub(super) fn content(path: &Path) -> Result<Option<Held>, StoreError> {
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(64 * 1024).read_to_string(&mut text)) {
        Ok(_) => Ok(text.lines().next().and_then(|line| serde_json::from_str(line).ok())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => Ok(None),
        Err(error) => Err(StoreError::io("read", path)(error)),
    }
}

/// Whether the name still leads to this file.
pub(super) fn is(path: &Path, file: &File) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
