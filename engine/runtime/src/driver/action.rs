//! One action, from its start to the input that tells its end.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use lifeboat_core::{
    action::{
        HttpOrder, Order, Outcome, ProcessOrder,
        kube::{self, Prepared},
    },
    evidence::event::{Artifact, Task},
    machine::Input,
    mask::Mask,
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Screen, Teller};
use crate::{
    action,
    cluster::{Clusters, Unreachable},
    files::Files,
    http::{self, Clients},
    process::{self, Filters, Launch, Sinks},
    store::RunDir,
};

/// What an action runs in.
#[derive(Clone)]
pub(crate) struct World {
    pub sender: mpsc::UnboundedSender<Input>,
    pub screen: Screen,
    pub run: RunDir,
    pub directory: PathBuf,
    pub environment: BTreeMap<String, String>,
    pub filter: Filters,
    pub mask: Mask,
    pub grace: Duration,
    pub files: Arc<Files>,
    pub clients: Clients,
    pub clusters: Clusters,
    pub run_id: String,
    pub mode: &'static str,
}

impl World {
    /// The environment of a step's processes: the base, and what tells them where they are.
    pub(crate) fn marked(&self, step: &str, attempt: u32) -> BTreeMap<String, String> {
        process::marked(&self.environment, &self.run_id, step, attempt, self.mode)
    }
}

/// An action to run.
pub(crate) struct Job {
    pub node: usize,
    pub task: Task,
    pub attempt: u32,
    pub step: String,
    pub order: Order,
    pub prepared: Vec<Prepared>,
}

/// How it ended.
struct End {
    outcome: Outcome,
    result: Value,
    error: Option<String>,
    artifacts: Vec<Artifact>,
    requests: Option<u64>,
}

impl End {
    fn failed(error: String) -> Self {
        Self {
            outcome: Outcome::Failed,
            result: Value::Null,
            error: Some(error),
            artifacts: Vec::new(),
            requests: None,
        }
    }
}

type Stopped = watch::Receiver<Option<(Outcome, bool)>>;

/// Runs an action, and tells its end.
pub(crate) async fn run(world: World, job: Job, durable: oneshot::Receiver<()>, mut stopped: Stopped) {
    let began = Instant::now();
    let end = match &job.order {
        Order::Process(order) => run_process(&world, &job, order, &mut stopped).await,
        Order::Http(order) => run_http(&world, order, &mut stopped).await,
        Order::Kube(order) => run_in_cluster(&world, &job, order, durable, &mut stopped).await,
        Order::Pause { duration } => {
            let wait = duration.as_std();
            tokio::select! {
                () = tokio::time::sleep(wait) => End {
                    outcome: Outcome::Succeeded,
                    result: json!({"durationMs": duration.as_millis()}),
                    error: None,
                    artifacts: Vec::new(),
                    requests: None,
                },
                outcome = asked(&mut stopped) => End {
                    outcome: outcome.0,
                    ..End::failed("it was stopped".to_owned())
                },
            }
        }
        Order::Manual { .. } | Order::Nothing => End::failed("this is no action for the runtime".to_owned()),
    };
    let mut end = end;
    // What a process printed was masked on its way; an answer over HTTP, and errors, were not.
    world.mask.value(&mut end.result);
    end.error = end.error.map(|error| world.mask.text(&error).into_owned());
    drop(world.sender.send(Input::ActionFinished {
        node: job.node,
        task: job.task,
        attempt: job.attempt,
        outcome: end.outcome,
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        result: end.result,
        error: end.error,
        artifacts: end.artifacts,
        requests: end.requests,
    }));
}

/// Waits until somebody wants it stopped.
async fn asked(stopped: &mut Stopped) -> (Outcome, bool) {
    loop {
        if let Some(asked) = *stopped.borrow_and_update() {
            return asked;
        }
        if stopped.changed().await.is_err() {
            // The driver is gone, and with it everybody who could ask.
            return (Outcome::Stopped, true);
        }
    }
}

async fn run_http(world: &World, order: &HttpOrder, stopped: &mut Stopped) -> End {
    // The machine's time-out asks for the stop; this one only keeps a broken clock from waiting for ever.
    let longest = Duration::from_secs(24 * 3600);
    tokio::select! {
        answer = http::send(order, &world.directory, &world.clients, longest) => match answer {
            Ok(result) => {
                let error = http::failure(order, &result);
                let outcome = if error.is_none() { Outcome::Succeeded } else { Outcome::Failed };
                End { outcome, result, error, artifacts: Vec::new(), requests: None }
            }
            Err(error) => End::failed(error),
        },
        (outcome, _) = asked(stopped) => {
            let error = match outcome {
                Outcome::TimedOut => "no answer in time",
                _ => "it was stopped",
            };
            End { outcome, ..End::failed(error.to_owned()) }
        }
    }
}

/// An action in a cluster: reach it, look, have that made durable, carry it out.
async fn run_in_cluster(
    world: &World,
    job: &Job,
    order: &kube::Order,
    durable: oneshot::Receiver<()>,
    stopped: &mut Stopped,
) -> End {
    let teller = Teller::new(world, &job.step);
    let work = in_cluster(world, job, order, durable, &teller);
    tokio::pin!(work);
    tokio::select! {
        end = &mut work => end,
        (outcome, _) = asked(stopped) => {
            let what = if outcome == Outcome::TimedOut { "it took too long" } else { "it was stopped" };
            // What it waited for is what whoever reads this wants to know.
            let error = match teller.last() {
                Some(last) => format!("{what}; the last of it: {last}"),
                None => what.to_owned(),
            };
            End { outcome, ..End::failed(error) }
        }
    }
}

async fn in_cluster(
    world: &World,
    job: &Job,
    order: &kube::Order,
    durable: oneshot::Receiver<()>,
    teller: &Teller,
) -> End {
    let cluster = match world.clusters.get(&order.cluster, Some(&job.step)).await {
        Ok(cluster) => cluster,
        Err(Unreachable::Failed(why)) => return End::failed(why),
        // The machine has heard of it, and leaves the run: nothing has failed here, and nothing is to be undone there.
        Err(Unreachable::Another(why)) => return End { outcome: Outcome::Stopped, ..End::failed(why) },
    };
    let ask = cluster.ask(Some(&job.step));
    let earlier: Vec<Prepared> = job.prepared.iter().filter(|known| known.attempt < job.attempt).cloned().collect();
    let cx = action::Context {
        ask: &ask,
        order,
        attempt: job.attempt,
        earlier: &earlier,
        directory: &world.directory,
        teller,
    };
    let done = work(world, job, &cx, durable).await;
    let (outcome, done) = match done {
        Ok(done) if done.error.is_none() => (Outcome::Succeeded, done),
        Ok(done) => (Outcome::Failed, done),
        Err(error) => (Outcome::Failed, action::Done { error: Some(error), ..action::Done::default() }),
    };
    cluster.tell_requests();
    if let Some(reason) = teller.lost() {
        return lost(world, reason);
    }
    End { outcome, result: done.result, error: done.error, artifacts: done.artifacts, requests: Some(ask.requests()) }
}

async fn work(
    world: &World,
    job: &Job,
    cx: &action::Context<'_>,
    durable: oneshot::Receiver<()>,
) -> Result<action::Done, String> {
    let known = job.prepared.iter().find(|known| known.attempt == job.attempt);
    let facts = match (known, &cx.order.request) {
        // An earlier engine had begun this very attempt.
        (Some(known), _) => known.facts.clone(),
        // What was found before the first change is there already.
        (None, kube::Request::Undo { .. }) => Value::Null,
        (None, _) => {
            let found = action::prepare(cx).await?;
            drop(world.sender.send(Input::ActionPrepared {
                node: job.node,
                task: job.task,
                attempt: job.attempt,
                facts: found.facts.clone(),
                artifacts: found.artifacts,
            }));
            // Without an answer the engine is about to leave, and this is stopped.
            if durable.await.is_err() {
                std::future::pending::<()>().await;
            }
            found.facts
        }
    };
    action::carry_out(cx, &facts).await
}

async fn run_process(world: &World, job: &Job, order: &ProcessOrder, stopped: &mut Stopped) -> End {
    let files = Arc::clone(&world.files);
    if !files.is_empty() {
        match tokio::task::spawn_blocking(move || files.changed()).await {
            Ok(None) => {}
            Ok(Some(change)) => return End::failed(change),
            Err(error) => return End::failed(error.to_string()),
        }
    }
    let environment = world.marked(&job.step, job.attempt);
    let launch = Launch::of(order, &environment, &world.directory, world.grace);
    let (lines, shown) = mpsc::channel(256);
    let sinks = Sinks {
        stdout: Some(world.run.artifacts().unfinished()),
        stderr: Some(world.run.artifacts().unfinished()),
        lines: Some(lines),
        filter: world.filter.clone(),
    };
    tokio::spawn(show(world.screen.clone(), job.step.clone(), shown));
    let running = match process::start(launch, sinks).await {
        Ok(running) => running,
        Err(error) => return End::failed(error.to_string()),
    };
    drop(world.sender.send(Input::ProcessStarted {
        node: job.node,
        task: job.task,
        attempt: job.attempt,
        pid: running.pid,
        identity: running.identity.clone(),
    }));
    let control = running.control();
    let mut why = None;
    let ended = {
        let ended = running.ended();
        tokio::pin!(ended);
        loop {
            tokio::select! {
                ended = &mut ended => break ended,
                changed = stopped.changed() => {
                    let asked = *stopped.borrow_and_update();
                    match (changed, asked) {
                        (Ok(()), Some((outcome, now))) => {
                            why.get_or_insert(outcome);
                            control.stop(world.grace, now);
                        }
                        (Ok(()), None) => {}
                        (Err(_), _) => {
                            why.get_or_insert(Outcome::Stopped);
                            control.stop(world.grace, true);
                            // Nobody can change it any more: only the end is waited for.
                            break ended.await;
                        }
                    }
                }
            }
        }
    };
    let outcome = match why {
        // It may have ended by itself in the moment in which it was told to stop.
        Some(why) if ended.stopped || !ended.succeeded() => why,
        _ if ended.succeeded() => Outcome::Succeeded,
        _ => Outcome::Failed,
    };
    let error = match outcome {
        Outcome::Succeeded => None,
        Outcome::TimedOut => Some("it took too long and was stopped".to_owned()),
        Outcome::Stopped => Some("it was stopped".to_owned()),
        Outcome::Failed => Some(ended.error().unwrap_or_else(|| "it failed".to_owned())),
    };
    let result = ended.result();
    let run = world.run.clone();
    let kept = match (&ended.stdout.file, &ended.stderr.file) {
        (None, None) => Ok(keep(&run, &ended)),
        _ => tokio::task::spawn_blocking(move || keep(&run, &ended)).await,
    };
    match kept {
        Ok(Ok(artifacts)) => End { outcome, result, error, artifacts, requests: None },
        // What it printed is part of the evidence, so losing it is losing evidence.
        Ok(Err(reason)) => lost(world, reason),
        Err(reason) => lost(world, reason.to_string()),
    }
}

fn lost(world: &World, reason: String) -> End {
    drop(world.sender.send(Input::EvidenceLost { reason: reason.clone() }));
    End::failed(reason)
}

/// Makes artifacts of what it printed.
fn keep(run: &RunDir, ended: &process::Ended) -> Result<Vec<Artifact>, String> {
    if let Some(reason) = ended.evidence_lost() {
        return Err(reason);
    }
    let mut artifacts = Vec::new();
    for (name, output) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
        if let Some(file) = &output.file {
            let artifact =
                run.artifacts().adopt(name, file, &output.sha256, output.bytes).map_err(|error| error.to_string())?;
            artifacts.extend(artifact);
        }
    }
    Ok(artifacts)
}

/// Brings lines to the screen, as many as it takes.
async fn show(screen: Screen, step: String, mut lines: mpsc::Receiver<process::Line>) {
    let mut missed = 0;
    while let Some(line) = lines.recv().await {
        missed += line.missed;
        if screen.line(&step, &line, missed) {
            missed = 0;
        } else {
            missed += 1;
        }
    }
}
