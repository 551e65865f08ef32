//! Programs that run other programs: `sudo`, `timeout 5m`, `env A=b`, `bash -c '…'`.
//!
//! Duty: to find what is run behind them. A wrapper that cannot be read to its end stays what it is.

use std::ops::Range;

use super::{Assignment, Command, DEEPEST, LONGEST, MOST_COMMANDS, Options, Piece, Script, Sink, Status, Word, read};

/// What is run behind wrappers.
pub(super) struct Called {
    pub(super) assignments: Vec<Assignment>,
    pub(super) name: Word,
    pub(super) arguments: Vec<Word>,
    pub(super) open: bool,
}

/// A program that runs another one.
struct Wrapper {
    name: &'static str,
    /// Its flags that take the next word.
    values: &'static [&'static str],
    /// How many words of its own it has before the program.
    own: usize,
    /// Flags with which it runs nothing.
    not: &'static [&'static str],
}

const fn wrapper(
    name: &'static str,
    values: &'static [&'static str],
    own: usize,
    not: &'static [&'static str],
) -> Wrapper {
    Wrapper { name, values, own, not }
}

const WRAPPERS: [Wrapper; 15] = [
    wrapper("builtin", &[], 0, &[]),
    wrapper("chronic", &[], 0, &[]),
    wrapper("command", &[], 0, &["-v", "-V"]),
    wrapper("doas", &["-u", "-C"], 0, &["-s"]),
    wrapper("env", &["-u", "--unset", "-C", "--chdir"], 0, &["-S", "--split-string"]),
    wrapper("exec", &["-a"], 0, &[]),
    wrapper("ionice", &["-c", "-n", "--class", "--classdata"], 0, &["-p", "-P"]),
    wrapper("nice", &["-n", "--adjustment"], 0, &[]),
    wrapper("nohup", &[], 0, &[]),
    wrapper("setsid", &[], 0, &[]),
    wrapper("stdbuf", &["-i", "-o", "-e"], 0, &[]),
    wrapper(
        "sudo",
        &["-u", "-g", "-h", "-p", "-C", "-T", "-D", "-R", "-U", "--user", "--group", "--host", "--prompt"],
        0,
        &["-i", "-s", "-l", "-v", "-e", "-K"],
    ),
    wrapper("time", &["-f", "-o"], 0, &[]),
    wrapper("timeout", &["-k", "--kill-after", "-s", "--signal"], 1, &[]),
    wrapper(
        "xargs",
        &["-I", "-n", "-P", "-L", "-d", "-a", "-s", "-E", "--max-args", "--max-procs", "--delimiter"],
        0,
        &[],
    ),
];

/// The shells whose scripts are read.
pub(super) const SHELLS: [&str; 6] = ["bash", "sh", "dash", "ksh", "zsh", "ash"];

/// What a shell does by itself that is started by these words; `None` when they start no shell.
#[must_use]
pub fn of_interpreter(words: &[&str]) -> Option<Options> {
    let words: Vec<Word> =
        words.iter().map(|text| Word { pieces: vec![Piece::Text((*text).to_owned())], ..Word::default() }).collect();
    if words.is_empty() {
        return None;
    }
    let called = see_through(words);
    let name = called.name.constant()?;
    let name = name.rsplit('/').next().unwrap_or(name);
    let mut options = Options::default();
    read::switch(&mut options, called.arguments.iter().filter_map(Word::constant), &(0..0));
    SHELLS.contains(&name).then_some(options)
}

/// Takes the wrappers off. There is at least one word.
pub(super) fn see_through(mut words: Vec<Word>) -> Called {
    let mut assignments = Vec::new();
    let mut open = false;
    while let Some((at, more)) = behind(&words) {
        open |= words.first().is_some_and(|it| it.constant() == Some("xargs"));
        assignments.extend(more);
        words.drain(..at);
    }
    let mut words = words.into_iter();
    Called { assignments, name: words.next().unwrap_or_default(), arguments: words.collect(), open }
}

/// The number of the word that is the program behind a wrapper.
fn behind(words: &[Word]) -> Option<(usize, Vec<Assignment>)> {
    let name = words.first()?.constant()?;
    let name = name.strip_prefix("/usr/bin/").or(name.strip_prefix("/bin/")).unwrap_or(name);
    let wrapper = WRAPPERS.iter().find(|it| it.name == name)?;
    let mut assignments = Vec::new();
    let mut own = wrapper.own;
    let mut at = 1;
    loop {
        let word = words.get(at)?;
        let head = word.head();
        if head.starts_with('-') && head.len() > 1 {
            let text = word.constant()?;
            if wrapper.not.contains(&text) {
                return None;
            }
            at += 1 + usize::from(wrapper.values.contains(&text));
        } else if let Some(assignment) = assignment(word).filter(|_| matches!(name, "env" | "sudo" | "doas")) {
            assignments.push(assignment);
            at += 1;
        } else if own > 0 {
            own -= 1;
            at += 1;
        } else {
            return Some((at, assignments));
        }
    }
}

/// `NAME=value` as an argument.
fn assignment(word: &Word) -> Option<Assignment> {
    let (name, rest) = word.head().split_once('=')?;
    let fits = !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    let mut value = Word { pieces: Vec::new(), ..word.clone() };
    if !rest.is_empty() {
        value.push(Piece::Text(rest.to_owned()));
    }
    word.pieces.iter().skip(1).for_each(|piece| value.push(piece.clone()));
    fits.then(|| Assignment { name: name.to_owned(), value, exported: true, argument: true, range: word.range.clone() })
}

/// Reads the scripts that shells in it are given by `-c`, and puts their commands behind those.
pub(super) fn read_inner_scripts(script: &mut Script, text: &str, depth: usize) {
    if depth >= DEEPEST {
        return;
    }
    let mut inner = Vec::new();
    for command in &script.commands {
        inner.extend(inner_script(command, text, depth).map(|inner| (command.clone(), inner)));
    }
    let mut pipelines =
        script.commands.iter().filter_map(|it| it.pipeline).map(|it| it.number + 1).max().unwrap_or_default();
    for (outer, mut inner) in inner {
        let mut highest = pipelines;
        for command in &mut inner.commands {
            if let Some(pipeline) = &mut command.pipeline {
                pipeline.number += pipelines;
                highest = highest.max(pipeline.number + 1);
            }
            for (sink, around) in [(&mut command.stdout, &outer.stdout), (&mut command.stderr, &outer.stderr)] {
                if *sink == Sink::Step {
                    sink.clone_from(around);
                }
            }
            if command.status == Status::Counts {
                command.status.clone_from(&outer.status);
            }
            if command.function.is_none() {
                command.function.clone_from(&outer.function);
            }
        }
        pipelines = highest;
        script.complete &= inner.complete;
        script.functions.append(&mut inner.functions);
        script.assignments.append(&mut inner.assignments);
        script.commands.append(&mut inner.commands);
        if script.commands.len() >= MOST_COMMANDS {
            break;
        }
    }
    script.commands.sort_by_key(|command| command.range.start);
    script.assignments.sort_by_key(|it| it.range.start);
}

fn inner_script(command: &Command, text: &str, depth: usize) -> Option<Script> {
    command.program().filter(|name| SHELLS.contains(name))?;
    let mut options = Options::default();
    let flags: Vec<&str> = command.arguments.iter().map_while(Word::constant).collect();
    let at = flags.iter().position(|it| it.starts_with('-') && !it.starts_with("--") && it.ends_with('c'))?;
    let before = flags.get(..=at)?;
    read::switch(&mut options, before.iter().map(|it| it.trim_end_matches('c')), &command.range);
    let word = command.arguments.get(at + 1)?;
    let inner = word.constant().filter(|it| it.len() <= LONGEST)?;
    let mut script = read::nested(inner, options, depth + 1);
    // In quotes without escapes its bytes stand there one by one; otherwise the word is where all of it stands.
    let raw = text.get(word.range.clone())?;
    let shift = raw.find(inner).filter(|_| !inner.is_empty() && raw.len() <= inner.len() + 3);
    let place = |range: &mut Range<usize>| {
        *range = match shift {
            Some(shift) => range.start + shift + word.range.start..range.end + shift + word.range.start,
            None => word.range.clone(),
        };
    };
    script.commands.iter_mut().for_each(|it| it.places(&place));
    script.assignments.iter_mut().for_each(|it| it.places(&place));
    Some(script)
}

impl Command {
    fn places(&mut self, place: &impl Fn(&mut Range<usize>)) {
        place(&mut self.range);
        self.name.places(place);
        self.arguments.iter_mut().for_each(|it| it.places(place));
        self.assignments.iter_mut().for_each(|it| it.places(place));
        if let super::Input::Text(range) = &mut self.stdin {
            place(range);
        }
        if let Status::Ignored(range) = &mut self.status {
            place(range);
        }
        if let Some(range) = &mut self.options.relaxed {
            place(range);
        }
    }
}

impl Assignment {
    fn places(&mut self, place: &impl Fn(&mut Range<usize>)) {
        place(&mut self.range);
        self.value.places(place);
    }
}

impl Word {
    fn places(&mut self, place: &impl Fn(&mut Range<usize>)) {
        place(&mut self.range);
        for piece in &mut self.pieces {
            if let Piece::Substitution(range) | Piece::Template(range) = piece {
                place(range);
            }
        }
    }
}
