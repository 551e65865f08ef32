//! Runbooks from disk, and their frozen copies in a run's directory.
//!
//! Duty: bytes to `Source`s, and includes to paths. Parsing and judging are core's.

use std::{
    cell::RefCell,
    fs, io,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use indexmap::IndexMap;
use lifeboat_core::{
    diagnostic::Severity,
    model::parse,
    plan::{Loaded, Unreadable},
    source::Source,
};

/// The longest runbook that is read, in bytes.
pub const LONGEST: u64 = 4 << 20;

/// Why a file cannot be read as a runbook.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is not there.
    #[error("expected a runbook at `{0}`, found nothing there")]
    Missing(String),
    /// It is a directory, a pipe, a device.
    #[error("expected a file at `{0}`, found {1}")]
    NotAFile(String, &'static str),
    /// It is too long.
    #[error("expected at most 4 MiB in `{0}`, found {1} bytes")]
    TooLong(String, u64),
    /// It is not text.
    #[error("expected UTF-8 in `{path}`, found another byte at line {line}, offset {offset}")]
    NotText {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Byte offset.
        offset: usize,
    },
    /// It cannot be read.
    #[error("`{0}` cannot be read: {1}")]
    Io(String, io::Error),
}

/// Reads a file as a source. Its kind is looked at before it is opened, because opening a pipe waits for a writer.
///
/// # Errors
/// When it is missing, not a file, too long, or not UTF-8.
pub fn read(path: &Path, name: &str) -> Result<Arc<Source>, LoadError> {
    let name_of = || name.to_owned();
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => LoadError::Missing(name_of()),
        _ => LoadError::Io(name_of(), error),
    })?;
    if metadata.is_dir() {
        return Err(LoadError::NotAFile(name_of(), "a directory"));
    }
    if !metadata.is_file() {
        return Err(LoadError::NotAFile(name_of(), "a pipe, socket or device"));
    }
    if metadata.len() > LONGEST {
        return Err(LoadError::TooLong(name_of(), metadata.len()));
    }
    let bytes = fs::read(path).map_err(|error| LoadError::Io(name_of(), error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count();
        LoadError::NotText { path: name_of(), line, offset }
    })?;
    Ok(Source::new(name, text))
}

/// A runbook and everything it includes, as it is on disk or as it was frozen.
#[derive(Debug)]
pub struct Library {
    directory: PathBuf,
    frozen: bool,
    shown: String,
    read: RefCell<IndexMap<String, Arc<Source>>>,
}

impl Library {
    /// The runbooks around a file on disk. Names in messages begin with `shown`, the directory as the user gave it.
    #[must_use]
    pub fn on_disk(directory: &Path, shown: &str) -> Self {
        Self { directory: directory.to_owned(), frozen: false, shown: shown.to_owned(), read: RefCell::default() }
    }

    /// The runbooks of a run, as they were when it began.
    #[must_use]
    pub fn frozen(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), frozen: true, shown: String::new(), read: RefCell::default() }
    }

    /// Reads a file; `name` is relative to the directory, and normal.
    ///
    /// # Errors
    /// As [`read`].
    pub fn source(&self, name: &str) -> Result<Arc<Source>, LoadError> {
        if let Some(source) = self.read.borrow().get(name) {
            return Ok(Arc::clone(source));
        }
        let path = if self.frozen { self.directory.join(frozen_name(name)) } else { self.directory.join(name) };
        let shown = if self.shown.is_empty() { name.to_owned() } else { format!("{}/{name}", self.shown) };
        let source = read(&path, &shown)?;
        self.read.borrow_mut().insert(name.to_owned(), Arc::clone(&source));
        Ok(source)
    }

    /// Reads an included runbook, for `plan` and `lint`.
    ///
    /// # Errors
    /// When it cannot be read, or is no runbook.
    pub fn resolve(&self, directory: &str, path: &str) -> Result<Arc<Loaded>, Unreadable> {
        let name = normal(directory, path)
            .ok_or_else(|| Unreadable::Missing("expected a relative path, found an absolute one".to_owned()))?;
        let source = self.source(&name).map_err(|error| Unreadable::Missing(error.to_string()))?;
        let parsed = parse::parse(Arc::clone(&source));
        let first = parsed.diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error);
        match (first, parsed.runbook) {
            (None, Some(runbook)) => {
                let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned();
                Ok(Arc::new(Loaded { runbook: Arc::new(runbook), source, directory }))
            }
            (Some(error), _) => {
                let at = source.position(error.span.start);
                Err(Unreadable::Invalid(format!("line {}: {}", at.line, error.message)))
            }
            (None, None) => Err(Unreadable::Invalid("it is no runbook".to_owned())),
        }
    }

    /// Everything that was read, by name relative to the directory.
    #[must_use]
    pub fn all(&self) -> Vec<(String, Arc<Source>)> {
        self.read.borrow().iter().map(|(name, source)| (name.clone(), Arc::clone(source))).collect()
    }
}

/// A path below (or beside) the directory of the runbook that was asked for, without `.` and with `..` only at its
/// beginning; `None` when it is absolute.
#[must_use]
pub fn normal(directory: &str, path: &str) -> Option<String> {
    let joined = Path::new(directory).join(path);
    let mut parts: Vec<String> = Vec::new();
    for component in joined.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir => {}
            Component::ParentDir => match parts.last().map(String::as_str) {
                Some("..") | None => parts.push("..".to_owned()),
                Some(_) => {
                    parts.pop();
                }
            },
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// Where a file is kept in the frozen copy: what stands beside the runbook's directory must not leave the run's.
#[must_use]
pub fn frozen_name(name: &str) -> String {
    name.split('/').map(|part| if part == ".." { "__up__" } else { part }).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_normal() {
        assert_eq!(normal("", "a.yaml").as_deref(), Some("a.yaml"));
        assert_eq!(normal("db", "../x/./y.yaml").as_deref(), Some("x/y.yaml"));
        assert_eq!(normal("", "../../x.yaml").as_deref(), Some("../../x.yaml"));
        assert_eq!(normal("", "/etc/passwd"), None);
        assert_eq!(frozen_name("../../x.yaml"), "__up__/__up__/x.yaml");
    }
}
