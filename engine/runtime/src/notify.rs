//! Telling people elsewhere: durable records in, requests out, what became of them into `notifications.jsonl`.
//!
//! Duty: each notice at least once, in order for each place, tried again while that may help. It must not hold up the run
//! or fail it: everything here happens beside the driver, and nothing feeds back. The file is no part of the evidence,
//! since a notice tells of a record and can only be delivered after it; of the last record, too.

use std::{
    collections::HashSet,
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use lifeboat_core::{
    evidence::{Record, event::RunCreated},
    mask::Mask,
    notify::{self, Delivery, Notice, Target},
};
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::{clock::whole_micros, http, store::RunDir};

/// Longest time for one try.
const TRY: Duration = Duration::from_secs(10);
/// Pauses between tries; one try more than pauses.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(15)];

/// The file in a run's directory.
const FILE: &str = "notifications.jsonl";

/// What a notifier needs.
pub struct Setup {
    /// Who is told.
    pub targets: Vec<Target>,
    /// The first record of the run.
    pub created: RunCreated,
    /// The run's directory.
    pub run: RunDir,
    /// What was recorded by earlier engines: what of it was not delivered is delivered now.
    pub past: Vec<Record>,
    /// Takes secrets out of errors.
    pub mask: Mask,
}

/// Tells of every record it is given.
pub struct Notifier {
    created: RunCreated,
    places: Vec<Place>,
    hurry: watch::Sender<bool>,
}

struct Place {
    target: Target,
    queue: mpsc::UnboundedSender<Notice>,
    task: JoinHandle<()>,
}

impl Notifier {
    /// Begins; `None` when nobody is to be told. Must be called in a tokio runtime.
    #[must_use]
    pub fn start(setup: Setup) -> Option<Self> {
        let Setup { targets, created, run, past, mask } = setup;
        if targets.is_empty() {
            return None;
        }
        let (hurry, hurried) = watch::channel(false);
        let delivered: HashSet<(u64, usize)> =
            deliveries(&run).into_iter().map(|delivery| (delivery.seq, delivery.target)).collect();
        let file = run.path().join(FILE);
        let mask = Arc::new(mask);
        let places = targets
            .into_iter()
            .enumerate()
            .map(|(number, target)| {
                let (queue, notices) = mpsc::unbounded_channel();
                let post = Post {
                    number,
                    target: target.clone(),
                    created: created.clone(),
                    file: file.clone(),
                    mask: Arc::clone(&mask),
                    hurried: hurried.clone(),
                };
                Place { target, queue, task: tokio::spawn(post.deliver(notices)) }
            })
            .collect();
        let notifier = Self { created, places, hurry };
        for record in &past {
            notifier.offer(record, |seq, place| !delivered.contains(&(seq, place)));
        }
        Some(notifier)
    }

    /// Tells of a record that is durable, if it is worth it. Does not wait.
    pub fn tell(&self, record: &Record) {
        self.offer(record, |_, _| true);
    }

    fn offer(&self, record: &Record, wanted: impl Fn(u64, usize) -> bool) {
        let Some(notice) = notify::notice(&self.created, record) else { return };
        for (number, place) in self.places.iter().enumerate() {
            if place.target.on.contains(&notice.what) && wanted(notice.seq, number) {
                // The task ends only with this queue.
                drop(place.queue.send(notice.clone()));
            }
        }
    }

    /// Ends when everything is delivered or given up; after `limit` what is left is given up, and that is noted.
    pub async fn finish(self, limit: Duration) {
        let Self { places, hurry, .. } = self;
        let tasks: Vec<_> = places.into_iter().map(|place| place.task).collect();
        let all = async {
            for task in tasks {
                // A task that panicked has nothing more to tell.
                drop(task.await);
            }
        };
        tokio::pin!(all);
        if tokio::time::timeout(limit, &mut all).await.is_err() {
            hurry.send_replace(true);
            drop(tokio::time::timeout(TRY, all).await);
        }
    }
}

/// What became of the notices of a run so far; a line that cannot be read is left out, it is no evidence.
#[must_use]
pub fn deliveries(run: &RunDir) -> Vec<Delivery> {
    let text = std::fs::read_to_string(run.path().join(FILE)).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The deliveries to one place.
struct Post {
    number: usize,
    target: Target,
    created: RunCreated,
    file: PathBuf,
    mask: Arc<Mask>,
    /// The engine wants to leave.
    hurried: watch::Receiver<bool>,
}

impl Post {
    async fn deliver(mut self, mut notices: mpsc::UnboundedReceiver<Notice>) {
        let clients = http::Clients::default();
        while let Some(notice) = notices.recv().await {
            let (attempts, error) = self.try_all(&notice, &clients).await;
            let delivery = Delivery {
                at: whole_micros(Timestamp::now()),
                seq: notice.seq,
                what: notice.what,
                step: notice.step,
                target: self.number,
                to: self.mask.text(&self.target.to()).into_owned(),
                delivered: error.is_none(),
                attempts,
                error,
            };
            let file = self.file.clone();
            // That a note of it cannot be kept is no reason to stop telling.
            drop(tokio::task::spawn_blocking(move || append(&file, &delivery)).await);
        }
    }

    /// How often it was tried, and why it did not arrive.
    async fn try_all(&mut self, notice: &Notice, clients: &http::Clients) -> (u32, Option<String>) {
        let order = self.target.order(&self.created, notice);
        let mut attempts = 0;
        let mut pauses = PAUSES.into_iter();
        loop {
            if *self.hurried.borrow() {
                return (attempts, Some("the engine left before it could be delivered".to_owned()));
            }
            attempts += 1;
            let answer = tokio::select! {
                answer = http::send(&order, Path::new("/"), clients, TRY) => answer,
                // The sender is gone only when nobody waits for this.
                _ = self.hurried.wait_for(|hurried| *hurried) => Err("the engine left before there was an answer".to_owned()),
            };
            let (error, again) = match answer {
                Ok(result) => match http::failure(&order, &result) {
                    None => return (attempts, None),
                    Some(error) => (error, worth_another_try(&result)),
                },
                Err(error) => (error, true),
            };
            let error = self.mask.text(&error).into_owned();
            let Some(pause) = pauses.next().filter(|_| again) else { return (attempts, Some(error)) };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = self.hurried.wait_for(|hurried| *hurried) => return (attempts, Some(error)),
            }
        }
    }
}

/// Too early, too many, or the server's own fault; everything else stays as it is.
fn worth_another_try(result: &Value) -> bool {
    result.get("status").and_then(Value::as_u64).is_some_and(|status| matches!(status, 408 | 425 | 429 | 500..))
}

fn append(file: &Path, delivery: &Delivery) -> io::Result<()> {
    let mut line = serde_json::to_vec(delivery).map_err(io::Error::other)?;
    line.push(b'\n');
    // An engine that died over a line left a part of it.
    if std::fs::read(file).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n')) {
        line.insert(0, b'\n');
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(file)?.write_all(&line)
}
