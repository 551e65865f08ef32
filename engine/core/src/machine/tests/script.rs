//! How everything outside behaves: processes, checks and people.

use std::collections::HashMap;

use serde_json::Value;

use super::builder;
use crate::{
    evidence::event::{ActName, ClusterMet, Finding, Task},
    machine::{Act, QuestionKind},
};

/// One attempt of an action: how long it takes, and how it ends.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub takes: u64,
    pub end: End,
}

#[derive(Debug, Clone)]
pub(super) enum End {
    Well(Value),
    Badly,
    /// Not by itself.
    Never,
}

pub(super) fn well(takes: u64) -> Attempt {
    Attempt { takes, end: End::Well(builder::stdout("")) }
}
pub(super) fn says(takes: u64, text: &str) -> Attempt {
    Attempt { takes, end: End::Well(builder::stdout(text)) }
}
pub(super) fn badly(takes: u64) -> Attempt {
    Attempt { takes, end: End::Badly }
}
pub(super) fn never() -> Attempt {
    Attempt { takes: 0, end: End::Never }
}

/// How a check is answered.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Yes,
    No,
    /// By turns; the last one stays.
    Turns(Vec<bool>),
    /// Whether the action of a step has had its effect, and was not taken back since.
    Effect(String, Task),
    /// From this time on.
    From(u64),
    /// Nothing can be observed.
    Broken,
    /// Not at all.
    Silence,
}

/// What becomes of processes when their engine dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Survive,
    Die,
}

/// How everything outside behaves.
#[derive(Debug, Clone)]
pub(super) struct Script {
    /// By step and task: the attempts, in order; the last one stays. Without any: well, after 10 ms.
    pub actions: HashMap<(String, Task), Vec<Attempt>>,
    /// By name. Without any: yes.
    pub checks: HashMap<String, Answer>,
    pub findings: Vec<Finding>,
    /// What is answered to a question, by its step and kind, and after how long. Every answer is given once.
    pub answers: Vec<(String, QuestionKind, u64, Act)>,
    pub attended: bool,
    pub parallel: u32,
    pub step_by_step: bool,
    pub outage_ago: Option<u64>,
    /// Whether the process id of an action is told.
    pub tells_process: bool,
    /// Who every cluster says it is.
    pub cluster: &'static str,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            actions: HashMap::new(),
            checks: HashMap::new(),
            findings: Vec::new(),
            answers: Vec::new(),
            attended: false,
            parallel: 8,
            step_by_step: false,
            outage_ago: None,
            cluster: "one",
            tells_process: true,
        }
    }
}

impl Script {
    /// What a cluster says of itself.
    pub(super) fn met(&self, cluster: &str) -> ClusterMet {
        ClusterMet {
            cluster: cluster.to_owned(),
            context: Some("dr".to_owned()),
            server: "https://dr.example.org".to_owned(),
            uid: self.cluster.to_owned(),
            version: "v1.36.3".to_owned(),
        }
    }
    pub(super) fn attended() -> Self {
        Self { attended: true, ..Self::default() }
    }
    pub(super) fn action(mut self, step: &str, attempts: &[Attempt]) -> Self {
        self.actions.insert((step.to_owned(), Task::Do), attempts.to_vec());
        self
    }
    pub(super) fn undo(mut self, step: &str, attempts: &[Attempt]) -> Self {
        self.actions.insert((step.to_owned(), Task::Undo), attempts.to_vec());
        self
    }
    pub(super) fn check(mut self, name: &str, answer: Answer) -> Self {
        self.checks.insert(name.to_owned(), answer);
        self
    }
    pub(super) fn answer(mut self, step: &str, kind: QuestionKind, after: u64, act: Act) -> Self {
        self.answers.push((step.to_owned(), kind, after, act));
        self
    }
    pub(super) fn parallel(mut self, parallel: u32) -> Self {
        self.parallel = parallel;
        self
    }
}

/// An act of a person.
pub(super) fn act(name: ActName, step: &str, who: &str, reason: &str) -> Act {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Act::at_the_terminal(name, some(step), who.to_owned(), some(reason))
}
