//! `new`: a runbook to begin with, and what to do with it next.
//!
//! Duty: to write it where nothing is yet, and to say what is still to be given. The starters themselves are core's.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::Path,
};

use lifeboat_core::{
    diagnostic::Diagnostic,
    lint,
    model::parse::{Parsed, is_id, parse},
    plan::Unreadable,
    source::Source,
    starter::{self, Answers},
    words::unsafe_to_print,
};

use super::{Failure, Message, Outcome};
use crate::{args, ui};

mod next;
mod which;

/// Writes a runbook, or lists what there is to begin with.
pub(super) fn run(arguments: &args::New) -> Outcome {
    if arguments.list {
        which::list(arguments.format);
        return Ok(0);
    }
    for (option, text) in [("--title", &arguments.title), ("--owner", &arguments.owner)] {
        one_line(option, text.as_deref())?;
    }
    let attended = !arguments.no_input && ui::prompt::somebody();
    // Before anybody is asked anything.
    if let Some(file) = &arguments.file {
        absent(file)?;
    }
    let asked_name = name(arguments.name.as_deref())?;
    let (starter, scope) = which::choose(arguments.disaster, arguments.scope, attended)?;
    let stem = arguments.file.as_ref().and_then(|file| file.file_stem());
    let of_file = || starter::name_from(&stem?.to_string_lossy());
    let answers = Answers {
        name: asked_name.or_else(of_file).unwrap_or_else(|| starter.disaster.name().to_owned()),
        title: arguments.title.clone(),
        owner: arguments.owner.clone(),
        scope,
        rpo: arguments.rpo,
        rto: arguments.rto,
    };
    let text = starter::write(starter, &answers);
    let shown = arguments.file.as_ref().map_or_else(|| "<stdout>".into(), |file| file.to_string_lossy());
    let parsed = parse(Source::new(shown, text.clone()));
    match &arguments.file {
        Some(file) => create(file, &text)?,
        None => ui::out(&text),
    }
    tell(&parsed);
    if let (Some(file), Some(runbook)) = (&arguments.file, &parsed.runbook) {
        ui::err(&ui::plain(&next::text(file, starter, runbook, arguments.owner.is_some())));
    }
    Ok(0)
}

/// The name that was asked for, if it can be one.
fn name(asked: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(asked) = asked.filter(|asked| !is_id(asked)) else { return Ok(asked.map(str::to_owned)) };
    let form = "use lower-case letters, digits and `-`, at most 63 characters, with a letter or digit at both ends";
    let help = starter::name_from(asked).map_or_else(|| form.to_owned(), |fit| format!("`{fit}` would be one: {form}"));
    Err(Failure::usage(
        Message::new(format!("expected the name of a runbook after `--name`, found `{asked}`")).help(help),
    ))
}

/// A title and an owner are shown in one line, in every list and every report.
fn one_line(option: &str, text: Option<&str>) -> Result<(), Failure> {
    let found = match text {
        Some(text) if text.trim().is_empty() => "nothing".to_owned(),
        Some(text) if text.contains(unsafe_to_print) => format!("{text:?}"),
        _ => return Ok(()),
    };
    Err(Failure::usage(
        Message::new(format!("expected one line of text after `{option}`, found {found}"))
            .help("leave out line ends, and everything else that is not seen"),
    ))
}

fn taken(file: &Path) -> Failure {
    Failure::usage(
        Message::new(format!("expected nothing at `{}`, found something there: it was left as it is", file.display()))
            .help("choose another name, or move it away; `new` never writes over anything"),
    )
}

fn absent(file: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(file) {
        Ok(_) => Err(taken(file)),
        Err(_) => Ok(()),
    }
}

/// Writes a file that is not there yet. What was written in part is taken away again.
fn create(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: &std::io::Error| {
        let help = match error.kind() {
            ErrorKind::NotFound => "make the directory first",
            _ => "choose a directory that you may write to, with room in it",
        };
        Failure::usage(Message::new(format!("expected to write `{}`, found: {error}", file.display())).help(help))
    };
    let mut made = match fs::File::create_new(file) {
        Ok(made) => made,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(taken(file)),
        Err(error) => return Err(failed(&error)),
    };
    made.write_all(text.as_bytes()).and_then(|()| made.sync_all()).map_err(|error| {
        drop(fs::remove_file(file));
        failed(&error)
    })
}

/// A starter has no findings of its own, so what is found comes from the objectives that were asked for. The runbook is
/// written all the same: which of the two is wrong, the RTO or the estimates, is for its author to say.
fn tell(parsed: &Parsed) {
    let missing = |_: &str, _: &str| Err(Unreadable::Missing("a starter includes nothing".to_owned()));
    let mut found: Vec<Diagnostic> = parsed.diagnostics.clone();
    found.extend(lint::lint(parsed, &missing));
    for diagnostic in &found {
        ui::err(&ui::diagnostics::text(diagnostic));
    }
    if !found.is_empty() {
        ui::err(&format!(
            "note: {} with these objectives; it was written all the same: mend the estimates, or the objectives\n",
            ui::diagnostics::tally(&found, 1)
        ));
    }
}
