//! The servers that the Kubernetes tests run against: built once, and started for a developer.

use std::{io, time::Instant};

use lifeboat_test_cluster::{Cluster, Options, Part, build_missing, go_is_installed, is_missing};

use crate::{needs, say};

/// Builds what is missing; installs Go when that needs it and there is none.
pub(crate) fn build() -> Result<(), String> {
    let told = |error: lifeboat_test_cluster::Error| error.to_string();
    if !is_missing().map_err(told)? {
        return Ok(());
    }
    if !go_is_installed() {
        needs::install_for_build()?;
    }
    build_missing(&mut |line| say(&format!("── {line}"))).map_err(told)
}

/// Starts a cluster with everything, and stops it when standard input ends, or on Ctrl-C.
pub(crate) fn run() -> Result<(), String> {
    build()?;
    say("── starting a cluster");
    let began = Instant::now();
    let cluster = Cluster::start(Options::full()).map_err(|error| error.to_string())?;
    say(&format!("── ready after {:.1} s", began.elapsed().as_secs_f64()));
    say(&format!("kubeconfig: {}", cluster.kubeconfig().display()));
    say(&format!("API server: {} (Ctrl-C, or the end of standard input, stops everything)", cluster.api_url()));
    if let Some(s3) = cluster.s3() {
        say(&format!("S3 server:  {} (bucket {}, keys {} {})", s3.url, s3.bucket, s3.access_key, s3.secret_key));
    }
    let pid = |part| cluster.pid(part).map_or_else(String::new, |pid| format!(" {part:?} {pid}"));
    let parts =
        [Part::Etcd, Part::ApiServer, Part::ControllerManager, Part::Scheduler, Part::Kwok, Part::S3, Part::Velero];
    say(&format!("processes: {}; logs: {}", parts.map(pid).concat(), cluster.directory().display()));
    // Ctrl-C ends this process, and the servers die with it.
    io::copy(&mut io::stdin().lock(), &mut io::sink()).map_err(|error| error.to_string())?;
    Ok(())
}
