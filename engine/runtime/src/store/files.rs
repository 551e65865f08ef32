//! Files that are there after a crash.
//!
//! Duty: written whole or not at all, synced, in synced directories, for nobody else to read (0600, 0700).

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Component, Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

use super::StoreError;

/// How a file begins that is not finished.
pub(super) const UNFINISHED: &str = ".tmp-";

/// Makes the names in a directory durable.
pub(super) fn sync_dir(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(StoreError::io("sync the directory", path))
}

/// Makes a directory, and syncs the one that it is in. It must not be there.
pub(super) fn new_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    File::open(parent(path))?.sync_all()
}

/// Makes a directory and those above it that are not there.
pub(super) fn all_dirs(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    all_dirs(parent(path))?;
    match new_dir(path) {
        // Somebody else was faster; that it is a directory is seen at its first use.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(StoreError::io("make the directory", path)),
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Makes a file with this content. It must not be there. The directory is the caller's to sync.
pub(super) fn new_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A file without a name yet, in the directory where it will be.
pub(super) fn unfinished(directory: &Path) -> Result<NamedTempFile, StoreError> {
    Builder::new().prefix(UNFINISHED).tempfile_in(directory).map_err(StoreError::io("make a file in", directory))
}

/// Replaces a file, or makes it: afterwards it is the old one or the new one, whatever happens in between.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let directory = parent(path);
    let mut file = unfinished(directory)?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .and_then(|()| file.persist(path).map_err(|error| error.error))
        .map_err(StoreError::io("write", path))?;
    sync_dir(directory)
}

/// Removes what an engine that died did not finish. Only for who holds the lock: others may be writing.
pub(super) fn remove_unfinished(directory: &Path) -> Result<(), StoreError> {
    for (name, path) in children(directory)? {
        if name.starts_with(UNFINISHED) {
            fs::remove_file(&path).map_err(StoreError::io("remove", path))?;
        }
    }
    Ok(())
}

/// What is in a directory, by name, sorted; nothing when it is not there. Names that are not UTF-8 are not ours.
pub(super) fn children(directory: &Path) -> Result<Vec<(String, PathBuf)>, StoreError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("read", directory)(error)),
    };
    let mut children = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io("read", directory))?;
        if let Ok(name) = entry.file_name().into_string() {
            children.push((name, entry.path()));
        }
    }
    children.sort();
    Ok(children)
}

/// All files below a directory, by their path from there, sorted.
pub(super) fn tree(directory: &Path) -> Result<Vec<(String, PathBuf)>, StoreError> {
    let mut files = Vec::new();
    for (name, path) in children(directory)? {
        // `symlink_metadata`: a link to a directory must not lead out of this one.
        let kind = fs::symlink_metadata(&path).map_err(StoreError::io("look at", &path))?;
        if kind.is_dir() {
            files.extend(tree(&path)?.into_iter().map(|(below, path)| (format!("{name}/{below}"), path)));
        } else {
            files.push((name, path));
        }
    }
    Ok(files)
}

/// Where a file with this name is below a directory, if the name stays below it.
pub(super) fn below(directory: &Path, name: &str) -> Result<PathBuf, StoreError> {
    let path = Path::new(name);
    let stays = path.components().all(|component| matches!(component, Component::Normal(_)));
    // Taken apart and put together again it must be the same: `a//b` and `a/./b` would be second names of a file.
    let same = path.components().collect::<PathBuf>().as_os_str() == path.as_os_str();
    if name.is_empty() || !stays || !same || name.contains('\0') {
        return Err(StoreError::BadFileName { name: name.to_owned() });
    }
    Ok(directory.join(path))
}
