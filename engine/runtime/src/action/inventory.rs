//! What a Flux object has applied, looked at object by object.
//!
//! Duty: to wait until all of it is ready by the rules of each kind. Whether it is the right list is not known here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::try_join_all;
use lifeboat_core::kube::{
    children::ObjectRef,
    object,
    readiness::{Around, Readiness, readiness},
    set::{Verdict, Waiting},
};
use serde_json::Value;

use super::Context;
use crate::cluster::watch::Key;

/// How many objects a message names.
const NAMED: usize = 3;

/// Objects of one kind in one namespace.
struct Group {
    key: Key,
    names: BTreeSet<String>,
}

impl Group {
    fn look(&self) -> Option<&str> {
        // One by its name, so that not all objects of a kind are listed for it.
        self.names.first().filter(|_| self.names.len() == 1).map(String::as_str)
    }

    fn shown(&self, name: &str) -> String {
        match &self.key.namespace {
            Some(namespace) => format!("{} {namespace}/{name}", self.key.kind.kind),
            None => format!("{} {name}", self.key.kind.kind),
        }
    }

    fn judge(&self, objects: &[Arc<Value>], behind: Behind<'_>) -> Verdict {
        // What Git has at zero replicas is meant to be there.
        let around = Around { zero_is_ready: true, ..Around::alone(jiff::Timestamp::now()) };
        let there: BTreeMap<&str, &Value> = objects.iter().map(|it| (object::name(it), &**it)).collect();
        let mut verdict = Verdict { count: self.names.len(), ..Verdict::default() };
        for name in &self.names {
            let waiting = |why: String| Waiting { object: self.shown(name), why };
            let Some(object) = there.get(name.as_str()) else {
                verdict.waiting.push(waiting("is not there".to_owned()));
                continue;
            };
            match (readiness(object, &around), behind(object)) {
                (Readiness::Ready, None) => verdict.ready += 1,
                (Readiness::Ready, Some(why)) | (Readiness::Pending(why), _) => verdict.waiting.push(waiting(why)),
                (Readiness::Failed(why), _) => verdict.failed.push(waiting(why)),
            }
        }
        verdict
    }
}

/// Why an object that is ready by itself is behind whoever has applied it.
pub(super) type Behind<'a> = &'a (dyn Fn(&Value) -> Option<String> + Sync);

/// Why waiting has ended before all are ready.
enum Stop {
    /// It is pointless.
    Hopeless(String),
    /// They cannot be seen.
    Unseen(String),
}

/// Waits until all objects are ready. Inside is why they never will be.
pub(super) async fn ready(
    cx: &Context<'_>,
    of: &str,
    objects: &[ObjectRef],
    behind: Behind<'_>,
) -> Result<Result<(), String>, String> {
    let groups = groups(cx, objects).await?;
    loop {
        // All at once by lists: most kinds are ready by being there, and not worth a watch each.
        let mut verdicts = Vec::new();
        for group in &groups {
            let found = cx.ask.look(&group.key, group.look(), false, true).await?;
            verdicts.push(group.judge(&found.objects, behind));
        }
        let all = sum(&verdicts);
        if !all.failed.is_empty() {
            return Ok(Err(format!("{of}: {}", all.sentence(NAMED))));
        }
        if all.is_ready() {
            return Ok(Ok(()));
        }
        cx.teller.say(&format!("{of}: {}", all.sentence(NAMED)));
        let left: Vec<usize> = (0..groups.len()).filter(|at| !verdicts[*at].is_ready()).collect();
        let verdicts = Mutex::new(verdicts);
        let waits = left.into_iter().map(|at| {
            let (group, verdicts) = (&groups[at], &verdicts);
            async move {
                let ended = cx.ask.until(&group.key, group.look(), |objects| {
                    let verdict = group.judge(objects, behind);
                    let ready = verdict.is_ready();
                    let all = {
                        let mut verdicts = verdicts.lock().unwrap_or_else(PoisonError::into_inner);
                        verdicts[at] = verdict;
                        sum(&verdicts)
                    };
                    if !all.failed.is_empty() {
                        return Some(Err(Stop::Hopeless(all.sentence(NAMED))));
                    }
                    cx.teller.say(&format!("{of}: {}", all.sentence(NAMED)));
                    ready.then_some(Ok(()))
                });
                ended.await.map_err(Stop::Unseen)?
            }
        });
        match try_join_all(waits).await {
            // Each was ready at some time; all of them together are looked at once more.
            Ok(_) => {}
            Err(Stop::Hopeless(why)) => return Ok(Err(format!("{of}: {why}"))),
            Err(Stop::Unseen(why)) => return Err(why),
        }
    }
}

/// Group, version, kind and namespace.
type Sort = (String, Option<String>, String, Option<String>);

async fn groups(cx: &Context<'_>, objects: &[ObjectRef]) -> Result<Vec<Group>, String> {
    let mut names: BTreeMap<Sort, BTreeSet<String>> = BTreeMap::new();
    for it in objects {
        let place = (it.group.clone(), it.version.clone(), it.kind.clone(), it.namespace.clone());
        names.entry(place).or_default().insert(it.name.clone());
    }
    let mut groups = Vec::new();
    for ((group, version, kind, namespace), names) in names {
        let found = if group.is_empty() {
            cx.ask.kind(&kind, Some(version.as_deref().unwrap_or("v1"))).await?
        } else {
            let full = format!("{kind}.{group}");
            let version = version.map(|version| format!("{group}/{version}"));
            match cx.ask.kind(&full, version.as_deref()).await {
                Ok(found) => found,
                // It was applied in a version that is not served any more: the objects are the same in another.
                Err(_) => cx.ask.kind(&full, None).await?,
            }
        };
        let namespace = namespace.filter(|_| found.namespaced);
        groups.push(Group { key: Key { kind: found, namespace, selector: String::new() }, names });
    }
    Ok(groups)
}

fn sum(verdicts: &[Verdict]) -> Verdict {
    let mut all = Verdict::default();
    for verdict in verdicts {
        all.count += verdict.count;
        all.ready += verdict.ready;
        all.waiting.extend(verdict.waiting.iter().cloned());
        all.failed.extend(verdict.failed.iter().cloned());
    }
    all
}
