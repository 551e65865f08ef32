//! What rules look at: the file, every text in it with its names, its order in each mode, what it includes.
//!
//! Duty: to find all of that out once, for all rules. It must not judge.

use std::{cell::OnceCell, ops::Range, sync::Arc};

use super::{
    Rule, includes,
    includes::Includes,
    memory::{Memory, References},
    organisation::Organisation,
    scripts::Reading,
    silence::Silences,
};
use crate::{
    action, check,
    diagnostic::Diagnostic,
    fix::Editor,
    model::{
        Approval, Check, Mode, Runbook, Step, TextKind, Undo,
        parse::{Found, Parsed, Route, Segment, locate},
    },
    plan::{include::Resolver, nearest::Nearest, sketch::Sketch},
    scope::Reference,
    source::{Source, Span, Spanned},
};

/// What rules look at.
pub struct Context<'a> {
    /// What the organisation decided.
    pub(crate) organisation: &'a Organisation,
    /// The file as it was read.
    pub parsed: &'a Parsed,
    /// The runbook.
    pub runbook: &'a Runbook,
    /// The file's text.
    pub source: &'a Arc<Source>,
    /// Every text that is not damaged.
    pub(crate) texts: Vec<Text<'a>>,
    /// The order of the steps in each mode.
    pub(crate) sketches: Vec<Sketch>,
    /// The ids of the steps, and the names of the inputs: one of each, as looking for what was meant has a budget.
    pub(crate) step_names: Nearest<'a>,
    pub(crate) input_names: Nearest<'a>,
    /// What it includes.
    pub(crate) includes: Includes<'a>,
    /// The comments that silence.
    pub(crate) silences: Silences,
    /// Its scripts and command lines, once a rule has asked.
    pub(super) readings: OnceCell<Vec<Reading<'a>>>,
    /// What is known of texts that stood in other files, or in this one before it was changed.
    pub(super) memory: &'a Memory,
    /// How a rule changes the text.
    pub(crate) editor: Editor<'a>,
}

/// A template or an expression, what it is part of, and what it refers to.
pub(crate) struct Text<'a> {
    pub(crate) found: &'a Found,
    pub(crate) home: Home,
    pub(crate) part: Part<'a>,
    pub(crate) references: Arc<References>,
}

/// What a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// The step of this number.
    Step(usize),
    /// The step of this number in `cleanup`.
    Cleanup(usize),
    /// A precondition.
    Requires,
    /// A guard.
    Guard,
    /// Anything else.
    Elsewhere,
}

/// The part of its home.
#[derive(Clone, Copy)]
pub(crate) enum Part<'a> {
    /// The action, its environment, its condition, its outputs.
    Body,
    /// The point in time to which data was restored.
    RecoveryPoint,
    /// A check of a step, or of `requires`. It is `None` when the list it stands in is damaged.
    Check(Option<&'a Check>),
    /// An undo.
    Undo,
    /// A check of an undo, likewise.
    UndoCheck(Option<&'a Check>),
    /// An input of an included runbook.
    IncludeInput,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        memory: &'a Memory,
        organisation: &'a Organisation,
        parsed: &'a Parsed,
        resolve: &Resolver<'_>,
    ) -> Option<Self> {
        let runbook = parsed.runbook.as_ref()?;
        let source = &parsed.source;
        // Without a step of one mode only, the order is the same in both, and one look tells everything.
        let differ = runbook.steps.values().any(|step| step.only.is_some());
        let modes = [Mode::Incident, Mode::Drill].into_iter().take(if differ { 2 } else { 1 });
        let texts = parsed.found.iter().filter(|found| !parsed.damaged.touches(&found.route));
        Some(Self {
            organisation,
            parsed,
            runbook,
            source,
            texts: texts.map(|found| Text::new(memory, parsed, runbook, found)).collect(),
            sketches: modes.map(|mode| Sketch::new(runbook, source, mode)).collect(),
            step_names: Nearest::new(runbook.steps.keys().map(String::as_str)),
            input_names: Nearest::new(runbook.inputs.keys().map(String::as_str)),
            includes: includes::read(parsed, runbook, resolve),
            silences: Silences::read(parsed),
            readings: OnceCell::new(),
            memory,
            editor: Editor::new(&parsed.source, parsed.root.as_ref()),
        })
    }

    /// A finding of a rule.
    pub(crate) fn finding(&self, rule: &Rule, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: rule.severity, ..Diagnostic::error(rule.id, self.source, span, message) }
    }

    /// Where something in a text stands.
    pub(crate) fn place(&self, text: &Text<'_>, range: Range<usize>) -> Span {
        locate(self.source, text.found.span, &text.found.text, range)
    }

    /// Whether a place could not be read as it stands, so that nothing is to be said about it.
    pub(crate) fn is_damaged(&self, keys: &[&str]) -> bool {
        !self.parsed.damaged.is_empty() && self.parsed.damaged.touches(&route(keys))
    }

    /// Whether nothing is left of a place.
    pub(crate) fn is_lost(&self, keys: &[&str]) -> bool {
        self.parsed.damaged.covers(&route(keys))
    }

    /// Where a key stands; `otherwise` when that is not known.
    pub(crate) fn key(&self, keys: &[&str], otherwise: Span) -> Span {
        self.parsed.key_span(&route(keys)).unwrap_or(otherwise)
    }

    /// Where a value stands; `otherwise` when that is not known.
    pub(crate) fn value(&self, keys: &[&str], otherwise: Span) -> Span {
        self.parsed.span(&route(keys)).unwrap_or(otherwise)
    }

    /// Every gate: of steps, and of their undos.
    pub(crate) fn gates(&self) -> impl Iterator<Item = &'a Approval> + use<'a> {
        self.placed_gates().map(|(_, gate)| gate)
    }

    /// Every gate, and the keys on the way to it.
    pub(crate) fn placed_gates(&self) -> impl Iterator<Item = (Vec<&'a str>, &'a Approval)> + use<'a> {
        self.steps().flat_map(|(room, id, step)| {
            let undo = match step.undo.as_deref() {
                Some(Undo::Action(undo)) => undo.approval.as_ref(),
                _ => None,
            };
            let own = step.approval.as_ref().map(|gate| (vec![room, id, "approval"], &**gate));
            own.into_iter().chain(undo.map(|gate| (vec![room, id, "undo", "approval"], &**gate)))
        })
    }

    /// Every name of a cluster: in actions, undos and checks, and in what is required.
    pub(crate) fn clusters(&self) -> Vec<&'a Spanned<String>> {
        let requires = &self.runbook.requires;
        let mut names: Vec<&Spanned<String>> = requires.access.iter().map(|access| &access.cluster).collect();
        names.extend(requires.crds.iter().map(|crd| &crd.cluster));
        names.extend(requires.checks.iter().flat_map(|it| check::clusters(it)));
        names.extend(self.runbook.guards.iter().filter_map(|guard| guard.check.as_deref()).flat_map(check::clusters));
        for (_, _, step) in self.steps() {
            names.extend(action::clusters(step));
            names.extend(step.verify.iter().flat_map(|it| check::clusters(it)));
            if let Some(Undo::Action(undo)) = step.undo.as_deref() {
                names.extend(action::clusters_in_undo(undo));
                names.extend(undo.verify.iter().flat_map(|it| check::clusters(it)));
            }
        }
        names
    }

    /// Every step with the room it stands in: `steps` or `cleanup`.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (&'static str, &'a str, &'a Spanned<Step>)> + use<'a> {
        let runbook = self.runbook;
        let steps = runbook.steps.iter().map(|(id, step)| ("steps", id.as_str(), step));
        steps.chain(runbook.cleanup.iter().map(|(id, step)| ("cleanup", id.as_str(), step)))
    }

    /// The step that a text belongs to.
    pub(crate) fn step_of(&self, home: Home) -> Option<(&'static str, &'a str, &'a Spanned<Step>)> {
        let (room, found) = match home {
            Home::Step(at) => ("steps", self.runbook.steps.get_index(at)),
            Home::Cleanup(at) => ("cleanup", self.runbook.cleanup.get_index(at)),
            Home::Requires | Home::Guard | Home::Elsewhere => return None,
        };
        found.map(|(id, step)| (room, id.as_str(), step))
    }

    /// What the order of the steps has of one kind of finding.
    pub(crate) fn of_order(&self, rule: &Rule, findings: &mut Vec<Diagnostic>) {
        let problems = self.sketches.iter().flat_map(|sketch| &sketch.problems);
        findings.extend(problems.filter(|problem| problem.code == rule.id).cloned());
    }
}

/// A route of keys.
pub(super) fn route(keys: &[&str]) -> Route {
    keys.iter().map(|key| Segment::Key((*key).to_owned())).collect()
}

impl<'a> Text<'a> {
    fn new(memory: &Memory, parsed: &Parsed, runbook: &'a Runbook, found: &'a Found) -> Self {
        let (home, part) = place(parsed, runbook, found);
        let references =
            if found.kind.is_template() { memory.template(&found.text) } else { memory.expression(&found.text) };
        Self { found, home, part, references }
    }

    /// What it refers to; nothing when it cannot be understood, which is told by its own rule.
    pub(crate) fn references(&self) -> &[Reference] {
        self.references.as_ref().as_deref().unwrap_or_default()
    }

    /// What it is.
    pub(crate) fn kind(&self) -> TextKind {
        self.found.kind
    }

    /// Whether it asks in which mode it is, and so may speak of steps of one mode only.
    pub(crate) fn asks_for_mode(&self) -> bool {
        self.references().iter().any(|reference| {
            let mut path = reference.path.iter().map(String::as_str);
            path.next() == Some("run") && path.next() == Some("mode")
        })
    }
}

fn place<'a>(parsed: &Parsed, runbook: &'a Runbook, found: &Found) -> (Home, Part<'a>) {
    let segments = found.route.segments();
    let key = |at: usize| match segments.get(at) {
        Some(Segment::Key(key)) => Some(key.as_str()),
        _ => None,
    };
    // Indices count what is written, so they fit the model only when nothing of the list is missing in it.
    let check = |list: usize, checks: &'a [Spanned<Check>]| {
        let whole = segments.iter().take(list + 1).cloned().collect::<Route>();
        match segments.get(list + 1) {
            Some(Segment::Index(at)) if !parsed.damaged.touches(&whole) => checks.get(*at).map(|check| &**check),
            _ => None,
        }
    };
    let (home, step) = match (key(0), key(1)) {
        (Some("steps"), Some(id)) => match runbook.steps.get_full(id) {
            Some((at, _, step)) => (Home::Step(at), step),
            None => return (Home::Elsewhere, Part::Body),
        },
        (Some("cleanup"), Some(id)) => match runbook.cleanup.get_full(id) {
            Some((at, _, step)) => (Home::Cleanup(at), step),
            None => return (Home::Elsewhere, Part::Body),
        },
        (Some("guards"), _) => {
            let whole = segments.iter().take(2).cloned().collect::<Route>();
            let guard = match segments.get(1) {
                Some(Segment::Index(at)) if !parsed.damaged.touches(&whole) => runbook.guards.get(*at),
                _ => None,
            };
            let part = match key(2) {
                Some("check") => Part::Check(guard.and_then(|guard| guard.check.as_deref())),
                _ => Part::Body,
            };
            return (Home::Guard, part);
        }
        (Some("requires"), Some("checks")) => return (Home::Requires, Part::Check(check(1, &runbook.requires.checks))),
        _ => return (Home::Elsewhere, Part::Body),
    };
    let part = match (key(2), key(3)) {
        (Some("verify"), _) => Part::Check(check(2, &step.verify)),
        (Some("undo"), Some("verify")) => Part::UndoCheck(match step.undo.as_deref() {
            Some(Undo::Action(undo)) => check(3, &undo.verify),
            _ => None,
        }),
        (Some("undo"), _) => Part::Undo,
        (Some("runbook"), Some("inputs")) => Part::IncludeInput,
        (Some("recoveryPoint"), _) => Part::RecoveryPoint,
        _ => Part::Body,
    };
    (home, part)
}
