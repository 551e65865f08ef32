//! The directory of one run.
//!
//! Duty: its layout, and what is written once when the run is created: the frozen runbook and the plan.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::{Artifacts, Held, Holder, OpenError, Opened, Store, StoreError, files, lock, log::Log};

/// The file with the log.
pub(super) const LOG: &str = "evidence.jsonl";

/// The directory of a run. To have one is not to have the run: see `take`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
    id: String,
}

impl RunDir {
    /// Makes the directory of a new run, with an empty log.
    ///
    /// # Errors
    /// `StoreError::RunExists` when the id is taken: then try another one.
    pub fn create(store: &Store, id: &str) -> Result<Self, StoreError> {
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if id.is_empty() || id.len() > 128 || !id.bytes().all(letters) {
            return Err(StoreError::BadId { id: id.to_owned() });
        }
        files::all_dirs(&store.runs())?;
        let run = Self { path: store.runs().join(id), id: id.to_owned() };
        match files::new_dir(&run.path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(StoreError::RunExists { id: run.id });
            }
            result => result.map_err(StoreError::io("make the directory", &run.path))?,
        }
        for path in [run.runbook(), run.artifacts().directory().to_owned(), run.inbox()] {
            files::new_dir(&path).map_err(StoreError::io("make the directory", path))?;
        }
        // Last: with its log it is a run.
        let log = run.log_path();
        files::new_file(&log, b"").map_err(StoreError::io("make", log))?;
        files::sync_dir(&run.path)?;
        Ok(run)
    }

    /// The run in this directory.
    ///
    /// # Errors
    /// When it is not the directory of a run.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let id = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        match id {
            Some(id) if path.join(LOG).is_file() => Ok(Self { path, id }),
            _ => Err(StoreError::NotARun { path }),
        }
    }

    /// Takes the run for this process: nobody else can, until the log is dropped. It blocks while the log is read.
    ///
    /// # Errors
    /// When another engine has it, or the log is damaged.
    pub fn take(&self, who: &Holder) -> Result<Opened, OpenError> {
        Log::open(self, who)
    }

    /// Who took the run last, which does not say that they still have it.
    ///
    /// # Errors
    /// When the lock cannot be read.
    pub fn holder(&self) -> Result<Option<Held>, StoreError> {
        lock::content(&self.lock())
    }

    /// The run's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The log.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.path.join(LOG)
    }

    /// The frozen runbook.
    #[must_use]
    pub fn runbook(&self) -> PathBuf {
        self.path.join("runbook")
    }

    /// The plan.
    #[must_use]
    pub fn plan_path(&self) -> PathBuf {
        self.path.join("plan.json")
    }

    /// Acts from other terminals.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.path.join("inbox")
    }

    /// The head.
    #[must_use]
    pub fn head(&self) -> PathBuf {
        self.path.join("head")
    }

    /// The head's signature.
    #[must_use]
    pub fn signature(&self) -> PathBuf {
        self.path.join("head.sig")
    }

    /// The artifacts.
    #[must_use]
    pub fn artifacts(&self) -> Artifacts {
        Artifacts::new(self.path.join("artifacts"))
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// Keeps a copy of the runbook and of what it includes, durably. Names are relative, with `/` between, and do not
    /// lead out; `run-created` has the digests by these names.
    ///
    /// # Errors
    /// When a name leads out, is there already, or cannot be written.
    pub fn freeze<N: AsRef<str>, B: AsRef<[u8]>>(&self, files: &[(N, B)]) -> Result<(), StoreError> {
        let root = self.runbook();
        for (name, bytes) in files {
            let path = files::below(&root, name.as_ref())?;
            let directory = path.parent().unwrap_or(&root);
            files::all_dirs(directory)?;
            files::new_file(&path, bytes.as_ref()).map_err(StoreError::io("write", &path))?;
            files::sync_dir(directory)?;
        }
        Ok(())
    }

    /// The frozen files, by name.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn frozen(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let read = |(name, path): (String, PathBuf)| {
            fs::read(&path).map(|bytes| (name, bytes)).map_err(StoreError::io("read", path))
        };
        files::tree(&self.runbook())?.into_iter().map(read).collect()
    }

    /// Keeps the plan. Its digest in `run-created` is the one of these bytes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_plan(&self, bytes: &[u8]) -> Result<(), StoreError> {
        files::replace(&self.plan_path(), bytes)
    }

    /// Freezes the `allowed_signers` of the run. Their digest in `run-created` is the one of these bytes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_signers(&self, bytes: &[u8]) -> Result<(), StoreError> {
        files::replace(&self.path.join(crate::signers::FILE), bytes)
    }

    /// Whether an engine has the run right now.
    ///
    /// # Errors
    /// When the lock cannot be looked at.
    pub fn is_held(&self) -> Result<bool, StoreError> {
        lock::is_held(&self.lock())
    }

    /// The plan's bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn plan(&self) -> Result<Vec<u8>, StoreError> {
        let path = self.plan_path();
        fs::read(&path).map_err(StoreError::io("read", path))
    }
}
