//! What an action in a cluster tells people, and what it keeps.
//!
//! Duty: lines for the screen and files for the evidence, secrets masked. It must not decide what is told.

use std::sync::{Mutex, PoisonError};

use lifeboat_core::{evidence::event::Artifact, mask::Mask};

use super::{Screen, action::World};
use crate::{
    process::{Line, Stream},
    store::RunDir,
};

/// The voice of one action.
pub(crate) struct Teller {
    screen: Screen,
    step: String,
    mask: Mask,
    run: RunDir,
    last: Mutex<Option<String>>,
    lost: Mutex<Option<String>>,
}

impl Teller {
    pub(crate) fn new(world: &World, step: &str) -> Self {
        Self {
            screen: world.screen.clone(),
            step: step.to_owned(),
            mask: world.mask.clone(),
            run: world.run.clone(),
            last: Mutex::new(None),
            lost: Mutex::new(None),
        }
    }

    /// Says how far it is. The same thing is said once; the last thing is told again when its time is over.
    pub(crate) fn say(&self, text: &str) {
        let text = self.mask.text(text).into_owned();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_deref() != Some(text.as_str()) {
            self.show(&text, Stream::Stderr);
            *last = Some(text);
        }
    }

    /// Shows a line that something printed.
    pub(crate) fn print(&self, text: &str) {
        self.show(&self.mask.text(text), Stream::Stdout);
    }

    fn show(&self, text: &str, stream: Stream) {
        self.screen.line(&self.step, &Line { stream, text: text.to_owned(), cut: false, missed: 0 }, 0);
    }

    /// What was said last.
    pub(crate) fn last(&self) -> Option<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a text with the evidence; nothing when it is empty. What cannot be kept ends the run: evidence is lost.
    pub(crate) async fn keep(&self, name: &str, text: &str) -> Vec<Artifact> {
        let (run, name) = (self.run.clone(), name.to_owned());
        let text = self.mask.text(text).into_owned();
        let kept = tokio::task::spawn_blocking(move || run.artifacts().put(&name, text.as_bytes())).await;
        let why = match kept {
            Ok(Ok(artifact)) => return artifact.into_iter().collect(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        Vec::new()
    }

    /// Reads what was kept.
    pub(crate) async fn kept(&self, sha256: &str) -> Result<String, String> {
        let path = self.run.artifacts().directory().join(sha256);
        tokio::fs::read_to_string(&path)
            .await
            .map_err(|error| format!("expected the artifact {}, found: {error}", path.display()))
    }

    /// Why evidence was lost, if it was.
    pub(crate) fn lost(&self) -> Option<String> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
