//! What a test does to servers that run, and their end.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    sync::{MutexGuard, PoisonError},
};

use rustix::process::Signal;
use serde_json::json;

use super::{Cluster, LIMIT, Part};
use crate::{Error, client, kwok};

impl Cluster {
    /// Says what the containers of a pod have printed; without it, all have printed [`kwok::DEFAULT_LOG`].
    ///
    /// # Errors
    /// When this cluster has no kwok, or the API server refuses.
    pub fn pod_logs(&self, namespace: &str, pod: &str, lines: &[&str]) -> Result<(), Error> {
        self.server(Part::Kwok)?;
        let name = format!("{namespace}-{pod}.log");
        let file = self.directory.write(&name, kwok::log_file(lines.iter().copied()))?;
        self.admin.apply(&json!({
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "Logs",
            "metadata": { "name": pod, "namespace": namespace },
            "spec": { "logs": [{ "logsFile": file, "follow": true }] },
        }))?;
        // kwok has to see the object, and says the default until then.
        let container = self.admin.get(&client::path("v1", "pods", namespace, pod))?;
        let container = container["spec"]["containers"][0]["name"].as_str().unwrap_or_default().to_owned();
        let path = format!("{}/log?container={container}", client::path("v1", "pods", namespace, pod));
        client::wait_until(&format!("the log of {namespace}/{pod}"), LIMIT, || {
            let text = self.admin.text(&path)?;
            Ok(text.lines().eq(lines.iter().copied()).then_some(()))
        })
    }

    /// Adds a line to what [`Cluster::pod_logs`] has said, for those who follow it.
    ///
    /// # Errors
    /// When nothing was said of this pod.
    pub fn pod_prints(&self, namespace: &str, pod: &str, line: &str) -> Result<(), Error> {
        let path = self.directory.path().join(format!("{namespace}-{pod}.log"));
        let what = format!("appending to {}", path.display());
        fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(kwok::log_file([line]).as_bytes()))
            .map_err(Error::io(what))
    }

    /// Kills a server, as a lost machine would; see [`Cluster::start_part`].
    ///
    /// # Errors
    /// When the cluster has no such part.
    pub fn stop(&self, part: Part) -> Result<(), Error> {
        self.server(part)?.stop();
        self.paused().remove(&part);
        Ok(())
    }

    /// Asks a server to end (SIGTERM), and waits until it has.
    ///
    /// # Errors
    /// When the cluster has no such part, or it does not run.
    pub fn terminate(&self, part: Part) -> Result<(), Error> {
        self.resume(part)?;
        self.server(part)?.terminate()
    }

    /// Starts a server again that was stopped, with the same data and at the same address; returns at once, or, for the
    /// API server, when it is ready.
    ///
    /// # Errors
    /// When the cluster has no such part, or it cannot be started.
    pub fn start_part(&self, part: Part) -> Result<(), Error> {
        self.server(part)?.restart()?;
        if part == Part::ApiServer {
            self.wait_for_part(part, |client| client.text("/readyz").map(Some))?;
        }
        Ok(())
    }

    /// Stops a server's clock (SIGSTOP): connections to it stay open, and nothing comes over them.
    ///
    /// # Errors
    /// When the cluster has no such part, or it does not run.
    pub fn pause(&self, part: Part) -> Result<(), Error> {
        self.server(part)?.signal(Signal::STOP)?;
        self.paused().insert(part);
        Ok(())
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// When the cluster has no such part, or it does not run.
    pub fn resume(&self, part: Part) -> Result<(), Error> {
        self.server(part)?.signal(Signal::CONT)?;
        self.paused().remove(&part);
        Ok(())
    }

    fn paused(&self) -> MutexGuard<'_, BTreeSet<Part>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a server runs, paused or not.
    #[must_use]
    pub fn is_running(&self, part: Part) -> bool {
        self.pid(part).is_some()
    }

    /// The process id of a server that runs.
    #[must_use]
    pub fn pid(&self, part: Part) -> Option<u32> {
        self.parts.get(&part)?.pid()
    }

    /// The last lines of a server's log.
    ///
    /// # Errors
    /// When the cluster has no such part.
    pub fn log_tail(&self, part: Part, lines: usize) -> Result<String, Error> {
        Ok(self.server(part)?.tail(lines))
    }

    /// Everything that a server has printed.
    ///
    /// # Errors
    /// When the cluster has no such part.
    pub fn log(&self, part: Part) -> Result<String, Error> {
        Ok(self.server(part)?.log())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Those that ask go before those that answer.
        let order =
            [Part::Velero, Part::Kwok, Part::Scheduler, Part::ControllerManager, Part::ApiServer, Part::Etcd, Part::S3];
        for server in order.iter().filter_map(|part| self.parts.get(part)) {
            server.stop();
        }
    }
}
