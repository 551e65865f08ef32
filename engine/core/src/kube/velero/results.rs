//! What stands in the results of a restore.
//!
//! Duty: the `RestoreResults` that Velero keeps in the bucket, JSON of the form
//! `{"errors": {"velero": […], "cluster": […], "namespaces": {"shop": […]}}, "warnings": {…}}`
//! (`pkg/util/results`), and the one warning in it that means that a `Completed` restore did not restore. Downloading
//! is the runtime's.

use serde_json::{Value, json};

use super::RestorePolicy;
use crate::kube::{judged::Outcome, words};

/// Errors and warnings of a restore, or of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Results {
    /// All errors.
    pub errors: Vec<Message>,
    /// All warnings, with those about [`Results::kept`].
    pub warnings: Vec<Message>,
    /// Objects that were in the cluster, differ from the backup, and were left as they are.
    pub kept: Vec<Kept>,
}

/// One error or warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub scope: Scope,
    /// What Velero wrote.
    pub text: String,
}

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Velero's own work: the bucket, plugins.
    Velero,
    /// Objects that are in no namespace.
    Cluster,
    /// Objects of a namespace.
    Namespace(String),
}

/// An object that Velero left as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its kind, as Velero wrote it.
    pub kind: String,
    /// Its namespace, if it is in one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl Kept {
    /// `ConfigMap shop/app`.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { kind, namespace, name } = self;
        namespace.as_ref().map_or_else(|| format!("{kind} {name}"), |namespace| format!("{kind} {namespace}/{name}"))
    }
}

impl Results {
    /// What evidence keeps: `errors` and `warnings` (how many), `kept` (all that were kept, described) and
    /// `firstErrors`, `firstWarnings` (at most `most` texts each).
    #[must_use]
    pub fn facts(&self, most: usize) -> Value {
        let first = |messages: &[Message]| -> Vec<String> {
            messages.iter().take(most).map(|message| words::quote(&message.text)).collect()
        };
        json!({
            "errors": self.errors.len(),
            "warnings": self.warnings.len(),
            "kept": self.kept.iter().map(Kept::describe).collect::<Vec<_>>(),
            "firstErrors": first(&self.errors),
            "firstWarnings": first(&self.warnings),
        })
    }
}

/// Reads results. What is not of their form is left out: they explain an end that the phase has told already.
#[must_use]
pub fn read_results(results: &Value) -> Results {
    let warnings = messages(&results["warnings"]);
    let kept = warnings.iter().filter_map(kept).collect();
    Results { errors: messages(&results["errors"]), warnings, kept }
}

fn messages(part: &Value) -> Vec<Message> {
    let texts = |list: &Value, scope: &Scope| -> Vec<Message> {
        let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(|text| Message { scope: scope.clone(), text: text.to_owned() }).collect()
    };
    let mut all = texts(&part["velero"], &Scope::Velero);
    all.extend(texts(&part["cluster"], &Scope::Cluster));
    for (namespace, list) in part["namespaces"].as_object().into_iter().flatten() {
        all.extend(texts(list, &Scope::Namespace(namespace.clone())));
    }
    all
}

/// `could not restore, ConfigMap "app" already exists. Warning: the in-cluster version is different than the
/// backed-up version`, or, without a policy for what exists, `ConfigMap:app already exists. …`.
fn kept(warning: &Message) -> Option<Kept> {
    if !warning.text.contains("in-cluster version is different") {
        return None;
    }
    let (object, _) = warning.text.split_once(" already exists")?;
    let object = object.rsplit(", ").next()?;
    let (kind, name) = object.split_once(':').or_else(|| object.split_once(' '))?;
    let namespace = match &warning.scope {
        Scope::Namespace(namespace) => Some(namespace.clone()),
        Scope::Velero | Scope::Cluster => None,
    };
    Some(Kept { kind: kind.trim().to_owned(), namespace, name: name.trim().trim_matches('"').to_owned() })
}

/// What the results of an ended restore add to the verdict of [`super::judge_restore`]: `Completed` with objects that
/// were kept may mean that nothing was restored over a broken state.
#[must_use]
pub fn judge_results(results: &Results, policy: &RestorePolicy) -> Outcome {
    if policy.allow_kept || results.kept.is_empty() {
        return Outcome::Succeeded;
    }
    let names: Vec<String> = results.kept.iter().map(Kept::describe).collect();
    let count = words::count(i64::try_from(names.len()).unwrap_or(i64::MAX), "object");
    Outcome::failed(format!(
        "Velero kept {count} that {} in the cluster before and differ from the backup: {}; delete them before, restore \
         with existingResourcePolicy update, or allow it",
        if names.len() == 1 { "was" } else { "were" },
        words::list(&names, 5)
    ))
}
