//! A cluster's directory, which is gone when this process is, however it ends.

use std::{
    env, fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::Error;

/// Waits for the end of its input, which is the end of whoever started it, and removes a directory. A server that is
/// just being killed may still write: hence more than one try.
///
/// The volumes that the controller manager has made are elsewhere, at a place that no argument changes; which ones they
/// are is known from what etcd has kept of them.
const REMOVER: &str = "cat >/dev/null
for _ in 1 2 3 4 5; do
  grep -raohE '/tmp/hostpath_pv/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' \"$1/etcd\" 2>/dev/null | sort -u |
    while read -r volume; do rm -rf -- \"$volume\"; done
  rm -rf -- \"$1\" 2>/dev/null && exit 0
  sleep 0.2
done";

/// A directory below the system's temporary one.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    remover: Child,
}

impl Directory {
    pub(crate) fn new() -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("lifeboat-cluster-{}-{count}", std::process::id()));
        // Of a killed process that had our number.
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(path.join("tmp")).map_err(Error::io(format!("making {}", path.display())))?;
        let remover = Command::new("sh")
            .args(["-c", REMOVER, "sh"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C at the terminal must not stop it.
            .process_group(0)
            .spawn()
            .map_err(Error::io("starting the shell that cleans up"))?;
        Ok(Self { path, remover })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a directory in it.
    pub(crate) fn below(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).map_err(Error::io(format!("making {}", path.display())))?;
        Ok(path)
    }

    /// Writes a file in it.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> Result<PathBuf, Error> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(Error::io(format!("writing {}", path.display())))?;
        Ok(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(self.remover.stdin.take());
        drop(self.remover.wait());
    }
}
