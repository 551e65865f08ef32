//! Where `lint` finds `lifeboat.toml`: upwards from each file, until a repository ends.
//!
//! Duty: reading it once, and the path of a file as it sees it. What it means is core's.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use lifeboat_core::{
    diagnostic::Diagnostic,
    lint::config::{Config, NAME},
};
use lifeboat_runtime::load;

use super::{Failure, Message};

/// A configuration and the directory that its paths begin at.
pub(super) struct Found {
    pub config: Config,
    directory: PathBuf,
}

impl Found {
    /// A file as the configuration sees it.
    pub(super) fn path(&self, file: &Path) -> String {
        let whole = whole(file);
        whole.strip_prefix(&self.directory).unwrap_or(&whole).to_string_lossy().into_owned()
    }
}

/// The configurations that were read.
#[derive(Default)]
pub(super) struct Configs {
    by_directory: HashMap<PathBuf, Arc<Found>>,
    /// The mistakes in them.
    pub mistakes: Vec<Diagnostic>,
    /// Those that cannot be read at all.
    pub unreadable: Vec<Failure>,
}

/// The path of a file from the root, with links followed as far as there is something.
fn whole(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default();
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    parent.canonicalize().or_else(|_| std::path::absolute(parent)).unwrap_or_else(|_| parent.to_owned()).join(name)
}

impl Configs {
    /// The configuration for a file: the nearest one, or none at all.
    pub(super) fn of(&mut self, file: &Path) -> Arc<Found> {
        let whole = whole(file);
        let directory = whole.parent().unwrap_or(Path::new("/"));
        if let Some(found) = self.by_directory.get(directory) {
            return Arc::clone(found);
        }
        let mut home = directory.to_owned();
        for above in directory.ancestors() {
            if above.join(NAME).exists() {
                above.clone_into(&mut home);
                break;
            }
            if above.join(".git").exists() {
                break;
            }
        }
        // One above another directory may have been read already.
        let known = self.by_directory.get(&home).map(Arc::clone);
        let found = known.unwrap_or_else(|| Arc::new(self.read(&home)));
        self.by_directory.insert(home, Arc::clone(&found));
        self.by_directory.insert(directory.to_owned(), Arc::clone(&found));
        found
    }

    /// Files with their configurations.
    pub(super) fn of_all<'f>(&mut self, files: &'f [PathBuf]) -> Vec<(&'f Path, Arc<Found>)> {
        files.iter().map(|file| (file.as_path(), self.of(file))).collect()
    }

    fn read(&mut self, directory: &Path) -> Found {
        let path = directory.join(NAME);
        let mut config = Config::default();
        if path.exists() {
            match load::read(&path, &shown(&path)) {
                Ok(source) => {
                    let (read, mistakes) = Config::read(&source);
                    config = read;
                    self.mistakes.extend(mistakes);
                }
                Err(error) => self.unreadable.push(Failure::usage(
                    Message::new(error.to_string()).help("mend the configuration of `lint`, or remove it"),
                )),
            }
        }
        Found { config, directory: directory.to_owned() }
    }
}

/// The path as a person at the directory of the call would write it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).to_string_lossy().into_owned()
}
