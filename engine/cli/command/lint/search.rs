//! Which files `lint` looks at.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use super::super::{Failure, Message};

/// Every file once, in the order in which they were given; those that say they are runbooks only, when that is asked for.
pub(super) fn files(paths: &[PathBuf], only_runbooks: bool) -> Result<Vec<PathBuf>, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(search(path));
        } else if !only_runbooks || is_runbook(path) || !path.is_file() {
            // What is not there is told when it is opened.
            files.push(path.clone());
        }
    }
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    if files.is_empty() && !only_runbooks {
        let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::usage(
            Message::new(format!("expected runbooks in {}, found none", shown.join(", ")))
                .help("a runbook is a `.yaml` or `.yml` file with `apiVersion: lifeboat.dev/…` and `kind: Runbook`"),
        ));
    }
    Ok(files)
}

/// The runbooks below a directory: YAML files that say that they are one. `.gitignore` and hidden files are respected.
fn search(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ignore::WalkBuilder::new(directory)
        .require_git(false)
        .build()
        .filter_map(Result::ok)
        .map(ignore::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"))
        .filter(|path| path.is_file() && is_runbook(path))
        .collect();
    files.sort();
    files
}

/// Whether a file's beginning says that it is a runbook of ours; whatever else is wrong with it is a finding then.
fn is_runbook(path: &Path) -> bool {
    use std::io::Read as _;
    let mut beginning = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(64 << 10).read_to_end(&mut beginning));
    read.is_ok()
        && String::from_utf8_lossy(&beginning).lines().any(|line| line.starts_with("apiVersion: lifeboat.dev/"))
}
