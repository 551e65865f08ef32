//! Who and where: host, system user, the Git state of a directory, and what makes a name the only one of its kind.

use std::path::Path;

/// The host's name.
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The system user's name, or the number when it has none. By the system and not by `USER`, which anybody can set.
#[must_use]
pub fn user() -> String {
    let uid = rustix::process::getuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    passwd
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            Some((fields.next()?, fields.nth(1)?))
        })
        .find(|(_, id)| id.parse() == Ok(uid))
        .map_or_else(|| format!("uid:{uid}"), |(name, _)| name.to_owned())
}

/// The commit of a directory's Git working tree, and whether it has changes that were not committed; nothing when it
/// is none, or when there is no `git`.
#[must_use]
pub fn git(directory: &Path) -> (Option<String>, Option<bool>) {
    let ask =
        |arguments: &[&str]| crate::process::quick(directory, "git", arguments).map(|text| text.trim().to_owned());
    let commit = ask(&["rev-parse", "HEAD"]);
    let dirty = commit.as_ref().and_then(|_| ask(&["status", "--porcelain", "--", "."])).map(|text| !text.is_empty());
    (commit, dirty)
}

/// Random bits for a name, not for a secret. The standard library's hasher is keyed from the system's randomness, which is
/// all that is needed for that.
#[must_use]
pub fn random() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id())
}
