//! The pre-flight of a run that is not begun.
//!
//! Duty: the same machine, asked the same questions, up to its verdict: it decides what is looked at and what that means, as
//! it does for a run. Its records stay in memory. It must not carry out anything that comes after the verdict.

use std::{collections::HashMap, sync::Arc, time::Instant};

use jiff::Timestamp;
use lifeboat_core::{
    evidence::{
        Event,
        event::{ClusterMet, Finding},
    },
    machine::{Command, Engine, Input, Machine, Now},
    mask::Mask,
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

use super::{Look, Wanted};
use crate::{check, clock::whole_micros, cluster::Clusters, files::Files, http::Clients, process, process::Filters};

/// How many programs of checks run at once.
const AT_ONCE: usize = 16;

/// What it looks at, and with what.
pub struct Setup {
    /// A new machine.
    pub machine: Machine,
    /// Who looks.
    pub engine: Engine,
    /// The runbook's directory, absolute.
    pub directory: std::path::PathBuf,
    /// The base environment of processes.
    pub environment: std::collections::BTreeMap<String, String>,
    /// Takes secrets out of what programs print.
    pub filter: Filters,
    /// The same for what did not come from a program.
    pub mask: Mask,
    /// From TERM to KILL.
    pub grace: std::time::Duration,
    /// Files that the runbook says its steps use.
    pub files: Files,
    /// What must be there on this machine.
    pub wanted: Wanted,
}

/// The verdict.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Whether a run would begin.
    pub passed: bool,
    /// Every requirement.
    pub findings: Vec<Finding>,
    /// The clusters that answered.
    pub clusters: Vec<ClusterMet>,
}

struct Alone {
    setup: Setup,
    began: Instant,
    sender: mpsc::UnboundedSender<Input>,
    inputs: mpsc::UnboundedReceiver<Input>,
    clusters: Clusters,
    clients: Clients,
    processes: Arc<Semaphore>,
    files: Arc<Files>,
    checks: HashMap<u64, JoinHandle<()>>,
    met: Vec<ClusterMet>,
}

/// Looks at everything that a run would look at before it touches anything. `None`: the machine gave no verdict, which is a
/// mistake of the engine.
pub async fn look(mut setup: Setup) -> Option<Verdict> {
    let (sender, inputs) = mpsc::unbounded_channel();
    let files = Arc::new(std::mem::take(&mut setup.files));
    let mut alone = Alone {
        clusters: Clusters::new(sender.clone(), setup.directory.clone()),
        setup,
        began: Instant::now(),
        sender,
        inputs,
        clients: Clients::default(),
        processes: Arc::new(Semaphore::new(AT_ONCE)),
        files,
        checks: HashMap::new(),
        met: Vec::new(),
    };
    let verdict = alone.run().await;
    for (_, check) in alone.checks.drain() {
        check.abort();
    }
    verdict
}

impl Alone {
    async fn run(&mut self) -> Option<Verdict> {
        let mut input = Some(Input::Started(self.setup.engine.clone()));
        while let Some(next) = input {
            let elapsed_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let now = Now { at: whole_micros(Timestamp::now()), elapsed_ms };
            for command in self.setup.machine.handle(next, now) {
                match command {
                    // Whatever follows is the run itself.
                    Command::Append(Event::PreflightFinished { passed, findings }, _) => {
                        return Some(Verdict { passed, findings, clusters: std::mem::take(&mut self.met) });
                    }
                    command => self.perform(command),
                }
            }
            if self.setup.machine.exited() {
                return None;
            }
            input = self.inputs.recv().await;
        }
        None
    }

    fn perform(&mut self, command: Command) {
        match command {
            Command::Append(Event::ClusterMet(met), _) => self.met.push(met),
            Command::Preflight { clusters, needs } => {
                let look = Look {
                    wanted: self.setup.wanted.clone(),
                    environment: self.setup.environment.clone(),
                    directory: self.setup.directory.clone(),
                    filter: self.setup.filter.clone(),
                    files: Arc::clone(&self.files),
                    clusters: self.clusters.clone(),
                    refs: clusters,
                    needs: *needs,
                };
                let sender = self.sender.clone();
                tokio::spawn(async move { drop(sender.send(Input::Preflight(super::everything(&look).await))) });
            }
            Command::RunCheck { run, order, timeout, .. } => {
                let created = &self.setup.machine.state().created;
                let cx = check::Context {
                    directory: self.setup.directory.clone(),
                    environment: process::marked(
                        &self.setup.environment,
                        &created.run,
                        "preflight",
                        0,
                        created.mode.name(),
                    ),
                    timeout: timeout.as_std(),
                    grace: self.setup.grace,
                    filter: self.setup.filter.clone(),
                    clients: self.clients.clone(),
                    clusters: self.clusters.clone(),
                    step: None,
                };
                let (mask, places) = (self.setup.mask.clone(), Arc::clone(&self.processes));
                self.checks.insert(run, check::begin(run, order, cx, mask, places, self.sender.clone()));
            }
            Command::CancelCheck { run } => {
                if let Some(check) = self.checks.remove(&run) {
                    check.abort();
                }
            }
            Command::Arm { timer, after_ms } => {
                let sender = self.sender.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(std::time::Duration::from_millis(after_ms)).await;
                    drop(sender.send(Input::Timer(timer)));
                });
            }
            // Records that nobody keeps, and what only a run does.
            _ => {}
        }
    }
}
