//! Where built servers are kept: outside of the checkout, so that every checkout on a machine shares them.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::Error;

/// `$LIFEBOAT_TEST_CACHE`, else `$XDG_CACHE_HOME/lifeboat`, else `~/.cache/lifeboat`; below it `cluster`.
///
/// # Errors
/// When none of the three variables is set.
pub fn directory() -> Result<PathBuf, Error> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("LIFEBOAT_TEST_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|path| path.join("lifeboat")))
        .or_else(|| variable("HOME").map(|path| path.join(".cache/lifeboat")))
        .map(|path| path.join("cluster"))
        .ok_or_else(|| Error::Input("expected LIFEBOAT_TEST_CACHE or HOME to say where test servers are kept".into()))
}

/// The first twelve hexadecimal digits of a digest over all parts.
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps two lists apart whose texts, put together, are the same.
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Makes `<cache>/<name>` unless it is there: `make` fills a directory beside it, which then gets that name.
///
/// Two processes that want the same wait for each other, and the second finds it made. Half of one is never seen.
pub(crate) fn once(name: &str, make: impl FnOnce(&Path) -> Result<(), Error>) -> Result<PathBuf, Error> {
    let cache = directory()?;
    let done = cache.join(name);
    if done.is_dir() {
        return Ok(done);
    }
    fs::create_dir_all(&cache).map_err(Error::io(format!("making {}", cache.display())))?;
    let lock_path = cache.join(format!("{name}.lock"));
    let lock = File::create(&lock_path).map_err(Error::io(format!("making {}", lock_path.display())))?;
    lock.lock().map_err(Error::io(format!("locking {}", lock_path.display())))?;
    if done.is_dir() {
        return Ok(done);
    }
    let partial = cache.join(format!("{name}.partial"));
    // What a killed process has left.
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(Error::io(format!("removing {}", partial.display())))?;
    }
    fs::create_dir(&partial).map_err(Error::io(format!("making {}", partial.display())))?;
    make(&partial)?;
    fs::rename(&partial, &done).map_err(Error::io(format!("renaming {}", partial.display())))?;
    Ok(done)
}
