//! A file of a person that gets another text.
//!
//! Duty: all of it or nothing, with the file's mode and owner, and never over what somebody else has written meanwhile. Only a
//! file with several names, or an owner that we cannot give to another file, is written in its place.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, fchown},
    path::Path,
};

/// Why a file keeps its text.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// It must not be written.
    #[error("expected a file that can be written, found `{0}`, which is read-only")]
    ReadOnly(String),
    /// It is not what was read.
    #[error("expected `{0}` as it was read, found that it has changed since")]
    Changed(String),
    /// The system refuses.
    #[error("expected to write `{0}`, found that it cannot be done: {1}")]
    Io(String, io::Error),
}

/// Puts `after` in the place of `before`. A link is followed, and stays. `name` is the file in messages.
///
/// # Errors
/// When the file is read-only, is no longer `before`, or cannot be written; it is as it was then.
pub fn replace(path: &Path, name: &str, before: &str, after: &str) -> Result<(), ReplaceError> {
    let failed = |error: io::Error| ReplaceError::Io(name.to_owned(), error);
    let target = fs::canonicalize(path).map_err(failed)?;
    let metadata = fs::metadata(&target).map_err(failed)?;
    let permissions = metadata.permissions();
    // The directory would let us put another file in its place; who made it read-only meant its text.
    if permissions.readonly() {
        return Err(ReplaceError::ReadOnly(name.to_owned()));
    }
    drop(OpenOptions::new().write(true).open(&target).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ReplaceError::ReadOnly(name.to_owned()),
        _ => failed(error),
    })?);
    let directory = target.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new().prefix(".lifeboat-").tempfile_in(directory).map_err(failed)?;
    file.write_all(after.as_bytes()).map_err(failed)?;
    // Its owner stays: in a container, where everything is done by root, people would not get their files back.
    let owned = fchown(file.as_file(), Some(metadata.uid()), Some(metadata.gid())).is_ok();
    file.as_file().set_permissions(permissions).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    if fs::read(&target).map_err(failed)? != before.as_bytes() {
        return Err(ReplaceError::Changed(name.to_owned()));
    }
    if !owned || metadata.nlink() > 1 {
        // Another file could not be this one, to its owner or under its other names.
        return fs::write(&target, after).and_then(|()| File::open(&target)?.sync_all()).map_err(failed);
    }
    file.persist(&target).map_err(|error| failed(error.error))?;
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_stays_itself() {
        let place = tempfile::tempdir().expect("a directory");
        let (file, other) = (place.path().join("a.yaml"), place.path().join("b.yaml"));
        fs::write(&file, "old").expect("a file");
        // Who may give files away sees whether they stay given.
        let given = std::os::unix::fs::chown(&file, Some(65_534), Some(65_534)).is_ok();
        replace(&file, "a.yaml", "old", "new").expect("it is written");
        assert!(!given || fs::metadata(&file).expect("a file").uid() == 65_534);
        fs::hard_link(&file, &other).expect("another name");
        replace(&file, "a.yaml", "new", "newer").expect("it is written");
        assert_eq!(fs::read_to_string(&other).expect("a file"), "newer");
        assert_eq!(fs::read_dir(place.path()).expect("a directory").count(), 2, "nothing is left behind");
    }

    #[test]
    fn all_or_nothing() {
        let place = tempfile::tempdir().expect("a directory");
        let (file, link) = (place.path().join("a.yaml"), place.path().join("b.yaml"));
        fs::write(&file, "old").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("a mode");
        symlink("a.yaml", &link).expect("a link");
        replace(&link, "b.yaml", "old", "new").expect("it is written");
        assert_eq!(fs::read_to_string(&file).expect("a file"), "new");
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
        let changed = replace(&file, "a.yaml", "old", "newer").expect_err("somebody was faster");
        assert_eq!(changed.to_string(), "expected `a.yaml` as it was read, found that it has changed since");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o440)).expect("a mode");
        let refused = replace(&file, "a.yaml", "new", "newer").expect_err("it is read-only");
        assert!(matches!(refused, ReplaceError::ReadOnly(_)));
        assert_eq!(fs::read_to_string(&file).expect("a file"), "new");
        assert_eq!(fs::read_dir(place.path()).expect("a directory").count(), 2, "nothing is left behind");
    }
}
