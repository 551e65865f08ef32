//! What the tests need from the system, and how to get it on a Debian-like one.

use std::{env, path::Path, process::Command};

use crate::{run, say};

/// Programs, and the Debian packages that have them.
const NEEDS: &[(&str, &str)] = &[
    ("etcd", "etcd-server"),
    ("etcdctl", "etcd-client"),
    ("git", "git"),
    ("tar", "tar"),
    ("ssh-keygen", "openssh-client"),
    ("setpriv", "util-linux"),
];

/// What builds the servers of the Kubernetes tests, where there is no newer Go already.
const FOR_BUILD: &[(&str, &str)] = &[("go", "golang-go")];

/// What the benchmarks compare with.
const FOR_BENCH: &[(&str, &str)] = &[("make", "make"), ("ninja", "ninja-build")];

/// Installs what the tests need and is missing, as root or by `sudo`.
pub(crate) fn install() -> Result<(), String> {
    install_all(NEEDS)
}

/// The same for what the benchmarks need.
pub(crate) fn install_for_bench() -> Result<(), String> {
    install_all(FOR_BENCH)
}

/// The same for what builds the servers of the Kubernetes tests.
pub(crate) fn install_for_build() -> Result<(), String> {
    install_all(FOR_BUILD)
}

fn install_all(needs: &[(&str, &str)]) -> Result<(), String> {
    let missing: Vec<&str> =
        needs.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!("── installing {}", missing.join(", ")));
    if !is_there("apt-get") {
        return Err(format!(
            "expected apt-get to install {}, found none: install them by hand, the tests run against the real programs",
            missing.join(", ")
        ));
    }
    apt(&["update", "-q"])?;
    let mut install = vec!["install", "-y", "-q", "--no-install-recommends"];
    install.extend(&missing);
    apt(&install)?;
    // Debian starts a service with the package; the tests start their own servers, on ports of their own.
    for (program, package) in needs {
        if missing.contains(package) && is_there("systemctl") && *program == "etcd" {
            drop(Command::new("systemctl").args(["disable", "--now", "etcd"]).status());
        }
    }
    Ok(())
}

fn apt(arguments: &[&str]) -> Result<(), String> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0"));
    let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
    if !root {
        command.arg("apt-get");
    }
    run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
        .map_err(|reason| format!("apt-get {}: {reason}", arguments.join(" ")))
}

fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    // `sbin` is not on everybody's path, and packages put servers there.
    env::split_paths(&path)
        .chain([Path::new("/usr/sbin").to_owned()])
        .any(|directory| directory.join(program).is_file())
}
