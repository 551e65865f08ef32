//! What scripts and command lines do, as far as it can be read from their text.
//!
//! Duty: from `exec` and `shell` to one neutral list of commands, each with its words and what becomes of its streams and its
//! status. It must not judge, run anything, or guess: what is not constant is said to be unknown, and what cannot be read
//! is left out.

use std::ops::Range;

mod argv;
mod flags;
mod read;
#[cfg(test)]
mod tests;
mod tools;
mod word;
mod wrapper;

pub use argv::of_argv;
pub use flags::Flag;
pub use read::of_shell;
pub use wrapper::of_interpreter;

/// The longest script that is read, in bytes; nobody can review a longer one.
pub const LONGEST: usize = 16 * 1024;
/// How many `|` it may have: the parser's way out of a mistake behind a long pipeline takes the square of its length.
const MOST_PIPES: usize = 512;
/// How many commands of a script are looked at.
pub const MOST_COMMANDS: usize = 2_000;
/// How deep scripts may stand in scripts (`bash -c '…'`).
pub const DEEPEST: usize = 4;

/// What a script does.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// Its commands in the order of the text, also those in functions, branches and substitutions.
    pub commands: Vec<Command>,
    /// Its assignments that are not in front of a command, likewise.
    pub assignments: Vec<Assignment>,
    /// The names of its functions: a command of that name is not the program of that name.
    pub functions: Vec<String>,
    /// Whether all of it was understood. Otherwise nothing can be said about what is missing in it.
    pub complete: bool,
}

/// One command.
#[derive(Debug, Clone)]
pub struct Command {
    /// The word that names the program, behind wrappers such as `sudo` and `timeout`.
    pub name: Word,
    /// The words behind it.
    pub arguments: Vec<Word>,
    /// Where all of it stands, assignments and wrappers included.
    pub range: Range<usize>,
    /// The variables that it alone gets: those in front of it, and of `env`.
    pub assignments: Vec<Assignment>,
    /// Whether it gets more arguments than are written, by `xargs`.
    pub open: bool,
    /// What it reads.
    pub stdin: Input,
    /// Where its output goes.
    pub stdout: Sink,
    /// Where its errors go.
    pub stderr: Sink,
    /// What becomes of its exit status.
    pub status: Status,
    /// The pipeline that it is a part of.
    pub pipeline: Option<Pipeline>,
    /// The function that it stands in.
    pub function: Option<String>,
    /// Whether it goes on in the background.
    pub background: bool,
    /// What the shell does here by itself.
    pub options: Options,
}

/// A place in a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pipeline {
    /// Which one.
    pub number: usize,
    /// From 0.
    pub position: usize,
}

/// What a command reads from standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// What the step's process reads, which is nothing unless the step says `stdin`.
    Step,
    /// What the command before it in the pipeline prints.
    Pipe,
    /// A file.
    File,
    /// A text in the script, and where it stands.
    Text(Range<usize>),
}

/// Where a stream goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// Into the output of the step, which is kept as evidence.
    Step,
    /// To the next command of the pipeline.
    Pipe,
    /// Into a variable.
    Variable(String),
    /// Into an argument, a condition, or a text that is made of it.
    Argument,
    /// Into a file.
    File,
    /// Nowhere.
    Null,
    /// To where the function is called from.
    Caller,
}

/// What becomes of an exit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// With `errexit`, a failure ends the script.
    Counts,
    /// Something is decided by it: `if`, `while`, `!`, the left side of `&&` or `||`.
    Decides,
    /// Nobody learns of it, and where the script says so: `|| true`.
    Ignored(Range<usize>),
    /// Nobody learns of it, as the shell has no way to tell: in an argument, or in the background.
    Lost,
}

/// What the shell does by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// A command that fails ends the script.
    pub errexit: bool,
    /// A variable that is not set is an error.
    pub nounset: bool,
    /// A pipeline fails with any of its commands.
    pub pipefail: bool,
    /// Commands are printed with their values before they run.
    pub xtrace: bool,
    /// Where `errexit` was switched off.
    pub relaxed: Option<Range<usize>>,
}

impl Options {
    /// Those of `bash -euo pipefail`.
    pub const STRICT: Self = Self { errexit: true, nounset: true, pipefail: true, xtrace: false, relaxed: None };
}

/// `NAME=value`.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// What it gets.
    pub value: Word,
    /// Whether programs that are started later see it.
    pub exported: bool,
    /// Whether it is an argument: of `sudo` or `env`, in front of the program.
    pub argument: bool,
    /// Where it stands.
    pub range: Range<usize>,
}

/// A word: a name or an argument.
#[derive(Debug, Clone, Default)]
pub struct Word {
    /// Its pieces, quotes and escapes taken off. Literals that stand side by side are one.
    pub pieces: Vec<Piece>,
    /// Where it stands.
    pub range: Range<usize>,
    /// Whether the shell may make several words, or none, of it.
    pub splits: bool,
    /// Whether it is all arguments, or all of an array: `"$@"`.
    pub list: bool,
    /// Whether it has unquoted wildcards.
    pub glob: bool,
}

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A text as it is.
    Text(String),
    /// The value of a variable.
    Variable(String),
    /// What commands print: where they stand.
    Substitution(Range<usize>),
    /// What a template of the runbook gives: where it stands.
    Template(Range<usize>),
    /// Something else that is known only when it runs.
    Unknown,
}

impl Word {
    /// The whole word, when it is known.
    #[must_use]
    pub fn constant(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            _ if self.splits => None,
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text that it begins with, as far as it is known.
    #[must_use]
    pub fn head(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }

    /// The names of the variables in it.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Where the commands stand whose output is in it.
    pub fn substitutions(&self) -> impl Iterator<Item = &Range<usize>> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Substitution(range) => Some(range),
            _ => None,
        })
    }

    fn push(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(more)) => before.push_str(&more),
            (_, piece) => self.pieces.push(piece),
        }
    }
}

impl Script {
    /// The commands that stand in a part of the text.
    pub fn within(&self, range: &Range<usize>) -> impl Iterator<Item = &Command> {
        let range = range.clone();
        self.commands.iter().filter(move |it| range.start <= it.range.start && it.range.end <= range.end)
    }

    /// Whether a command is of this program, and not a function of that name.
    #[must_use]
    pub fn is(&self, command: &Command, program: &str) -> bool {
        command.program() == Some(program) && !self.functions.iter().any(|name| name == program)
    }

    /// The next command of a pipeline.
    #[must_use]
    pub fn next_in_pipeline(&self, command: &Command) -> Option<&Command> {
        let here = command.pipeline?;
        self.commands
            .iter()
            .find(|other| other.pipeline.is_some_and(|it| it.number == here.number && it.position == here.position + 1))
    }

    /// The commands behind one in its pipeline, the nearest first.
    #[must_use]
    pub fn behind_in_pipeline(&self, command: &Command) -> Vec<&Command> {
        let Some(here) = command.pipeline else { return Vec::new() };
        let mut behind: Vec<_> = self
            .commands
            .iter()
            .filter_map(|it| Some((it.pipeline?, it)))
            .filter(|(at, _)| at.number == here.number && at.position > here.position)
            .collect();
        behind.sort_by_key(|(at, _)| at.position);
        behind.into_iter().map(|(_, it)| it).collect()
    }
}

impl Command {
    /// The program: its name without the directories of the system. A path relative to the runbook stays a path, as that is
    /// the runbook's own script.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        let name = self.name.constant()?;
        Some(match name.strip_prefix('/') {
            Some(path) => path.rsplit('/').next().unwrap_or(path),
            None => name,
        })
    }
}
