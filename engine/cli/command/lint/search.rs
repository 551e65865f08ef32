//! Which files `lint` looks at.

use std::{
    collections::HashSet,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use lifeboat_core::model::claim::claims_to_be_a_runbook;
use lifeboat_runtime::load::LONGEST;

use super::super::{Failure, Message};

/// What is looked at, and what could not be looked into.
#[derive(Default)]
pub(super) struct Files {
    pub files: Vec<PathBuf>,
    pub failures: Vec<Failure>,
}

/// Every file once, in the order in which they were given; those that say they are runbooks only, when that is asked for.
pub(super) fn files(paths: &[PathBuf], only_runbooks: bool) -> Result<Files, Failure> {
    let mut found = Files::default();
    for path in paths {
        if path.is_dir() {
            search(path, &mut found);
        } else if !only_runbooks || !is_of_others(path) {
            // What is not there is told when it is opened.
            found.files.push(path.clone());
        }
    }
    let mut seen = HashSet::new();
    found.files.retain(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    if found.files.is_empty() && found.failures.is_empty() && !only_runbooks {
        let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::usage(
            Message::new(format!("expected runbooks in {}, found none", shown.join(", ")))
                .help("a runbook is a `.yaml` or `.yml` file with `apiVersion: lifeboat.dev/…` and `kind: Runbook`"),
        ));
    }
    Ok(found)
}

/// The runbooks below a directory: YAML files that say that they are one. `.gitignore` and hidden files are respected.
fn search(directory: &Path, found: &mut Files) {
    let mut files = Vec::new();
    for entry in ignore::WalkBuilder::new(directory).require_git(false).build() {
        match entry {
            Ok(entry) => files.extend(Some(entry.into_path()).filter(|path| is_yaml(path) && path.is_file())),
            // Behind a door that is shut there may be runbooks, and nobody would have looked at them.
            Err(error) => found.failures.push(Failure::usage(
                Message::new(format!("expected a directory that can be read, found: {error}"))
                    .help("let it be read, or leave it out by `.gitignore`"),
            )),
        }
    }
    files.retain(|path| !is_of_others(path));
    files.sort();
    found.files.append(&mut files);
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|it| it.eq_ignore_ascii_case("yaml") || it.eq_ignore_ascii_case("yml"))
}

/// Whether a file is known to be no runbook. What cannot be read is not: that is told when it is opened. What is no file is
/// never opened here, as a pipe would wait for a writer.
fn is_of_others(path: &Path) -> bool {
    if !fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
    read.is_ok() && !claims_to_be_a_runbook(&String::from_utf8_lossy(&bytes))
}
