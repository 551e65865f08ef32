//! What people are told elsewhere: records to notices, notices to the bodies of requests.
//!
//! Duty: which records are worth a notice, and its words. It must not send anything, and nothing that it makes feeds back
//! into a run: a notice is a projection of a record that is durable already.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    action::HttpOrder,
    evidence::{
        Event, Record,
        event::{AfterFailure, RunCreated, Task, Verdict},
    },
    model::{
        Mode, SecretTemplate,
        notify::{Format, Notify, Occasion},
    },
    plan::{Binding, Plan},
    scope::Scope,
    template::Template,
    words::{clip, instant, length, line, list},
};

/// The version of the JSON body.
pub const VERSION: u32 = 1;
/// Longest text of a body, in characters; chat systems cut or refuse longer ones.
const LONGEST: usize = 2_000;
/// How many names are written out.
const NAMED: usize = 8;

/// Something that somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The number of the record that it tells of.
    pub seq: u64,
    /// When that was.
    pub at: jiff::Timestamp,
    /// What.
    pub what: Occasion,
    /// On which step.
    pub step: Option<String>,
    /// One line.
    pub text: String,
    /// How the run ended, when it did.
    pub verdict: Option<Verdict>,
}

/// A place that is told, with secrets in the clear: it cannot be printed.
#[derive(Clone)]
pub struct Target {
    /// What it is told of.
    pub on: Vec<Occasion>,
    url: String,
    headers: IndexMap<String, String>,
    format: Format,
}

/// What became of a notice, as a line of `notifications.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// When it was delivered, or given up.
    pub at: jiff::Timestamp,
    /// The number of the record that it tells of.
    pub seq: u64,
    /// What.
    pub what: Occasion,
    /// On which step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The number of the place in `notify`, from 0.
    pub target: usize,
    /// Scheme, host and port; the rest of such an address is a secret as a rule.
    pub to: String,
    /// Whether it arrived: answered with a status from 200 to 299.
    pub delivered: bool,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it did not arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Every place that the runbook of a plan tells; those of included runbooks are told when such a runbook is run by itself.
///
/// # Errors
/// When an address or a header cannot be rendered.
pub fn targets(plan: &Plan, created: &RunCreated, secrets: &IndexMap<String, String>) -> Result<Vec<Target>, String> {
    let Some(scope) = plan.scopes.first() else { return Ok(Vec::new()) };
    let inputs: serde_json::Map<String, Value> = scope
        .inputs
        .iter()
        .filter_map(|(name, binding)| {
            let value = match binding {
                Binding::Value(value) => value.clone(),
                Binding::Secret(secret) => Value::from(secrets.get(secret)?.as_str()),
            };
            Some((name.clone(), value))
        })
        .collect();
    let run = json!({"id": created.run, "mode": created.mode.name()});
    let names = [("inputs".to_owned(), Value::Object(inputs)), ("run".to_owned(), run)].into_iter().collect();
    let names = Scope { names, ..Scope::default() };
    let render =
        |text: &SecretTemplate| Template::compile(text.as_str()).map_err(|problem| problem.message)?.render(&names);
    let target = |notify: &Notify| {
        let headers = notify.webhook.headers.iter();
        Ok(Target {
            on: (*notify.on).clone(),
            url: render(&notify.webhook.url)?,
            headers: headers.map(|(name, value)| Ok((name.clone(), render(value)?))).collect::<Result<_, String>>()?,
            format: notify.webhook.format,
        })
    };
    scope.runbook.notify.iter().map(target).collect()
}

/// What a record gives somebody to be told; `created` is the first record of its log.
#[must_use]
pub fn notice(created: &RunCreated, record: &Record) -> Option<Notice> {
    let mut verdict = None;
    let (what, step, text) = match &record.event {
        Event::PreflightFinished { passed: true, .. } => {
            let (rto, rpo) = (created.objectives.rto, created.objectives.rpo);
            let who = format!("{}@{}", created.user, created.host);
            let text = format!("started by {who}: restores {}, RTO {rto}, RPO {rpo}", created.runbook.capability);
            (Occasion::Started, None, text)
        }
        Event::ApprovalRequested { step, task, by, count, expires_at, .. } => {
            let of = by.as_ref().map_or_else(|| "the commander".to_owned(), |by| format!("role {by}"));
            let what = if *task == Task::Undo { "the undo of " } else { "" };
            let people = if *count == 1 { "1 approval".to_owned() } else { format!("{count} approvals") };
            let until = expires_at.map_or_else(String::new, |at| format!(", denied at {}", instant(at)));
            let answer = format!("`lifeboat approve {} {step}`, or `deny`", created.run);
            (
                Occasion::ApprovalNeeded,
                Some(step),
                format!("{what}`{step}` waits for {people} of {of}{until}: {answer}"),
            )
        }
        Event::StepFailed { step, reason, then } => {
            let then = match then {
                AfterFailure::Pause => "it waits for a decision",
                AfterFailure::Abort => "the run is aborted",
                AfterFailure::Continue => "the run goes on without it",
            };
            (Occasion::Failed, Some(step), format!("`{step}` failed: {}; {then}", line(reason)))
        }
        Event::RunPaused { reason } => (Occasion::Paused, None, format!("paused: {reason}")),
        Event::AbortStarted { reason, undo, .. } => {
            let undo = if undo.is_empty() {
                "there is nothing to undo".to_owned()
            } else {
                format!("to undo: {}", list(undo, NAMED))
            };
            (Occasion::Aborted, None, format!("aborted: {reason}; {undo}"))
        }
        Event::CapabilityRestored { step, at } => {
            (Occasion::Restored, Some(step), format!("{} is back since {}", created.runbook.capability, instant(*at)))
        }
        Event::EngineStopped { waits_for, exit_code: 5, .. } => {
            let resume = format!("go on by `lifeboat resume {}`", created.run);
            (Occasion::Held, None, format!("waits for people: {}; {resume}", list(waits_for, NAMED)))
        }
        Event::RunFinished(end) => {
            verdict = Some(end.verdict);
            let objective = |name: &str, actual: Option<u64>, target: u64, met: Option<bool>| match (actual, met) {
                (Some(actual), Some(met)) => {
                    let word = if met { "met" } else { "missed" };
                    format!("; {name} {word}: {} of {}", length(actual), length(target))
                }
                _ => String::new(),
            };
            let (rto, rpo) = (&end.objectives.rto, &end.objectives.rpo);
            let rto = objective("RTO", rto.actual_ms, rto.target_ms, rto.met);
            let rpo = objective("RPO", rpo.actual_ms, rpo.target_ms, rpo.met);
            (Occasion::Finished, None, format!("{}: {}{rto}{rpo}", end.verdict.name(), end.reason))
        }
        _ => return None,
    };
    let Record { stamp, .. } = record;
    Some(Notice { seq: stamp.seq, at: stamp.at, what, step: step.cloned(), text: clip(&text, LONGEST), verdict })
}

impl Target {
    /// The request that tells it.
    #[must_use]
    pub fn order(&self, created: &RunCreated, notice: &Notice) -> HttpOrder {
        let body = match self.format {
            Format::Json => json(created, notice),
            Format::Slack => json!({"text": slack(created, notice)}),
        };
        let mut headers = self.headers.clone();
        headers.entry("Content-Type".to_owned()).or_insert_with(|| "application/json".to_owned());
        HttpOrder {
            method: "POST".to_owned(),
            url: self.url.clone(),
            headers,
            body: Some(body.to_string()),
            follow_redirects: false,
            insecure: false,
            ca_file: None,
        }
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn to(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        if scheme.is_empty() { "(no address)".to_owned() } else { format!("{scheme}://{host}") }
    }
}

fn json(created: &RunCreated, notice: &Notice) -> Value {
    json!({
        "version": VERSION,
        // A notice may come twice, when an engine died over it. This tells the two from two notices.
        "id": format!("{}/{}", created.run, notice.seq),
        "event": notice.what,
        "at": notice.at,
        "run": {
            "id": created.run,
            "mode": created.mode,
            "runbook": created.runbook.name,
            "title": created.runbook.title,
            "owner": created.runbook.owner,
            "capability": created.runbook.capability,
        },
        "step": notice.step,
        "text": notice.text,
        "verdict": notice.verdict,
    })
}

fn slack(created: &RunCreated, notice: &Notice) -> String {
    let mode = if created.mode == Mode::Drill { "DRILL" } else { "INCIDENT" };
    // The three characters that its markup gives a meaning.
    let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("*{mode} {}*: {}\nrun {}", plain(&created.runbook.title), plain(&notice.text), created.run)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        evidence::{Stamp, chain::GENESIS, event::Gate},
        model::parse,
        plan,
        source::Source,
    };

    const BOOK: &str = r#"
apiVersion: lifeboat.dev/v1
kind: Runbook
metadata: {name: test, title: "Cases & <files>", owner: team}
recovery:
  capability: Case intake
  scope: application
  disaster: data-corruption
  objectives: {rpo: 15m, rto: 1h}
  level: L2
inputs:
  hook: {type: secret, from: {env: HOOK}}
  host: {type: string, default: chat.example.org}
notify:
  - on: [started, finished]
    webhook: {url: "{{inputs.hook}}", format: slack}
  - on: [failed]
    webhook: {url: "https://me:pw@{{inputs.host}}:8443/x?y", headers: {Authorization: "Bearer {{inputs.hook}}"}}
steps:
  a: {phase: data, exec: [a], restores: true}
"#;

    fn created() -> RunCreated {
        crate::report::tests::created()
    }

    fn plan() -> Plan {
        let source = Source::new("test.yaml", BOOK);
        let parsed = parse::parse(Arc::clone(&source));
        assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
        let inputs = IndexMap::from([("hook".to_owned(), Binding::Secret("hook".to_owned()))]);
        let resolve = |_: &str, _: &str| Err(plan::Unreadable::Missing("none".to_owned()));
        let runbook = Arc::new(parsed.runbook.expect("a runbook"));
        plan::build(plan::Request { runbook, source, mode: Mode::Drill, inputs, resolve: &resolve }).expect("a plan")
    }

    fn told(event: Event) -> Option<Notice> {
        let at = "2026-11-21T02:20:09Z".parse().expect("an instant");
        let stamp = Stamp { seq: 7, at, elapsed_ms: 1, token: 1, prev: GENESIS.to_owned() };
        notice(&created(), &Record { stamp, event })
    }

    fn gate() -> Event {
        let (step, task, gate, by) = ("promote".to_owned(), Task::Do, Gate::Approval, Some("dba".to_owned()));
        Event::ApprovalRequested { step, task, gate, by, count: 2, expires_at: None }
    }

    #[test]
    fn places_are_rendered_with_their_secrets() {
        let secrets = IndexMap::from([("hook".to_owned(), "https://hooks.example.org/T0/s3cret".to_owned())]);
        let targets = targets(&plan(), &created(), &secrets).expect("they can be rendered");
        assert_eq!(
            targets.iter().map(Target::to).collect::<Vec<_>>(),
            ["https://hooks.example.org", "https://chat.example.org:8443"]
        );
        let order = targets[1].order(&created(), &told(gate()).expect("a notice"));
        assert_eq!(order.headers["Authorization"], "Bearer https://hooks.example.org/T0/s3cret");
        assert_eq!(order.headers["Content-Type"], "application/json");
    }

    #[test]
    fn bodies_are_what_their_readers_take() {
        let secrets = IndexMap::from([("hook".to_owned(), "https://hooks.example.org/T0/s3cret".to_owned())]);
        let targets = targets(&plan(), &created(), &secrets).expect("they can be rendered");
        let told = told(gate()).expect("a notice");
        let body = |at: usize| -> Value {
            serde_json::from_str(&targets[at].order(&created(), &told).body.expect("a body")).expect("JSON")
        };
        let text = format!(
            "`promote` waits for 2 approvals of role dba: `lifeboat approve {} promote`, or `deny`",
            created().run
        );
        let chat = body(0)["text"].as_str().expect("a text").to_owned();
        assert!(chat.contains(&text) && chat.starts_with("*DRILL "), "{chat}");
        let full = body(1);
        assert_eq!(
            (&full["event"], &full["step"], &full["text"]),
            (&json!("approval-needed"), &json!("promote"), &json!(text))
        );
        assert_eq!(full["id"], json!(format!("{}/7", created().run)));
    }

    #[test]
    fn markup_means_nothing() {
        let paused = told(Event::RunPaused { reason: "<!channel> & co".to_owned() }).expect("a notice");
        assert!(slack(&created(), &paused).contains("paused: &lt;!channel&gt; &amp; co"));
    }

    #[test]
    fn most_records_are_nobodys_business() {
        assert_eq!(told(Event::RunContinued {}), None);
        assert_eq!(told(Event::PreflightFinished { passed: false, findings: Vec::new() }), None);
        let left =
            |exit_code| Event::EngineStopped { reason: String::new(), waits_for: vec!["x".to_owned()], exit_code };
        assert_eq!(told(left(143)), None);
        assert_eq!(told(left(5)).map(|told| told.what), Some(Occasion::Held));
    }

    #[test]
    fn a_notice_is_one_line_and_draws_nothing() {
        let (step, then) = ("a".to_owned(), AfterFailure::Pause);
        let reason = "it said:\r\n  \u{1b}[31mno\u{202e}\n".to_owned();
        let failed = told(Event::StepFailed { step, reason, then }).expect("a notice");
        assert_eq!(failed.text, "`a` failed: it said: [31mno; it waits for a decision");
        let paused = told(Event::RunPaused { reason: "alice: look\nhere".to_owned() }).expect("a notice");
        assert_eq!(paused.text, "paused: alice: look here");
        let undo = ('a'..='k').map(|step| step.to_string()).collect();
        let aborted = Event::AbortStarted { reason: "no".to_owned(), undo, stays: Vec::new() };
        let aborted = told(aborted).expect("a notice");
        assert_eq!(aborted.text, "aborted: no; to undo: a, b, c, d, e, f, g, h and 3 more");
    }

    #[test]
    fn long_reasons_are_cut() {
        let (step, reason, then) = ("a".to_owned(), "é".repeat(5_000), AfterFailure::Abort);
        let told = told(Event::StepFailed { step, reason, then }).expect("a notice");
        assert_eq!(told.text.chars().count(), LONGEST);
    }
}
