//! That `engine/core` is pure: it depends on nothing that has a clock, a socket, a process or a thread pool. What it may
//! not call of the standard library is in its `clippy.toml`.

use std::process::Command;

use crate::{root, say};

/// Crates that do something to the world.
const FORBIDDEN: &[&str] = &[
    "tokio", "async-std", "smol", "kube", "duct", "clap", "reqwest", "hyper", "rustix", "nix", "tempfile", "hickory-resolver",
    "rand", "indicatif", "signal-hook", "object_store",
];

/// Looks at everything that core is built with.
pub(crate) fn check() -> Result<(), String> {
    say("── purity of engine/core");
    let output = Command::new("cargo")
        .args(["tree", "-p", "lifeboat-core", "-e", "normal", "--prefix", "none", "--format", "{p}", "--locked"])
        .current_dir(root())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let tree = String::from_utf8_lossy(&output.stdout);
    let found: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| FORBIDDEN.contains(name))
        .collect();
    if found.is_empty() { Ok(()) } else { Err(format!("engine/core is not pure: it depends on {}", found.join(", "))) }
}
