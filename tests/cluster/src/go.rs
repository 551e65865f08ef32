//! The Go that builds the servers: exactly one version, however new or old the one on the machine is.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{Error, cache};

/// The toolchain that everything is built with, so that two machines build the same.
pub(crate) const VERSION: &str = "go1.26.8";

/// From this on, Go fetches the toolchain it is told to use by itself.
const FETCHES_TOOLCHAINS: (u32, u32) = (1, 21);

/// A Go command that is, or becomes, [`VERSION`].
pub(crate) struct Go {
    program: PathBuf,
}

impl Go {
    /// Looks for Go; when it is too old to fetch the right one by itself, does that for it.
    pub(crate) fn find(say: &mut dyn FnMut(&str)) -> Result<Self, Error> {
        let program = installed().ok_or_else(|| {
            Error::Go(
                "expected `go` on PATH or in /usr/local/go/bin, found none (on Debian: apt-get install golang-go)"
                    .into(),
            )
        })?;
        let found = version(&program)?;
        if found >= FETCHES_TOOLCHAINS {
            return Ok(Self { program });
        }
        let platform = format!("linux-{}", if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" });
        let toolchain = cache::once(&format!("{VERSION}-{platform}"), |directory| {
            say(&format!("Go {}.{} is too old: fetching {VERSION} through the module proxy", found.0, found.1));
            let old = Self { program };
            let fetched = old.download(&format!("golang.org/toolchain@v0.0.1-{VERSION}.{platform}"), directory)?;
            copy_toolchain(&fetched.directory, directory)
        })?;
        Ok(Self { program: toolchain.join("bin/go") })
    }

    /// A command of this Go that neither the machine's settings nor a workspace around it can change.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("GOTOOLCHAIN", VERSION).env("GOFLAGS", "").env("GOWORK", "off").env("CGO_ENABLED", "0");
        // Neither may point to another Go's files.
        command.env_remove("GOROOT").env_remove("GOTOOLDIR");
        command
    }

    /// Downloads `module@version` into Go's own cache of modules.
    pub(crate) fn download(&self, module: &str, scratch: &Path) -> Result<Downloaded, Error> {
        let output = self
            .command()
            .args(["mod", "download", "-json", module])
            // Not in a module, or its requirements would be read as well.
            .current_dir(scratch)
            .output()
            .map_err(Error::io(format!("running {}", self.program.display())))?;
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        match (text("Dir"), text("Sum"), text("Error")) {
            (Some(directory), Some(sum), None) => Ok(Downloaded { directory: directory.into(), sum }),
            (.., why) => {
                let why = why.unwrap_or_else(|| String::from_utf8_lossy(&output.stderr).trim().to_owned());
                Err(Error::Go(format!("downloading {module}: {why}")))
            }
        }
    }
}

/// A module in Go's own cache.
pub(crate) struct Downloaded {
    /// Its files.
    pub(crate) directory: PathBuf,
    /// The hash of its files, as `go.sum` has it.
    pub(crate) sum: String,
}

/// Whether there is any Go on this machine.
#[must_use]
pub fn is_installed() -> bool {
    installed().is_some()
}

fn installed() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/local/go/bin"), PathBuf::from("/usr/lib/go/bin")])
        .map(|directory| directory.join("go"))
        .find(|program| program.is_file())
}

/// Major and minor number, of the Go on the machine itself.
fn version(program: &Path) -> Result<(u32, u32), Error> {
    let output = Command::new(program)
        .args(["env", "GOVERSION"])
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "")
        // A `go.mod` around us may name a version that this Go does not know.
        .current_dir("/")
        .output()
        .map_err(Error::io(format!("running {}", program.display())))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    numbers(&text).ok_or_else(|| Error::Go(format!("{} says its version is {text:?}", program.display())))
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.strip_prefix("go")?.split(['.', '-', 'r', 'b']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Go's module cache is read-only and has no programs in it: what Go 1.21 and later do to a toolchain, done for an
/// older one, on a copy.
fn copy_toolchain(from: &Path, to: &Path) -> Result<(), Error> {
    let context = |path: &Path| Error::io(format!("copying {}", path.display()));
    for entry in fs::read_dir(from).map_err(context(from))? {
        let entry = entry.map_err(context(from))?;
        let (path, mut name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            let below = to.join(&name);
            fs::create_dir(&below).map_err(context(&path))?;
            copy_toolchain(&path, &below)?;
            continue;
        }
        // No module may contain another one, so these are hidden in the download.
        if name == "_go.mod" {
            name = "go.mod".into();
        }
        let copy = to.join(&name);
        fs::copy(&path, &copy).map_err(context(&path))?;
        let program = to.ends_with("bin") || to.components().any(|part| part.as_os_str() == "tool");
        let mode = if program { 0o755 } else { 0o644 };
        fs::set_permissions(&copy, fs::Permissions::from_mode(mode)).map_err(context(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_of_go_are_read() {
        assert_eq!(numbers("go1.19.8"), Some((1, 19)));
        assert_eq!(numbers("go1.26.8"), Some((1, 26)));
        assert_eq!(numbers("go1.27rc1"), Some((1, 27)));
        assert_eq!(numbers("devel"), None);
    }
}
