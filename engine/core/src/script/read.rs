//! Shell scripts: from syntax to commands.
//!
//! Duty: to walk the syntax tree in the order of the text and to carry what surrounds a command down to it. It must not
//! recurse over the tree: how deep that is, is up to whoever wrote the script.

use std::ops::{ControlFlow, Range};

use tree_sitter::{Node, ParseOptions, Parser, Tree};

use super::{
    Assignment, Command, DEEPEST, Input, LONGEST, MOST_COMMANDS, MOST_PIPES, Options, Pipeline, Script, Sink, Status,
    Word,
    word::{self, slice},
    wrapper,
};

/// Reads a script that a shell with these options runs. Ranges count in `text`.
#[must_use]
pub fn of_shell(text: &str, options: Options) -> Script {
    nested(text, options, 0)
}

/// Reads a script that stands in `depth` others.
pub(super) fn nested(text: &str, options: Options, depth: usize) -> Script {
    let short = text.len() <= LONGEST && text.bytes().filter(|byte| *byte == b'|').count() <= MOST_PIPES;
    let Some(tree) = (short && depth <= DEEPEST).then(|| parse(text)).flatten() else {
        return Script::default();
    };
    let mut walk = Walk {
        text,
        script: Script { complete: !tree.root_node().has_error(), ..Script::default() },
        scopes: vec![options],
        pipelines: 0,
    };
    walk.run(tree.root_node());
    let mut script = walk.script;
    script.commands.sort_by_key(|command| command.range.start);
    script.assignments.sort_by_key(|it| it.range.start);
    wrapper::read_inner_scripts(&mut script, text, depth);
    script.complete &= script.commands.len() < MOST_COMMANDS;
    script.commands.truncate(MOST_COMMANDS);
    script
}

fn parse(text: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_bash::LANGUAGE.into()).ok()?;
    // What no shell could read may take the parser long to make sense of: its way out of a mistake costs more the longer the
    // text before it is. There is no clock here, so its calls are counted. One is a hundred operations; a script of people
    // needs about one operation a byte.
    let (mut left, mut after_mistake) = (100 + text.len() / 16, 100_usize);
    let mut progress = |state: &tree_sitter::ParseState| {
        left = left.saturating_sub(1);
        after_mistake = after_mistake.saturating_sub(usize::from(state.has_error()));
        if left == 0 || after_mistake == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    // The grammar's own code asks C whether a letter is a digit, which may not be asked of every letter there is: it reads
    // memory that is not its own. To a shell they are all parts of words, so each byte of them is one, and stays in its place.
    let bytes: Vec<u8> = text.bytes().map(|byte| if byte.is_ascii() && byte != 0 { byte } else { b'X' }).collect();
    parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options))
}

/// What a command gets from what it stands in.
#[derive(Clone)]
struct Around {
    stdin: Input,
    stdout: Sink,
    stderr: Sink,
    status: Status,
    pipeline: Option<Pipeline>,
    function: Option<String>,
    background: bool,
    /// Whether the statement behind reads its status from `$?`.
    asked: bool,
    scope: usize,
}

impl Around {
    /// As a condition, unless nobody learns of it anyway.
    fn decides(mut self) -> Self {
        if self.status == Status::Counts {
            self.status = Status::Decides;
        }
        self
    }

    fn ignored(mut self, range: Range<usize>) -> Self {
        if matches!(self.status, Status::Counts | Status::Decides) {
            self.status = Status::Ignored(range);
        }
        self
    }

    /// What surrounds one of several statements: `$?` in the next one is its status, and the status of the last one is that of
    /// all of them.
    fn of_statement(&self, text: &str, behind: &[(Option<&'static str>, Node<'_>)]) -> Self {
        let next = behind.iter().map(|(_, it)| it).find(|it| it.is_named() && it.kind() != "comment");
        let asked = next.map_or(self.asked, |next| {
            let first = slice(text, next.byte_range()).lines().next().unwrap_or_default();
            ["$?", "${?", "PIPESTATUS"].iter().any(|status| first.contains(status))
        });
        Self { asked, ..self.clone() }
    }

    fn substitution(&self, stdout: Sink, status: Status) -> Self {
        Self { stdout, status, pipeline: None, asked: false, ..self.clone() }
    }
}

struct Walk<'a> {
    text: &'a str,
    script: Script,
    /// What each subshell has switched on and off so far.
    scopes: Vec<Options>,
    pipelines: usize,
}

fn children(node: Node<'_>) -> Vec<(Option<&'static str>, Node<'_>)> {
    let mut cursor = node.walk();
    let mut found = Vec::new();
    let mut there = cursor.goto_first_child();
    while there {
        found.push((cursor.field_name(), cursor.node()));
        there = cursor.goto_next_sibling();
    }
    found
}

impl Walk<'_> {
    fn run(&mut self, root: Node<'_>) {
        let around = Around {
            stdin: Input::Step,
            stdout: Sink::Step,
            stderr: Sink::Step,
            status: Status::Counts,
            pipeline: None,
            function: None,
            background: false,
            asked: false,
            scope: 0,
        };
        let mut stack = vec![(root, around)];
        while let Some((node, around)) = stack.pop() {
            // More commands than that are not looked at, so what is below is not, either.
            if self.script.commands.len() >= MOST_COMMANDS {
                return;
            }
            let from = stack.len();
            self.visit(node, around, &mut stack);
            stack[from..].reverse();
        }
    }

    fn visit<'t>(&mut self, node: Node<'t>, mut around: Around, next: &mut Vec<(Node<'t>, Around)>) {
        // Most nodes are words, and have nothing in them.
        if node.child_count() == 0 {
            return;
        }
        match node.kind() {
            "ERROR" => {}
            "command" => self.command(node, &around, next),
            "list" => list(self.text, node, &around, next),
            "negated_command" => next.extend(children(node).into_iter().map(|(_, it)| (it, around.clone().decides()))),
            "pipeline" => {
                let parts: Vec<_> =
                    children(node).into_iter().filter(|(_, it)| it.is_named()).map(|(_, it)| it).collect();
                self.pipeline(&parts, &around, next);
            }
            "redirected_statement" => self.redirected(node, around, next),
            "if_statement" | "while_statement" => {
                let parts = children(node);
                for (at, (field, child)) in parts.iter().enumerate() {
                    let around = around.of_statement(self.text, parts.get(at + 1..).unwrap_or_default());
                    next.push((*child, if *field == Some("condition") { around.decides() } else { around }));
                }
            }
            "elif_clause" => {
                let mut condition = true;
                let parts = children(node);
                for (at, (_, child)) in parts.iter().enumerate() {
                    condition &= child.kind() != "then";
                    let around = around.of_statement(self.text, parts.get(at + 1..).unwrap_or_default());
                    next.push((*child, if condition { around.decides() } else { around }));
                }
            }
            "function_definition" => {
                let name = node.child_by_field_name("name").map(|name| slice(self.text, name.byte_range()).to_owned());
                self.script.functions.extend(name.clone());
                around.function = name;
                around.stdout = Sink::Caller;
                around.asked = false;
                around.scope = self.scope(around.scope);
                next.extend(node.child_by_field_name("body").map(|body| (body, around)));
            }
            "variable_assignment" => self.assignment(node, None, &around, next),
            "declaration_command" => {
                let exported = children(node).first().is_some_and(|(_, it)| matches!(it.kind(), "export"))
                    || slice(self.text, node.byte_range()).contains(" -x");
                // The status of `export x=$(…)` is that of `export`.
                around.status = match around.status {
                    Status::Counts => Status::Lost,
                    other => other,
                };
                for (_, child) in children(node) {
                    match child.kind() {
                        "variable_assignment" => self.assignment(child, Some(exported), &around, next),
                        _ => next.push((child, around.clone())),
                    }
                }
            }
            "command_substitution" | "process_substitution" | "subshell" => {
                around.scope = self.scope(around.scope);
                statements(self.text, node, &around, next);
            }
            "test_command" => {
                let around = around.substitution(Sink::Argument, Status::Lost);
                next.extend(children(node).into_iter().map(|(_, child)| (child, around.clone())));
            }
            _ => statements(self.text, node, &around, next),
        }
    }

    fn scope(&mut self, outer: usize) -> usize {
        let options = self.scopes.get(outer).cloned().unwrap_or_default();
        self.scopes.push(options);
        self.scopes.len() - 1
    }

    fn options(&self, around: &Around) -> Options {
        self.scopes.get(around.scope).cloned().unwrap_or_default()
    }

    fn pipeline<'t>(&mut self, parts: &[Node<'t>], around: &Around, next: &mut Vec<(Node<'t>, Around)>) {
        // A pipeline in a pipeline (`a | b | c` with a group, or behind a here-document) is a part of it as a whole.
        let number = self.pipelines;
        self.pipelines += 1;
        for (position, part) in parts.iter().enumerate() {
            let mut around = around.clone();
            around.pipeline = Some(Pipeline { number, position });
            if position > 0 {
                around.stdin = Input::Pipe;
            }
            if position + 1 < parts.len() {
                around.stdout = Sink::Pipe;
                if around.status == Status::Counts && !self.options(&around).pipefail {
                    around.status = Status::Lost;
                }
            }
            next.push((*part, around));
        }
    }

    fn redirected<'t>(&mut self, node: Node<'t>, mut around: Around, next: &mut Vec<(Node<'t>, Around)>) {
        let parts = children(node);
        let outside = around.clone();
        let mut piped = Vec::new();
        for (_, part) in &parts {
            match part.kind() {
                "file_redirect" => self.file(*part, &mut around),
                "herestring_redirect" => around.stdin = Input::Text(part.byte_range()),
                "heredoc_redirect" => {
                    let inner = children(*part);
                    let body = inner.iter().find(|(_, it)| it.kind() == "heredoc_body");
                    around.stdin = Input::Text(body.map_or(part.byte_range(), |(_, body)| body.byte_range()));
                    for (field, it) in inner {
                        match (field, it.kind()) {
                            (_, "file_redirect") => self.file(it, &mut around),
                            (_, "pipeline") => {
                                piped.extend(children(it).into_iter().map(|(_, it)| it).filter(Node::is_named));
                            }
                            (Some("right"), _) => next.push((it, outside.clone())),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        let inside = Around { stdin: Input::Step, ..outside.substitution(Sink::Argument, Status::Lost) };
        for (field, part) in parts {
            match part.kind() {
                "file_redirect" | "herestring_redirect" => statements(self.text, part, &inside, next),
                "heredoc_redirect" => {
                    next.extend(
                        children(part)
                            .into_iter()
                            .filter(|(_, it)| it.kind() == "heredoc_body")
                            .map(|(_, it)| (it, inside.clone())),
                    );
                }
                _ if field == Some("body") && !piped.is_empty() => {
                    // Here-documents stand between the two ends of their pipeline.
                    let mut all = vec![part];
                    all.append(&mut piped);
                    let mut parts = Vec::new();
                    self.pipeline(&all, &outside, &mut parts);
                    if let Some((_, first)) = parts.first_mut() {
                        first.stdin = around.stdin.clone();
                    }
                    next.extend(parts);
                }
                _ => next.push((part, around.clone())),
            }
        }
    }

    /// `> file` and the like.
    fn file(&self, node: Node<'_>, around: &mut Around) {
        let parts = children(node);
        let number = |field: &str| {
            parts.iter().find(|(it, _)| *it == Some(field)).map(|(_, it)| slice(self.text, it.byte_range()))
        };
        let descriptor = number("descriptor");
        let destination = number("destination").unwrap_or_default();
        let operator = parts.iter().find(|(_, it)| !it.is_named()).map_or("", |(_, it)| it.kind());
        let sink = if destination == "/dev/null" {
            Sink::Null
        } else if destination == "/dev/stderr" || destination == "/dev/stdout" {
            Sink::Step
        } else {
            Sink::File
        };
        match (operator, descriptor) {
            ("<", _) => around.stdin = Input::File,
            (">&", Some("2")) if destination == "1" => around.stderr = around.stdout.clone(),
            (">&", None | Some("1")) if destination == "2" => around.stdout = around.stderr.clone(),
            (">&", None) if destination.parse::<u8>().is_err() => {
                around.stdout = sink.clone();
                around.stderr = sink;
            }
            (">&" | "<&" | "<&-" | ">&-", _) => {}
            ("&>" | "&>>", _) => {
                around.stdout = sink.clone();
                around.stderr = sink;
            }
            (_, None | Some("1")) => around.stdout = sink,
            (_, Some("2")) => around.stderr = sink,
            _ => {}
        }
    }

    fn assignment<'t>(
        &mut self,
        node: Node<'t>,
        exported: Option<bool>,
        around: &Around,
        next: &mut Vec<(Node<'t>, Around)>,
    ) {
        if let Some(assignment) = self.read_assignment(node, around, next) {
            self.script.assignments.push(Assignment { exported: exported.unwrap_or(false), ..assignment });
        }
    }

    fn read_assignment<'t>(
        &self,
        node: Node<'t>,
        around: &Around,
        next: &mut Vec<(Node<'t>, Around)>,
    ) -> Option<Assignment> {
        let name = node.child_by_field_name("name")?;
        let name = slice(self.text, name.byte_range()).split('[').next().unwrap_or_default().to_owned();
        let value = node.child_by_field_name("value");
        if let Some(value) = value {
            let around = around.substitution(Sink::Variable(name.clone()), around.status.clone());
            next.push((value, around));
        }
        if node.has_error() {
            return None;
        }
        let empty = node.end_byte()..node.end_byte();
        let value = value.map_or(Word { range: empty, ..Word::default() }, |value| {
            // No word is split in an assignment.
            Word { splits: value.kind() == "array", ..word::read(self.text, value) }
        });
        Some(Assignment { name, value, exported: true, argument: false, range: node.byte_range() })
    }

    fn command<'t>(&mut self, node: Node<'t>, around: &Around, next: &mut Vec<(Node<'t>, Around)>) {
        let mut around = around.clone();
        let mut words = Vec::new();
        let mut assignments = Vec::new();
        let inside = around.substitution(Sink::Argument, Status::Lost);
        for (_, part) in children(node) {
            match part.kind() {
                "variable_assignment" => assignments.extend(self.read_assignment(part, &inside, next)),
                "file_redirect" => {
                    self.file(part, &mut around);
                    statements(self.text, part, &inside, next);
                }
                "herestring_redirect" => {
                    around.stdin = Input::Text(part.byte_range());
                    statements(self.text, part, &inside, next);
                }
                "command_name" => {
                    words.extend(children(part).first().map(|(_, it)| word::read(self.text, *it)));
                    statements(self.text, part, &inside, next);
                }
                "subshell" => next.push((part, inside.clone())),
                _ => {
                    words.push(word::read(self.text, part));
                    next.push((part, inside.clone()));
                }
            }
        }
        if node.has_error() || words.is_empty() {
            return;
        }
        self.set(&words, &around);
        let options = self.options(&around);
        if around.asked && !options.errexit {
            around = around.decides();
        }
        let called = wrapper::see_through(words);
        assignments.extend(called.assignments);
        self.script.commands.push(Command {
            name: called.name,
            arguments: called.arguments,
            range: node.byte_range(),
            assignments,
            open: called.open,
            options,
            stdin: around.stdin,
            stdout: around.stdout,
            stderr: around.stderr,
            status: around.status,
            pipeline: around.pipeline,
            function: around.function,
            background: around.background,
        });
    }

    /// `set -e` and the like.
    fn set(&mut self, words: &[Word], around: &Around) {
        let [name, arguments @ ..] = words else { return };
        if name.constant() != Some("set") {
            return;
        }
        let range = name.range.start..words.last().map_or(name.range.end, |it| it.range.end);
        if let Some(options) = self.scopes.get_mut(around.scope) {
            switch(options, arguments.iter().map_while(Word::constant), &range);
        }
    }
}

/// Applies the flags of `set`, or of a shell.
pub(super) fn switch<'a>(options: &mut Options, words: impl Iterator<Item = &'a str>, range: &Range<usize>) {
    let mut words = words;
    while let Some(word) = words.next() {
        let on = word.starts_with('-');
        if word == "--" || !(on || word.starts_with('+')) {
            return;
        }
        for letter in word.chars().skip(1) {
            match letter {
                'e' => errexit(options, on, range),
                'u' => options.nounset = on,
                'x' => options.xtrace = on,
                'o' => match words.next() {
                    Some("errexit") => errexit(options, on, range),
                    Some("nounset") => options.nounset = on,
                    Some("pipefail") => options.pipefail = on,
                    Some("xtrace") => options.xtrace = on,
                    _ => {}
                },
                'c' => return,
                _ => {}
            }
        }
    }
}

fn errexit(options: &mut Options, on: bool, range: &Range<usize>) {
    options.relaxed = (!on && (options.errexit || options.relaxed.is_some())).then(|| range.clone());
    options.errexit = on;
}

/// What stands in a node, each with what surrounds the node; `&` behind one means the background.
fn statements<'t>(text: &str, node: Node<'t>, around: &Around, next: &mut Vec<(Node<'t>, Around)>) {
    let parts = children(node);
    for (at, (_, part)) in parts.iter().enumerate() {
        if !part.is_named() {
            continue;
        }
        let mut around = around.of_statement(text, parts.get(at + 1..).unwrap_or_default());
        if parts.get(at + 1).is_some_and(|(_, it)| it.kind() == "&") {
            around.background = true;
            around.status = Status::Lost;
        }
        next.push((*part, around));
    }
}

/// `a && b` and `a || b`.
fn list<'t>(text: &str, node: Node<'t>, around: &Around, next: &mut Vec<(Node<'t>, Around)>) {
    let parts = children(node);
    let mut named = parts.iter().filter(|(_, it)| it.is_named()).map(|(_, it)| *it);
    let (Some(left), Some(right)) = (named.next(), named.next()) else {
        statements(text, node, around, next);
        return;
    };
    let or = parts.iter().find(|(_, it)| it.kind() == "||");
    let left_around = match or {
        Some((_, or)) if is_nothing(text, right, &around.stdout) => {
            around.clone().ignored(or.start_byte()..right.end_byte())
        }
        _ => around.clone().decides(),
    };
    next.push((left, left_around));
    next.push((right, around.clone()));
}

/// Whether a statement does nothing, and that successfully; to print something into the output of the step is nothing that
/// anybody would learn of a failure by.
fn is_nothing(text: &str, node: Node<'_>, stdout: &Sink) -> bool {
    let mut left = vec![node];
    while let Some(node) = left.pop() {
        match node.kind() {
            "compound_statement" | "subshell" => {
                left.extend(children(node).into_iter().map(|(_, it)| it).filter(Node::is_named));
            }
            "comment" => {}
            "redirected_statement" => {
                let parts = children(node);
                if !parts.iter().all(|(field, it)| *field == Some("body") || goes_nowhere(text, *it)) {
                    return false;
                }
                left.extend(node.child_by_field_name("body"));
            }
            "command" if says_nothing(slice(text, node.byte_range()), stdout) => {}
            _ => return false,
        }
    }
    true
}

/// `>&2`, `> /dev/null`: nobody reads it later.
fn goes_nowhere(text: &str, redirection: Node<'_>) -> bool {
    let destination = redirection.child_by_field_name("destination");
    let destination = destination.map_or("", |it| slice(text, it.byte_range()));
    redirection.kind() == "file_redirect"
        && matches!(destination, "1" | "2" | "/dev/null" | "/dev/stderr" | "/dev/stdout")
}

fn says_nothing(command: &str, stdout: &Sink) -> bool {
    match command.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["true" | "/bin/true" | "/usr/bin/true" | ":"] | ["exit" | "return", "0"] => true,
        // What goes elsewhere, or into a variable, is read by somebody; what is run to be printed may be of use.
        ["printf", "-v", ..] => false,
        ["echo" | "printf", ..] => {
            matches!(stdout, Sink::Step | Sink::Null) && !command.contains('`') && !command.contains("$(")
        }
        _ => false,
    }
}
