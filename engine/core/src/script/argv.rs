//! Argument lists: programs that are run without a shell.
//!
//! Duty: the same commands as those of scripts. Templates in the arguments are what is not known.

use super::{Command, Input, MOST_COMMANDS, Options, Piece, Script, Sink, Status, Word, wrapper};

/// Reads an argument list. Ranges count in the arguments joined by line feeds.
#[must_use]
pub fn of_argv(arguments: &[&str]) -> Script {
    let mut at = 0;
    let words: Vec<Word> = arguments
        .iter()
        .take(MOST_COMMANDS)
        .map(|text| {
            let word = word(text, at);
            at += text.len() + 1;
            word
        })
        .collect();
    let range = 0..at.saturating_sub(1);
    if words.is_empty() {
        return Script { complete: true, ..Script::default() };
    }
    let called = wrapper::see_through(words);
    let command = Command {
        name: called.name,
        arguments: called.arguments,
        range,
        assignments: called.assignments,
        open: called.open || arguments.len() > MOST_COMMANDS,
        stdin: Input::Step,
        stdout: Sink::Step,
        stderr: Sink::Step,
        status: Status::Counts,
        pipeline: None,
        function: None,
        background: false,
        options: Options::STRICT,
    };
    let mut script = Script { commands: vec![command], complete: true, ..Script::default() };
    wrapper::read_inner_scripts(&mut script, &arguments.join("\n"), 0);
    script
}

/// What stands between templates is text; `{{` that is never closed is a mistake that others tell.
fn word(text: &str, at: usize) -> Word {
    let mut word = Word { range: at..at + text.len(), ..Word::default() };
    let mut from = 0;
    while let Some(open) = text.get(from..).and_then(|rest| rest.find("{{")).map(|open| open + from) {
        let close = text.get(open..).and_then(|rest| rest.find("}}")).map_or(text.len(), |close| open + close + 2);
        if open > from {
            word.push(Piece::Text(text.get(from..open).unwrap_or_default().to_owned()));
        }
        word.push(Piece::Template(at + open..at + close));
        from = close;
    }
    if from < text.len() || word.pieces.is_empty() {
        word.push(Piece::Text(text.get(from..).unwrap_or_default().to_owned()));
    }
    word
}
