//! One cluster while it is looked at.
//!
//! Duty: questions that are answered soon or not at all, so that a cluster that falls silent costs its time once; what is
//! needed of it; and what steps before a need may bring by then. It must not judge.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use lifeboat_core::{
    kube::{object, words},
    machine::needs::{Applied, By, Maker, Makes, Need, Needs, What},
};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use crate::cluster::{
    ApiError, Ask, Kind,
    api::Again,
    kinds::{self, encoded},
};

/// How long a question may take.
const ANSWER: Duration = Duration::from_secs(15);
/// How long the server may take to say that it is still there.
const ALIVE: Duration = Duration::from_secs(5);
/// How many questions are asked at once.
const AT_ONCE: usize = 16;
/// How often a question that is not answered is asked.
const TRIES: u32 = 3;
/// How many objects a list gives at a time.
const PAGE: usize = 500;

/// The cluster does not answer any more: nothing else is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost;

/// An answer, unless the cluster is lost.
pub(super) type Answer<T> = Result<Result<T, ApiError>, Lost>;

/// A cluster under look.
pub(super) struct Site<'a> {
    /// Its name in the evidence.
    pub name: &'a str,
    /// What is needed of all clusters.
    pub needs: &'a Needs,
    /// The manifests that will be applied, as in `needs.manifests`; `None`: they cannot be read.
    pub applied: &'a [Option<Applied<'a>>],
    /// What will be done to objects here, by the actions and by what is in the manifests.
    pub rights: Vec<Need>,
    /// Everything that is served here.
    pub kinds: Arc<Vec<Kind>>,
    /// The time.
    pub now: Timestamp,
    ask: Ask,
    places: Semaphore,
    lost: watch::Sender<bool>,
    unseen: Mutex<Vec<String>>,
}

impl<'a> Site<'a> {
    /// A cluster that has just been reached; what it serves is the first question.
    pub(super) async fn new(
        name: &'a str,
        ask: Ask,
        needs: &'a Needs,
        applied: &'a [Option<Applied<'a>>],
        now: Timestamp,
    ) -> Answer<Self> {
        let own = applied.iter().flatten().filter(|applied| applied.manifests.cluster == name);
        let of_manifests = own.flat_map(lifeboat_core::machine::needs::of_objects);
        let of_actions = needs.objects.iter().filter(|need| need.cluster == name).cloned();
        let mut site = Self {
            name,
            needs,
            applied,
            rights: of_actions.chain(of_manifests).collect(),
            kinds: Arc::default(),
            now,
            ask: ask.at_most(TRIES),
            places: Semaphore::new(AT_ONCE),
            lost: watch::channel(false).0,
            unseen: Mutex::default(),
        };
        let kinds = site.answer("the kinds that it serves", site.ask.kinds()).await?;
        Ok(kinds.map(|kinds| {
            site.kinds = kinds;
            site
        }))
    }

    /// Asks, and waits for a while. If there is no answer and the server does not even say its version, it is lost.
    async fn answer<T>(&self, what: &str, question: impl Future<Output = Result<T, ApiError>>) -> Answer<T> {
        let mut lost = self.lost.subscribe();
        let asked = async {
            // An error means that it is closed, which nobody does.
            let _place = self.places.acquire().await;
            if let Ok(answered) = tokio::time::timeout(ANSWER, question).await {
                return Ok(answered);
            }
            let alive = tokio::time::timeout(ALIVE, self.ask.get("/version")).await;
            if !matches!(alive, Ok(Ok(_))) {
                self.lost.send_replace(true);
                return Err(Lost);
            }
            Ok(Err(ApiError {
                status: 0,
                reason: String::new(),
                message: format!("no answer within {} s", ANSWER.as_secs()),
                request: what.to_owned(),
                answer: Value::Null,
                in_doubt: false,
            }))
        };
        tokio::select! {
            biased;
            _ = lost.wait_for(|lost| *lost) => Err(Lost),
            answered = asked => answered,
        }
    }

    /// Reads.
    pub(super) async fn get(&self, path: &str) -> Answer<Value> {
        self.answer(path, self.ask.get(path)).await
    }

    /// Asks something by `POST` that changes nothing.
    pub(super) async fn review(&self, path: &str, object: &Value) -> Answer<Value> {
        self.answer(path, self.ask.review(path, object)).await
    }

    /// Tries a server-side apply. The server writes nothing: that is said in the path that is given here and nowhere else.
    pub(super) async fn try_to_apply(&self, path: &str, force: bool, object: &Value) -> Answer<Value> {
        // The server's own limit is below ours: a webhook that hangs must not look like a server that does.
        let force = if force { "&force=true" } else { "" };
        let path = format!("{path}?dryRun=All&fieldManager=lifeboat&fieldValidation=Strict&timeout=10s{force}");
        let tried = self.ask.patch(&path, "application/apply-patch+yaml", object, Again::Trial);
        self.answer(&path, tried).await
    }

    /// All objects of a kind, in a namespace or in all of them.
    pub(super) async fn list(&self, kind: &Kind, namespace: Option<&str>) -> Answer<Vec<Value>> {
        let mut objects = Vec::new();
        let mut onward = String::new();
        loop {
            let mut path = format!("{}?limit={PAGE}", kind.collection(namespace));
            if !onward.is_empty() {
                path.push_str(&format!("&continue={}", encoded(&onward)));
            }
            let mut page = match self.get(&path).await? {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            object::text(&page, "/metadata/continue").clone_into(&mut onward);
            for mut item in
                page.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).into_iter().flatten()
            {
                // The items of a list do not say of which kind they are.
                item["apiVersion"] = kind.api_version().into();
                item["kind"] = kind.kind.clone().into();
                objects.push(item);
            }
            if onward.is_empty() {
                return Ok(Ok(objects));
            }
        }
    }

    /// The same; what may not be listed is none, and is told with everything else that could not be seen.
    pub(super) async fn list_if_allowed(
        &self,
        kind: &str,
        namespace: Option<&str>,
    ) -> Result<Option<Vec<Value>>, Lost> {
        let Ok(kind) = kinds::find(&self.kinds, kind, None) else { return Ok(Some(Vec::new())) };
        match self.list(&kind, namespace).await? {
            Ok(objects) => Ok(Some(objects)),
            Err(error) => {
                self.could_not_see(&kind.resource(), &error);
                Ok(None)
            }
        }
    }

    /// Notes what could not be seen.
    pub(super) fn could_not_see(&self, what: &str, error: &ApiError) {
        let why = if error.is_denied() { String::new() } else { format!(" ({})", words::quote(&error.message)) };
        let text = format!("{what}{why}");
        let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        if !unseen.contains(&text) {
            unseen.push(text);
        }
    }

    /// What could not be seen.
    pub(super) fn unseen(&self) -> Vec<String> {
        let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        unseen.sort();
        unseen
    }

    /// The kind that somebody needs, as it is served here.
    pub(super) fn find(&self, what: &What) -> Option<Result<Kind, String>> {
        match what {
            What::Kind { kind, api_version } => Some(kinds::find(&self.kinds, kind, api_version.as_deref())),
            What::Resource { .. } => None,
        }
    }

    /// Steps that may have brought by then what is missing now, when that is so for everybody who needs it; for people.
    pub(super) fn excuse(&self, by: &[By], brings: impl Fn(&Maker) -> bool) -> Option<String> {
        let mut steps: Vec<&str> = Vec::new();
        for by in by {
            let mut some = false;
            for maker in self.needs.before(by.when, self.name).filter(|maker| brings(maker)) {
                some = true;
                if !steps.contains(&maker.step.as_str()) {
                    steps.push(&maker.step);
                }
            }
            if !some {
                return None;
            }
        }
        (!steps.is_empty()).then(|| words::list(&steps, 3))
    }

    /// The objects that a step applies here; none when it does something else.
    pub(super) fn applied_by(&self, maker: &Maker) -> &[Value] {
        match maker.makes {
            Makes::Manifests(at) => {
                self.applied.get(at).and_then(Option::as_ref).map_or(&[], |applied| &applied.objects)
            }
            Makes::Backup | Makes::Gaps | Makes::Anything => &[],
        }
    }
}

/// Who needs it, for people: ` (for start, stop and 3 more)`.
pub(super) fn users<'a>(by: impl IntoIterator<Item = &'a By>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for by in by {
        if !names.contains(&by.name.as_str()) {
            names.push(&by.name);
        }
    }
    if names.is_empty() { String::new() } else { format!(" (for {})", words::list(&names, 3)) }
}
