//! A step, its undo and its policies.

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Approval, Check, Condition, Extraction, Phase, PlanTime, SecretTemplate, Template};
use crate::{action, duration::Duration, source::Spanned};

/// A step: at most one action, and the checks that prove it. A step without an action is its `verify`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// The phase, in restore order. Required in `steps`; a step of `cleanup` has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Spanned<Phase>>,
    /// One line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What a person should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Free labels.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,

    /// Steps that must have succeeded first. Without it: every step of the nearest earlier phase. `[]`: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Vec<Spanned<String>>>,
    /// Steps that must have ended first, however they ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Spanned<String>>,
    /// A false condition skips the step; its dependents go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Spanned<Condition>>,
    /// The step exists in this mode only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Spanned<Mode>>,
    /// One instance of the step for each element of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<Spanned<ForEach>>,
    /// Steps that share a lock do not overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<String>,

    /// Runs a program, no shell; each argument is templated on its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec: Option<Spanned<action::exec::Exec>>,
    /// Runs a script with `bash -euo pipefail`. No templates inside: values come by `env`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Spanned<action::shell::Shell>>,
    /// Applies manifests to a cluster by server-side apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply: Option<Spanned<action::apply::Apply>>,
    /// Changes one object of a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Spanned<action::patch::Patch>>,
    /// Sets a number of replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Spanned<action::scale::Scale>>,
    /// Deletes objects of a cluster and waits until they are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<Spanned<action::delete::Delete>>,
    /// Runs a container as a Kubernetes Job and streams its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Spanned<action::job::Job>>,
    /// Makes a Velero backup and follows it to its end.
    #[serde(default, rename = "velero-backup", skip_serializing_if = "Option::is_none")]
    pub velero_backup: Option<Spanned<action::velero_backup::VeleroBackup>>,
    /// Restores from a usable Velero backup and follows it to its end.
    #[serde(default, rename = "velero-restore", skip_serializing_if = "Option::is_none")]
    pub velero_restore: Option<Spanned<action::velero_restore::VeleroRestore>>,
    /// Has Flux reconcile an object now and follows it.
    #[serde(default, rename = "flux-reconcile", skip_serializing_if = "Option::is_none")]
    pub flux_reconcile: Option<Spanned<action::flux_reconcile::FluxReconcile>>,
    /// Has Argo CD sync an Application and follows it.
    #[serde(default, rename = "argocd-sync", skip_serializing_if = "Option::is_none")]
    pub argocd_sync: Option<Spanned<action::argocd_sync::ArgocdSync>>,
    /// Sends one HTTP request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Spanned<action::http::Http>>,
    /// Soak time: waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Spanned<action::pause::Pause>>,
    /// A person does it and says done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual: Option<Spanned<action::manual::Manual>>,
    /// Includes another runbook; its steps become `<this step>/<their id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<Spanned<action::runbook::Include>>,

    /// Environment of `exec` and `shell`, of the action and of its checks.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub env: IndexMap<String, SecretTemplate>,
    /// Working directory, relative to the runbook. Without it: the runbook's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<Template>,
    /// What `exec` or `shell` reads from standard input. Without it: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<SecretTemplate>,
    /// The program and arguments that run a `shell` script instead of `bash -euo pipefail`; the script is its last argument after `-c`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<Spanned<Vec<String>>>,
    /// Whether the action changes anything. Without it: what the action is known to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Spanned<Effect>>,

    /// Longest time one attempt of the action may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How the action is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Spanned<Retry>>,
    /// Doing it twice is the same as doing it once, so an attempt with an unknown outcome may be repeated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idempotent: bool,
    /// It cannot be taken back: the point of no return.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
    /// How long it usually takes, until past runs say better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Duration>,
    /// Values for later steps: `steps.<id>.outputs.<name>`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub outputs: IndexMap<String, Spanned<Output>>,
    /// The point in time to which data was restored: CEL that gives a timestamp, an RFC 3339 text or Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_point: Option<Spanned<Extraction>>,

    /// What proves that it worked; one after the other, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verify: Vec<Spanned<Check>>,
    /// How it is taken back when the run is aborted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Spanned<Undo>>,
    /// Who has to say yes before it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Spanned<Approval>>,
    /// What happens when it fails. Without it: `pause` when a person is there, otherwise `abort`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<Spanned<OnFailure>>,
    /// After its verification the capability is back: the RTO clock stops.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restores: bool,
    /// In a drill, this step is the disaster: the RTO clock and the RPO are measured from its start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub injects_outage: bool,
}

impl Step {
    /// How long it takes by its author: the estimate, or the length of the pause that it is.
    #[must_use]
    pub fn estimated(&self) -> Option<Duration> {
        self.estimate.or(self.pause.as_ref().map(|pause| pause.0))
    }
}

/// In which mode a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The real thing.
    Incident,
    /// A rehearsal: isolated, cleaned up after.
    Drill,
}

impl Mode {
    /// The name as written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Drill => "drill",
        }
    }
}

/// One instance of a step for each element of a list, named `<id>[<element>]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForEach {
    /// CEL that gives a list of strings when the plan is made.
    #[serde(rename = "in")]
    pub list: Spanned<PlanTime>,
    /// The element's name in templates and expressions: `each.<as>`.
    #[serde(rename = "as")]
    pub name: Spanned<String>,
    /// How many instances may run at a time. Without it: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub parallel: Option<Spanned<u32>>,
}

/// Whether something changes the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It only looks.
    Reads,
    /// It changes something.
    Mutates,
}

/// How an action is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// How often in all, the first time included.
    #[schemars(range(min = 1, max = 1000))]
    pub attempts: Spanned<u32>,
    /// Time before the second attempt. Without it: `1s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Duration>,
    /// By how much the time grows from attempt to attempt. Without it: `2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub factor: Option<Spanned<f64>>,
    /// The longest time between two attempts. Without it: `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delay: Option<Duration>,
    /// On what it is tried again. Without it: on failure and on time-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Vec<RetryOn>>,
}

/// On what an action is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RetryOn {
    /// It failed.
    Failure,
    /// It took too long.
    Timeout,
}

/// What happens when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The step waits for a person, who retries it, skips it with a reason, or aborts; unattended, the run holds.
    /// Steps that do not depend on it go on.
    Pause,
    /// The run is aborted and what was done is undone.
    Abort,
    /// The run goes on; what depends on the step is blocked, and the run ends as failed.
    Continue,
}

/// Where an output comes from; exactly one of `json`, `regex`, `lines`, `text` and `cel`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Output {
    /// A path into standard output read as JSON: `.items[0].name`, or a JSON pointer: `/items/0/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Spanned<String>>,
    /// A regular expression on standard output: its first group, or all of the match when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<Spanned<String>>,
    /// `true`: the lines of standard output, without empty ones, as a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<bool>,
    /// `true`: all of standard output, without white space at its ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<bool>,
    /// CEL over `result`, which is what the action returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cel: Option<Spanned<Extraction>>,
    /// Reads from standard error instead of standard output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<OutputFrom>,
}

/// A stream of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutputFrom {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a step is taken back: `auto`, or an action of its own.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Undo {
    /// By what the action captured; only some actions can.
    Auto(String),
    /// By an action.
    Action(Box<UndoAction>),
}

impl<'de> Deserialize<'de> for Undo {
    // By hand and not `untagged`, which would swallow the place and the cause of every mistake inside.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Undo;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`auto` or a mapping with an action")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Undo, E> {
                match text {
                    "auto" => Ok(Undo::Auto(text.to_owned())),
                    other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Undo, A::Error> {
                UndoAction::deserialize(de::value::MapAccessDeserializer::new(map))
                    .map(|action| Undo::Action(Box::new(action)))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Undo {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Undo".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let action = generator.subschema_for::<UndoAction>();
        json_schema!({
            "description": "How a step is taken back: `auto`, or an action of its own.",
            "anyOf": [{"const": "auto"}, action],
        })
    }
}

/// An action that takes a step back, with what proves it. Exactly one of the actions must be there.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UndoAction {
    /// Runs a program, no shell; each argument is templated on its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec: Option<Spanned<action::exec::Exec>>,
    /// Runs a script with `bash -euo pipefail`. No templates inside: values come by `env`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Spanned<action::shell::Shell>>,
    /// Applies manifests to a cluster by server-side apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply: Option<Spanned<action::apply::Apply>>,
    /// Changes one object of a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Spanned<action::patch::Patch>>,
    /// Sets a number of replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Spanned<action::scale::Scale>>,
    /// Deletes objects of a cluster and waits until they are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<Spanned<action::delete::Delete>>,
    /// Runs a container as a Kubernetes Job and streams its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Spanned<action::job::Job>>,
    /// Makes a Velero backup and follows it to its end.
    #[serde(default, rename = "velero-backup", skip_serializing_if = "Option::is_none")]
    pub velero_backup: Option<Spanned<action::velero_backup::VeleroBackup>>,
    /// Restores from a usable Velero backup and follows it to its end.
    #[serde(default, rename = "velero-restore", skip_serializing_if = "Option::is_none")]
    pub velero_restore: Option<Spanned<action::velero_restore::VeleroRestore>>,
    /// Has Flux reconcile an object now and follows it.
    #[serde(default, rename = "flux-reconcile", skip_serializing_if = "Option::is_none")]
    pub flux_reconcile: Option<Spanned<action::flux_reconcile::FluxReconcile>>,
    /// Has Argo CD sync an Application and follows it.
    #[serde(default, rename = "argocd-sync", skip_serializing_if = "Option::is_none")]
    pub argocd_sync: Option<Spanned<action::argocd_sync::ArgocdSync>>,
    /// Sends one HTTP request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Spanned<action::http::Http>>,
    /// A person does it and says done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual: Option<Spanned<action::manual::Manual>>,
    /// Environment of `exec` and `shell`, added to the step's.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub env: IndexMap<String, SecretTemplate>,
    /// Working directory, relative to the runbook. Without it: the step's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<Template>,
    /// What `exec` or `shell` reads from standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<SecretTemplate>,
    /// The program and arguments that run a `shell` script instead of `bash -euo pipefail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<Spanned<Vec<String>>>,
    /// Longest time one attempt may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Spanned<Retry>>,
    /// Doing it twice is the same as doing it once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idempotent: bool,
    /// How long it usually takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Duration>,
    /// What proves that it is taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verify: Vec<Spanned<Check>>,
    /// Who has to say yes before it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Spanned<Approval>>,
}
