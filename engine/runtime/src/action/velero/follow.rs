//! Following what Velero does until it has ended.
//!
//! Duty: to see every change by the watch that all who wait share, to tell each, and to tell when there is none for so long
//! that somebody should look. How long it may take is the step's own affair.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lifeboat_core::kube::{object, words};
use serde_json::Value;

use super::Velero;
use crate::cluster::{Kind, watch::Key};

/// How often the watch's store is looked at; that asks the server nothing.
const GLANCE: Duration = Duration::from_millis(250);
/// How long a watch may be without an object that was there before the server is asked itself.
const MISSED: Duration = Duration::from_secs(3);
/// Without a change for so long, somebody should look.
const STALL: Duration = Duration::from_secs(60);
/// How often that is told again.
const AGAIN: Duration = Duration::from_secs(300);

/// How following has ended.
#[derive(Debug)]
pub(in crate::action) enum Last {
    /// As it was when it had ended.
    Ended(Value),
    /// It is not there any more.
    Gone,
}

/// What is followed.
pub(in crate::action) struct Subject<'a> {
    velero: &'a Velero<'a>,
    kind: &'a Kind,
    name: String,
    uid: String,
    path: String,
}

impl<'a> Subject<'a> {
    /// An object as it was when it was made or found.
    pub(in crate::action) fn of(velero: &'a Velero<'a>, kind: &'a Kind, found: &Value) -> Result<Self, String> {
        let name = object::name(found).to_owned();
        let uid = object::uid(found).unwrap_or_default().to_owned();
        let path = kind.object(Some(velero.namespace), &name)?;
        Ok(Self { velero, kind, name, uid, path })
    }

    /// For people: `Restore velero/x`.
    pub(in crate::action) fn shown(&self) -> String {
        self.velero.shown(self.kind, &self.name)
    }

    /// Until `pending` has nothing to say of it any more: what it says is told.
    pub(in crate::action) async fn follow(&self, pending: impl Fn(&Value) -> Option<String>) -> Result<Last, String> {
        let teller = self.velero.cx.teller;
        let (mut known, mut stall) = (None, Stall::new(Instant::now()));
        loop {
            let Some(found) = self.look().await? else { return Ok(Last::Gone) };
            let Some(progress) = pending(&found) else { return Ok(Last::Ended((*found).clone())) };
            let version = object::resource_version(&found).map(str::to_owned);
            let changed = known != version;
            known = version;
            let going = object::deleting_since(&found).is_some();
            let going = if going { "; somebody is deleting it" } else { "" };
            let line = format!("{}: {progress}{going}", self.shown());
            match stall.look(Instant::now(), changed) {
                Some(silent) => {
                    let silent = words::length(u64::try_from(silent.as_millis()).unwrap_or(u64::MAX));
                    let hint = self.hint(&found).await;
                    teller.say(&format!("{line}, without a change for {silent}; {hint}"));
                }
                None if changed => teller.say(&line),
                None => {}
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Until it is not there any more.
    pub(in crate::action) async fn gone(&self, doing: &str) -> Result<(), String> {
        let waits = |found: &Value| {
            let held: Vec<&str> = object::finalizers(found).collect();
            let held =
                if held.is_empty() { String::new() } else { format!(" (finalizers: {})", words::list(&held, 3)) };
            Some(format!("{doing}{held}"))
        };
        self.follow(waits).await.map(|_| ())
    }

    /// As it is, by the watch; `None` when it is gone, which only the server itself can say: a watch may be behind.
    async fn look(&self) -> Result<Option<Arc<Value>>, String> {
        let key =
            Key { kind: self.kind.clone(), namespace: Some(self.velero.namespace.to_owned()), selector: String::new() };
        let asked = Instant::now();
        loop {
            let looked = tokio::time::timeout(MISSED, self.velero.cx.ask.look(&key, Some(&self.name), true, false));
            let seen = looked.await.ok().and_then(Result::ok).and_then(|found| found.objects.first().cloned());
            match seen {
                Some(found) if object::uid(&found) == Some(&self.uid) => return Ok(Some(found)),
                _ if asked.elapsed() < MISSED => tokio::time::sleep(GLANCE).await,
                // It does not see it, or does not see at all.
                _ => return self.ask().await,
            }
        }
    }

    async fn ask(&self) -> Result<Option<Arc<Value>>, String> {
        match self.velero.cx.ask.get(&self.path).await {
            Ok(found) if object::uid(&found) == Some(&self.uid) => Ok(Some(Arc::new(found))),
            // Another one of the same name: ours is gone.
            Ok(_) => Ok(None),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn hint(&self, found: &Value) -> String {
        let phase = object::text(found, "/status/phase");
        if phase.starts_with("WaitingForPluginOperations") {
            return "data of volumes is moved in this phase: look at DataUploads and DataDownloads in Velero's namespace"
                .to_owned();
        }
        self.velero.server().await
    }
}

/// When a silence is worth telling.
#[derive(Debug)]
struct Stall {
    since: Instant,
    told: Option<Instant>,
}

impl Stall {
    fn new(now: Instant) -> Self {
        Self { since: now, told: None }
    }

    /// How long nothing has changed, when that is to be told now.
    fn look(&mut self, now: Instant, changed: bool) -> Option<Duration> {
        if changed {
            *self = Self::new(now);
            return None;
        }
        let silent = now.duration_since(self.since);
        let due = match self.told {
            None => silent >= STALL,
            Some(told) => now.duration_since(told) >= AGAIN,
        };
        due.then(|| {
            self.told = Some(now);
            silent
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_told_after_a_minute_and_then_now_and_again() {
        let begin = Instant::now();
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        let mut stall = Stall::new(begin);
        let told: Vec<u64> = (0..=700).filter(|second| stall.look(at(*second), false).is_some()).collect();
        assert_eq!(told, [60, 360, 660]);
        assert_eq!(stall.look(at(701), true), None);
        assert_eq!(stall.look(at(760), false), None);
        assert_eq!(stall.look(at(761), false), Some(Duration::from_secs(60)));
    }
}
