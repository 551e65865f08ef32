//! What `flux-reconcile` and `argocd-sync` have in common: an object that was asked for something, and a controller that
//! does it in its own time.
//!
//! Duty: to follow one object by the watch that all who wait share, to tell each change, and to tell who should look at it
//! and does not. What its status means is in core's rooms `kube::flux` and `kube::argocd`; how long it may take is the
//! step's own affair.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use lifeboat_core::kube::{
    object,
    readiness::{self, Around},
    words,
};
use serde_json::Value;

use super::{Context, objects::Target};
use crate::cluster::watch::Key;

/// A request that nobody has taken up for so long: is there a controller at all?
const UNHEARD: Duration = Duration::from_secs(20);

/// What one look at the object says.
#[derive(Debug)]
pub(super) enum Look<T> {
    /// It has ended.
    Ended(T),
    /// It goes on; the end of a sentence that begins with the object's name.
    Waits(String),
    /// The controller has not taken the request up yet.
    Unheard(String),
}

/// Who takes requests up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Controller {
    /// The kinds that it may be, of `apps/v1`.
    pub kinds: &'static [&'static str],
    /// The label by which it is known.
    pub label: &'static str,
    /// The value of that label: its name.
    pub name: &'static str,
}

/// The object as it is, which has to be there.
pub(super) async fn there(cx: &Context<'_>, target: &Target) -> Result<Value, String> {
    let found = target.get(cx.ask).await?;
    found.ok_or_else(|| format!("expected {} to be there, found nothing of that name", target.shown))
}

/// The object as it is, which has to be the one that was found before.
pub(super) async fn same(cx: &Context<'_>, target: &Target, uid: &str) -> Result<Value, String> {
    let Some(object) = target.get(cx.ask).await? else { return Err(gone(target)) };
    if object::uid(&object) == Some(uid) { Ok(object) } else { Err(another(target)) }
}

fn gone(target: &Target) -> String {
    format!("{} is gone: somebody has deleted it", target.shown)
}

fn another(target: &Target) -> String {
    format!("{} is another object than the one that was found: somebody has made it anew", target.shown)
}

/// Looks at the object whenever it changes, until `look` says that it has ended.
pub(super) async fn follow<T: Send>(
    cx: &Context<'_>,
    target: &Target,
    uid: &str,
    controller: Controller,
    mut look: impl FnMut(&Value) -> Look<T> + Send,
) -> Result<T, String> {
    let key = Key { kind: target.kind.clone(), namespace: target.namespace.clone(), selector: String::new() };
    let heard = Mutex::new((true, String::new()));
    let followed = cx.ask.until(&key, Some(&target.name), |objects| {
        let Some(object) = objects.first() else { return Some(Err(gone(target))) };
        if object::uid(object) != Some(uid) {
            return Some(Err(another(target)));
        }
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        match look(object) {
            Look::Ended(end) => return Some(Ok(end)),
            Look::Waits(why) => {
                *heard = (true, String::new());
                cx.teller.say(&format!("{} {why}", target.shown));
            }
            Look::Unheard(why) => {
                heard.0 = false;
                cx.teller.say(&format!("{} {why}{}", target.shown, heard.1));
            }
        }
        None
    });
    let asked = async {
        loop {
            tokio::time::sleep(UNHEARD).await;
            if heard.lock().unwrap_or_else(PoisonError::into_inner).0 {
                continue;
            }
            let hint = hint(cx, controller).await;
            heard.lock().unwrap_or_else(PoisonError::into_inner).1 = hint;
        }
    };
    tokio::select! {
        ended = followed => ended?,
        () = asked => Err(gone(target)),
    }
}

/// What is with the controller that should have taken the request up; empty when it cannot be known.
async fn hint(cx: &Context<'_>, controller: Controller) -> String {
    for kind in controller.kinds {
        let Ok(kind) = cx.ask.kind(kind, Some("apps/v1")).await else { return String::new() };
        let key = Key { kind, namespace: None, selector: format!("{}={}", controller.label, controller.name) };
        // Whoever may reconcile need not be allowed to look at everything.
        let Ok(found) = cx.ask.look(&key, None, false, true).await else { return String::new() };
        let Some(workload) = found.objects.first() else { continue };
        let shown = object::describe(workload);
        let around = Around::alone(jiff::Timestamp::now());
        return match readiness::readiness(workload, &around).why() {
            Some(why) => format!("; {shown}: {}", words::quote(why)),
            None => format!("; {shown} is ready, its log may tell"),
        };
    }
    format!("; is {} running? Nothing in the cluster has the label {}={0}", controller.name, controller.label)
}
