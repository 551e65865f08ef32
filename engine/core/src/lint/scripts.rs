//! The scripts and command lines of a runbook, read once for all rules.
//!
//! Duty: where they stand, with which environment they run, and where in the file their parts are. What they mean is read in
//! `script`; it must not judge.

use std::{borrow::Cow, ops::Range, sync::Arc};

use indexmap::IndexMap;

use super::{Context, Rule, memory::Memory};
use crate::{
    diagnostic::Diagnostic,
    model::{
        Check, InputType, Runbook, SecretTemplate, Step, Template, Undo,
        parse::{Parsed, Route, locate},
    },
    script::{self, Command, Options, Script, Status, Word},
    source::{Source, Span, Spanned},
};

/// How many bytes of scripts are read in one file.
const MOST: usize = 1024 * 1024;

/// What a script is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The action of a step.
    Action,
    /// The action of an undo.
    Undo,
    /// A check of a step.
    Check,
    /// A check of an undo.
    UndoCheck,
    /// A check of `requires`.
    Requires,
    /// A check of a guard.
    Guard,
}

/// A script or a command line of the runbook.
pub(crate) struct Reading<'a> {
    pub(crate) role: Role,
    /// The room of its step, the id, and the step itself.
    pub(crate) step: Option<(&'static str, &'a str, &'a Spanned<Step>)>,
    /// What it does.
    pub(crate) script: Arc<Script>,
    /// The shell that runs it, where the author says.
    pub(crate) interpreter: Option<&'a Spanned<Vec<String>>>,
    /// Where it runs, where the author says.
    pub(crate) cwd: Option<&'a Template>,
    /// Whether it reads something from standard input.
    pub(crate) has_stdin: bool,
    /// Whether a shell reads it, and not an argument list.
    pub(crate) is_shell: bool,
    /// What it gets in its environment, the outermost first.
    env: Vec<&'a IndexMap<String, SecretTemplate>>,
    /// Where its text, or each of its arguments, stands: from which byte on, the text, and its place.
    pieces: Vec<(usize, Cow<'a, str>, Span)>,
}

/// Where a script is to be looked for.
struct Place<'a> {
    role: Role,
    step: Option<(&'static str, &'a str, &'a Spanned<Step>)>,
    route: Route,
    interpreter: Option<&'a Spanned<Vec<String>>>,
    cwd: Option<&'a Template>,
    has_stdin: bool,
    env: Vec<&'a IndexMap<String, SecretTemplate>>,
}

struct Reader<'a, 'm> {
    memory: &'m Memory,
    parsed: &'a Parsed,
    left: usize,
    found: Vec<Reading<'a>>,
}

/// Reads all scripts of a runbook.
fn read<'a>(memory: &Memory, parsed: &'a Parsed, runbook: &'a Runbook) -> Vec<Reading<'a>> {
    let mut reader = Reader { memory, parsed, left: MOST, found: Vec::new() };
    let rooms = [("steps", &runbook.steps), ("cleanup", &runbook.cleanup)];
    for (room, id, step) in rooms.into_iter().flat_map(|(room, it)| it.iter().map(move |(id, step)| (room, id, step))) {
        let route = Route::new().key(room).key(id);
        if !parsed.damaged.touches(&route) {
            reader.step((room, id.as_str(), step), &route);
        }
    }
    let place = |role, route| Place {
        role,
        step: None,
        route,
        interpreter: None,
        cwd: None,
        has_stdin: false,
        env: Vec::new(),
    };
    let list = Route::new().key("requires").key("checks");
    if !parsed.damaged.touches(&list) {
        for (at, check) in runbook.requires.checks.iter().enumerate() {
            reader.check(check, place(Role::Requires, list.index(at)));
        }
    }
    let list = Route::new().key("guards");
    if !parsed.damaged.touches(&list) {
        for (at, guard) in runbook.guards.iter().enumerate() {
            if let Some(check) = &guard.check {
                reader.check(check, place(Role::Guard, list.index(at).key("check")));
            }
        }
    }
    reader.found
}

impl<'a> Reader<'a, '_> {
    fn step(&mut self, whole: (&'static str, &'a str, &'a Spanned<Step>), route: &Route) {
        let (_, _, step) = whole;
        let place = |role, route, interpreter| Place {
            role,
            step: Some(whole),
            route,
            interpreter,
            cwd: step.cwd.as_ref(),
            has_stdin: step.stdin.is_some(),
            env: vec![&step.env],
        };
        let own = place(Role::Action, route.clone(), step.interpreter.as_ref());
        self.action(step.exec.as_ref(), step.shell.as_ref(), own);
        for (at, check) in step.verify.iter().enumerate() {
            self.check(check, place(Role::Check, route.key("verify").index(at), step.interpreter.as_ref()));
        }
        let Some(Undo::Action(undo)) = step.undo.as_deref() else { return };
        let route = route.key("undo");
        let under = |role, route| Place {
            cwd: undo.cwd.as_ref().or(step.cwd.as_ref()),
            has_stdin: undo.stdin.is_some(),
            env: vec![&step.env, &undo.env],
            ..place(role, route, undo.interpreter.as_ref())
        };
        self.action(undo.exec.as_ref(), undo.shell.as_ref(), under(Role::Undo, route.clone()));
        for (at, check) in undo.verify.iter().enumerate() {
            self.check(check, under(Role::UndoCheck, route.key("verify").index(at)));
        }
    }

    fn check(&mut self, check: &'a Check, mut place: Place<'a>) {
        place.env.push(&check.env);
        place.cwd = check.cwd.as_ref().or(place.cwd);
        place.has_stdin = false;
        self.action(check.exec.as_ref(), check.shell.as_ref(), place);
    }

    fn action(
        &mut self,
        exec: Option<&'a Spanned<crate::action::exec::Exec>>,
        shell: Option<&'a Spanned<crate::action::shell::Shell>>,
        place: Place<'a>,
    ) {
        let (script, pieces): (Arc<Script>, Vec<_>) = if let Some(exec) = exec {
            let arguments: Vec<&str> = exec.0.iter().map(Template::as_str).collect();
            let length: usize = arguments.iter().map(|it| it.len()).sum();
            if !self.take(length) {
                return;
            }
            let mut from = 0;
            let pieces = arguments.iter().enumerate().map(|(at, text)| {
                let span = self.parsed.span(&place.route.key("exec").index(at)).unwrap_or(exec.span());
                let start = from;
                from += text.len() + 1;
                (start, Cow::Borrowed(*text), span)
            });
            (Arc::new(script::of_argv(&arguments)), pieces.collect())
        } else if let Some(shell) = shell {
            let Some(options) = options(place.interpreter) else { return };
            if !self.take(shell.0.len()) {
                return;
            }
            (self.memory.script(&shell.0, options), vec![(0, Cow::Borrowed(shell.0.as_str()), shell.span())])
        } else {
            return;
        };
        let is_shell = exec.is_none();
        // What is wrong takes the parser longer.
        if !script.complete {
            self.left = self.left.saturating_sub(16 * pieces_length(&pieces));
        }
        let Place { role, step, interpreter, cwd, has_stdin, env, .. } = place;
        self.found.push(Reading { role, step, script, interpreter, cwd, has_stdin, is_shell, env, pieces });
    }

    fn take(&mut self, length: usize) -> bool {
        let enough = length <= self.left;
        self.left = self.left.saturating_sub(length);
        enough
    }
}

fn pieces_length(pieces: &[(usize, Cow<'_, str>, Span)]) -> usize {
    pieces.iter().map(|(_, text, _)| text.len()).sum()
}

/// How the shell is started; `None` when it is none.
fn options(interpreter: Option<&Spanned<Vec<String>>>) -> Option<Options> {
    let Some(words) = interpreter else { return Some(Options::STRICT) };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    script::of_interpreter(&words)
}

impl<'a> Reading<'a> {
    /// Where a part of it stands in the file.
    pub(crate) fn place(&self, source: &Source, range: &Range<usize>) -> Span {
        let Some(first) = self.pieces.iter().rposition(|(from, _, _)| *from <= range.start) else {
            return Span::default();
        };
        let last = self.pieces.iter().rposition(|(from, _, _)| *from < range.end.max(1)).unwrap_or(first).max(first);
        let locate = |at: usize, range: Range<usize>| {
            let (from, text, span) = &self.pieces[at];
            let inner = range.start.saturating_sub(*from)..range.end.saturating_sub(*from).min(text.len());
            locate(source, *span, text, inner)
        };
        let start = locate(first, range.start..if first == last { range.end } else { usize::MAX });
        let end = if first == last { start } else { locate(last, self.pieces[last].0..range.end) };
        Span::new(start.start, end.end.max(start.start))
    }

    /// What a variable is set to by the runbook, the innermost first.
    pub(crate) fn env(&self, name: &str) -> Option<&'a SecretTemplate> {
        self.env.iter().rev().find_map(|layer| layer.get(name))
    }

    /// Every variable that the runbook sets.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'a str, &'a SecretTemplate)> {
        self.env.iter().flat_map(|layer| layer.iter()).map(|(name, value)| (name.as_str(), value))
    }

    /// The whole text of a script; nothing of an argument list.
    pub(crate) fn all(&self) -> &str {
        match self.pieces.as_slice() {
            [(_, text, _)] => text,
            _ => "",
        }
    }

    /// The text of a part of it.
    pub(crate) fn text(&self, range: &Range<usize>) -> &str {
        let piece = self.pieces.iter().rfind(|(from, _, _)| *from <= range.start);
        piece.and_then(|(from, text, _)| text.get(range.start - from..range.end - from)).unwrap_or_default()
    }

    /// Whether it is what a step does, and not how it is checked or taken back.
    pub(crate) fn is_action(&self) -> bool {
        self.role == Role::Action && self.step.is_some_and(|(room, _, _)| room == "steps")
    }

    /// The commands of programs: functions of the script are none.
    pub(crate) fn commands(&self) -> impl Iterator<Item = (&str, &Command)> {
        let functions = &self.script.functions;
        self.script.commands.iter().filter_map(move |command| {
            let program = command.program()?;
            (!functions.iter().any(|it| it == program)).then_some((program, command))
        })
    }

    /// Whether something in the script gives this variable a value, at this command or before it.
    pub(crate) fn sets(&self, name: &str, command: &Command) -> bool {
        command.assignments.iter().any(|it| it.name == name)
            || self.script.assignments.iter().any(|it| it.name == name && it.range.start < command.range.start)
            || self.env(name).is_some()
    }

    /// The value of a variable as the script sets it last before a place.
    pub(crate) fn assigned(&self, name: &str, before: usize) -> Option<&Word> {
        let mut all = self.script.assignments.iter().rev();
        all.find(|it| it.name == name && it.range.start < before).map(|it| &it.value)
    }
}

impl<'a> Context<'a> {
    /// Every script and command line, in the order of the file's rooms.
    pub(crate) fn readings(&self) -> &[Reading<'a>] {
        self.readings.get_or_init(|| read(self.memory, self.parsed, self.runbook))
    }

    /// Every command of every program, with the script it stands in.
    pub(crate) fn commands(&self) -> impl Iterator<Item = (&Reading<'a>, &str, &Command)> {
        self.readings().iter().flat_map(|it| it.commands().map(move |(program, command)| (it, program, command)))
    }

    /// Where a part of a script stands in the file.
    pub(crate) fn in_script(&self, reading: &Reading<'_>, range: &Range<usize>) -> Span {
        reading.place(self.source, range)
    }

    /// A finding in a script, with the step that runs it.
    pub(crate) fn finding_in(
        &self,
        rule: &Rule,
        reading: &Reading<'_>,
        range: &Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let finding = self.finding(rule, self.in_script(reading, range), message);
        let Some((room, id, step)) = reading.step else { return finding };
        let how = match reading.role {
            Role::Undo => "is undone by it",
            Role::Check | Role::UndoCheck => "is checked by it",
            Role::Action | Role::Requires | Role::Guard => "runs it",
        };
        finding.related(self.source, self.key(&[room, id], step.span()), format!("`{id}` {how}"))
    }

    /// The names of the inputs that are secrets.
    pub(crate) fn secrets(&self) -> Vec<&'a str> {
        let inputs = self.runbook.inputs.iter().filter(|(_, input)| input.kind == InputType::Secret);
        inputs.map(|(name, _)| name.as_str()).collect()
    }
}

/// Whether a failure of this command would end the script.
pub(crate) fn counts(command: &Command) -> bool {
    command.status == Status::Counts && command.options.errexit
}
