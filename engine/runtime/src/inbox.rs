//! Acts of people from other terminals: files in the run's `inbox/`.
//!
//! Duty: an act arrives whole or not at all, in the order in which acts were sent, and is put away only after it is
//! recorded. It must not decide whether an act may be done: that is the machine's.
//!
//! A letter is a payload (the act, as text) and a signature over exactly these bytes. The payload names the run and has a
//! name of its own, so that a signed act can neither be used in another run nor twice; and its file has that name, so that
//! whoever has recorded the act knows which letter to put away.

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use lifeboat_core::{
    evidence::event::{ActName, Artifact},
    machine::{Act, Input, Proof},
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{
    clock::whole_micros,
    identity,
    signers::{self, Signers},
    store::RunDir,
};

/// How often the inbox is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// The longest letter, in bytes.
const LONGEST: u64 = 64 << 10;
/// The version of a payload.
const VERSION: u32 = 1;

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload {
    /// Version of this form.
    pub version: u32,
    /// The run that is meant.
    pub run: String,
    /// The act's own name, and its file's without `.json`. Names sort by time.
    pub id: String,
    /// When it was sent.
    pub at: Timestamp,
    /// What.
    pub act: ActName,
    /// On which step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Who.
    pub who: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// To whom command is passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Files that come with it; they are among the run's artifacts already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
}

/// A file of the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    /// A [`Payload`] as JSON.
    pub payload: String,
    /// An SSH signature over the payload's bytes, namespace [`signers::NAMESPACE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

impl Payload {
    /// An act on a run, now.
    #[must_use]
    pub fn new(run: &RunDir, act: ActName, step: Option<String>, who: String, reason: Option<String>) -> Self {
        let at = whole_micros(Timestamp::now());
        // Twenty digits, so that names sort by time.
        let id = format!("{:020}-{:x}", at.as_microsecond(), identity::random());
        let (to, artifacts) = (None, Vec::new());
        Self { version: VERSION, run: run.id().to_owned(), id, at, act, step, who, reason, to, artifacts }
    }

    /// The bytes that are signed.
    ///
    /// # Errors
    /// Never, as far as is known: all of it is text.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// The file of an act in the inbox of a run.
fn letter_of(run: &RunDir, id: &str) -> PathBuf {
    run.inbox().join(format!("{id}.json"))
}

/// Puts a letter into the inbox of a run; `id` is that of its payload.
///
/// # Errors
/// When it cannot be written.
pub fn post(run: &RunDir, id: &str, letter: &Letter) -> io::Result<()> {
    let inbox = run.inbox();
    let mut bytes = serde_json::to_vec(letter).map_err(io::Error::other)?;
    bytes.push(b'\n');
    let mut file = tempfile::Builder::new().prefix(".tmp-").tempfile_in(&inbox)?;
    file.write_all(&bytes)?;
    file.as_file().sync_all()?;
    file.persist(letter_of(run, id))?;
    fs::File::open(&inbox)?.sync_all()
}

/// An act that is recorded, done or refused, has no use for its letter any more. If that stays, the next engine finds the
/// act in the log and does nothing.
pub(crate) fn put_away(run: &RunDir, id: &str) {
    drop(fs::remove_file(letter_of(run, id)));
}

/// The letters that wait, in the order in which they came.
fn waiting(inbox: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(inbox) else { return Vec::new() };
    let mut letters: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    letters.sort();
    letters
}

/// The engine's end of the inbox.
#[derive(Debug)]
pub struct Inbox {
    directory: PathBuf,
    run: String,
    signers: Option<Signers>,
    seen: HashSet<PathBuf>,
}

impl Inbox {
    /// The inbox of a run; with `signers`, signatures are looked at.
    #[must_use]
    pub fn new(run: &RunDir, signers: Option<Signers>) -> Self {
        Self { directory: run.inbox(), run: run.id().to_owned(), signers, seen: HashSet::new() }
    }

    /// The acts that have come since the last call. It may block on the disk and on `ssh-keygen`.
    pub fn take(&mut self) -> Vec<Act> {
        let mut acts = Vec::new();
        for path in waiting(&self.directory) {
            if !self.seen.insert(path.clone()) {
                continue;
            }
            match self.read(&path) {
                Ok(act) => acts.push(act),
                // It is no act, so there is nothing to refuse; it is kept for whoever wonders where theirs went.
                Err(_) => drop(fs::rename(&path, path.with_extension("unreadable"))),
            }
        }
        acts
    }

    fn read(&self, path: &Path) -> Result<Act, String> {
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let found = fs::metadata(path).map_err(|error| told(&error))?;
        // A pipe in the place of a file would never come to its end.
        if !found.is_file() || found.len() > LONGEST {
            return Err(format!("no file of at most {LONGEST} bytes"));
        }
        let letter: Letter =
            serde_json::from_slice(&fs::read(path).map_err(|error| told(&error))?).map_err(|error| told(&error))?;
        let payload: Payload = serde_json::from_str(&letter.payload).map_err(|error| told(&error))?;
        if payload.version != VERSION {
            return Err(format!("version {}", payload.version));
        }
        if path.file_stem() != Some(OsStr::new(&payload.id)) {
            return Err(format!("the letter of the act {}", payload.id));
        }
        let proof = self.proof(&letter, &payload);
        let Payload { id, act, step, who, reason, to, artifacts, .. } = payload;
        Ok(Act { act, step, who, reason, proof, id: Some(id), to, artifacts })
    }

    fn proof(&self, letter: &Letter, payload: &Payload) -> Proof {
        if payload.run != self.run {
            return Proof::Forged { why: format!("an act for the run {}", payload.run) };
        }
        match (&self.signers, &letter.signature) {
            (Some(signers), Some(signature)) => {
                match signers.verify(&payload.who, letter.payload.as_bytes(), signature) {
                    Ok(key) => Proof::Signed { key },
                    Err(why) => Proof::Forged { why },
                }
            }
            // Without keys that are bound to people, a signature says nothing.
            (None, _) | (_, None) => Proof::Unsigned,
        }
    }
}

/// Brings acts to the driver as they come, for as long as it listens.
pub(crate) async fn watch(mut inbox: Inbox, inputs: mpsc::UnboundedSender<Input>) {
    loop {
        let look = move || {
            let acts = inbox.take();
            (inbox, acts)
        };
        let Ok((back, acts)) = tokio::task::spawn_blocking(look).await else { return };
        inbox = back;
        for act in acts {
            if inputs.send(Input::Act(act)).is_err() {
                return;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Signs a payload with a person's key.
///
/// # Errors
/// Why it could not be signed.
pub fn sign(payload: &str, key: &Path) -> Result<String, String> {
    signers::sign(payload.as_bytes(), key)
}
