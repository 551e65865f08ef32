//! One step into the plan: a node, its instances, or the runbook that it includes.

use std::{collections::HashSet, sync::Arc};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{
    super::{
        Binding, NodeKind, PlanScope, PlanStep,
        edges::{Edges, Target},
        include::{self, DEEPEST},
        inputs,
    },
    Build,
    expand::Frame,
};
use crate::{
    action::{self, Kind},
    diagnostic::Diagnostic,
    duration::Duration,
    expr::Expression,
    model::{Defaults, ForEach, Runbook, Step, parse::locate},
    scope::{Reference, Scope},
    source::{Source, Span, Spanned},
    template::Template,
};

/// Longest time of an attempt when nobody says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// The same for what a person does.
const BY_HAND: Duration = Duration::from_secs(24 * 60 * 60);
/// What a pause may be late.
const SLACK: u64 = 60_000;

/// `each` of an instance: name and element.
type Each = Option<(String, Value)>;

impl Build<'_> {
    /// Expands a step that exists in this mode; the nodes that were made for it go to `made`.
    pub(super) fn step(
        &mut self,
        frame: &Frame,
        id: &str,
        step: &Spanned<Step>,
        mut edges: Edges,
        made: &mut Vec<usize>,
    ) -> Target {
        // A step that needs nothing in an included runbook needs what the including step needs. One that is only
        // `after` something in there is such a step too: without this it would run although the include never began.
        if edges.needs.is_empty() {
            edges.add(&frame.entry);
        }
        let lead = super::lead(frame.lead.or(step.phase.as_ref().map(|phase| **phase)));
        let name = format!("{}{id}", self.scopes[frame.scope].prefix);
        if step.runbook.is_some() {
            for (key, span) in include::ignored_on_include(step) {
                self.problems.push(include::not_on_include(&frame.source, span, id, key));
            }
        }
        let Some(each) = &step.for_each else {
            return if step.runbook.is_some() {
                self.include(frame, &name, step, None, &edges, made)
            } else {
                made.push(self.push(name, self.spec(frame, step, None, None), edges, estimate(step), lead));
                made.last().copied().map(Target::node).unwrap_or_default()
            };
        };
        let Some(elements) = self.elements(frame, each) else { return Target::default() };
        let group = each.parallel.as_ref().map(|parallel| {
            self.groups += 1;
            (self.groups - 1, **parallel)
        });
        let edges = self.shared(edges, elements.len(), || format!("{name}:start"), lead);
        // One copy for all instances: there may be very many.
        let shared = Arc::new((**step).clone());
        let mut target = Target { name: name.clone(), ..Target::default() };
        for (text, element) in elements {
            if self.no_room(&frame.source, step.span()) {
                break;
            }
            let instance = format!("{name}[{text}]");
            let value = Some((each.name.as_str().to_owned(), element));
            if step.runbook.is_some() {
                let mut one = self.include(frame, &instance, step, value.as_ref(), &edges, made);
                target.succeeded.add(&one.succeeded);
                target.ended.append(&mut one.ended);
            } else {
                let spec = self.instance(frame, &shared, value, group);
                let node = self.push(instance, spec, edges.clone(), estimate(step), lead);
                made.push(node);
                target.succeeded.needs.push(node);
                target.ended.push(node);
            }
        }
        if target.succeeded.needs.len() > 1 {
            let all = std::mem::take(&mut target.succeeded);
            let barrier = self.barrier(name, all, lead);
            made.push(barrier);
            target.succeeded = Edges::need(barrier);
        }
        target
    }

    fn spec(&self, frame: &Frame, step: &Spanned<Step>, each: Each, group: Option<(usize, u32)>) -> NodeKind {
        self.instance(frame, &Arc::new((**step).clone()), each, group)
    }

    fn instance(&self, frame: &Frame, step: &Arc<Step>, each: Each, group: Option<(usize, u32)>) -> NodeKind {
        let defaults = &self.scopes[frame.scope].runbook.defaults;
        NodeKind::Step(Box::new(PlanStep {
            spec: Arc::clone(step),
            scope: frame.scope,
            phase: step.phase.as_ref().map(|phase| **phase),
            cleanup: false,
            each,
            group,
            timeout: timeout(step, defaults),
        }))
    }

    /// Expands an included runbook, and the barrier that stands for all of it.
    fn include(
        &mut self,
        frame: &Frame,
        name: &str,
        step: &Spanned<Step>,
        each: Option<&(String, Value)>,
        edges: &Edges,
        made: &mut Vec<usize>,
    ) -> Target {
        let Some(include) = &step.runbook else { return Target::default() };
        let path = &include.path;
        let directory = self.scopes[frame.scope].directory.clone();
        let loaded = match self.read(&directory, path) {
            Ok(loaded) => loaded,
            Err(reason) => {
                self.problems.push(reason.diagnostic(&frame.source, path));
                return Target::default();
            }
        };
        let identity = include::identity(&loaded.directory, path);
        if frame.way.contains(&identity) {
            self.problems.push(include::cycle(&frame.source, path, &frame.way, &identity));
            return Target::default();
        }
        if frame.way.len() > DEEPEST {
            let message = format!("expected runbooks to include each other at most {DEEPEST} deep, found more");
            self.problems.push(Diagnostic::error("include-depth", &frame.source, path.span(), message));
            return Target::default();
        }
        let Some(given) = self.given(frame, include, &loaded.runbook, each) else { return Target::default() };
        let place = Some((&frame.source, path.span()));
        let inputs = match inputs::complete(&loaded.runbook, &loaded.source, given, place) {
            Ok(inputs) => inputs,
            Err(problems) => {
                self.problems.extend(problems);
                return Target::default();
            }
        };
        self.scopes.push(PlanScope {
            runbook: Arc::clone(&loaded.runbook),
            prefix: format!("{name}/"),
            directory: loaded.directory.clone(),
            inputs,
        });
        let lead = frame.lead.or(step.phase.as_ref().map(|phase| **phase));
        let mut expanded = self.scope(Frame {
            scope: self.scopes.len() - 1,
            source: Arc::clone(&loaded.source),
            entry: edges.clone(),
            lead,
            way: frame.way.iter().cloned().chain([identity]).collect(),
        });
        made.append(&mut expanded.in_file_order);
        // A runbook without steps in this mode still keeps the order of what is around it.
        let waits =
            if expanded.all.is_empty() { edges.clone() } else { Edges { needs: expanded.all, after: Vec::new() } };
        let barrier = self.barrier(name.to_owned(), waits, super::lead(lead));
        made.push(barrier);
        let ended = if expanded.ended.is_empty() { vec![barrier] } else { expanded.ended };
        Target { succeeded: Edges::need(barrier), ended, name: name.to_owned() }
    }

    /// The inputs that an include hands on.
    fn given(
        &mut self,
        frame: &Frame,
        include: &action::runbook::Include,
        included: &Runbook,
        each: Option<&(String, Value)>,
    ) -> Option<IndexMap<String, Binding>> {
        let known = &self.scopes[frame.scope].inputs;
        let mut given = IndexMap::new();
        let mut problems = Vec::new();
        for (name, template) in &include.inputs {
            // A value that is one input and nothing else is handed on as it is, secrets and lists too.
            if let Some(binding) = inputs::alone(template.as_str()).and_then(|input| known.get(input)) {
                given.insert(name.clone(), binding.clone());
                continue;
            }
            let wrong = |code: &'static str, message: String| {
                Diagnostic::error(code, &frame.source, include.path.span(), format!("input `{name}`: {message}"))
            };
            let rendered =
                Template::compile(template.as_str()).map_err(|problem| problem.message).and_then(|template| {
                    let mut scope = plan_scope(self.mode.name(), known, &template.references())?;
                    if let Some((name, element)) = each {
                        let element = Map::from_iter([(name.clone(), element.clone())]);
                        scope.names.insert(String::from("each"), Value::Object(element));
                    }
                    template.render(&scope)
                });
            match rendered {
                Ok(text) => {
                    // What is not declared is told later, with all that is known about it.
                    let value = included.inputs.get(name).map_or(Ok(Value::Null), |input| inputs::read(input, &text));
                    match value {
                        Ok(value) => {
                            given.insert(name.clone(), Binding::Value(value));
                        }
                        Err(message) => problems.push(wrong("bad-input", message)),
                    }
                }
                Err(message) => problems.push(wrong("bad-template", message)),
            }
        }
        let good = problems.is_empty();
        self.problems.extend(problems);
        good.then_some(given)
    }

    /// The elements of a `forEach`, each with its text.
    pub(super) fn elements(&mut self, frame: &Frame, each: &Spanned<ForEach>) -> Option<Vec<(String, Value)>> {
        let known = &self.scopes[frame.scope].inputs;
        let found = elements(&frame.source, each, |references| plan_scope(self.mode.name(), known, references));
        found.map_err(|problems| self.problems.extend(problems)).ok()
    }
}

/// What a text sees when the plan is made: the inputs that it refers to, and the mode.
fn plan_scope(mode: &str, known: &IndexMap<String, Binding>, references: &[Reference]) -> Result<Scope, String> {
    let mut inputs = Map::new();
    for reference in references.iter().filter(|reference| reference.path.first().is_some_and(|name| name == "inputs")) {
        match reference.path.get(1) {
            Some(name) => match known.get(name) {
                Some(Binding::Value(value)) => {
                    inputs.insert(name.clone(), value.clone());
                }
                Some(Binding::Secret(_)) => {
                    return Err(format!("expected no secret here, found `inputs.{name}`"));
                }
                None => {}
            },
            None => inputs.extend(known.iter().filter_map(|(name, binding)| match binding {
                Binding::Value(value) => Some((name.clone(), value.clone())),
                Binding::Secret(_) => None,
            })),
        }
    }
    let mut scope = Scope::default();
    scope.names.insert(String::from("inputs"), Value::Object(inputs));
    let run = Map::from_iter([(String::from("mode"), Value::from(mode))]);
    scope.names.insert(String::from("run"), Value::Object(run));
    Ok(scope)
}

fn elements(
    source: &Arc<Source>,
    each: &ForEach,
    scope: impl FnOnce(&[Reference]) -> Result<Scope, String>,
) -> Result<Vec<(String, Value)>, Vec<Diagnostic>> {
    let text = each.list.as_str();
    let span = each.list.span();
    let wrong = |message: String| vec![Diagnostic::error("bad-for-each", source, span, message)];
    let expression = Expression::compile(text).map_err(|problems| -> Vec<Diagnostic> {
        let finding = |problem: crate::scope::Problem| {
            let place: Span = locate(source, span, text, problem.range.clone());
            let finding = Diagnostic::error("bad-expression", source, place, problem.message);
            Diagnostic { help: problem.help, ..finding }
        };
        problems.into_iter().map(finding).collect()
    })?;
    let list = scope(&expression.references()).and_then(|scope| expression.evaluate(&scope)).map_err(wrong)?;
    let Value::Array(list) = list else { return Err(wrong(format!("expected a list, found `{list}`"))) };
    if list.is_empty() {
        return Err(vec![
            Diagnostic::error("bad-for-each", source, span, "expected a list with elements, found an empty one")
                .help("give it elements, or take the step away: a step without instances proves nothing"),
        ]);
    }
    let mut seen = HashSet::new();
    let mut problems = Vec::new();
    let mut elements = Vec::with_capacity(list.len());
    for (at, element) in list.into_iter().enumerate() {
        let name = match &element {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => {
                problems.extend(wrong(format!("expected strings or numbers in the list, found `{other}` at {at}")));
                continue;
            }
        };
        // The name becomes a part of the step's id, so it must be seen and must not look like the id of another step.
        if name.trim().is_empty() || name.chars().any(|c| c.is_control() || c == '[' || c == ']') {
            problems
                .extend(wrong(format!("expected elements that can be part of a step's id, found {name:?} at {at}")));
        } else if !seen.insert(name.clone()) {
            problems.extend(wrong(format!("expected every element once, found `{name}` again at {at}")));
        } else {
            elements.push((name, element));
        }
        if problems.len() >= 10 {
            break;
        }
    }
    if problems.is_empty() { Ok(elements) } else { Err(problems) }
}

/// How long a step takes, as far as its author says.
pub(super) fn estimate(step: &Step) -> Duration {
    step.estimated().unwrap_or_default()
}

/// Longest time of one attempt.
pub(super) fn timeout(step: &Step, defaults: &Defaults) -> Duration {
    let default = defaults.timeout.unwrap_or(TIMEOUT);
    step.timeout.unwrap_or_else(|| match action::of_step(step) {
        Some(Kind::Manual) => BY_HAND,
        // What waits on purpose is not late.
        Some(Kind::Pause) => {
            let pause = step.pause.as_ref().map_or(0, |pause| pause.0.as_millis());
            default.max(Duration::from_millis(pause.saturating_add(SLACK)))
        }
        _ => default,
    })
}
