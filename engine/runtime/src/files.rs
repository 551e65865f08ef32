//! Scripts and modules that steps use: digested at the start, checked again before each use.
//!
//! Duty: to notice that a file is not what the plan was made with. It must not read what is inside.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use indexmap::IndexMap;
use lifeboat_core::evidence::event::Finding;
use sha2::{Digest, Sha256};

/// The files of a run, and their digests.
#[derive(Debug, Default)]
pub struct Files {
    entries: Vec<Entry>,
    missing: Vec<String>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    path: PathBuf,
    sha256: String,
    seen: Option<(u64, SystemTime)>,
}

impl Files {
    /// Finds and digests what the patterns name, below `directory`. A pattern that names nothing is told by `findings`.
    ///
    /// # Errors
    /// When a pattern is malformed or a file cannot be read.
    pub fn digest(directory: &Path, patterns: &[String]) -> io::Result<Self> {
        let mut files = Self::default();
        let mut names: Vec<PathBuf> = Vec::new();
        for pattern in patterns {
            let full = format!("{}/{pattern}", glob::Pattern::escape(&directory.to_string_lossy()));
            let paths = glob::glob(&full).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
            let before = names.len();
            for path in paths {
                let path = path.map_err(io::Error::from)?;
                if path.is_file() {
                    names.push(path);
                }
            }
            if names.len() == before {
                files.missing.push(pattern.clone());
            }
        }
        names.sort();
        names.dedup();
        for path in names {
            let sha256 = digest(&path)?;
            let name = path.strip_prefix(directory).unwrap_or(&path).to_string_lossy().into_owned();
            let seen = stamp(&path);
            files.entries.push(Entry { name, path, sha256, seen });
        }
        Ok(files)
    }

    /// The files as an earlier engine recorded them.
    #[must_use]
    pub fn recorded(directory: &Path, digests: &IndexMap<String, String>) -> Self {
        let entries = digests
            .iter()
            .map(|(name, sha256)| Entry {
                name: name.clone(),
                path: directory.join(name),
                sha256: sha256.clone(),
                seen: None,
            })
            .collect();
        Self { entries, missing: Vec::new() }
    }

    /// Digests by name.
    #[must_use]
    pub fn digests(&self) -> IndexMap<String, String> {
        self.entries.iter().map(|entry| (entry.name.clone(), entry.sha256.clone())).collect()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Patterns that named nothing.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.missing
            .iter()
            .map(|pattern| {
                let help = "paths in `files` are relative to the runbook";
                Finding::missing(format!("file: {pattern}"), "no such file", help)
            })
            .collect()
    }

    /// The first file that is not what it was, in words. A file whose length and time are what they were is taken as
    /// unchanged.
    #[must_use]
    pub fn changed(&self) -> Option<String> {
        self.entries.iter().find_map(|entry| {
            if entry.seen.is_some() && stamp(&entry.path) == entry.seen {
                return None;
            }
            match digest(&entry.path) {
                Ok(sha256) if sha256 == entry.sha256 => None,
                Ok(sha256) => Some(format!(
                    "expected `{}` as it was when the run began (sha256 {}…), found another one ({}…)",
                    entry.name,
                    entry.sha256.get(..12).unwrap_or_default(),
                    sha256.get(..12).unwrap_or_default(),
                )),
                Err(error) => Some(format!("expected `{}` as it was when the run began, found: {error}", entry.name)),
            }
        })
    }
}

fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = fs::File::open(path)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    Ok(lifeboat_core::evidence::chain::hex(&hasher.finalize()))
}
