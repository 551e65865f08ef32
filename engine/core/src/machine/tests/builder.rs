//! Plans made by hand: the machine's tests want nothing of the language around them.

use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    action::{exec::Exec, manual::Manual, pause::Pause, scale::Scale},
    duration::Duration,
    evidence::{
        FORMAT,
        event::{RunCreated, RunbookIdentity},
    },
    model::{
        ApiVersion, Approval, Check, Cluster, Condition, Defaults, Disaster, Effect, Expectation, Guard, Kind, Level,
        Metadata, Mode, Objectives, OnFailure, Output, Phase, Recovery, Requires, Retry, Runbook, Scope,
        SecretTemplate, Step, Template, Then, Unattended, Undo, UndoAction,
    },
    plan::{Binding, Node, NodeKind, Plan, PlanScope, PlanStep},
    source::{Span, Spanned},
};

pub(super) fn at<T>(value: T) -> Spanned<T> {
    Spanned::new(value, Span::default())
}

pub(super) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn argv(words: &[&str]) -> Spanned<Exec> {
    at(Exec(words.iter().map(|&word| Template(word.to_owned())).collect()))
}

/// A check that the world answers by its name.
pub(super) fn check(name: &str) -> Check {
    Check { name: Some(name.to_owned()), exec: Some(argv(&["check", name])), ..Check::default() }
}

/// A check that a person answers.
pub(super) fn ask(name: &str) -> Check {
    Check { name: Some(name.to_owned()), ask: Some(at(Template(format!("is {name} so?")))), ..Check::default() }
}

/// A check without anything outside.
pub(super) fn expr(text: &str) -> Check {
    Check { expr: Some(at(Expectation(text.to_owned()))), ..Check::default() }
}

pub(super) fn retry(attempts: u32, delay: u64) -> Retry {
    Retry { attempts: at(attempts), delay: Some(ms(delay)), factor: None, max_delay: None, on: None }
}

pub(super) fn approval(by: Option<&str>, count: u32, unattended: Unattended, expires: Option<u64>) -> Approval {
    Approval {
        by: by.map(|by| at(by.to_owned())),
        count: at(count),
        unattended,
        expires: expires.map(ms),
        message: None,
    }
}

/// A node in the making.
#[derive(Clone)]
pub(super) struct Draft {
    pub id: String,
    /// On the heap: a step is large, and tests make arrays of them.
    pub spec: Box<Step>,
    pub phase: Phase,
    pub needs: Vec<String>,
    pub after: Vec<String>,
    pub barrier: bool,
    pub cleanup: bool,
    pub group: Option<(usize, u32)>,
    pub timeout: Duration,
    pub estimate: Duration,
}

/// A step whose action is a program.
pub(super) fn step(id: &str) -> Draft {
    Draft {
        id: id.to_owned(),
        spec: Box::new(Step { exec: Some(argv(&["do", id])), ..Step::default() }),
        phase: Phase::Data,
        needs: Vec::new(),
        after: Vec::new(),
        barrier: false,
        cleanup: false,
        group: None,
        timeout: Duration::from_secs(600),
        estimate: Duration::default(),
    }
}

/// A step whose action is in the cluster `dr`.
pub(super) fn scale(id: &str) -> Draft {
    let text = |text: &str| Template(text.to_owned());
    step(id).with(|spec| {
        spec.exec = None;
        spec.scale = Some(at(Scale {
            cluster: at("dr".to_owned()),
            kind: text("Deployment"),
            api_version: None,
            name: text("api"),
            namespace: Some(text("shop")),
            replicas: text("3"),
        }));
    })
}

/// A step that has no action.
pub(super) fn nothing(id: &str) -> Draft {
    step(id).with(|spec| spec.exec = None)
}

/// A step that a person does.
pub(super) fn manual(id: &str) -> Draft {
    step(id).with(|spec| {
        spec.exec = None;
        spec.manual = Some(at(Manual { instructions: Template(format!("do {id}")), attach: Vec::new() }));
    })
}

/// Soak time.
pub(super) fn pause(id: &str, millis: u64) -> Draft {
    step(id).with(|spec| {
        spec.exec = None;
        spec.pause = Some(at(Pause(ms(millis))));
    })
}

/// A point where edges meet.
pub(super) fn barrier(id: &str) -> Draft {
    Draft { barrier: true, ..step(id) }
}

/// A step of `cleanup`.
pub(super) fn cleanup(id: &str) -> Draft {
    Draft { cleanup: true, ..step(&format!("cleanup/{id}")) }
}

/// The undo that `undo` gives a step.
pub(super) fn undo_action(id: &str) -> UndoAction {
    UndoAction { exec: Some(argv(&["undo", id])), ..UndoAction::default() }
}

impl Draft {
    pub(super) fn with(mut self, change: impl FnOnce(&mut Step)) -> Self {
        change(&mut self.spec);
        self
    }
    pub(super) fn needs(mut self, ids: &[&str]) -> Self {
        self.needs.extend(ids.iter().map(|&id| id.to_owned()));
        self
    }
    pub(super) fn after(mut self, ids: &[&str]) -> Self {
        self.after.extend(ids.iter().map(|&id| id.to_owned()));
        self
    }
    pub(super) fn phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }
    pub(super) fn timeout(mut self, millis: u64) -> Self {
        self.timeout = ms(millis);
        self
    }
    pub(super) fn estimate(mut self, millis: u64) -> Self {
        self.estimate = ms(millis);
        self
    }
    pub(super) fn group(mut self, number: usize, most: u32) -> Self {
        self.group = Some((number, most));
        self
    }
    pub(super) fn undo(self) -> Self {
        self.undo_with(|_| ())
    }
    pub(super) fn undo_with(self, change: impl FnOnce(&mut UndoAction)) -> Self {
        let mut action = undo_action(&self.id);
        change(&mut action);
        self.with(|spec| spec.undo = Some(at(Undo::Action(Box::new(action)))))
    }
    pub(super) fn verify(self, check: Check) -> Self {
        self.with(|spec| spec.verify.push(at(check)))
    }
    pub(super) fn on_failure(self, what: OnFailure) -> Self {
        self.with(|spec| spec.on_failure = Some(at(what)))
    }
    pub(super) fn retry(self, attempts: u32, delay: u64) -> Self {
        self.with(|spec| spec.retry = Some(at(retry(attempts, delay))))
    }
    pub(super) fn idempotent(self) -> Self {
        self.with(|spec| spec.idempotent = true)
    }
    pub(super) fn irreversible(self) -> Self {
        self.with(|spec| spec.irreversible = true)
    }
    pub(super) fn restores(self) -> Self {
        self.with(|spec| spec.restores = true)
    }
    pub(super) fn reads(self) -> Self {
        self.with(|spec| spec.effect = Some(at(Effect::Reads)))
    }
    pub(super) fn lock(self, name: &str) -> Self {
        self.with(|spec| spec.locks.push(name.to_owned()))
    }
    pub(super) fn when(self, text: &str) -> Self {
        self.with(|spec| spec.when = Some(at(Condition(text.to_owned()))))
    }
    pub(super) fn approval(self, approval: Approval) -> Self {
        self.with(|spec| spec.approval = Some(at(approval)))
    }
    pub(super) fn env(self, name: &str, value: &str) -> Self {
        self.with(|spec| {
            spec.env.insert(name.to_owned(), SecretTemplate(value.to_owned()));
        })
    }
    pub(super) fn output(self, name: &str, path: &str) -> Self {
        self.with(|spec| {
            let output = Output { json: Some(at(path.to_owned())), ..Output::default() };
            spec.outputs.insert(name.to_owned(), at(output));
        })
    }
}

/// What a plan is made of besides its steps.
pub(super) struct Around {
    pub mode: Mode,
    pub roles: IndexMap<String, Vec<String>>,
    pub objectives: Objectives,
    pub requires: Vec<Check>,
    pub secrets: Vec<String>,
    pub guards: Vec<Guard>,
}

impl Default for Around {
    fn default() -> Self {
        let people = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        Self {
            mode: Mode::Incident,
            roles: IndexMap::from([("ic".to_owned(), people(&["alice", "bob"]))]),
            objectives: Objectives { rpo: Duration::from_secs(900), rto: Duration::from_secs(3600), mtd: None },
            requires: Vec::new(),
            secrets: Vec::new(),
            guards: Vec::new(),
        }
    }
}

/// A guard whose check the world answers by the guard's name, looked at every 10 ms.
pub(super) fn guard(name: &str, failures: u32, then: Then) -> Guard {
    Guard {
        name: at(name.to_owned()),
        during: None,
        when: None,
        check: Some(at(Check { exec: Some(argv(&["check", name])), ..Check::default() })),
        every: Some(at(ms(10))),
        failures: Some(at(failures)),
        lasting: None,
        then,
    }
}

/// A plan of an incident.
pub(super) fn plan(drafts: impl IntoIterator<Item = Draft>) -> Arc<Plan> {
    plan_with(Around::default(), drafts)
}

/// A plan of a drill.
pub(super) fn drill(drafts: impl IntoIterator<Item = Draft>) -> Arc<Plan> {
    plan_with(Around { mode: Mode::Drill, ..Around::default() }, drafts)
}

/// A plan. The drafts stand in topological order, steps of `cleanup` last; those follow one another.
pub(super) fn plan_with(around: Around, drafts: impl IntoIterator<Item = Draft>) -> Arc<Plan> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut numbers: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    let mut order = Vec::new();
    let mut last_cleanup = None;
    for draft in drafts {
        let number = nodes.len();
        let edges = |ids: &[String]| {
            let mut found: Vec<usize> = ids.iter().map(|id| numbers[id]).collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        let (needs, mut after) = (edges(&draft.needs), edges(&draft.after));
        if draft.cleanup {
            after.extend(last_cleanup);
            last_cleanup = Some(number);
        }
        numbers.insert(draft.id.clone(), number);
        order.push((draft.cleanup, draft.phase, draft.estimate));
        let kind = if draft.barrier {
            NodeKind::Barrier
        } else {
            NodeKind::Step(Box::new(PlanStep {
                spec: Arc::new(*draft.spec),
                scope: 0,
                phase: (!draft.cleanup).then_some(draft.phase),
                cleanup: draft.cleanup,
                each: None,
                group: draft.group,
                timeout: draft.timeout,
            }))
        };
        nodes.push(Node {
            id: draft.id,
            kind,
            needs,
            after,
            dependents: Vec::new(),
            estimate: draft.estimate,
            tail: Duration::default(),
            rank: 0,
        });
    }
    for number in (0..nodes.len()).rev() {
        let longest = nodes[number].dependents.iter().map(|&next| nodes[next].tail.as_millis()).max().unwrap_or(0);
        nodes[number].tail = ms(longest + nodes[number].estimate.as_millis());
        let mut before: Vec<usize> = nodes[number].needs.iter().chain(&nodes[number].after).copied().collect();
        before.sort_unstable();
        before.dedup();
        for before in before {
            nodes[before].dependents.push(number);
        }
    }
    for node in &mut nodes {
        node.dependents.reverse();
    }
    let mut ranked: Vec<usize> = (0..nodes.len()).collect();
    ranked.sort_by_key(|&number| {
        (order[number].0, order[number].1, std::cmp::Reverse(nodes[number].tail.as_millis()), number)
    });
    for (rank, number) in ranked.into_iter().enumerate() {
        nodes[number].rank = rank;
    }
    let inputs = around.secrets.iter().map(|name| (name.clone(), Binding::Secret(name.clone()))).collect();
    let mode = around.mode;
    // A plan without a step in a cluster has none, or every log would tell of one.
    let uses = nodes.iter().filter_map(Node::step).any(|step| step.spec.scale.is_some());
    let dr = Cluster { context: Some(Template("dr".to_owned())), ..Cluster::default() };
    let clusters = uses.then(|| ("dr".to_owned(), at(dr))).into_iter().collect();
    let scope = PlanScope {
        runbook: Arc::new(runbook(around, clusters)),
        prefix: String::new(),
        directory: String::new(),
        inputs,
    };
    Arc::new(Plan { mode, scopes: vec![scope], nodes })
}

fn runbook(around: Around, clusters: IndexMap<String, Spanned<Cluster>>) -> Runbook {
    Runbook {
        api_version: ApiVersion::V1,
        kind: Kind::Runbook,
        metadata: Metadata {
            name: at("test".to_owned()),
            title: None,
            owner: "nobody".to_owned(),
            description: None,
            labels: IndexMap::new(),
            links: Vec::new(),
        },
        recovery: Recovery {
            capability: "testing".to_owned(),
            scope: Scope::Application,
            disaster: Disaster::RegionFailure,
            objectives: at(around.objectives),
            level: Level::L2,
            drill_every: None,
        },
        clusters,
        inputs: IndexMap::new(),
        requires: Requires { checks: around.requires.into_iter().map(at).collect(), ..Requires::default() },
        files: Vec::new(),
        roles: around.roles,
        notify: Vec::new(),
        guards: around.guards.into_iter().map(at).collect(),
        defaults: Defaults::default(),
        steps: IndexMap::new(),
        cleanup: IndexMap::new(),
    }
}

/// The first record of a run of a plan.
pub(in crate::machine) fn created(plan: &Plan, outage_at: Option<Timestamp>) -> RunCreated {
    RunCreated {
        format: FORMAT,
        engine: "0".to_owned(),
        run: "r1".to_owned(),
        mode: plan.mode,
        runbook: RunbookIdentity {
            name: "test".to_owned(),
            title: "test".to_owned(),
            owner: "nobody".to_owned(),
            capability: "testing".to_owned(),
            path: "test.yaml".to_owned(),
            digests: IndexMap::new(),
            commit: None,
            dirty: None,
        },
        plan_digest: String::new(),
        steps: u32::try_from(plan.nodes.len()).expect("test plans are small"),
        inputs: IndexMap::new(),
        files: IndexMap::new(),
        objectives: *plan.scopes[0].runbook.recovery.objectives,
        level: Level::L2,
        outage_at,
        detected_at: None,
        declared_at: None,
        signers: None,
        host: "host".to_owned(),
        user: "user".to_owned(),
        directory: "/".to_owned(),
    }
}

/// What a program returned.
pub(super) fn stdout(text: &str) -> Value {
    serde_json::json!({"exitCode": 0, "stdout": text, "stderr": "", "truncated": false})
}
